package drivertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
)

const (
	allOrNothing = "a transaction happens for everybody else at once, when its function has returned nil, or not at all"
	ownWrites    = "a transaction's reads see its own writes, whatever the way to read"
	noLostUpdate = "transactions that race are as if they had run one after the other: the store asks for those that cannot to be run again, and no update is lost"
)

var errMine = errors.New("the function's own error")

// tx runs fn in a transaction, with a subject over it.
func (s *subject) tx(fn func(*subject) error, opts ...dataknobs.TxOption) error {
	s.Helper()
	return s.db.Tx(s.ctx, func(tx *dataknobs.DB) error { return fn(s.over(tx)) }, opts...)
}

// meeting returns what waits for another call of it, for a moment: those that
// race shall have read before the first of them writes, where the store lets them.
func meeting() (meet func()) {
	met := make(chan struct{})
	return func() {
		wait := time.NewTimer(2 * time.Millisecond)
		defer wait.Stop()
		select {
		case met <- struct{}{}:
		case <-met:
		case <-wait.C:
		}
	}
}

// over returns a subject over another DB of the same store.
func (s *subject) over(db *dataknobs.DB) *subject {
	c := *s
	c.db = db
	return &c
}

// txWrites makes writes of every kind in a store that holds a, b and c.
func txWrites(s *subject) {
	s.create(rec("d", "n", int64(4)))
	s.must(second(s.db.Put(s.ctx, rec("a", "n", int64(10)))), "Put")
	s.must(second(s.db.Patch(s.ctx, "b", []dataknobs.Change{change("m", "patched")})), "Patch")
	s.must(s.db.Delete(s.ctx, "c"), "Delete")
	s.must(second(s.db.CreateMany(s.ctx, []*dataknobs.Record{rec("e", "n", int64(5)), rec("f", "n", int64(6))})), "CreateMany")
}

func txBefore() []*dataknobs.Record {
	return []*dataknobs.Record{rec("a", "n", int64(1)), rec("b", "n", int64(2)), rec("c", "n", int64(3))}
}

func txAfter() []*dataknobs.Record {
	return []*dataknobs.Record{
		rec("a", "n", int64(10)), rec("b", "n", int64(2), "m", "patched"),
		rec("d", "n", int64(4)), rec("e", "n", int64(5)), rec("f", "n", int64(6)),
	}
}

var txCases = []testCase{
	{"commit", allOrNothing, needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		revs := map[string]string{}
		s.must(s.tx(func(in *subject) error {
			txWrites(in)
			for id, r := range in.content() {
				revs[id] = r.Revision
			}
			return nil
		}), "Tx")
		s.wantContent(txAfter()...)
		for id, r := range s.content() {
			if r.Revision != revs[id] || r.Revision == "" {
				s.Errorf("record %q has revision %q; inside the transaction it was %q", id, r.Revision, revs[id])
			}
		}
		if s.h.Reopen != nil {
			s.reopen()
			s.wantContent(txAfter()...)
		}
	}},
	{"rollback", allOrNothing + "; its error is the function's own", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		before := s.get("a").Revision
		err := s.tx(func(in *subject) error {
			txWrites(in)
			return errMine
		})
		if err != errMine {
			s.Errorf("Tx: got %s, wanted the function's error itself", outcome(err))
		}
		s.wantContent(txBefore()...)
		if got := s.get("a").Revision; got != before {
			s.Errorf("the revision went from %q to %q", before, got)
		}
		s.must(second(s.db.Put(s.ctx, rec("a", "n", int64(7)), dataknobs.IfRevision(before))), "Put with the revision from before")
		s.create(rec("d"))
	}},
	{"panic", allOrNothing + "; a panic goes on, and nothing of the transaction stays", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		for range s.rounds(20) {
			func() {
				defer func() {
					if r := recover(); r != any(errMine) {
						s.Errorf("recovered %v, wanted the function's panic", r)
					}
				}()
				_ = s.tx(func(in *subject) error {
					txWrites(in)
					panic(errMine)
				})
			}()
		}
		s.wantContent(txBefore()...)
		s.create(rec("d"))
	}},
	{"own writes", ownWrites, needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		s.must(s.tx(func(in *subject) error {
			txWrites(in)
			in.wantContent(txAfter()...)
			recs := txAfter()
			for _, q := range []*dataknobs.Query{
				{}, {Where: cond("n", dataknobs.Gt, int64(3))}, {Where: eq("m", "patched")}, {OrderBy: orderBy("-n")}, {OrderBy: orderBy("n"), Limit: new(2), Offset: 1},
				{Where: cond("_id", dataknobs.In, "a", "c", "e")}, {Select: []dataknobs.Column{key("n")}, OrderBy: orderBy("n")},
				{Select: []dataknobs.Column{count(), agg(dataknobs.Sum, "n"), agg(dataknobs.Max, "n")}}, {GroupBy: by("m"), Select: []dataknobs.Column{key("m"), count()}},
			} {
				in.wantModel(q, recs)
			}
			many, err := in.db.GetMany(in.ctx, []string{"c", "f"})
			in.must(err, "GetMany")
			if many[0] != nil || many[1] == nil {
				in.Errorf("GetMany of a deleted and a new record: got %s", showAll(many))
			}
			in.wantPages(&dataknobs.Query{OrderBy: orderBy("-n"), Limit: new(2)}, []string{"a", "f", "e", "d", "b"})
			_, err = in.db.Get(in.ctx, "c")
			in.wantError(err, dataknobs.NotFound, "get", "c")
			return nil
		}), "Tx")
	}},
	{"queries", "queries inside a transaction answer as those outside", needIDs | needTx, func(s *subject) {
		recs := clashing(120)
		s.fill(recs[:60])
		s.must(s.tx(func(in *subject) error {
			in.fill(recs[60:])
			for _, keys := range [][]string{nil, {"v"}, {"-v", "w"}, {"^w", "o.p"}} {
				for _, where := range []dataknobs.Expr{nil, cond("v", dataknobs.Gt, int64(2)), dataknobs.Or{cond("w", dataknobs.IsNull), cond("v", dataknobs.Like, "%e%")}} {
					in.wantModel(&dataknobs.Query{Where: where, OrderBy: orderBy(keys...), Limit: new(20), Offset: 3}, recs)
					in.wantModel(&dataknobs.Query{Where: where, GroupBy: by("w"), Select: []dataknobs.Column{key("w"), count(), agg(dataknobs.Min, "v"), agg(dataknobs.Sum, "v")}}, recs)
				}
			}
			return nil
		}), "Tx")
	}},
	{"not seen outside", allOrNothing + ": before, others see the store as it was", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		dbs := s.handles()
		s.must(s.tx(func(in *subject) error {
			txWrites(in)
			for _, db := range dbs {
				ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
				defer cancel()
				for id, want := range map[string]int64{"a": 1, "b": 2, "c": 3} {
					r, err := db.Get(ctx, id)
					if err != nil || r.Get("n").Int() != want || !r.Get("m").IsNull() {
						s.Errorf("outside, before the commit, record %q is %s, error %v", id, show(r), err)
					}
				}
				if n, err := db.Count(ctx, nil); n != 3 || err != nil {
					s.Errorf("outside, before the commit, there are %d records (error %v), wanted 3", n, err)
				}
			}
			return nil
		}), "Tx")
		for _, db := range dbs {
			s.over(db).wantContent(txAfter()...)
		}
	}},
	{"seen at once", allOrNothing + ": readers see all of it or nothing", needIDs | needTx, func(s *subject) {
		s.create(rec("x", "a", int64(0)), rec("y", "a", int64(0)))
		dbs := s.handles()
		rounds := s.rounds(24)
		var over atomic.Bool
		together(3, func(i int) {
			if i == 0 {
				defer over.Store(true)
				for n := range rounds {
					err := s.db.Tx(s.ctx, func(tx *dataknobs.DB) error {
						for _, id := range []string{"x", "y"} {
							if _, err := tx.Put(s.ctx, rec(id, "a", int64(n))); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						s.Errorf("Tx: %v", err)
					}
				}
				return
			}
			for !over.Load() {
				all, err := dbs[i%len(dbs)].All(s.ctx, &dataknobs.Query{OrderBy: orderBy("_id")})
				if err != nil || len(all) != 2 || !all[0].Get("a").Equal(all[1].Get("a")) {
					s.Errorf("half a transaction is seen: %s, error %v", showAll(all), err)
					return
				}
			}
		})
	}},
	{"failed writes", "a write that fails by itself leaves the transaction usable: it goes on and commits the rest", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		s.must(s.tx(func(in *subject) error {
			_, err := in.db.Create(in.ctx, rec("a", "n", int64(9)))
			in.wantError(err, dataknobs.AlreadyExists, "create", "a")
			_, err = in.db.Put(in.ctx, rec("a", "n", int64(9)), dataknobs.IfRevision("stale"))
			in.wantError(err, dataknobs.Conflict, "put", "a")
			_, err = in.db.Patch(in.ctx, "none", []dataknobs.Change{change("n", int64(9))})
			in.wantError(err, dataknobs.NotFound, "patch", "none")
			in.wantError(in.db.Delete(in.ctx, "none"), dataknobs.NotFound, "delete", "none")
			_, err = in.db.Put(in.ctx, rec("bad", "_id", int64(9)))
			in.wantCode(err, dataknobs.InvalidArgument, "Put of a bad record")
			_, err = in.db.CreateMany(in.ctx, []*dataknobs.Record{rec("d", "n", int64(4)), rec("a", "n", int64(9)), rec("e", "n", int64(5))})
			in.wantItems(err, map[int]dataknobs.Code{1: dataknobs.AlreadyExists})
			if in.f().Atomic {
				_, err = in.db.CreateMany(in.ctx, []*dataknobs.Record{rec("g", "n", int64(7)), rec("b", "n", int64(9))}, dataknobs.Atomic())
				if err == nil {
					in.Errorf("an atomic batch in which a record exists: wanted an error")
				}
			}
			_, err = in.db.Get(in.ctx, "g")
			in.wantCode(err, dataknobs.NotFound, "Get of what an atomic batch did not write")
			for _, err := range in.db.Query(in.ctx, "n >") {
				in.wantCode(err, dataknobs.InvalidArgument, "half a query")
			}
			in.create(rec("f", "n", int64(6)))
			return nil
		}), "Tx")
		s.wantContent(append(txBefore(), rec("d", "n", int64(4)), rec("e", "n", int64(5)), rec("f", "n", int64(6)))...)
	}},
	{"nested", "a transaction inside another is undone alone when it fails, and kept or undone with the outer one when it does not", needIDs | needTx, func(s *subject) {
		s.create(rec("a", "n", int64(1)))
		s.must(s.tx(func(in *subject) error {
			in.create(rec("b"))
			err := in.tx(func(deep *subject) error {
				deep.create(rec("c"))
				deep.must(second(deep.db.Put(deep.ctx, rec("a", "n", int64(2)))), "Put")
				deep.wantContent(rec("a", "n", int64(2)), rec("b"), rec("c"))
				return errMine
			})
			if err != errMine {
				in.Errorf("the inner transaction: got %s, wanted the function's error itself", outcome(err))
			}
			in.wantContent(rec("a", "n", int64(1)), rec("b"))
			in.must(in.tx(func(deep *subject) error {
				deep.create(rec("d"))
				for range 3 {
					_ = deep.tx(func(deeper *subject) error {
						deeper.create(rec("e"))
						return errMine
					})
				}
				return deep.tx(func(deeper *subject) error {
					deeper.create(rec("f"))
					return nil
				})
			}), "the inner transaction")
			in.create(rec("g"))
			return nil
		}), "Tx")
		s.wantContent(rec("a", "n", int64(1)), rec("b"), rec("d"), rec("f"), rec("g"))
		err := s.tx(func(in *subject) error {
			in.must(in.tx(func(deep *subject) error { return deep.db.Delete(deep.ctx, "a") }), "the inner transaction")
			return errMine
		})
		if err != errMine {
			s.Errorf("Tx: got %s, wanted the function's error itself", outcome(err))
		}
		s.wantContent(rec("a", "n", int64(1)), rec("b"), rec("d"), rec("f"), rec("g"))
	}},
	{"nested panic", "a panic undoes the inner transaction; who recovers it may go on in the outer one", needIDs | needTx, func(s *subject) {
		s.must(s.tx(func(in *subject) error {
			in.create(rec("a"))
			func() {
				defer func() { _ = recover() }()
				_ = in.tx(func(deep *subject) error {
					deep.create(rec("b"))
					panic(errMine)
				})
			}()
			in.create(rec("c"))
			return nil
		}), "Tx")
		s.wantContent(rec("a"), rec("c"))
	}},
	{"lost updates", noLostUpdate, needIDs | needTx, func(s *subject) {
		dbs := s.handles()
		for _, level := range []dataknobs.Isolation{dataknobs.Serializable, dataknobs.RepeatableRead} {
			s.must(second(s.db.Put(s.ctx, rec("x", "n", int64(0)))), "Put")
			rounds, meet := s.rounds(8), meeting()
			together(writers/2, func(i int) {
				for range rounds {
					err := dbs[i%len(dbs)].Tx(s.ctx, func(tx *dataknobs.DB) error {
						r, err := tx.Get(s.ctx, "x")
						if err != nil {
							return err
						}
						meet()
						r.Set("n", dataknobs.Int(r.Get("n").Int()+1))
						_, err = tx.Put(s.ctx, r)
						return err
					}, dataknobs.TxIsolation(level), dataknobs.TxAttempts(1000))
					if err != nil {
						s.Errorf("Tx: %v", err)
						return
					}
				}
			})
			if got := s.get("x").Get("n").Int(); got != int64(writers/2*rounds) {
				s.Errorf("%s: the counter is %d, wanted %d", level, got, writers/2*rounds)
			}
		}
	}},
	{"write skew", noLostUpdate + ", also where each writes what another one read", needIDs | needTx, func(s *subject) {
		dbs, meet := s.handles(), meeting()
		for range s.rounds(8) {
			s.must(second(s.db.PutMany(s.ctx, []*dataknobs.Record{rec("x", "on", true), rec("y", "on", true)})), "PutMany")
			together(4, func(i int) {
				err := dbs[i%len(dbs)].Tx(s.ctx, func(tx *dataknobs.DB) error {
					n, err := tx.Count(s.ctx, eq("on", true))
					if err != nil || n < 2 {
						return err
					}
					meet()
					_, err = tx.Put(s.ctx, rec([]string{"x", "y"}[i%2], "on", false))
					return err
				}, dataknobs.TxIsolation(dataknobs.Serializable), dataknobs.TxAttempts(1000))
				if err != nil {
					s.Errorf("Tx: %v", err)
				}
			})
			if n, err := s.db.Count(s.ctx, eq("on", true)); n != 1 || err != nil {
				s.Fatalf("%d of two records are left on (error %v), wanted 1: each transaction turns one off where both are on", n, err)
			}
		}
	}},
	{"create race", "trap 67: of transactions that create the same record exactly one wins", needIDs | needTx, func(s *subject) {
		dbs := s.handles()
		for round := range s.rounds(10) {
			id := fmt.Sprint("race", round)
			var won atomic.Int64
			together(6, func(i int) {
				err := dbs[i%len(dbs)].Tx(s.ctx, func(tx *dataknobs.DB) error {
					return second(tx.Create(s.ctx, rec(id, "by", int64(i))))
				}, dataknobs.TxAttempts(1000))
				if err == nil {
					won.Add(1)
				} else {
					s.wantCode(err, dataknobs.AlreadyExists, "Create(%q) in a transaction", id)
				}
			})
			if won.Load() != 1 {
				s.Errorf("Create(%q) was won %d times", id, won.Load())
			}
		}
	}},
	{"retry", "a transaction that the store asks to run again is run again by itself, and what the attempts before it did is undone", needIDs | needTx, func(s *subject) {
		runs := 0
		err := s.db.Tx(s.ctx, func(tx *dataknobs.DB) error {
			if runs++; runs == 3 {
				return second(tx.Create(s.ctx, rec("done")))
			}
			s.must(second(tx.Create(s.ctx, rec(fmt.Sprint("attempt", runs)))), "Create")
			return fmt.Errorf("wrapped: %w", dataknobs.ErrSerialization)
		})
		s.must(err, "Tx")
		s.wantContent(rec("done"))
	}},
	{"read only", "in a transaction for reading every write is PermissionDenied, and reads answer as ever", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		s.must(s.tx(func(in *subject) error {
			in.wantContent(txBefore()...)
			for _, w := range singleWrites {
				_, err := w.call(in, "a")
				in.wantCode(err, dataknobs.PermissionDenied, "%s in a transaction for reading", w.op)
			}
			in.wantCode(second(in.db.DeleteWhere(in.ctx, nil)), dataknobs.PermissionDenied, "DeleteWhere")
			in.wantCode(second(in.db.CreateMany(in.ctx, numbered(3))), dataknobs.PermissionDenied, "CreateMany")
			in.wantCode(second(in.db.Load(in.ctx, stream(numbered(3), nil), nil)), dataknobs.PermissionDenied, "Load")
			return nil
		}, dataknobs.TxReadOnly()), "Tx")
		s.wantContent(txBefore()...)
	}},
	{"snapshot", "at RepeatableRead and above all reads of a transaction see the store as it was at the first", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		other := slices.Clone(s.handles())[len(s.handles())-1]
		for i, level := range []dataknobs.Isolation{dataknobs.RepeatableRead, dataknobs.Serializable} {
			before := s.content()
			s.must(s.tx(func(in *subject) error {
				first := in.get("a").Get("n")
				ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
				defer cancel()
				_, err := other.Put(ctx, rec("a", "n", int64(100+i)))
				if dataknobs.IsContext(err) || errors.Is(err, dataknobs.Unavailable) {
					s.Logf("here writers wait for readers: %v", err)
					return nil
				}
				s.must(err, "Put outside")
				s.must(second(other.Create(s.ctx, rec(fmt.Sprint("new", i)))), "Create outside")
				if again := in.get("a").Get("n"); !again.Equal(first) {
					in.Errorf("%s: the record went from %s to %s", level, first, again)
				}
				if got := in.content(); len(got) != len(before) {
					in.Errorf("%s: there are %d records, wanted the %d from before", level, len(got), len(before))
				}
				return nil
			}, dataknobs.TxIsolation(level), dataknobs.TxReadOnly()), "Tx")
		}
	}},
	{"isolation", "what a level of isolation cannot be given is Unsupported; all others work", needIDs | needTx, func(s *subject) {
		for i, level := range []dataknobs.Isolation{dataknobs.IsolationDefault, dataknobs.ReadCommitted, dataknobs.RepeatableRead, dataknobs.Serializable} {
			id := fmt.Sprint("r", i)
			err := s.tx(func(in *subject) error {
				in.create(rec(id))
				return nil
			}, dataknobs.TxIsolation(level))
			if dataknobs.CodeOf(err) != dataknobs.Unsupported {
				s.must(err, "Tx, %s", level)
				s.get(id)
			}
		}
	}},
	{"use after the end", "the DB of a transaction that has ended is InvalidArgument to every call", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		for _, result := range []error{nil, errMine} {
			var tx *dataknobs.DB
			var seq iter.Seq2[*dataknobs.Record, error]
			_ = s.tx(func(in *subject) error {
				tx, seq = in.db, in.db.Run(in.ctx, &dataknobs.Query{})
				return result
			})
			calls := map[string]func() error{
				"Get":    func() error { return second(tx.Get(s.ctx, "a")) },
				"Create": func() error { return second(tx.Create(s.ctx, rec("new"))) },
				"Put":    func() error { return second(tx.PutMany(s.ctx, []*dataknobs.Record{rec("new")})) },
				"Count":  func() error { return second(tx.Count(s.ctx, nil)) },
				"All":    func() error { return second(tx.All(s.ctx, &dataknobs.Query{})) },
				"Load":   func() error { return second(tx.Load(s.ctx, stream(numbered(3), nil), nil)) },
				"Tx":     func() error { return tx.Tx(s.ctx, func(*dataknobs.DB) error { return nil }) },
				"a range": func() error {
					for _, err := range seq {
						return err
					}
					return nil
				},
			}
			for name, call := range calls {
				s.wantCode(call(), dataknobs.InvalidArgument, "%s after the end", name)
			}
		}
		s.wantContent(txBefore()...)
	}},
	{"left open", "a query that is still being ranged over at the end is an error that says so; nothing is committed", needIDs | needTx, func(s *subject) {
		s.fill(numbered(200))
		for range s.rounds(12) { // each holds a connection until then
			var stop func()
			err := s.tx(func(in *subject) error {
				in.create(rec("new"))
				var next func() (*dataknobs.Record, error, bool)
				next, stop = iter.Pull2(in.db.Run(in.ctx, &dataknobs.Query{}))
				_, err, _ := next()
				in.must(err, "Run")
				return nil
			})
			s.wantCode(err, dataknobs.InvalidArgument, "Tx with a query left open")
			if err != nil && !strings.Contains(err.Error(), "1 query") {
				s.Errorf("the error %q does not say how many queries were left open", err)
			}
			stop()
		}
		s.wantAll(numbered(200))
	}},
	{"many writes", "batches, loads and writes by a condition work inside a transaction, and are undone with it", needIDs | needTx, func(s *subject) {
		recs := numbered(2500)
		all := func(in *subject) {
			_, err := in.db.CreateMany(in.ctx, recs[:1200], dataknobs.Parallel(4), dataknobs.BatchSize(100))
			in.wantItems(err, nil)
			res, err := in.db.Load(in.ctx, stream(recs[1200:], nil), &dataknobs.LoadOptions{Parallel: 4, Batch: 100})
			in.must(err, "Load")
			if res.Written != 1300 {
				in.Errorf("Load says %d were written, wanted 1300", res.Written)
			}
			n, err := in.db.PatchWhere(in.ctx, cond("n", dataknobs.Lt, int64(1500)), []dataknobs.Change{change("hit", true)}, dataknobs.Parallel(4))
			in.must(err, "PatchWhere")
			gone, err := in.db.DeleteWhere(in.ctx, cond("n", dataknobs.Ge, int64(2000)))
			in.must(err, "DeleteWhere")
			if n != 1500 || gone != 500 {
				in.Errorf("PatchWhere says %d and DeleteWhere %d, wanted 1500 and 500", n, gone)
			}
		}
		err := s.tx(func(in *subject) error { all(in); return errMine })
		if err != errMine {
			s.Errorf("Tx: got %s, wanted the function's error itself", outcome(err))
		}
		s.wantContent()
		s.must(s.tx(func(in *subject) error { all(in); return nil }), "Tx")
		var want []*dataknobs.Record
		for i, r := range recs[:2000] {
			if r = r.Clone(); i < 1500 {
				r.Set("hit", dataknobs.Bool(true))
			}
			want = append(want, r)
		}
		s.wantAll(want)
	}},
	{"writes while ranging", "writing, reading and nesting while ranging over a query work inside a transaction; the query yields what was there when it began", needIDs | needTx, func(s *subject) {
		s.fill(numbered(300))
		s.must(s.tx(func(in *subject) error {
			var seen []string
			for r, err := range in.db.Run(in.ctx, &dataknobs.Query{OrderBy: orderBy("n")}) {
				in.must(err, "Run")
				if seen = append(seen, r.ID); len(seen)%40 == 1 {
					in.must(second(in.db.Patch(in.ctx, r.ID, []dataknobs.Change{change("n", int64(1000))})), "Patch while ranging")
					in.create(rec("new"+r.ID, "n", int64(2000)))
					in.get(r.ID)
					in.must(in.tx(func(deep *subject) error { return deep.db.Delete(deep.ctx, "new"+r.ID) }), "Tx while ranging")
					next, stop := iter.Pull2(in.db.Run(in.ctx, &dataknobs.Query{}))
					_, err, _ := next()
					in.must(err, "Run while ranging")
					stop()
				}
			}
			if want := idsOf(numbered(300)); !slices.Equal(seen, want) {
				in.Errorf("ranging yields %d records %q, wanted the %d that were there", len(seen), seen, len(want))
			}
			copies := func(yield func(*dataknobs.Record, error) bool) {
				for r, err := range in.db.Run(in.ctx, &dataknobs.Query{Where: cond("n", dataknobs.Lt, int64(100))}) {
					if r != nil {
						r = rec("copy"+r.ID, "n", int64(-1))
					}
					if !yield(r, err) {
						return
					}
				}
			}
			res, err := in.db.Load(in.ctx, copies, nil)
			in.must(err, "Load from the transaction itself")
			if res.Written != 97 {
				in.Errorf("Load from the transaction itself wrote %d, wanted 97", res.Written)
			}
			return nil
		}), "Tx")
		if n, err := s.db.Count(s.ctx, nil); n != 397 || err != nil {
			s.Errorf("there are %d records (error %v), wanted 397", n, err)
		}
	}},
	{"goroutines", "a transaction may be used by several goroutines: their calls wait for each other (trap 65)", needIDs | needTx, func(s *subject) {
		s.must(s.tx(func(in *subject) error {
			together(6, func(i int) {
				for n := range in.rounds(12) {
					if _, err := in.db.Put(in.ctx, rec(fmt.Sprintf("%d-%d", i, n), "by", int64(i))); err != nil {
						in.Errorf("Put: %v", err)
					}
					for _, err := range in.db.Run(in.ctx, &dataknobs.Query{Where: eq("by", int64(i))}) {
						if err != nil {
							in.Errorf("Run: %v", err)
						}
						if n%2 == 0 {
							break
						}
					}
				}
			})
			return nil
		}), "Tx")
		if n, err := s.db.Count(s.ctx, nil); n != int64(6*s.rounds(12)) || err != nil {
			s.Errorf("there are %d records (error %v), wanted %d", n, err, 6*s.rounds(12))
		}
	}},
	{"cancelled", "a transaction whose context is cancelled is rolled back, and the store is as usable as before", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		for i := range s.rounds(12) {
			ctx, cancel := context.WithCancel(s.ctx)
			err := s.db.Tx(ctx, func(tx *dataknobs.DB) error {
				in := s.over(tx)
				in.ctx = ctx
				txWrites(in)
				cancel()
				if i%2 == 0 {
					return second(tx.Get(ctx, "a"))
				}
				return nil
			})
			cancel()
			if !errors.Is(err, context.Canceled) {
				s.Errorf("Tx: got %s, wanted context.Canceled", outcome(err))
			}
		}
		s.wantContent(txBefore()...)
		s.must(s.tx(func(in *subject) error { txWrites(in); return nil }), "Tx")
	}},
	{"one after the other", "transactions free what they hold, however they end", needIDs | needTx, func(s *subject) {
		for i := range s.rounds(100) {
			err := s.tx(func(in *subject) error {
				in.must(second(in.db.Put(in.ctx, rec("x", "n", int64(i)))), "Put")
				for range in.db.Run(in.ctx, &dataknobs.Query{}) {
					break
				}
				if i%2 == 0 {
					return errMine
				}
				return nil
			})
			if i%2 == 1 {
				s.must(err, "Tx")
			}
		}
		s.wantContent(rec("x", "n", int64(s.rounds(100)-1-s.rounds(100)%2)))
	}},
	{"from inside another", "the store itself can be read while a transaction of it is under way", needIDs | needTx, func(s *subject) {
		s.create(txBefore()...)
		s.must(s.tx(func(in *subject) error {
			in.get("a")
			s.get("a")
			s.must(s.tx(func(other *subject) error { other.get("b"); return nil }, dataknobs.TxReadOnly()), "another transaction, for reading")
			return nil
		}), "Tx")
	}},
}
