package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/sqlite"
)

// numbered returns n records whose field n is their number.
func numbered(n int) []*dataknobs.Record {
	recs := make([]*dataknobs.Record, n)
	for i := range recs {
		recs[i] = dataknobs.NewRecord(fmt.Sprintf("r%04d", i), dataknobs.F("n", i), dataknobs.F("name", fmt.Sprint("name ", i)))
	}
	return recs
}

// What one INSERT of many rows cannot write is written row by row, each with
// its own answer: in tables whose rules end a statement, a transaction's part,
// or leave half of a statement's rows behind.
func TestManyRowsFallBack(t *testing.T) {
	const columns = "id text primary key, n integer, name text"
	for _, c := range []struct {
		name   string
		schema []string
		bad    func(i int) bool
		code   dataknobs.Code
	}{
		{"exists", nil, func(i int) bool { return i == 100 || i == 800 }, dataknobs.AlreadyExists},
		{"check", []string{"create table records (" + columns + ", check (n <> 100 and n < 900))"}, func(i int) bool { return i == 100 || i >= 900 }, dataknobs.InvalidArgument},
		{"trigger", []string{"create table records (" + columns + ")", "create trigger t before insert on records when new.n = 130 begin select raise(fail, 'no'); end"},
			func(i int) bool { return i == 130 }, dataknobs.InvalidArgument},
		{"fail", []string{"create table records (id text primary key, n integer, name text unique on conflict fail)", "insert into records values ('x', 1, 'name 127')"},
			func(i int) bool { return i == 127 }, dataknobs.Conflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t, sqlite.Options{Path: database(t, c.schema...), Table: "records"})
			if c.schema == nil {
				put(t, db, "r0100")
				put(t, db, "r0800")
			}
			recs := numbered(1000)
			good := 0
			for i := range recs {
				if !c.bad(i) {
					good++
				}
			}
			before, _ := db.Count(t.Context(), nil)
			if _, err := db.CreateMany(t.Context(), recs, dataknobs.Atomic()); err == nil {
				t.Error("an atomic batch went through")
			}
			_, err := db.Load(t.Context(), each(recs), nil)
			if dataknobs.CodeOf(err) != c.code {
				t.Errorf("Load: %v, want %v", err, c.code)
			}
			if n, err := db.Count(t.Context(), nil); n != before || err != nil {
				t.Fatalf("there are %d records, %v; want those %d from before", n, err, before)
			}
			results, err := db.CreateMany(t.Context(), recs)
			if err == nil {
				t.Error("CreateMany says nothing of what failed")
			}
			for i, r := range results {
				if (r.Err != nil) != c.bad(i) || r.Err != nil && dataknobs.CodeOf(r.Err) != c.code {
					t.Errorf("write %d: %v", i, r.Err)
				}
				if r.Err != nil {
					continue
				}
				got, err := db.Get(t.Context(), recs[i].ID)
				if err != nil || !got.Get("n").Equal(dataknobs.Int(int64(i))) || got.Revision != r.Revision {
					t.Fatalf("record %d is %v of revision %q, %v; the result says %q", i, got, got.Revision, err, r.Revision)
				}
			}
			if n, err := db.Count(t.Context(), nil); n != before+int64(good) || err != nil {
				t.Errorf("there are %d records, %v; want %d", n, err, before+int64(good))
			}
		})
	}
}

func each(recs []*dataknobs.Record) func(func(*dataknobs.Record, error) bool) {
	return func(yield func(*dataknobs.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// The counts of a load are exact where some records exist, and some come twice.
func TestLoadCounts(t *testing.T) {
	recs := append(numbered(1000), numbered(10)...)
	for _, c := range []struct {
		mode             dataknobs.LoadMode
		written, skipped int64
	}{{dataknobs.LoadSkip, 900, 110}, {dataknobs.LoadPut, 1010, 0}} {
		db := open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "a.db")})
		if _, err := db.CreateMany(t.Context(), numbered(100)); err != nil {
			t.Fatal(err)
		}
		res, err := db.Load(t.Context(), each(recs), &dataknobs.LoadOptions{Mode: c.mode})
		if err != nil || res.Written != c.written || res.Skipped != c.skipped {
			t.Errorf("mode %d: %+v, %v; want %d written, %d skipped", c.mode, res, err, c.written, c.skipped)
		}
		if n, err := db.Count(t.Context(), nil); n != 1000 || err != nil {
			t.Errorf("mode %d: %d records, %v; want 1000", c.mode, n, err)
		}
	}
}

// A stream that panics or fails leaves the store as it was, and usable.
func TestLoadBroken(t *testing.T) {
	db := open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "a.db")})
	broken := errors.New("broken")
	for _, end := range []func(func(*dataknobs.Record, error) bool){
		func(func(*dataknobs.Record, error) bool) { panic(broken) },
		func(yield func(*dataknobs.Record, error) bool) { yield(nil, broken) },
	} {
		func() {
			defer func() { _ = recover() }()
			_, err := db.Load(t.Context(), func(yield func(*dataknobs.Record, error) bool) {
				each(numbered(500))(yield)
				end(yield)
			}, nil)
			if !errors.Is(err, broken) {
				t.Errorf("got %v, want the stream's error", err)
			}
		}()
		if n, err := db.Count(t.Context(), nil); n != 0 || err != nil {
			t.Errorf("there are %d records, %v; want none", n, err)
		}
	}
	if _, err := db.CreateMany(t.Context(), numbered(500)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A load tells SQLite about the values of the declared indexes, and what it has
// written is all there when the store is closed at once.
func TestLoadLeavesTheFileTidy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, sqlite.Options{Path: path, Index: paths("name")})
	if _, err := db.Load(t.Context(), each(numbered(20_000)), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Create(t.Context(), dataknobs.NewRecord("after")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := filepath.Glob(path + "-*"); len(entries) > 0 {
		t.Errorf("a store that was closed left %v", entries)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var analyzed, n int
	if err := raw.QueryRow("select (select count(*) from sqlite_stat1 where tbl = 'records'), (select count(*) from records)").Scan(&analyzed, &n); err != nil {
		t.Fatal(err)
	}
	if analyzed == 0 || n != 20_001 {
		t.Errorf("SQLite knows of %d indexes, and there are %d records; want 1 or more, and 20001", analyzed, n)
	}
}
