package parquet

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"dataknobs.dev/dataknobs"
)

// A chunk is one column of one row group during a scan. Workers share it: each
// page is decoded once, by whoever needs it first.
type chunk struct {
	f     *file
	g     *scanGroup
	leaf  *node
	col   *parquet.FileColumnChunk
	meta  *format.ColumnChunk
	stats *dataknobs.ScanStats // may be nil

	tabled  sync.Once
	tabErr  error
	ready   atomic.Bool // the table is made
	locs    []pageLoc
	indexed bool // locs came of the offset index
	pages   []atomic.Pointer[page]
	dictAt  int64 // where the dictionary page begins, if there is one

	mu    sync.Mutex // guards what follows, and is held while decoding
	pager *parquet.FilePages
	at    int // the page that the pager reads next
	err   error
	dict  *dictionary
}

// A pageLoc is where a data page lies.
type pageLoc struct {
	offset int64
	size   int // header included
	row    int64
}

func (g *scanGroup) newChunk(leaf *node) *chunk {
	cols := g.f.pf.RowGroups()[g.index].ColumnChunks()
	return &chunk{
		f: g.f, g: g, leaf: leaf, stats: g.stats, meta: &g.meta.Columns[leaf.leaf],
		col: cols[leaf.leaf].(*parquet.FileColumnChunk),
	}
}

func (c *chunk) count(n int) {
	if c.stats != nil {
		c.stats.Bytes.Add(int64(n))
	}
}

// table finds where the pages of the chunk lie.
func (c *chunk) table() error {
	c.tabled.Do(func() {
		if err := c.makeTable(); err != nil {
			c.tabErr = c.f.loss(c.leaf, err)
		}
		c.pages = make([]atomic.Pointer[page], len(c.locs))
		c.ready.Store(true)
	})
	return c.tabErr
}

func (c *chunk) makeTable() (err error) {
	defer guard(&err)
	m := &c.meta.MetaData
	if len(c.meta.EncryptedColumnMetadata) > 0 || c.meta.CryptoMetadata.Value != nil || c.meta.FilePath != "" {
		return dataknobs.Errorf(dataknobs.Unsupported, "%s: the column %s is encrypted or lies in another file", c.f.src.Name, c.leaf.path)
	}
	if m.Codec == format.Lz4 || m.Codec == format.LZO {
		return dataknobs.Errorf(dataknobs.Unsupported, "%s: the column %s is compressed with %s", c.f.src.Name, c.leaf.path, m.Codec)
	}
	if int(m.Type) != c.leaf.typ {
		return fmt.Errorf("it has the type %d in the schema and %d in the data", c.leaf.typ, m.Type)
	}
	start := m.DataPageOffset
	if d := m.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	if start < 0 || m.TotalCompressedSize < 0 || m.TotalCompressedSize > c.f.size-start {
		return io.ErrUnexpectedEOF
	}
	c.dictAt = start
	if c.readIndex(start, start+m.TotalCompressedSize) {
		return nil
	}
	return c.walk(start, start+m.TotalCompressedSize)
}

// readIndex takes the pages from the offset index; false if there is none that
// can be right.
func (c *chunk) readIndex(start, end int64) bool {
	if c.meta.OffsetIndexOffset <= 0 {
		return false
	}
	b := c.f.section(c.meta.OffsetIndexOffset, int64(c.meta.OffsetIndexLength))
	var x format.OffsetIndex
	if b == nil || thrift.Unmarshal(&thrift.CompactProtocol{}, b, &x) != nil {
		return false
	}
	last := int64(-1)
	for _, l := range x.PageLocations {
		// A first row of 0 comes first, and no other is there twice.
		if l.Offset < start || l.CompressedPageSize <= 0 || l.FirstRowIndex <= last || l.FirstRowIndex >= c.rows() ||
			last < 0 && l.FirstRowIndex != 0 {
			return false
		}
		start, last = l.Offset+int64(l.CompressedPageSize), l.FirstRowIndex
	}
	if start > end || last < 0 {
		return false
	}
	if _, err := c.col.OffsetIndex(); err != nil { // from now on the library seeks by it
		return false
	}
	for _, l := range x.PageLocations {
		c.locs = append(c.locs, pageLoc{offset: l.Offset, size: int(l.CompressedPageSize), row: l.FirstRowIndex})
	}
	c.indexed = true
	return true
}

func (c *chunk) rows() int64 { return c.g.meta.NumRows }

// section returns a small part of the file, such as an index; nil if it cannot
// be read.
func (f *file) section(at, length int64) []byte {
	if length <= 0 || length > f.size {
		return nil
	}
	b := make([]byte, length)
	if f.readAt(b, at) != nil {
		return nil
	}
	return b
}

// walk finds the pages from their headers.
func (c *chunk) walk(at, end int64) error {
	row, values := int64(0), int64(0)
	for at < end && values < c.meta.MetaData.NumValues {
		h, n, err := c.f.header(at, end-at)
		if err != nil {
			return err
		}
		size := int64(n) + int64(h.CompressedPageSize)
		if size > end-at {
			return errCorrupt
		}
		at += size
		if h.Type != format.DataPage && h.Type != format.DataPageV2 {
			continue
		}
		c.locs = append(c.locs, pageLoc{offset: at - size, size: int(size), row: row})
		n = int(max(h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues))
		values += int64(n)
		if c.leaf.maxRep == 0 {
			row += int64(n)
		}
	}
	if c.leaf.maxRep > 0 {
		return c.countRows()
	}
	if row != c.rows() {
		return fmt.Errorf("its pages hold %d rows of %d", row, c.rows())
	}
	return nil
}

// countRows finds in which row each page of a repeated column begins.
func (c *chunk) countRows() error {
	if err := c.start(); err != nil {
		return err
	}
	pager := c.col.PagesFrom(c.f.r)
	defer pager.Close()
	row := int64(0)
	for i := range c.locs {
		if err := c.inspect(c.locs[i].offset, int64(c.locs[i].size)); err != nil {
			return err
		}
		pg, err := pager.ReadPage()
		if err != nil {
			return err
		}
		c.locs[i].row = row
		for _, r := range pg.RepetitionLevels() {
			if r == 0 {
				row++
			}
		}
		parquet.Release(pg)
	}
	if row != c.rows() {
		return fmt.Errorf("its pages hold %d rows of %d", row, c.rows())
	}
	return nil
}

// pageOf returns the number of the page in which the row begins.
func (c *chunk) pageOf(row int64) int {
	lo, hi := 0, len(c.locs)
	for lo < hi { // the last page whose first row is not after row
		if m := (lo + hi) / 2; c.locs[m].row <= row {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo - 1
}

// end returns the row after the last one that begins in page i.
func (c *chunk) end(i int) int64 {
	if i+1 < len(c.locs) {
		return c.locs[i+1].row
	}
	return c.rows()
}

// page returns the decoded page i.
func (c *chunk) page(i int) (*page, error) {
	if p := c.pages[i].Load(); p != nil {
		return p, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.decode(i)
}

// decode decodes page i unless that is done; c.mu is held.
func (c *chunk) decode(i int) (*page, error) {
	if p := c.pages[i].Load(); p != nil || c.err != nil {
		return p, c.err
	}
	p, err := c.read(i)
	if err == nil && c.leaf.maxRep == 0 && p.hi != c.end(i) {
		err = errCorrupt
	}
	if err != nil {
		c.err = c.f.loss(c.leaf, err)
		return nil, c.err
	}
	c.pages[i].Store(p)
	return p, nil
}

// start makes the pager; c.mu is held.
func (c *chunk) start() error {
	if c.pager != nil {
		return nil
	}
	if len(c.locs) > 0 && c.locs[0].offset > c.dictAt {
		if err := c.inspect(c.dictAt, c.locs[0].offset-c.dictAt); err != nil {
			return err
		}
	}
	c.pager = c.col.PagesFrom(c.f.r)
	return nil
}

// close gives the pager's buffers back.
func (c *chunk) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest()
}

// rest is close while c.mu is held; the pager starts anew if need be.
func (c *chunk) rest() {
	if c.pager != nil {
		c.pager.Close()
		c.pager = nil
		c.at = 0
	}
}

// wanted reports whether somebody may still ask for page i.
func (c *chunk) wanted(i int) bool {
	return c.pages[i].Load() == nil && !c.g.past(c.locs[i].row, c.end(i))
}

// prepare decodes the pages with rows of interest, unless somebody else is
// decoding pages of this chunk.
func (c *chunk) prepare(s *selection) error {
	for i := max(c.pageOf(s.lo), 0); i < len(c.locs) && c.locs[i].row < s.hi; i++ {
		if s.empty(c.locs[i].row, c.end(i)) || c.pages[i].Load() != nil {
			continue
		}
		if !c.mu.TryLock() {
			return nil
		}
		_, err := c.decode(i)
		c.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// dictionary returns the chunk's dictionary.
func (c *chunk) dictionary() (d *dictionary, err error) {
	defer guard(&err)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dict != nil {
		return c.dict, nil
	}
	if err := c.start(); err != nil {
		return nil, err
	}
	pd, err := c.pager.ReadDictionary()
	if err != nil {
		return nil, err
	}
	c.dict, err = c.makeDictionary(pd)
	return c.dict, err
}
