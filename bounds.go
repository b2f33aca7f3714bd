package dataknobs

import (
	"bytes"
	"math"
	"slices"
)

// A Range is a run of the total order of [Value.Compare], from Lo to Hi. An
// end that is open is not itself in the range. A range never holds null, and
// the values strictly inside it are all of one kind (numbers being one), but
// an open Hi may be the least value of the next kind: the strings from "m" on
// end, open, at the empty bytes.
type Range struct {
	Lo, Hi         Value
	LoOpen, HiOpen bool
}

// Point reports whether the range holds one value only, Lo.
func (r Range) Point() bool { return !r.LoOpen && !r.HiOpen && r.Lo.Compare(r.Hi) == 0 }

// Ints returns the ints in the range as the closed interval from lo to hi; false
// if there are none. An end that is not a number does not bound them.
func (r Range) Ints() (lo, hi int64, ok bool) {
	lo, hi = math.MinInt64, math.MaxInt64
	if r.Lo.IsNumber() {
		if lo, ok = intAtLeast(r.Lo, r.LoOpen); !ok {
			return 0, 0, false
		}
	}
	if r.Hi.IsNumber() {
		if hi, ok = intAtMost(r.Hi, r.HiOpen); !ok {
			return 0, 0, false
		}
	}
	return lo, hi, lo <= hi
}

// Has reports whether v lies in the range.
func (r Range) Has(v Value) bool { return r.Overlaps(v, v) }

// Overlaps reports whether some value from least to most, both included, can
// lie in the range: what a scan asks about the statistics of a block.
func (r Range) Overlaps(least, most Value) bool {
	lo, hi := most.Compare(r.Lo), least.Compare(r.Hi)
	return (lo > 0 || lo == 0 && !r.LoOpen) && (hi < 0 || hi == 0 && !r.HiOpen)
}

// Bounds returns ranges in one of which the value at p lies in every record of
// which e is true. They are disjoint and ascending; none at all means that e
// is true of no record. It returns false where e says nothing about p that
// ranges can show: then any value, null too, may be there. With ranges, the
// value at p is never null.
//
// It is for index look-ups and for block statistics: what lies outside of the
// ranges may be passed over, what lies inside must still be matched.
func Bounds(e Expr, p Path) ([]Range, bool) {
	return bounds(Simplify(e), p)
}

func bounds(e Expr, p Path) ([]Range, bool) {
	switch e := e.(type) {
	case *Cond:
		if e.Agg != NoAgg || !e.Path.Equal(p) || checkCond(e) != nil {
			return nil, false
		}
		return condBounds(e)
	case And:
		return andBounds(e, p)
	case Or:
		var all []Range
		for _, part := range e {
			rs, ok := bounds(part, p)
			if !ok {
				return nil, false
			}
			all = append(all, rs...)
		}
		return union(all), true
	}
	return nil, false
}

func andBounds(parts []Expr, p Path) (all []Range, bounded bool) {
	for _, part := range parts {
		rs, ok := bounds(part, p)
		switch {
		case !ok:
		case !bounded:
			all, bounded = rs, true
		default:
			all = intersect(all, rs)
		}
	}
	return all, bounded
}

func condBounds(c *Cond) ([]Range, bool) {
	switch c.Op {
	case Eq, In:
		rs := make([]Range, len(c.Args))
		for i, a := range c.Args {
			rs[i] = Range{Lo: a, Hi: a}
		}
		return union(rs), true
	case Lt, Le:
		return upTo(c.Args[0], c.Op == Lt), true
	case Gt, Ge:
		return from(c.Args[0], c.Op == Gt), true
	case Between:
		return intersect(from(c.Args[0], false), upTo(c.Args[1], false)), true
	case NotBetween:
		return union(append(upTo(c.Args[0], true), from(c.Args[1], true)...)), true
	case StartsWith:
		return prefixRange(c.Args[0].Str()), true
	case Like:
		p, err := parseLike(c.Args[0].Str())
		if err != nil {
			return nil, false
		}
		if text := String(p.prefix()); p.shape == shapeEqual {
			return []Range{{Lo: text, Hi: text}}, true
		}
		return prefixRange(p.prefix()), true
	}
	return nil, false
}

// kindRange returns all values that compare with v under < and its kin; false
// where none do.
func kindRange(v Value) (Range, bool) {
	switch v.kind {
	case KindBool:
		return Range{Lo: Bool(false), Hi: Bool(true)}, true
	case KindInt, KindFloat:
		return Range{Lo: Float(math.Inf(-1)), Hi: Float(math.Inf(1))}, true
	case KindTime:
		return Range{Lo: TimeMicros(math.MinInt64), Hi: TimeMicros(math.MaxInt64)}, true
	case KindString:
		return Range{Lo: String(""), Hi: AdoptBytes(nil), HiOpen: true}, true
	case KindBytes:
		return Range{Lo: AdoptBytes(nil), Hi: AdoptArray(nil), HiOpen: true}, true
	}
	return Range{}, false
}

func upTo(v Value, open bool) []Range {
	r, ok := kindRange(v)
	if !ok {
		return nil
	}
	r.Hi, r.HiOpen = v, open
	return union([]Range{r})
}

func from(v Value, open bool) []Range {
	r, ok := kindRange(v)
	if !ok {
		return nil
	}
	r.Lo, r.LoOpen = v, open
	return union([]Range{r})
}

// prefixRange returns the strings that start with prefix. Its upper end may be
// a string that is not valid UTF-8.
func prefixRange(prefix string) []Range {
	r, _ := kindRange(String(prefix))
	r.Lo = String(prefix)
	next := bytes.TrimRight([]byte(prefix), "\xff")
	if n := len(next); n > 0 {
		next[n-1]++
		r.Hi = String(string(next))
	}
	return []Range{r}
}

// compareLo orders ranges by where they begin.
func compareLo(a, b Range) int {
	if c := a.Lo.Compare(b.Lo); c != 0 || a.LoOpen == b.LoOpen {
		return c
	}
	if b.LoOpen {
		return -1
	}
	return 1
}

// compareHi orders ranges by where they end.
func compareHi(a, b Range) int {
	if c := a.Hi.Compare(b.Hi); c != 0 || a.HiOpen == b.HiOpen {
		return c
	}
	if a.HiOpen {
		return -1
	}
	return 1
}

func (r Range) empty() bool {
	c := r.Lo.Compare(r.Hi)
	return c > 0 || c == 0 && (r.LoOpen || r.HiOpen)
}

// union sorts the ranges and joins those that overlap. It may change rs.
func union(rs []Range) []Range {
	rs = slices.DeleteFunc(rs, Range.empty)
	slices.SortFunc(rs, compareLo)
	out := rs[:0]
	for _, r := range rs {
		if n := len(out); n > 0 && meets(out[n-1], r) {
			if compareHi(out[n-1], r) < 0 {
				out[n-1].Hi, out[n-1].HiOpen = r.Hi, r.HiOpen
			}
			continue
		}
		out = append(out, r)
	}
	return out
}

// meets reports whether b, which begins no earlier than a, has a value in common with it.
func meets(a, b Range) bool {
	c := b.Lo.Compare(a.Hi)
	return c < 0 || c == 0 && !b.LoOpen && !a.HiOpen
}

// intersect returns what lies in both lists, each disjoint and ascending.
func intersect(as, bs []Range) []Range {
	var out []Range
	for len(as) > 0 && len(bs) > 0 {
		a, b := as[0], bs[0]
		r := a
		if compareLo(a, b) < 0 {
			r.Lo, r.LoOpen = b.Lo, b.LoOpen
		}
		if compareHi(a, b) > 0 {
			r.Hi, r.HiOpen = b.Hi, b.HiOpen
		}
		if !r.empty() {
			out = append(out, r)
		}
		if compareHi(a, b) < 0 {
			as = as[1:]
		} else {
			bs = bs[1:]
		}
	}
	return out
}
