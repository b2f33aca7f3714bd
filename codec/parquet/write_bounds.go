package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/format"
)

const (
	indexText = 16  // longer bounds of pages are cut
	statsText = 512 // longer bounds of columns are left out: they must be exact
)

// bounds are the least and the greatest of some values.
type bounds struct {
	some       bool
	min, max   int64 // of bools, ints and times
	fmin, fmax float64
	tmin, tmax []byte // of texts, where the chunks have them
	kept       bool   // tmin and tmax are copies
}

// keep makes copies of what stands in chunks.
func (b *bounds) keep() {
	if b.some && !b.kept {
		b.tmin, b.tmax, b.kept = bytes.Clone(b.tmin), bytes.Clone(b.tmax), true
	}
}

func (b *bounds) words(typ format.Type, words []uint64) {
	switch {
	case len(words) == 0:
	case typ == format.Double:
		b.floats(words)
	default:
		b.ints(words)
	}
}

func (b *bounds) ints(words []uint64) {
	lo, hi := b.min, b.max
	if !b.some {
		lo, hi = math.MaxInt64, math.MinInt64
	}
	for _, w := range words {
		lo, hi = min(lo, int64(w)), max(hi, int64(w))
	}
	b.some, b.min, b.max = true, lo, hi
}

func (b *bounds) floats(words []uint64) {
	if !b.some {
		b.fmin, b.fmax = math.Inf(1), math.Inf(-1)
	}
	for _, w := range words {
		f := math.Float64frombits(w)
		b.fmin, b.fmax = min(b.fmin, f), max(b.fmax, f)
	}
	b.some = true
}

func (b *bounds) text(t []byte) {
	switch {
	case !b.some:
		b.some, b.tmin, b.tmax, b.kept = true, t, t, false
	case bytes.Compare(t, b.tmin) < 0:
		b.tmin, b.kept = t, false
	case bytes.Compare(t, b.tmax) > 0:
		b.tmax, b.kept = t, false
	}
}

// add takes in the values of which o are the bounds.
func (b *bounds) add(o *bounds) {
	if !o.some {
		return
	}
	if !b.some {
		*b = *o
		return
	}
	b.min, b.max = min(b.min, o.min), max(b.max, o.max)
	b.fmin, b.fmax = min(b.fmin, o.fmin), max(b.fmax, o.fmax)
	b.text(o.tmin)
	b.text(o.tmax)
}

// plain returns the bounds as the PLAIN encoding has them, texts without their length.
func (b *bounds) plain(typ format.Type) (least, most []byte) {
	switch typ {
	case format.Boolean:
		return []byte{byte(b.min)}, []byte{byte(b.max)}
	case format.Int64:
		return word(uint64(b.min)), word(uint64(b.max))
	case format.Double:
		// -0 and 0 are equal, and readers may tell them apart.
		lo, hi := b.fmin, b.fmax
		if lo == 0 {
			lo = math.Copysign(0, -1)
		}
		if hi == 0 {
			hi = 0
		}
		return word(math.Float64bits(lo)), word(math.Float64bits(hi))
	}
	return append([]byte{}, b.tmin...), append([]byte{}, b.tmax...)
}

func word(w uint64) []byte { return binary.LittleEndian.AppendUint64(nil, w) }

// cutLeast returns b, or a shorter text that is not greater.
func cutLeast(b []byte) []byte {
	if len(b) <= indexText {
		return b
	}
	return b[:runeStart(b, indexText)]
}

// cutMost returns b, or a shorter text that is not less.
func cutMost(b []byte) []byte {
	if len(b) <= indexText {
		return b
	}
	for n := runeStart(b, indexText); n > 0; n-- {
		if c := b[n-1]; c < utf8.RuneSelf-1 { // an ASCII character makes way for the next one
			return append(bytes.Clone(b[:n-1]), c+1)
		}
	}
	return b
}

// runeStart returns n, or less where that would tear a character.
func runeStart(b []byte, n int) int {
	for i := n; i > n-utf8.UTFMax && i > 0; i-- {
		if utf8.RuneStart(b[i]) {
			return i
		}
	}
	return n
}

// order says how the bounds of the pages follow each other.
func order(x *format.ColumnIndex, compare func(a, b []byte) int) format.BoundaryOrder {
	up, down, last := true, true, -1
	for i := range x.NullPages {
		if x.NullPages[i] {
			continue
		}
		if last >= 0 {
			lo, hi := compare(x.MinValues[last], x.MinValues[i]), compare(x.MaxValues[last], x.MaxValues[i])
			up, down = up && lo <= 0 && hi <= 0, down && lo >= 0 && hi >= 0
		}
		last = i
	}
	switch {
	case up:
		return format.Ascending
	case down:
		return format.Descending
	}
	return format.Unordered
}

// comparison compares values in the PLAIN encoding, texts without their length.
func comparison(typ format.Type) func(a, b []byte) int {
	switch typ {
	case format.Int64:
		return func(a, b []byte) int {
			return compare(int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b)))
		}
	case format.Double:
		return func(a, b []byte) int { return compare(float(a), float(b)) }
	}
	return bytes.Compare
}

func float(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }

func compare[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
