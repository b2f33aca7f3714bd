package dataknobs_test

import (
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
)

func patchRecord() *dataknobs.Record {
	r := dataknobs.NewRecord("id1",
		dataknobs.F("a", dataknobs.Fields{dataknobs.F("b", 1), dataknobs.F("c", 2)}), dataknobs.F("tags", []any{"x", "y"}), dataknobs.F("n", nil), dataknobs.F("s", "text"))
	r.Metadata = dataknobs.Fields{dataknobs.F("source", "test")}
	r.Revision = "r1"
	return r
}

func TestApplyChanges(t *testing.T) {
	n := dataknobs.Names
	set := func(p dataknobs.Path, v any) dataknobs.Change {
		return dataknobs.Change{Path: p, Value: dataknobs.F("", v).Value}
	}
	remove := func(p dataknobs.Path) dataknobs.Change { return dataknobs.Change{Path: p, Remove: true} }
	const a, tags, null, s, meta = "'a': {'b': 1, 'c': 2}", "'tags': ['x', 'y']", "'n': null", "'s': 'text'", " _meta {'source': 'test'}"
	tests := []struct {
		name    string
		changes []dataknobs.Change
		want    string // or what the error says, after "error: "
	}{
		{"nothing", nil, "{" + a + ", " + tags + ", " + null + ", " + s + "}" + meta},
		{"replace", []dataknobs.Change{set(n("s"), 5)}, "{" + a + ", " + tags + ", " + null + ", 's': 5}" + meta},
		{"add", []dataknobs.Change{set(n("z"), nil)}, "{" + a + ", " + tags + ", " + null + ", " + s + ", 'z': null}" + meta},
		{"remove", []dataknobs.Change{remove(n("a")), remove(n("n"))}, "{" + tags + ", " + s + "}" + meta},
		{"nested", []dataknobs.Change{set(n("a", "b"), 9), remove(n("a", "c"))}, "{'a': {'b': 9}, " + tags + ", " + null + ", " + s + "}" + meta},
		{"objects on the way", []dataknobs.Change{set(n("x", "y", "z"), 1), set(n("n", "m"), 2)}, "{" + a + ", " + tags + ", 'n': {'m': 2}, " + s + ", 'x': {'y': {'z': 1}}}" + meta},
		{"an element", []dataknobs.Change{set(n("tags").At(1), "Y"), set(n("tags").At(2), "Z")}, "{" + a + ", 'tags': ['x', 'Y', 'Z'], " + null + ", " + s + "}" + meta},
		{"an element of a new array", []dataknobs.Change{set(n("l").At(0).Child("k"), 1), remove(n("tags")), remove(n("a"))}, "{" + null + ", " + s + ", 'l': [{'k': 1}]}" + meta},
		{"remove an element", []dataknobs.Change{remove(n("tags").At(0))}, "{" + a + ", 'tags': ['y'], " + null + ", " + s + "}" + meta},
		{"remove what is absent", []dataknobs.Change{remove(n("zz")), remove(n("a", "zz", "y")), remove(n("s", "b")), remove(n("tags").At(2)), remove(n("tags", "b")), remove(n("a").At(0)), remove(n("_meta", "zz"))},
			"{" + a + ", " + tags + ", " + null + ", " + s + "}" + meta},
		{"in order", []dataknobs.Change{remove(n("a")), set(n("a", "b"), 2), remove(n("tags")), set(n("tags"), 1)}, "{" + null + ", " + s + ", 'a': {'b': 2}, 'tags': 1}" + meta},
		{"metadata", []dataknobs.Change{set(n("_meta", "source"), "new"), set(n("_meta", "o", "p"), 1)}, "{" + a + ", " + tags + ", " + null + ", " + s + "} _meta {'source': 'new', 'o': {'p': 1}}"},
		{"all metadata", []dataknobs.Change{set(n("_meta"), dataknobs.Fields{dataknobs.F("k", 1)})}, "{" + a + ", " + tags + ", " + null + ", " + s + "} _meta {'k': 1}"},
		{"no metadata", []dataknobs.Change{remove(n("_meta"))}, "{" + a + ", " + tags + ", " + null + ", " + s + "}"},
		{"through a string", []dataknobs.Change{set(n("s", "b"), 1)}, "error: s.b cannot be set: s is the string 'text'"},
		{"an array by name", []dataknobs.Change{set(n("tags", "b"), 1)}, "error: tags.b cannot be set: tags is the array"},
		{"an object by index", []dataknobs.Change{set(n("a").At(0), 1)}, "error: a[0] cannot be set: a is the object"},
		{"past the end", []dataknobs.Change{set(n("tags").At(3), 1)}, "error: tags has 2 elements, so tags[3] cannot be set"},
		{"past the beginning", []dataknobs.Change{set(n("tags").At(-1), 1)}, "error: the path tags[-1] has a negative index"},
		{"_id", []dataknobs.Change{set(dataknobs.PathID, "x")}, "error: _id cannot be changed"},
		{"_rev", []dataknobs.Change{remove(dataknobs.PathRevision)}, "error: _rev cannot be changed"},
		{"_created", []dataknobs.Change{set(n("_created"), 1)}, "error: _created cannot be changed"},
		{"_meta to a number", []dataknobs.Change{set(n("_meta"), 1)}, "error: _meta can only be set to an object"},
		{"an empty path", []dataknobs.Change{set(nil, 1)}, "error: a path is empty"},
		{"a bad value", []dataknobs.Change{set(n("s"), "a\x00")}, "error: the text of s contains a NUL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := patchRecord()
			got, err := dataknobs.ApplyChanges(r, tt.changes)
			if says, ok := strings.CutPrefix(tt.want, "error: "); ok {
				wantCode(t, err, dataknobs.InvalidArgument)
				if err != nil && !strings.Contains(err.Error(), says) {
					t.Errorf("the error %q does not say %q", err, says)
				}
			} else if err != nil {
				t.Error(err)
			} else if s := recordText(got); s != tt.want || got.ID != "id1" || got.Revision != "r1" {
				t.Errorf("got %s, wanted %s", s, tt.want)
			}
			if !r.Identical(patchRecord()) {
				t.Errorf("the record was changed to %s", recordText(r))
			}
		})
	}
}

// TestApplyChangesShares checks that copies made from one record do not write
// into each other through spare room at the end of a shared slice.
func TestApplyChangesShares(t *testing.T) {
	fields := make(dataknobs.Fields, 1, 8)
	fields[0] = dataknobs.F("a", 1)
	r := &dataknobs.Record{ID: "1", Fields: fields}
	add := func(name string) *dataknobs.Record {
		out, err := dataknobs.ApplyChanges(r, []dataknobs.Change{{Path: dataknobs.Names(name), Value: dataknobs.Int(2)}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	x, y := add("x"), add("y")
	x.Set("z", dataknobs.Int(3))
	if got, want := recordText(x)+recordText(y)+recordText(r), "{'a': 1, 'x': 2, 'z': 3}{'a': 1, 'y': 2}{'a': 1}"; got != want {
		t.Errorf("got %s, wanted %s", got, want)
	}
}
