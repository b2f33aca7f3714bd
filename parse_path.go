package dataknobs

import (
	"slices"
	"strings"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// term reads a path or, where groups are at hand, an aggregate of one.
func (p *parser) term() (Path, Agg, error) {
	if p.tok.kind == tokWord && p.peek().is("(") && !p.reserved() {
		return p.aggregate()
	}
	path, err := p.path()
	return path, NoAgg, err
}

// aggregates are the functions that a query may call.
var aggregates = []string{"count", "sum", "avg", "min", "max"}

func (p *parser) aggregate() (path Path, agg Agg, err error) {
	name := p.tok
	i := slices.Index(aggregates, strings.ToLower(name.text))
	switch {
	case i < 0:
		e := p.errorAt(name, "there is no function %s", shorten(name.text))
		if near := nearest.Of(name.text, aggregates); near != "" {
			return nil, 0, e.WithHint("did you mean %s?", near)
		}
		return nil, 0, e.WithHint("the functions are %s", list(aggregates))
	case !p.groups:
		return nil, 0, p.errorAt(name, "%s(…) is of a group of records, so WHERE cannot compare it", aggregates[i]).
			WithHint("conditions on groups go after HAVING")
	}
	p.advance()
	p.advance()
	agg = Count + Agg(i)
	if agg == Count && p.sign("*") {
		return nil, CountAll, p.expect(")")
	}
	if path, err = p.path(); err != nil {
		return nil, 0, err
	}
	return path, agg, p.expect(")")
}

// path reads a path: names with dots between them and [indexes].
func (p *parser) path() (Path, error) {
	t := p.tok
	name, err := p.name("a field")
	if err != nil {
		return nil, err
	}
	if isLater(name) {
		return nil, p.errorAt(t, "%s is reserved for a later version", name)
	}
	path := Path{{Name: name}}
	for {
		var s Step
		switch {
		case p.sign("."):
			s.Name, err = p.step()
		case p.sign("["):
			s.Index, err = p.index()
		default:
			return path, nil
		}
		if err != nil {
			return nil, err
		}
		path = append(path, s)
	}
}

// soft are the reserved words that cannot be mistaken where a field stands.
var soft = []string{"time", "bytes", "first", "last", "nulls", "starts", "with"}

// reserved reports whether the next token is a word that cannot be a name.
func (p *parser) reserved() bool {
	return p.tok.kind == tokWord && isReserved(p.tok.text) && !slices.Contains(soft, strings.ToLower(p.tok.text))
}

// name reads a name.
func (p *parser) name(what string) (string, error) {
	if p.reserved() {
		return "", p.unexpected(what).WithHint("a field of that name is written in backticks: `%s`", p.tok.text)
	}
	return p.anyName(what)
}

// step reads the name after a dot, where any word is one.
func (p *parser) step() (string, error) {
	if p.tok.kind == tokNum {
		return "", p.unexpected("a field").WithHint("an element of an array is written a[0]; other names go in backticks")
	}
	return p.anyName("a field")
}

func (p *parser) anyName(what string) (string, error) {
	t := p.tok
	if t.kind != tokWord && t.kind != tokName {
		return "", p.unexpected(what)
	}
	if !IsSystemName(t.text) {
		if err := CheckName(t.text); err != nil {
			return "", p.errorAt(t, "%s", err)
		}
	}
	p.advance()
	return t.text, nil
}

// index reads the rest of [0].
func (p *parser) index() (int, error) {
	t := p.tok
	if t.kind != tokNum {
		return 0, p.unexpected("the number of an element, such as 0")
	}
	i, err := parseIndex(t.text)
	if err != nil {
		return 0, p.errorAt(t, "expected the number of an element, 0 or more, but found %s", shorten(t.text))
	}
	p.advance()
	return i, p.expect("]")
}

// change reads path = constant, null included.
func (p *parser) change() (c Change, err error) {
	if c.Path, err = p.path(); err != nil {
		return c, err
	}
	p.more = []string{`","`}
	if !p.sign("=") {
		return c, p.unexpected(`"="`)
	}
	c.Value, err = p.checked(p.value)
	return c, err
}
