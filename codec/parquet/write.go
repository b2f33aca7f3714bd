package parquet

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/gzip"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/format"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// The shape of the files that are written.
const (
	groupRows = 120 << 10 // rows of a row group, about
	pageRows  = 10 << 10  // rows of a page, about
	pageMost  = 16 << 10  // rows of a page, if they come in one chunk
	pageBytes = 1 << 20   // a page of more bytes ends early
	groupSize = 64 << 20  // a row group of more bytes than that, uncompressed, ends early
	dictBytes = 256 << 10 // a larger dictionary is given up
	addSize   = 4 << 20   // chunks of more bytes are not kept waiting
)

// emptyColumn stands in a file whose records have no fields at all, so that
// their number is not lost.
const emptyColumn = "dataknobs.empty"

// A writer writes one file. Pages, dictionaries and metadata are made here, not
// by the library, which takes every value by itself: chunks hold columns of
// plain types, often with a dictionary already.
type writer struct {
	out    sink
	comp   compress.Codec
	text   string // the layout
	layout *codec.Layout
	plans  []columnPlan
	where  map[string]int // the column of each field

	cols    []*encoder
	groups  []format.RowGroup
	indexes [][]pageIndex // by row group, by column

	mu      sync.Mutex
	free    []*rowChunk // guarded by mu: those that are written
	open    *rowChunk   // what Write appends to
	row     []dataknobs.Value
	pending []*rowChunk
	rows    int // of pending
	size    int // of pending
	inRows  int // of the row group before pending
	inSize  int
	busy    chan error
	err     error // the first one: the file is lost
}

var _ codec.ChunkWriter = (*writer)(nil)

// NewWriter starts a file; the Layout is a must. It also is in the file, in the
// key-value metadata under "dataknobs.layout". The writer is a
// [codec.ChunkWriter]. Compression is "zstd" (also for ""), "snappy", "gzip" or
// "none".
func (Format) NewWriter(w io.Writer, o *codec.WriteOptions) (codec.Writer, error) {
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
	x.out, x.comp, x.text = sink{w: w}, comp, string(text)
	for i := range plans {
		x.cols = append(x.cols, newEncoder(comp, &plans[i]))
	}
	return x, nil
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
	x.mu.Lock()
	defer x.mu.Unlock()
	if n := len(x.free); n > 0 {
		c := x.free[n-1]
		x.free = x.free[:n-1]
		return c
	}
	return newRowChunk(x.plans)
}

// recycle takes back chunks that are written.
func (x *writer) recycle(chunks []*rowChunk) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range chunks {
		if c.size < groupSize/4 {
			c.reset()
			x.free = append(x.free, c)
		}
	}
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
	if x.rows < pageRows && x.size < addSize {
		return x.err
	}
	return x.flush(x.inRows+x.rows >= groupRows || x.inSize+x.size >= groupSize)
}

// flush starts encoding what is pending, once what was before is encoded; last:
// the row group ends then.
func (x *writer) flush(last bool) error {
	if err := x.wait(); err != nil {
		return err
	}
	chunks := x.pending
	x.inRows, x.inSize = x.inRows+x.rows, x.inSize+x.size
	x.pending, x.rows, x.size = nil, 0, 0
	if x.inRows == 0 {
		return nil
	}
	if last {
		x.inRows, x.inSize = 0, 0
	}
	busy := make(chan error, 1)
	x.busy = busy
	go func() { busy <- x.encode(chunks, last) }()
	return nil
}

// wait waits for what is being encoded.
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
	if err := x.flush(true); err != nil {
		return err
	}
	if err := x.wait(); err != nil {
		return err
	}
	x.err = dataknobs.Errorf(dataknobs.InvalidArgument, "the file is closed")
	return x.finish()
}

// encode adds chunks to the columns on all cores; after the last of a row group
// it writes that.
func (x *writer) encode(chunks []*rowChunk, last bool) error {
	err := x.each(func(r *room, i int) error {
		err := x.cols[i].add(r, chunks, i)
		if err == nil && last {
			err = x.cols[i].finish(r)
		}
		return err
	})
	if err != nil {
		return err
	}
	x.recycle(chunks)
	if !last {
		return nil
	}
	return x.commit()
}

// each calls f for every column, on all cores.
func (x *writer) each(f func(r *room, i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(x.cols))
	for range min(runtime.GOMAXPROCS(0), len(x.cols)) {
		wg.Go(func() {
			r := rooms.Get().(*room)
			defer rooms.Put(r)
			for i := int(next.Add(1)) - 1; i < len(x.cols); i = int(next.Add(1)) - 1 {
				errs[i] = f(r, i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// guardWrite turns a panic of the library into an error.
func guardWrite(err *error) {
	if p := recover(); p != nil {
		*err = dataknobs.Errorf(dataknobs.Internal, "writing Parquet: %w", fmt.Errorf("%v", p))
	}
}
