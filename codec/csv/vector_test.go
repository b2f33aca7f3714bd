package csv_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A grid keeps the values of a scan's slots, a line for each row, by block.
type grid struct {
	mu     sync.Mutex
	blocks [][]string
	coded  int // columns that came with codes
}

func (g *grid) String() string { return strings.Join(slices.Concat(g.blocks...), "\n") }

type rowVisitor struct {
	g     *grid
	block int
	slots int
	rows  []string
}

func (v *rowVisitor) Row(r codec.Row) error {
	var b []byte
	for i := range v.slots {
		b = append(r.Value(i).AppendTaggedJSON(b), ' ')
	}
	v.rows = append(v.rows, string(b))
	return nil
}

func (v *rowVisitor) End() error {
	v.g.mu.Lock()
	defer v.g.mu.Unlock()
	for len(v.g.blocks) <= v.block {
		v.g.blocks = append(v.g.blocks, nil)
	}
	v.g.blocks[v.block] = v.rows
	return nil
}

type vectorVisitor struct{ rowVisitor }

func (v *vectorVisitor) Vectors(rows int, slots []codec.Vector) error {
	for i := range rows {
		var b []byte
		for k := range slots {
			b = append(slots[k].At(i).AppendTaggedJSON(b), ' ')
		}
		v.rows = append(v.rows, string(b))
	}
	v.g.mu.Lock()
	defer v.g.mu.Unlock()
	for _, s := range slots {
		if s.Codes != nil {
			v.g.coded++
		}
	}
	return nil
}

// slots reads every column, as rows or as columns.
func slots(ctx context.Context, f codec.File, columns bool) (*grid, error) {
	s := codec.Scan{NoRecords: true, Speculate: true, Workers: 2}
	for _, name := range f.Columns() {
		s.Slots = append(s.Slots, dataknobs.Names(name))
	}
	for {
		g := &grid{}
		s.Begin = func(i int) (codec.Visitor, error) {
			v := rowVisitor{g: g, block: i, slots: len(s.Slots)}
			if columns {
				return &vectorVisitor{v}, nil
			}
			return &v, nil
		}
		if err := f.Scan(ctx, &s); err != codec.ErrUnsettled {
			return g, err
		}
	}
}

// sameSlots compares the two ways to read a file. It returns what was read.
func sameSlots(t *testing.T, text string, o *codec.ReadOptions) *grid {
	t.Helper()
	byRow, rowErr := slots(t.Context(), open(t, []byte(text), o), false)
	byColumn, err := slots(t.Context(), open(t, []byte(text), o), true)
	if fmt.Sprint(err) != fmt.Sprint(rowErr) {
		t.Fatalf("%.200q: by columns the error is %v, by rows %v", text, err, rowErr)
	}
	if err == nil && byColumn.String() != byRow.String() {
		t.Fatalf("%.200q: by columns\n%.2000s\nby rows\n%.2000s", text, byColumn, byRow)
	}
	return byColumn
}

func TestVectors(t *testing.T) {
	kinds := func(k dataknobs.Kind) map[string]dataknobs.Kind { return map[string]dataknobs.Kind{"a": k} }
	far := strings.Repeat("1,a text that is much longer than the number\n", 10_000)
	for _, c := range []struct {
		name string
		text string
		o    codec.ReadOptions
	}{
		{"numbers", "a,b\n1,2.5\n-3,\n007,1e3\n", codec.ReadOptions{}},
		{"quotes", "a,b\n\"1\",\"x \"\"y\"\" z\"\n1,\"two\nlines\"\n\"\",\"x \"\"y\"\" z\"\n,\n", codec.ReadOptions{}},
		{"CRLF and blank lines", "a,b\r\n1,x\r\n\r\n2,\r\n", codec.ReadOptions{}},
		{"one column", "a\n1\n\n2\n", codec.ReadOptions{}},
		{"words for null", "a,b\nNA,NA\n1,\"NA\"\n-,x\n", codec.ReadOptions{CSV: codec.CSVOptions{Nulls: []string{"NA", "-"}}}},
		{"a number for null", "a,b\n-1,x\n1,\"-1\"\n", codec.ReadOptions{CSV: codec.CSVOptions{Nulls: []string{"-1"}}}},
		{"times and bools", "a,b\n2013-01-01T10:00:00Z,true\n2013-01-01T10:00:00Z,FALSE\n2013-01-01T11:00:00.5+01:00,\n", codec.ReadOptions{}},
		{"latin-1", "a,b\ncaf\xe9,1\ncaf\xe9,2\n\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9,3\n", codec.ReadOptions{CSV: codec.CSVOptions{Latin1: true}}},
		{"bytes", "a,b\nAAE=,1\n,2\nAAE=,1\n", codec.ReadOptions{Types: kinds(dataknobs.KindBytes)}},
		{"not bytes", "a,b\nAAE=,1\n!,2\n", codec.ReadOptions{Types: kinds(dataknobs.KindBytes)}},
		{"JSON", "a,b\n\"[1,\"\"x\\n\"\"]\",1\n\"{\"\"k\"\":\"\"y\\t\"\"}\",2\n", codec.ReadOptions{Types: kinds(dataknobs.KindArray)}},
		{"not UTF-8", "a,b\nx,1\ny,2\n\xff,3\n", codec.ReadOptions{}},
		{"NUL", "a,b\nx,1\nx\x00,1\n", codec.ReadOptions{}},
		{"ragged", "a,b\n1,2\n1\n", codec.ReadOptions{}},
		{"padded", "a,b\n1,2\n1\n", codec.ReadOptions{CSV: codec.CSVOptions{Pad: true}}},
		{"a cell before a ragged row", "a,b\n1,2\nx,2\n1\n", codec.ReadOptions{Types: kinds(dataknobs.KindInt)}},
		{"the first of two bad rows", "a,b\n1,2\n1,y\nx,2\n", codec.ReadOptions{Types: map[string]dataknobs.Kind{"a": dataknobs.KindInt, "b": dataknobs.KindInt}}},
		{"a bad quote", "a,b\n1,2\n\"x\"y,2\n", codec.ReadOptions{}},
		{"long cells", "a,b\n" + strings.Repeat("x", 255) + ",1\n" + strings.Repeat("x", 256) + ",1\n" + strings.Repeat("x", 254) + "y,1\n", codec.ReadOptions{}},
		{"prefixes", "a,b\n12345678,1\n1234567,1\n123456789,1\nabcdefgh,1\nabcdefghi,1\nabcdefg,1\n", codec.ReadOptions{}},
		{"a string far down", "a,b\n" + far + "y,x\n", codec.ReadOptions{}},
		{"a float far down", "a,b\n" + far + "1.5,x\n", codec.ReadOptions{}},
		{"a bad row far down", "a,b\n" + far + "1\n", codec.ReadOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) { sameSlots(t, c.text, &c.o) })
	}
}

// Columns with few texts have codes, those with many have none.
func TestVectorsOfManyTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("n,few,some,many,long,time,late\n")
	for i := range 60_000 {
		late := ""
		if i > 30_000 {
			late = fmt.Sprint(i)
		}
		fmt.Fprintf(&b, "%d,%d,%s,%.6f,\"text %d of this row\",2024-01-01T00:%02d:%02dZ,%s\n",
			i, r.IntN(50), strings.Repeat("ab", r.IntN(9)), r.Float64(), r.IntN(1e9), r.IntN(60), r.IntN(60), late)
	}
	g := sameSlots(t, b.String(), &codec.ReadOptions{})
	if all := 7 * len(g.blocks); g.coded == 0 || g.coded >= all {
		t.Errorf("%d columns of %d have codes", g.coded, all)
	}
}
