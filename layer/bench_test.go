package layer_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
)

// What a layer costs a read of one record.
func BenchmarkGet(b *testing.B) {
	run := func(name string, wrap func(dataknobs.Driver) dataknobs.Driver) {
		b.Run(name, func(b *testing.B) {
			db := dataknobs.New(wrap(store(b)), nil)
			if _, err := db.Put(b.Context(), record("a", 1)); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Get(b.Context(), "a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("bare", func(d dataknobs.Driver) dataknobs.Driver { return d })
	for _, w := range wrappings() {
		run(w.name, func(d dataknobs.Driver) dataknobs.Driver { return w.wrap(b, d) })
	}
}
