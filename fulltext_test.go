package dataknobs_test

import (
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

// wordsOfTitle is the filter of a store with an index of the words of title. It
// is exact about n, lets others through for r, and cannot do anything else.
func wordsOfTitle(c *dk.Cond) dk.Support {
	isMatch := c.Op == dk.Match || c.Op == dk.NotMatch
	switch name := c.Path[0].Name; {
	case isMatch && name == "title", !isMatch && name == "n":
		return dk.Support{Fidelity: dk.Exact}
	case !isMatch && name == "r":
		return dk.Support{Fidelity: dk.Rough}
	case isMatch:
		return dk.Support{Reason: "the index has no words of it"}
	}
	return dk.Support{}
}

// MATCH is answered by the store or not at all.
func TestMatchIsLeftToTheStore(t *testing.T) {
	db := dk.New(newFake(t, dk.Features{Filter: wordsOfTitle}), nil)
	for _, c := range []struct{ query, pushed, here string }{
		{"title match 'quick fox'", "title MATCH 'quick fox'", ""},
		{"not title match 'fox' and n = 1", "title NOT MATCH 'fox' AND n = 1", ""},
		{"title match 'fox' and r = 1", "title MATCH 'fox' AND r = 1", "r = 1"},
		{"title match 'fox' and x = 1 and (n = 1 or x = 2)", "title MATCH 'fox'", "x = 1; n = 1 OR x = 2"},
		{"title match 'fox' or n = 1 and title match 'dog'", "title MATCH 'fox' OR n = 1 AND title MATCH 'dog'", ""},
		{"select n, count(*) where title match 'fox' group by n having n > 2", "title MATCH 'fox'", ""},
	} {
		plan, err := db.Explain(t.Context(), dk.MustParse(c.query), dk.ExplainOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		var here []string
		for _, r := range plan.Residual {
			if r.Part == "filter" {
				here = append(here, r.Text)
			}
		}
		if got := strings.Join(here, "; "); plan.Pushed.Where != c.pushed || got != c.here {
			t.Errorf("%s: got %q pushed and %q here, wanted %q and %q", c.query, plan.Pushed.Where, got, c.pushed, c.here)
		}
	}
	for _, c := range []struct{ query, says string }{
		{"name match 'fox'", "the store cannot answer name MATCH: the index has no words of it (use name ILIKE '%word%'"},
		{"title match 'fox' and name match 'fox'", "cannot answer name MATCH"},
		{"title match 'fox' or x = 1", "cannot answer x = 1, which stands beside title MATCH in an OR: the store cannot do ="},
		{"title match 'fox' or r = 1", "cannot answer r = 1, which stands beside title MATCH in an OR: the store's own answer lets others through"},
		{"n = 1 or title not match 'fox' and r = 1", "cannot answer r = 1"},
	} {
		for _, err := range db.Run(t.Context(), dk.MustParse(c.query)) {
			if dk.CodeOf(err) != dk.Unsupported || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: got %v, wanted Unsupported that says %q", c.query, err, c.says)
			}
		}
		if _, err := db.Explain(t.Context(), dk.MustParse(c.query), dk.ExplainOptions{}); dk.CodeOf(err) != dk.Unsupported {
			t.Errorf("explain %s: got %v, wanted Unsupported", c.query, err)
		}
		if _, err := db.Count(t.Context(), dk.MustParse(c.query).Where); dk.CodeOf(err) != dk.Unsupported {
			t.Errorf("count %s: got %v, wanted Unsupported", c.query, err)
		}
	}
}

// A condition with MATCH cannot be compiled: nothing but a store can answer it.
func TestMatchIsNotCompiled(t *testing.T) {
	for _, e := range []dk.Expr{dk.P("a").Match("x"), dk.Negate(dk.AnyOf(dk.P("n").Eq(1), dk.P("a").Match("x")))} {
		if _, err := dk.Compile(e); dk.CodeOf(err) != dk.Unsupported {
			t.Errorf("%s: got %v, wanted Unsupported", dk.AppendExpr(nil, e), err)
		}
	}
	if s := dk.CanCompile(dk.P("a").Match("x").(*dk.Cond)); s.Fidelity != dk.None {
		t.Errorf("CanCompile of MATCH: got %s", s.Fidelity)
	}
	if s := dk.CanCompile(dk.P("a").Matches("x").(*dk.Cond)); s.Fidelity != dk.Exact {
		t.Errorf("CanCompile of MATCHES: got %s", s.Fidelity)
	}
}
