package parquet

import (
	"math"

	"github.com/parquet-go/parquet-go/encoding"

	"dataknobs.dev/dataknobs"
)

// A vec holds the decoded values of one page, or of a dictionary: of a flat
// column one for each row, nulls included; of a nested one only those that are
// there.
type vec struct {
	leaf *node
	mode mode
	n    int

	dict   *dictionary // modeDict
	idx    []uint32    // modeDict: into dict.vals, whose last entry is null
	ints   []int64     // modeInt, modeUint, modeTime, modeText
	floats []float64   // modeFloat
	bools  []byte      // modeBool
	data   []byte      // modeString, modeBytes, modeText: the bytes of value i are
	starts []uint32    // data[starts[i]:ends[i]]
	ends   []uint32
	null   []byte // 1: null; nil: none is (modeDict has its own way)
}

// A mode says where the values of a vec are.
type mode uint8

const (
	modeNull mode = iota
	modeDict
	modeBool
	modeInt
	modeUint // ints beyond int64 are bad
	modeFloat
	modeTime
	modeString
	modeBytes
	modeText // made one by one: decimals, UUIDs, times of day, in ints or data
)

// A dictionary is the decoded dictionary of a column chunk.
type dictionary struct {
	vals []dataknobs.Value // and one null more
	bad  map[uint32]string // what is wrong with those that cannot be values; nil: all can

	masks masks
}

// newDictionary takes the values of v, which stay where they are.
func newDictionary(v *vec) *dictionary {
	d := &dictionary{vals: make([]dataknobs.Value, v.n+1)}
	for i := range v.n {
		x, ok := v.at(i)
		if !ok {
			if d.bad == nil {
				d.bad = map[uint32]string{}
			}
			d.bad[uint32(i)] = v.describe(i)
			continue
		}
		d.vals[i] = x
	}
	return d
}

// at returns the value of entry i. It is false where what is stored cannot be a
// value; text aliases the page.
func (v *vec) at(i int) (dataknobs.Value, bool) {
	if v.mode == modeDict {
		k := v.idx[i]
		return v.dict.vals[k], v.dict.bad == nil || v.dict.bad[k] == ""
	}
	if v.mode == modeNull || v.null != nil && v.null[i] != 0 {
		return dataknobs.Value{}, true
	}
	x, ok := v.raw(i)
	if ok && v.leaf.conv != nil {
		return v.leaf.conv.apply(x)
	}
	return x, ok
}

// raw is at for an entry that is not null, before any conversion.
func (v *vec) raw(i int) (dataknobs.Value, bool) {
	switch v.mode {
	case modeInt:
		return dataknobs.Int(v.ints[i]), true
	case modeFloat:
		f := v.floats[i]
		return dataknobs.Float(f), f-f == 0 // not of NaN and the infinities
	case modeTime:
		us := v.ints[i]
		return dataknobs.TimeMicros(us), us >= minMicros && us <= maxMicros
	case modeString:
		b := v.bytes(i)
		return dataknobs.String(view(b)), textOK(b)
	case modeBytes:
		return dataknobs.AdoptBytes(v.bytes(i)), true
	case modeBool:
		return dataknobs.Bool(v.bools[i] != 0), true
	case modeUint:
		return dataknobs.Int(v.ints[i]), v.ints[i] >= 0
	}
	return v.text(i)
}

func (v *vec) bytes(i int) []byte {
	s, e := v.starts[i], v.ends[i]
	return v.data[s:e:e]
}

func (v *vec) text(i int) (dataknobs.Value, bool) {
	n := v.leaf
	switch {
	case n.class == classTimeDay:
		s, ok := n.timeOfDay(v.ints[i])
		return dataknobs.String(s), ok
	case n.class == classUUID:
		return dataknobs.String(uuidText(v.bytes(i))), true
	case v.ints != nil:
		return dataknobs.String(n.decimalOfInt(v.ints[i])), true
	}
	return dataknobs.String(n.decimalOfBytes(v.bytes(i))), true
}

// describe says what is wrong with the value of entry i, which at refused.
func (v *vec) describe(i int) string {
	switch v.mode {
	case modeDict:
		return v.dict.bad[v.idx[i]]
	case modeFloat:
		switch f := v.floats[i]; {
		case math.IsNaN(f):
			return "is NaN; only finite numbers can be values"
		case math.IsInf(f, 0):
			return "is infinite; only finite numbers can be values"
		}
	case modeUint:
		if v.ints[i] < 0 {
			return "is an integer beyond 64 bits with sign"
		}
	case modeTime:
		if us := v.ints[i]; us < minMicros || us > maxMicros {
			return "is a time outside the years 1 to 9999"
		}
	case modeString:
		if !textOK(v.bytes(i)) {
			return "is text that is not valid UTF-8 or contains a NUL character"
		}
	case modeText:
		return "is no time of day"
	}
	if v.leaf.conv == nil {
		return "cannot be read"
	}
	return "is not of kind " + v.leaf.conv.name
}

// modeOf returns where the values of n go, dictionaries apart.
func (n *node) modeOf() mode {
	switch n.class {
	case classBool:
		return modeBool
	case classInt:
		return modeInt
	case classUint64:
		return modeUint
	case classFloat:
		return modeFloat
	case classTime:
		return modeTime
	case classString:
		return modeString
	case classBytes:
		return modeBytes
	case classNull:
		return modeNull
	}
	return modeText
}

// spread moves the values of v, one for each level of def that is top, to the
// entries of those levels, and marks the others null.
func (v *vec) spread(def []byte, top byte) {
	n := len(def)
	if v.mode == modeDict {
		v.idx = spreadOut(v.idx, def, top, uint32(len(v.dict.vals)-1))
		v.n = n
		return
	}
	v.null = make([]byte, n)
	for i, d := range def {
		if d != top {
			v.null[i] = 1
		}
	}
	v.ints = spreadOut(v.ints, def, top, 0)
	v.floats = spreadOut(v.floats, def, top, 0)
	v.bools = spreadOut(v.bools, def, top, 0)
	v.starts = spreadOut(v.starts, def, top, 0)
	v.ends = spreadOut(v.ends, def, top, 0)
	v.n = n
}

// spreadOut works backwards in place where vs has the room.
func spreadOut[T any](vs []T, def []byte, top byte, null T) []T {
	if vs == nil {
		return nil
	}
	j := len(vs) - 1
	var out []T
	if cap(vs) < len(def) {
		out = make([]T, len(def))
	} else {
		out = vs[:len(def)]
	}
	for i := len(def) - 1; i >= 0; i-- {
		if def[i] == top {
			out[i] = vs[:cap(vs)][j]
			j--
		} else {
			out[i] = null
		}
	}
	return out
}

// take takes the first n values of what the library decoded; kept: v aliases them.
func (v *vec) take(x encoding.Values, n int) (kept bool, err error) {
	switch v.leaf.typ {
	case typeBoolean:
		bits := x.Boolean()
		if n > 8*len(bits) {
			return false, errCorrupt
		}
		v.bools = make([]byte, n, v.room(n))
		for i := range v.bools {
			v.bools[i] = bits[i>>3] >> (i & 7) & 1
		}
	case typeInt32:
		v.ints, err = convert(v, x.Int32(), n, v.leaf.widen)
	case typeInt64:
		v.ints, err = convert(v, x.Int64(), n, func(i int64) int64 { return i })
	case typeInt96:
		v.ints, err = convert(v, x.Int96(), n, int96Micros)
	case typeFloat:
		v.floats, err = convert(v, x.Float(), n, func(f float32) float64 { return float64(f) })
	case typeDouble:
		v.floats, err = convert(v, x.Double(), n, func(f float64) float64 { return f })
	case typeBytes:
		return true, v.takeBytes(x, n)
	case typeFixed:
		return true, v.takeFixed(x, n)
	}
	v.finish(n)
	return false, err
}

func convert[T, U any](v *vec, from []T, n int, f func(T) U) ([]U, error) {
	if n > len(from) {
		return nil, errCorrupt
	}
	out := make([]U, n, v.room(n))
	for i, x := range from[:n] {
		out[i] = f(x)
	}
	return out, nil
}

// room is the capacity for n values that may be spread later.
func (v *vec) room(n int) int { return max(n, v.n) }

// widen gives an INT32 its value, which is unsigned where the column says so.
func (n *node) widen(x int32) int64 {
	if n.unsigned && n.logical == logicalInt {
		return int64(uint32(x))
	}
	return int64(x)
}

// finish sets the mode of v, whose n values are in place as stored, and turns
// timestamps into microseconds.
func (v *vec) finish(n int) {
	v.n = n
	v.mode = v.leaf.modeOf()
	if v.mode == modeTime && v.leaf.typ != typeInt96 {
		v.leaf.microsOf(v.ints)
	}
}

func (v *vec) takeBytes(x encoding.Values, n int) error {
	data, offsets := x.ByteArray()
	if n >= len(offsets) && n > 0 {
		return errCorrupt
	}
	v.data = data
	v.starts = make([]uint32, n, v.room(n))
	v.ends = make([]uint32, n, v.room(n))
	for i := range n {
		s, e := offsets[i], offsets[i+1]
		if s > e || int(e) > len(data) {
			return errCorrupt
		}
		v.starts[i], v.ends[i] = s, e
	}
	return v.finishBytes(n)
}

// takeFixed takes n values of the leaf's length that lie side by side.
func (v *vec) takeFixed(x encoding.Values, n int) error {
	data, size := x.FixedLenByteArray()
	if size != v.leaf.length || len(data) > math.MaxInt32 || size > 0 && n > len(data)/size {
		return errCorrupt
	}
	v.data = data
	v.starts = make([]uint32, n, v.room(n))
	v.ends = make([]uint32, n, v.room(n))
	for i := range n {
		v.starts[i], v.ends[i] = uint32(i*size), uint32((i+1)*size)
	}
	return v.finishBytes(n)
}

// finishBytes is finish for values that are in data.
func (v *vec) finishBytes(n int) error {
	switch v.leaf.class {
	case classFloat: // of 16 bits
		v.floats = make([]float64, n, v.room(n))
		for i := range v.floats {
			v.floats[i] = float16(v.bytes(i))
		}
	case classInt: // a decimal
		v.ints = make([]int64, n, v.room(n))
		for i := range v.ints {
			x, ok := bigEndian(v.bytes(i))
			if !ok {
				return errCorrupt
			}
			v.ints[i] = x
		}
	default:
		v.finish(n)
		return nil
	}
	v.data, v.starts, v.ends = nil, nil, nil
	v.finish(n)
	return nil
}
