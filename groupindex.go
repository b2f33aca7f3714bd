package dataknobs

import (
	"math/bits"
	"unsafe"
)

// A groupIndex finds groups by their keys without allocating for those that
// it knows. Maps are exact; before them stand small caches for the keys that
// come again and again, which is what keys of groups do.
type groupIndex struct {
	strings textIndex // single string keys
	ints    intIndex  // single keys that are whole numbers
	others  textIndex // by appendKey of all keys
	buf     []byte
}

// find looks for a single key. Where it is not found, insert must follow with
// the same key before anything else.
func (x *groupIndex) find(v Value) (int, bool) {
	if v.kind == KindString {
		return x.strings.find(v.Str())
	}
	if i, whole := v.wholeInt(); whole {
		return x.ints.find(i)
	}
	x.buf = v.appendKey(x.buf[:0])
	return x.others.find(textOf(x.buf))
}

// insert adds the single key, whose text it keeps.
func (x *groupIndex) insert(v Value, at int) {
	if v.kind == KindString {
		x.strings.insert(v.Str(), at)
	} else if i, whole := v.wholeInt(); whole {
		x.ints.insert(i, at)
	} else {
		x.insertAll(at)
	}
}

// findAll looks for the keys that stand in those slots of values. Where they
// are not found, insertAll must follow.
func (x *groupIndex) findAll(values []Value, slots []int) (int, bool) {
	x.buf = x.buf[:0]
	for _, s := range slots {
		x.buf = values[s].appendKey(x.buf)
	}
	return x.others.find(textOf(x.buf))
}

// insertAll adds the keys that were looked for last.
func (x *groupIndex) insertAll(at int) { x.others.insert(string(x.buf), at) }

// textOf returns b as a string that must not outlive it.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// cacheBits is the size of a cache: 512 entries of 24 bytes, which a core keeps near.
const cacheBits = 9

// spread is an odd constant whose product mixes all bits into the upper ones.
const spread = 0x9E3779B97F4A7C15

// A textIndex numbers texts. The first text to need an entry of the cache has
// it for good: another one's could only be kept by copying it again.
type textIndex struct {
	all   map[string]int
	cache *[1 << cacheBits]textEntry // nil until there is a text
}

type textEntry struct {
	text string
	at   int // 0: empty, else the number and 1
}

func (x *textIndex) find(s string) (int, bool) {
	if x.cache == nil {
		return 0, false
	}
	e := &x.cache[hashText(s)]
	if e.at > 0 && e.text == s {
		return e.at - 1, true
	}
	at, ok := x.all[s]
	return at, ok
}

// insert keeps s.
func (x *textIndex) insert(s string, at int) {
	if x.cache == nil {
		x.cache = new([1 << cacheBits]textEntry)
		x.all = make(map[string]int)
	}
	x.all[s] = at
	if e := &x.cache[hashText(s)]; e.at == 0 {
		*e = textEntry{s, at + 1}
	}
}

// hashText looks at the length and at up to 16 bytes of both ends.
func hashText(s string) uint64 {
	n := len(s)
	var a, b uint64
	switch {
	case n >= 8:
		a, b = load64(s), load64(s[n-8:])
	case n >= 4:
		a, b = load32(s), load32(s[n-4:])
	case n > 0:
		a = uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16
	}
	return ((a ^ bits.RotateLeft64(b, 29) + uint64(n)) * spread) >> (64 - cacheBits)
}

func load32(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

func load64(s string) uint64 { return load32(s) | load32(s[4:])<<32 }

// An intIndex numbers ints.
type intIndex struct {
	all   map[int64]int
	cache *[1 << cacheBits]intEntry
}

type intEntry struct {
	i  int64
	at int // as in textEntry
}

func (x *intIndex) find(i int64) (int, bool) {
	if x.cache == nil {
		return 0, false
	}
	e := &x.cache[(uint64(i)*spread)>>(64-cacheBits)]
	if e.at > 0 && e.i == i {
		return e.at - 1, true
	}
	at, ok := x.all[i]
	if ok {
		*e = intEntry{i, at + 1}
	}
	return at, ok
}

func (x *intIndex) insert(i int64, at int) {
	if x.cache == nil {
		x.cache = new([1 << cacheBits]intEntry)
		x.all = make(map[int64]int)
	}
	x.all[i] = at
}
