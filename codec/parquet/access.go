package parquet

import (
	"dataknobs.dev/dataknobs"
)

// A want is one thing that a scan reads of each row: the values of a node, and
// what is left of a path to look up inside them.
type want struct {
	node *node // nil: always null
	rest dataknobs.Path
}

// resolve finds what a path of a query leads to.
func (f *file) resolve(p dataknobs.Path) want {
	switch {
	case len(p) == 0:
		return want{}
	case p.IsMetadata() && f.meta != nil:
		return want{f.meta, p[1:]}
	case p.IsID():
		return want{node: f.id}
	case p.IsSystem():
		return want{}
	}
	n, rest := f.root.descend(p)
	if n == f.root {
		n = nil
	}
	return want{n, rest}
}

// A reader gives the values of one want, for the rows of one row group; used by
// one goroutine.
type reader struct {
	want
	g    *scanGroup
	c    *chunk // of a flat leaf
	p    *page
	lo   int64 // the rows of p
	hi   int64
	tree *tree // of anything else
}

func (r *reader) reset(g *scanGroup) error {
	r.g, r.c, r.p, r.lo, r.hi, r.tree = g, nil, nil, 0, 0, nil
	switch {
	case r.node == nil:
	case r.node.flat():
		r.c = g.chunk(r.node)
		if err := r.c.table(); err != nil {
			return err
		}
	default:
		t, err := newTree(r.node, g)
		r.tree = t
		return err
	}
	return nil
}

// at returns the value of the row, which is counted in the row group. Its text
// aliases the page.
func (r *reader) at(row int64) (dataknobs.Value, error) {
	if r.c == nil {
		return r.slow(row)
	}
	if row < r.lo || row >= r.hi {
		if err := r.turn(row); err != nil {
			return dataknobs.Value{}, err
		}
	}
	v, ok := r.p.at(int(row - r.lo))
	if !ok {
		return v, r.c.f.badValue(&r.p.vec, int(row-r.lo), r.g.base+r.lo)
	}
	if len(r.rest) > 0 {
		v = v.Lookup(r.rest)
	}
	return v, nil
}

// turn goes to the page that holds the row.
func (r *reader) turn(row int64) error {
	i := r.c.pageOf(row)
	if i < 0 {
		return r.c.f.loss(r.node, errCorrupt)
	}
	p, err := r.c.page(i)
	if err != nil {
		return err
	}
	if row >= p.hi {
		return r.c.f.loss(r.node, errCorrupt)
	}
	r.p, r.lo, r.hi = p, p.lo, p.hi
	return nil
}

func (r *reader) slow(row int64) (dataknobs.Value, error) {
	if r.tree == nil {
		return dataknobs.Value{}, nil
	}
	v, err := r.tree.at(row)
	if err == nil && len(r.rest) > 0 {
		v = v.Lookup(r.rest)
	}
	return v, err
}

// keep is at for a value that outlives the scan. Text of a dictionary is shared
// by all who keep it.
func (r *reader) keep(row int64) (dataknobs.Value, error) {
	v, err := r.at(row)
	if err == nil && r.c != nil && r.p.mode != modeDict {
		v = v.Clone()
	}
	return v, err
}

// badValue is the error about entry i of a page, which cannot be a value.
func (f *file) badValue(v *vec, i int, base int64) error {
	code := dataknobs.DataLoss
	if v.leaf.conv != nil {
		code = v.leaf.conv.code
	}
	row := ""
	if v.leaf.maxRep == 0 {
		row = dataknobs.Int(base + int64(i)).String()
		row = ", row " + row
	}
	return dataknobs.Errorf(code, "%s: the column %s%s %s", f.src.Name, v.leaf.path, row, v.describe(i))
}

// A maker builds records.
type maker struct {
	f      *file
	fields []*reader
	names  []string
	id     *reader
	meta   *reader
}

// maker returns what builds records of those paths; nil: everything.
func (f *file) maker(paths []dataknobs.Path) *maker {
	m := &maker{f: f}
	root := f.root.project(paths)
	for _, c := range root.children {
		m.fields = append(m.fields, &reader{want: want{node: c}})
		m.names = append(m.names, c.name)
	}
	if f.id != nil {
		m.id = &reader{want: want{node: f.id}}
	}
	if f.meta != nil && wantsMeta(paths) {
		m.meta = &reader{want: want{node: f.meta}}
	}
	return m
}

func wantsMeta(paths []dataknobs.Path) bool {
	for _, p := range paths {
		if p.IsMetadata() {
			return true
		}
	}
	return paths == nil
}

// all calls do for each reader.
func (m *maker) all(do func(*reader) error) error {
	for _, r := range m.fields {
		if err := do(r); err != nil {
			return err
		}
	}
	for _, r := range []*reader{m.id, m.meta} {
		if r == nil {
			continue
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) reset(g *scanGroup) error {
	return m.all(func(r *reader) error { return r.reset(g) })
}

// record builds the record of the row.
func (m *maker) record(row int64) (*dataknobs.Record, error) {
	rec := &dataknobs.Record{Fields: make(dataknobs.Fields, len(m.fields))}
	for i, r := range m.fields {
		v, err := r.keep(row)
		if err != nil {
			return nil, err
		}
		rec.Fields[i] = dataknobs.Field{Name: m.names[i], Value: v}
	}
	if m.id != nil {
		v, err := m.id.keep(row)
		if err != nil {
			return nil, err
		}
		rec.ID = v.Str()
	}
	if m.meta != nil {
		v, err := m.meta.keep(row)
		if err != nil {
			return nil, err
		}
		rec.Metadata = v.Fields()
	}
	return rec, nil
}
