package postgres

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// encodeColumn returns the text of a value as the column takes it. A value that
// would not come back as it is, is refused.
func encodeColumn(c *sqlgen.Column, l *limits, v dataknobs.Value) ([]byte, error) {
	b, why := appendColumn([]byte{}, c.Type, c, l, v) // never nil, which is NULL
	if why == "" {
		return b, nil
	}
	if why == wrongKind {
		why = "takes no " + v.Kind().String()
	}
	return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the field %s: its column, of type %s, %s", dataknobs.Names(c.Name), c.SQLType, why)
}

const wrongKind = "?"

// appendColumn appends the text of a value; why says why it cannot be.
func appendColumn(b []byte, t sqlgen.Type, c *sqlgen.Column, l *limits, v dataknobs.Value) (_ []byte, why string) {
	k := v.Kind()
	switch t {
	case sqlgen.Bool:
		if k == dataknobs.KindBool {
			return strconv.AppendBool(b, v.Bool()), ""
		}
	case sqlgen.Int:
		if k == dataknobs.KindInt {
			return strconv.AppendInt(b, v.Int(), 10), ""
		}
	case sqlgen.Float:
		return appendFloat(b, l, v)
	case sqlgen.Numeric:
		return appendNumeric(b, l, v)
	case sqlgen.Date, sqlgen.Timestamp, sqlgen.TimestampTZ:
		return appendTime(b, t, l, v)
	case sqlgen.Bytes:
		if k == dataknobs.KindBytes {
			b = append(b, `\x`...)
			return hex.AppendEncode(b, v.AppendBytes(nil)), ""
		}
	case sqlgen.UUID:
		if k == dataknobs.KindString {
			if !sqlgen.IsUUID(v.Str()) {
				return nil, "takes UUIDs in lower case only, such as 0190163d-8694-739b-aea5-966c26f8ad91"
			}
			return append(b, v.Str()...), ""
		}
	case sqlgen.JSON:
		if hasTagged(v) {
			return nil, "is plain JSON, which has no times and no bytes"
		}
		return v.AppendJSON(b), ""
	case sqlgen.Tagged:
		b, err := sqlgen.AppendValue(b, v)
		if err != nil {
			return nil, "takes no infinite number"
		}
		return b, ""
	case sqlgen.Array:
		if k == dataknobs.KindArray {
			return appendArray(b, c, l, v, 0)
		}
	default: // Text, Enum, Other
		if k == dataknobs.KindString {
			return append(b, v.Str()...), ""
		}
	}
	return nil, wrongKind
}

func appendFloat(b []byte, l *limits, v dataknobs.Value) ([]byte, string) {
	switch v.Kind() {
	case dataknobs.KindFloat:
		f := v.Float()
		if l.single && float64(float32(f)) != f {
			return nil, "is too narrow for a number of so many digits"
		}
		return strconv.AppendFloat(b, f, 'g', -1, 64), ""
	case dataknobs.KindString:
		if s := v.Str(); s == "NaN" || s == "Infinity" || s == "-Infinity" {
			return append(b, s...), ""
		}
	}
	return nil, wrongKind
}

func appendNumeric(b []byte, l *limits, v dataknobs.Value) ([]byte, string) {
	start := len(b)
	switch v.Kind() {
	case dataknobs.KindInt:
		b = strconv.AppendInt(b, v.Int(), 10)
	case dataknobs.KindFloat:
		b = strconv.AppendFloat(b, v.Float(), 'f', -1, 64)
	case dataknobs.KindString:
		s := v.Str()
		if s != "NaN" && s != "Infinity" && s != "-Infinity" {
			if _, err := strconv.ParseFloat(s, 64); err != nil && !strings.Contains(err.Error(), "range") || strings.ContainsAny(s, "xXpP_iIn") {
				return nil, wrongKind
			}
		}
		b = append(b, s...)
	default:
		return nil, wrongKind
	}
	if l.hasScale {
		_, frac, _ := strings.Cut(strings.TrimRight(string(b[start:]), "0"), ".")
		if len(frac) > l.scale && !strings.ContainsAny(frac, "eE") {
			return nil, "would round the number to " + strconv.Itoa(l.scale) + " digits after the point"
		}
	}
	return b, ""
}

func appendTime(b []byte, t sqlgen.Type, l *limits, v dataknobs.Value) ([]byte, string) {
	if s := v.Str(); v.Kind() == dataknobs.KindString && (s == "infinity" || s == "-infinity") {
		return append(b, s...), ""
	}
	if v.Kind() != dataknobs.KindTime {
		return nil, wrongKind
	}
	us := v.Micros()
	switch {
	case t == sqlgen.Date && us%86400_000_000 != 0:
		return nil, "has no time of day"
	case l.seconds < 6 && us%int64(math.Pow10(6-l.seconds)) != 0:
		return nil, "would round the time"
	}
	return append(b, sqlgen.TimeText(v)...), ""
}

// hasTagged reports whether v holds a kind that plain JSON lacks.
func hasTagged(v dataknobs.Value) bool {
	switch v.Kind() {
	case dataknobs.KindTime, dataknobs.KindBytes:
		return true
	case dataknobs.KindArray:
		for e := range v.Elems() {
			if hasTagged(e) {
				return true
			}
		}
	case dataknobs.KindObject:
		for _, e := range v.All() {
			if hasTagged(e) {
				return true
			}
		}
	}
	return false
}

// appendArray appends the text of an array, each element in quotes.
func appendArray(b []byte, c *sqlgen.Column, l *limits, v dataknobs.Value, depth int) ([]byte, string) {
	if depth > 5 {
		return nil, "nests no deeper than 6 levels"
	}
	b = append(b, '{')
	i := 0
	for e := range v.Elems() {
		if i++; i > 1 {
			b = append(b, ',')
		}
		var why string
		switch {
		case e.IsNull():
			b = append(b, "NULL"...)
		case e.Kind() == dataknobs.KindArray && c.Elem != sqlgen.JSON:
			b, why = appendArray(b, c, l, e, depth+1)
		default:
			b, why = appendElem(b, c, l, e)
		}
		if why != "" {
			return nil, why
		}
	}
	return append(b, '}'), ""
}

func appendElem(b []byte, c *sqlgen.Column, l *limits, e dataknobs.Value) ([]byte, string) {
	text, why := appendColumn(nil, c.Elem, c, l, e)
	if why == wrongKind {
		return nil, "takes no element that is a " + e.Kind().String()
	}
	if why != "" {
		return nil, why
	}
	return appendQuoted(b, text), ""
}
