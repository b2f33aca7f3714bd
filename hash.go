package dataknobs

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
)

// appendKey appends bytes that are the same for two values exactly where they
// are Equal: for hashing and for keys of maps. They cannot be read back, do not
// sort as the values do, and no value's bytes are the beginning of another's.
func (v Value) appendKey(b []byte) []byte {
	if i, whole := v.wholeInt(); whole {
		return binary.AppendVarint(append(b, tagInt), i)
	}
	switch v.kind {
	case KindArray:
		b = binary.AppendUvarint(append(b, tagArray), v.num)
		for _, e := range v.rawArray() {
			b = e.appendKey(b)
		}
		return b
	case KindObject:
		f := v.rawObject().sortedNonNull()
		b = binary.AppendUvarint(append(b, tagObject), uint64(len(f)))
		for _, x := range f {
			b = x.Value.appendKey(appendText(b, x.Name))
		}
		return b
	}
	return v.appendBinary(b)
}

var hashBuffers = sync.Pool{New: func() any { return new([]byte) }}

// HashContent returns a hash of r's content: its fields and metadata, whatever
// their order, kinds and explicit nulls included; not its ID, revision and
// position. Records with Identical fields and metadata have the same hash. It
// is the beginning of a SHA-256, so different contents do not meet by accident
// or by design.
func HashContent(r *Record) [16]byte {
	buf := hashBuffers.Get().(*[]byte)
	b := r.Fields.appendCanonical((*buf)[:0])
	b = r.Metadata.appendCanonical(b)
	sum := sha256.Sum256(b)
	if cap(b) <= 1<<20 {
		*buf = b
		hashBuffers.Put(buf)
	}
	return [16]byte(sum[:16])
}

func compareNames(x, y Field) int { return strings.Compare(x.Name, y.Name) }

// appendCanonical is appendBinary with the fields in the order of their names
// and -0 as 0, at every depth.
func (f Fields) appendCanonical(b []byte) []byte {
	var buf [32]Field // spares most records an allocation
	if !slices.IsSortedFunc(f, compareNames) {
		f = append(buf[:0], f...)
		slices.SortFunc(f, compareNames)
	}
	b = binary.AppendUvarint(b, uint64(len(f)))
	for i := range f {
		b = f[i].Value.appendCanonical(appendText(b, f[i].Name))
	}
	return b
}

func (v Value) appendCanonical(b []byte) []byte {
	switch v.kind {
	case KindFloat:
		return Float(v.Float() + 0).appendBinary(b) // -0 + 0 is 0
	case KindArray:
		b = binary.AppendUvarint(append(b, tagArray), v.num)
		for _, e := range v.rawArray() {
			b = e.appendCanonical(b)
		}
		return b
	case KindObject:
		return v.rawObject().appendCanonical(append(b, tagObject))
	}
	return v.appendBinary(b)
}
