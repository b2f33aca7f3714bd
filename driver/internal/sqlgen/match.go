package sqlgen

import (
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// match is LIKE, ILIKE, STARTS WITH or MATCHES on a text.
func (b *builder) match(text string, op dataknobs.Op, pattern string) answer {
	switch op {
	case dataknobs.Like:
		return b.like(text, pattern)
	case dataknobs.StartsWith:
		return exact(b.startsWith(text, pattern))
	case dataknobs.ILike:
		if b.lite() {
			return exact("dk_ilike(" + b.arg(pattern, "") + ", " + text + ")")
		}
		return b.postgresILike(text, pattern)
	case dataknobs.Matches:
		if b.lite() {
			return exact("dk_matches(" + b.arg(pattern, "") + ", " + text + ")")
		}
		return b.postgresMatches(text, pattern)
	}
	return refuse("the operator is not known")
}

func (b *builder) startsWith(text, prefix string) string {
	if b.lite() {
		if prefix == "" {
			return text + " >= ''"
		}
		return "(" + b.textRange(text, prefix, after(prefix)) + ")"
	}
	return "starts_with(" + text + ", " + b.arg(prefix, "text") + ")"
}

// holds is that part is somewhere in the text.
func (b *builder) holds(text, part string) string {
	if b.lite() {
		return "instr(" + text + ", " + b.arg(part, "") + ") > 0"
	}
	return "strpos(" + text + ", " + b.arg(part, "text") + ") > 0"
}

func (b *builder) like(text, pattern string) answer {
	p := parseLike(pattern)
	if !b.lite() {
		// PostgreSQL's LIKE under byte order is the contract's.
		return exact(text + " LIKE " + b.arg(pattern, "text"))
	}
	if s, ok := p.only(); ok {
		return exact(text + " = " + b.arg(s, ""))
	}
	if s, ok := p.around(); ok && s != "" {
		return exact(b.holds(text, s))
	}
	if s, ok := p.before(); ok && s != "" {
		return exact(b.startsWith(text, s))
	}
	if len(pattern) > maxGlob {
		return rough(text+" IS NOT NULL", "the pattern is long")
	}
	return exact(text + " GLOB " + b.arg(p.glob(), ""))
}

// A likePattern is a LIKE pattern taken apart: text, and wildcards between.
type likePattern []likePart

type likePart struct {
	wild rune // '%', '_', or 0: text
	text string
}

// parseLike takes a pattern apart. What the engine refuses (a backslash at the
// end) does not come here.
func parseLike(pattern string) likePattern {
	var p likePattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p = append(p, likePart{text: lit.String()})
			lit.Reset()
		}
	}
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			escaped = false
			lit.WriteRune(r)
		case r == '\\':
			escaped = true
		case r == '%' || r == '_':
			flush()
			p = append(p, likePart{wild: r})
		default:
			lit.WriteRune(r)
		}
	}
	flush()
	return p
}

// prefix returns the text that every match begins with.
func (p likePattern) prefix() string {
	if len(p) > 0 && p[0].wild == 0 {
		return p[0].text
	}
	return ""
}

// only returns the text of a pattern without wildcards.
func (p likePattern) only() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].wild == 0:
		return p[0].text, true
	}
	return "", false
}

// around returns the text of %text%.
func (p likePattern) around() (string, bool) {
	if len(p) == 3 && p[0].wild == '%' && p[1].wild == 0 && p[2].wild == '%' {
		return p[1].text, true
	}
	return "", false
}

// before returns the text of text%.
func (p likePattern) before() (string, bool) {
	if len(p) == 2 && p[0].wild == 0 && p[1].wild == '%' {
		return p[0].text, true
	}
	return "", false
}

// glob returns the pattern for SQLite's GLOB, which tells upper from lower case.
func (p likePattern) glob() string {
	var g strings.Builder
	for _, part := range p {
		switch part.wild {
		case '%':
			g.WriteByte('*')
		case '_':
			g.WriteByte('?')
		}
		for _, r := range part.text {
			if r == '*' || r == '?' || r == '[' {
				g.WriteByte('[')
				g.WriteRune(r)
				g.WriteByte(']')
				continue
			}
			g.WriteRune(r)
		}
	}
	return g.String()
}

// maxGlob is the longest LIKE pattern that becomes a GLOB: SQLite refuses those
// beyond 50,000 bytes, and the escapes may treble it.
const maxGlob = 16000

// maxRegexp is the longest ILIKE pattern that becomes a regular expression.
const maxRegexp = 1000

// postgresILike is ILIKE as a regular expression: PostgreSQL's own ILIKE folds
// by the rules of a locale. Each letter becomes the class of all that simple
// folding holds for the same.
func (b *builder) postgresILike(text, pattern string) answer {
	if len(pattern) > maxRegexp {
		return rough(text+" IS NOT NULL", "the pattern is long")
	}
	var re strings.Builder
	re.WriteByte('^')
	for _, part := range parseLike(pattern) {
		switch part.wild {
		case '%':
			re.WriteString(".*")
		case '_':
			re.WriteByte('.')
		}
		for _, r := range part.text {
			appendFolded(&re, r)
		}
	}
	re.WriteByte('$')
	return exact(text + " ~ " + b.arg(re.String(), "text"))
}

// appendFolded writes r for a POSIX regular expression, with its other cases.
func appendFolded(re *strings.Builder, r rune) {
	next := unicode.SimpleFold(r)
	if next == r {
		if strings.ContainsRune(`\.+*?()|[]{}^$#`, r) {
			re.WriteByte('\\')
		}
		re.WriteRune(r)
		return
	}
	re.WriteByte('[')
	re.WriteRune(r)
	for f := next; f != r; f = unicode.SimpleFold(f) {
		re.WriteRune(f)
	}
	re.WriteByte(']')
}

// A required is what a text needs in order to match a regular expression.
type required struct {
	prefix string // what it begins with
	part   string // what it holds
	exact  bool   // it matches just where it holds part, or begins with prefix
	end    bool   // exact, and the prefix or part must stand at the end
	start  bool   // exact, anchored at the start
}

// parseRegexp finds what literal text an RE2 expression requires.
func parseRegexp(pattern string) required {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return required{}
	}
	re = re.Simplify()
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	var r required
	n := len(parts)
	if n > 0 && parts[0].Op == syntax.OpBeginText {
		r.start = true
		parts = parts[1:]
	}
	if len(parts) > 0 && parts[len(parts)-1].Op == syntax.OpEndText {
		r.end = true
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 || len(parts) == 1 && isLiteral(parts[0]) {
		r.exact = true
	}
	for i, p := range parts {
		if !isLiteral(p) {
			continue
		}
		s := string(p.Rune)
		if i == 0 && r.start {
			r.prefix = s
		}
		if len(s) > len(r.part) {
			r.part = s
		}
	}
	if len(parts) == 1 && parts[0].Op == syntax.OpEmptyMatch {
		r.exact = true
	}
	return r
}

func isLiteral(re *syntax.Regexp) bool {
	if re.Op != syntax.OpLiteral || re.Flags&syntax.FoldCase != 0 {
		return false
	}
	for _, r := range re.Rune {
		if r == utf8.RuneError || r == 0 { // what a text cannot hold, or RE2 matches against bad UTF-8
			return false
		}
	}
	return true
}

// postgresMatches is MATCHES: PostgreSQL's regular expressions differ from
// RE2's, so only the literal text that a match needs is looked for.
func (b *builder) postgresMatches(text, pattern string) answer {
	const why = "PostgreSQL's regular expressions are not RE2's"
	r := parseRegexp(pattern)
	switch {
	case r.exact && r.start && r.end:
		return exact(text + " = " + b.arg(r.part, "text"))
	case r.exact && r.start:
		return exact(b.startsWith(text, r.part))
	case r.exact && r.end:
		n := b.arg(r.part, "text")
		return exact("right(" + text + ", length(" + n + ")) = " + n)
	case r.exact:
		return exact(b.holds(text, r.part))
	case r.prefix != "":
		return rough(b.startsWith(text, r.prefix), why)
	case r.part != "":
		return rough(b.holds(text, r.part), why)
	}
	return rough(text+" IS NOT NULL", why)
}

// after returns the least text that comes after all those that begin with
// prefix; "" if there is none.
func after(prefix string) string {
	for prefix != "" {
		r, n := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-n]
		switch {
		case r == unicode.MaxRune:
			continue
		case r == 0xd7ff: // surrogates are not text
			return prefix + string(rune(0xe000))
		}
		return prefix + string(r+1)
	}
	return ""
}
