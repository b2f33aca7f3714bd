package elasticsearch_test

import (
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/servers"
)

// wantIDs asks each query and compares the IDs that it finds, sorted.
func wantIDs(t *testing.T, db *dataknobs.DB, want map[string]string) {
	t.Helper()
	for query, want := range want {
		var ids []string
		for r, err := range db.Query(t.Context(), query) {
			if err != nil {
				t.Errorf("%s: %v", query, err)
				break
			}
			ids = append(ids, r.ID)
		}
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: got %q, wanted %q", query, got, want)
		}
		q := must(dataknobs.Parse(query))
		if q.Limit != nil {
			continue
		}
		n, err := db.Count(t.Context(), q.Where)
		if err != nil || int(n) != len(strings.Fields(want)) {
			t.Errorf("%s: counted %d, %v; wanted %q", query, n, err, want)
		}
	}
}

// wantUnsupported asks each query, which is to be refused with these words.
func wantUnsupported(t *testing.T, db *dataknobs.DB, says map[string]string) {
	t.Helper()
	for query, says := range says {
		_, err := db.All(t.Context(), must(dataknobs.Parse(query)))
		if dataknobs.CodeOf(err) != dataknobs.Unsupported || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, wanted Unsupported that says %q", query, err, says)
		}
	}
}

// The text fields of an index of others are searched by its analyzers.
func TestMatchInForeignIndex(t *testing.T) {
	server := servers.Elasticsearch(t)
	index := newIndex(t, server)
	ask(t, "PUT", server+"/"+index, `{"settings":{"number_of_replicas":0},"mappings":{"properties":{
		"title":{"type":"text","analyzer":"english","fields":{"keyword":{"type":"keyword"}}}, "tag":{"type":"keyword","fields":{"words":{"type":"text"}}},
		"code":{"type":"keyword"}, "off":{"type":"text","index":false}, "year":{"type":"integer"}, "who":{"properties":{"name":{"type":"text"}}}}}}`)
	for id, d := range map[string]string{
		"a": `{"title":"The quick foxes jumped","tag":"Red Hot","code":"fox","off":"fox","year":1999,"who":{"name":"Ann Lee"}}`,
		"b": `{"title":"A slow fox","tag":["red one","hot two"],"year":2000,"who":{"name":"Bob"}}`,
		"c": `{"title":null,"tag":[]}`,
		"d": `{"other":1}`,
		"e": `{"title":["one dog","quick cat"],"year":2001}`,
		"f": `{"title":""}`,
	} {
		ask(t, "PUT", server+"/"+index+"/_doc/"+id+"?refresh=true", d)
	}
	db := openIndex(t, options(t, server, index))
	wantIDs(t, db, map[string]string{
		"title match 'fox'":                                      "a b",
		"title match 'FOX quick'":                                "a",
		"title match 'jump'":                                     "a",
		"title match 'quick dog'":                                "e",
		"title match 'the'":                                      "", // the analyzer leaves nothing of it
		"title not match 'fox'":                                  "e f",
		"not title match 'quick fox'":                            "b e f",
		"not title not match 'quick fox'":                        "a",
		"tag match 'red hot'":                                    "a b",
		"who.name match 'lee'":                                   "a",
		"title match 'fox' and year > 1999":                      "b",
		"title match 'fox' or title match 'cat'":                 "a b e",
		"(title match 'fox' or who.name match 'x') and year < 5": "",
		`title match '"} fox: *?~ []'`:                           "a b",
		"title match '+fox -slow'":                               "b", // operators of query_string mean nothing
	})
	wantUnsupported(t, db, map[string]string{
		"code match 'fox'":                   "cannot answer code MATCH: the index does not analyse the field as text",
		"off match 'fox'":                    "cannot answer off MATCH",
		"year match '1999'":                  "cannot answer year MATCH",
		"none match 'x'":                     "cannot answer none MATCH",
		"title[0] match 'fox'":               "cannot answer title[0] MATCH",
		"who match 'ann'":                    "cannot answer who MATCH",
		"_meta.x match 'ann'":                "cannot answer _meta.x MATCH",
		"title match 'fox' or year = 1999":   "cannot answer year = 1999, which stands beside title MATCH in an OR",
		"year = 1 or title match 'fox'":      "ask two queries", // with the way out
		"code match 'fox' and title = 'fox'": "use code ILIKE '%word%'",
	})
	plan, err := db.Explain(t.Context(), must(dataknobs.Parse("title match 'fox' and year > 1999")), dataknobs.ExplainOptions{Analyze: true})
	if err != nil || !strings.Contains(plan.String(), "filter title MATCH 'fox' AND year > 1999") || !strings.Contains(plan.String(), `"match":{"title":{"operator":"and","query":"fox"}}`) {
		t.Errorf("the plan does not show the search: %v\n%s", err, plan)
	}
	rows, err := db.All(t.Context(), must(dataknobs.Parse("select count(*) as n, max(year) as y where title match 'fox'")))
	if err != nil || len(rows) != 1 || rows[0].Get("n").Int() != 2 || rows[0].Get("y").Int() != 2000 {
		t.Errorf("a group of what was found: got %v, %v", rows, err)
	}
}

// Fields that the store's settings declare as text are searched too, and
// records found so can be changed.
func TestMatchInOwnIndex(t *testing.T) {
	server := servers.Elasticsearch(t)
	o := options(t, server, newIndex(t, server))
	o.Types = map[string]string{"title": "text", "a.b": "text", "name": "string"}
	o.Analyzer = "english"
	db := openIndex(t, o)
	wantIDs(t, db, map[string]string{"title match 'fox'": "", "title not match 'fox'": ""}) // before there is an index
	wantUnsupported(t, db, map[string]string{"name match 'fox'": "types=FIELD:text"})
	for id, fields := range map[string][]dataknobs.Field{
		"a": {dataknobs.F("title", "Quick foxes"), dataknobs.F("name", "fox"), dataknobs.F("n", 1)},
		"b": {dataknobs.F("title", "a slow fox"), dataknobs.F("a.b", "some words"), dataknobs.F("n", 1.5)},
		"c": {dataknobs.F("title", 5), dataknobs.F("a.b", true)},
		"d": {dataknobs.F("title", nil)},
		"e": {dataknobs.F("title", map[string]any{"fox": "fox"}), dataknobs.F("n", 2)},
		"f": {dataknobs.F("title", []any{"one", "dog", nil})},
		"g": {dataknobs.F("n", 1)},
		"h": {dataknobs.F("title", strings.Repeat("long ", 10_000)+"fox")},
	} {
		if _, err := db.Create(t.Context(), dataknobs.NewRecord(id, fields...)); err != nil {
			t.Fatal(err)
		}
	}
	wantIDs(t, db, map[string]string{
		"title match 'fox'":                         "a b h",
		"title match 'foxes quick'":                 "a",
		"title match '5'":                           "",
		"title not match '5'":                       "a b f h",
		"title not match 'fox'":                     "f",
		"title match 'dog one'":                     "f",
		"`a.b` match 'word'":                        "b",
		"title match 'fox' or n = 2":                "a b e h",
		"n > 1 or title match 'dog' and n is null":  "b e f",
		"title match 'fox' and name ilike 'F%'":     "a", // what is finished above stands beside it
		"title match 'fox' and title matches 'x$'":  "b h",
		"not (title match 'fox' or title is null) ": "f",
	})
	wantUnsupported(t, db, map[string]string{
		"name match 'fox'":                     "cannot answer name MATCH",
		"title match 'fox' or name ilike 'F%'": "cannot answer name ILIKE 'F%', which stands beside title MATCH in an OR",
	})
	rows, err := db.All(t.Context(), must(dataknobs.Parse("select n, count(*) as c where title match 'fox' group by n order by n")), dataknobs.StrictPushdown())
	if err != nil || len(rows) != 3 || rows[0].Get("c").Int() != 1 {
		t.Errorf("groups: got %v, %v", rows, err)
	}
	page, err := db.Page(t.Context(), must(dataknobs.Parse("title match 'fox' order by n limit 1")))
	if err != nil || len(page.Records) != 1 || page.Records[0].ID != "a" {
		t.Fatalf("a page: got %v, %v", page, err)
	}
	if n, err := db.PatchWhere(t.Context(), must(dataknobs.ParseExpr("title match 'fox'")), must(dataknobs.ParseChanges("seen = true"))); n != 3 || err != nil {
		t.Errorf("PatchWhere: got %d, %v; wanted 3", n, err)
	}
	if n, err := db.DeleteWhere(t.Context(), must(dataknobs.ParseExpr("seen = true and title not match 'quick'"))); n != 2 || err != nil {
		t.Errorf("DeleteWhere: got %d, %v; wanted 2", n, err)
	}
	wantIDs(t, db, map[string]string{"title match 'fox'": "a"})
}
