package drivertest

import (
	"fmt"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

const sameAnswer = "section 4: every operator means the same on every store, whatever the kinds of its constant and of the values"

// valueRecords are one record for each value of the table, under the field v.
func valueRecords() []*dataknobs.Record {
	var recs []*dataknobs.Record
	for i, nv := range plainValues() {
		recs = append(recs, dataknobs.NewRecord(formatID(i), dataknobs.Field{Name: "v", Value: nv.v}))
	}
	return recs
}

// every returns each of the records, fewer where the suite is to be brief.
func (s *subject) every(recs []*dataknobs.Record) []*dataknobs.Record {
	if !s.brief() {
		return recs
	}
	var some []*dataknobs.Record
	for i := 0; i < len(recs); i += 5 {
		some = append(some, recs[i])
	}
	return some
}

var conditionCases = []testCase{
	{"every value against every value", sameAnswer, needIDs, func(s *subject) {
		recs := valueRecords()
		s.fill(recs)
		for _, r := range s.every(recs) {
			v := r.Get("v")
			if v.IsNull() {
				continue
			}
			for _, op := range []dataknobs.Op{dataknobs.Eq, dataknobs.Ne, dataknobs.Lt, dataknobs.Ge, dataknobs.Le, dataknobs.Gt, dataknobs.In, dataknobs.NotIn, dataknobs.Contains} {
				s.wantModel(&dataknobs.Query{Where: &dataknobs.Cond{Path: dataknobs.Names("v"), Op: op, Args: []dataknobs.Value{v}}}, recs)
			}
		}
	}},
	{"every value inside an array", sameAnswer + ", in CONTAINS too", needIDs, func(s *subject) {
		var recs []*dataknobs.Record
		for _, r := range valueRecords() {
			inside := dataknobs.NewRecord(r.ID, dataknobs.Field{Name: "v", Value: dataknobs.Array(dataknobs.String("other"), r.Get("v"))})
			if inside.Check() == nil { // not the value that is as deep as can be
				recs = append(recs, inside)
			}
		}
		s.fill(recs)
		for _, r := range s.every(recs) {
			if v := r.Get("v").Index(1); !v.IsNull() {
				s.wantModel(&dataknobs.Query{Where: &dataknobs.Cond{Path: dataknobs.Names("v"), Op: dataknobs.Contains, Args: []dataknobs.Value{v}}}, recs)
				s.wantModel(&dataknobs.Query{Where: &dataknobs.Cond{Path: dataknobs.Names("v"), Op: dataknobs.NotContains, Args: []dataknobs.Value{v}}}, recs)
				s.wantModel(&dataknobs.Query{Where: &dataknobs.Cond{Path: dataknobs.Names("v").At(1), Op: dataknobs.Eq, Args: []dataknobs.Value{v}}}, recs)
			}
		}
	}},
	{"hostile texts", "section 4: text is compared code point by code point, and means nothing but itself", needIDs, func(s *subject) {
		var recs []*dataknobs.Record
		for i, text := range hostileTexts {
			recs = append(recs, rec(formatID(i), "s", text))
		}
		s.fill(recs)
		for _, r := range s.every(recs) {
			text := r.Get("s").Str()
			prefix := string([]rune(text)[:min(len([]rune(text)), 3)])
			escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
			for _, c := range []*dataknobs.Cond{
				cond("s", dataknobs.Eq, text), cond("s", dataknobs.StartsWith, prefix), cond("s", dataknobs.Like, escaped), cond("s", dataknobs.NotLike, escaped),
				cond("s", dataknobs.ILike, escaped), cond("s", dataknobs.Gt, text), cond("s", dataknobs.Between, text, text+"~"), cond("s", dataknobs.In, text, "no such text"),
			} {
				s.wantModel(&dataknobs.Query{Where: c}, recs)
			}
		}
		s.wantModel(&dataknobs.Query{OrderBy: orderBy("s")}, recs)
		s.wantModel(&dataknobs.Query{OrderBy: orderBy("-s"), Limit: new(20), Offset: 10}, recs)
		s.wantModel(&dataknobs.Query{GroupBy: by("s"), Select: []dataknobs.Column{key("s"), count()}}, recs)
	}},
	{"long texts", "texts of any length are compared whole, and sorted so", needIDs, func(s *subject) {
		long := strings.Repeat("x", 40_000)
		recs := []*dataknobs.Record{rec("a", "s", long+"a"), rec("b", "s", long+"b"), rec("c", "s", long), rec("d", "s", "x")}
		s.fill(recs)
		for _, c := range []*dataknobs.Cond{
			cond("s", dataknobs.Eq, long+"b"), cond("s", dataknobs.Ne, long), cond("s", dataknobs.Gt, long), cond("s", dataknobs.Le, long+"a"), cond("s", dataknobs.Like, "x%b"),
			cond("s", dataknobs.StartsWith, long), cond("s", dataknobs.In, long+"a", long), cond("s", dataknobs.Matches, "xa$"),
		} {
			s.wantModel(&dataknobs.Query{Where: c}, recs)
		}
		s.wantModel(&dataknobs.Query{OrderBy: orderBy("-s")}, recs)
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{agg(dataknobs.Max, "s"), agg(dataknobs.Count, "s")}}, recs)
	}},
	{"long lists", "a list may hold thousands of values", needIDs, func(s *subject) {
		recs := numbered(300)
		s.fill(recs)
		in := &dataknobs.Cond{Path: dataknobs.Names("n"), Op: dataknobs.In}
		for i := range 2000 {
			in.Args = append(in.Args, dataknobs.Int(int64(i*7)))
		}
		s.wantModel(&dataknobs.Query{Where: in}, recs)
		s.wantModel(&dataknobs.Query{Where: dataknobs.Not{Expr: in}}, recs)
		ids := cond("_id", dataknobs.In)
		for i := range 2000 {
			ids.Args = append(ids.Args, dataknobs.String(formatID(i*2)))
		}
		s.wantModel(&dataknobs.Query{Where: ids, OrderBy: orderBy("-n")}, recs)
	}},
	{"wide and deep conditions", "a condition may have hundreds of parts and levels", needIDs, func(s *subject) {
		recs := numbered(100)
		s.fill(recs)
		wide := dataknobs.Or{}
		var deep dataknobs.Expr = eq("n", int64(-1))
		for i := range 300 {
			wide = append(wide, dataknobs.And{eq("n", int64(i*3)), cond("s", dataknobs.IsNotNull)})
			if i%2 == 0 {
				deep = dataknobs.Or{dataknobs.Not{Expr: deep}, eq("n", int64(i))}
			} else {
				deep = dataknobs.And{deep, cond("n", dataknobs.Ne, int64(i))}
			}
		}
		s.wantModel(&dataknobs.Query{Where: wide}, recs)
		s.wantModel(&dataknobs.Query{Where: deep}, recs)
		s.wantModel(&dataknobs.Query{Where: dataknobs.Not{Expr: wide}, OrderBy: orderBy("n", "s", "-n", "o", "-s", "_id", "x", "y", "z", "-a"), Limit: new(30)}, recs)
	}},
	{"many field names", "records may have thousands of different fields between them", needIDs, func(s *subject) {
		var recs []*dataknobs.Record
		for i := range 1200 {
			recs = append(recs, rec(formatID(i), fmt.Sprint("field", i), int64(i), "n", int64(i)))
		}
		s.fill(recs)
		s.wantAll(recs)
		for _, i := range []int{0, 600, 1199} {
			s.wantModel(&dataknobs.Query{Where: eq(fmt.Sprint("field", i), int64(i))}, recs)
		}
	}},
	{"text beside times", "section 4: a string literal beside a field that holds nothing but times is read as one, on stores that know their kinds", needIDs | needTyped, func(s *subject) {
		at := func(text string) dataknobs.Value { v, _ := dataknobs.ParseTime(text); return v }
		s.create(
			rec("a", "t", at("2026-01-02"), "m", at("2026-01-02")), rec("b", "t", at("2026-01-02T03:04:05Z"), "m", "2026-01-02"),
			rec("c", "t", at("2026-01-03"), "m", int64(1)), rec("d", "t", nil), rec("e"),
		)
		s.wantText("t = '2026-01-02'", "a")
		s.wantText("t >= '2026-01-02T03:04:05Z'", "b", "c")
		s.wantText("t > '2026-01-02T05:04:05+02:00'", "c")
		s.wantText("t in ('2026-01-02', '2026-01-03T00:00:00Z')", "a", "c")
		s.wantText("not (t between '2026-01-02' and '2026-01-02T23:59:59Z')", "c")
		s.wantText("t != '2026-01-02'", "b", "c")
		s.wantText("t = 'yesterday'")
		s.wantText("m = '2026-01-02'", "b")
		s.wantText("m >= '2026-01-02'", "b")
		s.create(rec("f", "t", "2026-01-02"))
		s.wantText("t = '2026-01-02'", "f")
	}},
	{"partition", "a condition, its negation and a null at its path are everything, each once (of operators that are unknown of nothing else)", needIDs, func(s *subject) {
		recs := clashing(120)
		s.fill(recs)
		for _, c := range []*dataknobs.Cond{cond("v", dataknobs.Eq, int64(3)), cond("v", dataknobs.Eq, "text"), cond("v", dataknobs.In, int64(3), "3", true), cond("w", dataknobs.In), cond("o.p", dataknobs.Eq, int64(1))} {
			ids := slices.Concat(s.ids(&dataknobs.Query{Where: c}), s.ids(&dataknobs.Query{Where: dataknobs.Not{Expr: c}}), s.ids(&dataknobs.Query{Where: &dataknobs.Cond{Path: c.Path, Op: dataknobs.IsNull}}))
			slices.Sort(ids)
			if want := idsOf(byID(recs)); !slices.Equal(ids, want) {
				s.Errorf("%s, its negation and IS NULL select\n %q, wanted\n %q", &dataknobs.Query{Where: c}, ids, want)
			}
		}
	}},
	{"system names", "_id, _rev and _meta are looked at by conditions, orders and projections; a field of the same text after a dot is not them", needIDs | needMeta, func(s *subject) {
		recs := []*dataknobs.Record{rec("a", "n", int64(2), "meta", "x"), rec("b", "n", int64(1), "o", map[string]any{"n": "b"}), rec("c", "ident", "a")}
		recs[0].Metadata = dataknobs.Fields{dataknobs.F("n", int64(9)), dataknobs.F("o", map[string]any{"p": []any{int64(1)}})}
		recs[2].Metadata = dataknobs.Fields{dataknobs.F("n", int64(8))}
		s.fill(recs)
		meta := func(op dataknobs.Op, x any, names ...string) *dataknobs.Cond {
			c := cond("", op, x)
			c.Path = dataknobs.Names(append([]string{"_meta"}, names...)...)
			return c
		}
		for _, e := range []dataknobs.Expr{
			meta(dataknobs.Gt, int64(8), "n"), meta(dataknobs.Ne, int64(9), "n"), meta(dataknobs.Contains, int64(1), "o", "p"), cond("_meta", dataknobs.IsNotNull),
			cond("_id", dataknobs.Between, "a", "b"), cond("_id", dataknobs.Like, "_"), cond("_id", dataknobs.NotIn, "a"), cond("_id", dataknobs.Matches, "[bc]"),
		} {
			s.wantModel(&dataknobs.Query{Where: e}, recs)
		}
		s.wantModel(&dataknobs.Query{OrderBy: []dataknobs.Order{{Path: dataknobs.Names("_meta", "n")}}}, recs)
		s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{{Path: dataknobs.Names("_meta", "n"), As: "m"}, {Path: dataknobs.PathID, As: "key"}, key("n")}}, recs)
	}},
}

// wantText is wantSet for a query as text.
func (s *subject) wantText(text string, want ...string) {
	s.Helper()
	q, err := dataknobs.Parse(text)
	s.must(err, "Parse(%q)", text)
	s.wantSet(q, want...)
}
