package json_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/json"
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

func scanAll(ctx context.Context, f codec.File) (*collector, error) {
	c := &collector{}
	err := f.Scan(ctx, &codec.Scan{Begin: c.begin, Workers: 2})
	return c, err
}

func read(ctx context.Context, f json.Format, text string, o *codec.ReadOptions) ([]*dataknobs.Record, error) {
	x, err := f.Open(ctx, source([]byte(text)), o)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	c, err := scanAll(ctx, x)
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
	auto, lines := json.Format{}, json.NDJSON
	none := codec.ReadOptions{}
	for _, c := range []struct {
		name   string
		format json.Format
		text   string
		o      codec.ReadOptions
		want   string
	}{
		{"lines", lines, "{\"a\":1}\n{\"a\":\"x\"}\n", none, "{'a': 1}\n{'a': 'x'}\n"},
		{"lines, CRLF, blank lines, spaces", lines, "\n{\"a\":1}\r\n\r\n  {\"a\" : 2 } \n \n{\"a\":3}", none, "{'a': 1}\n{'a': 2}\n{'a': 3}\n"},
		{"lines in .json", auto, "{\"a\":1}\n{\"a\":2}\n", none, "{'a': 1}\n{'a': 2}\n"},
		{"array", auto, "[{\"a\":1},{\"a\":2}]", none, "{'a': 1}\n{'a': 2}\n"},
		{"array with space everywhere", auto, " \n[ { \"a\" :\t1 , \"b\" : [ 1 , 2 ] }\r\n,\n{ \"a\" : { } } ] \n", none, "{'a': 1, 'b': [1, 2]}\n{'a': {}}\n"},
		{"empty array", auto, "[ ]\n", none, ""},
		{"keyed", auto, "{\"k1\": {\"a\":1},\n\"k\\u00e9\": {\"a\":2}}", none, "k1 {'a': 1}\nké {'a': 2}\n"},
		{"empty object", auto, "{}", none, ""},
		{"one record", auto, "{\"a\":1,\"b\":{\"c\":2}}\n", none, "{'a': 1, 'b': {'c': 2}}\n"},
		{"one record of objects, as lines", lines, "{\"a\":{\"b\":1}}\n", none, "{'a': {'b': 1}}\n"},
		{"one after another", auto, "{\n \"a\": 1\n}\n{\n \"a\": 2\n} {\"a\":3}", none, "{'a': 1}\n{'a': 2}\n{'a': 3}\n"},
		{"nothing", auto, "", none, ""},
		{"white space", lines, " \n\n", none, ""},
		{"BOM", auto, "\ufeff[{\"a\":1}]", none, "{'a': 1}\n"},
		{"numbers", auto, `[{"a":0,"b":-0,"c":-12,"d":9223372036854775807,"e":1.0,"f":-0.5e3,"g":1E2,"h":12345678,"i":0.1}]`, none,
			"{'a': 0, 'b': 0, 'c': -12, 'd': 9223372036854775807, 'e': 1.0, 'f': -500.0, 'g': 100.0, 'h': 12345678, 'i': 0.1}\n"},
		{"words", auto, `[{"a":true,"b":false,"c":null}]`, none, "{'a': true, 'b': false, 'c': null}\n"},
		{"strings", auto, `[{"a":"","b":"\"\\\/\b\f\n\r\t","c":"\u00e9\ud83d\ude00é😀","a longer name than eight":"a longer text than eight"}]`, none,
			"{'a': '', 'b': '\"\\\\/\\u0008\\u000c\\n\\r\\t', 'c': 'é😀é😀', 'a longer name than eight': 'a longer text than eight'}\n"},
		{"escaped names", auto, `[{"\u0061":1,"b\n":2},{"a":3,"b\n":4}]`, none, "{'a': 1, 'b\\n': 2}\n{'a': 3, 'b\\n': 4}\n"},
		{"brackets and commas in strings", auto, `[{"a":"}],[{\"","b":1},{"a":"\\","b":2}]`, none, "{'a': '}],[{\"', 'b': 1}\n{'a': '\\\\', 'b': 2}\n"},
		{"members in any order", lines, "{\"a\":1,\"b\":2}\n{\"b\":3}\n{\"c\":4,\"a\":5}\n{}\n{\"b\":6,\"a\":7}\n", none,
			"{'a': 1, 'b': 2}\n{'b': 3}\n{'c': 4, 'a': 5}\n{}\n{'b': 6, 'a': 7}\n"},
		{"_id and _meta", lines, "{\"_id\":\"x\",\"a\":1,\"_meta\":{\"m\":2}}\n{\"_id\":7}\n{\"_id\":{\"$oid\":\"abc\"}}\n", none, "x {'a': 1} meta {'m': 2}\n7 {}\nabc {}\n"},
		{"types", lines, "{\"t\":\"2013-01-01\",\"f\":1,\"y\":\"aGk=\"}\n{\"t\":null}\n",
			codec.ReadOptions{Types: map[string]dataknobs.Kind{"t": dataknobs.KindTime, "f": dataknobs.KindFloat, "y": dataknobs.KindBytes}},
			"{'t': time '2013-01-01T00:00:00Z', 'f': 1.0, 'y': bytes 'aGk='}\n{'t': null}\n"},
		{"layout", lines, "{\"t\":\"2013-01-01T00:00:00Z\",\"s\":\"2013-01-01T00:00:00Z\"}\n",
			codec.ReadOptions{Layout: &codec.Layout{Columns: []codec.Column{{Name: "t", Kind: "time"}}}},
			"{'t': time '2013-01-01T00:00:00Z', 's': '2013-01-01T00:00:00Z'}\n"},
		{"tagged", lines, `{"a":{"$time":"2013-01-01T00:00:00Z"},"b":[{"$bytes":"aGk="}],"c":{"$$x":1},"d":{"$x":1,"y":2}}`,
			codec.ReadOptions{Layout: &codec.Layout{Tagged: true}},
			"{'a': time '2013-01-01T00:00:00Z', 'b': [bytes 'aGk='], 'c': {'$x': 1}, 'd': {'$x': 1, 'y': 2}}\n"},
		{"64 levels", lines, "{\"a\":" + strings.Repeat("[", 63) + strings.Repeat("]", 63) + "}", none, "{'a': " + strings.Repeat("[", 63) + strings.Repeat("]", 63) + "}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, err := read(t.Context(), c.format, c.text, &c.o)
			if err != nil {
				t.Fatalf("read %s: %v", c.text, err)
			}
			if got := show(recs); got != c.want {
				t.Errorf("read %s\n got %s\nwant %s", c.text, got, c.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	auto, lines := json.Format{}, json.NDJSON
	for _, c := range []struct {
		name   string
		format json.Format
		text   string
		want   string
	}{
		{"cut inside a record", auto, "[{\"a\":1},\n{\"a\":", "line 2"},
		{"cut after a record", auto, "[{\"a\":1}", "the file ends before its JSON value does"},
		{"cut after a comma", auto, "[{\"a\":1},\n", "the file ends before its JSON value does"},
		{"cut keyed file", auto, "{\"k\":{\"a\":1}", "the file ends before its JSON value does"},
		{"cut line", lines, "{\"a\":1}\n{\"a\":", "line 2"},
		{"cut string", lines, "{\"a\":\"x", "the string that starts here does not end"},
		{"cut after [", auto, "[", "the file ends before its JSON value does"},
		{"a comma too many", auto, "[{\"a\":1},]", "unexpected ']'"},
		{"a comma too many in an object", auto, "[{\"a\":1,}]", "unexpected '}' where a name in quotes should be"},
		{"no comma", auto, "[{\"a\":1} {\"a\":2}]", "line 1, column 10: unexpected '{' where a comma should be"},
		{"something behind the array", auto, "[{\"a\":1}]\n[", "line 2, column 1: something follows the end of the JSON value"},
		{"something behind the line", lines, "{\"a\":1} {\"a\":2}\n", "line 1, column 9: something follows the record on its line"},
		{"over several lines", lines, "{\"a\":1,\n\"b\":2}\n", "line 1, column 1: a record goes on over several lines"},
		{"an array as NDJSON", lines, "[{\"a\":1}]\n", "record 1 is an array, not an object (a JSON array is no NDJSON: name the file .json)"},
		{"not objects", auto, "[{\"a\":1},2]", "record 2 is a number, not an object"},
		{"null for a record", lines, "null\n", "record 1 is null, not an object"},
		{"keyed, not objects", auto, "{\"a\":{\"x\":1},\"b\":{},\"c\":", "line 1, column 25: the text ends where a value should be"},
		{"keyed, an empty key", auto, "{\"\":{}}", "an empty key"},
		{"no JSON", auto, "hello", "line 1: this is no JSON array or object"},
		{"a name twice", lines, "{\"a\":1,\"b\":2,\"a\":3}\n", "the name \"a\" is there twice in one object"},
		{"a name twice, escaped", lines, "{\"a\":1,\"\\u0061\":3}\n", "is there twice"},
		{"a nested name twice", lines, "{\"x\":{\"a\":1,\"a\":3}}\n", "field x: the name \"a\" is there twice"},
		{"an int beyond 64 bits", lines, "{\"a\":1}\n{\"a\":{\"b\":[1,9223372036854775808]}}\n", "line 2, column 14: field a.b[1]: the integer 9223372036854775808 does not fit in 64 bits"},
		{"a float beyond 64 bits", lines, "{\"a\":1e400}\n", "field a: the number 1e400 is too large"},
		{"leading zero", lines, "{\"a\":01}\n", "not a number"},
		{"leading plus", lines, "{\"a\":+1}\n", "unexpected '+'"},
		{"point at the end", lines, "{\"a\":1.}\n", "not a number"},
		{"NaN", lines, "{\"a\":NaN}\n", "unexpected 'N' where a value should be"},
		{"single quotes", lines, "{'a':1}\n", "a name in quotes"},
		{"a comment", lines, "{\"a\":1} // x\n", "something follows the record"},
		{"invalid UTF-8", lines, "{\"a\":\"x\"}\n{\"a\":\"\xff\"}\n", "line 2, column 7: invalid UTF-8"},
		{"half a surrogate pair", lines, `{"a":"\ud83d"}`, "half of a surrogate pair"},
		{"the other half", lines, `{"a":"\ude00\ud83d"}`, "half of a surrogate pair"},
		{"NUL escape", lines, `{"a":"\u0000"}`, "a NUL character"},
		{"control character", lines, "{\"a\":\"x\ty\"}", "a control character in a string"},
		{"no such escape", lines, `{"a":"\x41"}`, "no such escape"},
		{"bad hex", lines, `{"a":"\u00zz"}`, "four hexadecimal digits"},
		{"an empty name", lines, `{"":1}`, "an empty name"},
		{"65 levels", lines, "{\"a\":" + strings.Repeat("[", 64) + strings.Repeat("]", 64) + "}", "nests deeper than 64 levels"},
		{"very deep", lines, "{\"a\":" + strings.Repeat("[", 1_000_000), "nests deeper than 64 levels"},
		{"metadata that is none", lines, `{"_meta":1}`, "the metadata is not an object"},
		{"UTF-16", auto, "\xff\xfe[\x00", "UTF-16"},
		{"a zero byte", lines, "{\"a\":1}\n\x00", "unexpected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, err := read(t.Context(), c.format, c.text, &codec.ReadOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("read %.80s = %s, %v, want an error with %q", c.text, show(recs), err, c.want)
			}
			if code := dataknobs.CodeOf(err); code != dataknobs.DataLoss {
				t.Errorf("read %.80s: code %v, want DataLoss", c.text, code)
			}
		})
	}
}

// A declared kind that the values do not have is an error with its place.
func TestTypeErrors(t *testing.T) {
	for _, c := range []struct {
		kind dataknobs.Kind
		text string
	}{
		{dataknobs.KindInt, `1.5`}, {dataknobs.KindInt, `"1"`}, {dataknobs.KindTime, `"x"`}, {dataknobs.KindBytes, `"?"`},
		{dataknobs.KindString, `1`}, {dataknobs.KindBool, `0`}, {dataknobs.KindFloat, `"1"`}, {dataknobs.KindArray, `{}`},
	} {
		_, err := read(t.Context(), json.NDJSON, "{\"a\":null}\n{\"a\":"+c.text+"}\n", &codec.ReadOptions{Types: map[string]dataknobs.Kind{"a": c.kind}})
		want := "test.json: line 2, column 6: field a: "
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), c.kind.String()) {
			t.Errorf("%s declared %v: %v, want %q", c.text, c.kind, err, want)
		}
	}
}

// forms writes the same records in each form.
func forms(recs []string) map[string]string {
	var keyed []string
	for i, r := range recs {
		keyed = append(keyed, fmt.Sprintf("\"k%d\": %s", i, r))
	}
	return map[string]string{
		"lines":  strings.Join(recs, "\n"),
		"values": "\n" + strings.Join(recs, " "),
		"array":  "[\n" + strings.Join(recs, ",\n") + "\n]\n",
		"pretty": "[" + strings.ReplaceAll(strings.Join(recs, ","), ":", ":\n\t") + "]",
		"keyed":  "{" + strings.Join(keyed, ",") + "}",
	}
}

func many(n int) []string {
	rng := rand.New(rand.NewPCG(3, 4))
	recs := make([]string, n)
	for i := range recs {
		recs[i] = fmt.Sprintf(`{"i":%d,"s":"%s","o":{"a":[{"x":"]}"},%d]}}`, i, strings.Repeat("é\\\"{", rng.IntN(30)), rng.Int64())
	}
	return recs
}

// Every form gives the same records, over many blocks, in order, and each by its offset.
func TestForms(t *testing.T) {
	recs := many(30_000)
	want, err := read(t.Context(), json.NDJSON, strings.Join(recs, "\n"), &codec.ReadOptions{})
	if err != nil || len(want) != len(recs) {
		t.Fatalf("%d records, %v", len(want), err)
	}
	for name, text := range forms(recs) {
		t.Run(name, func(t *testing.T) {
			f := open(t, json.Format{}, []byte(text), &codec.ReadOptions{})
			got, err := scanAll(t.Context(), f)
			if err != nil || len(got.recs) != len(recs) {
				t.Fatalf("%d records, %v", len(got.recs), err)
			}
			for i, r := range got.recs {
				if !r.Fields.Identical(want[i].Fields) || got.numbers[i] != int64(i) {
					t.Fatalf("record %d, number %d: %v, want %v", i, got.numbers[i], r.Fields, want[i].Fields)
				}
				if f.Keyed() && r.ID != fmt.Sprintf("k%d", i) {
					t.Fatalf("record %d has the key %q", i, r.ID)
				}
			}
			readAt(t, f, got)
		})
	}
}

func readAt(t *testing.T, f codec.File, all *collector) {
	t.Helper()
	var offsets []int64
	rows := []int{0, 1, 9, 15_000, 15_001, len(all.recs) - 1, 3}
	for _, i := range rows {
		offsets = append(offsets, all.offsets[i])
	}
	n := 0
	err := f.ReadAt(t.Context(), offsets, func(i int, rec *dataknobs.Record) error {
		if want := all.recs[rows[i]]; !rec.Identical(want) {
			t.Errorf("at offset %d: %v, want %v", offsets[i], rec.Fields, want.Fields)
		}
		n++
		return nil
	})
	if err != nil || n != len(rows) {
		t.Errorf("%d records, %v", n, err)
	}
}

// Trap 1: a file that was cut anywhere is never read as a shorter one.
func TestCutAnywhere(t *testing.T) {
	recs := []string{`{"a":"x","b":[1,2]}`, `{"a":null}`, `{"a":"y"}`}
	for name, text := range forms(recs) {
		if name == "lines" || name == "values" {
			continue // a cut between two records cannot be told
		}
		text = strings.TrimSpace(text)
		for n := 1; n < len(text); n++ {
			got, err := read(t.Context(), json.Format{}, text[:n], &codec.ReadOptions{})
			if dataknobs.CodeOf(err) != dataknobs.DataLoss {
				t.Errorf("%s: %q was read as %d records, %v", name, text[:n], len(got), err)
			}
		}
	}
}

func TestSlots(t *testing.T) {
	text := `{"_id":"7","a":{"b":[10,{"c":"x\ny"}],"s":"t"},"x.y":1,"_meta":{"m":true},"d":{"a":1,"a":2}}`
	paths := []dataknobs.Path{
		dataknobs.PathID, dataknobs.Names("a", "b").At(1).Child("c"), dataknobs.Names("a", "b").At(0), dataknobs.Names("a", "b").At(2),
		dataknobs.Names("a", "s", "t"), dataknobs.Names("x.y"), dataknobs.Names("x", "y"), dataknobs.Names("_meta", "m"), dataknobs.PathRevision,
		dataknobs.Names("nope"), dataknobs.Names("a", "b"), dataknobs.Names("d", "b"),
	}
	want := "['7', 'x\\ny', 10, null, null, 1, null, true, null, null, [10, {'c': 'x\\ny'}], null]"
	f := open(t, json.NDJSON, []byte(text), &codec.ReadOptions{})
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
}

func TestPaths(t *testing.T) {
	text := `{"a":{"b":1,"c":2,"d":{"e":3,"f":4}},"x":[{"y":1,"z":2}],"_meta":{"m":1,"n":2},"q":0}`
	paths := []dataknobs.Path{dataknobs.Names("a", "c"), dataknobs.Names("a", "d", "e"), dataknobs.Names("x").At(0).Child("y"), dataknobs.Names("_meta", "n")}
	f := open(t, json.NDJSON, []byte(text), &codec.ReadOptions{})
	err := f.Scan(t.Context(), &codec.Scan{Paths: paths, Begin: begin(func(r codec.Row) error {
		rec, err := r.Record()
		if got := show([]*dataknobs.Record{rec}); got != "{'a': {'c': 2, 'd': {'e': 3}}, 'x': [{'y': 1, 'z': 2}]} meta {'n': 2}\n" {
			t.Errorf("got %s", got)
		}
		return err
	})})
	if err != nil {
		t.Fatal(err)
	}
}

func TestScanErrors(t *testing.T) {
	recs := many(30_000)
	recs[20_000], recs[29_000] = `{"a":x}`, `{"a":y}`
	text := strings.Join(recs, "\n")
	f := open(t, json.NDJSON, []byte(text), &codec.ReadOptions{})
	t.Run("the first error of the file", func(t *testing.T) {
		if _, err := scanAll(t.Context(), f); err == nil || !strings.Contains(err.Error(), "line 20001, column 6") {
			t.Errorf("got %v, want line 20001", err)
		}
	})
	t.Run("enough", func(t *testing.T) {
		n := 0
		err := f.Scan(t.Context(), &codec.Scan{Workers: 1, Begin: begin(func(codec.Row) error {
			if n++; n == 10 {
				return codec.ErrStop
			}
			return nil
		})})
		if err != nil || n != 10 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := f.Scan(ctx, &codec.Scan{Begin: begin(func(codec.Row) error { cancel(); return nil })})
		if err != context.Canceled {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}

func TestLongRecord(t *testing.T) {
	long := strings.Repeat("x", 5<<20)
	for name, text := range forms([]string{`{"a":1}`, `{"a":"` + long + `"}`, `{"a":2}`}) {
		recs, err := read(t.Context(), json.Format{}, text, &codec.ReadOptions{})
		if err != nil || len(recs) != 3 || recs[1].Get("a").Str() != long {
			t.Errorf("%s: %d records, %v", name, len(recs), err)
		}
	}
	_, err := read(t.Context(), json.Format{}, "[{\"a\":\""+strings.Repeat(long, 20)+"\"}]", &codec.ReadOptions{})
	if dataknobs.CodeOf(err) != dataknobs.ResourceExhausted {
		t.Errorf("100 MiB in one record: %v, want ResourceExhausted", err)
	}
}

func TestOnce(t *testing.T) {
	text := []byte(forms(many(20_000))["array"])
	used := false
	src := codec.Source{Name: "-", Once: true, Open: func(context.Context) (io.ReadCloser, error) {
		if used {
			return nil, errors.New("opened twice")
		}
		used = true
		return io.NopCloser(bytes.NewBuffer(text)), nil
	}}
	f, err := json.Format{}.Open(t.Context(), src, &codec.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := scanAll(t.Context(), f)
	if err != nil || len(got.recs) != 20_000 {
		t.Fatalf("%d records, %v", len(got.recs), err)
	}
	if _, err := scanAll(t.Context(), f); dataknobs.CodeOf(err) != dataknobs.Unsupported {
		t.Errorf("a second scan: %v, want Unsupported", err)
	}
}
