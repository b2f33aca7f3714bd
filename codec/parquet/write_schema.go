package parquet

import (
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

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

// physical returns the type of what the column stores.
func (p *columnPlan) physical() format.Type {
	switch p.kind {
	case dataknobs.KindBool, dataknobs.KindNull:
		return format.Boolean
	case dataknobs.KindInt, dataknobs.KindTime:
		return format.Int64
	case dataknobs.KindFloat:
		return format.Double
	}
	return format.ByteArray
}

// annotated returns the library's type of what the column stores.
func (p *columnPlan) annotated() parquet.Type {
	switch p.kind {
	case dataknobs.KindBool, dataknobs.KindNull:
		return parquet.BooleanType
	case dataknobs.KindInt:
		return parquet.Int64Type
	case dataknobs.KindFloat:
		return parquet.DoubleType
	case dataknobs.KindTime:
		return parquet.Timestamp(parquet.Microsecond).Type()
	case dataknobs.KindBytes:
		return parquet.ByteArrayType
	}
	if p.json {
		return parquet.JSON().Type()
	}
	return parquet.String().Type()
}

// path is the way to the column's values in the schema.
func (p *columnPlan) path() []string {
	if p.list {
		return []string{p.name, "list", "element"}
	}
	return []string{p.name}
}

// elements returns the column's part of the schema.
func (p *columnPlan) elements() []format.SchemaElement {
	leaf := format.SchemaElement{Name: p.name, RepetitionType: thrift.New(format.Optional), Type: thrift.New(p.physical())}
	if p.required {
		leaf.RepetitionType = thrift.New(format.Required)
	}
	t := p.annotated()
	if l := t.LogicalType(); l != nil {
		leaf.LogicalType = *l
	}
	if c := t.ConvertedType(); c != nil {
		leaf.ConvertedType = thrift.New(*c)
	}
	if !p.list {
		return []format.SchemaElement{leaf}
	}
	leaf.Name = "element"
	return []format.SchemaElement{
		{
			Name: p.name, RepetitionType: thrift.New(format.Optional), NumChildren: thrift.New[int32](1),
			ConvertedType: thrift.New(deprecated.List), LogicalType: format.LogicalType{Value: new(format.ListType)},
		},
		{Name: "list", RepetitionType: thrift.New(format.Repeated), NumChildren: thrift.New[int32](1)},
		leaf,
	}
}

// schemaOf returns the schema of the file, in the order of the layout.
func schemaOf(plans []columnPlan) []format.SchemaElement {
	s := []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(len(plans)))}}
	for i := range plans {
		s = append(s, plans[i].elements()...)
	}
	return s
}
