package csv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/csv"
)

// collector keeps the records of a scan in the order of the blocks.
type collector struct {
	mu      sync.Mutex
	recs    []*dataknobs.Record
	numbers []int64
	offsets []int64
}

type collecting struct {
	all  *collector
	recs []*dataknobs.Record
	nums []int64
	offs []int64
}

func (c *collector) begin(int) (codec.Visitor, error) { return &collecting{all: c}, nil }

func (c *collecting) Row(r codec.Row) error {
	rec, err := r.Record()
	c.recs = append(c.recs, rec)
	c.nums = append(c.nums, r.Number())
	c.offs = append(c.offs, r.Offset())
	return err
}

func (c *collecting) End() error {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.recs = append(c.all.recs, c.recs...)
	c.all.numbers = append(c.all.numbers, c.nums...)
	c.all.offsets = append(c.all.offsets, c.offs...)
	return nil
}

// scanAll reads every record, speculating first as an engine would.
func scanAll(ctx context.Context, f codec.File) (*collector, error) {
	for {
		c := &collector{}
		err := f.Scan(ctx, &codec.Scan{Begin: c.begin, Speculate: true, Workers: 2})
		if err != codec.ErrUnsettled {
			return c, err
		}
	}
}

// read reads all records of text.
func read(ctx context.Context, text string, o *codec.ReadOptions) ([]*dataknobs.Record, error) {
	f, err := csv.Format{}.Open(ctx, source([]byte(text)), o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := scanAll(ctx, f)
	return c.recs, err
}

// show prints records as query-language text, one on a line.
func show(recs []*dataknobs.Record) string {
	var b strings.Builder
	for _, r := range recs {
		if r.ID != "" {
			fmt.Fprintf(&b, "%s ", r.ID)
		}
		b.WriteString(dataknobs.Object(r.Fields).String())
		if r.Metadata != nil {
			b.WriteString(" meta " + dataknobs.Object(r.Metadata).String())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestRead(t *testing.T) {
	nulls := codec.CSVOptions{Nulls: []string{"NA", "-"}}
	for _, c := range []struct {
		name string
		text string
		o    codec.ReadOptions
		want string // as JSON, one record on a line
	}{
		{"ints", "a,b\n1,2\n-3,0\n", codec.ReadOptions{}, "{'a': 1, 'b': 2}\n{'a': -3, 'b': 0}\n"},
		{"no end of the last line", "a,b\n1,2", codec.ReadOptions{}, "{'a': 1, 'b': 2}\n"},
		{"CRLF", "a,b\r\n1,x\r\n2,\r\n", codec.ReadOptions{}, "{'a': 1, 'b': 'x'}\n{'a': 2, 'b': null}\n"},
		{"BOM", "\ufeffa\n1\n", codec.ReadOptions{}, "{'a': 1}\n"},
		{"each cell its own number", "a\n1\n2.0\n3e2\n", codec.ReadOptions{}, "{'a': 1}\n{'a': 2.0}\n{'a': 300.0}\n"},
		{"points at the ends", "a\n.5\n5.\n-.5\n1\n", codec.ReadOptions{}, "{'a': 0.5}\n{'a': 5.0}\n{'a': -0.5}\n{'a': 1}\n"},
		{"a point alone", "a\n1\n.\n", codec.ReadOptions{}, "{'a': '1'}\n{'a': '.'}\n"},
		{"one odd row makes a string", "a\n1\n2\nx\n", codec.ReadOptions{}, "{'a': '1'}\n{'a': '2'}\n{'a': 'x'}\n"},
		{"leading zero", "a\n04G\n", codec.ReadOptions{}, "{'a': '04G'}\n"},
		{"007", "a\n7\n007\n", codec.ReadOptions{}, "{'a': '7'}\n{'a': '007'}\n"},
		{"minus leading zero", "a\n-01\n", codec.ReadOptions{}, "{'a': '-01'}\n"},
		{"plus", "a\n+5\n", codec.ReadOptions{}, "{'a': '+5'}\n"},
		{"hex and underscores", "a,b\n0x1F,1_000\n", codec.ReadOptions{}, "{'a': '0x1F', 'b': '1_000'}\n"},
		{"NaN", "a\n1.5\nNaN\n", codec.ReadOptions{}, "{'a': '1.5'}\n{'a': 'NaN'}\n"},
		{"the largest int", "a\n9223372036854775807\n-9223372036854775808\n", codec.ReadOptions{}, "{'a': 9223372036854775807}\n{'a': -9223372036854775808}\n"},
		{"beyond int64", "a\n1\n9223372036854775808\n", codec.ReadOptions{}, "{'a': '1'}\n{'a': '9223372036854775808'}\n"},
		{"beyond float64", "a\n1e400\n", codec.ReadOptions{}, "{'a': '1e400'}\n"},
		{"bool", "a,b\ntrue,FALSE\nFalse,True\n", codec.ReadOptions{}, "{'a': true, 'b': false}\n{'a': false, 'b': true}\n"},
		{"bool and number", "a\ntrue\n1\n", codec.ReadOptions{}, "{'a': 'true'}\n{'a': '1'}\n"},
		{"time", "a\n2013-01-01T10:00:00Z\n2013-01-01T10:00:00.5+01:00\n", codec.ReadOptions{}, "{'a': time '2013-01-01T10:00:00Z'}\n{'a': time '2013-01-01T09:00:00.5Z'}\n"},
		{"a date is a string", "a\n2013-01-01\n", codec.ReadOptions{}, "{'a': '2013-01-01'}\n"},
		{"empty cells", "a,b\n,\"\"\n1,x\n", codec.ReadOptions{}, "{'a': null, 'b': ''}\n{'a': 1, 'b': 'x'}\n"},
		{"a quoted empty cell makes a string", "a,b\n\"\",1\n1,1\n", codec.ReadOptions{}, "{'a': '', 'b': 1}\n{'a': '1', 'b': 1}\n"},
		{"all null", "a,b\n,1\n,2\n", codec.ReadOptions{}, "{'a': null, 'b': 1}\n{'a': null, 'b': 2}\n"},
		{"quoted number", "a\n\"12\"\n3\n", codec.ReadOptions{}, "{'a': 12}\n{'a': 3}\n"},
		{"quotes", "a,b\n\"x,\"\"y\"\"\",\"line\nbreak\"\n", codec.ReadOptions{}, "{'a': 'x,\"y\"', 'b': 'line\\nbreak'}\n"},
		{"quoted CRLF stays", "a,b\r\n\"x\r\ny\",1\r\n", codec.ReadOptions{}, "{'a': 'x\\r\\ny', 'b': 1}\n"},
		{"null words", "a,b\n1,NA\nNA,-\n2,x\n", codec.ReadOptions{CSV: nulls}, "{'a': 1, 'b': null}\n{'a': null, 'b': null}\n{'a': 2, 'b': 'x'}\n"},
		{"a quoted null word is text", "a\n\"NA\"\n1\n", codec.ReadOptions{CSV: nulls}, "{'a': 'NA'}\n{'a': '1'}\n"},
		{"a null word that is a number", "a\n1\n-999\n", codec.ReadOptions{CSV: codec.CSVOptions{Nulls: []string{"-999"}}}, "{'a': 1}\n{'a': null}\n"},
		{"semicolons", "a;b\n1,5;2\n2,5;3\n", codec.ReadOptions{}, "{'a': '1,5', 'b': 2}\n{'a': '2,5', 'b': 3}\n"},
		{"tabs", "a\tb\n1,2,3\t2\n4\t5\n", codec.ReadOptions{}, "{'a': '1,2,3', 'b': 2}\n{'a': '4', 'b': 5}\n"},
		{"bars", "a|b\n1|2\n", codec.ReadOptions{}, "{'a': 1, 'b': 2}\n"},
		{"delimiters in quotes do not count", "\"a;b;c\",d\n\"1;2;3\",4\n", codec.ReadOptions{}, "{'a;b;c': '1;2;3', 'd': 4}\n"},
		{"given delimiter", "a;b,c\n1;2,3\n", codec.ReadOptions{CSV: codec.CSVOptions{Delimiter: ';'}}, "{'a': 1, 'b,c': '2,3'}\n"},
		{"blank lines", "\n\na,b\n\n1,2\n\r\n\n3,4\n\n", codec.ReadOptions{}, "{'a': 1, 'b': 2}\n{'a': 3, 'b': 4}\n"},
		{"a blank line in one column is null", "a\n1\n\n2\n", codec.ReadOptions{}, "{'a': 1}\n{'a': null}\n{'a': 2}\n"},
		{"no header", "1,x\n2,y\n", codec.ReadOptions{CSV: codec.CSVOptions{NoHeader: true}}, "{'column1': 1, 'column2': 'x'}\n{'column1': 2, 'column2': 'y'}\n"},
		{"header names", ",x,x,x_2,x\n1,2,3,4,5\n", codec.ReadOptions{}, "{'column1': 1, 'x': 2, 'x_3': 3, 'x_2': 4, 'x_4': 5}\n"},
		{"ragged=pad", "a,b\n1\n2,3\n", codec.ReadOptions{CSV: codec.CSVOptions{Pad: true}}, "{'a': 1, 'b': null}\n{'a': 2, 'b': 3}\n"},
		{"latin-1", "n\xe4me,b\nM\xfcnchen,\"\xe9\"\n", codec.ReadOptions{CSV: codec.CSVOptions{Latin1: true}}, "{'näme': 'München', 'b': 'é'}\n"},
		{"invalid UTF-8 in a cell of another row", "a\nx\né\n", codec.ReadOptions{}, "{'a': 'x'}\n{'a': 'é'}\n"},
		{"header only", "a,b\n", codec.ReadOptions{}, ""},
		{"nothing", "", codec.ReadOptions{}, ""},
		{"types", "zip,n,f,t,d\n01234,1,2,2013-01-01T00:00:00Z,2013-01-01\n", codec.ReadOptions{Types: map[string]dataknobs.Kind{
			"zip": dataknobs.KindString, "n": dataknobs.KindString, "f": dataknobs.KindFloat, "t": dataknobs.KindString, "d": dataknobs.KindTime,
		}}, "{'zip': '01234', 'n': '1', 'f': 2.0, 't': '2013-01-01T00:00:00Z', 'd': time '2013-01-01T00:00:00Z'}\n"},
		{"_id", "_id,a\n007,1\n", codec.ReadOptions{}, "007 {'a': 1}\n"},
		{"layout", "_id,s,b,j,_meta\n1,12,aGk=,\"[1,{\"\"$time\"\":\"\"2013-01-01T00:00:00Z\"\"}]\",\"{\"\"k\"\":1}\"\n", codec.ReadOptions{Layout: &codec.Layout{
			Version: 1, ID: "_id", Meta: "_meta",
			Columns: []codec.Column{{Name: "s", Kind: "string"}, {Name: "b", Kind: "bytes"}, {Name: "j", Kind: "json"}},
		}}, "1 {'s': '12', 'b': bytes 'aGk=', 'j': [1, time '2013-01-01T00:00:00Z']} meta {'k': 1}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, err := read(t.Context(), c.text, &c.o)
			if err != nil {
				t.Fatalf("read %q: %v", c.text, err)
			}
			if got := show(recs); got != c.want {
				t.Errorf("read %q\n got %s\nwant %s", c.text, got, c.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	kinds := func(k dataknobs.Kind) codec.ReadOptions {
		return codec.ReadOptions{Types: map[string]dataknobs.Kind{"a": k}}
	}
	for _, c := range []struct {
		name string
		text string
		o    codec.ReadOptions
		want string // in the message
	}{
		{"short row", "a,b\n1,2\n3\n", codec.ReadOptions{}, "test.csv: line 3: 1 cells where the header has 2"},
		{"long row", "a,b\n1,2,3\n", codec.ReadOptions{}, "line 2: 3 cells where the header has 2"},
		{"very long row", "a,b\n" + strings.Repeat(",", 500) + "\n", codec.ReadOptions{}, "line 2: 501 cells where the header has 2"},
		{"long row with pad", "a,b\n1,2,3\n", codec.ReadOptions{CSV: codec.CSVOptions{Pad: true}}, "line 2: 3 cells"},
		{"short row after a quoted newline", "a,b\n\"x\ny\",2\n3\n", codec.ReadOptions{}, "line 4: 1 cells"},
		{"bare quote", "a,b\n1,5\" disk\n", codec.ReadOptions{}, "line 2: a quote inside a cell that does not start with one"},
		{"text after a quote", "a,b\n1,\"x\"y\n", codec.ReadOptions{}, "line 2: text after a closing quote"},
		{"open quote", "a,b\n1,\"x\n2,3\n4,5\n", codec.ReadOptions{}, "line 2: the quote that opens here is never closed"},
		{"open quote in the header", "a,\"b\n1,2\n", codec.ReadOptions{}, "line 1: the quote that opens here"},
		{"invalid UTF-8", "a,b\nx,y\nx,\xff\n", codec.ReadOptions{}, "line 3, column 2 (`b`): the cell is not valid UTF-8 (if the file is latin-1, read it with encoding=latin1)"},
		{"NUL", "a,b\nx,y\x00\n", codec.ReadOptions{}, "line 2, column 2 (`b`): the cell contains a NUL"},
		{"NUL in latin-1", "a,b\nx,y\x00\n", codec.ReadOptions{CSV: codec.CSVOptions{Latin1: true}}, "line 2, column 2 (`b`): the cell contains a NUL"},
		{"carriage returns alone", "a,b\r1,2\r", codec.ReadOptions{}, "has lines that end with a carriage return alone"},
		{"UTF-16", "\xff\xfea\x00", codec.ReadOptions{}, "UTF-16"},
		{"not an int", "a,b\n1,x\n1.5,x\n", kinds(dataknobs.KindInt), "line 3, column 1 (`a`): \"1.5\" is not an int"},
		{"int beyond 64 bits", "a\n9223372036854775808\n", kinds(dataknobs.KindInt), "line 2, column 1 (`a`)"},
		{"not a bool", "a\nyes\n", kinds(dataknobs.KindBool), "is not true or false"},
		{"not a time", "a\n2013-02-30\n", kinds(dataknobs.KindTime), "is not an RFC 3339 time"},
		{"quoted empty int", "a\n\"\"\n", kinds(dataknobs.KindInt), "\"\" is not an int"},
		{"no such column", "b\n1\n", kinds(dataknobs.KindInt), "there is no column `a` (the columns are b)"},
		{"strict empty name", "a,\n1,2\n", codec.ReadOptions{CSV: codec.CSVOptions{Strict: true}}, "column 2 has no name"},
		{"strict repeated name", "a,a\n1,2\n", codec.ReadOptions{CSV: codec.CSVOptions{Strict: true}}, "column 2 has the name `a` again"},
		{"layout says int", "a\nx\n", codec.ReadOptions{Layout: &codec.Layout{Columns: []codec.Column{{Name: "a", Kind: "int"}}}}, "\"x\" is not an int"},
		{"layout says json", "a\n{\n", codec.ReadOptions{Layout: &codec.Layout{Columns: []codec.Column{{Name: "a", Kind: "json"}}}}, "not the JSON that this column holds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, err := read(t.Context(), c.text, &c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("read %q = %s, %v, want an error with %q", c.text, show(recs), err, c.want)
			}
			if code := dataknobs.CodeOf(err); code != dataknobs.DataLoss && !strings.Contains(c.name, "no such column") {
				t.Errorf("read %q: code %v, want DataLoss", c.text, code)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	var got []string
	o := &codec.ReadOptions{Warn: func(m string) { got = append(got, m) }}
	open(t, []byte(",x,x,_rev\n1,2,3,4\n"), o)
	want := []string{
		"test.csv: column 1 has no name; it is called `column1` here",
		"test.csv: column 3 has the name `x` again; it is called `x_2` here",
		"test.csv: column 4 has the system name `_rev`; it is called `_rev_2` here",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("warnings\n got %q\nwant %q", got, want)
	}
}

// The odd row may stand anywhere: the answer is the same, and a guess that
// proves wrong is told once.
func TestKindsOfTheWholeFile(t *testing.T) {
	var big strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&big, "%d,%d\n", i, i)
	}
	for _, c := range []struct{ name, text string }{
		{"first", "a,b\nx,1\n" + big.String()},
		{"last", "a,b\n" + big.String() + "x,1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := open(t, []byte(c.text), &codec.ReadOptions{})
			got, err := scanAll(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.recs) != 300_001 {
				t.Fatalf("%d records, want 300001", len(got.recs))
			}
			for i, r := range got.recs {
				if k := r.Get("a").Kind(); k != dataknobs.KindString || r.Get("b").Kind() != dataknobs.KindInt {
					t.Fatalf("record %d: a is of kind %v, want string", i, k)
				}
				if got.numbers[i] != int64(i) {
					t.Fatalf("record %d has the number %d", i, got.numbers[i])
				}
			}
			kinds, err := f.Kinds(t.Context(), []dataknobs.Path{dataknobs.Names("a"), dataknobs.Names("b"), dataknobs.Names("c")})
			if err != nil || fmt.Sprint(kinds) != "[string int null]" {
				t.Errorf("kinds %v, %v", kinds, err)
			}
		})
	}
}

// A scan that has seen enough is still right about the kinds of what it gave.
func TestStopStillSettles(t *testing.T) {
	text := "a\n" + strings.Repeat("1\n", 1_000_000) + "x\n"
	f := open(t, []byte(text), &codec.ReadOptions{})
	s := &codec.Scan{Speculate: true, Begin: begin(func(codec.Row) error { return codec.ErrStop })}
	if err := f.Scan(t.Context(), s); err != codec.ErrUnsettled {
		t.Fatalf("first scan: %v, want ErrUnsettled", err)
	}
	var got dataknobs.Value
	s.Begin = begin(func(r codec.Row) error {
		rec, err := r.Record()
		if err != nil {
			return err
		}
		got = rec.Get("a")
		return codec.ErrStop
	})
	s.Workers = 1
	if err := f.Scan(t.Context(), s); err != nil || !got.Identical(dataknobs.String("1")) {
		t.Fatalf("second scan: %v, %v, want '1'", got, err)
	}
}

func TestScanErrors(t *testing.T) {
	text := "a,b\n" + strings.Repeat("1,2\n", 500_000) + "3\n" + strings.Repeat("1,2\n", 500_000) + "4\n"
	f := open(t, []byte(text), &codec.ReadOptions{})
	t.Run("the first error of the file", func(t *testing.T) {
		_, err := scanAll(t.Context(), f)
		if err == nil || !strings.Contains(err.Error(), "line 500002:") {
			t.Errorf("got %v, want line 500002", err)
		}
	})
	t.Run("the visitor's error", func(t *testing.T) {
		mine := errors.New("mine")
		err := f.Scan(t.Context(), &codec.Scan{Begin: begin(func(codec.Row) error { return mine }), NoRecords: true})
		if err != mine {
			t.Errorf("got %v, want the visitor's error", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := f.Scan(ctx, &codec.Scan{NoRecords: true, Begin: begin(func(codec.Row) error { cancel(); return nil })})
		if err != context.Canceled {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}

func TestSlots(t *testing.T) {
	text := "_id,a,b.c,j,_meta\n7,1,x,\"{\"\"k\"\":[1,2]}\",\"{\"\"m\"\":true}\"\n"
	o := &codec.ReadOptions{Layout: &codec.Layout{ID: "_id", Meta: "_meta", Columns: []codec.Column{{Name: "j", Kind: "json"}}}}
	f := open(t, []byte(text), o)
	paths := []dataknobs.Path{
		dataknobs.PathID, dataknobs.Names("a"), dataknobs.Names("b.c"), dataknobs.Names("b", "c"), dataknobs.Names("a", "x"),
		dataknobs.Names("j", "k").At(1), dataknobs.Names("_meta", "m"), dataknobs.Names("nope"),
	}
	want := "['7', 1, 'x', null, null, 2, true, null]"
	var got dataknobs.Value
	err := f.Scan(t.Context(), &codec.Scan{Slots: paths, Begin: begin(func(r codec.Row) error {
		var vs []dataknobs.Value
		for i := range paths {
			vs = append(vs, r.Value(i).Clone())
		}
		got = dataknobs.Array(vs...)
		return nil
	})})
	if err != nil || got.String() != want {
		t.Errorf("slots %v, %v, want %v", got, err, want)
	}
	if names := f.Columns(); fmt.Sprint(names) != "[a b.c j]" {
		t.Errorf("columns %v", names)
	}
}

func TestPaths(t *testing.T) {
	f := open(t, []byte("a,b,c\n1,2,3\n"), &codec.ReadOptions{})
	err := f.Scan(t.Context(), &codec.Scan{Paths: []dataknobs.Path{dataknobs.Names("c"), dataknobs.Names("a")}, Begin: begin(func(r codec.Row) error {
		rec, err := r.Record()
		if got := show([]*dataknobs.Record{rec}); got != "{'a': 1, 'c': 3}\n" {
			t.Errorf("got %s", got)
		}
		return err
	})})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadAt(t *testing.T) {
	var text strings.Builder
	text.WriteString("a,b\n")
	for i := range 50_000 {
		fmt.Fprintf(&text, "%d,\"x\n%d\"\n", i, i)
	}
	b := []byte(text.String())
	stream := source(b)
	stream.ReaderAt = nil
	for _, c := range []struct {
		name string
		src  codec.Source
	}{{"at random", source(b)}, {"stream", stream}} {
		t.Run(c.name, func(t *testing.T) {
			f, err := csv.Format{}.Open(t.Context(), c.src, &codec.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			all, err := scanAll(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			rows := []int{0, 1, 77, 30_000, 49_999, 5, 5}
			var offsets []int64
			for _, i := range rows {
				offsets = append(offsets, all.offsets[i])
			}
			n := 0
			err = f.ReadAt(t.Context(), offsets, func(i int, rec *dataknobs.Record) error {
				if want := all.recs[rows[i]]; !rec.Identical(want) {
					t.Errorf("row %d: got %v, want %v", rows[i], rec.Fields, want.Fields)
				}
				n++
				return nil
			})
			if err != nil || n != len(rows) {
				t.Errorf("%d records, %v", n, err)
			}
		})
	}
}

// once is a source that can be read a single time, a few bytes at a time.
func once(b []byte) codec.Source {
	used := false
	return codec.Source{Name: "-", Once: true, Open: func(context.Context) (io.ReadCloser, error) {
		if used {
			return nil, errors.New("opened twice")
		}
		used = true
		return io.NopCloser(io.MultiReader(bytes.NewReader(b[:len(b)/3]), bytes.NewReader(b[len(b)/3:]))), nil
	}}
}

func TestOnce(t *testing.T) {
	for _, n := range []int{1, 100, 400_000} {
		text := []byte("a,b\n" + strings.Repeat("1,x\n", n))
		f, err := csv.Format{}.Open(t.Context(), once(text), &codec.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := scanAll(t.Context(), f)
		if err != nil || len(got.recs) != n {
			t.Fatalf("%d records, %v, want %d", len(got.recs), err, n)
		}
		if _, err := scanAll(t.Context(), f); dataknobs.CodeOf(err) != dataknobs.Unsupported {
			t.Errorf("a second scan: %v, want Unsupported", err)
		}
		f.Close()
	}
}

// A cell that is longer than any block is read whole; one beyond the bound is refused.
func TestLongCell(t *testing.T) {
	long := strings.Repeat("x\n", 2<<20)
	recs, err := read(t.Context(), "a,b\n1,2\n\""+long+"\",3\n4,5\n", &codec.ReadOptions{})
	if err != nil || len(recs) != 3 || recs[1].Get("a").Str() != long {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	_, err = read(t.Context(), "a,b\n1,2\n\""+strings.Repeat(long, 33)+"\",3\n", &codec.ReadOptions{})
	if dataknobs.CodeOf(err) != dataknobs.ResourceExhausted {
		t.Errorf("132 MiB in one cell: %v, want ResourceExhausted", err)
	}
}

// Trap 5: a file that cannot be opened is an error, never an empty file.
func TestOpenFails(t *testing.T) {
	denied := dataknobs.Errorf(dataknobs.PermissionDenied, "no")
	src := codec.Source{Name: "x.csv.gz", Open: func(context.Context) (io.ReadCloser, error) { return nil, denied }}
	if _, err := (csv.Format{}).Open(t.Context(), src, &codec.ReadOptions{}); dataknobs.CodeOf(err) != dataknobs.PermissionDenied {
		t.Errorf("got %v, want PermissionDenied", err)
	}
}
