package file

import (
	"cmp"
	"slices"

	"dataknobs.dev/dataknobs"
)

// maxSurveyed bounds how many paths a schema lists.
const maxSurveyed = 4096

// A survey collects what a schema says.
type survey struct {
	records int64
	root    surveyed
	n       int
}

// surveyed is what was found at one path: its values, and the fields below.
type surveyed struct {
	name     string
	kinds    dataknobs.KindSet
	elems    dataknobs.KindSet
	present  int64 // how often it was there and not null
	examples []example
	below    []*surveyed
	at       map[string]*surveyed
}

const fewExamples = 3

// An example is a value and where it stood: of what several workers found, the
// first in the file are shown, whoever was faster.
type example struct {
	value dataknobs.Value
	pos   uint64
}

func newSurvey() *survey { return &survey{} }

// field returns what is collected of a field; nil: there are too many.
func (v *survey) field(parent *surveyed, name string) *surveyed {
	if parent == nil {
		parent = &v.root
	}
	if s := parent.at[name]; s != nil {
		return s
	}
	if v.n++; v.n > maxSurveyed {
		return nil
	}
	if parent.at == nil {
		parent.at = map[string]*surveyed{}
	}
	s := &surveyed{name: name}
	parent.at[name] = s
	parent.below = append(parent.below, s)
	return s
}

func (v *survey) record(r *dataknobs.Record) {
	v.records++
	for i, f := range r.Fields {
		var s *surveyed
		if i < len(v.root.below) && v.root.below[i].name == f.Name { // the usual case
			s = v.root.below[i]
		} else {
			s = v.field(nil, f.Name)
		}
		v.value(s, f.Value, r.Position(), 1)
	}
}

func (v *survey) value(s *surveyed, x dataknobs.Value, pos uint64, depth int) {
	if s == nil || x.IsNull() {
		return
	}
	s.present++
	s.kinds |= 1 << x.Kind()
	switch x.Kind() {
	case dataknobs.KindArray:
		for e := range x.Elems() {
			s.elems |= 1 << e.Kind()
		}
	case dataknobs.KindObject:
		for name, e := range x.All() {
			if depth < dataknobs.MaxDepth {
				v.value(v.field(s, name), e, pos, depth+1)
			}
		}
		return
	}
	s.example(x, pos)
}

// example keeps x if it is among the first different values.
func (s *surveyed) example(x dataknobs.Value, pos uint64) {
	n := len(s.examples)
	if n == fewExamples && s.examples[n-1].pos <= pos {
		return
	}
	for i, e := range s.examples {
		if e.value.Equal(x) {
			if e.pos > pos {
				s.examples[i].pos = pos
				s.sort()
			}
			return
		}
	}
	s.examples = append(s.examples, example{x.Clone(), pos})
	s.sort()
	s.examples = s.examples[:min(n+1, fewExamples)]
}

func (s *surveyed) sort() {
	slices.SortFunc(s.examples, func(a, b example) int { return cmp.Compare(a.pos, b.pos) })
}

// merge adds what o found to v.
func (v *survey) merge(o *survey) {
	v.records += o.records
	v.mergeBelow(&v.root, &o.root)
}

func (v *survey) mergeBelow(to, from *surveyed) {
	for _, f := range from.below {
		parent := to
		t := v.field(parent, f.name)
		if t == nil {
			continue
		}
		t.kinds |= f.kinds
		t.elems |= f.elems
		t.present += f.present
		for _, e := range f.examples {
			t.example(e.value, e.pos)
		}
		v.mergeBelow(t, f)
	}
}

func (v *survey) schema() *dataknobs.Schema {
	s := &dataknobs.Schema{Records: v.records}
	v.add(s, nil, &v.root)
	return s
}

func (v *survey) add(s *dataknobs.Schema, at dataknobs.Path, x *surveyed) {
	for _, f := range x.below {
		path := at.Child(f.name)
		kinds, nulls := f.kinds, v.records-f.present
		if nulls > 0 {
			kinds = kinds.With(dataknobs.KindNull)
		}
		x := dataknobs.FieldSchema{Path: path, Kinds: kinds, Elems: f.elems, Nulls: nulls}
		for _, e := range f.examples {
			x.Examples = append(x.Examples, e.value)
		}
		s.Fields = append(s.Fields, x)
		v.add(s, path, f)
	}
}
