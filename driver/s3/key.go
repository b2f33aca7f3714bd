package s3

import (
	"strings"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// The name of a record's object is the store's prefix, the escaped ID and
// .json. Escaped IDs, compared byte by byte with the end of the text lowest,
// sort as the IDs do, and hold nothing that a server, a file system below it or
// an XML document could change: no dot segment, no empty segment, no control
// character, no segment of more than 255 bytes.
//
// Letters, digits, - _ : ; @ ` and everything beyond ASCII stand for
// themselves, but for U+FFFD and the two characters after it. The others are
// escaped in runs; a run shares one leading character that sorts where the run
// does.
//
//	0x01 to ,       !XX (two hexadecimal digits)
//	. and /         ..  and  ._
//	< = > ?         =XX
//	[ \ ] ^         ^XX
//	{ | } ~ DEL     ~XX
//	U+FFFD…U+FFFF   U+FFFD and 0, 1 or 2
//
// Of an ID that becomes longer than readable bytes, the rest is written with
// six bits to a character (digits, A-Z, _, a-z, ~) in folders of denseSegment
// characters.
const (
	suffix       = ".json"
	readable     = 180
	denseSegment = 200
	maxKey       = 1024 // bytes: S3's own bound
)

const hexDigits = "0123456789ABCDEF"

// leads holds the leading character of each ASCII character that is escaped by
// two digits; 0: it stands for itself, or is one of . and /.
var leads = func() (t [128]byte) {
	for _, run := range []struct {
		from, to rune
		lead     byte
	}{{0, ',', '!'}, {'<', '?', '='}, {'[', '^', '^'}, {'{', 0x7f, '~'}} {
		for c := run.from; c <= run.to; c++ {
			t[c] = run.lead
		}
	}
	return t
}()

// denseDigits are the characters of six bits, in ascending order, all of them
// after the dot with which the suffix begins.
const denseDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"

// denseValues inverts denseDigits; 0xff: no such digit.
var denseValues = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(denseDigits) {
		t[denseDigits[i]] = byte(i)
	}
	return t
}()

// appendEscaped appends the escaped ID.
func appendEscaped(b []byte, id string) []byte {
	start := len(b)
	for i := 0; i < len(id); {
		if len(b)-start >= readable {
			return appendDense(append(b, '/'), id[i:])
		}
		if c := id[i]; c < utf8.RuneSelf {
			b = appendASCII(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(id[i:])
		if r >= utf8.RuneError && r <= 0xffff && n == 3 { // n is 1 in the end of a range that cuts a character
			b = append(utf8.AppendRune(b, utf8.RuneError), '0'+byte(r-utf8.RuneError))
		} else {
			b = append(b, id[i:i+n]...)
		}
		i += n
	}
	return b
}

func appendASCII(b []byte, c byte) []byte {
	switch lead := leads[c]; {
	case lead != 0:
		return append(b, lead, hexDigits[c>>4], hexDigits[c&15])
	case c == '.':
		return append(b, '.', '.')
	case c == '/':
		return append(b, '.', '_')
	}
	return append(b, c)
}

// appendDense appends s in folders of six-bit characters.
func appendDense(b []byte, s string) []byte {
	var acc uint32
	bits, n := 0, 0
	put := func(v uint32) {
		if n > 0 && n%denseSegment == 0 {
			b = append(b, '/')
		}
		b = append(b, denseDigits[v&63])
		n++
	}
	for i := range len(s) {
		acc = acc<<8 | uint32(s[i])
		for bits += 8; bits >= 6; bits -= 6 {
			put(acc >> (bits - 6))
		}
	}
	if bits > 0 {
		put(acc << (6 - bits))
	}
	return b
}

// key returns the name of the object of that ID.
func (d *Driver) key(id string) (string, error) {
	b := make([]byte, 0, len(d.prefix)+len(id)+len(id)/4+16)
	b = append(b, d.prefix...)
	b = appendEscaped(b, id)
	b = append(b, suffix...)
	if len(b) > maxKey {
		return "", dataknobs.Errorf(dataknobs.ResourceExhausted,
			"the ID makes an object key of %d bytes; S3 allows %d", len(b), maxKey).
			WithHint("use a shorter prefix or a shorter ID")
	}
	return string(b), nil
}

// escapedOf returns the escaped ID in the name of an object; false if the name
// is none of a record.
func (d *Driver) escapedOf(key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, d.prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, suffix)
}

// idOf returns the ID whose object has that name; false if the name is none
// that key would make.
func (d *Driver) idOf(key string) (string, bool) {
	esc, ok := d.escapedOf(key)
	if !ok || esc == "" {
		return "", false
	}
	if plainText(esc) {
		return esc, true
	}
	id, ok := unescape(esc)
	if !ok || dataknobs.CheckID(id) != nil || string(appendEscaped(nil, id)) != esc {
		return "", false
	}
	return id, true
}

// plainText reports whether an escaped ID is the ID itself, as most are.
func plainText(esc string) bool {
	if len(esc) > readable {
		return false
	}
	for i := range len(esc) {
		if c := esc[i]; c >= utf8.RuneSelf || leads[c] != 0 || c == '.' || c == '/' {
			return false
		}
	}
	return true
}

func unescape(esc string) (string, bool) {
	head, tail, long := strings.Cut(esc, "/")
	b := make([]byte, 0, len(esc))
	for i := 0; i < len(head); {
		c := head[i]
		switch {
		case c == '.':
			if i+1 == len(head) || head[i+1] != '.' && head[i+1] != '_' {
				return "", false
			}
			if head[i+1] == '.' {
				b = append(b, '.')
			} else {
				b = append(b, '/')
			}
			i += 2
		case c < utf8.RuneSelf && leads[c] != 0:
			v, ok := unhex(head[i:])
			if !ok || leads[v] != c {
				return "", false
			}
			b = append(b, v)
			i += 3
		case c < utf8.RuneSelf:
			b = append(b, c)
			i++
		default:
			r, n := utf8.DecodeRuneInString(head[i:])
			i += n
			if r == utf8.RuneError {
				if i == len(head) || head[i] < '0' || head[i] > '2' {
					return "", false
				}
				r += rune(head[i] - '0')
				i++
			}
			b = utf8.AppendRune(b, r)
		}
	}
	if !long {
		return string(b), true
	}
	return undense(b, tail)
}

// unhex reads the two digits after a leading character.
func unhex(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, s[1]), strings.IndexByte(hexDigits, s[2])
	v := hi<<4 | lo
	return byte(v), hi >= 0 && lo >= 0 && v < utf8.RuneSelf
}

func undense(b []byte, s string) (string, bool) {
	var acc uint32
	bits := 0
	for i := range len(s) {
		if s[i] == '/' {
			continue // idOf checks where these stand
		}
		v := denseValues[s[i]]
		if v == 0xff {
			return "", false
		}
		acc = acc<<6 | uint32(v)
		if bits += 6; bits >= 8 {
			bits -= 8
			b = append(b, byte(acc>>bits))
		}
	}
	return string(b), utf8.Valid(b)
}

// ancestors returns the shorter IDs, escaped, whose objects stand after the
// object of esc in a listing though they come before it in the order of IDs:
// in a listing an ID ends with the dot of the suffix, before which - and the
// leading characters ! and . sort.
func ancestors(esc string) []string {
	var out []string
	head, _, _ := strings.Cut(esc, "/")
	for i := 0; i < len(head); {
		if i > 0 && head[i:] < suffix {
			out = append(out, head[:i])
		}
		switch c := head[i]; {
		case c == '.':
			i += 2
		case c < utf8.RuneSelf && leads[c] != 0:
			i += 3
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRuneInString(head[i:])
			if i += n; r == utf8.RuneError {
				i++
			}
		}
	}
	return out
}
