package elasticsearch

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// A search is one scan on its way.
type search struct {
	d     *Driver
	m     *mapping
	s     *dataknobs.Scan
	body  obj
	after json.RawMessage // where to start
}

// newSearch translates a scan.
func (d *Driver) newSearch(ctx context.Context, m *mapping, s *dataknobs.Scan) (*search, error) {
	q := &search{d: d, m: m, s: s, body: obj{"track_total_hits": false}}
	if where := m.query(s.Where); s.Where != nil {
		q.body["query"] = filter(obj{"bool": obj{"filter": where}})
	}
	if !s.NoRevision {
		q.body["seq_no_primary_term"] = true
	}
	q.body["_source"] = m.source(s.Paths)
	if len(s.OrderBy) > 0 {
		sorts, err := d.sorts(ctx, m, s.OrderBy)
		if err != nil {
			return nil, err
		}
		q.body["sort"] = sorts
	}
	if s.After != nil {
		if err := q.seek(); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// decoder returns a decoder of the answers.
func (q *search) decoder() *decoder {
	dec := newDecoder(q.m)
	dec.partial = q.s.Paths != nil
	return dec
}

// source says which parts of the documents are wanted.
func (m *mapping) source(paths []dataknobs.Path) any {
	switch {
	case paths == nil || len(paths) > 200:
		return true
	case len(paths) == 0:
		return false
	}
	var includes []string
	if !m.foreign {
		includes = append(includes, ownField+"."+timesPart, ownField+"."+bytesPart, ownField+"."+oddPart)
	}
	for _, p := range paths {
		if slices.ContainsFunc(p, func(s dataknobs.Step) bool { return oddName(s.Name) }) {
			return true
		}
		text := p[0].Name
		if !m.foreign {
			text = sourceName(text)
		}
		for _, s := range p[1:] {
			if s.Name == "" {
				break
			}
			text += "." + s.Name
		}
		includes = append(includes, text)
	}
	return obj{"includes": includes}
}

// oddName reports whether the server might take a name in a list of names for
// another: it trims them.
func oddName(name string) bool {
	if name == "" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	return isSpace(first) || isSpace(last)
}

// sorts translates an order, ties by ID included.
func (d *Driver) sorts(ctx context.Context, m *mapping, os []dataknobs.Order) ([]obj, error) {
	var sorts []obj
	for _, o := range os {
		field := idField
		byID := o.Path.IsID()
		if !byID {
			var err error
			if field, err = d.sortField(ctx, m, o.Path); err != nil {
				return nil, err
			}
		}
		how := obj{"order": "asc", "missing": "_last", "unmapped_type": "keyword"}
		if o.Desc {
			how["order"] = "desc"
		}
		if o.Nulls == dataknobs.NullsFirst {
			how["missing"] = "_first"
		}
		sorts = append(sorts, obj{field: how})
		if byID {
			return sorts, nil // nothing after it matters
		}
	}
	return append(sorts, obj{idField: obj{"order": "asc"}}), nil
}

// sortField returns the one field that has the keys of a path, if there is one.
func (d *Driver) sortField(ctx context.Context, m *mapping, p dataknobs.Path) (string, error) {
	column, _ := columnOf(p)
	if !m.columns[column] {
		var err error
		if m, err = d.learn(ctx); err != nil { // another process may have added it
			return "", err
		}
	}
	if !m.full {
		return keysField + "." + column, nil
	}
	more, err := d.anyExists(ctx, moreField+"."+column)
	switch {
	case err != nil:
		return "", err
	case !more:
		return keysField + "." + column, nil
	case !m.columns[column]:
		return moreField + "." + column, nil
	}
	return "", dataknobs.Errorf(dataknobs.Unsupported, "the keys of %s are partly outside of its column: %w", p, dataknobs.ErrInexact)
}

// anyExists reports whether any document has that field.
func (d *Driver) anyExists(ctx context.Context, field string) (bool, error) {
	n, err := d.countQuery(ctx, obj{"exists": obj{"field": field}}, url.Values{"terminate_after": {"1"}})
	return n > 0, err
}

// seek makes the search continue after the scan's place.
func (q *search) seek() error {
	keys := make([]any, 0, len(q.s.After.Keys)+1)
	for i, v := range q.s.After.Keys {
		switch {
		case q.s.OrderBy[i].Path.IsID():
			q.after = encodeJSON(append(keys, string(rankString)+v.Str()))
			return nil
		case v.IsNull():
			keys = append(keys, nil)
		default:
			key := keyOf(v)
			if isCut(key) {
				return errCut
			}
			keys = append(keys, key)
		}
	}
	q.after = encodeJSON(append(keys, string(rankString)+q.s.After.ID))
	return nil
}

var errCut = dataknobs.Errorf(dataknobs.Unsupported, "a value is longer than the keys of the index: %w", dataknobs.ErrInexact)
