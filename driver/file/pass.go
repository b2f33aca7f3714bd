package file

import (
	"context"
	"iter"
	"math"
	"sync"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// accumulate visits every row of the base that matches, in any order, by all
// workers, each into an accumulator of its own: what counting, grouping and the
// choice of the first few have in common. It assumes kinds rather than read the
// file twice, and starts again where they prove wrong, so fresh must return
// accumulators that share nothing. done gets every accumulator in turn.
func accumulate[A any](ctx context.Context, s *snapshot, n *need, where *dataknobs.Matcher, workers int,
	fresh func() A, add func(A, *row) error, done func(A) error) error {
	if s.base == nil {
		return nil
	}
	n.codec.Speculate = true
	for try := 0; ; try++ {
		all, err := pass(ctx, s, n, where, workers, fresh, add)
		if err == codec.ErrUnsettled && try < 3 {
			continue
		}
		if err != nil {
			return err
		}
		for _, a := range all {
			if err := done(a); err != nil {
				return err
			}
		}
		return nil
	}
}

// pass is one try: it returns the accumulators.
func pass[A any](ctx context.Context, s *snapshot, n *need, where *dataknobs.Matcher, workers int, fresh func() A, add func(A, *row) error) ([]A, error) {
	pool := &visitors[A]{where: where, over: s.ov, fresh: fresh, add: add}
	if where.All() {
		pool.where = nil
	}
	err := s.base.each(ctx, workers, func(p *part, workers int) error {
		if !n.wants(p, -1) {
			return nil
		}
		scan := n.codec
		scan.Workers = workers
		scan.Begin = func(int) (codec.Visitor, error) { return pool.get(n, p), nil }
		return p.file().Scan(ctx, &scan)
	})
	if err != nil {
		return nil, err
	}
	all := make([]A, len(pool.all))
	for i, v := range pool.all {
		all[i] = v.acc
	}
	return all, nil
}

// visitors hands out accumulating visitors, as many as blocks are under way.
type visitors[A any] struct {
	where *dataknobs.Matcher // nil: every row
	over  *layers
	fresh func() A
	add   func(A, *row) error

	mu   sync.Mutex // guards the fields below
	free []*visitor[A]
	all  []*visitor[A]
}

type visitor[A any] struct {
	from *visitors[A]
	row  row
	get  func(int) dataknobs.Value
	acc  A
}

func (vs *visitors[A]) get(n *need, p *part) *visitor[A] {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	var v *visitor[A]
	if k := len(vs.free); k > 0 {
		v, vs.free = vs.free[k-1], vs.free[:k-1]
	} else {
		v = &visitor[A]{from: vs, acc: vs.fresh()}
		v.get = func(i int) dataknobs.Value { return v.row.value(i) }
		vs.all = append(vs.all, v)
	}
	v.row = n.newRow(p)
	return v
}

// Row implements codec.Visitor. The condition's paths were added to the need
// first, so that their slots are those of the need.
func (v *visitor[A]) Row(c codec.Row) error {
	v.row.c = c
	if v.from.over.hides(&v.row) {
		return nil
	}
	if v.from.where != nil {
		ok := v.from.where.MatchFunc(v.get)
		if v.row.err != nil {
			return v.row.err
		}
		if !ok {
			return nil
		}
	}
	return v.from.add(v.acc, &v.row)
}

func (v *visitor[A]) End() error {
	vs := v.from
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.free = append(vs.free, v)
	return nil
}

// written calls f for every record of the overlay that matches.
func (s *snapshot) written(ctx context.Context, where *dataknobs.Matcher, stats *dataknobs.ScanStats, f func(*dataknobs.Record) error) error {
	t := ticker{ctx: ctx}
	var err error
	var seen int64
	visit := func(e *entry) bool {
		if e.rec == nil {
			return true
		}
		if err = t.err(); err != nil {
			return false
		}
		seen++
		if where.Match(e.rec) {
			err = f(e.rec)
		}
		return err == nil
	}
	s.ov.over.Scan(func(_ int64, e *entry) bool { return visit(e) })
	if err == nil {
		s.ov.added.Scan(func(_ uint64, e *entry) bool { return visit(e) })
	}
	if stats != nil {
		stats.Records.Add(seen)
	}
	return err
}

// Count implements dataknobs.Counter.
func (d *Driver) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	m, err := dataknobs.Compile(where)
	if err != nil {
		return 0, err
	}
	snap, err := d.snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer snap.release()
	var total int64
	err = snap.written(ctx, m, stats, func(*dataknobs.Record) error { total++; return nil })
	if err != nil || snap.base == nil {
		return total, err
	}
	n, err := snap.passFor(ctx, where, m, stats)
	if err != nil {
		return 0, err
	}
	err = accumulate(ctx, snap, n, m, 0, func() *int64 { return new(int64) },
		func(c *int64, _ *row) error { *c++; return nil },
		func(c *int64) error { total += *c; return nil })
	return total, err
}

// passFor prepares a pass that builds no records.
func (s *snapshot) passFor(ctx context.Context, where dataknobs.Expr, m *dataknobs.Matcher, stats *dataknobs.ScanStats, more ...dataknobs.Path) (*need, error) {
	n, _, err := s.needFor(ctx, &dataknobs.Scan{Where: where, NoID: !hasID(more), NoRevision: true, Paths: []dataknobs.Path{}, Stats: stats}, m)
	if err != nil {
		return nil, err
	}
	if !n.rev {
		n.codec.NoRecords = true
	}
	n.addAll(more)
	return n, s.base.agree(ctx, n.paths())
}

func hasID(paths []dataknobs.Path) bool {
	for _, p := range paths {
		if p.IsID() {
			return true
		}
	}
	return false
}

// top is what the sorted scan keeps of its records.
type top struct {
	*dataknobs.TopK[*dataknobs.Record]
	keys []dataknobs.Value
}

// scanSorted keeps the first few records and yields them in order.
func (s *snapshot) scanSorted(ctx context.Context, sc *dataknobs.Scan, where *dataknobs.Matcher, each func(*dataknobs.Record) bool) error {
	most := math.MaxInt // nobody asks for that who keeps to Features.SortLimit
	if sc.HasLimit && sc.Limit < math.MaxInt-sc.Offset {
		most = sc.Limit + sc.Offset
	}
	order := dataknobs.NewOrdering(sc.OrderBy)
	fresh := func() *top { return &top{TopK: dataknobs.NewTopK[*dataknobs.Record](order, most)} }
	best := fresh()
	err := s.written(ctx, where, sc.Stats, func(r *dataknobs.Record) error {
		if keys := order.KeysOf(r); sc.After == nil || order.After(keys, r.ID, sc.After) {
			best.Push(keys, r.ID, r)
		}
		return nil
	})
	if err == nil && s.base != nil {
		err = s.topOfBase(ctx, sc, where, order, fresh, best)
	}
	if err != nil {
		return err
	}
	for i, r := range best.Sorted() {
		if i >= sc.Offset && !each(r.Clone()) {
			return nil
		}
	}
	return nil
}

func (s *snapshot) topOfBase(ctx context.Context, sc *dataknobs.Scan, where *dataknobs.Matcher, order *dataknobs.Ordering, fresh func() *top, best *top) error {
	ids := *sc
	ids.NoID = false // ties are broken by them
	n, _, err := s.needFor(ctx, &ids, where)
	if err != nil {
		return err
	}
	at := n.addAll(order.Paths())
	if err := s.base.agree(ctx, n.paths()); err != nil {
		return err
	}
	add := func(t *top, r *row) error {
		t.keys = t.keys[:0]
		for _, i := range at {
			t.keys = append(t.keys, r.value(i))
		}
		id := r.id()
		if r.err != nil {
			return r.err
		}
		if !t.Admits(t.keys, id) || sc.After != nil && !order.After(t.keys, id, sc.After) {
			return nil
		}
		rec, err := r.record()
		if err != nil {
			return err
		}
		for i := range t.keys {
			t.keys[i] = t.keys[i].Clone()
		}
		t.Push(t.keys, rec.ID, rec)
		return nil
	}
	return accumulate(ctx, s, n, where, sc.Workers, fresh, add, func(t *top) error {
		best.Merge(t.TopK)
		return nil
	})
}

// Aggregate implements dataknobs.Aggregator.
func (d *Driver) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return func(yield func(dataknobs.Group, error) bool) {
		groups, err := d.aggregate(ctx, a)
		for _, g := range groups {
			if !yield(g, nil) {
				return
			}
		}
		if err != nil {
			yield(dataknobs.Group{}, err)
		}
	}
}

func (d *Driver) aggregate(ctx context.Context, a *dataknobs.Aggregation) ([]dataknobs.Group, error) {
	m, err := dataknobs.Compile(a.Where)
	if err != nil {
		return nil, err
	}
	total, err := dataknobs.NewGrouper(a.GroupBy, a.Columns)
	if err != nil {
		return nil, err
	}
	snap, err := d.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.release()
	err = snap.written(ctx, m, a.Stats, total.AddRecord)
	if err == nil && snap.base != nil {
		err = snap.groupBase(ctx, a, m, total)
	}
	if err != nil {
		return nil, err
	}
	return total.Groups()
}

// A grouping is one worker's groups. Its get is made once, not for each row.
type grouping struct {
	*dataknobs.Grouper
	row *row
	get func(int) dataknobs.Value
}

func (s *snapshot) groupBase(ctx context.Context, a *dataknobs.Aggregation, m *dataknobs.Matcher, total *dataknobs.Grouper) error {
	n, err := s.passFor(ctx, a.Where, m, a.Stats, total.Paths()...)
	if err != nil {
		return err
	}
	at := n.addAll(total.Paths())
	fresh := func() *grouping {
		g := &grouping{}
		g.Grouper, _ = dataknobs.NewGrouper(a.GroupBy, a.Columns) // it was made once already
		g.get = func(i int) dataknobs.Value { return g.row.value(at[i]) }
		return g
	}
	add := func(g *grouping, r *row) error {
		g.row = r
		if err := g.Add(g.get); err != nil {
			return err
		}
		return r.err
	}
	return accumulate(ctx, s, n, m, a.Workers, fresh, add, func(g *grouping) error { return total.Merge(g.Grouper) })
}
