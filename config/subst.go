package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The bounds of one text with substitutions.
const (
	maxNested = 16      // substitutions inside defaults
	maxText   = 1 << 20 // bytes of what comes out
)

// A part is a piece of a text: something literal, or one substitution.
type part struct {
	text     string // literal
	variable string // ${NAME}
	ref      string // ${section.name}
	file     []part // ${file:PATH}
	isFile   bool
	fallback []part // of a variable or a reference
	has      bool   // there is a fallback
	orEmpty  bool   // it is for an empty value too: ${NAME:-…}
	written  string // the substitution without its default, as errors show it
}

func (p *part) literal() bool { return p.written == "" }

var (
	variableForm  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	referenceForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$`)
)

// parseText takes a text apart. $$ is a dollar; a dollar before anything but a
// brace or a dollar is itself.
func parseText(text string) ([]part, error) {
	s := scanner{text: text}
	parts, err := s.parts(0)
	if err != nil {
		return nil, err
	}
	return parts, nil
}

type scanner struct {
	text string
	at   int
}

// parts reads up to the end of the text or, inside a substitution, to the
// brace that ends it.
func (s *scanner) parts(depth int) ([]part, error) {
	if depth > maxNested {
		return nil, fmt.Errorf("substitutions are nested more than %d deep", maxNested)
	}
	var parts []part
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			parts = append(parts, part{text: lit.String()})
			lit.Reset()
		}
	}
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case depth > 0 && rest[0] == '}':
			flush()
			return parts, nil
		case strings.HasPrefix(rest, "$$"):
			lit.WriteByte('$')
			s.at += 2
		case strings.HasPrefix(rest, "${"):
			flush()
			p, err := s.substitution(depth)
			if err != nil {
				return nil, err
			}
			parts = append(parts, p)
		default:
			lit.WriteByte(rest[0])
			s.at++
		}
	}
	if depth > 0 {
		return nil, errors.New("a ${ has no } that ends it; $${ stands for ${ itself")
	}
	flush()
	return parts, nil
}

// substitution reads one, from its dollar to its brace.
func (s *scanner) substitution(depth int) (part, error) {
	s.at += len("${")
	end := strings.IndexAny(s.text[s.at:], ":}")
	if end < 0 {
		return part{}, errors.New("a ${ has no } that ends it; $${ stands for ${ itself")
	}
	name := s.text[s.at : s.at+end]
	s.at += end
	p := part{written: "${" + name + "}"}
	switch {
	case name == "file" && s.text[s.at] == ':':
		p.isFile, p.written = true, "${file:…}"
	case variableForm.MatchString(name):
		p.variable = name
	case referenceForm.MatchString(name):
		p.ref = name
	default:
		return part{}, fmt.Errorf("%q is neither the name of a variable (DB_HOST) nor of a setting (databases.main.host)", shortened(name))
	}
	if s.text[s.at] == ':' {
		if err := s.fallback(&p, depth); err != nil {
			return part{}, err
		}
	}
	s.at++ // }
	return p, nil
}

// fallback reads what follows the colon.
func (s *scanner) fallback(p *part, depth int) error {
	s.at++
	if !p.isFile && strings.HasPrefix(s.text[s.at:], "-") {
		p.orEmpty = true
		s.at++
	}
	parts, err := s.parts(depth + 1)
	if err != nil {
		return err
	}
	if p.isFile {
		p.file = parts
		return nil
	}
	p.has, p.fallback = true, parts
	return nil
}

// shortened cuts what may be a long text, so that errors stay readable.
func shortened(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// plain reports whether a text is its own value.
func plain(text string) bool {
	return !strings.Contains(text, "$$") && !strings.Contains(text, "${")
}
