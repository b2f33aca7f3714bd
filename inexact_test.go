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

// A stopping store ends its sorted scans after some records, and begins its
// aggregations, with ErrInexact.
type stopping struct {
	*fake
	after int
	late  bool // the aggregation ends after a group
}

func (d *stopping) Scan(ctx context.Context, s *dk.Scan) iter.Seq2[*dk.Record, error] {
	return func(yield func(*dk.Record, error) bool) {
		n := 0
		for r, err := range d.fake.Scan(ctx, s) {
			if len(s.OrderBy) > 0 && n == d.after {
				yield(nil, dk.Errorf(dk.Unsupported, "a.b is an object in a record: %w", dk.ErrInexact))
				return
			}
			if n++; !yield(r, err) {
				return
			}
		}
		if len(s.OrderBy) == 0 && d.after < 0 {
			yield(nil, dk.ErrInexact)
		}
	}
}

func (d *stopping) Aggregate(context.Context, *dk.Aggregation) iter.Seq2[dk.Group, error] {
	return func(yield func(dk.Group, error) bool) {
		if !d.late || yield(dk.Group{Values: []dk.Value{dk.Int(1)}}, nil) {
			yield(dk.Group{}, dk.ErrInexact)
		}
	}
}

func (d *stopping) Count(context.Context, dk.Expr, *dk.ScanStats) (int64, error) {
	return 0, dk.ErrInexact
}

func newStopping(t *testing.T, after int) *stopping {
	exact := dk.Support{Fidelity: dk.Exact}
	f := dk.Features{
		Filter: func(*dk.Cond) dk.Support { return exact }, Sort: func([]dk.Order) dk.Support { return exact },
		Aggregate: func(*dk.Aggregation) dk.Support { return exact }, Limit: true, Seek: true, Project: true,
	}
	d := &stopping{fake: newFake(t, f), after: after}
	for i := range 20 {
		d.put(dk.NewRecord(fmt.Sprintf("%02d", i), dk.F("k", int64(i%7)), dk.F("n", int64(i))))
	}
	return d
}

// TestInexactSort: wherever a sorted scan stops, the answer is the same.
func TestInexactSort(t *testing.T) {
	for _, text := range []string{
		"order by k", "order by k desc, n desc", "n > 3 order by k", "order by k limit 5", "order by k limit 5 offset 3", "order by k offset 18", "order by k limit 0",
		"select n order by k", "select n as x where n < 15 order by k desc limit 4 offset 2", "select _id order by _id desc",
	} {
		q, err := dk.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		ask := func(after int) []string {
			var got []string
			for r, err := range dk.New(newStopping(t, after), nil).Run(t.Context(), q) {
				if err != nil {
					t.Fatalf("%s, stopping after %d: %v", text, after, err)
				}
				got = append(got, fmt.Sprint(r.ID, r.Fields))
				r.Fields = nil // the record is the caller's own
			}
			return got
		}
		want := ask(1000)
		for after := range 21 {
			if got := ask(after); !slices.Equal(got, want) {
				t.Errorf("%s, stopping after %d:\n got    %v\n wanted %v", text, after, got, want)
			}
		}
	}
}

func TestInexactPages(t *testing.T) {
	for after := range 6 {
		db := dk.New(newStopping(t, after), nil)
		var got []string
		q := dk.Query{OrderBy: []dk.Order{{Path: dk.P("k"), Desc: true}}, Limit: new(4), Offset: 1}
		for pages := 0; pages == 0 || q.After != ""; pages++ {
			page, err := db.Page(t.Context(), &q)
			if err != nil || pages > 10 {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				got = append(got, r.ID)
			}
			q.After = page.Next
		}
		if want := strings.Fields("13 05 12 19 04 11 18 03 10 17 02 09 16 01 08 15 00 07 14"); !slices.Equal(got, want) {
			t.Errorf("stopping after %d: got %v, wanted %v", after, got, want)
		}
	}
}

func TestInexactGroups(t *testing.T) {
	db := dk.New(newStopping(t, 0), nil)
	if n, err := db.Count(t.Context(), nil); n != 20 || err != nil {
		t.Errorf("Count: %d, %v", n, err)
	}
	var got []string
	for r, err := range db.Query(t.Context(), "select k, sum(n) where n < 10 group by k having sum(n) > 5") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.Fields.Value("k"), r.Fields.Value("sum(n)")))
	}
	if want := []string{"0 7", "1 9", "2 11", "6 6"}; !slices.Equal(got, want) {
		t.Errorf("got %v, wanted %v", got, want)
	}
}

func TestInexactExplained(t *testing.T) {
	db := dk.New(newStopping(t, 3), nil)
	for text, want := range map[string]string{
		"order by k":          "sort k: done here after 3 records, because a.b is an object in a record\n",
		"select max(n)":       "group max(n): done here from the start, because the store cannot tell exactly\n",
		"order by k limit 2":  "",
		"n > 3 order by k, n": "sort k, n: done here after 3 records, because a.b is an object in a record\n",
	} {
		q, err := dk.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := db.Explain(t.Context(), q, dk.ExplainOptions{Analyze: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, after, _ := strings.Cut(p.String(), "returned, in "); !strings.HasSuffix(after, "\n"+want) || want == "" && strings.Contains(after, "done here") {
			t.Errorf("%s: got\n%s\nwanted at the end\n%s", text, p, want)
		}
	}
}

func TestInexactRefused(t *testing.T) {
	strict := []dk.RunOption{dk.StrictPushdown()}
	run := func(after int, late bool, text string, opts ...dk.RunOption) error {
		d := newStopping(t, after)
		d.late = late
		q, err := dk.Parse(text)
		if err == nil {
			_, err = dk.New(d, nil).All(t.Context(), q, opts...)
		}
		return err
	}
	for name, c := range map[string]struct {
		err  error
		code dk.Code
	}{
		"a sort that must be the store's":         {run(3, false, "order by k", strict...), dk.Unsupported},
		"an aggregate that must be the store's":   {run(3, false, "select max(n)", strict...), dk.Unsupported},
		"a scan without an order":                 {run(-1, false, ""), dk.Internal},
		"an aggregation that has begun":           {run(3, true, "select max(n)"), dk.Internal},
		"a strict sort that the store does whole": {run(30, false, "order by k", strict...), 0},
	} {
		if dk.CodeOf(c.err) != c.code {
			t.Errorf("%s: got %v, wanted code %v", name, c.err, c.code)
		}
	}
	if err := run(-1, false, ""); errors.Is(err, dk.ErrInexact) && dk.CodeOf(err) != dk.Internal {
		t.Error(err)
	}
}
