package csv

import (
	"bytes"

	"dataknobs.dev/dataknobs/codec/internal/blocks"
)

// cut finds the last end of a row in data: a newline before which the number
// of quotes is even.
func (s *scan) cut(b *blocks.Block, data []byte, last bool) (int, error) {
	quotes := bytes.Count(data, []byte{'"'})
	b.User = &blockState{quotes: quotes > 0}
	n := len(data)
	if !last {
		if n = lastEnd(data, quotes); n == 0 && quotes > 0 {
			return 0, s.f.checkLong(data, b.Line)
		}
	}
	b.Rows = s.f.countRows(data[:n], quotes > 0)
	return n, nil
}

// lastEnd returns the place after the last newline of data that stands
// outside quotes; 0 if there is none.
func lastEnd(data []byte, quotes int) int {
	for n := len(data); ; {
		i := bytes.LastIndexByte(data[:n], '\n')
		if i < 0 {
			return 0
		}
		if quotes > 0 {
			quotes -= bytes.Count(data[i:n], []byte{'"'})
		}
		if quotes%2 == 0 {
			return i + 1
		}
		n = i
	}
}

// checkLong tells a row that is merely long from one whose quotes are wrong.
func (f *file) checkLong(data []byte, line int64) error {
	s := f.splitter()
	if _, _, st := s.any(data[:len(data):len(data)], 0); st == bareQuote || st == afterQuote {
		return f.splitError(s, data, 0, line, st)
	}
	return nil
}

// countRows counts the rows of data, whole rows all of them.
func (f *file) countRows(data []byte, quotes bool) int64 {
	if len(data) == 0 {
		return 0
	}
	if quotes || !f.single && hasBlank(data) {
		return f.countSlowly(data)
	}
	n := int64(bytes.Count(data, []byte{'\n'}))
	if data[len(data)-1] != '\n' {
		n++
	}
	return n
}

// hasBlank reports whether a line of data, which has no quotes, is wholly blank.
func hasBlank(data []byte) bool {
	if data[0] == '\n' || bytes.Contains(data, []byte("\n\n")) {
		return true
	}
	return bytes.IndexByte(data, '\r') >= 0 &&
		(bytes.HasPrefix(data, []byte("\r\n")) || bytes.Contains(data, []byte("\n\r\n")) || bytes.HasSuffix(data, []byte("\n\r")))
}

// countSlowly counts the rows of any data.
func (f *file) countSlowly(data []byte) (rows int64) {
	odd := false
	for p := 0; p < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[p:], '\n'); i >= 0 {
			end = p + i
		}
		line := data[p:end]
		started := odd
		odd = odd != (bytes.Count(line, []byte{'"'})%2 == 1)
		blank := !started && (len(line) == 0 || len(line) == 1 && line[0] == '\r')
		if !odd && (f.single || !blank) {
			rows++
		}
		p = end + 1
	}
	return rows
}
