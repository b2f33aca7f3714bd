package elasticsearch

import (
	"encoding/base64"
	"strconv"
	"strings"
	"sync"

	"dataknobs.dev/dataknobs"
)

// An encoder writes records as documents. It belongs to one goroutine.
//
// A document holds the record's fields under their own names as plain JSON, the
// metadata in _meta, and in _dk what JSON and the index need beside: the keys of
// all values, and where times and bytes stand, which JSON shows as strings.
type encoder struct {
	m *mapping
	// unknown are the columns that the mapping lacks; what was encoded since the
	// first of them must be encoded again.
	unknown map[string]bool

	at      []byte // the path of the value being encoded, as a column's name
	column  string // the same as a column, where it is known already
	body    []byte
	odd     []byte
	keys    list
	more    list
	times   list
	bytes   list
	whole   list
	elems   list
	cut     list
	scratch []byte
	names   map[string]*fieldName
}

// A fieldName is what an encoder remembers of a top-level field.
type fieldName struct {
	source []byte // the name in the document, quoted, with its colon
	at     []byte // the name as a path
	column string
}

// A list is the inside of a JSON array or object.
type list []byte

func (l *list) sep() {
	if len(*l) > 0 {
		*l = append(*l, ',')
	}
}

var encoders = sync.Pool{New: func() any { return &encoder{} }}

func newEncoder(m *mapping) *encoder {
	e := encoders.Get().(*encoder)
	e.m = m
	if len(e.names) > 10_000 || e.names == nil {
		e.names = map[string]*fieldName{}
	}
	clear(e.unknown)
	return e
}

func (e *encoder) free() { encoders.Put(e) }

// appendDocument appends r as the document of that ID.
func (e *encoder) appendDocument(b []byte, id string, r *dataknobs.Record) []byte {
	for _, l := range []*list{&e.keys, &e.more, &e.times, &e.bytes, &e.whole, &e.elems, &e.cut} {
		*l = (*l)[:0]
	}
	e.body, e.odd = e.body[:0], e.odd[:0]
	for i := range r.Fields {
		e.field(&r.Fields[i])
	}
	if len(r.Metadata) > 0 {
		e.body = append(e.body, `,"_meta":`...)
		e.at, e.column = append(e.at[:0], metaField...), ""
		e.body = e.object(e.body, dataknobs.AdoptObject(r.Metadata), true)
	}
	b = append(b, `{"_dk":{"id":`...)
	b = appendString(b, e.idKey(id))
	b = appendPart(b, `,"times":[`, e.times, ']')
	b = appendPart(b, `,"bytes":[`, e.bytes, ']')
	b = appendPart(b, `,"whole":[`, e.whole, ']')
	b = appendPart(b, `,"cut":[`, e.cut, ']')
	b = appendPart(b, `,"elems":[`, e.elems, ']')
	b = appendPart(b, `,"odd":{`, e.odd, '}')
	b = appendPart(b, `,"k":{`, e.keys, '}')
	b = appendPart(b, `,"x":{`, e.more, '}')
	b = append(b, '}')
	b = append(b, e.body...)
	return append(b, '}')
}

func (e *encoder) idKey(id string) []byte {
	e.scratch = append(append(e.scratch[:0], rankString), id...)
	return e.scratch
}

func appendPart(b []byte, head string, part []byte, end byte) []byte {
	if len(part) == 0 {
		return b
	}
	b = append(append(b, head...), part...)
	return append(b, end)
}

// field encodes a top-level field.
func (e *encoder) field(f *dataknobs.Field) {
	n := e.names[f.Name]
	if n == nil {
		step := appendStep(nil, f.Name)
		n = &fieldName{source: append(appendString(nil, []byte(sourceName(f.Name))), ':'), at: step, column: shortColumn(step)}
		e.names[strings.Clone(f.Name)] = n
	}
	e.column = n.column
	e.at = append(e.at[:0], n.at...)
	if e.m.declared[f.Name] && holdsObject(f.Value) {
		if len(e.odd) > 0 {
			e.odd = append(e.odd, ',')
		}
		e.odd = e.value(append(e.odd, n.source...), f.Value, true)
		return
	}
	e.body = append(append(e.body, ','), n.source...)
	e.body = e.value(e.body, f.Value, true)
}

// holdsObject reports whether v is an object or an array that holds one, at any depth.
func holdsObject(v dataknobs.Value) bool {
	for el := range v.Elems() {
		if holdsObject(el) {
			return true
		}
	}
	return v.Kind() == dataknobs.KindObject
}

// value appends v as plain JSON. indexed: it does not lie in an array, so its
// key is kept.
func (e *encoder) value(b []byte, v dataknobs.Value, indexed bool) []byte {
	if indexed && !v.IsNull() {
		e.key(v)
	}
	switch v.Kind() {
	case dataknobs.KindNull:
		return append(b, "null"...)
	case dataknobs.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case dataknobs.KindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case dataknobs.KindFloat:
		return appendFloat(b, v.Float())
	case dataknobs.KindTime:
		e.times.sep()
		e.times = appendString(e.times, e.at)
		b = v.Time().AppendFormat(append(b, '"'), `2006-01-02T15:04:05.000000Z`)
		return append(b, '"')
	case dataknobs.KindString:
		return appendText(b, v.Str())
	case dataknobs.KindBytes:
		e.bytes.sep()
		e.bytes = appendString(e.bytes, e.at)
		b = append(b, '"')
		e.scratch = v.AppendBytes(e.scratch[:0])
		b = base64.StdEncoding.AppendEncode(b, e.scratch)
		return append(b, '"')
	case dataknobs.KindArray:
		return e.array(b, v, indexed)
	}
	return e.object(b, v, indexed)
}

func (e *encoder) array(b []byte, v dataknobs.Value, indexed bool) []byte {
	b = append(b, '[')
	at := len(e.at)
	column := e.columnHere()
	i := 0
	for el := range v.Elems() {
		if i > 0 {
			b = append(b, ',')
		}
		if indexed && !el.IsNull() {
			e.elem(column, el)
		}
		e.at = append(e.at, '[')
		e.at = append(strconv.AppendInt(e.at, int64(i), 10), ']')
		b = e.value(b, el, false)
		e.at = e.at[:at]
		i++
	}
	return append(b, ']')
}

func (e *encoder) object(b []byte, v dataknobs.Value, indexed bool) []byte {
	b = append(b, '{')
	at := len(e.at)
	first := true
	for name, f := range v.All() {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, name), ':')
		e.at, e.column = appendStep(append(e.at, '/'), name), ""
		b = e.value(b, f, indexed)
		e.at = e.at[:at]
	}
	return append(b, '}')
}

func (e *encoder) columnHere() string {
	if e.column != "" {
		return e.column
	}
	return shortColumn(e.at)
}

// key keeps the key of the value here.
func (e *encoder) key(v dataknobs.Value) {
	column := e.columnHere()
	to := &e.keys
	if !e.m.shared[column] {
		if e.m.full {
			to = &e.more
		} else {
			if e.unknown == nil {
				e.unknown = map[string]bool{}
			}
			e.unknown[column] = true
		}
	}
	e.scratch = appendKey(e.scratch[:0], v)
	to.sep()
	*to = append(appendText(*to, column), ':')
	*to = appendString(*to, e.scratch)
	if len(e.scratch) > maxKey {
		e.cut.sep()
		e.cut = appendText(e.cut, column)
	}
	if v.Kind() == dataknobs.KindFloat && isWhole(v.Float()) {
		e.whole.sep()
		e.whole = appendText(e.whole, column)
	}
}

// isWhole reports whether an int could be equal to f.
func isWhole(f float64) bool { return f >= -1<<63 && f < 1<<63 && f == float64(int64(f)) }

// elem keeps the key of an element of the array in that column.
func (e *encoder) elem(column string, v dataknobs.Value) {
	e.scratch = appendElem(e.scratch[:0], column, v)
	e.elems.sep()
	e.elems = appendString(e.elems, e.scratch)
}

// appendElem appends what elemsField holds of an element.
func appendElem(b []byte, column string, v dataknobs.Value) []byte {
	b = append(append(b, column...), 0)
	return appendKey(b, v)
}

// appendFloat appends f so that it reads as a float.
func appendFloat(b []byte, f float64) []byte {
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	if !strings.ContainsAny(string(b[start:]), ".e") {
		b = append(b, ".0"...)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			b = append(b, s[from:i]...)
			b = appendJSONEscape(b, c)
			from = i + 1
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendString(b, s []byte) []byte {
	b = append(b, '"')
	from := 0
	for i, c := range s {
		if c < ' ' || c == '"' || c == '\\' {
			b = append(b, s[from:i]...)
			b = appendJSONEscape(b, c)
			from = i + 1
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendJSONEscape(b []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}
