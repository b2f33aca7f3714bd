package dataknobs

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"dataknobs.dev/dataknobs/internal/nearest"
)

func (l *lexer) bad(n int, format string, args ...any) token {
	return token{kind: tokBad, end: l.at + n, text: fmt.Sprintf(format, args...)}
}

// windowRunes is how much of a long line an error shows.
const windowRunes = 80

// errorAt returns an InvalidArgument error that shows the line of the text
// around the bytes from start to end, with carets under them.
func errorAt(text string, start, end int, format string, args ...any) *Error {
	from := strings.LastIndexByte(text[:start], '\n') + 1
	line := text[from:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	column := utf8.RuneCountInString(text[from:start])
	width := utf8.RuneCountInString(text[start:min(end, from+len(line))])
	shown, at := window(line, column)
	carets := strings.Repeat("^", max(1, min(width, utf8.RuneCountInString(shown)-at)))
	return Errorf(InvalidArgument, "%d:%d: %s\n    %s\n    %s%s",
		strings.Count(text[:start], "\n")+1, column+1, fmt.Sprintf(format, args...),
		shown, strings.Repeat(" ", at), carets)
}

// window returns the part of the line around the column, with every character
// that would move the carets made a space, and where the column is in it.
func window(line string, column int) (shown string, at int) {
	runes := []rune(line)
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	if len(runes) <= windowRunes {
		return strings.TrimRight(string(runes), " "), column
	}
	from := max(0, min(column-windowRunes/2, len(runes)-windowRunes))
	to := min(len(runes), from+windowRunes)
	shown, at = string(runes[from:to]), column-from
	if from > 0 {
		shown, at = "…"+shown, at+1
	}
	if to < len(runes) {
		shown += "…"
	}
	return shown, at
}

// shorten cuts s for a message.
func shorten(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	for i := range s {
		if i >= most {
			return s[:i] + "…"
		}
	}
	return s
}

// describe says what t is, for "but found …".
func (t token) describe() string {
	switch t.kind {
	case tokEnd:
		return "the end"
	case tokWord:
		if isReserved(t.text) {
			return "the word " + shorten(t.text)
		}
		return "the name " + shorten(t.text)
	case tokName:
		return "the name `" + shorten(t.text) + "`"
	case tokText:
		return "the text " + shorten(String(t.text).String())
	case tokNum:
		return "the number " + shorten(t.text)
	}
	return `"` + t.text + `"`
}

// errorAt returns an error about the token t.
func (p *parser) errorAt(t token, format string, args ...any) *Error {
	return errorAt(p.lex.text, t.pos, t.end, format, args...)
}

// unexpected returns the error that the next token is not what was expected.
// A word close to one of the words is taken for a slip.
func (p *parser) unexpected(expected string, words ...string) *Error {
	t := p.tok
	if t.kind == tokBad {
		e := p.errorAt(t, "%s", t.text)
		e.Hint = t.hint
		return e
	}
	e := p.errorAt(t, "expected %s, but found %s", expected, t.describe())
	if meant := p.meant(t, words); meant != "" {
		return e.WithHint("did you mean %s?", meant)
	}
	return e
}

// synonyms are words of other languages, and what they are here.
var synonyms = map[string]string{
	"REGEXP": "MATCHES", "RLIKE": "MATCHES", "REGEX": "MATCHES", "SIMILAR": "MATCHES",
	"BEGINS": "STARTS WITH", "HAS": "CONTAINS", "INCLUDES": "CONTAINS", "SEARCH": "MATCH", "SORT": "ORDER BY",
	"TOP": "LIMIT", "SKIP": "OFFSET", "FILTER": "WHERE",
}

// meant returns the one of words that t is probably a misspelling of.
func (p *parser) meant(t token, words []string) string {
	if t.kind != tokWord {
		return ""
	}
	among := make([]string, 0, 2*len(words))
	full := map[string]string{}
	for _, w := range words {
		first, _, _ := strings.Cut(w, " ")
		if strings.EqualFold(first, t.text) {
			return "" // it is the word; what is wrong comes after it
		}
		if synonyms[strings.ToUpper(t.text)] == w {
			return w
		}
		among = append(among, w, first)
		full[first] = w
	}
	word := nearest.Of(t.text, among)
	if w, ok := full[word]; ok {
		return w
	}
	return word
}

// list joins words as "a, b or c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " or " + words[n]
}
