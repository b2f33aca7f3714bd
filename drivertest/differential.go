package drivertest

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
)

// DifferentialOptions scale a differential test. Zero fields take defaults
// that suit an embedded store; -short takes a quarter of them.
type DifferentialOptions struct {
	// Seed starts the random numbers. 0: the environment's DK_SEED, else 1. A
	// failure prints the seed of its round, which runs first when given here.
	Seed uint64
	// Stores is how many stores are filled; 0: 12.
	Stores int
	// Queries is how many queries are asked of each store; 0: 150.
	Queries int
	// Time is after how long no further store is filled, and no further query asked
	// of the last; at least one store is. 0: no bound, but for Harness.Slow 25 s.
	Time time.Duration
}

func (o *DifferentialOptions) defaults(h *Harness) error {
	if text := os.Getenv("DK_SEED"); o.Seed == 0 && text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("DK_SEED: %w", err)
		}
		o.Seed = seed
	}
	scale := func(n *int, standard int) {
		if *n == 0 {
			*n = standard
			if testing.Short() {
				*n = standard / 4
			}
		}
	}
	o.Seed = max(o.Seed, 1)
	scale(&o.Stores, 12)
	scale(&o.Queries, 150)
	if o.Time == 0 && h.Slow {
		if o.Time = 25 * time.Second; testing.Short() {
			o.Time /= 4
		}
	}
	return nil
}

// Differential compares the store with the contract's model: random writes,
// whose results and whose outcome must be the model's, and then random queries
// of every operator and clause. The failing query is printed with the smallest
// data found that shows the fault, as a block for the corpus.
func Differential(t *testing.T, h Harness, o DifferentialOptions) {
	if err := o.defaults(&h); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	late := func() bool { return o.Time > 0 && time.Since(start) > o.Time }
	asked := 0
	for i := 0; i < o.Stores && (i == 0 || !late()); i++ {
		seed := o.Seed + uint64(i)
		d := h.newDuel(t, seed)
		d.fill(i)
		for n := 0; n < o.Queries && (n < 20 || !late()); n++ {
			if t.Failed() {
				t.Fatalf("to repeat it: DK_SEED=%d", seed)
			}
			d.query(d.gen.query())
			asked++
		}
		d.db.Close()
	}
	if late() {
		t.Logf("%d queries were asked in the %s that there were", asked, o.Time)
	}
}

func (h *Harness) newDuel(t *testing.T, seed uint64) *duel {
	g := newGen(seed)
	if h.OpenColumns != nil {
		h = h.withColumns(g.typeColumns())
	}
	d := &duel{subject: h.subject(t), gen: g, revs: map[string]string{}}
	g.f = d.f
	return d
}

// A duel is one store and what the model says it holds.
type duel struct {
	*subject
	gen *gen
	model
	revs map[string]string // the store's revision of each record

	asked int // queries; a slow store answers only some of them in pages too
}

// fill writes to the i-th store. One that lasts is by turns closed and opened
// again, then written more, or folded, or left as it is.
func (d *duel) fill(i int) {
	d.write(4 + d.gen.IntN(6))
	switch {
	case d.h.Reopen == nil:
	case i%3 == 0:
		d.reopen()
		d.compareAll()
	case i%3 == 1:
		d.must(d.db.Sync(d.ctx), "Sync")
		d.compareAll()
	}
	d.write(4 + d.gen.IntN(6))
	if d.h.Reopen != nil && i%4 == 3 {
		d.reopen()
		d.compareAll()
	}
}

func (d *duel) write(steps int) {
	for range steps {
		if d.gen.oneIn(5) {
			b := d.gen.bulk()
			d.bulk(b, d.expectBulk(b))
			d.gen.recs = d.recs
			continue
		}
		st := d.gen.step()
		d.step(st, d.expect(st))
		if d.gen.recs = d.recs; d.Failed() {
			return
		}
	}
}

// step makes the step, whose outcome is to be want, and compares everything.
func (d *duel) step(st step, want []writeOutcome) {
	if got, err := d.apply(st); !slices.Equal(got, want) {
		d.Errorf("the writes %s:\n got    %v, the last error: %v\n wanted %v", showStep(st), got, err, want)
	}
	if d.compareAll(); d.Failed() {
		d.Logf("the last writes were %s", showStep(st))
	}
}

// apply makes the step on the store. Revisions are those known before it. The
// last error is one of those that the outcomes stand for.
func (d *duel) apply(st step) (outcomes []writeOutcome, last error) {
	ws := d.writes(st)
	var results []dataknobs.Result
	var err error
	switch {
	case !st.batch:
		results = []dataknobs.Result{d.single(ws[0])}
	case st.atomic:
		results, err = d.db.Apply(d.ctx, ws, dataknobs.Atomic())
	default:
		results, err = d.db.Apply(d.ctx, ws)
	}
	out := make([]writeOutcome, len(results))
	failed := false
	for i, r := range results {
		out[i] = writeOutcome{dataknobs.CodeOf(r.Err), r.Created && r.Err == nil}
		if r.Err != nil {
			failed, last = true, r.Err
		}
	}
	if st.atomic && failed { // which one is blamed is the store's choice
		out = slices.Repeat([]writeOutcome{{code: notApplied}}, len(results))
	}
	if st.batch && failed != (err != nil) {
		d.Errorf("the writes %s: error %v, though the results say %v", showStep(st), err, out)
	}
	return out, last
}

// writes are the step's, under the revisions that the store has given.
func (d *duel) writes(st step) []dataknobs.Write {
	ws := slices.Clone(st.writes)
	for i := range ws {
		if ws[i].Revision == "current" {
			ws[i].Revision = d.revs[ws[i].ID]
		}
	}
	return ws
}

// single makes one write by the method for it.
func (d *duel) single(w dataknobs.Write) (res dataknobs.Result) {
	var opts []dataknobs.WriteOption
	if w.Revision != "" {
		opts = append(opts, dataknobs.IfRevision(w.Revision))
	}
	switch {
	case w.Op == dataknobs.WritePatch:
		res, res.Err = d.db.Patch(d.ctx, w.ID, w.Changes, opts...)
	case w.Op == dataknobs.WriteDelete:
		res.Err = d.db.Delete(d.ctx, w.ID, opts...)
	case w.If == dataknobs.IfAbsent:
		res, res.Err = d.db.Create(d.ctx, w.Record, opts...)
	case w.If == dataknobs.IfPresent:
		res, res.Err = d.db.Update(d.ctx, w.Record, opts...)
	default:
		res, res.Err = d.db.Put(d.ctx, w.Record, opts...)
	}
	return res
}

// compareAll compares everything in the store with the model, and learns the
// revisions.
func (d *duel) compareAll() {
	all := d.content()
	if len(all) != len(d.recs) {
		d.Errorf("the store holds %d records, the model %d", len(all), len(d.recs))
	}
	clear(d.revs)
	for _, want := range d.recs {
		got := all[want.ID]
		d.wantRecord(got, want, "record %q", want.ID)
		if got != nil {
			d.revs[want.ID] = got.Revision
		}
	}
	if d.f().NaturalOrder {
		d.wantIDs(&dataknobs.Query{Limit: new(len(d.recs) + 1)}, idsOf(d.recs)...)
	}
}

// query asks store and model the same.
func (d *duel) query(q *dataknobs.Query) {
	if diff := d.ask(d.subject, d.recs, q); diff != "" {
		d.differs(q, diff)
	}
}

// differs reports a difference with the smallest data that shows it.
func (d *duel) differs(q *dataknobs.Query, diff string) {
	recs, small := d.shrink(q)
	if recs == nil {
		d.Errorf("query %s over the store after its random writes (a fresh store with the same records answers right):\n%s", q, diff)
		return
	}
	want, err := modelRun(small, recs, true)
	d.Errorf("the store and the model differ; as a block for the corpus:\n\n%s\nthe first difference found was:\n%s\n%s", block(recs, small, want, err), q, diff)
}

// ask compares the answers to q, at once, as text and in pages; "": all the same.
func (d *duel) ask(s *subject, recs []*dataknobs.Record, q *dataknobs.Query) string {
	want, wantErr := modelRun(q, recs, s.idOrder(q))
	got, err := s.db.All(s.ctx, q)
	if wantErr != nil && (err == nil || dataknobs.CodeOf(err) == dataknobs.CodeOf(wantErr)) {
		return "" // an overflow that the store need not meet, as for want of room on the page
	}
	if diff := s.difference(q, got, err, want, wantErr); diff != "" {
		return diff
	}
	if q.Grouped() {
		return ""
	}
	diff := s.askText(q, got) + s.checkCount(q, len(got))
	if d.asked++; s != d.subject || !s.h.Slow || d.asked%4 == 0 {
		diff += s.checkPages(q, got)
	}
	return diff
}

// askText asks q by its text.
func (s *subject) askText(q *dataknobs.Query, want []*dataknobs.Record) string {
	var got []*dataknobs.Record
	for r, err := range s.db.Query(s.ctx, q.String()) {
		if err != nil {
			return " asked as text: " + outcome(err)
		}
		got = append(got, r)
	}
	if diff := s.difference(q, got, nil, want, nil); diff != "" {
		return " asked as text:\n" + diff
	}
	return ""
}

func showStep(st step) string {
	var b strings.Builder
	fmt.Fprintf(&b, "(batch %v, atomic %v)", st.batch, st.atomic)
	for _, w := range st.writes {
		fmt.Fprintf(&b, "\n   %s %q", writeName(w), w.ID)
		if w.Revision != "" {
			fmt.Fprintf(&b, " if revision %s", w.Revision)
		}
		if w.Record != nil {
			fmt.Fprintf(&b, " %s", show(w.Record))
		}
		b.WriteString(showChanges(w.Changes))
	}
	return b.String()
}

func showChanges(cs []dataknobs.Change) string {
	var b strings.Builder
	for _, c := range cs {
		fmt.Fprintf(&b, " {%s: %s, remove %v}", c.Path, c.Value, c.Remove)
	}
	return b.String()
}

func writeName(w dataknobs.Write) string {
	switch {
	case w.Op == dataknobs.WritePatch:
		return "patch"
	case w.Op == dataknobs.WriteDelete:
		return "delete"
	case w.If == dataknobs.IfAbsent:
		return "create"
	case w.If == dataknobs.IfPresent:
		return "update"
	}
	return "put"
}
