package elasticsearch

import (
	"context"
	"iter"

	"dataknobs.dev/dataknobs"
)

// Bounds of the pages that a scan asks for.
const (
	firstPage = 500     // hits, before anything is known of their size
	maxPage   = 10_000  // hits: index.max_result_window
	pageBytes = 4 << 20 // about, once the size of hits is known
	maxSlices = 4
)

// Scan implements dataknobs.Driver. A scan that fits into one page is one
// search; others open a view of the index (a point in time), which is closed
// when the scan ends, and page through it by search_after.
func (d *Driver) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		if err := d.scan(ctx, s, yield); err != nil {
			yield(nil, err)
		}
	}
}

// errStop ends a scan whose caller left the loop.
var errStop = dataknobs.Errorf(dataknobs.Internal, "the caller left the loop")

func (d *Driver) scan(ctx context.Context, s *dataknobs.Scan, yield func(*dataknobs.Record, error) bool) error {
	m, err := d.forReading(ctx)
	if m == nil || err != nil {
		return err
	}
	q, err := d.newSearch(ctx, m, s)
	if err != nil {
		return err
	}
	err = q.run(ctx, yield)
	if err == errStop {
		return nil
	}
	return err
}

// forReading returns the mapping after making this handle's earlier writes
// visible; nil for an empty store without an index.
func (d *Driver) forReading(ctx context.Context) (*mapping, error) {
	m, err := d.mapping(ctx)
	if m == nil || err != nil {
		return nil, err
	}
	return m, d.freshen(ctx)
}

// run yields the records. The error is one that was not yielded.
func (q *search) run(ctx context.Context, yield func(*dataknobs.Record, error) bool) error {
	s := q.s
	if s.HasLimit && s.Limit == 0 {
		return ctx.Err()
	}
	size := firstPage
	if s.HasLimit && s.Limit <= 2*firstPage {
		size = s.Limit
	}
	if s.Offset <= maxPage-size {
		done, err := q.onePage(ctx, size, yield)
		if done || err != nil {
			return err
		}
	}
	return q.allPages(ctx, yield)
}

// onePage tries whether everything fits into the first page; then it yields it.
func (q *search) onePage(ctx context.Context, size int, yield func(*dataknobs.Record, error) bool) (bool, error) {
	body := q.page(size)
	if q.s.Offset > 0 {
		body["from"] = q.s.Offset
	}
	if q.after != nil {
		body["search_after"] = q.after
	}
	a, err := q.d.search(ctx, q.d.path("_search"), body, q.s.Stats, buffer())
	if err != nil {
		return false, err
	}
	defer keepBuffer(a.body)
	dec := q.decoder()
	hits, err := dec.hits(a.body)
	if err != nil {
		return false, err
	}
	if len(hits) > size {
		return false, errTooMany
	}
	if len(hits) == size && !(q.s.HasLimit && size == q.s.Limit) {
		return false, nil
	}
	for i := range hits {
		rec, err := q.record(dec, &hits[i])
		if err != nil {
			return false, err
		}
		if !yield(rec, nil) {
			return false, errStop
		}
	}
	return true, nil
}

// page is the body of a search for so many hits.
func (q *search) page(size int) obj {
	body := obj{"size": size}
	for k, v := range q.body {
		body[k] = v
	}
	return body
}

// search makes one search, counted.
func (d *Driver) search(ctx context.Context, path string, body obj, stats *dataknobs.ScanStats, into []byte) (*answer, error) {
	a, err := d.client.do(ctx, &request{method: "POST", path: path, body: encodeJSON(body), repeatable: true, into: into})
	if err != nil {
		return nil, err
	}
	if stats != nil {
		stats.Calls.Add(1)
		stats.Bytes.Add(int64(len(a.body)))
	}
	return a, nil
}

// hits reads the hits of a search. They alias b.
func (d *decoder) hits(b []byte) ([]hit, error) {
	d.reset(b)
	var hits []hit
	failed, late, told := int64(0), false, false
	d.object(func(name []byte) {
		switch string(name) {
		case "hits":
			d.object(func(name []byte) {
				if string(name) != "hits" {
					d.skip()
					return
				}
				told = true
				d.array(func() { hits = append(hits, d.hit()) })
			})
		case "_shards":
			failed = d.failed()
		case "timed_out":
			late = d.boolean()
		default:
			d.skip()
		}
	})
	if d.bad || !told && failed == 0 {
		return nil, errUnreadable
	}
	if late {
		return nil, dataknobs.Errorf(dataknobs.Unavailable, "the server ran out of time, and answered in part")
	}
	if err := shardsError(failed); err != nil {
		return nil, err
	}
	return hits, nil
}

var errTooMany = dataknobs.Errorf(dataknobs.Internal, "the server sent more records than it was asked for")

// record returns the record of a hit, unless its place in the order is not certain.
func (q *search) record(dec *decoder, h *hit) (*dataknobs.Record, error) {
	if h.id == "" || !q.s.NoRevision && (h.seq < 0 || h.per < 1) {
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "the server sent a document without its ID, or its revision")
	}
	if len(q.s.OrderBy) > 0 && cutSort(h.sort) {
		return nil, errCut
	}
	if q.s.Stats != nil {
		q.s.Stats.Records.Add(1)
	}
	return dec.record(h)
}

// cutSort reports whether one of the sort keys of a hit was cut.
func cutSort(sort []byte) bool {
	if len(sort) <= maxKey {
		return false
	}
	r := reader{b: sort}
	cut := false
	r.array(func() {
		if r.next() == '"' {
			cut = isCut(r.text()) || cut
		} else {
			r.skip()
		}
	})
	return cut
}
