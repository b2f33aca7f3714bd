package parquet

import (
	"encoding/binary"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	magic     = "PAR1"
	createdBy = "dataknobs version 1 (build 0)"
	bloomBits = 10 // for each ID
)

// A sink is where the file goes. After an error it takes nothing more.
type sink struct {
	w   io.Writer
	at  int64
	err error
}

func (s *sink) write(b []byte) {
	if s.err == nil {
		_, s.err = s.w.Write(b)
		s.at += int64(len(b))
	}
}

// marshal writes a part of the metadata and returns its length.
func (s *sink) marshal(v any) int64 {
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil && s.err == nil {
		s.err = err
	}
	s.write(b)
	return int64(len(b))
}

// begin writes what a file begins with, once.
func (s *sink) begin() {
	if s.at == 0 {
		s.write([]byte(magic))
	}
}

// A pageIndex is the page index of a column of a row group.
type pageIndex struct {
	bounds  format.ColumnIndex
	offsets format.OffsetIndex
}

// commit writes the row group that has been encoded.
func (x *writer) commit() error {
	x.out.begin()
	g := format.RowGroup{FileOffset: x.out.at, Ordinal: int16(len(x.groups))}
	indexes := make([]pageIndex, len(x.cols))
	for i := range x.cols {
		c := &x.cols[i].out
		m := c.meta
		if len(c.head) > 0 {
			m.DictionaryPageOffset = x.out.at
		}
		x.out.write(c.head)
		m.DataPageOffset = x.out.at
		locs := slices.Clone(c.locs)
		for j := range locs {
			locs[j].Offset += x.out.at
		}
		x.out.write(c.body)
		indexes[i] = pageIndex{c.index, format.OffsetIndex{PageLocations: locs}}
		g.NumRows = c.rows
		g.TotalByteSize += m.TotalUncompressedSize
		g.TotalCompressedSize += m.TotalCompressedSize
		g.Columns = append(g.Columns, format.ColumnChunk{MetaData: m})
	}
	for i := range x.cols {
		if x.plans[i].unique {
			x.writeBloom(&g.Columns[i].MetaData, x.cols[i].out.hashes)
		}
	}
	for _, e := range x.cols {
		e.begin()
	}
	x.groups = append(x.groups, g)
	x.indexes = append(x.indexes, indexes)
	return x.out.err
}

// writeBloom writes a bloom filter of those hashes.
func (x *writer) writeBloom(m *format.ColumnMetaData, hashes []uint64) {
	filter := make(bloom.SplitBlockFilter, bloom.NumSplitBlocksOf(int64(len(hashes)), bloomBits))
	filter.InsertBulk(hashes)
	h := format.BloomFilterHeader{NumBytes: int32(len(filter) * bloom.BlockSize)}
	h.Algorithm.Value = new(format.SplitBlockAlgorithm)
	h.Hash.Value = new(format.XxHash)
	h.Compression.Value = new(format.BloomFilterUncompressed)
	m.BloomFilterOffset = x.out.at
	n := x.out.marshal(&h)
	x.out.write(filter.Bytes())
	m.BloomFilterLength = int32(n) + h.NumBytes
}

// finish writes the page indexes and the footer.
func (x *writer) finish() error {
	x.out.begin()
	rows := int64(0)
	for i := range x.groups {
		rows += x.groups[i].NumRows
		for j := range x.groups[i].Columns {
			if x.plans[j].json {
				continue // its pages have no bounds
			}
			c := &x.groups[i].Columns[j]
			c.ColumnIndexOffset = x.out.at
			c.ColumnIndexLength = int32(x.out.marshal(&x.indexes[i][j].bounds))
		}
	}
	for i := range x.groups {
		for j := range x.groups[i].Columns {
			c := &x.groups[i].Columns[j]
			c.OffsetIndexOffset = x.out.at
			c.OffsetIndexLength = int32(x.out.marshal(&x.indexes[i][j].offsets))
		}
	}
	n := x.out.marshal(&format.FileMetaData{
		Version: 2, Schema: schemaOf(x.plans), NumRows: rows, RowGroups: x.groups, CreatedBy: createdBy,
		KeyValueMetadata: []format.KeyValue{{Key: layoutKey, Value: x.text}},
		ColumnOrders:     x.orders(),
	})
	x.out.write(append(binary.LittleEndian.AppendUint32(nil, uint32(n)), magic...))
	return x.out.err
}

// orders says of every column that its bounds are in the order of its type.
func (x *writer) orders() []format.ColumnOrder {
	o := make([]format.ColumnOrder, len(x.plans))
	for i := range o {
		o[i].Value = new(format.TypeDefinedOrder)
	}
	return o
}
