package dataknobs_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	dk "dataknobs.dev/dataknobs"
)

var queryJSONs = []struct{ text, json string }{
	{"", `{"v":1}`},
	{"SELECT a, b.`c d`, e AS f", "{\"v\":1,\"select\":[\"a\",\"b.`c d`\",{\"path\":\"e\",\"as\":\"f\"}]}"},
	{"SELECT count(*), count(a), sum(a.b) AS s", `{"v":1,"select":[{"agg":"count"},{"agg":"count","path":"a"},{"agg":"sum","path":"a.b","as":"s"}]}`},
	{"WHERE age > 30 LIMIT 0 OFFSET 5", `{"v":1,"where":{"path":"age","op":">","value":30},"limit":0,"offset":5}`},
	{"WHERE a = 1.0 AND (b IN (1, 'x') OR NOT c NOT BETWEEN 1 AND 2)",
		`{"v":1,"where":{"and":[{"path":"a","op":"=","value":1.0},{"or":[{"path":"b","op":"in","values":[1,"x"]},{"not":{"path":"c","op":"not between","values":[1,2]}}]}]}}`},
	{"WHERE a IN ()", `{"v":1,"where":{"path":"a","op":"in","values":[]}}`},
	{"WHERE TRUE", `{"v":1,"where":{"and":[]}}`},
	{"WHERE NOT FALSE", `{"v":1,"where":{"not":{"or":[]}}}`},
	{"WHERE a IS NULL AND b IS NOT NULL", `{"v":1,"where":{"and":[{"path":"a","op":"is null"},{"path":"b","op":"is not null"}]}}`},
	{"WHERE a MATCH 'x y' OR b NOT MATCH 'z'",
		`{"v":1,"where":{"or":[{"path":"a","op":"match","value":"x y"},{"path":"b","op":"not match","value":"z"}]}}`},
	{"WHERE a STARTS WITH 'x' OR b NOT CONTAINS [1, null]",
		`{"v":1,"where":{"or":[{"path":"a","op":"starts with","value":"x"},{"path":"b","op":"not contains","value":[1,null]}]}}`},
	{"WHERE a > time '2026-01-02T03:04:05Z' AND b = bytes 'aGk=' AND c = {'$time': 'x'} AND d = {'$time': 1, 'y': 2}",
		`{"v":1,"where":{"and":[{"path":"a","op":">","value":{"$time":"2026-01-02T03:04:05Z"}},{"path":"b","op":"=","value":{"$bytes":"aGk="}},` +
			`{"path":"c","op":"=","value":{"$$time":"x"}},{"path":"d","op":"=","value":{"$time":1,"y":2}}]}}`},
	{"SELECT a, count(*) AS n GROUP BY a, b HAVING count(*) > 1 AND max(c) < 2 ORDER BY n DESC NULLS FIRST, a, b DESC, sum(d)",
		`{"v":1,"select":["a",{"agg":"count","as":"n"}],"group_by":["a","b"],"having":{"and":[{"agg":"count","op":">","value":1},{"agg":"max","path":"c","op":"<","value":2}]},` +
			`"order_by":[{"path":"n","desc":true,"nulls":"first"},"a",{"path":"b","desc":true},{"agg":"sum","path":"d"}]}`},
}

func TestQueryJSON(t *testing.T) {
	schema := readSchema(t)
	for _, c := range queryJSONs {
		q := dk.MustParse(c.text)
		b, err := q.MarshalJSON()
		if err != nil || string(b) != c.json {
			t.Errorf("%s as JSON:\ngot  %s, %v\nwant %s", c.text, b, err, c.json)
			continue
		}
		var r dk.Query
		if err := json.Unmarshal(b, &r); err != nil || !sameQuery(q, &r) {
			t.Errorf("%s reads back as %s, %v", b, &r, err)
		}
		if err := schema.check(b); err != nil {
			t.Errorf("%s does not agree with the schema: %v", b, err)
		}
	}
	after := dk.Where().After("token").Query()
	b, err := json.Marshal(struct{ Q dk.Query }{*after}) // not addressable
	if err != nil || string(b) != `{"Q":{"v":1,"after":"token"}}` {
		t.Errorf("a query in a struct: %s, %v", b, err)
	}
}

func TestQueryJSONErrors(t *testing.T) {
	schema := readSchema(t)
	for _, c := range []struct {
		json, want string
		loose      bool // the schema cannot tell
	}{
		{`{}`, `the member "v" must be 1`, false},
		{`{"v":2}`, `the member "v" must be 1`, false},
		{`{"v":1.0}`, `the member "v" must be 1`, true},
		{`[]`, "expected an object, but found an array", false},
		{`{"v":1,"wehre":{}}`, `did you mean "where"?`, false},
		{`{"v":1,"frobnicate":{}}`, "the members are v, select", false},
		{`{"v":1,"limit":-1}`, "query.limit: expected a whole number", false},
		{`{"v":1,"limit":null}`, "query.limit: expected a whole number", false},
		{`{"v":1,"limit":1.5}`, "query.limit: expected a whole number", false},
		{`{"v":1,"after":5}`, "query.after: expected a string, but found an int", false},
		{`{"v":1,"select":"a"}`, "query.select: expected an array, but found a string", false},
		{`{"v":1,"select":["a b"]}`, "query.select[0]: 1:3: expected the end", true},
		{`{"v":1,"select":[{"as":"x"}]}`, `query.select[0]: the member "path" is missing`, false},
		{`{"v":1,"select":[{"path":"x","as":""}]}`, "query.select[0].as: the name is empty", false},
		{`{"v":1,"select":[{"agg":"median","path":"x"}]}`, "query.select[0].agg: expected one of count", false},
		{`{"v":1,"select":[{"agg":"sum"}]}`, `sum needs the member "path"`, true},
		{`{"v":1,"order_by":[{"path":"a","desc":1}]}`, "query.order_by[0].desc: expected true or false", false},
		{`{"v":1,"order_by":[{"path":"a","nulls":"frist"}]}`, `expected "first" or "last"`, false},
		{`{"v":1,"group_by":[1]}`, "query.group_by[0]: expected a string", false},
		{`{"v":1,"where":{"path":"a"}}`, `query.where: the member "op" is missing`, false},
		{`{"v":1,"where":{"path":"a","op":"lik","value":"x"}}`, `query.where.op: there is no operator 'lik' (did you mean "like"?)`, false},
		{`{"v":1,"where":{"path":"a","op":"~~~","value":"x"}}`, "the operators are =, !=", false},
		{`{"v":1,"where":{"path":"a","op":"="}}`, `"=" takes a "value"`, false},
		{`{"v":1,"where":{"path":"a","op":"=","values":[1]}}`, `"=" takes a "value"`, false},
		{`{"v":1,"where":{"path":"a","op":"is null","value":1}}`, `"is null" takes neither`, false},
		{`{"v":1,"where":{"path":"a","op":"in","value":1}}`, `"in" takes "values", an array`, false},
		{`{"v":1,"where":{"path":"a","op":"between","values":[1]}}`, "BETWEEN takes two constants, not 1", false},
		{`{"v":1,"where":{"path":"a","op":"=","value":null}}`, "IS NULL", false},
		{`{"v":1,"where":{"and":[],"or":[]}}`, `the member "and" stands alone`, false},
		{`{"v":1,"where":{"not":null}}`, "query.where.not: expected an object, but found null", false},
		{`{"v":1,"where":{"and":[{"path":"a","op":"=","value":{"$tiem":"x"}}]}}`, `query.where.and[0].value: there is no tag "$tiem" (did you mean "$time"?)`, true},
		{`{"v":1,"where":{"path":"a","op":"=","value":9223372036854775808}}`, "does not fit in 64 bits", true},
		{`{"v":1,"where":{"path":"a","op":"=","value":1},"where":{}}`, `the name "where" is there twice`, true},
		{`{"v":1,"where":{"path":"a","op":"matches","value":"("}}`, "RE2", true},
		{`{"v":1,"having":{"agg":"count","op":"=","value":1}}`, "HAVING is about groups", true},
		{`{"v":1} x`, "expected the end of the JSON", true},
		{`{"v":1,"where":` + strings.Repeat(`{"not":`, 2000) + `{"and":[]}` + strings.Repeat("}", 2000) + "}", "nests deeper than 1000", true},
		{`{"v":1,"where":` + strings.Repeat(`{"not":`, 500_000), "nests deeper than", true},
	} {
		var q dk.Query
		err := q.UnmarshalJSON([]byte(c.json))
		if !errors.Is(err, dk.InvalidArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s: %v, want %q", c.json, err, c.want)
		}
		if !c.loose && schema.check([]byte(c.json)) == nil {
			t.Errorf("%.200s: the schema allows it", c.json)
		}
	}
	bad := dk.Where(dk.P("a").Eq(math.NaN())).Query()
	if b, err := bad.MarshalJSON(); err == nil {
		t.Errorf("a query that cannot be run is %s as JSON", b)
	}
}

func TestQuerySchemaExamples(t *testing.T) {
	schema := readSchema(t)
	b, err := os.ReadFile("docs/query.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Examples []json.RawMessage }
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.Examples) == 0 {
		t.Fatalf("%d examples, %v", len(doc.Examples), err)
	}
	for _, example := range doc.Examples {
		if err := schema.check(example); err != nil {
			t.Errorf("the example %s: %v", example, err)
		}
		var q, r dk.Query
		if err := q.UnmarshalJSON(example); err != nil {
			t.Errorf("the example %s: %v", example, err)
			continue
		}
		again, err := q.MarshalJSON()
		if err == nil {
			err = r.UnmarshalJSON(again)
		}
		if err != nil || !sameQuery(&q, &r) {
			t.Errorf("the example %s comes back as %s, %v", example, again, err)
		}
	}
}

func TestTaggedJSON(t *testing.T) {
	for _, v := range []dk.Value{
		dk.Null(), dk.Bool(true), dk.Int(math.MinInt64), dk.Int(math.MaxInt64), dk.Float(1), dk.Float(-0.5), dk.Float(1e300), dk.Float(1e-7), dk.Float(5e-324),
		dk.String(""), dk.String("a\"\\\b\f\n\r\t\x01/é😀\u2028"), dk.Bytes(nil), dk.Bytes([]byte{0, 255}),
		dk.Time(time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.UTC)), dk.TimeMicros(-1),
		dk.Array(), dk.Array(dk.Null(), dk.Array(dk.Bytes([]byte("x")))),
		dk.Object(nil), dk.Object(dk.Fields{dk.F("a", 1), dk.F("$b", nil)}),
		dk.Object(dk.Fields{dk.F("$time", "x")}), dk.Object(dk.Fields{dk.F("$$bytes", 5)}), dk.Object(dk.Fields{dk.F("$", dk.TimeMicros(5))}),
	} {
		b := v.AppendTaggedJSON(nil)
		w, err := dk.ParseTaggedJSON(b)
		if err != nil || !v.Identical(w) {
			t.Errorf("%s → %s → %s, %v", v, b, w, err)
		}
		if !json.Valid(b) {
			t.Errorf("%s: %s is not JSON", v, b)
		}
	}
}

// strictJSON are texts that are refused, and words of the message.
var strictJSON = []struct{ json, want string }{
	{"", "expected a JSON value"},
	{"nul", "expected a JSON value"},
	{"nan", "expected a JSON value"},
	{"'x'", "expected a JSON value"},
	{"1 2", "expected the end"},
	{"01", "not a JSON number"},
	{"-", "not a JSON number"},
	{"1.", "not a JSON number"},
	{"+1", "expected a JSON value"},
	{"1e", "not a JSON number"},
	{"1e999", "out of range"},
	{"9223372036854775808", "does not fit in 64 bits"},
	{"-9223372036854775809", "does not fit in 64 bits"},
	{`"x`, "no closing quote"},
	{`"\x"`, "not a JSON escape"},
	{`"\u12"`, "not a JSON escape"},
	{`"\ud800"`, "not a JSON escape"},
	{`"\`, "not a JSON escape"},
	{"\"\xff\"", "not valid UTF-8"},
	{"\"\n\"", "control character"},
	{"[1,]", "expected a JSON value"},
	{"[1 2]", `expected "," or "]"`},
	{"[", "expected a JSON value"},
	{`{"a":1,}`, "expected a name"},
	{`{"a" 1}`, `expected ":"`},
	{`{a:1}`, "expected a name"},
	{`{"a":1,"\u0061":2}`, `the name "a" is there twice`},
	{strings.Repeat("[", 1<<20), "nests deeper than"},
}

func TestStrictJSON(t *testing.T) {
	for _, c := range strictJSON {
		v, err := dk.ParseTaggedJSON([]byte(c.json))
		if !errors.Is(err, dk.InvalidArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("tagged %.40q: %v, %v; want %q", c.json, v, err, c.want)
		}
		if err := v.UnmarshalJSON([]byte(c.json)); !errors.Is(err, dk.InvalidArgument) {
			t.Errorf("plain %.40q: %v", c.json, err)
		}
	}
	for json, want := range map[string]string{
		`{"$tiem":"x"}`:         `did you mean "$time"?`,
		`{"$oid":"x"}`:          "one more $",
		`{"$time":"now"}`:       "not a time",
		`{"$time":5}`:           "holds a string, not an int",
		`{"$bytes":"!"}`:        "not base64",
		`{"$bytes":"aGk"}`:      "not base64",
		`[{"$bytes":"aG\nk="}]`: "not base64",
	} {
		if v, err := dk.ParseTaggedJSON([]byte(json)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("tagged %s: %v, %v; want %q", json, v, err, want)
		}
	}
	at := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if _, err := dk.ParseTaggedJSON(at(dk.MaxDepth)); err != nil {
		t.Errorf("%d levels: %v", dk.MaxDepth, err)
	}
	if _, err := dk.ParseTaggedJSON(at(dk.MaxDepth + 1)); err == nil {
		t.Errorf("%d levels are read", dk.MaxDepth+1)
	}
}

func TestPlainJSON(t *testing.T) {
	var f dk.Fields
	const text = `{"z":1,"a":1.0,"$time":{"$time":"2026-01-02T03:04:05Z"},"n":null,"l":[true,"x",-0]}`
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	want := dk.Fields{dk.F("z", 1), dk.F("a", 1.0), dk.F("$time", map[string]any{"$time": "2026-01-02T03:04:05Z"}), dk.F("n", nil), dk.F("l", []any{true, "x", 0})}
	if !f.Identical(want) || f[0].Name != "z" {
		t.Errorf("got %v, want %v", f, want)
	}
	if b, err := json.Marshal(f); err != nil || string(b) != strings.Replace(text, "-0]", "0]", 1) {
		t.Errorf("back as %s, %v", b, err)
	}
	var in struct{ V dk.Value }
	if err := json.Unmarshal([]byte(`{"V":[1,2.5]}`), &in); err != nil || !in.V.Identical(dk.Array(dk.Int(1), dk.Float(2.5))) {
		t.Errorf("a value in a struct: %v, %v", in.V, err)
	}
	if err := json.Unmarshal([]byte(`[1]`), &f); err == nil {
		t.Error("an array was read as fields")
	}
}
