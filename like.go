package dataknobs

import (
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// A pattern is a compiled LIKE pattern: literal text, _ for one code point and
// % for any run of them. It consists of the segments between the %, of which
// the first is anchored at the beginning and the last at the end; each of the
// others is taken at its leftmost place, which never rules out a match, so no
// choice is ever taken back: the time is bounded by the product of the lengths.
type pattern struct {
	segments []segment
	shape    shape
}

// shape names the patterns that need no search of their own.
type shape uint8

const (
	shapeGeneral  shape = iota
	shapeEqual          // abc
	shapeAny            // %
	shapePrefix         // abc%
	shapeSuffix         // %abc
	shapeContains       // %abc%
)

// A segment is literal text in which gaps stand for one code point each: parts
// alternate, so parts a, b, c are a_b_c.
type segment struct {
	parts  []string
	points int // how many code points the whole segment is
}

// literal reports whether the segment is nothing but text.
func (s *segment) literal() bool { return len(s.parts) == 1 }

// parseLike compiles the pattern of a LIKE. A \ at its end escapes nothing,
// which is InvalidArgument.
func parseLike(text string) (*pattern, error) {
	p := &pattern{}
	seg, part := segment{}, strings.Builder{}
	endPart := func() { seg.parts = append(seg.parts, part.String()); part.Reset() }
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
			part.WriteRune(r)
			seg.points++
		case r == '\\':
			escaped = true
		case r == '_':
			endPart()
			seg.points++
		case r == '%':
			endPart()
			p.segments = append(p.segments, seg)
			seg = segment{}
		default:
			part.WriteRune(r)
			seg.points++
		}
	}
	if escaped {
		return nil, Errorf(InvalidArgument, `the LIKE pattern %s ends with a \ that escapes nothing`, String(text)).WithHint(`write \\ for a backslash`)
	}
	endPart()
	p.segments = append(p.segments, seg)
	p.dropEmpty()
	p.shape = p.findShape()
	return p, nil
}

// dropEmpty leaves out the empty segments inside, which %% makes.
func (p *pattern) dropEmpty() {
	last := len(p.segments) - 1
	kept := p.segments[:0]
	for i, s := range p.segments {
		if i == 0 || i == last || s.points > 0 {
			kept = append(kept, s)
		}
	}
	p.segments = kept
}

func (p *pattern) findShape() shape {
	for i := range p.segments {
		if !p.segments[i].literal() {
			return shapeGeneral
		}
	}
	n := len(p.segments)
	first, last := p.segments[0].points > 0, p.segments[n-1].points > 0
	switch {
	case n == 1:
		return shapeEqual
	case n == 2 && !first && !last:
		return shapeAny
	case n == 2 && !last:
		return shapePrefix
	case n == 2 && !first:
		return shapeSuffix
	case n == 3 && !first && !last:
		return shapeContains
	}
	return shapeGeneral
}

// prefix returns the text that every match starts with.
func (p *pattern) prefix() string { return p.segments[0].parts[0] }

// match reports whether the whole of s matches. It does not allocate.
func (p *pattern) match(s string) bool {
	switch p.shape {
	case shapeEqual:
		return s == p.segments[0].parts[0]
	case shapeAny:
		return true
	case shapePrefix:
		return strings.HasPrefix(s, p.segments[0].parts[0])
	case shapeSuffix:
		return strings.HasSuffix(s, p.segments[1].parts[0])
	case shapeContains:
		return strings.Contains(s, p.segments[1].parts[0])
	}
	return p.matchGeneral(s)
}

func (p *pattern) matchGeneral(s string) bool {
	n, ok := p.segments[0].matchAt(s)
	if !ok {
		return false
	}
	if len(p.segments) == 1 {
		return n == len(s)
	}
	s = s[n:]
	last := len(p.segments) - 1
	for i := 1; i < last; i++ {
		if s, ok = p.segments[i].skipPast(s); !ok {
			return false
		}
	}
	return p.segments[last].matchEnd(s)
}

// matchAt matches the segment at the beginning of s and returns how many
// bytes it took.
func (g *segment) matchAt(s string) (int, bool) {
	at := 0
	for i, part := range g.parts {
		if i > 0 {
			if at == len(s) {
				return 0, false
			}
			at += runeLen(s[at:])
		}
		if !strings.HasPrefix(s[at:], part) {
			return 0, false
		}
		at += len(part)
	}
	return at, true
}

// skipPast returns what follows the leftmost match of the segment in s.
func (g *segment) skipPast(s string) (string, bool) {
	if g.literal() {
		i := strings.Index(s, g.parts[0])
		if i < 0 {
			return "", false
		}
		return s[i+len(g.parts[0]):], true
	}
	for {
		if first := g.parts[0]; first != "" {
			i := strings.Index(s, first)
			if i < 0 {
				return "", false
			}
			s = s[i:]
		}
		if n, ok := g.matchAt(s); ok {
			return s[n:], true
		}
		if s == "" {
			return "", false
		}
		s = s[runeLen(s):]
	}
}

// matchEnd reports whether s ends with the segment. A segment has a fixed
// number of code points, so there is one place to look at.
func (g *segment) matchEnd(s string) bool {
	if g.literal() {
		return strings.HasSuffix(s, g.parts[0])
	}
	at := len(s)
	for range g.points {
		if at == 0 {
			return false
		}
		_, n := utf8.DecodeLastRuneInString(s[:at])
		at -= n
	}
	_, ok := g.matchAt(s[at:])
	return ok
}

func runeLen(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

func likeTest(op Op, text string) (test, error) {
	fold := op == ILike || op == NotILike
	if fold {
		text = string(appendFold(nil, text))
	}
	p, err := parseLike(text)
	if err != nil {
		return nil, err
	}
	want := !op.Negated()
	if fold {
		return func(v Value) bool { return v.kind == KindString && p.matchFolded(v.Str()) == want }, nil
	}
	return func(v Value) bool { return v.kind == KindString && p.match(v.Str()) == want }, nil
}

// matchFolded is match for a folded pattern and a text that is not.
func (p *pattern) matchFolded(s string) bool {
	var buf [256]byte
	b := appendFold(buf[:0], s) // on the stack, and never longer than s
	return p.match(unsafe.String(unsafe.SliceData(b), len(b)))
}

// appendFold appends s with every code point replaced by the least one that
// Unicode's simple case folding holds for the same. % _ and \ have no case.
func appendFold(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 { // not UTF-8: stays as it is
			b = append(b, s[i])
		} else {
			b = utf8.AppendRune(b, foldRune(r))
		}
		i += n
	}
	return b
}

// foldRune returns the least code point of r's orbit under simple folding.
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}
