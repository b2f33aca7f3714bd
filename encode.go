package dataknobs

import (
	"encoding/binary"
	"math"
	"slices"
)

// The binary form of a value is one tag byte and what belongs to it: integers
// and times as zigzag varints, floats as eight bytes, text as its length and
// its bytes, arrays and objects as their count and their members. A record is
// its length in four bytes and then ID, revision, position, fields, metadata.
// The form carries neither version nor checksum: whoever stores it frames it.
const (
	tagNull byte = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagTime
	tagString
	tagBytes
	tagArray
	tagObject
)

// AppendBinary appends v's binary form to b; [DecodeValue] reads it. A value
// that nests deeper than MaxDepth is InvalidArgument, with b as it was.
func (v Value) AppendBinary(b []byte) ([]byte, error) {
	if v.deeper(MaxDepth) {
		return b, Errorf(InvalidArgument, "the value nests deeper than %d levels", MaxDepth)
	}
	return v.appendBinary(b), nil
}

// deeper reports whether v nests arrays and objects deeper than n levels.
func (v Value) deeper(n int) bool {
	switch v.kind {
	case KindArray:
		return n == 0 || slices.ContainsFunc(v.rawArray(), func(e Value) bool { return e.deeper(n - 1) })
	case KindObject:
		return n == 0 || slices.ContainsFunc(v.rawObject(), func(f Field) bool { return f.Value.deeper(n - 1) })
	}
	return false
}

func (v Value) appendBinary(b []byte) []byte {
	switch v.kind {
	case KindBool:
		return append(b, tagFalse+byte(v.num))
	case KindInt:
		return binary.AppendVarint(append(b, tagInt), int64(v.num))
	case KindFloat:
		return binary.LittleEndian.AppendUint64(append(b, tagFloat), v.num)
	case KindTime:
		return binary.AppendVarint(append(b, tagTime), int64(v.num))
	case KindString:
		return appendText(append(b, tagString), v.Str())
	case KindBytes:
		b = binary.AppendUvarint(append(b, tagBytes), v.num)
		return append(b, v.rawBytes()...)
	case KindArray:
		b = binary.AppendUvarint(append(b, tagArray), v.num)
		for _, e := range v.rawArray() {
			b = e.appendBinary(b)
		}
		return b
	case KindObject:
		return v.rawObject().appendBinary(append(b, tagObject))
	}
	return append(b, tagNull)
}

func (f Fields) appendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(f)))
	for i := range f {
		b = appendText(b, f[i].Name)
		b = f[i].Value.appendBinary(b)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// AppendBinary appends r's binary form to b: ID, revision, position, fields
// and metadata. [DecodeRecord] reads it. A record that nests deeper than
// MaxDepth is InvalidArgument, one of 4 GiB or more ResourceExhausted, with b
// as it was.
func (r *Record) AppendBinary(b []byte) ([]byte, error) {
	for _, f := range []Fields{r.Fields, r.Metadata} {
		for i := range f {
			if f[i].Value.deeper(MaxDepth) {
				return b, Errorf(InvalidArgument, "the field %s nests deeper than %d levels", Names(f[i].Name), MaxDepth)
			}
		}
	}
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = appendText(b, r.ID)
	b = appendText(b, r.Revision)
	b = binary.AppendUvarint(b, r.pos)
	b = r.Fields.appendBinary(b)
	b = r.Metadata.appendBinary(b)
	n := len(b) - start - 4
	if n > math.MaxUint32 {
		return b[:start], Errorf(ResourceExhausted, "the record has %d bytes encoded, which is too many", n)
	}
	binary.LittleEndian.PutUint32(b[start:], uint32(n))
	return b, nil
}

// DecodeValue reads one value from the beginning of b and returns what follows
// it. The value shares no memory with b. Anything but what AppendBinary wrote
// is DataLoss, found without allocating more than a small multiple of len(b).
func DecodeValue(b []byte) (v Value, rest []byte, err error) {
	d := decoder{b: b, start: len(b)}
	v = d.value(MaxDepth)
	if d.bad {
		return Value{}, b, d.err()
	}
	return v, d.b, nil
}

// DecodeRecord reads one record from the beginning of b and returns what
// follows it. The record shares no memory with b; its texts share one copy.
// Anything but what AppendBinary wrote is DataLoss.
func DecodeRecord(b []byte) (r *Record, rest []byte, err error) {
	if len(b) < 4 {
		return nil, b, Errorf(DataLoss, "the encoded record is cut short")
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if n > uint64(len(b)-4) {
		return nil, b, Errorf(DataLoss, "the encoded record is cut short: %d of %d bytes", len(b)-4, n)
	}
	body, rest := b[4:4+n], b[4+n:]
	d := decoder{b: body, text: string(body), start: len(body)}
	r = &Record{ID: d.str(), Revision: d.str(), pos: d.uvarint()}
	r.Fields = d.fields(MaxDepth + 1)
	r.Metadata = d.fields(MaxDepth + 1)
	if len(d.b) > 0 {
		d.bad = true
	}
	if d.bad {
		return nil, b, d.err()
	}
	return r, rest, nil
}

// A decoder reads the binary form. After the first fault it is bad and returns
// zero values only.
type decoder struct {
	b     []byte
	text  string // if not empty, a copy of all that was given: texts are cut from it
	start int    // len(b) at the beginning
	bad   bool
}

func (d *decoder) err() error {
	return Errorf(DataLoss, "the encoded data is damaged at byte %d", d.start-len(d.b))
}

func (d *decoder) byte() byte {
	if d.bad || len(d.b) == 0 {
		d.bad = true
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	u, n := binary.Uvarint(d.b)
	if d.bad || n <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return u
}

func (d *decoder) varint() int64 {
	i, n := binary.Varint(d.b)
	if d.bad || n <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return i
}

func (d *decoder) uint64() uint64 {
	if d.bad || len(d.b) < 8 {
		d.bad = true
		return 0
	}
	u := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return u
}

// raw reads a length and so many bytes, which alias the input.
func (d *decoder) raw() []byte {
	n := d.uvarint()
	if d.bad || n > uint64(len(d.b)) {
		d.bad = true
		return nil
	}
	s := d.b[:n:n]
	d.b = d.b[n:]
	return s
}

func (d *decoder) str() string {
	s := d.raw()
	if d.text == "" {
		return string(s)
	}
	end := d.start - len(d.b)
	return d.text[end-len(s) : end]
}

// count reads how many members follow, each of at least size bytes.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if d.bad || n > uint64(len(d.b)/size) {
		d.bad = true
		return 0
	}
	return int(n)
}

// fewMembers is up to how many members are allocated on the word of a count.
const fewMembers = 256

func (d *decoder) value(depth int) Value {
	switch d.byte() {
	case tagNull:
	case tagFalse:
		return Bool(false)
	case tagTrue:
		return Bool(true)
	case tagInt:
		return Int(d.varint())
	case tagFloat:
		return Float(math.Float64frombits(d.uint64()))
	case tagTime:
		return TimeMicros(d.varint())
	case tagString:
		return String(d.str())
	case tagBytes:
		return Bytes(d.raw())
	case tagArray:
		return d.array(depth)
	case tagObject:
		if depth == 0 {
			d.bad = true
		}
		return AdoptObject(d.fields(depth))
	default:
		d.bad = true
	}
	return Value{}
}

func (d *decoder) array(depth int) Value {
	n := d.count(1)
	if depth == 0 {
		d.bad = true
	}
	if d.bad {
		return Value{}
	}
	vs := make([]Value, 0, min(n, fewMembers))
	for range n {
		if vs = append(vs, d.value(depth-1)); d.bad {
			return Value{}
		}
	}
	return AdoptArray(vs)
}

// fields reads an object's fields; none are nil, as in a record without them.
func (d *decoder) fields(depth int) Fields {
	n := d.count(2)
	if d.bad || n == 0 {
		return nil
	}
	f := make(Fields, 0, min(n, fewMembers))
	for range n {
		if f = append(f, Field{d.str(), d.value(depth - 1)}); d.bad {
			return nil
		}
	}
	return f
}
