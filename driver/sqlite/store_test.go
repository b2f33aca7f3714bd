package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/sqlite"
)

// The statements that conditions and orders on a declared index become are
// such that SQLite uses it.
func TestIndexIsUsed(t *testing.T) {
	for _, layout := range []struct {
		name string
		o    sqlite.Options
	}{
		{"document", sqlite.Options{}},
		{"columns", sqlite.Options{Types: []dataknobs.Pair{{Name: "city", Value: "string"}, {Name: "n", Value: "int"}, {Name: "at", Value: "time"}}, Extra: "extra"}},
	} {
		t.Run(layout.name, func(t *testing.T) {
			o := layout.o
			o.Path = filepath.Join(t.TempDir(), "app.db")
			o.Index = paths("city", "n", "at", "address.zip")
			db := open(t, o)
			var recs []*dataknobs.Record
			for i := range 2000 {
				recs = append(recs, dataknobs.NewRecord("", dataknobs.F("city", fmt.Sprint("city ", i%100)), dataknobs.F("n", i), dataknobs.F("at", time.Unix(int64(i), 0)),
					dataknobs.F("address", map[string]any{"zip": fmt.Sprint(i)})))
			}
			if _, err := db.CreateMany(t.Context(), recs); err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{
				"where city = 'city 7'", "where city in ('city 7', 'city 8')", "where city starts with 'city 9'", "where city like 'city 9%'", "where city > 'city 98'",
				"where n = 7", "where n between 7 and 9", "where n < 3 or n > 1997", "where at >= time '1970-01-01T00:33:00Z'", "where address.zip = '7'",
				"where city = 'city 7' and n > 5", "order by n limit 3", "order by n desc limit 3", "order by address.zip limit 3", "where city = 'city 7' order by city limit 5",
			} {
				q, err := dataknobs.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				x, err := db.Explain(t.Context(), q, dataknobs.ExplainOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if plan := fmt.Sprint(x); !strings.Contains(plan, "USING INDEX") && !strings.Contains(plan, "USING COVERING INDEX") || strings.Contains(plan, "SCAN records\n") {
					t.Errorf("%s does not use the index:\n%s", text, plan)
				}
			}
		})
	}
}

// A long statement ends soon after its context.
func TestCancelLongQuery(t *testing.T) {
	db := open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "app.db")})
	stream := func(yield func(*dataknobs.Record, error) bool) {
		for i := range 30_000 {
			if !yield(dataknobs.NewRecord("", dataknobs.F("text", strings.Repeat("aaaaaaaaab", 50)), dataknobs.F("n", i)), nil) {
				return
			}
		}
	}
	if _, err := db.Load(t.Context(), stream, nil); err != nil {
		t.Fatal(err)
	}
	q, err := dataknobs.Parse("where text matches '(a|b|ab)*c$' and n > 5 or n = -1")
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := db.Count(ctx, q.Where); return err },
		func(ctx context.Context) error { _, err := db.All(ctx, q); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		start := time.Now()
		err := call(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it ended %s after it began", took)
		}
	}
	if n, err := db.Count(t.Context(), nil); n != 30_000 || err != nil {
		t.Errorf("the connection afterwards: %d, %v", n, err)
	}
}

// Without WAL a scan is in the way of a write, which says so.
func TestKeepMode(t *testing.T) {
	path := database(t, "create table other (id integer primary key)")
	db := open(t, sqlite.Options{Path: path, Table: "records", KeepMode: true, Busy: 30 * time.Millisecond})
	fill(t, db, 100)
	for range db.Run(t.Context(), &dataknobs.Query{}) {
		_, err := db.Put(t.Context(), dataknobs.NewRecord("x"))
		wantError(t, err, dataknobs.Unavailable, "locked")
		break
	}
	put(t, db, "x")
	if left, _ := filepath.Glob(path + "-*"); len(left) > 0 {
		t.Errorf("there are %q, so the mode was changed", left)
	}
}

// A write from outside, while the same program holds a transaction open, fails
// with what to do instead of waiting for ever.
func TestWriteBesideTransaction(t *testing.T) {
	db := open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "app.db"), Busy: 20 * time.Millisecond})
	err := db.Tx(t.Context(), func(tx *dataknobs.DB) error {
		if _, err := tx.Put(t.Context(), dataknobs.NewRecord("in")); err != nil {
			return err
		}
		_, err := db.Put(t.Context(), dataknobs.NewRecord("out"))
		wantError(t, err, dataknobs.Unavailable, "transaction", "write through it")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, db, "out")
}

// Writes that come together are committed together, each with its own answer.
func TestGroupCommit(t *testing.T) {
	db := open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "app.db")})
	put(t, db, "taken")
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := range 20 {
				id := fmt.Sprintf("%d-%d", g, i)
				if _, err := db.Create(t.Context(), dataknobs.NewRecord(id)); err != nil {
					t.Errorf("Create(%q): %v", id, err)
				}
				if _, err := db.Create(t.Context(), dataknobs.NewRecord("taken")); !errors.Is(err, dataknobs.AlreadyExists) {
					t.Errorf("Create of what exists: %v", err)
				}
				_, err := db.CreateMany(t.Context(), []*dataknobs.Record{dataknobs.NewRecord(id + "-a"), dataknobs.NewRecord("taken")}, dataknobs.Atomic())
				if !errors.Is(err, dataknobs.AlreadyExists) {
					t.Errorf("an atomic batch with what exists: %v", err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				_, err = db.Create(ctx, dataknobs.NewRecord(id+"-c"))
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("a cancelled Create: %v", err)
				}
				// A cancelled write may have happened; an acknowledged one has.
				if _, got := db.Get(t.Context(), id+"-c"); err == nil && got != nil {
					t.Errorf("an acknowledged Create is not there: %v", got)
				}
			}
		})
	}
	wg.Wait()
	if n, err := db.Count(t.Context(), &dataknobs.Cond{Path: dataknobs.PathID, Op: dataknobs.Like, Args: []dataknobs.Value{dataknobs.String("%-a")}}); n != 0 || err != nil {
		t.Errorf("of atomic batches that failed %d records are there, %v", n, err)
	}
}

// countEnv makes the test program one of several that count together.
const countEnv = "DATAKNOBS_TEST_COUNT"

func countUp(path string) {
	ctx := context.Background()
	d, err := sqlite.New(ctx, sqlite.Options{Path: path, Busy: 30 * time.Second, Sync: sqlite.SyncOff})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	db := dataknobs.New(d, nil)
	defer db.Close()
	for i := range 50 {
		if _, err := db.Patch(ctx, "x", []dataknobs.Change{{Path: dataknobs.Names(fmt.Sprintf("p%d-%d", os.Getpid(), i)), Value: dataknobs.Int(1)}}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		err := db.Tx(ctx, func(tx *dataknobs.DB) error {
			r, err := tx.Get(ctx, "n")
			if err != nil {
				return err
			}
			_, err = tx.Put(ctx, dataknobs.NewRecord("n", dataknobs.F("n", r.Get("n").Int()+1)))
			return err
		})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}

// Processes that patch one record and count in transactions lose nothing.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	db := open(t, sqlite.Options{Path: path})
	put(t, db, "x")
	put(t, db, "n", dataknobs.F("n", 0))
	const processes = 4
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
			cmd.Env = append(os.Environ(), countEnv+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	x, err := db.Get(t.Context(), "x")
	if err != nil || len(x.Fields) != 50*processes {
		t.Errorf("there are %d patches, %v; want %d", len(x.Fields), err, 50*processes)
	}
	n, err := db.Get(t.Context(), "n")
	if err != nil || n.Get("n").Int() != 50*processes {
		t.Errorf("the count is %v, %v; want %d", n, err, 50*processes)
	}
}
