package json_test

import (
	"bytes"
	"compress/gzip"
	"context"
	stdcsv "encoding/csv"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/json"
)

// flights returns the flights data set as NDJSON. The test is skipped where it
// is not there, but not in CI.
func flights(tb testing.TB) []byte {
	tb.Helper()
	z, err := os.ReadFile("../../../shared/data/flights.csv.gz")
	if err != nil {
		z, err = os.ReadFile(os.Getenv("DATAKNOBS_DATA") + "/flights.csv.gz")
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("the flights data set is not there")
		}
		tb.Skip("the flights data set is not there")
	}
	r, err := gzip.NewReader(bytes.NewReader(z))
	if err != nil {
		tb.Fatal(err)
	}
	rows, err := stdcsv.NewReader(r).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	var b []byte
	for _, row := range rows[1:] {
		f := make(dataknobs.Fields, len(row))
		for i, cell := range row {
			f[i] = dataknobs.Field{Name: rows[0][i], Value: dataknobs.String(cell)}
			if n, err := strconv.ParseInt(cell, 10, 64); err == nil {
				f[i].Value = dataknobs.Int(n)
			} else if cell == "NA" {
				f[i].Value = dataknobs.Null()
			}
		}
		b = append(f.AppendJSON(b), '\n')
	}
	return b
}

func source(b []byte) codec.Source {
	return codec.Source{
		Name:     "test.json",
		Open:     func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
		ReaderAt: bytes.NewReader(b),
		Size:     int64(len(b)),
	}
}

func open(tb testing.TB, f json.Format, b []byte, o *codec.ReadOptions) codec.File {
	tb.Helper()
	x, err := f.Open(tb.Context(), source(b), o)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

// visit is a visitor of functions.
type visit func(codec.Row) error

func (v visit) Row(r codec.Row) error { return v(r) }
func (v visit) End() error            { return nil }

func begin(v visit) func(int) (codec.Visitor, error) {
	return func(int) (codec.Visitor, error) { return v, nil }
}

func BenchmarkScan(b *testing.B) {
	lines := flights(b)
	array := append([]byte("[\n"), bytes.ReplaceAll(bytes.TrimSpace(lines), []byte("\n"), []byte(",\n"))...)
	array = append(array, "\n]\n"...)
	var hits atomic.Int64
	filter := codec.Scan{
		Slots: []dataknobs.Path{dataknobs.Names("carrier"), dataknobs.Names("dep_delay")},
		Begin: begin(func(r codec.Row) error {
			if r.Value(0).Str() == "AA" && r.Value(1).Int() > 120 {
				hits.Add(1)
			}
			return nil
		}),
	}
	records := codec.Scan{Begin: begin(func(r codec.Row) error {
		_, err := r.Record()
		return err
	})}
	for _, c := range []struct {
		name   string
		format json.Format
		data   []byte
		scan   codec.Scan
	}{
		{"lines/filter", json.NDJSON, lines, filter},
		{"lines/records", json.NDJSON, lines, records},
		{"array/filter", json.Format{}, array, filter},
	} {
		for _, workers := range []int{1, 2} {
			b.Run(c.name+"/"+strconv.Itoa(workers), func(b *testing.B) {
				b.SetBytes(int64(len(c.data)))
				b.ReportAllocs()
				f := open(b, c.format, c.data, &codec.ReadOptions{})
				for b.Loop() {
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
