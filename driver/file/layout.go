package file

import (
	"context"
	"slices"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// nextLayout is how the file will be written: as it is, and what the journal's
// records need more.
func (d *Driver) nextLayout(ctx context.Context) (*codec.Layout, error) {
	st := d.st
	p := d.newPlanner()
	if st.base != nil {
		l, err := st.base.parts[0].file().Layout(ctx)
		if err != nil {
			return nil, err
		}
		p.start(l)
		if err := d.verifyIDs(ctx, st.base); err != nil {
			return nil, err
		}
	}
	if d.rule().from == byFree {
		p.l.ID = idColumn
	}
	st.ov.over.Scan(func(_ int64, e *entry) bool { p.look(e.rec); return true })
	st.ov.added.Scan(func(_ uint64, e *entry) bool { p.look(e.rec); return true })
	return p.finish(), nil
}

// A planner finds the columns that records need.
type planner struct {
	f     *format
	l     codec.Layout
	at    map[string]int // the column of each name
	kinds []dataknobs.KindSet
	based bool // there are records that are not looked at
}

// newPlanner begins with the layout of a new file, as the options want it.
func (d *Driver) newPlanner() *planner {
	p := &planner{f: d.t.format, l: codec.Layout{Version: 1}, at: map[string]int{}}
	if !p.f.json && !p.f.binary {
		p.l.Nulls, p.l.NoHeader = d.o.CSV.Nulls, d.o.CSV.NoHeader
		if d.o.CSV.Delimiter != 0 {
			p.l.Delimiter = string(rune(d.o.CSV.Delimiter))
		}
	}
	return p
}

// start begins with the layout of a file that has records.
func (p *planner) start(l *codec.Layout) {
	p.l = *l
	p.l.Version = 1
	p.l.Columns = slices.Clone(l.Columns)
	p.based = true
	p.kinds = make([]dataknobs.KindSet, len(l.Columns))
	for i, c := range p.l.Columns {
		p.at[c.Name] = i
	}
}

// look takes a record into account; nil is none.
func (p *planner) look(rec *dataknobs.Record) {
	if rec == nil {
		return
	}
	if len(rec.Metadata) > 0 {
		p.l.Meta = metaColumn
		p.tag(rec.Metadata)
	}
	for i, f := range rec.Fields {
		// The usual case: a record has the fields of the one before.
		if i >= len(p.l.Columns) || p.l.Columns[i].Name != f.Name {
			var ok bool
			if i, ok = p.at[f.Name]; !ok {
				i = p.column(f.Name)
			}
		}
		p.kinds[i] |= 1 << f.Value.Kind()
		if p.f.json && f.Value.Kind() >= dataknobs.KindArray && !p.l.Tagged && needsTag(f.Value) {
			p.l.Tagged = true
		}
	}
}

func (p *planner) column(name string) int {
	i := len(p.l.Columns)
	p.at[name] = i
	p.l.Columns = append(p.l.Columns, codec.Column{Name: name})
	p.kinds = append(p.kinds, 0)
	return i
}

func (p *planner) tag(f dataknobs.Fields) {
	if p.f.json && !p.l.Tagged {
		p.l.Tagged = needsTag(dataknobs.AdoptObject(f))
	}
}

// needsTag reports whether plain JSON could not show the value.
func needsTag(v dataknobs.Value) bool {
	switch v.Kind() {
	case dataknobs.KindTime, dataknobs.KindBytes:
		return true
	case dataknobs.KindArray:
		for e := range v.Elems() {
			if needsTag(e) {
				return true
			}
		}
	case dataknobs.KindObject:
		for name, e := range v.All() {
			if v.Len() == 1 && name[0] == '$' || needsTag(e) {
				return true
			}
		}
	}
	return false
}

// finish returns the layout.
func (p *planner) finish() *codec.Layout {
	for i := range p.l.Columns {
		c := &p.l.Columns[i]
		c.Kind = widen(c.Kind, p.kinds[i], p.f.dropsNulls)
	}
	if p.f.json {
		p.finishJSON()
	}
	return &p.l
}

// finishJSON keeps the notes about columns whose every value is a time, or
// bytes: they stand as plain strings. Where not every record was looked at, or
// a column has several kinds, the single values are tagged.
func (p *planner) finishJSON() {
	noted := p.l.Columns[:0]
	for i, c := range p.l.Columns {
		special := p.kinds[i]&dataknobs.KindsOf(dataknobs.KindTime, dataknobs.KindBytes) != 0
		_, old := dataknobs.ParseKind(c.Kind)
		switch {
		case (c.Kind == "time" || c.Kind == "bytes") && (old && !special || !p.based || p.wasNoted(c.Name)):
			noted = append(noted, c)
		case special:
			p.l.Tagged = true
		}
	}
	p.l.Columns = noted
	if len(noted) == 0 {
		p.l.Columns = nil
	}
}

// wasNoted reports whether the file said already that the column is special.
func (p *planner) wasNoted(name string) bool { return p.kinds[p.at[name]] == 0 }

// widen returns the kind of a column of that kind which gets values of kinds.
// A column that has none yet is "".
func widen(old string, kinds dataknobs.KindSet, _ bool) string {
	kinds &^= dataknobs.KindsOf(dataknobs.KindNull)
	if kinds == 0 {
		if old == "" {
			return "json" // nothing but nulls: whatever comes fits
		}
		return old
	}
	all := kinds
	switch old {
	case "", "null": // "null": a column of the file without a value
	case "json":
		return "json"
	case "number":
		all |= dataknobs.KindsOf(dataknobs.KindInt, dataknobs.KindFloat)
	default:
		k, ok := dataknobs.ParseKind(old)
		if !ok {
			return old
		}
		all = all.With(k)
	}
	switch {
	case all == dataknobs.KindsOf(dataknobs.KindInt, dataknobs.KindFloat):
		return "number"
	case all&(all-1) == 0 && all < 1<<dataknobs.KindArray:
		return all.String()
	}
	return "json"
}
