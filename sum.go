package dataknobs

import (
	"math"
	"math/big"
	"math/bits"
)

// A sum adds up numbers: the ints exactly, in 128 bits, which no number of
// records can overflow; the floats with Neumaier's compensation.
type sum struct {
	hi     int64
	lo     uint64
	f, c   float64 // the floats: their sum and what its rounding dropped
	n      int64   // how many numbers there were
	floats bool    // any of them a float
}

// add takes v if it is a number.
func (s *sum) add(v Value) {
	switch v.kind {
	case KindInt:
		s.addInt(int64(v.num))
	case KindFloat:
		s.addFloat(math.Float64frombits(v.num))
		s.floats = true
	default:
		return
	}
	s.n++
}

func (s *sum) addInt(i int64) {
	lo, carry := bits.Add64(s.lo, uint64(i), 0)
	s.lo = lo
	s.hi += i>>63 + int64(carry)
}

func (s *sum) addFloat(x float64) {
	t := s.f + x
	if math.Abs(s.f) >= math.Abs(x) {
		s.c += (s.f - t) + x
	} else {
		s.c += (x - t) + s.f
	}
	s.f = t
}

func (s *sum) merge(o *sum) {
	lo, carry := bits.Add64(s.lo, o.lo, 0)
	s.lo = lo
	s.hi += o.hi + int64(carry)
	s.addFloat(o.f)
	s.c += o.c
	s.n += o.n
	s.floats = s.floats || o.floats
}

// total returns the sum, null of nothing; false where it overflows.
func (s *sum) total() (Value, bool) {
	switch {
	case s.n == 0:
		return Value{}, true
	case s.floats:
		f := s.float()
		return Float(f), finite(f)
	}
	return Int(int64(s.lo)), s.fits()
}

// average returns the sum divided by the number of numbers, null of nothing;
// false where the sum overflows.
func (s *sum) average() (Value, bool) {
	const exact = 1 << 53
	switch i := int64(s.lo); {
	case s.n == 0:
		return Value{}, true
	case s.floats:
		f := s.float() / float64(s.n)
		return Float(f), finite(f)
	case s.fits() && -exact <= i && i <= exact:
		return Float(float64(i) / float64(s.n)), true
	}
	f, _ := new(big.Rat).SetFrac(s.int(), big.NewInt(s.n)).Float64()
	return Float(f), true
}

// fits reports whether the sum of the ints is an int64, which is then lo.
func (s *sum) fits() bool { return s.hi == int64(s.lo)>>63 }

func (s *sum) int() *big.Int {
	i := new(big.Int).Lsh(big.NewInt(s.hi), 64)
	return i.Add(i, new(big.Int).SetUint64(s.lo))
}

// float returns the sum of floats and ints together. The ints go in as three
// terms that floats hold, so that nothing of them is dropped before the end.
func (s *sum) float() float64 {
	t := sum{f: s.f, c: s.c}
	t.addFloat(float64(s.hi) * (1 << 64))
	t.addFloat(float64(s.lo>>32) * (1 << 32))
	t.addFloat(float64(s.lo & math.MaxUint32))
	if finite(t.f) {
		return t.f + t.c
	}
	return t.f // the compensation of an overflow means nothing
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
