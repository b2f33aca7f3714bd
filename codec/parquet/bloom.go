package parquet

import (
	"github.com/parquet-go/parquet-go"

	"dataknobs.dev/dataknobs"
)

// maxPoints is for how many constants a bloom filter is asked.
const maxPoints = 64

// bloomExcludes reports whether the chunk's bloom filter denies every value of
// interest.
func (fl *filter) bloomExcludes(c *chunk) (denied bool) {
	if c.meta.MetaData.BloomFilterOffset <= 0 || !fl.ranged || len(fl.ranges) > maxPoints || fl.node.conv != nil {
		return false
	}
	defer func() { // what the library cannot read denies nothing
		if recover() != nil {
			denied = false
		}
	}()
	bloom := c.col.BloomFilter()
	for _, r := range fl.ranges {
		if !r.Point() {
			return false
		}
		v, known, possible := fl.node.stored(r.Lo)
		if !known {
			return false
		}
		if !possible {
			continue
		}
		if bloom == nil {
			return false
		}
		if may, err := bloom.Check(v); may || err != nil {
			return false
		}
	}
	return true
}

// stored returns v as the column would hold it: possible, unless it cannot
// hold v; known, unless that takes more than is done here.
func (n *node) stored(v dataknobs.Value) (p parquet.Value, known, possible bool) {
	plain := n.logical == logicalNone || n.logical == logicalInt
	switch {
	case n.class == classString:
		return parquet.ByteArrayValue([]byte(v.Str())), true, v.Kind() == dataknobs.KindString
	case n.class == classInt && plain && n.typ == typeInt64:
		i, ok := wholeNumber(v)
		return parquet.Int64Value(i), true, ok
	case n.class == classInt && plain && n.typ == typeInt32:
		i, ok := wholeNumber(v)
		return parquet.Int32Value(int32(i)), true, ok && n.widen(int32(i)) == i
	case n.typ == typeDouble && v.Kind() == dataknobs.KindFloat && v.Float() != 0:
		return parquet.DoubleValue(v.Float()), true, true
	}
	return p, false, false
}

func wholeNumber(v dataknobs.Value) (int64, bool) {
	if !v.IsNumber() {
		return 0, false
	}
	i, _, ok := dataknobs.Range{Lo: v, Hi: v}.Ints()
	return i, ok
}
