package s3_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/s3"
)

// The benchmarks called Budget need no server: see scripts/bench-check.

func budgetRecord() *dataknobs.Record {
	r := dataknobs.NewRecord("1", dataknobs.F("carrier", "AA"), dataknobs.F("dest", "IAH"), dataknobs.F("dep_delay", 130), dataknobs.F("distance", 1400.5),
		dataknobs.F("at", dataknobs.TimeMicros(1767312000_000_001)), dataknobs.F("tags", []any{"y", "x"}), dataknobs.F("o", map[string]any{"p": true}))
	r.Metadata = dataknobs.Fields{dataknobs.F("source", "test")}
	return r
}

func BenchmarkBudgetDecode(b *testing.B) {
	decode := s3.Decoder(budgetRecord())
	b.ReportAllocs()
	for b.Loop() {
		if err := decode(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBudgetEncode(b *testing.B) {
	r := budgetRecord()
	b.ReportAllocs()
	for b.Loop() {
		s3.Encode(r)
	}
}
