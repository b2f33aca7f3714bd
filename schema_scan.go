package dataknobs

import (
	"context"
	"fmt"
	"slices"
)

// Bounds of what Schema finds by reading records.
const (
	maxSchemaDepth   = 3
	maxSchemaPaths   = 10_000
	maxExamples      = 3
	maxExampleLength = 60
)

// Schema says what the store's records hold: every field with its kinds, nulls
// and a few examples. A store that does not know it is read whole. Objects are
// looked into to a depth of three, and no more than 10,000 paths are told
// apart: what comes after them is left out, and Options.Warn is told.
func (db *DB) Schema(ctx context.Context) (*Schema, error) {
	s, err := db.schema(ctx)
	return s, db.fail("schema", "", err)
}

func (db *DB) schema(ctx context.Context) (*Schema, error) {
	if err := db.usable(); err != nil {
		return nil, err
	}
	if s, ok := Ability[Schemer](db.d); ok {
		return call(ctx, db, func() (*Schema, error) { return s.Schema(ctx) })
	}
	b := &schemaBuilder{}
	scan := &Scan{NoID: true, NoRevision: true, Workers: db.workers}
	for rec, err := range db.scan(ctx, scan) {
		if b.records++; err == nil && b.records%checkEvery == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		b.fields(&b.root, rec.Fields, 1)
	}
	if b.left > 0 {
		db.warn(fmt.Sprintf("the records have more than %d different paths; the schema leaves out the rest", maxSchemaPaths))
	}
	out := &Schema{Records: b.records}
	b.list(&b.root, nil, out)
	return out, ctx.Err()
}

// A schemaBuilder gathers a schema record by record.
type schemaBuilder struct {
	root    schemaNode
	records int64
	paths   int
	left    int64 // values at paths that were too many
}

// A schemaNode is what was seen at one path.
type schemaNode struct {
	name     string
	kinds    KindSet
	elems    KindSet
	present  int64 // in how many records it is not null
	examples []Value
	kids     []*schemaNode
	byName   map[string]*schemaNode
}

func (b *schemaBuilder) fields(n *schemaNode, f Fields, depth int) {
	for i := range f {
		k := b.kid(n, f[i].Name, i)
		if k == nil {
			b.left++
			continue
		}
		b.value(k, f[i].Value, depth)
	}
}

// kid returns the node of that name, which is often the i-th; nil where there
// are too many.
func (b *schemaBuilder) kid(n *schemaNode, name string, i int) *schemaNode {
	if i < len(n.kids) && n.kids[i].name == name {
		return n.kids[i]
	}
	if k := n.byName[name]; k != nil {
		return k
	}
	if b.paths >= maxSchemaPaths {
		return nil
	}
	b.paths++
	k := &schemaNode{name: name}
	if n.byName == nil {
		n.byName = map[string]*schemaNode{}
	}
	n.byName[name] = k
	n.kids = append(n.kids, k)
	return k
}

func (b *schemaBuilder) value(n *schemaNode, v Value, depth int) {
	if v.IsNull() {
		return
	}
	n.present++
	n.kinds = n.kinds.With(v.kind)
	n.example(v)
	switch {
	case v.kind == KindArray:
		for _, e := range v.rawArray() {
			n.elems = n.elems.With(e.kind)
		}
	case v.kind == KindObject && depth < maxSchemaDepth:
		b.fields(n, v.rawObject(), depth+1)
	}
}

// example keeps v if few values, and none like it, have been kept so far.
func (n *schemaNode) example(v Value) {
	if len(n.examples) >= maxExamples || v.Len() > maxExampleLength || slices.ContainsFunc(n.examples, v.Equal) {
		return
	}
	if v.kind >= KindArray && len(v.String()) > maxExampleLength {
		return
	}
	n.examples = append(n.examples, v.Clone())
}

func (b *schemaBuilder) list(n *schemaNode, at Path, out *Schema) {
	for _, k := range n.kids {
		f := FieldSchema{Path: at.Child(k.name), Kinds: k.kinds, Elems: k.elems, Nulls: b.records - k.present, Examples: k.examples}
		if f.Nulls > 0 {
			f.Kinds = f.Kinds.With(KindNull)
		}
		out.Fields = append(out.Fields, f)
		b.list(k, f.Path, out)
	}
}
