package json_test

import (
	"bytes"
	"fmt"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/budget"
	"dataknobs.dev/dataknobs/codec/json"
)

// BenchmarkBudgetDecode reads 1,000 rows of always the same data; see
// scripts/bench-check.
func BenchmarkBudgetDecode(b *testing.B) {
	var data bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&data, `{"_id":"r%d","carrier":"AA","dep_delay":%d,"distance":%d.5,"dest":null,"tags":["x","y"],"o":{"p":true}}`+"\n", i, i%200, i)
	}
	budget.Decode(b, func() codec.File { return open(b, json.NDJSON, data.Bytes(), &codec.ReadOptions{}) }, budget.Fields{
		First: dataknobs.Names("carrier"), Second: dataknobs.Names("dep_delay"),
		Right: func(carrier dataknobs.Value) bool { return carrier.Str() == "AA" },
	})
}
