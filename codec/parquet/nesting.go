package parquet

import (
	"encoding/binary"
	"errors"
)

// maxNesting is how deep the structures of a footer may nest: those of the
// format do so less than ten deep. The library reads them by recursion, and
// a file of some megabytes could exhaust the stack, which nothing survives.
const maxNesting = 64

var errNesting = errors.New("its footer nests too deep")

// checkNesting looks through a footer in Thrift's compact protocol. What is
// wrong with it otherwise the library says.
func checkNesting(footer []byte) error {
	w := walker{b: footer}
	w.structure(0)
	if w.deep {
		return errNesting
	}
	return nil
}

// A walker passes over values. It ends early where they do not make sense.
type walker struct {
	b    []byte
	end  bool
	deep bool
}

func (w *walker) byte() byte {
	if len(w.b) == 0 {
		w.end = true
		return 0
	}
	c := w.b[0]
	w.b = w.b[1:]
	return c
}

func (w *walker) number() uint64 {
	n, size := binary.Uvarint(w.b)
	if size <= 0 {
		w.end = true
		return 0
	}
	w.b = w.b[size:]
	return n
}

func (w *walker) skip(n uint64) {
	if n > uint64(len(w.b)) {
		w.end = true
		return
	}
	w.b = w.b[n:]
}

// structure passes over the fields of one, up to its end.
func (w *walker) structure(depth int) {
	if depth > maxNesting {
		w.deep, w.end = true, true
	}
	for !w.end {
		c := w.byte()
		if c == 0 {
			return
		}
		if c>>4 == 0 { // the field's number is not in the byte
			w.number()
		}
		if kind := c & 15; kind > 2 { // a bool's value is its kind
			w.value(kind, depth)
		}
	}
}

func (w *walker) value(kind byte, depth int) {
	switch kind {
	case 1, 2, 3:
		w.skip(1)
	case 4, 5, 6:
		w.number()
	case 7:
		w.skip(8)
	case 8:
		w.skip(w.number())
	case 9, 10:
		c := w.byte()
		n := uint64(c >> 4)
		if n == 15 {
			n = w.number()
		}
		w.values(n, depth, c&15)
	case 11:
		if n := w.number(); n > 0 {
			c := w.byte()
			w.values(n, depth, c>>4, c&15)
		}
	case 12:
		w.structure(depth + 1)
	case 13:
		w.skip(16)
	default:
		w.end = true
	}
}

// values passes over the elements of a list, or the pairs of a map.
func (w *walker) values(n uint64, depth int, kinds ...byte) {
	if depth > maxNesting {
		w.deep, w.end = true, true
	}
	for ; n > 0 && !w.end; n-- {
		for _, k := range kinds {
			w.value(k, depth+1)
		}
	}
}
