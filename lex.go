package dataknobs

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// tokenKind is the kind of a token of the query language.
type tokenKind uint8

const (
	tokEnd   tokenKind = iota
	tokWord            // a bare name or a keyword
	tokName            // a name in backticks
	tokText            // a string
	tokNum             // a number, with its sign
	tokPunct           // an operator or other sign
	tokBad             // what cannot be read: text says why, hint what to do
)

// A token is one word of a query text.
type token struct {
	kind     tokenKind
	pos, end int    // its bytes in the text
	text     string // names and strings as they mean, the others as written
	hint     string // of a tokBad
}

// is reports whether t is that sign.
func (t token) is(punct string) bool { return t.kind == tokPunct && t.text == punct }

// isWord reports whether t is that keyword, in any case.
func (t token) isWord(word string) bool { return t.kind == tokWord && strings.EqualFold(t.text, word) }

// A lexer cuts a query text into tokens.
type lexer struct {
	text string
	at   int
}

func (l *lexer) next() token {
	rest := strings.TrimLeftFunc(l.text[l.at:], unicode.IsSpace)
	l.at = len(l.text) - len(rest)
	start := l.at
	t := l.read(rest)
	t.pos = max(t.pos, start)
	l.at = t.end
	return t
}

// read reads the token that starts at l.at; it sets pos only where an error
// points further on.
func (l *lexer) read(rest string) token {
	if rest == "" {
		return token{end: l.at}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	switch {
	case isNameRune(r, true):
		return l.take(tokWord, spanName(rest))
	case isDigit(rest[0]), rest[0] == '-' && len(rest) > 1 && isDigit(rest[1]):
		return l.number(rest)
	case r == '\'' || r == '"':
		return l.quoted(rest[0])
	case r == '`':
		return l.backticked()
	}
	return l.sign(rest, r)
}

func (l *lexer) take(kind tokenKind, n int) token {
	return token{kind: kind, end: l.at + n, text: l.text[l.at : l.at+n]}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// spanName returns the length of the bare name that s starts with.
func spanName(s string) int {
	for i, r := range s {
		if !isNameRune(r, i == 0) {
			return i
		}
	}
	return len(s)
}

func spanDigits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// number reads [-] digits [. digits] [e [+-] digits].
func (l *lexer) number(s string) token {
	first := 0
	if s[0] == '-' {
		first = 1
	}
	i := spanDigits(s, first)
	whole := s[first:i]
	if i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]) {
		i = spanDigits(s, i+1)
	}
	if j := spanExponent(s, i); j > 0 {
		i = j
	}
	if n := i + spanWordTail(s[i:]); n > i {
		t := l.bad(n, "%s is neither a number nor a name", shorten(s[:n]))
		t.hint = "text goes in quotes: " + shorten(String(s[:n]).String())
		return t
	}
	if len(whole) > 1 && whole[0] == '0' {
		t := l.bad(i, "the number %s starts with 0", shorten(s[:i]))
		t.hint = "text goes in quotes: " + shorten(String(s[:i]).String())
		return t
	}
	return l.take(tokNum, i)
}

// spanExponent returns where the exponent at s[i:] ends; 0 if there is none.
func spanExponent(s string, i int) int {
	if i >= len(s) || s[i]|0x20 != 'e' {
		return 0
	}
	i++
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if end := spanDigits(s, i); end > i {
		return end
	}
	return 0
}

// spanWordTail returns the length of what sticks to the end of a number.
func spanWordTail(s string) int {
	for i, r := range s {
		if !isNameRune(r, false) && r != '.' {
			return i
		}
	}
	return len(s)
}

// quoted reads a string. The quote is doubled or escaped inside; \\ \n \r \t
// and \uXXXX are escapes; a backslash before anything else stands for itself,
// so that the escapes of LIKE patterns and regular expressions survive.
func (l *lexer) quoted(quote byte) token {
	var b []byte
	s := l.text
	for i := l.at + 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote && i+1 < len(s) && s[i+1] == quote:
			b = append(b, c)
			i++
		case c == quote:
			return token{kind: tokText, end: i + 1, text: string(b)}
		case c == '\\' && i+1 < len(s):
			var n int
			if b, n = appendEscape(b, s[i:]); n == 0 {
				t := l.bad(i+2-l.at, `\u takes four hexadecimal digits that make a character`)
				t.pos = i
				t.hint = `a backslash itself is written \\`
				return t
			}
			i += n - 1
		default:
			b = append(b, c)
		}
	}
	t := l.bad(1, "the string has no closing %c", quote)
	if strings.HasSuffix(s, `\`+string(quote)) {
		t.hint = `the backslash before the last quote escapes it; a backslash itself is written \\`
	}
	return t
}

// appendEscape appends what the escape at the start of s means, and returns
// how long it is; 0 if it is a broken \u.
func appendEscape(b []byte, s string) ([]byte, int) {
	switch c := s[1]; c {
	case '\'', '"', '\\':
		return append(b, c), 2
	case 'n':
		return append(b, '\n'), 2
	case 'r':
		return append(b, '\r'), 2
	case 't':
		return append(b, '\t'), 2
	case 'u':
		r, n := unicodeEscape(s)
		if n == 0 {
			return b, 0
		}
		return utf8.AppendRune(b, r), n
	default:
		return append(b, '\\'), 1
	}
}

// unicodeEscape reads \uXXXX, or two of them that are a surrogate pair; the
// length 0 if there is no such character.
func unicodeEscape[T string | []byte](s T) (rune, int) {
	hex := func(i int) rune {
		if len(s) < i+6 || s[i] != '\\' || s[i+1] != 'u' {
			return -1
		}
		u, err := strconv.ParseUint(string(s[i+2:i+6]), 16, 16)
		if err != nil {
			return -1
		}
		return rune(u)
	}
	r := hex(0)
	switch {
	case r < 0:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	if r = utf16.DecodeRune(r, hex(6)); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// backticked reads a name in backticks, which are doubled inside.
func (l *lexer) backticked() token {
	s := l.text[l.at+1:]
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '`':
		case i+1 < len(s) && s[i+1] == '`':
			i++
		case i == 0:
			return l.bad(2, "a name is empty")
		default:
			return token{kind: tokName, end: l.at + i + 2, text: strings.ReplaceAll(s[:i], "``", "`")}
		}
	}
	return l.bad(1, "the name has no closing backtick")
}

var signs = []string{
	"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ".", "*", "?", ":",
}

// foreign are signs of other languages, and what they are here.
var foreign = []struct{ sign, hint string }{
	{"&&", "did you mean AND?"},
	{"||", "did you mean OR?"},
	{"=~", "did you mean MATCHES?"},
	{"!~", "did you mean NOT MATCHES?"},
	{"=<", "did you mean <=?"},
	{"=>", "did you mean >=?"},
	{"===", "did you mean =?"},
	{"~", "did you mean MATCHES?"},
	{"&", "did you mean AND?"},
	{"|", "did you mean OR?"},
	{"!", "did you mean NOT?"},
	{";", "a query ends without a semicolon"},
	{"‘", "strings go in straight quotes: '…'"},
	{"’", "strings go in straight quotes: '…'"},
	{"“", `strings go in straight quotes: "…"`},
	{"”", `strings go in straight quotes: "…"`},
}

// sign reads an operator or other sign.
func (l *lexer) sign(s string, r rune) token {
	for _, f := range foreign {
		if strings.HasPrefix(s, f.sign) && !strings.HasPrefix(s, "!=") {
			t := l.bad(len(f.sign), "%q is not in the query language", f.sign)
			t.hint = f.hint
			return t
		}
	}
	for _, sign := range signs {
		if strings.HasPrefix(s, sign) {
			return l.take(tokPunct, len(sign))
		}
	}
	t := l.bad(utf8.RuneLen(r), "%q is not in the query language", r)
	t.hint = "a name that holds other characters goes in backticks: `unit price`"
	return t
}
