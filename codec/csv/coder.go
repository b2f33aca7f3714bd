package csv

import (
	"bytes"
	"math/bits"
	"slices"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/lex"
)

const (
	maxCoded  = 1 << 15 // different cells of a block that get a code
	fewCoded  = 1 << 12 // as many are never too many
	longCoded = 255     // bytes of a cell that gets a code
	// shortCoded is how many bytes a key holds whole, with their number.
	shortCoded = 7
	hashWith   = 0x9e3779b97f4a7c15
)

// A coder reads one column of a block, a batch of rows after another, and reads
// each different text once: most columns have few. It stops looking for texts
// that it has seen where a column has too many.
type coder struct {
	col   int
	as    reading
	check *check // of the worker; nil: the kind is certain
	plain bool   // each cell is read by itself

	table  []entry // of a power of two, by hash; more than half are free
	used   int     // entries
	shift  uint    // of the hash
	values []dataknobs.Value
	codes  []uint16
}

// An entry is a text and its code. A key of 0 means that the entry is free; it
// is the key of the empty cell, too, which is null and needs none.
type entry struct {
	key  uint64
	at   int32 // where the text stands in the block
	code uint16
}

// reset starts on a new block.
func (c *coder) reset() {
	c.values, c.codes, c.used = append(c.values[:0], dataknobs.Value{}), c.codes[:0], 0
	if c.plain {
		c.values = c.values[:0]
		return
	}
	if c.table == nil {
		c.resize(1 << 10)
		return
	}
	clear(c.table)
}

// resize makes an empty table. Its memory is written to at once: a page that is
// read before it is written costs two faults, the second with an interrupt of all cores.
func (c *coder) resize(n int) {
	c.table = make([]entry, n)
	clear(c.table)
	c.shift = uint(64 - bits.TrailingZeros(uint(n)))
}

func (c *coder) vector() codec.Vector {
	if c.plain {
		return codec.Vector{Values: c.values}
	}
	return codec.Vector{Values: c.values, Codes: c.codes}
}

// read reads the column's cells of the first n rows of the batch; it returns how
// many come before the first that cannot be read.
func (c *coder) read(w *worker, n int) int {
	if c.plain {
		return c.readPlain(w, 0, n)
	}
	for i := 0; i < n; {
		i = c.readCoded(w, i, n)
		if w.err != nil {
			return i
		}
		if i < n {
			c.givenUp()
			return c.readPlain(w, i, n)
		}
	}
	if d := len(c.values); d > fewCoded && 2*d > len(c.codes) {
		c.givenUp()
	}
	return n
}

// givenUp turns what was read so far into plain values.
func (c *coder) givenUp() {
	values := make([]dataknobs.Value, len(c.codes), 2*len(c.codes)+batchRows)
	for i, code := range c.codes {
		values[i] = c.values[code]
	}
	c.plain, c.values, c.codes, c.table = true, values, nil, nil
}

// readPlain reads the cells of the rows [i, n), each by itself.
func (c *coder) readPlain(w *worker, i, n int) int {
	small := c.as == asNumber && c.check != nil && !w.f.nulls.number
	for ; i < n; i++ {
		if small {
			p := w.grid[i*w.stride+c.col:]
			if s, e := int(p[0]+1), int(p[1]); s < e {
				if v, ok := lex.Small(w.wide, s, e); ok {
					c.check.marks |= markInt
					c.values = append(c.values, dataknobs.Int(v))
					continue
				}
			}
		}
		v := w.cell(i, c)
		if w.err != nil {
			return i
		}
		c.values = append(c.values, v)
	}
	return n
}

// readCoded reads the cells of the rows [i, n). It returns the row of a cell
// that cannot be read, or that cannot have a code.
func (c *coder) readCoded(w *worker, i, n int) int {
	data, stride := w.wide, w.stride
	table, mask, shift := c.table, uint64(len(c.table)-1), c.shift
	grid := w.grid[i*stride+c.col:]
	codes := slices.Grow(c.codes, n-i)
	for ; i < n; i++ {
		s, e := int(grid[0]+1), int(grid[1])
		grid = grid[stride:]
		size := uint(e - s)
		key := lex.Load(data, s)&(1<<(8*size)-1) | uint64(size)<<56
		// Nearly always the text is short, and stands where its hash says.
		if t := &table[key*hashWith>>(shift&63)&mask]; t.key == key && size <= shortCoded {
			codes = append(codes, t.code)
			continue
		}
		at := -1
		if size > shortCoded {
			if size > longCoded {
				break
			}
			key, at = longKey(data[s:e]), s
		}
		code, ok := c.code(w, key, at, e, i)
		if !ok {
			break
		}
		codes = append(codes, code)
		table, mask, shift = c.table, uint64(len(c.table)-1), c.shift
	}
	c.codes = codes
	return i
}

// code returns the code of a cell's text, see find, and gives it one if it is new.
// It is not ok if the cell cannot be read, or there are too many codes.
func (c *coder) code(w *worker, key uint64, at, end, row int) (code uint16, ok bool) {
	if key == 0 {
		return 0, true
	}
	t := c.find(w.data, key, at, end)
	if t.key != 0 {
		return t.code, true
	}
	if len(c.values) == maxCoded {
		return 0, false
	}
	v := w.cell(row, c)
	if w.err != nil {
		return 0, false
	}
	t.key, t.at = key, w.grid[row*w.stride+c.col]+1
	if !v.IsNull() {
		code = uint16(len(c.values))
		c.values = append(c.values, v)
	}
	t.code = code
	if c.used++; 2*c.used > len(c.table) {
		c.grow()
	}
	return code, true
}

// longKey is the key of a text of eight bytes or more: unlike one of fewer, its
// highest bit is set. Two texts may have the same.
func longKey(b []byte) uint64 {
	h := uint64(len(b))
	for i := 0; i < len(b)-8; i += 8 {
		h = (h ^ lex.Load(b, i)) * hashWith
		h ^= h >> 32
	}
	h = (h ^ lex.Load(b, len(b)-8)) * hashWith
	return 1<<63 | uint64(len(b))<<48 | (h^h>>32)&(1<<48-1)
}

// find returns the entry with the key, or the free one where it belongs. A text
// that the key does not tell in full stands in data[at:end]; else at is -1.
func (c *coder) find(data []byte, key uint64, at, end int) *entry {
	table := c.table
	mask := uint64(len(table) - 1)
	for h := key * hashWith >> (c.shift & 63); ; h++ {
		t := &table[h&mask]
		if t.key == 0 || t.key == key && (at < 0 || bytes.Equal(data[t.at:int(t.at)+end-at], data[at:end])) {
			return t
		}
	}
}

// grow doubles the table.
func (c *coder) grow() {
	old := c.table
	c.resize(2 * len(old))
	mask := uint64(len(c.table) - 1)
	for _, t := range old {
		if t.key == 0 {
			continue
		}
		h := t.key * hashWith >> c.shift
		for c.table[h&mask].key != 0 {
			h++
		}
		c.table[h&mask] = t
	}
}
