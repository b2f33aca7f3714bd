package dataknobs_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// Whatever the text: no panic, and what can be read prints as a text that
// reads back as the same query; the error of what cannot points into the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "SELECT a.b AS x, count(*) GROUP BY a.b HAVING count(*) > 5 ORDER BY x DESC NULLS FIRST LIMIT 1 OFFSET 2",
		`a = 'it''s' AND b LIKE "50\%" OR NOT (c IN (1, -2.5e3) AND d IS NOT NULL)`,
		"`a b`[0].c BETWEEN time '2026-01-02' AND time '2026-01-02T03:04:05.5Z'",
		"a = {'k': [1, null, bytes 'aGk=']} AND TRUE", "5 < a AND a <> ? OR b = :c", "ODER BY größe", `a MATCHES '^\d+$'`,
	} {
		f.Add(text)
	}
	for _, s := range hostile.Seeds(hostile.Queries) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := dk.Parse(text)
		if err != nil {
			if !errors.Is(err, dk.InvalidArgument) || len(err.Error()) > 4000 {
				t.Fatalf("Parse(%q): %v", text, err)
			}
			return
		}
		printed := q.String()
		again, err := dk.Parse(printed)
		if err != nil {
			t.Fatalf("Parse(%q) prints %q, which is no query: %v", text, printed, err)
		}
		if !sameQuery(q, again) || again.String() != printed {
			t.Fatalf("Parse(%q) prints %q, which reads back as %q", text, printed, again)
		}
		b, err := q.MarshalJSON()
		if err != nil {
			t.Fatalf("Parse(%q) is no JSON: %v", text, err)
		}
		var r dk.Query
		if err := r.UnmarshalJSON(b); err != nil || !sameQuery(q, &r) {
			t.Fatalf("Parse(%q) is %s as JSON, which reads back as %q, %v", text, b, &r, err)
		}
	})
}

// Whatever the bytes: no panic, and a query that can be read is written as
// JSON and as text that read back as the same query.
func FuzzQueryJSON(f *testing.F) {
	for _, c := range queryJSONs {
		f.Add([]byte(c.json))
	}
	f.Add([]byte(`{"v":1,"where":{"not":{"and":[{"or":[]}]}},"order_by":[{"path":"a","desc":false,"nulls":"last"}],"after":"x"}`))
	for _, s := range hostile.Seeds(hostile.QueryJSON) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var q, r dk.Query
		if err := q.UnmarshalJSON(b); err != nil {
			if !errors.Is(err, dk.InvalidArgument) {
				t.Fatalf("%q: %v", b, err)
			}
			return
		}
		again, err := q.MarshalJSON()
		if err != nil {
			t.Fatalf("%q cannot be written: %v", b, err)
		}
		if err := r.UnmarshalJSON(again); err != nil || !sameQuery(&q, &r) {
			t.Fatalf("%q is written as %s, which reads back as %s, %v", b, again, &r, err)
		}
		if len(q.String()) > dk.MaxQueryBytes {
			return
		}
		p, err := dk.Parse(q.String())
		if err != nil || p.String() != q.String() {
			t.Fatalf("%q prints %q, which reads back as %v, %v", b, &q, p, err)
		}
	})
}

// Whatever the bytes: no panic, only JSON is read, and it is written back as
// the same value; plain reading agrees on what is JSON.
func FuzzTaggedJSON(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,1.0,-0.5e-7,null,true,"x\u00e9\ud83d\ude00"]}`, `{"$time":"2026-01-02T03:04:05.5Z"}`, `{"$bytes":"aGk="}`,
		`{"$$time":"x"}`, `[{"$$$":{"$$":1}}]`, `" "`, "9223372036854775807",
	} {
		f.Add([]byte(text))
	}
	for _, c := range strictJSON {
		f.Add([]byte(c.json[:min(len(c.json), 200)]))
	}
	for _, s := range hostile.Seeds(hostile.JSON, hostile.QueryJSON) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var plain dk.Value
		if err := plain.UnmarshalJSON(b); err == nil && !json.Valid(b) {
			t.Fatalf("%q is no JSON, but was read as %s", b, plain)
		}
		v, err := dk.ParseTaggedJSON(b)
		if err != nil {
			if !errors.Is(err, dk.InvalidArgument) {
				t.Fatalf("%q: %v", b, err)
			}
			return
		}
		again := v.AppendTaggedJSON(nil)
		w, err := dk.ParseTaggedJSON(again)
		if err != nil || !v.Identical(w) {
			t.Fatalf("%q is written as %s, which reads back as %s, %v", b, again, w, err)
		}
		if strings.ContainsRune(string(again), 0) || !json.Valid(again) {
			t.Fatalf("%q is written as %q", b, again)
		}
	})
}
