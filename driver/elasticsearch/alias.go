package elasticsearch

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A store may be an alias of several indexes, as rollover leaves them. They are
// read as one. Writes go to the alias's write index, but for those to records
// that are in one of the others, which stay where they are.

// An indexInfo is what the server tells of one index.
type indexInfo struct {
	Mappings mappings `json:"mappings"`
	Aliases  map[string]struct {
		IsWriteIndex *bool `json:"is_write_index"`
	} `json:"aliases"`
}

// readIndexes returns what is to be known of the indexes together.
func (d *Driver) readIndexes(indexes map[string]indexInfo) (*mapping, error) {
	var m *mapping
	var alien, own string // an index that others made, one of ours
	for _, name := range slices.Sorted(maps.Keys(indexes)) {
		info := indexes[name]
		if l := info.Mappings.Meta.Dataknobs.Layout; l > layout {
			return nil, dataknobs.Errorf(dataknobs.Unsupported, "the index was made by a later version of this program (layout %d)", l)
		}
		one := newMapping(name, &info.Mappings)
		if one.foreign {
			alien = name
		} else {
			own = name
		}
		writes := info.Aliases[d.opts.Index].IsWriteIndex
		switch {
		case m == nil:
			m = one
		default:
			m.join(one, writes != nil && *writes)
		}
		m.writable = m.writable || writes != nil && *writes
	}
	if own != "" && alien != "" {
		return nil, dataknobs.Errorf(dataknobs.Unsupported, "of the indexes of %s, %s was made by this program and %s was not", d.opts.Index, own, alien).
			WithHint("open one of them; where the server makes the indexes, its template needs the mapping of %s", own)
	}
	if m == nil { // no index at all is an error of its own
		return nil, dataknobs.Errorf(dataknobs.Internal, "the server's answer about the mapping names no index")
	}
	_, guarded := indexes[m.index].Aliases[d.guardName()]
	switch {
	case m.index != d.opts.Index:
		m.guard = d.opts.Index // which is an alias
	case guarded:
		m.guard = d.guardName()
	}
	return m, nil
}

// join adds another index to those of m; writes: it is the one for writing.
func (m *mapping) join(o *mapping, writes bool) {
	if writes {
		m.index, o.index = o.index, m.index
	}
	m.others = append(m.others, o.index)
	shared := map[string]bool{}
	for c := range o.shared {
		if m.shared[c] {
			shared[c] = true
		}
	}
	m.shared = shared
	columns := maps.Clone(m.columns)
	maps.Copy(columns, o.columns)
	m.columns = columns
	maps.Copy(m.declared, o.declared)
	m.full = m.full || o.full
	m.types = common(m.types, o.types)
}

// common returns the fields that both have alike: of others the indexes
// together say nothing.
func common(a, b map[string]property) map[string]property {
	both := map[string]property{}
	for name, p := range a {
		q, ok := b[name]
		if !ok {
			continue
		}
		inside, fields := common(p.Properties, q.Properties), common(p.Fields, q.Fields)
		p.Properties, q.Properties, p.Fields, q.Fields = nil, nil, nil, nil
		if reflect.DeepEqual(p, q) {
			p.Properties, p.Fields = inside, fields
			both[name] = p
		}
	}
	return both
}

// whyReadOnly says why an alias of several indexes cannot be written; "" if it can.
func (m *mapping) whyReadOnly(alias string) string {
	if len(m.others) == 0 || m.writable {
		return ""
	}
	return alias + " is an alias of several indexes, none of which is its write index (is_write_index)"
}

// everywhere is the body of a multi-get that looks in all of the indexes, in
// that for writing first.
func (m *mapping) everywhere(ids []string) obj {
	var docs []obj
	for _, index := range append([]string{m.index}, m.others...) {
		for _, id := range ids {
			docs = append(docs, obj{"_index": index, "_id": id})
		}
	}
	return obj{"docs": docs}
}

// homes returns in which index each record is that those writes are about,
// where that is not the one for writing.
func (w *writer) homes(ctx context.Context, idx []int) (map[string]string, error) {
	m, err := w.d.mapping(ctx)
	if m == nil || err != nil || len(m.others) == 0 {
		return nil, err
	}
	ids := make([]string, len(idx))
	for k, i := range idx {
		ids[k] = w.writes[i].ID
	}
	homes := map[string]string{}
	err = w.d.multiGet(ctx, ids, false, func(_ *dataknobs.Record, h *hit) bool {
		if index := strings.Trim(string(h.index), `"`); index != m.index {
			homes[h.id] = index
		}
		return true
	})
	return homes, err
}
