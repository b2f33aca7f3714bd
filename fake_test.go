package dataknobs_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

// A fake is a driver whose abilities a test chooses. It does exactly what its
// Features say and fails the test when it is asked for more: it drops values
// that it was told nobody looks at, lets wrong records through where its filter
// is rough, and notices when somebody changes a record that it shares.
type fake struct {
	t testing.TB
	f dk.Features

	mu    sync.Mutex
	recs  []*dk.Record // guarded by mu, like all below; by position
	revs  int
	pos   uint64
	scans []dk.Scan // what was asked for
	reads int       // records that scans yielded
	open  int       // scans under way
	kinds map[string]dk.KindSet
	asked []string // the paths whose kinds were asked for

	// beforeApply, if not nil, is called before each Apply, without mu.
	beforeApply func(b *dk.Batch)
	batches     []int // the size of each Apply
	applyErr    error // what Apply fails with as a whole
	closed      bool
}

func newFake(t testing.TB, f dk.Features, recs ...*dk.Record) *fake {
	d := &fake{t: t, f: f}
	for _, r := range recs {
		d.put(r)
	}
	return d
}

// put stores a copy of r at the end, or in place of the one of its ID.
func (d *fake) put(r *dk.Record) *dk.Record {
	c := r.Clone()
	d.revs++
	c.Revision = fmt.Sprint("r", d.revs)
	if i := d.index(r.ID); i >= 0 {
		c.SetPosition(d.recs[i].Position())
		d.recs[i] = c
		return c
	}
	d.pos++
	c.SetPosition(d.pos)
	d.recs = append(d.recs, c)
	return c
}

func (d *fake) index(id string) int {
	return slices.IndexFunc(d.recs, func(r *dk.Record) bool { return r.ID == id })
}

func (d *fake) Features() *dk.Features { return &d.f }

func (d *fake) Close() error {
	d.closed = true
	return nil
}

func (d *fake) Get(ctx context.Context, ids []string) iter.Seq2[*dk.Record, error] {
	return func(yield func(*dk.Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		for i, id := range slices.Backward(ids) { // in any order
			if slices.Contains(ids[:i], id) {
				d.t.Errorf("Get was asked for %q twice", id)
			}
			if rec := d.find(id); rec != nil && !yield(rec, nil) {
				return
			}
		}
	}
}

func (d *fake) find(id string) *dk.Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := d.index(id); i >= 0 {
		return d.handOut(d.recs[i])
	}
	return nil
}

func (d *fake) handOut(r *dk.Record) *dk.Record {
	if d.f.Shared {
		return r
	}
	return r.Clone()
}

func (d *fake) Scan(ctx context.Context, s *dk.Scan) iter.Seq2[*dk.Record, error] {
	d.mu.Lock()
	d.scans = append(d.scans, *s)
	recs := slices.Clone(d.recs)
	d.mu.Unlock()
	d.checkScan(s)
	return func(yield func(*dk.Record, error) bool) {
		d.count(&d.open, 1)
		defer d.count(&d.open, -1)
		out := d.selected(recs, s)
		for i, r := range out {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if s.Stats != nil {
				s.Stats.Records.Add(1)
			}
			d.count(&d.reads, 1)
			if !yield(d.project(out[i], s), nil) {
				return
			}
			_ = r
		}
	}
}

func (d *fake) count(n *int, by int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*n += by
}

// checkScan fails the test if s asks for what the features do not promise.
func (d *fake) checkScan(s *dk.Scan) {
	var bad []string
	dk.Conds(s.Where, func(c *dk.Cond) bool {
		if d.f.Filter == nil || d.f.Filter(c).Fidelity == dk.None {
			bad = append(bad, "filter "+c.String())
		}
		return true
	})
	if hasNot(s.Where) {
		bad = append(bad, "a NOT")
	}
	if len(s.OrderBy) > 0 && (d.f.Sort == nil || d.f.Sort(s.OrderBy).Fidelity != dk.Exact) {
		bad = append(bad, "sort")
	}
	if (s.HasLimit || s.Offset > 0) && !d.f.Limit {
		bad = append(bad, "limit")
	}
	if s.After != nil && (!d.f.Seek || len(s.After.Keys) != len(s.OrderBy)) {
		bad = append(bad, "seek")
	}
	if s.Paths != nil && !d.f.Project {
		bad = append(bad, "project")
	}
	if bad != nil {
		d.t.Errorf("the driver was asked for what it cannot do: %s", strings.Join(bad, ", "))
	}
}

func hasNot(e dk.Expr) bool {
	switch e := e.(type) {
	case dk.Not:
		return true
	case dk.And:
		return slices.ContainsFunc(e, hasNot)
	case dk.Or:
		return slices.ContainsFunc(e, hasNot)
	}
	return false
}

func (d *fake) selected(recs []*dk.Record, s *dk.Scan) []*dk.Record {
	order := dk.NewOrdering(s.OrderBy)
	var out []*dk.Record
	for _, r := range recs {
		after := s.After == nil
		if !after && len(s.OrderBy) > 0 {
			after = order.After(order.KeysOf(r), r.ID, s.After)
		} else if !after {
			after = r.Position() > s.After.Position
		}
		if after && d.lets(s.Where, r) {
			out = append(out, r)
		}
	}
	switch {
	case len(s.OrderBy) > 0:
		slices.SortFunc(out, order.CompareRecords)
	case !d.f.NaturalOrder: // any order
		slices.Reverse(out)
	}
	out = out[min(s.Offset, len(out)):]
	if s.HasLimit {
		out = out[:min(s.Limit, len(out))]
	}
	return out
}

// lets reports whether the store's filter lets r through: a rough one also
// lets through what an ID's hash decides.
func (d *fake) lets(e dk.Expr, r *dk.Record) bool {
	switch e := e.(type) {
	case dk.And:
		return !slices.ContainsFunc(e, func(p dk.Expr) bool { return !d.lets(p, r) })
	case dk.Or:
		return slices.ContainsFunc(e, func(p dk.Expr) bool { return d.lets(p, r) })
	case *dk.Cond:
		m, err := dk.Compile(e)
		if err != nil {
			d.t.Error(err)
			return false
		}
		h := fnv.New32()
		h.Write([]byte(r.ID + e.Path.String()))
		return m.Match(r) || d.f.Filter(e).Fidelity == dk.Rough && h.Sum32()%3 == 0
	}
	return true
}

// project drops what nobody looks at.
func (d *fake) project(r *dk.Record, s *dk.Scan) *dk.Record {
	if s.Paths == nil && !s.NoID && !s.NoRevision {
		return d.handOut(r)
	}
	c := r.Clone()
	if s.Paths != nil {
		c = dk.Project(r, s.Paths)
	}
	c.SetPosition(r.Position())
	c.ID, c.Revision = r.ID, r.Revision
	if s.NoID {
		c.ID = ""
	}
	if s.NoRevision {
		c.Revision = ""
	}
	return c
}

func (d *fake) Apply(ctx context.Context, b *dk.Batch) ([]dk.Result, error) {
	if d.beforeApply != nil {
		d.beforeApply(b)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.batches = append(d.batches, len(b.Writes))
	if d.applyErr != nil {
		return nil, d.applyErr
	}
	results := make([]dk.Result, len(b.Writes))
	before := slices.Clone(d.recs)
	for i := range b.Writes {
		if err := ctx.Err(); err != nil {
			return results[:i], err
		}
		results[i] = d.apply(&b.Writes[i])
		if results[i].Err != nil && b.Atomic {
			d.recs = before
			for j := range results {
				if j != i {
					results[j] = dk.Result{Err: dk.ErrNotApplied}
				}
			}
			return results, nil
		}
	}
	return results, nil
}

func (d *fake) apply(w *dk.Write) dk.Result {
	id := w.ID
	if id == "" {
		if !d.f.AssignsIDs {
			d.t.Errorf("a write came without an ID: %+v", *w)
		}
		id = fmt.Sprint("row", d.pos+1)
	}
	i := d.index(id)
	switch {
	case i < 0 && (w.Op != dk.WritePut || w.If == dk.IfPresent || w.Revision != ""):
		return dk.Result{Err: dk.NotFound}
	case i >= 0 && w.If == dk.IfAbsent:
		return dk.Result{Err: dk.AlreadyExists}
	case i >= 0 && w.Revision != "" && w.Revision != d.recs[i].Revision:
		return dk.Result{Err: dk.Conflict}
	}
	switch w.Op {
	case dk.WriteDelete:
		d.recs = slices.Delete(slices.Clone(d.recs), i, i+1)
		return dk.Result{}
	case dk.WritePatch:
		rec, err := dk.ApplyChanges(d.recs[i], w.Changes)
		if err != nil {
			return dk.Result{Err: err}
		}
		d.recs = slices.Clone(d.recs)
		return dk.Result{Revision: d.put(rec).Revision}
	}
	if w.ID != "" && w.Record.ID != w.ID {
		d.t.Errorf("a write of %q holds the record %q", w.ID, w.Record.ID)
	}
	rec := w.Record.Clone()
	rec.ID = id
	d.recs = slices.Clone(d.recs)
	return dk.Result{ID: id, Revision: d.put(rec).Revision, Created: i < 0}
}

// A typedFake knows kinds, names and an epoch besides.
type typedFake struct {
	*fake
	names []string
	epoch string
}

func (d *typedFake) Kinds(_ context.Context, paths []dk.Path) ([]dk.KindSet, error) {
	out := make([]dk.KindSet, len(paths))
	for i, p := range paths {
		d.asked = append(d.asked, p.String())
		out[i] = d.kinds[p.String()]
	}
	return out, nil
}

func (d *typedFake) FieldNames(context.Context) ([]string, error) { return d.names, nil }

func (d *typedFake) Epoch(context.Context) (string, error) { return d.epoch, nil }

// A groupingFake aggregates and counts by itself.
type groupingFake struct {
	*fake
	grouped, counted int
}

func (d *groupingFake) Count(_ context.Context, where dk.Expr, _ *dk.ScanStats) (int64, error) {
	d.counted++
	return int64(len(d.selected(d.recs, &dk.Scan{Where: where}))), nil
}

func (d *groupingFake) Aggregate(_ context.Context, a *dk.Aggregation) iter.Seq2[dk.Group, error] {
	d.grouped++
	d.checkScan(&dk.Scan{Where: a.Where})
	return func(yield func(dk.Group, error) bool) {
		g, err := dk.NewGrouper(a.GroupBy, a.Columns)
		for _, r := range d.selected(d.recs, &dk.Scan{Where: a.Where}) {
			if err == nil {
				err = g.AddRecord(r)
			}
		}
		var groups []dk.Group
		if err == nil {
			groups, err = g.Groups()
		}
		if err != nil {
			yield(dk.Group{}, err)
			return
		}
		for _, x := range slices.Backward(groups) { // in any order
			if !yield(x, nil) {
				return
			}
		}
	}
}

// Features for tests.

func filterAs(f dk.Fidelity) func(*dk.Cond) dk.Support {
	return func(*dk.Cond) dk.Support { return dk.Support{Fidelity: f} }
}

func sortAs(f dk.Fidelity) func([]dk.Order) dk.Support {
	return func([]dk.Order) dk.Support { return dk.Support{Fidelity: f} }
}

// mixedFilter is exact for some conditions, rough for others, and cannot do
// the rest.
func mixedFilter(c *dk.Cond) dk.Support {
	h := fnv.New32()
	h.Write([]byte(c.Path.String() + c.Op.String()))
	switch h.Sum32() % 3 {
	case 0:
		return dk.Support{Fidelity: dk.Exact}
	case 1:
		return dk.Support{Fidelity: dk.Rough, Reason: "it is only nearly right"}
	}
	return dk.Support{Reason: "it is too hard"}
}

// wantErr fails the test unless err has the code and its text holds each of the words.
func wantErr(t *testing.T, err error, code dk.Code, words ...string) {
	t.Helper()
	if dk.CodeOf(err) != code || err == nil {
		t.Fatalf("got the error %v (%v), want one of code %q", err, dk.CodeOf(err), code)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error\n\t%v\nshould say %q", err, w)
		}
	}
}
