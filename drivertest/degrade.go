package drivertest

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"slices"

	"dataknobs.dev/dataknobs"
)

// Degrade wraps a driver in one that can do less, as its seed decides: for
// each operator and path not at all, roughly or exactly; some orders or none;
// with or without limits, cursors, projections, aggregation, an order of its
// own; in small batches. What it says it does roughly it does as badly as that
// allows, and some sorted scans, aggregations and counts end on the way with
// ErrInexact. It refuses, with Internal, a scan that asks for more than its
// Features say, so that with the differential test it proves the planner.
//
// Of d only Get, Apply and a Scan of everything are used.
func Degrade(d dataknobs.Driver, seed uint64) dataknobs.Driver {
	r := rand.New(rand.NewPCG(seed, 7))
	w := &degraded{d: d, seed: seed}
	w.f = *d.Features()
	w.none, w.rough = r.IntN(100), r.IntN(100)
	w.f.Filter = w.filter
	w.f.Limit, w.f.Seek, w.f.Project = r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
	w.f.Sort, w.f.Aggregate = nil, nil
	if r.IntN(3) > 0 {
		w.f.Sort = w.sort
	}
	if w.f.Limit {
		w.f.SortLimit = []int{0, 6}[r.IntN(2)]
	}
	if r.IntN(2) == 0 {
		w.f.Aggregate = w.aggregation
	}
	w.f.NaturalOrder = w.f.NaturalOrder && r.IntN(2) == 0
	w.f.Atomic = w.f.Atomic && r.IntN(2) == 0
	w.f.Parallel = !w.f.NaturalOrder && r.IntN(2) == 0 // an order of its own needs one writer
	w.f.MaxBatch = []int{0, 1, 7}[r.IntN(3)]
	counts := r.IntN(2) == 0
	w.stops = []int{0, 40, 100}[r.IntN(3)]
	if counts {
		return &degradedCounter{w}
	}
	return w
}

type degraded struct {
	d           dataknobs.Driver
	f           dataknobs.Features
	seed        uint64
	none, rough int // percent of conditions
	stops       int // percent of sorted scans and aggregations that end with ErrInexact
}

// String is the store's name.
func (w *degraded) String() string { return fmt.Sprintf("degraded %d", w.seed) }

// roll returns 0 to 99, the same for the same things.
func (w *degraded) roll(things ...any) int {
	h := fnv.New64a()
	fmt.Fprint(h, w.seed, things)
	return int(h.Sum64() >> 33 % 100)
}

func (w *degraded) filter(c *dataknobs.Cond) dataknobs.Support {
	if s := dataknobs.CanCompile(c); s.Fidelity == dataknobs.None {
		return s
	}
	switch n := w.roll(c.Op, c.Path); {
	case n < w.none:
		return dataknobs.Support{Reason: "the dice say no"}
	case n < w.none+w.rough:
		return dataknobs.Support{Fidelity: dataknobs.Rough, Reason: "the dice say roughly"}
	}
	return dataknobs.Support{Fidelity: dataknobs.Exact}
}

func (w *degraded) sort(os []dataknobs.Order) dataknobs.Support {
	f := dataknobs.Fidelity(w.roll(os) % 3)
	return dataknobs.Support{Fidelity: f, Reason: "the dice say " + f.String()}
}

func (w *degraded) aggregation(a *dataknobs.Aggregation) dataknobs.Support {
	f := dataknobs.Fidelity(w.roll(a.GroupBy, a.Columns) % 3)
	return dataknobs.Support{Fidelity: f, Reason: "the dice say " + f.String()}
}

func (w *degraded) Features() *dataknobs.Features { return &w.f }

func (w *degraded) Close() error { return w.d.Close() }

func (w *degraded) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return w.d.Get(ctx, ids)
}

func (w *degraded) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	if w.f.MaxBatch > 0 && len(b.Writes) > w.f.MaxBatch && !b.Atomic {
		return nil, dataknobs.Errorf(dataknobs.Internal, "a batch of %d writes; the limit is %d", len(b.Writes), w.f.MaxBatch)
	}
	if b.Atomic && !w.f.Atomic {
		return nil, dataknobs.Errorf(dataknobs.Internal, "an atomic batch, which this store does not have")
	}
	return w.d.Apply(ctx, b)
}

// refuse returns an error for what the Features do not cover.
func (w *degraded) refuse(s *dataknobs.Scan) error {
	why := ""
	switch {
	case len(s.OrderBy) > 0 && (w.f.Sort == nil || w.sort(s.OrderBy).Fidelity != dataknobs.Exact):
		why = fmt.Sprint("the order ", s.OrderBy)
	case len(s.OrderBy) > 0 && w.f.SortLimit > 0 && !(s.HasLimit && s.Offset+s.Limit <= w.f.SortLimit):
		why = "more sorted records than it keeps"
	case (s.HasLimit || s.Limit != 0 || s.Offset != 0) && !w.f.Limit:
		why = "a limit or an offset"
	case s.After != nil && !w.f.Seek:
		why = "a place to continue after"
	case s.After != nil && len(s.OrderBy) == 0 && !w.f.NaturalOrder:
		why = "a place in an order that it does not have"
	case s.Paths != nil && !w.f.Project:
		why = "a projection"
	case (s.HasLimit || s.Offset != 0) && !w.exact(s.Where):
		why = "a limit after a rough condition"
	case !w.covers(s.Where):
		why = "a condition that it cannot do"
	}
	if why == "" {
		return nil
	}
	return dataknobs.Errorf(dataknobs.Internal, "the scan asks for %s", why)
}

// covers reports whether e holds nothing but what the driver says it can do.
func (w *degraded) covers(e dataknobs.Expr) bool {
	return dataknobs.Conds(e, func(c *dataknobs.Cond) bool { return w.filter(c).Fidelity != dataknobs.None }) && !hasNot(e)
}

func (w *degraded) exact(e dataknobs.Expr) bool {
	return dataknobs.Conds(e, func(c *dataknobs.Cond) bool { return w.filter(c).Fidelity == dataknobs.Exact })
}

func hasNot(e dataknobs.Expr) bool {
	switch e := e.(type) {
	case dataknobs.Not:
		return true
	case dataknobs.And:
		return slices.ContainsFunc(e, hasNot)
	case dataknobs.Or:
		return slices.ContainsFunc(e, hasNot)
	}
	return false
}

// lets returns a test of whether a record passes e, rough conditions letting a
// part of the others through.
func (w *degraded) lets(e dataknobs.Expr) func(*dataknobs.Record) bool {
	rough := map[*dataknobs.Cond]bool{}
	dataknobs.Conds(e, func(c *dataknobs.Cond) bool {
		rough[c] = w.filter(c).Fidelity == dataknobs.Rough
		return true
	})
	return func(r *dataknobs.Record) bool {
		return evaluateConds(e, func(c *dataknobs.Cond) truth {
			if rough[c] && w.dice(r.ID) < 50 {
				return isTrue
			}
			return condition(c, lookup(r, c.Path))
		}) == isTrue
	}
}

// dice is a roll for a record.
func (w *degraded) dice(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return (h.Sum64() ^ w.seed) * 0x9e3779b97f4a7c15 >> 40 % 100
}

// all returns the records that pass where, in the driver's order.
func (w *degraded) all(ctx context.Context, where dataknobs.Expr) ([]*dataknobs.Record, error) {
	var recs []*dataknobs.Record
	lets := w.lets(where)
	for r, err := range w.d.Scan(ctx, &dataknobs.Scan{}) {
		if err != nil {
			return nil, err
		}
		if lets(r) {
			recs = append(recs, r)
		}
	}
	if !w.f.NaturalOrder {
		slices.SortFunc(recs, func(a, b *dataknobs.Record) int { return cmp.Compare(w.dice(a.ID), w.dice(b.ID)) })
	}
	return recs, nil
}

func (w *degraded) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		err := w.refuse(s)
		var recs []*dataknobs.Record
		if err == nil {
			recs, err = w.all(ctx, s.Where)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		recs = w.page(s, recs)
		last := w.lastBeforeStop(s, len(recs))
		for i, r := range recs {
			if i == last {
				yield(nil, inexact("record %d", i))
				return
			}
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(w.cut(s, r), nil) {
				return
			}
		}
		if last == len(recs) {
			yield(nil, inexact("the end"))
		}
	}
}

func inexact(format string, args ...any) error {
	return dataknobs.Errorf(dataknobs.Unsupported, "the dice stop at %s: %w", fmt.Sprintf(format, args...), dataknobs.ErrInexact)
}

// lastBeforeStop is after how many of n records the scan ends with ErrInexact;
// -1: it does not.
func (w *degraded) lastBeforeStop(s *dataknobs.Scan, n int) int {
	if len(s.OrderBy) == 0 || w.roll("stop", s.OrderBy, s.Limit, s.Offset, n) >= w.stops {
		return -1
	}
	return w.roll("where", s.OrderBy, s.Limit, s.Offset, n) % (n + 1)
}

// page orders recs and leaves out what the scan does not ask for.
func (w *degraded) page(s *dataknobs.Scan, recs []*dataknobs.Record) []*dataknobs.Record {
	if len(s.OrderBy) > 0 {
		recs = modelSort(s.OrderBy, recs)
	}
	if s.After != nil {
		recs = slices.DeleteFunc(recs, func(r *dataknobs.Record) bool { return !isAfter(s, r) })
	}
	q := &dataknobs.Query{Offset: s.Offset}
	if s.HasLimit {
		q.Limit = &s.Limit
	}
	return modelPage(q, recs)
}

func isAfter(s *dataknobs.Scan, r *dataknobs.Record) bool {
	if len(s.OrderBy) == 0 {
		return r.Position() > s.After.Position
	}
	var keys []dataknobs.Value
	for _, o := range s.OrderBy {
		keys = append(keys, lookup(r, o.Path))
	}
	return cmp.Or(orderKeys(s.OrderBy, keys, s.After.Keys), cmp.Compare(r.ID, s.After.ID)) > 0
}

// cut returns what is left of r by what nobody will look at, and without a
// position where there is no order.
func (w *degraded) cut(s *dataknobs.Scan, r *dataknobs.Record) *dataknobs.Record {
	r = r.Clone()
	if !w.f.NaturalOrder {
		r.SetPosition(0)
	}
	if s.NoID {
		r.ID = ""
	}
	if s.NoRevision {
		r.Revision = ""
	}
	if s.Paths == nil {
		return r
	}
	matters := func(name string) bool {
		return slices.ContainsFunc(s.Paths, func(p dataknobs.Path) bool { return p[0].Name == name })
	}
	r.Fields = slices.DeleteFunc(r.Fields, func(f dataknobs.Field) bool { return !matters(f.Name) })
	if !matters("_meta") {
		r.Metadata = nil
	}
	return r
}

// Aggregate is only called for what the dice allow.
func (w *degraded) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return func(yield func(dataknobs.Group, error) bool) {
		var recs []*dataknobs.Record
		var err error
		if w.f.Aggregate == nil || w.aggregation(a).Fidelity != dataknobs.Exact || !w.exact(a.Where) || hasNot(a.Where) {
			err = dataknobs.Errorf(dataknobs.Internal, "an aggregation that this store cannot do: %+v", a)
		} else {
			recs, err = w.all(ctx, a.Where)
		}
		if err == nil && w.roll("stop", a.GroupBy, a.Columns, len(recs)) < w.stops {
			err = inexact("the groups")
		}
		if err != nil {
			yield(dataknobs.Group{}, err)
			return
		}
		groups := groupsOf(a.GroupBy, recs)
		slices.Reverse(groups)
		for _, g := range groups {
			out := dataknobs.Group{Keys: g.keys}
			for _, c := range a.Columns {
				v, err := aggregate(c.Agg, c.Path, g.members)
				if err != nil {
					yield(dataknobs.Group{}, err)
					return
				}
				out.Values = append(out.Values, v)
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

// A degradedCounter counts, too.
type degradedCounter struct{ *degraded }

// Count is only called with an exact condition.
func (w *degradedCounter) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	if !w.exact(where) || hasNot(where) {
		return 0, dataknobs.Errorf(dataknobs.Internal, "a count that this store cannot do")
	}
	recs, err := w.all(ctx, where)
	if err == nil && w.roll("stop", len(recs)) < w.stops/2 {
		err = inexact("the count")
	}
	return int64(len(recs)), err
}
