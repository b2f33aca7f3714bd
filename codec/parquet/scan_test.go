package parquet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/parquet"
)

func TestScanStops(t *testing.T) {
	f, err := open(t, "big", big(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	for _, c := range []struct {
		name string
		give error
		want error
	}{{"stop", codec.ErrStop, nil}, {"error", mine, mine}, {"wrapped code", dataknobs.Conflict, dataknobs.Conflict}} {
		t.Run(c.name, func(t *testing.T) {
			var rows atomic.Int64
			row := func(codec.Row) error {
				if rows.Add(1) == 100 {
					return c.give
				}
				return nil
			}
			s := &codec.Scan{NoRecords: true, Begin: func(int) (codec.Visitor, error) { return visitor{row: row}, nil }}
			if err := f.Scan(t.Context(), s); err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if n := rows.Load(); n > 70_000 {
				t.Errorf("%d rows were visited after all", n)
			}
		})
	}
	t.Run("begin fails", func(t *testing.T) {
		s := &codec.Scan{Begin: func(int) (codec.Visitor, error) { return nil, mine }}
		if err := f.Scan(t.Context(), s); err != mine {
			t.Errorf("got %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		row := func(codec.Row) error {
			cancel()
			return nil
		}
		s := &codec.Scan{NoRecords: true, Begin: func(int) (codec.Visitor, error) { return visitor{row: row}, nil }}
		if err := f.Scan(ctx, s); !errors.Is(err, context.Canceled) {
			t.Errorf("scan: %v", err)
		}
		if err := f.ReadAt(ctx, []int64{1}, func(int, *dataknobs.Record) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("read at: %v", err)
		}
	})
}

// End may wait for the blocks before: later blocks never hold those up.
func TestEndInOrder(t *testing.T) {
	f, err := open(t, "big", big(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := []chan struct{}{make(chan struct{})}
	close(done[0])
	var order []int
	s := &codec.Scan{Slots: []dataknobs.Path{path("n"), path("pair[0]")}, Workers: 3, NoRecords: true, Begin: func(block int) (codec.Visitor, error) {
		before, mine := done[block], make(chan struct{})
		done = append(done, mine)
		row := func(r codec.Row) error {
			if r.Value(0).Int() != r.Number() || r.Value(1).Int() != r.Number() {
				t.Errorf("row %d holds %s, %s", r.Number(), r.Value(0), r.Value(1))
			}
			return nil
		}
		return visitor{row, func() {
			<-before
			order = append(order, block)
			close(mine)
		}}, nil
	}}
	if err := f.Scan(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for i, b := range order {
		if i != b {
			t.Fatalf("the blocks ended as %v", order)
		}
	}
	if len(order) < 6 {
		t.Errorf("only %d blocks", len(order))
	}
}

// A source without random access is read to memory or to a temporary file.
func TestStream(t *testing.T) {
	for _, rows := range []int{10, 100} {
		var recs []*dataknobs.Record
		rng := rand.NewChaCha8([32]byte{})
		for i := range rows {
			noise := make([]byte, 100_000)
			rng.Read(noise)
			recs = append(recs, dataknobs.NewRecord("", dataknobs.F("n", i), dataknobs.F("y", noise)))
		}
		data, err := write(t, &codec.WriteOptions{Layout: layout("n int, y bytes")}, recs...)
		if err != nil {
			t.Fatal(err)
		}
		opened := 0
		src := codec.Source{Name: "-", Once: true, Open: func(context.Context) (io.ReadCloser, error) {
			opened++
			return io.NopCloser(bytes.NewReader(data)), nil
		}}
		t.Setenv("TMPDIR", t.TempDir())
		f, err := parquet.Format{}.Open(t.Context(), src, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := all(t, f)
		if len(got) != rows || opened != 1 || !got[rows-1].Identical(recs[rows-1]) {
			t.Errorf("%d rows, opened %d times", len(got), opened)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
