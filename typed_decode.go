package dataknobs

import (
	"encoding"
	"math"
	"reflect"
	"strings"
)

// FromRecord stores a record in the struct that x points to: see [Collection]
// for its tags. Fields of the record that the struct lacks are left out; fields
// of the struct that the record lacks, or has as null, become zero. A value
// that does not fit its field is InvalidArgument: the error names the path, and
// what was wanted and found. An int that a float field cannot hold exactly does
// not fit, nor does a float with a fraction fit an int field.
func FromRecord(rec *Record, x any) error {
	rv := reflect.ValueOf(x)
	if rv.Kind() != reflect.Pointer || rv.IsNil() || rv.Elem().Kind() != reflect.Struct {
		return Errorf(InvalidArgument, "a record can be stored in what a pointer to a struct points to, not in a %T", x)
	}
	rv = rv.Elem()
	p, err := structPlanOf(rv.Type())
	if err != nil {
		return err
	}
	if err := p.decode(rv, rec.Fields, nil); err != nil {
		return err
	}
	if p.id != nil {
		p.id.settable(rv).SetString(rec.ID)
	}
	if p.rev != nil {
		p.rev.settable(rv).SetString(rec.Revision)
	}
	if p.meta == nil {
		return nil
	}
	return decodeValue(p.meta.settable(rv), Object(rec.Metadata), PathMetadata)
}

func (p *structPlan) decode(rv reflect.Value, from Fields, at Path) error {
	for i := range p.fields {
		f := &p.fields[i]
		v, ok := from.Get(f.name)
		if !ok || v.IsNull() {
			clearField(rv, f)
			continue
		}
		fv := f.settable(rv)
		if f.scalar && decodeScalar(fv, v) { // the usual case, without the cost of a path
			continue
		}
		if err := decodeValue(fv, v, at.Child(f.name)); err != nil {
			return err
		}
	}
	return nil
}

// clearField makes a field zero, unless it lies in an embedded pointer that is
// nil and may stay so.
func clearField(rv reflect.Value, f *structField) {
	if fv, err := rv.FieldByIndexErr(f.index); err == nil {
		fv.SetZero()
	}
}

// decodeValue stores v in rv, which is settable.
func decodeValue(rv reflect.Value, v Value, at Path) error {
	if v.IsNull() {
		rv.SetZero()
		return nil
	}
	if done, err := decodeSpecial(rv, v, at); done || err != nil {
		return err
	}
	switch rv.Kind() {
	case reflect.Pointer:
		rv.Set(reflect.New(rv.Type().Elem()))
		return decodeValue(rv.Elem(), v, at)
	case reflect.Interface:
		x := reflect.ValueOf(v.Any())
		if !x.Type().AssignableTo(rv.Type()) {
			return misfit(rv, v, at)
		}
		rv.Set(x)
		return nil
	case reflect.Struct:
		return decodeStruct(rv, v, at)
	case reflect.Map:
		return decodeMap(rv, v, at)
	case reflect.Slice, reflect.Array:
		return decodeList(rv, v, at)
	}
	if !decodeScalar(rv, v) {
		return misfit(rv, v, at)
	}
	return nil
}

// decodeSpecial stores v in types that are not what their kind says. It reports
// whether rv is one.
func decodeSpecial(rv reflect.Value, v Value, at Path) (bool, error) {
	switch p := rv.Addr().Interface().(type) {
	case *Value:
		*p = v
		return true, nil
	case *Fields:
		if v.kind != KindObject {
			return true, misfit(rv, v, at)
		}
		*p = v.Fields()
		return true, nil
	case encoding.TextUnmarshaler:
		if rv.Type() == timeType {
			return true, decodeTime(rv, v, at)
		}
		if v.kind != KindString || rv.Kind() == reflect.Interface || rv.Kind() == reflect.Pointer {
			return false, nil
		}
		if err := p.UnmarshalText([]byte(v.Str())); err != nil {
			return true, Errorf(InvalidArgument, "%s: %w", at, err)
		}
		return true, nil
	}
	if rv.Type() == numberType && v.IsNumber() {
		rv.SetString(v.String())
		return true, nil
	}
	return false, nil
}

// decodeTime takes a time, or a string that spells one: what a store of plain
// text holds.
func decodeTime(rv reflect.Value, v Value, at Path) error {
	if v.kind == KindString {
		if t, ok := ParseTime(v.Str()); ok {
			v = t
		}
	}
	if v.kind != KindTime {
		return misfit(rv, v, at)
	}
	rv.Set(reflect.ValueOf(v.Time()))
	return nil
}

func decodeStruct(rv reflect.Value, v Value, at Path) error {
	if v.kind != KindObject {
		return misfit(rv, v, at)
	}
	p, err := structPlanOf(rv.Type())
	if err != nil {
		return err
	}
	return p.decode(rv, v.rawObject(), at)
}

func decodeMap(rv reflect.Value, v Value, at Path) error {
	t := rv.Type()
	if v.kind != KindObject || t.Key().Kind() != reflect.String {
		return misfit(rv, v, at)
	}
	m := reflect.MakeMapWithSize(t, v.Len())
	for _, f := range v.rawObject() {
		e := reflect.New(t.Elem()).Elem()
		if err := decodeValue(e, f.Value, at.Child(f.Name)); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(f.Name).Convert(t.Key()), e)
	}
	rv.Set(m)
	return nil
}

func decodeList(rv reflect.Value, v Value, at Path) error {
	if v.kind == KindBytes && rv.Type().Elem().Kind() == reflect.Uint8 {
		return decodeBytes(rv, v, at)
	}
	if v.kind != KindArray {
		return misfit(rv, v, at)
	}
	if rv.Kind() == reflect.Array {
		if v.Len() != rv.Len() {
			return Errorf(InvalidArgument, "%s has %d elements, but %s holds exactly %d", at, v.Len(), rv.Type(), rv.Len())
		}
	} else {
		rv.Set(reflect.MakeSlice(rv.Type(), v.Len(), v.Len()))
	}
	for i := range v.Len() {
		if err := decodeValue(rv.Index(i), v.Index(i), at.At(i)); err != nil {
			return err
		}
	}
	return nil
}

func decodeBytes(rv reflect.Value, v Value, at Path) error {
	if rv.Kind() == reflect.Slice {
		rv.SetBytes(v.Bytes())
		return nil
	}
	if v.Len() != rv.Len() {
		return Errorf(InvalidArgument, "%s has %d bytes, but %s holds exactly %d", at, v.Len(), rv.Type(), rv.Len())
	}
	reflect.Copy(rv, reflect.ValueOf(v.Bytes()))
	return nil
}

// decodeScalar reports whether v fits rv, and then stores it.
func decodeScalar(rv reflect.Value, v Value) bool {
	switch rv.Kind() {
	case reflect.Bool:
		rv.SetBool(v.Bool())
		return v.kind == KindBool
	case reflect.String:
		rv.SetString(v.Str())
		return v.kind == KindString
	case reflect.Float32, reflect.Float64:
		f := v.Float()
		exact := v.kind == KindFloat || v.kind == KindInt && compareIntFloat(v.Int(), f) == 0
		if !exact || rv.OverflowFloat(f) {
			return false
		}
		rv.SetFloat(f)
		return true
	}
	i, ok := wholeNumber(v)
	switch {
	case !ok:
		return false
	case rv.CanInt() && !rv.OverflowInt(i):
		rv.SetInt(i)
		return true
	case rv.CanUint() && i >= 0 && !rv.OverflowUint(uint64(i)):
		rv.SetUint(uint64(i))
		return true
	}
	return false
}

// wholeNumber returns the int that v is, or equals.
func wholeNumber(v Value) (int64, bool) {
	if v.kind == KindInt {
		return v.Int(), true
	}
	f := v.Float()
	if v.kind != KindFloat || f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

func misfit(rv reflect.Value, v Value, at Path) error {
	text := v.String()
	if len(text) > 40 {
		text = strings.ToValidUTF8(text[:40], "") + "…"
	}
	return Errorf(InvalidArgument, "%s is the %s %s, which does not fit a Go %s", at, v.kind, text, rv.Type())
}
