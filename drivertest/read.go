package drivertest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

// clashing returns n records whose fields clash in kind: v is of every kind by
// turns, null and absent too; w is mostly a small int; o is nested. Their IDs
// are not in order.
func clashing(n int) []*dataknobs.Record {
	kinds := []any{
		int64(3), 2.5, "text", true, nil, time.Unix(1e9, 0), []byte("bytes"), []any{int64(1), "a", nil}, map[string]any{"k": int64(1)},
		int64(1 << 53), float64(1 << 53), int64(1<<53 + 1), "3", "", false, 3.0, int64(-7), "Text", []any{}, map[string]any{},
	}
	recs := make([]*dataknobs.Record, n)
	for i := range recs {
		r := rec(fmt.Sprintf("%04d", (i*7919+13)%10000), "w", int64(i%5), "o", map[string]any{"p": int64(i % 3), "q": fmt.Sprint("q", i%4)})
		switch i % 11 {
		case 0: // v is absent
		case 5:
			r.Set("v", dataknobs.Int(int64(i)))
			r.Fields.Delete("w")
		case 7:
			r.Fields.Set("w", dataknobs.Null())
			r.Fields.Set("o", dataknobs.String("not an object"))
		default:
			r.Set("v", dataknobs.F("", kinds[i%len(kinds)]).Value)
		}
		recs[i] = r
	}
	return recs
}

// wantModel compares q's answer with the model's over recs, which were created
// in that order.
func (s *subject) wantModel(q *dataknobs.Query, recs []*dataknobs.Record) {
	s.Helper()
	want, wantErr := modelRun(q, recs, s.idOrder(q))
	got, err := s.db.All(s.ctx, q)
	if diff := s.difference(q, got, err, want, wantErr); diff != "" {
		s.Errorf("query %s:\n%s", q, diff)
	}
}

// idOrder says whether q runs in _id order for want of another.
func (s *subject) idOrder(q *dataknobs.Query) bool {
	return len(q.OrderBy) == 0 && !(s.f().NaturalOrder && (q.Limit != nil || q.Offset > 0 || q.After != ""))
}

// difference says how an answer to q differs from the wanted one; "" if it
// does not.
func (s *subject) difference(q *dataknobs.Query, got []*dataknobs.Record, err error, want []*dataknobs.Record, wantErr error) string {
	if dataknobs.CodeOf(err) != dataknobs.CodeOf(wantErr) {
		return fmt.Sprintf(" got    %s\n wanted %s", outcome(err), outcome(wantErr))
	}
	if err != nil {
		return ""
	}
	if len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == 0 && !q.Grouped() {
		got, want = byID(got), byID(want)
	}
	if !slices.EqualFunc(got, want, func(g, w *dataknobs.Record) bool { return s.sameRow(q, g, w) }) {
		return fmt.Sprintf(" got    %s\n wanted %s", showAll(got), showAll(want))
	}
	return ""
}

// sameRow compares one row of an answer: of an aggregate, floats only as
// closely as sums can be told.
func (s *subject) sameRow(q *dataknobs.Query, got, want *dataknobs.Record) bool {
	switch {
	case q.Grouped():
		return got.ID == "" && len(got.Fields) == len(want.Fields) && slices.EqualFunc(got.Fields, want.Fields, sameCell)
	case q.Select != nil:
		if len(s.h.columns) > 0 {
			got, want = s.h.dropSelectedNulls(q, got), s.h.dropSelectedNulls(q, want)
		}
		if s.h.NullIsAbsent { // then what is left around a null may be missing too
			return got.ID == want.ID && dropEmpty(got.Fields).Identical(dropEmpty(want.Fields))
		}
	}
	return s.same(got, want)
}

func sameCell(a, b dataknobs.Field) bool {
	if a.Name != b.Name || a.Value.Kind() != b.Value.Kind() {
		return false
	}
	x, y := a.Value.Float(), b.Value.Float()
	if a.Value.Kind() == dataknobs.KindFloat && x != y {
		return max(x-y, y-x) <= 1e-12*max(x, -x, y, -y)
	}
	return a.Value.Equal(b.Value)
}

func showAll(rs []*dataknobs.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:", len(rs))
	for i, r := range rs {
		if i == 30 {
			fmt.Fprintf(&b, "\n   … and %d more", len(rs)-i)
			break
		}
		b.WriteString("\n   " + show(r))
	}
	return b.String()
}

func orderBy(names ...string) []dataknobs.Order {
	var os []dataknobs.Order
	for _, n := range names {
		name, desc := strings.CutPrefix(n, "-")
		name, first := strings.CutPrefix(name, "^")
		o := dataknobs.Order{Path: dataknobs.Names(strings.Split(name, ".")...), Desc: desc}
		if first {
			o.Nulls = dataknobs.NullsFirst
		}
		os = append(os, o)
	}
	return os
}

var readCases = []testCase{
	{"get many", "GetMany returns records by index: duplicates each time, null where there is none", needIDs, func(s *subject) {
		s.create(rec("a", "n", int64(1)), rec("b", "n", int64(2)))
		got, err := s.db.GetMany(s.ctx, []string{"b", "none", "a", "b"})
		s.must(err, "GetMany")
		if len(got) != 4 || got[1] != nil {
			s.Fatalf("GetMany: got %s, wanted 4 results, the second nil", showAll(got))
		}
		s.wantRecord(got[0], rec("b", "n", int64(2)), "index 0")
		s.wantRecord(got[2], rec("a", "n", int64(1)), "index 2")
		s.wantRecord(got[3], rec("b", "n", int64(2)), "index 3")
		if got, err := s.db.GetMany(s.ctx, nil); len(got) != 0 || err != nil {
			s.Errorf("GetMany of nothing: %d records, error %v", len(got), err)
		}
	}},
	{"get many of many", "GetMany takes thousands of IDs", needIDs, func(s *subject) {
		n := 3000
		if s.brief() {
			n = 1200
		}
		var recs []*dataknobs.Record
		var ids []string
		for i := range n {
			recs = append(recs, rec(fmt.Sprintf("%05d", i), "n", int64(i)))
			ids = append(ids, fmt.Sprintf("%05d", n-1-i), fmt.Sprintf("none%d", i))
		}
		s.fill(recs)
		got, err := s.db.GetMany(s.ctx, ids)
		s.must(err, "GetMany of %d IDs", len(ids))
		for i, r := range got {
			if (r == nil) != (i%2 == 1) || r != nil && (r.ID != ids[i] || r.Get("n").Int() != int64(n-1-i/2)) {
				s.Fatalf("index %d, ID %q: got %s", i, ids[i], show(r))
			}
		}
	}},
	{"count", "Count counts what the condition selects, whatever limit a query would have", needIDs, func(s *subject) {
		recs := clashing(100)
		s.fill(recs)
		for _, e := range []dataknobs.Expr{nil, cond("v", dataknobs.IsNull), cond("w", dataknobs.Gt, int64(2)), cond("v", dataknobs.Ne, int64(3)), dataknobs.Or{}, dataknobs.And{}} {
			want := int64(0)
			for _, r := range recs {
				if matches(e, r) {
					want++
				}
			}
			got, err := s.db.Count(s.ctx, e)
			s.must(err, "Count")
			if got != want {
				s.Errorf("Count where %v: got %d, wanted %d", &dataknobs.Query{Where: e}, got, want)
			}
		}
	}},
	{"limit 0", "trap 27: limit 0 is a limit", needIDs, func(s *subject) {
		s.fill(clashing(20))
		for _, q := range []*dataknobs.Query{{Limit: new(0)}, {Limit: new(0), OrderBy: orderBy("w")}, {Limit: new(0), Offset: 3}, {Limit: new(0), Where: eq("w", int64(1))}} {
			s.wantIDs(q)
		}
	}},
	{"first", "First returns the first record of the order, or NotFound", needIDs, func(s *subject) {
		s.fill(clashing(20))
		r, err := s.db.First(s.ctx, &dataknobs.Query{OrderBy: orderBy("-_id")})
		s.must(err, "First")
		all := s.ids(&dataknobs.Query{OrderBy: orderBy("-_id")})
		if r.ID != all[0] {
			s.Errorf("First: got %q, wanted %q", r.ID, all[0])
		}
		_, err = s.db.First(s.ctx, &dataknobs.Query{Where: eq("w", "none")})
		s.wantCode(err, dataknobs.NotFound, "First of nothing")
	}},
	{"orders", "section 5: any number of paths, ASC or DESC; nulls last unless NULLS FIRST; between kinds the order of kinds; ties by _id ascending", needIDs, func(s *subject) {
		recs := clashing(220)
		s.fill(recs)
		for _, keys := range [][]string{
			{"v"}, {"-v"}, {"^v"}, {"-^v"}, {"w"}, {"-w"}, {"w", "v"}, {"-w", "v"}, {"w", "-v"}, {"^w", "-^v"}, {"o.p", "-o.q", "v"}, {"o"}, {"-o"}, {"none"}, {"-none", "w"}, {"_id"}, {"-_id"}, {"w", "-_id"}, {"w", "w", "-w"},
		} {
			q := &dataknobs.Query{OrderBy: orderBy(keys...)}
			s.wantModel(q, recs)
			s.wantModel(&dataknobs.Query{OrderBy: q.OrderBy, Limit: new(9)}, recs)
			s.wantModel(&dataknobs.Query{OrderBy: q.OrderBy, Limit: new(9), Offset: 30, Where: cond("v", dataknobs.IsNotNull)}, recs)
		}
	}},
	{"limit and offset", "section 5 and trap 28: limit and offset, together and alone, beyond the end too", needIDs, func(s *subject) {
		recs := clashing(50)
		s.fill(recs)
		for _, os := range [][]dataknobs.Order{nil, orderBy("w"), orderBy("-v")} {
			for _, where := range []dataknobs.Expr{nil, cond("w", dataknobs.Lt, int64(3))} {
				for _, limit := range []int{-1, 1, 7, 50, 1000} {
					for _, offset := range []int{0, 1, 49, 50, 1000} {
						q := &dataknobs.Query{Where: where, OrderBy: os, Offset: offset}
						if limit >= 0 {
							q.Limit = new(limit)
						}
						s.wantModel(q, recs)
					}
				}
			}
		}
	}},
	{"huge limit and offset", "trap 72: a limit and an offset may be as large as can be", needIDs, func(s *subject) {
		recs := clashing(20)
		s.fill(recs)
		for _, os := range [][]dataknobs.Order{nil, orderBy("v")} {
			s.wantModel(&dataknobs.Query{OrderBy: os, Limit: new(math.MaxInt)}, recs)
			s.wantModel(&dataknobs.Query{OrderBy: os, Limit: new(math.MaxInt), Offset: 3}, recs)
			s.wantModel(&dataknobs.Query{OrderBy: os, Limit: new(math.MaxInt), Offset: math.MaxInt}, recs)
			s.wantModel(&dataknobs.Query{OrderBy: os, Where: cond("w", dataknobs.Lt, int64(3)), Limit: new(7), Offset: math.MaxInt - 3}, recs)
		}
	}},
	{"negative limit and offset", "a limit or an offset below 0 is InvalidArgument", 0, func(s *subject) {
		_, err := s.db.All(s.ctx, &dataknobs.Query{Limit: new(-1)})
		s.wantCode(err, dataknobs.InvalidArgument, "limit -1")
		_, err = s.db.All(s.ctx, &dataknobs.Query{Offset: -1})
		s.wantCode(err, dataknobs.InvalidArgument, "offset -1")
	}},
	{"refused queries", "what cannot be right is InvalidArgument on every store, though it holds nothing", 0, func(s *subject) {
		for name, q := range badQueries() {
			for _, err := range s.db.Run(s.ctx, q) {
				s.wantCode(err, dataknobs.InvalidArgument, "%s", name)
			}
			_, err := s.db.All(s.ctx, q)
			s.wantCode(err, dataknobs.InvalidArgument, "%s", name)
		}
		_, err := s.db.Count(s.ctx, eq("a", nil))
		s.wantCode(err, dataknobs.InvalidArgument, "Count where a = null")
		_, err = s.db.DeleteWhere(s.ctx, cond("a", dataknobs.Matches, "("))
		s.wantCode(err, dataknobs.InvalidArgument, "DeleteWhere with a bad pattern")
	}},
	{"natural order", "section 5: an unordered paged query runs in insertion order: a replaced record keeps its place, one that is deleted and created again goes to the end", needIDs | needNatural, func(s *subject) {
		s.create(rec("c"), rec("a"), rec("d"), rec("b"))
		q := &dataknobs.Query{Limit: new(100)}
		s.wantIDs(q, "c", "a", "d", "b")
		_, err := s.db.Put(s.ctx, rec("a", "n", int64(1)))
		s.must(err, "Put")
		_, err = s.db.Patch(s.ctx, "c", []dataknobs.Change{change("n", int64(2))})
		s.must(err, "Patch")
		s.wantIDs(q, "c", "a", "d", "b")
		s.must(s.db.Delete(s.ctx, "c"), "Delete")
		s.wantIDs(q, "a", "d", "b")
		s.create(rec("c"), rec("0"))
		s.wantIDs(q, "a", "d", "b", "c", "0")
		if s.h.Reopen != nil {
			s.reopen()
			s.wantIDs(q, "a", "d", "b", "c", "0")
			s.create(rec("00"))
			s.wantIDs(q, "a", "d", "b", "c", "0", "00")
		}
	}},
	{"projection", "section 5: SELECT returns only the paths, nesting kept; ID and revision besides", needIDs, func(s *subject) {
		recs := clashing(60)
		s.fill(recs)
		for _, cols := range [][]dataknobs.Column{
			{{Path: dataknobs.Names("v")}}, {{Path: dataknobs.Names("o", "p")}}, {{Path: dataknobs.Names("o", "p")}, {Path: dataknobs.Names("o", "q")}, {Path: dataknobs.Names("w")}},
			{{Path: dataknobs.Names("none")}}, {{Path: dataknobs.Names("o", "p"), As: "p"}}, {{Path: dataknobs.Names("o")}, {Path: dataknobs.Names("v"), As: "x y"}}, {{Path: dataknobs.Names("v").At(1), As: "second"}},
		} {
			s.wantModel(&dataknobs.Query{Select: cols}, recs)
			s.wantModel(&dataknobs.Query{Select: cols, OrderBy: orderBy("-v", "w"), Limit: new(20)}, recs)
			s.wantModel(&dataknobs.Query{Select: cols, Where: cond("v", dataknobs.Gt, int64(0))}, recs)
		}
		revs := map[string]string{}
		for _, r := range s.query(&dataknobs.Query{}) {
			revs[r.ID] = r.Revision
		}
		for _, r := range s.query(&dataknobs.Query{Select: []dataknobs.Column{{Path: dataknobs.Names("w")}}}) {
			if r.Revision != revs[r.ID] {
				s.Errorf("projection of %q has revision %q, the record %q", r.ID, r.Revision, revs[r.ID])
			}
		}
	}},
	{"one bad record spoils nothing", "trap 40: a value of an unexpected kind makes no query fail: it is merely not selected", needIDs, func(s *subject) {
		recs := valueRecords()
		s.fill(recs)
		for _, op := range []dataknobs.Op{dataknobs.Like, dataknobs.NotLike, dataknobs.ILike, dataknobs.NotILike, dataknobs.StartsWith, dataknobs.NotStartsWith, dataknobs.Matches, dataknobs.NotMatches} {
			for _, pattern := range []string{"", "1", "%1%", "tru_", "^[0-9]+$", "2026%"} {
				s.wantModel(&dataknobs.Query{Where: cond("v", op, pattern)}, recs)
			}
		}
		for _, p := range []dataknobs.Path{dataknobs.Names("v", "a"), dataknobs.Names("v", "a", "b"), dataknobs.Names("v").At(0), dataknobs.Names("v").At(1).At(0), dataknobs.Names("v", "0"), dataknobs.Names("v").At(0).Child("a")} {
			for _, c := range []*dataknobs.Cond{{Path: p, Op: dataknobs.IsNull}, {Path: p, Op: dataknobs.Ge, Args: []dataknobs.Value{dataknobs.Int(1)}}, {Path: p, Op: dataknobs.Ne, Args: []dataknobs.Value{dataknobs.String("x")}}} {
				s.wantModel(&dataknobs.Query{Where: c}, recs)
			}
			s.wantModel(&dataknobs.Query{OrderBy: []dataknobs.Order{{Path: p}}, Limit: new(10)}, recs)
			s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{{Agg: dataknobs.Sum, Path: p}, {Agg: dataknobs.Min, Path: p}}}, recs)
		}
	}},
	{"errors keep secrets", "trap 75: an error about a record says its ID and the field's name, never what is stored", needIDs, func(s *subject) {
		s.create(rec("x", "password", "hunter2"))
		for what, err := range map[string]error{
			"Create over it":            second(s.db.Create(s.ctx, rec("x", "password", "hunter2"))),
			"Put with a stale revision": second(s.db.Put(s.ctx, rec("x", "password", "hunter2"), dataknobs.IfRevision("stale"))),
			"CreateMany over it":        second(s.db.CreateMany(s.ctx, []*dataknobs.Record{rec("y", "password", "hunter2"), rec("x", "password", "hunter2")})),
			"Load over it":              second(s.db.Load(s.ctx, stream([]*dataknobs.Record{rec("x", "password", "hunter2")}, nil), nil)),
		} {
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				s.Errorf("%s: got %s, wanted an error that does not show the value", what, outcome(err))
			}
		}
	}},
	{"text", "db.Query reads the query language, with parameters", needIDs, func(s *subject) {
		s.fill(clashing(60))
		var got []string
		for r, err := range s.db.Query(s.ctx, "w >= ? and v is not null order by w desc, v limit :n", 2, dataknobs.Named("n", 7)) {
			s.must(err, "Query")
			got = append(got, r.ID)
		}
		want := s.ids(&dataknobs.Query{Where: dataknobs.And{cond("w", dataknobs.Ge, int64(2)), cond("v", dataknobs.IsNotNull)}, OrderBy: orderBy("-w", "v"), Limit: new(7)})
		if !slices.Equal(got, want) || len(want) != 7 {
			s.Errorf("got %q, wanted %q", got, want)
		}
		for _, err := range s.db.Query(s.ctx, "w >") {
			s.wantCode(err, dataknobs.InvalidArgument, "half a query")
		}
	}},
	{"schema", "Schema names every field with every kind that it has", needIDs, func(s *subject) {
		s.create(rec("a", "i", int64(1), "m", "x"), rec("b", "i", int64(2), "m", 1.5), rec("c", "o", map[string]any{"p": true}))
		sc, err := s.db.Schema(s.ctx)
		s.must(err, "Schema")
		kinds := map[string]string{}
		for _, f := range sc.Fields {
			kinds[f.Path.String()] = f.Kinds.String()
		}
		for path, want := range map[string]string{"i": "int", "m": "float|string", "o": "object", "o.p": "bool"} {
			if kinds[path] != want {
				s.Errorf("field %s: got kinds %q, wanted %q; all: %v", path, kinds[path], want, kinds)
			}
		}
		if sc.Records != 3 && sc.Records != -1 {
			s.Errorf("Schema counts %d records, wanted 3", sc.Records)
		}
	}},
	{"empty store", "an empty store answers every question with nothing, and aggregates of nothing", 0, func(s *subject) {
		s.wantIDs(&dataknobs.Query{})
		s.wantIDs(&dataknobs.Query{Where: eq("a", 1), OrderBy: orderBy("a"), Limit: new(3), Offset: 1})
		n, err := s.db.Count(s.ctx, nil)
		if n != 0 || err != nil {
			s.Errorf("Count: %d, %v", n, err)
		}
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{{Agg: dataknobs.CountAll}, {Agg: dataknobs.Sum, Path: dataknobs.Names("a")}, {Agg: dataknobs.Max, Path: dataknobs.Names("a")}}}, nil)
		s.wantModel(&dataknobs.Query{GroupBy: []dataknobs.Path{dataknobs.Names("a")}, Select: []dataknobs.Column{{Agg: dataknobs.CountAll}}}, nil)
		_, err = s.db.Schema(s.ctx)
		s.must(err, "Schema of an empty store")
	}},
	{"explain", "Explain describes every query without changing its answer", needIDs, func(s *subject) {
		s.fill(clashing(30))
		for _, q := range []*dataknobs.Query{{}, {Where: cond("v", dataknobs.Gt, int64(1)), OrderBy: orderBy("w"), Limit: new(3)}, {GroupBy: []dataknobs.Path{dataknobs.Names("w")}, Select: []dataknobs.Column{{Agg: dataknobs.CountAll}}}} {
			for _, analyze := range []bool{false, true} {
				p, err := s.db.Explain(s.ctx, q, dataknobs.ExplainOptions{Analyze: analyze})
				s.must(err, "Explain of %s", q)
				if p.String() == "" {
					s.Errorf("Explain of %s is empty", q)
				}
			}
		}
	}},
}

func badQueries() map[string]*dataknobs.Query {
	str := dataknobs.String("x")
	return map[string]*dataknobs.Query{
		"= null":                            {Where: eq("a", nil)},
		"IN with null":                      {Where: cond("a", dataknobs.In, int64(1), nil)},
		"no operator":                       {Where: &dataknobs.Cond{Path: dataknobs.Names("a")}},
		"unknown operator":                  {Where: &dataknobs.Cond{Path: dataknobs.Names("a"), Op: 99, Args: []dataknobs.Value{str}}},
		"= without a value":                 {Where: cond("a", dataknobs.Eq)},
		"= with two values":                 {Where: cond("a", dataknobs.Eq, "x", "y")},
		"BETWEEN one":                       {Where: cond("a", dataknobs.Between, int64(1))},
		"IS NULL with a value":              {Where: cond("a", dataknobs.IsNull, "x")},
		"LIKE a number":                     {Where: cond("a", dataknobs.Like, int64(1))},
		"MATCHES (":                         {Where: cond("a", dataknobs.Matches, "(")},
		"STARTS WITH a bool":                {Where: cond("a", dataknobs.StartsWith, true)},
		"no path":                           {Where: &dataknobs.Cond{Op: dataknobs.Eq, Args: []dataknobs.Value{str}}},
		"path from an index":                {Where: &dataknobs.Cond{Path: dataknobs.Path{{Index: 1}}, Op: dataknobs.Eq, Args: []dataknobs.Value{str}}},
		"aggregate in WHERE":                {Where: &dataknobs.Cond{Path: dataknobs.Names("a"), Agg: dataknobs.Sum, Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.Int(1)}}},
		"HAVING without groups":             {Having: eq("a", int64(1))},
		"order by nothing":                  {OrderBy: []dataknobs.Order{{}}},
		"order by aggregate without groups": {OrderBy: []dataknobs.Order{{Agg: dataknobs.CountAll}}},
		"path beside an aggregate":          {Select: []dataknobs.Column{{Path: dataknobs.Names("a")}, {Agg: dataknobs.CountAll}}},
		"path that is no group key":         {GroupBy: []dataknobs.Path{dataknobs.Names("b")}, Select: []dataknobs.Column{{Path: dataknobs.Names("a")}, {Agg: dataknobs.CountAll}}},
		"sum of nothing":                    {Select: []dataknobs.Column{{Agg: dataknobs.Sum}}},
		"bad token":                         {After: "no token", OrderBy: orderBy("a")},
	}
}
