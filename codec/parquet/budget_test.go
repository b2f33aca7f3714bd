package parquet_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/budget"
)

// BenchmarkBudgetDecode reads 1,000 rows of always the same data; see
// scripts/bench-check.
func BenchmarkBudgetDecode(b *testing.B) {
	f, err := open(b, "flights", flightsFile(b, 1000), nil)
	if err != nil {
		b.Fatal(err)
	}
	budget.Decode(b, func() codec.File { return f }, budget.Fields{
		First: path("carrier"), Second: path("delay"),
		Right: func(carrier dataknobs.Value) bool { return !carrier.IsNull() },
	})
}
