package csv_test

import (
	"bytes"
	"fmt"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/budget"
)

// BenchmarkBudgetDecode reads 1,000 rows of always the same data; see
// scripts/bench-check.
func BenchmarkBudgetDecode(b *testing.B) {
	var data bytes.Buffer
	data.WriteString("_id,carrier,dep_delay,distance,dest,at\n")
	for i := range 1000 {
		fmt.Fprintf(&data, "r%d,AA,%d,%d.5,,2026-01-02T03:04:05Z\n", i, i%200, i)
	}
	budget.Decode(b, func() codec.File { return open(b, data.Bytes(), &codec.ReadOptions{}) }, budget.Fields{
		First: dataknobs.Names("carrier"), Second: dataknobs.Names("dep_delay"),
		Right: func(carrier dataknobs.Value) bool { return carrier.Str() == "AA" },
	})
}
