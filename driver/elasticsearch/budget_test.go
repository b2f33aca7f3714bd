package elasticsearch_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
)

// The benchmarks called Budget need no server: see scripts/bench-check.

func BenchmarkBudgetQuery(b *testing.B) {
	e := dataknobs.MustParse("carrier = 'AA' and (dep_delay > 120 or dest in ('IAH', 'MIA') or tailnum like 'N1%') and a.b is null").Where
	e = dataknobs.Simplify(e)
	b.ReportAllocs()
	for b.Loop() {
		elasticsearch.QueryText(e, "carrier", "dep_delay", "dest", "tailnum", "a/b")
	}
}

func budgetRecord() *dataknobs.Record {
	return dataknobs.NewRecord("1", dataknobs.F("carrier", "AA"), dataknobs.F("dest", "IAH"), dataknobs.F("dep_delay", 130), dataknobs.F("distance", 1400.5),
		dataknobs.F("at", dataknobs.TimeMicros(1767312000_000_001)), dataknobs.F("tags", []any{"y", "x"}), dataknobs.F("o", map[string]any{"p": true}))
}

func BenchmarkBudgetDecode(b *testing.B) {
	decode := elasticsearch.Decoder([]*dataknobs.Record{budgetRecord()})
	b.ReportAllocs()
	for b.Loop() {
		decode(0)
	}
}

func BenchmarkBudgetEncode(b *testing.B) {
	r := budgetRecord()
	encode := elasticsearch.Encoder(r)
	b.ReportAllocs()
	for b.Loop() {
		encode(r)
	}
}
