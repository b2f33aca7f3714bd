package config

import (
	"fmt"
	"iter"
	"path/filepath"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// A Kind says what a Node is.
type Kind uint8

// The kinds of nodes. A number or a truth value keeps the text that it was
// written as: 1.10 stays 1.10, and no stays no where a text is wanted.
const (
	Null Kind = iota // not given: as if the key were not there
	Text
	Number
	Bool
	List
	Map
)

var kindNames = [...]string{"nothing", "a text", "a number", "a truth value", "a list", "a map"}

// String returns the kind in words, such as "a list".
func (k Kind) String() string { return kindNames[min(int(k), len(kindNames)-1)] }

// A Place is where a value was written: in a file, or in a variable.
type Place struct {
	File     string
	Line     int // from 1; 0: not known
	Column   int // in characters from 1; 0: not known
	Variable string
}

// String returns the place as errors name it: dk.yaml:7:11, or $DK_SETTINGS_REGION.
func (p Place) String() string {
	switch {
	case p.Variable != "":
		return "$" + p.Variable
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// dir is the folder that relative paths at this place start from; "" for those
// of variables: the working folder.
func (p Place) dir() string {
	if p.File == "" || p.Variable != "" {
		return ""
	}
	return filepath.Dir(p.File)
}

// A Node is one value of a configuration: a scalar, a list or a map. Nodes are
// never changed once made, so they may be shared and read by several
// goroutines at once.
type Node struct {
	kind  Kind
	text  string
	place Place
	items []*Node // of a list; of a map the values, in the order of keys
	keys  []string
	index map[string]int // of a map with many keys
	size  int            // nodes in it, itself included
	exact bool           // its text is to be taken as it is: it comes from a variable

	// What substitution found.
	vars   []string // the variables that the text was made of
	files  []string // the secret files
	refs   []string // the settings
	secret bool     // nobody may see the text
}

func scalar(kind Kind, text string, place Place) *Node {
	return &Node{kind: kind, text: text, place: place, size: 1}
}

func listOf(place Place, items []*Node) *Node {
	n := &Node{kind: List, place: place, items: items, size: 1}
	for _, i := range items {
		n.size += i.size
	}
	return n
}

// fewKeys is how many keys are looked through without an index.
const fewKeys = 8

// mapOf makes a map; no key stands twice.
func mapOf(place Place, keys []string, values []*Node) *Node {
	n := &Node{kind: Map, place: place, keys: keys, items: values, size: 1}
	for _, v := range values {
		n.size += v.size
	}
	if len(keys) > fewKeys {
		n.index = make(map[string]int, len(keys))
		for i, k := range keys {
			n.index[k] = i
		}
	}
	return n
}

// Kind says what the node is.
func (n *Node) Kind() Kind { return n.kind }

// Text returns the text of a scalar; "" for anything else.
func (n *Node) Text() string { return n.text }

// Place says where the node was written.
func (n *Node) Place() Place { return n.place }

// Secret reports whether the node's text must not be shown: it, or a part of
// it, comes from a file of secrets.
func (n *Node) Secret() bool { return n.secret }

// Format prints the node's kind and place and nothing else, whatever the verb:
// its text may be a secret.
func (n *Node) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "%v at %v", n.kind, n.place) }

// Len returns the number of items of a list or of keys of a map.
func (n *Node) Len() int { return len(n.items) }

// Get returns the value of a key of a map; nil if there is none.
func (n *Node) Get(key string) *Node {
	if i := n.find(key); i >= 0 {
		return n.items[i]
	}
	return nil
}

func (n *Node) find(key string) int {
	if n == nil || n.kind != Map {
		return -1
	}
	if n.index != nil {
		if i, ok := n.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range n.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// Keys yields the keys of a map with their values, in the order in which they
// are written.
func (n *Node) Keys() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) {
		for i, k := range n.keys {
			if !yield(k, n.items[i]) {
				return
			}
		}
	}
}

// Items yields the items of a list.
func (n *Node) Items() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if n.kind != List {
			return
		}
		for _, i := range n.items {
			if !yield(i) {
				return
			}
		}
	}
}

func (n *Node) isScalar() bool { return n.kind == Text || n.kind == Number || n.kind == Bool }

// with returns a copy of a map in which the key has that value; nil removes it.
func (n *Node) with(key string, value *Node) *Node {
	var keys []string
	var values []*Node
	done := false
	for k, v := range n.Keys() {
		if k == key {
			v, done = value, true
		}
		if v != nil {
			keys, values = append(keys, k), append(values, v)
		}
	}
	if !done && value != nil {
		keys, values = append(keys, key), append(values, value)
	}
	return mapOf(n.place, keys, values)
}

// didYouMean words the hint about an unknown word.
func didYouMean(word string, among []string) string {
	if near := nearest.Of(word, among); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}
