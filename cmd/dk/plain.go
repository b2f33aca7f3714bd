package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable returns s without anything that would move the cursor or change
// the terminal: control characters stand as \n, \t, \x1b.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case unprintable(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unprintable(r) && r != utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// bidi are the characters that reorder what stands after them.
var bidi = []rune{0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x2028, 0x2029}

// unprintable also counts what is no UTF-8: a terminal may know the byte.
func unprintable(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return r == utf8.RuneError || unicode.IsControl(r) || slices.Contains(bidi, r)
}

// longestMessage bounds what is said at once, in bytes. What stands in a
// message may come from anybody.
const longestMessage = 4000

// message returns a text for standard error: bounded, printable, and of several
// lines only where they are the text's own, which begin with two spaces.
func message(s string) string {
	if len(s) > longestMessage {
		const end = longestMessage / 4 // a hint stands there
		s = strings.ToValidUTF8(s[:longestMessage-end], "") + " … " + strings.ToValidUTF8(s[len(s)-end:], "")
	}
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	lines := strings.Split(s, "\n  ")
	for i, l := range lines {
		lines[i] = printable(l)
	}
	return strings.Join(lines, "\n  ")
}

// A plainWriter shows what is written to a terminal without the control
// characters in it, as JSON writes them: nothing else would tell the terminal
// the text of a record from the commands of this program.
type plainWriter struct {
	w    io.Writer
	scr  *screen // of w
	rest []byte  // the beginning of a character
}

func (p *plainWriter) Write(b []byte) (int, error) {
	if !p.scr.tty {
		return p.w.Write(b)
	}
	text := b
	if len(p.rest) > 0 {
		text = append(p.rest, b...)
	}
	text, p.rest = wholeRunes(text)
	if _, err := p.w.Write(appendPrintable(nil, text)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// close writes what is left.
func (p *plainWriter) close() error {
	if len(p.rest) == 0 {
		return nil
	}
	_, err := p.w.Write(appendPrintable(nil, p.rest))
	p.rest = nil
	return err
}

// wholeRunes splits off a character that has only begun at the end of b.
func wholeRunes(b []byte) (whole, rest []byte) {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if at := len(b) - n; utf8.RuneStart(b[at]) {
			if utf8.FullRune(b[at:]) {
				return b, nil
			}
			return b[:at], slices.Clone(b[at:])
		}
	}
	return b, nil
}

// appendPrintable appends text to b with \u001b in the place of what is not printable,
// but for the ends of lines and tabs.
func appendPrintable(b, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case !unprintable(r) || r == '\n' || r == '\t':
			b = append(b, text[:n]...)
		case r == utf8.RuneError:
			b = utf8.AppendRune(b, r)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		text = text[n:]
	}
	return b
}
