package memory_test

import (
	"strconv"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
)

func filled(b *testing.B, n int, o memory.Options) (*dataknobs.DB, []string) {
	b.Helper()
	db := dataknobs.New(memory.New(o), nil)
	b.Cleanup(func() { db.Close() })
	names := make([]string, n)
	recs := make([]*dataknobs.Record, n)
	for i := range recs {
		names[i] = "r" + strconv.Itoa(i)
		recs[i] = sample(names[i], i)
	}
	if _, err := db.CreateMany(b.Context(), recs); err != nil {
		b.Fatal(err)
	}
	return db, names
}

func sample(id string, i int) *dataknobs.Record {
	return dataknobs.NewRecord(id,
		dataknobs.Field{Name: "serial", Value: dataknobs.Int(int64(i))},
		dataknobs.Field{Name: "name", Value: dataknobs.String(id)},
		dataknobs.Field{Name: "score", Value: dataknobs.Float(float64(i) / 7)},
		dataknobs.Field{Name: "active", Value: dataknobs.Bool(i%3 == 0)},
		dataknobs.Field{Name: "city", Value: dataknobs.String("Lisbon")})
}

func BenchmarkGet(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			db, names := filled(b, n, memory.Options{})
			ctx := b.Context()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := db.Get(ctx, names[i]); err != nil {
					b.Fatal(err)
				}
				i = (i + 7919) % len(names)
			}
		})
	}
}

func BenchmarkCreateBatch(b *testing.B) {
	const batch = 1000
	db := dataknobs.New(memory.New(memory.Options{}), nil)
	defer db.Close()
	b.ReportAllocs()
	i := 0
	recs := make([]*dataknobs.Record, batch)
	for b.Loop() {
		b.StopTimer()
		for j := range recs {
			recs[j] = sample("r"+strconv.Itoa(i), i)
			i++
		}
		b.StartTimer()
		if _, err := db.CreateMany(b.Context(), recs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(i), "ns/record")
}

func BenchmarkIndexedEqual(b *testing.B) {
	db, names := filled(b, 1_000_000, memory.Options{Index: []dataknobs.Path{dataknobs.P("serial")}})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		found, err := db.All(b.Context(), dataknobs.Where(dataknobs.P("serial").Eq(i)).Query())
		if err != nil || len(found) != 1 {
			b.Fatal(len(found), err)
		}
		i = (i + 7919) % len(names)
	}
}
