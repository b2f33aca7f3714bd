package memory_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
)

func open(t testing.TB, o memory.Options) *dataknobs.DB {
	t.Helper()
	db := dataknobs.New(memory.New(o), nil)
	t.Cleanup(func() { db.Close() })
	return db
}

func ids(t *testing.T, db *dataknobs.DB, query string, args ...any) []string {
	t.Helper()
	var out []string
	for r, err := range db.Query(t.Context(), query, args...) {
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		out = append(out, r.ID)
	}
	return out
}

func put(t *testing.T, db *dataknobs.DB, id string, fields ...dataknobs.Field) {
	t.Helper()
	if _, err := db.Put(t.Context(), dataknobs.NewRecord(id, fields...)); err != nil {
		t.Fatal(err)
	}
}

// A scan sees the store as it was when it began, whatever is written under it.
func TestScanSeesOneMoment(t *testing.T) {
	for _, where := range []string{"", "n >= 0", "n in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)", "order by n"} {
		t.Run(where, func(t *testing.T) {
			db := open(t, memory.Options{Index: []dataknobs.Path{dataknobs.P("n")}})
			for i := range 10 {
				put(t, db, fmt.Sprint(i), dataknobs.F("n", i))
			}
			var got []string
			for r, err := range db.Query(t.Context(), where) {
				if err != nil {
					t.Fatal(err)
				}
				if len(got) == 0 { // change everything under the scan
					put(t, db, "5", dataknobs.F("n", 500))
					put(t, db, "new", dataknobs.F("n", 1))
					if err := db.Delete(t.Context(), "7"); err != nil {
						t.Fatal(err)
					}
				}
				got = append(got, fmt.Sprint(r.ID, "=", r.Get("n")))
			}
			slices.Sort(got)
			want := []string{"0=0", "1=1", "2=2", "3=3", "4=4", "5=5", "6=6", "7=7", "8=8", "9=9"}
			if !slices.Equal(got, want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
			if n, err := db.Count(t.Context(), nil); err != nil || n != 10 {
				t.Errorf("afterwards count = %d, %v; want 10", n, err)
			}
		})
	}
}

// An atomic batch is seen by a concurrent scan as a whole or not at all.
func TestScanSeesWholeBatches(t *testing.T) {
	db := open(t, memory.Options{})
	put(t, db, "a", dataknobs.F("n", 0))
	put(t, db, "b", dataknobs.F("n", 0))
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 500 {
			_, err := db.PutMany(t.Context(), []*dataknobs.Record{
				dataknobs.NewRecord("a", dataknobs.F("n", i)), dataknobs.NewRecord("b", dataknobs.F("n", i)),
			}, dataknobs.Atomic())
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 500 {
		var seen []dataknobs.Value
		for r, err := range db.Query(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, r.Get("n"))
		}
		if len(seen) != 2 || !seen[0].Equal(seen[1]) {
			t.Fatalf("a scan saw %v: half of a batch", seen)
		}
	}
	wg.Wait()
}

// Every query gives the same answer with and without indexes, and the explain
// of those that an index can serve says that it is used.
func TestIndexes(t *testing.T) {
	plain := open(t, memory.Options{})
	indexed := open(t, memory.Options{Index: []dataknobs.Path{dataknobs.P("city"), dataknobs.P("age"), dataknobs.P("a.b")}})
	for i := range 2000 {
		f := []dataknobs.Field{dataknobs.F("city", fmt.Sprintf("city%d", i%50)), dataknobs.F("age", i%97)}
		switch {
		case i%10 == 0:
			f[1] = dataknobs.F("age", nil)
		case i%11 == 0:
			f[1] = dataknobs.F("age", float64(i%97)+0.5)
		case i%13 == 0:
			f[1] = dataknobs.F("age", "old")
		case i%7 == 0:
			f = append(f, dataknobs.F("a", map[string]any{"b": i % 5}))
		}
		put(t, plain, fmt.Sprint(i), f...)
		put(t, indexed, fmt.Sprint(i), f...)
	}
	for _, c := range []struct {
		query string
		uses  string // the indexed path; "" if none can serve
	}{
		{"city = 'city7'", "city"},
		{"city in ('city7', 'city8', 'nowhere')", "city"},
		{"city starts with 'city4' and age > 90", "age"},
		{"city like 'city49%'", "city"},
		{"age between 10 and 12", "age"},
		{"age = 12.5", "age"},
		{"age > 94 order by city, age desc", "age"},
		{"age = 5 or age = 6 limit 3", "age"},
		{"a.b = 3", "a.b"},
		{"city = 'city7' order by age desc limit 5", "city"},
		{"order by age limit 7 offset 3", "age"},
		{"order by age desc limit 1990", "age"},
		{"order by age desc nulls first limit 300", "age"},
		{"order by age nulls first", "age"},
		{"city != 'city7' limit 5", ""},
		{"city = 'city7' or age = 3", ""},
		{"age is null", ""},
		{"age < 80 limit 4", ""},
	} {
		t.Run(c.query, func(t *testing.T) {
			want, got := ids(t, plain, c.query), ids(t, indexed, c.query)
			if !strings.Contains(c.query, "order") && !strings.Contains(c.query, "limit") {
				slices.Sort(want)
				slices.Sort(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("with indexes %v\nwithout %v", got, want)
			}
			plan, err := indexed.Explain(t.Context(), dataknobs.MustParse(c.query), dataknobs.ExplainOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if used := strings.Contains(plan.String(), "index on "+c.uses); c.uses != "" && !used {
				t.Errorf("the index on %s is not used:\n%s", c.uses, plan)
			}
			if c.uses == "" && strings.Contains(plan.String(), "index on") {
				t.Errorf("an index is used:\n%s", plan)
			}
		})
	}
}

// Paging along an index by token gives every record once, in order.
func TestPagingAlongIndex(t *testing.T) {
	db := open(t, memory.Options{Index: []dataknobs.Path{dataknobs.P("n")}})
	for i := range 100 {
		n := dataknobs.F("n", i%9)
		if i%5 == 0 {
			n = dataknobs.F("n", nil)
		}
		put(t, db, fmt.Sprintf("%03d", i), n)
	}
	for _, order := range []string{"order by n", "order by n desc", "order by n nulls first", "order by n desc nulls first"} {
		want := ids(t, db, order)
		var got []string
		q := dataknobs.MustParse(order + " limit 7")
		for {
			page, err := db.Page(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				got = append(got, r.ID)
			}
			if page.Next == "" {
				break
			}
			q.After = page.Next
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: paged %v\nat once %v", order, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		opts memory.Options
	}{
		{"records", memory.Options{MaxRecords: 2}},
		{"bytes", memory.Options{MaxBytes: 600}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t, c.opts)
			put(t, db, "a", dataknobs.F("n", 1))
			put(t, db, "b", dataknobs.F("n", 1))
			big := dataknobs.NewRecord("c", dataknobs.F("text", strings.Repeat("x", 500)))
			if _, err := db.Create(t.Context(), big); !errors.Is(err, dataknobs.ResourceExhausted) {
				t.Errorf("a third record: %v; want %v", err, dataknobs.ResourceExhausted)
			}
			put(t, db, "a", dataknobs.F("n", 2)) // replacing is possible
			if err := db.Delete(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			put(t, db, "d", dataknobs.F("n", 1)) // and so is creating, once there is room
		})
	}
}

// A failed atomic batch leaves records, indexes, order and bounds as they were.
func TestAtomicRollback(t *testing.T) {
	db := open(t, memory.Options{Index: []dataknobs.Path{dataknobs.P("n")}, MaxRecords: 5})
	for i := range 4 {
		put(t, db, fmt.Sprint(i), dataknobs.F("n", i))
	}
	writes := []dataknobs.Write{
		{Op: dataknobs.WritePut, ID: "new", Record: dataknobs.NewRecord("new", dataknobs.F("n", 1))},
		{Op: dataknobs.WriteDelete, ID: "new"},
		{Op: dataknobs.WritePut, ID: "new", Record: dataknobs.NewRecord("new", dataknobs.F("n", 2))},
		{Op: dataknobs.WriteDelete, ID: "1"},
		{Op: dataknobs.WritePut, ID: "1", Record: dataknobs.NewRecord("1", dataknobs.F("n", 9))},
		{Op: dataknobs.WritePut, ID: "2", Record: dataknobs.NewRecord("2", dataknobs.F("n", 1))},
		{Op: dataknobs.WriteDelete, ID: "missing"},
	}
	rs, err := db.Apply(t.Context(), writes, dataknobs.Atomic())
	if !errors.Is(err, dataknobs.NotFound) {
		t.Fatalf("got %v, %v; want %v", rs, err, dataknobs.NotFound)
	}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"limit 10", []string{"0", "1", "2", "3"}},
		{"n = 1", []string{"1"}},
		{"n = 9", nil},
		{"order by n desc", []string{"3", "2", "1", "0"}},
	} {
		if got := ids(t, db, c.query); !slices.Equal(got, c.want) {
			t.Errorf("after the rollback %q gives %v, want %v", c.query, got, c.want)
		}
	}
	put(t, db, "fifth", dataknobs.F("n", 5))
}

func TestOpenByURL(t *testing.T) {
	for _, c := range []struct{ url, wrong string }{
		{"mem:", ""},
		{"memory:?index=city,address.zip&max_records=10&max_bytes=1MiB", ""},
		{"mem:here", "no location"},
		{"mem:?indx=city", "index"},
		{"mem:?index=a..b", "index"},
		{"mem:?max_records=many", "max_records"},
		{"mem:?max_records=-1", "max_records"},
	} {
		db, err := dataknobs.Open(t.Context(), c.url, nil)
		if err == nil {
			db.Close()
		}
		if c.wrong == "" && err != nil || c.wrong != "" && (!errors.Is(err, dataknobs.InvalidArgument) || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("Open(%q): %v; want an error about %q", c.url, err, c.wrong)
		}
	}
}

// What was replaced or removed takes no memory, once no scan sees it.
func TestOldVersionsAreFreed(t *testing.T) {
	const records, size = 64, 1 << 20
	for _, how := range []string{"update", "delete", "update under a scan", "delete under a scan", "delete in a batch"} {
		t.Run(how, func(t *testing.T) {
			db := open(t, memory.Options{})
			var ids []string
			for i := range records {
				ids = append(ids, fmt.Sprint(i))
				put(t, db, ids[i], dataknobs.F("x", strings.Repeat("x", size)))
			}
			change := func() {
				if how == "delete in a batch" {
					if _, err := db.DeleteMany(t.Context(), ids, dataknobs.Atomic()); err != nil {
						t.Fatal(err)
					}
					return
				}
				for _, id := range ids {
					if strings.HasPrefix(how, "update") {
						put(t, db, id, dataknobs.F("x", "short"))
					} else if err := db.Delete(t.Context(), id); err != nil {
						t.Fatal(err)
					}
				}
			}
			if strings.HasSuffix(how, "scan") {
				n := 0
				for r, err := range db.Query(t.Context(), "") {
					if err != nil {
						t.Fatal(err)
					}
					if n == 0 {
						change()
					}
					if r.Get("x").Len() != size {
						t.Fatalf("the scan got a value of %d bytes, which is not of its moment", r.Get("x").Len())
					}
					n++
				}
				if n != records {
					t.Fatalf("the scan gave %d records", n)
				}
			} else {
				change()
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if m.HeapAlloc > records*size/2 {
				t.Errorf("%d MB are in use after %d MB were replaced or removed", m.HeapAlloc>>20, records*size>>20)
			}
			runtime.KeepAlive(db)
		})
	}
}

// An atomic batch that is undone leaves what was there, whatever scans end meanwhile.
func TestRollbackWhileScansEnd(t *testing.T) {
	db := open(t, memory.Options{})
	const records = 100
	var ws []dataknobs.Write
	for i := range records {
		put(t, db, fmt.Sprint(i), dataknobs.F("n", 0))
		ws = append(ws, dataknobs.Write{Op: dataknobs.WritePut, ID: fmt.Sprint(i), Record: dataknobs.NewRecord(fmt.Sprint(i), dataknobs.F("n", 1))})
	}
	ws = append(ws, dataknobs.Write{Op: dataknobs.WriteDelete, ID: "missing"})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := 0
				for r, err := range db.Query(t.Context(), "n = 0") {
					if err != nil {
						t.Error(err)
						return
					}
					n += int(r.Get("n").Any().(int64)) + 1
				}
				if n != records {
					t.Errorf("a scan found %d of %d records", n, records)
					return
				}
			}
		})
	}
	for i := range 300 {
		if _, err := db.Apply(t.Context(), ws, dataknobs.Atomic()); err == nil {
			t.Fatal("the batch was applied")
		}
		put(t, db, fmt.Sprint(i%records), dataknobs.F("n", 0)) // an old version for the scans
	}
	close(stop)
	wg.Wait()
}
