package csv

import (
	"context"
	"slices"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A plan says what a scan reads.
type plan struct {
	as    []reading // by column: how it is read
	slots []slot
	// fields are the columns that a record has, in file order; id and meta the
	// columns of its ID and metadata, or -1.
	fields   []int
	id, meta int
	// checks are the columns whose every cell must be looked at, because the kind
	// is assumed.
	checks []check
	assume []marks // by column: what is known of those
}

// A slot is a value that a visitor may ask for.
type slot struct {
	col  int // -1: always null
	rest dataknobs.Path
	kept int // the index in checks of its column, so that it is read once; -1: none
}

// A check is one column whose cells are looked at.
type check struct {
	col   int
	as    reading // what is assumed
	marks marks   // of the cells so far
	keep  bool    // keep the value
	value dataknobs.Value
}

// plan makes the plan of a scan. Kinds that are not known are assumed.
func (f *file) plan(s *codec.Scan) *plan {
	p := &plan{as: make([]reading, len(f.cols)), id: -1, meta: -1}
	for _, path := range s.Slots {
		p.slots = append(p.slots, f.slot(path))
	}
	if !s.NoRecords {
		f.planRecord(p, s.Paths)
	}
	known, guess := f.marks()
	p.assume = make([]marks, len(f.cols))
	for i, c := range f.cols {
		switch {
		case c.as != asInferred:
			p.as[i] = c.as
		case known[i] != 0:
			p.as[i] = known[i].reading()
		default:
			p.as[i] = guess[i].reading()
			p.assume[i] = guess[i]
			if p.uses(i) && !guess[i].settled() {
				p.checks = append(p.checks, check{col: i, as: p.as[i], marks: guess[i]})
			}
		}
	}
	for i := range p.slots {
		p.slots[i].kept = slices.IndexFunc(p.checks, func(c check) bool { return c.col == p.slots[i].col })
		if k := p.slots[i].kept; k >= 0 {
			p.checks[k].keep = true
		}
	}
	return p
}

// planRecord settles which columns make a record.
func (f *file) planRecord(p *plan, paths []dataknobs.Path) {
	wanted := func(name string) bool {
		return paths == nil || slices.ContainsFunc(paths, func(q dataknobs.Path) bool { return len(q) > 0 && q[0].Name == name })
	}
	for i, c := range f.cols {
		switch {
		case c.role == roleID:
			p.id = i
		case c.role == roleMeta:
			if wanted("_meta") {
				p.meta = i
			}
		case wanted(c.name):
			p.fields = append(p.fields, i)
		}
	}
}

// slot finds the column that a path leads to.
func (f *file) slot(path dataknobs.Path) slot {
	for i, c := range f.cols {
		switch {
		case c.role == roleID && path.IsID(), c.role == roleMeta && path.IsMetadata(),
			c.role == roleField && len(path) > 0 && path[0].Name == c.name:
			return slot{col: i, rest: path[1:]}
		}
	}
	return slot{col: -1}
}

// uses reports whether the scan may look at column col.
func (p *plan) uses(col int) bool {
	return col == p.id || col == p.meta || slices.Contains(p.fields, col) ||
		slices.ContainsFunc(p.slots, func(s slot) bool { return s.col == col })
}

// marks returns what is known and what is assumed of each column's cells.
func (f *file) marks() (known, guess []marks) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.guess == nil {
		f.guess = f.sampleMarks()
		for i := range f.known {
			if f.whole {
				f.known[i] = f.guess[i] | markDone
			}
		}
	}
	return slices.Clone(f.known), f.guess
}

// sampleMarks looks at the sample. It ends at a row that cannot be read, which
// the scan will report.
func (f *file) sampleMarks() []marks {
	m := make([]marks, len(f.cols))
	if len(f.sample) == 0 {
		return m
	}
	r := &reader{f: f, split: f.splitter()}
	r.reset(f.sample, 0, 1)
	for p := 0; p < len(f.sample); {
		next, row, err := r.next(p, true)
		if err != nil {
			break
		}
		for i := range m {
			if row && m[i]&markString == 0 {
				m[i] |= r.mark(i)
			}
		}
		p = next
	}
	return m
}

// mark returns the mark of a cell.
func (r *reader) mark(col int) marks {
	b, null := r.text(col)
	if null {
		return markNull
	}
	return classify(b)
}

// settle finds out the kinds of those columns, reading the whole file if it must.
func (f *file) settle(ctx context.Context, cols []int) error {
	f.settling.Lock()
	defer f.settling.Unlock()
	known, guess := f.marks()
	p := &plan{id: -1, meta: -1, assume: guess}
	for _, c := range cols {
		if f.cols[c].as == asInferred && known[c] == 0 && !guess[c].settled() {
			p.checks = append(p.checks, check{col: c, as: guess[c].reading(), marks: guess[c]})
		}
	}
	if len(p.checks) == 0 {
		return nil
	}
	s := &scan{f: f, p: p, Scan: &codec.Scan{}}
	s.quiet(-1)
	return s.run(ctx)
}

// all returns the indexes of all columns.
func (f *file) all() []int {
	cols := make([]int, len(f.cols))
	for i := range cols {
		cols[i] = i
	}
	return cols
}

// found returns what is known of a column, or assumed where its kinds are not settled.
func (f *file) found(col int) marks {
	known, guess := f.marks()
	if known[col] != 0 {
		return known[col]
	}
	return guess[col]
}

// Kinds returns the kinds at each path. It reads the whole file, once, where
// a column's kind is not certain otherwise.
func (f *file) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	slots := make([]slot, len(paths))
	var cols []int
	asked := make([]bool, len(f.cols))
	for i, p := range paths {
		slots[i] = f.slot(p)
		if c := slots[i].col; c >= 0 && !asked[c] {
			asked[c], cols = true, append(cols, c)
		}
	}
	if err := f.settle(ctx, cols); err != nil {
		return nil, err
	}
	kinds := make([]dataknobs.KindSet, len(paths))
	for i, s := range slots {
		switch {
		case s.col < 0:
			kinds[i] = dataknobs.KindsOf(dataknobs.KindNull)
		case f.cols[s.col].as == asJSON:
		case len(s.rest) > 0:
			kinds[i] = dataknobs.KindsOf(dataknobs.KindNull)
		case f.cols[s.col].as != asInferred:
			kinds[i] = f.cols[s.col].as.kinds()
		default:
			kinds[i] = f.found(s.col).kinds()
		}
	}
	return kinds, nil
}

// Layout describes the file for a writer of its successor; all kinds are settled.
func (f *file) Layout(ctx context.Context) (*codec.Layout, error) {
	if err := f.settle(ctx, f.all()); err != nil {
		return nil, err
	}
	return f.GuessLayout(), nil
}

// GuessLayout implements codec.Guesser: what is not settled yet is assumed.
func (f *file) GuessLayout() *codec.Layout {
	l := &codec.Layout{Version: 1, Delimiter: string(f.delim), NoHeader: f.noHeader(), Nulls: f.nulls.words}
	for i, c := range f.cols {
		switch c.role {
		case roleID:
			l.ID = c.name
		case roleMeta:
			l.Meta = c.name
		default:
			l.Columns = append(l.Columns, codec.Column{Name: c.name, Kind: f.layoutKind(i)})
		}
	}
	return l
}

// layoutKind names a column's kind; "null" where every cell is.
func (f *file) layoutKind(col int) string {
	if as := f.cols[col].as; as != asInferred {
		return as.layoutKind()
	}
	m := f.found(col)
	if m.reading() != asNumber {
		return m.reading().layoutKind()
	}
	switch m & markNumber {
	case 0:
		return "null"
	case markInt:
		return "int"
	case markFloat:
		return "float"
	}
	return "number"
}
