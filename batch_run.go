package dataknobs

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
)

// A job is one batch on its way: writes is the job's own, completed in place.
type job struct {
	db      *DB
	op      string
	writes  []Write
	results []Result
	opts    batchOptions
}

func (db *DB) applyMany(ctx context.Context, op string, ws []Write, opts []BatchOption) ([]Result, error) {
	j := &job{db: db, op: op, writes: ws, results: make([]Result, len(ws))}
	for _, o := range opts {
		o(&j.opts)
	}
	if err := j.begin(ctx); err != nil {
		return nil, db.fail(op, "", err)
	}
	if j.opts.atomic {
		j.applyWhole(ctx)
	} else {
		j.applyEach(ctx)
	}
	return j.results, j.err()
}

// applyWhole applies all writes in one call, or none if one is refused here.
func (j *job) applyWhole(ctx context.Context) {
	valid := j.prepare(ctx, 0, len(j.writes))
	if len(valid) < len(j.writes) {
		j.setAll(valid, ErrNotApplied)
		return
	}
	_ = j.apply(ctx, valid) // the results say it
}

// applyEach applies every write that is not refused, in parts.
func (j *job) applyEach(ctx context.Context) {
	workers := j.workers()
	if workers == 1 {
		j.stream(ctx)
		return
	}
	j.run(ctx, workers)
}

func (j *job) begin(ctx context.Context) error {
	if err := j.db.writable(); err != nil {
		return err
	}
	if j.opts.atomic && !j.db.f().Atomic {
		return Errorf(Unsupported, "the store cannot apply a batch all or nothing")
	}
	return ctx.Err()
}

// streamed is how many writes are prepared at once, where they are applied one
// part after the other: few enough to be still in the cache, unless the store
// wants more.
const streamed = 4096

// stream applies the writes in turn, and prepares the next of them meanwhile.
// Once a call as a whole has failed, what is left fails with the same cause
// without being tried.
func (j *job) stream(ctx context.Context) {
	var failed error
	size := max(streamed, j.db.f().MaxBatch)
	next := j.prepareAhead(ctx, 0, size)
	for from := 0; from < len(j.writes); from += size {
		valid := <-next
		next = j.prepareAhead(ctx, from+size, size)
		for _, part := range chunks(valid, j.size(len(valid))) {
			if failed != nil {
				j.setAll(part, failed)
				continue
			}
			failed = j.apply(ctx, part)
		}
	}
}

// prepareAhead prepares size writes from from on while its caller goes on; not
// so in a transaction, where the store may be asked by one at a time. Without
// such writes there is nothing to receive.
func (j *job) prepareAhead(ctx context.Context, from, size int) <-chan []int {
	if from >= len(j.writes) {
		return nil
	}
	valid := make(chan []int, 1)
	prepare := func() { valid <- j.prepare(ctx, from, min(from+size, len(j.writes))) }
	if from == 0 || j.db.tx != nil {
		prepare()
	} else {
		go prepare()
	}
	return valid
}

// prepare checks the writes from from up to to and returns the indexes of those
// that may go to the driver.
func (j *job) prepare(ctx context.Context, from, to int) []int {
	valid := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		if i%1024 == 0 && ctx.Err() != nil {
			for k := i; k < to; k++ {
				j.results[k].Err = ctx.Err()
			}
			return valid
		}
		w, err := j.db.prepare(ctx, j.writes[i])
		if err != nil {
			j.results[i].Err = err
			if w.ID == "" && w.Record != nil {
				w.ID = w.Record.ID
			}
			j.writes[i].ID = w.ID
			continue
		}
		j.writes[i] = w
		valid = append(valid, i)
	}
	return valid
}

// run prepares the writes and applies them in parts, several at once: first
// all that may run beside each other, while they are being prepared, then what
// has to wait for them.
func (j *job) run(ctx context.Context, workers int) {
	var rest []int
	j.runWave(ctx, j.wave(j.prepared(ctx), j.share(len(j.writes), workers), &rest), workers)
	for len(rest) > 0 {
		idx := rest
		rest = nil
		j.runWave(ctx, j.wave(slices.Values(idx), j.share(len(idx), workers), &rest), workers)
	}
}

// prepared prepares the writes in turn, and yields the indexes of those that
// may go to the driver.
func (j *job) prepared(ctx context.Context) iter.Seq[int] {
	return func(yield func(int) bool) {
		for from := 0; from < len(j.writes); from += streamed {
			for _, i := range j.prepare(ctx, from, min(from+streamed, len(j.writes))) {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// workers is how many calls of Apply may run at once.
func (j *job) workers() int {
	switch {
	case j.db.tx != nil || !j.db.f().Parallel:
		return 1
	case j.opts.parallel > 0:
		return j.opts.parallel
	}
	return j.db.workers
}

// within is how many writes one Apply may have under way: all that are allowed
// where no other runs beside it. 0: the driver's choice.
func (j *job) within() int {
	if j.workers() > 1 {
		return 1
	}
	return j.opts.parallel
}

// size is how many writes make one Apply; usual where the store has no opinion.
func (j *job) size(usual int) int {
	n := usual
	if j.db.f().MaxBatch > 0 {
		n = j.db.f().MaxBatch
	}
	if j.opts.size > 0 {
		n = min(n, j.opts.size)
	}
	return max(n, 1)
}

// share is how many of n writes make one Apply where some run at once: few
// enough that each has work.
func (j *job) share(n, workers int) int {
	return min(j.size(defaultBatch), max(defaultBatch, (n+workers-1)/workers))
}

func chunks(idx []int, size int) [][]int {
	var parts [][]int
	for len(idx) > size {
		parts = append(parts, idx[:size])
		idx = idx[size:]
	}
	return append(parts, idx)
}

// wave yields parts that may run at once: no ID stands in two of them. What has
// to wait for the next wave is added to rest, in its order.
func (j *job) wave(idx iter.Seq[int], size int, rest *[]int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		part := make(map[string]int, size) // the part that an ID stands in; -1: waiting
		var cur []int
		n := 0 // the number of cur
		for i := range idx {
			id := j.writes[i].ID
			p, seen := part[id]
			if id != "" && seen && p != n {
				part[id] = -1
				*rest = append(*rest, i)
				continue
			}
			part[id] = n
			if cur = append(cur, i); len(cur) < size {
				continue
			}
			if !yield(cur) {
				return
			}
			cur = nil
			n++
		}
		if len(cur) > 0 {
			yield(cur)
		}
	}
}

func (j *job) runWave(ctx context.Context, parts iter.Seq[[]int], workers int) {
	queue := make(chan []int, 1) // the next is prepared while all are at work
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error // guarded by mu
	work := func() {
		for part := range queue {
			mu.Lock()
			stop := failed
			mu.Unlock()
			if stop != nil {
				j.setAll(part, stop)
				continue
			}
			if err := j.apply(ctx, part); err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		}
	}
	for part := range parts {
		if workers > 0 {
			workers--
			wg.Go(work)
		}
		queue <- part
	}
	close(queue)
	wg.Wait()
}

func (j *job) setAll(idx []int, err error) {
	for _, i := range idx {
		j.results[i].Err = err
	}
}

// apply applies the writes of those indexes in one call and keeps their
// results. The error is that of the call as a whole; writes of which it is not
// known that they were applied have it as their own.
func (j *job) apply(ctx context.Context, idx []int) error {
	if err := ctx.Err(); err != nil {
		j.setAll(idx, err)
		return err
	}
	if len(idx) == 0 {
		return nil
	}
	first, last := idx[0], idx[len(idx)-1]
	ws := j.writes[first : last+1]
	if len(ws) > len(idx) { // some between them are not to be applied
		ws = make([]Write, len(idx))
		for k, i := range idx {
			ws[k] = j.writes[i]
		}
	}
	results, err := j.db.apply(ctx, &Batch{Writes: ws, Atomic: j.opts.atomic, Workers: j.within()})
	if err == nil && len(results) != len(ws) {
		err = Errorf(Internal, "the driver returned %d results for %d writes", len(results), len(ws))
	}
	for k, i := range idx {
		j.results[i] = resultAt(results, k, err)
		if id := j.writes[i].ID; id != "" {
			j.results[i].ID = id
		}
	}
	return err
}

// resultAt returns the k-th result of a call that failed with err, or did not.
func resultAt(results []Result, k int, err error) Result {
	if k < len(results) {
		if r := results[k]; err == nil || r.Err != nil || r.Revision != "" {
			return r
		}
	}
	return Result{Err: err}
}

// err gathers the failures.
func (j *job) err() error {
	e := &BatchError{Op: j.op, Store: j.db.name, Total: len(j.writes)}
	for i := range j.results {
		r := &j.results[i]
		if r.Err == nil {
			continue
		}
		if r.ID == "" {
			r.ID = j.writes[i].ID
		}
		r.Err = annotate(r.Err, "", "", "")
		if !errors.Is(r.Err, ErrNotApplied) {
			e.Errors = append(e.Errors, ItemError{Index: i, ID: r.ID, Err: r.Err})
		}
	}
	if len(e.Errors) == 0 {
		return nil
	}
	return e
}
