package elasticsearch

import (
	"context"
	"iter"
	"slices"
	"strconv"

	"dataknobs.dev/dataknobs"
)

// supportAggregate says that the server groups by everything whose keys the index has.
func supportAggregate(a *dataknobs.Aggregation) dataknobs.Support {
	for _, p := range aggregatePaths(a) {
		if _, ok := columnOf(p); !ok {
			return not(whyNoKeys(p))
		}
	}
	return exact
}

// aggregatePaths are the distinct paths of the groups and the aggregates.
func aggregatePaths(a *dataknobs.Aggregation) []dataknobs.Path {
	paths := slices.Clone(a.GroupBy)
	for _, c := range a.Columns {
		if c.Agg != dataknobs.CountAll {
			paths = append(paths, c.Path)
		}
	}
	var distinct []dataknobs.Path
	for _, p := range paths {
		if !slices.ContainsFunc(distinct, p.Equal) {
			distinct = append(distinct, p)
		}
	}
	return distinct
}

// Aggregate implements dataknobs.Aggregator. The server counts how often each
// combination of keys occurs (a composite aggregation), which is exact; sums
// and all else are computed here from the counts, by the engine's own Grouper.
func (d *Driver) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return func(yield func(dataknobs.Group, error) bool) {
		groups, err := d.aggregate(ctx, a)
		if err != nil {
			yield(dataknobs.Group{}, err)
			return
		}
		for _, g := range groups {
			if !yield(g, nil) {
				return
			}
		}
	}
}

// An aggregation is one Aggregate on its way.
type aggregation struct {
	d      *Driver
	m      *mapping
	a      *dataknobs.Aggregation
	view   *view // all of its searches see the same records
	where  obj
	total  int64
	whole  map[string]bool  // the columns that hold a float without a fraction
	exists map[string]int64 // by column: how many records have a value
}

func (d *Driver) aggregate(ctx context.Context, a *dataknobs.Aggregation) ([]dataknobs.Group, error) {
	m, err := d.forReading(ctx)
	if err != nil {
		return nil, err
	}
	g := &aggregation{d: d, m: m, a: a, whole: map[string]bool{}, exists: map[string]int64{}}
	if m != nil {
		if g.view, err = d.openView(ctx); err != nil {
			return nil, err
		}
		defer g.view.close(ctx)
		g.where = m.query(a.Where)
		if err := g.survey(ctx); err != nil {
			return nil, err
		}
	}
	c, err := g.base(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range aggregatePaths(&dataknobs.Aggregation{Columns: a.Columns}) {
		if g.onlyCounted(p) {
			continue
		}
		if err := g.path(ctx, p, c); err != nil {
			return nil, err
		}
	}
	return c.list, nil
}

// survey counts what the aggregation reads, and refuses what the keys of the
// index do not tell exactly.
func (g *aggregation) survey(ctx context.Context) error {
	filters := obj{}
	paths := aggregatePaths(g.a)
	for i, p := range paths {
		column, _ := columnOf(p)
		t, n := g.m.target(column), strconv.Itoa(i)
		filters["exists"+n] = t.exists()
		filters["whole"+n] = obj{"term": obj{wholeField: obj{"value": column}}}
		if !g.m.columns[column] || g.m.full {
			filters["more"+n] = target{fields: []string{moreField + "." + column}}.exists()
		}
		if g.grouped(p) || g.valued(p) {
			filters["cut"+n] = t.cut()
			filters["odd"+n] = t.between(string(rankArray), "gte", string(rankNull), "lt")
		}
	}
	counts, err := g.d.countEach(ctx, g.view, g.where, filters, g.a.Stats)
	if err != nil {
		return err
	}
	g.total = counts[""]
	for i, p := range paths {
		n := strconv.Itoa(i)
		switch {
		case counts["odd"+n] > 0:
			return inexact(p, "holds arrays or objects")
		case counts["cut"+n] > 0:
			return inexact(p, "holds values longer than the keys of the index")
		case counts["more"+n] > 0:
			return inexact(p, "has no column in the index")
		}
		column, _ := columnOf(p)
		g.whole[column] = counts["whole"+n] > 0
		g.exists[column] = counts["exists"+n]
	}
	return nil
}

func inexact(p dataknobs.Path, what string) error {
	return dataknobs.Errorf(dataknobs.Unsupported, "%s %s: %w", p, what, dataknobs.ErrInexact)
}

// onlyCounted reports whether all that is asked about p is how often it is not null.
func (g *aggregation) onlyCounted(p dataknobs.Path) bool {
	return !slices.ContainsFunc(g.a.Columns, func(c dataknobs.Column) bool {
		return c.Agg != dataknobs.CountAll && c.Agg != dataknobs.Count && c.Path.Equal(p)
	})
}

func (g *aggregation) grouped(p dataknobs.Path) bool {
	return slices.ContainsFunc(g.a.GroupBy, p.Equal)
}

// valued reports whether an aggregate looks at the values of p, not only at
// whether there are any.
func (g *aggregation) valued(p dataknobs.Path) bool {
	return slices.ContainsFunc(g.a.Columns, func(c dataknobs.Column) bool {
		return (c.Agg == dataknobs.Min || c.Agg == dataknobs.Max) && c.Path.Equal(p)
	})
}

// counted are the groups so far.
type counted struct {
	list []dataknobs.Group
	at   map[string]int // by the keys' keys
}

// groupKey names a group, from its keys in the index; "" stands for null.
func groupKey(keys []string) string {
	var b []byte
	for _, k := range keys {
		b = append(append(b, k...), 0)
	}
	return string(b)
}

// base makes the groups, with those of their values that are mere counts.
func (g *aggregation) base(ctx context.Context) (*counted, error) {
	c := &counted{at: map[string]int{}}
	if len(g.a.GroupBy) == 0 {
		c.list = []dataknobs.Group{{Values: g.counts(g.total, func(column string) int64 { return g.exists[column] })}}
		c.at[groupKey(nil)] = 0
		return c, nil
	}
	if g.m == nil || g.total == 0 {
		return c, nil
	}
	err := g.composite(ctx, nil, func(b *bucket) error {
		keys := make([]dataknobs.Value, len(b.keys))
		for i, k := range b.keys {
			v, err := shown(k, b.whole[i] == b.count)
			if err != nil {
				return err
			}
			keys[i] = v
		}
		if len(c.list) >= dataknobs.MaxGroups {
			return dataknobs.Errorf(dataknobs.ResourceExhausted, "there are more than %d groups", dataknobs.MaxGroups)
		}
		c.at[groupKey(b.keys)] = len(c.list)
		c.list = append(c.list, dataknobs.Group{Keys: keys, Values: g.counts(b.count, func(column string) int64 { return b.exists[column] })})
		return nil
	})
	return c, err
}

// counts are a group's aggregates before any values were looked at.
func (g *aggregation) counts(records int64, exists func(column string) int64) []dataknobs.Value {
	vs := make([]dataknobs.Value, len(g.a.Columns))
	for i, c := range g.a.Columns {
		switch c.Agg {
		case dataknobs.CountAll:
			vs[i] = dataknobs.Int(records)
		case dataknobs.Count:
			column, _ := columnOf(c.Path)
			vs[i] = dataknobs.Int(exists(column))
		}
	}
	return vs
}

// shown returns the value of a key; a whole number is a float where all of the
// records that have it say so.
func shown(key string, float bool) (dataknobs.Value, error) {
	if key == "" {
		return dataknobs.Null(), nil
	}
	v, ok := valueOfKey(key)
	if !ok {
		return v, dataknobs.Errorf(dataknobs.DataLoss, "the index holds a key that cannot be read: %.40q", key)
	}
	if float && v.Kind() == dataknobs.KindInt {
		return dataknobs.Float(v.Float()), nil
	}
	return v, nil
}

// path computes the aggregates of the values at p. Without groups of its own a
// grouper takes the values of one group after the other.
func (g *aggregation) path(ctx context.Context, p dataknobs.Path, c *counted) error {
	if g.m == nil || g.total == 0 {
		return nil
	}
	var cols []dataknobs.Column
	var slots []int
	for i, col := range g.a.Columns {
		if col.Agg != dataknobs.CountAll && col.Path.Equal(p) {
			cols, slots = append(cols, col), append(slots, i)
		}
	}
	var gr *dataknobs.Grouper
	group := -1
	finish := func() error {
		if gr == nil {
			return nil
		}
		out, err := gr.Groups()
		if err != nil {
			return err
		}
		for k, slot := range slots {
			c.list[group].Values[slot] = out[0].Values[k]
		}
		return nil
	}
	err := g.composite(ctx, p, func(b *bucket) error {
		last := len(b.keys) - 1
		at, ok := c.at[groupKey(b.keys[:last])]
		if !ok {
			return nil // somebody wrote meanwhile
		}
		if at != group {
			if err := finish(); err != nil {
				return err
			}
			group = at
			var err error
			if gr, err = dataknobs.NewGrouper(nil, cols); err != nil {
				return err
			}
		}
		return addTimes(gr, b.keys[last], b.count, b.whole[last])
	})
	if err != nil {
		return err
	}
	return finish()
}

// addTimes adds the value of a key so often, so many of them as floats.
func addTimes(gr *dataknobs.Grouper, key string, n, floats int64) error {
	v, ok := valueOfKey(key)
	if !ok { // an array or object, which counts and is no number
		v = dataknobs.Array()
	}
	for i := range n {
		w := v
		if i < floats && v.Kind() == dataknobs.KindInt {
			w = dataknobs.Float(v.Float())
		}
		if err := gr.Add(func(int) dataknobs.Value { return w }); err != nil {
			return err
		}
	}
	return nil
}
