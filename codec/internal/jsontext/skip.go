// Package jsontext reads JSON values from text: strictly, fast, and without
// allocating for what is only passed over: JSON files, and the cells of CSV files
// that hold JSON.
//
// The text must be followed by at least Slack zero bytes, which stop every loop:
// a zero byte is legal nowhere in JSON. Whether the text is UTF-8 is the
// caller's business.
//
// Start at [Reader].
package jsontext

import (
	"math/bits"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/lex"
)

// Slack is how many zero bytes must follow the text.
const Slack = 16

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// An Error says what is wrong with the text, and where.
type Error struct {
	At   int            // byte offset in the text
	Msg  string         // what is wrong
	Path dataknobs.Path // in which value, from the place where reading began
}

// Error returns the message without its place.
func (e *Error) Error() string { return e.Msg }

// A Reader reads values from one text after another. Not safe for concurrent use.
type Reader struct {
	// Text is what is read, with the zero bytes behind it.
	Text []byte
	// Tagged: {"$time": "…"} and the like are read as dataknobs writes them.
	Tagged bool
	// Copy: values own their memory. Otherwise they may alias Text and Scratch.
	Copy bool
	// Scratch holds unescaped strings where Copy is not set. The caller cuts it back.
	Scratch []byte
	// Err is set when a method has returned a negative end.
	Err *Error

	arena lex.Arena
	names [256]string
	elems []dataknobs.Value // a stack of array elements that are being read
	stack []dataknobs.Field // the same of fields
}

// fail notes an error and returns -1.
func (r *Reader) fail(at int, msg string) int {
	r.Err = &Error{At: at, Msg: msg}
	return -1
}

// in notes that the error is inside the value that step leads to.
func (r *Reader) in(step dataknobs.Step) int {
	r.Err.Path = append(dataknobs.Path{step}, r.Err.Path...)
	return -1
}

// Space returns the place of the first byte from i on that is no white space.
func (r *Reader) Space(i int) int {
	for {
		switch r.Text[i] {
		case ' ', '\n', '\t', '\r':
			i++
		default:
			return i
		}
	}
}

// Skip checks the value that starts at i and returns its end, or -1. depth is
// how many arrays and objects it is in.
func (r *Reader) Skip(i, depth int) int {
	switch r.Text[i] {
	case '"':
		return r.SkipString(i)
	case '{':
		return r.skipObject(i, depth+1)
	case '[':
		return r.skipArray(i, depth+1)
	case 't', 'f', 'n':
		_, end := r.word(i)
		return end
	}
	if _, end := lex.SmallJSON(r.Text, i); end > 0 {
		return end
	}
	_, end := r.number(i)
	return end
}

// SkipString checks the string whose opening quote is at i and returns its
// end, after the closing quote; or -1.
func (r *Reader) SkipString(i int) int {
	at := i
	for i++; ; {
		i = stringStop(r.Text, i)
		switch c := r.Text[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			_, n, msg := unescape(r.Text[i:])
			if msg != "" {
				return r.fail(i, msg)
			}
			i += n
		default:
			return r.badChar(at, i)
		}
	}
}

// stringStop returns the place of the first quote, backslash or control
// character of b from i on.
func stringStop(b []byte, i int) int {
	for {
		x := lex.Load(b, i)
		q, s := x^(ones*'"'), x^(ones*'\\')
		// Each term is exact for the lowest byte that it finds, and no other matters.
		m := ((q-ones)&^q | (s-ones)&^s | (x-ones*' ')&^x) & highs
		if m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
}

// StringStop is where SkipString would look next in a text that ends at n and
// need not be followed by zero bytes: the place of the first quote, backslash or control
// character of b from i on, or n or more. Eight bytes must be readable from n on.
func StringStop(b []byte, i, n int) int {
	for ; i < n; i += 8 {
		x := lex.Load(b, i)
		q, s := x^(ones*'"'), x^(ones*'\\')
		if m := ((q-ones)&^q | (s-ones)&^s | (x-ones*' ')&^x) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	return n
}

// badChar reports a control character at i in the string that starts at start.
func (r *Reader) badChar(start, i int) int {
	if r.AtEnd(i) {
		return r.fail(start, "the string that starts here does not end")
	}
	return r.fail(i, "a control character in a string: it must be written as an escape such as \\n")
}

// AtEnd reports whether the text ends at i.
func (r *Reader) AtEnd(i int) bool { return i >= len(r.Text)-Slack }

func (r *Reader) skipObject(i, depth int) int {
	if depth > dataknobs.MaxDepth {
		return r.tooDeep(i)
	}
	i = r.Space(i + 1)
	if r.Text[i] == '}' {
		return i + 1
	}
	for {
		start := i
		if r.Text[i] != '"' {
			return r.Unexpected(i, "a name in quotes")
		}
		if i = r.SkipString(i); i < 0 {
			return i
		}
		name := r.Text[start:i]
		if i = r.Colon(i); i < 0 {
			return i
		}
		if i = r.Skip(i, depth); i < 0 {
			return r.in(dataknobs.Step{Name: r.nameText(name)})
		}
		i = r.Space(i)
		switch r.Text[i] {
		case ',':
			i = r.Space(i + 1)
		case '}':
			return i + 1
		default:
			return r.Unexpected(i, ", or }")
		}
	}
}

// Colon passes the colon at or after i, and the space around it; or -1.
func (r *Reader) Colon(i int) int {
	i = r.Space(i)
	if r.Text[i] != ':' {
		return r.Unexpected(i, "a colon")
	}
	return r.Space(i + 1)
}

func (r *Reader) skipArray(i, depth int) int {
	if depth > dataknobs.MaxDepth {
		return r.tooDeep(i)
	}
	i = r.Space(i + 1)
	if r.Text[i] == ']' {
		return i + 1
	}
	for n := 0; ; n++ {
		if i = r.Skip(i, depth); i < 0 {
			return r.in(dataknobs.Step{Index: n})
		}
		i = r.Space(i)
		switch r.Text[i] {
		case ',':
			i = r.Space(i + 1)
		case ']':
			return i + 1
		default:
			return r.Unexpected(i, ", or ]")
		}
	}
}

func (r *Reader) tooDeep(i int) int {
	return r.fail(i, "nests deeper than 64 levels")
}

// Unexpected reports what stands at i where something else should, and returns -1.
func (r *Reader) Unexpected(i int, want string) int {
	if r.AtEnd(i) {
		return r.fail(i, "the text ends where "+want+" should be")
	}
	c := rune(r.Text[i])
	if c >= 0x80 {
		return r.fail(i, "an unexpected character where "+want+" should be")
	}
	return r.fail(i, "unexpected "+string([]rune{'\'', c, '\''})+" where "+want+" should be")
}

// word reads true, false or null.
func (r *Reader) word(i int) (dataknobs.Value, int) {
	for _, w := range words {
		n := len(w.text)
		if string(r.Text[i:i+n]) == w.text {
			return w.value, i + n
		}
	}
	return dataknobs.Value{}, r.Unexpected(i, "a value")
}

var words = [...]struct {
	text  string
	value dataknobs.Value
}{
	{"null", dataknobs.Value{}},
	{"true", dataknobs.Bool(true)},
	{"false", dataknobs.Bool(false)},
}

func (r *Reader) number(i int) (dataknobs.Value, int) {
	v, n, result := lex.ParseNumber(r.Text[i:])
	switch result {
	case lex.Number:
		return v, i + n
	case lex.Overflow:
		return v, r.fail(i, outOfRange(r.Text[i:i+n]))
	}
	if c := r.Text[i]; c == '-' || c-'0' <= 9 {
		return v, r.fail(i, "not a number as JSON writes it")
	}
	return v, r.Unexpected(i, "a value")
}

func outOfRange(b []byte) string {
	text := string(b)
	if len(text) > 40 {
		text = text[:40] + "…"
	}
	for _, c := range b {
		if c == '.' || c|0x20 == 'e' {
			return "the number " + text + " is too large for a 64-bit float"
		}
	}
	return "the integer " + text + " does not fit in 64 bits; write it as a string to keep its digits"
}
