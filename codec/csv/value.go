package csv

import "dataknobs.dev/dataknobs"

// Value returns the value of slot i.
func (w *worker) Value(i int) dataknobs.Value {
	s := &w.s.p.slots[i]
	if s.col < 0 {
		return dataknobs.Value{}
	}
	var v dataknobs.Value
	if s.kept >= 0 {
		v = w.checks[s.kept].value
	} else {
		v = w.value(s.col, w.s.p.as[s.col])
	}
	if len(s.rest) > 0 {
		return v.Lookup(s.rest)
	}
	return v
}

// Number returns the row's number.
func (w *worker) Number() int64 { return w.number }

// Key returns "": a row has no key but its cells.
func (w *worker) Key() string { return "" }

// Offset returns where the row stands in the file.
func (w *worker) Offset() int64 { return w.off + int64(w.start) }

// Record makes a record of the row.
func (w *worker) Record() (*dataknobs.Record, error) {
	return w.record(w.s.p, w.makeFields)
}

// makeFields returns room for the fields of one record. Where records are made
// one after another, several share an allocation.
func (w *worker) makeFields(n int) dataknobs.Fields {
	if len(w.fields) < n {
		w.dense = min(2*w.dense+1, 16)
		w.fields = make([]dataknobs.Field, n*w.dense)
	}
	f := w.fields[:n:n]
	w.fields = w.fields[n:]
	return f
}

// record makes a record of the row, as p says.
func (r *reader) record(p *plan, room func(int) dataknobs.Fields) (*dataknobs.Record, error) {
	rec := &dataknobs.Record{}
	if n := len(p.fields); n > 0 {
		rec.Fields = room(n)
	}
	for i, col := range p.fields {
		v := r.value(col, p.as[col])
		if v.Kind() == dataknobs.KindString {
			v = dataknobs.String(r.arena.Clone(v.Str()))
		}
		rec.Fields[i] = dataknobs.Field{Name: r.f.cols[col].name, Value: v}
	}
	if p.id >= 0 {
		rec.ID = r.arena.Clone(r.value(p.id, asString).Str())
	}
	if p.meta >= 0 {
		rec.Metadata = r.metadata(p.meta)
	}
	if r.err != nil {
		return nil, r.err
	}
	return rec, nil
}

// metadata reads the cell that holds a record's metadata.
func (r *reader) metadata(col int) dataknobs.Fields {
	v := r.value(col, asJSON)
	if k := v.Kind(); k != dataknobs.KindObject && k != dataknobs.KindNull {
		r.keep(r.errorAt(col, "the metadata is not a JSON object"))
	}
	return v.Fields()
}
