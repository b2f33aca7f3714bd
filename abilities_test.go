package dataknobs_test

import (
	"slices"
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

// ability finds one among all; it fails the test where there is none.
func ability(t *testing.T, all []dk.AbilityInfo, what, of string) dk.Support {
	t.Helper()
	i := slices.IndexFunc(all, func(a dk.AbilityInfo) bool { return a.What == what && a.Of == of })
	if i < 0 {
		t.Errorf("nothing is said of %s of %s", what, of)
		return dk.Support{}
	}
	return all[i].Support
}

func TestAbilitiesAskTheFeatures(t *testing.T) {
	f := &dk.Features{
		Filter: func(c *dk.Cond) dk.Support {
			switch {
			case len(c.Args) > 0 && c.Args[0].Kind() == dk.KindBytes:
				return dk.Support{Reason: "no bytes"}
			case c.Op == dk.Like:
				return dk.Support{Fidelity: dk.Rough, Reason: "patterns are long"}
			case c.Op == dk.Match:
				return dk.Support{}
			}
			return dk.Support{Fidelity: dk.Exact}
		},
		Sort:      func([]dk.Order) dk.Support { return dk.Support{Fidelity: dk.Exact} },
		SortLimit: 10,
		Seek:      true,
	}
	all := dk.Abilities(f)
	for _, c := range []struct {
		what, of string
		want     dk.Fidelity
		reason   string
	}{
		{"=", "int", dk.Exact, ""},
		{"=", "bytes", dk.None, "no bytes"},
		{"NOT BETWEEN", "bytes", dk.None, "no bytes"},
		{"LIKE", "string", dk.Rough, "patterns"},
		{"LIKE", "_id", dk.Rough, "patterns"},
		{"MATCH", "string", dk.None, "no full-text search"},
		{"ORDER BY", "_id", dk.Exact, "at most 10"},
		{"cursor", "", dk.Exact, ""},
		{"LIMIT, OFFSET", "", dk.None, "no limit"},
		{"SELECT", "", dk.None, "whole records"},
		{"sum", "a field", dk.None, "cannot aggregate"},
		{"atomic batches", "", dk.None, "all or nothing"},
	} {
		if got := ability(t, all, c.what, c.of); got.Fidelity != c.want || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s of %s: got %v, want %s because of %q", c.what, c.of, got, c.want, c.reason)
		}
	}
	if slices.ContainsFunc(all, func(a dk.AbilityInfo) bool { return a.What == "LIKE" && a.Of == "int" }) {
		t.Error("there is an ability that no query can ask for: LIKE of an int")
	}
}

// Every operator is listed, also of a store that can do nothing.
func TestAbilitiesListEveryOperator(t *testing.T) {
	all := dk.Abilities(&dk.Features{})
	for op := dk.Eq; op.String() != "?"; op++ {
		if got := ability(t, all, op.String(), "string"); got.Fidelity != dk.None || got.Reason == "" {
			t.Errorf("%s: got %v", op, got)
		}
	}
}

func TestBoundsOfABackend(t *testing.T) {
	b := &dk.Backend{
		Features: func() *dk.Features { return &dk.Features{MaxRecord: 1 << 20, MaxBatch: 7} },
		Limits:   []dk.Limit{{Name: "columns", Text: "16"}},
	}
	var text strings.Builder
	for _, l := range b.Bounds() {
		text.WriteString(l.Name + " " + l.Text + "\n")
	}
	for _, want := range []string{"an ID 512 bytes", "a record 1MiB", "7; larger", "columns 16"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	if n := len((&dk.Backend{}).Bounds()); n != 4 {
		t.Errorf("a backend that says nothing has %d bounds", n)
	}
}

// A program that imports no driver still knows the module's, and where they are.
func TestKnownBackends(t *testing.T) {
	all := dk.KnownBackends()
	find := func(name string) dk.KnownBackend {
		i := slices.IndexFunc(all, func(k dk.KnownBackend) bool { return k.Name == name })
		if i < 0 {
			t.Fatalf("there is no %s among %v", name, all)
		}
		return all[i]
	}
	if k := find("postgres"); k.Backend != nil || k.Import != "dataknobs.dev/dataknobs/driver/postgres" || !slices.Equal(k.Schemes, []string{"postgresql"}) {
		t.Errorf("got %+v", k)
	}
	if k := find("testnet"); k.Backend == nil || k.Import != "" {
		t.Errorf("got %+v", k)
	}
	if !slices.IsSortedFunc(all, func(a, b dk.KnownBackend) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("not sorted: %v", all)
	}
}
