package s3

import (
	"context"
	"iter"
	"sync"

	"dataknobs.dev/dataknobs"
)

// A slot is one record on its way.
type slot struct {
	entry
	key   string
	taken int64 // of the budget
	rec   *dataknobs.Record
	err   error
	done  chan struct{}
}

// window is how many records may be ahead of the one that is waited for, for
// each request that may be under way.
const window = 4

// aheadBytes bounds what the records that are ahead take.
const aheadBytes = 128 << 20

// unknownSize is what a record counts for whose size is not known.
const unknownSize = 64 << 10

// run reads the records of the entries, many at once, and yields them in the
// order of the entries.
func (q *search) run(ctx context.Context, entries iter.Seq2[[]entry, error]) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		if err := q.d.tooLong(ctx); err != nil {
			yield(nil, err)
			return
		}
		if q.s.HasLimit && q.s.Limit == 0 {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		r := &reader{search: q, budget: newBudget(aheadBytes), credit: newBudget(int64(q.wanted()))}
		n := q.d.o.Parallel
		r.queue, r.work = make(chan *slot, n*window), make(chan *slot, n*window)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		r.spawn = func() { wg.Go(func() { r.fetchAll(ctx) }) }
		wg.Go(func() { r.plan(ctx, entries) })
		r.yield(ctx, yield)
	}
}

// A reader is the state of one run.
type reader struct {
	*search
	budget *budget    // bytes
	credit *budget    // records, where there is a limit
	queue  chan *slot // in the order of the answer
	work   chan *slot // what has to be read
	spawn  func()
}

// plan puts the entries into the queue.
func (r *reader) plan(ctx context.Context, entries iter.Seq2[[]entry, error]) {
	defer close(r.queue)
	defer close(r.work)
	workers := 0
	for page, err := range entries {
		if err != nil {
			r.send(ctx, &slot{err: err})
			return
		}
		for i := range page {
			s := &slot{entry: page[i]}
			if r.wanted() >= 0 && r.credit.take(ctx, 1) != nil || !r.prepare(ctx, s) {
				return
			}
			if s.done != nil && workers < r.d.o.Parallel {
				workers++
				r.spawn()
			}
		}
	}
}

// exact reports whether an entry is certain to become a record of the answer,
// as far as a listing can be certain.
func (r *reader) exact(s *slot) bool { return s.size >= 0 && s.size != tombstoneSize }

// prepare completes a slot from what is known, or hands it to those who read.
func (r *reader) prepare(ctx context.Context, s *slot) bool {
	var err error
	if s.key, err = r.d.key(s.id); err != nil {
		return r.send(ctx, s) // there can be no such object
	}
	switch {
	case !r.whole && r.exact(s):
		s.rec = &dataknobs.Record{ID: s.id, Revision: s.etag}
		return r.send(ctx, s)
	case s.etag != "":
		if s.rec = r.d.bodies.get(s.id, s.etag); s.rec != nil {
			return r.send(ctx, s)
		}
	}
	s.taken = s.size
	if s.size < 0 {
		s.taken = unknownSize
	}
	if err := r.budget.take(ctx, s.taken); err != nil {
		return false
	}
	s.done = make(chan struct{})
	return r.send(ctx, s)
}

// send puts a slot into the queue and, where it has to be read, before readers.
func (r *reader) send(ctx context.Context, s *slot) bool {
	select {
	case r.queue <- s:
	case <-ctx.Done():
		return false
	}
	if s.done == nil {
		return true
	}
	select {
	case r.work <- s:
		return true
	case <-ctx.Done():
		close(s.done)
		return false
	}
}

// fetchAll reads records until there are no more.
func (r *reader) fetchAll(ctx context.Context) {
	for s := range r.work {
		if s.err = ctx.Err(); s.err == nil {
			s.rec, s.err = r.fetch(ctx, s)
		}
		close(s.done)
	}
}

func (r *reader) fetch(ctx context.Context, s *slot) (*dataknobs.Record, error) {
	if !r.whole {
		there, err := r.there(ctx, &s.entry)
		if !there {
			return nil, err
		}
		return &dataknobs.Record{ID: s.id, Revision: s.etag}, nil
	}
	rec, _, err := r.d.read(ctx, r.m, s.id, s.key)
	if err == errForeign {
		r.d.warnForeign(s.key)
		return nil, nil
	}
	if rec != nil && r.s.Where != nil && rec.Revision != s.etag && !r.where.Match(rec) {
		return nil, nil // it has changed since it was listed
	}
	return rec, err
}

// yield hands out the records as they come.
func (r *reader) yield(ctx context.Context, yield func(*dataknobs.Record, error) bool) {
	skip, left := r.s.Offset, r.s.Limit
	for s := range r.queue {
		if s.done != nil {
			<-s.done
			r.budget.give(s.taken)
		}
		if s.err == nil && s.rec == nil {
			r.credit.give(1) // one more is needed
			continue
		}
		if s.err == nil && skip > 0 {
			skip--
			continue
		}
		if !yield(s.rec, s.err) || s.err != nil {
			return
		}
		if left--; r.s.HasLimit && left == 0 {
			return
		}
	}
	if err := ctx.Err(); err != nil {
		yield(nil, err)
	}
}

// A budget bounds what is taken of it at the same time; the first to take
// gets what it asks for.
type budget struct {
	mu   sync.Mutex
	cond chan struct{} // closed and replaced when something is given back
	most int64
	used int64
}

func newBudget(most int64) *budget { return &budget{most: most, cond: make(chan struct{})} }

func (b *budget) take(ctx context.Context, n int64) error {
	for {
		b.mu.Lock()
		if b.used == 0 || b.used+n <= b.most {
			b.used += n
			b.mu.Unlock()
			return nil
		}
		wait := b.cond
		b.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	close(b.cond)
	b.cond = make(chan struct{})
}
