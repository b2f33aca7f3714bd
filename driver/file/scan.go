package file

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// maxSorted bounds how many records a scan sorts: Features.SortLimit.
const maxSorted = 10_000

func numWorkers(n int) int {
	if n <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// Scan implements dataknobs.Driver. Without an order the records come as they
// stand in the file, the new ones behind; their positions are their offsets.
func (d *Driver) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		if err := d.scan(ctx, s, func(r *dataknobs.Record) bool { return yield(r, nil) }); err != nil {
			yield(nil, err)
		}
	}
}

func (d *Driver) scan(ctx context.Context, s *dataknobs.Scan, each func(*dataknobs.Record) bool) error {
	where, err := dataknobs.Compile(s.Where)
	if err != nil {
		return err
	}
	snap, err := d.snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.release()
	if s.HasLimit && s.Limit == 0 {
		return nil
	}
	if len(s.OrderBy) > 0 {
		return snap.scanSorted(ctx, s, where, each)
	}
	return snap.scanNatural(ctx, s, where, each)
}

// A snapshot is the store at one moment. It must be released.
type snapshot struct {
	d    *Driver
	base *base // nil: there is no file
	ov   *layers
}

func (s *snapshot) release() {
	if s.base != nil {
		s.base.release()
	}
}

// needFor prepares a pass for a scan. It finds out what the IDs are, if anyone
// will look at them.
func (s *snapshot) needFor(ctx context.Context, sc *dataknobs.Scan, where *dataknobs.Matcher) (n *need, slots []int, err error) {
	looks := !sc.NoID
	for _, p := range where.Paths() {
		looks = looks || p.IsID()
	}
	if looks {
		if err := s.d.verifyIDs(ctx, s.base); err != nil {
			return nil, nil, err
		}
	}
	n = newNeed(s.base)
	slots = n.addAll(where.Paths())
	n.prune(sc.Where)
	if err := n.pruneFiles(sc.Where); err != nil {
		return nil, nil, err
	}
	n.codec.Stats = sc.Stats
	if looks {
		n.wantID()
	}
	n.wantRecords(sc.Paths, !sc.NoRevision)
	return n, slots, s.base.agree(ctx, n.paths())
}

// A block is what was made of a run of rows of one part, in their order.
type block struct {
	recs  []*dataknobs.Record
	chunk codec.Chunk // for Convert
	done  chan struct{}
}

// scanNatural yields in the order of the file.
func (s *snapshot) scanNatural(ctx context.Context, sc *dataknobs.Scan, where *dataknobs.Matcher, each func(*dataknobs.Record) bool) error {
	m := &merge{snap: s, sc: sc, where: where, each: each, skip: sc.Offset, left: sc.Limit}
	if sc.After != nil {
		m.after = int64(min(sc.After.Position, 1<<63-1))
	} else {
		m.after = -1
	}
	m.over = s.overAfter(m.after)
	defer m.stopOver()
	if s.base != nil && m.after < firstAdded {
		if err := s.stream(ctx, sc, where, m); err != nil || m.ended {
			return err
		}
	}
	return m.rest(ctx)
}

// stream reads the base by all workers and merges what they find, block after
// block.
func (s *snapshot) stream(ctx context.Context, sc *dataknobs.Scan, where *dataknobs.Matcher, m *merge) error {
	n, slots, err := s.needFor(ctx, sc, where)
	if err != nil {
		return err
	}
	n.codec.Workers = sc.Workers
	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	q := newQueue(s.base, sc.Workers)
	most := 0 // how many records of one block can be wanted
	if sc.HasLimit {
		most = sc.Offset + sc.Limit + s.ov.over.Len()
	}
	wg.Go(func() {
		q.run(inner, func(ctx context.Context, p *part, workers int, blocks chan<- *block) error {
			if !n.wants(p, m.after) {
				return nil
			}
			scan := n.codec
			scan.Workers = workers
			scan.Begin = func(int) (codec.Visitor, error) {
				v := &collector{row: n.newRow(p), where: where, slots: slots, over: s.ov, after: m.after, most: most}
				v.get = func(i int) dataknobs.Value { return v.row.value(v.slots[i]) }
				v.blk = &block{done: make(chan struct{})}
				select {
				case blocks <- v.blk:
					return v, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			return p.file().Scan(ctx, &scan)
		})
	})
	return q.consume(ctx, func(b *block) error {
		for _, r := range b.recs {
			if m.take(r); m.ended {
				return errEnough
			}
		}
		b.recs = nil
		return nil
	})
}

// A collector builds the records of a block that match.
type collector struct {
	row   row
	where *dataknobs.Matcher
	slots []int
	get   func(int) dataknobs.Value
	over  *layers
	after int64
	most  int // 0: all
	blk   *block
}

func (v *collector) Row(c codec.Row) error {
	if v.most > 0 && len(v.blk.recs) >= v.most {
		return nil
	}
	v.row.c = c
	if v.after >= 0 && v.row.ref() <= v.after {
		return nil
	}
	if v.over.hides(&v.row) {
		return nil
	}
	ok := v.where.MatchFunc(v.get)
	if v.row.err != nil {
		return v.row.err
	}
	if !ok {
		return nil
	}
	rec, err := v.row.record()
	if err != nil {
		return err
	}
	v.blk.recs = append(v.blk.recs, rec)
	return nil
}

func (v *collector) End() error {
	close(v.blk.done)
	return nil
}

// hides reports whether the row of the base has a newer version, or none.
func (l *layers) hides(r *row) bool {
	if l.over.Len() == 0 {
		return false
	}
	_, ok := l.over.Get(r.ref())
	return ok
}

// A merge puts what the base and the overlay have into one order, and cuts the
// page out.
type merge struct {
	snap  *snapshot
	sc    *dataknobs.Scan
	where *dataknobs.Matcher
	each  func(*dataknobs.Record) bool
	after int64
	over  *overlayIter
	skip  int
	left  int
	ended bool
}

// An overlayIter walks over the newer versions of the base's records.
type overlayIter struct {
	next func() (int64, *entry, bool)
	stop func()
	ref  int64
	e    *entry
	ok   bool
}

func (s *snapshot) overAfter(after int64) *overlayIter {
	it := &overlayIter{}
	if s.ov.over.Len() == 0 {
		return it
	}
	it.next, it.stop = iter.Pull2(func(yield func(int64, *entry) bool) { s.ov.over.Ascend(after+1, yield) })
	it.advance()
	return it
}

func (it *overlayIter) advance() { it.ref, it.e, it.ok = it.next() }

func (m *merge) stopOver() {
	if m.over.stop != nil {
		m.over.stop()
	}
}

// take yields a record of the base, and before it the newer versions of
// records that stood before it.
func (m *merge) take(r *dataknobs.Record) {
	ref := int64(r.Position())
	for m.over.ok && m.over.ref < ref && !m.ended {
		m.offer(m.over.e)
		m.over.advance()
	}
	if !m.ended {
		m.emit(r)
	}
}

// offer yields an entry's record if it matches.
func (m *merge) offer(e *entry) {
	if e.rec != nil && m.where.Match(e.rec) {
		m.count(1)
		m.emit(e.rec.Clone())
	}
}

func (m *merge) count(n int64) {
	if m.sc.Stats != nil {
		m.sc.Stats.Records.Add(n)
	}
}

func (m *merge) emit(r *dataknobs.Record) {
	if m.skip > 0 {
		m.skip--
		return
	}
	m.left--
	if !m.each(r) || m.sc.HasLimit && m.left == 0 {
		m.ended = true
	}
}

// rest yields what stands behind the last record of the base.
func (m *merge) rest(ctx context.Context) error {
	t := ticker{ctx: ctx}
	for ; m.over.ok && !m.ended; m.over.advance() {
		m.offer(m.over.e)
		if err := t.err(); err != nil {
			return err
		}
	}
	if m.ended {
		return nil
	}
	var err error
	m.snap.ov.added.Ascend(uint64(max(m.after+1, 0)), func(_ uint64, e *entry) bool {
		m.offer(e)
		err = t.err()
		return err == nil && !m.ended
	})
	return err
}
