package csv

import (
	"bytes"
	"math/bits"

	"dataknobs.dev/dataknobs/codec/internal/lex"
)

const (
	ones  = 0x0101010101010101
	lows  = 0x7f7f7f7f7f7f7f7f
	highs = 0x8080808080808080
)

// state says how splitting a row went.
type state uint8

const (
	whole      state = iota
	incomplete       // a quote is not closed before the data ends
	bareQuote        // a quote inside an unquoted cell
	afterQuote       // text after a closing quote
)

// A splitter finds the cells of rows.
type splitter struct {
	delim byte
	wide  uint64 // delim in every byte
	// pos: cell i of the row is data[pos[i]+1 : pos[i+1]], with its quotes. Of a row
	// with more cells than there is room for, the first ones.
	pos []int32
	at  int // where the trouble is, if a row is not whole
}

// splitter returns one for the file's rows; its columns must be set, but for the header.
func (f *file) splitter() *splitter { return newSplitter(f.delim, len(f.cols)) }

func newSplitter(delim byte, cols int) *splitter {
	return &splitter{delim: delim, wide: ones * uint64(delim), pos: make([]int32, cols+16)}
}

// plain splits the row at p, in which no quotes stand; a newline ends it, and
// eight more bytes can be read. It returns the number of cells and where the
// next row starts.
func (s *splitter) plain(data []byte, p int) (n, next int) {
	pos := s.pos
	pos[0] = int32(p - 1)
	k := 1
	for i := p; ; i += 8 {
		x := lex.Load(data, i)
		a, b := x^s.wide, x^(ones*'\n')
		// A byte's high bit is set where it is not zero; exact for every byte.
		za, zb := (a&lows+lows)|a, (b&lows+lows)|b
		m, nl := ^(za&zb)&highs, ^zb&highs
		if k+8 > len(pos) {
			return s.more(data, p)
		}
		if nl != 0 {
			m &= nl ^ (nl - 1) // nothing after the first newline
			for m != 0 {
				pos[k] = int32(i + bits.TrailingZeros64(m)>>3)
				m &= m - 1
				k++
			}
			next = int(pos[k-1]) + 1
			if end := next - 2; end >= p && data[end] == '\r' {
				pos[k-1]--
			}
			return k - 1, next
		}
		// Two at once, needed or not: most words have one or two.
		q := (*[2]int32)(pos[k:])
		q[0] = int32(i + bits.TrailingZeros64(m)>>3)
		c := bits.OnesCount64(m)
		m &= m - 1
		q[1] = int32(i + bits.TrailingZeros64(m)>>3)
		m &= m - 1
		for j := k + 2; m != 0; j++ {
			pos[j] = int32(i + bits.TrailingZeros64(m)>>3)
			m &= m - 1
		}
		k += c
	}
}

// more is plain for a row with more cells than there is room for: makes room.
func (s *splitter) more(data []byte, p int) (n, next int) {
	end := bytes.IndexByte(data[p:], '\n')
	if have := bytes.Count(data[p:p+end], []byte{s.delim}); have+18 > len(s.pos) {
		s.pos = make([]int32, have+18)
	}
	return s.plain(data, p)
}

// any splits the row at p, which may have quotes; data ends with the end of a
// row unless the state is incomplete.
func (s *splitter) any(data []byte, p int) (n, next int, st state) {
	s.pos[0] = int32(p - 1)
	for i := p; ; {
		if n+2 > len(s.pos) {
			s.pos = append(s.pos, make([]int32, len(s.pos))...)
		}
		end, st := s.cell(data, i)
		if st != whole {
			return n, i, st
		}
		n++
		s.pos[n] = int32(end)
		switch {
		case data[end] == '\n':
			return n, end + 1, whole
		case data[end] == '\r' && data[end+1] == '\n' && s.delim != '\r':
			return n, end + 2, whole
		}
		i = end + 1
	}
}

// cell returns the end of the cell that starts at i: the place of the
// delimiter, or of the end of the line, after it.
func (s *splitter) cell(data []byte, i int) (end int, st state) {
	if i < len(data) && data[i] == '"' {
		return s.quoted(data, i)
	}
	for j := i; j < len(data); j++ {
		switch c := data[j]; {
		case c == s.delim || c == '\n':
			return j, whole
		case c == '\r' && j+1 < len(data) && data[j+1] == '\n':
			return j, whole
		case c == '"':
			s.at = j
			return j, bareQuote
		}
	}
	s.at = i
	return i, incomplete
}

func (s *splitter) quoted(data []byte, i int) (end int, st state) {
	for j := i + 1; ; {
		q := bytes.IndexByte(data[j:], '"')
		if q < 0 || j+q+1 == len(data) {
			s.at = i
			return i, incomplete
		}
		j += q + 1
		switch c := data[j]; {
		case c == '"':
			j++
			continue
		case c == s.delim || c == '\n':
			return j, whole
		case c == '\r' && j+1 == len(data):
			s.at = i
			return i, incomplete
		case c == '\r' && data[j+1] == '\n':
			return j, whole
		}
		s.at = j
		return j, afterQuote
	}
}

// splitError says what is wrong with the row at p of data, which stands on that line.
func (f *file) splitError(s *splitter, data []byte, p int, line int64, st state) error {
	line += int64(bytes.Count(data[p:s.at], []byte{'\n'}))
	switch st {
	case bareQuote:
		return f.errorf("line %d: a quote inside a cell that does not start with one", line).
			WithHint("put the cell in quotes and double the quotes inside it")
	case afterQuote:
		return f.errorf("line %d: text after a closing quote", line).
			WithHint("double the quotes inside a quoted cell")
	}
	return f.errorf("line %d: the quote that opens here is never closed", line).
		WithHint("the file may be cut short; a quote at the start of a cell must have its closing one")
}

// unquote appends the text of a cell in quotes to b.
func unquote(b, cell []byte) []byte {
	cell = cell[1 : len(cell)-1]
	for {
		q := bytes.IndexByte(cell, '"')
		if q < 0 {
			return append(b, cell...)
		}
		b = append(b, cell[:q+1]...)
		cell = cell[q+2:]
	}
}

// appendLatin1 appends latin-1 text as UTF-8.
func appendLatin1(b, s []byte) []byte {
	for _, c := range s {
		if c < 0x80 {
			b = append(b, c)
		} else {
			b = append(b, 0xc0|c>>6, 0x80|c&0x3f)
		}
	}
	return b
}
