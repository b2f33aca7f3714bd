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
	g.s = d.subject
	return d
}

// A duel is one store and what the model says it holds.
type duel struct {
	*subject
	gen  *gen
	recs []*dataknobs.Record // in the order of their creation; Revision is the model's own
	revs map[string]string   // the store's revision of each record
	last int                 // the model's last revision

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
			d.bulk()
			continue
		}
		st := d.gen.step()
		want := d.expect(st)
		got := d.apply(st)
		if !slices.Equal(got, want) {
			d.Errorf("the writes %s:\n got    %v\n wanted %v", showStep(st), got, want)
		}
		d.compareAll()
		if d.Failed() {
			d.Logf("the last writes were %s", showStep(st))
			return
		}
	}
}

// An outcome of one write.
type writeOutcome struct {
	code    dataknobs.Code // 0: applied
	created bool
}

func (o writeOutcome) String() string {
	switch {
	case o.code != 0:
		return o.code.Error()
	case o.created:
		return "created"
	}
	return "done"
}

// notApplied stands for a write of an atomic batch that another one failed.
const notApplied = dataknobs.Code(255)

// apply makes the step on the store. Revisions are those known before it.
func (d *duel) apply(st step) []writeOutcome {
	ws := slices.Clone(st.writes)
	for i := range ws {
		switch ws[i].Revision {
		case "current":
			ws[i].Revision = d.revs[ws[i].ID]
		case "stale":
			ws[i].Revision = "stale"
		}
	}
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
		failed = failed || r.Err != nil
	}
	if st.atomic && failed { // which one is blamed is the store's choice
		out = slices.Repeat([]writeOutcome{{code: notApplied}}, len(results))
	}
	if st.batch && failed != (err != nil) {
		d.Errorf("the writes %s: error %v, though the results say %v", showStep(st), err, out)
	}
	return out
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

// expect makes the step on the model. A write under a revision of a record
// that is not there asks for no particular one: no revision is known.
func (d *duel) expect(st step) []writeOutcome {
	known := map[string]string{}
	for _, r := range d.recs {
		known[r.ID] = r.Revision
	}
	before := slices.Clone(d.recs)
	var out []writeOutcome
	failed := false
	for i := range st.writes {
		w := &st.writes[i]
		if known[w.ID] == "" && w.Revision == "current" {
			w.Revision = ""
		}
		o := d.expectOne(*w, known[w.ID])
		failed = failed || o.code != 0
		out = append(out, o)
	}
	if st.atomic && failed {
		d.recs = before
		return slices.Repeat([]writeOutcome{{code: notApplied}}, len(out))
	}
	return out
}

func (d *duel) expectOne(w dataknobs.Write, known string) writeOutcome {
	i := slices.IndexFunc(d.recs, func(r *dataknobs.Record) bool { return r.ID == w.ID })
	switch {
	case i < 0 && (w.If == dataknobs.IfPresent || w.Revision != ""):
		return writeOutcome{code: dataknobs.NotFound}
	case i >= 0 && w.If == dataknobs.IfAbsent:
		return writeOutcome{code: dataknobs.AlreadyExists}
	case w.Revision == "stale" || w.Revision == "current" && d.recs[i].Revision != known:
		return writeOutcome{code: dataknobs.Conflict}
	case w.Op == dataknobs.WriteDelete:
		d.recs = slices.Delete(slices.Clone(d.recs), i, i+1)
		return writeOutcome{}
	}
	r := w.Record
	if w.Op == dataknobs.WritePatch {
		var err error
		if r, err = dataknobs.ApplyChanges(d.recs[i], w.Changes); err != nil {
			return writeOutcome{code: dataknobs.CodeOf(err)}
		}
	}
	r = r.Clone()
	d.last++
	r.Revision = strconv.Itoa(d.last)
	if d.recs = slices.Clone(d.recs); i < 0 {
		d.recs = append(d.recs, r)
		return writeOutcome{created: true}
	}
	d.recs[i] = r
	return writeOutcome{}
}

// compareAll compares everything in the store with the model, and learns the
// revisions.
func (d *duel) compareAll() {
	all := d.content()
	if len(all) != len(d.recs) {
		d.Errorf("the store holds %d records, the model %d", len(all), len(d.recs))
	}
	d.gen.recs = d.recs
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
	diff := d.ask(d.subject, d.recs, q)
	if diff == "" {
		return
	}
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
		for _, c := range w.Changes {
			fmt.Fprintf(&b, " {%s: %s, remove %v}", c.Path, c.Value, c.Remove)
		}
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
