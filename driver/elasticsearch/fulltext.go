package elasticsearch

import (
	"maps"
	"slices"

	"dataknobs.dev/dataknobs"
)

const whyNoText = "the index does not analyse the field as text, as types=FIELD:text would make a new index do"

// A MATCH is answered by the index alone, where the field is mapped as text: what
// a word is, and which are equal, is said by the field's analyzer.

func isMatch(op dataknobs.Op) bool { return op == dataknobs.Match || op == dataknobs.NotMatch }

// textField returns the field of the index in which the words at p are; false
// where there is none.
func (m *mapping) textField(p dataknobs.Path) (string, bool) {
	if len(p) == 0 || p.IsSystem() || p[len(p)-1].Name == "" {
		return "", false
	}
	var at property
	var name string
	if m.foreign {
		var ok bool
		if at, name, ok = m.foreignProperty(p); !ok || slices.ContainsFunc(p, func(s dataknobs.Step) bool { return s.Name == "" }) {
			return "", false
		}
	} else if len(p) == 1 {
		name = sourceName(p[0].Name)
		at = m.types[name]
	}
	if at.analysed() {
		return name, true
	}
	for _, sub := range slices.Sorted(maps.Keys(at.Fields)) {
		if f := at.Fields[sub]; f.analysed() {
			return name + "." + sub, true
		}
	}
	return "", false
}

// analysed reports whether the index holds the words of a field.
func (p *property) analysed() bool {
	switch p.Type {
	case "text", "match_only_text", "search_as_you_type", "annotated_text":
		return p.Index == nil || *p.Index
	}
	return false
}

// supportMatch says whether the index answers a MATCH.
func (m *mapping) supportMatch(c *dataknobs.Cond) dataknobs.Support {
	if _, ok := m.textField(c.Path); ok {
		return exact
	}
	return not(whyNoText)
}

// support says how exactly the store answers a condition. Before there is an
// index, its fields are those that it would be made with.
func (d *Driver) support(c *dataknobs.Cond) dataknobs.Support {
	if !isMatch(c.Op) {
		return support(c)
	}
	if m := d.known.Load(); m != nil {
		return m.supportMatch(c)
	}
	if len(c.Path) == 1 && d.opts.Types[c.Path[0].Name] == "text" {
		return exact
	}
	return not(whyNoText)
}

// match returns the query of a MATCH. It is true where all words occur in the
// text or, in an array, in its texts taken together; its negation is true where
// there is a text in which one of them does not.
func (m *mapping) match(c *dataknobs.Cond) obj {
	field, ok := m.textField(c.Path)
	if !ok {
		return none
	}
	words := obj{"match": obj{field: obj{"query": c.Args[0].Str(), "operator": "and"}}}
	texts := []obj{{"exists": obj{"field": field}}}
	if column, ok := columnOf(c.Path); ok && !m.foreign { // the index of words has numbers too
		t := m.target(column)
		texts = append(texts, anyOf(t.rank(rankString), t.rank(rankArray)))
	}
	if c.Op == dataknobs.NotMatch {
		return but(filter(texts...), words)
	}
	return filter(append(texts[1:], words)...)
}
