package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	lib "github.com/parquet-go/parquet-go"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// files are the files of other writers, and where their records stand.
var files = map[string]string{
	"scalars": "scalars", "scalars_plain": "scalars", "scalars_v2": "scalars", "int96": "int96",
	"nested": "nested", "nested_v2": "nested", "nested_groups": "nested", "nested_pages": "nested", "nested_small": "nested",
	"many_zstd": "many_zstd", "many_snappy": "many_zstd", "many_gzip": "many_zstd", "many_brotli": "many_zstd",
	"many_lz4": "many_zstd", "many_encodings": "many_zstd", "empty": "empty", "nulls": "nulls", "duckdb": "duckdb",
}

func TestReadFilesOfOthers(t *testing.T) {
	for name, want := range files {
		t.Run(name, func(t *testing.T) {
			f := testdata(t, name+".parquet")
			compare(t, all(t, f), wanted(t, want+".ndjson"))
		})
	}
}

func compare(t *testing.T, got []*dataknobs.Record, want []dataknobs.Fields) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i, r := range got {
		if !r.Fields.Identical(want[i]) {
			t.Errorf("record %d:\n got %s\nwant %s", i, text(r.Fields), text(want[i]))
		}
	}
}

// Single rows, in any order, are the rows of the scan.
func TestReadAt(t *testing.T) {
	for name, ndjson := range files {
		t.Run(name, func(t *testing.T) {
			f := testdata(t, name+".parquet")
			want := wanted(t, ndjson+".ndjson")
			var offsets []int64
			for i := range want {
				offsets = append(offsets, int64(i))
			}
			for i := len(want) - 1; i > 0; i -= 3 {
				offsets = append(offsets, int64(i))
			}
			next := 0
			err := f.ReadAt(t.Context(), offsets, func(i int, r *dataknobs.Record) error {
				if i != next {
					t.Fatalf("got the row %d, want %d", i, next)
				}
				next++
				if w := want[offsets[i]]; !r.Fields.Identical(w) {
					t.Errorf("row %d:\n got %s\nwant %s", offsets[i], text(r.Fields), text(w))
				}
				return nil
			})
			if err != nil || next != len(offsets) {
				t.Errorf("read %d of %d rows, %v", next, len(offsets), err)
			}
			err = f.ReadAt(t.Context(), []int64{int64(len(want))}, func(int, *dataknobs.Record) error { return nil })
			if !errors.Is(err, dataknobs.NotFound) {
				t.Errorf("a row past the end: %v", err)
			}
		})
	}
}

// Every path gives by slot what the record gives by Lookup, and a projection
// holds what it was asked for.
func TestSlotsAndPaths(t *testing.T) {
	paths := []string{"id", "point", "point.x", "point.y.z", "tags", "tags[1]", "pairs[0].v[1]", "pairs[0].k", "deep[0][1]",
		"map", "map.b", "map.`x y`", "ints[0].value", "opt.in.n", "opt.in", "nothing", "id.x", "point[0]"}
	for _, name := range []string{"nested", "nested_v2", "nested_groups", "nested_pages", "nested_small"} {
		t.Run(name, func(t *testing.T) {
			f := testdata(t, name+".parquet")
			var slots []dataknobs.Path
			for _, p := range paths {
				slots = append(slots, path(p))
			}
			slots[7] = dataknobs.Names("pairs").At(0).Child("k")
			slots[8] = dataknobs.Names("deep").At(0).At(1)
			whole := all(t, f)
			rows, err := scan(t, f, codec.Scan{Slots: slots, Paths: []dataknobs.Path{path("opt.in.n"), path("tags"), path("nothing")}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range rows {
				for k, p := range slots {
					if want := whole[i].Lookup(p); !r.values[k].Identical(want) {
						t.Errorf("row %d: slot %s is %s, want %s", i, p, r.values[k], want)
					}
				}
				if len(r.rec.Fields) != 2 || !r.rec.Get("tags").Identical(whole[i].Get("tags")) ||
					!r.rec.Lookup(path("opt.in.n")).Identical(whole[i].Lookup(path("opt.in.n"))) {
					t.Errorf("row %d: the projection is %s", i, text(r.rec.Fields))
				}
			}
		})
	}
}

func TestKinds(t *testing.T) {
	for _, c := range []struct{ file, path, want string }{
		{"scalars", "b", "bool"}, {"scalars", "u32", "int"}, {"scalars", "f16", "float"}, {"scalars", "s", "string"},
		{"scalars", "bin", "bytes"}, {"scalars", "date", "time"}, {"scalars", "t64", "string"}, {"scalars", "local_us", "time"},
		{"scalars", "d9", "string"}, {"scalars", "d0", "int"}, {"scalars", "gone", "null"}, {"nested", "point", "object"},
		{"nested", "point.x", "int"}, {"nested", "tags", "array"}, {"nested", "tags[0]", "string"}, {"nested", "map", "object"},
		{"nested", "map.a", "int"}, {"nested", "ints", "array"}, {"nested", "opt.in.n", "int"}, {"nulls", "c", "null"},
		{"int96", "t", "time"},
	} {
		f := testdata(t, c.file+".parquet")
		got, err := f.Kinds(t.Context(), []dataknobs.Path{path(c.path)})
		if err != nil || got[0].String() != c.want || !got[0].Has(dataknobs.KindNull) {
			t.Errorf("%s: kinds of %s are %s (%v), want %s", c.file, c.path, got[0], err, c.want)
		}
	}
}

// What cannot be a value is an error with its place, but only for who looks.
func TestBadValues(t *testing.T) {
	for column, want := range map[string]string{
		"nan": "column nan, row 2 is NaN", "inf": "column inf, row 1 is infinite", "big": "column big, row 3 is an integer beyond",
		"text": "column text, row 1 is text that is not valid UTF-8", "nul": "column nul, row 2 is text",
		"late": "column late, row 2 is a time outside",
	} {
		for _, file := range []string{"bad.parquet", "bad_plain.parquet"} {
			f := testdata(t, file)
			p := dataknobs.Names(column)
			checkBad(t, file+" slot "+column, want, func() error {
				_, err := scan(t, f, codec.Scan{Slots: []dataknobs.Path{p}, NoRecords: true}, nil)
				return err
			})
			checkBad(t, file+" record "+column, want, func() error {
				_, err := scan(t, f, codec.Scan{Paths: []dataknobs.Path{p}}, nil)
				return err
			})
			checkBad(t, file+" filter on "+column, want, func() error {
				c := &dataknobs.Cond{Path: p, Op: dataknobs.IsNotNull}
				_, err := scan(t, f, codec.Scan{Slots: []dataknobs.Path{p}, NoRecords: true, Prune: c}, nil)
				return err
			})
			checkBad(t, file+" read at "+column, "cannot", func() error {
				return f.ReadAt(t.Context(), []int64{0, 1, 2, 3}, func(int, *dataknobs.Record) error { return nil })
			})
			rows, err := scan(t, f, codec.Scan{Paths: []dataknobs.Path{path("ok")}}, nil)
			if err != nil || len(rows) != 4 {
				t.Errorf("%s: the good column: %d rows, %v", file, len(rows), err)
			}
		}
	}
}

func checkBad(t *testing.T, what, want string, do func() error) {
	t.Helper()
	err := do()
	if !errors.Is(err, dataknobs.DataLoss) || want != "cannot" && !strings.Contains(err.Error(), want) {
		t.Errorf("%s: got %v, want DataLoss with %q", what, err, want)
	}
}

func TestNames(t *testing.T) {
	var warnings []string
	f, err := open(t, "names.parquet", read(t, "names.parquet"), &codec.ReadOptions{Warn: func(m string) { warnings = append(warnings, m) }})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Columns(), "|"); got != "column1|x|x_2|a.b" {
		t.Errorf("columns are %s", got)
	}
	if len(warnings) != 2 {
		t.Errorf("warnings: %q", warnings)
	}
	if got, want := text(all(t, f)[0].Fields), `{"column1":1,"x":2,"x_2":3,"a.b":4}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDeclaredTypes(t *testing.T) {
	kinds := map[string]dataknobs.Kind{"d9": dataknobs.KindFloat, "i8": dataknobs.KindFloat, "date": dataknobs.KindString,
		"f32": dataknobs.KindInt, "u8": dataknobs.KindString, "b": dataknobs.KindString, "dict": dataknobs.KindBytes}
	for _, file := range []string{"scalars.parquet", "scalars_plain.parquet"} {
		delete(kinds, "f32")
		f, err := open(t, file, read(t, file), &codec.ReadOptions{Types: kinds})
		if err != nil {
			t.Fatal(err)
		}
		rec := all(t, f)[0]
		for name, want := range map[string]string{"d9": "12.5", "i8": "-128.0", "date": "'2024-02-29T00:00:00Z'", "u8": "'0'", "b": "'true'", "dict": "bytes 'cmVk'"} {
			if got := rec.Get(name).String(); got != want {
				t.Errorf("%s: %s as %s is %s, want %s", file, name, kinds[name], got, want)
			}
		}
		kinds["f32"] = dataknobs.KindInt // 0.5
		f, err = open(t, file, read(t, file), &codec.ReadOptions{Types: kinds})
		if err != nil {
			t.Fatal(err)
		}
		_, err = scan(t, f, codec.Scan{}, nil)
		if !errors.Is(err, dataknobs.InvalidArgument) || !strings.Contains(err.Error(), "column f32, row 0 is not of kind int") {
			t.Errorf("%s: 0.5 as int: %v", file, err)
		}
	}
	_, err := open(t, "nested.parquet", read(t, "nested.parquet"), &codec.ReadOptions{Types: map[string]dataknobs.Kind{"tags": dataknobs.KindInt}})
	if !errors.Is(err, dataknobs.InvalidArgument) {
		t.Errorf("an array as int: %v", err)
	}
}

// A column _id holds the IDs, as in a CSV file; other system names are no names
// of fields.
func TestSystemNames(t *testing.T) {
	type row struct {
		ID   int64  `parquet:"_id"`
		Meta string `parquet:"_meta"`
		X    int64  `parquet:"x"`
	}
	var b bytes.Buffer
	if err := lib.Write(&b, []row{{7, "m", 1}, {8, "n", 2}}); err != nil {
		t.Fatal(err)
	}
	f, err := open(t, "x", b.Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	recs := all(t, f)
	if got := recs[1].ID + text(recs[1].Fields); got != `8{"_meta_2":"n","x":2}` {
		t.Errorf("got %s", got)
	}
	rows, err := scan(t, f, codec.Scan{Slots: []dataknobs.Path{dataknobs.PathID, path("_meta"), path("_rev")}, NoRecords: true, Prune: cond("_id", dataknobs.Eq, "8")}, nil)
	if err != nil || len(rows) != 1 || fmt.Sprint(rows[0].values) != "['8' null null]" {
		t.Errorf("slots are %v (%v)", rows, err)
	}
}

// What lies in JSON has kinds that only reading tells.
func TestKindsOfJSON(t *testing.T) {
	data, err := write(t, &codec.WriteOptions{Layout: layout("j json, n number, i int")}, dataknobs.NewRecord("", dataknobs.F("j", "x")))
	if err != nil {
		t.Fatal(err)
	}
	f, err := open(t, "x", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Kinds(t.Context(), []dataknobs.Path{path("j"), path("j.a"), path("n"), path("i")})
	if err != nil || got[0] != 0 || got[1] != 0 || got[2].String() != "int|float" || !got[3].Only(dataknobs.KindInt) {
		t.Errorf("kinds are %v (%v)", got, err)
	}
}
