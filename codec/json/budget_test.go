package json_test

import (
	"bytes"
	"fmt"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/json"
)

// BenchmarkBudgetDecode reads 1,000 rows of always the same data; see
// scripts/bench-check.
func BenchmarkBudgetDecode(b *testing.B) {
	var data bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&data, `{"_id":"r%d","carrier":"AA","dep_delay":%d,"distance":%d.5,"dest":null,"tags":["x","y"],"o":{"p":true}}`+"\n", i, i%200, i)
	}
	benchDecode(b, func() codec.File { return open(b, json.NDJSON, data.Bytes(), &codec.ReadOptions{}) })
}

func benchDecode(b *testing.B, open func() codec.File) {
	for _, c := range []struct {
		name string
		scan codec.Scan
	}{
		{"records", codec.Scan{Begin: begin(func(r codec.Row) error {
			_, err := r.Record()
			return err
		})}},
		{"two fields", codec.Scan{Slots: []dataknobs.Path{dataknobs.Names("carrier"), dataknobs.Names("dep_delay")}, NoRecords: true, Begin: begin(func(r codec.Row) error {
			if r.Value(0).Str() != "AA" {
				b.Error("not what was written")
			}
			return nil
		})}},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := open()
			b.ReportAllocs()
			for b.Loop() {
				s := c.scan
				s.Workers = 1
				if err := f.Scan(b.Context(), &s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
