package drivertest

import (
	"fmt"
	"testing"

	"dataknobs.dev/dataknobs"
)

// benchRecords is how many records the benchmarks read.
const benchRecords = 10_000

// Bench runs the benchmarks that every store can be compared by. open returns
// a store that is new and empty at every call.
func Bench(b *testing.B, open func(b *testing.B) *dataknobs.DB) {
	b.Run("CreateMany", func(b *testing.B) { benchCreate(newSubject(b, &Harness{}, open(b)), b) })
	s := newSubject(b, &Harness{}, open(b))
	defer s.db.Close()
	recs := numbered(benchRecords)
	s.fill(recs)
	b.Run("Get", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			s.get(recs[i*7919%benchRecords].ID)
		}
	})
	for _, bench := range []struct {
		name string
		q    *dataknobs.Query
		want int
	}{
		{"Scan", &dataknobs.Query{}, benchRecords},
		{"Filter", &dataknobs.Query{Where: dataknobs.And{cond("n", dataknobs.Ge, int64(5000)), eq("s", "s3")}}, benchRecords / 20},
		{"TopK", &dataknobs.Query{OrderBy: orderBy("-n"), Limit: new(10)}, 10},
		{"Group", &dataknobs.Query{GroupBy: by("s"), Select: []dataknobs.Column{key("s"), count(), agg(dataknobs.Avg, "n")}}, 10},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				if n := len(s.query(bench.q)); n != bench.want {
					b.Fatalf("got %d rows, wanted %d", n, bench.want)
				}
			}
			b.ReportMetric(benchRecords*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
	b.Run("Put", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.db.Put(s.ctx, recs[i%benchRecords]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchCreate(s *subject, b *testing.B) {
	defer s.db.Close()
	for i := 0; b.Loop(); i++ {
		recs := make([]*dataknobs.Record, 1000)
		for k := range recs {
			recs[k] = rec(fmt.Sprintf("%d-%d", i, k), "n", int64(k), "s", "text", "f", 1.5)
		}
		s.fill(recs)
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
