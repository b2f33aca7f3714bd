package dataknobs

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Schema returns a JSON Schema (draft 2020-12, without $schema, so that it can
// stand inside another) of the backend's settings as an object of a
// configuration file: each option is a property, and nothing else is allowed.
// Numbers, truth values, sizes and durations may be given as such or as text,
// which may hold ${…} in place of a value; lists as arrays or as text with
// commas; maps as objects or as text. Its values are those that encoding/json
// decodes to. Required options are not demanded, since a
// setting may come from somewhere else. The caller owns the map.
func (b *Backend) Schema() map[string]any {
	properties := map[string]any{}
	for i := range b.Options {
		properties[b.Options[i].Name] = b.Options[i].Schema()
	}
	return map[string]any{
		"title": "a store of the backend " + b.Name, "description": b.Summary,
		"type": "object", "properties": properties, "additionalProperties": false,
	}
}

// Schema returns a JSON Schema of one option, as [Backend.Schema] has it. The
// caller owns the map.
func (o *OptionInfo) Schema() map[string]any {
	s := map[string]any{}
	if o.Doc != "" {
		s["description"] = o.Doc
	}
	if o.Required {
		s["description"] = "required: " + o.Doc
	}
	if o.Secret {
		s["writeOnly"] = true
	} else if o.Default != "" {
		s["default"] = o.jsonDefault()
	}
	switch forms := o.forms(); len(forms) {
	case 1:
		for name, rule := range forms[0] {
			s[name] = rule
		}
	default:
		ways := make([]any, len(forms))
		for i, f := range forms {
			ways[i] = f
		}
		s["anyOf"] = ways
	}
	return s
}

// jsonDefault is the default as somebody would write it.
func (o *OptionInfo) jsonDefault() any {
	switch o.Kind {
	case OptionInt, OptionFloat:
		f, _ := o.measure(o.Default)
		return f
	case OptionBool:
		v, _ := parseBool(o.Default)
		return v
	}
	return o.Default
}

// What may stand for a value of each kind. Each text may hold a substitution,
// of which the value is not known here.
const (
	substitution = `\$\{`
	intsText     = `^[0-9+-]*(,[0-9+-]*)*$`
	intText      = `^[+-]?[0-9]+$`
	floatText    = `^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`
	sizeText     = `^\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*([kKmMgGtT]([iI]?[bB])?|[bB])?\s*$`
	durationText = `^[+-]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
)

// forms lists the ways in which an option can be given.
func (o *OptionInfo) forms() []map[string]any {
	scalar := map[string]any{"type": []any{"string", "number", "boolean"}}
	switch o.Kind {
	case OptionInt:
		return []map[string]any{o.bounded("integer"), patternText(intText)}
	case OptionInts:
		return []map[string]any{o.bounded("integer"), {"type": "array", "items": map[string]any{"anyOf": []any{o.bounded("integer"), patternText(intText)}}}, patternText(intsText)}
	case OptionFloat:
		return []map[string]any{o.bounded("number"), patternText(floatText)}
	case OptionSize:
		return []map[string]any{{"type": "integer", "minimum": 0.0}, patternText(sizeText)}
	case OptionDuration:
		return []map[string]any{{"const": 0.0}, patternText(durationText)}
	case OptionBool:
		return []map[string]any{{"type": "boolean"}, {"enum": []any{0.0, 1.0}}, patternText(anyCase("true", "false", "yes", "no", "on", "off", "1", "0"))}
	case OptionEnum:
		return []map[string]any{{"enum": o.jsonEnum()}, patternText("")}
	case OptionList:
		return []map[string]any{{"type": "array", "items": scalar}, {"type": []any{"string", "number", "boolean"}}}
	case OptionMap:
		return []map[string]any{{"type": "object", "additionalProperties": scalar}, {"type": "string"}}
	}
	return []map[string]any{{"type": []any{"string", "number", "boolean"}}}
}

// bounded is a number between the option's bounds.
func (o *OptionInfo) bounded(kind string) map[string]any {
	s := map[string]any{"type": kind}
	if f, ok := o.measure(o.Min); ok {
		s["minimum"] = f
	}
	if f, ok := o.measure(o.Max); ok {
		s["maximum"] = f
	}
	return s
}

// jsonEnum is the enum with what YAML makes of its words.
func (o *OptionInfo) jsonEnum() []any {
	var words []any
	for _, w := range o.Enum {
		words = append(words, w)
		if v, err := strconv.ParseBool(w); err == nil && len(w) > 1 {
			words = append(words, v)
		}
	}
	return words
}

// patternText is text of that form, or with a substitution in it.
func patternText(pattern string) map[string]any {
	if pattern == "" {
		return map[string]any{"type": "string", "pattern": substitution}
	}
	return map[string]any{"type": "string", "pattern": pattern + "|" + substitution}
}

// anyCase is a pattern for the words in upper and lower case: the patterns of
// JSON Schema have no flag for it.
func anyCase(words ...string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte('|')
		}
		for _, r := range w {
			if unicode.IsLetter(r) {
				b.WriteString("[" + strings.ToLower(string(r)) + strings.ToUpper(string(r)) + "]")
				continue
			}
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return "^(" + b.String() + ")$"
}
