package dataknobs

import (
	"math"
	"slices"
)

// MaxGroups is how many groups a Grouper takes unless it is told otherwise.
const MaxGroups = 10_000_000

// A Grouper computes the aggregates of groups of records: the one meaning of
// GROUP BY, for the engine and for drivers that aggregate while they scan. Its
// memory grows with the groups and not with the records. Not safe for
// concurrent use: give each goroutine its own and merge them.
//
// Groups are told apart by Equal, so 1 and 1.0 are one group, shown as the int
// if any record had the int. sum, avg, min and max of no values are null. sum
// and avg take numbers only. The sum of ints is an int, computed in 128 bits,
// so that only the total can overflow, whatever the order of the records; with
// a float among them it is a float, the ints being summed exactly and the
// floats with a compensation for what rounding drops. avg is a float, of the
// exact sum if all are ints. min and max take every kind, in the order of
// Compare, and of equal values prefer the int.
type Grouper struct {
	paths []Path
	keys  []int // the slots of the group keys
	cols  []aggColumn
	limit int

	n      int
	shown  []Value // the keys of all groups, one group after the other
	ids    groupIndex
	values []Value // of the record being added, by slot
}

// NewGrouper returns a Grouper for groups by those paths (none: everything is
// one group) and those aggregates, which may be none. It refuses, as
// InvalidArgument, a column that is no aggregate and a path that is no path.
func NewGrouper(groupBy []Path, cols []Column) (*Grouper, error) {
	g := &Grouper{limit: MaxGroups}
	for _, p := range groupBy {
		if err := checkPath(p); err != nil {
			return nil, err
		}
		g.keys = append(g.keys, g.slot(p))
	}
	for _, c := range cols {
		if err := checkAggregate(c); err != nil {
			return nil, err
		}
		col := aggColumn{Column: c}
		if c.Agg != CountAll {
			col.slot = g.slot(c.Path)
		}
		g.cols = append(g.cols, col)
	}
	g.values = make([]Value, len(g.paths))
	if len(g.keys) == 0 {
		g.grow(nil)
	}
	return g, nil
}

// checkAggregate refuses what is not an aggregate of a path, or count(*).
func checkAggregate(c Column) error {
	switch {
	case c.Agg == NoAgg || c.Agg > Max:
		return Errorf(InvalidArgument, "%s is not an aggregate", c.Path)
	case c.Agg != CountAll:
		return checkPath(c.Path)
	case len(c.Path) > 0:
		return Errorf(InvalidArgument, "count(*) takes no path, but has %s", c.Path)
	}
	return nil
}

func (g *Grouper) slot(p Path) int {
	i := slices.IndexFunc(g.paths, p.Equal)
	if i < 0 {
		i = len(g.paths)
		g.paths = append(g.paths, p)
	}
	return i
}

// SetMaxGroups bounds the number of groups; one more is ResourceExhausted.
func (g *Grouper) SetMaxGroups(n int) { g.limit = n }

// Paths returns the distinct paths whose values Add wants; a slot is an index
// into them. The caller does not change them.
func (g *Grouper) Paths() []Path { return g.paths }

// Len returns the number of groups so far.
func (g *Grouper) Len() int { return g.n }

// Add takes a record, whose value at Paths()[slot] get returns; it is called
// once for each slot. The values may alias a buffer: what is kept is cloned.
// It is ResourceExhausted where there would be more groups than allowed.
func (g *Grouper) Add(get func(slot int) Value) error {
	for i := range g.values {
		g.values[i] = get(i)
	}
	return g.add()
}

// AddRecord is Add for a whole record.
func (g *Grouper) AddRecord(r *Record) error {
	for i := range g.values {
		g.values[i] = r.Lookup(g.paths[i])
	}
	return g.add()
}

func (g *Grouper) add() error {
	at := 0
	if len(g.keys) > 0 {
		var err error
		if at, err = g.find(); err != nil {
			return err
		}
	}
	for i := range g.cols {
		if c := &g.cols[i]; c.Agg == CountAll {
			c.counts[at]++
		} else if v := g.values[c.slot]; v.kind != KindNull {
			c.add(at, v)
		}
	}
	return nil
}

// find returns the group of g.values, made if it is new.
func (g *Grouper) find() (int, error) {
	var at int
	var ok bool
	single := len(g.keys) == 1
	if single {
		at, ok = g.ids.find(g.values[g.keys[0]])
	} else {
		at, ok = g.ids.findAll(g.values, g.keys)
	}
	if ok {
		g.show(at)
		return at, nil
	}
	if g.n >= g.limit {
		return 0, Errorf(ResourceExhausted, "there are more than %d groups", g.limit).WithHint("group by something of fewer values, or narrow the condition")
	}
	at = g.n
	g.grow(g.values)
	if single {
		g.ids.insert(g.shown[at], at)
	} else {
		g.ids.insertAll(at)
	}
	return at, nil
}

// show makes the preferred of two equal keys the one that is shown. Most kinds
// have nothing to choose.
func (g *Grouper) show(at int) {
	for i, slot := range g.keys {
		switch v := g.values[slot]; v.kind {
		case KindInt:
			g.shown[at*len(g.keys)+i] = v
		case KindFloat, KindArray, KindObject:
			p := &g.shown[at*len(g.keys)+i]
			if preferred(v, *p) {
				*p = v.Clone()
			}
		}
	}
}

// grow adds a group with the keys among those values.
func (g *Grouper) grow(values []Value) {
	for _, slot := range g.keys {
		g.shown = append(g.shown, values[slot].Clone())
	}
	for i := range g.cols {
		g.cols[i].grow()
	}
	g.n++
}

// Merge adds everything that other has taken, which must be of the same paths
// and aggregates (else InvalidArgument). other stays as it is.
func (g *Grouper) Merge(other *Grouper) error {
	if !slices.Equal(g.keys, other.keys) || !slices.EqualFunc(g.paths, other.paths, Path.Equal) ||
		!slices.EqualFunc(g.cols, other.cols, func(a, b aggColumn) bool { return a.Agg == b.Agg && a.slot == b.slot }) {
		return Errorf(InvalidArgument, "the groups to merge are of different queries")
	}
	clear(g.values)
	for from := range other.n {
		at := 0
		for i, slot := range g.keys {
			g.values[slot] = other.shown[from*len(g.keys)+i]
		}
		if len(g.keys) > 0 {
			var err error
			if at, err = g.find(); err != nil {
				return err
			}
		}
		for i := range g.cols {
			g.cols[i].merge(at, &other.cols[i], from)
		}
	}
	return nil
}

// Groups returns the groups in the order of their keys, nulls last. Without
// keys there is exactly one, even of no records. A sum of ints that int64 does
// not hold, or of floats that float64 does not, is InvalidArgument.
func (g *Grouper) Groups() ([]Group, error) {
	groups := make([]Group, g.n)
	values := make([]Value, g.n*len(g.cols))
	for at := range groups {
		k, c := len(g.keys), len(g.cols)
		groups[at] = Group{Keys: g.shown[at*k : at*k+k : at*k+k], Values: values[at*c : at*c+c : at*c+c]}
		for i := range g.cols {
			v, err := g.cols[i].result(at)
			if err != nil {
				return nil, err
			}
			groups[at].Values[i] = v
		}
	}
	slices.SortFunc(groups, func(a, b Group) int { return slices.CompareFunc(a.Keys, b.Keys, Value.Compare) })
	return groups, nil
}

// An aggColumn is one aggregate of all groups; each function uses only the
// slices that it needs.
type aggColumn struct {
	Column
	slot   int
	counts []int64
	sums   []sum
	values []Value
}

func (c *aggColumn) grow() {
	switch c.Agg {
	case CountAll, Count:
		c.counts = append(c.counts, 0)
	case Sum, Avg:
		c.sums = append(c.sums, sum{})
	default:
		c.values = append(c.values, Value{})
	}
}

// add takes a value that is not null into the group.
func (c *aggColumn) add(at int, v Value) {
	switch c.Agg {
	case Count:
		c.counts[at]++
	case Sum, Avg:
		c.sums[at].add(v)
	default:
		c.take(at, v)
	}
}

// take keeps v if it is the least or the greatest so far.
func (c *aggColumn) take(at int, v Value) {
	best := &c.values[at]
	if best.kind == KindNull {
		*best = v.Clone()
		return
	}
	o := v.Compare(*best)
	if c.Agg == Max {
		o = -o
	}
	if o < 0 || o == 0 && preferred(v, *best) {
		*best = v.Clone()
	}
}

func (c *aggColumn) merge(at int, other *aggColumn, from int) {
	switch c.Agg {
	case CountAll, Count:
		c.counts[at] += other.counts[from]
	case Sum, Avg:
		c.sums[at].merge(&other.sums[from])
	default:
		if v := other.values[from]; v.kind != KindNull {
			c.take(at, v)
		}
	}
}

func (c *aggColumn) result(at int) (Value, error) {
	switch c.Agg {
	case CountAll, Count:
		return Int(c.counts[at]), nil
	case Min, Max:
		return c.values[at], nil
	}
	s := &c.sums[at]
	v, ok := s.average()
	if c.Agg == Sum {
		v, ok = s.total()
	}
	if ok {
		return v, nil
	}
	what := "integer"
	if s.floats {
		what = "number"
	}
	return v, Errorf(InvalidArgument, "%s overflow in %s", what, Column{Agg: c.Agg, Path: c.Path}.Name())
}

// preferred reports whether v is to be shown in place of w, which is Equal to
// it: an int for a float, 0 for -0, and of arrays and objects that are written
// differently always the same one, so that the order of the records never shows.
func preferred(v, w Value) bool {
	switch {
	case v.kind < KindString:
		return v.kind < w.kind || v.kind == KindFloat && w.kind == KindFloat && math.Signbit(w.Float()) && !math.Signbit(v.Float())
	case v.kind < KindArray:
		return false
	}
	return slices.Compare(v.appendBinary(nil), w.appendBinary(nil)) < 0
}
