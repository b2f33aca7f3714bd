package parquet_test

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/parquet"
)

// flights makes rows like those of the flights data set: small ranges, few words, some nulls.
func flights(n int) ([]dataknobs.Value, *codec.Layout) {
	words := []string{"UA", "AA", "B6", "DL", "EV", "MQ", "US", "WN", "VX", "FL", "AS", "9E", "F9", "HA", "YV", "OO"}
	l := layout("carrier string, tail string, delay int, distance int, air float, hour time")
	var vs []dataknobs.Value
	for i := range n {
		delay := dataknobs.Int(int64(i*31%400 - 60))
		if i%40 == 0 {
			delay = dataknobs.Null()
		}
		vs = append(vs, dataknobs.String(words[i*7%16]), dataknobs.String(fmt.Sprint("N", i*13%4000)), delay,
			dataknobs.Int(int64(i*17%5000)), dataknobs.Float(float64(i%700)/2), dataknobs.TimeMicros(int64(i/40)*3600e6))
	}
	return vs, l
}

func flightsFile(b *testing.B, n int) []byte {
	b.Helper()
	vs, l := flights(n)
	var buf bytes.Buffer
	writeChunks(b, &buf, vs, l)
	return buf.Bytes()
}

func writeChunks(b *testing.B, out io.Writer, vs []dataknobs.Value, l *codec.Layout) {
	b.Helper()
	w, err := parquet.Format{}.NewWriter(out, &codec.WriteOptions{Layout: l})
	if err != nil {
		b.Fatal(err)
	}
	cw, cols := w.(codec.ChunkWriter), len(l.Columns)
	for len(vs) > 0 {
		c := cw.NewChunk()
		for len(vs) > 0 && c.Rows() < 20_000 {
			if err := c.AppendRow(vs[:cols]); err != nil {
				b.Fatal(err)
			}
			vs = vs[cols:]
		}
		if err := cw.WriteChunk(c); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

const benchRows = 300_000

func BenchmarkWrite(b *testing.B) {
	vs, l := flights(benchRows)
	for b.Loop() {
		writeChunks(b, io.Discard, vs, l)
	}
	b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func benchScan(b *testing.B, s codec.Scan, row func(codec.Row) bool) {
	f, err := open(b, "flights", flightsFile(b, benchRows), nil)
	if err != nil {
		b.Fatal(err)
	}
	var found atomic.Int64
	s.Begin = func(int) (codec.Visitor, error) {
		n := int64(0)
		return visitor{func(r codec.Row) error {
			if row(r) {
				n++
			}
			return nil
		}, func() { found.Add(n) }}, nil
	}
	for b.Loop() {
		if err := f.Scan(b.Context(), &s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
	if found.Load() == 0 {
		b.Fatal("nothing was found")
	}
}

func BenchmarkCount(b *testing.B) {
	where := dataknobs.And{cond("carrier", dataknobs.Eq, "AA"), cond("delay", dataknobs.Gt, 120)}
	benchScan(b, codec.Scan{Slots: []dataknobs.Path{path("carrier"), path("delay")}, NoRecords: true, Prune: where}, func(r codec.Row) bool {
		return r.Value(1).Int() > 120 && r.Value(0).Str() == "AA"
	})
}

func BenchmarkTwoColumns(b *testing.B) {
	benchScan(b, codec.Scan{Slots: []dataknobs.Path{path("carrier"), path("delay")}, NoRecords: true}, func(r codec.Row) bool {
		return r.Value(1).Int() > 120 && r.Value(0).Str() == "AA"
	})
}

func BenchmarkRecords(b *testing.B) {
	benchScan(b, codec.Scan{}, func(r codec.Row) bool {
		rec, err := r.Record()
		return err == nil && len(rec.Fields) == 6
	})
}

func BenchmarkReadAt(b *testing.B) {
	f, err := open(b, "flights", flightsFile(b, benchRows), nil)
	if err != nil {
		b.Fatal(err)
	}
	var rows []int64
	for i := range 10 {
		rows = append(rows, int64(i*29_000+7))
	}
	for b.Loop() {
		if err := f.ReadAt(b.Context(), rows, func(int, *dataknobs.Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
