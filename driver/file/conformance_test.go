package file_test

import (
	"path/filepath"
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
func openStore(t testing.TB, path string) *dataknobs.DB {
	t.Helper()
	d, err := file.New(t.Context(), file.Options{Path: path, Create: file.CreateAlways})
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	return dataknobs.New(d, nil)
}

func TestConformance(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			paths := map[*dataknobs.DB]string{}
			drivertest.Run(t, drivertest.Harness{
				Open: func(t *testing.T) *dataknobs.DB {
					path := filepath.Join(t.TempDir(), s.name)
					if s.name == "keyed.json" {
						write(t, path, "{}")
					}
					db := openStore(t, path)
					paths[db] = path
					return db
				},
				Reopen: func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
					if err := db.Close(); err != nil {
						t.Fatalf("close %s: %v", paths[db], err)
					}
					again := openStore(t, paths[db])
					paths[again] = paths[db]
					return again
				},
				NullIsAbsent: s.nullIsAbsent,
				Slow:         true,
			})
		})
	}
}
