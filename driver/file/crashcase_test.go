package file

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dataknobs.dev/dataknobs"
)

// The cases that TestPowerLoss and TestEveryFault have found.

func newCase(t *testing.T, o Options) *hist {
	disk, err := newDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := newHist(t, disk, o)
	h.must(h.open())
	return h
}

// lost is what the store holds after a loss of power now, and which of what need
// not be on the disk is.
func (h *hist) lost(by choice) (got contents) {
	h.t.Helper()
	at := len(h.disk.log)
	h.disk.crashes(func(i int, c *crash) {
		if i == at {
			got = h.stored(c.image(by))
		}
	})
	return got
}

// stored is what a store holds whose folder is like that.
func (h *hist) stored(img image) contents {
	h.t.Helper()
	dir := h.t.TempDir()
	h.must(img.put(dir, true))
	d, err := New(h.t.Context(), Options{Path: filepath.Join(dir, filepath.Base(h.o.Path)), Create: CreateAlways})
	h.must(err)
	db := dataknobs.New(d, nil)
	defer db.Close()
	got, _, err := contentsOf(h.t.Context(), db)
	h.must(err)
	return got
}

// fail makes the next event of that kind, of a file whose name contains part, fail.
func (h *hist) fail(kind kindOfEvent, part string) {
	done := false
	h.disk.fault = func(_ int, e *event) *fault {
		if done || e.kind != kind || !strings.Contains(e.name, part) {
			return nil
		}
		done = true
		return &fault{err: &fs.PathError{Op: opOf(kind), Path: e.name, Err: syscall.EIO}}
	}
}

func (h *hist) wants(got contents, recs ...*dataknobs.Record) {
	h.t.Helper()
	want := contents{}
	for _, r := range recs {
		want[r.ID] = textOf(r)
	}
	if !maps.Equal(got, want) {
		h.t.Errorf("got %v, wanted %v", got, want)
	}
}

// A journal that has its length, but nothing of its content yet, was never begun.
func TestJournalOfZeros(t *testing.T) {
	h := newCase(t, Options{Path: "s.ndjson"})
	h.create("", rec("a", 1, 1))
	h.kill()
	for n := range len(journalMagic) + 2 {
		text := append([]byte(journalMagic)[:min(n, len(journalMagic))], make([]byte, 90)...)
		h.wants(h.stored(image{"s.ndjson.journal": {data: text, mode: 0o600}}))
	}
}

// A frame that is cut at any byte, with zeros behind, did not happen.
func TestFrameCutBeforeZeros(t *testing.T) {
	h := newCase(t, Options{Path: "s.ndjson"})
	h.create("", rec("a", 1, 1))
	from := h.d.st.jrnl.end
	h.put("", rec("b", 2, 10))
	end := h.d.st.jrnl.end
	h.kill()
	whole, err := os.ReadFile(h.o.Path + journalExt)
	h.must(err)
	for n := from; n < end; n++ {
		text := append(whole[:n:n], make([]byte, int64(len(whole))-n)...)
		h.wants(h.stored(image{"s.ndjson.journal": {data: text, mode: 0o600}}), rec("a", 1, 1))
	}
}

// A writer that goes on after one that was killed makes durable first what it
// goes on from: else its own frame could stand behind a hole.
func TestWriterAfterAKilledOneLeavesNoHole(t *testing.T) {
	for _, mode := range []SyncMode{SyncAlways, SyncBatch} {
		h := newCase(t, Options{Path: "s.ndjson", Sync: mode})
		h.create("", rec("a", 1, 1))
		h.fail(evSync, journalExt) // what is in memory then is not on the disk, and never will be
		h.put("", rec("b", 2, 2000))
		h.sync("")
		h.kill()
		h.disk.fault = nil
		h.must(h.open())
		before, _, err := contentsOf(t.Context(), h.db)
		h.must(err)
		h.put("", rec("c", 3, 10))
		last := h.disk.log[len(h.disk.log)-1]
		got := h.lost(choice{all, func(_ int, e *event) piece {
			if e == last || e.kind == evWrite && len(e.data) < 200 {
				return whole
			}
			return piece{}
		}})
		if before = before.with([]change{{"c", textOf(rec("c", 3, 10))}}); !maps.Equal(got, before) {
			t.Errorf("sync mode %d: got %v, wanted %v", mode, got, before)
		}
	}
}

// A journal whose content is in the file goes only when the file's name is on the
// disk: the writer before may have been killed between the two.
func TestJournalOutlivesARenameThatIsNotOnDisk(t *testing.T) {
	h := newCase(t, Options{Path: "s.ndjson"})
	h.create("", rec("a", 1, 1))
	inPlace := false
	h.disk.fault = func(_ int, e *event) *fault {
		inPlace = inPlace || e.kind == evRename && e.to == "s.ndjson"
		if inPlace && e.kind == evSyncDir {
			return &fault{err: &fs.PathError{Op: "sync", Path: e.name, Err: syscall.EIO}}
		}
		return nil
	}
	h.sync("")
	h.kill()
	h.disk.fault = nil
	h.must(h.open())
	h.put("", rec("b", 2, 1))
	seen := 0
	for i, e := range h.disk.log {
		if e.kind != evRemove || e.name != "s.ndjson.journal" {
			continue
		}
		h.disk.crashes(func(at int, c *crash) {
			if at == i+1 {
				seen++
				onlyRemoved := choice{func(_ int, o *event) bool { return o == e }, noneOf}
				h.wants(h.stored(c.image(onlyRemoved)), rec("a", 1, 1))
			}
		})
	}
	if seen != 1 {
		t.Errorf("the journal was removed %d times, wanted once", seen)
	}
}

// The mode of the file is on the disk before its name is.
func TestModeSurvivesALossOfPower(t *testing.T) {
	h := newCase(t, Options{Path: "s.csv"})
	h.create("", rec("a", 1, 1))
	h.close("")
	h.must(os.Chmod(h.o.Path, 0o640))
	disk, err := newDisk(h.disk.dir)
	h.must(err)
	h.disk, h.o.fs = disk, disk
	h.must(h.open())
	h.put("", rec("b", 2, 1))
	h.close("")
	disk.crashes(func(at int, c *crash) {
		for name, f := range c.image(choice{all, noneOf}) {
			if name == "s.csv" && f.mode != 0o640 {
				t.Errorf("behind event %d: %s has the mode %v", at, name, f.mode)
			}
		}
	})
}

// A load whose file cannot be opened again ends the writing of its handle: what
// came next would be about a file that is not there any more.
func TestLoadThatCannotBeReadAgainIsTheLast(t *testing.T) {
	h := newCase(t, Options{Path: "s.csv"})
	inPlace := false
	h.disk.fault = func(_ int, e *event) *fault {
		inPlace = inPlace || e.kind == evRename && e.to == "s.csv"
		if inPlace && e.kind == evRead {
			return &fault{err: &fs.PathError{Op: "read", Path: e.name, Err: syscall.EIO}}
		}
		return nil
	}
	h.load("", rec("a", 1, 1))
	h.disk.fault = nil
	h.put("", rec("b", 2, 1))
	h.close("")
	for _, s := range h.steps[""] {
		if s.err == nil {
			t.Errorf("%s was acknowledged", s.what)
		}
	}
	h.wants(h.lost(choice{nothing, noneOf}), rec("a", 1, 1))
}

// Closing a handle whose sync failed says so.
func TestCloseAfterAFailedSync(t *testing.T) {
	h := newCase(t, Options{Path: "s.ndjson", Sync: SyncBatch})
	h.create("", rec("a", 1, 1))
	h.fail(evSync, journalExt)
	err := h.db.Close()
	if dataknobs.CodeOf(err) != dataknobs.Internal || !strings.Contains(err.Error(), "may not be on the disk") {
		t.Errorf("got %v; wanted an error of code Internal that says what may be lost", err)
	}
}
