package config

import (
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/layer"
)

// Schema returns a JSON Schema (draft 2020-12) of a configuration file, for
// editors: the sections databases and settings, with every setting of every
// backend that the program was built with and of every layer. Other sections
// are free. The caller owns the map.
func Schema() map[string]any {
	defs := map[string]any{"store": storeSchema(), "layer": layerSchema()}
	for _, b := range dataknobs.Backends() {
		defs["backend-"+b.Name] = backendSchema(b)
	}
	store := ref("store")
	named := map[string]any{"allOf": []any{store, map[string]any{"required": []any{keyName}}}}
	return map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "dataknobs configuration",
		"description": "Stores by name, and anything else that a program is made of.",
		"type":        "object",
		"properties": map[string]any{
			databases: map[string]any{
				"description": "the stores: a list whose items have a name, or a map by name",
				"anyOf": []any{
					map[string]any{"type": "array", "items": named},
					map[string]any{"type": "object", "additionalProperties": store},
				},
			},
			"settings": map[string]any{"type": "object", "description": "values to refer to: ${settings.NAME}"},
		},
		"$defs": defs,
	}
}

func ref(def string) map[string]any { return map[string]any{"$ref": "#/$defs/" + def} }

// own are the keys that every store may have.
func own() map[string]any {
	var names []any
	for _, b := range dataknobs.Backends() {
		names = append(names, b.Name)
		for _, s := range b.Schemes {
			names = append(names, s)
		}
	}
	text := func(doc string) map[string]any { return map[string]any{"type": "string", "description": doc} }
	return map[string]any{
		keyName: text("what the program calls the store"),
		keyBackend: map[string]any{
			"description": "the kind of store",
			"anyOf":       []any{map[string]any{"enum": names}, map[string]any{"type": "string", "pattern": `\$\{`}},
		},
		keyURL:     text("the store as a URL, in place of a backend and its location"),
		keyExtends: text("another store, from which this one has what it does not say itself"),
		keyLayers:  layersSchema(),
		keyRead:    map[string]any{"type": []any{"boolean", "string"}, "description": "refuse every write"},
	}
}

// storeSchema says what a store may have, by its backend.
func storeSchema() map[string]any {
	var all []any
	for _, b := range dataknobs.Backends() {
		names := []any{b.Name}
		for _, s := range b.Schemes {
			names = append(names, s)
		}
		all = append(all, map[string]any{
			"if": map[string]any{
				"properties": map[string]any{keyBackend: map[string]any{"enum": names}},
				"required":   []any{keyBackend},
			},
			"then": ref("backend-" + b.Name),
		})
	}
	return map[string]any{"type": "object", "properties": own(), "allOf": all}
}

// backendSchema is that of the backend with the keys of every store. Options
// with a dot in their name may stand in a map of their own.
func backendSchema(b *dataknobs.Backend) map[string]any {
	s := b.Schema()
	properties, _ := s["properties"].(map[string]any)
	for i := range b.Options {
		o := &b.Options[i]
		dir, rest, ok := strings.Cut(o.Name, ".")
		if !ok || !grouped(dir) {
			continue
		}
		group, ok := properties[dir].(map[string]any)
		if !ok {
			group = map[string]any{"type": "object", "properties": map[string]any{}, "additionalProperties": false}
			properties[dir] = group
		}
		group["properties"].(map[string]any)[rest] = nullable(o.Schema())
	}
	for name, p := range properties {
		properties[name] = nullable(p)
	}
	for name, p := range own() {
		if name != keyRead || properties[name] == nil {
			properties[name] = p
		}
	}
	return s
}

// nullable lets a file take away what an earlier one says.
func nullable(schema any) map[string]any {
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "null"}}}
}

func layersSchema() map[string]any {
	return map[string]any{
		"description": "wrappers around the store, the outermost first",
		"anyOf": []any{
			ref("layer"),
			map[string]any{"type": "string"},
			map[string]any{"type": "array", "items": map[string]any{"anyOf": []any{
				map[string]any{"type": "string"},
				map[string]any{"allOf": []any{ref("layer"), map[string]any{"maxProperties": 1.0}}},
			}}},
		},
	}
}

// layerSchema is a map from the names of layers to their settings.
func layerSchema() map[string]any {
	properties := map[string]any{}
	for _, k := range layer.Kinds() {
		ways := []any{map[string]any{"type": []any{"boolean", "null"}}}
		settings := map[string]any{}
		for i := range k.Options {
			o := &k.Options[i]
			settings[o.Name] = nullable(o.Schema())
			if o.Name == k.Main {
				ways = append(ways, o.Schema())
			}
		}
		ways = append(ways, map[string]any{"type": "object", "properties": settings, "additionalProperties": false})
		properties[k.Name] = map[string]any{"description": k.Summary, "anyOf": ways}
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
}
