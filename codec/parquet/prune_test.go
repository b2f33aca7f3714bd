package parquet_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	lib "github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A pruned scan lets through every row that satisfies its condition, and gives
// each the same values as ever.
func TestPruneLosesNothing(t *testing.T) {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	whole := map[string][]*dataknobs.Record{}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(names).Draw(rt, "file")
		f := testdata(t, name+".parquet")
		recs, ok := whole[name]
		if !ok {
			recs = all(t, f)
			whole[name] = recs
		}
		e := drawExpr(rt, f.Columns(), recs, 2)
		checkPrune(rt, t, f, e, recs)
	})
}

func checkPrune(rt *rapid.T, t *testing.T, f codec.File, e dataknobs.Expr, recs []*dataknobs.Record) {
	m, err := dataknobs.Compile(e)
	if err != nil {
		rt.Fatalf("compile: %v", err)
	}
	rows, err := scan(t, f, codec.Scan{Slots: m.Paths(), Prune: dataknobs.Simplify(e), Workers: rapid.IntRange(1, 3).Draw(rt, "workers")}, nil)
	if err != nil {
		rt.Fatal(err)
	}
	byNumber := map[int64]visit{}
	for _, r := range rows {
		byNumber[r.number] = r
		if !r.rec.Identical(recs[r.number]) {
			rt.Fatalf("row %d is %s", r.number, text(r.rec.Fields))
		}
	}
	for i, r := range recs {
		v, there := byNumber[int64(i)]
		if m.Match(r) && !there {
			rt.Fatalf("row %d was lost: %s", i, text(r.Fields))
		}
		if there && m.MatchFunc(func(slot int) dataknobs.Value { return v.values[slot] }) != m.Match(r) {
			rt.Fatalf("row %d: the slots say otherwise than the record", i)
		}
	}
}

func drawExpr(rt *rapid.T, cols []string, recs []*dataknobs.Record, depth int) dataknobs.Expr {
	if depth > 0 {
		switch k := rapid.IntRange(0, 3).Draw(rt, "shape"); k {
		case 1, 2:
			parts := []dataknobs.Expr{drawExpr(rt, cols, recs, depth-1), drawExpr(rt, cols, recs, depth-1)}
			if k == 1 {
				return dataknobs.And(parts)
			}
			return dataknobs.Or(parts)
		case 3:
			return dataknobs.Not{Expr: drawExpr(rt, cols, recs, depth-1)}
		}
	}
	c := &dataknobs.Cond{Path: dataknobs.Names(rapid.SampledFrom(cols).Draw(rt, "column"))}
	c.Op = rapid.SampledFrom([]dataknobs.Op{dataknobs.Eq, dataknobs.Ne, dataknobs.Lt, dataknobs.Ge, dataknobs.Le, dataknobs.Gt, dataknobs.In,
		dataknobs.NotIn, dataknobs.Between, dataknobs.NotBetween, dataknobs.StartsWith, dataknobs.IsNull, dataknobs.IsNotNull}).Draw(rt, "op")
	n := map[dataknobs.Op]int{dataknobs.IsNull: 0, dataknobs.IsNotNull: 0, dataknobs.In: 2, dataknobs.NotIn: 2, dataknobs.Between: 2, dataknobs.NotBetween: 2}
	args, ok := n[c.Op]
	if !ok {
		args = 1
	}
	for range args {
		c.Args = append(c.Args, drawConst(rt, c, recs))
	}
	return c
}

// drawConst draws a constant: often a value of the column itself, or near one.
func drawConst(rt *rapid.T, c *dataknobs.Cond, recs []*dataknobs.Record) dataknobs.Value {
	v := dataknobs.Int(rapid.Int64Range(-5, 500).Draw(rt, "int"))
	if len(recs) > 0 && rapid.IntRange(0, 9).Draw(rt, "near") > 0 {
		if x := rapid.SampledFrom(recs).Draw(rt, "record").Lookup(c.Path); !x.IsNull() {
			v = x
		}
	}
	switch k := rapid.IntRange(0, 3).Draw(rt, "change"); {
	case v.Kind() == dataknobs.KindInt && k == 1:
		v = dataknobs.Float(v.Float() + 0.5)
	case v.Kind() == dataknobs.KindInt && k == 2:
		v = dataknobs.Float(v.Float())
	case v.Kind() == dataknobs.KindFloat && k == 1:
		v = dataknobs.Int(int64(max(min(v.Float(), 1e9), -1e9)))
	case v.Kind() == dataknobs.KindString && k == 1:
		v = dataknobs.String(string([]rune(v.Str())[:len([]rune(v.Str()))/2]))
	}
	if c.Op == dataknobs.StartsWith && v.Kind() != dataknobs.KindString {
		return dataknobs.String("w")
	}
	return v
}

const bigRows = 300_000

var bigFile []byte

// big returns a file of several row groups and pages: n counts up, word is one
// of few, id one of many, half is null in the second half. It is made once.
func big(t testing.TB) []byte {
	t.Helper()
	if bigFile == nil {
		bigFile = makeBig(t, bigRows)
	}
	return bigFile
}

func makeBig(t testing.TB, rows int) []byte {
	l := layout("n int, word string, half float, when time, pair array<int>")
	l.ID = "id"
	var recs []*dataknobs.Record
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		r := dataknobs.NewRecord(fmt.Sprintf("id-%07d", i*7919%rows), dataknobs.F("n", i), dataknobs.F("word", fmt.Sprint("w", i%10)),
			dataknobs.F("when", start.Add(time.Duration(i)*time.Minute)), dataknobs.F("pair", []any{i, -i}))
		if i < rows/2 {
			r.Set("half", dataknobs.Float(float64(i)/2))
		}
		recs = append(recs, r)
	}
	data, err := write(t, &codec.WriteOptions{Layout: l}, recs...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What the statistics exclude is passed over unread, and counted.
func TestPruneSkips(t *testing.T) {
	const rows = bigRows
	f, err := open(t, "big", big(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		where   dataknobs.Expr
		rows    int
		atLeast int64 // skipped
	}{
		{cond("n", dataknobs.Eq, 5), 1, 280_000},
		{cond("n", dataknobs.Lt, 10), 10, 280_000},
		{cond("n", dataknobs.Lt, 0.5), 1, 280_000},
		{cond("n", dataknobs.Eq, 0.5), 0, 280_000},
		{cond("n", dataknobs.Between, 150_000, 150_009), 10, 280_000},
		{cond("n", dataknobs.In, 3, 299_999), 2, 270_000},
		{cond("n", dataknobs.Eq, "5"), 0, rows},
		{cond("when", dataknobs.Lt, time.Date(2020, 1, 1, 0, 3, 0, 0, time.UTC)), 3, 280_000},
		{cond("word", dataknobs.Eq, "w5"), rows / 10, 0},
		{cond("word", dataknobs.Eq, "w55"), 0, rows}, // between the least and the most, in no dictionary
		{cond("word", dataknobs.Like, "%x%"), 0, rows},
		{cond("half", dataknobs.IsNotNull), rows / 2, 0},
		{cond("half", dataknobs.Ge, 0), rows / 2, 100_000},
		{dataknobs.And{cond("n", dataknobs.Lt, 20), cond("word", dataknobs.Eq, "w3")}, 2, 280_000},
		{dataknobs.Or{cond("n", dataknobs.Lt, 20), cond("n", dataknobs.Ge, 299_980)}, 40, 270_000},
		{cond("_id", dataknobs.Eq, "id-0000007x"), 0, rows}, // by the bloom filter
		{nil, rows, 0},
	} {
		st := &dataknobs.ScanStats{}
		got, err := scan(t, f, codec.Scan{NoRecords: true, Prune: c.where, Stats: st}, nil)
		if err != nil || len(got) != c.rows {
			t.Errorf("%v: %d rows of interest, want %d (%v)", c.where, len(got), c.rows, err)
		}
		if s := st.Skipped.Load(); s < c.atLeast || s+st.Records.Load() != rows {
			t.Errorf("%v: %d rows skipped, %d looked at, want at least %d skipped of %d", c.where, s, st.Records.Load(), c.atLeast, rows)
		}
	}
}

// Lists without an annotation, and lists of older writers.
func TestLegacyLists(t *testing.T) {
	type item struct {
		K string `parquet:"k"`
		V *int64 `parquet:"v,optional"`
	}
	type row struct {
		Bare  []int64  `parquet:"bare"`
		Items []item   `parquet:"items"`
		Words []string `parquet:"words,list"`
	}
	seven := int64(7)
	var b bytes.Buffer
	w := lib.NewGenericWriter[row](&b)
	if _, err := w.Write([]row{{[]int64{1, 2}, []item{{"a", &seven}, {"b", nil}}, []string{"x"}}, {}, {[]int64{3}, nil, []string{}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := open(t, "x", b.Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"bare":[1,2],"items":[{"k":"a","v":7},{"k":"b","v":null}],"words":["x"]}`,
		`{"bare":[],"items":[],"words":[]}`,
		`{"bare":[3],"items":[],"words":[]}`,
	}
	for i, r := range all(t, f) {
		if got := text(r.Fields); got != want[i] {
			t.Errorf("row %d:\n got %s\nwant %s", i, got, want[i])
		}
	}
}
