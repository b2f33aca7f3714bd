package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"runtime"
	"strconv"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
)

// A view is a point in time of the index.
type view struct {
	d  *Driver
	id string
}

func (d *Driver) openView(ctx context.Context) (*view, error) {
	a, err := d.client.json(ctx, "POST", d.path("_pit"), url.Values{"keep_alive": {d.keepAlive()}}, nil)
	if err != nil {
		return nil, err
	}
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(a.body, &v); err != nil || v.ID == "" {
		return nil, dataknobs.Errorf(dataknobs.Internal, "the server's answer about a view cannot be read")
	}
	return &view{d: d, id: v.ID}, nil
}

func (d *Driver) keepAlive() string {
	return strconv.Itoa(int(max(d.opts.KeepAlive/time.Second, 1))) + "s"
}

// inBody is how a search names the view.
func (v *view) inBody() obj { return obj{"id": v.id, "keep_alive": v.d.keepAlive()} }

// close frees the view, whatever became of the scan's context.
func (v *view) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = v.d.client.once(ctx, &request{method: "DELETE", path: "/_pit", body: encodeJSON(obj{"id": v.id})})
}

// allPages yields the records of all pages, fetched ahead and decoded beside
// the caller; several at a time where there is no order.
func (q *search) allPages(ctx context.Context, yield func(*dataknobs.Record, error) bool) error {
	v, err := q.d.openView(ctx)
	if err != nil {
		return err
	}
	defer v.close(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	out := make(chan batch, 2)
	parts := q.slices()
	for i := range parts {
		p := &pager{search: q, ctx: inner, view: v.id, slice: i, slices: parts, size: firstPage, out: out}
		wg.Go(p.run)
	}
	for ended := 0; ended < parts; {
		var b batch
		select {
		case b = <-out:
		case <-ctx.Done():
			return ctx.Err()
		}
		if b.last {
			ended++
		}
		for _, rec := range b.recs {
			if !yield(rec, nil) {
				return errStop
			}
		}
		if b.err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return b.err
		}
	}
	return nil
}

// slices is into how many parts the scan is split.
func (q *search) slices() int {
	if len(q.s.OrderBy) > 0 || q.s.HasLimit || q.s.Offset > 0 {
		return 1
	}
	n := q.s.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return min(n, maxSlices)
}

// A batch is what a pager hands over.
type batch struct {
	recs []*dataknobs.Record
	err  error // after recs
	last bool
}

// A pager pages through one slice of a view: one goroutine fetches, another
// decodes.
type pager struct {
	*search
	ctx           context.Context // of this one scan
	view          string
	slice, slices int
	size          int
	out           chan<- batch
}

// A page is one answer, or why there is none.
type page struct {
	body []byte
	err  error
}

// run hands over all batches of the slice, the last one marked.
func (p *pager) run() {
	ctx, cancel := context.WithCancel(p.ctx)
	pages := make(chan page, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { p.fetch(ctx, pages) })
	dec := p.decoder()
	for pg := range pages {
		b := batch{err: pg.err}
		if pg.err == nil {
			b = p.decode(dec, pg.body)
			keepBuffer(pg.body)
		}
		b.last = b.err != nil
		if !p.send(b) || b.last {
			return
		}
	}
	p.send(batch{last: true})
}

func (p *pager) send(b batch) bool {
	select {
	case p.out <- b:
		return true
	case <-p.ctx.Done():
		return false
	}
}

func (p *pager) decode(dec *decoder, body []byte) batch {
	hits, err := dec.hits(body)
	if err != nil {
		return batch{err: err}
	}
	b := batch{recs: make([]*dataknobs.Record, 0, len(hits))}
	for i := range hits {
		rec, err := p.record(dec, &hits[i])
		if err != nil {
			b.err = err
			break
		}
		b.recs = append(b.recs, rec)
	}
	return b
}

// fetch sends page after page, and closes pages. The next one is asked for
// before the last one is decoded.
func (p *pager) fetch(ctx context.Context, pages chan<- page) {
	defer close(pages)
	after, err := p.skip(ctx)
	left := -1
	if p.s.HasLimit {
		left = p.s.Limit
	}
	for err == nil && left != 0 {
		size := p.size
		if left >= 0 {
			size = min(size, left)
		}
		var a *answer
		if a, err = p.ask(ctx, size, after, nil, buffer()); err != nil {
			break
		}
		last := after
		if after, err = p.lastOf(a.body); after == nil || err != nil {
			break // no more hits
		}
		if bytes.Equal(after, last) {
			err = dataknobs.Errorf(dataknobs.Internal, "the server sent the same page again")
			break
		}
		p.resize(len(a.body), size)
		if left >= 0 {
			left -= size
		}
		select {
		case pages <- page{body: a.body}:
		case <-ctx.Done():
			return
		}
	}
	if err != nil {
		select {
		case pages <- page{err: err}:
		case <-ctx.Done():
		}
	}
}

// buffers are those of full pages that were decoded: records share no memory
// with them, and the next page is mostly as large.
var buffers sync.Pool

func buffer() []byte {
	if b, ok := buffers.Get().(*[]byte); ok {
		return *b
	}
	return nil
}

func keepBuffer(b []byte) {
	if cap(b) >= pageBytes/2 && cap(b) <= 4*pageBytes {
		b = b[:0]
		buffers.Put(&b)
	}
}

// resize makes the next page of about pageBytes.
func (p *pager) resize(n, hits int) {
	fit := pageBytes / max(n/hits, 1)
	p.size = max(1, min(fit, 4*p.size, maxPage))
}

// skip passes over the records of a deep offset, of which nothing but the sort
// keys is read.
func (p *pager) skip(ctx context.Context) (json.RawMessage, error) {
	after := p.after
	for left := p.s.Offset; left > 0; {
		size := min(left, maxPage)
		a, err := p.ask(ctx, size, after, obj{"_source": false, "stored_fields": "_none_", "seq_no_primary_term": false}, nil)
		if err != nil {
			return nil, err
		}
		last, err := p.lastOf(a.body)
		if last == nil || err != nil {
			return after, err // fewer records than that: the next page is empty
		}
		after = last
		left -= size
	}
	return after, nil
}

// ask makes one search in the view.
func (p *pager) ask(ctx context.Context, size int, after json.RawMessage, change obj, into []byte) (*answer, error) {
	body := p.page(size)
	body["pit"] = obj{"id": p.view, "keep_alive": p.d.keepAlive()}
	if body["sort"] == nil {
		body["sort"] = "_shard_doc"
	}
	if p.slices > 1 {
		body["slice"] = obj{"id": p.slice, "max": p.slices}
	}
	if after != nil {
		body["search_after"] = after
	}
	for k, v := range change {
		body[k] = v
	}
	a, err := p.d.search(ctx, "/_search", body, p.s.Stats, into)
	if err != nil {
		return nil, err
	}
	if id := viewOf(a.body); id != "" {
		p.view = id
	}
	return a, nil
}

// viewOf returns the view's ID, which stands first in an answer.
func viewOf(body []byte) string {
	rest, ok := bytes.CutPrefix(body, []byte(`{"pit_id":"`))
	if !ok {
		return ""
	}
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(id)
}

// lastOf is lastSort, for an answer that holds no hits only if it says so.
func (p *pager) lastOf(body []byte) (json.RawMessage, error) {
	if last := lastSort(body); last != nil {
		return last, nil
	}
	hits, err := p.decoder().hits(body)
	if err == nil && len(hits) > 0 {
		err = errUnreadable
	}
	return nil, err
}

// lastSort returns the sort keys of the last hit; nil if there are no hits. No
// string in JSON can hold the text that it looks for, and nothing that could
// follows the last hit.
func lastSort(body []byte) json.RawMessage {
	mark := []byte(`"sort":[`)
	i := bytes.LastIndex(body, mark)
	if i < 0 {
		return nil
	}
	r := reader{b: body, i: i + len(mark) - 1}
	return bytes.Clone(r.skip())
}
