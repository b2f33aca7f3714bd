package parquet_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// BenchmarkBudgetDecode reads 1,000 rows of always the same data; see
// scripts/bench-check.
func BenchmarkBudgetDecode(b *testing.B) {
	f, err := open(b, "flights", flightsFile(b, 1000), nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		scan codec.Scan
		row  func(codec.Row) error
	}{
		{"records", codec.Scan{}, func(r codec.Row) error {
			_, err := r.Record()
			return err
		}},
		{"two fields", codec.Scan{Slots: []dataknobs.Path{path("carrier"), path("delay")}, NoRecords: true}, func(r codec.Row) error {
			if r.Value(0).IsNull() {
				b.Error("not what was written")
			}
			return nil
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := c.scan
				s.Workers = 1
				s.Begin = func(int) (codec.Visitor, error) { return visitor{row: c.row}, nil }
				if err := f.Scan(b.Context(), &s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
