package drivertest

import (
	"math"

	"dataknobs.dev/dataknobs"
)

func count() dataknobs.Column { return dataknobs.Column{Agg: dataknobs.CountAll} }

func agg(a dataknobs.Agg, name string) dataknobs.Column {
	return dataknobs.Column{Agg: a, Path: dataknobs.Names(name)}
}

func key(names ...string) dataknobs.Column { return dataknobs.Column{Path: dataknobs.Names(names...)} }

func by(names ...string) []dataknobs.Path {
	var ps []dataknobs.Path
	for _, n := range names {
		ps = append(ps, dataknobs.Names(n))
	}
	return ps
}

// having returns a condition on an aggregate.
func having(a dataknobs.Agg, name string, op dataknobs.Op, args ...any) *dataknobs.Cond {
	c := cond(name, op, args...)
	c.Agg = a
	if a == dataknobs.CountAll {
		c.Path = nil
	}
	return c
}

var groupCases = []testCase{
	{"all", "section 5: aggregates over all records: values of another kind than a number are skipped by sum and avg, nulls by all but count(*)", needIDs, func(s *subject) {
		recs := clashing(220)
		s.fill(recs)
		for _, where := range []dataknobs.Expr{nil, cond("w", dataknobs.Lt, int64(2)), eq("w", "nothing"), cond("v", dataknobs.IsNull)} {
			for _, f := range []string{"v", "w", "none", "_id"} {
				cols := []dataknobs.Column{count(), agg(dataknobs.Count, f), agg(dataknobs.Avg, f), agg(dataknobs.Min, f), agg(dataknobs.Max, f)}
				s.wantModel(&dataknobs.Query{Select: cols, Where: where}, recs)
				s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{agg(dataknobs.Sum, f)}, Where: where}, recs)
			}
		}
	}},
	{"groups", "section 5: groups by any paths; a group's key may be null; 1 and 1.0 are one group; groups come in key order", needIDs, func(s *subject) {
		recs := clashing(220)
		s.fill(recs)
		for _, keys := range [][]string{{"v"}, {"w"}, {"w", "v"}, {"none"}, {"o"}} {
			q := &dataknobs.Query{GroupBy: by(keys...)}
			for _, k := range keys {
				q.Select = append(q.Select, key(k))
			}
			q.Select = append(q.Select, count(), agg(dataknobs.Sum, "w"), agg(dataknobs.Max, "v"))
			s.wantModel(q, recs)
			q.Where = cond("v", dataknobs.IsNotNull)
			s.wantModel(q, recs)
		}
		s.wantModel(&dataknobs.Query{GroupBy: []dataknobs.Path{dataknobs.Names("o", "p")}, Select: []dataknobs.Column{key("o", "p"), count()}}, recs)
		s.wantModel(&dataknobs.Query{GroupBy: by("w"), Select: []dataknobs.Column{count()}}, recs)
	}},
	{"having and order", "section 5: HAVING selects groups; groups can be ordered by keys and aggregates, and paged", needIDs, func(s *subject) {
		recs := clashing(220)
		s.fill(recs)
		base := dataknobs.Query{GroupBy: by("v"), Select: []dataknobs.Column{key("v"), count(), agg(dataknobs.Avg, "w")}}
		for _, h := range []dataknobs.Expr{nil, having(dataknobs.CountAll, "", dataknobs.Gt, int64(8)), having(dataknobs.Avg, "w", dataknobs.Between, 1.0, 2.1), cond("v", dataknobs.IsNull),
			dataknobs.Not{Expr: having(dataknobs.Max, "w", dataknobs.Eq, 4.0)}, dataknobs.Or{having(dataknobs.Sum, "w", dataknobs.Lt, int64(3)), cond("v", dataknobs.Ge, "a")}} {
			for _, os := range [][]dataknobs.Order{nil, orderBy("v"), orderBy("-v"), {{Agg: dataknobs.CountAll, Desc: true}}, {{Agg: dataknobs.Avg, Path: dataknobs.Names("w")}, {Path: dataknobs.Names("v"), Desc: true}}} {
				q := base
				q.Having, q.OrderBy = h, os
				s.wantModel(&q, recs)
				q.Limit, q.Offset = new(3), 2
				s.wantModel(&q, recs)
				q.Limit, q.Offset = new(0), 0
				s.wantModel(&q, recs)
			}
		}
	}},
	{"names", "an aggregate's row names its columns as asked: the alias, or the text", needIDs, func(s *subject) {
		recs := clashing(20)
		s.fill(recs)
		s.wantModel(&dataknobs.Query{GroupBy: by("w"), Select: []dataknobs.Column{
			{Agg: dataknobs.CountAll, As: "how many"}, {Path: dataknobs.Names("w"), As: "k"}, {Agg: dataknobs.Sum, Path: dataknobs.Names("unit price")}, agg(dataknobs.Count, "v"), count(),
		}}, recs)
	}},
	{"exact sums", "section 5: int sums are exact, and overflow is an error", needIDs, func(s *subject) {
		recs := []*dataknobs.Record{rec("a", "n", int64(math.MaxInt64), "m", int64(math.MinInt64)), rec("b", "n", int64(-5), "m", int64(-1)), rec("c", "n", int64(5), "m", int64(math.MaxInt64))}
		s.fill(recs)
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{agg(dataknobs.Sum, "n"), agg(dataknobs.Avg, "n")}}, recs)
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{agg(dataknobs.Sum, "m")}}, recs)
		over := rec("d", "n", int64(1), "f", 0.5)
		s.create(over)
		recs = append(recs, over)
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{agg(dataknobs.Sum, "n")}}, recs)
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{agg(dataknobs.Avg, "n"), agg(dataknobs.Max, "n")}}, recs)
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{agg(dataknobs.Sum, "n")}, Where: cond("n", dataknobs.Lt, int64(100))}, recs)
	}},
	{"ints and floats", "a sum of ints and floats is a float, computed so that the order of the records does not matter", needIDs, func(s *subject) {
		recs := []*dataknobs.Record{rec("a", "n", 1e16), rec("b", "n", 1.0), rec("c", "n", -1e16), rec("d", "n", int64(1<<53+1)), rec("e", "n", 0.5), rec("f", "n", "7"), rec("g", "n", true)}
		s.fill(recs)
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{agg(dataknobs.Sum, "n"), agg(dataknobs.Avg, "n"), agg(dataknobs.Count, "n"), agg(dataknobs.Min, "n"), agg(dataknobs.Max, "n")}}, recs)
	}},
	{"many groups", "there may be many groups", needIDs, func(s *subject) {
		var recs []*dataknobs.Record
		for i := range 3000 {
			recs = append(recs, rec(formatID(i), "k", int64(i/2), "n", int64(i)))
		}
		s.fill(recs)
		s.wantModel(&dataknobs.Query{GroupBy: by("k"), Select: []dataknobs.Column{key("k"), agg(dataknobs.Sum, "n"), count()}}, recs)
	}},
}
