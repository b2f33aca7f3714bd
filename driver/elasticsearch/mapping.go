package elasticsearch

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"strings"
	"sync"

	"dataknobs.dev/dataknobs"
)

// layout is the version of the way documents are stored.
const layout = 1

// A mapping is what the driver knows of its index. It is never changed: a newer
// one takes its place.
type mapping struct {
	index    string          // the concrete index's name; of several, that for writing
	others   []string        // more indexes of the same alias
	writable bool            // the alias says which index is for writing
	guard    string          // the alias to write through; "" for none: see [Driver.guardName]
	columns  map[string]bool // the columns that there are for keys
	shared   map[string]bool // those of them that every index has
	full     bool            // some paths found no room and are in moreField
	declared map[string]bool // the fields with a natural mapping of their own
	foreign  bool            // the index is not of our making
	types    map[string]property

	names func() []string // of the top-level fields, sorted; nil: not known. Worked out once.
}

// A property is what an index's mapping says of a field.
type property struct {
	Type        string              `json:"type"`
	Properties  map[string]property `json:"properties"`
	Fields      map[string]property `json:"fields"`
	Format      string              `json:"format"`
	IgnoreAbove int                 `json:"ignore_above"`
	Normalizer  string              `json:"normalizer"`
	Index       *bool               `json:"index"`
	NullValue   any                 `json:"null_value"`
}

// mappings is the mapping of an index as the server tells it.
type mappings struct {
	Meta struct {
		Dataknobs struct {
			Layout int  `json:"layout"`
			Full   bool `json:"full"`
		} `json:"dataknobs"`
	} `json:"_meta"`
	Properties map[string]property `json:"properties"`
}

// mapping returns what is known of the index; nil where there is no index and
// none has ever been seen, which is an empty store.
func (d *Driver) mapping(ctx context.Context) (*mapping, error) {
	if d.closed.Load() {
		return nil, errClosed
	}
	if m := d.known.Load(); m != nil {
		return m, nil
	}
	m, err := d.learn(ctx)
	if dataknobs.CodeOf(err) == dataknobs.NotFound && d.opts.Create != CreateNever {
		return nil, nil
	}
	return m, err
}

// learn asks the server for the mapping.
func (d *Driver) learn(ctx context.Context) (*mapping, error) {
	a, err := d.client.json(ctx, "GET", d.path(""), url.Values{"features": {"aliases,mappings"}}, nil)
	if err != nil {
		return nil, err
	}
	var indexes map[string]indexInfo
	if err := json.Unmarshal(a.body, &indexes); err != nil {
		return nil, dataknobs.Errorf(dataknobs.Internal, "the server's answer about the mapping cannot be read: %w", err)
	}
	m, err := d.readIndexes(indexes)
	if m != nil {
		d.adopt(m)
	}
	return m, err
}

func newMapping(name string, ms *mappings) *mapping {
	m := &mapping{index: name, columns: map[string]bool{}, declared: map[string]bool{}, types: ms.Properties}
	m.foreign = ms.Meta.Dataknobs.Layout == 0
	m.full = ms.Meta.Dataknobs.Full
	for name, p := range ms.Properties {
		if name != ownField && name != metaField && p.Type != "" {
			m.declared[unescape(name)] = true
		}
	}
	for name := range ms.Properties[ownField].Properties["k"].Properties {
		m.columns[name] = true
	}
	m.shared = m.columns
	return m
}

// adopt makes m what is known.
func (d *Driver) adopt(m *mapping) {
	m.names = sync.OnceValue(m.fieldNames)
	d.known.Store(m)
	if m.foreign {
		d.features.Store(d.foreignFeatures(m))
	} else if why := m.whyReadOnly(d.opts.Index); why != "" {
		f := d.ownFeatures()
		f.ReadOnly = why
		d.features.Store(f)
	}
}

// forWriting returns the mapping, of an index that is made now if there is none.
func (d *Driver) forWriting(ctx context.Context) (*mapping, error) {
	m, err := d.mapping(ctx)
	if err != nil || m != nil {
		return m, err
	}
	return d.create(ctx)
}

// create makes the index. Another process may have been faster.
func (d *Driver) create(ctx context.Context) (*mapping, error) {
	d.making.Lock()
	defer d.making.Unlock()
	if m := d.known.Load(); m != nil {
		return m, nil
	}
	body := d.definition()
	_, err := d.client.json(ctx, "PUT", d.path(""), nil, body)
	if dataknobs.CodeOf(err) == dataknobs.PermissionDenied && len(d.opts.Aliases) == 0 {
		delete(body, "aliases") // the guard is not worth failing for
		_, err = d.client.json(ctx, "PUT", d.path(""), nil, body)
	}
	var s *statusError
	if errors.As(err, &s) && s.kind == "resource_already_exists_exception" {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return d.learn(ctx)
}

// definition is the index as it is made.
func (d *Driver) definition() obj {
	keyword := obj{"type": "keyword"}
	lookup := obj{"type": "keyword", "doc_values": false}
	off := obj{"type": "object", "enabled": false}
	properties := obj{
		metaField: off,
		ownField: obj{"type": "object", "dynamic": false, "properties": obj{
			"id":      keyword,
			"k":       obj{"type": "object", "dynamic": false},
			"x":       obj{"type": "flattened"},
			"whole":   lookup,
			"cut":     lookup,
			"elems":   lookup,
			oddPart:   off,
			timesPart: off,
			bytesPart: off,
		}},
	}
	for name, kind := range d.opts.Types {
		if p := naturalType(kind); p != nil {
			if kind == "text" && d.opts.Analyzer != "" {
				p["analyzer"] = d.opts.Analyzer
			}
			properties[sourceName(name)] = p
		}
	}
	aliases := obj{d.guardName(): obj{"is_hidden": true}}
	for _, a := range d.opts.Aliases {
		aliases[a] = obj{}
	}
	return obj{
		"settings": d.settings(),
		"aliases":  aliases,
		"mappings": obj{
			"dynamic":        false,
			"date_detection": false,
			"_meta":          meta(false),
			"properties":     properties,
		},
	}
}

func meta(full bool) obj {
	return obj{"dataknobs": obj{"layout": layout, "full": full}}
}

// naturalType is the mapping of a field of a declared kind, for readers other
// than this driver; nil for none. What does not fit it is ignored by it.
func naturalType(kind string) obj {
	switch kind {
	case "bool":
		return obj{"type": "boolean", "ignore_malformed": true}
	case "int":
		return obj{"type": "long", "ignore_malformed": true, "coerce": false}
	case "float":
		return obj{"type": "double", "ignore_malformed": true}
	case "time":
		return obj{"type": "date_nanos", "ignore_malformed": true}
	case "string":
		return obj{"type": "keyword", "ignore_above": 8191}
	case "text":
		return obj{"type": "text"}
	}
	return nil
}

func (d *Driver) settings() obj {
	s := obj{}
	maps.Copy(s, d.opts.Settings)
	if d.opts.Shards > 0 {
		s["number_of_shards"] = d.opts.Shards
	}
	if d.opts.Replicas >= 0 {
		s["number_of_replicas"] = d.opts.Replicas
	}
	if d.opts.RefreshInterval != "" {
		s["refresh_interval"] = d.opts.RefreshInterval
	}
	if d.opts.MaxFields > 0 {
		s["index.mapping.total_fields.limit"] = d.opts.MaxFields
	}
	return s
}

// widen adds columns to the mapping. Where the server allows no more, the index
// is marked as full, for good, and the paths go to moreField.
func (d *Driver) widen(ctx context.Context, columns map[string]bool) (*mapping, error) {
	d.making.Lock()
	defer d.making.Unlock()
	m := d.known.Load()
	properties := obj{}
	for c := range columns {
		if !m.shared[c] {
			properties[c] = obj{"type": "keyword"}
		}
	}
	if len(properties) == 0 || m.full {
		return m, nil
	}
	body := obj{"properties": obj{ownField: obj{"properties": obj{"k": obj{"properties": properties}}}}}
	_, err := d.client.json(ctx, "PUT", d.path("_mapping"), nil, body)
	if isLimit(err) {
		_, err = d.client.json(ctx, "PUT", d.path("_mapping"), nil, obj{"_meta": meta(true)})
	}
	if err != nil {
		return nil, err
	}
	return d.learn(ctx) // others may have marked it as full
}

func isLimit(err error) bool {
	var s *statusError
	return errors.As(err, &s) && strings.Contains(s.reason, "Limit of total fields")
}
