package file

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
)

// A sort of faults: which events fail, and how.
type faultSort struct {
	name  string
	hits  []kindOfEvent // which kinds it can be; nil: all
	errno syscall.Errno // 0: no error, but a short write
	part  int           // how much of a write is done, in percent
	again bool          // everything of its kinds after it fails too
	codes []dataknobs.Code
}

var (
	writing = []kindOfEvent{evCreate, evWrite, evTruncate}
	syncing = []kindOfEvent{evSync, evSyncDir}
	naming  = []kindOfEvent{evCreate, evRename, evRemove, evChmod, evOpen}

	full     = []dataknobs.Code{dataknobs.ResourceExhausted}
	broken   = []dataknobs.Code{dataknobs.Internal}
	lostData = []dataknobs.Code{dataknobs.DataLoss}
)

var faultSorts = []faultSort{
	{"disk full once", writing, syscall.ENOSPC, 50, false, full},
	{"disk full", writing, syscall.ENOSPC, 0, true, full},
	{"disk full at sync", syncing, syscall.ENOSPC, 0, true, full},
	{"short write", []kindOfEvent{evWrite}, 0, 50, false, broken},
	{"nothing written", []kindOfEvent{evWrite}, 0, 0, true, broken},
	{"write fails", []kindOfEvent{evWrite, evTruncate}, syscall.EIO, 90, false, broken},
	{"sync fails once", syncing, syscall.EIO, 0, false, broken},
	{"sync fails", syncing, syscall.EIO, 0, true, broken},
	{"name fails once", naming, syscall.EIO, 0, false, broken},
	{"name fails", naming, syscall.EIO, 0, true, broken},
	{"read fails once", []kindOfEvent{evRead}, syscall.EIO, 0, false, lostData},
	{"read fails", []kindOfEvent{evRead}, syscall.EIO, 0, true, lostData},
	{"everything fails", nil, syscall.EIO, 0, true, []dataknobs.Code{dataknobs.Internal, dataknobs.DataLoss}},
}

func (s *faultSort) hit(e *event) bool {
	if s.hits == nil {
		return true
	}
	return slices.Contains(s.hits, e.kind)
}

func (s *faultSort) fault(e *event) *fault {
	if s.errno == 0 {
		return &fault{nil, s.part}
	}
	return &fault{&fs.PathError{Op: opOf(e.kind), Path: e.name, Err: s.errno}, s.part}
}

func opOf(k kindOfEvent) string {
	switch k {
	case evRead:
		return "read"
	case evSync, evSyncDir:
		return "sync"
	}
	return k.String()
}

// most is how many of the events that it can hit it hits: of the syncs, each.
func (s *faultSort) most(runs int) int {
	if s.name == "sync fails once" {
		return 1 << 30
	}
	return 8 / thin * runs
}

// faulty are the works that go through every fault.
var faulty = []work{
	{"new", Options{Path: "s.ndjson"}, nil, simple},
	{"old", Options{Path: "s.csv"}, twoRecords, simple},
	{"old", Options{Path: "s.parquet"}, twoRecords, shortly},
	{"old", Options{Path: "s.json.gz"}, twoRecords, shortly},
	{"resumed", Options{Path: "s.csv"}, leftJournal, shortly},
	{"resumed", Options{Path: "s.ndjson", Sync: SyncBatch}, leftJournal, shortly},
	{"folds", Options{Path: "s.csv", Fold: 900}, twoRecords, many},
	{"load", Options{Path: "s.csv"}, nil, loaded},
	{"load", Options{Path: "s.parquet"}, nil, loaded},
	{"convert", Options{Path: "s.parquet"}, nil, converted},
	{"load emptied", Options{Path: "s.ndjson"}, nil, emptied},
	{"sync=batch", Options{Path: "s.ndjson", Sync: SyncBatch}, nil, simple},
}

// Whatever the disk refuses, and whenever: the error has its code, the handle
// shows what was acknowledged and nothing else, a sync that fails is the last
// thing it does, and the next handle finds all of it, wherever power goes.
func TestEveryFault(t *testing.T) {
	seed, runs := seedOf(t), crashRuns(t)
	for i := range faulty {
		w := &faulty[i]
		t.Run(w.name+" "+w.path(), func(t *testing.T) {
			t.Parallel()
			x := &explorer{t: t, w: w, rng: rand.New(rand.NewPCG(seed, xxh3.HashString(w.name+w.path()))), seen: map[xxh3.Uint128]bool{}}
			x.scratch = memory(t)
			faults := 0
			for i := range faultSorts {
				s := &faultSorts[i]
				for _, n := range x.which(x.count(s), s.most(runs)) {
					if x.fail(s, n); t.Failed() {
						return
					}
					faults++
				}
			}
			t.Logf("%d faults, %d states after a loss of power behind them", faults, x.again)
		})
	}
}

// count does the work without a fault, and counts what the sort could hit.
func (x *explorer) count(s *faultSort) (n int) {
	dir := filepath.Join(x.scratch, "faulty")
	x.must(errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)))
	h := x.w.begin(x.t, dir)
	h.reads = true
	h.disk.fault = func(_ int, e *event) *fault {
		if s.hit(e) {
			n++
		}
		return nil
	}
	x.must(h.open())
	x.w.run(h)
	x.must(errors.Join(h.errs()...))
	return n
}

// which are the numbers from 1 to n, or so many of them.
func (x *explorer) which(n, most int) []int {
	all := x.rng.Perm(n)
	all = all[:min(n, most)]
	for i := range all {
		all[i]++
	}
	slices.Sort(all)
	return all
}

// fail does the work with a fault at the n-th event that the sort can hit.
func (x *explorer) fail(s *faultSort, n int) {
	dir := filepath.Join(x.scratch, "faulty")
	x.must(errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)))
	h := x.w.begin(x.t, dir)
	h.reads = true
	seen := 0
	h.disk.fault = func(_ int, e *event) *fault {
		if !s.hit(e) {
			return nil
		}
		if seen++; seen == n || s.again && seen > n {
			return s.fault(e)
		}
		return nil
	}
	var err error
	if err = h.open(); err == nil {
		x.w.run(h)
		abandon(h.d)
	}
	fired := h.disk.fired
	if len(fired) == 0 {
		fired = []string{"nothing"}
	}
	h.disk.fault = nil
	if err := x.after(h, s, err); err != nil {
		x.t.Errorf("%s at %s (number %d): %v\nthe last events were%s\nthe history was%s", s.name, fired[0], n, err, h.disk.tail(len(h.disk.log)), h.story(1<<60))
	}
}

func (x *explorer) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// after looks at what a fault has left.
func (x *explorer) after(h *hist, s *faultSort, opened error) error {
	for _, err := range append([]error{opened}, h.errs()...) {
		if code := dataknobs.CodeOf(err); err != nil && !slices.Contains(s.codes, code) {
			return fmt.Errorf("the error %w has the code %s, not one of %v", err, code.Error(), s.codes)
		}
	}
	if err := h.poisoned(); err != nil {
		return err
	}
	if h.wrong != nil {
		return h.wrong
	}
	if len(h.steps) == 0 {
		h.steps[""] = nil
	}
	at := len(h.disk.log)
	var failed error
	h.disk.crashes(func(i int, c *crash) {
		if i == at {
			failed = x.fork(h, at, c, x.rng.IntN(5*thin) == 0)
		}
	})
	return failed
}

// errs are the errors of all steps.
func (h *hist) errs() (errs []error) {
	for _, s := range h.steps[""] {
		if s.err != nil {
			errs = append(errs, s.err)
		}
	}
	return errs
}

// poisoned reports a write that was acknowledged after a sync had failed.
func (h *hist) poisoned() error {
	for at, e := range h.disk.log {
		if e.kind != evLost {
			continue
		}
		for _, s := range h.steps[""] {
			if s.from > at && s.err == nil {
				return fmt.Errorf("%s was acknowledged after a sync had failed, at event %d", s.what, at+1)
			}
		}
	}
	return nil
}

// look reads the store while it is being written.
func (h *hist) look(acked contents) {
	if h.wrong != nil {
		return
	}
	got, _, err := contentsOf(h.t.Context(), h.db)
	switch {
	case err != nil && dataknobs.CodeOf(err) == dataknobs.DataLoss && strings.Contains(err.Error(), h.o.Path):
	case err != nil && dataknobs.CodeOf(err) == dataknobs.Internal && strings.Contains(err.Error(), h.o.Path):
	case err != nil:
		h.wrong = fmt.Errorf("reading: the error %w names no file, or has the code %s", err, dataknobs.CodeOf(err).Error())
	case !maps.Equal(got, acked):
		h.wrong = fmt.Errorf("the handle shows\n   %v\nwhere what it acknowledged is\n   %v", got, acked)
	}
}
