package postgres_test

import (
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/postgres"
)

func stats(t *testing.T, db *dataknobs.DB) dataknobs.PoolStats {
	t.Helper()
	s, ok := db.PoolStats()
	if !ok {
		t.Fatal("the store has no pool")
	}
	return s
}

// Stores of equal settings share a pool; anything that differs, a password
// too, makes another. Closing one store leaves the others alone.
func TestPoolIsShared(t *testing.T) {
	s := newSchema(t)
	name := "application_name=" + s.name
	a, b := open(t, s.at("a", name)), open(t, s.at("b", name))
	if _, err := a.Put(t.Context(), dataknobs.NewRecord("x")); err != nil {
		t.Fatal(err)
	}
	if x, y := stats(t, a), stats(t, b); x.Acquired != y.Acquired || x.Acquired == 0 {
		t.Errorf("the statistics of two stores of equal settings are %+v and %+v", x, y)
	}
	for _, other := range []string{"pool.max=3", "statement_timeout=1m", "sslmode=disable", "pooler=transaction", "connect_timeout=7"} {
		c := open(t, s.at("a", name, other))
		if stats(t, c).Acquired == stats(t, a).Acquired {
			t.Errorf("%s makes no pool of its own: %+v", other, stats(t, c))
		}
	}
	if _, err := dataknobs.Open(t.Context(), strings.Replace(s.at("a", name), "app:app@", "app:wrong@", 1), nil); dataknobs.CodeOf(err) != dataknobs.PermissionDenied {
		t.Errorf("with a wrong password beside an open pool: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), dataknobs.NewRecord("x")); err != nil {
		t.Errorf("after the other store was closed: %v", err)
	}
}

// A pool that was given is used, and not closed.
func TestGivenPool(t *testing.T) {
	s := newSchema(t)
	p, err := pgxpool.New(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	d, err := postgres.New(t.Context(), postgres.Options{Pool: p, Schema: s.name, Table: "people"})
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, nil)
	if _, err := db.Put(t.Context(), dataknobs.NewRecord("x", dataknobs.F("n", 1))); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Ping(t.Context()); err != nil {
		t.Errorf("the pool was closed: %v", err)
	}
}

// Close says which scans are still open.
func TestCloseWithOpenScan(t *testing.T) {
	s := newSchema(t)
	db := open(t, s.at("people"))
	fill(t, db, 100)
	next, stop := iter.Pull2(db.Driver().Scan(t.Context(), &dataknobs.Scan{}))
	next()
	err := db.Close()
	stop()
	wantCode(t, err, dataknobs.InvalidArgument, "1 query", "iter.Pull")
}

// Declared indexes serve the conditions and orders that they are for, also
// those made on a table that was there, and for those who do not declare them.
func TestIndexes(t *testing.T) {
	s := newSchema(t)
	var recs []*dataknobs.Record
	for i := range 20_000 {
		recs = append(recs, dataknobs.NewRecord(fmt.Sprintf("%06d", i), dataknobs.F("city", fmt.Sprintf("city%d", i%5000)), dataknobs.F("n", i),
			dataknobs.F("o", map[string]any{"p": float64(i) / 4}), dataknobs.F("tags", []any{fmt.Sprint("t", i%3000), "all"})))
	}
	db := open(t, s.at("people"))
	if _, err := db.Load(t.Context(), stream(recs), nil); err != nil {
		t.Fatal(err)
	}
	open(t, s.at("people", "index=city,n,o.p,tags"))
	s.exec("analyze people")
	db = open(t, s.at("people")) // which does not declare them
	for _, c := range []struct{ query, index string }{
		{"city = 'city17'", "people_city"},
		{"city in ('city17', 'city18')", "people_city"},
		{"city starts with 'city499'", "people_city"},
		{"city like 'city499_'", "people_city"},
		{"n between 10 and 20", "people_n"},
		{"n > 19990", "people_n"},
		{"o.p = 2.5", "people_o.p"},
		{"tags contains 't17'", "people_tags"},
		{"order by n limit 10", "people_n"},
		{"order by city desc limit 10", "people_city"},
	} {
		plan, err := db.Explain(t.Context(), dataknobs.MustParse(c.query), dataknobs.ExplainOptions{})
		if err != nil {
			t.Fatalf("%s: %v", c.query, err)
		}
		if text := plan.String(); !strings.Contains(text, c.index) || strings.Contains(text, "Seq Scan") {
			t.Errorf("%s is not served by the index %s:\n%s", c.query, c.index, text)
		}
	}
	plan, err := db.Explain(t.Context(), dataknobs.MustParse("n = 5"), dataknobs.ExplainOptions{Analyze: true})
	if err != nil || !strings.Contains(plan.String(), "actual time") || !strings.Contains(plan.String(), "SELECT") || !strings.Contains(plan.String(), "$1 = ") {
		t.Errorf("analyzed: %v\n%s", err, plan)
	}
}

// Whoever makes a table at the same time as others does not fail, and they
// share one table, indexes included.
func TestRacingCreators(t *testing.T) {
	s := newSchema(t)
	var wg sync.WaitGroup
	for i := range 12 {
		db := open(t, s.at("people", fmt.Sprintf("index=city,n&application_name=r%d", i%4)))
		wg.Go(func() {
			if _, err := db.Create(t.Context(), dataknobs.NewRecord(fmt.Sprint(i), dataknobs.F("city", "x"), dataknobs.F(fmt.Sprint("field", i), i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.rows("select count(*) from people")[0]; n != "12" {
		t.Errorf("there are %s records, wanted 12", n)
	}
	for i := range 4 {
		wg.Go(func() {
			db, err := dataknobs.Open(t.Context(), s.at("people", fmt.Sprintf("index=city,n,b,o.p&application_name=r%d", i)), nil)
			if err != nil {
				t.Error(err)
				return
			}
			db.Close()
		})
	}
	wg.Wait()
	if n := s.rows("select count(*) from pg_indexes where tablename = 'people' and schemaname = '" + s.name + "'")[0]; n != "9" {
		t.Errorf("there are %s indexes, wanted 9", n)
	}
}

// The order of names is that in which they first appeared, whoever reads.
func TestOrderOfNames(t *testing.T) {
	s := newSchema(t)
	db := open(t, s.at("people"))
	ctx := t.Context()
	rec := dataknobs.NewRecord("a", dataknobs.F("zeta", 1), dataknobs.F("a", 2), dataknobs.F("it's \"quoted\"", 3), dataknobs.F("mm", 4))
	if _, err := db.Put(ctx, rec); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Patch(ctx, "a", []dataknobs.Change{{Path: dataknobs.Names("b"), Value: dataknobs.Int(5)}}); err != nil {
		t.Fatal(err)
	}
	want := `a {"zeta":1,"a":2,"it's \"quoted\"":3,"mm":4,"b":5}`
	wantRows(t, db, "", want)
	wantRows(t, open(t, s.at("people")), "", want)
	if got := s.rows(`select fields->>'zeta' from people where id = 'a'`); got[0] != "1" {
		t.Errorf("psql reads %q", got)
	}
}
