package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
)

// all returns the texts of the records that a query selects, as tagged JSON.
func all(t *testing.T, db *dataknobs.DB, query string, args ...any) []string {
	t.Helper()
	var out []string
	for r, err := range db.Query(t.Context(), query, args...) {
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		out = append(out, r.ID+" "+string(dataknobs.AdoptObject(r.Fields).AppendTaggedJSON(nil)))
	}
	return out
}

// wantRows reports it unless query yields those texts.
func wantRows(t *testing.T, db *dataknobs.DB, query string, want ...string) {
	t.Helper()
	got := all(t, db, query)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("query %q:\n got\n  %s\n wanted\n  %s", query, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// wantCode reports it unless err has that code and says all of those words.
func wantCode(t *testing.T, err error, code dataknobs.Code, words ...string) {
	t.Helper()
	if dataknobs.CodeOf(err) != code {
		t.Errorf("got error %v (code %v), wanted code %v", err, dataknobs.CodeOf(err), code)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error %q does not say %q", err, w)
		}
	}
}

// Every type of column reads as the kind that it is, and what was read can be
// written back unchanged.
func TestEveryType(t *testing.T) {
	s := newSchema(t)
	s.exec(`create type mood as enum ('sad', 'so, so', 'happy');
		create domain positive as integer check (value > 0);
		create domain label as varchar(10) not null default 'none'`)
	for _, c := range []struct {
		typ     string
		literal string
		want    string // as tagged JSON
	}{
		{"boolean", "true", "true"},
		{"smallint", "-32768", "-32768"},
		{"integer", "2147483647", "2147483647"},
		{"bigint", "9223372036854775807", "9223372036854775807"},
		{"real", "0.5", "0.5"},
		{"real", "'NaN'", `"NaN"`},
		{"real", "0.1", "0.10000000149011612"},
		{"double precision", "0.1", "0.1"},
		{"double precision", "1", "1.0"},
		{"double precision", "'-Infinity'", `"-Infinity"`},
		{"numeric", "12", "12"},
		{"numeric", "12.50", "12.5"},
		{"numeric(12,2)", "1.1", "1.1"},
		{"numeric", "1.00", "1"},
		{"numeric", "123456789012345678901234567890", `"123456789012345678901234567890"`},
		{"numeric", "0.1234567890123456789", `"0.1234567890123456789"`},
		{"numeric", "'NaN'", `"NaN"`},
		{"text", "''", `""`},
		{"text", `'it''s "\ ü'`, `"it's \"\\ ü"`},
		{"varchar(3)", "'abc'", `"abc"`},
		{"char(5)", "'ab'", `"ab"`},
		{"name", "'ab'", `"ab"`},
		{`"char"`, "'a'", `"a"`},
		{"uuid", "'0190163D-8694-739B-AEA5-966C26F8AD91'", `"0190163d-8694-739b-aea5-966c26f8ad91"`},
		{"mood", "'so, so'", `"so, so"`},
		{"positive", "5", "5"},
		{"label", "'x'", `"x"`},
		{"date", "'2026-01-02'", `{"$time":"2026-01-02T00:00:00Z"}`},
		{"date", "'infinity'", `"infinity"`},
		{"timestamp", "'2026-01-02 03:04:05.123456'", `{"$time":"2026-01-02T03:04:05.123456Z"}`},
		{"timestamp(0)", "'2026-01-02 03:04:05'", `{"$time":"2026-01-02T03:04:05Z"}`},
		{"timestamptz", "'2026-01-02 03:04:05+05'", `{"$time":"2026-01-01T22:04:05Z"}`},
		{"timestamptz", "'-infinity'", `"-infinity"`},
		{"time", "'03:04:05.5'", `"03:04:05.5"`},
		{"timetz", "'03:04:05+02'", `"03:04:05+02"`},
		{"interval", "'1 year 2 days 03:04'", `"P1Y2DT3H4M"`},
		{"bytea", `'\x00ff'`, `{"$bytes":"AP8="}`},
		{"json", `'{"b": 1, "a": [1.0, null, "x"], "$time": "no tag"}'`, `{"b":1,"a":[1.0,null,"x"],"$time":"no tag"}`},
		{"jsonb", `'{"a": {"$time": "x"}}'`, `{"a":{"$$time":"x"}}`},
		{"jsonb", `'12345678901234567890'`, `"12345678901234567890"`},
		{"integer[]", "'{1,NULL,3}'", "[1,null,3]"},
		{"integer[]", "'{}'", "[]"},
		{"integer[]", "'{{1,2},{3,4}}'", "[[1,2],[3,4]]"},
		{"integer[]", "'[0:1]={7,8}'", "[7,8]"},
		{"text[]", `array['a', 'b,c', 'NULL', null, '', '"q"', 'back\slash', '{x}']`, `["a","b,c","NULL",null,"","\"q\"","back\\slash","{x}"]`},
		{"double precision[]", "'{1,2.5}'", "[1.0,2.5]"},
		{"numeric[]", "'{1.50,99999999999999999999}'", `[1.5,"99999999999999999999"]`},
		{"boolean[]", "'{t,f}'", "[true,false]"},
		{"timestamptz[]", "'{2026-01-02 03:04:05+00}'", `[{"$time":"2026-01-02T03:04:05Z"}]`},
		{"date[]", "'{2026-01-02,infinity}'", `[{"$time":"2026-01-02T00:00:00Z"},"infinity"]`},
		{"bytea[]", `array['\x00ff'::bytea]`, `[{"$bytes":"AP8="}]`},
		{"uuid[]", "'{0190163d-8694-739b-aea5-966c26f8ad91}'", `["0190163d-8694-739b-aea5-966c26f8ad91"]`},
		{"mood[]", `array['so, so', 'sad']::mood[]`, `["so, so","sad"]`},
		{"jsonb[]", `array['{"a": 1}', '[1, 2]']::jsonb[]`, `[{"a":1},[1,2]]`},
		{"inet", "'192.168.0.1/24'", `"192.168.0.1/24"`},
		{"inet[]", "'{10.0.0.1}'", `["10.0.0.1"]`},
		{"cidr", "'10.0.0.0/8'", `"10.0.0.0/8"`},
		{"macaddr", "'08:00:2b:01:02:03'", `"08:00:2b:01:02:03"`},
		{"int4range", "'[1,5)'", `"[1,5)"`},
		{"int4multirange", "'{[1,5)}'", `"{[1,5)}"`},
		{"point", "'(1,2)'", `"(1,2)"`},
		{"box", "'(1,2),(0,0)'", `"(1,2),(0,0)"`},
		{"bit(3)", "B'101'", `"101"`},
		{"tsvector", "'a b'", `"'a' 'b'"`},
		{"xml", "'<a/>'", `"<a/>"`},
		{"oid", "42", `"42"`},
	} {
		// These are read by their value, so that 1.50 is written as 1.5.
		alike := map[string]bool{"numeric": true, "numeric[]": true, "json": true}[c.typ] || c.literal == "'[0:1]={7,8}'" || c.literal == "'12345678901234567890'"
		t.Run(c.typ+" "+c.literal, func(t *testing.T) {
			name := s.fresh()
			s.exec("create table " + name + " (id integer primary key, v " + c.typ + "); insert into " + name + " values (1, " + c.literal + ")")
			db := open(t, s.at(name))
			want := `1 {"id":1,"v":` + c.want + `}`
			wantRows(t, db, "", want)
			rec, err := db.Get(t.Context(), "1")
			if err != nil {
				t.Fatal(err)
			}
			before := s.rows("select v::text from " + name)
			if _, err := db.Put(t.Context(), rec); err != nil {
				t.Fatalf("Put of what was read: %v", err)
			}
			if after := s.rows("select v::text from " + name); after[0] != before[0] && !alike {
				t.Errorf("the column holds %s, and %s after a Put of what was read", before, after)
			}
			rec.Fields.Set("id", dataknobs.Int(2))
			rec.ID = "2"
			if _, err := db.Load(t.Context(), one(rec), nil); err != nil {
				t.Fatalf("Load of what was read: %v", err)
			}
			if after := s.rows("select v::text from " + name + " where id = 2"); after[0] != before[0] && !alike {
				t.Errorf("the column holds %s, and %s after a Load of what was read", before, after)
			}
		})
	}
}

func one(rec *dataknobs.Record) func(func(*dataknobs.Record, error) bool) {
	return func(yield func(*dataknobs.Record, error) bool) { yield(rec, nil) }
}

// What a column cannot hold without change is refused, and the error names the
// field and the column's type, not the value.
func TestRefused(t *testing.T) {
	s := newSchema(t)
	s.exec(`create type mood as enum ('sad', 'happy');
		create table r (id text primary key, n integer, small smallint, price numeric(6,2), single real, short varchar(3), mood mood, day date,
		stamp timestamp(0), doc json, list integer[], must text not null default 'x', even integer check (even % 2 = 0), unique (n))`)
	db := open(t, s.at("r"))
	if _, err := db.Create(t.Context(), dataknobs.NewRecord("there", dataknobs.F("n", 7))); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		field string
		value any
		code  dataknobs.Code
		says  []string
	}{
		{"n", "secret", dataknobs.InvalidArgument, []string{"n", "integer", "string"}},
		{"n", 1.5, dataknobs.InvalidArgument, []string{"n", "integer", "float"}},
		{"n", int64(1) << 40, dataknobs.InvalidArgument, []string{"range"}},
		{"n", 7, dataknobs.Conflict, []string{"n"}},
		{"small", 70000, dataknobs.InvalidArgument, []string{"range"}},
		{"price", 1.005, dataknobs.InvalidArgument, []string{"price", "round", "2"}},
		{"price", 123456, dataknobs.InvalidArgument, nil},
		{"single", 0.1, dataknobs.InvalidArgument, []string{"single", "real"}},
		{"short", "secret", dataknobs.InvalidArgument, []string{"too long"}},
		{"mood", "secret", dataknobs.InvalidArgument, nil},
		{"day", "2026-01-02", dataknobs.InvalidArgument, []string{"day", "date"}},
		{"doc", []byte("secret"), dataknobs.InvalidArgument, []string{"doc", "JSON"}},
		{"list", []any{"secret"}, dataknobs.InvalidArgument, []string{"list", "element"}},
		{"even", 3, dataknobs.InvalidArgument, []string{"r_even_check"}},
		{"mod", "sad", dataknobs.InvalidArgument, []string{"no column", "mood"}},
	} {
		t.Run(c.field, func(t *testing.T) {
			rec := dataknobs.NewRecord("x", dataknobs.F(c.field, c.value))
			_, err := db.Create(t.Context(), rec)
			wantCode(t, err, c.code, c.says...)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error %q shows the value", err)
			}
			// The same in a batch touches nothing else.
			c.field = fmt.Sprint(i)
			_, err = db.CreateMany(t.Context(), []*dataknobs.Record{dataknobs.NewRecord("a" + c.field), rec, dataknobs.NewRecord("z" + c.field)})
			var many *dataknobs.BatchError
			if !errors.As(err, &many) || len(many.Errors) != 1 || many.Errors[0].Index != 1 || dataknobs.CodeOf(many.Errors[0].Err) != c.code {
				t.Errorf("in a batch: %v", err)
			}
			if _, err := db.Get(t.Context(), "z"+c.field); err != nil {
				t.Errorf("the record after it: %v", err)
			}
			_, err = db.CreateMany(t.Context(), []*dataknobs.Record{dataknobs.NewRecord("A" + c.field), rec}, dataknobs.Atomic())
			if !errors.As(err, &many) || len(many.Errors) != 1 || many.Errors[0].Index != 1 {
				t.Errorf("in an atomic batch: %v", err)
			}
			if _, err := db.Get(t.Context(), "A"+c.field); !errors.Is(err, dataknobs.NotFound) {
				t.Errorf("an atomic batch was half applied: %v", err)
			}
			// In a transaction it leaves all else as it was.
			if err := db.Tx(t.Context(), func(tx *dataknobs.DB) error {
				if _, err := tx.Create(t.Context(), dataknobs.NewRecord("t"+c.field)); err != nil {
					return err
				}
				_, err := tx.Create(t.Context(), rec)
				wantCode(t, err, c.code)
				return nil
			}); err != nil {
				t.Errorf("the transaction: %v", err)
			}
			if _, err := db.Get(t.Context(), "t"+c.field); err != nil {
				t.Errorf("the transaction's other write: %v", err)
			}
		})
	}
}

func TestNumericRefuse(t *testing.T) {
	s := newSchema(t)
	s.exec(`create table r (id text primary key, n numeric); insert into r values ('a', 1.5), ('b', 0.12345678901234567890)`)
	wantRows(t, open(t, s.at("r", "numeric=refuse")), "_id = 'a'", `a {"id":"a","n":1.5}`)
	_, err := open(t, s.at("r", "numeric=refuse")).Get(t.Context(), "b")
	wantCode(t, err, dataknobs.DataLoss, "n", "numeric=text")
}

// Tables of every sort are found, and written to where that is possible.
func TestRelations(t *testing.T) {
	s := newSchema(t)
	s.exec(`create table base (a integer, b text, v text, primary key (b, a));
		insert into base values (1, 'x,y', 'one'), (2, 'z\', 'two');
		create view plain as select * from base;
		create materialized view stored as select * from base;
		create table parts (id integer primary key, v text) partition by range (id);
		create table parts1 partition of parts for values from (0) to (100);
		insert into parts values (1, 'one');
		create table loose (n integer, v text);
		insert into loose values (1, 'a'), (1, 'a'), (2, 'b');
		create table uniq (code text not null unique, v text);
		create table maybe (code text unique, v text);
		create table made (id integer generated always as identity primary key, v text, twice text generated always as (v || v) stored, at timestamptz not null default now());
		create schema if not exists ` + s.name + `_b;
		create table ` + s.name + `_b.other (id text primary key);
		create table "we.ird ""table""" (id text primary key, "a ""b"" c" integer);`)
	t.Cleanup(func() { s.exec("drop schema " + s.name + "_b cascade") })
	both := []string{`x\,y,1 {"a":1,"b":"x,y","v":"one"}`, `z\\,2 {"a":2,"b":"z\\","v":"two"}`}

	t.Run("composite key", func(t *testing.T) {
		db := open(t, s.at("base"))
		wantRows(t, db, "order by a", both...)
		rec, err := db.Get(t.Context(), `x\,y,1`)
		if err != nil || rec.Get("v").Str() != "one" {
			t.Fatalf("Get: %v, %v", rec, err)
		}
		rev := rec.Revision
		res, err := db.Patch(t.Context(), rec.ID, []dataknobs.Change{{Path: dataknobs.Names("v"), Value: dataknobs.String("new")}}, dataknobs.IfRevision(rev))
		if err != nil || res.Revision == rev {
			t.Fatalf("Patch: %+v, %v", res, err)
		}
		_, err = db.Put(t.Context(), rec, dataknobs.IfRevision(rev))
		wantCode(t, err, dataknobs.Conflict)
		if _, err := db.PutMany(t.Context(), []*dataknobs.Record{rec, dataknobs.NewRecord("", dataknobs.F("a", 3), dataknobs.F("b", "c"))}); err != nil {
			t.Fatal(err)
		}
		if err := db.Delete(t.Context(), "c,3"); err != nil {
			t.Fatal(err)
		}
		wantRows(t, db, "order by a", both...)
	})
	t.Run("view", func(t *testing.T) {
		for _, name := range []string{"plain", "stored"} {
			db := open(t, s.at(name, "key=b,a"))
			wantRows(t, db, "order by a", both...)
			wantRows(t, db, "_id = 'x\\,y,1'", both[0])
			_, err := db.Create(t.Context(), dataknobs.NewRecord("", dataknobs.F("a", 3), dataknobs.F("b", "c")))
			wantCode(t, err, dataknobs.Unsupported, "view")
		}
		wantRows(t, open(t, s.at("stored")), "select v limit 1 offset 1", `2 {"v":"two"}`)
	})
	t.Run("partitioned", func(t *testing.T) {
		db := open(t, s.at("parts"))
		for _, rec := range []*dataknobs.Record{dataknobs.NewRecord("", dataknobs.F("id", 2), dataknobs.F("v", "two")), dataknobs.NewRecord("", dataknobs.F("id", 1), dataknobs.F("v", "new"))} {
			res, err := db.Put(t.Context(), rec)
			if err != nil || res.Revision == "" {
				t.Fatalf("Put: %+v, %v", res, err)
			}
			got, err := db.Get(t.Context(), rec.Get("id").String())
			if err != nil || got.Revision != res.Revision {
				t.Errorf("the revision is %q, and Put said %q (%v)", got.Revision, res.Revision, err)
			}
		}
		_, err := db.Create(t.Context(), dataknobs.NewRecord("", dataknobs.F("id", 200)))
		wantCode(t, err, dataknobs.InvalidArgument)
	})
	t.Run("no key", func(t *testing.T) {
		db := open(t, s.at("loose"))
		wantRows(t, db, "", `1 {"n":1,"v":"a"}`, `2 {"n":1,"v":"a"}`, `3 {"n":2,"v":"b"}`)
		wantRows(t, db, "n = 2 limit 1", `1 {"n":2,"v":"b"}`)
		_, err := db.Get(t.Context(), "1")
		wantCode(t, err, dataknobs.Unsupported, "key=")
		wantCode(t, db.Delete(t.Context(), "1"), dataknobs.Unsupported, "key=")
		if _, err := db.Create(t.Context(), dataknobs.NewRecord("", dataknobs.F("n", 5))); err != nil {
			t.Error(err)
		}
		if _, err := db.CreateMany(t.Context(), []*dataknobs.Record{dataknobs.NewRecord("", dataknobs.F("n", 6)), dataknobs.NewRecord("")}); err != nil {
			t.Error(err)
		}
		if n, err := db.Count(t.Context(), nil); n != 6 || err != nil {
			t.Errorf("there are %d rows (%v), wanted 6", n, err)
		}
	})
	t.Run("unique index", func(t *testing.T) {
		db := open(t, s.at("uniq"))
		if res, err := db.Put(t.Context(), dataknobs.NewRecord("a", dataknobs.F("v", "x"))); err != nil || !res.Created {
			t.Errorf("Put: %+v, %v", res, err)
		}
		if open(t, s.at("maybe")).Features().RowIDs == "" {
			t.Error("a unique index on a column that may be null is no key")
		}
	})
	t.Run("by other columns", func(t *testing.T) {
		db := open(t, s.at("loose", "key=v"))
		if why := db.Features().ReadOnly; !strings.Contains(why, "unique") {
			t.Errorf("a key that no unique index guards: read-only because %q", why)
		}
		_, err := dataknobs.Open(t.Context(), s.at("loose", "key=w"), nil)
		wantCode(t, err, dataknobs.InvalidArgument, "key", "w")
	})
	t.Run("computed columns", func(t *testing.T) {
		db := open(t, s.at("made"))
		rec := dataknobs.NewRecord("", dataknobs.F("id", 41), dataknobs.F("v", "ab"), dataknobs.F("twice", "ignored"))
		if _, err := db.Create(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		got, err := db.Get(t.Context(), "41")
		if err != nil || got.Get("twice").Str() != "abab" || got.Get("at").IsNull() {
			t.Fatalf("got %v, %v", got, err)
		}
		got.Set("v", dataknobs.String("c"))
		if _, err := db.Update(t.Context(), got); err != nil {
			t.Fatal(err)
		}
		if _, err := db.PutMany(t.Context(), []*dataknobs.Record{got, dataknobs.NewRecord("42", dataknobs.F("v", "d"))}); err != nil {
			t.Fatal(err)
		}
		if rows := s.rows("select id, v, twice from made order by 1"); strings.Join(rows, " ") != "41|c|cc 42|d|dd" {
			t.Errorf("the table holds %q", rows)
		}
		var recs []*dataknobs.Record
		for i := range 20 {
			recs = append(recs, dataknobs.NewRecord("", dataknobs.F("id", 100+i)))
		}
		res, err := db.Load(t.Context(), stream(recs), nil)
		if err != nil || res.Written != 20 {
			t.Errorf("Load: %+v, %v", res, err)
		}
	})
	t.Run("numbered by the database", func(t *testing.T) {
		s.exec("create table counted (id serial primary key, v text unique)")
		db := open(t, s.at("counted"))
		ctx := t.Context()
		res, err := db.Create(ctx, dataknobs.NewRecord("", dataknobs.F("v", "a")))
		if err != nil || res.ID != "1" || res.Revision == "" {
			t.Fatalf("Create: %+v, %v", res, err)
		}
		many, err := db.CreateMany(ctx, []*dataknobs.Record{dataknobs.NewRecord("", dataknobs.F("v", "b")), dataknobs.NewRecord("", dataknobs.F("v", "a")), dataknobs.NewRecord("77", dataknobs.F("v", "c"))})
		if err == nil || len(many) != 3 || many[0].ID != "2" || many[1].Err == nil || many[2].Err != nil {
			t.Errorf("CreateMany: %+v, %v", many, err)
		}
		_, err = db.CreateMany(ctx, []*dataknobs.Record{dataknobs.NewRecord("", dataknobs.F("v", "x")), dataknobs.NewRecord("", dataknobs.F("v", "a"))}, dataknobs.Atomic())
		if n, e := db.Count(ctx, nil); err == nil || n != 3 || e != nil {
			t.Errorf("an atomic batch: %v, and then there are %d records (%v)", err, n, e)
		}
		if res, err := db.Load(ctx, stream([]*dataknobs.Record{dataknobs.NewRecord("", dataknobs.F("v", "l"))}), nil); err != nil || res.Written != 1 {
			t.Errorf("Load: %+v, %v", res, err)
		}
	})
	t.Run("names", func(t *testing.T) {
		db := open(t, s.url+"?schema="+s.name+`&table=%22we.ird%20%22%22table%22%22%22`)
		if _, err := db.Put(t.Context(), dataknobs.NewRecord("x", dataknobs.F(`a "b" c`, 1))); err != nil {
			t.Fatal(err)
		}
		wantRows(t, db, "`a \"b\" c` = 1", `x {"id":"x","a \"b\" c":1}`)
		db = open(t, s.url+"?table="+s.name+"_b.other")
		if _, err := db.Put(t.Context(), dataknobs.NewRecord("x")); err != nil {
			t.Fatal(err)
		}
		_, err := dataknobs.Open(t.Context(), s.at(strings.Repeat("x", 64)), nil)
		wantCode(t, err, dataknobs.InvalidArgument, "63")
	})
}

func stream(recs []*dataknobs.Record) func(func(*dataknobs.Record, error) bool) {
	return func(yield func(*dataknobs.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// The revision can come from a column, from the content, or not be there.
func TestRevisions(t *testing.T) {
	s := newSchema(t)
	s.exec(`create table v (id text primary key, n integer, ver integer, stamp timestamptz not null default now(), u uuid default gen_random_uuid())`)
	for _, rev := range []string{"ver", "stamp", "u", "hash", "system"} {
		t.Run(rev, func(t *testing.T) {
			s.exec("delete from v")
			db := open(t, s.at("v", "revision="+rev))
			ctx := t.Context()
			res, err := db.Create(ctx, dataknobs.NewRecord("a", dataknobs.F("n", 1)))
			if err != nil || res.Revision == "" {
				t.Fatalf("Create: %+v, %v", res, err)
			}
			for i := range 3 {
				got, err := db.Get(ctx, "a")
				if err != nil || got.Revision != res.Revision {
					t.Fatalf("the revision is %q, the write said %q (%v)", got.Revision, res.Revision, err)
				}
				old := res.Revision
				if res, err = db.Patch(ctx, "a", []dataknobs.Change{{Path: dataknobs.Names("n"), Value: dataknobs.Int(int64(i + 10))}}, dataknobs.IfRevision(old)); err != nil || res.Revision == old {
					t.Fatalf("Patch: %+v after %q, %v", res, old, err)
				}
				_, err = db.Put(ctx, dataknobs.NewRecord("a", dataknobs.F("n", 0)), dataknobs.IfRevision(old))
				wantCode(t, err, dataknobs.Conflict)
				many, err := db.PutMany(ctx, []*dataknobs.Record{dataknobs.NewRecord("a", dataknobs.F("n", i+20)), dataknobs.NewRecord("b", dataknobs.F("n", i))})
				if err != nil || many[0].Revision == res.Revision {
					t.Fatalf("PutMany: %+v, %v", many, err)
				}
				res = many[0]
			}
			wantCode(t, db.Delete(ctx, "a", dataknobs.IfRevision("1")), dataknobs.Conflict)
			if err := db.Delete(ctx, "a", dataknobs.IfRevision(res.Revision)); err != nil {
				t.Fatal(err)
			}
		})
	}
	db := open(t, s.at("v", "revision=none"))
	if _, err := db.Put(t.Context(), dataknobs.NewRecord("a", dataknobs.F("n", 1))); err != nil {
		t.Fatal(err)
	}
}

// types= describes the columns of a table that is not there yet.
func TestTypes(t *testing.T) {
	s := newSchema(t)
	types := `types=code:string,n:int,f:float,b:bool,at:time,raw:bytes,doc:object,price:numeric(12\,2),short:varchar(5),day:date`
	db := open(t, s.at("made", types, "key=code", "extra=more", "meta=meta"))
	ctx := t.Context()
	rec := dataknobs.NewRecord("a", dataknobs.F("code", "a"), dataknobs.F("n", 1), dataknobs.F("f", 1.0), dataknobs.F("doc", map[string]any{"x": 1}),
		dataknobs.F("price", 1.25), dataknobs.F("raw", []byte{0, 255}), dataknobs.F("other", []any{"kept"}))
	rec.Metadata = dataknobs.Fields{dataknobs.F("source", "test")}
	if _, err := db.Create(ctx, rec); err != nil {
		t.Fatal(err)
	}
	got, err := db.Get(ctx, "a")
	if err != nil || !got.Get("price").Equal(dataknobs.Float(1.25)) || got.Get("other").Len() != 1 || got.Metadata.Value("source").Str() != "test" {
		t.Errorf("got %v, %v", got, err)
	}
	if rows := s.rows("select column_name, data_type from information_schema.columns where table_name = 'made' and table_schema = '" + s.name + "' and column_name in ('price', 'day', 'code')"); len(rows) != 3 {
		t.Errorf("the columns are %q", rows)
	}
	for _, c := range []struct{ params, says string }{
		{"types=a:int", "key="},
		{"types=a:int&key=b", "b"},
		{"types=a:elephant&key=a", "elephant"},
		{"types=a:text);drop&key=a", "type"},
		{"types=a:int,a:int&key=a", "twice"},
		{"layout=columns", "types="},
		{"types=a:int&key=a&layout=document", "layout"},
		{"key=a", "types="},
	} {
		_, err := dataknobs.Open(ctx, s.at("another", strings.Split(c.params, "&")...), nil)
		wantCode(t, err, dataknobs.InvalidArgument, c.says)
	}
}
