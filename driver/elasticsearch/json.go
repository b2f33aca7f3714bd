package elasticsearch

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// A reader reads JSON that the server sent. After the first fault it is bad and
// returns zero values only. Values share no memory with what is read.
type reader struct {
	b     []byte
	i     int
	bad   bool
	depth int
	names map[string]string // the names seen, so that each is kept once
	seq   []string          // the names of the last document, in their order
}

// maxNesting bounds the recursion: twice what a record may nest, and what
// stands around it.
const maxNesting = 2*dataknobs.MaxDepth + 16

// reset makes b what is read next.
func (r *reader) reset(b []byte) {
	r.b, r.i, r.bad, r.depth = b, 0, false, 0
	if len(r.names) > 10_000 {
		clear(r.names)
	}
}

// next returns the next byte that is not white space; 0 at the end.
func (r *reader) next() byte {
	for ; r.i < len(r.b); r.i++ {
		if c := r.b[r.i]; c > ' ' {
			return c
		}
	}
	return 0
}

// take passes c, or else is bad.
func (r *reader) take(c byte) bool {
	if r.next() != c {
		r.bad = true
		return false
	}
	r.i++
	return true
}

// object calls f for each name of the object that comes next, with the reader
// at the value, which f must read or skip. name is lent for the call.
func (r *reader) object(f func(name []byte)) {
	r.members('{', '}', func() {
		name := r.raw()
		if r.take(':') {
			f(name)
		}
	})
}

// array calls f for each element, which it must read or skip.
func (r *reader) array(f func()) { r.members('[', ']', f) }

func (r *reader) members(opening, closing byte, f func()) {
	if r.depth++; r.depth > maxNesting {
		r.bad = true
	}
	if r.bad || !r.take(opening) {
		return
	}
	if r.next() == closing {
		r.i++
		r.depth--
		return
	}
	for !r.bad {
		f()
		switch r.next() {
		case ',':
			r.i++
		case closing:
			r.i++
			r.depth--
			return
		default:
			r.bad = true
		}
	}
}

// raw reads a string and returns its text; it aliases what is read where there
// are no escapes.
func (r *reader) raw() []byte {
	if !r.take('"') {
		return nil
	}
	start := r.i
	for i := r.i; i < len(r.b); i++ {
		switch r.b[i] {
		case '"':
			r.i = i + 1
			return r.b[start:i]
		case '\\':
			return r.escaped(start, i)
		}
	}
	r.bad = true
	return nil
}

// escaped reads on in a string that has its first escape at i.
func (r *reader) escaped(start, i int) []byte {
	out := bytes.Clone(r.b[start:i])
	for i < len(r.b) {
		switch c := r.b[i]; c {
		case '"':
			r.i = i + 1
			return out
		case '\\':
			if i+1 >= len(r.b) {
				r.bad = true
				return nil
			}
			if r.b[i+1] == 'u' {
				c, n := unicodeEscape(r.b[i:])
				if n == 0 {
					r.bad = true
					return nil
				}
				out = utf8.AppendRune(out, c)
				i += n
				continue
			}
			out = append(out, plainEscape(r.b[i+1]))
			i += 2
		default:
			out = append(out, c)
			i++
		}
	}
	r.bad = true
	return nil
}

func plainEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// unicodeEscape reads \uXXXX, or two of them that make one code point, and
// returns how long it was; 0 if it is none.
func unicodeEscape(b []byte) (rune, int) {
	hex := func(b []byte) (rune, bool) {
		if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
			return 0, false
		}
		u, err := strconv.ParseUint(string(b[2:6]), 16, 32)
		return rune(u), err == nil
	}
	c, ok := hex(b)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(c) {
		if low, ok := hex(b[6:]); ok {
			if both := utf16.DecodeRune(c, low); both != utf8.RuneError {
				return both, 12
			}
		}
		return utf8.RuneError, 6
	}
	return c, 6
}

// text reads a string.
func (r *reader) text() string { return string(r.raw()) }

// skip passes one value and returns its text.
func (r *reader) skip() []byte {
	r.next()
	b, start, depth := r.b, r.i, 0
	i := start
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = endOfString(b, i); i < 0 {
				r.bad = true
				return nil
			}
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth == 0 { // the end of what is around a number or a word
				r.i = i
				return b[start:i]
			}
			depth--
			i++
		case ',':
			if depth == 0 {
				r.i = i
				return b[start:i]
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			r.i = i
			return b[start:i]
		}
	}
	r.i = i
	return b[start:i]
}

// endOfString returns the index after the string that begins at i; -1 if it has
// no end.
func endOfString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}

// number reads a number's text.
func (r *reader) number() []byte {
	r.next()
	start := r.i
	for r.i < len(r.b) {
		switch c := r.b[r.i]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			r.i++
			continue
		}
		break
	}
	return r.b[start:r.i]
}

// integer reads an integer.
func (r *reader) integer() int64 {
	i, err := strconv.ParseInt(string(r.number()), 10, 64)
	r.bad = r.bad || err != nil
	return i
}

// boolean reads true or false.
func (r *reader) boolean() bool { return string(r.skip()) == "true" }

// value reads any value as plain JSON: a number without point and exponent is
// an int where int64 holds it.
func (r *reader) value() dataknobs.Value {
	switch c := r.next(); c {
	case '"':
		return dataknobs.String(string(r.raw()))
	case '{':
		return dataknobs.AdoptObject(r.fields())
	case '[':
		vs := []dataknobs.Value{}
		r.array(func() { vs = append(vs, r.value()) })
		return dataknobs.AdoptArray(vs)
	case 't', 'f':
		return dataknobs.Bool(r.boolean())
	case 'n':
		r.skip()
		return dataknobs.Null()
	default:
		return r.numberValue()
	}
}

// fields reads an object.
func (r *reader) fields() dataknobs.Fields {
	f := dataknobs.Fields{}
	r.object(func(name []byte) {
		n := r.name(name)
		f = append(f, dataknobs.Field{Name: n, Value: r.value()})
	})
	return f
}

// name returns the one string that is kept of a name.
func (r *reader) name(b []byte) string {
	s, ok := r.names[string(b)]
	if !ok {
		s = string(b)
		r.names[s] = s
	}
	return s
}

func (r *reader) numberValue() dataknobs.Value {
	text := r.number()
	if i, ok := parseInt(text); ok {
		return dataknobs.Int(i)
	}
	if !bytes.ContainsAny(text, ".eE") {
		if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return dataknobs.Int(i)
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	r.bad = r.bad || err != nil
	return dataknobs.Float(f)
}

// parseInt reads an integer of at most 18 digits.
func parseInt(b []byte) (int64, bool) {
	minus := len(b) > 0 && b[0] == '-'
	if minus {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var i int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		i = i*10 + int64(c-'0')
	}
	if minus {
		i = -i
	}
	return i, true
}
