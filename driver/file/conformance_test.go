package file_test

import (
	"path/filepath"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/drivertest"
)

// stores are the names of files of every format and compression.
var stores = []struct {
	name         string
	nullIsAbsent bool
	key          []string
}{
	{name: "s.csv", nullIsAbsent: true},
	{name: "s.tsv", nullIsAbsent: true},
	{name: "s.json"},
	{name: "s.ndjson"},
	{name: "s.parquet", nullIsAbsent: true},
	{name: "s.csv.gz", nullIsAbsent: true},
	{name: "s.csv.zst", nullIsAbsent: true},
	{name: "s.ndjson.gz"},
	{name: "s.ndjson.zst"},
	{name: "s.json.gz"},
	{name: "keyed.json"},
	{name: "key.csv", nullIsAbsent: true, key: []string{"the key"}},
	{name: "key.parquet", nullIsAbsent: true, key: []string{"the key"}},
}

// openStore opens the store of a path; a missing one is empty.
func openStore(t testing.TB, o file.Options) *dataknobs.DB {
	t.Helper()
	o.Create = file.CreateAlways
	d, err := file.New(t.Context(), o)
	if err != nil {
		t.Fatalf("open %s: %v", o.Path, err)
	}
	return dataknobs.New(d, nil)
}

func TestConformance(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			if testing.Short() && s.name != "s.csv" && s.name != "s.ndjson" && s.name != "s.parquet" {
				t.Skip("the other formats take a while")
			}
			t.Parallel()
			var paths sync.Map // *dataknobs.DB → file.Options
			drivertest.Run(t, drivertest.Harness{
				Open: func(t *testing.T) *dataknobs.DB {
					o := file.Options{Path: filepath.Join(t.TempDir(), s.name), Key: s.key}
					if s.name != "s.csv" { // one format is enough to sync everything
						o.Sync = file.SyncNone
					}
					if s.name == "keyed.json" {
						write(t, o.Path, "{}")
					}
					db := openStore(t, o)
					paths.Store(db, o)
					return db
				},
				Reopen: func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
					v, _ := paths.Load(db)
					if err := db.Close(); err != nil {
						t.Fatalf("close %s: %v", db.Name(), err)
					}
					again := openStore(t, v.(file.Options))
					paths.Store(again, v)
					return again
				},
				NullIsAbsent: s.nullIsAbsent,
			})
		})
	}
}
