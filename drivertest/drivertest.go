// Package drivertest holds every driver to the same contract: docs/semantics.md.
//
// A driver's tests call [Run] with a [Harness] that says how to open a fresh
// store. Run is the conformance suite: a subtest for each rule, with a fresh
// store, that prints the rule when it fails. It includes [Corpus], the meaning
// of queries as text files, and [Differential], random records and queries
// compared with a reference. [Kill] kills the writers of an embedded store,
// [Bench] measures what every driver can do.
//
//	func TestConformance(t *testing.T) {
//		drivertest.Run(t, drivertest.Harness{
//			Open: func(t *testing.T) *dataknobs.DB { return dataknobs.New(memory.New(memory.Options{}), nil) },
//		})
//	}
//
// What a store may leave out, it says in its [dataknobs.Features]; the suite
// adapts to nothing else.
package drivertest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
)

// A Harness says how the suite opens the stores of one driver configuration.
type Harness struct {
	// Open returns a store that is new and empty at every call. The suite closes
	// it; Open registers whatever else must be cleaned up with t.Cleanup.
	Open func(t *testing.T) *dataknobs.DB
	// OpenColumns is Open for a store in the columns layout: a table with each of
	// cols as a typed column, the key column id of texts, and one column each for all
	// other fields and for the metadata (extra and meta would do). Where it is set,
	// everything runs in that layout and Open is not used: the suite tries each case on
	// a store of its own first, sees which fields hold values of one kind only, and
	// asks for columns for these. That null and absence are the same in a column
	// needs no NullIsAbsent.
	OpenColumns func(t *testing.T, cols []Column) *dataknobs.DB
	// Reopen closes db and opens the same store again, as another process would
	// find it. nil for a store that keeps nothing.
	Reopen func(t *testing.T, db *dataknobs.DB) *dataknobs.DB
	// Beside opens one more handle on db's store, as another process would have
	// it at the same time; races are then run between both. nil for a store that
	// one handle has to itself.
	Beside func(t *testing.T, db *dataknobs.DB) *dataknobs.DB
	// NullIsAbsent: the store cannot tell an explicit null from an absent field.
	NullIsAbsent bool
	// MaxID is the longest ID that the store has room for, in bytes: longer ones are
	// ResourceExhausted. 0: all that are legal.
	MaxID int
	// Slow: opening a store or writing to it costs much, as with a server. The
	// suite then does fewer rounds, as it does under -short; no rule is left out.
	Slow bool
	// Only names the groups of cases to run, such as "Tx", where a store differs
	// from one that has passed them all in little; "Corpus" and "Differential" are
	// groups too. nil: everything.
	Only []string
	// Differential scales the differential test. The zero value suits a store that
	// is compared with the model nowhere else.
	Differential DifferentialOptions
	// Skip names cases ("Write/create") that do not apply to this store, with the reason, which
	// must be one that the contract gives.
	Skip map[string]string

	columns []Column // that Open's stores have, with OpenColumns
}

// need is what a case needs that the contract does not promise of every store.
type need uint16

const (
	needIDs     need = 1 << iota // IDs that the caller chooses and that last
	needAnyID                    // IDs of any text
	needFreeID                   // IDs that stand beside the fields, not made of one
	needMeta                     // metadata
	needReopen                   // a store that lasts
	needNatural                  // an order of its own
	needAtomic                   // atomic batches
	needTyped                    // a store that knows the kinds of its fields
	needRows                     // IDs that are row numbers
	needNoMeta                   // a store that keeps no metadata
	needTx                       // transactions
	needColumns                  // typed columns
)

// missing says why a case that has these needs does not apply; "" if it does.
func (n need) missing(h *Harness, db *dataknobs.DB) string {
	f := db.Features()
	_, typed := dataknobs.Ability[dataknobs.Typed](db.Driver())
	_, transacts := dataknobs.Ability[dataknobs.Transactor](db.Driver())
	switch {
	case n&needColumns != 0 && h.OpenColumns == nil:
		return "this store has no typed columns"
	case n&needAnyID != 0 && (f.RowIDs != "" || len(f.Key) > 0 && h.OpenColumns == nil):
		return "the IDs of this store are made of its fields " + strings.Join(f.Key, ", ")
	case n&needTx != 0 && !transacts:
		return "this store has no transactions"
	case n&needAtomic != 0 && !f.Atomic:
		return "this store has no atomic batches"
	case n&needTyped != 0 && !typed:
		return "this store does not know the kinds of its fields"
	case n&needRows != 0 && f.RowIDs == "":
		return "the IDs of this store are real"
	case n&needNoMeta != 0 && f.Metadata:
		return "this store keeps metadata"
	case n&needIDs != 0 && f.RowIDs != "":
		return "the IDs of this store are row numbers: " + f.RowIDs
	case n&needFreeID != 0 && (f.RowIDs != "" || len(f.Key) > 0):
		return "the IDs of this store are made of its fields " + strings.Join(f.Key, ", ")
	case n&needMeta != 0 && !f.Metadata:
		return "this store keeps no metadata"
	case n&needReopen != 0 && h.Reopen == nil:
		return "this store does not last"
	case n&needNatural != 0 && !f.NaturalOrder:
		return "this store has no order of its own"
	}
	return ""
}

// A testCase is one rule of the contract.
type testCase struct {
	name  string
	why   string // the rule, printed on failure
	needs need
	run   func(*subject)
}

// A subject is a fresh store under test.
type subject struct {
	testing.TB
	h   *Harness
	db  *dataknobs.DB
	ctx context.Context
}

// Run runs the whole suite: a subtest for each rule, the corpus, and a
// differential test of moderate length.
func Run(t *testing.T, h Harness) {
	if h.OpenColumns != nil {
		h.Open = func(t *testing.T) *dataknobs.DB { return h.OpenColumns(t, nil) }
	}
	fresh := h.Open(t)
	defer fresh.Close()
	if why := fresh.Features().ReadOnly; why != "" {
		t.Fatalf("nothing can be written to this store: %s", why)
	}
	groups := []struct {
		name  string
		cases []testCase
	}{
		{"Write", writeCases()},
		{"Revision", revisionCases},
		{"Owned", ownedCases},
		{"Value", valueCases},
		{"Name", nameCases},
		{"Invalid", invalidCases()},
		{"Batch", batchCases},
		{"Load", loadCases},
		{"Read", readCases},
		{"Condition", conditionCases},
		{"Page", pageCases},
		{"Group", groupCases},
		{"Columns", columnCases},
		{"Tx", txCases},
		{"Concurrent", concurrentCases},
		{"Context", contextCases},
		{"Close", closeCases},
		{"Durable", durableCases},
	}
	for _, g := range groups {
		if !h.runs(g.name) {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				// A rule that does not apply to this store is no test of it.
				if why := h.without(g.name+"/"+c.name, c.needs, fresh); why != "" {
					t.Logf("%s does not apply: %s", c.name, why)
					continue
				}
				t.Run(c.name, func(t *testing.T) { h.forCase(t, g.name+"/"+c.name, &c).runCase(t, &c) })
			}
		})
	}
	if h.runs("Corpus") {
		t.Run("Corpus", func(t *testing.T) { Corpus(t, h) })
	}
	if h.runs("Differential") && needAnyID.missing(&h, fresh) == "" {
		t.Run("Differential", func(t *testing.T) { Differential(t, h, h.Differential) })
	}
}

// runs reports whether that group of cases is wanted.
func (h *Harness) runs(group string) bool { return len(h.Only) == 0 || slices.Contains(h.Only, group) }

// without says why the store does without a case; "" if the case applies.
func (h *Harness) without(name string, needs need, fresh *dataknobs.DB) string {
	if why := h.Skip[name]; why != "" {
		return why
	}
	return needs.missing(h, fresh)
}

func (h *Harness) runCase(t *testing.T, c *testCase) {
	s := h.subject(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the rule: %s", c.why)
		}
	})
	c.run(s)
}

// subject opens a fresh store for t and closes it at t's end.
func (h *Harness) subject(t *testing.T) *subject {
	t.Helper()
	s := newSubject(t, h, h.Open(t))
	t.Cleanup(func() { s.db.Close() })
	return s
}

func newSubject(t testing.TB, h *Harness, db *dataknobs.DB) *subject {
	return &subject{TB: t, h: h, db: db, ctx: t.Context()}
}

// f is what the store can do now: a store over files may learn more of itself
// when it is first written.
func (s *subject) f() *dataknobs.Features { return s.db.Features() }

// another opens one more fresh store for the same case.
func (s *subject) another() *subject {
	s.Helper()
	return s.h.subject(s.TB.(*testing.T))
}

// handles returns the store's handles to race with each other.
func (s *subject) handles() []*dataknobs.DB {
	s.Helper()
	if s.h.Beside == nil {
		return []*dataknobs.DB{s.db}
	}
	other := s.h.Beside(s.TB.(*testing.T), s.db)
	s.Cleanup(func() { other.Close() })
	return []*dataknobs.DB{s.db, other}
}

// reopen replaces the store by what another process would find of it.
func (s *subject) reopen() {
	s.Helper()
	s.db = s.h.Reopen(s.TB.(*testing.T), s.db)
}

// rounds scales a number of repetitions to the cost of the store.
func (s *subject) rounds(n int) int {
	if s.brief() {
		return max(n/4, 1)
	}
	return n
}

// brief reports whether fewer rounds must do.
func (s *subject) brief() bool { return s.h.Slow || testing.Short() }
