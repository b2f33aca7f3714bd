package json_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/json"
)

func write(t *testing.T, f json.Format, o codec.WriteOptions, recs ...*dataknobs.Record) string {
	t.Helper()
	var b bytes.Buffer
	w, err := f.NewWriter(&b, &o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		if err := w.Write(r); err != nil {
			t.Fatalf("write %v: %v", r.Fields, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func rec(id string, pairs ...any) *dataknobs.Record {
	r := dataknobs.NewRecord(id)
	for i := 0; i < len(pairs); i += 2 {
		r.Fields = append(r.Fields, dataknobs.F(pairs[i].(string), pairs[i+1]))
	}
	return r
}

func TestWrite(t *testing.T) {
	when, _ := dataknobs.ParseTime("2013-01-01T10:00:00.25Z")
	all := rec("k\"1", "i", 1, "f", 1.0, "s", "x\ny", "n", nil, "a", []any{1, []any{}}, "o", dataknobs.Fields{dataknobs.F("$x", 1)})
	withMeta := rec("m", "a", 1)
	withMeta.Metadata = dataknobs.Fields{dataknobs.F("k", "v")}
	for _, c := range []struct {
		name   string
		format json.Format
		o      codec.WriteOptions
		recs   []*dataknobs.Record
		want   string
	}{
		{"array", json.Format{}, codec.WriteOptions{Layout: &codec.Layout{ID: "_id"}}, []*dataknobs.Record{all, rec("b")},
			"[\n{\"_id\":\"k\\\"1\",\"i\":1,\"f\":1.0,\"s\":\"x\\ny\",\"n\":null,\"a\":[1,[]],\"o\":{\"$x\":1}},\n{\"_id\":\"b\"}\n]\n"},
		{"keyed", json.Format{}, codec.WriteOptions{Layout: &codec.Layout{Keyed: true}}, []*dataknobs.Record{rec("k\"1", "a", 1), rec("b")},
			"{\n\"k\\\"1\":{\"a\":1},\n\"b\":{}\n}\n"},
		{"lines", json.NDJSON, codec.WriteOptions{Layout: &codec.Layout{}}, []*dataknobs.Record{rec("", "a", 1), rec("")}, "{\"a\":1}\n{}\n"},
		{"nothing", json.Format{}, codec.WriteOptions{Layout: &codec.Layout{}}, nil, "[]\n"},
		{"nothing, keyed", json.Format{}, codec.WriteOptions{Layout: &codec.Layout{Keyed: true}}, nil, "{}\n"},
		{"nothing, lines", json.NDJSON, codec.WriteOptions{Layout: &codec.Layout{}}, nil, ""},
		{"indent", json.Format{}, codec.WriteOptions{Indent: true, Layout: &codec.Layout{Keyed: true}}, []*dataknobs.Record{rec("a", "x", []any{1}), rec("b")},
			"{\n  \"a\": {\n    \"x\": [\n      1\n    ]\n  },\n  \"b\": {}\n}\n"},
		{"tagged", json.NDJSON, codec.WriteOptions{Layout: &codec.Layout{Tagged: true, Meta: "_meta"}},
			[]*dataknobs.Record{rec("", "$t", when), rec("", "y", []any{[]byte("hi")}), all, withMeta}, ""},
		{"noted kinds", json.NDJSON, codec.WriteOptions{Layout: &codec.Layout{Columns: []codec.Column{{Name: "t", Kind: "time"}, {Name: "y", Kind: "bytes"}}}},
			[]*dataknobs.Record{rec("", "t", when, "y", []byte{}), rec("", "t", nil)}, "{\"t\":\"2013-01-01T10:00:00.25Z\",\"y\":\"\"}\n{\"t\":null}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := write(t, c.format, c.o, c.recs...)
			if c.want != "" && got != c.want {
				t.Fatalf("wrote\n%s\nwant\n%s", got, c.want)
			}
			back, err := read(t.Context(), c.format, got, &codec.ReadOptions{Layout: c.o.Layout})
			if err != nil || len(back) != len(c.recs) {
				t.Fatalf("read back %s, %v", show(back), err)
			}
			for i, want := range c.recs {
				if c.o.Layout.ID == "" && !c.o.Layout.Keyed {
					want = want.Clone()
					want.ID = ""
				}
				if !back[i].Identical(want) {
					t.Errorf("read back %s, want %s", show(back[i:i+1]), show([]*dataknobs.Record{want}))
				}
			}
		})
	}
}

func TestWriteErrors(t *testing.T) {
	when, _ := dataknobs.ParseTime("2013-01-01T10:00:00Z")
	meta := rec("x", "a", 1)
	meta.Metadata = dataknobs.Fields{dataknobs.F("k", 1)}
	noted := &codec.Layout{Columns: []codec.Column{{Name: "t", Kind: "time"}}}
	for _, c := range []struct {
		name   string
		layout *codec.Layout
		rec    *dataknobs.Record
		want   string
	}{
		{"no ID in a keyed file", &codec.Layout{Keyed: true}, rec("", "a", 1), "without an ID"},
		{"metadata", &codec.Layout{}, meta, "no place for the metadata"},
		{"time", &codec.Layout{}, rec("", "t", when), "the field t holds a time or bytes"},
		{"nested bytes", noted, rec("", "a", []any{dataknobs.Fields{dataknobs.F("b", []byte{1})}}), "the field a holds a time or bytes"},
		{"string for a time", noted, rec("", "t", "x"), "the field t is of kind string; the layout says time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			w, err := json.Format{}.NewWriter(&b, &codec.WriteOptions{Layout: c.layout})
			if err != nil {
				t.Fatal(err)
			}
			err = w.Write(c.rec)
			if dataknobs.CodeOf(err) != dataknobs.InvalidArgument || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err := w.Close(); err != nil || len(strings.TrimSpace(b.String())) != 2 {
				t.Errorf("the file holds %q, %v", b.String(), err)
			}
		})
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteFails(t *testing.T) {
	w, err := json.NDJSON.NewWriter(full{}, &codec.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 100_000 {
		err = errors.Join(err, w.Write(rec("", "a", 1)))
	}
	if err == nil || w.Close() == nil {
		t.Errorf("no error from a full disk")
	}
}

func TestLayout(t *testing.T) {
	for _, c := range []struct {
		text string
		want codec.Layout
	}{
		{`[{"_id":"x","a":1,"_meta":{}}]`, codec.Layout{ID: "_id", Meta: "_meta"}},
		{`{"k":{"a":1}}`, codec.Layout{Keyed: true}},
		{`{"a":1}`, codec.Layout{}},
		{``, codec.Layout{}},
	} {
		l, err := open(t, json.Format{}, []byte(c.text), &codec.ReadOptions{}).Layout(t.Context())
		if err != nil || l.ID != c.want.ID || l.Meta != c.want.Meta || l.Keyed != c.want.Keyed {
			t.Errorf("layout of %s: %+v, %v, want %+v", c.text, l, err, c.want)
		}
	}
}
