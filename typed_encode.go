package dataknobs

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// ToRecord converts a struct, or a pointer to one, to a record: see
// [Collection] for its tags. What cannot be a value is InvalidArgument.
func ToRecord(x any) (*Record, error) {
	rv := reflect.ValueOf(x)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct {
		return nil, Errorf(InvalidArgument, "a Go %T cannot be a record; a struct can", x)
	}
	p, err := structPlanOf(rv.Type())
	if err != nil {
		return nil, err
	}
	rec := &Record{}
	if rec.Fields, err = p.encode(rv, 0); err != nil {
		return nil, err
	}
	if p.id != nil {
		rec.ID = p.id.in(rv).String()
	}
	if p.rev != nil {
		rec.Revision = p.rev.in(rv).String()
	}
	if p.meta == nil {
		return rec, nil
	}
	v, err := valueOfAny(p.meta.in(rv), 0)
	if err != nil {
		return nil, Errorf(InvalidArgument, "_meta: %w", err)
	}
	if v.kind != KindObject && v.kind != KindNull {
		return nil, Errorf(InvalidArgument, "_meta is %s, not an object", v.kind)
	}
	rec.Metadata = v.Fields()
	return rec, nil
}

// A structPlan is how values of one struct type become fields and back.
type structPlan struct {
	fields        []structField
	id, rev, meta *structField
}

// A structField is one field of a struct, maybe inside embedded ones.
type structField struct {
	name      string
	index     []int
	omitEmpty bool
	typ       reflect.Type
	scalar    bool // decodeScalar alone decides about it
}

// in returns the field in rv; the zero Value of its type where an embedded
// pointer on the way is nil.
func (f *structField) in(rv reflect.Value) reflect.Value {
	v, err := rv.FieldByIndexErr(f.index)
	if err != nil {
		return reflect.Zero(f.typ)
	}
	return v
}

// settable returns the field in rv, making what embedded pointers on the way
// point to.
func (f *structField) settable(rv reflect.Value) reflect.Value {
	for _, i := range f.index {
		if rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				rv.Set(reflect.New(rv.Type().Elem()))
			}
			rv = rv.Elem()
		}
		rv = rv.Field(i)
	}
	return rv
}

type structPlanResult struct {
	plan *structPlan
	err  error
}

var structPlans sync.Map // reflect.Type → structPlanResult

func structPlanOf(t reflect.Type) (*structPlan, error) {
	if r, ok := structPlans.Load(t); ok {
		return r.(structPlanResult).plan, r.(structPlanResult).err
	}
	p, err := newStructPlan(t)
	structPlans.Store(t, structPlanResult{p, err})
	return p, err
}

// newStructPlan follows Go's own rule for names that occur at several depths
// of embedding: the shallowest wins. Two at the same depth are an error.
func newStructPlan(t reflect.Type) (*structPlan, error) {
	p := &structPlan{}
	for _, sf := range reflect.VisibleFields(t) {
		name, omit := fieldTag(sf)
		if name == "-" || !sf.IsExported() || sf.Anonymous && isEmbedded(sf) || !p.reaches(t, sf.Index) {
			continue
		}
		f := structField{name: name, index: sf.Index, omitEmpty: omit, typ: sf.Type, scalar: isPlainScalar(sf.Type)}
		if err := p.add(f, sf); err != nil {
			return nil, Errorf(InvalidArgument, "the struct %s: %w", t, err)
		}
	}
	return p, nil
}

// isEmbedded reports whether the fields of an embedded struct count as the
// outer one's: it has no tag and is not a value by itself.
func isEmbedded(sf reflect.StructField) bool {
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && tagOf(sf) == "" && !isScalar(t)
}

// reaches reports whether every embedded struct on the way to the field at
// index is one whose fields count, and can be made where it is a nil pointer.
func (p *structPlan) reaches(t reflect.Type, index []int) bool {
	for i := 1; i < len(index); i++ {
		outer := t.FieldByIndex(index[:i])
		if !isEmbedded(outer) || outer.Type.Kind() == reflect.Pointer && !outer.IsExported() {
			return false
		}
	}
	return true
}

func (p *structPlan) add(f structField, sf reflect.StructField) error {
	special := map[string]**structField{"_id": &p.id, "_rev": &p.rev, "_meta": &p.meta}[f.name]
	if special == nil {
		if err := CheckName(f.name); err != nil {
			return err
		}
		return p.addField(f)
	}
	if f.name != "_meta" && f.typ.Kind() != reflect.String {
		return Errorf(InvalidArgument, "the field %s is the record's %s, so it must be a string, not %s", sf.Name, f.name, f.typ)
	}
	if *special == nil || len(f.index) < len((*special).index) {
		*special = &f
		return nil
	}
	return errNameTwice(f.name)
}

func (p *structPlan) addField(f structField) error {
	i := slices.IndexFunc(p.fields, func(g structField) bool { return g.name == f.name })
	switch {
	case i < 0:
		p.fields = append(p.fields, f)
	case len(p.fields[i].index) == len(f.index):
		return errNameTwice(f.name)
	case len(p.fields[i].index) > len(f.index):
		p.fields[i] = f
	}
	return nil
}

func errNameTwice(name string) error {
	return Errorf(InvalidArgument, "two fields are called %s", name)
}

func tagOf(sf reflect.StructField) string {
	tag, ok := sf.Tag.Lookup("dk")
	if !ok {
		tag = sf.Tag.Get("json")
	}
	return tag
}

// fieldTag returns the name that a struct's field has in the record.
func fieldTag(sf reflect.StructField) (name string, omitEmpty bool) {
	tag := tagOf(sf)
	if tag == "-" {
		return "-", false
	}
	name, rest, _ := strings.Cut(tag, ",")
	if name == "" {
		name = sf.Name
	}
	for word := range strings.SplitSeq(rest, ",") {
		omitEmpty = omitEmpty || word == "omitempty" || word == "omitzero"
	}
	return name, omitEmpty
}

var (
	timeType       = reflect.TypeFor[time.Time]()
	valueType      = reflect.TypeFor[Value]()
	fieldsType     = reflect.TypeFor[Fields]()
	numberType     = reflect.TypeFor[json.Number]()
	marshalerType  = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshalsType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isScalar reports whether a struct type is a value by itself.
func isScalar(t reflect.Type) bool {
	return t == timeType || t == valueType || t.Implements(marshalerType) || reflect.PointerTo(t).Implements(marshalerType)
}

// isPlainScalar reports whether a type is a bool, number or string without a
// way of its own to be read.
func isPlainScalar(t reflect.Type) bool {
	k := t.Kind()
	plain := k == reflect.String || k >= reflect.Bool && k <= reflect.Float64 && k != reflect.Uintptr
	return plain && t != numberType && !reflect.PointerTo(t).Implements(unmarshalsType) && !reflect.PointerTo(t).Implements(marshalerType)
}

// structFields converts a struct to fields, for values inside records.
func structFields(rv reflect.Value, depth int) (Fields, error) {
	p, err := structPlanOf(rv.Type())
	if err != nil {
		return nil, err
	}
	if p.id != nil || p.rev != nil || p.meta != nil {
		return nil, Errorf(InvalidArgument, "the struct %s is inside a record, where there is no _id, _rev or _meta", rv.Type())
	}
	return p.encode(rv, depth)
}

func (p *structPlan) encode(rv reflect.Value, depth int) (Fields, error) {
	out := make(Fields, 0, len(p.fields))
	for i := range p.fields {
		f := &p.fields[i]
		fv := f.in(rv)
		if f.omitEmpty && isEmpty(fv) {
			continue
		}
		v, err := f.value(fv, depth)
		if err != nil {
			return nil, Errorf(InvalidArgument, "the field %s: %w", f.name, err)
		}
		out = append(out, Field{f.name, v})
	}
	return out, nil
}

// value converts the field's value; the usual kinds without boxing them.
func (f *structField) value(rv reflect.Value, depth int) (Value, error) {
	if f.scalar {
		switch {
		case rv.Kind() == reflect.String:
			return String(rv.String()), nil
		case rv.Kind() == reflect.Bool:
			return Bool(rv.Bool()), nil
		case rv.CanInt():
			return Int(rv.Int()), nil
		case rv.CanFloat():
			return Float(rv.Float()), nil
		}
	}
	return valueOfAny(rv, depth)
}

// isEmpty is what omitempty means: false, 0, "", nil, no elements, and a
// struct that is zero.
func isEmpty(rv reflect.Value) bool {
	switch rv.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return rv.Len() == 0
	}
	return rv.IsZero()
}

// valueOfText converts a value that writes itself as text.
func valueOfText(m encoding.TextMarshaler) (Value, error) {
	text, err := m.MarshalText()
	if err != nil {
		return Value{}, Errorf(InvalidArgument, "%w", err)
	}
	return String(string(text)), nil
}

// textMarshaler returns the value as one that writes itself as text; nil if it
// does not, or is of a kind that has a value of its own.
func textMarshaler(rv reflect.Value) encoding.TextMarshaler {
	if !rv.IsValid() {
		return nil
	}
	t := rv.Type()
	switch {
	case t == timeType || t == valueType || t == numberType || t == fieldsType:
		return nil
	case t.Kind() == reflect.Pointer && (rv.IsNil() || t.Elem() == timeType || t.Elem() == valueType):
		return nil
	case t.Implements(marshalerType) && rv.CanInterface() && t.Kind() != reflect.Interface:
		return rv.Interface().(encoding.TextMarshaler)
	case rv.CanAddr() && reflect.PointerTo(t).Implements(marshalerType):
		return rv.Addr().Interface().(encoding.TextMarshaler)
	}
	return nil
}
