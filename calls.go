package dataknobs

import (
	"context"
	"iter"
	"sync"
	"time"
)

// Every call of the driver that may do I/O is made here or through call: in a
// transaction they wait for each other.

// call makes one call of the driver.
func call[T any](ctx context.Context, db *DB, f func() (T, error)) (out T, err error) {
	if db.tx == nil {
		return f()
	}
	if err := db.tx.enter(ctx); err != nil {
		return out, err
	}
	defer func() { db.tx.leave(err) }()
	return f()
}

func (db *DB) apply(ctx context.Context, b *Batch) ([]Result, error) {
	if db.tx == nil {
		return db.d.Apply(ctx, b)
	}
	b.Workers = 1
	return call(ctx, db, func() ([]Result, error) {
		results, err := db.d.Apply(ctx, b)
		for i := range results {
			db.tx.note(results[i].Err)
		}
		return results, err
	})
}

// scan is the driver's Scan, counted while it is ranged over.
func (db *DB) scan(ctx context.Context, s *Scan) iter.Seq2[*Record, error] {
	if db.tx != nil {
		return db.tx.scan(ctx, s)
	}
	return func(yield func(*Record, error) bool) {
		id := db.open.add()
		defer db.open.remove(id)
		db.d.Scan(ctx, s)(yield)
	}
}

// load is the Loader's Load.
func (db *DB) load(ctx context.Context, l Loader, req *LoadRequest) (bool, error) {
	if db.tx == nil {
		return l.Load(ctx, req)
	}
	return call(ctx, db, func() (bool, error) {
		db.tx.loading.Store(true)
		defer db.tx.loading.Store(false)
		return l.Load(ctx, req)
	})
}

// begun returns seq with its first record already taken, to be ranged over
// once: if it is a query of the same transaction, its rest can be kept aside
// before the connection is needed for something else.
func begun(seq iter.Seq2[*Record, error]) (rest iter.Seq2[*Record, error], stop func()) {
	next, stop := iter.Pull2(seq)
	rec, err, ok := next()
	return func(yield func(*Record, error) bool) {
		for ok && yield(rec, err) {
			rec, err, ok = next()
		}
	}, stop
}

// An openSet says what is under way: since when, by a number of its own.
type openSet struct {
	mu    sync.Mutex
	last  int64               // guarded by mu
	since map[int64]time.Time // guarded by mu
}

func (o *openSet) add() int64 {
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since == nil {
		o.since = map[int64]time.Time{}
	}
	o.last++
	o.since[o.last] = now
	return o.last
}

func (o *openSet) remove(id int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.since, id)
}

// count returns how many there are, and for how long the oldest.
func (o *openSet) count() (n int, oldest time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.since {
		oldest = max(oldest, time.Since(t))
	}
	return len(o.since), oldest
}

// OpenQueries returns how many queries are being ranged over right now, and
// for how long the oldest of them. A number that only grows shows a leak: an
// [iter.Pull] whose stop is never called, a loop that waits for ever. Each may
// hold a connection or a file. Close tells Options.Warn of those that are left.
func (db *DB) OpenQueries() (n int, oldest time.Duration) {
	if db.tx != nil {
		return db.tx.openScans()
	}
	return db.open.count()
}

// PoolStats says how the store's pool of connections is doing; false if it has
// none.
func (db *DB) PoolStats() (PoolStats, bool) {
	if db.tx != nil {
		return db.tx.base.PoolStats()
	}
	if p, ok := Ability[Pooler](db.d); ok {
		return p.PoolStats(), true
	}
	return PoolStats{}, false
}
