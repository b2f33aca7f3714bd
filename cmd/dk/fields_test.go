package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/internal/servers"
)

// ticketsNDJSON are records whose store does not know what fields they have.
const ticketsNDJSON = `{"_id":"1","status":"open","owner":{"name":"Ada","city":"London"},"tags":["a"],"price":3}
{"_id":"2","status":"done","owner":{"name":"Bob","city":"Paris"},"lines":[{"count":1}],"unit.price":4}
{"_id":"3","status":"open","owner":null,"closed":null,"price":5}
`

// A field that no record has is named, with the one that was probably meant.
func TestMisspeltFields(t *testing.T) {
	s := newShell(t)
	s.write("tickets.ndjson", ticketsNDJSON)
	s.write("tickets.json", "["+strings.Join(strings.Fields(strings.ReplaceAll(ticketsNDJSON, "\n", " ,")), " ")+`{"_id":"4"}]`)
	s.write("empty.ndjson", "")
	s.ok("copy", "tickets.ndjson", "sqlite:tickets.db")
	for _, c := range []struct{ name, args, want string }{
		{"a condition", "query|STORE|stauts = 'open'", "no record has a field called stauts; did you mean status?"},
		{"a negative condition", "query|STORE|stauts != 'open'", "no record has a field called stauts; did you mean status?"},
		{"nothing near", "query|STORE|colour = 'red'", "no record has a field called colour"},
		{"a step", "query|STORE|owner.ctiy = 'Rome'", "no record has a field called owner.ctiy; did you mean owner.city?"},
		{"the first step", "query|STORE|ownr.city = 'Rome'", "no record has a field called ownr; did you mean owner?"},
		{"a step in an array", "query|STORE|lines[3].cuont > 1", "no record has a field called lines[3].cuont; did you mean lines[3].count?"},
		{"a step of a text", "query|STORE|status.code = 1", "no record has a field called status.code"},
		{"a dot in a name", "query|STORE|unit.price > 1", "no record has a field called unit; for the field unit.price write `unit.price` in backticks"},
		{"a chosen field", "query|STORE|select stauts, price", "no record has a field called stauts; did you mean status?"},
		{"a chosen field that is renamed", "query|STORE|select stauts as s, price", "no record has a field called stauts; did you mean status?"},
		{"a chosen step as CSV", "query|STORE|select owner.nane|-o|csv", "no record has a field called owner.nane; did you mean owner.name?"},
		{"an ordered field", "query|STORE|order by prize", "no record has a field called prize; did you mean price?"},
		{"a group", "query|STORE|select stauts, count(*) group by stauts", "no record has a field called stauts; did you mean status?"},
		{"an aggregate", "query|STORE|select sum(prize)", "no record has a field called prize; did you mean price?"},
		{"a count of a field", "query|STORE|select count(prize), count(*)", "no record has a field called prize; did you mean price?"},
		{"the condition of an aggregate", "query|STORE|select count(*) where stauts = 'open'", "no record has a field called stauts; did you mean status?"},
		{"a condition that finds all", "query|STORE|stauts is null", "no record has a field called stauts; did you mean status?"},
		{"one of two", "query|STORE|stauts = 'x' or price = 3", "no record has a field called stauts; did you mean status?"},
		{"count", "count|STORE|stauts = 'open'", "no record has a field called stauts; did you mean status?"},
		{"explain --analyze", "explain|STORE|stauts = 'open'|--analyze", "no record has a field called stauts; did you mean status?"},
		{"delete", "delete|STORE|--where|stauts = 'open'", "no record has a field called stauts; did you mean status?"},
		{"delete --dry-run", "delete|STORE|--dry-run|--where|stauts = 'open'", "no record has a field called stauts; did you mean status?"},
		{"patch", "patch|STORE|--where|stauts = 'open'|a=1", "no record has a field called stauts; did you mean status?"},
		{"copy", "copy|STORE|mem:|--where|stauts = 'open'", "no record has a field called stauts; did you mean status?"},
		{"copy of chosen fields", "copy|STORE|mem:|--select|status, prize", "no record has a field called prize; did you mean price?"},
		{"copy in batches", "copy|STORE|mem:|--batch|2|--select|status, prize", "no record has a field called prize; did you mean price?"},
		{"copy --dry-run", "copy|STORE|mem:|--dry-run|--where|stauts = 'open'", "no record has a field called stauts; did you mean status?"},

		{"a field to be removed", "patch|STORE|1|--unset|owner.ctiy", `record "1" has no field called owner.ctiy; did you mean owner.city?`},
		{"a field to be removed from many", "patch|STORE|--where|status = 'open'|--unset|prize", "no record has a field called prize; did you mean price?"},
		{"a field that was removed before", "patch|STORE|1|--unset|colour", ""},

		{"nothing found of a field that is there", "query|STORE|status = 'lost'", ""},
		{"a field that some records have", "query|STORE|select status, tags order by tags", ""},
		{"a field that is always null", "query|STORE|closed is not null", ""},
		{"a field that no record has yet", "query|STORE|deleted is null", ""},
		{"a column's own name", "query|STORE|select status as s, count(*) as n group by status having n > 5 order by n", ""},
		{"an element beyond the end", "query|STORE|tags[7] = 'x'", ""},
		{"a system name", "query|STORE|_meta.sourse = 'x' and _id = '9'", ""},
		{"no condition", "query|STORE", ""},
	} {
		for _, store := range []string{"tickets.ndjson", "tickets.json", "sqlite:tickets.db"} {
			t.Run(c.name+" on "+store, func(t *testing.T) {
				s := *s
				s.t = t
				r := s.run("", strings.Split(strings.ReplaceAll(c.args, "STORE", store), "|")...)
				want := ""
				if c.want != "" {
					want = "dk: warning: " + c.want + "\n"
				}
				if r.code != 0 || r.err != want {
					t.Errorf("dk %s\nexit code %d\ngot:    %swanted: %s", c.args, r.code, r.err, want)
				}
			})
		}
	}
	if r := s.run("", "query", "empty.ndjson", "stauts = 1"); r.err != "" || r.code != 0 {
		t.Errorf("of no records: exit code %d, %s", r.code, r.err)
	}
	same(t, "standard input", s.process(ticketsNDJSON, "query", "-", "stauts = 1", "--format", "ndjson").err,
		"dk: warning: no record has a field called stauts; did you mean status?\n")
}

// Where there are many records only the first are looked at, and it says so.
func TestMisspeltFieldsOfManyRecords(t *testing.T) {
	s := newShell(t)
	s.write("many.ndjson", strings.Repeat("{\"status\":\"open\"}\n", lookRecords)+"{\"late\":1}\n")
	for query, want := range map[string]string{
		"stauts = 'open'": "dk: warning: none of the first 1,000 records has a field called stauts; did you mean status?\n",
		"late = 2":        "dk: warning: none of the first 1,000 records has a field called late\n",
		"late = 1":        "",
	} {
		same(t, query, s.run("", "query", "many.ndjson", query).err, want)
	}
}

// Where the context has ended nothing is looked for.
func TestMisspeltFieldsAreNotLookedForAfterAnInterrupt(t *testing.T) {
	s := newShell(t)
	s.write("tickets.ndjson", ticketsNDJSON)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := s.runContext(ctx, "", "query", "tickets.ndjson", "stauts = 1")
	if r.code != exitInterrupted || strings.Contains(r.err, "stauts") {
		t.Errorf("exit code %d, stderr %s", r.code, r.err)
	}
}

// Files that name their columns, and stores of typed columns, know their
// fields: the library warns, once.
func TestMisspeltColumns(t *testing.T) {
	s := newShell(t)
	s.write("planes.csv", planesCSV)
	want := "dk: warning: no field is called yaer; did you mean year?\n"
	for _, args := range []string{"query|planes.csv|yaer = 1", "count|planes.csv|yaer = 1", "query|planes.csv|select yaer, count(*) group by yaer", "query|planes.csv|order by yaer"} {
		same(t, args, s.run("", strings.Split(args, "|")...).err, want)
	}
}

func TestMisspeltFieldsOnServers(t *testing.T) {
	s := newShell(t)
	s.write("tickets.ndjson", ticketsNDJSON)
	unique := time.Now().UnixNano()
	for name, store := range map[string]string{
		"postgres":      fmt.Sprintf("%s?table=dk_fields_%d", servers.Postgres(t), unique),
		"elasticsearch": fmt.Sprintf("es+%s/dk-fields-%d", servers.Elasticsearch(t), unique),
		"s3":            newBucket(t, servers.MinIO(t)).url("tickets"),
	} {
		s.ok("copy", "tickets.ndjson", store)
		none := "no record has a field"
		if name == "elasticsearch" { // whose mapping has the names
			none = "no field is"
		}
		for query, want := range map[string]string{
			"stauts = 'open'":                       "dk: warning: " + none + " called stauts; did you mean status?\n",
			"owner.ctiy = 'x'":                      "dk: warning: no record has a field called owner.ctiy; did you mean owner.city?\n",
			"select prize, count(*) group by prize": "dk: warning: " + none + " called prize; did you mean price?\n",
			"status = 'lost'":                       "",
			"status = 'open'":                       "",
		} {
			same(t, name+": "+query, s.run("", "query", store, query).err, want)
		}
	}
}

func TestMisspeltFieldsInMemory(t *testing.T) {
	s := newShell(t)
	db := dataknobs.New(memory.New(memory.Options{}), nil)
	defer db.Close()
	if _, err := db.Put(t.Context(), dataknobs.NewRecord("1", dataknobs.F("status", "open"))); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"stauts = 'open'": "dk: warning: no record has a field called stauts; did you mean status?\n",
		"status = 'lost'": "",
	} {
		var errs bytes.Buffer
		a := newApp(nil, io.Discard, &errs, func(k string) string { return s.env[k] })
		if err := a.query(t.Context(), db, dataknobs.MustParse(query), view{format: "ndjson"}); err != nil {
			t.Fatal(err)
		}
		same(t, query, errs.String(), want)
	}
}
