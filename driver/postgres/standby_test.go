package postgres_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/servers"
)

// A hot standby is read and refuses to be written; of several hosts
// target_session_attrs picks the right one, and after a failover the same store goes on with
// the new primary.
func TestStandby(t *testing.T) {
	t.Parallel()
	srv, s := ownServer(t)
	ctx := t.Context()
	both := func(attrs string) string {
		u := strings.Replace(s.at("people", "connect_timeout=5s", "target_session_attrs="+attrs), fmt.Sprintf("127.0.0.1:%d", srv.Port), "HOSTS", 1)
		return u
	}
	db := open(t, s.at("people"))
	if _, err := db.CreateMany(ctx, numbered(1000)); err != nil {
		t.Fatal(err)
	}
	standby := srv.NewStandby(t)
	hosts := fmt.Sprintf("127.0.0.1:%d,127.0.0.1:%d", standby.Port, srv.Port)
	behind := &schema{t: t, url: standby.URL, name: s.name}

	if n, err := open(t, behind.at("people")).Count(ctx, nil); n != 1000 || err != nil {
		t.Errorf("the standby has %d records, %v", n, err)
	}
	t.Run("writes are refused", func(t *testing.T) {
		_, err := open(t, behind.at("people")).Put(ctx, dataknobs.NewRecord("a"))
		wantCode(t, err, dataknobs.Unsupported, "standby", "target_session_attrs=read-write")
		_, err = open(t, behind.at("fresh")).Put(ctx, dataknobs.NewRecord("a"))
		wantCode(t, err, dataknobs.PermissionDenied, "standby", "target_session_attrs=read-write")
	})
	t.Run("no host will do", func(t *testing.T) {
		_, err := dataknobs.Open(ctx, behind.at("people", "target_session_attrs=read-write"), nil)
		wantCode(t, err, dataknobs.Unavailable, "target_session_attrs")
	})
	t.Run("the standby is picked", func(t *testing.T) {
		picked := open(t, strings.Replace(both("standby"), "HOSTS", hosts, 1))
		if picked.Features().ReadOnly == "" {
			t.Error("target_session_attrs=standby opened the primary")
		}
	})
	t.Run("failover", func(t *testing.T) {
		db := open(t, strings.Replace(both("read-write"), "HOSTS", hosts, 1))
		if _, err := db.Put(ctx, dataknobs.NewRecord("before")); err != nil {
			t.Fatal(err)
		}
		for start := time.Now(); behind.rows("select count(*) from people where id = 'before'")[0] != "1"; {
			if time.Since(start) > 20*time.Second {
				t.Fatal("the write never came to the standby")
			}
		}
		srv.Kill(t)
		_, err := db.Put(ctx, dataknobs.NewRecord("between"))
		wantCode(t, err, dataknobs.Unavailable)
		admin(t, standby, "select pg_promote()")
		if _, err := db.Put(ctx, dataknobs.NewRecord("after")); err != nil {
			t.Fatal(err)
		}
		if n, err := db.Count(ctx, nil); n != 1002 || err != nil {
			t.Errorf("the new primary has %d records, %v; want 1002", n, err)
		}
	})
}

// Behind PgBouncer in transaction mode, with fewer connections than users, all
// works with pooler=transaction.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	srv, s := ownServer(t)
	p := servers.NewPgBouncer(t, srv.Port, 2)
	through := &schema{t: t, url: p.URL, name: s.name}
	ctx := t.Context()
	db := open(t, through.at("people", "pooler=transaction"))
	if _, err := db.Load(ctx, stream(numbered(5000)), nil); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			recs := numbered(600)
			for _, r := range recs {
				r.ID = fmt.Sprint("of", k, "-", r.ID)
			}
			if _, err := db.CreateMany(ctx, recs); err != nil {
				t.Errorf("CreateMany: %v", err)
			}
			for i := range 100 {
				id := fmt.Sprintf("%06d", i*8+k)
				err := db.Tx(ctx, func(tx *dataknobs.DB) error {
					r, err := tx.Get(ctx, id)
					if err == nil {
						r.Set("seen", dataknobs.Int(int64(k)))
						_, err = tx.Put(ctx, r, dataknobs.IfRevision(r.Revision))
					}
					return err
				})
				if err != nil {
					t.Errorf("the transaction about %s: %v", id, err)
				}
			}
		})
	}
	wg.Wait()
	if n, err := db.Count(ctx, dataknobs.MustParse("seen >= 0").Where); n != 800 || err != nil {
		t.Errorf("the transactions changed %d records, %v; want 800", n, err)
	}
	if n, err := db.Count(ctx, nil); n != 5000+8*600 || err != nil {
		t.Errorf("there are %d records, %v", n, err)
	}
	t.Run("restart", func(t *testing.T) {
		srv.Stop(t)
		_, err := db.Get(ctx, "000001")
		wantCode(t, err, dataknobs.Unavailable)
		srv.Start(t)
		for start := time.Now(); ; {
			if _, err = db.Get(ctx, "000001"); err == nil {
				break
			}
			if dataknobs.CodeOf(err) != dataknobs.Unavailable || time.Since(start) > 30*time.Second {
				t.Fatalf("after the restart: %v", err)
			}
		}
	})
}
