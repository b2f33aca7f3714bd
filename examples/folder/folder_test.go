package folder_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/drivertest"
	"dataknobs.dev/dataknobs/examples/folder"
)

func TestConformance(t *testing.T) {
	folders := map[*dataknobs.DB]string{}
	open := func(t *testing.T, dir string) *dataknobs.DB {
		s, err := folder.New(dir, folder.Options{NoSync: true}) // the tests kill no machine
		if err != nil {
			t.Fatal(err)
		}
		db := dataknobs.New(s, nil)
		folders[db] = dir
		return db
	}
	drivertest.Run(t, drivertest.Harness{
		Open: func(t *testing.T) *dataknobs.DB { return open(t, t.TempDir()) },
		Reopen: func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, folders[db])
		},
		MaxID: folder.MaxID,
		Slow:  true, // three system calls and a new file for each write
	})
}

// A condition on _id is decided by the names: no other file is read.
func TestConditionsOnNamesReadNoOtherFile(t *testing.T) {
	dir := t.TempDir()
	db := fill(t, dir, "ada", "alan", "grace")
	spoil(t, dir, "grace")
	if n, err := db.Count(t.Context(), dataknobs.PathID.Gt("b")); n != 1 || err != nil {
		t.Errorf("got %d, %v, want 1", n, err)
	}
	var got []string
	for rec, err := range db.Query(t.Context(), "_id starts with 'a' order by _id desc") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec.ID)
	}
	if want := []string{"alan", "ada"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A file that holds no record is an error that names it, never an absence.
func TestSpoiltFile(t *testing.T) {
	for _, text := range []string{"", "{}", "\"r\"\n{}\n", "\"r\"\n{}\n[]\n", "\"r\"\n{\"a\":1\n{}\n", "\"r\"\n{\"_id\":1}\n{}\n"} {
		dir := t.TempDir()
		db := fill(t, dir, "ada")
		if err := os.WriteFile(filepath.Join(dir, "ada.record"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Get(t.Context(), "ada"); !errors.Is(err, dataknobs.DataLoss) || !strings.Contains(err.Error(), "ada.record") {
			t.Errorf("%q: got %v, want data loss that names ada.record", text, err)
		}
	}
}

// What a write left that was cut short is no record, and is cleared away.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "ada").Close()
	if err := os.WriteFile(filepath.Join(dir, ".new-123"), []byte("\"r"), 0o600); err != nil {
		t.Fatal(err)
	}
	db := fill(t, dir)
	if n, err := db.Count(t.Context(), nil); n != 1 || err != nil {
		t.Errorf("got %d, %v, want 1", n, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); left != nil {
		t.Errorf("left: %q", left)
	}
}

// fill opens the store in dir and creates records of those IDs.
func fill(t *testing.T, dir string, ids ...string) *dataknobs.DB {
	t.Helper()
	db, err := dataknobs.Open(t.Context(), "folder:"+dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, id := range ids {
		if _, err := db.Create(t.Context(), dataknobs.NewRecord(id)); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func spoil(t *testing.T, dir, id string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, id+".record"), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "people")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := dataknobs.Open(ctx, "folder:"+dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	for name, born := range map[string]int64{"Ada": 1815, "Alan": 1912, "Grace": 1906} {
		rec := dataknobs.NewRecord(strings.ToLower(name))
		rec.Set("name", dataknobs.String(name))
		rec.Set("born", dataknobs.Int(born))
		if _, err := db.Put(ctx, rec); err != nil {
			log.Fatal(err)
		}
	}
	// The names of the files decide about _id; the engine does the rest.
	for rec, err := range db.Query(ctx, "_id > 'adb' and born < 1910 order by born") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rec.ID, rec.Get("name"), rec.Get("born"))
	}
	// Output:
	// grace 'Grace' 1906
}
