package elasticsearch

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// obj is a JSON object that the driver builds: queries and settings are data.
type obj = map[string]any

// encodeJSON encodes what the driver itself has built of strings, numbers, maps
// and slices. The names of an object are sorted.
func encodeJSON(x any) []byte { return appendJSON(make([]byte, 0, 512), x) }

// appendJSON appends x as JSON. What the bodies of searches are made of is
// written without reflection, which took a tenth of a small search's time here.
func appendJSON(b []byte, x any) []byte {
	switch x := x.(type) {
	case obj:
		return appendObject(b, x)
	case []any:
		return appendArray(b, x, appendJSON)
	case []obj:
		return appendArray(b, x, appendObject)
	case []string:
		return appendArray(b, x, func(b []byte, s string) []byte { return appendJSON(b, s) })
	case string:
		if utf8.ValidString(x) {
			return appendText(b, x)
		}
	case bool:
		return strconv.AppendBool(b, x)
	case int:
		return strconv.AppendInt(b, int64(x), 10)
	case int64:
		return strconv.AppendInt(b, x, 10)
	}
	return appendReflected(b, x)
}

func appendObject(b []byte, o obj) []byte {
	if o == nil {
		return append(b, "null"...)
	}
	var few [16]string // without allocating
	names := slices.AppendSeq(few[:0], maps.Keys(o))
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		b = appendJSON(b, o[name])
	}
	return append(b, '}')
}

func appendArray[T any](b []byte, xs []T, one func([]byte, T) []byte) []byte {
	if xs == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, x := range xs {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, x)
	}
	return append(b, ']')
}

func appendReflected(b []byte, x any) []byte {
	buf := bytes.NewBuffer(b)
	e := json.NewEncoder(buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(x); err != nil {
		panic("elasticsearch: " + err.Error()) // a value that JSON has not: a mistake in this package
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
