package sqlgen

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// The tags of the kinds that JSON lacks. Every other name that starts with $
// has one more $ put before it, so that a tag is never mistaken for a name.
const (
	tagTime  = "$time"
	tagBytes = "$bytes"
)

// AppendFields appends f as JSON that keeps kinds and that the databases
// compare exactly:
//
//   - a time is {"$time": "2026-01-02T03:04:05.000000Z"}, always of that length,
//     so that the order of the texts is that of the times;
//   - bytes are {"$bytes": "…"} in base64;
//   - a name that starts with $ has one more $ put before it, at every level;
//   - a float has a point, unless it is tiny and has an exponent. An integral one
//     has all of its digits, so that decimals compare as the numbers do.
//
// A number that is not finite is InvalidArgument.
func AppendFields(b []byte, f dataknobs.Fields) ([]byte, error) {
	e := encoder{b: b}
	e.object(f)
	if e.bad {
		return b, dataknobs.Errorf(dataknobs.InvalidArgument, "only finite numbers can be stored")
	}
	return e.b, nil
}

// AppendValue appends one value as AppendFields does.
func AppendValue(b []byte, v dataknobs.Value) ([]byte, error) {
	e := encoder{b: b}
	e.value(v)
	if e.bad {
		return b, dataknobs.Errorf(dataknobs.InvalidArgument, "only finite numbers can be stored")
	}
	return e.b, nil
}

// An encoder writes JSON that keeps kinds.
type encoder struct {
	b   []byte
	bad bool // there was a number that is not finite
}

func (e *encoder) object(f dataknobs.Fields) {
	if len(f) == 0 {
		e.b = append(e.b, "{}"...)
		return
	}
	sep := byte('{')
	for i := range f {
		e.b = append(e.b, sep)
		sep = ','
		e.name(f[i].Name)
		e.value(f[i].Value)
	}
	e.b = append(e.b, '}')
}

// name writes a name and the colon.
func (e *encoder) name(s string) {
	e.b = dataknobs.AppendJSONString(e.b, escapeName(s))
	e.b = append(e.b, ':')
}

// escapeName returns the name under which a field is stored.
func escapeName(s string) string {
	if s != "" && s[0] == '$' {
		return "$" + s
	}
	return s
}

func (e *encoder) value(v dataknobs.Value) {
	switch v.Kind() {
	case dataknobs.KindNull:
		e.b = append(e.b, "null"...)
	case dataknobs.KindBool:
		e.b = strconv.AppendBool(e.b, v.Bool())
	case dataknobs.KindInt:
		e.b = strconv.AppendInt(e.b, v.Int(), 10)
	case dataknobs.KindFloat:
		e.float(v.Float())
	case dataknobs.KindString:
		e.b = dataknobs.AppendJSONString(e.b, v.Str())
	case dataknobs.KindTime:
		e.b = append(e.b, `{"$time":"`...)
		e.b = appendTime(e.b, v)
		e.b = append(e.b, `"}`...)
	case dataknobs.KindBytes:
		e.b = append(e.b, `{"$bytes":"`...)
		e.b = base64.StdEncoding.AppendEncode(e.b, v.AppendBytes(nil))
		e.b = append(e.b, `"}`...)
	case dataknobs.KindArray:
		e.array(v)
	case dataknobs.KindObject:
		e.nested(v)
	}
}

func (e *encoder) array(v dataknobs.Value) {
	e.b = append(e.b, '[')
	for i := range v.Len() {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.value(v.Index(i))
	}
	e.b = append(e.b, ']')
}

func (e *encoder) nested(v dataknobs.Value) {
	e.b = append(e.b, '{')
	first := true
	for name, x := range v.All() {
		if !first {
			e.b = append(e.b, ',')
		}
		first = false
		e.name(name)
		e.value(x)
	}
	e.b = append(e.b, '}')
}

func (e *encoder) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.bad = true
	}
	e.b = appendFloat(e.b, f)
}

// appendFloat appends the shortest decimal that reads back as f; where f is
// integral and an int could be equal to it, all of its digits.
func appendFloat(b []byte, f float64) []byte {
	abs := math.Abs(f)
	switch {
	case abs <= 1<<63 && f == math.Trunc(f):
		if abs < 1<<63 && f != 0 {
			b = strconv.AppendInt(b, int64(f), 10)
		} else {
			b = strconv.AppendFloat(b, f, 'f', 0, 64)
		}
		return append(b, ".0"...)
	case abs < 1e-6:
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if slices.Contains(b[start:], '.') {
		return b
	}
	return append(b, ".0"...)
}

// timeLen is the length of every time text.
const timeLen = len("2026-01-02T03:04:05.000000Z")

// appendTime appends the time v with six digits after the point.
func appendTime(b []byte, v dataknobs.Value) []byte {
	t := v.Time()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = appendPadded(b, year, 4)
	b = appendPadded(append(b, '-'), int(month), 2)
	b = appendPadded(append(b, '-'), day, 2)
	b = appendPadded(append(b, 'T'), hour, 2)
	b = appendPadded(append(b, ':'), minute, 2)
	b = appendPadded(append(b, ':'), second, 2)
	b = appendPadded(append(b, '.'), t.Nanosecond()/1000, 6)
	return append(b, 'Z')
}

// appendPadded appends n, which is not negative, with that many digits.
func appendPadded(b []byte, n, digits int) []byte {
	at := len(b)
	b = append(b, "000000"[:digits]...)
	for i := at + digits - 1; i >= at; i-- {
		b[i] += byte(n % 10)
		n /= 10
	}
	return b
}

// timeText returns what appendTime appends.
func timeText(v dataknobs.Value) string { return string(appendTime(nil, v)) }

// TimeText returns the time in the form of the JSON columns and of the time
// columns of SQLite: 2026-01-02T03:04:05.000000Z.
func TimeText(v dataknobs.Value) string { return timeText(v) }

// jsonText returns v as JSON that keeps kinds, for a parameter.
func jsonText(v dataknobs.Value) string {
	e := encoder{}
	e.value(v)
	return string(e.b)
}

// digits returns the number v as a decimal, in the form of the JSON columns.
func digits(v dataknobs.Value) string {
	return strings.TrimSuffix(jsonText(v), ".0")
}
