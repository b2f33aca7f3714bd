package dataknobs

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Step is one step of a [Path]: into the field Name or, where Name is empty,
// to the element Index of an array.
type Step struct {
	Name  string
	Index int
}

// A Path names a value inside a record: address.city, tags[0], `unit price`,
// _meta.source. Its first step is a field name or one of the system names _id,
// _rev and _meta. A Path is plain data; whoever receives one does not change it.
type Path []Step

// Names returns the path through those field names, each taken literally.
func Names(names ...string) Path {
	p := make(Path, len(names))
	for i, n := range names {
		p[i].Name = n
	}
	return p
}

// The paths of the system names that queries may use.
var (
	PathID       = Names("_id")
	PathRevision = Names("_rev")
	PathMetadata = Names("_meta")
)

// Child returns p with one more step, into the field name.
func (p Path) Child(name string) Path { return append(slices.Clone(p), Step{Name: name}) }

// At returns p with one more step, to the element i.
func (p Path) At(i int) Path { return append(slices.Clone(p), Step{Index: i}) }

// Equal reports whether p and q are the same path.
func (p Path) Equal(q Path) bool { return slices.Equal(p, q) }

// IsID reports whether p is _id.
func (p Path) IsID() bool { return len(p) == 1 && p[0].Name == "_id" }

// IsRevision reports whether p is _rev.
func (p Path) IsRevision() bool { return len(p) == 1 && p[0].Name == "_rev" }

// IsMetadata reports whether p is _meta or leads into it.
func (p Path) IsMetadata() bool { return len(p) > 0 && p[0].Name == "_meta" }

// IsSystem reports whether p starts at a system name.
func (p Path) IsSystem() bool { return len(p) > 0 && IsSystemName(p[0].Name) }

// String prints the path as the query language reads it.
func (p Path) String() string { return string(p.AppendText(nil)) }

// AppendText appends what String returns to b.
func (p Path) AppendText(b []byte) []byte {
	for i, s := range p {
		if s.Name == "" {
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.Index), 10)
			b = append(b, ']')
			continue
		}
		if i > 0 {
			b = append(b, '.')
		}
		b = appendName(b, s.Name)
	}
	return b
}

// appendName appends a field name, in backticks where it needs them.
func appendName(b []byte, name string) []byte {
	if isPlainName(name) && !isReserved(name) {
		return append(b, name...)
	}
	b = append(b, '`')
	b = append(b, strings.ReplaceAll(name, "`", "``")...)
	return append(b, '`')
}

// isPlainName reports whether name can stand without backticks: letters,
// digits, _, @ and $, not starting with a digit.
func isPlainName(name string) bool {
	for i, r := range name {
		if !isNameRune(r, i == 0) {
			return false
		}
	}
	return name != "" && utf8.ValidString(name)
}

func isNameRune(r rune, first bool) bool {
	return r == '_' || r == '@' || r == '$' || unicode.IsLetter(r) || !first && (unicode.IsDigit(r) || unicode.Is(unicode.Mn, r))
}

// reserved are the words of the query language; a field of that name is
// written in backticks.
var reserved = strings.Fields(`select where order by group having limit offset asc desc nulls first last as
	and or not in between like ilike starts with matches contains is null true false time bytes`)

func isReserved(name string) bool {
	return len(name) <= 8 && slices.ContainsFunc(reserved, func(w string) bool { return strings.EqualFold(w, name) })
}

// Lookup returns the value that p names in r; null if there is none.
func (r *Record) Lookup(p Path) Value {
	if len(p) == 0 {
		return Value{}
	}
	var v Value
	switch name := p[0].Name; {
	case name == "":
		return Value{}
	case name[0] != '_':
		v = r.Fields.Value(name)
	case name == "_id":
		v = stringOrNull(r.ID)
	case name == "_rev":
		v = stringOrNull(r.Revision)
	case name == "_meta":
		if len(p) == 1 {
			return Object(r.Metadata)
		}
		v = r.Metadata.Value(p[1].Name)
		p = p[1:]
	default:
		v = r.Fields.Value(name)
	}
	return v.Lookup(p[1:])
}

func stringOrNull(s string) Value {
	if s == "" {
		return Value{}
	}
	return String(s)
}

// Lookup returns the value that p names inside v: v itself if p is empty, null
// if a step leads through something that is not an object or array of that
// field or index.
func (v Value) Lookup(p Path) Value {
	for _, s := range p {
		if s.Name != "" {
			v = v.Field(s.Name)
		} else {
			v = v.Index(s.Index)
		}
		if v.kind == KindNull {
			return v
		}
	}
	return v
}
