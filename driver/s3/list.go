package s3

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"

	"dataknobs.dev/dataknobs"
)

// A span is a run of IDs.
type span struct {
	lo, hi         string
	loOpen, hiOpen bool // the end is not itself in the span
	bounded        bool // there is a hi
}

func (s span) has(id string) bool {
	return (id > s.lo || id == s.lo && !s.loOpen) && !s.past(id)
}

// past reports whether id lies behind the span.
func (s span) past(id string) bool {
	return s.bounded && (id > s.hi || id == s.hi && s.hiOpen)
}

// point reports whether the span is of one ID.
func (s span) point() bool { return s.bounded && s.lo == s.hi && !s.loOpen && !s.hiOpen }

// spansOf returns the spans of the IDs that where can be true of, ascending;
// one of all IDs where it says nothing about them.
func spansOf(where dataknobs.Expr, after *dataknobs.Seek) []span {
	spans := []span{{}}
	if ranges, ok := dataknobs.Bounds(where, dataknobs.PathID); ok {
		spans = spans[:0]
		for _, r := range ranges {
			if s, ok := spanOf(r); ok {
				spans = append(spans, s)
			}
		}
	}
	if after == nil {
		return spans
	}
	rest := spans[:0]
	for _, s := range spans {
		if s.past(after.ID) || s.bounded && s.hi == after.ID {
			continue
		}
		if after.ID >= s.lo {
			s.lo, s.loOpen = after.ID, true
		}
		rest = append(rest, s)
	}
	return rest
}

// spanOf returns the strings of a range; false if it has none.
func spanOf(r dataknobs.Range) (span, bool) {
	if r.Lo.Kind() != dataknobs.KindString {
		return span{}, false
	}
	s := span{lo: r.Lo.Str(), loOpen: r.LoOpen}
	if r.Hi.Kind() == dataknobs.KindString {
		s.hi, s.hiOpen, s.bounded = r.Hi.Str(), r.HiOpen, true
	}
	return s, true
}

// A pager lists the records of one span.
type pager struct {
	d     *Driver
	m     *meter
	span  span
	first int // how many objects the first request asks for
	// ordered: the entries are wanted by rising IDs. Else each page is sorted, but
	// a few of the next may belong before it.
	ordered bool

	emitted map[string]bool // escaped IDs that were asked for before their turn, and whether they were there
}

// pages yields the entries page by page. Tombstones may be among them.
func (p *pager) pages(ctx context.Context) iter.Seq2[[]entry, error] {
	return func(yield func([]entry, error) bool) {
		p.emitted = map[string]bool{}
		for raw, err := range p.raw(ctx) {
			var page []entry
			over := false
			if err == nil {
				page, over, err = p.order(ctx, raw)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) > 0 && !yield(page, nil) || over {
				return
			}
		}
	}
}

// minRecord is the length of the shortest JSON object: what is shorter is none
// of ours, and no record.
const minRecord = 2

// A rawPage is one answer to a listing.
type rawPage struct {
	objects []listed
	more    bool
}

// order makes entries of a page, sorted by ID: it leaves out what is no
// record, and adds the records that come earlier by ID than by key. over says
// that no later page holds anything of the span.
func (p *pager) order(ctx context.Context, raw rawPage) (page []entry, over bool, err error) {
	page = make([]entry, 0, len(raw.objects))
	last := ""
	sorted := true
	for _, o := range raw.objects {
		id, ok := p.d.idOf(o.key)
		if !ok {
			p.d.passOver(o.key)
			continue
		}
		esc, _ := p.d.escapedOf(o.key)
		last = esc
		if o.size < minRecord {
			p.d.passOver(o.key)
			continue
		}
		if _, early := p.emitted[esc]; early {
			continue
		}
		if p.span.has(id) {
			sorted = sorted && (len(page) == 0 || page[len(page)-1].id < id)
			page = append(page, entry{id, o.etag, o.size})
		}
	}
	frontier := last
	if p.span.bounded && last != "" {
		if hi := string(appendEscaped(nil, p.span.hi)); last+suffix > hi+suffix {
			over, frontier = true, hi
		}
	}
	if frontier != "" && (over || raw.more && p.ordered) {
		found, err := p.early(ctx, frontier, last)
		if err != nil {
			return nil, false, err
		}
		page = append(page, found...)
		sorted = sorted && len(found) == 0
	}
	if !sorted {
		slices.SortFunc(page, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	}
	return page, over, nil
}

// early asks for the records whose IDs are beginnings of the frontier, and so
// come before it, while their keys come after the last that was listed.
func (p *pager) early(ctx context.Context, frontier, last string) ([]entry, error) {
	var asked []string
	for _, esc := range ancestors(frontier) {
		if _, known := p.emitted[esc]; known || esc+suffix <= last+suffix {
			continue
		}
		if _, ok := p.d.idOf(p.d.prefix + esc + suffix); ok {
			asked = append(asked, esc)
		}
	}
	entries, errs := make([]entry, len(asked)), make([]error, len(asked))
	var wg sync.WaitGroup
	for i, esc := range asked {
		wg.Go(func() { entries[i], errs[i] = p.lookUp(ctx, p.d.prefix+esc+suffix) })
	}
	wg.Wait()
	var found []entry
	for i, esc := range asked {
		if errs[i] != nil {
			return nil, errs[i]
		}
		e := entries[i]
		p.emitted[esc] = e.etag != ""
		if e.etag != "" && p.span.has(e.id) {
			found = append(found, e)
		}
	}
	return found, nil
}

// lookUp returns the entry of one key; one without ETag if it is not there.
func (p *pager) lookUp(ctx context.Context, key string) (entry, error) {
	objects, _, err := p.d.listPage(ctx, p.m, key, "", 1)
	if err != nil || len(objects) == 0 || objects[0].key != key || objects[0].size < minRecord {
		return entry{}, err
	}
	id, _ := p.d.idOf(key)
	return entry{id, objects[0].etag, objects[0].size}, nil
}

// start is the key after which the listing begins. IDs from lo on may have
// keys before lo's own, but none before lo itself.
func (p *pager) start() string {
	if p.span.lo == "" {
		return ""
	}
	return p.d.prefix + string(appendEscaped(nil, p.span.lo))
}

// raw lists the objects of the span by rising keys, and somewhat more.
func (p *pager) raw(ctx context.Context) iter.Seq2[rawPage, error] {
	if snap := p.d.index.last(); snap != nil && p.first >= pageSize {
		if cuts := p.cuts(snap); len(cuts) > 0 {
			return p.parallel(ctx, cuts)
		}
	}
	return p.sequential(ctx)
}

// sequential asks for page after page, one ahead.
func (p *pager) sequential(ctx context.Context) iter.Seq2[rawPage, error] {
	return func(yield func(rawPage, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan rawPage)
		var failed error
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() {
			defer close(pages)
			most := min(p.first, pageSize)
			for after := p.start(); ; most = pageSize {
				objects, more, err := p.d.listPage(ctx, p.m, p.d.prefix, after, most)
				if err != nil {
					failed = err
					return
				}
				select {
				case pages <- rawPage{objects, more}:
				case <-ctx.Done():
					return
				}
				if !more || len(objects) == 0 || p.ends(objects) {
					return
				}
				after = objects[len(objects)-1].key
			}
		})
		for page := range pages {
			if !yield(page, nil) {
				return
			}
		}
		wg.Wait()
		if failed != nil {
			yield(rawPage{}, failed)
		}
	}
}

// ends reports whether the objects reach beyond the span.
func (p *pager) ends(objects []listed) bool {
	if !p.span.bounded {
		return false
	}
	end := p.d.prefix + string(appendEscaped(nil, p.span.hi)) + suffix
	return objects[len(objects)-1].key > end
}

// cutEvery is how many records one request of a parallel listing is to find: a
// page, less what may have been added since.
const cutEvery = pageSize - 50

// cuts returns keys that part the span, by an earlier listing, into pieces of
// about one page.
func (p *pager) cuts(snap *snapshot) []string {
	from := sort.Search(len(snap.entries), func(i int) bool { return snap.entries[i].id >= p.span.lo })
	to := sort.Search(len(snap.entries), func(i int) bool { return p.span.past(snap.entries[i].id) })
	if to-from <= cutEvery {
		return nil
	}
	keys := make([]string, 0, to-from)
	for _, e := range snap.entries[from:to] {
		keys = append(keys, string(appendEscaped(make([]byte, 0, len(e.id)+8), e.id))+suffix)
	}
	if !slices.IsSorted(keys) {
		slices.Sort(keys)
	}
	var cuts []string
	for i := cutEvery - 1; i < len(keys)-1; i += cutEvery {
		cuts = append(cuts, p.d.prefix+keys[i])
	}
	return cuts
}

// parallel lists the pieces between the cuts, several at once, and yields them
// in their order.
func (p *pager) parallel(ctx context.Context, cuts []string) iter.Seq2[rawPage, error] {
	return func(yield func(rawPage, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		pieces := make([]chan piece, len(cuts)+1)
		for i := range pieces {
			pieces[i] = make(chan piece, 1)
		}
		begin := func(i int) {
			if i >= len(pieces) {
				return
			}
			after, upto := p.start(), ""
			if i > 0 {
				after = cuts[i-1]
			}
			if i < len(cuts) {
				upto = cuts[i]
			}
			wg.Go(func() { pieces[i] <- p.piece(ctx, after, upto) })
		}
		ahead := p.d.o.Parallel
		for i := range min(ahead, len(pieces)) {
			begin(i)
		}
		for i := range pieces {
			got := <-pieces[i]
			begin(i + ahead)
			if got.err != nil {
				yield(rawPage{}, got.err)
				return
			}
			if !yield(rawPage{got.objects, i < len(cuts)}, nil) {
				return
			}
		}
	}
}

// A piece is what lies between two cuts.
type piece struct {
	objects []listed
	err     error
}

func (p *pager) piece(ctx context.Context, after, upto string) piece {
	var all []listed
	for {
		objects, more, err := p.d.listPage(ctx, p.m, p.d.prefix, after, pageSize)
		if err != nil {
			return piece{err: err}
		}
		if upto != "" {
			n := sort.Search(len(objects), func(i int) bool { return objects[i].key > upto })
			more = more && n == len(objects) && (n == 0 || objects[n-1].key != upto)
			objects = objects[:n]
		}
		all = append(all, objects...)
		if !more || len(objects) == 0 || p.ends(objects) {
			return piece{objects: all}
		}
		after = objects[len(objects)-1].key
	}
}

// passOver notes an object that is no record.
func (d *Driver) passOver(key string) {
	if name := strings.TrimPrefix(key, d.prefix); name != "" && !strings.HasPrefix(name, probePrefix) {
		d.warnForeign(key)
	}
}
