package dataknobs

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A session is what a transaction and the savepoints in it share: a
// connection, so that one call of the driver follows the other.
type session struct {
	base *DB
	turn chan struct{} // holds a token while the driver is called

	// loading: a Loader has the turn and takes records meanwhile, so that whoever
	// provides them must not wait for it.
	loading atomic.Bool

	mu     sync.Mutex
	scans  []*txScan // open; guarded by mu
	doomed error     // the first ErrSerialization; guarded by mu
	broken error     // why it must not be committed otherwise; guarded by mu
}

// A txn is a transaction or a savepoint in one.
type txn struct {
	*session
	tx    Tx
	outer *txn // nil: it is the transaction itself
	inner *txn // the savepoint that is open in it; guarded by mu
	over  atomic.Bool
}

var (
	errTxOver = Errorf(InvalidArgument, "the transaction is over").
			WithHint("its DB can be used until the function returns that it was given to")
	errTxInner = Errorf(InvalidArgument, "a transaction inside this one is under way").
			WithHint("until it ends, use the DB that its own function was given")
	errTxLoading = Errorf(InvalidArgument, "a load is under way in this transaction, and nothing else can be done meanwhile").
			WithHint("read what is to be stored before, or outside of the transaction")
	errTxClose = Errorf(InvalidArgument, "the DB of a transaction is not closed").WithHint("it ends with its function")
)

// enter waits for the turn. Sequences that are being ranged over are kept
// aside first, so that the connection is free.
func (t *txn) enter(ctx context.Context) error {
	if err := t.usable(); err != nil {
		return err
	}
	if t.loading.Load() {
		return errTxLoading
	}
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := t.usable()
	if err == nil {
		err = t.settle(ctx, func(*txScan) bool { return true })
	}
	if err != nil {
		<-t.turn
	}
	return err
}

// leave gives the turn back after a call that ended with err.
func (t *txn) leave(err error) {
	t.note(err)
	<-t.turn
}

// usable says why the driver cannot be called.
func (t *txn) usable() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.over.Load():
		return errTxOver
	case t.inner != nil:
		return errTxInner
	}
	return t.base.usable()
}

// note remembers that the store asks for the transaction to be run again.
func (t *txn) note(err error) {
	if err == nil || !errors.Is(err, ErrSerialization) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.doomed == nil {
		t.doomed = err
	}
}

// isDoomed reports whether the store has asked for the transaction to be run again.
func (s *session) isDoomed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doomed != nil
}

// spoil says why the transaction must not be committed.
func (t *txn) spoil(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken == nil {
		t.broken = err
	}
}

// begin makes a savepoint.
func (t *txn) begin(ctx context.Context, o TxOptions) (*txn, error) {
	if err := t.enter(ctx); err != nil {
		return nil, err
	}
	tx, err := t.tx.(Transactor).Begin(ctx, o)
	t.leave(err)
	if err != nil {
		return nil, err
	}
	in := &txn{session: t.session, tx: tx, outer: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inner = in
	return in, nil
}

// finish marks the transaction as over, for all but the session.
func (t *txn) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for in := t; in != nil; in = in.inner {
		in.over.Store(true)
	}
	if t.outer != nil {
		t.outer.inner = nil
	}
}

// undo rolls back. Whoever calls it has the turn.
func (t *txn) undo(ctx context.Context) {
	t.finish()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
	defer cancel()
	if err := t.tx.Rollback(ctx); err != nil {
		t.note(err)
		if t.outer != nil { // what was to be undone must not be committed with the rest
			t.spoil(Errorf(CodeOf(err), "a transaction inside this one could not be undone: %w", err))
		}
	}
}

// abandon rolls back what has not ended: fn panicked, or its goroutine ends.
func (t *txn) abandon(ctx context.Context) {
	if t.over.Load() {
		return
	}
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	t.stopScans()
	t.undo(ctx)
}

// A txScan is a Scan in a transaction. The driver's sequence is pulled record
// by record, each in its turn; when something else is to be done meanwhile,
// what is left of it goes to the spool first.
type txScan struct {
	t     *txn
	ctx   context.Context // of this one Scan
	since time.Time

	// Under the turn:
	next  func() (*Record, error, bool)
	stop  func()
	begun bool // the driver's sequence is under way, unless it is done

	mu    sync.Mutex
	spool spool // guarded by mu, like all below
	done  bool  // the driver's sequence has ended
	err   error // with this, after what is in the spool
}

func (t *txn) scan(ctx context.Context, s *Scan) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		sc, err := t.open(ctx, s)
		if err != nil {
			yield(nil, err)
			return
		}
		defer sc.close()
		for {
			rec, err := sc.take()
			if err != nil {
				yield(nil, err)
				return
			}
			if rec == nil || !yield(rec, nil) {
				return
			}
		}
	}
}

func (t *txn) open(ctx context.Context, s *Scan) (*txScan, error) {
	if err := t.enter(ctx); err != nil {
		return nil, err
	}
	defer t.leave(nil)
	sc := &txScan{t: t, ctx: ctx, since: time.Now()}
	sc.next, sc.stop = iter.Pull2(t.tx.Scan(ctx, s))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scans = append(t.scans, sc)
	return sc, nil
}

// take returns the next record; nil at the end.
func (s *txScan) take() (*Record, error) {
	if rec, done, err := s.kept(); rec != nil || done || err != nil {
		return rec, err
	}
	select {
	case s.t.turn <- struct{}{}:
	case <-s.ctx.Done():
		return nil, s.ctx.Err()
	}
	defer func() { <-s.t.turn }()
	if rec, done, err := s.kept(); rec != nil || done || err != nil { // meanwhile kept aside
		return rec, err
	}
	if err := s.t.settle(s.ctx, func(o *txScan) bool { return o != s && o.begun }); err != nil {
		return nil, err
	}
	s.begun = true
	rec, err, ok := s.next()
	if err != nil || !ok {
		s.end(nil, err)
		return nil, err
	}
	return rec, nil
}

// kept returns the next record from the spool; nil if there is none there.
func (s *txScan) kept() (rec *Record, done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rec, err = s.spool.take(); rec != nil || err != nil {
		return rec, false, err
	}
	return nil, s.done, s.err
}

// end ends the driver's sequence with err, in its turn. What was kept aside of
// it comes before that.
func (s *txScan) end(keep *spoolWriter, err error) {
	s.t.note(err)
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return
	}
	if keep != nil {
		err = cmp.Or(s.spool.add(keep), err)
	}
	s.done, s.err = true, err
}

func (s *txScan) isDone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// close frees all that the scan holds.
func (s *txScan) close() {
	if !s.isDone() { // until it is, the others must know of it
		s.t.turn <- struct{}{}
		s.end(nil, nil)
		<-s.t.turn
	}
	s.t.mu.Lock()
	s.t.scans = slices.DeleteFunc(s.t.scans, func(o *txScan) bool { return o == s })
	s.t.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spool.close()
}

// settle keeps aside what is left of those of the open scans, in its turn.
func (t *txn) settle(ctx context.Context, which func(*txScan) bool) error {
	t.mu.Lock()
	scans := slices.Clone(t.scans)
	t.mu.Unlock()
	for _, s := range scans {
		if !which(s) {
			continue
		}
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *txScan) settle(ctx context.Context) error {
	if s.isDone() {
		return nil
	}
	s.mu.Lock()
	keep := s.spool.writer()
	s.mu.Unlock()
	s.begun = true
	for n := 1; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return cmp.Or(s.add(keep), ctx.Err())
		}
		rec, err, ok := s.next()
		if err != nil || !ok { // an error comes out of the sequence itself
			s.end(keep, err)
			return nil
		}
		if err := keep.put(rec); err != nil {
			s.end(keep, err)
			return err
		}
	}
}

// add makes what was kept aside so far the next of the spool.
func (s *txScan) add(keep *spoolWriter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spool.add(keep)
}

// openScans returns how many sequences of this transaction or savepoint are
// being ranged over, and for how long the oldest.
func (t *txn) openScans() (n int, oldest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.scans {
		if s.t == t {
			n++
			oldest = max(oldest, time.Since(s.since))
		}
	}
	return n, oldest
}

// stopScans ends the sequences of this transaction or savepoint, and of those
// in it, in its turn. Whoever still ranges over one is told that it is over.
func (t *txn) stopScans() {
	t.mu.Lock()
	scans := slices.Clone(t.scans)
	t.mu.Unlock()
	for _, s := range scans {
		for in := s.t; in != nil; in = in.outer {
			if in == t {
				s.end(nil, errTxOver)
			}
		}
	}
}
