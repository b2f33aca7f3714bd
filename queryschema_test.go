package dataknobs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A jsonSchema checks JSON against docs/query.schema.json: as much of JSON
// Schema as that file uses, and an error for any other keyword.
type jsonSchema struct{ root map[string]any }

func readSchema(t *testing.T) *jsonSchema {
	t.Helper()
	b, err := os.ReadFile("docs/query.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	s := &jsonSchema{}
	if err := json.Unmarshal(b, &s.root); err != nil {
		t.Fatalf("the schema is no JSON: %v", err)
	}
	if s.root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Fatalf("the schema is of %v", s.root["$schema"])
	}
	return s
}

func (s *jsonSchema) check(b []byte) error {
	var x any
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&x); err != nil {
		return err
	}
	return s.value(s.root, x, "query")
}

func (s *jsonSchema) value(rule map[string]any, x any, at string) error {
	for key, arg := range rule {
		if err := s.keyword(rule, key, arg, x, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *jsonSchema) keyword(rule map[string]any, key string, arg, x any, at string) error {
	fail := func(format string, args ...any) error { return fmt.Errorf(at+": "+format, args...) }
	object, isObject := x.(map[string]any)
	array, isArray := x.([]any)
	text, isText := x.(string)
	number, isNumber := x.(float64)
	switch key {
	case "$schema", "$id", "title", "description", "default", "examples", "$defs":
	case "$ref":
		name := strings.TrimPrefix(arg.(string), "#/$defs/")
		target, ok := s.root["$defs"].(map[string]any)[name].(map[string]any)
		if !ok {
			return fail("no definition %s", name)
		}
		return s.value(target, x, at)
	case "type":
		names, ok := arg.([]any)
		if !ok {
			names = []any{arg}
		}
		if !slices.ContainsFunc(names, func(n any) bool { return isType(n.(string), x) }) {
			return fail("%v is not of the type %v", x, arg)
		}
	case "const":
		if x != arg {
			return fail("%v is not %v", x, arg)
		}
	case "enum":
		if !slices.ContainsFunc(arg.([]any), func(v any) bool { return !isObject && !isArray && v == x }) {
			return fail("%v is not one of %v", x, arg)
		}
	case "required":
		for _, name := range arg.([]any) {
			if _, ok := object[name.(string)]; isObject && !ok {
				return fail("%v is missing", name)
			}
		}
	case "properties":
		for name, sub := range arg.(map[string]any) {
			if v, ok := object[name]; ok {
				if err := s.value(sub.(map[string]any), v, at+"."+name); err != nil {
					return err
				}
			}
		}
	case "additionalProperties":
		known := rule["properties"].(map[string]any)
		for name := range object {
			if known[name] == nil {
				return fail("no property %s", name)
			}
		}
	case "items":
		for i, v := range array {
			if err := s.value(arg.(map[string]any), v, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case "minItems", "maxItems":
		if n := float64(len(array)); isArray && (key == "minItems" && n < arg.(float64) || key == "maxItems" && n > arg.(float64)) {
			return fail("%d items", len(array))
		}
	case "minLength":
		if isText && float64(utf8.RuneCountInString(text)) < arg.(float64) {
			return fail("%q is too short", text)
		}
	case "minimum":
		if isNumber && number < arg.(float64) {
			return fail("%v is too small", number)
		}
	case "oneOf", "anyOf":
		n, last := 0, error(nil)
		for _, sub := range arg.([]any) {
			if err := s.value(sub.(map[string]any), x, at); err == nil {
				n++
			} else {
				last = err
			}
		}
		if n == 0 || key == "oneOf" && n > 1 {
			return fail("%d alternatives match: %v", n, last)
		}
	default:
		return fail("the test does not know the keyword %s", key)
	}
	return nil
}

func isType(name string, x any) bool {
	switch x := x.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && x == math.Trunc(x)
	case []any:
		return name == "array"
	}
	return name == "object"
}
