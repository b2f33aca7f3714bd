package layer_test

import (
	"os"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/layer"
)

func TestKindsAreComplete(t *testing.T) {
	good := map[string]string{"timeout": "10s", "prefix": "acme", "fault": "get nth=9 fail=internal", "readonly": "true", "trace": "true", "retry": "3", "limit": "100", "circuit": "5"}
	for _, k := range layer.Kinds() {
		var main *dataknobs.OptionInfo
		for i := range k.Options {
			if k.Options[i].Name == k.Main {
				main = &k.Options[i]
			}
		}
		if main == nil || k.Summary == "" {
			t.Errorf("%s: the option %q of a single value: %v", k.Name, k.Main, main)
		}
		if same, err := layer.Lookup(k.Name); err != nil || same != k {
			t.Errorf("Lookup(%s): %v", k.Name, err)
		}
		d, err := k.Wrap(store(t), map[string]string{k.Main: good[k.Name]}, layer.Env{Name: "people", System: "memory", Logger: quiet()})
		if err != nil {
			t.Errorf("%s: %s: %v", k.Name, good[k.Name], err)
			continue
		}
		db := dataknobs.New(d, nil)
		if _, err := db.Count(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
}

func TestSettingsWithMistakesAreRefused(t *testing.T) {
	for _, c := range []struct {
		kind  string
		texts map[string]string
		hint  string
	}{
		{"retry", map[string]string{"atempts": "3"}, "attempts"},
		{"retry", map[string]string{"attempts": "0"}, "1"},
		{"retry", map[string]string{"attempts": "many"}, "whole number"},
		{"timeout", nil, "after"},
		{"timeout", map[string]string{"after": "ten"}, "duration"},
		{"prefix", map[string]string{"tenant": ""}, "tenant"},
		{"fault", map[string]string{"rules": "get fale=x"}, "fail"},
	} {
		k, err := layer.Lookup(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.Wrap(store(t), c.texts, layer.Env{})
		wantCode(t, c.kind, err, dataknobs.InvalidArgument)
		if err != nil && !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s %v: got %v, wanted %q in it", c.kind, c.texts, err, c.hint)
		}
	}
	_, err := layer.Lookup("retyr")
	wantCode(t, "a misspelt layer", err, dataknobs.InvalidArgument)
	if err != nil && !strings.Contains(err.Error(), "retry") {
		t.Errorf("a misspelt layer: got %v", err)
	}
}

func TestASwitchedOffLayerIsNone(t *testing.T) {
	for _, name := range []string{"readonly", "trace"} {
		k, err := layer.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		d := store(t)
		if got, err := k.Wrap(d, map[string]string{"enabled": "false"}, layer.Env{}); err != nil || got != dataknobs.Driver(d) {
			t.Errorf("%s: got %v, error %v", name, got, err)
		}
	}
}

// docs/layers.md names every option of every layer, with its default.
func TestEveryOptionIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/layers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range layer.Kinds() {
		_, section, found := strings.Cut(string(text), "\n## "+k.Name+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found {
			t.Errorf("there is no section %s", k.Name)
		}
		for _, o := range k.Options {
			line := ""
			for l := range strings.Lines(section) {
				if strings.Contains(l, "`"+o.Name+"`") || strings.Contains(l, o.Name+": ") {
					line = l
					break
				}
			}
			main := strings.Contains(string(text), "| `"+k.Name+"` |") && o.Name == k.Main
			standard := o.Kind != dataknobs.OptionBool && o.Default != "" && o.Default != "0" && o.Default != "0s"
			if line == "" && !main {
				t.Errorf("the section %s does not name the option %s", k.Name, o.Name)
			} else if strings.HasPrefix(line, "|") && standard && !strings.Contains(line, o.Default) {
				t.Errorf("the section %s does not say that %s is %s by default", k.Name, o.Name, o.Default)
			}
		}
	}
}
