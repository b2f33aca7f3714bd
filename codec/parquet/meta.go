package parquet

import (
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The physical types.
const (
	typeBoolean = int(format.Boolean)
	typeInt32   = int(format.Int32)
	typeInt64   = int(format.Int64)
	typeInt96   = int(format.Int96)
	typeFloat   = int(format.Float)
	typeDouble  = int(format.Double)
	typeBytes   = int(format.ByteArray)
	typeFixed   = int(format.FixedLenByteArray)
	typeGroup   = -1
)

// The repetition types.
const (
	required = int(format.Required)
	optional = int(format.Optional)
	repeated = int(format.Repeated)
)

// A logical is a logical type, with what the older converted types say folded in.
type logical uint8

const (
	logicalNone logical = iota
	logicalString
	logicalMap
	logicalList
	logicalEnum
	logicalDecimal
	logicalDate
	logicalTime
	logicalTimestamp
	logicalInt
	logicalNull
	logicalJSON
	logicalUUID
	logicalFloat16
	logicalOther // a type that leaves the physical values as they are
)

// An element is one node of the schema, in depth-first order.
type element struct {
	typ        int // physical, or typeGroup
	length     int // of typeFixed
	repetition int
	name       string
	members    int
	logical    logical
	unit       int64 // ticks a second, of times
	unsigned   bool  // of logicalInt
	scale      int   // of logicalDecimal
	precision  int
}

func elementOf(s *format.SchemaElement) element {
	e := element{
		typ: typeGroup, name: s.Name, length: int(s.TypeLength.V), repetition: int(s.RepetitionType.V),
		members: int(s.NumChildren.V), scale: int(s.Scale.V), precision: int(s.Precision.V),
	}
	if s.Type.Valid {
		e.typ = int(s.Type.V)
	}
	e.annotate(s.LogicalType.Value)
	if e.logical == logicalNone && s.ConvertedType.Valid {
		e.convert(s.ConvertedType.V)
	}
	return e
}

func (e *element) annotate(t format.LogicalTypeValue) {
	switch t := t.(type) {
	case nil:
	case *format.StringType:
		e.logical = logicalString
	case *format.MapType:
		e.logical = logicalMap
	case *format.ListType:
		e.logical = logicalList
	case *format.EnumType:
		e.logical = logicalEnum
	case *format.DecimalType:
		e.logical, e.scale, e.precision = logicalDecimal, int(t.Scale), int(t.Precision)
	case *format.DateType:
		e.logical = logicalDate
	case *format.TimeType:
		e.logical, e.unit = logicalTime, ticks(t.Unit)
	case *format.TimestampType:
		e.logical, e.unit = logicalTimestamp, ticks(t.Unit)
	case *format.IntType:
		e.logical, e.unsigned = logicalInt, !t.IsSigned
	case *format.NullType:
		e.logical = logicalNull
	case *format.JsonType:
		e.logical = logicalJSON
	case *format.UUIDType:
		e.logical = logicalUUID
	case *format.Float16Type:
		e.logical = logicalFloat16
	default:
		e.logical = logicalOther
	}
}

func ticks(u format.TimeUnit) int64 {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return 1e3
	case *format.MicroSeconds:
		return 1e6
	case *format.NanoSeconds:
		return 1e9
	}
	return 0
}

func (e *element) convert(c deprecated.ConvertedType) {
	switch c {
	case deprecated.UTF8:
		e.logical = logicalString
	case deprecated.Map, deprecated.MapKeyValue:
		e.logical = logicalMap
	case deprecated.List:
		e.logical = logicalList
	case deprecated.Enum:
		e.logical = logicalEnum
	case deprecated.Decimal:
		e.logical = logicalDecimal
	case deprecated.Date:
		e.logical = logicalDate
	case deprecated.TimeMillis:
		e.logical, e.unit = logicalTime, 1e3
	case deprecated.TimeMicros:
		e.logical, e.unit = logicalTime, 1e6
	case deprecated.TimestampMillis:
		e.logical, e.unit = logicalTimestamp, 1e3
	case deprecated.TimestampMicros:
		e.logical, e.unit = logicalTimestamp, 1e6
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		e.logical, e.unsigned = logicalInt, true
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		e.logical = logicalInt
	case deprecated.Json:
		e.logical = logicalJSON
	default:
		e.logical = logicalOther
	}
}

// A statsMeta holds the statistics of a chunk or page.
type statsMeta struct {
	min, max       []byte
	hasMin, hasMax bool
	old            bool // from the deprecated fields, whose order is undefined for some types
	nulls          int64
	hasNulls       bool
}

// statsOf takes a chunk's statistics. The library does not tell a null count
// of 0 from one that is not there, so 0 says nothing.
func statsOf(s *format.Statistics) statsMeta {
	m := statsMeta{nulls: s.NullCount, hasNulls: s.NullCount > 0}
	switch {
	case s.MinValue != nil && s.MaxValue != nil:
		m.min, m.max, m.hasMin, m.hasMax = s.MinValue, s.MaxValue, true, true
	case s.Min != nil && s.Max != nil:
		m.min, m.max, m.hasMin, m.hasMax, m.old = s.Min, s.Max, true, true, true
	}
	return m
}

// pageStats reads the statistics of each page from a column index.
func pageStats(b []byte) (out []statsMeta, err error) {
	defer guard(&err)
	var x format.ColumnIndex
	if len(b) == 0 {
		return nil, nil
	}
	if err := thrift.Unmarshal(&thrift.CompactProtocol{}, b, &x); err != nil {
		return nil, err
	}
	n := len(x.NullPages)
	if len(x.MinValues) != n || len(x.MaxValues) != n || x.NullCounts != nil && len(x.NullCounts) != n {
		return nil, errCorrupt
	}
	out = make([]statsMeta, n)
	for i := range out {
		s := &out[i]
		if !x.NullPages[i] {
			s.min, s.max, s.hasMin, s.hasMax = x.MinValues[i], x.MaxValues[i], true, true
		}
		if x.NullCounts != nil {
			s.nulls, s.hasNulls = x.NullCounts[i], true
		}
	}
	return out, nil
}

// dictionaryOnly reports whether every data page of the chunk is known to be
// dictionary-encoded.
func dictionaryOnly(m *format.ColumnMetaData) bool {
	if len(m.EncodingStats) == 0 {
		return onlyOldDictionary(m.Encoding)
	}
	dict := false
	for _, s := range m.EncodingStats {
		if s.Count == 0 || s.PageType != format.DataPage && s.PageType != format.DataPageV2 {
			continue
		}
		if s.Encoding != format.PlainDictionary && s.Encoding != format.RLEDictionary { //nolint:staticcheck // deprecated for writers; older files have it
			return false
		}
		dict = true
	}
	return dict
}

// onlyOldDictionary goes by the old name of the encoding, beside which PLAIN
// stands only where some pages are plain.
func onlyOldDictionary(encodings []format.Encoding) bool {
	dict := false
	for _, e := range encodings {
		switch e {
		case format.PlainDictionary: //nolint:staticcheck // deprecated for writers; older files have it
			dict = true
		case format.RLE, format.BitPacked:
		default:
			return false
		}
	}
	return dict
}

// checkGroups makes the row groups safe to use.
func checkGroups(m *format.FileMetaData, leaves int) error {
	for i := range m.RowGroups {
		g := &m.RowGroups[i]
		if len(g.Columns) != leaves || g.NumRows < 0 {
			return fmt.Errorf("row group %d does not fit the schema", i)
		}
		// The library finds a row group's page index by its ordinal, which many
		// writers leave out.
		g.Ordinal = int16(i)
		for j := range g.Columns {
			c := &g.Columns[j]
			if i != int(g.Ordinal) {
				c.OffsetIndexOffset, c.ColumnIndexOffset = 0, 0
			}
			if c.OffsetIndexLength <= 0 || c.ColumnIndexLength < 0 {
				c.OffsetIndexOffset = 0
			}
		}
	}
	return nil
}
