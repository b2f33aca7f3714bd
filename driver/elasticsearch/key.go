package elasticsearch

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// A key is text whose order, byte by byte, is the contract's order of values
// and which is equal where the values are equal. It begins with the rank of the
// value's kind. The index holds one for each value of each record, so that one
// keyword field says everything about a path, whatever kinds it holds.
const (
	rankBool   = '1'
	rankNumber = '2'
	rankTime   = '3'
	rankString = '4'
	rankBytes  = '5'
	rankArray  = '6'
	rankObject = '7'
	rankNull   = '9' // inside arrays only
)

// maxKey is how long a key may be. A longer one is cut: its first bytes, NUL,
// and a hash of the whole. Cut keys are equal exactly where the values are, but
// those with the same beginning have no order among themselves. The server
// takes no longer prefix in a query than 1,000 characters.
const (
	maxKey     = 960
	hashDigits = 32
	// sureKey is the length up to which comparing with a cut key is exact, however
	// the cut fell between the bytes of a character.
	sureKey = maxKey - utf8.UTFMax
)

// rankOf returns the rank of a kind that is not null.
func rankOf(k dataknobs.Kind) byte {
	switch k {
	case dataknobs.KindBool:
		return rankBool
	case dataknobs.KindInt, dataknobs.KindFloat:
		return rankNumber
	case dataknobs.KindTime:
		return rankTime
	case dataknobs.KindString:
		return rankString
	case dataknobs.KindBytes:
		return rankBytes
	case dataknobs.KindArray:
		return rankArray
	case dataknobs.KindObject:
		return rankObject
	}
	return rankNull
}

// keyOf returns the key of a value that is not null.
func keyOf(v dataknobs.Value) string { return string(appendKey(nil, v)) }

// appendKey appends the key of a value that is not null.
func appendKey(b []byte, v dataknobs.Value) []byte {
	start := len(b)
	return cutKey(appendFullKey(b, v), start)
}

// cutKey cuts the key that begins at start if it is too long.
func cutKey(b []byte, start int) []byte {
	if len(b)-start <= maxKey {
		return b
	}
	hash := sha256.Sum256(b[start:])
	end := start + maxKey
	for !utf8.RuneStart(b[end]) {
		end--
	}
	b = append(b[:end], 0)
	return hex.AppendEncode(b, hash[:hashDigits/2])
}

// isCut reports whether a key was cut.
func isCut(key string) bool { return len(key) > maxKey }

// beginning returns what a cut key was cut to, or a whole key as it is.
func beginning(key string) string {
	if isCut(key) {
		return key[:len(key)-hashDigits-1]
	}
	return key
}

func appendFullKey(b []byte, v dataknobs.Value) []byte {
	b = append(b, rankOf(v.Kind()))
	switch v.Kind() {
	case dataknobs.KindBool:
		if v.Bool() {
			return append(b, '1')
		}
		return append(b, '0')
	case dataknobs.KindInt:
		return appendIntKey(b, v.Int())
	case dataknobs.KindFloat:
		return appendNumberKey(b, v.Float(), 0)
	case dataknobs.KindTime:
		return appendTimeKey(b, v.Time())
	case dataknobs.KindString:
		return append(b, v.Str()...)
	case dataknobs.KindBytes:
		return hex.AppendEncode(b, v.Bytes())
	case dataknobs.KindArray:
		for e := range v.Elems() {
			b = append(appendFullKey(b, e), 0)
		}
		return b
	case dataknobs.KindObject:
		return appendObjectKey(b, v)
	}
	return b
}

// appendObjectKey appends the fields sorted by name, nulls left out. NUL, which
// no text has, ends each name and each value, so a prefix comes first.
func appendObjectKey(b []byte, v dataknobs.Value) []byte {
	fields := v.Fields()
	slices.SortFunc(fields, func(x, y dataknobs.Field) int { return strings.Compare(x.Name, y.Name) })
	for _, f := range fields {
		if !f.Value.IsNull() {
			b = append(append(b, f.Name...), 0)
			b = append(appendFullKey(b, f.Value), 0)
		}
	}
	return b
}

// Numbers are the greatest float that is not above them, as sixteen hex digits
// that sort, and how far above it they are, as three: what an int of more than
// 53 bits needs. Zeros at the end are left out.
const numberDigits = 16 + 3

func appendIntKey(b []byte, i int64) []byte {
	f := float64(i)
	if f >= 1<<63 || int64(f) > i {
		f = math.Nextafter(f, math.Inf(-1))
	}
	return appendNumberKey(b, f, uint64(i-int64(f)))
}

func appendNumberKey(b []byte, f float64, above uint64) []byte {
	const digits = "0123456789abcdef"
	u := math.Float64bits(f + 0) // -0 is 0
	if f == 0 {
		u = 0
	}
	if u>>63 != 0 {
		u = ^u
	} else {
		u |= 1 << 63
	}
	var text [numberDigits]byte
	for i := range 16 {
		text[i] = digits[u>>(60-4*i)&15]
	}
	for i := range 3 {
		text[16+i] = digits[above>>(8-4*i)&15]
	}
	n := numberDigits
	for n > 0 && text[n-1] == '0' {
		n--
	}
	return append(b, text[:n]...)
}

// parseNumberKey returns the number of a key without its rank: an int where it
// is a whole number that int64 holds.
func parseNumberKey(digits string) (dataknobs.Value, bool) {
	if len(digits) > numberDigits {
		return dataknobs.Value{}, false
	}
	padded := digits + "0000000000000000000"[len(digits):]
	u, err := strconv.ParseUint(padded[:16], 16, 64)
	above, err2 := strconv.ParseUint(padded[16:], 16, 64)
	if err != nil || err2 != nil {
		return dataknobs.Value{}, false
	}
	if u>>63 != 0 {
		u &^= 1 << 63
	} else {
		u = ^u
	}
	f := math.Float64frombits(u)
	if f == math.Trunc(f) && f >= -1<<63 && f < 1<<63 {
		return dataknobs.Int(int64(f) + int64(above)), true
	}
	return dataknobs.Float(f), true
}

// appendTimeKey appends a time: RFC 3339 in UTC without the Z and the zeros at the end of the
// fraction, so that a longer one comes after its beginning.
func appendTimeKey(b []byte, t time.Time) []byte {
	b = t.AppendFormat(b, "2006-01-02T15:04:05.000000")
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}

// valueOfKey returns the value of a key; false where the key does not tell: it
// was cut, or is that of an array or object. A whole number is shown as an int.
func valueOfKey(key string) (dataknobs.Value, bool) {
	if key == "" || isCut(key) {
		return dataknobs.Value{}, false
	}
	text := key[1:]
	switch key[0] {
	case rankBool:
		return dataknobs.Bool(text == "1"), true
	case rankNumber:
		return parseNumberKey(text)
	case rankTime:
		return dataknobs.ParseTime(text + "Z")
	case rankString:
		return dataknobs.String(text), true
	case rankBytes:
		raw, err := hex.DecodeString(text)
		return dataknobs.AdoptBytes(raw), err == nil
	}
	return dataknobs.Value{}, false
}
