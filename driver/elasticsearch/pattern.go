package elasticsearch

import (
	"strings"
	"unicode"

	"dataknobs.dev/dataknobs"
)

func (t target) cut() obj { return obj{"term": obj{cutField: obj{"value": t.column}}} }

// pattern returns the query of the operators that look into a text.
func (t target) pattern(op dataknobs.Op, text string) obj {
	isText := t.rank(rankString)
	switch op {
	case dataknobs.StartsWith:
		return t.startsWith(text)
	case dataknobs.NotStartsWith:
		if len(text) >= sureKey {
			return isText
		}
		return but(isText, t.startsWith(text))
	case dataknobs.Like, dataknobs.NotLike:
		prefix, shape := splitLike(text)
		var q obj
		switch shape {
		case likePrefix:
			q = t.startsWith(prefix)
		case likeEqual:
			q = t.term(keyOf(dataknobs.String(prefix)))
		default:
			return t.like(op, isText, text)
		}
		if op == dataknobs.Like {
			return q
		}
		if len(prefix) >= sureKey {
			return isText
		}
		return but(isText, q)
	case dataknobs.ILike, dataknobs.NotILike:
		return t.like(op, isText, text)
	}
	return isText // regular expressions
}

func (t target) startsWith(text string) obj {
	return t.prefix(beginning(keyOf(dataknobs.String(text))))
}

// like returns the query of a pattern, which says nothing about keys that were cut.
func (t target) like(op dataknobs.Op, isText obj, text string) obj {
	q := t.regexp(text, op == dataknobs.ILike || op == dataknobs.NotILike)
	switch {
	case q == nil:
		return isText
	case op.Negated() && t.column == "":
		return but(isText, q)
	case op.Negated():
		return but(isText, but(q, t.cut()))
	case t.column == "":
		return q
	}
	return anyOf(q, filter(isText, t.cut()))
}

// regexp returns a pattern as the server's regular expression; nil where it
// would cost the server too much, or cannot be asked.
func (t target) regexp(text string, fold bool) obj {
	if len(t.fields) != 1 || strings.HasPrefix(t.fields[0], moreField) {
		return nil
	}
	var b strings.Builder
	b.WriteByte(rankString)
	escaped, runs, gaps := false, 0, 0
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
			writeRune(&b, r, fold)
		case r == '\\':
			escaped = true
		case r == '%':
			b.WriteString(".*")
			runs++
		case r == '_':
			b.WriteByte('.')
			if gaps++; runs > 0 && gaps > 6 { // each may double the automaton
				return nil
			}
		default:
			writeRune(&b, r, fold)
		}
	}
	if b.Len() > 900 { // index.max_regex_length is 1,000
		return nil
	}
	return obj{"regexp": obj{t.fields[0]: obj{"value": b.String(), "flags": "NONE"}}}
}

// writeRune writes a character of a pattern, or all that fold to the same.
func writeRune(b *strings.Builder, r rune, fold bool) {
	if fold && unicode.SimpleFold(r) != r {
		b.WriteByte('[')
		b.WriteRune(r)
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			b.WriteRune(f)
		}
		b.WriteByte(']')
		return
	}
	if r < 0x80 && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		b.WriteByte('\\')
	}
	b.WriteRune(r)
}

// A likeShape says what a pattern is beside its literal beginning.
type likeShape uint8

const (
	likeEqual   likeShape = iota // nothing
	likePrefix                   // a % at the end
	likeGeneral                  // more
)

// splitLike returns the literal text that a pattern begins with.
func splitLike(text string) (string, likeShape) {
	var b strings.Builder
	escaped := false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
			b.WriteRune(r)
		case r == '\\':
			escaped = true
		case r == '%' && i == len(text)-1:
			return b.String(), likePrefix
		case r == '%', r == '_':
			return b.String(), likeGeneral
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), likeEqual
}
