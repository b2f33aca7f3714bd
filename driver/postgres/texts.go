package postgres

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// numeric reads a decimal: an int or a float if one says the very number.
func numeric(s string, refuse bool) (dataknobs.Value, error) {
	v := sqlgen.NumberText(s)
	if refuse && v.Kind() == dataknobs.KindString {
		return v, dataknobs.Errorf(dataknobs.DataLoss, "the number %.40s is neither an int nor a float", s).
			WithHint("numeric=text reads it as a string")
	}
	return v, nil
}

func floatText(s string, bits int) dataknobs.Value {
	f, err := strconv.ParseFloat(s, bits)
	if err != nil {
		return dataknobs.String(s)
	}
	return finite(f)
}

// hexText reads \x….
func hexText(b []byte) (dataknobs.Value, error) {
	s, ok := strings.CutPrefix(string(b), `\x`)
	raw, err := hex.DecodeString(s)
	if !ok || err != nil {
		return dataknobs.Value{}, dataknobs.Errorf(dataknobs.Internal, "the server did not send bytes as hexadecimal digits").
			WithHint("set bytea_output to hex")
	}
	return dataknobs.AdoptBytes(raw), nil
}

// timeText reads a date or a time as the server writes it with DateStyle ISO;
// what no time value can be stays text.
func timeText(s string) dataknobs.Value {
	for _, layout := range []string{"2006-01-02 15:04:05.999999", "2006-01-02", "2006-01-02 15:04:05.999999Z07", "2006-01-02 15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999Z07:00:00"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 {
			return dataknobs.Time(t)
		}
	}
	return dataknobs.String(s)
}

// parseArray reads the text of an array: {1,NULL,"a b",{…}}, with its bounds
// before it where they do not start at 1.
func parseArray(s string, c *sqlgen.Column, refuse bool) (dataknobs.Value, error) {
	if strings.HasPrefix(s, "[") {
		_, s, _ = strings.Cut(s, "=")
	}
	r := arrayReader{s: s, elem: textDecoder(c.Elem, c.SQLType, refuse)}
	v, err := r.array(0)
	if err == nil && r.at != len(s) {
		err = errArray
	}
	return v, err
}

var errArray = dataknobs.Errorf(dataknobs.Internal, "the server sent an array that cannot be read")

type arrayReader struct {
	s    string
	at   int
	elem func([]byte) (dataknobs.Value, error)
}

func (r *arrayReader) array(depth int) (dataknobs.Value, error) {
	if depth > 6 || r.at >= len(r.s) || r.s[r.at] != '{' { // the server has 6 dimensions at most
		return dataknobs.Value{}, errArray
	}
	r.at++
	vs := []dataknobs.Value{}
	if r.at < len(r.s) && r.s[r.at] == '}' {
		r.at++
		return dataknobs.AdoptArray(vs), nil
	}
	for {
		v, err := r.item(depth)
		if err != nil {
			return v, err
		}
		vs = append(vs, v)
		if r.at >= len(r.s) {
			return v, errArray
		}
		r.at++
		switch r.s[r.at-1] {
		case ',', ';': // ; between boxes
		case '}':
			return dataknobs.AdoptArray(vs), nil
		default:
			return v, errArray
		}
	}
}

func (r *arrayReader) item(depth int) (dataknobs.Value, error) {
	if r.at < len(r.s) && r.s[r.at] == '{' {
		return r.array(depth + 1)
	}
	var b []byte
	quoted := false
	for ; r.at < len(r.s); r.at++ {
		c := r.s[r.at]
		if !quoted && (c == ',' || c == ';' || c == '}') {
			break
		}
		switch c {
		case '"':
			if quoted {
				r.at++
				return r.elem(b)
			}
			quoted = true
			continue
		case '\\':
			if r.at++; r.at == len(r.s) {
				return dataknobs.Value{}, errArray
			}
			c = r.s[r.at]
		}
		b = append(b, c)
	}
	if string(b) == "NULL" {
		return dataknobs.Value{}, nil
	}
	return r.elem(b)
}
