package parquet

import (
	"bytes"
	"math"
	"sync"

	"dataknobs.dev/dataknobs"
)

// A filter is what a scan's condition says about one flat column: it lets
// through every row that can satisfy the condition.
type filter struct {
	node   *node
	match  *dataknobs.Matcher // of the column's own values; nil: the ranges only
	ranges []dataknobs.Range  // with ranged
	ranged bool
	ints   []interval // ranges as ints, of int columns
	times  []interval
	floats []floatInterval

	null     bool // a null is let through
	onlyNull bool // nothing else is
}

type interval struct{ lo, hi int64 }

type floatInterval struct{ lo, hi float64 }

// filters makes a filter for each flat column that the condition bounds.
func (f *file) filters(e dataknobs.Expr) []*filter {
	e = dataknobs.Simplify(e)
	if e == nil {
		return nil
	}
	var out []*filter
	var seen []dataknobs.Path
	dataknobs.Conds(e, func(c *dataknobs.Cond) bool {
		for _, p := range seen {
			if p.Equal(c.Path) {
				return true
			}
		}
		seen = append(seen, c.Path)
		if fl := f.filter(e, c.Path); fl != nil {
			out = append(out, fl)
		}
		return true
	})
	return out
}

func (f *file) filter(e dataknobs.Expr, p dataknobs.Path) *filter {
	w := f.resolve(p)
	if w.node == nil || !w.node.flat() || len(w.rest) > 0 {
		return nil
	}
	fl := &filter{node: w.node}
	fl.ranges, fl.ranged = dataknobs.Bounds(e, p)
	fl.match = alone(e, p)
	if fl.match == nil && !fl.ranged {
		return nil
	}
	for _, r := range fl.ranges {
		fl.add(r)
	}
	fl.null = fl.lets(dataknobs.Value{}, func(int) dataknobs.Value { return dataknobs.Value{} })
	fl.onlyNull = asksNull(e, p)
	return fl
}

// asksNull reports whether the conjunction e asks that p be null.
func asksNull(e dataknobs.Expr, p dataknobs.Path) bool {
	parts, ok := e.(dataknobs.And)
	if !ok {
		parts = dataknobs.And{e}
	}
	for _, part := range parts {
		if c, ok := part.(*dataknobs.Cond); ok && c.Op == dataknobs.IsNull && c.Path.Equal(p) {
			return true
		}
	}
	return false
}

// alone compiles those parts of the conjunction e that look at p and nothing
// else; nil if there are none.
func alone(e dataknobs.Expr, p dataknobs.Path) *dataknobs.Matcher {
	parts, ok := e.(dataknobs.And)
	if !ok {
		parts = dataknobs.And{e}
	}
	var own dataknobs.And
	for _, part := range parts {
		if dataknobs.Conds(part, func(c *dataknobs.Cond) bool { return c.Path.Equal(p) }) {
			own = append(own, part)
		}
	}
	if len(own) == 0 {
		return nil
	}
	m, err := dataknobs.Compile(own)
	if err != nil || len(m.Paths()) != 1 {
		return nil
	}
	return m
}

// add notes r in the terms of the physical types, widened where need be.
func (fl *filter) add(r dataknobs.Range) {
	if r.Lo.IsNumber() || r.Hi.IsNumber() {
		if lo, hi, ok := r.Ints(); ok {
			fl.ints = append(fl.ints, interval{lo, hi})
		}
		fl.floats = append(fl.floats, floatsOf(r))
	}
	if r.Lo.Kind() == dataknobs.KindTime && r.Hi.Kind() == dataknobs.KindTime {
		x := interval{r.Lo.Micros(), r.Hi.Micros()}
		if r.LoOpen && x.lo < math.MaxInt64 {
			x.lo++
		}
		if r.HiOpen && x.hi > math.MinInt64 {
			x.hi--
		}
		fl.times = append(fl.times, x)
	}
}

// floatsOf returns an interval of floats that holds all those of the range.
func floatsOf(r dataknobs.Range) floatInterval {
	x := floatInterval{math.Inf(-1), math.Inf(1)}
	if r.Lo.IsNumber() {
		x.lo = math.Nextafter(r.Lo.Float(), math.Inf(-1))
	}
	if r.Hi.IsNumber() {
		x.hi = math.Nextafter(r.Hi.Float(), math.Inf(1))
	}
	return x
}

// overlaps reports whether a value from least to most can be in the ranges.
func (fl *filter) overlaps(least, most dataknobs.Value) bool {
	for _, r := range fl.ranges {
		if r.Overlaps(least, most) {
			return true
		}
	}
	return false
}

// A selection says which rows of a block are still of interest.
type selection struct {
	lo, hi int64
	out    []byte // 1: not of interest; by row from lo
}

func (s *selection) reset(lo, hi int64) {
	s.lo, s.hi = lo, hi
	n := int(hi - lo)
	if cap(s.out) < n {
		s.out = make([]byte, n)
	}
	s.out = s.out[:n]
	clear(s.out)
}

// skip drops the rows of pages without interest, unread, and returns how many
// were not dropped before.
func (s *selection) skip(c *chunk, skip []bool) (n int64) {
	for i := max(c.pageOf(s.lo), 0); i < len(skip) && c.locs[i].row < s.hi; i++ {
		if !skip[i] {
			continue
		}
		out := s.of(c.locs[i].row, c.end(i))
		n += int64(bytes.Count(out, []byte{0}))
		fill(out, 1)
	}
	return n
}

// of returns the part of out for the rows [lo, hi) that are in the block.
func (s *selection) of(lo, hi int64) []byte {
	return s.out[max(lo, s.lo)-s.lo : min(hi, s.hi)-s.lo]
}

// empty reports whether none of the rows [lo, hi) is of interest any more.
func (s *selection) empty(lo, hi int64) bool { return bytes.IndexByte(s.of(lo, hi), 0) < 0 }

// apply drops the rows whose value the filter does not let through.
func (s *selection) apply(fl *filter, r *reader) error {
	for row := s.lo; row < s.hi; {
		i := r.c.pageOf(row)
		end := min(r.c.end(i), s.hi)
		if !s.empty(row, end) {
			if err := r.turn(row); err != nil {
				return err
			}
			s.page(fl, &r.p.vec, int(row-r.lo), int(end-r.lo), s.of(row, end))
		}
		row = end
	}
	return nil
}

// page applies the filter to the entries [from, to) of a page.
func (s *selection) page(fl *filter, v *vec, from, to int, out []byte) {
	switch {
	case v.mode == modeDict:
		s.dict(fl, v, from, to, out)
	case v.leaf.conv != nil:
		s.each(fl, v, from, to, out)
	case v.mode == modeInt && fl.ranged:
		between(v.ints[from:to], fl.ints, out)
		s.nulls(v, from, to, out)
	case v.mode == modeTime && fl.ranged:
		// What is no time is left for the visitor to stumble over.
		between(v.ints[from:to], append(fl.times[:len(fl.times):len(fl.times)], interval{badMicros, badMicros}), out)
		s.nulls(v, from, to, out)
	case v.mode == modeFloat && fl.ranged:
		for i, f := range v.floats[from:to] {
			in := f-f != 0
			for _, x := range fl.floats {
				in = in || f >= x.lo && f <= x.hi
			}
			if !in {
				out[i] = 1
			}
		}
		s.nulls(v, from, to, out)
	default:
		s.each(fl, v, from, to, out)
	}
}

// between drops what lies in none of the intervals.
func between(vs []int64, xs []interval, out []byte) {
	if len(xs) == 1 {
		lo, width := xs[0].lo, uint64(xs[0].hi-xs[0].lo)
		for i, v := range vs {
			if uint64(v-lo) > width {
				out[i] = 1
			}
		}
		return
	}
	for i, v := range vs {
		in := false
		for _, x := range xs {
			in = in || v >= x.lo && v <= x.hi
		}
		if !in {
			out[i] = 1
		}
	}
}

// nulls drops the nulls: ranges hold none.
func (s *selection) nulls(v *vec, from, to int, out []byte) {
	if v.null == nil {
		return
	}
	for i, null := range v.null[from:to] {
		out[i] |= null
	}
}

// dict asks once for each value of the dictionary.
func (s *selection) dict(fl *filter, v *vec, from, to int, out []byte) {
	mask := v.dict.masks.get(fl, v.dict)
	for i, k := range v.idx[from:to] {
		out[i] |= mask[k]
	}
}

func (s *selection) each(fl *filter, v *vec, from, to int, out []byte) {
	var x dataknobs.Value
	get := func(int) dataknobs.Value { return x }
	for i := from; i < to; i++ {
		if out[i-from] != 0 {
			continue
		}
		var ok bool
		if x, ok = v.at(i); ok && !fl.lets(x, get) {
			out[i-from] = 1
		}
	}
}

// lets reports whether a row with value x, which get returns, can be of interest.
func (fl *filter) lets(x dataknobs.Value, get func(int) dataknobs.Value) bool {
	if fl.match != nil {
		return fl.match.MatchFunc(get)
	}
	return !x.IsNull() && fl.overlaps(x, x)
}

// maskOf returns, by index, which values of the dictionary the filter drops.
func maskOf(fl *filter, d *dictionary) []byte {
	mask := make([]byte, len(d.vals))
	var x dataknobs.Value
	get := func(int) dataknobs.Value { return x }
	for i, v := range d.vals {
		if d.bad[uint32(i)] != "" {
			continue
		}
		if x = v; !fl.lets(x, get) {
			mask[i] = 1
		}
	}
	return mask
}

// masks remembers what maskOf returned for the filters of one scan.
type masks struct {
	mu sync.Mutex
	of map[*filter][]byte // guarded by mu
}

func (m *masks) get(fl *filter, d *dictionary) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	mask, ok := m.of[fl]
	if !ok {
		mask = maskOf(fl, d)
		if m.of == nil {
			m.of = map[*filter][]byte{}
		}
		m.of[fl] = mask
	}
	return mask
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}
