package parquet_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/parquet"
)

// open opens bytes as a file.
func open(t testing.TB, name string, data []byte, o *codec.ReadOptions) (codec.File, error) {
	t.Helper()
	src := codec.Source{Name: name, ReaderAt: bytes.NewReader(data), Size: int64(len(data))}
	f, err := parquet.Format{}.Open(t.Context(), src, o)
	if err == nil {
		t.Cleanup(func() { f.Close() })
	}
	return f, err
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testdata(t testing.TB, name string) codec.File {
	t.Helper()
	f, err := open(t, name, read(t, name), nil)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	return f
}

// wanted reads records from a NDJSON file of tagged JSON.
func wanted(t testing.TB, name string) []dataknobs.Fields {
	t.Helper()
	var out []dataknobs.Fields
	for line := range strings.Lines(string(read(t, name))) {
		v, err := dataknobs.ParseTaggedJSON([]byte(strings.TrimSpace(line)))
		if err != nil {
			t.Fatalf("%s: %v in %s", name, err, line)
		}
		out = append(out, v.Fields())
	}
	return out
}

// A visitor calls row for each row, and end, if it is not nil, at the end.
type visitor struct {
	row func(codec.Row) error
	end func()
}

func (v visitor) Row(r codec.Row) error { return v.row(r) }

func (v visitor) End() error {
	if v.end != nil {
		v.end()
	}
	return nil
}

// A visit is what a test keeps of a row.
type visit struct {
	number int64
	offset int64
	values []dataknobs.Value
	rec    *dataknobs.Record
}

// scan runs s and returns the rows for which keep (nil: all) is true, in their
// order.
func scan(t testing.TB, f codec.File, s codec.Scan, keep func(codec.Row) bool) ([]visit, error) {
	t.Helper()
	var mu sync.Mutex
	var out []visit
	begun := 0
	s.Begin = func(block int) (codec.Visitor, error) {
		if block != begun {
			return nil, fmt.Errorf("block %d begun where %d was expected", block, begun)
		}
		begun++
		var mine []visit
		row := func(r codec.Row) error {
			if keep != nil && !keep(r) {
				return nil
			}
			v := visit{number: r.Number(), offset: r.Offset()}
			for i := range s.Slots {
				v.values = append(v.values, r.Value(i).Clone())
			}
			if !s.NoRecords {
				rec, err := r.Record()
				if err != nil {
					return err
				}
				v.rec = rec
			}
			mine = append(mine, v)
			return nil
		}
		return visitor{row, func() {
			mu.Lock()
			defer mu.Unlock()
			out = append(out, mine...)
		}}, nil
	}
	err := f.Scan(t.Context(), &s)
	slices.SortFunc(out, func(a, b visit) int { return int(a.number - b.number) })
	return out, err
}

func all(t testing.TB, f codec.File) []*dataknobs.Record {
	t.Helper()
	rows, err := scan(t, f, codec.Scan{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	recs := make([]*dataknobs.Record, len(rows))
	for i, r := range rows {
		if r.number != int64(i) {
			t.Fatalf("row %d has the number %d", i, r.number)
		}
		recs[i] = r.rec
	}
	return recs
}

func text(f dataknobs.Fields) string {
	return string(dataknobs.Object(f).AppendTaggedJSON(nil))
}

// path reads a path such as a.b[0].
func path(s string) dataknobs.Path {
	var p dataknobs.Path
	for _, part := range strings.Split(s, ".") {
		name, index, _ := strings.Cut(part, "[")
		p = p.Child(name)
		if index != "" {
			var i int
			fmt.Sscanf(index, "%d]", &i)
			p = p.At(i)
		}
	}
	return p
}

func cond(p string, op dataknobs.Op, args ...any) *dataknobs.Cond {
	c := &dataknobs.Cond{Path: path(p), Op: op}
	for _, a := range args {
		v, err := dataknobs.ValueOf(a)
		if err != nil {
			panic(err)
		}
		c.Args = append(c.Args, v)
	}
	return c
}
