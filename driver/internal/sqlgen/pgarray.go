package sqlgen

import (
	"strings"

	"dataknobs.dev/dataknobs"
)

// pgArray is a column of a PostgreSQL array type. An array of several
// dimensions is one of arrays to the contract.
type pgArray struct {
	b   *builder
	col *Column
	x   string
}

const whyArray = "arrays of the database are compared here"

func (s *pgArray) notNull() string { return s.x + " IS NOT NULL" }
func (s *pgArray) isNull() string  { return s.x + " IS NULL" }
func (s *pgArray) isArray() string { return s.x + " IS NOT NULL" }

func (s *pgArray) text() (string, string, answer) { return "", "", exact(never) }
func (s *pgArray) span(span) answer               { return exact(never) }

func (s *pgArray) equal(v dataknobs.Value) answer {
	if v.Kind() != dataknobs.KindArray {
		return exact(never)
	}
	return rough("cardinality("+s.x+") >= "+s.b.arg(int64(v.Len()), "int4"), whyArray)
}

func (s *pgArray) in(vs []dataknobs.Value) answer {
	var as []answer
	for _, v := range vs {
		as = append(as, s.equal(v))
	}
	return or(as)
}

// contains asks by @>, which an index serves, where the element's type has one
// constant for the value.
func (s *pgArray) contains(v dataknobs.Value) answer {
	elem := pgColumn{b: s.b, col: &Column{Type: s.col.Elem}}
	switch {
	case classOf(v) == classNone:
		return rough(s.notNull(), whyArray)
	case classOf(v) != elem.col.class():
		if classOf(v) == classString && elem.odd() != "" {
			return rough(s.notNull(), whyOdd)
		}
		return exact(never)
	}
	switch s.col.Elem {
	case Text, Int, UUID, Bool:
	default:
		return rough(s.notNull(), whyArray)
	}
	p, ok := elem.param(v)
	if !ok {
		return exact(never)
	}
	typ := strings.TrimSuffix(s.col.SQLType, "[]")
	if s.col.Elem == Int {
		// A constant beyond the element's type is no element, and no error.
		return exact("array_ndims(" + s.x + ") = 1 AND " + p + " = ANY(" + s.x + ")")
	}
	return exact("array_ndims(" + s.x + ") = 1 AND " + s.x + " @> ARRAY[" + p + "]::" + typ + "[]")
}
