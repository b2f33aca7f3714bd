package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"dataknobs.dev/dataknobs"
)

// Bounds on pages: a header that claims more is taken for corrupt.
const (
	maxValues = 1 << 24
	maxPage   = 1 << 30
)

var errCorrupt = errors.New("corrupt data")

// A page is one decoded data page.
type page struct {
	vec
	lo, hi   int64 // the rows of the row group that it holds, of a flat column
	def, rep []byte
	entries  int // levels, of a nested column
}

// loss is a DataLoss error about the column n.
func (f *file) loss(n *node, err error) error {
	var e *dataknobs.Error
	if dataknobs.IsContext(err) || errors.As(err, &e) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return dataknobs.Errorf(dataknobs.DataLoss, "%s: the file ends inside the column %s", f.src.Name, n.path)
	}
	return dataknobs.Errorf(dataknobs.DataLoss, "%s: cannot read the column %s: %w", f.src.Name, n.path, err)
}

// guard turns a panic of the library over corrupt input into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("corrupt data: %v", p)
	}
}

// readAt fills b from the file.
func (f *file) readAt(b []byte, at int64) error {
	if at < 0 || at > f.size-int64(len(b)) {
		return io.ErrUnexpectedEOF
	}
	n, err := f.r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// header reads the page header at the offset, which lies limit bytes before
// anything else, and returns its length too.
func (f *file) header(at, limit int64) (h *format.PageHeader, size int, err error) {
	defer guard(&err)
	for n := int64(256); ; n *= 8 {
		b := make([]byte, max(min(n, limit, f.size-at), 0))
		if err := f.readAt(b, at); err != nil {
			return nil, 0, err
		}
		r := (&thrift.CompactProtocol{}).NewReaderFromBytes(b)
		h = new(format.PageHeader)
		err := thrift.NewDecoder(r).Decode(h)
		if err == nil {
			return h, r.BytesRead(), checkHeader(h, limit)
		}
		if int64(len(b)) < n || n > 16<<20 {
			return nil, 0, err
		}
	}
}

func checkHeader(h *format.PageHeader, limit int64) error {
	values := max(h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues, h.DictionaryPageHeader.V.NumValues)
	if h.CompressedPageSize < 0 || int64(h.CompressedPageSize) > limit || h.UncompressedPageSize < 0 ||
		h.UncompressedPageSize > maxPage || values < 0 || values > maxValues {
		return errCorrupt
	}
	return nil
}

// read decodes page i of the chunk; c.mu is held. Where the file has no offset
// index, the library can only read forwards: pages on the way that others will
// want are kept.
func (c *chunk) read(i int) (p *page, err error) {
	defer guard(&err)
	if err := c.start(); err != nil {
		return nil, err
	}
	if c.indexed {
		err = c.pager.SeekToRow(c.locs[i].row)
		c.at = i
	} else if i < c.at {
		err = c.pager.SeekToRow(0)
		c.at = 0
	}
	for err == nil {
		var pg parquet.Page
		if err = c.inspect(c.locs[c.at].offset, int64(c.locs[c.at].size)); err != nil {
			break
		}
		if pg, err = c.pager.ReadPage(); err != nil {
			break
		}
		at := c.at
		c.at++
		c.count(c.locs[at].size)
		if at < i && !c.wanted(at) {
			parquet.Release(pg)
			continue
		}
		if p, err = c.convert(pg, at); err != nil || at == i {
			if c.at == len(c.locs) {
				c.rest()
			}
			return p, err
		}
		c.pages[at].Store(p)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// convert takes the values of pg, which is released or kept.
func (c *chunk) convert(pg parquet.Page, i int) (*page, error) {
	n := int(pg.NumValues())
	p := &page{lo: c.locs[i].row, entries: n}
	p.hi = p.lo + int64(n)
	p.leaf = c.leaf
	present := n
	if c.leaf.maxDef > 0 {
		p.def = pg.DefinitionLevels()
		if len(p.def) != n {
			return nil, errCorrupt
		}
		present = bytes.Count(p.def, []byte{byte(c.leaf.maxDef)})
		if present < n && slices.Max(p.def) > byte(c.leaf.maxDef) {
			return nil, errCorrupt
		}
	}
	p.n = n
	kept, err := c.values(&p.vec, pg, present)
	if err != nil {
		return nil, err
	}
	switch {
	case c.leaf.maxRep > 0:
		if p.rep = pg.RepetitionLevels(); len(p.rep) != n || n > 0 && slices.Max(p.rep) > byte(c.leaf.maxRep) {
			return nil, errCorrupt
		}
		p.rep, p.def = bytes.Clone(p.rep), bytes.Clone(p.def)
	case present < n:
		p.spread(p.def, byte(c.leaf.maxDef))
		if c.leaf.maxDef == 1 { // which nulls says as well
			p.def = nil
		}
		p.def = bytes.Clone(p.def)
	default:
		p.def = nil
	}
	if !kept {
		parquet.Release(pg)
	}
	return p, nil
}

// values takes the n values of pg; kept: they alias it.
func (c *chunk) values(v *vec, pg parquet.Page, n int) (kept bool, err error) {
	if c.leaf.class == classNull {
		v.mode = modeNull
		return false, nil
	}
	d := pg.Dictionary()
	if d == nil {
		return v.take(pg.Data(), n)
	}
	if c.dict == nil {
		if c.dict, err = c.makeDictionary(d); err != nil {
			return false, err
		}
	}
	data := pg.Data()
	idx := data.Int32()
	if len(idx) < n {
		return false, errCorrupt
	}
	v.mode = modeDict
	v.dict = c.dict
	v.idx = make([]uint32, n, v.room(n))
	most := uint32(0)
	for i, k := range idx[:n] {
		v.idx[i] = uint32(k)
		most = max(most, uint32(k))
	}
	v.n = n
	if n > 0 && most >= uint32(len(c.dict.vals)-1) {
		return false, errCorrupt
	}
	return false, nil
}

// makeDictionary takes the values of a dictionary, which it keeps.
func (c *chunk) makeDictionary(d parquet.Dictionary) (*dictionary, error) {
	v := &vec{leaf: c.leaf}
	if _, err := v.take(d.Page().Data(), d.Len()); err != nil {
		return nil, err
	}
	return newDictionary(v), nil
}
