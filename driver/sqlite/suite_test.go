package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/sqlite"
	"dataknobs.dev/dataknobs/drivertest"
)

// open opens a store for as long as the test runs.
func open(t testing.TB, o sqlite.Options) *dataknobs.DB {
	t.Helper()
	d, err := sqlite.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, nil)
	t.Cleanup(func() { db.Close() })
	return db
}

func paths(texts ...string) []dataknobs.Path {
	var ps []dataknobs.Path
	for _, s := range texts {
		ps = append(ps, dataknobs.P(s))
	}
	return ps
}

// files opens stores in files of their own.
type files struct {
	n  atomic.Int64
	at sync.Map // *dataknobs.DB → sqlite.Options
}

func (f *files) open(t *testing.T, o sqlite.Options) *dataknobs.DB {
	o.Path = filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", f.n.Add(1)))
	o.Sync = sqlite.SyncOff // the disk is not what is tested here
	db := open(t, o)
	f.at.Store(db, o)
	return db
}

// again opens one more handle on db's store.
func (f *files) again(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
	o, _ := f.at.Load(db)
	other := open(t, o.(sqlite.Options))
	f.at.Store(other, o)
	return other
}

func (f *files) reopen(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
	if err := db.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	return f.again(t, db)
}

// harness returns a harness over files of one configuration.
func harness(o sqlite.Options) drivertest.Harness {
	f := new(files)
	return drivertest.Harness{
		Open:   func(t *testing.T) *dataknobs.DB { return f.open(t, o) },
		Reopen: f.reopen,
		Beside: f.again,
	}
}

func TestSuite(t *testing.T) {
	for _, c := range []struct {
		name string
		o    sqlite.Options
	}{
		{"document", sqlite.Options{}},
		{"indexed", sqlite.Options{Index: paths("a", "b", "n", "v", "w", "name", "age", "o.p", "_meta.source")}},
	} {
		t.Run(c.name, func(t *testing.T) { drivertest.Run(t, harness(c.o)) })
	}
}

func TestSuiteWithColumns(t *testing.T) {
	t.Run("columns", func(t *testing.T) { drivertest.Run(t, columnHarness(false)) })
	t.Run("indexed", func(t *testing.T) { drivertest.Run(t, columnHarness(true)) })
}

// columnHarness is a harness over tables with typed columns.
func columnHarness(indexed bool) drivertest.Harness {
	f := new(files)
	return drivertest.Harness{
		OpenColumns: func(t *testing.T, cols []drivertest.Column) *dataknobs.DB {
			o := sqlite.Options{Types: []dataknobs.Pair{{Name: "id", Value: "string"}}, Key: []string{"id"}, Extra: "extra", Meta: "meta", Rev: "rev"}
			for i, c := range cols {
				o.Types = append(o.Types, dataknobs.Pair{Name: c.Name, Value: c.Kind.String()})
				if indexed && i < 4 {
					o.Index = append(o.Index, dataknobs.Names(c.Name))
				}
			}
			return f.open(t, o)
		},
		Reopen: f.reopen,
		Beside: f.again,
	}
}

// A database in memory has one connection: what is outside a transaction waits
// until it is over.
func TestSuiteInMemory(t *testing.T) {
	const alone = "a database in memory has one connection, which a transaction has to itself"
	drivertest.Run(t, drivertest.Harness{
		Open: func(t *testing.T) *dataknobs.DB { return open(t, sqlite.Options{Path: ":memory:"}) },
		Skip: map[string]string{"Tx/not seen outside": alone, "Tx/snapshot": alone, "Tx/from inside another": alone},
	})
}
