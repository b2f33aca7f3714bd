package dataknobs

import "context"

// DefaultPageSize is how many records Page returns for a query without a limit.
const DefaultPageSize = 100

// A Page is a part of a query's result.
type Page struct {
	Records []*Record
	// Next continues after the last record: set it as the query's After to get
	// the next page. "" where the end was reached. Where the last page is exactly
	// full that is not known yet, and one more page, an empty one, follows.
	Next string
}

// Page returns the first page of a query's result, or the one that its After
// continues with: as many records as its limit says, or DefaultPageSize. The
// offset counts on the first page only. Between two pages the query must stay
// the same but for its limit, else InvalidArgument. What was written meanwhile
// shows in later pages where it sorts after the cursor; no record is shown
// twice or left out because of it. Grouped queries have no pages: Unsupported.
func (db *DB) Page(ctx context.Context, q *Query) (*Page, error) {
	page, err := db.page(ctx, q)
	if err != nil {
		return nil, db.fail("query", "", err)
	}
	return page, nil
}

func (db *DB) page(ctx context.Context, q *Query) (*Page, error) {
	one := Query{}
	if q != nil {
		one = *q
	}
	if one.Grouped() {
		return nil, Errorf(Unsupported, "a grouped query has no pages").WithHint("page with LIMIT and OFFSET")
	}
	if one.Limit == nil {
		size := DefaultPageSize
		one.Limit = &size
	}
	p, err := db.plan(ctx, &one, []RunOption{func(o *runOptions) { o.keys = true }})
	if err != nil {
		return nil, err
	}
	p.warn(ctx)
	return p.page(ctx)
}

func (p *plan) page(ctx context.Context) (*Page, error) {
	out := &Page{}
	if p.none {
		if p.q.Limit != nil && *p.q.Limit == 0 {
			out.Next = p.asked.After // nothing was passed
		}
		return out, ctx.Err()
	}
	finish, err := p.finisher()
	if err != nil {
		return nil, err
	}
	// The epoch is asked for first: a position is never of an older epoch than
	// the token says.
	epoch, err := p.db.epoch(ctx)
	if err != nil {
		return nil, err
	}
	var last *Seek
	for rec, err := range p.rows(ctx) {
		if err != nil {
			return nil, err
		}
		if out.Records = append(out.Records, finish(rec)); len(out.Records) == *p.q.Limit {
			last = p.placeOf(rec)
		}
	}
	if last != nil {
		out.Next, err = encodeCursor(p.asked, last, epoch)
	}
	return out, err
}

// placeOf returns the record's place in the order of the result.
func (p *plan) placeOf(rec *Record) *Seek {
	place := &Seek{ID: rec.ID}
	if p.natural {
		place.Position = rec.Position()
	}
	if len(p.q.OrderBy) > 0 {
		place.Keys = p.ordering.KeysOf(rec)
	}
	return place
}
