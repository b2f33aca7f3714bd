package sqlgen

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

// Key returns bytes that compare as the values do under Value.Compare, and are
// the same just where the values are Equal: what dk_key returns in SQLite.
func Key(v dataknobs.Value) []byte { return appendKey(nil, v) }

// The first byte of each kind. An array and an object end with keyEnd, which
// comes before all of them.
const (
	keyEnd byte = iota
	keyBool
	keyNumber
	keyTime
	keyString
	keyBytes
	keyArray
	keyObject
	keyNull byte = 0xff
)

func appendKey(b []byte, v dataknobs.Value) []byte {
	switch v.Kind() {
	case dataknobs.KindBool:
		if v.Bool() {
			return append(b, keyBool, 1)
		}
		return append(b, keyBool, 0)
	case dataknobs.KindInt:
		return appendIntegerKey(append(b, keyNumber), v.Int())
	case dataknobs.KindFloat:
		return appendNumberKey(append(b, keyNumber), v.Float(), 0)
	case dataknobs.KindTime:
		return appendIntKey(append(b, keyTime), v.Micros())
	case dataknobs.KindString:
		return appendTextKey(append(b, keyString), v.Str())
	case dataknobs.KindBytes:
		return appendTextKey(append(b, keyBytes), string(v.AppendBytes(nil)))
	case dataknobs.KindArray:
		b = append(b, keyArray)
		for e := range v.Elems() {
			b = appendKey(b, e)
		}
		return append(b, keyEnd)
	case dataknobs.KindObject:
		return appendObjectKey(append(b, keyObject), v)
	}
	return append(b, keyNull)
}

// appendIntegerKey appends the nearest float to i and by how much i is more.
func appendIntegerKey(b []byte, i int64) []byte {
	f := float64(i)
	if f >= 1<<63 {
		return appendNumberKey(b, f, i-math.MaxInt64-1)
	}
	return appendNumberKey(b, f, i-int64(f))
}

func appendNumberKey(b []byte, f float64, more int64) []byte {
	if f == 0 {
		f = 0 // not -0
	}
	bits := math.Float64bits(f)
	if bits>>63 != 0 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return appendIntKey(binary.BigEndian.AppendUint64(b, bits), more)
}

func appendIntKey(b []byte, i int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(i)^1<<63)
}

// appendTextKey appends s and an end that comes before any other byte.
func appendTextKey(b []byte, s string) []byte {
	for i := range len(s) {
		if b = append(b, s[i]); s[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return append(b, 0, 0)
}

func appendObjectKey(b []byte, v dataknobs.Value) []byte {
	f := slices.DeleteFunc(v.Fields(), func(f dataknobs.Field) bool { return f.Value.IsNull() })
	slices.SortFunc(f, func(x, y dataknobs.Field) int { return strings.Compare(x.Name, y.Name) })
	for _, x := range f {
		b = appendKey(appendTextKey(append(b, keyBool), x.Name), x.Value)
	}
	return append(b, keyEnd)
}
