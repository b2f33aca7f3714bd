package dataknobs_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
)

func projectRecord() *dataknobs.Record {
	r := dataknobs.NewRecord("id1",
		dataknobs.F("a", dataknobs.Fields{dataknobs.F("b", 1), dataknobs.F("c", dataknobs.Fields{dataknobs.F("d", 2), dataknobs.F("n", nil)})}),
		dataknobs.F("tags", []any{"x", "y", dataknobs.Fields{dataknobs.F("k", 3), dataknobs.F("l", 4)}}),
		dataknobs.F("n", nil), dataknobs.F("s", "text"), dataknobs.F("a.b", "dotted"))
	r.Metadata = dataknobs.Fields{dataknobs.F("source", "test"), dataknobs.F("o", dataknobs.Fields{dataknobs.F("x", 1), dataknobs.F("y", 2)})}
	r.Revision = "r1"
	r.SetPosition(7)
	return r
}

func TestProjection(t *testing.T) {
	n := dataknobs.Names
	col := func(p dataknobs.Path) dataknobs.Column { return dataknobs.Column{Path: p} }
	as := func(p dataknobs.Path, name string) dataknobs.Column { return dataknobs.Column{Path: p, As: name} }
	tests := []struct {
		name string
		cols []dataknobs.Column
		want string // the fields, and the metadata where there is some
	}{
		{"a field", []dataknobs.Column{col(n("s"))}, "{'s': 'text'}"},
		{"in the order of the columns", []dataknobs.Column{col(n("s")), col(n("n"))}, "{'s': 'text', 'n': null}"},
		{"a nested field", []dataknobs.Column{col(n("a", "b"))}, "{'a': {'b': 1}}"},
		{"two of one object", []dataknobs.Column{col(n("a", "c", "d")), col(n("s")), col(n("a", "b"))}, "{'a': {'c': {'d': 2}, 'b': 1}, 's': 'text'}"},
		{"a dotted name", []dataknobs.Column{col(n("a.b"))}, "{'a.b': 'dotted'}"},
		{"a whole and its part", []dataknobs.Column{col(n("a", "b")), col(n("a"))}, "{'a': {'b': 1, 'c': {'d': 2, 'n': null}}}"},
		{"an explicit null", []dataknobs.Column{col(n("a", "c", "n"))}, "{'a': {'c': {'n': null}}}"},
		{"what is absent", []dataknobs.Column{col(n("zz")), col(n("a", "zz")), col(n("s", "zz")), col(n("n", "zz")), col(n("tags").At(9))}, "{}"},
		{"an element", []dataknobs.Column{col(n("tags").At(1))}, "{'tags': ['y']}"},
		{"elements in their order", []dataknobs.Column{col(n("tags").At(2)), col(n("tags").At(0)), col(n("tags").At(2))}, "{'tags': ['x', {'k': 3, 'l': 4}]}"},
		{"inside an element", []dataknobs.Column{col(n("tags").At(2).Child("l"))}, "{'tags': [{'l': 4}]}"},
		{"an index into an object", []dataknobs.Column{col(n("a").At(0))}, "{}"},
		{"a field of an array", []dataknobs.Column{col(n("tags", "k"))}, "{}"},
		{"renamed", []dataknobs.Column{as(n("a", "c", "d"), "deep"), as(n("tags").At(0), "first"), as(n("s"), "t")}, "{'deep': 2, 'first': 'x', 't': 'text'}"},
		{"renamed null", []dataknobs.Column{as(n("n"), "m"), as(n("a", "c", "n"), "o")}, "{'m': null, 'o': null}"},
		{"renamed absent", []dataknobs.Column{as(n("zz"), "m"), as(n("a", "zz"), "o"), as(n("tags").At(5), "p"), as(n("s", "b"), "q")}, "{}"},
		{"exchanged", []dataknobs.Column{as(n("s"), "n"), as(n("n"), "s")}, "{'n': 'text', 's': null}"},
		{"system names", []dataknobs.Column{col(dataknobs.PathID), col(dataknobs.PathRevision)}, "{}"},
		{"renamed system names", []dataknobs.Column{as(dataknobs.PathID, "key"), as(dataknobs.PathRevision, "rev")}, "{'key': 'id1', 'rev': 'r1'}"},
		{"metadata", []dataknobs.Column{col(n("_meta", "source"))}, "{} _meta {'source': 'test'}"},
		{"nested metadata", []dataknobs.Column{col(n("_meta", "o", "y"))}, "{} _meta {'o': {'y': 2}}"},
		{"all metadata", []dataknobs.Column{col(n("s")), col(dataknobs.PathMetadata)}, "{'s': 'text'} _meta {'source': 'test', 'o': {'x': 1, 'y': 2}}"},
		{"renamed metadata", []dataknobs.Column{as(n("_meta", "source"), "src"), as(n("_meta", "zz"), "no")}, "{'src': 'test'}"},
		{"renamed all metadata", []dataknobs.Column{as(dataknobs.PathMetadata, "m")}, "{'m': {'source': 'test', 'o': {'x': 1, 'y': 2}}}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := projectRecord()
			p, err := dataknobs.NewProjection(tt.cols)
			if err != nil {
				t.Fatal(err)
			}
			got := p.Apply(r)
			if s := recordText(got); s != tt.want {
				t.Errorf("got %s, wanted %s", s, tt.want)
			}
			if got.ID != r.ID || got.Revision != r.Revision || got.Position() != r.Position() {
				t.Errorf("got ID %q, revision %q, position %d", got.ID, got.Revision, got.Position())
			}
			if !r.Identical(projectRecord()) {
				t.Error("the record was changed")
			}
		})
	}
}

func recordText(r *dataknobs.Record) string {
	s := dataknobs.Object(r.Fields).String()
	if len(r.Metadata) > 0 {
		s += " _meta " + dataknobs.Object(r.Metadata).String()
	}
	return s
}

func TestProjectWhole(t *testing.T) {
	p, err := dataknobs.NewProjection(nil)
	if r := projectRecord(); err != nil || !p.All() || p.Apply(r) != r {
		t.Errorf("no columns do not select the whole record: %v", err)
	}
	got := dataknobs.Project(projectRecord(), []dataknobs.Path{dataknobs.Names("a", "b"), dataknobs.Names("_meta", "source"), {}})
	if s, want := recordText(got), "{'a': {'b': 1}} _meta {'source': 'test'}"; s != want {
		t.Errorf("got %s, wanted %s", s, want)
	}
	if s := recordText(dataknobs.Project(projectRecord(), nil)); s != "{}" {
		t.Errorf("no paths: got %s, wanted nothing", s)
	}
}

func TestProjectionRefuses(t *testing.T) {
	n := dataknobs.Names
	for name, cols := range map[string][]dataknobs.Column{
		"an aggregate":             {{Agg: dataknobs.CountAll}},
		"an empty path":            {{}},
		"one name twice":           {{Path: n("a"), As: "x"}, {Path: n("b"), As: "x"}},
		"a field's name":           {{Path: n("a")}, {Path: n("b"), As: "a"}},
		"a field's name, reversed": {{Path: n("b"), As: "a"}, {Path: n("a", "c")}},
		"a system name":            {{Path: n("a"), As: "_id"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := dataknobs.NewProjection(cols)
			wantCode(t, err, dataknobs.InvalidArgument)
		})
	}
}

func BenchmarkProjection(b *testing.B) {
	r := benchRecord()
	p, err := dataknobs.NewProjection([]dataknobs.Column{{Path: dataknobs.Names("fff")}, {Path: dataknobs.Names("sssss")}, {Path: dataknobs.Names("ff")}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Apply(r)
	}
}
