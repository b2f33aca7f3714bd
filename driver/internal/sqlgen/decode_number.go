package sqlgen

import (
	"math/big"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// number reads a number.
func (d *Decoder) number() dataknobs.Value {
	start := d.at
	i := start
	b := d.b
	neg := b[i] == '-'
	if neg {
		i++
	}
	var m uint64 // the digits, as long as there are few
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		m = m*10 + uint64(b[i]-'0')
		i++
	}
	whole := i - first
	if whole == 0 || whole > 1 && b[first] == '0' {
		d.fail("this is not a number")
		return dataknobs.Value{}
	}
	if i == len(b) || b[i] != '.' && b[i] != 'e' && b[i] != 'E' {
		d.at = i
		if whole <= 18 {
			if neg {
				return dataknobs.Int(-int64(m))
			}
			return dataknobs.Int(int64(m))
		}
		return NumberText(string(b[start:i]))
	}
	frac := 0
	if b[i] == '.' {
		i++
		for i < len(b) && b[i]-'0' <= 9 {
			m = m*10 + uint64(b[i]-'0')
			i++
			frac++
		}
		if frac == 0 {
			d.fail("this is not a number")
			return dataknobs.Value{}
		}
	}
	if i == len(b) || b[i] != 'e' && b[i] != 'E' {
		d.at = i
		// Both are exact, so the quotient is the nearest float.
		if whole+frac <= 18 && m < 1<<53 && frac < len(pow10) {
			f := float64(m) / pow10[frac]
			if neg {
				f = -f
			}
			return dataknobs.Float(f)
		}
		return d.float(start)
	}
	i++
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		i++
	}
	exp := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if d.at = i; i == exp {
		d.fail("this is not a number")
		return dataknobs.Value{}
	}
	return d.float(start)
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

func (d *Decoder) float(start int) dataknobs.Value {
	text := string(d.b[start:d.at])
	f, err := strconv.ParseFloat(text, 64)
	if err != nil { // out of range
		return dataknobs.String(text)
	}
	return dataknobs.Float(f)
}

// NumberText returns the number that a decimal text spells, such as a numeric
// of the database: an int where it is integral and within int64, a float where
// the float's shortest decimal is the same number, else the text as a string.
func NumberText(s string) dataknobs.Value {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return dataknobs.Int(i)
	}
	whole, frac, hasPoint := strings.Cut(s, ".")
	if hasPoint && strings.Trim(frac, "0") == "" {
		if i, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return dataknobs.Int(i)
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != f {
		return dataknobs.String(s)
	}
	if significant(s) <= 15 && f != 0 {
		return dataknobs.Float(f)
	}
	short, ok1 := new(big.Rat).SetString(strconv.FormatFloat(f, 'e', -1, 64))
	exact, ok2 := new(big.Rat).SetString(s)
	if ok1 && ok2 && short.Cmp(exact) == 0 {
		return dataknobs.Float(f)
	}
	return dataknobs.String(s)
}

// significant returns how many digits s has from the first that is not 0;
// with an exponent, many.
func significant(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == 'e' || c == 'E':
			return 100
		case c >= '0' && c <= '9' && (n > 0 || c != '0'):
			n++
		}
	}
	return n
}
