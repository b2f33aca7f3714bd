// Package txfake is a store with transactions for tests: plain, in memory, and
// strict about what the engine may ask of a transaction. It can do nothing but
// what every driver must, so that the engine does the rest.
package txfake

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
)

// A Driver is such a store. Its transactions are serializable: one that meets
// another, which committed meanwhile, fails with ErrSerialization.
type Driver struct {
	mu      sync.Mutex
	state   state // guarded by mu
	version int   // how many commits there were; guarded by mu
	closed  bool  // guarded by mu
	revs    atomic.Uint64

	// Faults, set before use.
	Commit func() error                       // if not nil, asked before each commit
	Loads  func(*dataknobs.LoadRequest) error // if not nil, each transaction is a Loader
	Begun  atomic.Int64                       // counts the transactions
	Wrote  func(*dataknobs.Write)             // if not nil, told of every write
	Fault  string                             // one of Faults: what transactions do wrong
}

// Faults are faults that transactions have had, for tests of tests.
var Faults = []string{
	"keeps what was rolled back", "shows writes before the commit", "forgets savepoints", "does not read its own writes", "loses updates",
	"is spoilt by a failed write", "commits nothing", "sees others at once", "keeps half of a batch",
}

// A state is all records by ID. Records in it never change.
type state map[string]*dataknobs.Record

// New returns an empty store.
func New() *Driver { return &Driver{state: state{}} }

// String is the store's name.
func (d *Driver) String() string { return "fake" }

// Features implements dataknobs.Driver.
func (d *Driver) Features() *dataknobs.Features {
	return &dataknobs.Features{Shared: true, Atomic: true, Metadata: true, Parallel: true}
}

var errClosed = dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")

func (d *Driver) now() (state, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	return d.state, nil
}

// Get implements dataknobs.Driver.
func (d *Driver) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		s, err := d.now()
		yieldAll(ctx, err, s.some(ids), yield)
	}
}

// Scan implements dataknobs.Driver.
func (d *Driver) Scan(ctx context.Context, _ *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		s, err := d.now()
		yieldAll(ctx, err, s.all(), yield)
	}
}

func yieldAll(ctx context.Context, err error, recs []*dataknobs.Record, yield func(*dataknobs.Record, error) bool) {
	for _, r := range recs {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			break
		}
		if !yield(r, nil) {
			return
		}
	}
	if err = cmp.Or(err, ctx.Err()); err != nil {
		yield(nil, err)
	}
}

func (s state) some(ids []string) []*dataknobs.Record {
	var recs []*dataknobs.Record
	for _, id := range ids {
		if r := s[id]; r != nil {
			recs = append(recs, r)
		}
	}
	return recs
}

func (s state) all() []*dataknobs.Record {
	return slices.SortedFunc(maps.Values(s), func(a, b *dataknobs.Record) int { return cmp.Compare(b.ID, a.ID) })
}

// Apply implements dataknobs.Driver.
func (d *Driver) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	next, results := d.applied(d.state, b)
	d.state = next
	d.version++
	return results, nil
}

// applied returns the state after a batch.
func (d *Driver) applied(s state, b *dataknobs.Batch) (state, []dataknobs.Result) {
	next := maps.Clone(s)
	results := make([]dataknobs.Result, len(b.Writes))
	for i := range b.Writes {
		results[i] = d.apply(next, &b.Writes[i])
		if results[i].Err != nil && b.Atomic {
			for k := range results {
				if k != i {
					results[k] = dataknobs.Result{Err: dataknobs.ErrNotApplied}
				}
			}
			return s, results
		}
	}
	return next, results
}

func (d *Driver) apply(s state, w *dataknobs.Write) dataknobs.Result {
	if d.Wrote != nil {
		d.Wrote(w)
	}
	old := s[w.ID]
	rec, err := w.Next(old)
	if err != nil {
		return dataknobs.Result{Err: err}
	}
	if rec == nil {
		delete(s, w.ID)
		return dataknobs.Result{}
	}
	rec.Revision = strconv.FormatUint(d.revs.Add(1), 10)
	s[w.ID] = rec
	return dataknobs.Result{ID: w.ID, Revision: rec.Revision, Created: old == nil}
}

// Close implements dataknobs.Driver.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

// Begin implements dataknobs.Transactor.
func (d *Driver) Begin(ctx context.Context, o dataknobs.TxOptions) (dataknobs.Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	t := &tx{d: d, state: d.state, begun: d.version, readOnly: o.ReadOnly, busy: new(atomic.Bool)}
	return t.handle(int(d.Begun.Add(1))), nil
}

// A tx is a transaction or a savepoint.
type tx struct {
	d        *Driver
	outer    *tx
	state    state
	begun    int // the version of the store
	wrote    bool
	readOnly bool
	over     bool
	inner    bool         // a savepoint is open
	busy     *atomic.Bool // of the whole transaction: a call is under way
}

// handle returns t with the abilities that the test chose.
func (t *tx) handle(n int) dataknobs.Tx {
	if t.d.Loads != nil {
		return loadingTx{t}
	}
	if n%2 == 0 { // each other transaction has a Getter
		return gettingTx{t}
	}
	return t
}

// enter checks that the engine may call, and begins the call.
func (t *tx) enter(ctx context.Context) error {
	switch {
	case !t.busy.CompareAndSwap(false, true):
		return dataknobs.Errorf(dataknobs.Internal, "two calls at once in one transaction")
	case t.isOver():
		t.busy.Store(false)
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the transaction is over")
	case t.inner:
		t.busy.Store(false)
		return dataknobs.Errorf(dataknobs.Internal, "a call of a transaction in which a savepoint is open")
	case ctx.Err() != nil:
		t.busy.Store(false)
		return ctx.Err()
	}
	return nil
}

// isOver reports whether t or a transaction around it has ended.
func (t *tx) isOver() bool { return t.over || t.outer != nil && t.outer.isOver() }

func (t *tx) leave() { t.busy.Store(false) }

func (t *tx) Features() *dataknobs.Features { return t.d.Features() }

func (t *tx) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return t.yields(ctx, func() []*dataknobs.Record { return t.seen().some(ids) })
}

func (t *tx) Scan(ctx context.Context, _ *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return t.yields(ctx, func() []*dataknobs.Record { return t.seen().all() })
}

// seen is what reads see.
func (t *tx) seen() state {
	if t.d.Fault == "does not read its own writes" || t.d.Fault == "sees others at once" && !t.wrote {
		now, _ := t.d.now()
		return now
	}
	return t.state
}

func (t *tx) yields(ctx context.Context, recs func() []*dataknobs.Record) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		if err := t.enter(ctx); err != nil {
			yield(nil, err)
			return
		}
		defer t.leave()
		yieldAll(ctx, nil, recs(), yield)
	}
}

func (t *tx) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	if err := t.enter(ctx); err != nil {
		return nil, err
	}
	defer t.leave()
	if t.readOnly {
		return nil, dataknobs.Errorf(dataknobs.Internal, "a write in a transaction that is for reading only")
	}
	if t.stale() && t.d.revs.Load()%2 == 0 { // some say it at once, some at commit
		return nil, serialization()
	}
	var results []dataknobs.Result
	t.state, results = t.d.applied(t.state, b)
	t.wrote = true
	t.spoil(b, results)
	return results, nil
}

// spoil is what goes wrong with some faults.
func (t *tx) spoil(b *dataknobs.Batch, results []dataknobs.Result) {
	switch failed := slices.ContainsFunc(results, func(r dataknobs.Result) bool { return r.Err != nil }); {
	case t.d.Fault == "is spoilt by a failed write" && failed:
		t.over = true
	case t.d.Fault == "shows writes before the commit":
		t.publish()
	case t.d.Fault == "keeps half of a batch" && len(b.Writes) > 1:
		half := &dataknobs.Batch{Writes: b.Writes[:len(b.Writes)/2]}
		t.d.mu.Lock()
		defer t.d.mu.Unlock()
		t.d.state, _ = t.d.applied(t.d.state, half)
	}
}

// publish makes what the transaction holds what everybody sees.
func (t *tx) publish() {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	t.d.state = t.state
}

func serialization() error {
	return dataknobs.Errorf(dataknobs.Conflict, "another transaction was faster: %w", dataknobs.ErrSerialization)
}

// stale reports whether another transaction has committed meanwhile.
func (t *tx) stale() bool {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	return t.d.version != t.begun && t.d.Fault != "loses updates"
}

func (t *tx) Begin(ctx context.Context, o dataknobs.TxOptions) (dataknobs.Tx, error) {
	if err := t.enter(ctx); err != nil {
		return nil, err
	}
	defer t.leave()
	t.inner = true
	in := &tx{d: t.d, outer: t, state: t.state, begun: t.begun, readOnly: t.readOnly || o.ReadOnly, busy: t.busy}
	return in.handle(1), nil
}

func (t *tx) Commit(ctx context.Context) error {
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer t.leave()
	t.over = true
	if t.outer != nil {
		t.outer.inner, t.outer.state, t.outer.wrote = false, t.state, t.outer.wrote || t.wrote
		return nil
	}
	if t.d.Commit != nil {
		if err := t.d.Commit(); err != nil {
			return err
		}
	}
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	switch {
	case t.d.closed:
		return errClosed
	case !t.wrote || t.d.Fault == "commits nothing":
		return nil
	case t.d.version != t.begun && t.d.Fault != "loses updates":
		return serialization()
	}
	t.d.state = t.state
	t.d.version++
	return nil
}

func (t *tx) Rollback(ctx context.Context) error {
	if t.over {
		return nil
	}
	t.inner = false // a savepoint in it is undone with it
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer t.leave()
	t.over = true
	if t.d.Fault == "keeps what was rolled back" && t.outer == nil {
		t.publish()
	}
	if t.outer != nil {
		t.outer.inner = false
		if t.d.Fault == "forgets savepoints" {
			t.outer.state, t.outer.wrote = t.state, true
		}
	}
	return nil
}

func (t *tx) Close() error { return t.Rollback(context.Background()) }

type gettingTx struct{ *tx }

// GetOne implements dataknobs.Getter.
func (t gettingTx) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	if err := t.enter(ctx); err != nil {
		return nil, err
	}
	defer t.leave()
	return t.seen()[id], nil
}

type loadingTx struct{ *tx }

// Load implements dataknobs.Loader.
func (t loadingTx) Load(ctx context.Context, req *dataknobs.LoadRequest) (bool, error) {
	if err := t.enter(ctx); err != nil {
		return false, err
	}
	defer t.leave()
	if err := t.d.Loads(req); err != nil {
		return false, err
	}
	b := &dataknobs.Batch{}
	for rec, err := range req.Records {
		if err != nil {
			return true, err
		}
		w := dataknobs.Write{Op: dataknobs.WritePut, ID: rec.ID, Record: rec.Clone()}
		if req.Mode != dataknobs.LoadPut {
			w.If = dataknobs.IfAbsent
		}
		b.Writes = append(b.Writes, w)
	}
	next, results := t.d.applied(t.state, b)
	for _, r := range results {
		switch {
		case r.Err == nil:
			req.Written.Add(1)
		case req.Mode == dataknobs.LoadSkip && dataknobs.CodeOf(r.Err) == dataknobs.AlreadyExists:
			req.Skipped.Add(1)
		default:
			return true, r.Err
		}
	}
	t.state, t.wrote = next, true
	return true, nil
}
