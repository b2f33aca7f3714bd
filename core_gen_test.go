package dataknobs_test

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"pgregory.net/rapid"
)

// The generators keep to few values on purpose, so that equal, neighbouring
// and differently typed ones meet often.

var sampleTime = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

var genScalar = rapid.OneOf(
	rapid.Just(dataknobs.Null()),
	rapid.Map(rapid.Bool(), dataknobs.Bool),
	rapid.Map(rapid.Int64Range(-2, 3), dataknobs.Int),
	rapid.Map(rapid.SampledFrom([]int64{math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1, 1 << 53, 1<<53 + 1}), dataknobs.Int),
	rapid.Map(rapid.SampledFrom([]float64{-2, -0.5, 0, math.Copysign(0, -1), 0.5, 1, 1.5, 2, 1 << 53, 1 << 63, -1 << 63, 1e300, -1e300, 5e-324}), dataknobs.Float),
	rapid.Map(rapid.Int64Range(-1, 1), func(i int64) dataknobs.Value {
		return dataknobs.Time(sampleTime.Add(time.Duration(i) * time.Microsecond))
	}),
	rapid.Map(rapid.StringOfN(rapid.SampledFrom([]rune("abAé\n%_\\K\u212a")), 0, 4, -1), dataknobs.String),
	rapid.Map(rapid.SliceOfN(rapid.ByteRange(254, 255), 0, 2), dataknobs.Bytes),
)

var genValue = rapid.OneOf(
	genScalar, genScalar, genScalar,
	rapid.Map(rapid.SliceOfN(genScalar, 0, 3), func(vs []dataknobs.Value) dataknobs.Value { return dataknobs.Array(vs...) }),
	rapid.Map(genFields(genScalar), dataknobs.Object),
)

var genConstant = genValue.Filter(func(v dataknobs.Value) bool { return !v.IsNull() })

func genFields(value *rapid.Generator[dataknobs.Value]) *rapid.Generator[dataknobs.Fields] {
	return rapid.Custom(func(t *rapid.T) dataknobs.Fields {
		var f dataknobs.Fields
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID).Draw(t, "names") {
			f.Set(name, value.Draw(t, name))
		}
		return f
	})
}

var genRecord = rapid.Custom(func(t *rapid.T) *dataknobs.Record {
	return &dataknobs.Record{
		ID:       rapid.SampledFrom([]string{"1", "2", "10", "a", "é"}).Draw(t, "id"),
		Fields:   genFields(genValue).Draw(t, "fields"),
		Metadata: genFields(genScalar).Draw(t, "metadata"),
		Revision: rapid.SampledFrom([]string{"", "r1"}).Draw(t, "revision"),
	}
})

var genPath = rapid.SampledFrom([]dataknobs.Path{
	dataknobs.Names("a"), dataknobs.Names("b"), dataknobs.Names("c"), dataknobs.Names("a", "b"),
	dataknobs.Names("b").At(0), dataknobs.Names("_meta", "a"), dataknobs.PathID,
})

var genPattern = rapid.StringOfN(rapid.SampledFrom([]rune("%%%___abAékK\n")), 0, 6, -1)

var genCond = rapid.Custom(func(t *rapid.T) dataknobs.Expr {
	c := &dataknobs.Cond{Path: genPath.Draw(t, "path"), Op: dataknobs.Op(rapid.IntRange(1, int(dataknobs.IsNotNull)).Draw(t, "op"))}
	switch c.Op {
	case dataknobs.In, dataknobs.NotIn:
		c.Args = rapid.SliceOfN(genConstant, 0, 8).Draw(t, "list")
	case dataknobs.Between, dataknobs.NotBetween:
		c.Args = rapid.SliceOfN(genConstant, 2, 2).Draw(t, "ends")
	case dataknobs.Like, dataknobs.NotLike, dataknobs.ILike, dataknobs.NotILike, dataknobs.StartsWith, dataknobs.NotStartsWith:
		c.Args = []dataknobs.Value{dataknobs.String(genPattern.Draw(t, "pattern"))}
	case dataknobs.Matches, dataknobs.NotMatches:
		c.Args = []dataknobs.Value{dataknobs.String(rapid.SampledFrom([]string{"", "a", "^a", "b$", "[aé]+", "(?i)k"}).Draw(t, "regexp"))}
	case dataknobs.IsNull, dataknobs.IsNotNull:
	default:
		c.Args = []dataknobs.Value{genConstant.Draw(t, "constant")}
	}
	return c
})

func genExpr(depth int) *rapid.Generator[dataknobs.Expr] {
	return rapid.Custom(func(t *rapid.T) dataknobs.Expr {
		shape := rapid.IntRange(0, 5).Draw(t, "shape")
		if depth == 0 || shape < 2 {
			return genCond.Draw(t, "cond")
		}
		parts := func() []dataknobs.Expr { return rapid.SliceOfN(genExpr(depth-1), 0, 3).Draw(t, "parts") }
		switch shape {
		case 2:
			return dataknobs.Or(parts())
		case 3:
			return dataknobs.Not{Expr: genExpr(depth-1).Draw(t, "negated")}
		}
		return dataknobs.And(parts())
	})
}

// truth is a value of three-valued logic, as min and max want it.
type truth int

const (
	isFalse truth = iota
	isUnknown
	isTrue
)

func truthIf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// truthOf is the contract's logic, written plainly and apart from the engine's.
func truthOf(e dataknobs.Expr, r *dataknobs.Record) truth {
	switch e := e.(type) {
	case dataknobs.And:
		all := isTrue
		for _, p := range e {
			all = min(all, truthOf(p, r))
		}
		return all
	case dataknobs.Or:
		any := isFalse
		for _, p := range e {
			any = max(any, truthOf(p, r))
		}
		return any
	case dataknobs.Not:
		return isTrue - truthOf(e.Expr, r)
	case *dataknobs.Cond:
		return truthOfCond(e, r.Lookup(e.Path))
	}
	return isTrue
}

func truthOfCond(c *dataknobs.Cond, v dataknobs.Value) truth {
	op := c.Op
	if op.Negated() {
		d := *c
		d.Op = op.Negate()
		return isTrue - truthOfCond(&d, v)
	}
	if op == dataknobs.IsNull {
		return truthIf(v.IsNull())
	}
	if v.IsNull() {
		return isUnknown
	}
	switch op {
	case dataknobs.Eq:
		return truthIf(plainEqual(v, c.Args[0]))
	case dataknobs.In:
		any := isFalse
		for _, a := range c.Args {
			any = max(any, truthIf(plainEqual(v, a)))
		}
		return any
	case dataknobs.Lt:
		return plainLess(v, c.Args[0])
	case dataknobs.Le:
		return isTrue - plainLess(c.Args[0], v)
	case dataknobs.Between:
		return min(isTrue-plainLess(v, c.Args[0]), isTrue-plainLess(c.Args[1], v))
	case dataknobs.Contains:
		if v.Kind() != dataknobs.KindArray {
			return isUnknown
		}
		for e := range v.Elems() {
			if plainEqual(e, c.Args[0]) {
				return isTrue
			}
		}
		return isFalse
	}
	if v.Kind() != dataknobs.KindString {
		return isUnknown
	}
	s, p := v.Str(), c.Args[0].Str()
	switch op {
	case dataknobs.StartsWith:
		return truthIf(strings.HasPrefix(s, p))
	case dataknobs.Matches:
		return truthIf(regexp.MustCompile(p).MatchString(s))
	case dataknobs.Like:
		return truthIf(likeRegexp(p, "").MatchString(s))
	}
	return truthIf(likeRegexp(p, "i").MatchString(s))
}

// likeRegexp translates a LIKE pattern in which no backslash is last.
func likeRegexp(pattern, flags string) *regexp.Regexp {
	var b strings.Builder
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			b.WriteString(regexp.QuoteMeta(string(r)))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '%':
			b.WriteString(".*")
		case r == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile("(?s" + flags + ")^(?:" + b.String() + ")$")
}

func number(v dataknobs.Value) *big.Rat {
	if v.Kind() == dataknobs.KindInt {
		return new(big.Rat).SetInt64(v.Int())
	}
	return new(big.Rat).SetFloat64(v.Float())
}

func plainEqual(v, w dataknobs.Value) bool {
	if v.IsNumber() && w.IsNumber() {
		return number(v).Cmp(number(w)) == 0
	}
	return v.Equal(w)
}

func plainLess(v, w dataknobs.Value) truth {
	if v.IsNumber() && w.IsNumber() {
		return truthIf(number(v).Cmp(number(w)) < 0)
	}
	if v.Kind() != w.Kind() {
		return isUnknown
	}
	switch v.Kind() {
	case dataknobs.KindBool:
		return truthIf(!v.Bool() && w.Bool())
	case dataknobs.KindTime:
		return truthIf(v.Time().Before(w.Time()))
	case dataknobs.KindString:
		return truthIf(v.Str() < w.Str())
	case dataknobs.KindBytes:
		return truthIf(string(v.Bytes()) < string(w.Bytes()))
	}
	return isUnknown
}

// mustCompile compiles a condition that the test knows to be right.
func mustCompile(t testing.TB, e dataknobs.Expr) *dataknobs.Matcher {
	t.Helper()
	m, err := dataknobs.Compile(e)
	if err != nil {
		t.Fatalf("Compile(%v): %v", e, err)
	}
	return m
}

// wantCode fails the test unless err has that code.
func wantCode(t testing.TB, err error, code dataknobs.Code) {
	t.Helper()
	if dataknobs.CodeOf(err) != code {
		t.Errorf("got the error %v, wanted one of the code %q", err, code)
	}
}
