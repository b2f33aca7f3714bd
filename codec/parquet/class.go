package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/parquet-go/parquet-go/deprecated"

	"dataknobs.dev/dataknobs"
)

// A class says how the values of a leaf become values of ours.
type class uint8

const (
	classNull class = iota
	classBool
	classInt
	classUint64  // an int, refused beyond int64
	classFloat   // of 16, 32 or 64 bits
	classTime    // timestamps and dates, in microseconds after decoding
	classTimeDay // a time of day: text
	classDecimal // text, but where it is surely an int
	classString
	classUUID
	classBytes
)

func (c class) kinds() dataknobs.KindSet {
	switch c {
	case classBool:
		return dataknobs.KindsOf(dataknobs.KindBool)
	case classInt, classUint64:
		return dataknobs.KindsOf(dataknobs.KindInt)
	case classFloat:
		return dataknobs.KindsOf(dataknobs.KindFloat)
	case classTime:
		return dataknobs.KindsOf(dataknobs.KindTime)
	case classTimeDay, classDecimal, classString, classUUID:
		return dataknobs.KindsOf(dataknobs.KindString)
	case classBytes:
		return dataknobs.KindsOf(dataknobs.KindBytes)
	}
	return dataknobs.KindsOf(dataknobs.KindNull)
}

// classify decides the class of a leaf from its physical and logical types. An
// annotation that does not fit the physical type is passed over.
func (n *node) classify() error {
	integer := n.typ == typeInt32 || n.typ == typeInt64
	text := n.typ == typeBytes
	raw := n.typ == typeBytes || n.typ == typeFixed
	switch {
	case n.logical == logicalNull:
		n.class = classNull
		return n.checkType()
	case n.logical == logicalDate && n.typ == typeInt32:
		n.class = classTime
		return nil
	case n.logical == logicalTimestamp && n.typ == typeInt64 && n.unit > 0:
		n.class = classTime
		return nil
	case n.logical == logicalTime && integer && n.unit > 0:
		n.class = classTimeDay
		return nil
	case n.logical == logicalDecimal && (integer || raw) && n.scale >= 0:
		n.class = classDecimal
		if n.scale == 0 && n.precision > 0 && n.precision <= 18 {
			n.class = classInt
		}
		return n.checkType()
	case text && (n.logical == logicalString || n.logical == logicalEnum || n.logical == logicalJSON):
		n.class = classString
		return nil
	case n.logical == logicalUUID && n.typ == typeFixed && n.length == 16:
		n.class = classUUID
		return nil
	case n.logical == logicalFloat16 && n.typ == typeFixed && n.length == 2:
		n.class = classFloat
		return nil
	}
	return n.classifyPlain()
}

func (n *node) classifyPlain() error {
	switch n.typ {
	case typeBoolean:
		n.class = classBool
	case typeInt32:
		n.class = classInt
	case typeInt64:
		n.class = classInt
		if n.logical == logicalInt && n.unsigned {
			n.class = classUint64
		}
	case typeInt96:
		n.class = classTime
	case typeFloat, typeDouble:
		n.class = classFloat
	default:
		n.class = classBytes
	}
	return n.checkType()
}

func (n *node) checkType() error {
	if n.typ < typeBoolean || n.typ > typeFixed {
		return fmt.Errorf("the column %s has the unknown type %d", n.path, n.typ)
	}
	if n.typ == typeFixed && (n.length < 0 || n.length > 1<<20) {
		return fmt.Errorf("the column %s has values of %d bytes", n.path, n.length)
	}
	return nil
}

// The times that can be a value, in microseconds since 1970.
const (
	minMicros = -62135596800_000_000
	maxMicros = 253402300799_999_999
	badMicros = math.MaxInt64
)

// microsOf turns a timestamp or date as stored into microseconds, in place,
// fractions cut downwards; what is out of reach becomes badMicros.
func (n *node) microsOf(vs []int64) {
	var factor int64
	switch {
	case n.logical == logicalDate:
		factor = 86400e6
	case n.unit == 1e3:
		factor = 1000
	case n.unit == 1e9:
		for i, v := range vs {
			q := v / 1000
			if v%1000 < 0 {
				q--
			}
			vs[i] = q
		}
		return
	default:
		return
	}
	limit := math.MaxInt64/factor - 1
	for i, v := range vs {
		if v > limit || v < -limit {
			vs[i] = badMicros
			continue
		}
		vs[i] = v * factor
	}
}

// int96Micros reads the old timestamps of Impala and Spark: nanoseconds of the
// day and the Julian day.
func int96Micros(x deprecated.Int96) int64 {
	nanos := int64(uint64(x[0]) | uint64(x[1])<<32)
	day := int64(int32(x[2])) - 2440588
	us := nanos / 1000
	if nanos%1000 < 0 {
		us--
	}
	return day*86400e6 + us
}

// timeOfDay returns the text of a time of day: 15:04:05 with the fraction that
// it has.
func (n *node) timeOfDay(v int64) (string, bool) {
	if v < 0 || v >= 86400*n.unit {
		return "", false
	}
	t := time.Unix(0, v*(1e9/n.unit)).UTC()
	return t.Format("15:04:05.999999999"), true
}

// decimalText returns the exact text of unscaled / 10^scale.
func (n *node) decimalText(unscaled string) string {
	if n.scale == 0 {
		return unscaled
	}
	sign := ""
	if strings.HasPrefix(unscaled, "-") {
		sign, unscaled = "-", unscaled[1:]
	}
	if short := n.scale + 1 - len(unscaled); short > 0 {
		unscaled = strings.Repeat("0", short) + unscaled
	}
	cut := len(unscaled) - n.scale
	return sign + unscaled[:cut] + "." + unscaled[cut:]
}

func (n *node) decimalOfInt(v int64) string { return n.decimalText(strconv.FormatInt(v, 10)) }

// bigEndian reads a two's complement number; false if it is beyond int64.
func bigEndian(b []byte) (v int64, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	v = int64(int8(b[0]))
	for _, c := range b[1:] {
		if v > math.MaxInt64>>8 || v < math.MinInt64>>8 {
			return 0, false
		}
		v = v<<8 | int64(c)
	}
	return v, true
}

// decimalOfBytes reads a big-endian two's complement number.
func (n *node) decimalOfBytes(b []byte) string {
	if v, ok := bigEndian(b); ok {
		return n.decimalOfInt(v)
	}
	x := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n.decimalText(x.String())
}

func uuidText(b []byte) string {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, hex[c>>4], hex[c&15])
	}
	return string(out)
}

// float16 widens a half-precision float.
func float16(b []byte) float64 {
	u := uint(binary.LittleEndian.Uint16(b))
	mant, exp := float64(u&0x3FF), int(u>>10&31)
	var f float64
	switch exp {
	case 0:
		f = math.Ldexp(mant, -24)
	case 31:
		f = math.Inf(1)
		if mant != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(1024+mant, exp-25)
	}
	if u>>15 != 0 {
		f = -f
	}
	return f
}

// textOK reports whether b can be a string value.
func textOK(b []byte) bool {
	ascii := true
	for _, c := range b {
		if c == 0 {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.Valid(b)
}

// view returns b as a string that aliases it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
