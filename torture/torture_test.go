package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/internal/servers"
)

func TestMain(m *testing.M) {
	if workHere() || soakHere() { // this process is a writer that is to be killed, or one to be measured
		return
	}
	servers.Main(m)
}

// The short form of what scripts/torture does at length.
func TestEveryStoreKeepsItsPromises(t *testing.T) {
	p := plan{Seed: uint64(time.Now().UnixNano()), Kills: 12, ServerKills: 2, Writers: 16, Readers: 4, Round: 4 * time.Second}
	if testing.Short() {
		p.Kills, p.ServerKills = 3, 1
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "elasticsearch" {
				t.Skip("a node of its own takes long to start")
			}
			target, done, err := newTarget(t.Context(), name)
			if err != nil {
				if os.Getenv("CI") == "" {
					t.Skipf("needs a server: %v", err)
				}
				t.Fatal(err)
			}
			defer done()
			r, err := target.torture(t.Context(), p)
			if err != nil {
				t.Fatalf("seed %d: %v", p.Seed, err)
			}
			t.Logf("seed %d: %v", p.Seed, r)
			if len(r.Broken) > 0 {
				t.Errorf("seed %d: %v", p.Seed, r)
			}
			if r.Acked == 0 {
				t.Errorf("nothing was acknowledged")
			}
		})
	}
}

// The history must notice each kind of broken promise.
func TestHistoryNotices(t *testing.T) {
	ev := func(k kind, writer, op, id string, n int64, text string) event {
		return event{kind: k, writer: writer, op: op, id: id, n: n, text: text}
	}
	rec := func(id string, n int64, owner string) *dataknobs.Record { return newRecord(id, n, owner, 1) }
	for _, c := range []struct {
		name   string
		events []event
		store  []*dataknobs.Record
		want   string // part of what is broken; "": nothing is
	}{
		{"what was acknowledged is there", []event{ev(done, "w", "put", "register-w", 3, "")}, []*dataknobs.Record{rec("register-w", 3, "w")}, ""},
		{"a lost put", []event{ev(done, "w", "put", "register-w", 3, "")}, nil, "3 was acknowledged"},
		{"an old value", []event{ev(done, "w", "put", "register-w", 2, ""), ev(done, "w", "put", "register-w", 3, "")}, []*dataknobs.Record{rec("register-w", 2, "w")}, "is 2; 3 was acknowledged"},
		{"an unclear put that happened", []event{ev(done, "w", "put", "register-w", 2, ""), ev(unclear, "w", "put", "register-w", 3, "")}, []*dataknobs.Record{rec("register-w", 3, "w")}, ""},
		{"a rejected put that happened", []event{ev(done, "w", "put", "register-w", 2, ""), ev(rejected, "w", "put", "register-w", 3, "")}, []*dataknobs.Record{rec("register-w", 3, "w")}, "is 3; 2 was acknowledged"},
		{"a lost create", []event{ev(done, "w", "create", "new-w-1", 1, "")}, nil, "it was acknowledged"},
		{"a create that was refused", []event{ev(refused, "w", "create", "new-w-1", 1, "")}, nil, "nobody else creates it"},
		{"a record that nobody wrote", nil, []*dataknobs.Record{rec("new-w-1", 1, "w")}, "nobody wrote it"},
		{"a delete undone", []event{ev(done, "w", "create", "new-w-1", 1, ""), ev(done, "w", "delete", "new-w-1", 0, "")}, []*dataknobs.Record{rec("new-w-1", 1, "w")}, "its delete was acknowledged"},
		{"a lost update", []event{ev(done, "w", "count", "counter-0", 1, ""), ev(done, "v", "count", "counter-0", 1, "")}, []*dataknobs.Record{rec("counter-0", 1, "v")}, "2 increments were acknowledged"},
		{"an update too many", []event{ev(done, "w", "count", "counter-0", 1, "")}, []*dataknobs.Record{rec("counter-0", 2, "v")}, "is 2; 1 increments"},
		{"two winners", []event{ev(done, "w", "claim", "claim-0-1", 0, ""), ev(done, "v", "claim", "claim-0-1", 0, "")}, []*dataknobs.Record{rec("claim-0-1", 0, "v")}, "both w and v"},
		{"a loser that won", []event{ev(refused, "w", "claim", "claim-0-1", 0, "")}, []*dataknobs.Record{rec("claim-0-1", 0, "w")}, "was told that it lost"},
		{"half a batch", []event{ev(unclear, "w", "batch", "batch-w-1", 1, "")}, []*dataknobs.Record{rec("batch-w-1-0", 1, "w"), rec("batch-w-1-2", 1, "w")}, "only a part"},
		{"half a record", nil, []*dataknobs.Record{dataknobs.NewRecord("register-w", dataknobs.F("n", 3))}, "half a record"},
		{"a revision used twice", []event{ev(seen, "w", "", "register-w", 1, "7"), ev(seen, "w", "", "register-w", 2, "7")}, nil, "stood for two contents"},
		{"a writer that was killed", []event{ev(begun, "w", "create", "new-w-1", 1, "")}, []*dataknobs.Record{rec("new-w-1", 1, "w")}, ""},
		{"a read that fails as nothing may", []event{ev(failed, "w", "internal", "", 0, "boom")}, nil, `the code "internal"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHistory()
			for _, e := range c.events {
				again, ok := parseEvent(e.String())
				if !ok || again != e {
					t.Fatalf("%q was read back as %+v", e, again)
				}
				h.take(e)
			}
			h.killed()
			db := dataknobs.New(memory.New(memory.Options{}), nil)
			defer db.Close()
			for _, r := range c.store {
				if _, err := db.Put(context.Background(), r); err != nil {
					t.Fatal(err)
				}
			}
			if err := h.check(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(h.Broken, "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("broken: %q; wanted %q", got, c.want)
			}
		})
	}
}

// The short form of scripts/torture -soak 30m.
func TestNothingGrows(t *testing.T) {
	s := soak{Seed: uint64(time.Now().UnixNano()), For: 20 * time.Second, Every: 500 * time.Millisecond, Rate: 40}
	if testing.Short() {
		s.For = 5 * time.Second
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != "file" && name != "sqlite" {
				t.Skip("a server of its own takes long to start")
			}
			r, err := soakNamed(t.Context(), name, s)
			if err != nil {
				if os.Getenv("CI") == "" && strings.Contains(err.Error(), ".sh start") {
					t.Skipf("needs a server: %v", err)
				}
				t.Fatalf("seed %d: %v", s.Seed, err)
			}
			t.Logf("seed %d: %v", s.Seed, r)
			if !r.ok() {
				t.Errorf("seed %d: %v", s.Seed, r)
			}
		})
	}
}

// A soak must notice what grows, and what fails.
func TestSoakNotices(t *testing.T) {
	for _, c := range []struct {
		name   string
		of     string
		value  func(i int) int
		failed map[string]int
		want   bool
	}{
		{"nothing", "goroutines", func(int) int { return 9 }, nil, true},
		{"goroutines that go up and down", "goroutines", func(i int) int { return 9 + i%5 }, nil, true},
		{"goroutines that are left", "goroutines", func(i int) int { return 9 + i }, nil, false},
		{"a pool that fills first", "connections", func(i int) int { return min(9+5*i, 40) }, nil, true},
		{"connections that are left", "connections", func(i int) int { return 9 + i/4 }, nil, false},
		{"a heap that grows", "heap", func(i int) int { return i << 20 }, nil, false},
		{"an operation that failed", "heap", func(int) int { return 0 }, map[string]int{"put: boom": 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &soaked{Store: "x", Operations: 1, Failed: c.failed}
			for i := range 60 {
				s.all = append(s.all, sample{Seconds: float64(i), Gauges: map[string]int{c.of: c.value(i)}})
			}
			if s.judge(); s.ok() != c.want {
				t.Errorf("got %v, wanted %v\n%v", s.ok(), c.want, s)
			}
		})
	}
}
