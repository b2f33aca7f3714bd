package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// A writer makes the writes, one transaction at a time. Writes that come while
// another commit is under way are committed together: the disk is waited for
// once.
type writer struct {
	d *Driver
	// slot is full while somebody uses the connection.
	slot chan struct{}
	// tx is since when a transaction of a user holds the slot, in nanoseconds; 0:
	// none does.
	tx atomic.Int64

	c       *lite.Conn // the one that writes; used by who holds the slot. nil: not open
	pooled  *conn      // in memory: c, taken from the readers
	indexed bool       // the declared indexes are there

	mu      sync.Mutex // guards the fields below
	queue   []*job
	leading bool // somebody takes care of the queue
}

// A job is one Apply on its way.
type job struct {
	ctx     context.Context
	b       *dataknobs.Batch
	results []dataknobs.Result
	err     error
	// turn is sent to when the job is done, or is to take care of the queue itself.
	turn chan turn
}

type turn uint8

const (
	isDone turn = iota
	leads
)

func (w *writer) init(d *Driver) {
	w.d = d
	w.slot = make(chan struct{}, 1)
}

// Apply implements dataknobs.Driver.
func (d *Driver) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	if d.closed.Load() {
		return nil, errClosed
	}
	if len(b.Writes) == 0 {
		return nil, ctx.Err()
	}
	j := &job{ctx: ctx, b: b, results: make([]dataknobs.Result, len(b.Writes))}
	if done, err := d.applyToNothing(j); done || err != nil {
		return j.results, err
	}
	w := &d.w
	w.mu.Lock()
	if !w.leading {
		w.leading = true
		w.mu.Unlock()
		w.lead(j)
		return j.results, j.err
	}
	j.turn = make(chan turn, 1)
	w.queue = append(w.queue, j)
	w.mu.Unlock()
	select {
	case t := <-j.turn:
		if t == leads {
			w.lead(j)
		}
	case <-ctx.Done():
		if !w.leave(j) {
			if t := <-j.turn; t == leads {
				w.lead(j)
			}
			break
		}
		j.fail(ctx.Err())
	}
	return j.results, j.err
}

// applyToNothing answers writes to a table that is not there, where none of
// them would make it.
func (d *Driver) applyToNothing(j *job) (done bool, err error) {
	if d.tab.Load().there || slices.ContainsFunc(j.b.Writes, makes) {
		return false, nil
	}
	t, err := d.table(j.ctx)
	if err != nil {
		j.fail(err)
		return true, err
	}
	if t.there {
		return false, nil
	}
	for i := range j.results {
		j.results[i] = dataknobs.Result{ID: j.b.Writes[i].ID, Err: dataknobs.NotFound}
		if i > 0 && j.b.Atomic {
			j.results[i].Err = dataknobs.ErrNotApplied
		}
	}
	return true, nil
}

// makes reports whether the write may make a record.
func makes(w dataknobs.Write) bool {
	return w.Op == dataknobs.WritePut && w.If != dataknobs.IfPresent && w.Revision == ""
}

// leave takes a job out of the queue; false: it is no longer in it.
func (w *writer) leave(j *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, j)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	return i >= 0
}

// fail gives up the whole job.
func (j *job) fail(err error) {
	j.err = err
	for i := range j.results {
		j.results[i] = dataknobs.Result{ID: j.b.Writes[i].ID, Err: err}
	}
}

// Bounds of what is committed together.
const (
	groupJobs   = 256
	groupWrites = 1024 // a batch with more than this is a commit of its own
)

// lead commits j, together with what has come meanwhile, then hands the queue on.
func (w *writer) lead(j *job) {
	defer w.hand()
	if err := w.lock(j.ctx); err != nil {
		j.fail(err)
		return
	}
	defer w.unlock()
	err := w.ready(j.ctx)
	var t *table
	if err == nil {
		t, err = w.d.table(j.ctx)
	}
	switch {
	case err != nil:
		j.fail(err)
	case w.waiting():
		w.commitGroup(t, j)
	default:
		w.commitOne(t, j)
	}
}

func (w *writer) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) > 0
}

// take takes what may be committed together with j from the queue.
func (w *writer) take(j *job) []*job {
	jobs := []*job{j}
	total := len(j.b.Writes)
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 && len(jobs) < groupJobs {
		x := w.queue[0]
		if total += len(x.b.Writes); total > groupWrites {
			break
		}
		jobs = append(jobs, x)
		w.queue = w.queue[1:]
	}
	return jobs
}

// hand lets the first in the queue lead.
func (w *writer) hand() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.leading = false
		return
	}
	next := w.queue[0]
	w.queue = w.queue[1:]
	next.turn <- leads
}

// commitOne applies one job.
func (w *writer) commitOne(t *table, j *job) {
	if err := j.ctx.Err(); err != nil {
		j.fail(err)
		return
	}
	w.c.Use(j.ctx)
	if t.there && w.indexed && len(j.b.Writes) == 1 && isSingle(t, &j.b.Writes[0]) {
		s := newSession(t, w.d.at, w.c)
		res, fatal := s.apply(&j.b.Writes[0])
		if fatal != nil {
			j.fail(fatal)
			return
		}
		j.results[0] = res
		return
	}
	err := w.transact(t, func(s *session) error { return s.applyJob(j) })
	if err != nil {
		j.fail(err)
	}
}

// isSingle reports whether a write is one statement, which needs no
// transaction around it.
func isSingle(t *table, w *dataknobs.Write) bool {
	if w.Op == dataknobs.WritePatch || t.Rev.Kind == sqlgen.RevHash || !t.plainKey() {
		return false
	}
	return w.Revision == "" || t.revision != ""
}

// commitGroup applies j and what waits in one transaction. Until the database's
// lock is had, those that wait may still give up.
func (w *writer) commitGroup(t *table, j *job) {
	jobs := []*job{j}
	blame := false
	err := w.transact(t, func(s *session) error {
		jobs = w.take(j)
		w.c.Use(context.Background()) // none of them may end the others
		for _, x := range jobs {
			if err := x.ctx.Err(); err != nil {
				x.fail(err)
				continue
			}
			if err := s.applyJob(x); err != nil {
				blame = true
				return err
			}
		}
		return nil
	})
	if c := dataknobs.CodeOf(err); c == dataknobs.Conflict || c == dataknobs.InvalidArgument {
		blame = true // a constraint that is looked at only by the commit
	}
	for _, x := range jobs {
		switch {
		case err == nil:
		case blame && len(jobs) > 1: // one of them spoilt it: now each for itself
			w.commitOne(w.d.tab.Load().table, x)
		default:
			x.fail(err)
		}
		if x != j {
			x.turn <- isDone
		}
	}
}

// applyJob applies the writes of a job inside a transaction. Of an atomic one
// that fails nothing is applied.
func (s *session) applyJob(j *job) error {
	if !j.b.Atomic || len(j.b.Writes) == 1 {
		_, err := s.applyAll(j)
		return err
	}
	if err := s.c.Exec("savepoint batch"); err != nil {
		return err
	}
	bad, err := s.applyAll(j)
	if err != nil {
		return err
	}
	if bad >= 0 {
		for i := range j.results {
			if i != bad {
				j.results[i] = dataknobs.Result{ID: j.b.Writes[i].ID, Err: dataknobs.ErrNotApplied}
			}
		}
		if err := s.c.Exec("rollback to batch"); err != nil {
			return err
		}
	}
	return s.c.Exec("release batch")
}

// applyAll applies the writes in turn; of an atomic batch only up to the first
// that fails, which it returns, else -1.
func (s *session) applyAll(j *job) (bad int, err error) {
	bad = -1
	each := func(i int, _ *dataknobs.Write, res dataknobs.Result) error {
		j.results[i] = res
		if res.Err != nil && j.b.Atomic {
			bad = i
			return errEnough
		}
		return nil
	}
	if len(j.b.Writes) < manyRows {
		err = s.writeEach(0, j.b.Writes, each)
	} else {
		err = s.writeStream(j.ctx, func(yield func(*dataknobs.Write, error) bool) {
			for i := range j.b.Writes {
				if !yield(&j.b.Writes[i], nil) {
					return
				}
			}
		}, each)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return bad, err
}
