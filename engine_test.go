package dataknobs_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

// An endless driver yields records for ever and takes no notice of its context.
type endless struct {
	*fake
	yielded int
	cancel  func()
}

func (d *endless) Scan(context.Context, *dk.Scan) iter.Seq2[*dk.Record, error] {
	return func(yield func(*dk.Record, error) bool) {
		for yield(dk.NewRecord("a", dk.F("n", d.yielded)), nil) {
			if d.yielded++; d.yielded == 10_000 {
				d.cancel()
			}
		}
	}
}

// What the engine does by itself stops soon after its context is cancelled.
func TestEngineObeysContext(t *testing.T) {
	calls := map[string]func(context.Context, *dk.DB) error{
		"filter": func(ctx context.Context, db *dk.DB) error { _, err := db.All(ctx, dk.MustParse("n < 0")); return err },
		"count":  func(ctx context.Context, db *dk.DB) error { _, err := db.Count(ctx, nil); return err },
		"group": func(ctx context.Context, db *dk.DB) error {
			_, err := db.All(ctx, dk.MustParse("select sum(n)"))
			return err
		},
		"schema": func(ctx context.Context, db *dk.DB) error { _, err := db.Schema(ctx); return err },
		"delete": func(ctx context.Context, db *dk.DB) error {
			_, err := db.DeleteWhere(ctx, dk.P("n").Lt(0))
			return err
		},
		"sort": func(ctx context.Context, db *dk.DB) error {
			_, err := db.All(ctx, dk.MustParse("order by n limit 3"))
			return err
		},
		"sort all": func(ctx context.Context, db *dk.DB) error {
			_, err := db.All(ctx, dk.MustParse("order by n"))
			return err
		},
		"offset": func(ctx context.Context, db *dk.DB) error {
			_, err := db.All(ctx, dk.MustParse("offset 1000000000"))
			return err
		},
		"load": func(ctx context.Context, db *dk.DB) error {
			_, err := db.Load(ctx, db.Driver().Scan(ctx, &dk.Scan{}), &dk.LoadOptions{Mode: dk.LoadPut})
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			d := &endless{fake: newFake(t, dk.Features{NaturalOrder: true}), cancel: cancel}
			if err := call(ctx, dk.New(d, nil)); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
			if d.yielded > 11_000 {
				t.Errorf("it went on for %d records", d.yielded-10_000)
			}
		})
	}
}

// A failing driver fails in the middle of a scan.
type failing struct{ *fake }

func (d *failing) Scan(ctx context.Context, s *dk.Scan) iter.Seq2[*dk.Record, error] {
	return func(yield func(*dk.Record, error) bool) {
		for rec, err := range d.fake.Scan(ctx, s) {
			if !yield(rec, err) {
				return
			}
		}
		yield(nil, dk.Errorf(dk.DataLoss, "page 7 is torn"))
	}
}

// An error of the store is never turned into a shorter result.
func TestEnginePassesErrorsOn(t *testing.T) {
	everyFeatures(func(name string, f dk.Features) {
		if f.NaturalOrder {
			return
		}
		db := dk.New(&failing{newFake(t, f, people(9)...)}, &dk.Options{Name: "s"})
		for _, text := range append(planQueries, "select count(*) where age > 1", "select city, max(age) group by city") {
			q := dk.MustParse(text)
			recs, err := db.All(t.Context(), q)
			if early := q.Limit != nil && *q.Limit < 9 || strings.Contains(text, "in ()"); err == nil && early {
				continue // the limit was reached before the fault
			}
			if dk.CodeOf(err) != dk.DataLoss || recs != nil || !strings.Contains(err.Error(), "query: s: page 7") {
				t.Fatalf("%s\n%s: got %d records and %v", name, text, len(recs), err)
			}
		}
		if _, err := db.Schema(t.Context()); dk.CodeOf(err) != dk.DataLoss {
			t.Fatal(err)
		}
		if _, err := db.DeleteWhere(t.Context(), nil); dk.CodeOf(err) != dk.DataLoss {
			t.Fatal(err)
		}
	})
}

// A syncing driver has something to sync.
type syncing struct {
	*fake
	synced int
}

func (d *syncing) Sync(context.Context) error {
	d.synced++
	return dk.Errorf(dk.Unavailable, "busy")
}

func TestSync(t *testing.T) {
	if err := dk.New(newFake(t, dk.Features{}), nil).Sync(t.Context()); err != nil {
		t.Error(err)
	}
	d := &syncing{fake: newFake(t, dk.Features{})}
	wantErr(t, dk.New(d, &dk.Options{Name: "s"}).Sync(t.Context()), dk.Unavailable, "sync: s: busy")
}

func TestBatchWorkers(t *testing.T) {
	for _, tt := range []struct {
		parallel bool
		opts     []dk.BatchOption
		calls    int
		workers  int
	}{
		{false, nil, 1, 0},
		{false, []dk.BatchOption{dk.Parallel(5)}, 1, 5},
		{true, []dk.BatchOption{dk.Parallel(5), dk.BatchSize(10)}, 3, 1},
	} {
		d := newFake(t, dk.Features{Parallel: tt.parallel})
		workers := make(chan int, 9)
		d.beforeApply = func(b *dk.Batch) { workers <- b.Workers }
		if _, err := dk.New(d, nil).PutMany(t.Context(), numbered(30), tt.opts...); err != nil {
			t.Fatal(err)
		}
		if w := <-workers; len(d.batches) != tt.calls || w != tt.workers {
			t.Errorf("%+v: got %d calls with %d workers", tt, len(d.batches), w)
		}
	}
}
