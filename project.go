package dataknobs

import (
	"cmp"
	"slices"
)

// A Projection is a compiled SELECT without aggregates. It may be used by
// several goroutines at once.
//
// A path keeps its nesting: a.b of {a: {b: 1, c: 2}} is {a: {b: 1}}, and
// tags[2] is {tags: [x]}, an array of just the selected elements in their
// order. A column with AS becomes a top-level field. What is absent yields no
// field, not even an empty object on the way; an explicit null stays one. The
// ID, revision and position are kept, metadata only where _meta or a path
// into it is selected without AS. Fields come in the order of their columns.
type Projection struct {
	all     bool
	columns []projected
	meta    *selection // of the metadata; nil: none
}

// A projected is one top-level field of the result.
type projected struct {
	name string
	path Path       // with AS: where the value comes from
	pick *selection // without: what is picked of the field called name
}

// A selection is the part of a value that is selected: all of it, or parts of
// its members.
type selection struct {
	whole  bool
	fields []picked // in the order of their columns
	elems  []picked // by index
}

type picked struct {
	name  string
	index int
	*selection
}

// NewProjection compiles the columns; none select the whole record. An
// aggregate, and a name that two columns would have, are InvalidArgument.
func NewProjection(cols []Column) (*Projection, error) {
	p := &Projection{all: len(cols) == 0}
	for _, c := range cols {
		if err := p.add(c); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Projection) add(c Column) error {
	if c.Agg != NoAgg {
		return Errorf(InvalidArgument, "%s is an aggregate, which cannot be selected of a single record", c.Name())
	}
	if err := checkPath(c.Path); err != nil {
		return err
	}
	if c.As != "" {
		if err := CheckName(c.As); err != nil {
			return err
		}
		if p.find(c.As) >= 0 {
			return errColumnTwice(c.As)
		}
		p.columns = append(p.columns, projected{name: c.As, path: c.Path})
		return nil
	}
	switch {
	case c.Path.IsID() || c.Path.IsRevision():
		return nil
	case c.Path.IsMetadata():
		if p.meta == nil {
			p.meta = &selection{}
		}
		p.meta.add(c.Path[1:])
		return nil
	}
	i := p.find(c.Path[0].Name)
	if i < 0 {
		i = len(p.columns)
		p.columns = append(p.columns, projected{name: c.Path[0].Name, pick: &selection{}})
	}
	if p.columns[i].pick == nil {
		return errColumnTwice(c.Path[0].Name)
	}
	p.columns[i].pick.add(c.Path[1:])
	return nil
}

func (p *Projection) find(name string) int {
	return slices.IndexFunc(p.columns, func(c projected) bool { return c.name == name })
}

func errColumnTwice(name string) error {
	return Errorf(InvalidArgument, "two columns would be called %s", appendName(nil, name)).WithHint("name one of them with AS")
}

// add adds what the path leads to to the selection.
func (s *selection) add(p Path) {
	if len(p) == 0 {
		s.whole = true
		return
	}
	list := &s.fields
	if p[0].Name == "" {
		list = &s.elems
	}
	at := slices.IndexFunc(*list, func(k picked) bool { return k.name == p[0].Name && k.index == p[0].Index })
	if at < 0 {
		at = len(*list)
		*list = append(*list, picked{p[0].Name, p[0].Index, &selection{}})
	}
	(*list)[at].add(p[1:])
	if p[0].Name == "" {
		slices.SortFunc(s.elems, func(a, b picked) int { return cmp.Compare(a.index, b.index) })
	}
}

// of returns the selected part of v; false if there is none.
func (s *selection) of(v Value) (Value, bool) {
	switch {
	case s.whole:
		return v, true
	case v.kind == KindObject:
		f := s.ofFields(v.rawObject(), 0)
		return AdoptObject(f), len(f) > 0
	case v.kind == KindArray:
		vs := s.ofElems(v)
		return AdoptArray(vs), len(vs) > 0
	}
	return Value{}, false
}

func (s *selection) ofFields(from Fields, room int) Fields {
	out := make(Fields, 0, max(room, len(s.fields)))
	for i := range s.fields {
		k := &s.fields[i]
		if v, ok := from.Get(k.name); ok {
			if v, ok = k.of(v); ok {
				out = append(out, Field{k.name, v})
			}
		}
	}
	return out
}

func (s *selection) ofElems(v Value) []Value {
	var out []Value
	for i := range s.elems {
		k := &s.elems[i]
		if k.index >= v.Len() {
			break
		}
		if e, ok := k.of(v.Index(k.index)); ok {
			out = append(out, e)
		}
	}
	return out
}

// All reports whether the projection selects the whole record.
func (p *Projection) All() bool { return p.all }

// Apply returns the projection of r, a new record that shares r's values; r
// itself where the whole record is selected. r is not changed.
func (p *Projection) Apply(r *Record) *Record {
	if p.all {
		return r
	}
	out := &Record{ID: r.ID, Revision: r.Revision, pos: r.pos}
	if len(p.columns) > 0 {
		out.Fields = make(Fields, 0, len(p.columns))
	}
	for i := range p.columns {
		c := &p.columns[i]
		if v, ok := c.of(r); ok {
			out.Fields = append(out.Fields, Field{c.name, v})
		}
	}
	if p.meta != nil {
		if p.meta.whole {
			out.Metadata = slices.Clone(r.Metadata)
		} else {
			out.Metadata = p.meta.ofFields(r.Metadata, 0)
		}
	}
	return out
}

func (c *projected) of(r *Record) (Value, bool) {
	if c.pick == nil {
		return r.find(c.path)
	}
	v, ok := r.Fields.Get(c.name)
	if !ok {
		return v, false
	}
	return c.pick.of(v)
}

// find is Lookup that tells an explicit null from what is absent.
func (r *Record) find(p Path) (Value, bool) {
	if len(p) == 1 || len(p) == 2 && p.IsMetadata() {
		switch {
		case p.IsID():
			return stringOrNull(r.ID), r.ID != ""
		case p.IsRevision():
			return stringOrNull(r.Revision), r.Revision != ""
		case len(p) == 2:
			return r.Metadata.Get(p[1].Name)
		case p.IsMetadata():
			return Object(r.Metadata), true
		}
		return r.Fields.Get(p[0].Name)
	}
	parent, last := r.Lookup(p[:len(p)-1]), p[len(p)-1]
	switch {
	case last.Name == "" && last.Index < parent.Len() && parent.kind == KindArray:
		return parent.Index(last.Index), true
	case last.Name != "" && parent.kind == KindObject:
		return parent.rawObject().Get(last.Name)
	}
	return Value{}, false
}

// Project returns a new record with only what the paths lead to: see
// [Projection]. A path that cannot be one selects nothing.
func Project(r *Record, paths []Path) *Record {
	p := &Projection{}
	for _, path := range paths {
		_ = p.add(Column{Path: path}) // without AS the only error is a path that names nothing
	}
	return p.Apply(r)
}
