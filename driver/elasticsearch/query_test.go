package elasticsearch_test

import (
	"encoding/json"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
)

// The translation as it is sent: data, never spliced text.
func TestTranslation(t *testing.T) {
	for _, c := range []struct{ where, want string }{
		{`a = 1`, `{"term":{"_dk.k.a":{"value":"2bff"}}}`},
		{`a != 'x'`, `{"bool":{"filter":[{"exists":{"field":"_dk.k.a"}}],"must_not":[{"term":{"_dk.k.a":{"value":"4x"}}}]}}`},
		{`a > 1.5`, `{"range":{"_dk.k.a":{"gt":"2bff8","lt":"3"}}}`},
		{`a <= 'm'`, `{"range":{"_dk.k.a":{"gte":"4","lte":"4m"}}}`},
		{`a < [1]`, `{"match_none":{}}`},
		{`a between 1 and 'x'`, `{"bool":{"filter":[{"range":{"_dk.k.a":{"gte":"2bff","lt":"3"}}},{"range":{"_dk.k.a":{"gte":"4","lte":"4x"}}}]}}`},
		{`a in (1, 1.0, true)`, `{"terms":{"_dk.k.a":["2bff","2bff","11"]}}`},
		{`a not in ()`, `{"exists":{"field":"_dk.k.a"}}`},
		{`a is null`, `{"bool":{"filter":[{"match_all":{}}],"must_not":[{"exists":{"field":"_dk.k.a"}}]}}`},
		{`a starts with '"},{"'`, `{"prefix":{"_dk.k.a":{"value":"4\"},{\""}}}`},
		{`a like 'x%'`, `{"prefix":{"_dk.k.a":{"value":"4x"}}}`},
		{`a like 'x\%'`, `{"term":{"_dk.k.a":{"value":"4x%"}}}`},
		{`a like '%x*_'`, `{"bool":{"minimum_should_match":1,"should":[{"regexp":{"_dk.k.a":{"flags":"NONE","value":"4.*x\\*."}}},{"bool":{"filter":[{"range":{"_dk.k.a":{"gte":"4","lt":"5"}}},{"term":{"_dk.cut":{"value":"a"}}}]}}]}}`},
		{`a matches 'x'`, `{"range":{"_dk.k.a":{"gte":"4","lt":"5"}}}`},
		{`a contains 'x'`, `{"term":{"_dk.elems":{"value":"a\u00004x"}}}`},
		{`a[0] = 1`, `{"range":{"_dk.k.a":{"gte":"6","lt":"7"}}}`},
		{`_id = 'x'`, `{"term":{"_dk.id":{"value":"4x"}}}`},
		{`_id = 1`, `{"term":{"_dk.id":{"value":"2bff"}}}`},
		{"_meta.`a.b` = 1", `{"bool":{"minimum_should_match":1,"should":[{"term":{"_dk.k._meta/a%2Eb":{"value":"2bff"}}},{"term":{"_dk.x._meta/a%2Eb":{"value":"2bff"}}}]}}`},
		{`a = time '2026-01-02T03:04:05Z'`, `{"term":{"_dk.k.a":{"value":"32026-01-02T03:04:05"}}}`},
		{`a = 1 or (b = 2 and a is not null)`, `{"bool":{"minimum_should_match":1,"should":[{"term":{"_dk.k.a":{"value":"2bff"}}},{"bool":{"filter":[{"term":{"_dk.k.b":{"value":"2c"}}},{"exists":{"field":"_dk.k.a"}}]}}]}}`},
	} {
		q, err := dataknobs.Parse(c.where)
		if err != nil {
			t.Fatalf("%s: %v", c.where, err)
		}
		got := elasticsearch.QueryText(dataknobs.Simplify(q.Where), "a", "b")
		if got != c.want && !sameJSON(got, c.want) {
			t.Errorf("%s\n got    %s\n wanted %s", c.where, got, c.want)
		}
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}
