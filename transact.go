package dataknobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// DefaultAttempts is how often Tx runs its function at most.
const DefaultAttempts = 10

// A TxOption changes how a transaction is run.
type TxOption func(*txSettings)

type txSettings struct {
	TxOptions
	attempts    int
	hasAttempts bool
}

// TxIsolation asks for a level of isolation. A store that has no such level, nor
// a stricter one, refuses with Unsupported.
func TxIsolation(level Isolation) TxOption { return func(o *txSettings) { o.Isolation = level } }

// TxReadOnly makes every write in the transaction fail with PermissionDenied.
// Some stores then run it at less cost.
func TxReadOnly() TxOption { return func(o *txSettings) { o.ReadOnly = true } }

// TxAttempts bounds how often the function is run, where the store asks for
// it: without it DefaultAttempts; 1 never runs it again.
func TxAttempts(n int) TxOption {
	return func(o *txSettings) { o.attempts, o.hasAttempts = n, true }
}

// Tx runs fn in a transaction of this one store. What fn does with tx, reads
// and writes of every kind, happens at once for everybody else, when fn has
// returned nil; or not at all, when fn returns an error, panics or does not
// return. Tx returns fn's error as it is.
//
//	err := db.Tx(ctx, func(tx *dataknobs.DB) error {
//		from, err := tx.Get(ctx, "alice")
//		…
//		_, err = tx.Patch(ctx, "alice", …)
//		return err
//	})
//
// Reads of tx see its own writes. What they see of others is the isolation's
// matter: see [TxIsolation].
//
// A transaction that met another one (its error, or one that a call of tx
// returned, wraps [ErrSerialization]) is rolled back and run again after a short
// random pause, up to DefaultAttempts times: fn must be fit to run again. One that
// failed in any other way is not. If the store is lost while the
// transaction commits, it may have happened: then the error wraps
// [ErrUnknownOutcome] and has the code Unavailable.
//
// tx is good until fn returns; using it afterwards is InvalidArgument. It may be
// used by several goroutines, whose calls wait for each other: a transaction is
// one connection. Ranging over a query of it while doing something else in it
// is possible; the rest of the query's result is then kept aside first. Sequences that are
// still open when fn returns, for want of the stop of an [iter.Pull],
// are an error, and the transaction is rolled back. The DB itself is no part of
// the transaction: what fn does with it happens at once, and may wait for the
// transaction without end.
//
// tx.Tx runs a transaction inside the transaction, by a savepoint: when its function fails,
// what that did is undone and the outer one may go on. Until it
// ends only the inner DB can be used. It takes no options but TxReadOnly.
//
// A store without transactions refuses with Unsupported.
func (db *DB) Tx(ctx context.Context, fn func(tx *DB) error, opts ...TxOption) error {
	o := txSettings{attempts: DefaultAttempts}
	for _, opt := range opts {
		opt(&o)
	}
	if err := db.checkTx(&o); err != nil {
		return db.fail(opTx, "", err)
	}
	if db.tx != nil {
		return db.savepoint(ctx, fn, o)
	}
	for try := 1; ; try++ {
		again, err := db.attempt(ctx, fn, o.TxOptions)
		switch {
		case !again || ctx.Err() != nil:
			return err
		case try >= o.attempts:
			return db.fail(opTx, "", errTooOften(try, err))
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

const opTx = "transaction"

func errTooOften(tries int, err error) error {
	if tries == 1 {
		return err
	}
	return Errorf(Conflict, "the transaction was run %d times, and each time it met others: %w", tries, err).
		WithHint("let fewer of them run at the same time, do less in each, or allow more attempts")
}

func (db *DB) checkTx(o *txSettings) error {
	if err := db.usable(); err != nil {
		return err
	}
	switch {
	case o.Isolation > Serializable:
		return Errorf(InvalidArgument, "there is no isolation level %d", o.Isolation)
	case o.attempts < 1:
		return Errorf(InvalidArgument, "a transaction cannot be attempted %d times", o.attempts)
	case db.tx != nil && o.hasAttempts:
		return Errorf(InvalidArgument, "a transaction inside another is not attempted by itself").
			WithHint("give TxAttempts to the outermost one")
	case db.tx != nil && o.Isolation != IsolationDefault:
		return Errorf(InvalidArgument, "a transaction inside another has the isolation of that one").
			WithHint("give TxIsolation to the outermost one")
	}
	if _, ok := Ability[Transactor](db.d); ok {
		return nil
	}
	err := Errorf(Unsupported, "the store has no transactions")
	switch {
	case db.tx != nil:
		return Errorf(Unsupported, "the store has no transactions inside others")
	case db.f().Atomic:
		return err.WithHint("a batch of writes can be all or nothing: Apply with Atomic()")
	}
	return err.WithHint("guard single writes with IfRevision, or use a store that has transactions, such as sqlite or postgres")
}

// attempt runs fn once. again: the store asks for one more.
func (db *DB) attempt(ctx context.Context, fn func(tx *DB) error, o TxOptions) (again bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	o.ReadOnly = o.ReadOnly || db.readOnly
	tx, err := db.d.(Transactor).Begin(ctx, o)
	if err != nil {
		return errors.Is(err, ErrSerialization), db.fail(opTx, "", err)
	}
	s := &session{base: db, turn: make(chan struct{}, 1)}
	t := &txn{session: s, tx: tx}
	defer t.abandon(ctx)
	err = t.end(ctx, fn(db.in(t, o.ReadOnly)))
	again = (s.isDoomed() || errors.Is(err, ErrSerialization)) && !errors.Is(err, ErrUnknownOutcome)
	return again, err
}

// savepoint runs fn inside the transaction of db.
func (db *DB) savepoint(ctx context.Context, fn func(tx *DB) error, o txSettings) error {
	t, err := db.tx.begin(ctx, o.TxOptions)
	if err != nil {
		return db.fail(opTx, "", err)
	}
	defer t.abandon(ctx)
	return t.end(ctx, fn(db.in(t, db.readOnly || o.ReadOnly)))
}

// in returns the DB of a transaction. It works alone: there is one connection.
func (db *DB) in(t *txn, readOnly bool) *DB {
	in := &DB{d: t.tx, name: db.name, warn: db.warn, workers: 1, readOnly: readOnly, tx: t}
	in.getter, _ = Ability[Getter](t.tx)
	return in
}

// Bounds of the pause before a transaction is run again.
const (
	firstPause = 2 * time.Millisecond
	mostPause  = 500 * time.Millisecond
)

// pause waits a random time that grows with the number of tries.
func pause(ctx context.Context, tries int) error {
	most := min(firstPause<<min(tries, 16), mostPause)
	timer := time.NewTimer(time.Duration(rand.Int64N(int64(most)))) //nolint:gosec // a random pause guards no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rollbackTime bounds how long a rollback may take, after which the store is
// left to find out by itself.
const rollbackTime = 10 * time.Second

// end commits the transaction, or undoes it where fn's error or anything else
// says so. It returns the error to pass on.
func (t *txn) end(ctx context.Context, err error) error {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	if t.over.Load() { // the transaction around it has ended
		return cmp.Or(err, t.base.fail(opTx, "", errTxOver))
	}
	why := t.whyNot(ctx, err)
	t.stopScans()
	if why != nil {
		t.undo(ctx)
		return why
	}
	t.finish()
	return t.commit(ctx)
}

// whyNot says why the transaction is not to be committed; nil if it is.
func (t *txn) whyNot(ctx context.Context, err error) error {
	open, oldest := t.openScans()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil:
		return err
	case t.doomed != nil:
		return t.base.fail(opTx, "", t.doomed)
	case t.broken != nil:
		return t.base.fail(opTx, "", t.broken)
	case ctx.Err() != nil:
		return ctx.Err()
	case t.inner != nil:
		return t.base.fail(opTx, "", Errorf(InvalidArgument, "a transaction inside this one is still under way at its end").
			WithHint("wait for the goroutine that runs it"))
	case open > 0:
		return t.base.fail(opTx, "", errOpenAtEnd(open, oldest))
	}
	return nil
}

func errOpenAtEnd(open int, oldest time.Duration) error {
	return Errorf(InvalidArgument, "the transaction was rolled back: at its end %s", stillOpen(open, oldest)).
		WithHint("leave the loop, or call the stop function of iter.Pull, before the transaction's function returns")
}

// stillOpen says how many sequences are open, and for how long.
func stillOpen(n int, oldest time.Duration) string {
	age := oldest.Round(time.Millisecond)
	if n == 1 {
		return fmt.Sprintf("1 query was still being ranged over, since %s", age)
	}
	return fmt.Sprintf("%d queries were still being ranged over, the oldest since %s", n, age)
}

// commit is what remains of end where nothing speaks against it.
func (t *txn) commit(ctx context.Context) error {
	err := t.tx.Commit(ctx)
	if err == nil {
		return nil
	}
	t.note(err)
	switch {
	case errors.Is(err, ErrSerialization):
	case t.outer != nil:
		t.spoil(err)
	case isUnknown(err):
		err = errUnknown(err)
	}
	return t.base.fail(opTx, "", err)
}

// isUnknown reports whether a commit that failed with err may have happened.
func isUnknown(err error) bool {
	var e *Error
	return IsContext(err) || !errors.As(err, &e) || e.Code == Unavailable || e.Code == Internal
}

func errUnknown(cause error) error {
	if errors.Is(cause, ErrUnknownOutcome) {
		return cause
	}
	return &Error{Code: Unavailable, Message: ErrUnknownOutcome.Error(), Err: cause, Hint: "look whether it was, before doing it again"}
}
