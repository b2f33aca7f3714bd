package dataknobs_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"pgregory.net/rapid"
)

// samples has one value of each kind but null, and two floats: one equal to
// the int and one not.
var samples = []dataknobs.Value{
	dataknobs.Bool(true), dataknobs.Int(2), dataknobs.Float(2), dataknobs.Float(2.5), dataknobs.Time(sampleTime),
	dataknobs.String("b"), dataknobs.Bytes([]byte("b")), dataknobs.Array(dataknobs.Int(2)), dataknobs.Object(dataknobs.Fields{dataknobs.F("a", 2)}),
}

// TestTruthTables says for every operator (and its negation) and every pair of
// kinds whether the condition is true, false or unknown. A row is a value of
// the field, null first and then the samples; a column is a constant, in the
// order of the samples.
func TestTruthTables(t *testing.T) {
	equal := `
		UUUUUUUUU TFFFFFFFF FTTFFFFFF FTTFFFFFF FFFTFFFFF
		FFFFTFFFF FFFFFTFFF FFFFFFTFF FFFFFFFTF FFFFFFFFT`
	between := `
		UUUUUUUUU TUUUUUUUU UTTFUUUUU UTTFUUUUU UFFTUUUUU
		UUUUTUUUU UUUUUTUUU UUUUUUTUU UUUUUUUUU UUUUUUUUU`
	tables := []struct {
		op    dataknobs.Op
		table string
	}{
		{dataknobs.Eq, equal},
		{dataknobs.In, equal},
		{dataknobs.Between, between},
		{dataknobs.Lt, `
			UUUUUUUUU FUUUUUUUU UFFTUUUUU UFFTUUUUU UFFFUUUUU
			UUUUFUUUU UUUUUFUUU UUUUUUFUU UUUUUUUUU UUUUUUUUU`},
		{dataknobs.Le, `
			UUUUUUUUU TUUUUUUUU UTTTUUUUU UTTTUUUUU UFFTUUUUU
			UUUUTUUUU UUUUUTUUU UUUUUUTUU UUUUUUUUU UUUUUUUUU`},
		{dataknobs.Contains, `
			UUUUUUUUU UUUUUUUUU UUUUUUUUU UUUUUUUUU UUUUUUUUU
			UUUUUUUUU UUUUUUUUU UUUUUUUUU FTTFFFFFF UUUUUUUUU`},
	}
	for _, tt := range tables {
		for i, row := range strings.Fields(tt.table) {
			v := dataknobs.Null()
			if i > 0 {
				v = samples[i-1]
			}
			for j, want := range row {
				args := []dataknobs.Value{samples[j]}
				if tt.op == dataknobs.Between {
					args = append(args, samples[j])
				}
				checkTruth(t, v, &dataknobs.Cond{Path: dataknobs.Names("x"), Op: tt.op, Args: args}, want)
			}
		}
	}
	text := []dataknobs.Value{dataknobs.String("b")}
	for _, op := range []dataknobs.Op{dataknobs.Like, dataknobs.ILike, dataknobs.StartsWith, dataknobs.Matches} {
		for i, want := range "UUUUUUTUUU" {
			v := dataknobs.Null()
			if i > 0 {
				v = samples[i-1]
			}
			checkTruth(t, v, &dataknobs.Cond{Path: dataknobs.Names("x"), Op: op, Args: text}, want)
		}
		checkTruth(t, dataknobs.String("a"), &dataknobs.Cond{Path: dataknobs.Names("x"), Op: op, Args: text}, 'F')
	}
	for i, want := range "TFFFFFFFFF" {
		v := dataknobs.Null()
		if i > 0 {
			v = samples[i-1]
		}
		checkTruth(t, v, &dataknobs.Cond{Path: dataknobs.Names("x"), Op: dataknobs.IsNull}, want)
	}
}

// checkTruth checks a condition, its negation by NOT and its negated operator,
// each by record and by slot.
func checkTruth(t *testing.T, v dataknobs.Value, c *dataknobs.Cond, want rune) {
	t.Helper()
	negated := *c
	negated.Op = c.Op.Negate()
	r := dataknobs.NewRecord("1", dataknobs.F("x", v))
	for _, tt := range []struct {
		name string
		e    dataknobs.Expr
		want bool
	}{{"", c, want == 'T'}, {"NOT ", dataknobs.Not{Expr: c}, want == 'F'}, {"negated ", &negated, want == 'F'}} {
		m := mustCompile(t, tt.e)
		if got := m.Match(r); got != tt.want {
			t.Errorf("%s(%v %v %v): got %v, wanted %v (the condition is %c)", tt.name, v, c.Op, c.Args, got, tt.want, want)
		}
		if got := m.MatchFunc(func(int) dataknobs.Value { return v }); got != tt.want {
			t.Errorf("%s(%v %v %v) by slot: got %v, wanted %v", tt.name, v, c.Op, c.Args, got, tt.want)
		}
	}
}

func TestMatchSpecialCases(t *testing.T) {
	str, num := dataknobs.String, dataknobs.Int
	tests := []struct {
		name string
		v    dataknobs.Value
		op   dataknobs.Op
		args []dataknobs.Value
		want rune
	}{
		{"empty IN", num(1), dataknobs.In, nil, 'F'},
		{"empty IN of null", dataknobs.Null(), dataknobs.In, nil, 'U'},
		{"zero", num(0), dataknobs.Lt, []dataknobs.Value{num(1)}, 'T'},
		{"minus zero", dataknobs.Float(math.Copysign(0, -1)), dataknobs.Eq, []dataknobs.Value{num(0)}, 'T'},
		{"minus zero is not below zero", dataknobs.Float(math.Copysign(0, -1)), dataknobs.Lt, []dataknobs.Value{num(0)}, 'F'},
		{"no rounding of ints", num(1<<53 + 1), dataknobs.Eq, []dataknobs.Value{dataknobs.Float(1 << 53)}, 'F'},
		{"no rounding of constants", dataknobs.Float(1 << 53), dataknobs.Lt, []dataknobs.Value{num(1<<53 + 1)}, 'T'},
		{"above every int", num(math.MaxInt64), dataknobs.Lt, []dataknobs.Value{dataknobs.Float(1 << 63)}, 'T'},
		{"the least int", num(math.MinInt64), dataknobs.Le, []dataknobs.Value{dataknobs.Float(-1 << 63)}, 'T'},
		{"below every int", num(math.MinInt64), dataknobs.Lt, []dataknobs.Value{dataknobs.Float(-1e300)}, 'F'},
		{"a string is no number", str("5"), dataknobs.Eq, []dataknobs.Value{num(5)}, 'F'},
		{"code points, not letters", str("Z"), dataknobs.Lt, []dataknobs.Value{str("a")}, 'T'},
		{"beyond the basic plane", str("\uffff"), dataknobs.Lt, []dataknobs.Value{str("\U00010000")}, 'T'},
		{"long IN across kinds", dataknobs.Float(3), dataknobs.In, []dataknobs.Value{str("a"), num(1), num(2), num(3), dataknobs.Bool(true), dataknobs.Float(0.5)}, 'T'},
		{"long IN of a fraction", dataknobs.Float(0.5), dataknobs.In, []dataknobs.Value{str("a"), num(1), num(2), num(3), dataknobs.Bool(true), dataknobs.Float(0.5)}, 'T'},
		{"BETWEEN of two kinds", num(5), dataknobs.Between, []dataknobs.Value{num(1), str("z")}, 'U'},
		{"BETWEEN of two kinds, outside", num(0), dataknobs.Between, []dataknobs.Value{num(1), str("z")}, 'F'},
		{"BETWEEN upside down", num(5), dataknobs.Between, []dataknobs.Value{num(9), num(1)}, 'F'},
		{"CONTAINS beside nulls", dataknobs.Array(dataknobs.Null(), num(1)), dataknobs.Contains, []dataknobs.Value{num(2)}, 'F'},
		{"CONTAINS an array", dataknobs.Array(dataknobs.Array(num(1))), dataknobs.Contains, []dataknobs.Value{dataknobs.Array(dataknobs.Float(1))}, 'T'},
		{"objects in any order", dataknobs.Object(dataknobs.Fields{dataknobs.F("a", 1), dataknobs.F("b", nil)}), dataknobs.Eq,
			[]dataknobs.Value{dataknobs.Object(dataknobs.Fields{dataknobs.F("c", nil), dataknobs.F("a", 1.0)})}, 'T'},
		{"newlines are ordinary", str("a\nb"), dataknobs.Like, []dataknobs.Value{str("a_b")}, 'T'},
		{"one code point", str("é"), dataknobs.Like, []dataknobs.Value{str("_")}, 'T'},
		{"an escaped percent sign", str("5%"), dataknobs.Like, []dataknobs.Value{str(`_\%`)}, 'T'},
		{"an escaped percent sign is no run", str("5x"), dataknobs.Like, []dataknobs.Value{str(`_\%`)}, 'F'},
		{"star and question mark are text", str("abc"), dataknobs.Like, []dataknobs.Value{str("a*")}, 'F'},
		{"the Kelvin sign", str("\u212a"), dataknobs.ILike, []dataknobs.Value{str("k")}, 'T'},
		{"sharp s does not become ss", str("ß"), dataknobs.ILike, []dataknobs.Value{str("ss")}, 'F'},
		{"Greek sigmas", str("ΟΔΟΣ"), dataknobs.ILike, []dataknobs.Value{str("οδος")}, 'T'},
		{"Matches searches", str("xaby"), dataknobs.Matches, []dataknobs.Value{str("a.")}, 'T'},
		{"the empty prefix", str(""), dataknobs.StartsWith, []dataknobs.Value{str("")}, 'T'},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkTruth(t, tt.v, &dataknobs.Cond{Path: dataknobs.Names("x"), Op: tt.op, Args: tt.args}, tt.want)
		})
	}
}

func TestMatchEmptyJunctions(t *testing.T) {
	r := dataknobs.NewRecord("1")
	for _, tt := range []struct {
		name string
		e    dataknobs.Expr
		want bool
	}{
		{"nil", nil, true},
		{"empty AND", dataknobs.And{}, true},
		{"empty OR", dataknobs.Or{}, false},
		{"NOT empty AND", dataknobs.Not{Expr: dataknobs.And{}}, false},
		{"NOT empty OR", dataknobs.Not{Expr: dataknobs.Or{}}, true},
		{"nothing in an AND", dataknobs.And{nil, dataknobs.Or{nil}}, true},
	} {
		if got := mustCompile(t, tt.e).Match(r); got != tt.want {
			t.Errorf("%s: got %v, wanted %v", tt.name, got, tt.want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	one := []dataknobs.Value{dataknobs.Int(1)}
	x := dataknobs.Names("x")
	tests := []struct {
		name, says string
		c          dataknobs.Cond
	}{
		{"no operator", "no operator", dataknobs.Cond{Path: x, Args: one}},
		{"an unknown operator", "no operator", dataknobs.Cond{Path: x, Op: 99, Args: one}},
		{"= null", "IS NULL", dataknobs.Cond{Path: x, Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.Null()}}},
		{"null in a list", "null", dataknobs.Cond{Path: x, Op: dataknobs.In, Args: []dataknobs.Value{dataknobs.Null()}}},
		{"no constant", "takes 1 constants, not 0", dataknobs.Cond{Path: x, Op: dataknobs.Eq}},
		{"two constants", "takes 1 constants, not 2", dataknobs.Cond{Path: x, Op: dataknobs.Gt, Args: append(one, one...)}},
		{"half a BETWEEN", "takes 2", dataknobs.Cond{Path: x, Op: dataknobs.Between, Args: one}},
		{"IS NULL of something", "takes 0", dataknobs.Cond{Path: x, Op: dataknobs.IsNull, Args: one}},
		{"LIKE of a number", "takes a string", dataknobs.Cond{Path: x, Op: dataknobs.Like, Args: one}},
		{"a loose backslash", `\`, dataknobs.Cond{Path: x, Op: dataknobs.NotILike, Args: []dataknobs.Value{dataknobs.String(`a\`)}}},
		{"a bad expression", "MATCHES", dataknobs.Cond{Path: x, Op: dataknobs.Matches, Args: []dataknobs.Value{dataknobs.String("(")}}},
		{"not a number", "finite", dataknobs.Cond{Path: x, Op: dataknobs.Lt, Args: []dataknobs.Value{dataknobs.Float(math.NaN())}}},
		{"no path", "empty", dataknobs.Cond{Op: dataknobs.IsNull}},
		{"an index first", "index", dataknobs.Cond{Path: dataknobs.Path{}.At(1), Op: dataknobs.IsNull}},
		{"an aggregate", "HAVING", dataknobs.Cond{Agg: dataknobs.CountAll, Op: dataknobs.Eq, Args: one}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dataknobs.Compile(dataknobs.Not{Expr: dataknobs.And{&tt.c}})
			wantCode(t, err, dataknobs.InvalidArgument)
			if err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error %q does not say %q", err, tt.says)
			}
		})
	}
}

// TestMatchAgainstPlainLogic compares the compiled form with the contract's
// logic, and so De Morgan's laws with it: a record is selected by a condition
// or by its negation or, where the condition is unknown, by neither.
func TestMatchAgainstPlainLogic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genExpr(3).Draw(t, "expr")
		yes, err := dataknobs.Compile(e)
		if err != nil {
			t.Fatalf("Compile(%v): %v", e, err)
		}
		no, err := dataknobs.Compile(dataknobs.Not{Expr: e})
		if err != nil {
			t.Fatalf("Compile(NOT %v): %v", e, err)
		}
		for _, r := range rapid.SliceOfN(genRecord, 1, 5).Draw(t, "records") {
			want := truthOf(e, r)
			if yes.Match(r) != (want == isTrue) || no.Match(r) != (want == isFalse) {
				t.Fatalf("record %v: selected %v, by the negation %v; the condition is %v", r.Fields, yes.Match(r), no.Match(r), want)
			}
			get := func(slot int) dataknobs.Value { return r.Lookup(yes.Paths()[slot]) }
			if got := yes.MatchFunc(get); got != (want == isTrue) {
				t.Fatalf("record %v by slot: selected %v; the condition is %v", r.Fields, got, want)
			}
		}
	})
}

// TestLeavesPartition checks that of a single condition every record is in
// exactly one of three parts: selected, selected by the negation, or without
// a value that can be compared.
func TestLeavesPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := genCond.Draw(t, "cond").(*dataknobs.Cond)
		r := genRecord.Draw(t, "record")
		negated := *c
		negated.Op = c.Op.Negate()
		parts := 0
		for _, part := range []dataknobs.Expr{c, &negated} {
			if m, err := dataknobs.Compile(part); err != nil {
				t.Fatal(err)
			} else if m.Match(r) {
				parts++
			}
		}
		if truthOf(c, r) == isUnknown {
			parts++
		}
		if parts != 1 {
			t.Fatalf("the record %v is in %d of the three parts", r.Fields, parts)
		}
	})
}

func TestMatchDoesNotAllocate(t *testing.T) {
	r := dataknobs.NewRecord("1", dataknobs.F("a", "Hello wörld"), dataknobs.F("n", 12), dataknobs.F("f", 1.5))
	e := dataknobs.And{
		&dataknobs.Cond{Path: dataknobs.Names("a"), Op: dataknobs.ILike, Args: []dataknobs.Value{dataknobs.String("h%WÖR_d")}},
		&dataknobs.Cond{Path: dataknobs.Names("a"), Op: dataknobs.Like, Args: []dataknobs.Value{dataknobs.String("_e%l_ w%d")}},
		&dataknobs.Cond{Path: dataknobs.Names("n"), Op: dataknobs.In, Args: []dataknobs.Value{dataknobs.Int(1), dataknobs.Int(2), dataknobs.Int(3), dataknobs.Float(12), dataknobs.String("x")}},
		&dataknobs.Cond{Path: dataknobs.Names("f"), Op: dataknobs.NotIn, Args: []dataknobs.Value{dataknobs.Int(1), dataknobs.Int(2), dataknobs.Int(3), dataknobs.Float(2.5), dataknobs.Bool(true)}},
	}
	m := mustCompile(t, e)
	get := func(slot int) dataknobs.Value { return r.Lookup(m.Paths()[slot]) }
	if !m.Match(r) || !m.MatchFunc(get) {
		t.Fatal("the record does not match")
	}
	if n := testing.AllocsPerRun(100, func() { m.Match(r); m.MatchFunc(get) }); n > 0 {
		t.Errorf("a match allocates %v times, wanted never", n)
	}
}

func TestMatcherPaths(t *testing.T) {
	c := func(p dataknobs.Path) dataknobs.Expr { return &dataknobs.Cond{Path: p, Op: dataknobs.IsNull} }
	m := mustCompile(t, dataknobs.Or{c(dataknobs.Names("a")), c(dataknobs.Names("b")), c(dataknobs.Names("a")), c(dataknobs.Names("a.b")), c(dataknobs.Names("a", "b"))})
	if got, want := fmt.Sprint(m.Paths()), "[a b `a.b` a.b]"; got != want {
		t.Errorf("got the paths %s, wanted %s", got, want)
	}
}

func BenchmarkMatchFunc(b *testing.B) {
	m := mustCompile(b, dataknobs.And{
		&dataknobs.Cond{Path: dataknobs.Names("carrier"), Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.String("AA")}},
		&dataknobs.Cond{Path: dataknobs.Names("dep_delay"), Op: dataknobs.Gt, Args: []dataknobs.Value{dataknobs.Int(120)}},
	})
	row := []dataknobs.Value{dataknobs.String("AA"), dataknobs.Int(130)}
	get := func(slot int) dataknobs.Value { return row[slot] }
	for b.Loop() {
		if !m.MatchFunc(get) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkMatchRecord(b *testing.B) {
	m := mustCompile(b, dataknobs.And{
		&dataknobs.Cond{Path: dataknobs.Names("carrier"), Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.String("AA")}},
		&dataknobs.Cond{Path: dataknobs.Names("dep_delay"), Op: dataknobs.Gt, Args: []dataknobs.Value{dataknobs.Int(120)}},
	})
	r := dataknobs.NewRecord("1", dataknobs.F("carrier", "AA"), dataknobs.F("year", 2013), dataknobs.F("dep_delay", 130))
	for b.Loop() {
		if !m.Match(r) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkLike(b *testing.B) {
	for _, bb := range []struct {
		name, pattern string
		op            dataknobs.Op
	}{{"prefix", "the quick%", dataknobs.Like}, {"contains", "%lazy%", dataknobs.Like}, {"general", "t_e%f_x%dog", dataknobs.Like}, {"folded", "%LAZY%", dataknobs.ILike}} {
		b.Run(bb.name, func(b *testing.B) {
			m := mustCompile(b, &dataknobs.Cond{Path: dataknobs.Names("s"), Op: bb.op, Args: []dataknobs.Value{dataknobs.String(bb.pattern)}})
			v := dataknobs.String("the quick brown fox jumps over the lazy dog")
			get := func(int) dataknobs.Value { return v }
			for b.Loop() {
				if !m.MatchFunc(get) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkIn(b *testing.B) {
	args := make([]dataknobs.Value, 1000)
	for i := range args {
		args[i] = dataknobs.String(fmt.Sprint("value", i))
	}
	m := mustCompile(b, &dataknobs.Cond{Path: dataknobs.Names("s"), Op: dataknobs.In, Args: args})
	get := func(int) dataknobs.Value { return args[500] }
	for b.Loop() {
		m.MatchFunc(get)
	}
}
