package dataknobs

import (
	"slices"
	"strings"
)

// An Ordering is the total order of ORDER BY: the keys in turn, nulls where
// they were asked for, and ties broken by _id ascending. It may be used by
// several goroutines at once.
type Ordering struct {
	keys  []Order
	paths []Path
}

// NewOrdering returns the order of those keys; none: by _id. Aggregates are
// not looked at.
func NewOrdering(os []Order) *Ordering {
	o := &Ordering{keys: slices.Clone(os), paths: make([]Path, len(os))}
	for i, k := range os {
		o.paths[i] = k.Path
	}
	return o
}

// Paths returns the path of each key; a slot of AppendKeys is an index into
// them. The caller does not change them.
func (o *Ordering) Paths() []Path { return o.paths }

// AppendKeys appends the record's keys to dst, taken from get, which returns
// the value at Paths()[slot]. The values are kept as they are: clone what
// aliases a buffer.
func (o *Ordering) AppendKeys(dst []Value, get func(slot int) Value) []Value {
	for i := range o.paths {
		dst = append(dst, get(i))
	}
	return dst
}

// AppendKeysOf appends r's keys to dst.
func (o *Ordering) AppendKeysOf(dst []Value, r *Record) []Value {
	for _, p := range o.paths {
		dst = append(dst, r.Lookup(p))
	}
	return dst
}

// KeysOf returns r's keys.
func (o *Ordering) KeysOf(r *Record) []Value {
	return o.AppendKeysOf(make([]Value, 0, len(o.paths)), r)
}

// Compare orders two records by their keys and IDs: -1, 0 or 1. It is 0 only
// where the IDs are equal.
func (o *Ordering) Compare(aKeys []Value, aID string, bKeys []Value, bID string) int {
	if c := o.CompareKeys(aKeys, bKeys); c != 0 {
		return c
	}
	return strings.Compare(aID, bID)
}

// CompareKeys is Compare without the tie-break.
func (o *Ordering) CompareKeys(a, b []Value) int {
	for i := range o.keys {
		if c := o.keys[i].compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// CompareRecords orders two records.
func (o *Ordering) CompareRecords(a, b *Record) int {
	for i := range o.keys {
		if c := o.keys[i].compare(a.Lookup(o.paths[i]), b.Lookup(o.paths[i])); c != 0 {
			return c
		}
	}
	return strings.Compare(a.ID, b.ID)
}

// After reports whether the record with those keys and that ID comes after the
// place s.
func (o *Ordering) After(keys []Value, id string, s *Seek) bool {
	return o.Compare(keys, id, s.Keys, s.ID) > 0
}

// compare orders two values of one key. Nulls do not turn with DESC.
func (k *Order) compare(a, b Value) int {
	if a.kind == KindNull || b.kind == KindNull {
		c := 0
		switch {
		case a.kind != KindNull:
			c = -1
		case b.kind != KindNull:
			c = 1
		}
		if k.Nulls == NullsFirst {
			return -c
		}
		return c
	}
	if k.Desc {
		return b.Compare(a)
	}
	return a.Compare(b)
}
