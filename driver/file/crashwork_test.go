package file

import (
	"fmt"
	"strings"
	"sync"

	"dataknobs.dev/dataknobs"
)

// rec makes a record: n decides on its text, so that a mixture of two shows.
func rec(id string, n, size int) *dataknobs.Record {
	return dataknobs.NewRecord(id, dataknobs.F("n", n), dataknobs.F("text", strings.Repeat(string(rune('a'+n%26)), size)))
}

// A work is something that is done to a store while its disk keeps a log.
type work struct {
	name   string
	o      Options
	before func(h *hist) // done and on the disk before the log begins
	run    func(h *hist)
}

func (w *work) path() string { return w.o.Path }

// simple is what most stores go through: writes of every kind, a fold, more of
// them, and the fold at close.
func simple(h *hist) {
	h.create("", rec("a", 1, 10))
	h.create("", rec("b", 2, 700))
	h.put("", rec("a", 3, 600))
	h.batch("", true, rec("c", 4, 300), rec("d", 5, 900), rec("b", 6, 20))
	h.delete("", "c")
	h.put("", dataknobs.NewRecord("e", dataknobs.F("n", 7), dataknobs.F("more", true)))
	h.sync("")
	h.put("", rec("d", 8, 40))
	h.put("", rec("d", 8, 40)) // the same again
	h.batch("", false, rec("f", 9, 10), rec("g", 10, 10))
	h.delete("", "a")
	h.close("")
}

func twoRecords(h *hist) {
	h.create("", rec("old", 1, 30))
	h.create("", rec("old2", 0, 30))
	h.close("")
}

// shortly is one write of each kind, and a fold.
func shortly(h *hist) {
	h.create("", rec("a", 1, 600))
	h.batch("", true, rec("c", 4, 300), rec("old", 6, 20))
	h.sync("")
	h.delete("", "old2")
	h.close("")
}

// leftJournal leaves a journal, as a process that is killed does.
func leftJournal(h *hist) {
	h.create("", rec("old", 1, 30))
	h.sync("")
	h.put("", rec("old2", 0, 700))
	h.kill()
}

// many folds often, as its journal is small.
func many(h *hist) {
	for i := range 10 {
		h.put("", rec(fmt.Sprintf("r%d", i%5), i, 150+40*i))
		if i%4 == 3 {
			h.delete("", fmt.Sprintf("r%d", (i+2)%5))
		}
	}
	h.close("")
}

// loaded fills a new store from a stream.
func loaded(h *hist) {
	h.load("", rec("a", 1, 10), rec("b", 2, 700), rec("c", 3, 20))
	h.put("", rec("b", 4, 30))
	h.close("")
}

// converted fills a new store from another file.
func converted(h *hist) {
	h.convert("", rec("a", 1, 10), rec("b", 2, 700), rec("c", 3, 20))
	h.put("", rec("b", 4, 30))
	h.close("")
}

// lateLoad has an ID twice in the stream.
func lateLoad(h *hist) {
	h.load("", rec("a", 1, 10), rec("b", 2, 700), rec("a", 3, 20))
	h.create("", rec("c", 4, 30))
	h.close("")
}

// emptied is written and emptied again before a load fills it.
func emptied(h *hist) {
	h.create("", rec("a", 1, 10))
	h.delete("", "a")
	h.load("", rec("a", 2, 10), rec("b", 3, 40))
	h.delete("", "b")
	h.close("")
}

// killed is a process that is killed, twice, and one that goes on each time.
func killed(h *hist) {
	h.create("", rec("a", 1, 10))
	h.put("", rec("b", 2, 700))
	for i := range 2 {
		h.kill()
		if err := h.open(); err != nil {
			h.t.Fatal(err)
		}
		h.put("", rec("a", 3+i, 800))
		h.batch("", true, rec("c", 5+i, 20), rec("d", 6+i, 900))
		if i == 0 {
			h.sync("")
			h.delete("", "b")
		}
	}
	h.close("")
}

// crowd is several writers, whose writes share their syncs.
func crowd(h *hist) {
	var wg sync.WaitGroup
	for _, w := range []string{"u", "v", "w"} {
		wg.Go(func() {
			for i := range 6 {
				h.put(w, rec(fmt.Sprint(w, i%3), i, 200*i))
				h.batch(w, true, rec(w+"x", i, 30), rec(w+"y", i, 500))
			}
		})
	}
	wg.Wait()
	h.close("u")
}

// large is a batch of several frames.
func large(h *hist) {
	h.create("", rec("a", 1, 10))
	h.batch("", false, rec("b", 2, 600<<10), rec("c", 3, 600<<10), rec("d", 4, 100))
	h.close("")
}

var works = []work{
	{"new", Options{Path: "s.ndjson"}, nil, simple},
	{"new", Options{Path: "s.json"}, nil, simple},
	{"old", Options{Path: "s.csv"}, twoRecords, simple},
	{"old", Options{Path: "s.json.gz"}, twoRecords, simple},
	{"old", Options{Path: "s.csv.zst"}, twoRecords, simple},
	{"old", Options{Path: "s.parquet"}, twoRecords, simple},
	{"folds", Options{Path: "s.csv", Fold: 900}, twoRecords, many},
	{"folds", Options{Path: "s.ndjson", Fold: 900}, nil, many},
	{"load", Options{Path: "s.csv"}, nil, loaded},
	{"load", Options{Path: "s.parquet"}, nil, loaded},
	{"convert", Options{Path: "s.parquet"}, nil, converted},
	{"load twice", Options{Path: "s.ndjson.gz"}, nil, lateLoad},
	{"load emptied", Options{Path: "s.tsv"}, nil, emptied},
	{"killed", Options{Path: "s.ndjson"}, nil, killed},
	{"killed", Options{Path: "s.csv"}, twoRecords, killed},
	{"resumed", Options{Path: "s.csv"}, leftJournal, shortly},
	{"crowd", Options{Path: "s.ndjson"}, nil, crowd},
	{"crowd folds", Options{Path: "s.csv", Fold: 2 << 10}, nil, crowd},
	{"large", Options{Path: "s.ndjson"}, nil, large},
	{"sync=none", Options{Path: "s.csv", Sync: SyncNone}, twoRecords, simple},
	{"sync=none killed", Options{Path: "s.ndjson", Sync: SyncNone, Fold: 900}, nil, killed},
	{"sync=batch", Options{Path: "s.csv", Sync: SyncBatch}, twoRecords, simple},
	{"sync=batch folds", Options{Path: "s.ndjson", Sync: SyncBatch, Fold: 900}, nil, many},
	{"sync=batch killed", Options{Path: "s.ndjson", Sync: SyncBatch}, nil, killed},
}
