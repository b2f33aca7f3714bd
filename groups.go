package dataknobs

import "slices"

// A grouping turns the groups of a query into its results. Everything that the
// query says about a group is a slot: first the keys, then the aggregates, each
// distinct one of Select, Having and OrderBy once.
type grouping struct {
	agg    *Aggregation
	sel    []Column
	names  []string // of the results' fields
	slots  []int    // of the results' fields
	having *Matcher // nil: all groups
	order  []Order
	by     []int // the slots of order
}

// newGrouping checks and compiles a grouped query. Without Select the result
// holds the group's keys. In HAVING and ORDER BY the name given with AS stands
// for its column, before any path of that name. A value that is neither a
// group's key nor inside an aggregate, and two columns of one name, are
// InvalidArgument.
func newGrouping(q *Query) (*grouping, error) {
	g := &grouping{agg: &Aggregation{Where: q.Where, GroupBy: q.GroupBy}, sel: q.Select, order: q.OrderBy}
	for _, p := range q.GroupBy {
		if err := checkPath(p); err != nil {
			return nil, err
		}
	}
	cols := q.Select
	if len(cols) == 0 {
		for _, p := range q.GroupBy {
			cols = append(cols, Column{Path: p})
		}
	}
	for _, c := range cols {
		if err := g.addColumn(c); err != nil {
			return nil, err
		}
	}
	if err := g.addHaving(q.Having); err != nil {
		return nil, err
	}
	for _, o := range q.OrderBy {
		slot, err := g.named(o.Agg, o.Path)
		if err != nil {
			return nil, err
		}
		g.by = append(g.by, slot)
	}
	return g, nil
}

func (g *grouping) addColumn(c Column) error {
	slot, err := g.slot(c.Agg, c.Path)
	if err != nil {
		return err
	}
	name := c.Name()
	if slices.Contains(g.names, name) {
		return errColumnTwice(name)
	}
	g.names = append(g.names, name)
	g.slots = append(g.slots, slot)
	return nil
}

func (g *grouping) addHaving(e Expr) error {
	if e = Simplify(e); e == nil {
		return nil
	}
	c := compiler{slot: func(c *Cond) (int, error) { return g.named(c.Agg, c.Path) }}
	root, err := c.node(e)
	g.having = &Matcher{root: root}
	return err
}

// named is slot, where a path may also be a name given with AS.
func (g *grouping) named(agg Agg, p Path) (int, error) {
	if agg == NoAgg && len(p) == 1 {
		for _, c := range g.sel {
			if c.As != "" && c.As == p[0].Name {
				return g.slot(c.Agg, c.Path)
			}
		}
	}
	return g.slot(agg, p)
}

// slot returns where a group's key or aggregate stands; an aggregate not seen
// before is added to those to compute.
func (g *grouping) slot(agg Agg, p Path) (int, error) {
	keys := len(g.agg.GroupBy)
	if agg == NoAgg {
		i := slices.IndexFunc(g.agg.GroupBy, p.Equal)
		if i < 0 {
			return 0, Errorf(InvalidArgument, "%s has many values in a group", p).
				WithHint("add it to GROUP BY, or take one of its values: min(%s), max(%s)", p, p)
		}
		return i, nil
	}
	if err := checkAggregate(Column{Agg: agg, Path: p}); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(g.agg.Columns, func(c Column) bool { return c.Agg == agg && c.Path.Equal(p) })
	if i < 0 {
		i = len(g.agg.Columns)
		g.agg.Columns = append(g.agg.Columns, Column{Agg: agg, Path: p})
	}
	return keys + i, nil
}

// value returns the value of a slot.
func (g *Group) value(slot int) Value {
	if slot < len(g.Keys) {
		return g.Keys[slot]
	}
	return g.Values[slot-len(g.Keys)]
}

// records returns the results of the groups, those that HAVING keeps, in the
// order asked for, ties and all else in the order of their keys. A result has
// no ID. It may reorder and overwrite groups. Limit and offset are the caller's.
func (g *grouping) records(groups []Group) []*Record {
	if g.having != nil {
		var at *Group
		get := func(slot int) Value { return at.value(slot) }
		groups = slices.DeleteFunc(groups, func(x Group) bool {
			at = &x
			return !g.having.MatchFunc(get)
		})
	}
	slices.SortFunc(groups, g.compare)
	out := make([]*Record, len(groups))
	for i := range groups {
		f := make(Fields, len(g.slots))
		for j, slot := range g.slots {
			f[j] = Field{g.names[j], groups[i].value(slot)}
		}
		out[i] = &Record{Fields: f}
	}
	return out
}

func (g *grouping) compare(a, b Group) int {
	for i := range g.order {
		if c := g.order[i].compare(a.value(g.by[i]), b.value(g.by[i])); c != 0 {
			return c
		}
	}
	return slices.CompareFunc(a.Keys, b.Keys, Value.Compare)
}
