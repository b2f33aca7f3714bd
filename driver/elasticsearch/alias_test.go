package elasticsearch_test

import (
	"fmt"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/internal/servers"
)

// rolled makes two indexes of ours with an alias over both, the second being
// the one for writing if so, and returns the alias.
func rolled(t *testing.T, writeIndex string) (server, alias string) {
	t.Helper()
	server = servers.Elasticsearch(t)
	alias = newIndex(t, server)
	actions := make([]string, 2)
	for i := range actions {
		index := newIndex(t, server)
		db := openIndex(t, options(t, server, index))
		r := dataknobs.NewRecord(fmt.Sprintf("r%d", i), dataknobs.F("n", i), dataknobs.F(fmt.Sprintf("only%d", i), "x"), dataknobs.F("when", "then"))
		if _, err := db.CreateMany(t.Context(), []*dataknobs.Record{r, dataknobs.NewRecord("both", dataknobs.F("n", 10+i))}); err != nil {
			t.Fatal(err)
		}
		if err := db.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		isWrite := ""
		if i == 1 {
			isWrite = writeIndex
		}
		actions[i] = fmt.Sprintf(`{"add":{"index":%q,"alias":%q%s}}`, index, alias, isWrite)
	}
	ask(t, "POST", server+"/_aliases", `{"actions":[`+strings.Join(actions, ",")+`]}`)
	return server, alias
}

// An alias over several indexes is read as one store.
func TestAliasOverSeveral(t *testing.T) {
	server, alias := rolled(t, "")
	db := openIndex(t, options(t, server, alias))
	wantIDs(t, db, map[string]string{
		"":                                  "both both r0 r1",
		"n < 5":                             "r0 r1",
		"only0 = 'x'":                       "r0",
		"only1 is null":                     "both both r0",
		"only0 = 'x' or only1 is not null ": "r0 r1",
		"n >= 0 order by only1 nulls first, only0 desc limit 1":                             "r0",
		"only0 like '%x' order by n desc":                                                   "r0",
		"select _id, only1 where when = 'then' order by only1 limit 2":                      "r0 r1",
		"n in (0, 11) order by n":                                                           "both r0",
		"n is not null order by n desc, only0 limit 2 offset 2":                             "r0 r1",
		"when = 'then' and not (only0 is not null and only1 is not null) and _id != 'both'": "r0 r1",
	})
	rows, err := db.All(t.Context(), must(dataknobs.Parse("select only1, count(*) as c, sum(n) as s group by only1")))
	if err != nil || len(rows) != 2 || rows[0].Get("c").Int() != 1 || rows[1].Get("s").Int() != 21 {
		t.Errorf("groups: got %v, %v", rows, err)
	}
	for _, id := range []string{"r0", "r1", "both"} {
		if r, err := db.Get(t.Context(), id); err != nil || r.ID != id || r.Revision == "" {
			t.Errorf("get %s: got %v, %v", id, r, err)
		}
	}
	_, err = db.Create(t.Context(), rec("new", 1))
	wantCode(t, "a write without a write index", err, dataknobs.Unsupported)
	if !strings.Contains(err.Error(), "none of which is its write index") {
		t.Errorf("the error does not say why: %v", err)
	}
}

// What is written through an alias goes to its write index, but a record stays
// in the index that it is in.
func TestAliasWithWriteIndex(t *testing.T) {
	server, alias := rolled(t, `,"is_write_index":true`)
	db := openIndex(t, options(t, server, alias))
	if r, err := db.Get(t.Context(), "both"); err != nil || r.Get("n").Int() != 11 {
		t.Errorf("an ID in both: got %v, %v; wanted that of the write index", r, err)
	}
	_, err := db.Create(t.Context(), rec("r0", 1))
	wantCode(t, "creating a record that is in the older index", err, dataknobs.AlreadyExists)
	rev, err := db.Patch(t.Context(), "r0", must(dataknobs.ParseChanges("n = 100, fresh = 'f'")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Patch(t.Context(), "r0", must(dataknobs.ParseChanges("n = 101")), dataknobs.IfRevision(rev.Revision)); err != nil {
		t.Errorf("a patch under the revision: %v", err)
	}
	_, err = db.Put(t.Context(), dataknobs.NewRecord("r0", dataknobs.F("n", 1)), dataknobs.IfRevision(rev.Revision))
	wantCode(t, "a put under an old revision", err, dataknobs.Conflict)
	_, err = db.Update(t.Context(), dataknobs.NewRecord("none", dataknobs.F("n", 1)))
	wantCode(t, "an update of nothing", err, dataknobs.NotFound)
	if _, err := db.CreateMany(t.Context(), []*dataknobs.Record{dataknobs.NewRecord("r2", dataknobs.F("n", 2), dataknobs.F("only0", "y"), dataknobs.F("newest", 1)), rec("r3", 3)}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Put(t.Context(), dataknobs.NewRecord("r1", dataknobs.F("n", 1.5))); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, db, map[string]string{
		"fresh = 'f' and n = 101": "r0",
		"only0 = 'y'":             "r2",
		"newest = 1":              "r2",
		"n < 4":                   "r1 r2 r3",
		"_id starts with 'r' order by newest, only0 limit 1": "r2",
	})
	if n, err := db.DeleteWhere(t.Context(), must(dataknobs.ParseExpr("n > 1"))); err != nil || n < 5 {
		t.Errorf("DeleteWhere: got %d, %v", n, err)
	}
	if err := db.Delete(t.Context(), "r0"); dataknobs.CodeOf(err) != dataknobs.NotFound {
		t.Errorf("deleting what is gone: %v", err)
	}
}

// Indexes of others are read together; what only one of them maps is not asked of the index.
func TestAliasOverForeign(t *testing.T) {
	server := servers.Elasticsearch(t)
	alias := newIndex(t, server)
	var actions []string
	for i, m := range []string{
		`{"title":{"type":"text"},"year":{"type":"integer"},"tag":{"type":"keyword"}}`,
		`{"title":{"type":"text"},"year":{"type":"keyword"}}`,
	} {
		index := newIndex(t, server)
		ask(t, "PUT", server+"/"+index, `{"settings":{"number_of_replicas":0},"mappings":{"dynamic":false,"properties":`+m+`}}`)
		year := []string{"1999", `"1999"`}[i]
		ask(t, "PUT", fmt.Sprintf("%s/%s/_doc/d%d?refresh=true", server, index, i), `{"title":"the fox","tag":"a","year":`+year+`}`)
		actions = append(actions, fmt.Sprintf(`{"add":{"index":%q,"alias":%q}}`, index, alias))
	}
	ask(t, "POST", server+"/_aliases", `{"actions":[`+strings.Join(actions, ",")+`]}`)
	db := openIndex(t, options(t, server, alias))
	wantIDs(t, db, map[string]string{"": "d0 d1", "year = 1999": "d0", "year = '1999'": "d1", "tag = 'a'": "d0 d1", "title match 'fox'": "d0 d1"})
	_, err := db.Create(t.Context(), rec("new", 1))
	wantCode(t, "a write to indexes of others", err, dataknobs.Unsupported)

	// Ours and theirs together are refused.
	own := newIndex(t, server)
	mine := openIndex(t, options(t, server, own))
	if _, err := mine.Create(t.Context(), rec("a", 1)); err != nil {
		t.Fatal(err)
	}
	ask(t, "POST", server+"/_aliases", fmt.Sprintf(`{"actions":[{"add":{"index":%q,"alias":%q}}]}`, own, alias))
	_, err = elasticsearch.New(t.Context(), options(t, server, alias))
	wantCode(t, "an alias over indexes of both kinds", err, dataknobs.Unsupported)
}
