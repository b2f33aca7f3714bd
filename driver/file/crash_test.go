package file

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
)

var (
	crashSeed = flag.Uint64("crash-seed", 0, "the seed of the crash tests; 0: a new one")
	crashOnly = flag.Int("crash-at", -1, "test only crashes behind that many events")
)

// crashRuns is how much longer than in the short form the crash tests run.
func crashRuns(t *testing.T) int {
	text := os.Getenv("DATAKNOBS_CRASH_RUNS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("DATAKNOBS_CRASH_RUNS is %q; wanted a number from 1", text)
	}
	return n
}

// seedOf is the seed of this run, which the log says.
func seedOf(t *testing.T) uint64 {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) % 1e9
	}
	t.Logf("seed %d: repeat it with -run '^%s$' -args -crash-seed=%d", seed, t.Name(), seed)
	return seed
}

// A loss of power at any moment loses nothing that was acknowledged, leaves no
// half of anything else, and a store that opens and goes on.
func TestPowerLoss(t *testing.T) {
	seed, runs := seedOf(t), crashRuns(t)
	for i := range works {
		w := &works[i]
		if w.name == "large" && thin > 1 {
			continue // a minute, in which the race detector would learn nothing
		}
		t.Run(w.name+" "+w.path(), func(t *testing.T) {
			t.Parallel()
			for run := range runs {
				x := &explorer{t: t, w: w, rng: rand.New(rand.NewPCG(seed+uint64(run), xxh3.HashString(w.name+w.path()))), seen: map[xxh3.Uint128]bool{}}
				x.scratch = memory(t)
				start := time.Now()
				h := w.record(t, memory(t))
				x.explore(h)
				t.Logf("%d states of %d places, %d of them after a second loss of power, %d handles that went on after another; %v",
					x.states, x.places, x.again, x.forks, time.Since(start))
				if t.Failed() {
					return
				}
			}
		})
	}
}

// begin makes the folder ready for the work: what is done before is on the disk.
func (w *work) begin(t *testing.T, dir string) *hist {
	begun := contents{}
	if w.before != nil {
		disk, err := newDisk(dir)
		if err != nil {
			t.Fatal(err)
		}
		h := newHist(t, disk, w.o)
		h.must(h.open())
		w.before(h)
		all := h.allowed("", disk.now())
		begun = all[len(all)-1]
		h.must(os.Chmod(filepath.Join(dir, w.path()), 0o640))
	}
	disk, err := newDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := newHist(t, disk, w.o)
	h.begun, h.acked = begun, begun
	return h
}

// record does the work in a folder.
func (w *work) record(t *testing.T, dir string) *hist {
	h := w.begin(t, dir)
	h.must(h.open())
	w.run(h)
	for _, steps := range h.steps {
		for _, s := range steps {
			if s.err != nil {
				t.Errorf("%s: %v", s.what, s.err)
			}
		}
	}
	return h
}

func (h *hist) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// An explorer opens the states that crashes leave.
type explorer struct {
	t       *testing.T
	w       *work
	rng     *rand.Rand
	scratch string
	seen    map[xxh3.Uint128]bool
	states  int // different ones that were opened
	forks   int // processes that were killed while another went on
	again   int // of them, those that a second crash left
	places  int // where the power went
}

// memory is a folder for one test, in memory where there is such: nothing in it
// has to outlive anything.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "dataknobs-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// explore opens what a crash at every place of the history's log may leave.
func (x *explorer) explore(h *hist) {
	h.disk.crashes(func(at int, c *crash) {
		if x.t.Failed() || *crashOnly >= 0 && at != *crashOnly {
			return
		}
		if x.w.name == "large" && at%3 > 0 { // a megabyte each
			return
		}
		x.places++
		if len(h.steps) == 1 && c.loose() && h.o.Sync != SyncNone && x.rng.IntN(8*thin) == 0 {
			if err := x.fork(h, at, c, true); err != nil {
				x.t.Errorf("after the process was killed behind event %d: %v\nthe last events were%s\nthe history was%s", at, err, h.disk.tail(at), h.story(at))
				return
			}
		}
		for i, by := range x.choices(c, at, h.disk.log, 1) {
			if i > 1 && x.rng.IntN(thin) > 0 {
				continue // the two ends are always tried
			}
			if h.o.Sync == SyncNone {
				by = choice{all, allOf} // only the death of the process is promised to lose nothing
			}
			if x.t.Failed() {
				return
			}
			x.try(h, at, c.image(by), 1)
		}
	})
}

// try opens one state.
func (x *explorer) try(h *hist, at int, img image, depth int) {
	key := img.hash()
	key.Lo += uint64(at) // what may be there depends on it
	if x.seen[key] {
		return
	}
	x.seen[key] = true
	x.states++
	if depth == 0 {
		x.again++
	}
	if err := x.open(h, at, img, depth); err != nil {
		x.t.Errorf("after a loss of power behind event %d: %v\nthe disk held%v\nthe last events were%s\nthe history was%s",
			at, err, img, h.disk.tail(at), h.story(at))
	}
}

// fork goes on after the process alone has ended: what is not on the disk yet can
// be read all the same, and be lost later.
func (x *explorer) fork(h *hist, at int, c *crash, every bool) error {
	dir := filepath.Join(x.scratch, "fork")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return err
	}
	disk, err := c.disk(dir)
	if err != nil {
		return err
	}
	x.forks++
	n, err := x.enter(h, at, disk)
	if err != nil {
		return err
	}
	n.before = h.allowed("", at)
	if err := x.sound(n, dir); err != nil {
		return err
	}
	x.recovery(n, every)
	return nil
}

// recovery opens what a crash may leave of going on after another one, up to
// the first write that is acknowledged, or only behind that.
func (x *explorer) recovery(h *hist, every bool) {
	end := h.steps[""][0].to
	h.disk.crashes(func(at int, c *crash) {
		if at > end || at < end && !every {
			return
		}
		x.places++
		for _, by := range x.choices(c, at, h.disk.log, 0) {
			if !x.t.Failed() {
				x.try(h, at, c.image(by), 0)
			}
		}
	})
}

// put writes the files of the image into an empty folder.
func (m image) put(dir string, times bool) error {
	for name, f := range m {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, f.data, f.mode); err != nil {
			return err
		}
		if err := os.Chmod(path, f.mode); err != nil {
			return err
		}
		if m := time.Unix(0, f.mtime); times {
			if err := os.Chtimes(path, m, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens the store as the image holds it, looks at what is in it, writes,
// and opens it again.
func (x *explorer) open(h *hist, at int, img image, depth int) error {
	dir := filepath.Join(x.scratch, strconv.Itoa(depth))
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700), img.put(dir, x.rng.IntN(2) == 0)); err != nil {
		return err
	}
	if x.rng.IntN(2) == 0 { // that of the writer which is no more
		x.must(os.WriteFile(filepath.Join(dir, x.w.path()+lockExt), []byte("process 1 (dk)\n"), 0o600))
	}
	disk, err := newDisk(dir)
	if err != nil {
		return err
	}
	n, err := x.enter(h, at, disk)
	if err != nil {
		return err
	}
	if err := x.sound(n, dir); err != nil {
		return err
	}
	if depth > 0 && h.o.Sync != SyncNone && x.rng.IntN(120*thin) == 0 {
		x.recovery(n, true)
	}
	return nil
}

// enter opens a store as a crash has left it, looks at what is in it and goes on.
func (x *explorer) enter(h *hist, at int, disk *disk) (*hist, error) {
	o := h.o
	o.Path = x.w.path()
	n := newHist(x.t, disk, o)
	n.revs = h.revs
	if err := n.open(); err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	got, revs, err := contentsOf(x.t.Context(), n.db)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if err := h.check(got, at); err != nil {
		return nil, err
	}
	if n.disk.now() > 0 {
		return nil, fmt.Errorf("reading has written: %v", n.disk.log[0])
	}
	for id, text := range got {
		if err := h.revs.see(revs[id], id, text); err != nil {
			return nil, err
		}
	}
	n.begun = got
	return n, x.goOn(n, got, revs)
}

// goOn writes to a store that was opened after a crash.
func (x *explorer) goOn(h *hist, got contents, revs map[string]string) error {
	ctx := x.t.Context()
	ids := slices.Sorted(maps.Keys(got))
	if len(ids) > 0 {
		id := ids[x.rng.IntN(len(ids))]
		if _, err := h.db.Create(ctx, rec(id, 1, 1)); dataknobs.CodeOf(err) != dataknobs.AlreadyExists {
			return fmt.Errorf("create of %s, which is there: got %s, wanted AlreadyExists", id, fmt.Sprint(err))
		}
		if _, err := h.db.Put(ctx, rec(id, 1, 1), dataknobs.IfRevision("x"+revs[id])); dataknobs.CodeOf(err) != dataknobs.Conflict {
			return fmt.Errorf("put of %s with a revision that it does not have: got %s, wanted Conflict", id, fmt.Sprint(err))
		}
		next := rec(id, 20, 50)
		h.do("", "put "+id, h.o.Sync != SyncBatch, single(id, textOf(next)), func() error {
			_, err := h.db.Put(ctx, next, dataknobs.IfRevision(revs[id]))
			return err
		})
	}
	id := fmt.Sprint("new", len(got)) // a second crash finds those of the first
	for ; got[id] != ""; id += "+" {
	}
	h.create("", rec(id, 21, 10))
	h.batch("", true, rec(id+"a", 22, 10), rec(id+"b", 23, 600))
	h.delete("", id+"a")
	if _, err := h.db.Create(ctx, rec(id, 1, 1)); dataknobs.CodeOf(err) != dataknobs.AlreadyExists {
		return fmt.Errorf("create of a record that was just created: got %s, wanted AlreadyExists", fmt.Sprint(err))
	}
	h.close("")
	for _, s := range h.steps[""] {
		if s.err != nil {
			return fmt.Errorf("afterwards: %s: %w", s.what, s.err)
		}
	}
	return nil
}

// sound looks at a store that was closed.
func (x *explorer) sound(h *hist, dir string) error {
	d, err := New(x.t.Context(), Options{Path: h.o.Path, Create: CreateNever})
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	db := dataknobs.New(d, nil)
	defer db.Close()
	got, _, err := contentsOf(x.t.Context(), db)
	if err != nil {
		return fmt.Errorf("read again: %w", err)
	}
	if err := h.check(got, h.disk.now()); err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	if left := leftovers(x.t, dir); len(left) > 0 {
		return fmt.Errorf("left behind: %q", left)
	}
	info, err := os.Stat(h.o.Path)
	if err != nil {
		return err
	}
	if x.w.before != nil && info.Mode().Perm() != 0o640 {
		return fmt.Errorf("the mode of the file became %v", info.Mode())
	}
	return nil
}
