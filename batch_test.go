package dataknobs_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

func seqOf(recs ...*dk.Record) iter.Seq2[*dk.Record, error] {
	return func(yield func(*dk.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func numbered(n int) []*dk.Record {
	recs := make([]*dk.Record, n)
	for i := range recs {
		recs[i] = dk.NewRecord(fmt.Sprint("n", i), dk.F("i", i))
	}
	return recs
}

func failedAt(err error) []int {
	var many *dk.BatchError
	var load *dk.LoadError
	var items []dk.ItemError
	switch {
	case errors.As(err, &many):
		items = many.Errors
	case errors.As(err, &load):
		items = load.Failed
	}
	var at []int
	for _, it := range items {
		at = append(at, it.Index)
	}
	return at
}

func TestBatchReportsByIndex(t *testing.T) {
	for _, f := range []dk.Features{{}, {MaxBatch: 2}, {Parallel: true, MaxBatch: 3}, {Parallel: true}} {
		d := newFake(t, f, dk.NewRecord("n3"))
		db := dk.New(d, &dk.Options{Name: "s", Workers: 4})
		recs := numbered(10)
		recs[5] = dk.NewRecord("bad", dk.F("", 1))
		recs[7] = nil
		res, err := db.CreateMany(t.Context(), recs)
		if got := failedAt(err); !slices.Equal(got, []int{3, 5, 7}) {
			t.Fatalf("%+v: failed were %v: %v", f, got, err)
		}
		if !errors.Is(err, dk.AlreadyExists) || !errors.Is(err, dk.InvalidArgument) || !strings.Contains(err.Error(), `create: s: 3 of 10 failed: item 3, record "n3": already exists`) {
			t.Errorf("the error says %v", err)
		}
		for i, r := range res {
			if failed := i == 3 || i == 5 || i == 7; failed != (r.Err != nil) || !failed && (r.ID != recs[i].ID || !r.Created) {
				t.Errorf("result %d is %+v", i, r)
			}
		}
		if len(d.recs) != 8 {
			t.Errorf("%d records were stored, want 8", len(d.recs))
		}
	}
}

// A batch of several parts, of which the next is prepared while one is applied.
func TestLargeBatch(t *testing.T) {
	for _, f := range []dk.Features{{}, {MaxBatch: 900}, {Parallel: true}, {Parallel: true, MaxBatch: 700}} {
		d := newFake(t, f)
		d.recs = numbered(9_000)
		var mu sync.Mutex
		var order []string
		d.beforeApply = func(b *dk.Batch) {
			mu.Lock()
			defer mu.Unlock()
			for _, w := range b.Writes {
				order = append(order, w.ID)
			}
		}
		var ids, good []string
		var bad []int
		for i, r := range d.recs {
			if i%1000 == 13 {
				bad, ids = append(bad, i), append(ids, "")
				continue
			}
			ids, good = append(ids, r.ID), append(good, r.ID)
		}
		res, err := dk.New(d, &dk.Options{Workers: 3}).DeleteMany(t.Context(), ids)
		if got := failedAt(err); !slices.Equal(got, bad) {
			t.Fatalf("%+v: failed were %v, want %v", f, got, bad)
		}
		for i, r := range res {
			if failed := i%1000 == 13; failed != (r.Err != nil) || r.ID != ids[i] {
				t.Fatalf("%+v: result %d is %+v", f, i, r)
			}
		}
		if f.Parallel {
			slices.Sort(order)
			slices.Sort(good)
		}
		if !slices.Equal(order, good) || len(d.recs) != len(bad) {
			t.Errorf("%+v: %d writes reached the driver, not those %d in their order; %d records are left", f, len(order), len(good), len(d.recs))
		}
	}
}

func TestBatchOfEachKind(t *testing.T) {
	d := newFake(t, dk.Features{}, numbered(4)...)
	db := dk.New(d, nil)
	ctx := t.Context()
	if _, err := db.UpdateMany(ctx, []*dk.Record{dk.NewRecord("n1", dk.F("i", 11)), dk.NewRecord("x")}); !slices.Equal(failedAt(err), []int{1}) || !errors.Is(err, dk.NotFound) {
		t.Errorf("UpdateMany: %v", err)
	}
	set := []dk.Change{{Path: dk.Names("j"), Value: dk.Int(1)}}
	if _, err := db.PatchMany(ctx, []dk.Patch{{ID: "n0", Changes: set}, {ID: "n2", Changes: set, Revision: "old"}}); !slices.Equal(failedAt(err), []int{1}) || !errors.Is(err, dk.Conflict) {
		t.Errorf("PatchMany: %v", err)
	}
	if _, err := db.DeleteMany(ctx, []string{"n3", "n3", ""}); !slices.Equal(failedAt(err), []int{1, 2}) {
		t.Errorf("DeleteMany: %v", err)
	}
	ws := []dk.Write{{Op: dk.WriteDelete, ID: "n2"}, {Op: dk.WritePut, Record: dk.NewRecord("n2", dk.F("i", 5))}}
	if _, err := db.Apply(ctx, ws); err != nil || ws[1].ID != "" {
		t.Errorf("Apply: %v, %+v", err, ws[1])
	}
	got, err := db.All(ctx, dk.MustParse("order by _id"))
	if want := "n0 {'i': 0, 'j': 1} n1 {'i': 11} n2 {'i': 5} "; err != nil || brief(got) != want {
		t.Errorf("got %s, want %s", brief(got), want)
	}
}

func brief(recs []*dk.Record) string {
	text := ""
	for _, r := range recs {
		text += r.ID + " " + dk.Object(r.Fields).String() + " "
	}
	return text
}

// Writes of the same record must not run at once, and stay in their order.
func TestBatchKeepsOrderOfSameID(t *testing.T) {
	d := newFake(t, dk.Features{Parallel: true, MaxBatch: 3})
	db := dk.New(d, &dk.Options{Workers: 8})
	var mu sync.Mutex
	busy := map[string]int{}
	d.beforeApply = func(b *dk.Batch) {
		mu.Lock()
		defer mu.Unlock()
		ids := map[string]bool{}
		for _, w := range b.Writes {
			ids[w.ID] = true
		}
		for id := range ids {
			busy[id]++
		}
	}
	var recs []*dk.Record
	for i := range 200 {
		recs = append(recs, dk.NewRecord(fmt.Sprint("k", i%7), dk.F("i", i)))
	}
	if _, err := db.PutMany(t.Context(), recs); err != nil {
		t.Fatal(err)
	}
	for _, r := range d.recs {
		want := int64(0)
		for _, x := range recs {
			if x.ID == r.ID {
				want = x.Get("i").Int()
			}
		}
		if r.Get("i").Int() != want {
			t.Errorf("%s ended as %v, want %d", r.ID, r.Get("i"), want)
		}
	}
	if slices.Max(d.batches) > 3 {
		t.Errorf("a batch of %d went to the driver, whose bound is 3", slices.Max(d.batches))
	}
}

func TestBatchRunsInParallelWithinBound(t *testing.T) {
	d := newFake(t, dk.Features{Parallel: true})
	var mu sync.Mutex
	running, most := 0, 0
	meet := make(chan struct{})
	d.beforeApply = func(*dk.Batch) {
		mu.Lock()
		running++
		most = max(most, running)
		if running == 3 && most == 3 {
			select {
			case <-meet:
			default:
				close(meet)
			}
		}
		mu.Unlock()
		<-meet // three must be here at once for anyone to go on
		mu.Lock()
		running--
		mu.Unlock()
	}
	_, err := dk.New(d, nil).CreateMany(t.Context(), numbered(30), dk.Parallel(3), dk.BatchSize(4))
	if err != nil || most != 3 || len(d.recs) != 30 {
		t.Errorf("%d ran at once, want 3; %d stored, %v", most, len(d.recs), err)
	}
}

func TestAtomicBatch(t *testing.T) {
	ctx := t.Context()
	d := newFake(t, dk.Features{})
	_, err := dk.New(d, nil).CreateMany(ctx, numbered(2), dk.Atomic())
	wantErr(t, err, dk.Unsupported, "all or nothing")

	d = newFake(t, dk.Features{Atomic: true, MaxBatch: 2, Parallel: true}, dk.NewRecord("n3"))
	db := dk.New(d, nil)
	res, err := db.CreateMany(ctx, numbered(5), dk.Atomic())
	if !slices.Equal(failedAt(err), []int{3}) || !errors.Is(err, dk.AlreadyExists) || len(d.recs) != 1 {
		t.Errorf("got %v with %d records", err, len(d.recs))
	}
	for i, r := range res {
		if i != 3 && !errors.Is(r.Err, dk.ErrNotApplied) {
			t.Errorf("result %d is %+v, want ErrNotApplied", i, r)
		}
	}
	recs := numbered(3)
	recs[1].Set("", dk.Int(1))
	d.batches = nil
	res, err = db.PutMany(ctx, recs, dk.Atomic())
	if !slices.Equal(failedAt(err), []int{1}) || d.batches != nil || !errors.Is(res[0].Err, dk.ErrNotApplied) {
		t.Errorf("an invalid record: got %v, %v, batches %v", res, err, d.batches)
	}
	if _, err = db.PutMany(ctx, numbered(5), dk.Atomic()); err != nil || !slices.Equal(d.batches, []int{5}) {
		t.Errorf("got %v, batches %v, want one of 5", err, d.batches)
	}
}

func TestBatchCallFails(t *testing.T) {
	for _, f := range []dk.Features{{MaxBatch: 2}, {Parallel: true, MaxBatch: 2}} {
		d := newFake(t, f)
		d.applyErr = dk.Errorf(dk.Unavailable, "gone away")
		res, err := dk.New(d, &dk.Options{Workers: 1}).CreateMany(t.Context(), numbered(6))
		wantErr(t, err, dk.Unavailable, "6 of 6 failed", "gone away", "and 1 more")
		if len(d.batches) != 1 || len(res) != 6 {
			t.Errorf("the driver was called %d times after it was gone", len(d.batches))
		}
	}
}

func TestBatchCancelledMidway(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := newFake(t, dk.Features{MaxBatch: 2})
	d.beforeApply = func(*dk.Batch) {
		if len(d.recs) == 4 {
			cancel()
		}
	}
	res, err := dk.New(d, nil).CreateMany(ctx, numbered(9))
	if !errors.Is(err, context.Canceled) || dk.CodeOf(err) != 0 || !slices.Equal(failedAt(err), []int{4, 5, 6, 7, 8}) || len(d.recs) != 4 {
		t.Errorf("got %v with %d records", err, len(d.recs))
	}
	for i, r := range res {
		if (r.Err == nil) != (i < 4) {
			t.Errorf("result %d is %+v", i, r)
		}
	}
}

func TestPatchWhere(t *testing.T) {
	for _, f := range []dk.Features{{}, {Filter: mixedFilter, Parallel: true, MaxBatch: 3, Project: true, Shared: true}} {
		d := newFake(t, f, numbered(20)...)
		db := dk.New(d, nil)
		e, _ := dk.ParseExpr("i >= 5 and i < 15")
		n, err := db.PatchWhere(t.Context(), e, []dk.Change{{Path: dk.Names("i"), Value: dk.Int(6)}})
		if err != nil || n != 10 {
			t.Fatalf("got %d, %v, want 10", n, err)
		}
		n, err = db.DeleteWhere(t.Context(), e)
		if err != nil || n != 10 || len(d.recs) != 10 {
			t.Fatalf("got %d, %v, want 10; %d left", n, err, len(d.recs))
		}
		n, err = db.DeleteWhere(t.Context(), dk.Or{})
		if err != nil || n != 0 {
			t.Fatalf("a condition that is never true: got %d, %v", n, err)
		}
		n, err = db.DeleteWhere(t.Context(), nil)
		if err != nil || n != 10 || len(d.recs) != 0 {
			t.Fatalf("got %d, %v, want all 10", n, err)
		}
	}
}

// Records that others change between the search and the change are read again.
func TestPatchWhereRechecks(t *testing.T) {
	d := newFake(t, dk.Features{}, numbered(6)...)
	tries := 0
	d.beforeApply = func(*dk.Batch) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if tries++; tries > 1 {
			return
		}
		d.recs = slices.Clone(d.recs)
		d.put(dk.NewRecord("n1", dk.F("i", 100)))                 // no longer selected
		d.put(dk.NewRecord("n2", dk.F("i", 2), dk.F("x", "new"))) // still selected
		d.recs = slices.Delete(d.recs, 3, 4)                      // n3 is gone
	}
	e, _ := dk.ParseExpr("i < 5")
	n, err := dk.New(d, nil).PatchWhere(t.Context(), e, []dk.Change{{Path: dk.Names("ok"), Value: dk.Bool(true)}})
	if err != nil || n != 3 {
		t.Fatalf("got %d, %v, want 3", n, err)
	}
	want := "n0 {'i': 0, 'ok': true} n1 {'i': 100} n2 {'i': 2, 'x': 'new', 'ok': true} n4 {'i': 4, 'ok': true} n5 {'i': 5} "
	if got := brief(d.recs); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPatchWhereGivesUp(t *testing.T) {
	d := newFake(t, dk.Features{}, numbered(2)...)
	d.beforeApply = func(*dk.Batch) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.recs = slices.Clone(d.recs)
		d.put(dk.NewRecord("n1", dk.F("i", 1)))
	}
	n, err := dk.New(d, nil).DeleteWhere(t.Context(), nil)
	wantErr(t, err, dk.Conflict, `"n1"`)
	if n != 1 || !slices.Equal(failedAt(err), []int{1}) {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestPatchWhereRefuses(t *testing.T) {
	ctx := t.Context()
	db := dk.New(newFake(t, dk.Features{RowIDs: "name a key"}, numbered(2)...), nil)
	_, err := db.DeleteWhere(ctx, nil)
	wantErr(t, err, dk.Unsupported, "name a key")
	db = dk.New(newFake(t, dk.Features{Atomic: true}), nil)
	_, err = db.DeleteWhere(ctx, nil, dk.Atomic())
	wantErr(t, err, dk.Unsupported, "all or nothing")
	_, err = db.PatchWhere(ctx, nil, []dk.Change{{Path: dk.PathID}})
	wantErr(t, err, dk.InvalidArgument, "ID")
	_, err = db.DeleteWhere(ctx, &dk.Cond{Path: dk.Names("a"), Op: dk.Eq})
	wantErr(t, err, dk.InvalidArgument)
}
