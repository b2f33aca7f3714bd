package dataknobs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ValueOf converts plain Go to a Value: nil, bools, integers, floats, strings,
// []byte, time.Time, json.Number, Value, Fields, slices and arrays, maps with
// string keys (sorted by key), pointers to these and structs (see
// [Collection] for their tags). It returns an InvalidArgument error for
// anything else and for an unsigned integer beyond int64.
func ValueOf(x any) (Value, error) {
	switch x := x.(type) {
	case nil:
		return Value{}, nil
	case Value:
		return x, nil
	case bool:
		return Bool(x), nil
	case int:
		return Int(int64(x)), nil
	case int64:
		return Int(x), nil
	case float64:
		return Float(x), nil
	case string:
		return String(x), nil
	case []byte:
		if x == nil {
			return Value{}, nil
		}
		return Bytes(x), nil
	case time.Time:
		return Time(x), nil
	case json.Number:
		return numberOf(string(x))
	case Fields:
		return Object(x), nil
	case []Value:
		return Array(x...), nil
	}
	return valueOfReflect(reflect.ValueOf(x), 0)
}

// numberOf reads a JSON number: an int where the text is an integer literal.
func numberOf(text string) (Value, error) {
	if !strings.ContainsAny(text, ".eE") {
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Value{}, Errorf(InvalidArgument, "the integer %s does not fit in 64 bits", text)
		}
		return Int(i), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return Value{}, Errorf(InvalidArgument, "the number %s is out of range", text)
	}
	return Float(f), nil
}

// valueOfReflect converts what ValueOf does not know by its exact type.
func valueOfReflect(rv reflect.Value, depth int) (Value, error) {
	if depth > MaxDepth {
		return Value{}, Errorf(InvalidArgument, "the value nests deeper than %d levels", MaxDepth)
	}
	if m := textMarshaler(rv); m != nil {
		return valueOfText(m)
	}
	switch rv.Kind() {
	case reflect.Invalid:
		return Value{}, nil
	case reflect.Bool:
		return Bool(rv.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(rv.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if rv.Uint() > math.MaxInt64 {
			return Value{}, Errorf(InvalidArgument, "the integer %d does not fit in a signed 64-bit int", rv.Uint())
		}
		return Int(int64(rv.Uint())), nil
	case reflect.Float32, reflect.Float64:
		return Float(rv.Float()), nil
	case reflect.String:
		return String(rv.String()), nil
	case reflect.Pointer, reflect.Interface:
		if rv.IsNil() {
			return Value{}, nil
		}
		if rv.CanInterface() {
			if v, ok := rv.Interface().(Value); ok {
				return v, nil
			}
		}
		return valueOfAny(rv.Elem(), depth)
	case reflect.Slice:
		if rv.IsNil() {
			return Value{}, nil
		}
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			return Bytes(rv.Bytes()), nil
		}
		return arrayOfReflect(rv, depth)
	case reflect.Array:
		return arrayOfReflect(rv, depth)
	case reflect.Map:
		return objectOfMap(rv, depth)
	case reflect.Struct:
		f, err := structFields(rv, depth)
		return AdoptObject(f), err
	}
	return Value{}, Errorf(InvalidArgument, "a Go %s cannot be a value", rv.Type())
}

// valueOfAny is valueOfReflect for an element, whose exact type may be one
// that ValueOf knows.
func valueOfAny(rv reflect.Value, depth int) (Value, error) {
	if rv.IsValid() && rv.CanInterface() {
		switch x := rv.Interface().(type) {
		case Value, time.Time, json.Number, Fields, []Value:
			return ValueOf(x)
		}
	}
	return valueOfReflect(rv, depth+1)
}

func arrayOfReflect(rv reflect.Value, depth int) (Value, error) {
	vs := make([]Value, rv.Len())
	for i := range vs {
		v, err := valueOfAny(rv.Index(i), depth)
		if err != nil {
			return Value{}, err
		}
		vs[i] = v
	}
	return AdoptArray(vs), nil
}

func objectOfMap(rv reflect.Value, depth int) (Value, error) {
	if rv.IsNil() {
		return Value{}, nil
	}
	if rv.Type().Key().Kind() != reflect.String {
		return Value{}, Errorf(InvalidArgument, "a Go %s cannot be a value: its keys are not strings", rv.Type())
	}
	f := make(Fields, 0, rv.Len())
	for it := rv.MapRange(); it.Next(); {
		v, err := valueOfAny(it.Value(), depth)
		if err != nil {
			return Value{}, err
		}
		f = append(f, Field{it.Key().String(), v})
	}
	slices.SortFunc(f, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return AdoptObject(f), nil
}

// AppendText appends v as a literal of the query language (see [Value.String])
// to b.
func (v Value) AppendText(b []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(b, v.Bool())
	case KindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case KindFloat:
		return appendFloat(b, v.Float())
	case KindTime:
		b = append(b, "time '"...)
		b = AppendTime(b, v.Time())
		return append(b, '\'')
	case KindString:
		return appendQuoted(b, v.Str())
	case KindBytes:
		b = append(b, "bytes '"...)
		b = base64.StdEncoding.AppendEncode(b, v.rawBytes())
		return append(b, '\'')
	case KindArray:
		b = append(b, '[')
		for i, e := range v.rawArray() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = e.AppendText(b)
		}
		return append(b, ']')
	case KindObject:
		b = append(b, '{')
		for i, f := range v.rawObject() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendQuoted(b, f.Name)
			b = append(b, ": "...)
			b = f.Value.AppendText(b)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// appendQuoted appends s in single quotes on one line: quotes are doubled,
// backslashes and control characters escaped.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '\'')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'':
			b = append(b, "''"...)
		case c == '\\':
			b = append(b, `\\`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '\'')
}

// appendFloat appends the shortest decimal that reads back as f and as a
// float: 1 is written 1.0. The spelling is that of JSON.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, fmt.Sprint(f)...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if format == 'f' && !slices.Contains(b[start:], '.') {
		b = append(b, ".0"...)
	}
	return b
}

// AppendTime appends t as RFC 3339 in UTC with as many fractional digits as
// it needs, up to six.
func AppendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.999999Z07:00")
}

// ParseTime reads an RFC 3339 time, or a date alone, which is its midnight in
// UTC; fractions are cut to the microsecond. It accepts exactly what the
// contract calls a time: upper-case T and Z, years 1 to 9999, no leap second.
func ParseTime(s string) (Value, bool) {
	if len(s) < len("2006-01-02") || s[4] != '-' {
		return Value{}, false
	}
	layout := time.RFC3339
	switch {
	case len(s) == len("2006-01-02"):
		layout = time.DateOnly
	case s[10] != 'T' || slices.Contains([]byte(s), ','): // the package time also takes a comma
		return Value{}, false
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return Value{}, false
	}
	v := Time(t)
	if us := v.Micros(); us < minMicros || us > maxMicros {
		return Value{}, false
	}
	return v, true
}

// AppendJSON appends v as JSON to b: times as RFC 3339 strings, bytes as
// base64 strings, floats always with a point or an exponent. It is what JSON
// can show; [Value.AppendTaggedJSON] keeps every kind.
func (v Value) AppendJSON(b []byte) []byte { return v.appendJSON(b, false) }

// AppendTaggedJSON appends v as JSON from which [ParseTaggedJSON] reads the same
// value, kind included: a time is {"$time": "…"}, bytes are {"$bytes": "…"} in
// base64, and an object that has a single field whose name starts with $ has
// one more $ put before that name.
func (v Value) AppendTaggedJSON(b []byte) []byte { return v.appendJSON(b, true) }

func (v Value) appendJSON(b []byte, tagged bool) []byte {
	switch v.kind {
	case KindBool, KindInt:
		return v.AppendText(b)
	case KindFloat:
		return appendFloat(b, v.Float())
	case KindTime:
		if tagged {
			b = append(b, `{"$time":`...)
		}
		b = append(b, '"')
		b = AppendTime(b, v.Time())
		b = append(b, '"')
		if tagged {
			b = append(b, '}')
		}
		return b
	case KindString:
		return AppendJSONString(b, v.Str())
	case KindBytes:
		if tagged {
			b = append(b, `{"$bytes":`...)
		}
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.rawBytes())
		b = append(b, '"')
		if tagged {
			b = append(b, '}')
		}
		return b
	case KindArray:
		b = append(b, '[')
		for i, e := range v.rawArray() {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.appendJSON(b, tagged)
		}
		return append(b, ']')
	case KindObject:
		return v.rawObject().appendJSON(b, tagged)
	}
	return append(b, "null"...)
}

// AppendJSON appends f as a JSON object to b; see [Value.AppendJSON].
func (f Fields) AppendJSON(b []byte) []byte { return f.appendJSON(b, false) }

func (f Fields) appendJSON(b []byte, tagged bool) []byte {
	b = append(b, '{')
	for i, x := range f {
		if i > 0 {
			b = append(b, ',')
		}
		name := x.Name
		if tagged && len(f) == 1 && strings.HasPrefix(name, "$") {
			name = "$" + name
		}
		b = AppendJSONString(b, name)
		b = append(b, ':')
		b = x.Value.appendJSON(b, tagged)
	}
	return append(b, '}')
}

// MarshalJSON returns what AppendJSON appends.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// MarshalJSON returns what AppendJSON appends.
func (f Fields) MarshalJSON() ([]byte, error) { return f.AppendJSON(nil), nil }

const hexDigits = "0123456789abcdef"

// AppendJSONString appends s as a JSON string (RFC 8259); it escapes only what
// must be escaped.
func AppendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
