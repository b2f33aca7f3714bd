package dataknobs_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	dk "dataknobs.dev/dataknobs"
)

func compileSchema(t testing.TB, b *dk.Backend) *jsonschema.Schema {
	t.Helper()
	schema := b.Schema()
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	var again map[string]any
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(again, schema) {
		t.Errorf("the schema is not of the types that JSON decodes to: %v", schema)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("mem:settings", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:settings")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSettingsSchema(t *testing.T) {
	b, _ := dk.LookupBackend("testmade")
	s := compileSchema(t, b)
	tests := []struct {
		name, settings string
		ok             bool
	}{
		{"nothing", `{}`, true},
		{"no object", `[]`, false},
		{"an unknown option", `{"pathh": "x"}`, false},
		{"text", `{"path": "x"}`, true},
		{"text that looks like a number", `{"path": 2024}`, true},
		{"text from an array", `{"path": ["x"]}`, false},
		{"an int", `{"pool.max": 9}`, true},
		{"an int beyond its bounds", `{"pool.max": 10}`, false},
		{"an int as text", `{"pool.max": "9"}`, true},
		{"an int to be substituted", `{"pool.max": "${MAX:9}"}`, true},
		{"an int within text", `{"pool.max": "1${MAX}"}`, true},
		{"a word for an int", `{"pool.max": "nine"}`, false},
		{"a part of an int", `{"pool.max": 1.5}`, false},
		{"a float", `{"share": 0.25}`, true},
		{"a float as text", `{"share": "1e-1"}`, true},
		{"a word for a float", `{"share": "half"}`, false},
		{"a bool", `{"header": false}`, true},
		{"a bool as text", `{"header": "Off"}`, true},
		{"a bool as a number", `{"header": 1}`, true},
		{"a word for a bool", `{"header": "offf"}`, false},
		{"a size", `{"cache": 4096}`, true},
		{"a size with a unit", `{"cache": "1.5 MiB"}`, true},
		{"a size with a wrong unit", `{"cache": "3 blocks"}`, false},
		{"a duration", `{"wait": "1m30.5s"}`, true},
		{"no duration", `{"wait": 0}`, true},
		{"a duration without a unit", `{"wait": 30}`, false},
		{"an enum", `{"mode": "fast"}`, true},
		{"an enum's misspelling", `{"mode": "fats"}`, false},
		{"an enum to be substituted", `{"mode": "${MODE}"}`, true},
		{"a list", `{"key": ["a", 5]}`, true},
		{"a list as text", `{"key": "a,b"}`, true},
		{"a list of lists", `{"key": [["a"]]}`, false},
		{"a map", `{"types": {"zip": "string"}}`, true},
		{"a map as text", `{"types": "zip:string"}`, true},
		{"a map of maps", `{"types": {"zip": {}}}`, false},
		{"a secret", `{"password": "${PASSWORD}"}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(tt.settings))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(doc); (err == nil) != tt.ok {
				t.Errorf("%s: got %v, want it accepted: %t", tt.settings, err, tt.ok)
			}
		})
	}
}

// The defaults are legal by the schema, and so is what the checks of the
// options take.
func TestSchemaTakesItsDefaults(t *testing.T) {
	for _, b := range dk.Backends() {
		s := compileSchema(t, b)
		for _, o := range b.Options {
			rule := b.Schema()["properties"].(map[string]any)[o.Name].(map[string]any)
			value, ok := rule["default"]
			if ok != (o.Default != "") {
				t.Errorf("%s %s: the default is %v, want %q", b.Name, o.Name, value, o.Default)
			}
			if ok && s.Validate(map[string]any{o.Name: value}) != nil {
				t.Errorf("%s %s: the default %v is refused", b.Name, o.Name, value)
			}
		}
	}
}
