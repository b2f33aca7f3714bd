package csv

import (
	"encoding/base64"
	"io"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// flushSize is how much a writer collects before it writes.
const flushSize = 64 << 10

// writer writes CSV.
type writer struct {
	w     io.Writer
	buf   []byte
	delim byte
	nulls nulls
	cols  []outColumn
	index map[string]int
	err   error // a failed write ends the file
}

// An outColumn is one column to write.
type outColumn struct {
	codec.Column
	role role
	as   reading
}

// fileColumns returns the names of all columns of a file with that layout. The ID
// stands first and the metadata last unless the columns say otherwise.
func fileColumns(l *codec.Layout) []string {
	var names []string
	for _, c := range outColumns(l) {
		names = append(names, c.Name)
	}
	return names
}

func outColumns(l *codec.Layout) []outColumn {
	var cols []outColumn
	for _, c := range l.Columns {
		o := outColumn{Column: c, as: readings[c.Kind]}
		switch c.Name {
		case l.ID:
			o.role, o.as = roleID, asString
		case l.Meta:
			o.role, o.as = roleMeta, asJSON
		}
		cols = append(cols, o)
	}
	has := func(r role) bool { return slices.ContainsFunc(cols, func(c outColumn) bool { return c.role == r }) }
	if l.ID != "" && !has(roleID) {
		id := outColumn{Column: codec.Column{Name: l.ID, Kind: "string"}, role: roleID, as: asString}
		cols = append([]outColumn{id}, cols...)
	}
	if l.Meta != "" && !has(roleMeta) {
		cols = append(cols, outColumn{Column: codec.Column{Name: l.Meta, Kind: "json"}, role: roleMeta, as: asJSON})
	}
	return cols
}

// NewWriter starts a CSV file with the columns of o.Layout, which must be
// given, and writes its header. Lines end in LF; cells have quotes only where they
// need them to be read back the same: also where they hold a character that could be
// taken for the delimiter.
func (f Format) NewWriter(w io.Writer, o *codec.WriteOptions) (codec.Writer, error) {
	l := o.Layout
	if l == nil {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "writing %s needs a layout: its columns", f.Name())
	}
	x := &writer{w: w, delim: ',', nulls: newNulls(l.Nulls), cols: outColumns(l), index: map[string]int{}}
	if f.tabs {
		x.delim = '\t'
	}
	if l.Delimiter != "" {
		x.delim = l.Delimiter[0]
	}
	for i, c := range x.cols {
		if _, ok := readings[c.Kind]; !ok {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the layout gives the column %s the unknown kind %q", quoteName(c.Name), c.Kind)
		}
		if _, ok := x.index[c.Name]; ok {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the layout has the column %s twice", quoteName(c.Name))
		}
		x.index[c.Name] = i
	}
	if !l.NoHeader {
		x.header()
	}
	return x, nil
}

func (w *writer) header() {
	for i, c := range w.cols {
		w.sep(i)
		w.text(c.Name)
	}
	w.endRow()
}

func (w *writer) sep(i int) {
	if i > 0 {
		w.buf = append(w.buf, w.delim)
	}
}

func (w *writer) endRow() {
	if len(w.cols) > 0 {
		w.buf = append(w.buf, '\n')
	}
}

// Write appends one record. It returns an InvalidArgument error, with nothing
// written, for a record that does not fit the layout.
func (w *writer) Write(rec *dataknobs.Record) error {
	if w.err != nil {
		return w.err
	}
	start := len(w.buf)
	if err := w.row(rec); err != nil {
		w.buf = w.buf[:start]
		return err
	}
	if len(w.buf) >= flushSize {
		w.flush()
	}
	return w.err
}

func (w *writer) flush() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// Close writes what is left.
func (w *writer) Close() error {
	w.flush()
	return w.err
}

func (w *writer) row(rec *dataknobs.Record) error {
	if err := w.fits(rec); err != nil {
		return err
	}
	next := 0 // the field that comes next if the record has the order of the columns
	for i := range w.cols {
		c := &w.cols[i]
		w.sep(i)
		switch {
		case c.role == roleID:
			w.id(rec.ID)
			continue
		case c.role == roleMeta:
			w.meta(rec.Metadata)
			continue
		}
		var v dataknobs.Value
		if next < len(rec.Fields) && rec.Fields[next].Name == c.Name {
			v = rec.Fields[next].Value
			next++
		} else {
			v = rec.Fields.Value(c.Name)
		}
		if err := w.cell(c, v); err != nil {
			return err
		}
	}
	w.endRow()
	return nil
}

// fits checks that all of rec has a place.
func (w *writer) fits(rec *dataknobs.Record) error {
	i := 0
	for _, f := range rec.Fields {
		for i < len(w.cols) && w.cols[i].role != roleField {
			i++
		}
		if i < len(w.cols) && w.cols[i].Name == f.Name {
			i++
			continue
		}
		k, ok := w.index[f.Name]
		if !ok || w.cols[k].role != roleField {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "there is no column for the field %s", quoteName(f.Name))
		}
		i = k + 1
	}
	if len(rec.Metadata) > 0 && !slices.ContainsFunc(w.cols, func(c outColumn) bool { return c.role == roleMeta }) {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "there is no column for the metadata of a record")
	}
	if len(w.cols) == 0 {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "a file without columns cannot hold a record")
	}
	return nil
}

func (w *writer) id(id string) {
	if id != "" {
		w.text(id)
	}
}

func (w *writer) meta(f dataknobs.Fields) {
	if len(f) > 0 {
		w.text(string(dataknobs.Object(f).AppendTaggedJSON(nil)))
	}
}

// accepts are the kinds that a column may hold, null apart.
var accepts = map[reading]dataknobs.KindSet{
	asNumber: dataknobs.KindsOf(dataknobs.KindInt, dataknobs.KindFloat),
	asInt:    dataknobs.KindsOf(dataknobs.KindInt),
	asFloat:  dataknobs.KindsOf(dataknobs.KindFloat),
	asBool:   dataknobs.KindsOf(dataknobs.KindBool),
	asTime:   dataknobs.KindsOf(dataknobs.KindTime),
	asString: dataknobs.KindsOf(dataknobs.KindString),
	asBytes:  dataknobs.KindsOf(dataknobs.KindBytes),
	asJSON:   ^dataknobs.KindSet(0),
}

func (w *writer) cell(c *outColumn, v dataknobs.Value) error {
	k := v.Kind()
	switch {
	case k == dataknobs.KindNull:
		return nil
	case !accepts[c.as].Has(k):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the field %s is of kind %s; its column holds %s", quoteName(c.Name), k, c.Kind)
	case c.as == asJSON:
		w.text(string(v.AppendTaggedJSON(nil)))
	case k == dataknobs.KindString:
		w.text(v.Str())
	case k == dataknobs.KindTime:
		w.buf = dataknobs.AppendTime(w.buf, v.Time())
	case k == dataknobs.KindBytes:
		w.text(base64.StdEncoding.EncodeToString(v.Bytes()))
	default:
		w.number(v)
	}
	return nil
}

// number appends an int, float or bool. It has quotes where it spells a word for null.
func (w *writer) number(v dataknobs.Value) {
	if !w.nulls.number {
		w.buf = v.AppendJSON(w.buf)
		return
	}
	w.text(string(v.AppendJSON(nil)))
}

// text appends a cell's text, in quotes where it needs them.
func (w *writer) text(s string) {
	if !w.needsQuotes(s) {
		w.buf = append(w.buf, s...)
		return
	}
	w.buf = append(w.buf, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		w.buf = append(w.buf, s[:i]...)
		w.buf = append(w.buf, '"', '"')
		s = s[i+1:]
	}
	w.buf = append(w.buf, s...)
	w.buf = append(w.buf, '"')
}

// needsQuotes reports whether s would be read as something else without quotes.
func (w *writer) needsQuotes(s string) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' || strings.HasPrefix(s, "\ufeff") {
		return true
	}
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\n', '\r', ',', '\t', ';', '|':
			return true
		default:
			if c == w.delim {
				return true
			}
		}
	}
	return w.nulls.lens != 0 && w.nulls.has([]byte(s))
}
