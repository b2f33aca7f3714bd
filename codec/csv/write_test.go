package csv_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/csv"
)

func write(t *testing.T, f csv.Format, l *codec.Layout, recs ...*dataknobs.Record) string {
	t.Helper()
	var b bytes.Buffer
	w, err := f.NewWriter(&b, &codec.WriteOptions{Layout: l})
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

func columns(pairs ...string) []codec.Column {
	var cs []codec.Column
	for i := 0; i < len(pairs); i += 2 {
		cs = append(cs, codec.Column{Name: pairs[i], Kind: pairs[i+1]})
	}
	return cs
}

func rec(id string, pairs ...any) *dataknobs.Record {
	r := dataknobs.NewRecord(id)
	for i := 0; i < len(pairs); i += 2 {
		r.Fields = append(r.Fields, dataknobs.F(pairs[i].(string), pairs[i+1]))
	}
	return r
}

func TestWrite(t *testing.T) {
	time0, _ := dataknobs.ParseTime("2013-01-01T10:00:00.25Z")
	withMeta := rec("x,1", "a", 1)
	withMeta.Metadata = dataknobs.Fields{dataknobs.F("k", "v")}
	for _, c := range []struct {
		name   string
		format csv.Format
		layout codec.Layout
		recs   []*dataknobs.Record
		want   string
	}{
		{"kinds", csv.Format{}, codec.Layout{Columns: columns("i", "int", "f", "float", "n", "number", "b", "bool", "t", "time", "y", "bytes", "s", "string")},
			[]*dataknobs.Record{rec("", "i", 1, "f", 1.0, "n", 2, "b", true, "t", time0, "y", []byte("hi"), "s", "x"), rec("", "n", 2.5), rec("", "s", "")},
			"i,f,n,b,t,y,s\n1,1.0,2,true,2013-01-01T10:00:00.25Z,aGk=,x\n,,2.5,,,,\n,,,,,,\"\"\n"},
		{"quotes", csv.Format{}, codec.Layout{Columns: columns("a;b", "string", "c", "string"), Nulls: []string{"NA"}},
			[]*dataknobs.Record{rec("", "a;b", "x,\"y\"", "c", " z"), rec("", "c", "NA", "a;b", "\r\n"), rec("", "c", "007", "a;b", "é|")},
			"\"a;b\",c\n\"x,\"\"y\"\"\",\" z\"\n\"\r\n\",\"NA\"\n\"é|\",007\n"},
		{"json", csv.Format{}, codec.Layout{Columns: columns("j", "json")},
			[]*dataknobs.Record{rec("", "j", []any{1, "x"}), rec("", "j", "12"), rec("", "j", 12), rec("", "j", nil), rec("", "j", time0)},
			"j\n\"[1,\"\"x\"\"]\"\n\"\"\"12\"\"\"\n12\n\n\"{\"\"$time\"\":\"\"2013-01-01T10:00:00.25Z\"\"}\"\n"},
		{"ID and metadata", csv.Format{}, codec.Layout{ID: "_id", Meta: "_meta", Columns: columns("a", "int")},
			[]*dataknobs.Record{withMeta, rec("y", "a", 2)},
			"_id,a,_meta\n\"x,1\",1,\"{\"\"k\"\":\"\"v\"\"}\"\ny,2,\n"},
		{"TSV", csv.TSV, codec.Layout{Columns: columns("a", "int", "b", "string")}, []*dataknobs.Record{rec("", "a", 1, "b", "x\ty")}, "a\tb\n1\t\"x\ty\"\n"},
		{"no header, semicolons", csv.Format{}, codec.Layout{NoHeader: true, Delimiter: ";", Columns: columns("a", "int", "b", "int")},
			[]*dataknobs.Record{rec("", "a", 1, "b", 2)}, "1;2\n"},
		{"a number that is a null word", csv.Format{}, codec.Layout{Nulls: []string{"-1"}, Columns: columns("a", "int", "b", "int")},
			[]*dataknobs.Record{rec("", "a", -1, "b", 1)}, "a,b\n\"-1\",1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := write(t, c.format, &c.layout, c.recs...)
			if got != c.want {
				t.Fatalf("wrote\n%s\nwant\n%s", got, c.want)
			}
			f, err := c.format.Open(t.Context(), source([]byte(got)), &codec.ReadOptions{Layout: &c.layout})
			if err != nil {
				t.Fatal(err)
			}
			back, err := scanAll(t.Context(), f)
			if err != nil || len(back.recs) != len(c.recs) {
				t.Fatalf("read back %s, %v", show(back.recs), err)
			}
			for i, r := range c.recs {
				sameRecord(t, r, back.recs[i])
			}
		})
	}
}

// sameRecord checks that got is want, but for explicit nulls, which CSV cannot
// tell from absent fields.
func sameRecord(t *testing.T, want, got *dataknobs.Record) {
	t.Helper()
	drop := func(f dataknobs.Fields) dataknobs.Fields {
		var g dataknobs.Fields
		for _, x := range f {
			if !x.Value.IsNull() {
				g = append(g, x)
			}
		}
		return g
	}
	if got.ID != want.ID || !drop(got.Fields).Identical(drop(want.Fields)) || !got.Metadata.Identical(want.Metadata) {
		t.Errorf("read back %s, want %s", show([]*dataknobs.Record{got}), show([]*dataknobs.Record{want}))
	}
}

func TestWriteErrors(t *testing.T) {
	meta := rec("", "a", 1)
	meta.Metadata = dataknobs.Fields{dataknobs.F("k", 1)}
	l := &codec.Layout{Columns: columns("a", "int", "s", "string")}
	for _, c := range []struct {
		name string
		rec  *dataknobs.Record
		want string
	}{
		{"unknown field", rec("", "a", 1, "b", 2), "there is no column for the field `b`"},
		{"other kind", rec("", "a", 1.0), "the field `a` is of kind float; its column holds int"},
		{"int for a string", rec("", "s", 1), "the field `s` is of kind int"},
		{"metadata", meta, "no column for the metadata"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			w, err := csv.Format{}.NewWriter(&b, &codec.WriteOptions{Layout: l})
			if err != nil {
				t.Fatal(err)
			}
			err = w.Write(c.rec)
			if dataknobs.CodeOf(err) != dataknobs.InvalidArgument || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err := w.Close(); err != nil || b.String() != "a,s\n" {
				t.Errorf("the file holds %q, %v", b.String(), err)
			}
		})
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteFails(t *testing.T) {
	w, err := csv.Format{}.NewWriter(full{}, &codec.WriteOptions{Layout: &codec.Layout{Columns: columns("a", "int")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || err.Error() != "disk full" {
		t.Errorf("close: %v, want the error of the file", err)
	}
}

// The layout of a file that was read writes the same file.
func TestLayout(t *testing.T) {
	text := "i;f;n;b;t;s;z\n1;1.5;2;true;2013-01-01T10:00:00Z;x;\n2;2.5;2.0;false;2013-01-01T10:00:00Z;007;\n"
	f := open(t, []byte(text), &codec.ReadOptions{})
	l, err := f.Layout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := columns("i", "int", "f", "float", "n", "number", "b", "bool", "t", "time", "s", "string", "z", "null")
	for i, c := range want {
		if i >= len(l.Columns) || l.Columns[i] != c {
			t.Fatalf("columns %v, want %v", l.Columns, want)
		}
	}
	all, err := scanAll(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if got := write(t, csv.Format{}, l, all.recs...); got != text {
		t.Errorf("wrote\n%s\nwant\n%s", got, text)
	}
}
