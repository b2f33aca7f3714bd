package json

import (
	"encoding/base64"
	"strconv"
	"unsafe"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/jsontext"
)

// Number returns the record's number.
func (w *worker) Number() int64 { return w.number }

// Key returns the record's key in a keyed file.
func (w *worker) Key() string { return unsafe.String(unsafe.SliceData(w.key), len(w.key)) }

// Offset returns where the record stands in the file.
func (w *worker) Offset() int64 { return w.at.offset + int64(w.start) }

// Value returns the value of slot i.
func (w *worker) Value(i int) dataknobs.Value {
	n := &w.names[w.slots[i]]
	if n.seen != w.stamp {
		return dataknobs.Value{}
	}
	s := &w.plan.slots[i]
	if len(s.rest) > 0 {
		return w.nested(n, s.rest)
	}
	return w.read(&w.r, n, nil)
}

// read reads the value of the name n, as it is declared.
func (w *worker) read(r *jsontext.Reader, n *name, filter jsontext.Filter) dataknobs.Value {
	v, end := r.Value(n.start, 1, filter)
	if end < 0 {
		w.keepSyntax(r, dataknobs.Names(n.text))
		return dataknobs.Value{}
	}
	if n.declared != nil {
		return w.convert(n, v)
	}
	return v
}

func (w *worker) keepSyntax(r *jsontext.Reader, at dataknobs.Path) {
	if w.err == nil {
		w.err = w.errorAt(r.Err.At, append(at, r.Err.Path...), "%s", r.Err.Msg)
	}
}

// nested reads the value at a path inside the value of the name n.
func (w *worker) nested(n *name, path dataknobs.Path) dataknobs.Value {
	if n.declared != nil || w.r.Tagged {
		return w.read(&w.r, n, nil).Lookup(path)
	}
	at := n.start
	for k, s := range path {
		var ok bool
		at, ok = w.r.Find(at, 1+k, s)
		if at < 0 {
			w.keepSyntax(&w.r, dataknobs.Names(n.text))
		}
		if at < 0 || !ok {
			return dataknobs.Value{}
		}
	}
	v, end := w.r.Value(at, 1+len(path), nil)
	if end < 0 {
		w.keepSyntax(&w.r, append(dataknobs.Names(n.text), path...))
		return dataknobs.Value{}
	}
	return v
}

// convert makes of v what the field is declared to be.
func (w *worker) convert(n *name, v dataknobs.Value) dataknobs.Value {
	k := n.declared.kind
	switch {
	case v.Kind() == k || v.IsNull():
		return v
	case k == dataknobs.KindFloat && v.Kind() == dataknobs.KindInt:
		return dataknobs.Float(v.Float())
	case k == dataknobs.KindTime && v.Kind() == dataknobs.KindString:
		if t, ok := dataknobs.ParseTime(v.Str()); ok {
			return t
		}
	case k == dataknobs.KindBytes && v.Kind() == dataknobs.KindString:
		if b, err := base64.StdEncoding.DecodeString(v.Str()); err == nil {
			return dataknobs.AdoptBytes(b)
		}
	}
	if w.err == nil {
		text := []rune(v.String())
		if len(text) > 60 {
			text = append(text[:60], '…')
		}
		w.err = w.errorAt(n.start, dataknobs.Names(n.text), "%s is not of the declared kind %s", string(text), k)
	}
	return dataknobs.Value{}
}

// Record makes a record of the row.
func (w *worker) Record() (*dataknobs.Record, error) {
	rec := &dataknobs.Record{}
	c := &w.copier
	c.Text = w.r.Text
	room := w.makeFields(len(w.members))
	for _, m := range w.members {
		n := &w.names[m.name]
		switch {
		case n.skip:
		case n.id:
			rec.ID = w.idText(n)
		case n.meta:
			rec.Metadata = w.metadata(n)
		default:
			room = append(room, dataknobs.Field{Name: n.text, Value: w.read(c, n, n.filter)})
		}
	}
	rec.Fields = room
	if w.f.form == formKeyed {
		rec.ID = string(w.key)
	}
	if w.err != nil {
		return nil, w.err
	}
	return rec, nil
}

// makeFields returns room for up to n fields of one record. Where records are
// made one after another, several share an allocation.
func (w *worker) makeFields(n int) dataknobs.Fields {
	if len(w.fields) < n {
		w.dense = min(2*w.dense+1, 16)
		w.fields = make([]dataknobs.Field, n*w.dense)
	}
	f := w.fields[:0:n]
	w.fields = w.fields[n:]
	return f
}

// idText returns the text of the member that is the ID: a string itself, the
// digits of an int, the text of {"$oid": "…"}, else the value's JSON.
func (w *worker) idText(n *name) string {
	v := w.read(&w.copier, n, nil)
	switch v.Kind() {
	case dataknobs.KindNull:
		return ""
	case dataknobs.KindString:
		return v.Str()
	case dataknobs.KindInt:
		return strconv.FormatInt(v.Int(), 10)
	}
	if oid := v.Field("$oid"); oid.Kind() == dataknobs.KindString {
		return oid.Str()
	}
	return string(v.AppendJSON(nil))
}

// metadata reads the member that is the metadata.
func (w *worker) metadata(n *name) dataknobs.Fields {
	v := w.read(&w.copier, n, n.filter)
	if k := v.Kind(); k != dataknobs.KindObject && k != dataknobs.KindNull && w.err == nil {
		w.err = w.errorAt(n.start, dataknobs.Names(n.text), "the metadata is not an object")
	}
	return v.Fields()
}
