// Package lex reads numbers and times from text, fast and exactly: what the
// CSV and the JSON reader share.
package lex

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unsafe"

	"dataknobs.dev/dataknobs"
)

// Result says what Number found.
type Result uint8

// The results.
const (
	NotNumber Result = iota // not a number in JSON's grammar
	Number                  // a number; the value is valid
	Overflow                // an integer beyond int64, or a float beyond float64
)

const (
	zeros = 0x3030303030303030
	highs = 0x8080808080808080
	ones  = 0x0101010101010101
)

// Load returns the eight bytes of b from i on; the first is the lowest.
func Load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// Small reads b[s:e] as an integer of one to seven digits, perhaps with a
// minus sign, without a leading zero; not ok for any other text. Eight bytes must be
// readable from b[s] on, and after a minus sign.
func Small(b []byte, s, e int) (v int64, ok bool) {
	neg := int64(0)
	if b[s] == '-' {
		neg = 1
	}
	s += int(neg)
	n := uint(e - s)
	if n-1 > 6 {
		return 0, false
	}
	w := Load(b, s)
	shift := 64 - 8*n
	t := w<<shift ^ zeros<<shift // digits become 0 to 9, at the top
	bad := (t + 0x7676767676767676) | t
	if bad&highs != 0 || w&0xff == '0' && n > 1 {
		return 0, false
	}
	return (int64(digits(t)) ^ -neg) + neg, true
}

// digits returns the number that the eight bytes of t, 0 to 9 each, spell.
func digits(t uint64) uint64 {
	t = t*10 + t>>8
	return ((t&0x000000FF000000FF)*0x000F424000000064 + (t>>16&0x000000FF000000FF)*0x0000271000000001) >> 32
}

// ParseNumber reads the number at the front of b and returns its value and
// length. The grammar is JSON's: no leading zero, no plus sign, digits on both
// sides of a point. An integer literal is an int, anything else a float, the
// nearest to the text.
func ParseNumber(b []byte) (v dataknobs.Value, n int, r Result) {
	i, neg := 0, false
	if len(b) > 0 && b[0] == '-' {
		i, neg = 1, true
	}
	first := i
	var mant uint64
	for i < len(b) && b[i]-'0' <= 9 {
		mant = mant*10 + uint64(b[i]-'0') // may wrap: only used up to 19 digits
		i++
	}
	whole := i - first
	if whole == 0 || whole > 1 && b[first] == '0' {
		return v, 0, NotNumber
	}
	if i == len(b) || b[i] != '.' && b[i]|0x20 != 'e' {
		return parseInt(b[:i], mant, whole, neg)
	}
	exp := 0
	if b[i] == '.' {
		i++
		point := i
		for i < len(b) && b[i]-'0' <= 9 {
			mant = mant*10 + uint64(b[i]-'0')
			i++
		}
		if i == point {
			return v, 0, NotNumber
		}
		exp = point - i
	}
	count := whole - exp
	if i < len(b) && b[i]|0x20 == 'e' {
		if i = exponent(b, i); i < 0 {
			return v, 0, NotNumber
		}
		count = 20 // leave it to strconv
	}
	if count <= 19 && mant <= 1<<53 && exp >= -22 {
		// Both numbers are exact, so the quotient is rounded once: the nearest.
		f := float64(mant) / powers[-exp]
		if neg {
			f = -f
		}
		return dataknobs.Float(f), i, Number
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), i), 64)
	if err != nil || math.IsInf(f, 0) {
		return v, i, Overflow
	}
	return dataknobs.Float(f), i, Number
}

var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

func parseInt(b []byte, mant uint64, count int, neg bool) (v dataknobs.Value, n int, r Result) {
	limit := uint64(math.MaxInt64)
	if neg {
		limit++
	}
	if count > 19 || mant > limit {
		return v, len(b), Overflow
	}
	i := int64(mant)
	if neg {
		i = -i
	}
	return dataknobs.Int(i), len(b), Number
}

// exponent returns the end of the exponent that starts at b[i]; -1 if there is none.
func exponent(b []byte, i int) int {
	i++
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		i++
	}
	start := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// SmallJSON reads an integer of one to seven digits at the front of b[s:],
// perhaps with a minus sign, without a leading zero, that another character than one of
// a number follows; it returns its end, 0 if there is none such. Nine bytes must be
// readable from b[s] on.
func SmallJSON(b []byte, s int) (v int64, end int) {
	neg := int64(0)
	if b[s] == '-' {
		neg = 1
	}
	s += int(neg)
	w := Load(b, s)
	t := w ^ zeros
	bad := ((t + 0x7676767676767676) | t) & highs
	if bad == 0 {
		return 0, 0
	}
	n := uint(bits.TrailingZeros64(bad)) / 8
	if n == 0 || w&0xff == '0' && n > 1 {
		return 0, 0
	}
	if c := byte(w >> (8 * n)); c == '.' || c|0x20 == 'e' {
		return 0, 0
	}
	return (int64(digits(t<<(64-8*n))) ^ -neg) + neg, s + int(n)
}
