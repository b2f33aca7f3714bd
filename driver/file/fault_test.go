package file

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"dataknobs.dev/dataknobs"
)

// faultFS is a file system whose n-th step fails, alone or with all after it.
type faultFS struct {
	osFS
	mu   sync.Mutex
	step int
	fail int // the step that fails; 0: none
	all  bool
	log  []string
}

var errFault = &fs.PathError{Op: "write", Path: "disk", Err: syscall.ENOSPC}

func (f *faultFS) do(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.step++
	f.log = append(f.log, what)
	if f.fail > 0 && (f.step == f.fail || f.all && f.step > f.fail) {
		return errFault
	}
	return nil
}

func (f *faultFS) OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error) {
	if err := f.do("open " + filepath.Base(name)); err != nil {
		return nil, err
	}
	w, err := f.osFS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{w, f, filepath.Base(name)}, nil
}

func (f *faultFS) Rename(from, to string) error {
	if err := f.do("rename to " + filepath.Base(to)); err != nil {
		return err
	}
	return f.osFS.Rename(from, to)
}

func (f *faultFS) Remove(name string) error {
	if err := f.do("remove " + filepath.Base(name)); err != nil {
		return err
	}
	return f.osFS.Remove(name)
}

func (f *faultFS) Chmod(name string, mode fs.FileMode) error {
	if err := f.do("chmod"); err != nil {
		return err
	}
	return f.osFS.Chmod(name, mode)
}

func (f *faultFS) SyncDir(dir string) error {
	if err := f.do("sync folder"); err != nil {
		return err
	}
	return nil
}

type faultFile struct {
	writeFile
	fs   *faultFS
	name string
}

// Write writes half of p where it fails.
func (f *faultFile) Write(p []byte) (int, error) {
	if err := f.fs.do("write " + f.name); err != nil {
		n, _ := f.writeFile.Write(p[:len(p)/2])
		return n, err
	}
	return f.writeFile.Write(p)
}

// WriteAt writes half of p where it fails.
func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.do("write " + f.name); err != nil {
		n, _ := f.writeFile.WriteAt(p[:len(p)/2], off)
		return n, err
	}
	return f.writeFile.WriteAt(p, off)
}

func (f *faultFile) Sync() error { return f.fs.do("sync " + f.name) }

func (f *faultFile) Truncate(n int64) error {
	if err := f.fs.do("truncate " + f.name); err != nil {
		return err
	}
	return f.writeFile.Truncate(n)
}

// A history is what was done to a store: the state that was acknowledged, and
// the one that would be if the first write that failed had happened all the same.
type history struct {
	t      *testing.T
	db     *dataknobs.DB
	acked  map[string]int64
	maybe  map[string]int64
	failed error
}

func (h *history) do(write func() error, effect func(map[string]int64)) {
	err := write()
	switch {
	case err == nil:
		effect(h.acked)
		if h.maybe != nil {
			effect(h.maybe)
		}
	case h.failed == nil:
		h.failed = err
		if code := dataknobs.CodeOf(err); code != dataknobs.ResourceExhausted {
			h.t.Errorf("the error of a full disk is %v, with code %v", err, code)
		}
		h.maybe = maps.Clone(h.acked)
		effect(h.maybe)
	}
}

func (h *history) create(id string, n int64) {
	h.do(func() error {
		_, err := h.db.Create(h.t.Context(), dataknobs.NewRecord(id, dataknobs.F("n", n)))
		return err
	}, func(m map[string]int64) { m[id] = n })
}

func (h *history) patch(id string, n int64) {
	h.do(func() error {
		_, err := h.db.Patch(h.t.Context(), id, []dataknobs.Change{{Path: dataknobs.Names("n"), Value: dataknobs.Int(n)}})
		return err
	}, func(m map[string]int64) { m[id] = n })
}

func (h *history) delete(id string) {
	h.do(func() error { return h.db.Delete(h.t.Context(), id) }, func(m map[string]int64) { delete(m, id) })
}

func (h *history) batch(ids ...string) {
	h.do(func() error {
		var recs []*dataknobs.Record
		for i, id := range ids {
			recs = append(recs, dataknobs.NewRecord(id, dataknobs.F("n", i)))
		}
		_, err := h.db.CreateMany(h.t.Context(), recs, dataknobs.Atomic())
		var many *dataknobs.BatchError
		if errors.As(err, &many) {
			return many.Errors[0].Err
		}
		return err
	}, func(m map[string]int64) {
		for i, id := range ids {
			m[id] = int64(i)
		}
	})
}

// run does the same things to a store every time.
func (h *history) run() {
	h.create("a", 1)
	h.create("b", 2)
	h.patch("a", 3)
	h.batch("c", "d")
	h.delete("b")
	_ = h.db.Sync(h.t.Context()) // where folding fails, the journal keeps everything
	h.create("b", 4)
	h.patch("c", 5)
	h.delete("d")
	_ = h.db.Close()
}

func contentOfStore(t *testing.T, path string) map[string]int64 {
	t.Helper()
	d, err := New(t.Context(), Options{Path: path, Create: CreateAlways})
	if err != nil {
		t.Fatalf("open again: %v", err)
	}
	db := dataknobs.New(d, nil)
	got := map[string]int64{}
	for r, err := range db.Query(t.Context(), "") {
		if err != nil {
			t.Fatalf("read again: %v", err)
		}
		got[r.ID] = r.Get("n").Int()
	}
	if err := db.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	return got
}

// A disk that fails at any step, for once or for good, loses nothing that was
// acknowledged, and shows no half of anything else.
func TestFaultAtEveryStep(t *testing.T) {
	for _, name := range []string{"new.ndjson", "old.csv", "old.json.gz"} {
		for _, all := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/all=%v", name, all), func(t *testing.T) {
				for n := 0; ; n++ {
					fsys := &faultFS{fail: n, all: all}
					if done := faultAt(t, name, fsys); done && n > 0 {
						t.Logf("%d steps", n-1)
						return
					}
					if t.Failed() {
						t.Fatalf("step %d failed; the steps were: %s", n, strings.Join(fsys.log, ", "))
					}
				}
			})
		}
	}
}

// faultAt runs one history; it reports whether it ended before the step that fails.
func faultAt(t *testing.T, name string, fsys *faultFS) (done bool) {
	path := filepath.Join(t.TempDir(), name)
	h := &history{t: t, acked: map[string]int64{}}
	if strings.HasPrefix(name, "old") {
		old, err := New(t.Context(), Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		h.db = dataknobs.New(old, nil)
		h.create("old", 9)
		h.create("old2", 8)
		if err := h.db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	d, err := New(t.Context(), Options{Path: path, fs: fsys})
	if err != nil {
		t.Fatal(err)
	}
	h.db = dataknobs.New(d, nil)
	h.run()
	if fsys.fail == 0 {
		return false
	}
	got := contentOfStore(t, path)
	if !maps.Equal(got, h.acked) && (h.maybe == nil || !maps.Equal(got, h.maybe)) {
		t.Errorf("fault at step %d: after opening again\n got          %v\n acknowledged %v\n or else      %v", fsys.fail, got, h.acked, h.maybe)
	}
	if left := leftovers(t, filepath.Dir(path)); len(left) > 0 && h.failed == nil && !fsys.all {
		// The next writer sweeps what a fault left.
		again, err := New(t.Context(), Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		db := dataknobs.New(again, nil)
		if _, err := db.Put(t.Context(), dataknobs.NewRecord("z", dataknobs.F("n", 0))); err != nil {
			t.Errorf("writing after a fault: %v", err)
		}
		db.Close()
		if left = leftovers(t, filepath.Dir(path)); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
	return fsys.step < fsys.fail
}

// When folding fails after writes were acknowledged, the error says that they
// are safe, and the next writer folds them in.
func TestFailedFoldSaysWhereTheChangesAre(t *testing.T) {
	for _, c := range []struct {
		name, path, at string // the step that fails
		errno          syscall.Errno
		code           dataknobs.Code
		fold           func(*dataknobs.DB) error
	}{
		{"disk full at close", "x.ndjson", "write .x.ndjson", syscall.ENOSPC, dataknobs.ResourceExhausted, (*dataknobs.DB).Close},
		{"disk full at sync", "x.csv", "write .x.csv", syscall.ENOSPC, dataknobs.ResourceExhausted, func(db *dataknobs.DB) error { return db.Sync(t.Context()) }},
		{"read-only", "x.json", "open .x.json", syscall.EROFS, dataknobs.PermissionDenied, (*dataknobs.DB).Close},
		{"side file", "x.csv", "open .x.csv.dk.json", syscall.EACCES, dataknobs.PermissionDenied, (*dataknobs.DB).Close},
		{"rename", "x.ndjson", "rename to x.ndjson", syscall.EIO, dataknobs.Internal, (*dataknobs.DB).Close},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.path)
			d, err := New(t.Context(), Options{Path: path, fs: &stepFS{at: c.at, err: &fs.PathError{Op: "write", Path: "disk", Err: c.errno}}})
			if err != nil {
				t.Fatal(err)
			}
			db := dataknobs.New(d, nil)
			if _, err := db.Create(t.Context(), dataknobs.NewRecord("a", dataknobs.F("n", 1))); err != nil {
				t.Fatal(err)
			}
			err = c.fold(db)
			if code := dataknobs.CodeOf(err); code != c.code {
				t.Errorf("got error %v with code %v, wanted code %v", err, code, c.code)
			}
			for _, want := range []string{c.errno.Error(), "safe in " + path + journalExt, "folds them in"} {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("got error %q, wanted it to say %q", err, want)
				}
			}
			_ = db.Close()
			if got := contentOfStore(t, path); !maps.Equal(got, map[string]int64{"a": 1}) {
				t.Errorf("afterwards the store holds %v", got)
			}
		})
	}
}

// stepFS is a file system where every step fails whose name begins with at.
type stepFS struct {
	osFS
	at  string
	err error
}

func (s *stepFS) do(what string) error {
	if strings.HasPrefix(what, s.at) {
		return s.err
	}
	return nil
}

func (s *stepFS) OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error) {
	if err := s.do("open " + filepath.Base(name)); err != nil {
		return nil, err
	}
	w, err := s.osFS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &stepFile{w, s, filepath.Base(name)}, nil
}

func (s *stepFS) Rename(from, to string) error {
	if err := s.do("rename to " + filepath.Base(to)); err != nil {
		return err
	}
	return s.osFS.Rename(from, to)
}

type stepFile struct {
	writeFile
	fs   *stepFS
	name string
}

func (f *stepFile) Write(p []byte) (int, error) {
	if err := f.fs.do("write " + f.name); err != nil {
		return 0, err
	}
	return f.writeFile.Write(p)
}

func (f *stepFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.do("write " + f.name); err != nil {
		return 0, err
	}
	return f.writeFile.WriteAt(p, off)
}

// leftovers are the files that are there only while something is written.
func leftovers(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.Contains(e.Name(), tempMark) || strings.HasSuffix(e.Name(), journalExt) || strings.HasSuffix(e.Name(), lockExt) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}
