package s3

import (
	"context"
	"iter"
	"slices"

	"dataknobs.dev/dataknobs"
)

// read reads the record of that ID; nil if there is none. The error is
// errForeign where something else stands in its place.
func (d *Driver) read(ctx context.Context, m *meter, id, key string) (*dataknobs.Record, *fetched, error) {
	known := d.bodies.get(id, "")
	have := ""
	if known != nil {
		have = known.Revision
	}
	f, err := d.fetch(ctx, m, key, have)
	if err == errAbsent {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if f.same {
		return known, f, nil
	}
	rec, err := decode(id, key, f.body, f.meta)
	if err == errForeign {
		d.foreign.add(id, f.etag)
	}
	if err != nil || rec == nil {
		return nil, f, err
	}
	rec.Revision = f.etag
	d.bodies.put(rec, len(f.body))
	return rec, f, nil
}

// GetOne implements dataknobs.Getter.
func (d *Driver) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	key, err := d.key(id)
	if err != nil {
		return nil, d.tooLong(ctx)
	}
	rec, _, err := d.read(ctx, nil, id, key)
	if err == errForeign {
		d.warnForeign(key)
		return nil, nil
	}
	return rec, err
}

// tooLong is what asking for an ID that no object can have comes to: nothing.
func (d *Driver) tooLong(ctx context.Context) error {
	if d.closed.Load() {
		return errClosed
	}
	return ctx.Err()
}

// Get implements dataknobs.Driver.
func (d *Driver) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	entries := make([]entry, len(ids))
	for i, id := range ids {
		entries[i] = entry{id: id, size: -1}
	}
	q := &search{d: d, m: &meter{}, whole: true}
	return q.run(ctx, func(yield func([]entry, error) bool) {
		for part := range slices.Chunk(entries, pageSize) {
			if !yield(part, nil) {
				return
			}
		}
	})
}

// Scan implements dataknobs.Driver.
func (d *Driver) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		q, err := d.search(s)
		if err != nil {
			yield(nil, err)
			return
		}
		for rec, err := range q.run(ctx, q.entries(ctx)) {
			if !yield(rec, err) {
				return
			}
		}
	}
}

// Count implements dataknobs.Counter: it only lists.
func (d *Driver) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	q, err := d.search(&dataknobs.Scan{Where: where, Paths: []dataknobs.Path{}, Stats: stats})
	if err != nil {
		return 0, err
	}
	var n int64
	if slices.ContainsFunc(q.spans, span.point) { // looked up, many at once
		for _, err := range q.run(ctx, q.entries(ctx)) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	for page, err := range q.entries(ctx) {
		if err != nil {
			return n, err
		}
		for _, e := range page {
			there, err := q.there(ctx, &e)
			if err != nil {
				return n, err
			}
			if there {
				n++
			}
		}
	}
	return n, d.tooLong(ctx)
}

// A search is one scan under way.
type search struct {
	d     *Driver
	m     *meter
	s     dataknobs.Scan
	where *dataknobs.Matcher
	spans []span
	whole bool // bodies are wanted
}

func (d *Driver) search(s *dataknobs.Scan) (*search, error) {
	where, err := dataknobs.Compile(s.Where)
	if err != nil {
		return nil, err
	}
	q := &search{d: d, s: *s, where: where, spans: spansOf(s.Where, s.After), whole: s.Paths == nil || len(s.Paths) > 0}
	q.m = &meter{stats: s.Stats, maxRequests: d.o.MaxRequests, maxBytes: d.o.MaxBytes}
	return q, nil
}

// wanted is how many records will be looked at at most; -1: all.
func (q *search) wanted() int {
	if !q.s.HasLimit {
		return -1
	}
	return q.s.Limit + q.s.Offset
}

// entries yields what can be in the answer, by rising IDs where that is asked for.
func (q *search) entries(ctx context.Context) iter.Seq2[[]entry, error] {
	return func(yield func([]entry, error) bool) {
		if q.d.closed.Load() {
			yield(nil, errClosed)
			return
		}
		var points []entry
		flush := func() bool {
			if len(points) == 0 {
				return true
			}
			part := points
			points = nil
			return yield(part, nil)
		}
		for _, sp := range q.spans {
			if sp.point() {
				if points = append(points, entry{id: sp.lo, size: -1}); len(points) == pageSize && !flush() {
					return
				}
				continue
			}
			if !flush() {
				return
			}
			for page, err := range q.list(ctx, sp) {
				if err != nil {
					yield(nil, err)
					return
				}
				if page = q.sift(page); len(page) > 0 && !yield(page, nil) {
					return
				}
			}
		}
		flush()
	}
}

// list yields the entries of one span, from memory where that is fresh enough.
func (q *search) list(ctx context.Context, sp span) iter.Seq2[[]entry, error] {
	d := q.d
	if snap, ok := d.index.fresh(d.o.IndexTTL); ok {
		return snap.pages(sp)
	}
	p := &pager{d: d, m: q.m, span: sp, first: pageSize, ordered: len(q.s.OrderBy) > 0}
	if n := q.wanted(); n >= 0 && n < pageSize {
		p.first = n + 1
	}
	if sp != (span{}) {
		return p.pages(ctx)
	}
	return func(yield func([]entry, error) bool) {
		l := d.index.list()
		for page, err := range p.pages(ctx) {
			if err == nil {
				l.add(page)
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
		l.install()
	}
}

// pages yields the entries of a span.
func (s *snapshot) pages(sp span) iter.Seq2[[]entry, error] {
	return func(yield func([]entry, error) bool) {
		from, _ := slices.BinarySearchFunc(s.entries, sp.lo, func(e entry, lo string) int {
			if e.id < lo || sp.loOpen && e.id == lo {
				return -1
			}
			return 1
		})
		for page := range slices.Chunk(s.entries[from:], pageSize) {
			end := len(page)
			for end > 0 && sp.past(page[end-1].id) {
				end--
			}
			if end > 0 && !yield(slices.Clone(page[:end]), nil) || end < len(page) {
				return
			}
		}
	}
}

// sift leaves out what is known to be no record, and what the condition, on IDs
// and revisions, is not true of.
func (q *search) sift(page []entry) []entry {
	if q.s.Stats != nil {
		q.s.Stats.Records.Add(int64(len(page)))
	}
	page = q.d.foreign.sift(page)
	if q.s.Where == nil {
		return page
	}
	return slices.DeleteFunc(page, func(e entry) bool { return !q.match(e.id, e.etag) })
}

func (q *search) match(id, etag string) bool {
	return q.where.Match(&dataknobs.Record{ID: id, Revision: etag})
}

// there reports whether an entry is of a record, and completes it.
func (q *search) there(ctx context.Context, e *entry) (bool, error) {
	if e.size >= 0 && e.size != tombstoneSize {
		return true, nil
	}
	key, err := q.d.key(e.id)
	if err != nil {
		return false, nil //nolint:nilerr // there can be no such object
	}
	s, err := q.d.head(ctx, q.m, key)
	if err != nil || s == nil || s.dead() {
		return false, err
	}
	if !s.mark.ok && s.size == tombstoneSize {
		rec, _, err := q.d.read(ctx, q.m, e.id, key)
		return rec != nil, err
	}
	e.etag, e.size = s.etag, s.size
	return q.match(e.id, e.etag), nil
}
