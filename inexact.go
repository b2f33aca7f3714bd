package dataknobs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// ErrInexact is how a driver says, in the midst of its work, that the store
// cannot go on as the contract asks. Only two calls may end with it:
//
//   - a Scan with OrderBy, after any number of records that are right and in
//     their order: the engine goes on after the last of them and sorts here;
//   - Aggregate or Count, before any group: the engine computes here.
//
// A driver wraps it with what the reason is, which Explain shows:
//
//	dataknobs.Errorf(dataknobs.Unsupported, "%s is an object in a record: %w", path, dataknobs.ErrInexact)
//
// No caller of a DB ever sees it.
var ErrInexact = errors.New("the store cannot tell exactly")

// A sortedScan follows a scan that the store sorts: where it is, should the
// store not be able to go on.
type sortedScan struct {
	p    *plan
	got  int // records
	last Seek
}

// passed notes the record that is about to be handed on, after which it may be
// changed.
func (s *sortedScan) passed(rec *Record) {
	s.got++
	s.last.ID = rec.ID
	s.last.Keys = s.p.ordering.AppendKeysOf(s.last.Keys[:0], rec)
}

// goOn yields what the store would have yielded after the last record that
// came, had it not ended with ErrInexact: the rest is read and sorted here.
func (s *sortedScan) goOn(ctx context.Context, cause error) (iter.Seq2[*Record, error], error) {
	p, asked := s.p, &s.p.scan
	if err := p.takeOver("sort "+orderText(asked.OrderBy), fmt.Sprintf("after %d records", s.got), cause); err != nil {
		return nil, err
	}
	after, offset, limit := asked.After, asked.Offset, noLimit
	if asked.HasLimit {
		limit = asked.Limit - s.got
	}
	if s.got > 0 {
		after, offset = &s.last, 0
	}
	if limit <= 0 {
		return func(func(*Record, error) bool) {}, nil
	}
	seq := p.scannedBy(ctx, &Scan{
		Where: asked.Where, Paths: asked.Paths, NoRevision: asked.NoRevision, Workers: asked.Workers, Stats: asked.Stats,
	})
	if after != nil {
		seq = filter(seq, p.ordering.follows(after))
	}
	if p.seekHere != nil {
		seq = filter(seq, p.isAfter())
	}
	if p.match != nil {
		seq = filter(seq, p.match.Match)
	}
	skip, most := offset, limit
	if p.pageHere { // then the scan itself has no limit
		skip, most = p.offset, p.limit
	}
	if most <= topKMost && skip <= topKMost {
		seq = topK(ctx, seq, p.ordering, skip+most)
	} else {
		seq = sortAll(ctx, seq, p.ordering)
	}
	return page(seq, offset, limit), nil
}

// follows returns whether a record comes after a place.
func (o *Ordering) follows(place *Seek) func(*Record) bool {
	var keys []Value
	return func(r *Record) bool {
		keys = o.AppendKeysOf(keys[:0], r)
		return o.After(keys, r.ID, place)
	}
}

// takeOver notes that a part of the query that the store has begun is ended
// here. Where that may not be, it returns the error that says so.
func (p *plan) takeOver(part, since string, cause error) error {
	why := reasonOf(cause)
	if p.opts.strict {
		return Errorf(Unsupported, "the store leaves a part of the query to be done here, %s: %s", since, part).WithHint("%s", why)
	}
	p.taken = append(p.taken, Residual{Part: part, Text: since, Reason: why})
	return nil
}

// reasonOf is what a driver says beside ErrInexact.
func reasonOf(err error) string {
	var e *Error
	text := err.Error()
	if errors.As(err, &e) {
		text = e.what()
	}
	text = strings.TrimSuffix(text, ErrInexact.Error())
	if text = strings.TrimRight(text, ": "); text == "" {
		return ErrInexact.Error()
	}
	return text
}

// regroup computes here the groups that the store could not compute exactly.
func (p *plan) regroup(ctx context.Context, cause error) ([]Group, error) {
	if err := p.takeOver("group "+aggregationText(p.agg), "from the start", cause); err != nil {
		return nil, err
	}
	if err := p.planGroupScan(); err != nil {
		return nil, err
	}
	return p.computeHere(ctx)
}
