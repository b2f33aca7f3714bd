package parquet

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go/format"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// blockRows and recordRows are about how many rows of a row group make a block:
// fewer where every row may become a record, since several blocks of records
// wait for whoever takes them.
const (
	blockRows  = 32 << 10
	recordRows = 4 << 10
)

// A scanGroup is one row group during a scan.
type scanGroup struct {
	f     *file
	index int // of the row group
	meta  *format.RowGroup
	base  int64 // the number in the file of its first row
	stats *dataknobs.ScanStats
	block int64              // rows a block
	skip  []bool             // by block: nothing of interest; nil: none
	pages map[*filter][]bool // by page of the filter's column: nothing of interest

	mu     sync.Mutex
	chunks []*chunk // guarded by mu, by leaf
	done   []bool   // guarded by mu: the blocks that nobody reads any more
}

func (f *file) group(i int, stats *dataknobs.ScanStats) *scanGroup {
	return &scanGroup{f: f, index: i, meta: &f.md.RowGroups[i], base: f.bases[i], stats: stats}
}

func (g *scanGroup) chunk(leaf *node) *chunk {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.chunks == nil {
		g.chunks = make([]*chunk, len(g.f.leaves))
	}
	if g.chunks[leaf.leaf] == nil {
		g.chunks[leaf.leaf] = g.newChunk(leaf)
	}
	return g.chunks[leaf.leaf]
}

// split cuts the row group into blocks of about so many rows and returns how many.
func (g *scanGroup) split(rows int64) int {
	n := (g.meta.NumRows + rows - 1) / rows
	if n == 0 {
		return 0
	}
	g.block = (g.meta.NumRows + n - 1) / n
	n = (g.meta.NumRows + g.block - 1) / g.block
	g.done = make([]bool, n)
	return int(n)
}

func (g *scanGroup) rows(block int) (lo, hi int64) {
	lo = int64(block) * g.block
	return lo, min(lo+g.block, g.meta.NumRows)
}

// finish says that nobody reads the block any more: pages that lie in no other
// block go.
func (g *scanGroup) finish(block int) {
	if g.free(block) {
		g.close()
	}
}

// close frees what the chunks of a row group hold that nobody reads any more.
func (g *scanGroup) close() {
	g.mu.Lock()
	chunks := g.chunks
	g.mu.Unlock()
	for _, c := range chunks {
		if c != nil {
			c.close()
		}
	}
}

// free frees the pages and reports whether it was the last block.
func (g *scanGroup) free(block int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done[block] = true
	lo, hi := g.rows(block)
	for _, c := range g.chunks {
		if c == nil || !c.ready.Load() || len(c.locs) == 0 {
			continue
		}
		// A repeated column's last row may end on a later page, which the next
		// block's end frees.
		for i := max(c.pageOf(lo), 0); i < len(c.locs) && c.locs[i].row < hi; i++ {
			if g.over(c.locs[i].row, c.end(i)) {
				c.pages[i].Store(nil)
			}
		}
	}
	return g.over(0, g.meta.NumRows)
}

// past reports whether nobody will want the rows [lo, hi) again.
func (g *scanGroup) past(lo, hi int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.done == nil || g.over(lo, hi)
}

// over reports whether all blocks of the rows [lo, hi) are done.
func (g *scanGroup) over(lo, hi int64) bool {
	for b := lo / g.block; b*g.block < hi && int(b) < len(g.done); b++ {
		if !g.done[b] {
			return false
		}
	}
	return true
}

// A scanner is one scan.
type scanner struct {
	f       *file
	s       *codec.Scan
	filters []*filter
	stop    atomic.Bool

	mu    sync.Mutex // guards what follows, and is held during Begin
	gi    int        // the next row group
	g     *scanGroup // the one that blocks come from
	next  int        // its next block
	n     int        // of g's blocks
	begun int
}

// Scan visits every row; see codec.File. It never returns ErrUnsettled.
func (f *file) Scan(ctx context.Context, s *codec.Scan) error {
	x := &scanner{f: f, s: s, filters: f.filters(s.Prune)}
	workers := s.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			if err := x.work(ctx); err != nil {
				x.stop.Store(true)
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, codec.ErrStop) {
		return err
	}
	return nil
}

// work takes blocks until there are no more.
func (x *scanner) work(ctx context.Context) error {
	w := &worker{x: x, ctx: ctx}
	for _, p := range x.s.Slots {
		w.slots = append(w.slots, &reader{want: x.f.resolve(p)})
	}
	for _, fl := range x.filters {
		w.filters = append(w.filters, &reader{want: want{node: fl.node}})
	}
	if !x.s.NoRecords {
		w.maker = x.f.maker(x.s.Paths)
	}
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		g, block, v, err := x.take()
		if err != nil || g == nil {
			return err
		}
		if err := w.block(g, block, v); err != nil {
			return err
		}
	}
}

// take returns the next block that may hold rows of interest, and its visitor;
// no row group if there are no more.
func (x *scanner) take() (*scanGroup, int, codec.Visitor, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for !x.stop.Load() {
		if x.g == nil || x.next >= x.n {
			if !x.nextGroup() {
				return nil, 0, nil, nil
			}
			continue
		}
		b := x.next
		x.next++
		lo, hi := x.g.rows(b)
		if x.g.skip != nil && x.g.skip[b] {
			x.skipped(hi - lo)
			x.g.finish(b)
			continue
		}
		v, err := x.s.Begin(x.begun)
		x.begun++
		return x.g, b, v, err
	}
	return nil, 0, nil, nil
}

// nextGroup goes to the next row group that may hold rows of interest.
func (x *scanner) nextGroup() bool {
	for x.gi < len(x.f.md.RowGroups) {
		g := x.f.group(x.gi, x.s.Stats)
		x.gi++
		if g.meta.NumRows == 0 {
			continue
		}
		if x.f.prunes(x.filters, g) {
			x.skipped(g.meta.NumRows)
			continue
		}
		rows := int64(recordRows)
		if x.s.NoRecords {
			rows = blockRows
		}
		x.g, x.next, x.n = g, 0, g.split(rows)
		x.f.prunePages(x.filters, g)
		return true
	}
	return false
}

func (x *scanner) skipped(rows int64) {
	if x.s.Stats != nil {
		x.s.Stats.Skipped.Add(rows)
	}
}

// A worker visits one block after the other. It is the codec.Row of its rows.
type worker struct {
	x       *scanner
	ctx     context.Context
	slots   []*reader
	filters []*reader
	maker   *maker // nil: no records
	g       *scanGroup
	row     int64 // counted in the row group
	err     error // of Value, which cannot return it
	made    bool  // maker is set for g
	sel     selection
}

func (w *worker) block(g *scanGroup, block int, v codec.Visitor) error {
	defer g.finish(block)
	if err := w.enter(g); err != nil {
		return err
	}
	lo, hi := g.rows(block)
	w.sel.reset(lo, hi)
	skipped := int64(0)
	for i, r := range w.filters {
		skipped += w.sel.skip(r.c, g.pages[w.x.filters[i]])
	}
	w.x.skipped(skipped)
	if st := w.x.s.Stats; st != nil {
		st.Records.Add(hi - lo - skipped)
	}
	if err := w.prepare(lo, hi); err != nil {
		return err
	}
	if err := w.visit(lo, hi, v); err != nil {
		return err
	}
	return v.End()
}

// enter makes the readers those of the row group.
func (w *worker) enter(g *scanGroup) error {
	if w.g == g {
		return nil
	}
	w.g, w.made = g, false
	for _, r := range w.filters {
		if err := r.reset(g); err != nil {
			return err
		}
	}
	for _, r := range w.slots {
		if err := r.reset(g); err != nil {
			return err
		}
	}
	return nil
}

// prepare decodes what the block will surely need of flat columns, leaving to
// other workers what they are at.
func (w *worker) prepare(lo, hi int64) error {
	rs := w.filters
	if len(rs) == 0 {
		rs = w.slots
	}
	for _, r := range rs {
		if r.c == nil {
			continue
		}
		if err := r.c.prepare(&w.sel); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) visit(lo, hi int64, v codec.Visitor) error {
	if len(w.filters) == 0 {
		for row := lo; row < hi; row++ {
			if err := w.one(row, v); err != nil {
				return err
			}
		}
		return nil
	}
	for i, r := range w.filters {
		if err := w.sel.apply(w.x.filters[i], r); err != nil {
			return err
		}
	}
	for i, out := range w.sel.out {
		if out != 0 {
			continue
		}
		if err := w.one(lo+int64(i), v); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) one(row int64, v codec.Visitor) error {
	w.row = row
	if row&0xFFF == 0 && w.x.stop.Load() || row&0xFFF == 0 && w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	err := v.Row(w)
	if w.err != nil {
		return w.err
	}
	return err
}

// Value returns the value of slot i.
func (w *worker) Value(i int) dataknobs.Value {
	v, err := w.slots[i].at(w.row)
	if err != nil && w.err == nil {
		w.err = err
	}
	return v
}

// Record materialises the row.
func (w *worker) Record() (*dataknobs.Record, error) {
	if w.maker == nil {
		return nil, dataknobs.Errorf(dataknobs.Internal, "a record was asked of a scan without records")
	}
	if !w.made {
		if err := w.maker.reset(w.g); err != nil {
			return nil, err
		}
		w.made = true
	}
	return w.maker.record(w.row)
}

// Number returns the row's number in the file.
func (w *worker) Number() int64 { return w.g.base + w.row }

// Offset returns the row's number in the file.
func (w *worker) Offset() int64 { return w.g.base + w.row }

// Key returns "": Parquet files have no keys.
func (w *worker) Key() string { return "" }
