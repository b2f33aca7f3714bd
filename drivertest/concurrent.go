package drivertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
)

const writers = 16

// together calls f from n goroutines that start at once, and waits for them.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

var concurrentCases = []testCase{
	{"create race", "section 6: writers racing through Create: exactly one wins, on every store", needIDs, func(s *subject) {
		dbs := s.handles()
		for round := range s.rounds(20) {
			id := fmt.Sprint("race", round)
			var won atomic.Int64
			won.Store(-1)
			together(writers, func(i int) {
				_, err := dbs[i%len(dbs)].Create(s.ctx, rec(id, "by", int64(i)))
				switch {
				case err == nil && !won.CompareAndSwap(-1, int64(i)):
					s.Errorf("Create(%q) was won by %d and by %d", id, won.Load(), i)
				case err != nil:
					s.wantCode(err, dataknobs.AlreadyExists, "Create(%q) by %d", id, i)
				}
			})
			if got := s.get(id).Get("by").Int(); got != won.Load() {
				s.Errorf("Create(%q) was won by %d, yet the record is that of %d", id, won.Load(), got)
			}
		}
	}},
	{"put race", "trap 66: writers racing through Put of a new ID all succeed, and exactly one of them created it", needIDs, func(s *subject) {
		dbs := s.handles()
		for round := range s.rounds(12) {
			id := fmt.Sprint("race", round)
			var created atomic.Int64
			together(writers, func(i int) {
				res, err := dbs[i%len(dbs)].Put(s.ctx, rec(id, "by", int64(i)))
				if err != nil {
					s.Errorf("Put(%q): %v", id, err)
				}
				if res.Created {
					created.Add(1)
				}
			})
			if created.Load() != 1 {
				s.Errorf("Put(%q) says %d times that it created the record, wanted once", id, created.Load())
			}
		}
	}},
	{"new IDs", "trap 68: records created at once without IDs get different ones", needIDs, func(s *subject) {
		dbs := s.handles()
		rounds := s.rounds(12)
		together(writers, func(i int) {
			for range rounds {
				if _, err := dbs[i%len(dbs)].Create(s.ctx, rec("", "by", int64(i))); err != nil {
					s.Errorf("Create: %v", err)
				}
			}
		})
		if n := len(s.content()); n != writers*rounds {
			s.Errorf("there are %d records, wanted %d", n, writers*rounds)
		}
	}},
	{"patch of different fields", "section 6: a patch is atomic: patches of different fields at once lose none", needIDs, func(s *subject) {
		dbs := s.handles()
		want := rec("x")
		s.create(want)
		rounds := s.rounds(8)
		together(writers, func(i int) {
			for n := range rounds {
				_, err := dbs[i%len(dbs)].Patch(s.ctx, "x", []dataknobs.Change{change(fmt.Sprint("f", i), int64(n)), {Path: dataknobs.Names("o", fmt.Sprint(i)), Value: dataknobs.Int(int64(n))}})
				if err != nil {
					s.Errorf("Patch: %v", err)
				}
			}
		})
		o := dataknobs.Fields{}
		for i := range writers {
			want.Set(fmt.Sprint("f", i), dataknobs.Int(int64(rounds-1)))
			o.Set(fmt.Sprint(i), dataknobs.Int(int64(rounds-1)))
		}
		want.Set("o", dataknobs.Object(o))
		s.wantContent(want)
	}},
	{"counter", "section 6: reading, and writing under IfRevision until it is no Conflict, loses no update", needIDs, func(s *subject) {
		dbs := s.handles()
		s.create(rec("x", "n", int64(0)))
		rounds := s.rounds(6)
		together(writers, func(i int) {
			for range rounds {
				if err := s.increment(dbs[i%len(dbs)], "x"); err != nil {
					s.Errorf("increment: %v", err)
					return
				}
			}
		})
		if got := s.get("x").Get("n").Int(); got != int64(writers*rounds) {
			s.Errorf("the counter is %d, wanted %d", got, writers*rounds)
		}
	}},
	{"compare and swap", "section 6: of writers that hold the same revision exactly one wins", needIDs, func(s *subject) {
		dbs := s.handles()
		rev := s.create(rec("x", "n", int64(-1)))[0]
		for range s.rounds(12) {
			var won atomic.Int64
			next := make([]string, writers)
			together(writers, func(i int) {
				res, err := dbs[i%len(dbs)].Put(s.ctx, rec("x", "n", int64(i)), dataknobs.IfRevision(rev))
				if err == nil {
					won.Add(1)
					next[i] = res.Revision
				} else {
					s.wantCode(err, dataknobs.Conflict, "Put by %d", i)
				}
			})
			r := s.get("x")
			if won.Load() != 1 || next[r.Get("n").Int()] != r.Revision {
				s.Fatalf("%d writers won; the record is %s with revision %q, the winners' revisions %q", won.Load(), show(r), r.Revision, next)
			}
			rev = r.Revision
		}
	}},
	{"delete race", "of deletes racing for one record exactly one finds it", needIDs, func(s *subject) {
		dbs := s.handles()
		for round := range s.rounds(10) {
			id := fmt.Sprint("d", round)
			s.create(rec(id))
			var won atomic.Int64
			together(writers/2, func(i int) {
				if err := dbs[i%len(dbs)].Delete(s.ctx, id); err == nil {
					won.Add(1)
				} else {
					s.wantCode(err, dataknobs.NotFound, "Delete(%q)", id)
				}
			})
			if won.Load() != 1 {
				s.Errorf("Delete(%q) succeeded %d times", id, won.Load())
			}
		}
	}},
	{"readers and writers", "a DB is safe for concurrent use: readers see whole records, never half a write, and every write of their own", needIDs, func(s *subject) {
		rounds := s.rounds(25)
		together(8, func(i int) {
			for n := range rounds {
				if i%2 == 0 {
					s.writeMine(i, n)
				} else {
					s.readWhole()
				}
			}
		})
		for i := 0; i < 8; i += 2 {
			if n, err := s.db.Count(s.ctx, eq("by", int64(i))); err != nil || n != int64(rounds-rounds/5) {
				s.Errorf("writer %d left %d records (error %v), wanted %d", i, n, err, rounds-rounds/5)
			}
		}
	}},
	{"batches at once", "batches at once lose nothing", needIDs, func(s *subject) {
		together(8, func(i int) {
			var recs []*dataknobs.Record
			for n := range 100 {
				recs = append(recs, rec(fmt.Sprintf("%d-%d", i, n), "by", int64(i)))
			}
			if _, err := s.db.CreateMany(s.ctx, recs, dataknobs.Parallel(2), dataknobs.BatchSize(30)); err != nil {
				s.Errorf("CreateMany: %v", err)
			}
		})
		if n, err := s.db.Count(s.ctx, nil); n != 800 || err != nil {
			s.Errorf("there are %d records (error %v), wanted 800", n, err)
		}
	}},
	{"write while ranging", "writing while ranging over a query neither blocks nor yields a record twice", needIDs, func(s *subject) {
		s.fill(numbered(200))
		seen := map[string]bool{}
		for r, err := range s.db.Run(s.ctx, &dataknobs.Query{}) {
			s.must(err, "Run")
			if seen[r.ID] {
				s.Fatalf("the record %q was yielded twice", r.ID)
			}
			seen[r.ID] = true
			if len(seen)%10 == 0 {
				_, err = s.db.Patch(s.ctx, r.ID, []dataknobs.Change{change("seen", true)})
				s.must(err, "Patch while ranging")
				s.create(rec("new"+r.ID, "n", int64(-1)))
			}
			if len(seen) > 1000 {
				s.Fatalf("the query does not end")
			}
		}
		for _, r := range numbered(200) {
			if !seen[r.ID] {
				s.Errorf("the record %q, there all along, was not yielded", r.ID)
			}
		}
	}},
}

// increment adds 1 to the field n of a record, again until nobody else was faster.
func (s *subject) increment(db *dataknobs.DB, id string) error {
	for range 10000 {
		r, err := db.Get(s.ctx, id)
		if err != nil {
			return err
		}
		_, err = db.Patch(s.ctx, id, []dataknobs.Change{change("n", r.Get("n").Int()+1)}, dataknobs.IfRevision(r.Revision))
		if !errors.Is(err, dataknobs.Conflict) {
			return err
		}
	}
	return errors.New("10,000 conflicts in a row")
}

// writeMine writes one record of writer i, whose two halves always agree, and
// reads it back. Each fifth is deleted again.
func (s *subject) writeMine(i, n int) {
	id := fmt.Sprintf("w%d-%d", i, n)
	for v := range int64(2) {
		if _, err := s.db.Put(s.ctx, rec(id, "by", int64(i), "a", v, "b", v)); err != nil {
			s.Errorf("Put(%q): %v", id, err)
			return
		}
		if r, err := s.db.Get(s.ctx, id); err != nil || r.Get("a").Int() != v {
			s.Errorf("Get(%q) after its Put: %s, error %v", id, show(r), err)
		}
	}
	if n%5 == 4 {
		if err := s.db.Delete(s.ctx, id); err != nil {
			s.Errorf("Delete(%q): %v", id, err)
		}
	}
}

// readWhole scans everything and checks that each record's halves agree.
func (s *subject) readWhole() {
	for r, err := range s.db.Run(s.ctx, &dataknobs.Query{Where: cond("a", dataknobs.IsNotNull)}) {
		if err != nil {
			s.Errorf("Run: %v", err)
			return
		}
		if !r.Get("a").Identical(r.Get("b")) {
			s.Errorf("half a write is seen: %s", show(r))
		}
	}
}

const obeys = "everything that blocks obeys its context promptly, with the context's own error"

var contextCases = []testCase{
	{"cancelled before", obeys + "; nothing is written", needIDs, func(s *subject) {
		s.fill(numbered(10))
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		calls := map[string]func() error{
			"Get":         func() error { return second(s.db.Get(ctx, formatID(1))) },
			"GetMany":     func() error { return second(s.db.GetMany(ctx, []string{formatID(1)})) },
			"Create":      func() error { return second(s.db.Create(ctx, rec("new"))) },
			"Put":         func() error { return second(s.db.Put(ctx, rec("new"))) },
			"Update":      func() error { return second(s.db.Update(ctx, rec(formatID(1)))) },
			"Patch":       func() error { return second(s.db.Patch(ctx, formatID(1), []dataknobs.Change{change("n", 0)})) },
			"Delete":      func() error { return s.db.Delete(ctx, formatID(1)) },
			"CreateMany":  func() error { return second(s.db.CreateMany(ctx, []*dataknobs.Record{rec("new")})) },
			"DeleteWhere": func() error { return second(s.db.DeleteWhere(ctx, nil)) },
			"PatchWhere":  func() error { return second(s.db.PatchWhere(ctx, nil, []dataknobs.Change{change("n", 0)})) },
			"Load": func() error {
				return second(s.db.Load(ctx, stream(numbered(3), nil), &dataknobs.LoadOptions{Mode: dataknobs.LoadPut}))
			},
			"Count":   func() error { return second(s.db.Count(ctx, nil)) },
			"All":     func() error { return second(s.db.All(ctx, &dataknobs.Query{})) },
			"sorted":  func() error { return second(s.db.All(ctx, &dataknobs.Query{OrderBy: orderBy("n")})) },
			"grouped": func() error { return second(s.db.All(ctx, &dataknobs.Query{Select: []dataknobs.Column{count()}})) },
			"Page":    func() error { return second(s.db.Page(ctx, &dataknobs.Query{Limit: new(3)})) },
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, context.Canceled) {
				s.Errorf("%s with a cancelled context: got %s, wanted context.Canceled", name, outcome(err))
			}
		}
		s.wantContent(numbered(10)...)
	}},
	{"deadline passed", obeys, needIDs, func(s *subject) {
		ctx, cancel := context.WithTimeout(s.ctx, -1)
		defer cancel()
		if _, err := s.db.All(ctx, &dataknobs.Query{}); !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("All: got %s, wanted context.DeadlineExceeded", outcome(err))
		}
		if _, err := s.db.Create(ctx, rec("x")); !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("Create: got %s, wanted context.DeadlineExceeded", outcome(err))
		}
	}},
	{"cancelled in the midst", "a cancelled query stops with context.Canceled, soon, and the store is as usable as before", needIDs, func(s *subject) {
		n := 6000
		if s.brief() {
			n = 3000
		}
		s.fill(numbered(n))
		for name, q := range map[string]*dataknobs.Query{"all": {}, "filtered": {Where: cond("n", dataknobs.Ge, int64(0))}, "sorted": {OrderBy: orderBy("-n")}} {
			ctx, cancel := context.WithCancel(s.ctx)
			seen, last := 0, error(nil)
			for _, err := range s.db.Run(ctx, q) {
				if last = err; err != nil {
					break
				}
				if seen++; seen == 10 {
					cancel()
				}
			}
			cancel()
			if !errors.Is(last, context.Canceled) || seen > n-1000 {
				s.Errorf("%s: cancelled after 10 records, got %d more and then %s; wanted context.Canceled soon", name, seen-10, outcome(last))
			}
		}
		s.wantAll(numbered(n))
	}},
	{"cancelled load", "a cancelled load stops with context.Canceled; what it says was written is there", needIDs, func(s *subject) {
		ctx, cancel := context.WithCancel(s.ctx)
		defer cancel()
		endless := func(yield func(*dataknobs.Record, error) bool) {
			for i := 0; i < 1_000_000; i++ {
				if i == 3000 {
					cancel()
				}
				if !yield(rec(formatID(i), "n", int64(i)), nil) {
					return
				}
			}
		}
		res, err := s.db.Load(ctx, endless, nil)
		if !errors.Is(err, context.Canceled) {
			s.Errorf("Load: got %s, wanted context.Canceled", outcome(err))
		}
		if n, err := s.db.Count(s.ctx, nil); err != nil || res == nil || res.Written > n || n > 100_000 {
			s.Errorf("Load says %+v, and there are %d records (error %v)", res, n, err)
		}
	}},
	{"leaving early", "leaving the loop frees what it holds: any number of times, and then reading and writing as before", needIDs, func(s *subject) {
		s.fill(numbered(300))
		for i := range 60 {
			q := &dataknobs.Query{}
			if i%2 == 1 {
				q.OrderBy = orderBy("n")
			}
			for _, err := range s.db.Run(s.ctx, q) {
				s.must(err, "Run")
				break
			}
		}
		s.create(rec("after", "n", int64(1)))
		s.must(s.db.Delete(s.ctx, "after"), "Delete")
		s.wantAll(numbered(300))
	}},
	{"ranging again", "ranging over a query's sequence again runs it again", needIDs, func(s *subject) {
		seq := s.db.Run(s.ctx, &dataknobs.Query{})
		for want := range 3 {
			n := 0
			for _, err := range seq {
				s.must(err, "Run")
				n++
			}
			if n != want {
				s.Errorf("range %d: got %d records, wanted %d", want, n, want)
			}
			s.create(rec(formatID(want)))
		}
	}},
}
