package json

import (
	"bytes"
	"encoding/json"
	"io"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// flushSize is how much a writer collects before it writes.
const flushSize = 64 << 10

// writer writes JSON.
type writer struct {
	w      io.Writer
	format Format
	layout *codec.Layout // nil: whatever comes, as JSON can show it
	indent bool
	kinds  map[string]dataknobs.Kind // of the fields that the layout notes
	buf    []byte
	record []byte // scratch for one record, with indent
	any    bool   // a record was written
	err    error  // a failed write ends the file
}

// NewWriter starts a JSON file: an array, with each record on a line of its
// own; an object by ID if the layout is keyed; or lines for NDJSON. Without a
// layout every record is written as JSON can show it, without ID and
// metadata. Indent is not for NDJSON.
func (f Format) NewWriter(w io.Writer, o *codec.WriteOptions) (codec.Writer, error) {
	x := &writer{w: w, format: f, layout: o.Layout, indent: o.Indent, kinds: map[string]dataknobs.Kind{}}
	if o.Indent && f.lines {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "NDJSON cannot be indented: each record is one line")
	}
	if o.Layout != nil {
		if o.Layout.Keyed && f.lines {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "NDJSON cannot be keyed")
		}
		for _, c := range o.Layout.Columns {
			if k, ok := dataknobs.ParseKind(c.Kind); ok && (k == dataknobs.KindTime || k == dataknobs.KindBytes) {
				x.kinds[c.Name] = k
			}
		}
	}
	return x, nil
}

func (w *writer) keyed() bool { return w.layout != nil && w.layout.Keyed }

// Write appends one record. It returns an InvalidArgument error, with nothing
// written, for a record that does not fit the layout.
func (w *writer) Write(rec *dataknobs.Record) error {
	if w.err != nil {
		return w.err
	}
	if err := w.fits(rec); err != nil {
		return err
	}
	w.begin()
	if w.keyed() {
		w.buf = dataknobs.AppendJSONString(w.buf, rec.ID)
		w.buf = append(w.buf, ':')
		if w.indent {
			w.buf = append(w.buf, ' ')
		}
	}
	if w.indent {
		w.record = w.appendRecord(w.record[:0], rec)
		out := bytes.NewBuffer(w.buf)
		if err := json.Indent(out, w.record, "  ", "  "); err != nil {
			return dataknobs.Errorf(dataknobs.Internal, "indenting a record: %w", err)
		}
		w.buf = out.Bytes()
	} else {
		w.buf = w.appendRecord(w.buf, rec)
	}
	if w.format.lines {
		w.buf = append(w.buf, '\n')
	}
	if len(w.buf) >= flushSize {
		w.flush()
	}
	return w.err
}

// begin appends what stands before a record.
func (w *writer) begin() {
	if w.format.lines {
		return
	}
	switch {
	case w.any:
		w.buf = append(w.buf, ",\n"...)
	case w.keyed():
		w.buf = append(w.buf, "{\n"...)
	default:
		w.buf = append(w.buf, "[\n"...)
	}
	if w.indent {
		w.buf = append(w.buf, "  "...)
	}
	w.any = true
}

// Close writes the end of the file.
func (w *writer) Close() error {
	switch {
	case w.format.lines:
	case w.any && w.keyed():
		w.buf = append(w.buf, "\n}\n"...)
	case w.any:
		w.buf = append(w.buf, "\n]\n"...)
	case w.keyed():
		w.buf = append(w.buf, "{}\n"...)
	default:
		w.buf = append(w.buf, "[]\n"...)
	}
	w.flush()
	return w.err
}

func (w *writer) flush() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// appendRecord appends the record's object: ID, fields, metadata.
func (w *writer) appendRecord(b []byte, rec *dataknobs.Record) []byte {
	tagged := w.layout != nil && w.layout.Tagged
	b = append(b, '{')
	if w.layout != nil && w.layout.ID != "" && !w.layout.Keyed && rec.ID != "" {
		b = append(appendName(b, w.layout.ID), dataknobs.AppendJSONString(nil, rec.ID)...)
	}
	for _, f := range rec.Fields {
		b = appendValue(appendName(b, f.Name), f.Value, tagged)
	}
	if len(rec.Metadata) > 0 && w.layout != nil {
		b = appendValue(appendName(b, w.layout.Meta), dataknobs.Object(rec.Metadata), tagged)
	}
	return append(b, '}')
}

// appendName appends a member's name, after a comma unless it is the first.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(dataknobs.AppendJSONString(b, name), ':')
}

func appendValue(b []byte, v dataknobs.Value, tagged bool) []byte {
	if tagged {
		return v.AppendTaggedJSON(b)
	}
	return v.AppendJSON(b)
}

// fits checks that rec can be written so that it is read back the same.
func (w *writer) fits(rec *dataknobs.Record) error {
	l := w.layout
	if l == nil {
		return nil
	}
	if l.Keyed && rec.ID == "" {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "a record without an ID cannot stand in a keyed file")
	}
	if len(rec.Metadata) > 0 && l.Meta == "" {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the layout has no place for the metadata of a record")
	}
	if l.Tagged {
		return nil
	}
	for _, f := range rec.Fields {
		if err := w.fieldFits(f); err != nil {
			return err
		}
	}
	if !plain(dataknobs.Object(rec.Metadata)) {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the metadata holds a time or bytes, which only a tagged file can keep")
	}
	return nil
}

func (w *writer) fieldFits(f dataknobs.Field) error {
	k, noted := w.kinds[f.Name]
	switch {
	case f.Value.IsNull():
	case noted && f.Value.Kind() != k:
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the field %s is of kind %s; the layout says %s", dataknobs.Names(f.Name), f.Value.Kind(), k)
	case !noted && !plain(f.Value):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the field %s holds a time or bytes, which the layout does not note", dataknobs.Names(f.Name))
	}
	return nil
}

// plain reports whether JSON shows the kind of v and all that is in it.
func plain(v dataknobs.Value) bool {
	switch v.Kind() {
	case dataknobs.KindTime, dataknobs.KindBytes:
		return false
	case dataknobs.KindArray:
		for e := range v.Elems() {
			if !plain(e) {
				return false
			}
		}
	case dataknobs.KindObject:
		for _, e := range v.All() {
			if !plain(e) {
				return false
			}
		}
	}
	return true
}
