package sqlgen

import (
	"math"

	"dataknobs.dev/dataknobs"
)

// bools returns the bools inside a span of bools.
func (s span) bools() []dataknobs.Value {
	var in []dataknobs.Value
	for _, b := range []bool{false, true} {
		if v := dataknobs.Bool(b); s.has(v) {
			in = append(in, v)
		}
	}
	return in
}

// near is the span of all decimals whose nearest float might be v.
func near(v dataknobs.Value) span {
	return span{class: classNumber, lo: v, hi: v}.wider()
}

// wider returns a span of numbers that also holds the decimals whose nearest
// float is inside s.
func (s span) wider() span {
	if !s.lo.IsNull() {
		s.lo, s.loOpen = neighbour(s.lo, math.Inf(-1)), false
	}
	if !s.hi.IsNull() {
		s.hi, s.hiOpen = neighbour(s.hi, math.Inf(1)), false
	}
	return s
}

// neighbour returns a float beyond v in that direction; null if there is none.
func neighbour(v dataknobs.Value, to float64) dataknobs.Value {
	f := math.Nextafter(math.Nextafter(v.Float(), to), to)
	if math.IsInf(f, 0) {
		return dataknobs.Value{}
	}
	return dataknobs.Float(f)
}

// wholeInt returns v as an int if some int is equal to it.
func wholeInt(v dataknobs.Value) (int64, bool) {
	if v.Kind() == dataknobs.KindInt {
		return v.Int(), true
	}
	f := v.Float()
	return int64(f), f >= -1<<63 && f < 1<<63 && f == math.Trunc(f)
}

// exactFloat returns v as a float if some float is equal to it.
func exactFloat(v dataknobs.Value) (float64, bool) {
	f := v.Float()
	return f, v.Equal(dataknobs.Float(f))
}

// ints returns the span of numbers as the closed interval of the ints in it;
// false if there are none.
func (s span) ints() (lo, hi int64, ok bool) {
	return dataknobs.Range{Lo: s.lo, Hi: s.hi, LoOpen: s.loOpen, HiOpen: s.hiOpen}.Ints()
}

// floats returns the span of numbers as the closed interval of the finite
// floats in it.
func (s span) floats() (lo, hi float64) {
	lo, hi = -math.MaxFloat64, math.MaxFloat64
	if !s.lo.IsNull() {
		lo = floatAtLeast(s.lo, s.loOpen)
	}
	if !s.hi.IsNull() {
		hi = floatAtMost(s.hi, s.hiOpen)
	}
	return lo, hi
}

func floatAtLeast(v dataknobs.Value, open bool) float64 {
	f := v.Float()
	if c := v.Compare(dataknobs.Float(f)); c > 0 || c == 0 && open {
		return math.Nextafter(f, math.Inf(1))
	}
	return f
}

func floatAtMost(v dataknobs.Value, open bool) float64 {
	f := v.Float()
	if c := v.Compare(dataknobs.Float(f)); c < 0 || c == 0 && open {
		return math.Nextafter(f, math.Inf(-1))
	}
	return f
}
