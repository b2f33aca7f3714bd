package file

import (
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
	examples []dataknobs.Value
	below    []*surveyed
	at       map[string]*surveyed
}

const fewExamples = 3

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
		v.value(s, f.Value, 1)
	}
}

func (v *survey) value(s *surveyed, x dataknobs.Value, depth int) {
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
				v.value(v.field(s, name), e, depth+1)
			}
		}
		return
	}
	if len(s.examples) < fewExamples && !s.shown(x) {
		s.examples = append(s.examples, x.Clone())
	}
}

func (s *surveyed) shown(x dataknobs.Value) bool {
	for _, e := range s.examples {
		if e.Equal(x) {
			return true
		}
	}
	return false
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
			if len(t.examples) < fewExamples && !t.shown(e) {
				t.examples = append(t.examples, e)
			}
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
		s.Fields = append(s.Fields, dataknobs.FieldSchema{
			Path: path, Kinds: kinds, Elems: f.elems, Nulls: nulls, Examples: f.examples,
		})
		v.add(s, path, f)
	}
}
