package dataknobs

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// Kind is the kind of a [Value]. The kinds are a closed list.
type Kind uint8

// The kinds, in the order in which values of different kinds sort (null apart,
// and with int and float compared as one kind, by their numeric value).
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindTime
	KindString
	KindBytes
	KindArray
	KindObject
)

var kindNames = [...]string{"null", "bool", "int", "float", "time", "string", "bytes", "array", "object"}

// String returns the kind's lower-case name, such as "int".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// ParseKind returns the kind of that name ("int", "string", …).
func ParseKind(name string) (Kind, bool) {
	i := slices.Index(kindNames[:], strings.ToLower(name))
	return Kind(max(i, 0)), i >= 0
}

// rank orders the kinds for sorting: int and float share one rank.
func (k Kind) rank() Kind {
	if k == KindFloat {
		return KindInt
	}
	return k
}

// A Value is one immutable value of one of the nine kinds. The zero Value is
// null. No kind but array and object costs an allocation beyond the bytes of
// its own text: bool, int, float and time are held inline.
//
// Values may be copied freely and used by several goroutines at once. They
// are not comparable with ==; use [Value.Equal] or [Value.Identical].
type Value struct {
	_    [0]func() // makes == a compile error
	ptr  unsafe.Pointer
	num  uint64 // the bits of the inline kinds, or the length of what ptr points to
	kind Kind
}

// The limits of a time value: years 1 to 9999, in microseconds since the Unix epoch.
const (
	minMicros = -62135596800_000_000
	maxMicros = 253402300799_999_999
)

// Null returns the null value, which is also the zero Value.
func Null() Value { return Value{} }

// Bool returns a bool value.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Int returns an int value.
func Int(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// Float returns a float value. NaN and the infinities can be held, but every
// write refuses them with InvalidArgument.
func Float(f float64) Value { return Value{kind: KindFloat, num: math.Float64bits(f)} }

// Time returns a time value: the instant t in UTC, cut (not rounded) to the
// microsecond. A year outside 1 to 9999 can be held, but every write refuses it.
func Time(t time.Time) Value { return TimeMicros(t.Unix()*1e6 + int64(t.Nanosecond()/1000)) }

// TimeMicros returns the time value that lies us microseconds after the Unix epoch.
func TimeMicros(us int64) Value { return Value{kind: KindTime, num: uint64(us)} }

// String returns a string value. Text that is not valid UTF-8 or holds a NUL
// can be held, but every write refuses it: use Bytes.
func String(s string) Value {
	return Value{kind: KindString, ptr: unsafe.Pointer(unsafe.StringData(s)), num: uint64(len(s))}
}

// Bytes returns a bytes value that holds a copy of b.
func Bytes(b []byte) Value { return AdoptBytes(bytes.Clone(b)) }

// Array returns an array value that holds a copy of vs.
func Array(vs ...Value) Value { return AdoptArray(slices.Clone(vs)) }

// Object returns an object value that holds a copy of f. A name that is there
// twice is refused by every write.
func Object(f Fields) Value { return AdoptObject(slices.Clone(f)) }

// AdoptBytes is Bytes without the copy, for drivers and codecs: b belongs to
// the Value from then on and must not be changed by anyone.
func AdoptBytes(b []byte) Value {
	return Value{kind: KindBytes, ptr: unsafe.Pointer(unsafe.SliceData(b)), num: uint64(len(b))}
}

// AdoptArray is Array without the copy, for drivers and codecs: vs belongs to
// the Value from then on and must not be changed by anyone.
func AdoptArray(vs []Value) Value {
	return Value{kind: KindArray, ptr: unsafe.Pointer(unsafe.SliceData(vs)), num: uint64(len(vs))}
}

// AdoptObject is Object without the copy, for drivers and codecs: f belongs to
// the Value from then on and must not be changed by anyone.
func AdoptObject(f Fields) Value {
	return Value{kind: KindObject, ptr: unsafe.Pointer(unsafe.SliceData(f)), num: uint64(len(f))}
}

// Kind returns the value's kind.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// IsNumber reports whether v is an int or a float.
func (v Value) IsNumber() bool { return v.kind == KindInt || v.kind == KindFloat }

// Bool returns the bool that v holds; false if v is of another kind.
func (v Value) Bool() bool { return v.kind == KindBool && v.num != 0 }

// Int returns the int that v holds; 0 if v is of another kind.
func (v Value) Int() int64 {
	if v.kind != KindInt {
		return 0
	}
	return int64(v.num)
}

// Float returns the float that v holds, or the nearest float to the int that
// v holds; 0 if v is of another kind.
func (v Value) Float() float64 {
	switch v.kind {
	case KindFloat:
		return math.Float64frombits(v.num)
	case KindInt:
		return float64(int64(v.num))
	}
	return 0
}

// Time returns the instant that v holds, in UTC; the zero time if v is of
// another kind.
func (v Value) Time() time.Time {
	if v.kind != KindTime {
		return time.Time{}
	}
	return time.UnixMicro(int64(v.num)).UTC()
}

// Micros returns the instant that v holds as microseconds since the Unix
// epoch; 0 if v is of another kind.
func (v Value) Micros() int64 {
	if v.kind != KindTime {
		return 0
	}
	return int64(v.num)
}

// Str returns the string that v holds; "" if v is of another kind. (The name
// String is taken by fmt.Stringer, which prints any kind.)
func (v Value) Str() string {
	if v.kind != KindString {
		return ""
	}
	return unsafe.String((*byte)(v.ptr), int(v.num))
}

// Bytes returns a copy of the bytes that v holds; nil if v is of another kind.
func (v Value) Bytes() []byte {
	if v.kind != KindBytes {
		return nil
	}
	return append([]byte{}, v.rawBytes()...)
}

// AppendBytes appends the bytes that v holds to b; it appends nothing if v is
// of another kind.
func (v Value) AppendBytes(b []byte) []byte {
	if v.kind != KindBytes {
		return b
	}
	return append(b, v.rawBytes()...)
}

func (v Value) rawBytes() []byte  { return unsafe.Slice((*byte)(v.ptr), int(v.num)) }
func (v Value) rawArray() []Value { return unsafe.Slice((*Value)(v.ptr), int(v.num)) }
func (v Value) rawObject() Fields { return unsafe.Slice((*Field)(v.ptr), int(v.num)) }

// Len returns the number of bytes of a string or bytes value, of elements of
// an array, of fields of an object; 0 for the other kinds.
func (v Value) Len() int {
	if v.kind >= KindString {
		return int(v.num)
	}
	return 0
}

// Index returns the i-th element of an array; null if v is not an array or i
// is out of range.
func (v Value) Index(i int) Value {
	if v.kind != KindArray || i < 0 || i >= int(v.num) {
		return Value{}
	}
	return v.rawArray()[i]
}

// Elems returns the elements of an array; none if v is of another kind.
func (v Value) Elems() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.kind != KindArray {
			return
		}
		for _, e := range v.rawArray() {
			if !yield(e) {
				return
			}
		}
	}
}

// Field returns the field of that name of an object; null if v is not an
// object or has no such field.
func (v Value) Field(name string) Value {
	if v.kind != KindObject {
		return Value{}
	}
	f, _ := v.rawObject().Get(name)
	return f
}

// Fields returns a copy of the fields of an object; nil if v is of another kind.
func (v Value) Fields() Fields {
	if v.kind != KindObject {
		return nil
	}
	return append(Fields{}, v.rawObject()...)
}

// All returns the fields of an object in their order; none if v is of another kind.
func (v Value) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.kind != KindObject {
			return
		}
		for _, f := range v.rawObject() {
			if !yield(f.Name, f.Value) {
				return
			}
		}
	}
}

// Clone returns a value that shares no memory with v: for keeping a value
// whose text aliases a larger buffer.
func (v Value) Clone() Value {
	switch v.kind {
	case KindString:
		return String(strings.Clone(v.Str()))
	case KindBytes:
		return Bytes(v.rawBytes())
	case KindArray:
		vs := make([]Value, v.num)
		for i, e := range v.rawArray() {
			vs[i] = e.Clone()
		}
		return AdoptArray(vs)
	case KindObject:
		return AdoptObject(v.rawObject().Clone())
	}
	return v
}

// Equal reports whether v = w in the sense of the query language: numbers are
// equal across int and float when they are numerically equal, exactly; arrays
// are equal element by element; objects are equal whatever the order of their
// fields, a null field being the same as an absent one. Two nulls are equal
// here (a query's = on null is decided before it comes to this).
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind {
		return v.IsNumber() && w.IsNumber() && compareNumbers(v, w) == 0
	}
	switch v.kind {
	case KindNull:
		return true
	case KindFloat:
		return v.Float() == w.Float()
	case KindString:
		return v.Str() == w.Str()
	case KindBytes:
		return bytes.Equal(v.rawBytes(), w.rawBytes())
	case KindArray:
		return slices.EqualFunc(v.rawArray(), w.rawArray(), Value.Equal)
	case KindObject:
		return v.rawObject().equal(w.rawObject(), Value.Equal)
	}
	return v.num == w.num
}

// Identical reports whether v and w are the same value, kind included, at
// every depth: what a round trip through a store must keep. The order of an
// object's fields does not matter; an explicit null and an absent field differ;
// -0 and 0 do not.
func (v Value) Identical(w Value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case KindArray:
		return slices.EqualFunc(v.rawArray(), w.rawArray(), Value.Identical)
	case KindObject:
		return v.rawObject().Identical(w.rawObject())
	}
	return v.Equal(w)
}

// Compare orders v and w for sorting: bool < number < time < string < bytes <
// array < object < null, within a kind by value (numbers exactly across int
// and float; strings by code point; arrays element by element, a prefix first;
// objects as their fields sorted by name, null fields left out). It returns
// -1, 0 or 1. It is a total order in which Compare is 0 exactly where Equal is true.
func (v Value) Compare(w Value) int {
	if v.kind == KindString && w.kind == KindString { // by far the most common
		return strings.Compare(v.Str(), w.Str())
	}
	rv, rw := v.kind.rank(), w.kind.rank()
	if rv != rw {
		switch {
		case v.kind == KindNull:
			return 1
		case w.kind == KindNull:
			return -1
		}
		return cmp.Compare(rv, rw)
	}
	switch rv {
	case KindBool:
		return cmp.Compare(v.num, w.num)
	case KindInt:
		return compareNumbers(v, w)
	case KindTime:
		return cmp.Compare(int64(v.num), int64(w.num))
	case KindBytes:
		return bytes.Compare(v.rawBytes(), w.rawBytes())
	case KindArray:
		return slices.CompareFunc(v.rawArray(), w.rawArray(), Value.Compare)
	case KindObject:
		return compareObjects(v.rawObject(), w.rawObject())
	}
	return 0
}

// compareNumbers compares two numbers exactly, never rounding an int through
// float64. NaN sorts below every number.
func compareNumbers(v, w Value) int {
	switch {
	case v.kind == KindInt && w.kind == KindInt:
		return cmp.Compare(int64(v.num), int64(w.num))
	case v.kind == KindFloat && w.kind == KindFloat:
		return cmp.Compare(v.Float(), w.Float())
	case v.kind == KindInt:
		return compareIntFloat(int64(v.num), w.Float())
	}
	return -compareIntFloat(int64(w.num), v.Float())
}

func compareIntFloat(i int64, f float64) int {
	switch {
	case f != f:
		return 1
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(i, int64(whole)); c != 0 {
		return c
	}
	return -cmp.Compare(f, whole)
}

func compareObjects(a, b Fields) int {
	return slices.CompareFunc(a.sortedNonNull(), b.sortedNonNull(), func(x, y Field) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return x.Value.Compare(y.Value)
	})
}

// String prints the value as a literal of the query language: 'text', 12,
// 1.5, true, null, time '…', bytes '…', […] and {…}.
func (v Value) String() string { return string(v.AppendText(nil)) }

// Any returns the value as plain Go: nil, bool, int64, float64, time.Time,
// string, []byte, []any or map[string]any.
func (v Value) Any() any {
	switch v.kind {
	case KindBool:
		return v.Bool()
	case KindInt:
		return v.Int()
	case KindFloat:
		return v.Float()
	case KindTime:
		return v.Time()
	case KindString:
		return v.Str()
	case KindBytes:
		return v.Bytes()
	case KindArray:
		vs := make([]any, 0, v.num)
		for _, e := range v.rawArray() {
			vs = append(vs, e.Any())
		}
		return vs
	case KindObject:
		return v.rawObject().Map()
	}
	return nil
}
