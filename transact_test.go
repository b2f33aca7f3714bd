package dataknobs_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dk "dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/txfake"
)

func txStore(t *testing.T, recs ...*dk.Record) (*dk.DB, *txfake.Driver) {
	t.Helper()
	d := txfake.New()
	db := dk.New(d, nil)
	t.Cleanup(func() { db.Close() })
	if len(recs) > 0 {
		if _, err := db.CreateMany(t.Context(), recs); err != nil {
			t.Fatal(err)
		}
	}
	return db, d
}

func recN(i int) *dk.Record { return dk.NewRecord(fmt.Sprintf("%03d", i), dk.F("n", int64(i))) }

func records(count int) []*dk.Record {
	var recs []*dk.Record
	for i := range count {
		recs = append(recs, recN(i))
	}
	return recs
}

func putN(tx *dk.DB, id string, v int64) error {
	_, err := tx.Put(context.Background(), dk.NewRecord(id, dk.F("n", v)))
	return err
}

// wantIDs reports it unless the store holds exactly those records.
func wantIDs(t *testing.T, db *dk.DB, want ...string) {
	t.Helper()
	if got := idsIn(t, db); !slices.Equal(got, want) {
		t.Errorf("the store holds %q, wanted %q", got, want)
	}
}

func idsIn(t *testing.T, db *dk.DB) []string {
	t.Helper()
	recs, err := db.All(t.Context(), &dk.Query{OrderBy: []dk.Order{{Path: dk.PathID}}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range recs {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestTxEnds(t *testing.T) {
	mine := errors.New("mine")
	for name, c := range map[string]struct {
		fn     func(tx *dk.DB) error
		commit func() error
		check  func(err error) bool
		want   []string
	}{
		"nil commits":         {func(tx *dk.DB) error { return putN(tx, "a", 1) }, nil, func(err error) bool { return err == nil }, []string{"a"}},
		"an error rolls back": {func(tx *dk.DB) error { putN(tx, "a", 1); return mine }, nil, func(err error) bool { return err == mine }, nil},
		"a refused commit": {func(tx *dk.DB) error { return putN(tx, "a", 1) }, func() error { return dk.Errorf(dk.ResourceExhausted, "full") }, func(err error) bool {
			return dk.CodeOf(err) == dk.ResourceExhausted && !errors.Is(err, dk.ErrUnknownOutcome)
		}, nil},
		"a lost commit": {func(tx *dk.DB) error { return putN(tx, "a", 1) }, func() error { return dk.Errorf(dk.Unavailable, "gone") }, isLost, nil},
		"a commit cut off": {func(tx *dk.DB) error { return putN(tx, "a", 1) }, func() error { return context.DeadlineExceeded }, func(err error) bool {
			return errors.Is(err, dk.ErrUnknownOutcome) && errors.Is(err, context.DeadlineExceeded)
		}, nil},
		"a commit of whatever": {func(tx *dk.DB) error { return putN(tx, "a", 1) }, func() error { return errors.New("EOF") }, isLost, nil},
	} {
		t.Run(name, func(t *testing.T) {
			db, d := txStore(t)
			d.Commit = c.commit
			err := db.Tx(t.Context(), c.fn)
			if !c.check(err) {
				t.Errorf("Tx: got %v", err)
			}
			wantIDs(t, db, c.want...)
			if d.Begun.Load() != 1 {
				t.Errorf("%d transactions were begun, wanted 1", d.Begun.Load())
			}
		})
	}
}

func isLost(err error) bool {
	return errors.Is(err, dk.ErrUnknownOutcome) && dk.CodeOf(err) == dk.Unavailable && strings.Contains(err.Error(), "not known whether")
}

func TestTxPanic(t *testing.T) {
	db, _ := txStore(t)
	func() {
		defer func() {
			if r := recover(); r != "oh" {
				t.Errorf("recovered %v, wanted the panic of the function", r)
			}
		}()
		db.Tx(t.Context(), func(tx *dk.DB) error {
			putN(tx, "a", 1)
			return tx.Tx(t.Context(), func(tx *dk.DB) error { putN(tx, "b", 1); panic("oh") })
		})
	}()
	var wg sync.WaitGroup
	wg.Go(func() {
		db.Tx(t.Context(), func(tx *dk.DB) error {
			putN(tx, "c", 1)
			runtime.Goexit()
			return nil
		})
	})
	wg.Wait()
	wantIDs(t, db)
}

func TestTxRetries(t *testing.T) {
	again := dk.Errorf(dk.Conflict, "met: %w", dk.ErrSerialization)
	for name, c := range map[string]struct {
		fails func(try int64) bool
		wrap  func(err error) error
		opts  []dk.TxOption
		tries int64
		code  dk.Code
	}{
		"at commit":             {func(try int64) bool { return try < 4 }, nil, nil, 4, 0},
		"too often":             {func(int64) bool { return true }, nil, nil, dk.DefaultAttempts, dk.Conflict},
		"as often as asked":     {func(int64) bool { return true }, nil, []dk.TxOption{dk.TxAttempts(3)}, 3, dk.Conflict},
		"never":                 {func(int64) bool { return true }, nil, []dk.TxOption{dk.TxAttempts(1)}, 1, dk.Conflict},
		"wrapped by function":   {func(int64) bool { return false }, func(error) error { return fmt.Errorf("mine: %w", again) }, []dk.TxOption{dk.TxAttempts(2)}, 2, dk.Conflict},
		"no serialization":      {func(int64) bool { return false }, func(error) error { return dk.Errorf(dk.Conflict, "mine") }, nil, 1, dk.Conflict},
		"joined with something": {func(int64) bool { return false }, func(error) error { return errors.Join(errors.New("mine"), again) }, []dk.TxOption{dk.TxAttempts(2)}, 2, dk.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, d := txStore(t)
				d.Commit = func() error {
					if c.fails(d.Begun.Load()) {
						return again
					}
					return nil
				}
				runs := int64(0)
				err := db.Tx(t.Context(), func(tx *dk.DB) error {
					runs++
					err := putN(tx, "a", runs)
					if c.wrap != nil {
						err = c.wrap(err)
					}
					return err
				}, c.opts...)
				if dk.CodeOf(err) != c.code || runs != c.tries {
					t.Errorf("Tx: got %v after %d runs, wanted code %v after %d", err, runs, c.code, c.tries)
				}
				if c.code == 0 {
					wantIDs(t, db, "a")
				}
			})
		})
	}
}

// TestTxRetriesWhatWasSwallowed: a function that passes over a serialization
// failure must not have its transaction committed.
func TestTxRetriesWhatWasSwallowed(t *testing.T) {
	db, d := txStore(t, recN(0))
	runs := 0
	err := db.Tx(t.Context(), func(tx *dk.DB) error {
		if runs++; runs == 1 {
			for { // until the fake fails at a call, not at commit
				putN(db, "outside", int64(runs))
				if err := putN(tx, "a", 1); err != nil {
					return nil //nolint:nilerr // what is tested
				}
			}
		}
		return putN(tx, "b", 2)
	})
	if err != nil || runs != 2 || d.Begun.Load() != 2 {
		t.Errorf("Tx: got %v after %d runs", err, runs)
	}
	wantIDs(t, db, "000", "b", "outside")
}

func TestTxPauseObeysContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, d := txStore(t)
		d.Commit = func() error { return dk.ErrSerialization }
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := db.Tx(ctx, func(tx *dk.DB) error { return putN(tx, "a", 1) }, dk.TxAttempts(1000))
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, dk.ErrSerialization) || d.Begun.Load() >= 1000 {
			t.Errorf("Tx: got %v after %d attempts", err, d.Begun.Load())
		}
	})
}

func TestTxCancelled(t *testing.T) {
	db, d := txStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Tx(ctx, func(tx *dk.DB) error {
		defer cancel()
		return putN(tx, "a", 1)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Tx: got %v, wanted context.Canceled", err)
	}
	if err := db.Tx(ctx, func(tx *dk.DB) error { return nil }); !errors.Is(err, context.Canceled) || d.Begun.Load() != 1 {
		t.Errorf("Tx with a cancelled context: got %v", err)
	}
	wantIDs(t, db)
}

func TestTxAfterTheEnd(t *testing.T) {
	db, _ := txStore(t, records(3)...)
	var kept *dk.DB
	var seq iter.Seq2[*dk.Record, error]
	db.Tx(t.Context(), func(tx *dk.DB) error {
		kept, seq = tx, tx.Run(t.Context(), nil)
		return nil
	})
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Get":    func() error { _, err := kept.Get(ctx, "000"); return err },
		"Put":    func() error { return putN(kept, "x", 1) },
		"Batch":  func() error { _, err := kept.PutMany(ctx, records(2)); return err },
		"All":    func() error { _, err := kept.All(ctx, nil); return err },
		"Count":  func() error { _, err := kept.Count(ctx, nil); return err },
		"Schema": func() error { _, err := kept.Schema(ctx); return err },
		"Load":   func() error { _, err := kept.Load(ctx, some(records(2)), nil); return err },
		"Tx":     func() error { return kept.Tx(ctx, func(*dk.DB) error { return nil }) },
		"Sync":   func() error { return kept.Sync(ctx) },
		"Close":  func() error { return kept.Close() },
		"range": func() error {
			for _, err := range seq {
				return err
			}
			return nil
		},
	} {
		if err := call(); dk.CodeOf(err) != dk.InvalidArgument {
			t.Errorf("%s after the end: got %v, wanted InvalidArgument", name, err)
		}
	}
	wantIDs(t, db, "000", "001", "002")
}

func some(recs []*dk.Record) iter.Seq2[*dk.Record, error] {
	return func(yield func(*dk.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestTxNested(t *testing.T) {
	db, _ := txStore(t, recN(0))
	ctx := t.Context()
	mine := errors.New("mine")
	err := db.Tx(ctx, func(tx *dk.DB) error {
		putN(tx, "a", 1)
		if err := tx.Tx(ctx, func(in *dk.DB) error {
			putN(in, "b", 1)
			if _, err := tx.Get(ctx, "a"); dk.CodeOf(err) != dk.InvalidArgument {
				t.Errorf("the outer transaction during the inner: got %v, wanted InvalidArgument", err)
			}
			if _, err := in.Get(ctx, "a"); err != nil {
				t.Errorf("the inner one reads what the outer one wrote: %v", err)
			}
			in.Tx(ctx, func(in *dk.DB) error { return putN(in, "c", 1) })
			return mine
		}); err != mine {
			t.Errorf("the inner transaction: got %v", err)
		}
		if _, err := tx.Get(ctx, "c"); dk.CodeOf(err) != dk.NotFound {
			t.Errorf("what was undone is still there: %v", err)
		}
		return tx.Tx(ctx, func(in *dk.DB) error {
			err := in.Delete(ctx, "000")
			if e := in.Tx(ctx, func(in *dk.DB) error { return putN(in, "d", 1) }, dk.TxReadOnly()); dk.CodeOf(e) != dk.PermissionDenied {
				t.Errorf("a write in an inner transaction for reading: %v", e)
			}
			return err
		})
	})
	if err != nil {
		t.Error(err)
	}
	wantIDs(t, db, "a")
}

func TestTxOptions(t *testing.T) {
	db, d := txStore(t)
	ctx := t.Context()
	for name, opts := range map[string][]dk.TxOption{"attempts": {dk.TxAttempts(0)}, "isolation": {dk.TxIsolation(9)}} {
		if err := db.Tx(ctx, func(*dk.DB) error { return nil }, opts...); dk.CodeOf(err) != dk.InvalidArgument {
			t.Errorf("%s: got %v, wanted InvalidArgument", name, err)
		}
	}
	db.Tx(ctx, func(tx *dk.DB) error {
		for name, o := range map[string]dk.TxOption{"attempts": dk.TxAttempts(2), "isolation": dk.TxIsolation(dk.Serializable)} {
			if err := tx.Tx(ctx, func(*dk.DB) error { return nil }, o); dk.CodeOf(err) != dk.InvalidArgument {
				t.Errorf("%s inside: got %v, wanted InvalidArgument", name, err)
			}
		}
		return nil
	})
	err := db.Tx(ctx, func(tx *dk.DB) error { return putN(tx, "a", 1) }, dk.TxReadOnly())
	if dk.CodeOf(err) != dk.PermissionDenied || !strings.Contains(err.Error(), "the transaction is for reading") {
		t.Errorf("a write in a transaction for reading: got %v", err)
	}
	readOnly := dk.New(d, &dk.Options{ReadOnly: true})
	if err := readOnly.Tx(ctx, func(tx *dk.DB) error { _, err := tx.Count(ctx, nil); return err }); err != nil {
		t.Errorf("a transaction of a store opened for reading: %v", err)
	}
	if err := readOnly.Tx(ctx, func(tx *dk.DB) error { return putN(tx, "a", 1) }); dk.CodeOf(err) != dk.PermissionDenied {
		t.Errorf("a write in a transaction of a store opened for reading: %v", err)
	}
	plain := dk.New(newFake(t, dk.Features{Atomic: true}), nil)
	err = plain.Tx(ctx, func(*dk.DB) error { return nil })
	if dk.CodeOf(err) != dk.Unsupported || !strings.Contains(err.Error(), "Atomic()") {
		t.Errorf("a store without transactions: got %v", err)
	}
}

// TestTxInterleaves: doing something else while ranging over a query works, and
// the query yields what was there when it began.
func TestTxInterleaves(t *testing.T) {
	const count = 500
	db, _ := txStore(t, records(count)...)
	ctx := t.Context()
	err := db.Tx(ctx, func(tx *dk.DB) error {
		seen := 0
		for r, err := range tx.Run(ctx, nil) {
			if err != nil {
				return err
			}
			if seen++; seen%7 == 0 {
				if err := putN(tx, "x"+r.ID, 1); err != nil {
					return err
				}
			}
			if seen%50 == 0 {
				err := tx.Tx(ctx, func(tx *dk.DB) error {
					for _, err := range tx.Run(ctx, nil) {
						return err
					}
					return errors.New("nothing there")
				})
				if err != nil {
					return err
				}
			}
			if seen == 300 {
				break
			}
		}
		// Two at once, and a third in between.
		next1, stop1 := iter.Pull2(tx.Run(ctx, nil))
		defer stop1()
		next2, stop2 := iter.Pull2(tx.Query(ctx, "order by n desc, _id"))
		defer stop2()
		for range 10 {
			a, _, _ := next1()
			b, _, _ := next2()
			if _, err := tx.Get(ctx, a.ID); err != nil {
				return err
			}
			if _, err := tx.Count(ctx, nil); err != nil || b == nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(idsIn(t, db)); got != count+42 {
		t.Errorf("there are %d records, wanted %d", got, count+42)
	}
}

// TestTxSpool: what is kept aside of a long query goes to the disk and comes
// back in its order.
func TestTxSpool(t *testing.T) {
	big := strings.Repeat("x", 20_000)
	var recs []*dk.Record
	for i := range 1500 { // 30 MB
		recs = append(recs, dk.NewRecord(fmt.Sprintf("%05d", i), dk.F("big", big)))
	}
	db, _ := txStore(t, recs...)
	ctx := t.Context()
	err := db.Tx(ctx, func(tx *dk.DB) error {
		i := len(recs)
		for r, err := range tx.Run(ctx, nil) { // the fake yields backwards
			if err != nil {
				return err
			}
			if i--; r.ID != recs[i].ID || r.Get("big").Str() != big {
				return fmt.Errorf("record %d is %s", i, r.ID)
			}
			if i == len(recs)-10 {
				if _, err := tx.Count(ctx, nil); err != nil {
					return err
				}
			}
		}
		if i != 0 {
			return fmt.Errorf("%d records are missing", i)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTxLeak(t *testing.T) {
	db, _ := txStore(t, records(3)...)
	ctx := t.Context()
	var stop func()
	var next func() (*dk.Record, error, bool)
	err := db.Tx(ctx, func(tx *dk.DB) error {
		putN(tx, "a", 1)
		next, stop = iter.Pull2(tx.Run(ctx, nil))
		next()
		return nil
	})
	if dk.CodeOf(err) != dk.InvalidArgument || !strings.Contains(err.Error(), "1 query was still being ranged over") {
		t.Errorf("Tx with an open query: got %v", err)
	}
	if _, err, ok := next(); !ok || dk.CodeOf(err) != dk.InvalidArgument {
		t.Errorf("going on after the end: got %v", err)
	}
	stop()
	wantIDs(t, db, "000", "001", "002")
	err = db.Tx(ctx, func(tx *dk.DB) error {
		err := tx.Tx(ctx, func(in *dk.DB) error {
			next, stop := iter.Pull2(in.Run(ctx, nil))
			t.Cleanup(stop)
			next()
			return nil
		})
		if dk.CodeOf(err) != dk.InvalidArgument {
			t.Errorf("an inner transaction with an open query: got %v", err)
		}
		return putN(tx, "a", 1)
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTxWrites: all other ways to write, with options that would fan out.
func TestTxWrites(t *testing.T) {
	d := txfake.New()
	db := dk.New(d, &dk.Options{Workers: 8})
	defer db.Close()
	ctx := t.Context()
	for _, loads := range []bool{false, true} {
		if loads {
			d.Loads = func(*dk.LoadRequest) error { return nil }
		}
		err := db.Tx(ctx, func(tx *dk.DB) error {
			if _, err := tx.DeleteWhere(ctx, nil); err != nil {
				return err
			}
			if _, err := tx.CreateMany(ctx, records(5000), dk.Parallel(8), dk.BatchSize(10)); err != nil {
				return err
			}
			if got, err := tx.PatchWhere(ctx, nil, []dk.Change{{Path: dk.P("m"), Value: dk.Int(1)}}, dk.Parallel(8)); err != nil || got != 5000 {
				return fmt.Errorf("PatchWhere: %d, %w", got, err)
			}
			// From the transaction into itself.
			copied := func(yield func(*dk.Record, error) bool) {
				for r, err := range tx.Run(ctx, nil) {
					if err == nil {
						r.ID = "copy" + r.ID
					}
					if !yield(r, err) {
						return
					}
				}
			}
			res, err := tx.Load(ctx, copied, &dk.LoadOptions{Parallel: 8, Batch: 100})
			if err != nil || res.Written != 5000 {
				return fmt.Errorf("Load: %+v, %w", res, err)
			}
			if !loads {
				return nil
			}
			_, err = tx.Load(ctx, func(yield func(*dk.Record, error) bool) {
				if yield(recN(7000), nil) {
					_, err := tx.Get(ctx, "000")
					yield(nil, err)
				}
			}, nil)
			if dk.CodeOf(err) != dk.InvalidArgument {
				t.Errorf("a call while a load takes its records: got %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if got := len(idsIn(t, db)); got != 10_000 {
			t.Errorf("there are %d records, wanted 10000", got)
		}
	}
}

func TestTxGoroutines(t *testing.T) {
	db, _ := txStore(t)
	ctx := t.Context()
	err := db.Tx(ctx, func(tx *dk.DB) error {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 30 {
					if err := putN(tx, fmt.Sprint(g, "-", i), 1); err != nil {
						t.Error(err)
					}
					for _, err := range tx.Run(ctx, nil) {
						if err != nil {
							t.Error(err)
						}
						if i%2 == 0 {
							break
						}
					}
				}
			})
		}
		wg.Wait()
		return nil
	})
	if err != nil || len(idsIn(t, db)) != 240 {
		t.Errorf("Tx: %v, %d records", err, len(idsIn(t, db)))
	}
}

// TestTxRace: counters that race lose no update.
func TestTxRace(t *testing.T) {
	db, _ := txStore(t, dk.NewRecord("x", dk.F("n", int64(0))))
	ctx := t.Context()
	type counter struct {
		ID string `dk:"_id"`
		N  int64  `dk:"n"`
	}
	all, err := dk.NewCollection[counter](db)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				err := db.Tx(ctx, func(tx *dk.DB) error {
					c, err := all.In(tx).Get(ctx, "x")
					if err != nil {
						return err
					}
					c.N++
					_, err = all.In(tx).Put(ctx, c)
					return err
				}, dk.TxAttempts(1000))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if c, err := all.Get(ctx, "x"); err != nil || c.N != 80 {
		t.Errorf("the counter is %d, error %v; wanted 80", c.N, err)
	}
}

func TestOpenQueries(t *testing.T) {
	var warned []string
	db := dk.New(newFake(t, dk.Features{}, recN(1), recN(2)), &dk.Options{Warn: func(m string) { warned = append(warned, m) }})
	next, stop := iter.Pull2(db.Run(t.Context(), nil))
	defer stop()
	next()
	for range db.Run(t.Context(), nil) {
		break
	}
	if n, oldest := db.OpenQueries(); n != 1 || oldest <= 0 {
		t.Errorf("%d open queries, the oldest %s; wanted 1", n, oldest)
	}
	db.Close()
	if len(warned) != 1 || !strings.Contains(warned[0], "1 query was still being ranged over") {
		t.Errorf("Close warned %q", warned)
	}
}

type pooled struct{ *fake }

func (pooled) PoolStats() dk.PoolStats { return dk.PoolStats{Max: 4, Open: 2} }

func TestPoolStats(t *testing.T) {
	if _, ok := dk.New(newFake(t, dk.Features{}), nil).PoolStats(); ok {
		t.Error("a store without a pool tells of one")
	}
	if s, ok := dk.New(pooled{newFake(t, dk.Features{})}, nil).PoolStats(); !ok || s.Max != 4 {
		t.Errorf("got %+v, %v", s, ok)
	}
}
