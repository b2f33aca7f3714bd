package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/servers"
)

// ownServer starts a server for one test, which may kill it.
func ownServer(t *testing.T, settings ...string) (*servers.Server, *schema) {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts a server")
	}
	srv := servers.NewPostgres(t, append(settings, "synchronous_commit=on")...)
	s := &schema{t: t, url: srv.URL, name: "faults"}
	s.exec("create schema faults")
	return srv, s
}

// fill puts n records of about 100 bytes into a store.
func fill(t *testing.T, db *dataknobs.DB, n int) {
	t.Helper()
	if _, err := db.Load(t.Context(), stream(numbered(n)), nil); err != nil {
		t.Fatal(err)
	}
}

func numbered(n int) []*dataknobs.Record {
	recs := make([]*dataknobs.Record, n)
	for i := range recs {
		recs[i] = dataknobs.NewRecord(fmt.Sprintf("%06d", i), dataknobs.F("n", i), dataknobs.F("text", strings.Repeat("x", 100)))
	}
	return recs
}

// A server that dies under a scan, a batch and a load is Unavailable each time;
// nothing is half done, what was acknowledged is there, and once the server is back the
// same store works.
func TestServerKilled(t *testing.T) {
	srv, s := ownServer(t)
	const n = 100_000
	ctx := t.Context()
	db := open(t, s.at("people"))
	fill(t, db, n)

	t.Run("scan", func(t *testing.T) {
		seen := 0
		var failed error
		for _, err := range db.Query(ctx, "") {
			if err != nil {
				failed = err
				break
			}
			if seen++; seen == 10 {
				srv.Kill(t)
			}
		}
		wantCode(t, failed, dataknobs.Unavailable)
		if seen == n {
			t.Errorf("the scan yielded all %d records of a server that was killed", n)
		}
		_, err := db.Get(ctx, "000001")
		wantCode(t, err, dataknobs.Unavailable, "nothing listens")
		srv.Start(t)
		if r, err := db.Get(ctx, "000001"); err != nil || r.Get("n").Int() != 1 {
			t.Errorf("after the restart: %v, %v", r, err)
		}
	})
	t.Run("writes", func(t *testing.T) {
		acked := map[string]bool{}
		var failed error
		for i := 0; failed == nil; i++ {
			id := fmt.Sprint("w", i)
			if i == 50 {
				go srv.Kill(t)
			}
			if _, failed = db.Create(ctx, dataknobs.NewRecord(id)); failed == nil {
				acked[id] = true
			}
		}
		wantCode(t, failed, dataknobs.Unavailable)
		for {
			if _, err := db.Get(ctx, "000001"); err != nil && strings.Contains(err.Error(), "nothing listens") {
				break
			}
		}
		srv.Start(t)
		for id := range acked {
			if _, err := db.Get(ctx, id); err != nil {
				t.Fatalf("the acknowledged record %s: %v", id, err)
			}
		}
	})
	t.Run("atomic batch", func(t *testing.T) {
		var writes []dataknobs.Write
		for i := range 20_000 {
			writes = append(writes, dataknobs.Write{Op: dataknobs.WritePatch, ID: fmt.Sprintf("%06d", i), Changes: []dataknobs.Change{{Path: dataknobs.Names("hit"), Value: dataknobs.Bool(true)}}})
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			time.Sleep(200 * time.Millisecond) // some way into it; wherever it is, the outcome must be whole
			srv.Kill(t)
		}()
		_, err := db.Apply(ctx, writes, dataknobs.Atomic())
		<-done
		srv.Start(t)
		hits, e := db.Count(ctx, dataknobs.MustParse("hit = true").Where)
		if e != nil || hits != 0 && hits != int64(len(writes)) || err == nil && hits == 0 {
			t.Errorf("the batch ended with %v, and %d of its %d writes were applied (%v)", err, hits, len(writes), e)
		}
		if err != nil && !errors.Is(err, dataknobs.Unavailable) {
			t.Errorf("the batch ended with %v", err)
		}
	})
	t.Run("load", func(t *testing.T) {
		dst := open(t, s.at("loaded"))
		recs := func(yield func(*dataknobs.Record, error) bool) {
			for i, r := range numbered(n) {
				if i == n/2 {
					srv.Kill(t)
				}
				if !yield(r, nil) {
					return
				}
			}
		}
		res, err := dst.Load(ctx, recs, nil)
		wantCode(t, err, dataknobs.Unavailable)
		srv.Start(t)
		if got, err := dst.Count(ctx, nil); got != 0 || err != nil || res.Written != 0 {
			t.Errorf("after a load that failed there are %d records (%v), and it says %d were written", got, err, res.Written)
		}
	})
	t.Run("transaction", func(t *testing.T) {
		err := db.Tx(ctx, func(tx *dataknobs.DB) error {
			if _, err := tx.Create(ctx, dataknobs.NewRecord("in the transaction")); err != nil {
				return err
			}
			srv.Kill(t)
			_, err := tx.Create(ctx, dataknobs.NewRecord("after it"))
			return err
		})
		wantCode(t, err, dataknobs.Unavailable)
		srv.Start(t)
		_, err = db.Get(ctx, "in the transaction")
		wantCode(t, err, dataknobs.NotFound)
	})
	t.Run("restart between calls", func(t *testing.T) {
		if _, err := db.Put(ctx, dataknobs.NewRecord("before")); err != nil {
			t.Fatal(err)
		}
		srv.Stop(t)
		srv.Start(t)
		// The dead connection is noticed before the write is sent.
		if _, err := db.Put(ctx, dataknobs.NewRecord("after")); err != nil {
			t.Error(err)
		}
	})
}

// A connection that is cut is Unavailable; a write that the server may have
// got is not repeated, and the error says that its outcome is unknown.
func TestConnectionCut(t *testing.T) {
	s := newSchema(t)
	p := newProxy(t, s.url)
	through := &schema{t: t, url: p.at(s.url), name: s.name}
	ctx := t.Context()
	db := open(t, through.at("people"))
	fill(t, db, 1000)

	t.Run("acknowledgement lost", func(t *testing.T) {
		s.exec("create table count (n bigserial, id text); create function counted() returns trigger language plpgsql as $$ begin insert into " + s.name +
			".count (id) values (new.id); return new; end $$; create trigger counted after insert on people for each row execute function " + s.name + ".counted()")
		for i := range 20 { // so that every connection knows the statement
			if _, err := db.Create(ctx, dataknobs.NewRecord(fmt.Sprint("warm", i), dataknobs.F("n", 1))); err != nil {
				t.Fatal(err)
			}
		}
		p.add("timeout", "downstream", `{"timeout": 0}`) // the server's answers stay away
		done := make(chan error)
		go func() {
			_, err := db.Create(ctx, dataknobs.NewRecord("lost", dataknobs.F("n", 1)))
			done <- err
		}()
		for wait := time.Now(); s.rows("select count(*) from people where id = 'lost'")[0] == "0"; {
			if time.Since(wait) > 20*time.Second {
				t.Fatal("the write never came to the server")
			}
		}
		p.Stop()
		wantCode(t, <-done, dataknobs.Unavailable, "outcome is unknown")
		p.remove("timeout")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		if n := s.rows("select count(*) from count where id = 'lost'")[0]; n != "1" {
			t.Errorf("the write was carried out %s times", n)
		}
	})
	db = open(t, (&schema{t: t, url: p.at(s.url), name: s.name}).at("people"))
	t.Run("in a load", func(t *testing.T) {
		recs := func(yield func(*dataknobs.Record, error) bool) {
			for i, r := range numbered(100_000) {
				r.ID = "load" + r.ID
				if i == 50_000 {
					p.Stop()
				}
				if !yield(r, nil) {
					return
				}
			}
		}
		_, err := db.Load(ctx, recs, nil)
		wantCode(t, err, dataknobs.Unavailable)
		if n := s.rows("select count(*) from people where id like 'load%'")[0]; n != "0" {
			t.Errorf("a load that was cut left %s records", n)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
	})
	db = open(t, (&schema{t: t, url: p.at(s.url), name: s.name}).at("people"))
	t.Run("slow network and a deadline", func(t *testing.T) {
		p.add("latency", "downstream", `{"latency": 2000}`)
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := db.Get(short, "000001")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 1500*time.Millisecond {
			t.Errorf("Get under a deadline of 100ms: %v after %v", err, time.Since(start))
		}
		p.remove("latency")
		if _, err := db.Get(ctx, "000001"); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// What the server refuses has the right code and says what to do.
func TestRefusals(t *testing.T) {
	srv, s := ownServer(t, "max_connections=12")
	ctx := t.Context()
	s.exec("create table people (id text primary key, n integer); create view slow as select i::text as id, pg_sleep(0.2)::text as s from generate_series(1, 100) i")
	admin := func(sql string) {
		t.Helper()
		c, err := pgx.Connect(ctx, srv.AdminURL())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(name, url string, code dataknobs.Code, words ...string) {
		t.Run(name, func(t *testing.T) {
			db, err := dataknobs.Open(ctx, url, nil)
			if err == nil {
				db.Close()
			}
			wantCode(t, err, code, words...)
			if err != nil && strings.Contains(err.Error(), "s3cr") {
				t.Errorf("the error %q shows the password", err)
			}
		})
	}
	with := func(old, new string) string { return strings.Replace(s.at("people"), old, new, 1) }
	refused("wrong password", with("app:app@", "app:s3cr%40:%2Fet@"), dataknobs.PermissionDenied, "password")
	refused("wrong user", with("app:app@", "nobody:s3cret@"), dataknobs.PermissionDenied)
	refused("no database", with("/app?", "/nowhere?"), dataknobs.NotFound, "nowhere")
	refused("no server", strings.Replace(s.at("people"), fmt.Sprint(":", srv.Port), ":1", 1), dataknobs.Unavailable, "127.0.0.1:1", "nothing listens")
	refused("no host", strings.Replace(s.at("people"), "127.0.0.1", "no-such-host.invalid", 1), dataknobs.Unavailable, "no-such-host.invalid")
	refused("no table", s.at("peple", "create=false"), dataknobs.NotFound, "people")
	refused("no table named", s.url+"?schema=faults", dataknobs.InvalidArgument, "people")
	refused("no TLS", s.at("people", "sslmode=require"), dataknobs.PermissionDenied, "TLS")

	t.Run("what was not sent can be made again", func(t *testing.T) {
		_, err := dataknobs.Open(ctx, strings.Replace(s.at("people"), fmt.Sprint(":", srv.Port), ":1", 1), nil)
		if !errors.Is(err, dataknobs.ErrNotSent) {
			t.Errorf("%v does not say that the server was not asked", err)
		}
	})
	t.Run("no schema", func(t *testing.T) {
		db := open(t, s.url+"?table=nowhere.people")
		_, err := db.Create(ctx, dataknobs.NewRecord("a"))
		wantCode(t, err, dataknobs.NotFound, "nowhere")
	})
	t.Run("no right to create", func(t *testing.T) {
		admin("create schema theirs; create schema ours; grant usage on schema ours to app; create table ours.t (id text primary key); create table ours.readable (id text primary key); grant select on ours.readable to app")
		s.t = t
		c, err := pgx.Connect(ctx, srv.AdminURL()[:len(srv.AdminURL())-3]+"app")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, "create schema ours; grant usage on schema ours to app; create table ours.t (id text primary key); create table ours.readable (id text primary key); grant select on ours.readable to app"); err != nil && !strings.Contains(err.Error(), "exists") {
			t.Fatal(err)
		}
		_, err = dataknobs.Open(ctx, s.url+"?table=ours.t", nil)
		wantCode(t, err, dataknobs.PermissionDenied, "GRANT")
		db := open(t, s.url+"?table=ours.readable")
		if n, err := db.Count(ctx, nil); n != 0 || err != nil {
			t.Errorf("Count: %d, %v", n, err)
		}
		_, err = db.Create(ctx, dataknobs.NewRecord("a"))
		wantCode(t, err, dataknobs.Unsupported, "right")
		db = open(t, s.url+"?table=ours.new")
		_, err = db.Create(ctx, dataknobs.NewRecord("a"))
		wantCode(t, err, dataknobs.PermissionDenied, "GRANT")
	})
	t.Run("statement timeout", func(t *testing.T) {
		db := open(t, s.at("slow", "statement_timeout=100ms", "key=id"))
		var err error
		for _, err = range db.Query(ctx, "") {
		}
		wantCode(t, err, dataknobs.Unavailable, "statement_timeout")
	})
	t.Run("lock timeout", func(t *testing.T) {
		db := open(t, s.at("people", "lock_timeout=100ms"))
		if _, err := db.Put(ctx, dataknobs.NewRecord("a")); err != nil {
			t.Fatal(err)
		}
		c, err := pgx.Connect(ctx, s.url)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, "begin; update faults.people set n = 1 where id = 'a'"); err != nil {
			t.Fatal(err)
		}
		_, err = db.Put(ctx, dataknobs.NewRecord("a"))
		wantCode(t, err, dataknobs.Unavailable, "lock_timeout")
	})
	t.Run("pool exhausted", func(t *testing.T) {
		db := open(t, s.at("slow", "pool.max=1", "pool.acquire_timeout=2s", "key=id"))
		for _, err := range db.Query(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Count(ctx, nil)
			wantCode(t, err, dataknobs.Unavailable, "all 1 connections", "1 query is being ranged over", "pool.max")
			break
		}
		if stats, ok := db.PoolStats(); !ok || stats.Failed != 1 || stats.Max != 1 {
			t.Errorf("the statistics are %+v", stats)
		}
	})
	t.Run("too many connections", func(t *testing.T) {
		var held []*pgx.Conn
		defer func() {
			for _, c := range held {
				c.Close(ctx)
			}
		}()
		for {
			c, err := pgx.Connect(ctx, s.url)
			if err != nil {
				break
			}
			held = append(held, c)
		}
		_, err := dataknobs.Open(ctx, s.at("people", "application_name=another"), nil)
		wantCode(t, err, dataknobs.Unavailable, "max_connections")
	})
	t.Run("read-only", func(t *testing.T) {
		db := open(t, s.at("people", "application_name=before"))
		admin("alter role app set default_transaction_read_only = on")
		defer admin("alter role app reset default_transaction_read_only")
		after := open(t, s.at("people", "application_name=after"))
		_, err := after.Put(ctx, dataknobs.NewRecord("a"))
		wantCode(t, err, dataknobs.Unsupported, "read-only")
		s.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'before'")
		for s.rows("select count(*) from pg_stat_activity where application_name = 'before'")[0] != "0" {
		}
		_, err = db.Put(ctx, dataknobs.NewRecord("a"))
		wantCode(t, err, dataknobs.PermissionDenied, "target_session_attrs")
	})
}

// A scan that is left early or cancelled leaves its connection clean, without
// reading the rest.
func TestLeftEarly(t *testing.T) {
	s := newSchema(t)
	db := open(t, s.at("people", "pool.max=1"))
	fill(t, db, 100_000)
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		var failed error
		for _, err := range db.Query(ctx, "") {
			if failed = err; err != nil {
				break
			}
			if seen++; seen == 50 && i%2 == 0 {
				break
			}
			if seen == 50 {
				cancel()
			}
		}
		cancel()
		if i%2 == 1 && !errors.Is(failed, context.Canceled) {
			t.Errorf("a cancelled scan ended with %v after %d records", failed, seen)
		}
		if _, err := db.Get(t.Context(), "000001"); err != nil {
			t.Fatalf("afterwards: %v", err)
		}
	}
	if stats, _ := db.PoolStats(); stats.Opened > 2 {
		t.Errorf("the statistics are %+v: connections were thrown away", stats)
	}
}
