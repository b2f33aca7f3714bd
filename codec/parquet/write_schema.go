package parquet

import (
	"reflect"

	"github.com/parquet-go/parquet-go"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A columnPlan says how one column is written.
type columnPlan struct {
	name     string
	kind     dataknobs.Kind // of the values, or of the elements
	list     bool
	number   bool // text of ints and floats
	json     bool // text of tagged JSON
	required bool
	unique   bool // no dictionary
}

// planOf reads the columns of a layout.
func planOf(l *codec.Layout) ([]columnPlan, error) {
	var plans []columnPlan
	seen := map[string]bool{}
	add := func(p columnPlan) error {
		if seen[p.name] || p.name == "" {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "the layout has the column %q twice, or one without a name", p.name)
		}
		seen[p.name] = true
		plans = append(plans, p)
		return nil
	}
	for _, c := range l.Columns {
		p := columnPlan{name: c.Name}
		if !p.setKind(c.Kind) {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the column %q has the unknown kind %q", c.Name, c.Kind)
		}
		if err := add(p); err != nil {
			return nil, err
		}
	}
	if l.ID != "" {
		if err := add(columnPlan{name: l.ID, kind: dataknobs.KindString, required: true, unique: true}); err != nil {
			return nil, err
		}
	}
	if l.Meta != "" {
		if err := add(columnPlan{name: l.Meta, kind: dataknobs.KindString, json: true}); err != nil {
			return nil, err
		}
	}
	return plans, nil
}

func (p *columnPlan) setKind(name string) bool {
	if k, ok := parseListKind(name); ok {
		p.kind, p.list = k, true
		return true
	}
	switch name {
	case kindNumber:
		p.kind, p.number = dataknobs.KindString, true
		return true
	case kindJSON:
		p.kind, p.json = dataknobs.KindString, true
		return true
	}
	k, ok := dataknobs.ParseKind(name)
	p.kind = k
	return ok && k < dataknobs.KindArray
}

// node returns the column's schema.
func (p *columnPlan) node() parquet.Node {
	n := p.scalar()
	switch {
	case p.list:
		return parquet.Optional(parquet.List(parquet.Optional(n)))
	case p.required:
		return n
	}
	return parquet.Optional(n)
}

func (p *columnPlan) scalar() parquet.Node {
	var n parquet.Node
	switch p.kind {
	case dataknobs.KindBool, dataknobs.KindNull:
		return parquet.Leaf(parquet.BooleanType)
	case dataknobs.KindInt:
		n = parquet.Leaf(parquet.Int64Type)
	case dataknobs.KindFloat:
		n = parquet.Leaf(parquet.DoubleType)
	case dataknobs.KindTime:
		n = parquet.Timestamp(parquet.Microsecond)
	case dataknobs.KindBytes:
		n = parquet.Leaf(parquet.ByteArrayType)
	default:
		n = parquet.String()
		if p.json {
			n = parquet.JSON()
		}
	}
	if p.unique {
		return n
	}
	return parquet.Encoded(n, &parquet.RLEDictionary)
}

// A root is a group whose fields keep their order; the library's own sorts them.
type root struct {
	parquet.Group
	fields []parquet.Field
}

// Fields returns the columns in the order of the layout.
func (r *root) Fields() []parquet.Field { return r.fields }

type field struct {
	parquet.Node
	name string
}

// Name returns the column's name.
func (f *field) Name() string { return f.name }

// Value is for writers by reflection, which are not used here.
func (f *field) Value(reflect.Value) reflect.Value { return reflect.Value{} }

func schemaOf(plans []columnPlan) *parquet.Schema {
	r := &root{Group: parquet.Group{}}
	for i := range plans {
		n := plans[i].node()
		r.Group[plans[i].name] = n
		r.fields = append(r.fields, &field{n, plans[i].name})
	}
	return parquet.NewSchema("schema", r)
}
