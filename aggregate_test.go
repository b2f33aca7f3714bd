package dataknobs_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"pgregory.net/rapid"
)

func aggregates(p dataknobs.Path) []dataknobs.Column {
	cols := []dataknobs.Column{{Agg: dataknobs.CountAll}}
	for a := dataknobs.Count; a <= dataknobs.Max; a++ {
		cols = append(cols, dataknobs.Column{Agg: a, Path: p})
	}
	return cols
}

func newGrouper(t testing.TB, by []dataknobs.Path, cols []dataknobs.Column) *dataknobs.Grouper {
	t.Helper()
	g, err := dataknobs.NewGrouper(by, cols)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func groupsText(groups []dataknobs.Group) string {
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintln(&b, g.Keys, g.Values)
	}
	return b.String()
}

func TestAggregates(t *testing.T) {
	x := dataknobs.Names("x")
	negZero := math.Copysign(0, -1)
	tests := []struct {
		name   string
		values []any
		want   string // count(*) count sum avg min max
	}{
		{"nothing", nil, "[0 0 null null null null]"},
		{"nulls only", []any{nil, nil}, "[2 0 null null null null]"},
		{"ints", []any{3, 1, nil, 2}, "[4 3 6 2.0 1 3]"},
		{"floats", []any{0.5, 1.0}, "[2 2 1.5 0.75 0.5 1.0]"},
		{"ints and floats", []any{1, 0.5}, "[2 2 1.5 0.75 0.5 1]"},
		{"other kinds are not added", []any{1, "a", true, []int{5}}, "[4 4 1 1.0 true [5]]"},
		{"no numbers", []any{"a", "b"}, "[2 2 null null 'a' 'b']"},
		{"the int among equals", []any{1.0, 1}, "[2 2 2.0 1.0 1 1]"},
		{"the int among equals, first", []any{1, 1.0}, "[2 2 2.0 1.0 1 1]"},
		{"zeros", []any{negZero, 0.0}, "[2 2 0.0 0.0 0.0 0.0]"},
		{"the int inside arrays", []any{[]float64{1}, []int{1}}, "[2 2 null null [1] [1]]"},
		{"the int inside arrays, first", []any{[]int{1}, []float64{1}}, "[2 2 null null [1] [1]]"},
		{"past int64 and back", []any{math.MaxInt64, math.MaxInt64, math.MinInt64, math.MinInt64}, "[4 4 -2 -0.5 -9223372036854775808 9223372036854775807]"},
		{"floats that cancel", []any{1e100, 1.0, -1e100}, "[3 3 1.0 0.3333333333333333 -1e+100 1e+100]"},
		{"big ints beside floats", []any{math.MaxInt64, -0x1p63, 1}, "[3 3 0.0 0.0 -9223372036854776000.0 9223372036854775807]"},
		{"times", []any{sampleTime, sampleTime}, "[2 2 null null time '2026-01-02T03:04:05.000006Z' time '2026-01-02T03:04:05.000006Z']"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGrouper(t, nil, aggregates(x))
			for _, v := range tt.values {
				if err := g.AddRecord(dataknobs.NewRecord("", dataknobs.F("x", v))); err != nil {
					t.Fatal(err)
				}
			}
			groups, err := g.Groups()
			if err != nil {
				t.Fatal(err)
			}
			if len(groups) != 1 || fmt.Sprint(groups[0].Values) != tt.want {
				t.Errorf("got %s, wanted %s", groupsText(groups), tt.want)
			}
		})
	}
}

func TestSumOverflow(t *testing.T) {
	x := dataknobs.Names("x")
	for _, tt := range []struct {
		name, says string
		values     []any
	}{
		{"ints", "integer overflow in sum(x)", []any{math.MaxInt64, 1}},
		{"negative ints", "integer overflow in sum(x)", []any{math.MinInt64, -1}},
		{"floats", "number overflow in sum(x)", []any{math.MaxFloat64, math.MaxFloat64}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGrouper(t, nil, []dataknobs.Column{{Agg: dataknobs.Sum, Path: x}})
			for _, v := range tt.values {
				if err := g.AddRecord(dataknobs.NewRecord("", dataknobs.F("x", v))); err != nil {
					t.Fatal(err)
				}
			}
			_, err := g.Groups()
			wantCode(t, err, dataknobs.InvalidArgument)
			if err == nil || err.Error() != tt.says {
				t.Errorf("got the error %v, wanted %s", err, tt.says)
			}
		})
	}
}

// TestAverageIsExact checks the mean of ints whose sum no float holds.
func TestAverageIsExact(t *testing.T) {
	g := newGrouper(t, nil, []dataknobs.Column{{Agg: dataknobs.Avg, Path: dataknobs.Names("x")}})
	total := new(big.Int)
	values := []int64{math.MaxInt64, math.MaxInt64 - 10, 1<<53 + 1}
	for _, i := range values {
		total.Add(total, big.NewInt(i))
		if err := g.AddRecord(dataknobs.NewRecord("", dataknobs.F("x", i))); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := new(big.Rat).SetFrac(total, big.NewInt(int64(len(values)))).Float64()
	groups, err := g.Groups()
	if err != nil || groups[0].Values[0].Float() != want {
		t.Errorf("got %v, %v; wanted %v", groups, err, want)
	}
}

func TestGroups(t *testing.T) {
	k, j := dataknobs.Names("k"), dataknobs.Names("j")
	count := []dataknobs.Column{{Agg: dataknobs.CountAll}}
	two := func(a, b any) *dataknobs.Record {
		return dataknobs.NewRecord("", dataknobs.F("k", a), dataknobs.F("j", b))
	}
	tests := []struct {
		name string
		by   []dataknobs.Path
		recs []*dataknobs.Record
		want string
	}{
		{"none", []dataknobs.Path{k}, nil, ""},
		{"strings", []dataknobs.Path{k}, []*dataknobs.Record{two("b", 1), two("a", 1), two("b", 1)}, "['a'] [1]\n['b'] [2]\n"},
		{"null and absent", []dataknobs.Path{k}, []*dataknobs.Record{two(nil, 1), dataknobs.NewRecord(""), two("x", 1)}, "['x'] [1]\n[null] [2]\n"},
		{"the int of a group", []dataknobs.Path{k}, []*dataknobs.Record{two(1.0, 1), two(1, 1), two(1.0, 1), two(1.5, 1)}, "[1] [3]\n[1.5] [1]\n"},
		{"minus zero", []dataknobs.Path{k}, []*dataknobs.Record{two(math.Copysign(0, -1), 1), two(0.0, 1)}, "[0.0] [2]\n"},
		{"kinds apart", []dataknobs.Path{k}, []*dataknobs.Record{two("1", 1), two(1, 1), two(true, 1), two([]byte("1"), 1)}, "[true] [1]\n[1] [1]\n['1'] [1]\n[bytes 'MQ=='] [1]\n"},
		{"objects", []dataknobs.Path{k}, []*dataknobs.Record{
			two(dataknobs.Fields{dataknobs.F("a", 1), dataknobs.F("b", 2)}, 1), two(dataknobs.Fields{dataknobs.F("b", 2), dataknobs.F("a", 1.0), dataknobs.F("c", nil)}, 1),
		}, "[{'a': 1, 'b': 2}] [2]\n"},
		{"two keys", []dataknobs.Path{k, j}, []*dataknobs.Record{two("a", 2), two("a", 1), two("a", 2.0), two("ab", nil), two("a", "b")}, "['a' 1] [1]\n['a' 2] [2]\n['a' 'b'] [1]\n['ab' null] [1]\n"},
		{"texts that run together", []dataknobs.Path{k, j}, []*dataknobs.Record{two("a", "bc"), two("ab", "c")}, "['a' 'bc'] [1]\n['ab' 'c'] [1]\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, recs := range [][]*dataknobs.Record{tt.recs, reversed(tt.recs)} {
				g := newGrouper(t, tt.by, count)
				for _, r := range recs {
					if err := g.AddRecord(r); err != nil {
						t.Fatal(err)
					}
				}
				groups, err := g.Groups()
				if err != nil {
					t.Fatal(err)
				}
				if got := groupsText(groups); got != tt.want {
					t.Errorf("got\n%swanted\n%s", got, tt.want)
				}
			}
		})
	}
}

func reversed[T any](s []T) []T {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

func TestGrouperRefuses(t *testing.T) {
	x := dataknobs.Names("x")
	for _, cols := range [][]dataknobs.Column{{{Path: x}}, {{Agg: dataknobs.Sum}}, {{Agg: dataknobs.CountAll, Path: x}}, {{Agg: 99, Path: x}}} {
		_, err := dataknobs.NewGrouper(nil, cols)
		wantCode(t, err, dataknobs.InvalidArgument)
	}
	_, err := dataknobs.NewGrouper([]dataknobs.Path{{}}, nil)
	wantCode(t, err, dataknobs.InvalidArgument)

	g := newGrouper(t, []dataknobs.Path{x}, nil)
	wantCode(t, g.Merge(newGrouper(t, []dataknobs.Path{dataknobs.Names("y")}, nil)), dataknobs.InvalidArgument)
	g.SetMaxGroups(2)
	for i := range 3 {
		err = g.AddRecord(dataknobs.NewRecord("", dataknobs.F("x", i)))
	}
	wantCode(t, err, dataknobs.ResourceExhausted)
	if err := g.AddRecord(dataknobs.NewRecord("", dataknobs.F("x", 1))); err != nil {
		t.Errorf("a group that is there: %v", err)
	}
}

// TestGrouperKeepsNothingOfTheCaller reuses the buffer that the values alias.
func TestGrouperKeepsNothingOfTheCaller(t *testing.T) {
	buf := []byte("aaa")
	g := newGrouper(t, []dataknobs.Path{dataknobs.Names("k")}, []dataknobs.Column{{Agg: dataknobs.Max, Path: dataknobs.Names("k")}})
	get := func(int) dataknobs.Value { return dataknobs.AdoptBytes(buf) }
	for _, text := range []string{"aaa", "bbb", "aaa"} {
		copy(buf, text)
		if err := g.Add(get); err != nil {
			t.Fatal(err)
		}
	}
	copy(buf, "xxx")
	groups, err := g.Groups()
	if got, want := groupsText(groups), "[bytes 'YWFh'] [bytes 'YWFh']\n[bytes 'YmJi'] [bytes 'YmJi']\n"; err != nil || got != want {
		t.Errorf("got\n%s%v, wanted\n%s", got, err, want)
	}
}

// TestGrouperAgainstPlain compares groups and aggregates, computed in one go
// and in merged parts, with a plain computation in exact arithmetic.
func TestGrouperAgainstPlain(t *testing.T) {
	small := rapid.OneOf(genScalar, rapid.Map(rapid.Int64Range(0, 3), dataknobs.Int), rapid.Map(rapid.Int64Range(0, 6), func(i int64) dataknobs.Value { return dataknobs.Float(float64(i) / 2) }))
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.SampledFrom([][]dataknobs.Path{nil, {dataknobs.Names("a")}, {dataknobs.Names("a"), dataknobs.Names("b")}}).Draw(t, "by")
		recs := rapid.SliceOfN(rapid.Map(genFields(small), func(f dataknobs.Fields) *dataknobs.Record { return &dataknobs.Record{Fields: f} }), 0, 20).Draw(t, "records")
		cols := []dataknobs.Column{{Agg: dataknobs.CountAll}, {Agg: dataknobs.Count, Path: dataknobs.Names("c")}, {Agg: dataknobs.Min, Path: dataknobs.Names("c")}, {Agg: dataknobs.Max, Path: dataknobs.Names("c")}, {Agg: dataknobs.Avg, Path: dataknobs.Names("c")}}
		one, _ := dataknobs.NewGrouper(by, cols)
		parts := []*dataknobs.Grouper{}
		for range 3 {
			g, _ := dataknobs.NewGrouper(by, cols)
			parts = append(parts, g)
		}
		for i, r := range recs {
			if err := one.AddRecord(r); err != nil {
				t.Fatal(err)
			}
			if err := parts[i%3].AddRecord(r); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range parts[1:] {
			if err := parts[0].Merge(p); err != nil {
				t.Fatal(err)
			}
		}
		want := plainGroups(by, recs)
		for i, g := range []*dataknobs.Grouper{one, parts[0]} {
			groups, err := g.Groups()
			if err != nil {
				t.Fatal(err)
			}
			if got := groupsText(groups); got != want {
				t.Fatalf("%d: got\n%swanted\n%s", i, got, want)
			}
		}
	})
}

// plainGroups groups by comparing, and computes count(*), count, min, max and
// avg of c.
func plainGroups(by []dataknobs.Path, recs []*dataknobs.Record) string {
	type group struct {
		keys []dataknobs.Value
		recs []*dataknobs.Record
	}
	var groups []*group
	if len(by) == 0 {
		groups = append(groups, &group{keys: []dataknobs.Value{}})
	}
	for _, r := range recs {
		keys := []dataknobs.Value{}
		for _, p := range by {
			keys = append(keys, r.Lookup(p))
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return slices.EqualFunc(g.keys, keys, dataknobs.Value.Equal) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{keys: keys})
		}
		groups[i].recs = append(groups[i].recs, r)
		for j, k := range keys {
			groups[i].keys[j] = better(groups[i].keys[j], k)
		}
	}
	slices.SortFunc(groups, func(a, b *group) int { return slices.CompareFunc(a.keys, b.keys, dataknobs.Value.Compare) })
	var out []dataknobs.Group
	for _, g := range groups {
		out = append(out, dataknobs.Group{Keys: g.keys, Values: plainAggregates(g.recs)})
	}
	return groupsText(out)
}

// better returns the one of two equal values that is shown.
func better(v, w dataknobs.Value) dataknobs.Value {
	if v.Kind() == dataknobs.KindInt || w.Kind() != dataknobs.KindInt && !math.Signbit(v.Float()) {
		return v
	}
	return w
}

func plainAggregates(recs []*dataknobs.Record) []dataknobs.Value {
	var count, numbers int64
	total, least, most, avg := new(big.Rat), dataknobs.Null(), dataknobs.Null(), dataknobs.Null()
	for _, r := range recs {
		v := r.Get("c")
		if v.IsNull() {
			continue
		}
		if count++; count == 1 {
			least, most = v, v
		}
		switch {
		case v.Equal(least) && v.Equal(most):
			least, most = better(least, v), better(most, v)
		case v.Equal(least):
			least = better(least, v)
		case v.Equal(most):
			most = better(most, v)
		case v.Compare(least) < 0:
			least = v
		case v.Compare(most) > 0:
			most = v
		}
		if v.IsNumber() {
			numbers++
			total.Add(total, number(v))
		}
	}
	if numbers > 0 {
		sum, _ := total.Float64()
		if !hasFloat(recs) {
			sum, _ = total.Quo(total, new(big.Rat).SetInt64(numbers)).Float64()
		} else {
			sum /= float64(numbers)
		}
		avg = dataknobs.Float(sum)
	}
	return []dataknobs.Value{dataknobs.Int(int64(len(recs))), dataknobs.Int(count), least, most, avg}
}

func hasFloat(recs []*dataknobs.Record) bool {
	return slices.ContainsFunc(recs, func(r *dataknobs.Record) bool { return r.Get("c").Kind() == dataknobs.KindFloat })
}

func TestGrouperDoesNotAllocate(t *testing.T) {
	rows := [][]dataknobs.Value{{dataknobs.String("AA"), dataknobs.Int(1), dataknobs.Int(5)}, {dataknobs.String("B6"), dataknobs.Int(2), dataknobs.Float(7)}}
	for _, by := range [][]dataknobs.Path{nil, {dataknobs.Names("a")}, {dataknobs.Names("b")}, {dataknobs.Names("a"), dataknobs.Names("b")}} {
		cols := append(aggregates(dataknobs.Names("c")), dataknobs.Column{Agg: dataknobs.Count, Path: dataknobs.Names("a")}, dataknobs.Column{Agg: dataknobs.Count, Path: dataknobs.Names("b")})
		g := newGrouper(t, by, cols)
		var row []dataknobs.Value
		get := func(slot int) dataknobs.Value { return row[slot] }
		add := func() {
			for _, row = range rows {
				if err := g.Add(get); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := testing.AllocsPerRun(100, add); n > 0 {
			t.Errorf("by %v: a row allocates %v times, wanted never", by, n/2)
		}
	}
}

func TestGroupRecords(t *testing.T) {
	k, j, x := dataknobs.Names("k"), dataknobs.Names("a", "b"), dataknobs.Names("x")
	recs := []*dataknobs.Record{}
	for i := range 12 {
		recs = append(recs, dataknobs.NewRecord("", dataknobs.F("k", string(rune('a'+i%3))), dataknobs.F("a", dataknobs.Fields{dataknobs.F("b", i%2)}), dataknobs.F("x", i)))
	}
	count, sum := dataknobs.Column{Agg: dataknobs.CountAll}, dataknobs.Column{Agg: dataknobs.Sum, Path: x}
	cond := func(p dataknobs.Path, agg dataknobs.Agg, op dataknobs.Op, v int64) dataknobs.Expr {
		return &dataknobs.Cond{Path: p, Agg: agg, Op: op, Args: []dataknobs.Value{dataknobs.Int(v)}}
	}
	tests := []struct {
		name string
		q    dataknobs.Query
		cols int // how many aggregates are computed
		want string
	}{
		{"count alone", dataknobs.Query{Select: []dataknobs.Column{count}}, 1, "{'count(*)': 12}"},
		{"by key", dataknobs.Query{Select: []dataknobs.Column{{Path: k}, count, sum}, GroupBy: []dataknobs.Path{k}}, 2,
			"{'k': 'a', 'count(*)': 4, 'sum(x)': 18} {'k': 'b', 'count(*)': 4, 'sum(x)': 22} {'k': 'c', 'count(*)': 4, 'sum(x)': 26}"},
		{"no Select", dataknobs.Query{GroupBy: []dataknobs.Path{k}}, 0, "{'k': 'a'} {'k': 'b'} {'k': 'c'}"},
		{"a nested key and AS", dataknobs.Query{Select: []dataknobs.Column{{Path: j}, {Agg: dataknobs.Sum, Path: x, As: "total"}}, GroupBy: []dataknobs.Path{j}}, 1,
			"{'a.b': 0, 'total': 30} {'a.b': 1, 'total': 36}"},
		{"a key that is not shown", dataknobs.Query{Select: []dataknobs.Column{sum}, GroupBy: []dataknobs.Path{k}}, 1, "{'sum(x)': 18} {'sum(x)': 22} {'sum(x)': 26}"},
		{"HAVING what is shown", dataknobs.Query{Select: []dataknobs.Column{{Path: k}, sum}, GroupBy: []dataknobs.Path{k}, Having: cond(x, dataknobs.Sum, dataknobs.Gt, 20)}, 1,
			"{'k': 'b', 'sum(x)': 22} {'k': 'c', 'sum(x)': 26}"},
		{"HAVING by its name", dataknobs.Query{Select: []dataknobs.Column{{Path: k}, {Agg: dataknobs.Sum, Path: x, As: "total"}}, GroupBy: []dataknobs.Path{k}, Having: cond(dataknobs.Names("total"), 0, dataknobs.Gt, 22)}, 1,
			"{'k': 'c', 'total': 26}"},
		{"HAVING what is hidden", dataknobs.Query{Select: []dataknobs.Column{{Path: k}}, GroupBy: []dataknobs.Path{k}, Having: dataknobs.Not{Expr: cond(x, dataknobs.Max, dataknobs.Lt, 10)}}, 1,
			"{'k': 'b'} {'k': 'c'}"},
		{"HAVING a key", dataknobs.Query{Select: []dataknobs.Column{count}, GroupBy: []dataknobs.Path{j}, Having: cond(j, 0, dataknobs.Eq, 1)}, 1, "{'count(*)': 6}"},
		{"ORDER BY an aggregate", dataknobs.Query{Select: []dataknobs.Column{{Path: k}}, GroupBy: []dataknobs.Path{k}, OrderBy: []dataknobs.Order{{Path: x, Agg: dataknobs.Sum, Desc: true}}}, 1, "{'k': 'c'} {'k': 'b'} {'k': 'a'}"},
		{"ties by key", dataknobs.Query{Select: []dataknobs.Column{{Path: k}}, GroupBy: []dataknobs.Path{k}, OrderBy: []dataknobs.Order{{Agg: dataknobs.CountAll, Desc: true}}}, 1, "{'k': 'a'} {'k': 'b'} {'k': 'c'}"},
		{"ORDER BY a name", dataknobs.Query{Select: []dataknobs.Column{{Path: k, As: "name"}}, GroupBy: []dataknobs.Path{k}, OrderBy: []dataknobs.Order{{Path: dataknobs.Names("name"), Desc: true}}}, 0, "{'name': 'c'} {'name': 'b'} {'name': 'a'}"},
		{"one aggregate used thrice", dataknobs.Query{Select: []dataknobs.Column{sum, {Agg: dataknobs.Sum, Path: x, As: "again"}}, Having: cond(x, dataknobs.Sum, dataknobs.Gt, 0)}, 1, "{'sum(x)': 66, 'again': 66}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			agg, err := dataknobs.AggregationOf(&tt.q)
			if err != nil {
				t.Fatal(err)
			}
			if len(agg.Columns) != tt.cols {
				t.Errorf("computes %v, wanted %d aggregates", agg.Columns, tt.cols)
			}
			g := newGrouper(t, agg.GroupBy, agg.Columns)
			for _, r := range recs {
				if err := g.AddRecord(r); err != nil {
					t.Fatal(err)
				}
			}
			groups, err := g.Groups()
			if err != nil {
				t.Fatal(err)
			}
			out, err := dataknobs.GroupRecords(&tt.q, groups)
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, r := range out {
				texts = append(texts, dataknobs.Object(r.Fields).String())
			}
			if got := strings.Join(texts, " "); got != tt.want {
				t.Errorf("got\n%s\nwanted\n%s", got, tt.want)
			}
		})
	}
}

func TestAggregationRefuses(t *testing.T) {
	k, x := dataknobs.Names("k"), dataknobs.Names("x")
	tests := []struct {
		name, says string
		q          dataknobs.Query
	}{
		{"no key", "GROUP BY", dataknobs.Query{Select: []dataknobs.Column{{Path: x}, {Agg: dataknobs.CountAll}}}},
		{"ORDER BY no key", "GROUP BY", dataknobs.Query{GroupBy: []dataknobs.Path{k}, OrderBy: []dataknobs.Order{{Path: x}}}},
		{"HAVING no key", "GROUP BY", dataknobs.Query{GroupBy: []dataknobs.Path{k}, Having: &dataknobs.Cond{Path: x, Op: dataknobs.IsNull}}},
		{"one name twice", "AS", dataknobs.Query{GroupBy: []dataknobs.Path{k}, Select: []dataknobs.Column{{Path: k}, {Agg: dataknobs.CountAll, As: "k"}}}},
		{"a bad constant", "IS NULL", dataknobs.Query{GroupBy: []dataknobs.Path{k}, Having: &dataknobs.Cond{Path: k, Op: dataknobs.Eq, Args: []dataknobs.Value{{}}}}},
		{"an empty key", "empty", dataknobs.Query{GroupBy: []dataknobs.Path{{}}}},
		{"sum of nothing", "empty", dataknobs.Query{Select: []dataknobs.Column{{Agg: dataknobs.Sum}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dataknobs.AggregationOf(&tt.q)
			wantCode(t, err, dataknobs.InvalidArgument)
			if err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error %q does not say %q", err, tt.says)
			}
		})
	}
}

func BenchmarkGrouper(b *testing.B) {
	carriers := strings.Fields("AA AS B6 DL EV F9 FL HA MQ OO UA US VX WN YV 9E")
	rnd := rand.New(rand.NewPCG(1, 2))
	rows := make([][]dataknobs.Value, 10_000)
	for i := range rows {
		rows[i] = []dataknobs.Value{dataknobs.String(carriers[rnd.IntN(len(carriers))]), dataknobs.Int(rnd.Int64N(31)), dataknobs.Int(rnd.Int64N(1000))}
	}
	a, n, x := dataknobs.Names("carrier"), dataknobs.Names("day"), dataknobs.Names("dep_delay")
	for _, bb := range []struct {
		name string
		by   []dataknobs.Path
	}{{"all", nil}, {"string", []dataknobs.Path{a}}, {"int", []dataknobs.Path{n}}, {"two", []dataknobs.Path{a, n}}} {
		b.Run(bb.name, func(b *testing.B) {
			g := newGrouper(b, bb.by, []dataknobs.Column{{Agg: dataknobs.CountAll}, {Agg: dataknobs.Avg, Path: x}})
			slots := make([]int, len(g.Paths()))
			for i, p := range g.Paths() {
				slots[i] = slices.IndexFunc([]dataknobs.Path{a, n, x}, p.Equal)
			}
			var row []dataknobs.Value
			get := func(slot int) dataknobs.Value { return row[slots[slot]] }
			for b.Loop() {
				for _, row = range rows {
					if err := g.Add(get); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
		})
	}
}
