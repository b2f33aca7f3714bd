package layer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/layer"
)

// store returns a memory store of the records a, b, c, d, whose n is 1 to 4, with an
// index on n.
func store(t testing.TB) *memory.Driver {
	t.Helper()
	d := memory.New(memory.Options{Index: []dataknobs.Path{dataknobs.P("n")}})
	db := dataknobs.New(d, nil)
	for i, id := range []string{"a", "b", "c", "d"} {
		if _, err := db.Create(t.Context(), record(id, i+1)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func record(id string, n int) *dataknobs.Record {
	return dataknobs.NewRecord(id, dataknobs.F("n", n))
}

// faulty puts the rules on d.
func faulty(t testing.TB, d dataknobs.Driver, rules ...string) dataknobs.Driver {
	t.Helper()
	o := layer.FaultOptions{Seed: 1}
	for _, text := range rules {
		r, err := layer.ParseFaultRule(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Rules = append(o.Rules, r)
	}
	f, err := layer.Fault(d, o)
	return must(t, f, err)
}

func idsOf(recs []*dataknobs.Record) []string {
	var ids []string
	for _, r := range recs {
		ids = append(ids, r.ID)
	}
	return ids
}

func wantCode(t *testing.T, what string, err error, want dataknobs.Code) {
	t.Helper()
	if got := dataknobs.CodeOf(err); got != want {
		t.Errorf("%s: got %v (code %v), wanted code %v", what, err, got, want)
	}
}

// A retryCase is a fault, a use of the store, and what it comes to.
type retryCase struct {
	name string
	rule string
	use  func(ctx context.Context, db *dataknobs.DB) error
	code dataknobs.Code // 0: no error
	n    int64          // a's n afterwards; 0: not looked at
	lost bool           // the error wraps ErrUnknownOutcome
}

func get(ctx context.Context, db *dataknobs.DB) error { _, err := db.Get(ctx, "a"); return err }

func put(ctx context.Context, db *dataknobs.DB) error {
	_, err := db.Put(ctx, record("a", 9))
	return err
}

func create(ctx context.Context, db *dataknobs.DB) error {
	_, err := db.Create(ctx, record("new", 9))
	return err
}

func patch(ctx context.Context, db *dataknobs.DB) error {
	_, err := db.Patch(ctx, "a", []dataknobs.Change{{Path: dataknobs.P("n"), Value: dataknobs.Int(9)}})
	return err
}

func putIfRevision(ctx context.Context, db *dataknobs.DB) error {
	rec, err := db.Get(ctx, "a")
	if err != nil {
		return err
	}
	_, err = db.Put(ctx, record("a", 9), dataknobs.IfRevision(rec.Revision))
	return err
}

var retryCases = []retryCase{
	{name: "a read is repeated", rule: "get times=3 fail=unavailable", use: get},
	{name: "a read is given up in the end", rule: "get fail=unavailable", use: get, code: dataknobs.Unavailable},
	{name: "what cannot pass is not repeated", rule: "get nth=1 fail=internal", use: get, code: dataknobs.Internal},
	{name: "an error that says when to come again is", rule: "get nth=1 fail=resource_exhausted retry_after=3s", use: get},
	{name: "a put whose answer was lost is repeated", rule: "apply nth=1 lost", use: put, n: 9},
	{name: "a create whose answer was lost is not", rule: "apply nth=1 lost", use: create, code: dataknobs.Unavailable, lost: true},
	{name: "a create that failed somehow is not", rule: "apply nth=1 fail=unavailable", use: create, code: dataknobs.Unavailable},
	{name: "a create that was not sent is", rule: "apply nth=1 not_sent", use: create},
	{name: "a patch whose answer was lost is not", rule: "apply nth=1 lost", use: patch, code: dataknobs.Unavailable, n: 9, lost: true},
	{name: "a patch that was not sent is", rule: "apply nth=1 not_sent", use: patch, n: 9},
	{name: "a write under a revision that was lost on its way is", rule: "apply nth=1 fail=unavailable", use: putIfRevision, n: 9},
	{name: "a write under a revision whose answer was lost is applied once", rule: "apply nth=1 lost", use: putIfRevision, code: dataknobs.Unavailable, n: 9, lost: true},
}

func TestRetryRepeatsWhatIsSafe(t *testing.T) {
	for _, c := range retryCases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := store(t)
				db := dataknobs.New(layer.Retry(faulty(t, d, c.rule), layer.RetryOptions{Pause: time.Second}), nil)
				start := time.Now()
				err := c.use(t.Context(), db)
				wantCode(t, c.rule, err, c.code)
				if c.lost && time.Since(start) > time.Second {
					t.Errorf("%s: took %s, wanted one pause at most", c.rule, time.Since(start))
				}
				if got := errors.Is(err, dataknobs.ErrUnknownOutcome); got != c.lost {
					t.Errorf("%s: error %v: outcome unknown %v, wanted %v", c.rule, err, got, c.lost)
				}
				if c.n == 0 {
					return
				}
				if rec, err := dataknobs.New(d, nil).Get(t.Context(), "a"); err != nil || rec.Get("n").Int() != c.n {
					t.Errorf("%s: afterwards a is %v (%v), wanted n %d", c.rule, rec.Get("n"), err, c.n)
				}
			})
		})
	}
}

func TestRetryOfABatchRepeatsOnlyWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := store(t)
		log := &writes{Driver: d}
		db := dataknobs.New(layer.Retry(faulty(t, log, "apply nth=1 id=[bd] not_sent"), layer.RetryOptions{}), nil)
		var recs []*dataknobs.Record
		for _, id := range []string{"a", "b", "c", "d"} {
			recs = append(recs, record(id, 7))
		}
		if _, err := db.PutMany(t.Context(), recs); err != nil {
			t.Fatal(err)
		}
		if want := []string{"a", "c", "b", "d"}; !slices.Equal(log.ids, want) {
			t.Errorf("the writes that came: got %q, wanted %q", log.ids, want)
		}
	})
}

// writes notes the IDs of all writes.
type writes struct {
	dataknobs.Driver
	ids []string
}

func (w *writes) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	for i := range b.Writes {
		w.ids = append(w.ids, b.Writes[i].ID)
	}
	return w.Driver.Apply(ctx, b)
}

// Two writes of one record keep their order: the first is not made after the
// second.
func TestRetryOfABatchKeepsTheOrderOfWritesOfARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := store(t)
		first := &failing{Driver: d, first: true}
		db := dataknobs.New(layer.Retry(first, layer.RetryOptions{}), nil)
		_, err := db.PutMany(t.Context(), []*dataknobs.Record{record("a", 7), record("a", 8)})
		wantCode(t, "the first of two writes of a failed", err, dataknobs.Unavailable)
		if rec, err := db.Get(t.Context(), "a"); err != nil || rec.Get("n").Int() != 8 {
			t.Errorf("afterwards a is %v (%v), wanted what was written last, 8", rec.Get("n"), err)
		}
	})
}

// failing lets the first write of the first batch fail.
type failing struct {
	dataknobs.Driver
	first bool
}

func (f *failing) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	if !f.first {
		return f.Driver.Apply(ctx, b)
	}
	f.first = false
	rest := *b
	rest.Writes = b.Writes[1:]
	results, err := f.Driver.Apply(ctx, &rest)
	return append([]dataknobs.Result{{Err: dataknobs.ErrNotSent}}, results...), err
}

func TestRetryResumesAScanInAnOrder(t *testing.T) {
	byN := dataknobs.Order{Path: dataknobs.P("n")}
	down := byN
	down.Desc = true
	for _, c := range []struct {
		name string
		q    *dataknobs.Query
		code dataknobs.Code
		want []string
	}{
		{"in an order of the store's", &dataknobs.Query{OrderBy: []dataknobs.Order{byN}}, 0, []string{"a", "b", "c", "d"}},
		{"downwards", &dataknobs.Query{OrderBy: []dataknobs.Order{down}}, 0, []string{"d", "c", "b", "a"}},
		{"with a limit and an offset", &dataknobs.Query{OrderBy: []dataknobs.Order{byN}, Limit: new(3), Offset: 1}, 0, []string{"b", "c", "d"}},
		{"without an order", &dataknobs.Query{}, dataknobs.Unavailable, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := dataknobs.New(layer.Retry(faulty(t, store(t), "scan nth=1 cut=2"), layer.RetryOptions{}), nil)
				recs, err := db.All(t.Context(), c.q)
				wantCode(t, c.q.String(), err, c.code)
				if got := idsOf(recs); !slices.Equal(got, c.want) {
					t.Errorf("%s, cut after 2: got %q, wanted %q", c.q, got, c.want)
				}
			})
		})
	}
}

func TestRetryAsksForTheRestOfAGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := dataknobs.New(layer.Retry(faulty(t, store(t), "get nth=1 cut=2"), layer.RetryOptions{}), nil)
		recs, err := db.GetMany(t.Context(), []string{"d", "none", "b", "a"})
		if err != nil || recs[0] == nil || recs[1] != nil || recs[2] == nil || recs[3] == nil {
			t.Errorf("GetMany, cut after 2: got %v, error %v", recs, err)
		}
	})
}

func TestRetryIsBounded(t *testing.T) {
	for _, c := range []struct {
		name        string
		o           layer.RetryOptions
		rule        string
		least, most time.Duration
	}{
		{"by its pauses", layer.RetryOptions{Attempts: 4, Pause: time.Second, MaxPause: 2 * time.Second}, "get fail=unavailable", 0, 5 * time.Second},
		{"by the time", layer.RetryOptions{Attempts: 1000, Pause: time.Second, Time: 10 * time.Second}, "get fail=unavailable", 0, 10 * time.Second},
		{"by one attempt", layer.RetryOptions{Attempts: 1}, "get fail=unavailable", 0, 0},
		{"and waits as the server says", layer.RetryOptions{Attempts: 2, Pause: time.Millisecond}, "get fail=unavailable retry_after=30s", 30 * time.Second, 31 * time.Second},
		{"and does not wait longer than it may", layer.RetryOptions{Time: 10 * time.Second}, "get fail=unavailable retry_after=30s", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := dataknobs.New(layer.Retry(faulty(t, store(t), c.rule), c.o), nil)
				start := time.Now()
				_, err := db.Get(t.Context(), "a")
				wantCode(t, c.rule, err, dataknobs.Unavailable)
				if took := time.Since(start); took < c.least || took > c.most {
					t.Errorf("%+v: took %s, wanted %s to %s", c.o, took, c.least, c.most)
				}
			})
		})
	}
}

func TestRetryObeysTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		db := dataknobs.New(layer.Retry(faulty(t, store(t), "get fail=unavailable retry_after=5s"), layer.RetryOptions{}), nil)
		start := time.Now()
		_, err := db.Get(ctx, "a")
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, dataknobs.Unavailable) {
			t.Errorf("a read whose context ends: got %v, wanted the context's error with its reason", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %s, wanted 1s", took)
		}
	})
}
