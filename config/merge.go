package config

import (
	"regexp"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// The keys of a store that are no options of its backend.
const (
	databases  = "databases"
	keyName    = "name"
	keyBackend = "backend"
	keyURL     = "url"
	keyExtends = "extends"
	keyLayers  = "layers"
	keyRead    = "readonly"
)

var storeKeys = []string{keyName, keyBackend, keyURL, keyExtends, keyLayers, keyRead}

// storeName is the form of a store's name.
var storeName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// normal brings one file into the form that files are merged in: the stores a
// map by name, their settings flat.
func normal(root *Node, faults *Faults) *Node {
	all := root.Get(databases)
	if all == nil || all.kind == Null {
		return root
	}
	var keys []string
	var stores []*Node
	seen := map[string]bool{}
	add := func(name string, n *Node) {
		path := under(databases, name)
		switch {
		case !storeName.MatchString(name):
			faults.add(fault(n.place, databases, "a store cannot be called %q", name).
				hinted("letters, digits and _ - . make a name"))
		case seen[name]:
			faults.addf(n.place, path, "the store stands twice in this file")
		default:
			seen[name] = true
			keys, stores = append(keys, name), append(stores, flatten(n, path, faults))
		}
	}
	switch all.kind {
	case List:
		for n := range all.Items() {
			name := n.Get(keyName)
			if name == nil || !name.isScalar() {
				faults.add(fault(n.place, databases, "a store has no name").hinted("each item of the list has name: NAME"))
				continue
			}
			add(name.text, n)
		}
	case Map:
		for name, n := range all.Keys() {
			if own := n.Get(keyName); own != nil && own.text != name {
				faults.addf(own.place, under(databases, name), "the store is called %s and %s", name, own.text)
				continue
			}
			add(name, n)
		}
	default:
		faults.addf(all.place, databases, "a list of stores or a map of them, not %v", all.kind)
		return root
	}
	return root.with(databases, mapOf(all.place, keys, stores))
}

// flatten makes pool: {max: 4} of a store pool.max: 4.
func flatten(n *Node, path string, faults *Faults) *Node {
	if n.kind != Map {
		return n
	}
	m := newMap(&reader{}, path, n.place)
	for k, v := range n.Keys() {
		if v.kind != Map || k == keyLayers || !grouped(k) {
			m.set(k, v.place, v)
			continue
		}
		for k2, v2 := range v.Keys() {
			m.set(k+"."+k2, v2.place, v2)
		}
	}
	for _, f := range m.r.faults {
		faults.add(f)
	}
	return m.node()
}

// grouped reports whether options begin with the key and a dot, and none is it.
func grouped(key string) bool {
	found := false
	for _, b := range dataknobs.Backends() {
		for _, o := range b.Options {
			if o.Name == key {
				return false
			}
			found = found || strings.HasPrefix(o.Name, key+".")
		}
	}
	return found
}

// merge returns base as changed by over: maps merge key by key, lists of named
// maps item by item, anything else is replaced; nothing (null) removes.
func merge(base, over *Node, path string) *Node {
	switch {
	case base == nil || over.kind == Null:
		return over
	case base.kind == Map && over.kind == Map:
		if isStore(path) && otherStore(base, over) {
			base = onlyKept(base)
		}
		return mergeMaps(base, over, path)
	}
	if base.kind == List && over.kind == Map && over.place.Variable != "" {
		return mergeItem(base, over, path)
	}
	b, ok1 := named(base)
	o, ok2 := named(over)
	if !ok1 || !ok2 {
		return over
	}
	return listOf(over.place, mergeMaps(b, o, path).items)
}

func mergeMaps(base, over *Node, path string) *Node {
	keys := append([]string(nil), base.keys...)
	values := append([]*Node(nil), base.items...)
	at := make(map[string]int, len(keys))
	for i, k := range keys {
		at[k] = i
	}
	for k, v := range over.Keys() {
		i, has := at[k]
		if !has {
			at[k] = len(keys)
			keys, values = append(keys, k), append(values, v)
			continue
		}
		values[i] = merge(values[i], v, under(path, k))
	}
	return mapOf(base.place, keys, values)
}

// mergeItem changes the items of a list that a variable names.
func mergeItem(base, over *Node, path string) *Node {
	items := append([]*Node(nil), base.items...)
	for key, v := range over.Keys() {
		if _, i := step(base, key); i != "" {
			at, _ := strconv.Atoi(i)
			items[at] = merge(items[at], v, under(path, i))
		}
	}
	return listOf(base.place, items)
}

// named makes a map by name of a list whose items all are maps with a name.
func named(n *Node) (*Node, bool) {
	if n.kind != List || len(n.items) == 0 {
		return nil, false
	}
	var keys []string
	seen := map[string]bool{}
	for _, i := range n.items {
		name := i.Get(keyName)
		if name == nil || !name.isScalar() || seen[name.text] {
			return nil, false
		}
		seen[name.text] = true
		keys = append(keys, name.text)
	}
	return mapOf(n.place, keys, n.items), true
}

func isStore(path string) bool {
	rest, ok := strings.CutPrefix(path, databases+".")
	return ok && rest != ""
}

// otherStore reports whether over names a store of another kind than base
// does, to which the settings of base mean nothing.
func otherStore(base, over *Node) bool {
	was, is := kindOf(base), kindOf(over)
	inherits := was == "" && base.Get(keyExtends) != nil && over.Get(keyExtends) == nil // a kind that is not known here
	return is != "" && was != is && (was != "" || inherits)
}

// kindOf names the backend of a store as far as the text alone tells.
func kindOf(n *Node) string {
	text := ""
	switch b, u := n.Get(keyBackend), n.Get(keyURL); {
	case b != nil && b.isScalar():
		text = b.text
	case u != nil && u.isScalar():
		if text = schemeOf(u.text); text == "" || strings.Contains(text, "$") {
			return "url " + u.text
		}
	}
	if b, err := dataknobs.LookupBackend(text); err == nil {
		return b.Name
	}
	return strings.ToLower(text)
}

var schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:`)

// schemeOf is the scheme of a store's URL; for a path that of the backend of
// paths, if there is one.
func schemeOf(url string) string {
	if s := schemeForm.FindString(url); s != "" {
		return s[:len(s)-1]
	}
	if strings.HasPrefix(url, "${") {
		return ""
	}
	for _, b := range dataknobs.Backends() {
		if b.Paths {
			return b.Name
		}
	}
	return ""
}

// onlyKept is what stays of a store whose kind changes.
func onlyKept(n *Node) *Node {
	m := newMap(&reader{}, "", n.place)
	for _, k := range []string{keyName, keyLayers, keyRead} {
		if v := n.Get(k); v != nil {
			m.set(k, v.place, v)
		}
	}
	if v := n.Get(keyExtends); v != nil && kindOf(n) == "" {
		m.set(keyExtends, v.place, v)
	}
	return m.node()
}
