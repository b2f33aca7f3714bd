package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A yamlReader turns the tree of the YAML parser into nodes.
type yamlReader struct {
	*reader
	anchors map[string]*Node
}

// yaml reads one YAML document.
func (r *reader) yaml() (n *Node) {
	// The parser is not ours, and what it is given may be hostile.
	defer func() {
		if p := recover(); p != nil {
			r.faults.addf(Place{File: r.Name}, "", "the YAML cannot be read: %v", p)
			n = nil
		}
	}()
	tokens := lexer.Tokenize(string(r.Data))
	if !r.bounded(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.yamlError(err)
		return nil
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return scalar(Null, "", Place{File: r.Name})
	case 1:
		y := &yamlReader{r, map[string]*Node{}}
		return y.node(bodies[0], "", 1)
	}
	r.faults.add(fault(r.tokenPlace(bodies[1].GetToken()), "", "the file holds several YAML documents").
		hinted("write one document for each file, and load the files one after the other"))
	return nil
}

// bounded refuses, before the recursive parser sees them, more tokens and a
// deeper nesting than any configuration has.
func (r *reader) bounded(tokens token.Tokens) bool {
	flow, run := 0, 0
	for i, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			run++
		case token.MappingValueType: // key: key: key: is refused by the parser
		default:
			run = 0
		}
		if i > 0 && t.Position.Line != tokens[i-1].Position.Line && t.Type != token.SequenceEntryType {
			run = 0
		}
		if i >= maxTokens {
			r.faults.add(fault(r.tokenPlace(t), "", "the YAML holds more than %d keys, values and marks", maxTokens).
				hinted("split it into several files, or write it as JSON or TOML"))
			return false
		}
		if r.deep(r.tokenPlace(t), max(flow, run)) {
			return false
		}
	}
	return true
}

func (r *reader) tokenPlace(t *token.Token) Place {
	if t == nil || t.Position == nil {
		return Place{File: r.Name}
	}
	return Place{File: r.Name, Line: t.Position.Line, Column: t.Position.Column}
}

func (r *reader) yamlError(err error) {
	at := Place{File: r.Name}
	text := err.Error()
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		at, text = r.tokenPlace(syntax.Token), syntax.Message
	}
	f := fault(at, "", "%s", text)
	if line := r.line(at.Line); strings.Contains(line, "${") && strings.ContainsAny(line, "{[") {
		f = f.hinted(`inside { } and [ ] a text with ${…} stands in quotes: "${NAME}"`)
	}
	r.faults.add(f)
}

func (r *reader) line(n int) string {
	lines := strings.SplitN(string(r.Data), "\n", n+1)
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

func (y *yamlReader) node(n ast.Node, path string, depth int) *Node {
	at := y.tokenPlace(n.GetToken())
	if y.deep(at, depth) || !y.room(at, 1) {
		return nil
	}
	switch n := n.(type) {
	case *ast.NullNode:
		return scalar(Null, "", at)
	case *ast.BoolNode:
		return scalar(Bool, n.Token.Value, at)
	case *ast.IntegerNode:
		return scalar(Number, integerText(n), at)
	case *ast.FloatNode:
		return scalar(Number, n.Token.Value, at)
	case *ast.InfinityNode, *ast.NanNode:
		return scalar(Number, n.GetToken().Value, at)
	case *ast.StringNode:
		return scalar(Text, n.Value, at)
	case *ast.LiteralNode:
		return scalar(Text, n.Value.Value, at)
	case *ast.MappingNode:
		return y.mapping(n.Values, path, at, depth)
	case *ast.MappingValueNode:
		return y.mapping([]*ast.MappingValueNode{n}, path, at, depth)
	case *ast.SequenceNode:
		return y.sequence(n, path, at, depth)
	case *ast.AnchorNode:
		return y.anchor(n, path, depth)
	case *ast.AliasNode:
		return y.alias(n, path)
	case *ast.TagNode:
		return y.tagged(n, path, depth)
	}
	y.faults.addf(at, path, "YAML of this kind cannot stand in a configuration")
	return nil
}

var decimal = regexp.MustCompile(`^[-+]?[0-9]+$`)

// integerText is the number as it is written, unless that is in another base.
func integerText(n *ast.IntegerNode) string {
	text := n.Token.Value
	if decimal.MatchString(text) {
		return text
	}
	switch v := n.Value.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	}
	return text
}

func (y *yamlReader) sequence(n *ast.SequenceNode, path string, at Place, depth int) *Node {
	items := make([]*Node, 0, len(n.Values))
	for i, v := range n.Values {
		item := y.node(v, under(path, strconv.Itoa(i)), depth+1)
		if item == nil {
			return nil
		}
		items = append(items, item)
	}
	return listOf(at, items)
}

func (y *yamlReader) mapping(values []*ast.MappingValueNode, path string, at Place, depth int) *Node {
	if len(values) > 0 {
		at = y.tokenPlace(values[0].Key.GetToken())
	}
	m := newMap(y.reader, path, at)
	var merged []*Node
	for _, v := range values {
		keyAt := y.tokenPlace(v.Key.GetToken())
		if v.Key.IsMergeKey() {
			n := y.node(v.Value, path, depth+1)
			if n == nil {
				return nil
			}
			merged = append(merged, n)
			continue
		}
		key, ok := y.key(v.Key, path)
		if !ok {
			return nil
		}
		n := y.node(v.Value, under(path, key), depth+1)
		if n == nil {
			return nil
		}
		m.set(key, keyAt, n)
	}
	return y.merge(m, merged)
}

// merge adds what << brings: keys that the map has not itself.
func (y *yamlReader) merge(m *mapMaker, merged []*Node) *Node {
	for _, n := range merged {
		from := []*Node{n}
		if n.kind == List {
			from = n.items
		}
		for _, f := range from {
			if f.kind != Map {
				y.faults.addf(f.place, m.path, "<< takes a map or a list of maps, not %v", f.kind)
				return nil
			}
			for k, v := range f.Keys() {
				if _, has := m.first[k]; !has {
					m.set(k, v.place, v)
				}
			}
		}
	}
	return m.node()
}

// key returns the text of a key, which is a plain word, number or text.
func (y *yamlReader) key(n ast.Node, path string) (string, bool) {
	at := y.tokenPlace(n.GetToken())
	if m, ok := n.(*ast.MappingKeyNode); ok {
		n = m.Value
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	y.faults.addf(at, path, "a key must be a word, a number or a text")
	return "", false
}

func (y *yamlReader) anchor(n *ast.AnchorNode, path string, depth int) *Node {
	v := y.node(n.Value, path, depth+1)
	if v == nil {
		return nil
	}
	y.anchors[n.Name.GetToken().Value] = v
	return v
}

// alias counts what it repeats as if it stood there.
func (y *yamlReader) alias(n *ast.AliasNode, path string) *Node {
	name := n.Value.GetToken().Value
	at := y.tokenPlace(n.GetToken())
	v := y.anchors[name]
	if v == nil {
		y.faults.addf(at, path, "there is no anchor &%s before this alias", name)
		return nil
	}
	if !y.room(at, v.size) {
		return nil
	}
	return v
}

// tagged takes the tags of YAML's own kinds, and no others.
func (y *yamlReader) tagged(n *ast.TagNode, path string, depth int) *Node {
	tag := n.Start.Value
	v := y.node(n.Value, path, depth+1)
	switch {
	case v == nil:
		return nil
	case tag == "!!str" && v.kind <= Bool:
		s := *v
		s.kind, s.text = Text, textOf(n.Value, v)
		return &s
	case tag == "!!int", tag == "!!float", tag == "!!bool", tag == "!!null", tag == "!!map", tag == "!!seq":
		return v
	}
	y.faults.addf(y.tokenPlace(n.GetToken()), path, "the YAML tag %s means nothing here", tag)
	return nil
}

// textOf is the text of a scalar as it is written, also of null.
func textOf(n ast.Node, v *Node) string {
	if v.kind == Null {
		return fmt.Sprint(n.GetToken().Value)
	}
	return v.text
}
