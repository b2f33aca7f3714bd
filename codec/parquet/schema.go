package parquet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"dataknobs.dev/dataknobs"
)

// A shape says what a node of the schema is as a value.
type shape uint8

const (
	shapeScalar shape = iota
	shapeObject
	shapeList  // an annotated list: its one child repeats
	shapeMap   // a map with string keys: an object
	shapePairs // a map with other keys: an array of {key, value}
)

// A node is one node of the schema as it is read.
type node struct {
	element
	shape    shape
	leaf     int // the column's number in each row group; -1: not a leaf
	maxDef   int
	maxRep   int
	children []*node
	elem     *node // of a list: what an element is; it may be the repeated child itself
	class    class // of a leaf
	conv     *conversion
	path     string // as errors name it
}

// maxNodes bounds the schema of a file.
const maxNodes = 100_000

// buildSchema makes the tree of nodes; root's children are the columns.
func buildSchema(schema []format.SchemaElement) (root *node, leaves []*node, err error) {
	if len(schema) == 0 || len(schema) > maxNodes {
		return nil, nil, fmt.Errorf("the schema has %d nodes", len(schema))
	}
	elems := make([]element, len(schema))
	for i := range schema {
		elems[i] = elementOf(&schema[i])
	}
	b := schemaBuilder{elems: elems}
	elems[0].repetition = required // the root's is undefined
	root, err = b.build(nil, 0)
	if err == nil && b.next != len(elems) {
		err = fmt.Errorf("the schema has %d nodes too many", len(elems)-b.next)
	}
	return root, b.leaves, err
}

type schemaBuilder struct {
	elems  []element
	next   int
	leaves []*node
}

func (b *schemaBuilder) build(parent *node, depth int) (*node, error) {
	if b.next >= len(b.elems) || depth > dataknobs.MaxDepth {
		return nil, fmt.Errorf("the schema is cut short or nests deeper than %d levels", dataknobs.MaxDepth)
	}
	n := &node{element: b.elems[b.next], leaf: -1}
	b.next++
	if parent != nil {
		n.maxDef, n.maxRep = parent.maxDef, parent.maxRep
		n.path = dataknobs.Names(n.name).String()
		if depth > 1 {
			n.path = parent.path + "." + n.path
		}
	}
	switch n.repetition {
	case required:
	case optional:
		n.maxDef++
	case repeated:
		n.maxDef++
		n.maxRep++
	default:
		return nil, fmt.Errorf("the column %s has the unknown repetition %d", n.path, n.repetition)
	}
	if n.typ != typeGroup {
		n.leaf = len(b.leaves)
		b.leaves = append(b.leaves, n)
		return n, n.classify()
	}
	if n.element.members < 0 || n.element.members > len(b.elems)-b.next {
		return nil, fmt.Errorf("the group %s has %d members", n.path, n.element.members)
	}
	for range n.element.members {
		c, err := b.build(n, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, c)
	}
	n.form()
	return n, nil
}

// form finds what a group is: an object, a list or a map.
func (n *node) form() {
	n.shape = shapeObject
	if len(n.children) != 1 || n.children[0].repetition != repeated {
		return
	}
	c := n.children[0]
	switch n.logical {
	case logicalList:
		n.shape = shapeList
		n.elem = c.listElement(n.name)
	case logicalMap:
		switch {
		case c.shape != shapeObject || len(c.children) == 0 || len(c.children) > 2:
			n.shape = shapeList
			n.elem = c
		case c.children[0].class == classString && c.children[0].shape == shapeScalar && c.children[0].repetition != repeated:
			n.shape = shapeMap
			n.elem = c
		default:
			n.shape = shapePairs
			n.elem = c
		}
	}
}

// listElement finds the element under the repeated child c of a list, by the
// format's rules for files of older writers: the one field of the group c, but
// c itself where it cannot be the usual wrapper.
func (c *node) listElement(list string) *node {
	if c.leaf >= 0 || len(c.children) != 1 || c.shape != shapeObject || c.name == "array" || c.name == list+"_tuple" ||
		c.children[0].repetition == repeated {
		return c
	}
	return c.children[0]
}

// firstLeaf returns the first leaf at or under n; nil if there is none.
func (n *node) firstLeaf() *node {
	if n.leaf >= 0 {
		return n
	}
	for _, c := range n.children {
		if l := c.firstLeaf(); l != nil {
			return l
		}
	}
	return nil
}

// flat reports whether n is a leaf with at most one value a row.
func (n *node) flat() bool { return n.leaf >= 0 && n.maxRep == 0 }

// descend follows p by names through objects as far as the schema goes. It
// returns the node reached, nil if there is no such field, and what is left of
// the path, to be looked up in the node's values.
func (n *node) descend(p dataknobs.Path) (*node, dataknobs.Path) {
	for len(p) > 0 && n.shape == shapeObject && n.repetition != repeated {
		c := n.child(p[0].Name)
		if p[0].Name == "" || c == nil {
			return nil, nil
		}
		n, p = c, p[1:]
	}
	if len(p) > 0 && n.scalar() && n.conv == nil {
		return nil, nil
	}
	return n, p
}

// scalar reports whether n is a leaf that is not repeated.
func (n *node) scalar() bool { return n.leaf >= 0 && n.repetition != repeated }

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// kinds returns every kind that the values of n can have.
func (n *node) kinds() dataknobs.KindSet {
	var s dataknobs.KindSet
	switch {
	case n.repetition == repeated || n.shape == shapeList || n.shape == shapePairs:
		s = s.With(dataknobs.KindArray)
	case n.leaf < 0:
		s = s.With(dataknobs.KindObject)
	case n.conv != nil:
		s = n.conv.kinds
	default:
		s = n.class.kinds()
	}
	if n.maxDef > 0 && n.repetition != repeated {
		s = s.With(dataknobs.KindNull)
	}
	return s
}

// nameColumns gives every column a legal, unique name, as the CSV reader does:
// column3 for an empty one, x_2 for a second x and for a system name that is not
// among special.
func nameColumns(cols []*node, special []string, warn func(string)) error {
	taken := map[string]bool{}
	for _, c := range cols {
		taken[c.name] = true
	}
	seen := map[string]bool{}
	for i, c := range cols {
		name := c.name
		if name == "" {
			name = fmt.Sprintf("column%d", i+1)
		}
		reserved := dataknobs.IsSystemName(name) && !slices.Contains(special, name)
		base := name
		for k := 2; seen[name] || reserved && name == base || name != c.name && taken[name]; k++ {
			name = fmt.Sprintf("%s_%d", base, k)
		}
		if name != c.name && warn != nil {
			warn(fmt.Sprintf("column %d is named %q in the file and %q here", i+1, c.name, name))
		}
		if err := dataknobs.CheckName(name); err != nil && !dataknobs.IsSystemName(name) {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
		c.rename(name)
		seen[name] = true
	}
	return nil
}

func (n *node) rename(name string) {
	if n.name == name {
		return
	}
	old := dataknobs.Names(n.name).String()
	n.name = name
	n.repath(old, dataknobs.Names(name).String())
}

func (n *node) repath(old, name string) {
	n.path = name + strings.TrimPrefix(n.path, old)
	for _, c := range n.children {
		c.repath(old, name)
	}
}

// project returns a tree of root's columns that holds only what the paths need.
// A path goes as deep as there are objects; nil: everything.
func (n *node) project(paths []dataknobs.Path) *node {
	if paths == nil {
		return n
	}
	c := *n
	c.children = nil
	for _, child := range n.children {
		var deeper []dataknobs.Path
		whole, wanted := false, false
		for _, p := range paths {
			if len(p) == 0 || p[0].Name != child.name {
				continue
			}
			wanted = true
			if len(p) == 1 {
				whole = true
			}
			deeper = append(deeper, p[1:])
		}
		switch {
		case !wanted:
		case whole || child.shape != shapeObject || child.repetition == repeated:
			c.children = append(c.children, child)
		default:
			if p := child.project(deeper); len(p.children) > 0 {
				c.children = append(c.children, p)
			}
		}
	}
	return &c
}
