package drivertest

import (
	"math"
	"math/big"
	"slices"

	"dataknobs.dev/dataknobs"
)

// A modelGroup is one group of records that have equal keys.
type modelGroup struct {
	keys    []dataknobs.Value
	members []*dataknobs.Record
}

// modelGroups answers a grouped query over the records that its condition
// selects.
func modelGroups(q *dataknobs.Query, recs []*dataknobs.Record) ([]*dataknobs.Record, error) {
	groups := groupsOf(q.GroupBy, recs)
	var err error
	value := func(g *modelGroup, p dataknobs.Path, a dataknobs.Agg) dataknobs.Value {
		if a == dataknobs.NoAgg {
			return g.key(q.GroupBy, p)
		}
		v, e := aggregate(a, p, g.members)
		if e != nil && err == nil {
			err = e
		}
		return v
	}
	for _, g := range groups { // an overflow is an error though HAVING would leave its group out
		for _, c := range q.Select {
			value(g, c.Path, c.Agg)
		}
		for _, o := range q.OrderBy {
			value(g, o.Path, o.Agg)
		}
		dataknobs.Conds(q.Having, func(c *dataknobs.Cond) bool { value(g, c.Path, c.Agg); return true })
	}
	groups = slices.DeleteFunc(groups, func(g *modelGroup) bool {
		return evaluate(q.Having, func(c *dataknobs.Cond) dataknobs.Value { return value(g, c.Path, c.Agg) }) != isTrue
	})
	slices.SortStableFunc(groups, func(a, b *modelGroup) int {
		var ka, kb []dataknobs.Value
		for _, o := range q.OrderBy {
			ka, kb = append(ka, value(a, o.Path, o.Agg)), append(kb, value(b, o.Path, o.Agg))
		}
		return orderKeys(q.OrderBy, ka, kb)
	})
	var rows []*dataknobs.Record
	for _, g := range groups {
		row := dataknobs.NewRecord("")
		for _, c := range q.Select {
			row.Set(columnName(c), value(g, c.Path, c.Agg))
		}
		rows = append(rows, row)
	}
	return modelPage(q, rows), err
}

// groupsOf returns the groups in key order; one of all where there is no GROUP BY.
func groupsOf(by []dataknobs.Path, recs []*dataknobs.Record) []*modelGroup {
	var groups []*modelGroup
	if len(by) == 0 {
		groups = append(groups, &modelGroup{})
	}
	for _, r := range recs {
		var keys []dataknobs.Value
		for _, p := range by {
			keys = append(keys, lookup(r, p))
		}
		i, found := slices.BinarySearchFunc(groups, keys, func(g *modelGroup, keys []dataknobs.Value) int {
			return slices.CompareFunc(g.keys, keys, order)
		})
		if !found {
			groups = slices.Insert(groups, i, &modelGroup{keys: keys})
		}
		g := groups[i]
		g.members = append(g.members, r)
		for k, v := range keys {
			if v.Kind() == dataknobs.KindInt { // shown as the int if any member was one
				g.keys[k] = v
			}
		}
	}
	return groups
}

func (g *modelGroup) key(by []dataknobs.Path, p dataknobs.Path) dataknobs.Value {
	for i, b := range by {
		if b.Equal(p) {
			return g.keys[i]
		}
	}
	return dataknobs.Null()
}

func columnName(c dataknobs.Column) string {
	switch {
	case c.As != "":
		return c.As
	case c.Agg == dataknobs.NoAgg:
		return c.Path.String()
	case c.Agg == dataknobs.CountAll:
		return "count(*)"
	}
	return c.Agg.String() + "(" + c.Path.String() + ")"
}

// aggregate computes one aggregate of a group.
func aggregate(a dataknobs.Agg, p dataknobs.Path, recs []*dataknobs.Record) (dataknobs.Value, error) {
	if a == dataknobs.CountAll {
		return dataknobs.Int(int64(len(recs))), nil
	}
	var vs []dataknobs.Value
	for _, r := range recs {
		if v := lookup(r, p); !v.IsNull() {
			vs = append(vs, v)
		}
	}
	switch a {
	case dataknobs.Count:
		return dataknobs.Int(int64(len(vs))), nil
	case dataknobs.Min, dataknobs.Max:
		return extreme(a, vs), nil
	}
	return sum(a, vs)
}

func extreme(a dataknobs.Agg, vs []dataknobs.Value) dataknobs.Value {
	var best dataknobs.Value
	for _, v := range vs {
		c := order(v, best)
		if a == dataknobs.Max {
			c = -c
		}
		if best.IsNull() || c < 0 || c == 0 && v.Kind() == dataknobs.KindInt {
			best = v
		}
	}
	return best
}

// sum is the exact sum or mean of the numbers among vs, rounded once.
func sum(a dataknobs.Agg, vs []dataknobs.Value) (dataknobs.Value, error) {
	total, n, ints := new(big.Rat), int64(0), true
	for _, v := range vs {
		if v.IsNumber() {
			total.Add(total, rational(v))
			ints = ints && v.Kind() == dataknobs.KindInt
			n++
		}
	}
	switch {
	case n == 0:
		return dataknobs.Null(), nil
	case a == dataknobs.Avg:
		f, _ := total.Quo(total, new(big.Rat).SetInt64(n)).Float64()
		return dataknobs.Float(f), nil
	case !ints:
		f, _ := total.Float64()
		if math.IsInf(f, 0) {
			return dataknobs.Null(), dataknobs.Errorf(dataknobs.InvalidArgument, "float overflow in sum")
		}
		return dataknobs.Float(f), nil
	case !total.Num().IsInt64():
		return dataknobs.Null(), dataknobs.Errorf(dataknobs.InvalidArgument, "integer overflow in sum")
	}
	return dataknobs.Int(total.Num().Int64()), nil
}
