package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
	"dataknobs.dev/dataknobs/layer"
)

// legal is a text that an option takes.
func legal(o dataknobs.OptionInfo) string {
	switch {
	case o.Kind == dataknobs.OptionInt && o.Min != "":
		return o.Min
	case o.Kind == dataknobs.OptionInt, o.Kind == dataknobs.OptionInts:
		return "7"
	case o.Kind == dataknobs.OptionFloat:
		return "1.5"
	case o.Kind == dataknobs.OptionBool:
		return "true"
	case o.Kind == dataknobs.OptionSize && o.Min != "":
		return o.Min
	case o.Kind == dataknobs.OptionSize:
		return "64KiB"
	case o.Kind == dataknobs.OptionDuration:
		return "90s"
	case o.Kind == dataknobs.OptionEnum:
		return o.Enum[0]
	case o.Kind == dataknobs.OptionMap:
		return "a:b"
	}
	return "some"
}

func TestEverySettingOfEveryBackendCanBeReached(t *testing.T) {
	schema := compiled(t)
	n := 0
	for _, b := range dataknobs.Backends() {
		for _, o := range b.Options {
			n++
			if o.Name == "readonly" && o.Kind != dataknobs.OptionBool {
				t.Errorf("%s.readonly is no truth value, but that is what every store's is", b.Name)
			}
			for _, key := range []string{"name", "backend", "url", "extends", "layers"} {
				if o.Name == key {
					t.Errorf("%s has an option %s, which means something else in a configuration", b.Name, key)
				}
			}
			want := legal(o)
			text := fmt.Sprintf(`{"databases": {"x": {"backend": %q, %q: %q}}}`, b.Name, o.Name, want)
			validate(t, schema, text)
			byVariable := "DK_DATABASES_X_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(o.Name)) + "=" + want
			for how, c := range map[string]func() (*config.Config, error){
				"file":     func() (*config.Config, error) { return load(t, text) },
				"variable": func() (*config.Config, error) { return load(t, "databases: {x: {backend: "+b.Name+"}}", byVariable) },
				"substitution": func() (*config.Config, error) {
					return load(t, fmt.Sprintf(`{"databases": {"x": {"backend": %q, %q: "${V}"}}}`, b.Name, o.Name), "V="+want)
				},
			} {
				cfg, err := c()
				if err != nil {
					t.Errorf("%s.%s by %s: %v", b.Name, o.Name, how, err)
					continue
				}
				if got := params(t, cfg, "x")[o.Name]; got != want {
					t.Errorf("%s.%s by %s: got %q, want %q", b.Name, o.Name, how, got, want)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d options", n)
	}
}

func TestEverySettingOfEveryLayerCanBeReached(t *testing.T) {
	schema := compiled(t)
	for _, k := range layer.Kinds() {
		for _, o := range k.Options {
			value := legal(o)
			if k.Name == "fault" && o.Name == "rules" {
				value = "get fail=unavailable"
			}
			settings := map[string]string{o.Name: value}
			for _, other := range k.Options {
				if other.Required && other.Name != o.Name {
					settings[other.Name] = legal(other)
					if other.Name == "rules" {
						settings[other.Name] = "get fail=unavailable"
					}
				}
			}
			data, err := json.Marshal(settings)
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(`{"databases": {"x": {"backend": "memory", "layers": {%q: %s}}}}`, k.Name, data)
			validate(t, schema, text)
			if _, err := load(t, text); err != nil {
				t.Errorf("%s.%s: %v", k.Name, o.Name, err)
			}
		}
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := json.Marshal(config.Schema())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("dk.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("dk.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text string) {
	t.Helper()
	if err := valid(s, text); err != nil {
		t.Errorf("the schema refuses %s: %v", text, err)
	}
}

func valid(s *jsonschema.Schema, text string) error {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

func TestTheSchemaKnowsWhatIsRight(t *testing.T) {
	s := compiled(t)
	for text, ok := range map[string]bool{
		`{}`:                                     true,
		`{"settings": {"a": 1}, "mailers": [1]}`: true,
		`{"databases": [{"name": "a", "backend": "memory"}]}`:                                                true,
		`{"databases": [{"backend": "memory"}]}`:                                                             false,
		`{"databases": {"a": {"backend": "memroy"}}}`:                                                        false,
		`{"databases": {"a": {"backend": "${KIND}", "anything": 1}}}`:                                        true,
		`{"databases": {"a": {"backend": "memory", "max_recrods": 1}}}`:                                      false,
		`{"databases": {"a": {"backend": "memory", "max_records": "many"}}}`:                                 false,
		`{"databases": {"a": {"backend": "memory", "max_records": "${N}"}}}`:                                 true,
		`{"databases": {"a": {"backend": "memory", "max_records": null}}}`:                                   true,
		`{"databases": {"a": {"backend": "sqlite", "path": "x", "pool": {"max": 3}}}}`:                       true,
		`{"databases": {"a": {"backend": "sqlite", "path": "x", "pool": {"mux": 3}}}}`:                       false,
		`{"databases": {"a": {"extends": "b", "table": "c"}}}`:                                               true,
		`{"databases": {"a": {"backend": "memory", "layers": {"retry": {"attempts": 5}, "timeout": "1s"}}}}`: true,
		`{"databases": {"a": {"backend": "memory", "layers": ["readonly", {"retry": 3}]}}}`:                  true,
		`{"databases": {"a": {"backend": "memory", "layers": {"retyr": 3}}}}`:                                false,
		`{"databases": {"a": {"backend": "memory", "layers": {"retry": {"atempts": 3}}}}}`:                   false,
	} {
		if err := valid(s, text); (err == nil) != ok {
			t.Errorf("%s: %v, want ok %t", text, err, ok)
		}
	}
}

func TestTheExampleIsRightAndSaysNothingUnknown(t *testing.T) {
	c := mustLoad(t, config.Example)
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	// With its comments taken away the rest of it is right too.
	var b strings.Builder
	for line := range strings.Lines(config.Example) {
		if rest, ok := strings.CutPrefix(line, "  # "); ok && (strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "  ")) {
			line = "  " + rest
		}
		b.WriteString(line)
	}
	c = mustLoad(t, b.String())
	if err := c.Check(); err == nil || strings.Count(err.Error(), "secret file") == 0 || len(c.Names()) != 4 {
		t.Errorf("got %v, %v", c.Names(), err)
	}
}
