package csv_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"sync/atomic"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/csv"
)

// flights returns the flights data set as CSV. The test is skipped where it is
// not there, but not in CI.
func flights(tb testing.TB) []byte {
	tb.Helper()
	for _, dir := range []string{"../../../shared/data/", os.Getenv("DATAKNOBS_DATA") + "/"} {
		z, err := os.ReadFile(dir + "flights.csv.gz")
		if err != nil {
			continue
		}
		r, err := gzip.NewReader(bytes.NewReader(z))
		if err != nil {
			tb.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	if os.Getenv("CI") == "true" {
		tb.Fatal("the flights data set is not there")
	}
	tb.Skip("the flights data set is not there")
	return nil
}

func source(b []byte) codec.Source {
	return codec.Source{
		Name:     "test.csv",
		Open:     func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
		ReaderAt: bytes.NewReader(b),
		Size:     int64(len(b)),
	}
}

func open(tb testing.TB, b []byte, o *codec.ReadOptions) codec.File {
	tb.Helper()
	f, err := csv.Format{}.Open(tb.Context(), source(b), o)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// visit is a visitor of functions.
type visit func(codec.Row) error

func (v visit) Row(r codec.Row) error { return v(r) }
func (v visit) End() error            { return nil }

func begin(v visit) func(int) (codec.Visitor, error) {
	return func(int) (codec.Visitor, error) { return v, nil }
}

func BenchmarkScan(b *testing.B) {
	data := flights(b)
	o := &codec.ReadOptions{CSV: codec.CSVOptions{Nulls: []string{"NA"}}}
	slots := []dataknobs.Path{dataknobs.Names("carrier"), dataknobs.Names("dep_delay")}
	var hits atomic.Int64
	filter := begin(func(r codec.Row) error {
		if r.Value(0).Str() == "AA" && r.Value(1).Int() > 120 {
			hits.Add(1)
		}
		return nil
	})
	for _, c := range []struct {
		name    string
		settled bool
		scan    codec.Scan
	}{
		{"filter/speculate", false, codec.Scan{Slots: slots, NoRecords: true, Speculate: true, Begin: filter}},
		{"filter+all/speculate", false, codec.Scan{Slots: slots, Speculate: true, Begin: filter}},
		{"filter/settled", true, codec.Scan{Slots: slots, NoRecords: true, Begin: filter}},
		{"records/settled", true, codec.Scan{Begin: begin(func(r codec.Row) error {
			_, err := r.Record()
			return err
		})}},
		{"rows", true, codec.Scan{NoRecords: true, Begin: begin(func(r codec.Row) error { return nil })}},
	} {
		for _, workers := range []int{1, 2} {
			b.Run(c.name+"/"+string(rune('0'+workers)), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				f := open(b, data, o)
				if c.settled {
					if _, err := f.Layout(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				for b.Loop() {
					if !c.settled {
						f = open(b, data, o)
					}
					s := c.scan
					s.Workers = workers
					if err := f.Scan(b.Context(), &s); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
