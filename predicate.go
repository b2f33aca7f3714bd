package dataknobs

import (
	"math"
	"regexp"
	"strings"
)

// negate is NOT t for a test that is unknown of null only.
func negate(t test) test {
	return func(v Value) bool { return v.kind != KindNull && !t(v) }
}

func never(Value) bool { return false }

// equalTest is = arg; arg is not null.
func equalTest(arg Value) test {
	switch arg.kind {
	case KindString:
		s := arg.Str()
		return func(v Value) bool { return v.kind == KindString && v.Str() == s }
	case KindInt, KindFloat:
		return newNumberRange(arg, arg, false, false).test
	case KindBool, KindTime:
		kind, num := arg.kind, arg.num
		return func(v Value) bool { return v.kind == kind && v.num == num }
	}
	return arg.Equal
}

// orderTest is <, <=, > or >= arg. Only values of arg's own kind compare
// (numbers are one kind), and arrays and objects not at all.
func orderTest(op Op, arg Value) test {
	switch arg.kind {
	case KindInt, KindFloat:
		return numberTest(op, arg)
	case KindString:
		return stringTest(op, arg.Str())
	case KindBool, KindTime, KindBytes:
		return kindTest(op, arg)
	}
	return never
}

func numberTest(op Op, arg Value) test {
	least, most := Float(math.Inf(-1)), Float(math.Inf(1))
	switch op {
	case Lt:
		return newNumberRange(least, arg, false, true).test
	case Le:
		return newNumberRange(least, arg, false, false).test
	case Gt:
		return newNumberRange(arg, most, true, false).test
	}
	return newNumberRange(arg, most, false, false).test
}

func stringTest(op Op, s string) test {
	switch op {
	case Lt:
		return func(v Value) bool { return v.kind == KindString && v.Str() < s }
	case Le:
		return func(v Value) bool { return v.kind == KindString && v.Str() <= s }
	case Gt:
		return func(v Value) bool { return v.kind == KindString && v.Str() > s }
	}
	return func(v Value) bool { return v.kind == KindString && v.Str() >= s }
}

func kindTest(op Op, arg Value) test {
	kind := arg.kind
	switch op {
	case Lt:
		return func(v Value) bool { return v.kind == kind && v.Compare(arg) < 0 }
	case Le:
		return func(v Value) bool { return v.kind == kind && v.Compare(arg) <= 0 }
	case Gt:
		return func(v Value) bool { return v.kind == kind && v.Compare(arg) > 0 }
	}
	return func(v Value) bool { return v.kind == kind && v.Compare(arg) >= 0 }
}

// betweenTest is the AND of >= lo and <= hi, or the OR of < lo and > hi.
func betweenTest(op Op, lo, hi Value) test {
	if op == Between && lo.IsNumber() && hi.IsNumber() {
		return newNumberRange(lo, hi, false, false).test
	}
	if op == Between {
		above, below := orderTest(Ge, lo), orderTest(Le, hi)
		return func(v Value) bool { return above(v) && below(v) }
	}
	below, above := orderTest(Lt, lo), orderTest(Gt, hi)
	return func(v Value) bool { return below(v) || above(v) }
}

// A numberRange is an interval of numbers, written as one closed interval of
// the ints in it and one of the floats in it, so that a value of either kind
// is tested exactly by two comparisons of its own kind.
type numberRange struct {
	loInt, hiInt     int64
	loFloat, hiFloat float64
}

// newNumberRange returns the numbers from lo to hi, which may be infinite; an
// open end is not itself in the range.
func newNumberRange(lo, hi Value, loOpen, hiOpen bool) *numberRange {
	r := &numberRange{loFloat: floatAtLeast(lo, loOpen), hiFloat: -floatAtLeast(negative(hi), hiOpen)}
	var okLo, okHi bool
	r.loInt, okLo = intAtLeast(lo, loOpen)
	r.hiInt, okHi = intAtMost(hi, hiOpen)
	if !okLo || !okHi {
		r.loInt, r.hiInt = 1, 0
	}
	return r
}

func (r *numberRange) test(v Value) bool {
	switch v.kind {
	case KindInt:
		i := int64(v.num)
		return i >= r.loInt && i <= r.hiInt
	case KindFloat:
		f := math.Float64frombits(v.num)
		return f >= r.loFloat && f <= r.hiFloat
	}
	return false
}

// negative returns -v; -2⁶³ has no int negative and becomes the float 2⁶³.
func negative(v Value) Value {
	if v.kind == KindInt && v.Int() != math.MinInt64 {
		return Int(-v.Int())
	}
	return Float(-v.Float())
}

// floatAtLeast returns the least float >= v, or > v where open.
func floatAtLeast(v Value, open bool) float64 {
	f := v.Float()
	c := v.Compare(Float(f)) // not 0 only for an int that no float equals
	if c > 0 || c == 0 && open {
		return math.Nextafter(f, math.Inf(1))
	}
	return f
}

// intAtLeast returns the least int >= v, or > v where open; false if there is none.
func intAtLeast(v Value, open bool) (int64, bool) {
	if v.kind == KindInt {
		i := v.Int()
		if !open {
			return i, true
		}
		return i + 1, i < math.MaxInt64
	}
	f := math.Ceil(v.Float())
	switch {
	case f >= 1<<63:
		return 0, false
	case f < -1<<63:
		return math.MinInt64, true
	case open && f == v.Float():
		return intAtLeast(Int(int64(f)), true)
	}
	return int64(f), true
}

// intAtMost returns the greatest int <= v, or < v where open; false if there is none.
func intAtMost(v Value, open bool) (int64, bool) {
	if v.kind == KindInt {
		i := v.Int()
		if !open {
			return i, true
		}
		return i - 1, i > math.MinInt64
	}
	f := math.Floor(v.Float())
	switch {
	case f >= 1<<63:
		return math.MaxInt64, true
	case f < -1<<63:
		return 0, false
	case open && f == v.Float():
		return intAtMost(Int(int64(f)), true)
	}
	return int64(f), true
}

func prefixTest(op Op, prefix string) test {
	if op == StartsWith {
		return func(v Value) bool { return v.kind == KindString && strings.HasPrefix(v.Str(), prefix) }
	}
	return func(v Value) bool { return v.kind == KindString && !strings.HasPrefix(v.Str(), prefix) }
}

func matchesTest(op Op, pattern string) (test, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, Errorf(InvalidArgument, "the pattern of MATCHES: %w", err)
	}
	want := op == Matches
	return func(v Value) bool { return v.kind == KindString && re.MatchString(v.Str()) == want }, nil
}

func containsTest(op Op, arg Value) test {
	want, equal := op == Contains, equalTest(arg)
	return func(v Value) bool {
		if v.kind != KindArray {
			return false
		}
		for _, e := range v.rawArray() {
			if equal(e) {
				return want
			}
		}
		return !want
	}
}

// smallIn is up to how many constants IN compares one by one.
const smallIn = 4

// inTest is IN of the constants, none of them null.
func inTest(args []Value) test {
	if len(args) == 0 {
		return never
	}
	if len(args) > smallIn {
		return newValueSet(args).has
	}
	tests := make([]test, len(args))
	for i, a := range args {
		tests[i] = equalTest(a)
	}
	return func(v Value) bool {
		for _, t := range tests {
			if t(v) {
				return true
			}
		}
		return false
	}
}

// A valueSet is a set of values under Equal, looked up by hash.
type valueSet struct {
	strings map[string]struct{}
	ints    map[int64]struct{}
	inline  map[inlineKey]struct{}
	others  map[string]struct{} // bytes, arrays and objects, by appendKey
}

// An inlineKey is a bool, a time, or a float that no int equals.
type inlineKey struct {
	kind Kind
	num  uint64
}

func newValueSet(vs []Value) *valueSet {
	s := &valueSet{
		strings: make(map[string]struct{}), ints: make(map[int64]struct{}),
		inline: make(map[inlineKey]struct{}), others: make(map[string]struct{}),
	}
	for _, v := range vs {
		i, whole := v.wholeInt()
		switch {
		case v.kind == KindString:
			s.strings[v.Str()] = struct{}{}
		case whole:
			s.ints[i] = struct{}{}
		case v.kind < KindString:
			s.inline[inlineKey{v.kind, v.num}] = struct{}{}
		default:
			s.others[string(v.appendKey(nil))] = struct{}{}
		}
	}
	return s
}

// has allocates only for bytes, arrays and objects, and only where the set has some.
func (s *valueSet) has(v Value) bool {
	ok := false
	i, whole := v.wholeInt()
	switch {
	case v.kind == KindString:
		_, ok = s.strings[v.Str()]
	case whole:
		_, ok = s.ints[i]
	case v.kind < KindString:
		_, ok = s.inline[inlineKey{v.kind, v.num}]
	case len(s.others) > 0:
		_, ok = s.others[string(v.appendKey(nil))]
	}
	return ok
}

// wholeInt returns v as an int where v is a number that some int equals.
func (v Value) wholeInt() (int64, bool) {
	switch v.kind {
	case KindInt:
		return int64(v.num), true
	case KindFloat:
		f := math.Float64frombits(v.num)
		if f >= -1<<63 && f < 1<<63 && f == math.Trunc(f) {
			return int64(f), true
		}
	}
	return 0, false
}
