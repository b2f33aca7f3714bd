package dataknobs

import "strings"

// A KindSet is a set of kinds.
type KindSet uint16

// KindsOf returns the set of those kinds.
func KindsOf(ks ...Kind) KindSet {
	var s KindSet
	for _, k := range ks {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in s.
func (s KindSet) Has(k Kind) bool { return s&(1<<k) != 0 }

// With returns s with k added.
func (s KindSet) With(k Kind) KindSet { return s | 1<<k }

// Only reports whether s holds k and otherwise nothing but null.
func (s KindSet) Only(k Kind) bool { return s&^KindsOf(KindNull) == KindsOf(k) }

// String lists the kinds, null left out, as in "int|float"; "null" if there is no other.
func (s KindSet) String() string {
	var names []string
	for k := KindBool; k <= KindObject; k++ {
		if s.Has(k) {
			names = append(names, k.String())
		}
	}
	if names == nil {
		return KindNull.String()
	}
	return strings.Join(names, "|")
}

// A Schema says what the records of a store hold.
type Schema struct {
	// Fields are the top-level fields in the store's order. Nested fields follow
	// their parent, by path.
	Fields []FieldSchema
	// Records is how many records there are; -1: not counted.
	Records int64
}

// A FieldSchema describes the values at one path.
type FieldSchema struct {
	Path     Path
	Kinds    KindSet // every kind that occurs; null when it is sometimes null or absent
	Elems    KindSet // for arrays: the kinds of the elements
	Nulls    int64   // in how many records it is null or absent; -1: not counted
	Examples []Value // a few values
	Declared bool    // the kind was declared, not found by looking
}
