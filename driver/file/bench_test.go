package file_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
)

// BenchmarkCreate is durable single creates: with 32 writers a sync serves many.
func BenchmarkCreate(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db := open(b, file.Options{Path: filepath.Join(b.TempDir(), "b.ndjson")})
			var next atomic.Int64
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for {
						i := next.Add(1)
						if i > int64(b.N) {
							return
						}
						create(b, db, fmt.Sprintf("id-%d", i), dataknobs.F("n", i), dataknobs.F("name", "somebody"))
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkOne is one record of a store of 100,000 that was just opened, and of
// one that was used before.
func BenchmarkOne(b *testing.B) {
	path := filepath.Join(b.TempDir(), "b.csv")
	fill := open(b, file.Options{Path: path})
	var recs []*dataknobs.Record
	for i := range 100_000 {
		recs = append(recs, dataknobs.NewRecord(fmt.Sprintf("id-%d", i),
			dataknobs.F("n", i), dataknobs.F("name", fmt.Sprintf("name %d", i)), dataknobs.F("score", float64(i)/7)))
	}
	if _, err := fill.CreateMany(b.Context(), recs); err != nil {
		b.Fatal(err)
	}
	closeStore(b, fill)
	b.Run("open+get", func(b *testing.B) {
		for b.Loop() {
			db := open(b, file.Options{Path: path})
			if _, err := db.Get(b.Context(), "id-77777"); err != nil {
				b.Fatal(err)
			}
			closeStore(b, db)
		}
	})
	db := open(b, file.Options{Path: path})
	n := 0
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			n++
			if _, err := db.Get(b.Context(), fmt.Sprintf("id-%d", n*7919%100_000)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("create", func(b *testing.B) {
		for b.Loop() {
			n++
			create(b, db, fmt.Sprintf("new-%d", n), dataknobs.F("n", n))
		}
	})
}
