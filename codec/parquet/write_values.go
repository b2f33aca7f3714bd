package parquet

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/bloom/xxhash"
	"github.com/parquet-go/parquet-go/format"

	"dataknobs.dev/dataknobs"
)

// entries adds the entries [from, to).
func (e *encoder) entries(c *column, from, to int) {
	switch {
	case c.coded:
		e.addCodes(c, from, to)
	case len(c.ends) > 0:
		e.addLevels(c, from, to)
		e.addTexts(c, from, to)
	default:
		e.addLevels(c, from, to)
		e.addWords(c, from, to)
	}
	e.n += to - from
}

// addLevels adds the definition levels of the entries.
func (e *encoder) addLevels(c *column, from, to int) {
	top := e.plan.top()
	switch {
	case top == 0 || c.def == nil && len(e.levels) == 0:
	case c.def == nil:
		e.fillLevels(e.n+to-from, top)
	default:
		e.fillLevels(e.n, top)
		e.levels = append(e.levels, c.def[from:to]...)
	}
}

// fillLevels adds levels up to n.
func (e *encoder) fillLevels(n int, level byte) {
	have := len(e.levels)
	e.levels = slices.Grow(e.levels, n-have)[:n]
	fill(e.levels[have:], level)
}

// has reports whether the entry has a value; top is its definition level then.
func (c *column) has(i int, top byte) bool { return c.def == nil || c.def[i] == top }

// addTexts adds the texts among the entries.
func (e *encoder) addTexts(c *column, from, to int) {
	top := e.plan.top()
	for i := from; i < to; i++ {
		if c.has(i, top) {
			e.text(c.data[c.start(i):c.ends[i]])
		}
	}
}

func (e *encoder) text(b []byte) {
	if e.plan.unique {
		e.out.hashes = append(e.out.hashes, xxhash.Sum64(b))
	}
	if !e.plan.json {
		e.bounds.text(b)
	}
	if e.coded {
		e.ids = append(e.ids, e.dict.text(b))
	} else {
		e.vals = appendText(e.vals, b)
	}
}

// addWords adds the numbers, times and bools among the entries.
func (e *encoder) addWords(c *column, from, to int) {
	e.words = e.words[:0]
	top := e.plan.top()
	switch e.plan.kind {
	case dataknobs.KindNull:
		return
	case dataknobs.KindFloat:
		for i, f := range c.floats[from:to] {
			if c.has(from+i, top) {
				e.words = append(e.words, math.Float64bits(f))
			}
		}
	default:
		for i, v := range c.ints[from:to] {
			if c.has(from+i, top) {
				e.words = append(e.words, uint64(v))
			}
		}
	}
	e.bounds.words(e.typ, e.words)
	switch {
	case e.coded:
		for _, w := range e.words {
			e.ids = append(e.ids, e.dict.word(w))
		}
	case e.typ == format.Boolean:
		for _, w := range e.words {
			e.vals = append(e.vals, byte(w))
		}
	default:
		e.vals = appendWords(e.vals, e.words)
	}
}

// addCodes adds entries of a column that is coded already.
func (e *encoder) addCodes(c *column, from, to int) {
	codes := c.codes[from:to]
	if e.mapped != c {
		e.mapped = c
		e.mapCodes(c)
	}
	if e.words = e.words[:0]; to-from == c.n {
		e.boundsOfAll(c)
	} else {
		e.boundsOfSome(c, codes)
	}
	have := len(codes)
	if e.coded {
		have = e.addIDs(codes)
	} else {
		for _, code := range codes {
			if code != 0 {
				e.plain(c, int(code)-1)
			} else {
				have--
			}
		}
	}
	if have == len(codes) && len(e.levels) == 0 {
		return
	}
	e.fillLevels(e.n, 1)
	for _, code := range codes {
		e.levels = append(e.levels, byte(notNull(code)))
	}
}

// notNull is 0 for the code of null, else 1, without a branch.
func notNull(code uint16) uint32 { return (uint32(code) + math.MaxUint16) >> 16 }

// addIDs adds the numbers in the dictionary that belong to codes, but for
// nulls; it returns how many.
func (e *encoder) addIDs(codes []uint16) int {
	have := len(e.ids)
	ids, n, byCode := slices.Grow(e.ids, len(codes))[:have+len(codes)], have, e.byCode
	for _, code := range codes {
		ids[n] = byCode[code]
		n += int(notNull(code))
	}
	e.ids = ids[:n]
	return n - have
}

// plain adds the value i of a coded column.
func (e *encoder) plain(c *column, i int) {
	switch {
	case len(c.ends) > 0:
		e.vals = appendText(e.vals, c.data[c.start(i):c.ends[i]])
	case e.typ == format.Boolean:
		e.vals = append(e.vals, byte(c.ints[i]))
	default:
		e.vals = binary.LittleEndian.AppendUint64(e.vals, c.word(i))
	}
}

func (c *column) word(i int) uint64 {
	if len(c.floats) > 0 {
		return math.Float64bits(c.floats[i])
	}
	return uint64(c.ints[i])
}

// mapCodes finds the numbers in the dictionary of the codes of c.
func (e *encoder) mapCodes(c *column) {
	if !e.coded {
		return
	}
	e.byCode = append(e.byCode[:0], 0)
	for i := range c.distinct() {
		if len(c.ends) > 0 {
			e.byCode = append(e.byCode, e.dict.text(c.data[c.start(i):c.ends[i]]))
		} else {
			e.byCode = append(e.byCode, e.dict.word(c.word(i)))
		}
	}
}

// boundsOfAll takes in all values of a coded column.
func (e *encoder) boundsOfAll(c *column) {
	if e.plan.json {
		return
	}
	for i := range c.distinct() {
		e.boundsOf(c, i)
	}
	e.bounds.words(e.typ, e.words)
}

// boundsOfSome takes in the values that have those codes.
func (e *encoder) boundsOfSome(c *column, codes []uint16) {
	if e.plan.json {
		return
	}
	for _, code := range codes {
		if code != 0 {
			e.boundsOf(c, int(code)-1)
		}
	}
	e.bounds.words(e.typ, e.words)
}

// boundsOf takes in the value i of a coded column: a word is only put to the others.
func (e *encoder) boundsOf(c *column, i int) {
	if len(c.ends) > 0 {
		e.bounds.text(c.data[c.start(i):c.ends[i]])
	} else {
		e.words = append(e.words, c.word(i))
	}
}
