package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// An encoder makes the pages of one column, a row group after another. Chunks
// are done with when they have been added.
type encoder struct {
	plan *columnPlan
	typ  format.Type
	comp compress.Codec
	out  encoded
	dict dict
	// coded: the page holds numbers of the dictionary. Once that is full, the
	// pages that follow do not.
	coded bool

	// What the page has so far.
	rows, n int    // n: entries
	levels  []byte // definition levels by entry; empty: all values are there
	reps    []byte // repetition levels by entry, of lists
	ids     []int32
	vals    []byte // in the PLAIN encoding; of bools, a byte each
	bounds  bounds

	*room // while chunks are added
}

// A room is what a goroutine works in.
type room struct {
	mapped *column // byCode has the numbers of its codes
	byCode []int32
	words  []uint64
	body   []byte
	packed []byte
	header bytes.Buffer
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// encoded is the part of a row group that is one column, as it will stand in the file.
type encoded struct {
	head, body   []byte // the pages: of the dictionary, and the others
	meta         format.ColumnMetaData
	index        format.ColumnIndex
	locs         []format.PageLocation // from the start of body
	bounds       bounds
	size         int64 // uncompressed
	plain, coded int32 // pages
	rows         int64
	hashes       []uint64 // of IDs
}

func newEncoder(comp compress.Codec, plan *columnPlan) *encoder {
	e := &encoder{plan: plan, typ: plan.physical(), comp: comp}
	e.begin()
	return e
}

// begin starts a row group.
func (e *encoder) begin() {
	o := &e.out
	e.out = encoded{head: o.head[:0], body: o.body[:0], locs: o.locs[:0], hashes: o.hashes[:0]}
	e.clear()
	if e.coded = !e.plan.unique && e.typ != format.Boolean; e.coded {
		e.dict.reset()
	}
}

// add adds the column i of the chunks.
func (e *encoder) add(r *room, chunks []*rowChunk, i int) (err error) {
	defer guardWrite(&err)
	e.room = r
	defer func() { r.mapped, e.room = nil, nil }()
	first := e.out.rows == 0 && e.rows == 0
	if err = e.columns(chunks, i); err == nil && first && e.useless() {
		e.begin()
		e.coded = false
		err = e.columns(chunks, i)
	}
	e.bounds.keep() // the texts stand in the chunks
	e.out.bounds.keep()
	return err
}

func (e *encoder) columns(chunks []*rowChunk, i int) error {
	for _, c := range chunks {
		add := e.flat
		if e.plan.list {
			add = e.lists
		}
		if err := add(&c.cols[i]); err != nil {
			return err
		}
	}
	return nil
}

// useless reports whether nearly every value of the first rows is in the
// dictionary for itself alone.
func (e *encoder) useless() bool {
	return e.dict.n > 4<<10 && int64(e.dict.n) > (e.out.meta.NumValues+int64(e.n))*9/10
}

// clear starts a page.
func (e *encoder) clear() {
	e.rows, e.n, e.bounds = 0, 0, bounds{}
	e.levels, e.reps, e.ids, e.vals = e.levels[:0], e.reps[:0], e.ids[:0], e.vals[:0]
}

// flat adds a column without lists. A chunk is on one page if it has not too
// many rows.
func (e *encoder) flat(c *column) error {
	for from := 0; from < c.n; {
		to := c.n
		if e.rows+to-from > pageMost {
			if e.rows > 0 && to-from <= pageMost || e.rows >= pageRows {
				if err := e.page(); err != nil {
					return err
				}
				continue
			}
			to = from + pageRows - e.rows
		}
		switch {
		case !c.coded:
			to = c.upTo(from, to)
		case !e.coded && len(c.ends) > 0:
			to = min(to, from+512) // nobody knows how long the texts are
		}
		e.entries(c, from, to)
		e.rows += to - from
		from = to
		if len(e.vals) >= pageBytes {
			if err := e.page(); err != nil {
				return err
			}
		}
		if err := e.giveUp(); err != nil {
			return err
		}
	}
	return nil
}

// giveUp ends the use of a dictionary that is full.
func (e *encoder) giveUp() error {
	if !e.coded || !e.dict.full() {
		return nil
	}
	err := e.page()
	e.coded = false
	return err
}

// lists adds a column of lists.
func (e *encoder) lists(c *column) error {
	from := 0
	for _, n := range c.lengths {
		to := from + max(int(n), 1)
		for i := from; i < to; i++ {
			e.reps = append(e.reps, byte(min(i-from, 1)))
		}
		e.entries(c, from, to)
		from = to
		if e.rows++; e.rows >= pageRows || len(e.vals) >= pageBytes || e.n >= 16*pageRows {
			if err := e.page(); err != nil {
				return err
			}
		}
		if err := e.giveUp(); err != nil {
			return err
		}
	}
	return nil
}

// page ends the page.
func (e *encoder) page() error {
	if e.n == 0 {
		return nil
	}
	encoding := format.Plain
	if e.coded {
		encoding = format.RLEDictionary
	}
	h := format.PageHeader{Type: format.DataPage}
	h.DataPageHeader.Set(format.DataPageHeader{
		NumValues: int32(e.n), Encoding: encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		Statistics: format.Statistics{NullCount: e.nulls()},
	})
	e.body = e.appendValues(e.appendLevels(e.body[:0]))
	start := len(e.out.body)
	var err error
	if e.out.body, err = e.seal(e.out.body, &h, e.body); err != nil {
		return err
	}
	e.note(start)
	e.clear()
	return nil
}

// appendLevels appends the levels of the page.
func (e *encoder) appendLevels(b []byte) []byte {
	top := e.plan.top()
	if e.plan.list {
		b = appendLevels(b, e.reps, 1)
	}
	switch {
	case top == 0:
	case len(e.levels) == 0: // one run
		at := len(b)
		b = append(binary.AppendUvarint(append(b, 0, 0, 0, 0), uint64(e.n)<<1), top)
		binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	default:
		b = appendLevels(b, e.levels, bits.Len8(top))
	}
	return b
}

// appendValues appends the values of the page.
func (e *encoder) appendValues(b []byte) []byte {
	switch {
	case e.coded:
		return appendIDs(append(b, byte(e.dict.width())), e.ids, e.dict.width())
	case e.typ == format.Boolean:
		return appendBits(b, e.vals)
	}
	return append(b, e.vals...)
}

// nulls is how many entries of the page have no value.
func (e *encoder) nulls() int64 {
	if len(e.levels) == 0 {
		return 0
	}
	return int64(e.n - bytes.Count(e.levels, []byte{e.plan.top()}))
}

// seal appends a page of that body to out.
func (e *encoder) seal(out []byte, h *format.PageHeader, body []byte) ([]byte, error) {
	packed, err := e.comp.Encode(e.packed[:cap(e.packed)], body)
	if err != nil {
		return out, err
	}
	h.UncompressedPageSize, h.CompressedPageSize = int32(len(body)), int32(len(packed))
	h.CRC = int32(crc32.ChecksumIEEE(packed))
	e.header.Reset()
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&e.header)).Encode(h); err != nil {
		return out, err
	}
	e.out.size += int64(e.header.Len() + len(body))
	e.packed = packed
	return append(append(out, e.header.Bytes()...), packed...), nil
}

// note keeps what the metadata say of the page that starts there.
func (e *encoder) note(start int) {
	o, nulls := &e.out, e.nulls()
	o.locs = append(o.locs, format.PageLocation{
		Offset: int64(start), CompressedPageSize: int32(len(o.body) - start), FirstRowIndex: o.rows,
	})
	if e.coded {
		o.coded++
	} else {
		o.plain++
	}
	o.rows += int64(e.rows)
	o.meta.NumValues += int64(e.n)
	o.meta.Statistics.NullCount += nulls
	o.bounds.add(&e.bounds)
	var least, most []byte
	if e.bounds.some {
		least, most = e.bounds.plain(e.typ)
		if e.typ == format.ByteArray {
			least, most = cutLeast(least), cutMost(most)
		}
	}
	o.index.NullPages = append(o.index.NullPages, !e.bounds.some)
	o.index.MinValues = append(o.index.MinValues, least)
	o.index.MaxValues = append(o.index.MaxValues, most)
	o.index.NullCounts = append(o.index.NullCounts, nulls)
}

// finish ends the row group.
func (e *encoder) finish(r *room) (err error) {
	defer guardWrite(&err)
	e.room = r
	defer func() { e.room = nil }()
	if err := e.page(); err != nil {
		return err
	}
	o, m := &e.out, &e.out.meta
	m.Type, m.PathInSchema, m.Codec = e.typ, e.plan.path(), e.comp.CompressionCodec()
	m.Encoding = []format.Encoding{format.Plain, format.RLE}
	if o.coded > 0 {
		if err := e.dictionary(); err != nil {
			return err
		}
	}
	m.EncodingStats = e.stats()
	m.TotalUncompressedSize, m.TotalCompressedSize = o.size, int64(len(o.head)+len(o.body))
	if o.bounds.some {
		if lo, hi := o.bounds.plain(e.typ); len(lo) <= statsText && len(hi) <= statsText {
			m.Statistics.MinValue, m.Statistics.MaxValue = lo, hi
		}
	}
	o.index.BoundaryOrder = order(&o.index, comparison(e.typ))
	return nil
}

// dictionary makes the page of the dictionary.
func (e *encoder) dictionary() (err error) {
	o := &e.out
	o.meta.Encoding = append(o.meta.Encoding, format.RLEDictionary)
	if o.plain == 0 {
		o.meta.Statistics.DistinctCount = int64(e.dict.n)
	}
	h := format.PageHeader{Type: format.DictionaryPage}
	h.DictionaryPageHeader.Set(format.DictionaryPageHeader{NumValues: e.dict.n, Encoding: format.Plain})
	e.body = e.dict.append(e.body[:0])
	o.head, err = e.seal(o.head, &h, e.body)
	return err
}

// stats counts the pages by their encodings.
func (e *encoder) stats() (s []format.PageEncodingStats) {
	if e.out.coded > 0 {
		s = append(s, format.PageEncodingStats{PageType: format.DictionaryPage, Encoding: format.Plain, Count: 1},
			format.PageEncodingStats{PageType: format.DataPage, Encoding: format.RLEDictionary, Count: e.out.coded})
	}
	if e.out.plain > 0 {
		s = append(s, format.PageEncodingStats{PageType: format.DataPage, Encoding: format.Plain, Count: e.out.plain})
	}
	return s
}

// appendLevels appends levels with their length.
func appendLevels(b, levels []byte, width int) []byte {
	at := len(b)
	b = slices.Grow(b, 4+2*len(levels)+16)[:at+4]
	enc := rle.Encoding{BitWidth: width}
	out, err := enc.EncodeLevels(b[at+4:cap(b)], levels)
	if err != nil {
		panic(err) // a level is too high for its column
	}
	b = append(b, out...)
	binary.LittleEndian.PutUint32(b[at:], uint32(len(out)))
	return b
}

// appendIDs appends numbers of the dictionary.
func appendIDs(b []byte, ids []int32, width int) []byte {
	b = slices.Grow(b, 4*len(ids)+64)
	enc := rle.Encoding{BitWidth: width}
	out, err := enc.EncodeInt32(b[len(b):cap(b)], ids)
	if err != nil {
		panic(err) // a number needs more bits
	}
	return append(b, out...)
}

// appendBits appends bools, eight to a byte.
func appendBits(b, bools []byte) []byte {
	at := len(b)
	b = append(b, make([]byte, (len(bools)+7)/8)...)
	for i, v := range bools {
		b[at+i/8] |= v << (i % 8)
	}
	return b
}
