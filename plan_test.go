package dataknobs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

// people are records with fields that are missing, null, and of other kinds.
func people(n int) []*dk.Record {
	r := rand.New(rand.NewPCG(7, 7))
	var recs []*dk.Record
	for i := range n {
		rec := dk.NewRecord(fmt.Sprintf("p%02d", (i*37)%n))
		if r.IntN(5) > 0 {
			rec.Set("age", []dk.Value{dk.Int(int64(r.IntN(6))), dk.Float(float64(r.IntN(6))), dk.Null(), dk.String("3")}[r.IntN(4)])
		}
		if r.IntN(5) > 0 {
			rec.Set("city", dk.String([]string{"Rome", "Oslo", "Bern", "rome", ""}[r.IntN(5)]))
		}
		if r.IntN(3) > 0 {
			rec.Set("at", dk.Object(dk.Fields{dk.F("x", r.IntN(4)), dk.F("y", "z")}))
		}
		if r.IntN(3) > 0 {
			rec.Set("tags", dk.Array(dk.Int(int64(r.IntN(3))), dk.String("a")))
		}
		rec.Metadata = dk.Fields{dk.F("source", []string{"web", "app"}[r.IntN(2)])}
		recs = append(recs, rec)
	}
	return recs
}

var planQueries = []string{
	"",
	"age > 2",
	"age > 2 and city = 'Rome'",
	"age > 2 or city = 'Rome'",
	"not (age > 2 or city = 'Rome')",
	"(age > 2 and city = 'Rome') or (at.x = 1 and tags contains 'a') or age is null",
	"(age > 2 or city like 'R%') and (at.x != 1 or _id > 'p20') and _meta.source = 'web'",
	"city in ('Rome', 'Oslo') and not (age between 1 and 3 or age is null)",
	"_id in ('p01', 'p07', 'nobody')",
	"age in () or city starts with 'B'",
	"age not in ()",
	"order by age",
	"order by age desc, city",
	"order by city nulls first, age desc limit 7",
	"age >= 0 order by age limit 3 offset 2",
	"limit 5",
	"offset 5",
	"limit 0",
	"age > 1 limit 4 offset 1",
	"select city where age > 1 order by age desc limit 6",
	"select city, at.x",
	"select at where at.x > 1 order by tags",
	"select city as place where age is not null order by at.y, _id desc limit 9 offset 3",
	"select _id, _rev where city is null",
	"select _meta.source where age = 3",
	"order by _id desc limit 4",
	"order by _meta.source, _id desc",
	"select tags[1] order by tags[0] desc limit 8",
	"limit 1000",
	"order by age limit 1000 offset 1000",
}

// oracle answers a query in the plainest way.
func oracle(t *testing.T, recs []*dk.Record, q *dk.Query, natural bool) []*dk.Record {
	m, err := dk.Compile(q.Where)
	if err != nil {
		t.Fatal(err)
	}
	var out []*dk.Record
	for _, r := range recs {
		if m.Match(r) {
			out = append(out, r)
		}
	}
	if len(q.OrderBy) > 0 || !natural {
		slices.SortFunc(out, dk.NewOrdering(q.OrderBy).CompareRecords)
	}
	out = out[min(q.Offset, len(out)):]
	if q.Limit != nil {
		out = out[:min(*q.Limit, len(out))]
	}
	pr, err := dk.NewProjection(q.Select)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out {
		out[i] = pr.Apply(r)
	}
	return out
}

func show(recs []*dk.Record) string {
	var b strings.Builder
	for _, r := range recs {
		fmt.Fprintf(&b, "%s %s %v %v\n", r.ID, r.Revision, r.Fields.Map(), r.Metadata.Map())
	}
	return b.String()
}

// everyFeatures calls f with every combination of what a driver may be able to do.
func everyFeatures(f func(name string, feat dk.Features)) {
	filters := []struct {
		name string
		f    func(*dk.Cond) dk.Support
	}{{"nil", nil}, {"none", filterAs(dk.None)}, {"rough", filterAs(dk.Rough)}, {"exact", filterAs(dk.Exact)}, {"mixed", mixedFilter}}
	sorts := []struct {
		name string
		f    func([]dk.Order) dk.Support
	}{{"nil", nil}, {"rough", sortAs(dk.Rough)}, {"exact", sortAs(dk.Exact)}}
	for _, fi := range filters {
		for _, so := range sorts {
			for bits := range 16 {
				feat := dk.Features{Filter: fi.f, Sort: so.f, Limit: bits&1 > 0, Seek: bits&2 > 0, Project: bits&4 > 0,
					NaturalOrder: bits&8 > 0, Shared: bits&1 > 0 != (bits&8 > 0), Metadata: true}
				f(fmt.Sprintf("filter=%s sort=%s limit=%t seek=%t project=%t natural=%t shared=%t", fi.name, so.name,
					feat.Limit, feat.Seek, feat.Project, feat.NaturalOrder, feat.Shared), feat)
			}
		}
	}
}

// TestPlanEveryFidelity asks every query of drivers of every ability.
func TestPlanEveryFidelity(t *testing.T) {
	everyFeatures(func(name string, feat dk.Features) {
		d := newFake(t, feat, people(40)...)
		before := show(d.recs)
		db := dk.New(d, nil)
		for _, text := range planQueries {
			q := dk.MustParse(text)
			got, err := db.All(t.Context(), q)
			if err != nil {
				t.Fatalf("%s\n%s\n%v", name, text, err)
			}
			want := oracle(t, d.recs, q, feat.NaturalOrder)
			if len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == 0 && !feat.NaturalOrder {
				byID := func(a, b *dk.Record) int { return strings.Compare(a.ID, b.ID) }
				slices.SortFunc(got, byID)
			}
			if show(got) != show(want) {
				t.Fatalf("%s\n%s\ngot\n%swant\n%s", name, text, show(got), show(want))
			}
			n, err := db.Count(t.Context(), q.Where)
			if all := oracle(t, d.recs, &dk.Query{Where: q.Where}, true); err != nil || n != int64(len(all)) {
				t.Fatalf("%s\ncount of %s: got %d, %v; want %d", name, text, n, err, len(all))
			}
			for _, r := range got { // they are the caller's own
				r.Set("age", dk.String("changed"))
				r.Fields = append(r.Fields, dk.F("new", 1))
				r.Metadata.Set("source", dk.Null())
			}
		}
		if after := show(d.recs); after != before {
			t.Fatalf("%s: a shared record was changed", name)
		}
	})
}

// TestPagesEveryFidelity reads every query page by page.
func TestPagesEveryFidelity(t *testing.T) {
	everyFeatures(func(name string, feat dk.Features) {
		d := newFake(t, feat, people(23)...)
		db := dk.New(d, nil)
		for _, text := range planQueries {
			q := dk.MustParse(text)
			if q.Limit != nil && *q.Limit == 0 {
				continue
			}
			whole := *q
			whole.Limit = nil
			want := show(oracle(t, d.recs, &whole, feat.NaturalOrder))
			var got []*dk.Record
			size := 4
			q.Limit = &size
			for range 20 {
				page, err := db.Page(t.Context(), q)
				if err != nil {
					t.Fatalf("%s\n%s\n%v", name, text, err)
				}
				got = append(got, page.Records...)
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if show(got) != want {
				t.Fatalf("%s\n%s in pages\ngot\n%swant\n%s", name, text, show(got), want)
			}
		}
	})
}

var groupQueries = []string{
	"select count(*)",
	"select count(*) where age > 2",
	"select city, count(*), avg(age), min(age), max(tags) group by city",
	"select count(*) as n, at.x where not (age > 2 or city = 'Rome') group by at.x having n > 1 order by n desc, at.x limit 2",
	"select city, sum(at.x) where (age > 2 or city like 'R%') and _meta.source = 'web' group by city order by city desc limit 2 offset 1",
	"select min(_id), max(_rev) where age in ()",
	"select count(age), count(_id)",
	"select city, count(*) group by city limit 0",
}

// TestGroupsEveryFidelity asks grouped queries of drivers that cannot, could
// and can compute groups.
func TestGroupsEveryFidelity(t *testing.T) {
	everyFeatures(func(name string, feat dk.Features) {
		for _, agg := range []dk.Fidelity{dk.None, dk.Rough, dk.Exact} {
			feat.Aggregate = func(*dk.Aggregation) dk.Support { return dk.Support{Fidelity: agg} }
			plain := newFake(t, feat, people(40)...)
			for _, text := range groupQueries {
				q := dk.MustParse(text)
				able := &groupingFake{fake: newFake(t, feat, people(40)...)}
				want, err := dk.New(newFake(t, dk.Features{}, people(40)...), nil).All(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range []dk.Driver{plain, able} {
					got, err := dk.New(d, nil).All(t.Context(), q)
					if err != nil || show(got) != show(want) {
						t.Fatalf("%s aggregate=%v %T\n%s\ngot %v\n%swant\n%s", name, agg, d, text, err, show(got), show(want))
					}
				}
				pushed := agg == dk.Exact && feat.Filter != nil && strings.HasPrefix(name, "filter=exact") && !strings.Contains(text, "limit 0")
				if text != "select count(*)" && !strings.HasPrefix(text, "select count(*) where") && !strings.Contains(text, "in ()") && pushed != (able.grouped == 1) && q.Where != nil {
					t.Fatalf("%s aggregate=%v\n%s: the store computed the groups %d times", name, agg, text, able.grouped)
				}
				if q.Where == nil && text == "select count(*)" && able.counted != 1 {
					t.Fatalf("%s: the store's Counter was not asked", name)
				}
			}
		}
	})
}
