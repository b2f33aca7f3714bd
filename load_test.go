package dataknobs_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

func TestLoad(t *testing.T) {
	for _, f := range []dk.Features{{}, {Parallel: true, MaxBatch: 7}, {Shared: true, MaxBatch: 100}} {
		d := newFake(t, f)
		var last dk.LoadProgress
		o := &dk.LoadOptions{Progress: func(p dk.LoadProgress) { last = p }}
		res, err := dk.New(d, &dk.Options{Workers: 3}).Load(t.Context(), seqOf(numbered(95)...), o)
		if err != nil || *res != (dk.LoadResult{Read: 95, Written: 95}) || len(d.recs) != 95 {
			t.Fatalf("got %+v, %v, %d records", res, err, len(d.recs))
		}
		if last.Read != 95 || last.Written != 95 {
			t.Errorf("the last progress was %+v", last)
		}
	}
}

func TestLoadModes(t *testing.T) {
	old := dk.NewRecord("n2", dk.F("old", true))
	tests := []struct {
		mode           dk.LoadMode
		written, skips int64
		kept           bool
		failed         []int
	}{
		{dk.LoadCreate, 4, 0, true, []int{2}},
		{dk.LoadPut, 5, 0, false, nil},
		{dk.LoadSkip, 4, 1, true, nil},
	}
	for _, tt := range tests {
		d := newFake(t, dk.Features{}, old)
		res, err := dk.New(d, nil).Load(t.Context(), seqOf(numbered(5)...), &dk.LoadOptions{Mode: tt.mode})
		if !slices.Equal(failedAt(err), tt.failed) || res.Written != tt.written || res.Skipped != tt.skips || d.find("n2").Get("old").Bool() != tt.kept {
			t.Errorf("mode %d: got %+v, %v", tt.mode, res, err)
		}
	}
	_, err := dk.New(newFake(t, dk.Features{}), nil).Load(t.Context(), seqOf(), &dk.LoadOptions{Mode: 9})
	wantErr(t, err, dk.InvalidArgument, "mode")
}

func TestLoadStopsAtFirstFailure(t *testing.T) {
	d := newFake(t, dk.Features{MaxBatch: 4}, dk.NewRecord("n5"))
	res, err := dk.New(d, &dk.Options{Name: "s"}).Load(t.Context(), seqOf(numbered(40)...), nil)
	var le *dk.LoadError
	if !errors.As(err, &le) || !errors.Is(err, dk.AlreadyExists) {
		t.Fatalf("got %v", err)
	}
	if !slices.Equal(failedAt(err), []int{5}) || le.Failed[0].ID != "n5" || le.Done[0] != (dk.Span{From: 0, To: 5}) || le.Done[1].From != 6 {
		t.Errorf("got %+v", le)
	}
	for _, s := range le.Done {
		for i := s.From; i < s.To; i++ {
			if d.find(fmt.Sprint("n", i)) == nil {
				t.Errorf("record %d is said to be loaded", i)
			}
		}
	}
	if stored := int64(len(d.recs) - 1); res.Written != stored || stored > 12 || !strings.Contains(err.Error(), "loaded were the records 0 to 4 6 to") {
		t.Errorf("%d stored, %+v, %v", stored, res, err)
	}
}

func TestLoadInvalidRecord(t *testing.T) {
	recs := numbered(10)
	recs[6].Set("", dk.Int(1))
	d := newFake(t, dk.Features{})
	res, err := dk.New(d, nil).Load(t.Context(), seqOf(recs...), nil)
	if !slices.Equal(failedAt(err), []int{6}) || res.Written != 6 || len(d.recs) != 6 || res.Read != 7 {
		t.Errorf("got %+v, %v", res, err)
	}
	recs[2].ID = "bad\x00"
	d = newFake(t, dk.Features{})
	var seen []int
	o := &dk.LoadOptions{Batch: 3, OnError: func(it dk.ItemError) error {
		seen = append(seen, it.Index)
		return nil
	}}
	res, err = dk.New(d, nil).Load(t.Context(), seqOf(recs...), o)
	if err != nil || !slices.Equal(seen, []int{2, 6}) || res.Written != 8 || res.Read != 10 {
		t.Errorf("got %+v, %v, failures at %v", res, err, seen)
	}
	enough := errors.New("enough")
	o.OnError = func(dk.ItemError) error { return enough }
	_, err = dk.New(newFake(t, dk.Features{}), nil).Load(t.Context(), seqOf(recs...), o)
	if !errors.Is(err, enough) || !slices.Equal(failedAt(err), []int{2}) {
		t.Errorf("got %v", err)
	}
}

func TestLoadStreamFails(t *testing.T) {
	broken := errors.New("the source broke")
	seq := func(yield func(*dk.Record, error) bool) {
		for _, r := range numbered(7) {
			if !yield(r, nil) {
				return
			}
		}
		yield(nil, broken)
	}
	d := newFake(t, dk.Features{})
	res, err := dk.New(d, nil).Load(t.Context(), seq, nil)
	var le *dk.LoadError
	if !errors.Is(err, broken) || !errors.As(err, &le) || !slices.Equal(le.Done, []dk.Span{{From: 0, To: 7}}) || res.Written != 7 {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestLoadCallFails(t *testing.T) {
	d := newFake(t, dk.Features{MaxBatch: 4})
	d.beforeApply = func(*dk.Batch) {
		if len(d.batches) == 2 {
			d.applyErr = dk.Errorf(dk.ResourceExhausted, "the disk is full")
		}
	}
	res, err := dk.New(d, nil).Load(t.Context(), seqOf(numbered(99)...), nil)
	var le *dk.LoadError
	if !errors.Is(err, dk.ResourceExhausted) || !errors.As(err, &le) || len(le.Failed) != 0 || !slices.Equal(le.Done, []dk.Span{{From: 0, To: 8}}) || res.Written != 8 {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestLoadSameIDsStayInOrder(t *testing.T) {
	d := newFake(t, dk.Features{Parallel: true, MaxBatch: 2})
	var recs []*dk.Record
	for i := range 300 {
		recs = append(recs, dk.NewRecord(fmt.Sprint("k", i%11), dk.F("i", i)))
	}
	o := &dk.LoadOptions{Mode: dk.LoadPut, Parallel: 6}
	if _, err := dk.New(d, nil).Load(t.Context(), seqOf(recs...), o); err != nil {
		t.Fatal(err)
	}
	for _, r := range recs[289:] {
		if got := d.find(r.ID); !got.Identical(r) {
			t.Errorf("%s ended as %v, want %v", r.ID, got.Fields, r.Fields)
		}
	}
}

// A loadingFake has a loader of its own.
type loadingFake struct {
	*fake
	decline bool
	fail    error
	seen    int
}

func (d *loadingFake) Load(_ context.Context, req *dk.LoadRequest) (bool, error) {
	if d.decline {
		return false, nil
	}
	for rec, err := range req.Records {
		if err != nil {
			return true, err
		}
		if rec.ID == "" {
			d.t.Error("a record came without an ID")
		}
		d.seen++
		req.Written.Add(1)
	}
	return true, d.fail
}

func TestLoadBulk(t *testing.T) {
	recs := numbered(9000)
	recs[0].ID = ""
	load := func(d *loadingFake, seq iter.Seq2[*dk.Record, error], o *dk.LoadOptions) (*dk.LoadResult, error) {
		return dk.New(d, nil).Load(t.Context(), seq, o)
	}
	calls := 0
	d := &loadingFake{fake: newFake(t, dk.Features{})}
	res, err := load(d, seqOf(recs...), &dk.LoadOptions{Progress: func(dk.LoadProgress) { calls++ }})
	if err != nil || d.seen != 9000 || res.Written != 9000 || calls < 2 {
		t.Errorf("got %+v, %v, %d progress calls", res, err, calls)
	}
	d = &loadingFake{fake: newFake(t, dk.Features{}), decline: true}
	if res, err = load(d, seqOf(recs...), nil); err != nil || res.Written != 9000 || len(d.recs) != 9000 {
		t.Errorf("declined: got %+v, %v", res, err)
	}
	d = &loadingFake{fake: newFake(t, dk.Features{}), fail: dk.Errorf(dk.Unavailable, "broke")}
	if res, err = load(d, seqOf(recs...), nil); !errors.Is(err, dk.Unavailable) || res.Written != 0 {
		t.Errorf("failed: got %+v, %v", res, err)
	}
	recs[50].Set("", dk.Int(1))
	d = &loadingFake{fake: newFake(t, dk.Features{})}
	if res, err = load(d, seqOf(recs...), nil); !slices.Equal(failedAt(err), []int{50}) || res.Written != 0 {
		t.Errorf("an invalid record: got %+v, %v", res, err)
	}
}
