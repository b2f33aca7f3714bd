package sqlgen

import (
	"strings"

	"dataknobs.dev/dataknobs"
)

// A place is a Seek: the values of the keys that are sorted by, and the ID.
type place struct {
	keys []dataknobs.Value
	id   string
}

// odd reports whether SQL does not say where the place is.
func (p *place) odd(keys []sortKey) bool {
	for i := range keys {
		if v := p.keys[i]; !v.IsNull() && keys[i].isOdd != nil && keys[i].isOdd(v) {
			return true
		}
	}
	return false
}

// keyValues returns the values of those keys that are sorted by: one that is
// always null is not.
func keyValues(scan *dataknobs.Scan, keys []sortKey) []dataknobs.Value {
	var vs []dataknobs.Value
	at := 0
	for i, o := range scan.OrderBy {
		if at < len(keys) && keys[at].Path.Equal(o.Path) && i < len(scan.After.Keys) {
			vs = append(vs, scan.After.Keys[i])
			at++
		}
	}
	return vs
}

// follows is the condition of coming after a place.
func (s *selection) follows(keys []sortKey, id string, at *place) string {
	var alternatives, before []string
	for i := range keys {
		k := &keys[i]
		if a := s.builder.after(k, at.keys[i]); a != "" {
			alternatives = append(alternatives, and(append(before[:len(before):len(before)], a)...))
		}
		if k.misplaced != "" {
			alternatives = append(alternatives, k.misplaced)
		}
		if k.Path.IsID() { // it is the last, and no other is equal
			return s.any(alternatives)
		}
		before = append(before, s.equals(k, at.keys[i]))
	}
	return s.any(append(alternatives, and(append(before, id+" > "+s.arg(at.id, "text"))...)))
}

// any is OR.
func (s *selection) any(alternatives []string) string {
	if len(alternatives) == 0 {
		return never
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}

// byIndex sorts by the index of the first key. An index has its nulls at one
// end and is read from one place on, so the records with the same value as
// the last one, those after it and those without a value are parts of their
// own. Each is cut to the page, so that the database does not read on.
func (s *selection) byIndex(scan *dataknobs.Scan, where string, keys []sortKey, id string, at *place) *Statement {
	k := &keys[0]
	rest := orderTerms(keys[1:], id)
	if k.Path.IsID() {
		rest = nil
	}
	nulls := part{and(s.same(k, make([]any, len(k.parts)), len(k.parts))...), rest}
	var parts []part
	ordered := append(k.terms(), rest...)
	switch {
	case at == nil:
		parts = []part{{k.parts[0] + " IS NOT NULL", ordered}}
		if k.never {
			parts[0].where = ""
		}
	case at.keys[0].IsNull():
		tail := part{join(nulls.where, s.follows(keys[1:], id, &place{at.keys[1:], at.id})), rest}
		if k.nullsFirst() {
			parts = []part{tail, {k.parts[0] + " IS NOT NULL", ordered}}
		} else {
			parts = []part{tail}
		}
		return s.union(scan, where, parts)
	default:
		parts = s.partsAfter(keys, id, at, ordered, rest)
	}
	if !k.never && k.nullsFirst() && at == nil {
		parts = append([]part{nulls}, parts...)
	} else if !k.never && !k.nullsFirst() {
		parts = append(parts, nulls)
	}
	return s.union(scan, where, parts)
}

// A part is one SELECT of a union.
type part struct {
	where string
	order []string
}

// partsAfter are the records after a place whose first key is not null: those
// of the same first key, then for each part of it from the last to the first
// those that are beyond it.
func (s *selection) partsAfter(keys []sortKey, id string, at *place, ordered, rest []string) []part {
	k := &keys[0]
	vs := k.values(at.keys[0])
	op := " > "
	if k.Desc {
		op = " < "
	}
	var parts []part
	if !k.Path.IsID() {
		same := and(s.same(k, vs, len(k.parts))...)
		parts = append(parts, part{join(same, s.follows(keys[1:], id, &place{at.keys[1:], at.id})), rest})
	}
	for i := len(k.parts) - 1; i >= 0; i-- {
		if vs[i] == nil {
			continue
		}
		beyond := and(append(s.same(k, vs, i), k.parts[i]+op+s.arg(vs[i], k.cast(i)))...)
		parts = append(parts, part{beyond, ordered[i:]}) // those before i are all the same
	}
	return parts
}

// union writes the parts, each cut to what the page may need of it.
func (s *selection) union(scan *dataknobs.Scan, where string, parts []part) *Statement {
	if len(parts) == 1 {
		sql := s.head(join(where, parts[0].where))
		if len(parts[0].order) > 0 {
			sql += " ORDER BY " + strings.Join(parts[0].order, ", ")
		}
		return s.statement(sql + s.page(scan))
	}
	most := s.arg(int64(scan.Limit)+int64(scan.Offset), "int8")
	sqls := make([]string, len(parts))
	for i, p := range parts {
		sqls[i] = s.head(join(where, p.where))
		if len(p.order) > 0 {
			sqls[i] += " ORDER BY " + strings.Join(p.order, ", ")
		}
		sqls[i] += " LIMIT " + most
	}
	if s.lite() {
		return s.statement("SELECT * FROM (" + strings.Join(sqls, ") UNION ALL SELECT * FROM (") + ")" + s.page(scan))
	}
	return s.statement("(" + strings.Join(sqls, ") UNION ALL (") + ")" + s.page(scan))
}
