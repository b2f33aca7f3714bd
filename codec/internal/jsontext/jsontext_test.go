package jsontext_test

import (
	"encoding/json"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/jsontext"
)

func padded(s string) []byte { return append([]byte(s), make([]byte, jsontext.Slack)...) }

func TestParse(t *testing.T) {
	when, _ := dataknobs.ParseTime("2013-01-01T00:00:00Z")
	for _, c := range []struct {
		text string
		want dataknobs.Value
	}{
		{` "x" `, dataknobs.String("x")},
		{`[1,2.0,[],{}]`, dataknobs.Array(dataknobs.Int(1), dataknobs.Float(2), dataknobs.Array(), dataknobs.Object(nil))},
		{`{"$time":"2013-01-01T00:00:00Z"}`, when},
		{`{"$bytes":""}`, dataknobs.Bytes(nil)},
		{`{"$$time":1}`, dataknobs.Object(dataknobs.Fields{dataknobs.F("$time", 1)})},
		{`null`, dataknobs.Null()},
		{`false`, dataknobs.Bool(false)},
	} {
		r := jsontext.Reader{Tagged: true}
		got, err := r.Parse([]byte(c.text))
		if err != nil || !got.Identical(c.want) {
			t.Errorf("Parse(%s) = %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, "the text ends where a value should be"},
		{`1 2`, "unexpected '2' where the end should be"},
		{`[1`, "the text ends where , or ] should be"},
		{`{"a":[1,{"b":tru}]}`, "unexpected 't' where a value should be"},
		{`{"$time":"x"}`, "without an RFC 3339 time"},
		{`{"$bytes":"?"}`, "without base64 text"},
		{`{"a` + "\x00" + `":1}`, "a control character"},
		{"{\"a\":\"\\", "no such escape"},
		{`{` + manyNames() + `"n7":1}`, `the name "n7" is there twice`},
	} {
		r := jsontext.Reader{Tagged: true}
		v, err := r.Parse([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%.40s) = %v, %v, want %q", c.text, v, err, c.want)
		}
	}
}

func manyNames() string {
	var b strings.Builder
	for i := range 100 {
		b.WriteString(`"n` + strings.Repeat("x", i/10) + string(rune('0'+i%10)) + `":1,`)
	}
	return b.String()
}

// Skip accepts exactly what encoding/json calls valid, in texts where the two
// agree on what is legal.
func TestSkip(t *testing.T) {
	pieces := []string{`{`, `}`, `[`, `]`, `,`, `:`, `"a"`, `"\n"`, `1`, `-`, `0`, `.5`, `e0`, `true`, `null`, ` `}
	var walk func(text string, left int)
	walk = func(text string, left int) {
		r := jsontext.Reader{Text: padded(text)}
		end := r.Skip(r.Space(0), 0)
		ok := end >= 0 && r.AtEnd(r.Space(end))
		if want := json.Valid([]byte(text)); ok != want {
			t.Fatalf("Skip(%s): %v, encoding/json says %v", text, ok, want)
		}
		if left == 0 {
			return
		}
		for _, p := range pieces {
			walk(text+p, left-1)
		}
	}
	walk("", 5)
}
