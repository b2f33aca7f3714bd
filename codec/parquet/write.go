package parquet

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/gzip"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// The shape of the files that are written.
const (
	groupRows = 120 << 10 // rows of a row group, about
	pageRows  = 10 << 10  // rows of a page, the same in all columns
	pageBytes = 1 << 20   // a page of more bytes of text ends early
	groupSize = 64 << 20  // a row group of more bytes than that, uncompressed, ends early
	dictBytes = 256 << 10 // a larger dictionary is given up
)

// emptyColumn stands in a file whose records have no fields at all, so that
// their number is not lost.
const emptyColumn = "dataknobs.empty"

// A writer writes one file.
type writer struct {
	w      *parquet.GenericWriter[any]
	layout *codec.Layout
	plans  []columnPlan
	where  map[string]int                    // the column of each field
	group  *parquet.ConcurrentRowGroupWriter // reused for each row group

	free    sync.Pool // of chunks that are written
	open    *rowChunk // what Write appends to
	row     []dataknobs.Value
	pending []*rowChunk
	rows    int // of pending
	size    int // of pending
	busy    chan error
	err     error // the first one: the file is lost
}

var _ codec.ChunkWriter = (*writer)(nil)

// NewWriter starts a file; the Layout is a must. It also is in the file, in the
// key-value metadata under "dataknobs.layout". The writer is a
// [codec.ChunkWriter]. Compression is "zstd" (also for ""), "snappy", "gzip" or
// "none".
func (Format) NewWriter(w io.Writer, o *codec.WriteOptions) (cw codec.Writer, err error) {
	if o == nil || o.Layout == nil {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "a Parquet file needs a layout: its columns and their kinds")
	}
	comp, err := compression(o.Compression)
	if err != nil {
		return nil, err
	}
	l := *o.Layout
	l.Version = 1
	plans, err := planOf(&l)
	if err != nil {
		return nil, err
	}
	x := &writer{layout: &l, plans: plans, where: map[string]int{}}
	for i, c := range l.Columns {
		x.where[c.Name] = i
	}
	x.row = make([]dataknobs.Value, len(plans))
	if len(plans) == 0 {
		plans = []columnPlan{{name: emptyColumn, kind: dataknobs.KindNull}}
		x.plans = plans
	}
	text, err := json.Marshal(&l)
	if err != nil {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the layout: %w", err)
	}
	defer func() {
		if p := recover(); p != nil {
			cw, err = nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the layout: %v", p)
		}
	}()
	x.w = parquet.NewGenericWriter[any](w, x.options(comp, string(text))...)
	return x, nil
}

func (x *writer) options(comp compress.Codec, layout string) []parquet.WriterOption {
	opts := []parquet.WriterOption{
		schemaOf(x.plans),
		parquet.Compression(comp),
		parquet.DataPageVersion(1),        // which every reader knows
		parquet.PageBufferSize(pageBytes), // the library also allocates as much for some columns
		parquet.DictionaryMaxBytes(dictBytes),
		parquet.KeyValueMetadata(layoutKey, layout),
		parquet.CreatedBy("dataknobs", "1", "0"),
	}
	if x.layout.ID != "" {
		opts = append(opts, parquet.BloomFilters(parquet.SplitBlockFilter(10, x.layout.ID)))
	}
	for i := range x.plans {
		if x.plans[i].json {
			opts = append(opts, parquet.SkipPageBounds(x.plans[i].name))
		}
	}
	return opts
}

func compression(name string) (compress.Codec, error) {
	switch name {
	case "", "snappy": // what most writers choose; dictionaries have done most of the work
		return &snappy.Codec{}, nil
	case "zstd":
		return &zstd.Codec{Level: zstd.SpeedFastest}, nil
	case "gzip":
		return &gzip.Codec{Level: gzip.DefaultCompression}, nil
	case "none":
		return &parquet.Uncompressed, nil
	}
	return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "unknown compression %q inside Parquet", name).
		WithHint("known are zstd, snappy, gzip and none")
}

// NewChunk returns an empty chunk.
func (x *writer) NewChunk() codec.Chunk { return x.chunk() }

func (x *writer) chunk() *rowChunk {
	if c, ok := x.free.Get().(*rowChunk); ok {
		return c
	}
	return newRowChunk(x.plans)
}

// Write appends one record.
func (x *writer) Write(rec *dataknobs.Record) error {
	if x.err != nil {
		return x.err
	}
	clear(x.row)
	for i, f := range rec.Fields {
		at := i
		if i >= len(x.layout.Columns) || x.layout.Columns[i].Name != f.Name {
			var ok bool
			if at, ok = x.where[f.Name]; !ok {
				return dataknobs.Errorf(dataknobs.InvalidArgument, "the file has no column %s", f.Name)
			}
		}
		x.row[at] = f.Value
	}
	at := len(x.layout.Columns)
	if x.layout.ID != "" {
		x.row[at] = dataknobs.String(rec.ID)
		at++
	}
	switch {
	case x.layout.Meta != "" && len(rec.Metadata) > 0:
		x.row[at] = dataknobs.Object(rec.Metadata)
	case x.layout.Meta == "" && len(rec.Metadata) > 0:
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the file has no column for metadata")
	}
	if x.open == nil {
		x.open = x.chunk()
	}
	if err := x.open.AppendRow(x.row); err != nil {
		return err
	}
	if x.open.rows < pageRows && x.open.size < groupSize {
		return nil
	}
	return x.flushOpen()
}

func (x *writer) flushOpen() error {
	c := x.open
	x.open = nil
	if c == nil || c.rows == 0 {
		return x.err
	}
	return x.add(c)
}

// WriteChunk appends the rows of c.
func (x *writer) WriteChunk(c codec.Chunk) error {
	if x.err != nil {
		return x.err
	}
	rc, ok := c.(*rowChunk)
	if !ok {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "a chunk of another writer")
	}
	if err := x.flushOpen(); err != nil {
		return err
	}
	return x.add(rc)
}

func (x *writer) add(c *rowChunk) error {
	x.pending = append(x.pending, c)
	x.rows += c.rows
	x.size += c.size
	if x.rows < groupRows && x.size < groupSize {
		return x.err
	}
	return x.flush()
}

// flush starts encoding what is pending as a row group, once the row group
// before is written.
func (x *writer) flush() error {
	if err := x.wait(); err != nil {
		return err
	}
	chunks := x.pending
	x.pending, x.rows, x.size = nil, 0, 0
	if len(chunks) == 0 {
		return nil
	}
	busy := make(chan error, 1)
	x.busy = busy
	go func() { busy <- x.writeGroup(chunks) }()
	return nil
}

// wait waits for the row group that is being written.
func (x *writer) wait() error {
	if x.busy != nil {
		if err := <-x.busy; err != nil && x.err == nil {
			x.err = err
		}
		x.busy = nil
	}
	return x.err
}

// Close ends the file.
func (x *writer) Close() error {
	if err := x.flushOpen(); err != nil {
		_ = x.wait() // x.err has it
		return err
	}
	if err := x.flush(); err != nil {
		return err
	}
	if err := x.wait(); err != nil {
		return err
	}
	x.err = dataknobs.Errorf(dataknobs.InvalidArgument, "the file is closed")
	return x.w.Close()
}

// writeGroup encodes the columns of a row group on all cores and writes it.
func (x *writer) writeGroup(chunks []*rowChunk) (err error) {
	defer guardWrite(&err)
	if x.group == nil {
		x.group = x.w.BeginRowGroup()
	}
	rg := x.group
	cols := rg.ColumnWriters()
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(cols))
	for range min(runtime.GOMAXPROCS(0), len(cols)) {
		wg.Go(func() {
			e := encoders.Get().(*encoder)
			defer encoders.Put(e)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(cols) {
					return
				}
				errs[i] = e.column(cols[i], chunks, i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for _, c := range chunks {
		if c.size < groupSize/4 {
			c.reset()
			x.free.Put(c)
		}
	}
	_, err = rg.Commit()
	return err
}

// guardWrite turns a panic of the library into an error.
func guardWrite(err *error) {
	if p := recover(); p != nil {
		*err = dataknobs.Errorf(dataknobs.Internal, "writing Parquet: %w", fmt.Errorf("%v", p))
	}
}

// An encoder feeds columns to the library, a page at a time.
type encoder struct {
	vals []parquet.Value // the page's
	rows int             // of it
	size int             // bytes of text in it
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

func (e *encoder) column(w *parquet.ColumnWriter, chunks []*rowChunk, i int) (err error) {
	defer guardWrite(&err)
	e.vals, e.rows, e.size = e.vals[:0], 0, 0
	for _, c := range chunks {
		col := &c.cols[i]
		if col.plan.list {
			err = e.lists(w, col, i)
		} else {
			err = e.flat(w, col, i)
		}
		if err != nil {
			return err
		}
	}
	return e.page(w)
}

// batch hands the values over.
func (e *encoder) batch(w *parquet.ColumnWriter) error {
	if len(e.vals) == 0 {
		return nil
	}
	_, err := w.WriteRowValues(e.vals)
	e.vals = e.vals[:0]
	return err
}

// page ends the page.
func (e *encoder) page(w *parquet.ColumnWriter) error {
	e.rows, e.size = 0, 0
	if err := e.batch(w); err != nil {
		return err
	}
	return w.Flush()
}

// batchRows is how many values are handed over at once: few enough to stay in
// the nearest cache.
const batchRows = 512

func (e *encoder) flat(w *parquet.ColumnWriter, c *column, index int) error {
	for from := 0; from < c.n; {
		to := c.upTo(from, min(c.n, from+pageRows-e.rows, from+batchRows))
		e.vals = slices.Grow(e.vals[:0], batchRows)[:to-from]
		c.values(e.vals, from, index)
		if err := e.batch(w); err != nil {
			return err
		}
		e.rows += to - from
		e.size += c.textSize(from, to)
		from = to
		if e.rows == pageRows || e.size >= pageBytes {
			if err := e.page(w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *encoder) lists(w *parquet.ColumnWriter, c *column, index int) error {
	i := 0
	for _, n := range c.lengths {
		rep := 0
		for range max(n, 1) {
			def := 3
			if c.def != nil {
				def = int(c.def[i])
			}
			v := parquet.NullValue()
			if def == 3 {
				v = c.value(i)
			}
			e.vals = append(e.vals, v.Level(rep, def, index))
			rep = 1
			i++
		}
		e.size += c.textSize(i-int(max(n, 1)), i)
		if e.rows++; e.rows == pageRows || e.size >= pageBytes || len(e.vals) >= 16*pageRows {
			if err := e.page(w); err != nil {
				return err
			}
		}
	}
	return nil
}
