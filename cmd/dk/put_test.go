package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestPutGetPatchDelete(t *testing.T) {
	s := newShell(t)
	s.write("people.json", peopleJSON)
	s.ok("put", "people.json", "bob", "name=Bob", "born=1960", "zip=007", `code:="12"`, "address.city=Oslo", "ok=true", "none=null", "_meta.by=me")
	same(t, "after put", s.ok("get", "people.json", "bob"),
		`{"_id":"bob","name":"Bob","born":1960,"zip":"007","code":"12","address":{"city":"Oslo"},"ok":true,"none":null,"_meta":{"by":"me"}}`+"\n")
	s.ok("patch", "people.json", "bob", "address.zip=9", "--unset", "zip", "--unset", "code")
	same(t, "after patch", s.ok("query", "people.json", "select name, zip, address where _id = 'bob'"),
		`{"_id":"bob","name":"Bob","address":{"city":"Oslo","zip":9}}`+"\n")
	s.ok("patch", "people.json", "--where", "born < 1900", "old=true")
	same(t, "after patch --where", s.ok("count", "people.json", "old = true"), "2\n")
	same(t, "dry run", s.ok("delete", "people.json", "--where", "old = true", "--dry-run"), "2\n")
	s.ok("delete", "people.json", "--where", "old = true")
	s.ok("delete", "people.json", "bob")
	same(t, "after delete", s.ok("query", "people.json", "select name"), `{"_id":"grace","name":"Grace Hopper"}`+"\n")
	s.fails(3, []string{`record "a"`, `record "b"`}, "delete", "people.json", "a", "grace", "b")
	same(t, "the one that was there", s.ok("count", "people.json"), "0\n")
}

func TestPutStandardInput(t *testing.T) {
	s := newShell(t)
	for _, c := range []struct{ name, in string }{
		{"NDJSON", "{\"_id\":\"a\",\"n\":1}\n\n{\"_id\":\"b\",\"n\":2,\"_meta\":{\"m\":true}}\n"},
		{"no newline at the end", `{"_id":"a","n":1} {"_id":"b","n":2,"_meta":{"m":true}}`},
		{"array", `[{"_id":"a","n":1}, {"_id":"b","n":2,"_meta":{"m":true}}]`},
		{"mixed", `[{"_id":"a","n":1}] {"_id":"b","n":2,"_meta":{"m":true}} []`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := *s
			s.t = t
			s.write("x.json", "{}")
			same(t, "IDs", s.okWith(c.in, "put", "x.json", "--ids"), "a\nb\n")
			same(t, "stored", s.ok("query", "x.json"), "{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\",\"n\":2,\"_meta\":{\"m\":true}}\n")
		})
	}
}

func TestPutRefuses(t *testing.T) {
	s := newShell(t)
	for _, c := range []struct{ name, in, want string }{
		{"cut", "{\"_id\":\"a\"}\n{\"_id\":", "line 2"},
		{"no object", "{\"_id\":\"a\"}\n\n17\n", "the record at line 3: a record must be a JSON object, not an int"},
		{"no JSON", "{\"_id\":\"a\"}\nname,age\n", "line 2"},
		{"big integer", `{"_id":"a","n":99999999999999999999}`, "99999999999999999999"},
		{"name twice", `{"_id":"a","n":1,"n":2}`, `"n"`},
		{"open array", `[{"_id":"a"}`, "line 1"},
		{"_id of another kind", `{"_id":7}`, "_id must be a text"},
		{"_meta of another kind", `{"_id":"x","_meta":7}`, "_meta must be an object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := *s
			s.t = t
			s.write("x.json", "{}")
			r := s.run(c.in, "put", "x.json")
			if r.code != exitUsage || !strings.Contains(r.err, c.want) {
				t.Errorf("exit code %d, stderr %swant 2 and %s", r.code, r.err, c.want)
			}
		})
	}
}

// TestWithoutID: an ID that was forgotten, or is empty, is not made up.
func TestWithoutID(t *testing.T) {
	s := newShell(t)
	s.fails(2, []string{"is the ID, not n=1", "standard input"}, "put", "x.json", "n=1")
	s.fails(2, []string{"is the ID, not n=1"}, "put", "x.json", "n=1", "m=2")
	s.fails(2, []string{"the ID is empty"}, "put", "x.json", "", "n=1")
	s.ok("put", "x.json", "YWJjZA==", "n=1")
	s.fails(2, []string{"the ID is empty"}, "patch", "x.json", "", "n=2")
	same(t, "what is there", s.ok("query", "x.json"), `{"_id":"YWJjZA==","n":1}`+"\n")
}

func TestPutSomeFail(t *testing.T) {
	s := newShell(t)
	s.write("x.json", `{"a":{"n":1}}`)
	r := s.run("{\"_id\":\"a\",\"n\":2}\n{\"_id\":\"b\",\"n\":2}\n", "put", "x.json", "--mode", "create")
	if r.code != exitConflict || !strings.Contains(r.err, `record "a"`) {
		t.Errorf("exit code %d, stderr %s", r.code, r.err)
	}
	same(t, "the other is stored, and only that", s.ok("query", "x.json"), "{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\",\"n\":2}\n")
}

func TestPutRevision(t *testing.T) {
	s := newShell(t)
	s.write("x.json", `{"a":{"n":1}}`)
	old := s.ok("query", "x.json", "--rev")
	if !strings.Contains(old, `"_rev":"`) {
		t.Fatalf("no revision in %s", old)
	}
	edited := strings.Replace(old, `"n":1`, `"n":2`, 1)
	s.okWith(edited, "put", "x.json")
	if r := s.run(edited, "put", "x.json"); r.code != exitConflict {
		t.Errorf("the second put of an old revision: exit code %d, %s", r.code, r.err)
	}
}

func TestPutKeyed(t *testing.T) {
	s := newShell(t)
	s.write("planes.csv", planesCSV)
	s.okWith(`{"tailnum":"N9","year":2001,"maker":"X","seats":4}`, "put", "planes.csv", "--key", "tailnum")
	s.ok("put", "planes.csv", "N10", "seats=6", "--key", "tailnum")
	same(t, "planes.csv", s.read("planes.csv"), planesCSV+"N9,2001,X,4\nN10,,,6\n")
}

// TestPutAsItComes: what a slow input has brought is stored before its end.
func TestPutAsItComes(t *testing.T) {
	s := newShell(t)
	s.write("x.json", "{}")
	in, feed := io.Pipe()
	out, printed := io.Pipe()
	done := make(chan int)
	go func() {
		a := newApp(in, printed, io.Discard, func(k string) string { return s.env[k] })
		done <- a.run(t.Context(), []string{"put", "x.json", "--ids"})
	}()
	if _, err := io.WriteString(feed, "{\"_id\":\"a\"}\n"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 2)
	acked := make(chan error, 1)
	go func() { _, err := io.ReadFull(out, got); acked <- err }()
	select {
	case err := <-acked:
		if err != nil || string(got) != "a\n" {
			t.Errorf("acknowledged %q, %v", got, err)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing is stored while the input stays open")
	}
	feed.Close()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}
