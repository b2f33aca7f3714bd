package postgres_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
)

// A batch that creates many records goes through COPY where that can say all
// there is to say, and by INSERT where a record needs an answer of its own: the results
// are the same.
func TestBatchOfManyCreates(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(recs []*dataknobs.Record)
		schema string // run once the table is there
		bad    func(i int) bool
		code   dataknobs.Code
	}{
		{name: "all new", bad: func(int) bool { return false }},
		{name: "some exist", bad: func(i int) bool { return i == 100 || i == 1800 }, code: dataknobs.AlreadyExists,
			schema: "insert into %s (id, fields) values ('000100', '{}'), ('001800', '{}')"},
		{name: "twice in the batch", change: func(recs []*dataknobs.Record) { recs[700].ID = recs[3].ID },
			bad: func(i int) bool { return i == 700 }, code: dataknobs.AlreadyExists},
		{name: "no number", change: func(recs []*dataknobs.Record) { recs[5].Set("n", dataknobs.Float(math.NaN())) },
			bad: func(i int) bool { return i == 5 }, code: dataknobs.InvalidArgument},
		{name: "row security", schema: "alter table %[1]s enable row level security, force row level security; create policy p on %[1]s using (true)",
			bad: func(int) bool { return false }},
		{name: "partly refused", schema: "alter table %s add check ((fields->>'n')::int <> 42)", bad: func(i int) bool { return i == 42 }, code: dataknobs.InvalidArgument},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSchema(t)
			db := open(t, s.at("people"))
			if _, err := db.Create(t.Context(), dataknobs.NewRecord("first")); err != nil {
				t.Fatal(err)
			}
			if c.schema != "" {
				s.exec(fmt.Sprintf(c.schema, "people"))
				db = open(t, s.at("people"))
			}
			recs := numbered(2000)
			if c.change != nil {
				c.change(recs)
			}
			before, _ := db.Count(t.Context(), nil)
			good := int64(len(recs))
			results, err := db.CreateMany(t.Context(), recs, dataknobs.Parallel(2))
			if (err != nil) != (c.code != 0) {
				t.Fatalf("CreateMany: %v", err)
			}
			for i, r := range results {
				if (r.Err != nil) != c.bad(i) || r.Err != nil && dataknobs.CodeOf(r.Err) != c.code {
					t.Errorf("write %d: %v", i, r.Err)
				}
				if r.Err != nil {
					good--
					continue
				}
				if r.ID != recs[i].ID || !r.Created {
					t.Fatalf("result %d is %+v", i, r)
				}
			}
			if n, err := db.Count(t.Context(), nil); n != before+good || err != nil {
				t.Errorf("there are %d records, %v; want %d", n, err, before+good)
			}
			wantRevisions(t, db, results)
			if c.name == "row security" {
				if _, err := db.Load(t.Context(), stream(numbered(2100)[2000:]), nil); err != nil {
					t.Errorf("Load: %v", err)
				}
			}
		})
	}
}

// The parts of a batch wait for each other, not for a connection.
func TestBatchWithOneConnection(t *testing.T) {
	s := newSchema(t)
	db := open(t, s.at("people", "pool.max=1", "pool.acquire_timeout=500ms"))
	if _, err := db.CreateMany(t.Context(), numbered(80_000), dataknobs.Parallel(8)); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Count(t.Context(), nil); n != 80_000 || err != nil {
		t.Errorf("there are %d records, %v", n, err)
	}
}

// wantRevisions checks that the results name the revisions that the records
// have, and that a write under one of them goes through once.
func wantRevisions(t *testing.T, db *dataknobs.DB, results []dataknobs.Result) {
	t.Helper()
	byID := map[string]string{}
	last := dataknobs.Result{}
	for _, r := range results {
		if r.Err == nil {
			byID[r.ID], last = r.Revision, r
		}
	}
	for rec, err := range db.Query(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if rev, ok := byID[rec.ID]; ok && rec.Revision != rev {
			t.Fatalf("the result says that %s has the revision %s, but it has %s", rec.ID, rev, rec.Revision)
		}
	}
	rec := dataknobs.NewRecord(last.ID, dataknobs.F("n", 1))
	if _, err := db.Put(t.Context(), rec, dataknobs.IfRevision(last.Revision)); err != nil {
		t.Errorf("a write under the revision that the batch gave: %v", err)
	}
	_, err := db.Put(t.Context(), rec, dataknobs.IfRevision(last.Revision))
	wantCode(t, err, dataknobs.Conflict)
}

// An atomic batch through COPY is whole too, and says which record spoilt it.
func TestAtomicBatchOfManyCreates(t *testing.T) {
	s := newSchema(t)
	db := open(t, s.at("people"))
	if _, err := db.CreateMany(t.Context(), numbered(1000), dataknobs.Atomic()); err != nil {
		t.Fatal(err)
	}
	recs := numbered(3000)[999:]
	results, err := db.CreateMany(t.Context(), recs, dataknobs.Atomic())
	wantCode(t, err, dataknobs.AlreadyExists, "000999")
	if dataknobs.CodeOf(results[0].Err) != dataknobs.AlreadyExists || results[1].Err == nil {
		t.Errorf("the results begin with %v and %v", results[0].Err, results[1].Err)
	}
	if n, _ := db.Count(t.Context(), nil); n != 1000 {
		t.Errorf("there are %d records, want the 1000 of before", n)
	}
}

// Batches of many that race for the same records leave each one created once.
func TestRacingBatchesOfCreates(t *testing.T) {
	s := newSchema(t)
	db := open(t, s.at("people"))
	const n, racers = 2000, 4
	var wg sync.WaitGroup
	won := make([]int, racers)
	for k := range racers {
		wg.Go(func() {
			recs := numbered(n)
			if k%2 == 1 { // in the other direction
				for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
					recs[i], recs[j] = recs[j], recs[i]
				}
			}
			results, err := db.CreateMany(t.Context(), recs)
			if err != nil && !strings.Contains(err.Error(), "already exists") {
				t.Errorf("racer %d: %v", k, err)
			}
			for _, r := range results {
				if r.Err == nil {
					won[k]++
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, w := range won {
		total += w
	}
	if got, err := db.Count(t.Context(), nil); got != n || total != n || err != nil {
		t.Errorf("there are %d records (%v), and the racers %v say that they created %d; want %d", got, err, won, total, n)
	}
}

// A load tells the server about the values of the declared indexes.
func TestLoadAnalyzes(t *testing.T) {
	s := newSchema(t)
	db := open(t, s.at("people", "index=n"))
	if _, err := db.Load(t.Context(), stream(numbered(2000)), nil); err != nil {
		t.Fatal(err)
	}
	if got := s.rows("select reltuples from pg_class where oid = 'people'::regclass"); got[0] != "2000" {
		t.Errorf("the server takes the table for one of %s records", got[0])
	}
}
