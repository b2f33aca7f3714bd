package drivertest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
)

// A Store is one of the stores that are compared with each other.
type Store struct {
	Name string
	Harness
}

// TogetherOptions say what Together does. The same seed makes the same data
// and the same queries, whatever the stores are.
type TogetherOptions struct {
	// From and To are the seeds of the first and the last set of data.
	From, To uint64
	// Queries is how many queries are asked of each set.
	Queries int
}

// seedsAtOnce is how many sets of data are held at a time.
const seedsAtOnce = 20

// Together fills all stores with the same random data by the same random writes,
// asks all of them the same random queries with more writes in between, and
// compares each outcome and each answer with the contract's model, and so with
// every other store's. A store without full-text search is to refuse it.
//
// Each set of data and store is a subtest, "seeds 1 to 20/7/memory"; they run in
// parallel. A failing query is printed with the smallest data that shows it.
func Together(t *testing.T, stores []Store, o TogetherOptions) {
	start := time.Now()
	for from := o.From; from <= o.To; from += seedsAtOnce {
		to := min(from+seedsAtOnce-1, o.To)
		t.Run(fmt.Sprintf("seeds %d to %d", from, to), func(t *testing.T) {
			for seed := from; seed <= to; seed++ {
				script := sync.OnceValue(func() *script { return newScript(seed, o.Queries) })
				for i := range stores {
					t.Run(fmt.Sprintf("%d/%s", seed, stores[i].Name), func(t *testing.T) {
						t.Parallel()
						stores[i].play(t, script())
					})
				}
			}
		})
		if t.Failed() {
			return
		}
		t.Logf("seeds %d to %d: %d queries × data, each asked of %d stores: all answers agree (%s)",
			o.From, to, int(to-o.From+1)*o.Queries, len(stores), time.Since(start).Round(time.Second))
	}
}

// A script is what is done to every store that holds one set of data, and what
// the model says of it. It is only read once it is made.
type script struct {
	columns []Column
	acts    []act
}

// An act is a write of one kind, a query, or the store being closed and opened
// again or synced, which stores may do without.
type act struct {
	step     *step
	outcomes []writeOutcome
	bulk     *bulk
	counts   bulkOutcome
	turn     turn
	query    *dataknobs.Query
	form     form
	answers  [2]answer
	recs     []*dataknobs.Record // what the store holds after it
}

type turn uint8

const (
	noTurn turn = iota
	turnReopen
	turnSync
)

// A form is how a query is asked: at once, by its text, with Count beside it,
// or in pages.
type form uint8

const (
	asQuery form = iota
	asText
	withCount
	inPages
)

// An answer is the model's: the first of two where an unordered page is in _id
// order, the second where it is in the order of the records' creation.
type answer struct {
	rows []*dataknobs.Record
	err  error
}

// newScript makes the script of a seed.
func newScript(seed uint64, queries int) *script {
	g := newGen(seed)
	g.f = func() *dataknobs.Features { return &dataknobs.Features{Metadata: true, Atomic: true} }
	g.fields = append(g.fields, genField{name: wordsField, kind: dataknobs.KindString, typed: true, words: true})
	s := &script{columns: g.typeColumns()}
	m := &model{}
	for range 4 + g.IntN(6) {
		s.write(g, m)
	}
	if seed%50 == 0 {
		s.makeMany(g, m)
	}
	s.acts = append(s.acts, act{turn: turn(seed % 3), recs: m.recs})
	for i := range queries {
		if i%25 == 24 {
			s.write(g, m)
		}
		s.acts = append(s.acts, newQuery(g, m, form(i%4)))
	}
	return s
}

func (s *script) write(g *gen, m *model) {
	if g.oneIn(4) {
		s.bulk(g.bulk(), g, m)
		return
	}
	st := g.step()
	outcomes := m.expect(st)
	g.recs = m.recs
	s.acts = append(s.acts, act{step: &st, outcomes: outcomes, recs: m.recs})
}

func (s *script) bulk(b bulk, g *gen, m *model) {
	counts := m.expectBulk(b)
	g.recs = m.recs
	s.acts = append(s.acts, act{bulk: &b, counts: counts, recs: m.recs})
}

// makeMany loads more records than stores read or list at a time.
func (s *script) makeMany(g *gen, m *model) {
	b := bulk{kind: bulkLoad, mode: dataknobs.LoadPut}
	for i := range 1100 {
		b.recs = append(b.recs, g.record(fmt.Sprintf("m%d", i*7919%10007)))
	}
	s.bulk(b, g, m)
}

func newQuery(g *gen, m *model, f form) act {
	q := g.query()
	if g.oneIn(30) {
		and := dataknobs.And{g.search()}
		if q.Where != nil {
			and = append(and, q.Where)
		}
		q.Where = and
	}
	a := act{query: q, form: f, recs: m.recs}
	if f == inPages && (q.Grouped() || q.Limit != nil) {
		a.form = asQuery
	}
	for i, idOrder := range []bool{true, false} {
		if a.answers[i] = a.answers[0]; i == 0 || len(q.OrderBy) == 0 && !q.Grouped() {
			a.answers[i].rows, a.answers[i].err = modelRun(q, m.recs, idOrder)
		}
	}
	return a
}

// play does to a fresh store what the script says.
func (h *Harness) play(t *testing.T, s *script) {
	d := &duel{subject: h.withColumns(s.columns).subject(t), revs: map[string]string{}}
	for i := range s.acts {
		if d.act(&s.acts[i]); t.Failed() {
			return
		}
	}
	d.db.Close()
}

func (d *duel) act(a *act) {
	d.recs = a.recs
	switch {
	case a.query != nil:
		if diff := d.answered(a); diff != "" {
			d.differs(a.query, diff)
		}
	case a.bulk != nil:
		d.bulk(*a.bulk, a.counts)
	case a.step != nil:
		d.stepAsAble(*a.step, a.outcomes)
	case d.h.Reopen == nil:
	case a.turn == turnReopen:
		d.reopen()
		d.compareAll()
	case a.turn == turnSync:
		d.must(d.db.Sync(d.ctx), "Sync")
		d.compareAll()
	}
}

// stepAsAble makes the step. A store without atomic batches is to refuse one;
// it then gets the same writes one by one if all of them are to be applied.
func (d *duel) stepAsAble(st step, want []writeOutcome) {
	if st.atomic && !d.f().Atomic {
		if _, err := d.db.Apply(d.ctx, d.writes(st), dataknobs.Atomic()); dataknobs.CodeOf(err) != dataknobs.Unsupported {
			d.Errorf("an atomic batch: got %s, wanted %s, for the store has none", outcome(err), codeText(dataknobs.Unsupported))
		}
		if st.atomic = false; slices.Contains(want, writeOutcome{code: notApplied}) {
			return
		}
	}
	d.step(st, want)
}

// answered asks a query in its form; "": the answer is the model's.
func (d *duel) answered(a *act) string {
	q := a.query
	if a.form == inPages {
		return d.answeredInPages(a)
	}
	want := a.answers[0]
	if !d.idOrder(q) {
		want = a.answers[1]
	}
	got, err := d.askedAs(a.form, q)
	code := dataknobs.CodeOf(err)
	switch {
	case code == dataknobs.Unsupported && !d.searches(q):
		return ""
	case want.err != nil && (err == nil || code == dataknobs.CodeOf(want.err)):
		return "" // an overflow that the store need not meet, as for want of room on the page
	}
	diff := d.difference(q, got, err, want.rows, want.err)
	if diff == "" && a.form == withCount {
		diff = d.checkCount(q, len(got))
	}
	return diff
}

func (d *duel) askedAs(f form, q *dataknobs.Query) (got []*dataknobs.Record, err error) {
	if f != asText {
		return d.db.All(d.ctx, q)
	}
	for r, err := range d.db.Query(d.ctx, q.String()) {
		if err != nil {
			return nil, err
		}
		got = append(got, r)
	}
	return got, nil
}

// answeredInPages walks through q page by page.
func (d *duel) answeredInPages(a *act) string {
	want := a.answers[0]
	if d.f().NaturalOrder && len(a.query.OrderBy) == 0 {
		want = a.answers[1]
	}
	size := max(len(want.rows)/4, 1)
	q := *a.query
	q.Limit = &size
	var got []*dataknobs.Record
	for {
		p, err := d.db.Page(d.ctx, &q)
		switch {
		case dataknobs.CodeOf(err) == dataknobs.Unsupported && !d.searches(&q):
			return ""
		case err != nil:
			return fmt.Sprintf(" in pages of %d, after %d records: %s", size, len(got), outcome(err))
		}
		if got = append(got, p.Records...); p.Next == "" || len(got) > len(want.rows) {
			break
		}
		q.After, q.Offset = p.Next, 0
	}
	if diff := d.difference(&q, got, nil, want.rows, nil); diff != "" {
		return fmt.Sprintf(" in pages of %d:\n%s", size, diff)
	}
	return ""
}

// searches reports whether the store answers every full-text search in q, of
// which there may be none.
func (s *subject) searches(q *dataknobs.Query) bool {
	able := true
	dataknobs.Conds(q.Where, func(c *dataknobs.Cond) bool {
		if c.Op == dataknobs.Match || c.Op == dataknobs.NotMatch {
			able = able && s.f().Filter != nil && s.f().Filter(c).Fidelity == dataknobs.Exact
		}
		return true
	})
	return able
}
