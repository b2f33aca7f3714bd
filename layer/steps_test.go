package layer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/txfake"
	"dataknobs.dev/dataknobs/layer"
)

func TestTimeoutGivesUpWhatDoesNotMove(t *testing.T) {
	for _, c := range []struct {
		name string
		rule string
		o    layer.TimeoutOptions
		use  func(context.Context, *dataknobs.DB) error
		took time.Duration // 0: it ends well
	}{
		{"a read that takes too long", "get delay=1m", layer.TimeoutOptions{After: time.Second}, get, time.Second},
		{"a write that takes too long", "apply delay=1m", layer.TimeoutOptions{After: time.Second}, put, time.Second},
		{"a read that is in time", "get delay=900ms", layer.TimeoutOptions{After: time.Second}, get, 0},
		{"a query without a first record", "scan delay=1m", layer.TimeoutOptions{After: 2 * time.Second}, slowly(0), 2 * time.Second},
		{"not a query whose caller takes its time", "scan delay=900ms", layer.TimeoutOptions{After: time.Second}, slowly(time.Minute), 0},
		{"a call that takes too long altogether", "get delay=1m", layer.TimeoutOptions{Total: 3 * time.Second}, get, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := dataknobs.New(layer.Timeout(faulty(t, store(t), c.rule), c.o), nil)
				start := time.Now()
				err := c.use(t.Context(), db)
				var e *dataknobs.Error
				switch {
				case c.took == 0 && err != nil:
					t.Errorf("got error %v", err)
				case c.took == 0:
				case !errors.As(err, &e) || e.Code != dataknobs.Unavailable || !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("got error %v, wanted one that is Unavailable and a deadline's", err)
				case time.Since(start) != c.took:
					t.Errorf("took %s, wanted %s", time.Since(start), c.took)
				}
			})
		})
	}
}

// slowly ranges over everything and takes its time over each record.
func slowly(pause time.Duration) func(context.Context, *dataknobs.DB) error {
	return func(ctx context.Context, db *dataknobs.DB) error {
		for _, err := range db.Query(ctx, "") {
			if err != nil {
				return err
			}
			time.Sleep(pause)
		}
		return nil
	}
}

func TestTimeoutLeavesTheCallersOwnDeadlineAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		db := dataknobs.New(layer.Timeout(faulty(t, store(t), "get delay=1m"), layer.TimeoutOptions{After: 5 * time.Second}), nil)
		var e *dataknobs.Error
		if err := get(ctx, db); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &e) {
			t.Errorf("got %v, wanted the context's own error", err)
		}
	})
}

func TestRetryRepeatsWhatTimeoutGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := layer.Timeout(faulty(t, store(t), "get times=2 delay=1m"), layer.TimeoutOptions{After: time.Second})
		if err := get(t.Context(), dataknobs.New(layer.Retry(d, layer.RetryOptions{}), nil)); err != nil {
			t.Error(err)
		}
	})
}

func TestLimitBoundsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := dataknobs.New(layer.Limit(store(t), layer.LimitOptions{Rate: 10, Burst: 1}), nil)
		start := time.Now()
		for range 21 {
			if err := get(t.Context(), db); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start).Round(time.Millisecond); took != 2*time.Second {
			t.Errorf("21 calls at 10 in a second took %s, wanted 2s", took)
		}
	})
}

func TestLimitBoundsTheRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := dataknobs.New(layer.Limit(store(t), layer.LimitOptions{Records: 1}), nil)
		start := time.Now()
		if recs, err := db.All(t.Context(), nil); err != nil || len(recs) != 4 {
			t.Fatal(len(recs), err)
		}
		if took := time.Since(start).Round(time.Millisecond); took != 3*time.Second {
			t.Errorf("4 records at 1 in a second took %s, wanted 3s", took)
		}
	})
}

func TestLimitHoldsASlotWhileAQueryIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := dataknobs.New(layer.Limit(store(t), layer.LimitOptions{Calls: 1, Wait: 5 * time.Second}), nil)
		for _, err := range db.Query(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			err := get(t.Context(), db)
			wantCode(t, "a call inside a query that has the only slot", err, dataknobs.Unavailable)
			if !errors.Is(err, dataknobs.ErrNotSent) || time.Since(start) != 5*time.Second {
				t.Errorf("got %v after %s, wanted ErrNotSent after 5s", err, time.Since(start))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := get(ctx, db); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, wanted the context's error", err)
			}
			cancel()
			break
		}
		if err := get(t.Context(), db); err != nil {
			t.Errorf("after the query: %v", err)
		}
	})
}

func TestCircuitLeavesAStoreAloneThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := faulty(t, store(t), "get times=4 fail=unavailable")
		db := dataknobs.New(layer.Circuit(d, layer.CircuitOptions{Failures: 3, Open: time.Minute}), nil)
		asked := func(want bool, when string) {
			t.Helper()
			err := get(t.Context(), db)
			wantCode(t, when, err, dataknobs.Unavailable)
			if got := !errors.Is(err, dataknobs.ErrNotSent); got != want {
				t.Errorf("%s: the store was asked: %v, wanted %v (%v)", when, got, want, err)
			}
		}
		for range 3 {
			asked(true, "before it opens")
		}
		asked(false, "once it is open")
		time.Sleep(59 * time.Second)
		asked(false, "as long as it is open")
		time.Sleep(2 * time.Second)
		asked(true, "a probe")
		asked(false, "after a probe that failed")
		time.Sleep(61 * time.Second)
		for range 5 {
			if err := get(t.Context(), db); err != nil {
				t.Errorf("once the store is back: %v", err)
			}
		}
	})
}

func TestCircuitStaysClosedWhereTheStoreAnswers(t *testing.T) {
	for _, rule := range []string{"get fail=not_found", "get fail=conflict", "get fail=permission_denied", "get fail=invalid_argument"} {
		db := dataknobs.New(layer.Circuit(faulty(t, store(t), rule), layer.CircuitOptions{Failures: 2}), nil)
		for range 9 {
			if err := get(t.Context(), db); err == nil || errors.Is(err, dataknobs.ErrNotSent) {
				t.Errorf("%s: got %v", rule, err)
			}
		}
	}
}

func TestRetryWaitsForTheCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := layer.Circuit(faulty(t, store(t), "get times=2 fail=unavailable"), layer.CircuitOptions{Failures: 2, Open: 10 * time.Second})
		if err := get(t.Context(), dataknobs.New(layer.Retry(d, layer.RetryOptions{}), nil)); err != nil {
			t.Error(err)
		}
	})
}

func TestReadOnlyRefusesEveryWrite(t *testing.T) {
	d := layer.ReadOnly(store(t), layer.ReadOnlyOptions{Reason: "it is the archive"})
	db := dataknobs.New(d, nil)
	for name, use := range map[string]func(context.Context, *dataknobs.DB) error{"put": put, "create": create, "patch": patch} {
		err := use(t.Context(), db)
		wantCode(t, name, err, dataknobs.Unsupported)
		if err == nil || !strings.Contains(err.Error(), "it is the archive") {
			t.Errorf("%s: got %v, wanted the reason in it", name, err)
		}
	}
	b := &dataknobs.Batch{Writes: []dataknobs.Write{{Op: dataknobs.WriteDelete, ID: "a", If: dataknobs.IfPresent}}}
	_, err := d.Apply(t.Context(), b)
	wantCode(t, "a write past the engine", err, dataknobs.Unsupported)
	if recs, err := db.All(t.Context(), nil); err != nil || len(recs) != 4 {
		t.Errorf("reading: got %d records, error %v", len(recs), err)
	}
	if err := db.Sync(t.Context()); err != nil {
		t.Errorf("Sync: %v", err)
	}
}

func TestReadOnlyTransactionsOnlyRead(t *testing.T) {
	db := dataknobs.New(layer.ReadOnly(txfake.New(), layer.ReadOnlyOptions{}), nil)
	err := db.Tx(t.Context(), func(tx *dataknobs.DB) error { return put(t.Context(), tx) })
	wantCode(t, "a write in a transaction", err, dataknobs.Unsupported)
}

func TestKeepLeavesTheStoreOpen(t *testing.T) {
	d := store(t)
	db := dataknobs.New(layer.Keep(d), nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := get(t.Context(), dataknobs.New(d, nil)); err != nil {
		t.Errorf("the store inside: %v", err)
	}
	wantCode(t, "a read after Close", get(t.Context(), dataknobs.New(db.Driver(), nil)), dataknobs.InvalidArgument)
}

func TestAnAbilityCountsOnlyWhereTheStoreHasIt(t *testing.T) {
	d := layer.Retry(layer.Keep(store(t)), layer.RetryOptions{})
	if _, ok := dataknobs.Ability[dataknobs.Getter](d); !ok {
		t.Error("a memory store can get one record; a layer hides it")
	}
	if _, ok := dataknobs.Ability[dataknobs.Transactor](d); ok {
		t.Error("a memory store has no transactions; a layer pretends that it has")
	}
	if _, ok := dataknobs.Ability[dataknobs.Transactor](layer.Keep(txfake.New())); !ok {
		t.Error("the store has transactions; a layer hides them")
	}
}

func TestNothingIsRepeatedInATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := faulty(t, txfake.New(), "get nth=1 fail=unavailable")
		db := dataknobs.New(layer.Retry(f, layer.RetryOptions{}), nil)
		err := db.Tx(t.Context(), func(tx *dataknobs.DB) error { return get(t.Context(), tx) })
		wantCode(t, "a read in a transaction", err, dataknobs.Unavailable)
	})
}

func TestOverKeepsTheName(t *testing.T) {
	db := dataknobs.New(store(t), &dataknobs.Options{Name: "people"})
	over := layer.Over(db, layer.Keep, nil)
	defer over.Close()
	if over.Name() != "people" {
		t.Errorf("got %q", over.Name())
	}
}
