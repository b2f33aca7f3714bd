package dataknobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

func TestExplainPrints(t *testing.T) {
	onlyAge := func(c *dk.Cond) dk.Support {
		if c.Path.String() == "age" {
			return dk.Support{Fidelity: dk.Exact}
		}
		return dk.Support{Reason: "only age has an index"}
	}
	tests := []struct {
		name  string
		f     dk.Features
		query string
		want  string
	}{
		{"nothing pushed", dk.Features{}, "select name where age > 3 and not city = 'Rome' order by age limit 2", `
SELECT name WHERE age > 3 AND NOT city = 'Rome' ORDER BY age LIMIT 2
└─ here: select name
   because the store yields whole records
   └─ here: page limit 2
      because the store knows no limit
      └─ here: sort age
         because the store cannot sort
         └─ here: filter city != 'Rome'
            because the store cannot filter
            └─ here: filter age > 3
               because the store cannot filter
               └─ store people
                  every record
                  read whole records
`},
		{"all pushed", dk.Features{Filter: filterAs(dk.Exact), Sort: sortAs(dk.Exact), Limit: true, Project: true}, "select name where age > 3 order by age limit 2 offset 1", `
SELECT name WHERE age > 3 ORDER BY age LIMIT 2 OFFSET 1
└─ store people
   filter age > 3
   sort age
   limit 2
   offset 1
   read only age, name
`},
		{"a part of the filter", dk.Features{Filter: onlyAge, Sort: sortAs(dk.Exact), Limit: true, Project: true}, "select name where (age > 3 and city = 'Rome' or age = 1) and age < 9 limit 2", `
SELECT name WHERE (age > 3 AND city = 'Rome' OR age = 1) AND age < 9 LIMIT 2
└─ here: page limit 2
   because the filter comes first
   └─ here: filter age > 3 AND city = 'Rome' OR age = 1
      because only age has an index
      └─ store people
         filter (age > 3 OR age = 1) AND age < 9
         sort _id
         read only age, city, name
`},
		{"a count", dk.Features{Project: true}, "select count(*) where age > 3", `
SELECT count(*) WHERE age > 3
└─ here: group count(*)
   because the filter comes first
   └─ here: filter age > 3
      because the store cannot filter
      └─ store people
         every record
         read only age
`},
		{"limit 0", dk.Features{}, "limit 0", `
LIMIT 0
└─ store people
   not asked: nothing can be in the result
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db := dk.New(newFake(t, tt.f), &dk.Options{Name: "people"})
			p, err := db.Explain(t.Context(), dk.MustParse(tt.query), dk.ExplainOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := "\n" + p.String(); got != tt.want {
				t.Errorf("Explain(%s): got%swant%s", tt.query, got, tt.want)
			}
			if _, err := json.Marshal(p); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestExplainAnalyze(t *testing.T) {
	db := dk.New(newFake(t, dk.Features{Filter: filterAs(dk.Rough)}, people(30)...), nil)
	p, err := db.Explain(t.Context(), dk.MustParse("age > 2 limit 3"), dk.ExplainOptions{Analyze: true})
	if err != nil || p.Analysis == nil {
		t.Fatal(err)
	}
	a := p.Analysis
	if a.Returned != 3 || a.Fetched < 3 || a.Read < a.Fetched || a.Duration <= 0 || !strings.Contains(p.String(), "3 were returned") {
		t.Errorf("got %+v\n%s", a, p)
	}
}

func TestWarnings(t *testing.T) {
	d := &typedFake{fake: newFake(t, dk.Features{}), names: []string{"carrier", "Sepal.Length", "when`s.now", "order"}}
	var warned []string
	db := dk.New(d, &dk.Options{Warn: func(s string) { warned = append(warned, s) }})
	tests := []struct{ query, want string }{
		{"carrier = 'AA' and _id = 'x' and _meta.a = 1", ""},
		{"carier = 'AA' or carier = 'UA'", "no field is called carier; did you mean carrier?"},
		{"Sepal.Length > 5", "no field is called Sepal; for the field Sepal.Length write `Sepal.Length` in backticks"},
		{"select `when``s`.now", "no field is called `when``s`; for the field when`s.now write `when``s.now` in backticks"},
		{"order by `ordre`", "no field is called ordre; did you mean `order`?"},
		{"unheard is null", "no field is called unheard"},
		{"select carrier, count(*) as n group by carrier having n > 1 order by n", ""},
	}
	for _, tt := range tests {
		warned = nil
		if _, err := db.All(t.Context(), dk.MustParse(tt.query)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(warned, "\n"); got != tt.want {
			t.Errorf("%s: warned of %q, want %q", tt.query, got, tt.want)
		}
		q := dk.MustParse(tt.query)
		if q.Where != nil {
			warned = nil
			if _, err := db.Count(t.Context(), q.Where); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(warned, "\n"); got != tt.want {
				t.Errorf("count of %s: warned of %q, want %q", tt.query, got, tt.want)
			}
		}
		p, err := db.Explain(t.Context(), q, dk.ExplainOptions{})
		if err != nil || strings.Join(p.Warnings, "\n") != tt.want {
			t.Errorf("%s: got the warnings %q, %v", tt.query, p.Warnings, err)
		}
	}
}

func TestStrictPushdown(t *testing.T) {
	full := dk.Features{Filter: filterAs(dk.Exact), Sort: sortAs(dk.Exact), Limit: true, Project: true, Seek: true}
	with := func(change func(*dk.Features)) dk.Features { f := full; change(&f); return f }
	tests := []struct {
		f           dk.Features
		query, word string
	}{
		{full, "select a where b = 1 order by c limit 3", ""},
		{with(func(f *dk.Features) { f.Filter = filterAs(dk.Rough) }), "a = 1", "filter a = 1"},
		{with(func(f *dk.Features) { f.Sort = nil }), "order by a", "sort a"},
		{with(func(f *dk.Features) { f.Limit = false }), "limit 3", "page limit 3"},
		{with(func(f *dk.Features) { f.Project = false }), "select a", "select a"},
		{full, "select count(*)", "group count(*)"},
	}
	for _, tt := range tests {
		_, err := dk.New(newFake(t, tt.f), nil).All(t.Context(), dk.MustParse(tt.query), dk.StrictPushdown())
		if tt.word == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.query, err)
			}
			continue
		}
		wantErr(t, err, dk.Unsupported, tt.word)
	}
}

// The store must not be read further than the answer takes, and is let go of.
func TestRunReadsNoMoreThanItMust(t *testing.T) {
	tests := []struct {
		name  string
		f     dk.Features
		query string
		reads int // -1: all
	}{
		{"limit 0", dk.Features{}, "age > 1 limit 0", 0},
		{"never true", dk.Features{}, "age in () and age not in ()", -1},
		{"limit here, natural order", dk.Features{NaturalOrder: true}, "limit 4", 4},
		{"offset here", dk.Features{NaturalOrder: true}, "limit 4 offset 3", 7},
		{"limit pushed", dk.Features{NaturalOrder: true, Limit: true}, "limit 4 offset 3", 4},
		{"sorted by the store, filtered here", dk.Features{Sort: sortAs(dk.Exact), Limit: true}, "i >= 10 order by i limit 2", 12},
		{"sorted here", dk.Features{Limit: true}, "order by i limit 2", -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newFake(t, tt.f, numbered(50)...)
			if _, err := dk.New(d, nil).All(t.Context(), dk.MustParse(tt.query)); err != nil {
				t.Fatal(err)
			}
			if want := (tt.reads + 51) % 51; tt.reads >= 0 && d.reads != tt.reads || tt.reads < 0 && d.reads != want {
				t.Errorf("%s: %d records were read", tt.query, d.reads)
			}
			if d.open != 0 {
				t.Error("a scan was left open")
			}
		})
	}
}

func TestLeavingTheLoop(t *testing.T) {
	d := newFake(t, dk.Features{}, people(40)...)
	db := dk.New(d, nil)
	for _, text := range planQueries {
		for range db.Query(t.Context(), text) {
			break
		}
		if d.open != 0 {
			t.Fatalf("%s: a scan was left open", text)
		}
	}
	seq := db.Query(t.Context(), "order by age limit 3")
	for range 2 { // ranging again runs it again
		n := 0
		for _, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 3 {
			t.Errorf("got %d records, want 3", n)
		}
	}
}

func TestOmit(t *testing.T) {
	d := newFake(t, dk.Features{Project: true}, people(5)...)
	db := dk.New(d, nil)
	for _, tt := range []struct {
		query       string
		noID, noRev bool
	}{
		{"select age", true, true}, {"select _id", false, true}, {"select age where _rev != 'x' and _id != 'y'", false, false},
		{"order by age", false, true}, {"limit 3", false, true},
	} {
		if _, err := db.All(t.Context(), dk.MustParse(tt.query), dk.OmitIDs(), dk.OmitRevisions()); err != nil {
			t.Fatal(err)
		}
		if s := d.scans[len(d.scans)-1]; s.NoID != tt.noID || s.NoRevision != tt.noRev {
			t.Errorf("%s: the scan had NoID %t, NoRevision %t", tt.query, s.NoID, s.NoRevision)
		}
	}
	_, _ = db.Count(t.Context(), nil)
	if s := d.scans[len(d.scans)-1]; !s.NoID || !s.NoRevision || s.Paths == nil || len(s.Paths) > 0 {
		t.Errorf("a count scanned %+v", s)
	}
}

func TestScanPaths(t *testing.T) {
	d := newFake(t, dk.Features{Project: true})
	db := dk.New(d, nil)
	for query, want := range map[string]string{
		"select a.b, a, c.d, c.e":                   "a c.d c.e",
		"select a where tags[0] = 1 order by b.c":   "tags b.c a",
		"select tags[1].x, tags[2]":                 "tags",
		"select _id, _meta.source":                  "_meta.source",
		"select x, count(*) where y = 1 group by x": "x y",
	} {
		if _, err := db.All(t.Context(), dk.MustParse(query)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range d.scans[len(d.scans)-1].Paths {
			got = append(got, p.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: read %v, want %s", query, got, want)
		}
	}
}

func TestTimeLiterals(t *testing.T) {
	recs := []*dk.Record{dk.NewRecord("a"), dk.NewRecord("b"), dk.NewRecord("c")}
	for i, text := range []string{"2026-01-01", "2026-01-02T12:00:00Z", "2026-01-03"} {
		v, _ := dk.ParseTime(text)
		recs[i].Set("at", v)
		recs[i].Set("text", dk.String(text))
		recs[i].Set("mixed", v)
	}
	d := &typedFake{fake: newFake(t, dk.Features{NaturalOrder: true}, recs...)}
	d.kinds = map[string]dk.KindSet{"at": dk.KindsOf(dk.KindTime, dk.KindNull), "text": dk.KindsOf(dk.KindString), "mixed": dk.KindsOf(dk.KindTime, dk.KindInt)}
	db := dk.New(d, nil)
	tests := []struct{ query, want, asked string }{
		{"at > '2026-01-02'", "b c", "at"},
		{"at = '2026-01-02T13:00:00+01:00'", "b", "at"},
		{"not at in ('2026-01-01', 'x')", "b c", "at"},
		{"at between '2026-01-01' and '2026-01-02'", "a", "at"},
		{"at > 'yesterday'", "", ""},
		{"at like '2026%'", "", ""},
		{"text > '2026-01-02'", "b c", "text"},
		{"mixed > '2026-01-02'", "", "mixed"},
		{"at > time '2026-01-02'", "b c", ""},
		{"_id != '2026-01-02' and (at < '2026-01-02' or at = '2026-01-03')", "a c", "at"},
	}
	for _, tt := range tests {
		d.asked = nil
		got, err := db.All(t.Context(), dk.MustParse(tt.query))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range got {
			ids = append(ids, r.ID)
		}
		if strings.Join(ids, " ") != tt.want || strings.Join(d.asked, " ") != tt.asked {
			t.Errorf("%s: got %v, asked about %v; want %s, %s", tt.query, ids, d.asked, tt.want, tt.asked)
		}
	}
	got, err := db.All(t.Context(), dk.MustParse("select text, max(at) as newest group by text having newest >= '2026-01-02' order by text"))
	if err != nil || len(got) != 2 {
		t.Errorf("having: got %v, %v", got, err)
	}
}

func TestQueryErrors(t *testing.T) {
	db := dk.New(newFake(t, dk.Features{}), &dk.Options{Name: "s"})
	for _, err := range db.Query(t.Context(), "age >") {
		wantErr(t, err, dk.InvalidArgument, "query: s: ")
	}
	_, err := db.First(t.Context(), nil)
	wantErr(t, err, dk.NotFound, "query: s: ")
	_, err = db.All(t.Context(), &dk.Query{After: "x", Select: []dk.Column{{Agg: dk.CountAll}}})
	wantErr(t, err, dk.Unsupported, "cursor")
	_, err = db.Page(t.Context(), dk.MustParse("select count(*)"))
	wantErr(t, err, dk.Unsupported, "grouped")
}

func TestScanErrorsSurface(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	db := dk.New(newFake(t, dk.Features{}, people(9)...), nil)
	n := 0
	var last error
	for _, err := range db.Run(ctx, nil) {
		n++
		last = err
		cancel()
	}
	if n != 2 || !errors.Is(last, context.Canceled) {
		t.Errorf("got %d results, the last %v", n, last)
	}
}

func TestPageTokens(t *testing.T) {
	d := &typedFake{fake: newFake(t, dk.Features{NaturalOrder: true, Seek: true}, numbered(10)...), epoch: "1"}
	db := dk.New(d, nil)
	ctx := t.Context()
	q := dk.MustParse("limit 4 offset 2")
	page, err := db.Page(ctx, q)
	if err != nil || len(page.Records) != 4 || page.Records[0].ID != "n2" {
		t.Fatalf("got %v, %v", page, err)
	}
	next := *q
	next.After = page.Next
	check := func(want ...string) {
		t.Helper()
		page, err := db.Page(ctx, &next)
		var ids []string
		if err == nil {
			for _, r := range page.Records {
				ids = append(ids, r.ID)
			}
		}
		if !slices.Equal(ids, want) {
			t.Errorf("got %v, %v; want %v", ids, err, want)
		}
	}
	check("n6", "n7", "n8", "n9")
	d.epoch = "2" // positions moved: the record is found by its ID
	for _, r := range d.recs {
		r.SetPosition(r.Position() + 100)
	}
	check("n6", "n7", "n8", "n9")
	d.recs = slices.Delete(d.recs, 5, 6)
	_, err = db.Page(ctx, &next)
	wantErr(t, err, dk.InvalidArgument, `"n5"`, "no longer there")

	other := dk.MustParse("i > 0 limit 4")
	other.After = page.Next
	_, err = db.Page(ctx, other)
	wantErr(t, err, dk.InvalidArgument, "another query")
	other.After = page.Next[1:]
	_, err = db.Page(ctx, other)
	wantErr(t, err, dk.InvalidArgument, "damaged")
	if page, err = db.Page(ctx, nil); err != nil || len(page.Records) != 9 || page.Next != "" {
		t.Errorf("got %+v, %v", page, err)
	}
}

func TestSchema(t *testing.T) {
	long := strings.Repeat("x", 100)
	deep := dk.F("o", map[string]any{"p": map[string]any{"q": map[string]any{"r": 1}}})
	db := dk.New(newFake(t, dk.Features{NaturalOrder: true},
		dk.NewRecord("a", dk.F("n", 1), dk.F("s", long), deep),
		dk.NewRecord("b", dk.F("s", "x"), dk.F("n", 2.5), dk.F("tags", []any{1, "a", nil})),
		dk.NewRecord("c", dk.F("s", nil), dk.F("n", 1)),
	), nil)
	s, err := db.Schema(t.Context())
	if err != nil || s.Records != 3 {
		t.Fatal(s, err)
	}
	var got []string
	for _, f := range s.Fields {
		text := f.Path.String() + " " + f.Kinds.String()
		if f.Elems != 0 {
			text += " of " + f.Elems.String()
		}
		if f.Nulls > 0 != f.Kinds.Has(dk.KindNull) {
			t.Errorf("%s: %d nulls, kinds %v", f.Path, f.Nulls, f.Kinds)
		}
		got = append(got, text+" "+dk.Array(f.Examples...).String())
	}
	want := []string{
		"n int|float [1, 2.5]", "s string ['x']", "o object [{'p': {'q': {'r': 1}}}]", "o.p object [{'q': {'r': 1}}]", "o.p.q object [{'r': 1}]",
		"tags array of int|string [[1, 'a', null]]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
