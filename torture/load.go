package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
)

// soakers is how many goroutines share a soak's rate; soakIDs how many records
// they write, so that the data does not grow.
const soakers, soakIDs = 4, 200

// A load is mixed work on one store.
type load struct {
	soak
	db         *dataknobs.DB
	quiet      sync.RWMutex // read-locked by each operation
	operations atomic.Int64
	mu         sync.Mutex     // guards failed
	failed     map[string]int // by message
}

func newLoad(s soak, db *dataknobs.DB) *load { return &load{soak: s, db: db, failed: map[string]int{}} }

func (l *load) failures() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.failed)
}

// warm fills the store, and the pools: it needs as many connections as any
// operation does.
func (l *load) warm(ctx context.Context) error {
	r := rand.New(rand.NewPCG(l.Seed, soakers))
	recs := distinct(r, soakIDs)
	ids := make([]string, len(recs))
	for i, rec := range recs {
		ids[i] = rec.ID
	}
	if err := second(l.db.PutMany(ctx, recs)); err != nil {
		return err
	}
	return second(l.db.GetMany(ctx, ids))
}

// run does one operation after the other, at its share of the rate.
func (l *load) run(ctx context.Context, i int) {
	random := rand.New(rand.NewPCG(l.Seed, uint64(i)))
	steps := l.steps()
	tick := time.NewTicker(time.Duration(float64(time.Second) * soakers / l.Rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		k := random.IntN(len(steps))
		l.quiet.RLock()
		// An operation that was begun is ended: the end of the soak is no fault.
		err := steps[k].do(context.WithoutCancel(ctx), random)
		l.quiet.RUnlock()
		l.operations.Add(1)
		if err != nil && !expected(err) {
			l.fail(fmt.Sprintf("%s: %v", steps[k].name, err))
		}
	}
}

func (l *load) fail(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failed) < 20 || l.failed[text] > 0 {
		l.failed[text]++
	}
}

// expected reports whether an error is one that workers that meet have, or one
// of a context that was ended on purpose.
func expected(err error) bool {
	switch dataknobs.CodeOf(err) {
	case dataknobs.NotFound, dataknobs.AlreadyExists, dataknobs.Conflict:
		return true
	}
	return dataknobs.IsContext(err)
}

type step struct {
	name string
	do   func(ctx context.Context, r *rand.Rand) error
}

func (l *load) steps() []step {
	steps := []step{
		{"put", func(ctx context.Context, r *rand.Rand) error { return second(l.db.Put(ctx, someRecord(r))) }},
		{"create", func(ctx context.Context, r *rand.Rand) error { return second(l.db.Create(ctx, someRecord(r))) }},
		{"delete", func(ctx context.Context, r *rand.Rand) error { return l.db.Delete(ctx, someID(r)) }},
		{"get", func(ctx context.Context, r *rand.Rand) error { return second(l.db.Get(ctx, someID(r))) }},
		{"get many", l.getMany},
		{"compare and swap", l.swap},
		{"patch", l.patch},
		{"put many", l.putMany},
		{"count", func(ctx context.Context, r *rand.Rand) error {
			return second(l.db.Count(ctx, dataknobs.P("n").Gt(r.IntN(1000))))
		}},
		{"aggregate", l.aggregate},
		{"a query read whole", func(ctx context.Context, r *rand.Rand) error { return l.query(ctx, r, soakIDs) }},
		{"a query left early", func(ctx context.Context, r *rand.Rand) error { return l.query(ctx, r, 3) }},
		{"pages", l.pages},
		{"a query whose context ends", l.cancelled},
		{"a write whose context ends", l.cancelledWrite},
		{"a handle opened and closed", l.reopen},
	}
	if l.Name != "elasticsearch" && l.Name != "minio" {
		steps = append(steps, step{"an atomic batch", l.atomic})
	}
	if l.Name == "postgres" || l.Name == "sqlite" {
		steps = append(steps, step{"a transaction", l.transact})
	}
	return steps
}

func second[T any](_ T, err error) error { return err }

func someID(r *rand.Rand) string { return fmt.Sprintf("soak-%d", r.IntN(soakIDs)) }

func someRecord(r *rand.Rand) *dataknobs.Record {
	return newRecord(someID(r), r.Int64N(1000), fmt.Sprintf("owner %d", r.IntN(10)), 1+r.IntN(20))
}

func (l *load) getMany(ctx context.Context, r *rand.Rand) error {
	return second(l.db.GetMany(ctx, []string{someID(r), someID(r), someID(r)}))
}

func (l *load) swap(ctx context.Context, r *rand.Rand) error {
	old, err := l.db.Get(ctx, someID(r))
	if err != nil {
		return err
	}
	return second(l.db.Update(ctx, newRecord(old.ID, old.Get("n").Int()+1, "swap", 2), dataknobs.IfRevision(old.Revision)))
}

func (l *load) patch(ctx context.Context, r *rand.Rand) error {
	changes, err := dataknobs.ParseChanges("patched = ?", r.IntN(1000))
	if err != nil {
		return err
	}
	return second(l.db.Patch(ctx, someID(r), changes))
}

// distinct makes records of which no two have the same ID.
func distinct(r *rand.Rand, n int) []*dataknobs.Record {
	var recs []*dataknobs.Record
	for i, first := 0, r.IntN(soakIDs); i < n; i++ {
		recs = append(recs, newRecord(fmt.Sprintf("soak-%d", (first+i)%soakIDs), r.Int64N(1000), "batch", 3))
	}
	return recs
}

func (l *load) putMany(ctx context.Context, r *rand.Rand) error {
	return second(l.db.PutMany(ctx, distinct(r, 20)))
}

func (l *load) atomic(ctx context.Context, r *rand.Rand) error {
	return second(l.db.PutMany(ctx, distinct(r, 5), dataknobs.Atomic()))
}

func (l *load) transact(ctx context.Context, r *rand.Rand) error {
	undo := errors.New("undone")
	err := l.db.Tx(ctx, func(tx *dataknobs.DB) error {
		if err := second(tx.Put(ctx, someRecord(r))); err != nil {
			return err
		}
		if r.IntN(2) == 0 {
			return undo
		}
		return second(tx.Count(ctx, nil))
	})
	if errors.Is(err, undo) {
		return nil
	}
	return err
}

func (l *load) aggregate(ctx context.Context, _ *rand.Rand) error {
	for _, err := range l.db.Query(ctx, "select owner, count(*) as c, avg(n) as a group by owner") {
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *load) query(ctx context.Context, r *rand.Rand, most int) error {
	n := 0
	for _, err := range l.db.Query(ctx, "owner like ? order by n desc", fmt.Sprintf("%%%d", r.IntN(10))) {
		if err != nil {
			return err
		}
		if n++; n >= most {
			break
		}
	}
	return nil
}

func (l *load) pages(ctx context.Context, _ *rand.Rand) error {
	q := dataknobs.MustParse("order by n limit 60")
	for range 3 {
		p, err := l.db.Page(ctx, q)
		if err != nil || p.Next == "" {
			return err
		}
		q.After = p.Next
	}
	return nil
}

// soon is a context that ends within the time that an operation takes.
func soon(ctx context.Context, r *rand.Rand) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(r.IntN(4000))*time.Microsecond)
}

func (l *load) cancelled(ctx context.Context, r *rand.Rand) error {
	ctx, cancel := soon(ctx, r)
	defer cancel()
	return l.query(ctx, r, soakIDs)
}

func (l *load) cancelledWrite(ctx context.Context, r *rand.Rand) error {
	ctx, cancel := soon(ctx, r)
	defer cancel()
	err := second(l.db.Put(ctx, someRecord(r)))
	if ctx.Err() != nil && dataknobs.CodeOf(err) == dataknobs.Unavailable {
		return nil
	}
	return err
}

// reopen uses a handle of its own for one question.
func (l *load) reopen(ctx context.Context, _ *rand.Rand) error {
	db, err := dataknobs.Open(ctx, l.Store, nil)
	if err != nil {
		return err
	}
	return errors.Join(second(db.Count(ctx, nil)), db.Close())
}
