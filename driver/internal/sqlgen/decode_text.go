package sqlgen

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string. It is a part of the one copy of the text.
func (d *Decoder) string() string {
	if d.next() != '"' {
		d.fail("expected a string")
		return ""
	}
	start := d.at + 1
	rest := d.b[start:]
	i := bytes.IndexByte(rest, '"')
	if i < 0 {
		d.fail("a string does not end")
		return ""
	}
	if plain(rest[:i]) {
		d.at = start + i + 1
		if d.Only != nil { // the rest of the text is not wanted
			return string(rest[:i])
		}
		if d.text == "" {
			d.text = string(d.b)
		}
		return d.text[start : start+i]
	}
	return d.escaped(start)
}

// plain reports whether there is no escape and no control character.
func plain(b []byte) bool {
	for _, c := range b {
		if c == '\\' || c < ' ' {
			return false
		}
	}
	return true
}

// escaped reads a string that has escapes; start is after the opening quote.
func (d *Decoder) escaped(start int) string {
	var out []byte
	for i := start; i < len(d.b); {
		switch c := d.b[i]; {
		case c == '"':
			d.at = i + 1
			return string(out)
		case c < ' ':
			d.fail("a control character in a string")
			return ""
		case c != '\\':
			out = append(out, c)
			i++
		default:
			var n int
			if out, n = unescape(out, d.b[i:]); n == 0 {
				d.at = i
				d.fail("this is not an escape")
				return ""
			}
			i += n
		}
	}
	d.fail("a string does not end")
	return ""
}

// unescape appends what the escape at the start of s means and returns its
// length; 0 if there is no such escape.
func unescape(out, s []byte) ([]byte, int) {
	if len(s) < 2 {
		return out, 0
	}
	const names, means = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if i := strings.IndexByte(names, s[1]); i >= 0 {
		return append(out, means[i]), 2
	}
	r, ok := hex4(s)
	if !ok {
		return out, 0
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), 6
	}
	low, ok := hex4(s[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return out, 0
	}
	return utf8.AppendRune(out, r), 12
}

// hex4 reads \uXXXX.
func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(n), err == nil
}
