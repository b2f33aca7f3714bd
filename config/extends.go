package config

import (
	"slices"
	"strings"
)

// extend gives every store that extends another what that one says and it does
// not say itself.
func extend(root *Node, faults *Faults) *Node {
	all := root.Get(databases)
	if all == nil || all.kind != Map {
		return root
	}
	e := extender{all: all, done: map[string]*Node{}, faults: faults}
	stores := make([]*Node, 0, len(all.keys))
	for _, name := range all.keys {
		stores = append(stores, e.store(name))
	}
	return root.with(databases, mapOf(all.place, all.keys, stores))
}

type extender struct {
	all    *Node
	done   map[string]*Node
	busy   []string
	faults *Faults
}

func (e *extender) store(name string) *Node {
	if n := e.done[name]; n != nil {
		return n
	}
	n := e.all.Get(name)
	if base := n.Get(keyExtends); base != nil && base.kind != Null {
		e.busy = append(e.busy, name)
		n = e.extend(name, n, base)
		e.busy = e.busy[:len(e.busy)-1]
	}
	e.done[name] = n
	return n
}

func (e *extender) extend(name string, n, base *Node) *Node {
	path := under(databases, name) + "." + keyExtends
	own := n.with(keyExtends, nil)
	switch {
	case !base.isScalar() || strings.Contains(base.text, "${"):
		e.faults.addf(base.place, path, "the name of a store, as it is")
		return own
	case slices.Contains(e.busy, base.text):
		circle := append(slices.Clone(e.busy[slices.Index(e.busy, base.text):]), base.text)
		e.faults.addf(base.place, path, "the stores extend each other in a circle: %s", strings.Join(circle, " → "))
		return own
	case len(e.busy) > maxDepth:
		e.faults.addf(base.place, path, "stores extend each other more than %d deep", maxDepth)
		return own
	case e.all.Get(base.text) == nil:
		e.faults.add(fault(base.place, path, "there is no store called %q", base.text).hinted(didYouMean(base.text, e.all.keys)))
		return own
	}
	from := e.store(base.text)
	if from.kind != Map || n.kind != Map {
		return own
	}
	m := merge(from.with(keyName, nil), own, under(databases, name))
	return mapOf(n.place, m.keys, m.items)
}
