package drivertest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

// hostileIDs are legal IDs that a store may take for something else: paths,
// patterns, quotes, names that differ only in case, form or trailing space.
var hostileIDs = distinct(dataknobs.MaxIDBytes, []string{
	"a", "A", "a ", " a", "a/", "/a", "a/b", "a//b", "a%2Fb", "a%2fb", "%", "%00", "..", ".", "../x", "/etc/passwd", ".hidden", "-", "-x", "--help", "_", "_id", "_doc",
	"__proto__", "C:\\x", "con", "nul", "a:b", "a?b=c&d", "#x", "*", "?", "[a]", "{a}", "~", "a\\,b", "a,b", "a;b", "id", "x.tmp", "x.json", "1", "01", "1.0", "-1",
	"é", "e\u0301", strings.Repeat("x", dataknobs.MaxIDBytes), strings.Repeat("x", dataknobs.MaxIDBytes-1), strings.Repeat("😀", dataknobs.MaxIDBytes/4), strings.Repeat("/", dataknobs.MaxIDBytes),
}, hostileTexts)

// hostileNames are legal field names.
var hostileNames = distinct(dataknobs.MaxNameBytes, []string{
	"a", "A", "a ", " a", "a.b", "a..b", ".", "..", "a[0]", "[0]", "é", "e\u0301", "unit price", "select", "SELECT", "from", "where", "order", "limit", "x limit 1", "group", "user", "table", "null", "true", "time", "key", "value", "type",
	"_source", "_index", "_type", "_version", "__id__", "rowid", "oid", "ctid", "data", "record", "fields", "metadata", "meta", "rev", "revision", "created", "column1",
	"$x", "$time", "$set", "$$x", "x$", "#c", "-x", "a-b", "a/b", "a:b", "a=b", "a==1", "a>>b", "a->>'b'", "a::int", "?", ":name", "@x", "*", "%s", "{{x}}",
	strings.Repeat("n", dataknobs.MaxNameBytes), strings.Repeat("N", dataknobs.MaxNameBytes), strings.Repeat("é", dataknobs.MaxNameBytes/2), strings.Repeat("n", 64), strings.Repeat("n", 63),
}, hostileTexts)

// distinct returns the texts of 1 to limit bytes in the lists, each once.
func distinct(limit int, lists ...[]string) []string {
	var out []string
	for _, s := range slices.Concat(lists...) {
		if s != "" && len(s) <= limit && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

const (
	anyID   = "section 1: every ID of 1 to 512 bytes of valid UTF-8 without NUL is legal, and different IDs are different records"
	anyName = "section 1: every field name of 1 to 255 bytes of valid UTF-8 without NUL is legal but the five system names; different names are different fields"
)

// hostileIDs are those that the store has room for.
func (s *subject) hostileIDs() []string {
	if s.h.MaxID == 0 {
		return hostileIDs
	}
	return distinct(s.h.MaxID, hostileIDs)
}

// longIDs checks that IDs without room are refused, and looked for in vain.
func (s *subject) longIDs() {
	s.Helper()
	for _, id := range hostileIDs {
		if s.h.MaxID == 0 || len(id) <= s.h.MaxID {
			continue
		}
		_, err := s.db.Create(s.ctx, rec(id))
		s.wantError(err, dataknobs.ResourceExhausted, "create", id)
		_, err = s.db.Get(s.ctx, id)
		s.wantError(err, dataknobs.NotFound, "get", id)
		s.wantError(s.db.Delete(s.ctx, id), dataknobs.NotFound, "delete", id)
		s.wantSet(&dataknobs.Query{Where: eq("_id", id)})
	}
}

var nameCases = []testCase{
	{"hostile IDs", anyID, needAnyID, func(s *subject) {
		var want []*dataknobs.Record
		for i, id := range s.hostileIDs() {
			want = append(want, rec(id, "n", int64(i)))
		}
		for _, r := range want {
			if _, err := s.db.Create(s.ctx, r); err != nil {
				s.Errorf("Create(%q): %v", r.ID, err)
			}
		}
		s.wantContent(want...)
		s.longIDs()
		s.idReads(want)
		if s.h.Reopen != nil {
			s.reopen()
			s.wantContent(want...)
		}
	}},
	{"hostile IDs in writes", anyID, needAnyID, func(s *subject) {
		var want []*dataknobs.Record
		for i, id := range s.hostileIDs() {
			want = append(want, rec(id, "n", int64(i)))
		}
		s.fill(want)
		var kept []*dataknobs.Record
		for i, r := range want {
			switch i % 3 {
			case 0:
				s.must(s.db.Delete(s.ctx, r.ID), "Delete(%q)", r.ID)
				continue
			case 1:
				_, err := s.db.Patch(s.ctx, r.ID, []dataknobs.Change{change("p", r.ID)})
				s.must(err, "Patch(%q)", r.ID)
				r.Set("p", dataknobs.String(r.ID))
			case 2:
				r.Set("n", dataknobs.Int(-1))
				_, err := s.db.Update(s.ctx, r)
				s.must(err, "Update(%q)", r.ID)
			}
			kept = append(kept, r)
		}
		s.wantContent(kept...)
	}},
	{"IDs in order", "section 5: _id sorts by code point, which is the order of its UTF-8 bytes", needAnyID, func(s *subject) {
		var recs []*dataknobs.Record
		for _, id := range s.hostileIDs() {
			recs = append(recs, rec(id))
		}
		s.fill(recs)
		want := slices.Sorted(slices.Values(s.hostileIDs()))
		s.wantIDs(&dataknobs.Query{OrderBy: []dataknobs.Order{{Path: dataknobs.PathID}}}, want...)
		slices.Reverse(want)
		s.wantIDs(&dataknobs.Query{OrderBy: []dataknobs.Order{{Path: dataknobs.PathID, Desc: true}}}, want...)
		s.wantPages(&dataknobs.Query{OrderBy: []dataknobs.Order{{Path: dataknobs.PathID, Desc: true}}, Limit: new(7)}, want)
	}},
	{"hostile names", anyName, needIDs, func(s *subject) {
		all := rec("all")
		var want []*dataknobs.Record
		for i, name := range hostileNames {
			all.Set(name, dataknobs.Int(int64(i)))
			want = append(want, rec(fmt.Sprintf("%03d", i), name, fmt.Sprint("v", i)))
		}
		want = append(want, all)
		s.fill(want)
		s.wantContent(want...)
		for i, name := range hostileNames {
			s.wantSet(&dataknobs.Query{Where: eq(name, fmt.Sprint("v", i))}, fmt.Sprintf("%03d", i))
			s.wantSet(&dataknobs.Query{Where: cond(name, dataknobs.IsNotNull)}, fmt.Sprintf("%03d", i), "all")
			s.nameInText(name, i)
		}
		if s.h.Reopen != nil {
			s.reopen()
			s.wantContent(want...)
		}
	}},
	{"hostile names nested", anyName + ", at every depth", needIDs, func(s *subject) {
		o := dataknobs.Fields{}
		for i, name := range hostileNames {
			o.Set(name, dataknobs.Int(int64(i)))
		}
		want := dataknobs.NewRecord("x", dataknobs.Field{Name: "o", Value: dataknobs.Object(o)})
		s.create(want)
		s.wantContent(want)
		for i, name := range hostileNames {
			c := &dataknobs.Cond{Path: dataknobs.Names("o", name), Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.Int(int64(i))}}
			s.wantSet(&dataknobs.Query{Where: c}, "x")
		}
	}},
	{"hostile names in everything", "trap 70: a name in any part of a query, at any depth, is that name and nothing else", needIDs, func(s *subject) {
		var recs []*dataknobs.Record
		for i, name := range hostileNames {
			o := dataknobs.Object(dataknobs.Fields{{Name: name, Value: dataknobs.Int(int64(i % 3))}, {Name: "t", Value: dataknobs.Array(dataknobs.Object(dataknobs.Fields{{Name: name, Value: dataknobs.String("v")}}))}})
			recs = append(recs, dataknobs.NewRecord(formatID(i), dataknobs.Field{Name: "o", Value: o}))
		}
		s.fill(recs)
		for i, name := range hostileNames {
			if s.brief() && i%4 > 0 {
				continue
			}
			p := dataknobs.Names("o", name)
			for _, q := range []*dataknobs.Query{
				{Where: &dataknobs.Cond{Path: p, Op: dataknobs.Ge, Args: []dataknobs.Value{dataknobs.Int(0)}}, OrderBy: []dataknobs.Order{{Path: p, Desc: true}}, Limit: new(3)},
				{Where: dataknobs.And{&dataknobs.Cond{Path: p, Op: dataknobs.IsNotNull}, &dataknobs.Cond{Path: p, Op: dataknobs.NotIn, Args: []dataknobs.Value{dataknobs.Int(7), dataknobs.String(name)}}}},
				{Where: &dataknobs.Cond{Path: dataknobs.Names("o", "t").At(0).Child(name), Op: dataknobs.Like, Args: []dataknobs.Value{dataknobs.String("_")}}},
				{Where: &dataknobs.Cond{Path: dataknobs.Names("o", "t"), Op: dataknobs.Contains, Args: []dataknobs.Value{dataknobs.Object(dataknobs.Fields{dataknobs.F(name, "v")})}}},
				{GroupBy: []dataknobs.Path{p}, Select: []dataknobs.Column{{Path: p, As: "k"}, {Agg: dataknobs.Sum, Path: p, As: "s"}}},
				{Select: []dataknobs.Column{{Path: p}, {Path: dataknobs.PathID, As: "k"}}, Where: &dataknobs.Cond{Path: p, Op: dataknobs.IsNotNull}},
			} {
				s.wantModel(q, recs)
			}
			_, err := s.db.Patch(s.ctx, recs[i].ID, []dataknobs.Change{{Path: p, Value: dataknobs.Int(int64(i))}, {Path: dataknobs.Names("o", "new", name), Value: dataknobs.Bool(true)}})
			s.must(err, "Patch of %s", p)
			want, err := dataknobs.ApplyChanges(recs[i], []dataknobs.Change{{Path: p, Value: dataknobs.Int(int64(i))}, {Path: dataknobs.Names("o", "new", name), Value: dataknobs.Bool(true)}})
			s.must(err, "ApplyChanges")
			s.wantRecord(s.get(recs[i].ID), want, "after a patch of %s", p)
			recs[i] = want
		}
	}},
	{"hostile names in patches", anyName + ", in changes too", needIDs, func(s *subject) {
		want := rec("x", "keep", true)
		s.create(want)
		for i, name := range hostileNames {
			_, err := s.db.Patch(s.ctx, "x", []dataknobs.Change{change(name, int64(i))})
			s.must(err, "Patch of %q", name)
			want.Set(name, dataknobs.Int(int64(i)))
		}
		s.wantContent(want)
	}},
	{"hostile names in orders and groups", anyName + ", in ORDER BY, GROUP BY and projections too", needIDs, func(s *subject) {
		for i, name := range hostileNames {
			s.create(rec(fmt.Sprint("a", i), name, int64(2)), rec(fmt.Sprint("b", i), name, int64(1)))
			has := cond(name, dataknobs.IsNotNull)
			s.wantIDs(&dataknobs.Query{Where: has, OrderBy: []dataknobs.Order{{Path: dataknobs.Names(name)}}}, fmt.Sprint("b", i), fmt.Sprint("a", i))
			got := s.query(&dataknobs.Query{Where: has, GroupBy: []dataknobs.Path{dataknobs.Names(name)}, Select: []dataknobs.Column{{Agg: dataknobs.CountAll, As: "n"}}})
			if len(got) != 2 || got[0].Get("n").Int() != 1 {
				s.Errorf("groups by %q: got %d, wanted 2 of one record each", name, len(got))
			}
			one := s.query(&dataknobs.Query{Where: has, Select: []dataknobs.Column{{Path: dataknobs.Names(name)}}})
			if len(one) != 2 || one[0].Get(name).Kind() != dataknobs.KindInt {
				s.Errorf("select of %q: got %d records, the first %s", name, len(one), show(one[0]))
			}
		}
	}},
	{"the field id", "section 1: id is an ordinary field, whatever the _id is (trap 37)", needFreeID, func(s *subject) {
		s.create(rec("x", "id", "y"), rec("y", "id", int64(7)), rec("z"))
		s.wantContent(rec("x", "id", "y"), rec("y", "id", int64(7)), rec("z"))
		s.wantSet(&dataknobs.Query{Where: eq("id", "y")}, "x")
		s.wantSet(&dataknobs.Query{Where: eq("_id", "y")}, "y")
		s.wantSet(&dataknobs.Query{Where: cond("id", dataknobs.IsNull)}, "z")
	}},
}

// idReads reads each record by its ID in every way there is.
func (s *subject) idReads(want []*dataknobs.Record) {
	s.Helper()
	many, err := s.db.GetMany(s.ctx, idsOf(want))
	s.must(err, "GetMany of %d IDs", len(want))
	for i, r := range want {
		s.wantRecord(many[i], r, "GetMany, index %d", i)
		s.wantSet(&dataknobs.Query{Where: eq("_id", r.ID)}, r.ID)
		s.wantError(second(s.db.Create(s.ctx, r)), dataknobs.AlreadyExists, "create", r.ID)
	}
}

func second[T any](_ T, err error) error { return err }

// nameInText checks that the canonical text of a path is read as that path.
func (s *subject) nameInText(name string, i int) {
	s.Helper()
	text := dataknobs.Names(name).String() + " = ?"
	var got []string
	for r, err := range s.db.Query(s.ctx, text, fmt.Sprint("v", i)) {
		s.must(err, "query %s", text)
		got = append(got, r.ID)
	}
	if want := fmt.Sprintf("%03d", i); len(got) != 1 || got[0] != want {
		s.Errorf("query %s: got %q, wanted %q", text, got, want)
	}
}

// A badRecord is one that every write refuses.
type badRecord struct {
	name string
	rec  *dataknobs.Record
}

func badRecords() []badRecord {
	one := func(v dataknobs.Value) *dataknobs.Record {
		return dataknobs.NewRecord("bad", dataknobs.Field{Name: "ok", Value: dataknobs.Int(1)}, dataknobs.Field{Name: "v", Value: v})
	}
	named := func(name string) *dataknobs.Record {
		return dataknobs.NewRecord("bad", dataknobs.Field{Name: name, Value: dataknobs.Int(1)})
	}
	bad := []badRecord{
		{"NaN", one(dataknobs.Float(math.NaN()))}, {"+Inf", one(dataknobs.Float(math.Inf(1)))}, {"-Inf", one(dataknobs.Float(math.Inf(-1)))},
		{"NUL in a string", one(dataknobs.String("a\x00b"))}, {"invalid UTF-8", one(dataknobs.String("a\xff"))}, {"surrogate", one(dataknobs.String("\xed\xa0\x80"))},
		{"year 0", one(dataknobs.TimeMicros(-62135596800_000_001))}, {"year 10000", one(dataknobs.TimeMicros(253402300800_000_000))},
		{"NaN in an array", one(dataknobs.Array(dataknobs.Int(1), dataknobs.Float(math.NaN())))}, {"too deep", one(deep(dataknobs.MaxDepth))},
		{"bad nested name", one(dataknobs.Object(dataknobs.Fields{{Name: ""}}))}, {"nested system name", one(dataknobs.Object(dataknobs.Fields{{Name: "_id"}}))},
		{"repeated nested name", one(dataknobs.Object(dataknobs.Fields{dataknobs.F("a", 1), dataknobs.F("a", 2)}))},
		{"repeated name", rec("bad", "a", 1, "a", 1)}, {"empty name", named("")}, {"NUL in a name", named("a\x00")}, {"name not UTF-8", named("\xff")},
		{"name of 256 bytes", named(strings.Repeat("n", dataknobs.MaxNameBytes+1))}, {"ID of 513 bytes", rec(strings.Repeat("x", dataknobs.MaxIDBytes+1), "a", 1)},
		{"NUL in the ID", rec("a\x00b", "a", 1)}, {"ID not UTF-8", rec("\xff", "a", 1)},
	}
	for _, n := range []string{"_id", "_rev", "_meta", "_created", "_updated"} {
		bad = append(bad, badRecord{"field " + n, named(n)})
	}
	meta := rec("bad", "a", 1)
	meta.Metadata = dataknobs.Fields{{Name: "m", Value: dataknobs.Float(math.NaN())}}
	return append(bad, badRecord{"NaN in metadata", meta})
}

// invalidCases pass each bad record to each way to write one.
func invalidCases() []testCase {
	var cases []testCase
	for _, b := range badRecords() {
		cases = append(cases, testCase{b.name, "sections 1 and 2: what is not legal is refused with InvalidArgument before anything is written", needIDs, func(s *subject) {
			old := rec("bad", "a", "old")
			s.create(old)
			fresh := b.rec.Clone()
			if fresh.ID == "bad" {
				fresh.ID = "fresh"
			}
			s.wantCode(second(s.db.Create(s.ctx, fresh)), dataknobs.InvalidArgument, "Create")
			s.wantCode(second(s.db.Put(s.ctx, b.rec)), dataknobs.InvalidArgument, "Put")
			s.wantCode(second(s.db.Update(s.ctx, b.rec)), dataknobs.InvalidArgument, "Update")
			s.wantContent(old)
			if b.rec.ID == "bad" && len(b.rec.Fields) > 1 && b.rec.Fields[1].Name == "v" {
				s.wantCode(second(s.db.Patch(s.ctx, "bad", []dataknobs.Change{change("a", 1), {Path: dataknobs.Names("v"), Value: b.rec.Fields[1].Value}})), dataknobs.InvalidArgument, "Patch")
				s.wantContent(old)
			}
			for i, r := range []string{"p", "q"} { // refused inside a batch too, by index
				good := rec(r, "a", "good")
				res, err := s.db.PutMany(s.ctx, [][]*dataknobs.Record{{good, b.rec}, {b.rec, good}}[i])
				s.wantItems(err, map[int]dataknobs.Code{1 - i: dataknobs.InvalidArgument})
				if len(res) != 2 || res[i].Err != nil {
					s.Errorf("PutMany: got results %+v, wanted the good record written", res)
				}
			}
			s.wantContent(old, rec("p", "a", "good"), rec("q", "a", "good"))
		}})
	}
	return cases
}
