package dataknobs_test

import (
	"fmt"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
)

// The benchmarks called Budget are what scripts/bench-check holds to a budget
// of memory: each does a hot path once, on data that are always the same.

var budgetQueries = []struct{ name, text string }{
	{"compare", "carrier = 'AA' and dep_delay > 120"},
	{"in and between", "dest in ('IAH', 'MIA', 'ORD') and distance between 100 and 2000.5 and not origin = 'JFK'"},
	{"text", "tailnum like 'N1%' or tailnum ilike '%aa' or dest matches '^[A-M]'"},
	{"null and nested", "a.b is null and tags contains 'x' and c is not null"},
}

func budgetRecord() *dataknobs.Record {
	return dataknobs.NewRecord("1", dataknobs.F("carrier", "AA"), dataknobs.F("origin", "EWR"), dataknobs.F("dest", "IAH"), dataknobs.F("tailnum", "N14228"),
		dataknobs.F("dep_delay", 130), dataknobs.F("distance", 1400), dataknobs.F("c", 1.5), dataknobs.F("tags", []any{"y", "x"}))
}

func BenchmarkBudgetCondition(b *testing.B) {
	r := budgetRecord()
	for _, q := range budgetQueries {
		b.Run(q.name, func(b *testing.B) {
			m, err := dataknobs.Compile(dataknobs.MustParse(q.text).Where)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if !m.Match(r) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkBudgetParse(b *testing.B) {
	for _, q := range budgetQueries {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dataknobs.Parse(q.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A query over an empty store is planned, and little else.
func BenchmarkBudgetPlan(b *testing.B) {
	db := dataknobs.New(memory.New(memory.Options{}), nil)
	defer db.Close()
	for _, c := range []struct{ name, text string }{
		{"everything", ""},
		{"filter", "carrier = 'AA' and (dep_delay > 120 or not dest in ('IAH', 'MIA'))"},
		{"page", "carrier = 'AA' order by dep_delay desc, dest limit 10 offset 5"},
		{"groups", "select carrier, count(*) as n, avg(dep_delay) as d group by carrier having n > 5 order by d limit 3"},
	} {
		b.Run(c.name, func(b *testing.B) {
			q := dataknobs.MustParse(c.text)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.All(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBudgetRecord(b *testing.B) {
	r := budgetRecord()
	bin, err := r.AppendBinary(nil)
	if err != nil {
		b.Fatal(err)
	}
	tagged := dataknobs.Object(r.Fields).AppendTaggedJSON(nil)
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"binary", func() error { _, _, err := dataknobs.DecodeRecord(bin); return err }},
		{"tagged JSON", func() error { _, err := dataknobs.ParseTaggedJSON(tagged); return err }},
		{"clone", func() error { r.Clone(); return nil }},
		{"check", r.Check},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBudgetGroups(b *testing.B) {
	db := dataknobs.New(memory.New(memory.Options{}), nil)
	defer db.Close()
	for i := range 1000 {
		r := budgetRecord()
		r.ID = fmt.Sprint(i)
		r.Set("dep_delay", dataknobs.Int(int64(i%97)))
		if _, err := db.Put(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	q := dataknobs.MustParse("select dep_delay, count(*) as n, sum(distance) as s group by dep_delay")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := db.All(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}
