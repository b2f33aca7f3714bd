package dataknobs_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	dk "dataknobs.dev/dataknobs"
	"pgregory.net/rapid"
)

// nearValue generates values that lie close together, so that many compare
// equal or nearly so.
func nearValue(depth int) *rapid.Generator[dk.Value] {
	gens := []*rapid.Generator[dk.Value]{
		rapid.Just(dk.Null()),
		rapid.Map(rapid.Bool(), dk.Bool),
		rapid.Map(rapid.Int64Range(-2, 2), dk.Int),
		rapid.Map(rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64 - 1, math.MaxInt64, 1 << 53, 1<<53 + 1}), dk.Int),
		rapid.Map(rapid.SampledFrom([]float64{-2, -1.5, math.Copysign(0, -1), 0, 0.5, 1, 2, 1 << 53, 1 << 63, -1 << 63, math.MaxFloat64, 5e-324}), dk.Float),
		rapid.Map(rapid.Int64Range(-2, 2), dk.TimeMicros),
		rapid.Map(rapid.SampledFrom([]string{"", "a", "ab", "b", "é", "😀", "\uffff", "A"}), dk.String),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 2), dk.Bytes),
	}
	if depth > 0 {
		elem := nearValue(depth - 1)
		gens = append(gens,
			rapid.Map(rapid.SliceOfN(elem, 0, 3), dk.AdoptArray),
			rapid.Custom(func(t *rapid.T) dk.Value {
				f := dk.Fields{}
				for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "$time"}), 0, 3, rapid.ID).Draw(t, "names") {
					f = append(f, dk.Field{Name: name, Value: elem.Draw(t, name)})
				}
				return dk.AdoptObject(f)
			}))
	}
	return rapid.OneOf(gens...)
}

func TestCompareIsATotalOrder(t *testing.T) {
	gen := nearValue(2)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := gen.Draw(t, "a"), gen.Draw(t, "b"), gen.Draw(t, "c")
		if a.Compare(a) != 0 || !a.Equal(a) || !a.Identical(a) {
			t.Fatalf("%s is not itself", a)
		}
		if a.Compare(b) != -b.Compare(a) {
			t.Fatalf("%s and %s compare as %d and %d", a, b, a.Compare(b), b.Compare(a))
		}
		if (a.Compare(b) == 0) != a.Equal(b) || a.Equal(b) != b.Equal(a) {
			t.Fatalf("%s and %s compare as %d, but Equal is %v", a, b, a.Compare(b), a.Equal(b))
		}
		if a.Identical(b) && !a.Equal(b) {
			t.Fatalf("%s and %s are identical but not equal", a, b)
		}
		vs := []dk.Value{a, b, c}
		slices.SortFunc(vs, dk.Value.Compare)
		if vs[0].Compare(vs[1]) > 0 || vs[1].Compare(vs[2]) > 0 || vs[0].Compare(vs[2]) > 0 {
			t.Fatalf("no order of %s", vs)
		}
		if vs[0].Compare(vs[1]) == 0 && vs[0].Compare(vs[2]) != vs[1].Compare(vs[2]) {
			t.Fatalf("equal values compare differently: %s", vs)
		}
	})
}

func TestCompareKnown(t *testing.T) {
	for name, ascending := range map[string][]dk.Value{
		"kinds": {
			dk.Bool(false), dk.Bool(true), dk.Int(0), dk.TimeMicros(0), dk.String(""), dk.Bytes(nil), dk.Array(), dk.Object(nil), dk.Null(),
		},
		"numbers": {
			dk.Float(math.Inf(-1)), dk.Float(-math.MaxFloat64), dk.Int(math.MinInt64), dk.Int(-1), dk.Float(-0.5), dk.Int(0), dk.Float(5e-324),
			dk.Int(1), dk.Int(1 << 53), dk.Int(1<<53 + 1), dk.Float(1<<53 + 2), dk.Int(math.MaxInt64), dk.Float(1 << 63), dk.Float(math.Inf(1)),
		},
		"strings by code point": {dk.String(""), dk.String("A"), dk.String("a"), dk.String("aa"), dk.String("é"), dk.String("\uffff"), dk.String("😀")},
		"arrays":                {dk.Array(), dk.Array(dk.Int(1)), dk.Array(dk.Int(1), dk.Int(0)), dk.Array(dk.Int(2)), dk.Array(dk.Null())},
		"objects": {
			dk.Object(nil), dk.Object(dk.Fields{dk.F("a", 1)}), dk.Object(dk.Fields{dk.F("b", 1), dk.F("a", 1)}),
			dk.Object(dk.Fields{dk.F("a", 2)}), dk.Object(dk.Fields{dk.F("b", 0)}),
		},
	} {
		for i := range ascending {
			for j := range ascending {
				want := 0
				if i != j {
					want = 1 - 2*boolInt(i < j)
				}
				if got := ascending[i].Compare(ascending[j]); got != want {
					t.Errorf("%s: %s to %s compares as %d, want %d", name, ascending[i], ascending[j], got, want)
				}
			}
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestEqualAndIdentical(t *testing.T) {
	obj := func(fs ...dk.Field) dk.Value { return dk.Object(fs) }
	for _, c := range []struct {
		a, b             dk.Value
		equal, identical bool
	}{
		{dk.Int(1), dk.Float(1), true, false},
		{dk.Int(1<<53 + 1), dk.Float(1 << 53), false, false},
		{dk.Int(math.MaxInt64), dk.Float(1 << 63), false, false},
		{dk.Float(0), dk.Float(math.Copysign(0, -1)), true, true},
		{dk.Int(0), dk.Bool(false), false, false},
		{dk.String("1"), dk.Int(1), false, false},
		{dk.String(""), dk.Null(), false, false},
		{dk.String("a"), dk.Bytes([]byte("a")), false, false},
		{dk.Int(5), dk.TimeMicros(5), false, false},
		{dk.Array(), dk.Null(), false, false},
		{dk.Array(dk.Int(1)), dk.Array(dk.Float(1)), true, false},
		{obj(dk.F("a", 1), dk.F("b", 2)), obj(dk.F("b", 2), dk.F("a", 1)), true, true},
		{obj(dk.F("a", 1), dk.F("b", nil)), obj(dk.F("a", 1)), true, false},
		{obj(dk.F("a", nil)), obj(dk.F("b", nil)), true, false},
		{obj(dk.F("a", 1)), obj(dk.F("b", 1)), false, false},
		{obj(dk.F("a", []any{1.0})), obj(dk.F("a", []any{1})), true, false},
		{dk.Null(), dk.Value{}, true, true},
	} {
		if c.a.Equal(c.b) != c.equal || c.b.Equal(c.a) != c.equal {
			t.Errorf("%s equal to %s: want %v", c.a, c.b, c.equal)
		}
		if c.a.Identical(c.b) != c.identical || c.b.Identical(c.a) != c.identical {
			t.Errorf("%s identical to %s: want %v", c.a, c.b, c.identical)
		}
	}
}

func TestValueOf(t *testing.T) {
	type word string
	seven := 7
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_999, time.FixedZone("", 3600))
	for _, c := range []struct {
		x    any
		want dk.Value
	}{
		{nil, dk.Null()},
		{true, dk.Bool(true)},
		{uint8(200), dk.Int(200)},
		{int64(math.MinInt64), dk.Int(math.MinInt64)},
		{float32(0.5), dk.Float(0.5)},
		{"x", dk.String("x")},
		{word("x"), dk.String("x")},
		{[]byte{1}, dk.Bytes([]byte{1})},
		{at, dk.TimeMicros(time.Date(2026, 1, 2, 2, 4, 5, 678_901_000, time.UTC).UnixMicro())},
		{json.Number("12"), dk.Int(12)},
		{json.Number("12.0"), dk.Float(12)},
		{dk.Int(3), dk.Int(3)},
		{[]dk.Value{dk.Int(3)}, dk.Array(dk.Int(3))},
		{dk.Fields{dk.F("a", 1)}, dk.Object(dk.Fields{dk.F("a", 1)})},
		{&seven, dk.Int(7)},
		{(*int)(nil), dk.Null()},
		{[]any{1, "x", nil, []string{"y"}}, dk.Array(dk.Int(1), dk.String("x"), dk.Null(), dk.Array(dk.String("y")))},
		{[2]int{1, 2}, dk.Array(dk.Int(1), dk.Int(2))},
		{[]time.Time{at}, dk.Array(dk.Time(at))},
		{map[string]any{"b": 1, "a": map[word]int{"c": 2}}, dk.Object(dk.Fields{dk.F("a", dk.Fields{dk.F("c", 2)}), dk.F("b", 1)})},
	} {
		v, err := dk.ValueOf(c.x)
		if err != nil || !v.Identical(c.want) {
			t.Errorf("ValueOf(%T %v) = %s, %v; want %s", c.x, c.x, v, err, c.want)
		}
	}
	loop := []any{nil}
	loop[0] = loop
	for _, x := range []any{make(chan int), func() {}, uint64(math.MaxInt64) + 1, map[int]string{1: "x"}, json.Number("9223372036854775808"), complex(1, 2), []any{1, make(chan int)}, loop} {
		if v, err := dk.ValueOf(x); dk.CodeOf(err) != dk.InvalidArgument {
			t.Errorf("ValueOf(%T) = %s, %v", x, v, err)
		}
	}
}

// Any turns a value into plain Go from which ValueOf makes it again.
func TestAnyRoundTrip(t *testing.T) {
	gen := nearValue(2)
	rapid.Check(t, func(t *rapid.T) {
		v := gen.Draw(t, "v")
		w, err := dk.ValueOf(v.Any())
		if err != nil || !v.Identical(w) {
			t.Fatalf("%s → %v → %s, %v", v, v.Any(), w, err)
		}
		if c := v.Clone(); !v.Identical(c) {
			t.Fatalf("the clone of %s is %s", v, c)
		}
	})
}

// What a value prints as a literal, and as tagged JSON, reads back as it.
func TestValueTextRoundTrip(t *testing.T) {
	gen := nearValue(3)
	rapid.Check(t, func(t *rapid.T) {
		v := gen.Draw(t, "v")
		w, err := dk.ParseValue(v.String())
		if err != nil || !v.Identical(w) {
			t.Fatalf("%s reads back as %s, %v", v, w, err)
		}
		b := v.AppendTaggedJSON(nil)
		if w, err = dk.ParseTaggedJSON(b); err != nil || !v.Identical(w) {
			t.Fatalf("%s → %s reads back as %s, %v", v, b, w, err)
		}
		if !json.Valid(v.AppendJSON(nil)) {
			t.Fatalf("%s → %s", v, v.AppendJSON(nil))
		}
	})
}

func TestAccessorsOfOtherKinds(t *testing.T) {
	for _, v := range []dk.Value{dk.Null(), dk.Bool(true), dk.Int(1), dk.Float(1), dk.TimeMicros(1), dk.String("x"), dk.Bytes([]byte("x")), dk.Array(dk.Int(1)), dk.Object(dk.Fields{dk.F("a", 1)})} {
		k := v.Kind()
		if v.Bool() != (k == dk.KindBool) || (v.Int() != 0) != (k == dk.KindInt) || (v.Float() != 0) != v.IsNumber() ||
			v.Time().IsZero() != (k != dk.KindTime) || (v.Micros() != 0) != (k == dk.KindTime) || (v.Str() != "") != (k == dk.KindString) ||
			(v.Bytes() != nil) != (k == dk.KindBytes) || (v.Fields() != nil) != (k == dk.KindObject) ||
			v.Index(0).IsNull() != (k != dk.KindArray) || v.Field("a").IsNull() != (k != dk.KindObject) ||
			(v.Len() > 0) != (k >= dk.KindString) || v.IsNull() != (k == dk.KindNull) {
			t.Errorf("an accessor of %s is wrong", v)
		}
		if parsed, ok := dk.ParseKind(k.String()); !ok || parsed != k {
			t.Errorf("ParseKind(%q) = %v, %v", k.String(), parsed, ok)
		}
	}
}

func TestValuesShareNothingWithTheCaller(t *testing.T) {
	b, vs, f := []byte("x"), []dk.Value{dk.Int(1)}, dk.Fields{dk.F("a", 1)}
	v := []dk.Value{dk.Bytes(b), dk.Array(vs...), dk.Object(f)}
	b[0], vs[0], f[0] = 'y', dk.Int(2), dk.F("b", 2)
	v[0].Bytes()[0], v[2].Fields()[0].Name = 'z', "c"
	if got := dk.AdoptArray(v).String(); got != "[bytes 'eA==', [1], {'a': 1}]" {
		t.Errorf("the caller's change shows: %s", got)
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-02":                          "2026-01-02T00:00:00Z",
		"2026-01-02T03:04:05Z":                "2026-01-02T03:04:05Z",
		"2026-01-02T03:04:05.1234569+02:00":   "2026-01-02T01:04:05.123456Z",
		"1969-12-31T23:59:59.9999999Z":        "1969-12-31T23:59:59.999999Z",
		"0001-01-01T00:00:00Z":                "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999Z":         "9999-12-31T23:59:59.999999Z",
		"0001-01-01T00:00:00+01:00":           "",
		"9999-12-31T23:59:59-01:00":           "",
		"2026-1-2":                            "",
		"2026-02-30":                          "",
		"2026-01-02 03:04:05Z":                "",
		"2026-01-02T03:04:05":                 "",
		"2026-01-02t03:04:05z":                "",
		"2026-01-02T03:04:05,5Z":              "",
		"2026-01-02T24:00:00Z":                "",
		"2026-01-02T23:59:60Z":                "",
		"20260102":                            "",
		"":                                    "",
		"2026-01-02T03:04:05Z ":               "",
		"+2026-01-02":                         "",
		"2026-01-02T03:04:05.123456789+00:00": "2026-01-02T03:04:05.123456Z",
	} {
		v, ok := dk.ParseTime(text)
		got := ""
		if ok {
			got = string(dk.AppendTime(nil, v.Time()))
		}
		if got != want {
			t.Errorf("ParseTime(%q) = %q, %v; want %q", text, got, ok, want)
		}
	}
}
