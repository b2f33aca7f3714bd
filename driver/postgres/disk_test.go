package postgres_test

import (
	"math/rand/v2"
	"testing"

	"dataknobs.dev/dataknobs"
)

// A disk that is full says so, and leaves nothing half done; once there is room
// again the same store works. What is full here is the file of the table's
// long values, which is Linux's device for that.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	srv, s := ownServer(t)
	ctx := t.Context()
	db := open(t, s.at("people"))
	if _, err := db.CreateMany(ctx, numbered(600)); err != nil {
		t.Fatal(err)
	}
	full := func() {
		t.Helper()
		file := s.rows("select pg_relation_filepath(reltoastrelid) from pg_class where oid = 'people'::regclass")[0]
		admin(t, srv, "checkpoint", "copy (select 1) to program 'ln -sf /dev/full "+file+"'")
		if err := db.Close(); err != nil { // what holds the old file
			t.Fatal(err)
		}
		db = open(t, s.at("people"))
	}
	full()
	long := make([]byte, 20_000) // too long for a row, and not to be compressed
	for i := range long {
		long[i] = byte(rand.Uint32())
	}
	recs := numbered(2000)[1000:]
	recs[700].Set("photo", dataknobs.Bytes(long))
	want := func(err error) {
		t.Helper()
		wantCode(t, err, dataknobs.ResourceExhausted, "disk is full", "make room")
		if n, err := db.Count(ctx, nil); n != 600 || err != nil {
			t.Fatalf("there are %d records, %v; want the 600 of before", n, err)
		}
	}
	t.Run("one", func(t *testing.T) {
		_, err := db.Put(ctx, recs[700])
		want(err)
	})
	t.Run("load", func(t *testing.T) {
		_, err := db.Load(ctx, stream(recs), nil)
		want(err)
		_, err = db.Load(ctx, stream(recs), &dataknobs.LoadOptions{Mode: dataknobs.LoadPut})
		if err != nil { // its long values may lie in the temporary table's own file first
			want(err)
		}
	})
	t.Run("atomic batch", func(t *testing.T) {
		_, err := db.CreateMany(ctx, recs, dataknobs.Atomic())
		want(err)
		_, err = db.PutMany(ctx, recs, dataknobs.Atomic())
		want(err)
	})
	t.Run("transaction", func(t *testing.T) {
		want(db.Tx(ctx, func(tx *dataknobs.DB) error {
			if _, err := tx.CreateMany(ctx, recs[:100]); err != nil {
				return err
			}
			_, err := tx.Create(ctx, recs[700])
			return err
		}))
	})
	t.Run("small records still go", func(t *testing.T) {
		if _, err := db.Put(ctx, recs[0]); err != nil {
			t.Error(err)
		}
	})
	t.Run("room again", func(t *testing.T) {
		admin(t, srv, "truncate faults.people") // gives the table new files
		if _, err := db.Load(ctx, stream(recs), nil); err != nil {
			t.Fatal(err)
		}
		got, err := db.Get(ctx, recs[700].ID)
		if err != nil || got.Get("photo").Len() != len(long) {
			t.Errorf("afterwards: %v, %v", got, err)
		}
	})
}
