package dataknobs

import (
	"context"
	"time"
)

// ErrSerialization is what a store's error wraps when it asks for the whole
// transaction to be run again: it met another one that ran at the same time.
// Such an error has the code Conflict. [DB.Tx] runs its function again by itself.
var ErrSerialization error = Errorf(Conflict, "the transaction met another one that ran at the same time")

// ErrUnknownOutcome is what the error of a transaction wraps when the store was
// lost while it committed: it may have happened, so it is never repeated. The
// error of a single write may wrap it too, for the same reason.
var ErrUnknownOutcome error = Errorf(Unavailable, "it is not known whether the transaction was committed")

// More optional interfaces of a Driver.
type (
	// A Transactor runs transactions. Begin of a Tx, if that is a Transactor too,
	// makes a savepoint: its Commit keeps what was done since, its Rollback undoes
	// it, and neither ends the transaction around it.
	Transactor interface {
		Begin(ctx context.Context, o TxOptions) (Tx, error)
	}
	// A Pooler tells how its pool of connections is doing. Stores that share a
	// pool tell the same.
	Pooler interface {
		PoolStats() PoolStats
	}
)

// A Tx is a Driver inside a transaction: its reads see its own writes, and
// nobody else sees them before Commit.
//
// The engine calls a Tx from one goroutine at a time, and makes no call while a
// sequence of an earlier one is being ranged over: one connection is enough.
// The one exception is that a Load takes its records while it runs; they never
// come from the same transaction. While a savepoint is open only that is called,
// but for the Rollback of what is around it. Features does no I/O and may be
// called at any time.
//
// A write that fails by itself (its Result says so) leaves the transaction as
// it was before that write. An error of a call as a whole may spoil it: then
// all that can follow is Rollback. An error that wraps [ErrSerialization] always
// spoils it.
//
// A Tx is over when Commit or Rollback returns, whatever they return, and
// everything that it held is free. Then Rollback does nothing, and every other
// call fails with InvalidArgument. Close is as Rollback.
type Tx interface {
	Driver
	// Commit makes all of it durable and visible at once, or fails: with an error
	// that wraps ErrSerialization if the transaction is to be run again; with one
	// of the context or of code Unavailable if it is not known what happened; with
	// any other if nothing of it happened.
	Commit(ctx context.Context) error
	// Rollback undoes all of it, savepoints that are open in it included. It is
	// called with a context that is not done.
	Rollback(ctx context.Context) error
}

// TxOptions are what a transaction begins with. A savepoint has the options of
// its transaction.
type TxOptions struct {
	Isolation Isolation
	ReadOnly  bool // nothing will be written
}

// Isolation says what a transaction sees of others that run at the same time.
// A store may give more than was asked for, never less: what it cannot give is
// Unsupported.
type Isolation uint8

// The levels of isolation.
const (
	IsolationDefault Isolation = iota // the store's own: at least ReadCommitted
	ReadCommitted                     // each read sees what was committed before that read
	RepeatableRead                    // all reads see what was committed before the first: a snapshot
	Serializable                      // as if the transactions had run one after the other
)

var isolationNames = [...]string{"default", "read committed", "repeatable read", "serializable"}

// String returns "default", "read committed", "repeatable read" or
// "serializable".
func (i Isolation) String() string {
	if int(i) < len(isolationNames) {
		return isolationNames[i]
	}
	return "unknown"
}

// PoolStats says how a pool of connections is doing. The counts since it was
// opened only grow.
type PoolStats struct {
	Max      int           `json:"max"`        // how many connections it may have
	Open     int           `json:"open"`       // how many it has
	Idle     int           `json:"idle"`       // of these: free
	InUse    int           `json:"inUse"`      // of these: at work
	Opened   int64         `json:"opened"`     // connections made, since it was opened
	Closed   int64         `json:"closed"`     // connections given up, for whatever reason
	Acquired int64         `json:"acquired"`   // how often one was taken
	Waits    int64         `json:"waits"`      // how often there was none free
	WaitTime time.Duration `json:"waitTimeNs"` // how long they waited together
	Failed   int64         `json:"failed"`     // how often none came in time
}
