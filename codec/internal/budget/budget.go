// Package budget measures what a codec's reading costs, in the same way for
// every format, for the benchmarks that scripts/bench-check holds to
// bench/baseline.txt. It is for tests alone.
package budget

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// Fields are the two that Decode reads by themselves.
type Fields struct {
	First, Second dataknobs.Path
	Right         func(first dataknobs.Value) bool // whether the first is what was written
}

// Decode reads the file that open returns in two ways, each a benchmark of its
// own, with one worker: as records, and two fields of them alone. open is called
// before each.
func Decode(b *testing.B, open func() codec.File, two Fields) {
	decode(b, "records", open, codec.Scan{}, func(r codec.Row) error {
		_, err := r.Record()
		return err
	})
	decode(b, "two fields", open, codec.Scan{Slots: []dataknobs.Path{two.First, two.Second}, NoRecords: true}, func(r codec.Row) error {
		if !two.Right(r.Value(0)) {
			b.Error("not what was written")
		}
		return nil
	})
}

func decode(b *testing.B, name string, open func() codec.File, scan codec.Scan, v visit) {
	scan.Workers = 1
	scan.Begin = func(int) (codec.Visitor, error) { return v, nil }
	b.Run(name, func(b *testing.B) {
		f := open()
		b.ReportAllocs()
		for b.Loop() {
			s := scan
			if err := f.Scan(b.Context(), &s); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// visit is a visitor that needs no end.
type visit func(codec.Row) error

func (v visit) Row(r codec.Row) error { return v(r) }
func (v visit) End() error            { return nil }
