package drivertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/internal/txfake"
)

func openMemory(*testing.T) *dataknobs.DB { return dataknobs.New(memory.New(memory.Options{}), nil) }

func TestMemory(t *testing.T) {
	beside := func(_ *testing.T, db *dataknobs.DB) *dataknobs.DB { return dataknobs.New(db.Driver(), nil) }
	Run(t, Harness{Open: openMemory, Beside: beside})
}

// TestTransactions proves the cases about transactions, and the engine's part
// in them.
func TestTransactions(t *testing.T) {
	beside := func(_ *testing.T, db *dataknobs.DB) *dataknobs.DB { return dataknobs.New(db.Driver(), nil) }
	Run(t, Harness{Open: func(*testing.T) *dataknobs.DB { return dataknobs.New(txfake.New(), nil) }, Beside: beside})
}

func BenchmarkMemory(b *testing.B) {
	Bench(b, func(*testing.B) *dataknobs.DB { return openMemory(nil) })
}

func TestMemoryDifferential(t *testing.T) {
	Differential(t, Harness{Open: openMemory}, DifferentialOptions{Stores: stores()})
}

// stores is how many stores the long differential tests fill.
func stores() int {
	if testing.Short() {
		return 20
	}
	return 80
}

// TestDegraded proves the planner: whatever a driver can do, the answers are
// the same.
func TestDegraded(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			Run(t, Harness{Open: func(*testing.T) *dataknobs.DB {
				return dataknobs.New(Degrade(memory.New(memory.Options{}), seed), nil)
			}})
		})
	}
}

func TestDegradedDifferential(t *testing.T) {
	seed := uint64(100)
	Differential(t, Harness{Open: func(*testing.T) *dataknobs.DB {
		seed++
		return dataknobs.New(Degrade(memory.New(memory.Options{}), seed), nil)
	}}, DifferentialOptions{Stores: stores()})
}

// TestCorpusAnswers asks the model what the corpus asks the stores.
func TestCorpusAnswers(t *testing.T) {
	sets, err := readCorpus()
	if err != nil {
		t.Fatal(err)
	}
	h := &Harness{Open: openMemory}
	s := h.subject(t)
	n := 0
	for _, set := range sets {
		for _, c := range set.queries {
			n++
			q, err := dataknobs.Parse(c.text, c.args...)
			if err != nil {
				continue // the stores' tests check errors
			}
			if c.code == dataknobs.Unsupported {
				continue // the model has no full-text search
			}
			hasIndex := slices.ContainsFunc(q.Select, func(c dataknobs.Column) bool { return c.As == "" && len(c.Path) > 1 && c.Path[1].Name == "" })
			got, err := modelRun(q, set.recs, false)
			if c.code != dataknobs.CodeOf(err) && c.code != dataknobs.InvalidArgument || c.code == 0 && !hasIndex && c.checkRows(s, q, got) != "" {
				t.Errorf("%s:%d: query %s: the model answers %s, error %v\n%s", set.file, c.line, c.text, showAll(got), err, c.checkRows(s, q, got))
			}
		}
	}
	t.Logf("%d queries over %d sets of records", n, len(sets))
}

// TestCorpusData checks that every set of records has what stores get wrong:
// a field that is missing in one record, null in another, and of two kinds.
func TestCorpusData(t *testing.T) {
	sets, err := readCorpus()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets {
		var missing, null, clash bool
		kinds := map[string]dataknobs.KindSet{}
		for _, r := range set.recs {
			for _, f := range r.Fields {
				kinds[f.Name] = kinds[f.Name].With(f.Value.Kind())
			}
		}
		for name, ks := range kinds {
			null = null || ks.Has(dataknobs.KindNull)
			clash = clash || strings.Contains(ks.String(), "|") && ks.String() != "int|float"
			missing = missing || slices.ContainsFunc(set.recs, func(r *dataknobs.Record) bool { _, ok := r.Fields.Get(name); return !ok })
		}
		if !missing || !null || !clash || len(set.queries) == 0 {
			t.Errorf("%s:%d: missing field %v, null %v, kinds that clash %v, %d queries", set.file, set.line, missing, null, clash, len(set.queries))
		}
	}
}

// TestCorpusSyntax checks what the corpus's reader refuses.
func TestCorpusSyntax(t *testing.T) {
	for _, text := range []string{
		"query x = 1\n", "load\n  {\n", "load\n  {\"_id\": \"b\"}\n  {\"_id\": \"a\"}\n", "load\nasks x\n", "  {\"_id\": \"a\"}\n",
		"load\nquery x\n  error no such code: x\n", "load\nquery x\n  args {\n", "load\nrows x\n  a\n",
	} {
		if sets, err := parseCorpus("x.txt", text); err == nil {
			t.Errorf("%q is read as %+v, wanted an error", text, sets)
		}
	}
}

// TestBlock checks that what the differential test prints can be pasted into
// the corpus.
func TestBlock(t *testing.T) {
	h := &Harness{Open: openMemory}
	for seed := range uint64(300) {
		s := h.subject(t)
		g := newGen(seed)
		g.f = s.f
		for _, id := range genIDs[:20] {
			g.recs = append(g.recs, g.record(id))
		}
		g.recs = byID(g.recs)
		q := g.query()
		want, err := modelRun(q, g.recs, true)
		text := block(g.recs, q, want, err)
		sets, readErr := parseCorpus("block", text)
		if readErr != nil {
			t.Fatalf("%v in\n%s", readErr, text)
		}
		c := sets[0].queries[0]
		again, parseErr := dataknobs.Parse(c.text)
		if parseErr != nil || again.String() != q.String() || !slices.EqualFunc(sets[0].recs, g.recs, (*dataknobs.Record).Identical) {
			t.Fatalf("read back as %v (error %v) from\n%s", again, parseErr, text)
		}
		if !slices.Equal(idsOf(c.want), idsOf(want)) || c.code != dataknobs.CodeOf(err) {
			t.Fatalf("the answer is read back as %q, wanted %q", idsOf(c.want), idsOf(want))
		}
	}
}

// TestTogether compares stores that can do much with one that can do nothing.
func TestTogether(t *testing.T) {
	seed := uint64(200)
	Together(t, []Store{
		{"memory", Harness{Open: openMemory}},
		{"transactions", Harness{Open: func(*testing.T) *dataknobs.DB { return dataknobs.New(txfake.New(), nil) }}},
		{"degraded", Harness{Open: func(*testing.T) *dataknobs.DB {
			return dataknobs.New(Degrade(memory.New(memory.Options{}), seed), nil)
		}}},
	}, TogetherOptions{From: 46, To: 50, Queries: 100})
}

// TestSurvey checks that a survey says the same of the same store, and what it
// says of one that can do nothing.
func TestSurvey(t *testing.T) {
	open := func(*testing.T) *dataknobs.DB { return dataknobs.New(txfake.New(), nil) }
	first, again := Survey(t, Harness{Open: open}), Survey(t, Harness{Open: open})
	if !slices.Equal(first, again) {
		t.Errorf("two surveys of the same store differ")
	}
	for _, f := range first {
		if f.Fidelity != dataknobs.None {
			t.Errorf("%s on %s: %s, by a store that can do nothing", f.Part, f.On, f.Fidelity)
		}
	}
}
