package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
)

func TestBackendsTellAllAboutThemselves(t *testing.T) {
	s := newShell(t)
	for _, k := range dataknobs.KnownBackends() {
		out := s.ok("backends", k.Name)
		for _, want := range []string{k.Summary, "It needs", "What a new store does by itself", "ORDER BY", "Limits", "512 bytes", "Options"} {
			if !strings.Contains(out, want) {
				t.Errorf("dk backends %s does not say %q:\n%s", k.Name, want, out)
			}
		}
		for _, o := range k.Backend.Options {
			if !strings.Contains(out, "--"+flagName(o.Name)+" ") {
				t.Errorf("dk backends %s does not list %s", k.Name, o.Name)
			}
		}
	}
}

func TestBackendAsJSON(t *testing.T) {
	var got struct {
		Name, Summary string
		Needs         []string
		Limits        map[string]string
		Abilities     []struct{ Part, What, Of, Fidelity, Reason string }
		Options       []struct {
			Name, Kind, Min    string
			Required, Location bool
		}
		Schema map[string]any
	}
	if err := json.Unmarshal([]byte(newShell(t).ok("backends", "sqlite", "-o", "json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "sqlite" || len(got.Needs) == 0 || got.Limits["an ID"] == "" || got.Schema["properties"] == nil {
		t.Errorf("something is missing: %+v", got)
	}
	like := slices.IndexFunc(got.Abilities, func(a struct{ Part, What, Of, Fidelity, Reason string }) bool {
		return a.What == "LIKE" && a.Of == "string"
	})
	if like < 0 || got.Abilities[like].Part != dataknobs.PartFilter {
		t.Errorf("got the abilities %v", got.Abilities)
	}
	for _, o := range got.Options {
		if o.Name == "path" && !o.Location || o.Name == "pool.max" && (o.Kind != "int" || o.Min != "1") {
			t.Errorf("got the option %+v", o)
		}
	}
}

// An option that means something else to each store says so in the help.
func TestOptionsOfSeveralMeanings(t *testing.T) {
	i := slices.IndexFunc(allOptions(), func(o option) bool { return o.Name == "index" })
	o := allOptions()[i]
	if o.Kind != dataknobs.OptionList || !strings.Contains(o.Doc, "elasticsearch: the index") || !strings.Contains(o.Doc, "memory: paths to index") {
		t.Errorf("got %v", o)
	}
	out := newShell(t).ok("count", "--help")
	for _, want := range []string{"--index", "--path", "--hosts", "--bucket"} {
		if !strings.Contains(out, want) {
			t.Errorf("dk count --help does not list %s", want)
		}
	}
}
