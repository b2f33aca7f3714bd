package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// A dict numbers the different values of one column of a row group, in the order
// in which they come: numbers and times as their 64 bits, or texts.
type dict struct {
	slots []dictSlot // of a power of two, by hash; more than half are free
	shift uint       // of the hash
	n     int32
	words []uint64
	texts []byte   // as the PLAIN encoding has them
	at    []uint32 // by number: where its text starts in texts, behind its length
}

// A dictSlot leads from a word, or the hash of a text, to its number.
type dictSlot struct {
	key uint64
	id  int32 // 1 more than the number; 0: the slot is free
}

const hashWith = 0x9e3779b97f4a7c15

var textSeed = maphash.MakeSeed()

// reset makes the dictionary empty.
func (d *dict) reset() {
	if d.slots == nil {
		d.resize(1 << 10)
	} else {
		clear(d.slots)
	}
	d.n, d.words, d.texts, d.at = 0, d.words[:0], d.texts[:0], d.at[:0]
}

// resize makes an empty table. Its memory is written to at once: a page that is
// read before it is written costs two faults, the second with an interrupt of all cores.
func (d *dict) resize(n int) {
	d.slots = make([]dictSlot, n)
	clear(d.slots)
	d.shift = uint(64 - bits.TrailingZeros(uint(n)))
}

// full reports whether the dictionary is too large to be of use.
func (d *dict) full() bool { return 8*len(d.words) > dictBytes || len(d.texts) > dictBytes }

// width is the number of bits of a number.
func (d *dict) width() int { return max(bits.Len32(uint32(max(d.n-1, 0))), 1) }

// word returns the number of w.
func (d *dict) word(w uint64) int32 {
	mask := uint64(len(d.slots) - 1)
	for h := (w ^ w>>32) * hashWith >> (d.shift & 63); ; h++ {
		s := &d.slots[h&mask]
		if s.id == 0 {
			d.words = append(d.words, w)
			return d.add(s, w)
		}
		if s.key == w {
			return s.id - 1
		}
	}
}

// text returns the number of b.
func (d *dict) text(b []byte) int32 {
	key := maphash.Bytes(textSeed, b)
	mask := uint64(len(d.slots) - 1)
	for h := (key ^ key>>32) * hashWith >> (d.shift & 63); ; h++ {
		s := &d.slots[h&mask]
		if s.id == 0 {
			d.texts = appendText(d.texts, b)
			d.at = append(d.at, uint32(len(d.texts)-len(b)))
			return d.add(s, key)
		}
		if s.key == key && bytes.Equal(d.stored(s.id-1), b) {
			return s.id - 1
		}
	}
}

// stored returns the text with the number i.
func (d *dict) stored(i int32) []byte {
	at := d.at[i]
	return d.texts[at : at+binary.LittleEndian.Uint32(d.texts[at-4:])]
}

func (d *dict) add(s *dictSlot, key uint64) int32 {
	d.n++
	*s = dictSlot{key, d.n}
	if 2*int(d.n) > len(d.slots) {
		d.grow()
	}
	return d.n - 1
}

func (d *dict) grow() {
	old := d.slots
	d.resize(2 * len(old))
	mask := uint64(len(d.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		h := (s.key ^ s.key>>32) * hashWith >> d.shift
		for d.slots[h&mask].id != 0 {
			h++
		}
		d.slots[h&mask] = s
	}
}

// append appends the values in the PLAIN encoding.
func (d *dict) append(b []byte) []byte { return append(appendWords(b, d.words), d.texts...) }

func appendWords(b []byte, words []uint64) []byte {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

func appendText(b, text []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(text))), text...)
}
