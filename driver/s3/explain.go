package s3

import (
	"context"
	"fmt"

	"dataknobs.dev/dataknobs"
)

// A cost is what a search is expected to take.
type cost struct {
	lists, reads int64
	bytes        int64
}

// Explain implements dataknobs.Explainer. It lists the keys to know what a
// search would read, unless a listing is at hand.
func (d *Driver) Explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	if s == nil {
		s = &dataknobs.Scan{Where: a.Where, Paths: []dataknobs.Path{}}
	}
	q, err := d.search(s)
	if err != nil {
		return nil, err
	}
	q.m, q.s.Stats = &meter{}, nil // the listing for Explain is not the search's
	c, err := q.cost(ctx)
	if err != nil {
		return nil, err
	}
	return q.describe(c), nil
}

// cost counts the requests that the search will make, by the bucket as it is.
func (q *search) cost(ctx context.Context) (cost, error) {
	var c cost
	left := int64(q.wanted())
	_, fresh := q.d.index.fresh(q.d.o.IndexTTL)
	for page, err := range q.entries(ctx) {
		if err != nil {
			return c, err
		}
		for _, e := range page {
			if left == 0 {
				break
			}
			left--
			q.count(&c, &e)
		}
		if left == 0 {
			break
		}
	}
	if _, now := q.d.index.fresh(q.d.o.IndexTTL); !fresh && !now {
		c.lists = q.listRequests()
	}
	return c, nil
}

// count adds what reading one record takes.
func (q *search) count(c *cost, e *entry) {
	switch {
	case e.size < 0:
		c.reads++
	case q.whole && q.d.bodies.get(e.id, e.etag) == nil:
		c.reads++
		c.bytes += e.size
	}
}

// listRequests is how many requests the listing of the search's spans takes.
func (q *search) listRequests() int64 {
	n := int64(0)
	snap := q.d.index.last()
	for _, sp := range q.spans {
		if sp.point() {
			continue
		}
		p := &pager{d: q.d, span: sp, first: pageSize}
		if w := q.wanted(); w >= 0 && w < pageSize {
			p.first = w + 1
		}
		if p.first >= pageSize && snap != nil {
			n += int64(len(p.cuts(snap))) + 1
			continue
		}
		n += max(1, (q.m.requests.Load())/int64(len(q.spans)))
	}
	return n
}

func (q *search) describe(c cost) []string {
	d := q.d
	var lines []string
	points := 0
	for _, sp := range q.spans {
		if sp.point() {
			points++
		} else if len(lines) < 20 {
			lines = append(lines, "list "+sp.text())
		}
	}
	if points > 0 {
		lines = append(lines, fmt.Sprintf("look up %d keys", points))
	}
	if !q.whole && c.lists > 0 {
		lines = append(lines, "no object is read: one that was put there by others counts as a record by its name, unless this store has read it and knows better")
	}
	total := c.lists + c.reads
	rounds := c.lists
	if c.reads > 0 {
		rounds += (c.reads + int64(d.o.Parallel) - 1) / int64(d.o.Parallel)
	}
	how := "nothing"
	if c.lists > 0 {
		how = fmt.Sprintf("%d to list", c.lists)
	}
	if c.reads > 0 {
		how += fmt.Sprintf(", %d to read", c.reads)
	}
	lines = append(lines, fmt.Sprintf("about %d requests (%s) and %d bytes, %d at once: about %d round trips", total, how, c.bytes, d.o.Parallel, rounds))
	if d.o.MaxRequests > 0 && total > d.o.MaxRequests {
		lines = append(lines, fmt.Sprintf("refused: max_requests is %d", d.o.MaxRequests))
	}
	if d.o.MaxBytes > 0 && c.bytes > d.o.MaxBytes {
		lines = append(lines, fmt.Sprintf("refused: max_bytes is %d", d.o.MaxBytes))
	}
	return lines
}

// text says which keys a span covers.
func (s span) text() string {
	switch {
	case s.lo == "" && !s.bounded:
		return "all keys"
	case !s.bounded:
		return fmt.Sprintf("the keys from %q on", s.lo)
	}
	return fmt.Sprintf("the keys from %q to %q", s.lo, s.hi)
}
