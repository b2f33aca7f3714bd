package lex

import "unsafe"

// chunk is how many bytes an Arena takes at a time: as much as one string that
// is kept may keep alive besides itself.
const chunk = 2 << 10

// An Arena makes strings that share allocations. The zero Arena is ready.
type Arena struct{ buf []byte }

// String returns a copy of b.
func (a *Arena) String(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	p := append(a.Grow(len(b)), b...)
	return a.Keep(p)
}

// Clone returns a copy of s.
func (a *Arena) Clone(s string) string {
	return a.String(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// Grow returns an empty slice with room for n bytes at least; pass it to Keep
// before anything else is asked of a, or drop it.
func (a *Arena) Grow(n int) []byte {
	if n > chunk/2 {
		return make([]byte, 0, n)
	}
	if cap(a.buf)-len(a.buf) < n {
		a.buf = make([]byte, 0, chunk)
	}
	return a.buf[len(a.buf):len(a.buf)]
}

// Keep returns as a string what was appended, within its room, to the slice
// that Grow returned.
func (a *Arena) Keep(p []byte) string {
	if len(p) <= chunk/2 && cap(p) == cap(a.buf)-len(a.buf) {
		a.buf = a.buf[:len(a.buf)+len(p)]
	}
	return unsafe.String(unsafe.SliceData(p), len(p))
}
