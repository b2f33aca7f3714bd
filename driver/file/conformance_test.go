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
}{
	{"s.csv", true},
	{"s.tsv", true},
	{"s.json", false},
	{"s.ndjson", false},
	{"s.parquet", true},
	{"s.csv.gz", true},
	{"s.csv.zst", true},
	{"s.ndjson.gz", false},
	{"s.ndjson.zst", false},
	{"s.json.gz", false},
	{"keyed.json", false},
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
					o := file.Options{Path: filepath.Join(t.TempDir(), s.name)}
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
