package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// prefix begins the variables that override settings.
const prefix = "DK_"

// reserved are the variables with the prefix that mean something else.
var reserved = []string{"DK_CONFIG"}

// A setting is one that a variable overrides.
type setting struct {
	variable, text string
	path           []string
}

// override applies the DK_… variables of an environment.
func override(root *Node, env map[string]string, warn func(string), faults *Faults) *Node {
	var all []setting
	for name, text := range env {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok || slices.Contains(reserved, name) {
			continue
		}
		path, near, ours := locate(root, rest)
		switch {
		case path != nil:
			all = append(all, setting{name, text, path})
		case ours:
			hint := didYouMean(name, near)
			if hint == "" {
				hint = "a variable overrides a setting of a store, or one that a file has"
			}
			faults.add(fault(Place{Variable: name}, "", "the variable names no setting").hinted(hint))
		default:
			warn(fmt.Sprintf("the variable %s overrides nothing: the configuration has no such section", name))
		}
	}
	// The kind of a store first: it decides which of the other settings stay.
	slices.SortFunc(all, func(a, b setting) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.variable, b.variable))
	})
	for _, s := range all {
		root = merge(root, s.tree(), "")
	}
	return root
}

func (s setting) rank() int {
	if last := s.path[len(s.path)-1]; len(s.path) == 3 && s.path[0] == databases && (last == keyBackend || last == keyURL) {
		return 0
	}
	return 1
}

// tree is the setting as a configuration of its own.
func (s setting) tree() *Node {
	at := Place{Variable: s.variable}
	n := scalar(Text, s.text, at)
	n.exact = true
	for _, key := range slices.Backward(s.path) {
		n = mapOf(at, []string{key}, []*Node{n})
	}
	return n
}

// locate finds the setting that a variable names: near are the variables that
// it might have been, ours says that it begins like one of ours.
func locate(root *Node, rest string) (path, near []string, ours bool) {
	l := locator{best: -1}
	if strings.Contains(rest, "__") {
		path = l.exact(root, strings.Split(rest, "__"), nil)
	} else {
		path = l.longest(root, rest, nil, prefix)
	}
	if path != nil {
		return path, nil, true
	}
	section, _, _ := strings.Cut(rest, "_")
	for _, k := range candidates(root, nil) {
		if v := variableName(k); strings.HasPrefix(rest, v+"_") || rest == v {
			ours = true
		} else if d := didYouMean(section, []string{v}); d != "" {
			ours = true
			l.near = append(l.near, prefix+v+strings.TrimPrefix(rest, section))
		}
	}
	return nil, l.near, ours
}

// A locator remembers the nearest misses at the deepest level reached.
type locator struct {
	near []string
	best int
}

func (l *locator) miss(node *Node, path []string, before string) {
	if len(path) <= l.best {
		return
	}
	l.best, l.near = len(path), nil
	for _, k := range candidates(node, path) {
		l.near = append(l.near, before+variableName(k))
	}
}

// longest takes, at each level, the longest key that the rest begins with and
// that leads on.
func (l *locator) longest(node *Node, rest string, path []string, before string) []string {
	keys := candidates(node, path)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, k := range keys {
		name := variableName(k)
		next := append(slices.Clone(path), k)
		if rest == name && leaf(node, next) {
			return next
		}
		if tail, ok := strings.CutPrefix(rest, name+"_"); ok && len(path) < maxDepth {
			child, _ := stepOrNone(node, k)
			if found := l.longest(child, tail, next, before+name+"_"); found != nil {
				return found
			}
		}
	}
	l.miss(node, path, before)
	return nil
}

// exact takes each word as one key.
func (l *locator) exact(node *Node, words, path []string) []string {
	for _, k := range candidates(node, path) {
		if variableName(k) != words[0] {
			continue
		}
		next := append(slices.Clone(path), k)
		if len(words) == 1 {
			if leaf(node, next) {
				return next
			}
			continue
		}
		child, _ := stepOrNone(node, k)
		if found := l.exact(child, words[1:], next); found != nil {
			return found
		}
	}
	var before strings.Builder
	before.WriteString(prefix)
	for _, p := range path {
		before.WriteString(variableName(p) + "__")
	}
	l.miss(node, path, before.String())
	return nil
}

func stepOrNone(n *Node, key string) (*Node, string) {
	if n == nil {
		return nil, ""
	}
	return step(n, key)
}

// leaf reports whether a text can be given to the setting at path, of which
// node is the parent.
func leaf(node *Node, path []string) bool {
	child, _ := stepOrNone(node, path[len(path)-1])
	if len(path) == 3 && path[0] == databases {
		return path[2] != keyLayers
	}
	if len(path) == 4 && path[0] == databases && path[2] == keyLayers {
		return true
	}
	return len(path) > 1 && (child == nil || child.kind <= Bool)
}

// candidates lists the keys that a variable may name below path.
func candidates(node *Node, path []string) []string {
	var keys []string
	if node != nil && node.kind == Map {
		keys = slices.Clone(node.keys)
	}
	if node != nil && node.kind == List {
		for i, item := range node.items {
			if name := item.Get(keyName); name != nil {
				keys = append(keys, name.text)
			} else {
				keys = append(keys, strconv.Itoa(i))
			}
		}
	}
	if len(path) == 0 {
		keys = append(keys, databases)
	}
	if len(path) >= 2 && path[0] == databases {
		keys = append(keys, storeCandidates(path[2:])...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// storeCandidates lists the keys below one store.
func storeCandidates(path []string) []string {
	var keys []string
	switch {
	case len(path) == 0:
		keys = []string{keyBackend, keyURL, keyLayers, keyRead}
		for _, b := range dataknobs.Backends() {
			for _, o := range b.Options {
				keys = append(keys, o.Name)
			}
		}
	case len(path) == 1 && path[0] == keyLayers:
		keys = layerNames()
	case len(path) == 2 && path[0] == keyLayers:
		for _, o := range layerOptions(path[1]) {
			keys = append(keys, o.Name)
		}
	}
	return keys
}

// variableName is how a key is written in the name of a variable.
func variableName(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, key)
}
