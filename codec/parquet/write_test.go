package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/parquet"
)

// write writes records and returns the file.
func write(t testing.TB, o *codec.WriteOptions, recs ...*dataknobs.Record) ([]byte, error) {
	t.Helper()
	var b bytes.Buffer
	w, err := parquet.Format{}.NewWriter(&b, o)
	if err != nil {
		return nil, err
	}
	for _, r := range recs {
		if err := w.Write(r); err != nil {
			w.Close()
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}

// layout reads "name kind, name kind, …".
func layout(s string) *codec.Layout {
	l := &codec.Layout{}
	for _, c := range strings.Split(s, ", ") {
		if name, kind, ok := strings.Cut(c, " "); ok {
			l.Columns = append(l.Columns, codec.Column{Name: name, Kind: kind})
		}
	}
	return l
}

var allKinds = "b bool, i int, f float, s string, t time, y bytes, n number, j json, z null, " +
	"lb array<bool>, li array<int>, lf array<float>, ls array<string>, lt array<time>, ly array<bytes>"

func sample() []*dataknobs.Record {
	at := time.Date(2013, 1, 1, 10, 0, 0, 123456000, time.UTC)
	a := func(vs ...any) dataknobs.Value {
		if vs == nil {
			return dataknobs.Array()
		}
		v, err := dataknobs.ValueOf(vs)
		if err != nil {
			panic(err)
		}
		return v
	}
	obj := dataknobs.Object(dataknobs.Fields{dataknobs.F("$time", "x"), dataknobs.F("deep", []any{1, 1.0, nil, at, []byte{0}})})
	full := dataknobs.Fields{
		dataknobs.F("b", true), dataknobs.F("i", math.MinInt64), dataknobs.F("f", 1.0), dataknobs.F("s", ""), dataknobs.F("t", at),
		dataknobs.F("y", []byte{}), dataknobs.F("n", 1), {Name: "j", Value: obj}, dataknobs.F("z", nil),
		{Name: "lb", Value: a(true, nil, false)}, {Name: "li", Value: a(1, nil, 3)}, {Name: "lf", Value: a(0.5)}, {Name: "ls", Value: a("", "é")},
		{Name: "lt", Value: a(at)}, {Name: "ly", Value: a([]byte{1}, []byte{})},
	}
	other := dataknobs.Fields{
		dataknobs.F("b", false), dataknobs.F("i", math.MaxInt64), dataknobs.F("f", -1e300), dataknobs.F("s", "日本"), dataknobs.F("t", time.Unix(0, 0)),
		dataknobs.F("y", []byte{0, 255}), dataknobs.F("n", 1.0), dataknobs.F("j", at), dataknobs.F("z", nil),
		{Name: "lb", Value: a()}, {Name: "li", Value: a()}, {Name: "lf", Value: a(nil)}, {Name: "ls", Value: a()}, {Name: "lt", Value: a(nil, nil)}, {Name: "ly", Value: a()},
	}
	return []*dataknobs.Record{
		{ID: "one/ü", Fields: full, Metadata: dataknobs.Fields{dataknobs.F("source", "a"), dataknobs.F("at", at)}},
		{ID: "two", Fields: other},
		{ID: "3", Fields: dataknobs.Fields{dataknobs.F("n", 2.5), dataknobs.F("j", 7)}},
		{ID: "4"},
	}
}

// filled returns r with an explicit null for each column that it lacks.
func filled(r *dataknobs.Record, l *codec.Layout) *dataknobs.Record {
	c := r.Clone()
	c.Fields = nil
	for _, col := range l.Columns {
		c.Fields = append(c.Fields, dataknobs.Field{Name: col.Name, Value: r.Get(col.Name)})
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	for _, comp := range []string{"", "zstd", "snappy", "gzip", "none"} {
		t.Run("compression="+comp, func(t *testing.T) {
			l := layout(allKinds)
			l.ID, l.Meta = "the id", "_meta"
			recs := sample()
			data, err := write(t, &codec.WriteOptions{Layout: l, Compression: comp}, recs...)
			if err != nil {
				t.Fatal(err)
			}
			f, err := open(t, "x.parquet", data, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range all(t, f) {
				if want := filled(recs[i], l); !got.Identical(want) {
					t.Errorf("record %d:\n got %q %s %s\nwant %q %s %s", i, got.ID, text(got.Fields), text(got.Metadata), want.ID, text(want.Fields), text(want.Metadata))
				}
			}
			back, err := f.Layout(t.Context())
			if err != nil || back.ID != l.ID || back.Meta != l.Meta || fmt.Sprint(back.Columns) != fmt.Sprint(l.Columns) {
				t.Errorf("the layout is %+v (%v), want %+v", back, err, l)
			}
			rows, err := scan(t, f, codec.Scan{NoRecords: true, Slots: []dataknobs.Path{path("_meta.source"), dataknobs.PathID, path("j.deep[1]"), path("li[2]")}}, nil)
			if err != nil || fmt.Sprint(rows[0].values) != `['a' 'one/ü' 1.0 3]` {
				t.Errorf("slots are %v (%v)", rows[0].values, err)
			}
		})
	}
}

func TestRecordsThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		kind  string
		value any
	}{
		{"int", 1.0}, {"int", "1"}, {"float", 1}, {"float", math.NaN()}, {"number", math.Inf(1)}, {"number", "1"}, {"string", 1},
		{"time", "2020-01-01"}, {"bytes", "x"}, {"bool", 1}, {"null", 0}, {"array<int>", 1}, {"array<int>", []any{1, "x"}},
		{"array<float>", []any{0.5, math.NaN()}},
	} {
		l := layout("a int, x " + c.kind + ", z array<string>")
		var b bytes.Buffer
		w, err := parquet.Format{}.NewWriter(&b, &codec.WriteOptions{Layout: l})
		if err != nil {
			t.Fatal(err)
		}
		good := dataknobs.NewRecord("", dataknobs.F("a", 1), dataknobs.F("z", []string{"p", "q"}))
		bad := dataknobs.NewRecord("", dataknobs.F("a", 2), dataknobs.F("x", c.value), dataknobs.F("z", []string{"r"}))
		for _, r := range []*dataknobs.Record{good, bad, good} {
			if err := w.Write(r); (r == bad) != errors.Is(err, dataknobs.InvalidArgument) {
				t.Errorf("%s: writing %s: %v", c.kind, text(r.Fields), err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := open(t, "x", b.Bytes(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := all(t, f); len(got) != 2 || got[1].Get("a").Int() != 1 || got[1].Get("z").Len() != 2 {
			t.Errorf("%s: the refused record left its traces: %d records", c.kind, len(got))
		}
	}
	_, err := write(t, &codec.WriteOptions{Layout: layout("a int")}, dataknobs.NewRecord("", dataknobs.F("b", 1)))
	if !errors.Is(err, dataknobs.InvalidArgument) {
		t.Errorf("a field without a column: %v", err)
	}
	for _, o := range []*codec.WriteOptions{nil, {}, {Layout: layout("a int, a int")}, {Layout: layout("a colour")}, {Layout: layout("a int"), Compression: "lzma"}} {
		if _, err := (parquet.Format{}).NewWriter(&bytes.Buffer{}, o); !errors.Is(err, dataknobs.InvalidArgument) {
			t.Errorf("options %+v: %v", o, err)
		}
	}
}

// Records without any field are counted still.
func TestNoColumns(t *testing.T) {
	data, err := write(t, &codec.WriteOptions{Layout: &codec.Layout{}}, &dataknobs.Record{}, &dataknobs.Record{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := open(t, "x", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, f); len(got) != 2 || len(got[0].Fields) != 0 || len(f.Columns()) != 0 {
		t.Errorf("%d records, columns %q", len(got), f.Columns())
	}
	if data, err = write(t, &codec.WriteOptions{Layout: layout("a int, b string")}); err != nil {
		t.Fatal(err)
	}
	if f, err = open(t, "x", data, nil); err != nil || len(all(t, f)) != 0 || len(f.Columns()) != 2 {
		t.Errorf("a file without records: %v", err)
	}
}

// Chunks filled by many goroutines stand in the order of WriteChunk.
func TestChunks(t *testing.T) {
	const chunks, rows = 60, 5000
	var b bytes.Buffer
	w, err := parquet.Format{}.NewWriter(&b, &codec.WriteOptions{Layout: layout("n int, s string, wide string")})
	if err != nil {
		t.Fatal(err)
	}
	cw := w.(codec.ChunkWriter)
	made := make([]codec.Chunk, chunks)
	var wg sync.WaitGroup
	for c := range made {
		wg.Go(func() {
			made[c] = cw.NewChunk()
			var buf []byte
			for i := range rows {
				n := c*rows + i
				buf = fmt.Appendf(buf[:0], "text %d", n)
				s := dataknobs.String(string(buf[:5+n%2]))
				wide := dataknobs.String(string(buf))
				if n%10 == 0 {
					wide = dataknobs.Null()
				}
				if err := made[c].AppendRow([]dataknobs.Value{dataknobs.Int(int64(n)), s, wide}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, c := range made {
		if c.Rows() != rows {
			t.Fatalf("a chunk has %d rows", c.Rows())
		}
		if err := cw.WriteChunk(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := open(t, "x", b.Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := scan(t, f, codec.Scan{NoRecords: true, Slots: []dataknobs.Path{path("n"), path("wide")}}, nil)
	if err != nil || len(got) != chunks*rows {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	for i, r := range got {
		want := dataknobs.String(fmt.Sprintf("text %d", i))
		if i%10 == 0 {
			want = dataknobs.Null()
		}
		if r.values[0].Int() != int64(i) || !r.values[1].Identical(want) {
			t.Fatalf("row %d is %s", i, r.values)
		}
	}
}

// A writer that fails says so, at the latest at Close.
func TestWriteError(t *testing.T) {
	full := errors.New("disk full")
	w, err := parquet.Format{}.NewWriter(failing{full}, &codec.WriteOptions{Layout: layout("n int, s string")})
	if err != nil {
		t.Fatal(err)
	}
	var first error
	for i := range 300_000 {
		if first = w.Write(dataknobs.NewRecord("", dataknobs.F("n", i), dataknobs.F("s", fmt.Sprint(i)))); first != nil {
			break
		}
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("close: %v (write: %v)", err, first)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestRoundTripOfAnything(t *testing.T) {
	kinds := []string{"int", "float", "string", "bytes", "bool", "time", "json", "number", "array<int>", "array<string>"}
	rapid.Check(t, func(rt *rapid.T) {
		l := &codec.Layout{}
		for i := range rapid.IntRange(1, 5).Draw(rt, "columns") {
			l.Columns = append(l.Columns, codec.Column{Name: fmt.Sprint("c", i), Kind: rapid.SampledFrom(kinds).Draw(rt, "kind")})
		}
		var recs []*dataknobs.Record
		for range rapid.IntRange(0, 40).Draw(rt, "rows") {
			r := &dataknobs.Record{}
			for _, c := range l.Columns {
				r.Fields = append(r.Fields, dataknobs.Field{Name: c.Name, Value: draw(rt, c.Kind)})
			}
			recs = append(recs, r)
		}
		data, err := write(t, &codec.WriteOptions{Layout: l}, recs...)
		if err != nil {
			rt.Fatal(err)
		}
		f, err := open(t, "x", data, nil)
		if err != nil {
			rt.Fatal(err)
		}
		for i, r := range all(t, f) {
			if !r.Identical(recs[i]) {
				rt.Fatalf("record %d:\n got %s\nwant %s", i, text(r.Fields), text(recs[i].Fields))
			}
		}
	})
}

func draw(rt *rapid.T, kind string) dataknobs.Value {
	if rapid.IntRange(0, 3).Draw(rt, "null") == 0 {
		return dataknobs.Null()
	}
	switch kind {
	case "int":
		return dataknobs.Int(rapid.Int64().Draw(rt, "int"))
	case "float":
		return dataknobs.Float(rapid.Float64().Draw(rt, "float"))
	case "number":
		return draw(rt, rapid.SampledFrom([]string{"int", "float"}).Draw(rt, "which"))
	case "string":
		return dataknobs.String(strings.ReplaceAll(rapid.StringN(0, 8, 30).Draw(rt, "string"), "\x00", "0"))
	case "bytes":
		return dataknobs.Bytes(rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(rt, "bytes"))
	case "bool":
		return dataknobs.Bool(rapid.Bool().Draw(rt, "bool"))
	case "time":
		return dataknobs.TimeMicros(rapid.Int64Range(-62135596800_000_000, 253402300799_999_999).Draw(rt, "time"))
	case "json":
		return draw(rt, rapid.SampledFrom([]string{"int", "string", "time", "bytes", "array<string>"}).Draw(rt, "which"))
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(kind, "array<"), ">")
	var vs []dataknobs.Value
	for range rapid.IntRange(0, 3).Draw(rt, "length") {
		vs = append(vs, draw(rt, inner))
	}
	return dataknobs.Array(vs...)
}
