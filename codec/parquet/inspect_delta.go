package parquet

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// deltaOK reports whether a page of a delta encoding holds no more than n
// values, and byte arrays no longer than it has bytes for.
func deltaOK(encoding format.Encoding, b []byte, n int) bool {
	d := deltaReader{b: b}
	switch encoding {
	case format.DeltaBinaryPacked:
		values, width := d.head()
		return !d.bad && values <= uint64(n) && width > 0
	case format.DeltaLengthByteArray:
		lengths := d.lengths(n)
		return !d.bad && sumsTo(lengths) <= int64(len(d.b))
	}
	prefixes := d.lengths(n)
	suffixes := d.lengths(n)
	if d.bad || len(prefixes) != len(suffixes) || sumsTo(suffixes) > int64(len(d.b)) {
		return false
	}
	last, total := int64(0), int64(0)
	for i, p := range prefixes {
		if p > last {
			return false
		}
		last = p + suffixes[i]
		if total += last; total > maxPage {
			return false
		}
	}
	return true
}

func sumsTo(lengths []int64) (sum int64) {
	for _, n := range lengths {
		sum += n
	}
	return sum
}

// A deltaReader reads streams of DELTA_BINARY_PACKED, one after the other.
type deltaReader struct {
	b     []byte
	minis uint64 // miniblocks a block
	bad   bool
}

func (d *deltaReader) uvarint() uint64 {
	u, k := binary.Uvarint(d.b)
	if k <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[k:]
	return u
}

func (d *deltaReader) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// head reads the head of a stream: how many values it has, and how many a
// miniblock has.
func (d *deltaReader) head() (values, mini uint64) {
	block := d.uvarint()
	d.minis = d.uvarint()
	values = d.uvarint()
	if d.minis == 0 || block == 0 || block > 1<<20 || block%(d.minis*8) != 0 {
		d.bad = true
		return 0, 0
	}
	return values, block / d.minis
}

// lengths reads a stream of at most n lengths.
func (d *deltaReader) lengths(n int) []int64 {
	values, mini := d.head()
	last := d.varint()
	if values > uint64(n) || last < 0 {
		d.bad = true
	}
	if d.bad || values == 0 {
		return nil
	}
	out := append(make([]int64, 0, values), last)
	for uint64(len(out)) < values && !d.bad {
		least := d.varint()
		if uint64(len(d.b)) < d.minis {
			d.bad = true
			break
		}
		widths := d.b[:d.minis]
		d.b = d.b[d.minis:]
		for _, w := range widths {
			if uint64(len(out)) == values {
				break // no miniblock is there for the other widths
			}
			out = d.miniblock(out, uint(w), least, min(mini, values-uint64(len(out))))
			d.b = d.b[min(mini*uint64(w)/8, uint64(len(d.b))):]
		}
	}
	return out
}

// miniblock appends n lengths, whose differences have width bits each.
func (d *deltaReader) miniblock(out []int64, width uint, least int64, n uint64) []int64 {
	if width > 32 || n*uint64(width) > 8*uint64(len(d.b)) {
		d.bad = true
		return out
	}
	last := out[len(out)-1]
	for i := range n {
		bit := i * uint64(width)
		var word [8]byte
		copy(word[:], d.b[bit/8:])
		diff := binary.LittleEndian.Uint64(word[:]) >> (bit % 8) & (1<<width - 1)
		last = int64(int32(last + least + int64(diff)))
		d.bad = d.bad || last < 0
		out = append(out, last)
	}
	return out
}
