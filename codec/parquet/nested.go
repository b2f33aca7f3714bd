package parquet

import (
	"dataknobs.dev/dataknobs"
)

// A cursor stands at one entry of a leaf: at one value or null, with its levels.
type cursor struct {
	c  *chunk
	pi int
	p  *page // nil: not placed yet; with pi = len(c.locs): at the end
	e  int   // entry in p
	v  int   // value in p, of a repeated leaf
}

// seek places the cursor at the first entry of the row.
func (k *cursor) seek(row int64) error {
	if err := k.c.table(); err != nil {
		return err
	}
	at := k.c.pageOf(row)
	if at < 0 {
		return k.c.f.loss(k.c.leaf, errCorrupt)
	}
	if err := k.load(at); err != nil {
		return err
	}
	skip := row - k.c.locs[at].row
	if k.p.rep == nil {
		k.e = int(skip)
		return nil
	}
	for {
		if k.e == k.p.entries {
			return k.c.f.loss(k.c.leaf, errCorrupt)
		}
		if k.p.rep[k.e] == 0 {
			if skip == 0 {
				return nil
			}
			skip--
		}
		k.step()
	}
}

func (k *cursor) load(page int) error {
	k.pi, k.e, k.v = page, 0, 0
	if page >= len(k.c.locs) {
		k.p = nil
		return nil
	}
	p, err := k.c.page(page)
	k.p = p
	return err
}

// step leaves the entry, within the page.
func (k *cursor) step() {
	if k.defined() {
		k.v++
	}
	k.e++
}

// next goes to the next entry, on the next page if need be.
func (k *cursor) next() error {
	if k.p == nil {
		return k.c.f.loss(k.c.leaf, errCorrupt)
	}
	k.step()
	for k.p != nil && k.e == k.p.entries {
		if err := k.load(k.pi + 1); err != nil {
			return err
		}
	}
	return nil
}

// def is the definition level of the entry; -1 at the end.
func (k *cursor) def() int {
	switch {
	case k.p == nil:
		return -1
	case k.p.def == nil:
		return k.c.leaf.maxDef
	}
	return int(k.p.def[k.e])
}

// rep is the repetition level of the entry; 0, as of a new row, at the end.
func (k *cursor) rep() int {
	if k.p == nil || k.p.rep == nil {
		return 0
	}
	return int(k.p.rep[k.e])
}

func (k *cursor) defined() bool { return k.p.def == nil || int(k.p.def[k.e]) == k.c.leaf.maxDef }

// value returns the value of the entry, which is defined.
func (k *cursor) value() (dataknobs.Value, bool) {
	if k.c.leaf.maxRep == 0 {
		return k.p.at(k.e)
	}
	return k.p.at(k.v)
}

// A tree reads the values of one node that is not a flat leaf.
type tree struct {
	root *node
	cur  []*cursor // by leaf number
	row  int64     // the row at which all cursors stand; -1: none
	last dataknobs.Value
	got  int64 // the row of last; -1: none
	bad  error
	base int64 // the number in the file of the row group's first row
}

func newTree(root *node, g *scanGroup) (*tree, error) {
	t := &tree{root: root, row: -1, got: -1, base: g.base, cur: make([]*cursor, len(g.f.leaves))}
	return t, t.open(root, g)
}

func (t *tree) open(n *node, g *scanGroup) error {
	if n.leaf >= 0 {
		t.cur[n.leaf] = &cursor{c: g.chunk(n)}
		return nil
	}
	for _, c := range n.children {
		if err := t.open(c, g); err != nil {
			return err
		}
	}
	return nil
}

// at returns the value of the row.
func (t *tree) at(row int64) (dataknobs.Value, error) {
	if t.got == row {
		return t.last, t.bad
	}
	v, err := t.read(row)
	t.last, t.got, t.bad = v, row, err
	return v, err
}

func (t *tree) read(row int64) (dataknobs.Value, error) {
	if t.row != row {
		for _, k := range t.cur {
			if k == nil {
				continue
			}
			if err := k.seek(row); err != nil {
				return dataknobs.Value{}, err
			}
		}
	}
	t.row = -1
	v, err := t.node(t.root)
	if err == nil {
		t.row = row + 1
	}
	return v, err
}

// node reads the next value of n, all repetitions of a repeated n.
func (t *tree) node(n *node) (dataknobs.Value, error) {
	if n.repetition == repeated {
		return t.array(n, n, false)
	}
	return t.one(n)
}

// first returns the cursor that stands for n.
func (t *tree) first(n *node) *cursor {
	if l := n.firstLeaf(); l != nil {
		return t.cur[l.leaf]
	}
	return nil
}

// skip passes over the one entry that says that n is not there.
func (t *tree) skip(n *node) error {
	if n.leaf >= 0 {
		return t.cur[n.leaf].next()
	}
	for _, c := range n.children {
		if err := t.skip(c); err != nil {
			return err
		}
	}
	return nil
}

// one reads one value of n, not looking at repetition of n itself.
func (t *tree) one(n *node) (dataknobs.Value, error) {
	k := t.first(n)
	switch {
	case k == nil: // a group without members
		return dataknobs.AdoptObject(nil), nil
	case k.p == nil:
		return dataknobs.Value{}, k.c.f.loss(k.c.leaf, errCorrupt)
	case k.def() < n.maxDef:
		return dataknobs.Value{}, t.skip(n)
	case n.leaf >= 0:
		return t.leaf(k)
	case n.shape == shapeList || n.shape == shapePairs:
		return t.array(n.children[0], n.elem, false)
	case n.shape == shapeMap:
		return t.array(n.children[0], n.elem, true)
	}
	return t.object(n)
}

func (t *tree) leaf(k *cursor) (dataknobs.Value, error) {
	v, ok := k.value()
	if !ok {
		i := k.v
		if k.c.leaf.maxRep == 0 {
			i = k.e
		}
		return v, k.c.f.badValue(&k.p.vec, i, t.base+k.c.locs[k.pi].row)
	}
	return v.Clone(), k.next()
}

func (t *tree) object(n *node) (dataknobs.Value, error) {
	fields := make(dataknobs.Fields, 0, len(n.children))
	for _, c := range n.children {
		v, err := t.node(c)
		if err != nil {
			return v, err
		}
		fields = append(fields, dataknobs.Field{Name: c.name, Value: v})
	}
	return dataknobs.AdoptObject(fields), nil
}

// array reads all repetitions of the repeated node n as an array of what elem,
// n or its only child, holds; or as the object that a map is.
func (t *tree) array(n, elem *node, asMap bool) (dataknobs.Value, error) {
	var elems []dataknobs.Value
	var fields dataknobs.Fields
	k := t.first(n)
	if k == nil {
		return dataknobs.AdoptArray(nil), nil
	}
	if k.def() < n.maxDef { // empty
		if err := t.skip(n); err != nil {
			return dataknobs.Value{}, err
		}
	} else {
		for {
			v, err := t.one(elem)
			if err != nil {
				return v, err
			}
			if asMap {
				fields.Set(v.Field(n.children[0].name).Str(), t.mapValue(n, v))
			} else {
				elems = append(elems, v)
			}
			if k.p == nil || k.rep() != n.maxRep {
				break
			}
		}
	}
	if asMap {
		return dataknobs.AdoptObject(fields), nil
	}
	return dataknobs.AdoptArray(elems), nil
}

// mapValue returns the value of one entry of a map; a set, which is a map of
// keys alone, has true.
func (t *tree) mapValue(n *node, entry dataknobs.Value) dataknobs.Value {
	if len(n.children) < 2 {
		return dataknobs.Bool(true)
	}
	return entry.Field(n.children[1].name)
}
