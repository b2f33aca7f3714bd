package elasticsearch_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/servers"
)

// An index that another program made is read as it is.
func TestForeignIndex(t *testing.T) {
	server := servers.Elasticsearch(t)
	index := newIndex(t, server)
	ask(t, "PUT", server+"/"+index, `{"settings":{"number_of_replicas":0},"mappings":{"properties":{
		"title":{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":20}}},
		"tag":{"type":"keyword"}, "year":{"type":"integer"}, "price":{"type":"float"}, "born":{"type":"date"}, "stamp":{"type":"date","format":"epoch_second"},
		"raw":{"type":"binary"}, "place":{"properties":{"city":{"type":"keyword"}}}}}}`)
	docs := []string{
		`{"title":"The quick fox","tag":"a","year":1999,"price":1.1,"born":"2020-01-02T03:04:05Z","stamp":1577934245,"raw":"AAE=","place":{"city":"Rome"}}`,
		`{"title":"A slow fox with a very long title indeed","tag":["a","b"],"year":2000.7,"price":2,"born":1577934245000}`,
		`{"title":null,"tag":[],"year":"2001","born":"2020-01-02"}`,
		`{"other":{"deep":[1,2]},"place":{"city":["Rome","Oslo"]}}`,
	}
	for i, d := range docs {
		ask(t, "PUT", server+"/"+index+"/_doc/"+string(rune('p'+i))+"?refresh=true", d)
	}
	db := openIndex(t, options(t, server, index))
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	got, err := db.Get(t.Context(), "p")
	want := dataknobs.NewRecord("p", dataknobs.F("title", "The quick fox"), dataknobs.F("tag", "a"), dataknobs.F("year", 1999), dataknobs.F("price", 1.1),
		dataknobs.F("born", at), dataknobs.F("stamp", at), dataknobs.F("raw", []byte{0, 1}), dataknobs.F("place", map[string]any{"city": "Rome"}))
	if err != nil || !got.Identical(want) || got.Revision == "" {
		t.Errorf("got %v, %v\nwanted %v", got, err, want)
	}
	for query, want := range map[string]string{
		"":                              "p q r s",
		"tag = 'a'":                     "p",
		"tag contains 'a'":              "q",
		"tag is not null":               "p q r",
		"tag in ('a', 'b')":             "p",
		"year = 2000.7":                 "q",
		"year > 1998.5":                 "p q",
		"price = 1.1":                   "p",
		"price between 1 and 2.0":       "p q",
		"born = '2020-01-02T03:04:05Z'": "p q",
		"title like '%long%'":           "q",
		"title = 'The quick fox'":       "p",
		"place.city = 'Rome'":           "p",
		"place.city[1] = 'Oslo'":        "s",
		"other.deep[0] = 1":             "s",
		"_id > 'p' and _id <= 'r'":      "q r",
		"_id in ('p', 's')":             "p s",
		"title = 'A slow fox with a very long title indeed'": "q",
	} {
		var ids []string
		for r, err := range db.Query(t.Context(), query) {
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			ids = append(ids, r.ID)
		}
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: got %s, wanted %s", query, got, want)
		}
	}
	_, err = db.Put(t.Context(), rec("x", 1))
	wantCode(t, "writing to an index of others", err, dataknobs.Unsupported)
	count(t, db, 4)
}

// Declared kinds are mapped naturally, for other programs; whatever the fields
// hold, the store means the same.
func TestNaturalTypes(t *testing.T) {
	server := servers.Elasticsearch(t)
	o := options(t, server, newIndex(t, server))
	o.Types = map[string]string{"n": "int", "f": "float", "at": "time", "on": "bool", "name": "string", "text": "text", "a.b": "int"}
	db := openIndex(t, o)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	rs := []*dataknobs.Record{
		dataknobs.NewRecord("good", dataknobs.F("n", 1<<60), dataknobs.F("f", 1.5), dataknobs.F("at", at), dataknobs.F("on", true), dataknobs.F("name", "Zoë"), dataknobs.F("text", "some words here"), dataknobs.F("a.b", 7)),
		dataknobs.NewRecord("odd", dataknobs.F("n", "text"), dataknobs.F("f", map[string]any{"x": 1}), dataknobs.F("at", []any{map[string]any{"y": at}}), dataknobs.F("on", 5), dataknobs.F("name", map[string]any{}), dataknobs.F("text", []any{1, nil}), dataknobs.F("a.b", "x")),
		dataknobs.NewRecord("old", dataknobs.F("at", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), dataknobs.F("name", strings.Repeat("long ", 10_000))),
	}
	if _, err := db.CreateMany(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	for _, want := range rs {
		got, err := db.Get(t.Context(), want.ID)
		if err != nil || !got.Identical(want) {
			t.Errorf("got %v, %v\nwanted %v", got, err, want)
		}
	}
	// As any other program would find it.
	if err := db.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		`{"query":{"range":{"n":{"gt":1000000}}}}`, `{"query":{"term":{"f":1.5}}}`, `{"query":{"range":{"at":{"gte":"2026-01-02","lt":"2026-01-03"}}}}`,
		`{"query":{"term":{"on":true}}}`, `{"query":{"term":{"name":"Zoë"}}}`, `{"query":{"match":{"text":"words"}}}`,
	} {
		var a struct {
			Hits struct {
				Hits []struct {
					ID     string         `json:"_id"`
					Source map[string]any `json:"_source"`
				} `json:"hits"`
			} `json:"hits"`
		}
		text := ask(t, "POST", server+"/"+o.Index+"/_search", query)
		if err := json.Unmarshal([]byte(text), &a); err != nil || len(a.Hits.Hits) != 1 || a.Hits.Hits[0].ID != "good" || a.Hits.Hits[0].Source["at"] != "2026-01-02T03:04:05.000006Z" {
			t.Errorf("%s: got %s", query, text)
		}
	}
}

// A string literal beside a field that holds only times is a time.
func TestTimeLiterals(t *testing.T) {
	db := openNew(t)
	at := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for id, fields := range map[string][]dataknobs.Field{
		"a": {dataknobs.F("at", at), dataknobs.F("mixed", at)},
		"b": {dataknobs.F("at", at.Add(time.Hour)), dataknobs.F("mixed", "2026-01-02")},
		"c": {},
	} {
		if _, err := db.Create(t.Context(), dataknobs.NewRecord(id, fields...)); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]int{"at = '2026-01-02'": 1, "at > '2026-01-02'": 1, "at >= '2026-01-02T00:00:00Z'": 2, "mixed = '2026-01-02'": 1, "at = 'x'": 0} {
		all, err := db.All(t.Context(), must(dataknobs.Parse(query)))
		if err != nil || len(all) != want {
			t.Errorf("%s: got %d records, %v; wanted %d", query, len(all), err, want)
		}
	}
}

// Deep offsets are reached in a view, and Explain says at what cost.
func TestDeepOffset(t *testing.T) {
	db := openNew(t)
	if _, err := db.CreateMany(t.Context(), recs(0, 12_500)); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"order by n limit 2 offset 12000":          "r012000 r012001",
		"order by n desc limit 1 offset 12499":     "r000000",
		"limit 3 offset 12499":                     "r012499",
		"order by n offset 12498":                  "r012498 r012499",
		"order by n limit 5 offset 20000":          "",
		"n >= 100 order by s limit 1 offset 10000": "r010100",
	} {
		q := must(dataknobs.Parse(query))
		all, err := db.All(t.Context(), q, dataknobs.StrictPushdown())
		var ids []string
		for _, r := range all {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != want {
			t.Errorf("%s: got %s, %v; wanted %s", query, got, err, want)
		}
		plan, err := db.Explain(t.Context(), q, dataknobs.ExplainOptions{})
		if err != nil || !strings.Contains(plan.String(), "only the sort keys are read") {
			t.Errorf("%s: the plan does not name the cost of the offset: %v\n%s", query, err, plan)
		}
	}
}

func TestAnalyze(t *testing.T) {
	db := openNew(t)
	if _, err := db.CreateMany(t.Context(), recs(0, 10)); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"n > 3 order by s limit 2", "select s, avg(n) group by s"} {
		plan, err := db.Explain(t.Context(), must(dataknobs.Parse(query)), dataknobs.ExplainOptions{Analyze: true})
		if err != nil || !strings.Contains(plan.String(), "_search {") || !strings.Contains(plan.String(), "profile of the first page") || !strings.Contains(plan.String(), " ms") {
			t.Errorf("%s: %v\n%s", query, err, plan)
		}
	}
}
