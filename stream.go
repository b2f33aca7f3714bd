package dataknobs

import (
	"context"
	"errors"
	"iter"
)

// Query parses a text, binds its parameters (? and :name, see [Parse]) and
// runs it. An error of the text comes out of the sequence.
//
//	for rec, err := range db.Query(ctx, "age > ? order by name limit 10", 30) {
func (db *DB) Query(ctx context.Context, text string, args ...any) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		q, err := Parse(text, args...)
		if err != nil {
			yield(nil, db.fail("query", "", err))
			return
		}
		db.Run(ctx, q)(yield)
	}
}

// Run runs a query. Its results stream: leaving the loop stops the work and
// frees what it holds. An error comes last. Ranging again runs the query again.
// A grouped query yields a record for each group, without an ID, its fields
// named as the columns are.
func (db *DB) Run(ctx context.Context, q *Query, opts ...RunOption) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		p, err := db.plan(ctx, q, opts)
		if err == nil {
			p.warn(ctx)
			err = p.run(ctx, yield)
		}
		if err != nil {
			yield(nil, db.fail("query", "", err))
		}
	}
}

// All returns everything that a query yields.
func (db *DB) All(ctx context.Context, q *Query, opts ...RunOption) ([]*Record, error) {
	var all []*Record
	for rec, err := range db.Run(ctx, q, opts...) {
		if err != nil {
			return nil, err
		}
		all = append(all, rec)
	}
	return all, nil
}

// First returns the first record that a query yields, or NotFound.
func (db *DB) First(ctx context.Context, q *Query, opts ...RunOption) (*Record, error) {
	one := Query{}
	if q != nil {
		one = *q
	}
	if one.Limit == nil || *one.Limit > 1 {
		limit := 1
		one.Limit = &limit
	}
	for rec, err := range db.Run(ctx, &one, opts...) {
		return rec, err
	}
	return nil, db.fail("query", "", Errorf(NotFound, "no record matches"))
}

// Count returns how many records a condition selects; nil selects all.
func (db *DB) Count(ctx context.Context, where Expr, opts ...RunOption) (int64, error) {
	p, err := db.plan(ctx, &Query{Select: []Column{{Agg: CountAll}}, Where: where}, opts)
	if err != nil {
		return 0, db.fail("count", "", err)
	}
	p.warn(ctx)
	n, err := p.count(ctx)
	return n, db.fail("count", "", err)
}

// Aggregate computes columns over the records that where selects (nil: all):
// one result for each group of equal values at the paths of by, or a single
// one where by is empty. A result's fields are the group's values and then the
// columns, such as Column{Agg: Avg, Path: P("dep_delay"), As: "delay"}. Groups
// come in the order of their values. It is [DB.Run] of the query that says so.
func (db *DB) Aggregate(ctx context.Context, where Expr, by []Path, cols ...Column) iter.Seq2[*Record, error] {
	q := &Query{Where: where, GroupBy: by}
	for _, p := range by {
		q.Select = append(q.Select, Column{Path: p})
	}
	q.Select = append(q.Select, cols...)
	return db.Run(ctx, q)
}

// run yields the results of the plan. The error is one that has not been
// yielded; nil also when the caller left the loop.
func (p *plan) run(ctx context.Context, yield func(*Record, error) bool) error {
	if p.q.Grouped() {
		return p.runGroups(ctx, yield)
	}
	if p.none {
		return ctx.Err()
	}
	finish, err := p.finisher()
	if err != nil {
		return err
	}
	for rec, err := range p.rows(ctx) {
		if err != nil {
			return err
		}
		if !yield(finish(rec), nil) {
			return nil
		}
	}
	return nil
}

// finisher returns what makes a row the caller's own record, projected.
func (p *plan) finisher() (func(*Record) *Record, error) {
	if len(p.q.Select) == 0 {
		return p.db.own, nil
	}
	pr, err := NewProjection(p.q.Select)
	if err != nil {
		return nil, err
	}
	return pr.Apply, nil
}

// rows yields the driver's records that belong to the result, in its order,
// not yet projected and maybe shared.
func (p *plan) rows(ctx context.Context) iter.Seq2[*Record, error] {
	seq := p.scanned(ctx)
	if p.match != nil {
		seq = filter(seq, p.match.Match)
	}
	if p.seekHere != nil {
		seq = filter(seq, p.isAfter())
	}
	if p.sortHere {
		seq = p.sorted(ctx, seq)
	}
	if p.pageHere {
		seq = page(seq, p.offset, p.limit)
	}
	return seq
}

// scanned yields what the driver lets through, and stops soon after ctx is
// done, whatever the driver does. Each ranging scans anew. Where the driver
// cannot go on in the order asked for, the rest is sorted here.
func (p *plan) scanned(ctx context.Context) iter.Seq2[*Record, error] {
	s := p.scan
	if len(s.OrderBy) == 0 {
		return p.scannedBy(ctx, &s)
	}
	return func(yield func(*Record, error) bool) {
		var inexact error
		at := sortedScan{p: p}
		for rec, err := range p.scannedBy(ctx, &s) {
			if errors.Is(err, ErrInexact) {
				inexact = err
				break
			}
			if err == nil {
				at.passed(rec)
			}
			if !yield(rec, err) {
				return
			}
		}
		if inexact == nil {
			return
		}
		rest, err := at.goOn(ctx, inexact)
		if err != nil {
			yield(nil, err)
			return
		}
		rest(yield)
	}
}

func (p *plan) scannedBy(ctx context.Context, s *Scan) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		n := 0
		for rec, err := range p.db.scan(ctx, s) {
			if n++; err == nil && n%checkEvery == 0 {
				err = ctx.Err()
			}
			if errors.Is(err, ErrInexact) && len(s.OrderBy) == 0 {
				err = Errorf(Internal, "the driver cannot go on with a scan that has no order: %w", err)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			p.fetch(1)
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// checkEvery is after how many records a loop asks whether it was cancelled.
const checkEvery = 256

// filter yields the records that keep lets through.
func filter(seq iter.Seq2[*Record, error], keep func(*Record) bool) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for rec, err := range seq {
			if err != nil {
				yield(nil, err)
				return
			}
			if keep(rec) && !yield(rec, nil) {
				return
			}
		}
	}
}

// isAfter returns whether a record comes after the cursor's place.
func (p *plan) isAfter() func(*Record) bool {
	place := p.seekHere
	if p.natural {
		return func(r *Record) bool { return r.Position() > place.Position }
	}
	return p.ordering.follows(place)
}

// page leaves out the first records and stops after the last one wanted,
// without asking for another.
func page(seq iter.Seq2[*Record, error], offset, limit int) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		n := 0
		for rec, err := range seq {
			if err != nil {
				yield(nil, err)
				return
			}
			if n++; n <= offset {
				continue
			}
			if !yield(rec, nil) || n-offset >= limit {
				return
			}
		}
	}
}

// topKMost is how many records a sort with a limit keeps in memory; beyond it
// the sort is one that can spill.
const topKMost = 100_000

// sorted yields the records in the plan's order.
func (p *plan) sorted(ctx context.Context, seq iter.Seq2[*Record, error]) iter.Seq2[*Record, error] {
	if p.pageHere && p.limit <= topKMost && p.offset <= topKMost {
		return topK(ctx, seq, p.ordering, p.offset+p.limit)
	}
	return sortAll(ctx, seq, p.ordering)
}

func topK(ctx context.Context, seq iter.Seq2[*Record, error], o *Ordering, n int) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		top := NewTopK[*Record](o, n)
		var keys []Value
		for rec, err := range seq {
			if err != nil {
				yield(nil, err)
				return
			}
			keys = o.AppendKeysOf(keys[:0], rec)
			top.Push(keys, rec.ID, rec)
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		for _, rec := range top.Sorted() {
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// sortAll sorts any number of records, on disk where they are many.
func sortAll(ctx context.Context, seq iter.Seq2[*Record, error], o *Ordering) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		s := NewSorter(o)
		defer s.Close()
		for rec, err := range seq {
			if err == nil {
				err = s.Add(ctx, rec)
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
		s.All(ctx)(yield)
	}
}
