package blocks_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
)

// lines cuts at newlines.
func lines(b *blocks.Block, data []byte, last bool) (int, error) {
	n := len(data)
	if !last {
		n = bytes.LastIndexByte(data, '\n') + 1
	}
	b.Rows = int64(bytes.Count(data[:n], []byte{'\n'}))
	return n, nil
}

func text(n int) []byte {
	var b []byte
	for i := range n {
		b = fmt.Appendf(b, "line %d\n", i)
	}
	return b
}

func source(b []byte) *codec.Source {
	return &codec.Source{
		Name:     "x",
		Open:     func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
		ReaderAt: bytes.NewReader(b), Size: int64(len(b)),
	}
}

func start() blocks.Block { return blocks.Block{Line: 1} }

func TestRun(t *testing.T) {
	data := text(500_000)
	stream := source(data)
	stream.ReaderAt = nil
	for _, src := range []*codec.Source{source(data), stream} {
		for _, workers := range []int{1, 2, 5} {
			var mu sync.Mutex
			var begun, ended []int
			parts := map[int][]byte{}
			stats := &dataknobs.ScanStats{}
			err := (&blocks.Job{
				Source: src, Start: start(), Cut: lines, Workers: workers, Stats: stats,
				Begin: func(b *blocks.Block) error { begun = append(begun, b.Index); return nil },
				Work: func(_ int, b *blocks.Block) error {
					if want := fmt.Sprintf("line %d\n", b.Row); !bytes.HasPrefix(b.Data, []byte(want)) || b.Line != b.Row+1 || !bytes.HasPrefix(data[b.Offset:], b.Data) {
						return fmt.Errorf("block %d says row %d, line %d, offset %d; it starts %.20q", b.Index, b.Row, b.Line, b.Offset, b.Data)
					}
					mu.Lock()
					defer mu.Unlock()
					parts[b.Index] = bytes.Clone(b.Data)
					return nil
				},
				End: func(b *blocks.Block) error { ended = append(ended, b.Index); return nil },
			}).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var whole []byte
			for i := range len(parts) {
				whole = append(whole, parts[i]...)
			}
			if !bytes.Equal(whole, data) {
				t.Errorf("%d workers: the blocks hold %d bytes, not the file's %d", workers, len(whole), len(data))
			}
			if !slices.IsSorted(begun) || !slices.IsSorted(ended) || len(begun) != len(parts) || len(ended) != len(parts) {
				t.Errorf("%d workers: begun %v, ended %v, want 0 to %d in order", workers, begun, ended, len(parts)-1)
			}
			if got := stats.Bytes.Load(); got != int64(len(data)) {
				t.Errorf("%d workers: %d bytes counted, want %d", workers, got, len(data))
			}
		}
	}
}

// Whatever fails first in time, the error of the first block in the file is returned, and no
// End comes after it.
func TestFirstErrorWins(t *testing.T) {
	src := source(text(1_000_000))
	for range 20 {
		ended := -1
		err := (&blocks.Job{
			Source: src, Start: start(), Cut: lines, Workers: 4,
			Work: func(_ int, b *blocks.Block) error {
				if b.Index >= 3 {
					return fmt.Errorf("block %d", b.Index)
				}
				return nil
			},
			End: func(b *blocks.Block) error { ended = b.Index; return nil },
		}).Run(t.Context())
		if err == nil || err.Error() != "block 3" || ended != 2 {
			t.Fatalf("error %v, ended %d, want block 3 and 2", err, ended)
		}
	}
}

func TestStop(t *testing.T) {
	src := source(text(1_000_000))
	for name, job := range map[string]*blocks.Job{
		"work":  {Work: func(int, *blocks.Block) error { return codec.ErrStop }},
		"begin": {Begin: func(*blocks.Block) error { return codec.ErrStop }},
		"end":   {Work: func(int, *blocks.Block) error { return nil }, End: func(*blocks.Block) error { return codec.ErrStop }},
	} {
		job.Source, job.Start, job.Cut, job.Workers = src, start(), lines, 3
		if err := job.Run(t.Context()); err != nil {
			t.Errorf("%s: %v, want nil", name, err)
		}
	}
}

// Cancelling wakes a worker that waits for a pipe, and ends blocks under way.
func TestCancel(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		w.Write(text(1000))
		cancel()
	}()
	src := &codec.Source{Name: "pipe", Open: func(context.Context) (io.ReadCloser, error) { return r, nil }}
	err := (&blocks.Job{Source: src, Start: start(), Cut: lines, Work: func(int, *blocks.Block) error { return nil }}).Run(ctx)
	if err != context.Canceled {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestReadErrors(t *testing.T) {
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	g.Write(text(200_000))
	g.Close()
	cut := z.Bytes()[:z.Len()/2]
	broken := errors.New("broken disk")
	short := source(text(100))
	short.Size += 5
	for _, c := range []struct {
		name string
		src  *codec.Source
		want string
	}{
		{"compressed data cut short", &codec.Source{Name: "x.gz", Open: func(context.Context) (io.ReadCloser, error) { return gzip.NewReader(bytes.NewReader(cut)) }}, "x.gz: ends in the middle of its compressed data"},
		{"failing reader", &codec.Source{Name: "x", Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("a\n"), failing{broken})), nil
		}}, "x: cannot be read: broken disk"},
		{"file became shorter", short, "x: became shorter while it was read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := (&blocks.Job{Source: c.src, Start: start(), Cut: lines, Work: func(int, *blocks.Block) error { return nil }}).Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || dataknobs.CodeOf(err) != dataknobs.DataLoss {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A window reads records in any order.
func TestWindow(t *testing.T) {
	data := text(10_000)
	stream := source(data)
	stream.ReaderAt = nil
	end := func(b []byte, last bool) (int, error) { return bytes.IndexByte(b, '\n') + 1, nil }
	for _, src := range []*codec.Source{source(data), stream} {
		w := blocks.Window{Source: src}
		for _, i := range []int{0, 1, 5000, 9999, 3, 4, 9998} {
			want := fmt.Sprintf("line %d\n", i)
			got, err := w.Read(t.Context(), int64(bytes.Index(data, []byte(want))), end)
			if err != nil || string(got) != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
		if _, err := w.Read(t.Context(), int64(len(data)), end); dataknobs.CodeOf(err) != dataknobs.DataLoss {
			t.Errorf("behind the end: %v, want DataLoss", err)
		}
		w.Close()
	}
}
