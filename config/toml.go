package config

import (
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// A tomlTable is a table while it is filled: TOML says it in pieces.
type tomlTable struct {
	at     Place
	keys   []string
	values map[string]any // *Node, *tomlTable or *tomlArray
}

type tomlArray struct {
	at     Place
	tables []*tomlTable
}

// toml reads TOML. Its own library says what is wrong with it; a second pass
// finds the places.
func (r *reader) toml() *Node {
	if !r.tomlNesting() {
		return nil
	}
	var all map[string]any
	if err := toml.Unmarshal(r.Data, &all); err != nil {
		at, text := Place{File: r.Name}, strings.TrimPrefix(err.Error(), "toml: ")
		var bad *toml.DecodeError
		if errors.As(err, &bad) {
			at.Line, at.Column = bad.Position()
		}
		r.faults.addf(at, "", "%s", text)
		return nil
	}
	root := newTable(Place{File: r.Name, Line: 1})
	into := root
	p := &unstable.Parser{}
	p.Reset(r.Data)
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table:
			into = r.tomlOpen(root, r.tomlKey(e), false)
		case unstable.ArrayTable:
			into = r.tomlOpen(root, r.tomlKey(e), true)
		case unstable.KeyValue:
			r.tomlSet(into, e, 1)
		}
		if len(r.faults) > 0 || into == nil {
			return nil
		}
	}
	if err := p.Error(); err != nil {
		r.faults.addf(Place{File: r.Name}, "", "%v", err)
		return nil
	}
	return r.tomlNode(root, "", 1)
}

func newTable(at Place) *tomlTable { return &tomlTable{at: at, values: map[string]any{}} }

type tomlName struct {
	text string
	at   Place
}

func (r *reader) tomlKey(e *unstable.Node) []tomlName {
	var names []tomlName
	for it := e.Key(); it.Next(); {
		n := it.Node()
		names = append(names, tomlName{string(n.Data), r.place(int(n.Raw.Offset))})
	}
	return names
}

// tomlOpen returns the table that a header names.
func (r *reader) tomlOpen(t *tomlTable, names []tomlName, array bool) *tomlTable {
	for i, n := range names {
		if r.deep(n.at, i+1) {
			return nil
		}
		last := i == len(names)-1
		switch v := t.values[n.text].(type) {
		case *tomlTable:
			t = v
		case *tomlArray:
			if last && array {
				v.tables = append(v.tables, newTable(n.at))
			}
			t = v.tables[len(v.tables)-1]
		default:
			next := newTable(n.at)
			if last && array {
				t.set(n.text, &tomlArray{n.at, []*tomlTable{next}})
			} else {
				t.set(n.text, next)
			}
			t = next
		}
	}
	return t
}

func (t *tomlTable) set(key string, v any) {
	if _, has := t.values[key]; !has {
		t.keys = append(t.keys, key)
	}
	t.values[key] = v
}

func (r *reader) tomlSet(t *tomlTable, e *unstable.Node, depth int) {
	names := r.tomlKey(e)
	last := names[len(names)-1]
	if t = r.tomlOpen(t, names[:len(names)-1], false); t == nil {
		return
	}
	if v := r.tomlValue(e.Value(), last.at, depth+len(names)); v != nil {
		t.set(last.text, v)
	}
}

func (r *reader) tomlValue(v *unstable.Node, at Place, depth int) any {
	if r.deep(at, depth) || !r.room(at, 1) {
		return nil
	}
	if v.Raw.Length > 0 {
		at = r.place(int(v.Raw.Offset))
	}
	text := string(v.Data)
	switch v.Kind {
	case unstable.Bool:
		return scalar(Bool, text, at)
	case unstable.Integer, unstable.Float:
		return scalar(Number, strings.ReplaceAll(text, "_", ""), at)
	case unstable.Array:
		return r.tomlList(v, at, depth)
	case unstable.InlineTable:
		t := newTable(at)
		for it := v.Children(); it.Next(); {
			r.tomlSet(t, it.Node(), depth)
		}
		return t
	}
	return scalar(Text, text, at) // dates too: a setting that is one is read by whoever wants it
}

func (r *reader) tomlList(v *unstable.Node, at Place, depth int) any {
	var items []*Node
	for it := v.Children(); it.Next(); {
		item := r.tomlValue(it.Node(), at, depth+1)
		if item == nil {
			return nil
		}
		n := r.tomlNode(item, "", depth+1)
		if n == nil {
			return nil
		}
		items = append(items, n)
	}
	return listOf(at, items)
}

// tomlNode makes nodes of what has been collected.
func (r *reader) tomlNode(v any, path string, depth int) *Node {
	switch v := v.(type) {
	case *Node:
		return v
	case *tomlArray:
		var items []*Node
		for _, t := range v.tables {
			n := r.tomlNode(t, path, depth+1)
			if n == nil {
				return nil
			}
			items = append(items, n)
		}
		return listOf(v.at, items)
	case *tomlTable:
		if r.deep(v.at, depth) {
			return nil
		}
		m := newMap(r, path, v.at)
		for _, k := range v.keys {
			n := r.tomlNode(v.values[k], under(path, k), depth+1)
			if n == nil {
				return nil
			}
			m.set(k, n.place, n)
		}
		return m.node()
	}
	return nil
}

// tomlNesting refuses deep nesting before the recursive parser sees it. It
// counts brackets that stand in no string and no comment; where it is led
// astray by a broken string, the parser stops there too.
func (r *reader) tomlNesting() bool {
	depth := 0
	for i := 0; i < len(r.Data); i++ {
		switch c := r.Data[i]; c {
		case '[', '{':
			depth++
			if r.deep(r.placeOnce(i, depth), depth) {
				return false
			}
		case ']', '}':
			depth--
		case '#':
			i = endOfLine(r.Data, i)
		case '"', '\'':
			i = endOfString(r.Data, i)
		}
	}
	return true
}

func (r *reader) placeOnce(i, depth int) Place {
	if depth <= maxDepth {
		return Place{}
	}
	return r.place(i)
}

func endOfLine(data []byte, i int) int {
	for i < len(data) && data[i] != '\n' {
		i++
	}
	return i
}

// endOfString returns the place of the last quote of the string that begins at i.
func endOfString(data []byte, i int) int {
	quote := string(data[i])
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(string(data[i:min(i+3, len(data))]), triple) {
		quote = triple
	}
	for j := i + len(quote); j < len(data); j++ {
		switch {
		case data[j] == '\\' && quote[0] == '"':
			j++
		case data[j] == '\n' && len(quote) == 1:
			return j
		case string(data[j:min(j+len(quote), len(data))]) == quote:
			return j + len(quote) - 1
		}
	}
	return len(data)
}
