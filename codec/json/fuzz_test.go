package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/json"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// FuzzJSON reads any bytes. Whatever is accepted must be JSON to encoding/json
// too and mean the same, and must survive a round trip.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`[{"a":1}]`, "{\"a\":1}\n{\"a\":-2.5e3}\n", `{"k":{"a":"\u00e9\ud83d\ude00"}}`, `[]`, `{}`, ` [ { "a" : [ true , null , { } ] } ] `,
		`{"a":1}{"b":2}`, `[{"a":"`, `{"_id":"x","_meta":{"m":1}}`, "\ufeff[{\"a\":9223372036854775808}]", `[{"a":{"a":1,"a":2}}]`} {
		f.Add([]byte(s))
	}
	for _, s := range hostile.Seeds(hostile.JSON, hostile.Lines) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, format := range []json.Format{{}, json.NDJSON} {
			recs, err := read(t.Context(), format, string(b), &codec.ReadOptions{})
			if err != nil {
				if c := dataknobs.CodeOf(err); c != dataknobs.DataLoss {
					t.Fatalf("read %q: %v has the code %v", b, err, c)
				}
				continue
			}
			compareStd(t, b, recs)
			roundTrip(t, b, recs)
		}
	})
}

// compareStd checks that encoding/json accepts b too, as values one after
// another, and sees as many records.
func compareStd(t *testing.T, b []byte, recs []*dataknobs.Record) {
	d := stdjson.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	d.UseNumber()
	var values []any
	for d.More() {
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%q was accepted; encoding/json says %v", b, err)
		}
		values = append(values, v)
	}
	if len(values) == 1 {
		switch v := values[0].(type) {
		case []any:
			values = v
		case map[string]any:
			if len(recs) != 1 || recs[0].ID != "" {
				return // keyed
			}
		}
	}
	if len(values) != len(recs) {
		t.Fatalf("%q: %d records, encoding/json has %d", b, len(recs), len(values))
	}
	for i, v := range values {
		m := v.(map[string]any)
		_, id := m["_id"]
		_, meta := m["_meta"]
		if id || meta {
			continue
		}
		want, err := dataknobs.ValueOf(m)
		if dataknobs.CodeOf(err) == dataknobs.InvalidArgument && strings.Contains(err.Error(), "nests deeper") {
			continue // as a value a record counts as one level more
		}
		if err != nil || !want.Identical(dataknobs.Object(recs[i].Fields)) {
			t.Fatalf("%q: record %d is %v, encoding/json has %v, %v", b, i, recs[i].Fields, want, err)
		}
	}
}

func roundTrip(t *testing.T, b []byte, recs []*dataknobs.Record) {
	l := &codec.Layout{ID: "_id", Meta: "_meta", Tagged: true}
	text := write(t, json.Format{}, codec.WriteOptions{Layout: l}, recs...)
	back, err := read(t.Context(), json.Format{}, text, &codec.ReadOptions{Layout: l})
	if err != nil || show(back) != show(recs) {
		t.Fatalf("%q was written as %q and read back as\n%s, %v\nwant\n%s", b, text, show(back), err, show(recs))
	}
}
