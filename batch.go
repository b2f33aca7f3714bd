package dataknobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// defaultBatch is how many writes go to a driver in one Apply where it names
// no better number and several calls may run at once.
const defaultBatch = 1000

// A BatchOption changes how a batch is applied.
type BatchOption func(*batchOptions)

type batchOptions struct {
	atomic         bool
	parallel, size int
}

// Atomic makes a batch all or nothing. A store that cannot do that refuses the
// batch with Unsupported before anything is written: see Features.Atomic.
func Atomic() BatchOption { return func(o *batchOptions) { o.atomic = true } }

// Parallel bounds how much of a batch is under way at once, where the store
// gains from that. Without it the bound is Options.Workers, or the store's own.
func Parallel(n int) BatchOption { return func(o *batchOptions) { o.parallel = n } }

// BatchSize bounds how many writes are handed to the store at once. A store's
// own bound stays in force.
func BatchSize(n int) BatchOption { return func(o *batchOptions) { o.size = n } }

// A Patch is one change of a record for [DB.PatchMany].
type Patch struct {
	ID       string
	Changes  []Change
	Revision string // if not empty, must be the record's revision, else Conflict
}

// An ItemError says why one item of a batch was not written.
type ItemError struct {
	Index int    // in the batch, or in the stream of a Load
	ID    string // may be empty
	Err   error
}

// Error returns the item's place, ID and cause.
func (e ItemError) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("item %d: %v", e.Index, e.Err)
	}
	return fmt.Sprintf("item %d, record %q: %v", e.Index, e.ID, e.Err)
}

// Unwrap returns the cause.
func (e ItemError) Unwrap() error { return e.Err }

// A BatchError says which items of a batch failed, in the order of their
// indexes. Everything else was applied; of an atomic batch nothing was, and
// Errors are the items to blame.
type BatchError struct {
	Op     string
	Store  string
	Errors []ItemError // at least one
	Total  int         // how many items the batch had
}

// maxListed bounds how many items the text of an error lists.
const maxListed = 5

// Error lists the first failed items.
func (e *BatchError) Error() string {
	var b strings.Builder
	for _, s := range []string{e.Op, e.Store} {
		if s != "" {
			b.WriteString(strings.TrimSuffix(s, ":") + ": ")
		}
	}
	fmt.Fprintf(&b, "%d of %d failed: ", len(e.Errors), e.Total)
	listItems(&b, e.Errors)
	return b.String()
}

func listItems(b *strings.Builder, items []ItemError) {
	for i, it := range items {
		if i == maxListed {
			fmt.Fprintf(b, "; and %d more", len(items)-i)
			return
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(it.Error())
	}
}

// Unwrap returns the causes.
func (e *BatchError) Unwrap() []error { return causes(e.Errors) }

func causes(items []ItemError) []error {
	errs := make([]error, len(items))
	for i, it := range items {
		errs[i] = it.Err
	}
	return errs
}

// CreateMany is Create for many records, in parts that run in parallel within
// a bound. It returns one result for each record, by index, and a *BatchError
// if any failed; the others are applied all the same.
func (db *DB) CreateMany(ctx context.Context, recs []*Record, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "create", writesOf(recs, createOf), opts)
}

// PutMany is Put for many records; see [DB.CreateMany].
func (db *DB) PutMany(ctx context.Context, recs []*Record, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "put", writesOf(recs, putOf), opts)
}

// UpdateMany is Update for many records; see [DB.CreateMany].
func (db *DB) UpdateMany(ctx context.Context, recs []*Record, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "update", writesOf(recs, updateOf), opts)
}

// PatchMany is Patch for many records; see [DB.CreateMany].
func (db *DB) PatchMany(ctx context.Context, patches []Patch, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "patch", writesOf(patches, func(p Patch) Write {
		return Write{Op: WritePatch, ID: p.ID, Changes: p.Changes, If: IfPresent, Revision: p.Revision}
	}), opts)
}

// DeleteMany is Delete for many records; see [DB.CreateMany].
func (db *DB) DeleteMany(ctx context.Context, ids []string, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "delete", writesOf(ids, func(id string) Write {
		return Write{Op: WriteDelete, ID: id, If: IfPresent}
	}), opts)
}

// Apply applies any mix of writes; see [DB.CreateMany]. Writes of the same
// record apply in their order.
func (db *DB) Apply(ctx context.Context, ws []Write, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "apply", append([]Write(nil), ws...), opts)
}

func writesOf[T any](items []T, f func(T) Write) []Write {
	ws := make([]Write, len(items))
	for i, it := range items {
		ws[i] = f(it)
	}
	return ws
}

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
	valid := j.prepare(ctx)
	switch {
	case !j.opts.atomic:
		j.run(ctx, valid)
	case len(valid) == len(ws):
		j.apply(ctx, valid)
	default:
		j.setAll(valid, ErrNotApplied)
	}
	return j.results, j.err()
}

func (j *job) begin(ctx context.Context) error {
	if err := j.db.writable(); err != nil {
		return err
	}
	if j.opts.atomic && !j.db.f.Atomic {
		return Errorf(Unsupported, "the store cannot apply a batch all or nothing")
	}
	return ctx.Err()
}

// prepare checks every write and returns the indexes of those that may go to
// the driver.
func (j *job) prepare(ctx context.Context) []int {
	valid := make([]int, 0, len(j.writes))
	for i := range j.writes {
		if i%1024 == 0 && ctx.Err() != nil {
			for k := i; k < len(j.writes); k++ {
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

// run applies the writes of those indexes in parts, several at once where the
// store gains from it.
func (j *job) run(ctx context.Context, idx []int) {
	workers := j.workers()
	if workers == 1 {
		j.runEach(ctx, chunks(idx, j.size(len(idx))))
		return
	}
	for len(idx) > 0 {
		var wave [][]int
		wave, idx = j.wave(idx, j.size(defaultBatch))
		j.runWave(ctx, wave, workers)
	}
}

// workers is how many calls of Apply may run at once.
func (j *job) workers() int {
	switch {
	case !j.db.f.Parallel:
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
	if j.db.f.MaxBatch > 0 {
		n = j.db.f.MaxBatch
	}
	if j.opts.size > 0 {
		n = min(n, j.opts.size)
	}
	return max(n, 1)
}

func chunks(idx []int, size int) [][]int {
	var parts [][]int
	for len(idx) > size {
		parts = append(parts, idx[:size])
		idx = idx[size:]
	}
	return append(parts, idx)
}

// wave splits off parts that may run at once: no ID stands in two of them. The
// second result is what has to wait for the next wave, in its order.
func (j *job) wave(idx []int, size int) (parts [][]int, rest []int) {
	part := make(map[string]int, len(idx)) // the part that an ID stands in; -1: waiting
	var cur []int
	for _, i := range idx {
		id := j.writes[i].ID
		p, seen := part[id]
		if id != "" && seen && p != len(parts) {
			part[id] = -1
			rest = append(rest, i)
			continue
		}
		part[id] = len(parts)
		if cur = append(cur, i); len(cur) == size {
			parts, cur = append(parts, cur), nil
		}
	}
	if len(cur) > 0 {
		parts = append(parts, cur)
	}
	return parts, rest
}

// runEach applies the parts one after the other. Once a call as a whole has
// failed, what is left fails with the same cause without being tried.
func (j *job) runEach(ctx context.Context, parts [][]int) {
	var failed error
	for _, part := range parts {
		if failed != nil {
			j.setAll(part, failed)
			continue
		}
		failed = j.apply(ctx, part)
	}
}

func (j *job) runWave(ctx context.Context, parts [][]int, workers int) {
	queue := make(chan []int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error // guarded by mu
	for range min(workers, len(parts)) {
		wg.Go(func() {
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
		})
	}
	for _, part := range parts {
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
	ws := j.writes
	if len(idx) < len(ws) {
		ws = make([]Write, len(idx))
		for k, i := range idx {
			ws[k] = j.writes[i]
		}
	}
	results, err := j.db.d.Apply(ctx, &Batch{Writes: ws, Atomic: j.opts.atomic, Workers: j.within()})
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
