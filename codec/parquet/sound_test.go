package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	lib "github.com/parquet-go/parquet-go"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/parquet"
)

// shapes are columns that are written in different ways: their values by row.
var shapes = []struct {
	name, kind string
	at         func(i int) dataknobs.Value
}{
	{"one", "int", func(int) dataknobs.Value { return dataknobs.Int(7) }},
	{"few", "int", func(i int) dataknobs.Value { return dataknobs.Int(int64(i * 7919 % 300)) }},
	{"runs", "int", func(i int) dataknobs.Value { return dataknobs.Int(int64(-i / 1000)) }},
	{"unique", "int", func(i int) dataknobs.Value { return dataknobs.Int(int64(i) << 40) }},
	{"full", "int", func(i int) dataknobs.Value { // its dictionary, in the end
		if i < 5_000 {
			i %= 100
		}
		return dataknobs.Int(int64(i))
	}},
	{"holes", "int", func(i int) dataknobs.Value { return orNull(i%7 == 0, dataknobs.Int(int64(i%100))) }},
	{"late", "int", func(i int) dataknobs.Value { return orNull(i < 20_000, dataknobs.Int(int64(i))) }},
	{"null", "null", func(int) dataknobs.Value { return dataknobs.Null() }},
	{"float", "float", func(i int) dataknobs.Value { return dataknobs.Float(math.Copysign(float64(i%50), float64(i%2)-0.5)) }},
	{"bool", "bool", func(i int) dataknobs.Value { return orNull(i%5 == 0, dataknobs.Bool(i%3 == 0)) }},
	{"time", "time", func(i int) dataknobs.Value { return dataknobs.TimeMicros(int64(i/9) * 1e6) }},
	{"word", "string", func(i int) dataknobs.Value { return orNull(i%11 == 0, dataknobs.String(fmt.Sprint("w", i%40))) }},
	{"text", "string", func(i int) dataknobs.Value { return dataknobs.String(strings.Repeat("é", i%20) + fmt.Sprint(i)) }},
	{"long", "string", func(i int) dataknobs.Value { return dataknobs.String(strings.Repeat("x", 600) + fmt.Sprint(i%100)) }},
	{"bytes", "bytes", func(i int) dataknobs.Value { return dataknobs.Bytes(bytes.Repeat([]byte{0xff}, i%30)) }},
	{"number", "number", func(i int) dataknobs.Value {
		return []dataknobs.Value{dataknobs.Int(1), dataknobs.Float(1)}[i%2]
	}},
	{"json", "json", func(i int) dataknobs.Value { return orNull(i%2 == 0, dataknobs.Array(dataknobs.Int(int64(i%9)))) }},
	{"list", "array<int>", func(i int) dataknobs.Value {
		return orNull(i%13 == 0, dataknobs.Array([]dataknobs.Value{dataknobs.Int(int64(i)), dataknobs.Null(), dataknobs.Int(5)}[:i%4]...))
	}},
}

func orNull(null bool, v dataknobs.Value) dataknobs.Value {
	if null {
		return dataknobs.Null()
	}
	return v
}

// vector returns a shape's rows [from, to), with codes if it can have them.
func vector(at func(int) dataknobs.Value, from, to int, coded bool) codec.Vector {
	if !coded {
		var v codec.Vector
		for i := from; i < to; i++ {
			v.Values = append(v.Values, at(i))
		}
		return v
	}
	v := codec.Vector{Values: []dataknobs.Value{{}}, Codes: []uint16{}}
	seen := map[string]uint16{}
	for i := from; i < to; i++ {
		x := at(i)
		code, ok := seen[string(x.AppendTaggedJSON(nil))]
		if !ok && !x.IsNull() {
			if len(v.Values) > math.MaxUint16 {
				return vector(at, from, to, false)
			}
			code = uint16(len(v.Values))
			v.Values = append(v.Values, x)
			seen[string(x.AppendTaggedJSON(nil))] = code
		}
		v.Codes = append(v.Codes, code)
	}
	return v
}

// writeShapes writes rows of the shapes in chunks of that many rows, each of
// which fill fills.
func writeShapes(t *testing.T, rows, chunk int, fill func(c codec.VectorChunk, from, to int) error) []byte {
	t.Helper()
	l := &codec.Layout{}
	for _, s := range shapes {
		l.Columns = append(l.Columns, codec.Column{Name: s.name, Kind: s.kind})
	}
	var b bytes.Buffer
	w, err := parquet.Format{}.NewWriter(&b, &codec.WriteOptions{Layout: l})
	if err != nil {
		t.Fatal(err)
	}
	cw := w.(codec.ChunkWriter)
	for from := 0; from < rows; from += chunk {
		c := cw.NewChunk().(codec.VectorChunk)
		if err := fill(c, from, min(from+chunk, rows)); err != nil {
			t.Fatal(err)
		}
		if err := cw.WriteChunk(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func byRow(c codec.VectorChunk, from, to int) error {
	row := make([]dataknobs.Value, len(shapes))
	for i := from; i < to; i++ {
		for k := range shapes {
			row[k] = shapes[k].at(i)
		}
		if err := c.AppendRow(row); err != nil {
			return err
		}
	}
	return nil
}

func byColumn(coded bool) func(c codec.VectorChunk, from, to int) error {
	return func(c codec.VectorChunk, from, to int) error {
		var vs []codec.Vector
		for _, s := range shapes {
			vs = append(vs, vector(s.at, from, to, coded))
		}
		return c.AppendVectors(to-from, vs)
	}
}

// Whatever way rows are appended, both readers find them, and all that the
// file says of its pages is true.
func TestSound(t *testing.T) {
	const rows = 45_000
	for _, c := range []struct {
		name  string
		chunk int
		fill  func(c codec.VectorChunk, from, to int) error
	}{
		{"rows", 3000, byRow},
		{"columns", 7000, byColumn(false)},
		{"codes", 11_000, byColumn(true)},
		{"small chunks of codes", 777, byColumn(true)},
		{"one chunk of codes", rows, byColumn(true)},
		{"codes, rows, columns", 6000, func(c codec.VectorChunk, from, to int) error {
			err := byColumn(true)(c, from, from+2000)
			if err == nil {
				err = byRow(c, from+2000, from+2500)
			}
			if err == nil {
				err = byColumn(true)(c, from+2500, to)
			}
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := writeShapes(t, rows, c.chunk, c.fill)
			checkSound(t, data)
			f, err := open(t, "x", data, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := codec.Scan{NoRecords: true}
			for _, x := range shapes {
				s.Slots = append(s.Slots, path(x.name))
			}
			got, err := scan(t, f, s, nil)
			if err != nil || len(got) != rows {
				t.Fatalf("%d rows, want %d: %v", len(got), rows, err)
			}
			for i, r := range got {
				for k, v := range r.values {
					if want := shapes[k].at(i); !v.Identical(want) {
						t.Fatalf("row %d, column %s: %s, want %s", i, shapes[k].name, v, want)
					}
				}
			}
		})
	}
}

// checkSound reads a file with the library and compares what the metadata say
// of every page with its values.
func checkSound(t *testing.T, data []byte) {
	t.Helper()
	f, err := lib.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for g, rg := range f.RowGroups() {
		for i, c := range rg.ColumnChunks() {
			m := &f.Metadata().RowGroups[g].Columns[i].MetaData
			name := strings.Join(m.PathInSchema, ".")
			p := &pageCheck{t: t, name: name, c: c.(*lib.FileColumnChunk)}
			p.run()
			if p.values != m.NumValues || p.nulls != m.Statistics.NullCount {
				t.Errorf("%s: %d values, %d nulls, the metadata say %d and %d", name, p.values, p.nulls, m.NumValues, m.Statistics.NullCount)
			}
			if m.Statistics.MinValue != nil && !p.empty {
				kind := c.Type().Kind()
				if lo, hi := kind.Value(m.Statistics.MinValue), kind.Value(m.Statistics.MaxValue); c.Type().Compare(lo, p.min) != 0 || c.Type().Compare(hi, p.max) != 0 {
					t.Errorf("%s: from %v to %v, the metadata say %v to %v", name, p.min, p.max, lo, hi)
				}
			}
		}
	}
}

// A pageCheck goes through the pages of one column of a row group.
type pageCheck struct {
	t             *testing.T
	name          string
	c             *lib.FileColumnChunk
	values, nulls int64
	rows          int64
	min, max      lib.Value
	empty         bool
}

func (p *pageCheck) run() {
	p.empty = true
	bounds, err := p.c.ColumnIndex()
	if err != nil && !errors.Is(err, lib.ErrMissingColumnIndex) {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	offsets, err := p.c.OffsetIndex()
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	pages := p.c.Pages()
	defer pages.Close()
	for i := 0; ; i++ {
		pg, err := pages.ReadPage()
		if err == io.EOF {
			if i != offsets.NumPages() {
				p.t.Errorf("%s: %d pages, the index has %d", p.name, i, offsets.NumPages())
			}
			return
		}
		if err != nil {
			p.t.Fatalf("%s: page %d: %v", p.name, i, err)
		}
		if at := offsets.FirstRowIndex(i); at != p.rows {
			p.t.Errorf("%s: page %d starts with row %d, the index says %d", p.name, i, p.rows, at)
		}
		p.page(pg, i, bounds)
		lib.Release(pg)
	}
}

func (p *pageCheck) page(pg lib.Page, i int, bounds lib.ColumnIndex) {
	vs := make([]lib.Value, pg.NumValues())
	if n, err := pg.Values().ReadValues(vs); n != len(vs) || err != nil && err != io.EOF {
		p.t.Fatalf("%s: page %d: %d values of %d: %v", p.name, i, n, len(vs), err)
	}
	nulls := int64(0)
	for _, v := range vs {
		if v.RepetitionLevel() == 0 {
			p.rows++
		}
		if v.IsNull() {
			nulls++
			continue
		}
		p.extend(v)
		if bounds != nil && (p.compare(v, bounds.MinValue(i)) < 0 || p.compare(v, bounds.MaxValue(i)) > 0) {
			p.t.Fatalf("%s: page %d holds %v, and should hold values from %v to %v", p.name, i, v, bounds.MinValue(i), bounds.MaxValue(i))
		}
	}
	p.values += int64(len(vs))
	p.nulls += nulls
	if bounds != nil && (bounds.NullCount(i) != nulls || bounds.NullPage(i) != (nulls == int64(len(vs)))) {
		p.t.Errorf("%s: page %d has %d nulls, the index says %d (%v)", p.name, i, nulls, bounds.NullCount(i), bounds.NullPage(i))
	}
}

func (p *pageCheck) compare(a, b lib.Value) int { return p.c.Type().Compare(a, b) }

func (p *pageCheck) extend(v lib.Value) {
	if p.empty || p.compare(v, p.min) < 0 {
		p.min = v.Clone()
	}
	if p.empty || p.compare(v, p.max) > 0 {
		p.max = v.Clone()
	}
	p.empty = false
}

// A column that does not fit leaves the chunk as it was.
func TestVectorsThatDoNotFit(t *testing.T) {
	one := codec.Vector{Values: []dataknobs.Value{dataknobs.Int(1), dataknobs.Int(2)}}
	coded := codec.Vector{Values: []dataknobs.Value{{}, dataknobs.Int(3)}, Codes: []uint16{1, 0}}
	for _, bad := range []codec.Vector{
		{Values: []dataknobs.Value{dataknobs.String("x"), dataknobs.Int(1)}},
		{Values: []dataknobs.Value{dataknobs.String("x"), dataknobs.Float(math.NaN())}},
		{Values: []dataknobs.Value{{}, dataknobs.String("x"), dataknobs.Int(1)}, Codes: []uint16{1, 2}},
	} {
		for _, before := range []int{0, 1, 2} {
			var b bytes.Buffer
			w, err := parquet.Format{}.NewWriter(&b, &codec.WriteOptions{Layout: layout("a int, s string, z int")})
			if err != nil {
				t.Fatal(err)
			}
			cw := w.(codec.ChunkWriter)
			c := cw.NewChunk().(codec.VectorChunk)
			good := codec.Vector{Values: []dataknobs.Value{{}, dataknobs.String("y")}, Codes: []uint16{1, 1}}
			for range before {
				if err := c.AppendVectors(2, []codec.Vector{one, good, coded}); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.AppendVectors(2, []codec.Vector{coded, bad, one}); !errors.Is(err, dataknobs.InvalidArgument) {
				t.Errorf("after %d: %v, want InvalidArgument", before, err)
			}
			if err := c.AppendVectors(2, []codec.Vector{one, good}); !errors.Is(err, dataknobs.InvalidArgument) {
				t.Errorf("too few columns: %v, want InvalidArgument", err)
			}
			if err := c.AppendVectors(2, []codec.Vector{coded, good, one}); err != nil || c.Rows() != 2*before+2 {
				t.Errorf("after %d: %d rows, %v", before, c.Rows(), err)
			}
			if err := cw.WriteChunk(c); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			f, err := open(t, "x", b.Bytes(), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, r := range all(t, f) {
				got += text(r.Fields)
			}
			want := strings.Repeat(`{"a":1,"s":"y","z":3}{"a":2,"s":"y","z":null}`, before) + `{"a":3,"s":"y","z":1}{"a":null,"s":"y","z":2}`
			if got != want {
				t.Errorf("after %d:\n got %s\nwant %s", before, got, want)
			}
		}
	}
}
