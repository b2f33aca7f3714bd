package file

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
)

// contents are the records of a store by ID, each as text.
type contents map[string]string

func (c contents) String() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, " %s=%.40s", id, c[id])
	}
	return "{" + strings.TrimSpace(b.String()) + "}"
}

// textOf is the content of a record: its fields by name, without nulls.
func textOf(r *dataknobs.Record) string {
	var parts []string
	for _, f := range r.Fields {
		if f.Value.Kind() != dataknobs.KindNull {
			parts = append(parts, f.Name+":"+f.Value.String())
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// A change is what a write does to one record; an empty text removes it.
type change struct{ id, text string }

// A step is one thing that was done to a store, and when: between which events
// of the disk's log.
type step struct {
	what     string
	from, to int
	err      error
	refused  bool       // the handle took no more writes before it came
	changes  [][]change // each wholly or not at all, in their order
	durable  bool       // all before is on the disk when it returns
}

// A history is what was done to the store on a disk, one step after the other
// for each writer, each with records of its own.
type hist struct {
	t      *testing.T
	o      Options
	disk   *disk
	d      *Driver
	db     *dataknobs.DB
	begun  contents   // what the store held
	before []contents // what it may hold as well, until a write is acknowledged

	reads bool     // read everything after each step
	acked contents // what should be read, by the handle
	wrong error    // the first thing that was wrong with that

	mu    sync.Mutex
	steps map[string][]*step // by the writer
	revs  *revisions
}

// A revisions knows which content each revision stands for.
type revisions struct {
	mu   sync.Mutex
	text map[string]string
}

// see reports a revision that stands for another content already.
func (r *revisions) see(revision, id, text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := id + "\x00" + revision
	if old, ok := r.text[key]; ok && old != text {
		return fmt.Errorf("the revision %s of %s stands for %.60q and for %.60q", revision, id, old, text)
	}
	r.text[key] = text
	return nil
}

func newHist(t *testing.T, disk *disk, o Options) *hist {
	o.fs, o.Path, o.Create = disk, filepath.Join(disk.dir, o.Path), CreateAlways
	return &hist{t: t, o: o, disk: disk, begun: contents{}, steps: map[string][]*step{}, revs: &revisions{text: map[string]string{}}}
}

// open opens the store.
func (h *hist) open() error {
	d, err := New(h.t.Context(), h.o)
	if err != nil {
		return err
	}
	h.d, h.db = d, dataknobs.New(d, nil)
	return nil
}

// do does a step.
func (h *hist) do(writer, what string, durable bool, changes [][]change, f func() error) {
	s := &step{what: what, changes: changes, durable: durable, refused: h.d.w.failed != nil}
	h.mu.Lock()
	s.from, s.to = h.disk.now(), 1<<60
	h.steps[writer] = append(h.steps[writer], s)
	h.mu.Unlock()
	s.err = f()
	s.to = h.disk.now()
	if !h.reads {
		return
	}
	if s.err == nil {
		for _, c := range changes {
			h.acked = h.acked.with(c)
		}
	}
	if what != "close" {
		h.look(h.acked)
	}
}

func single(id, text string) [][]change { return [][]change{{{id, text}}} }

func (h *hist) put(writer string, rec *dataknobs.Record) {
	h.do(writer, "put "+rec.ID, h.o.Sync != SyncBatch, single(rec.ID, textOf(rec)), func() error {
		res, err := h.db.Put(h.t.Context(), rec)
		return h.ack(err, rec, res)
	})
}

func (h *hist) create(writer string, rec *dataknobs.Record) {
	h.do(writer, "create "+rec.ID, h.o.Sync != SyncBatch, single(rec.ID, textOf(rec)), func() error {
		res, err := h.db.Create(h.t.Context(), rec)
		return h.ack(err, rec, res)
	})
}

// ack notes the revision of a record that was written.
func (h *hist) ack(err error, rec *dataknobs.Record, res dataknobs.Result) error {
	if err == nil {
		if err := h.revs.see(res.Revision, rec.ID, textOf(rec)); err != nil {
			h.t.Error(err)
		}
	}
	return err
}

func (h *hist) delete(writer, id string) {
	h.do(writer, "delete "+id, h.o.Sync != SyncBatch, single(id, ""), func() error {
		err := h.db.Delete(h.t.Context(), id)
		if dataknobs.CodeOf(err) == dataknobs.NotFound {
			return nil
		}
		return err
	})
}

// batch puts records, atomically or one by one.
func (h *hist) batch(writer string, atomic bool, recs ...*dataknobs.Record) {
	var opts []dataknobs.BatchOption
	var changes [][]change
	for _, r := range recs {
		changes = append(changes, []change{{r.ID, textOf(r)}})
	}
	if atomic {
		opts = append(opts, dataknobs.Atomic())
		changes = [][]change{slices.Concat(changes...)}
	}
	h.do(writer, fmt.Sprintf("batch of %d, atomic %v", len(recs), atomic), h.o.Sync != SyncBatch, changes, func() error {
		_, err := h.db.PutMany(h.t.Context(), recs, opts...)
		return first(err)
	})
}

// first is the cause of the error of a batch.
func first(err error) error {
	var many *dataknobs.BatchError
	if errors.As(err, &many) {
		return many.Errors[0].Err
	}
	return err
}

// load loads records into a store that has none. Of those with the same ID the
// last stays, which may be written after the others.
func (h *hist) load(writer string, recs ...*dataknobs.Record) {
	var early, late []change
	seen := map[string]bool{}
	for _, r := range recs {
		if c := (change{r.ID, textOf(r)}); seen[r.ID] {
			late = append(late, c)
		} else {
			seen[r.ID], early = true, append(early, c)
		}
	}
	changes := [][]change{early}
	if len(late) > 0 {
		changes = append(changes, late)
	}
	h.do(writer, fmt.Sprintf("load of %d", len(recs)), h.o.Sync != SyncBatch, changes, func() error {
		_, err := h.db.Load(h.t.Context(), func(yield func(*dataknobs.Record, error) bool) {
			for _, r := range recs {
				if !yield(r, nil) {
					return
				}
			}
		}, &dataknobs.LoadOptions{Mode: dataknobs.LoadPut})
		return err
	})
}

// convert loads a file of records without making records of them.
func (h *hist) convert(writer string, recs ...*dataknobs.Record) {
	src, err := New(h.t.Context(), Options{Path: filepath.Join(h.t.TempDir(), "from.csv")})
	h.must(err)
	db := dataknobs.New(src, nil)
	defer db.Close()
	_, err = db.PutMany(h.t.Context(), recs)
	h.must(err)
	h.must(db.Sync(h.t.Context()))
	changes := [][]change{nil}
	for _, r := range recs {
		changes[0] = append(changes[0], change{r.ID, textOf(r)})
	}
	h.do(writer, "convert", h.o.Sync != SyncBatch, changes, func() error {
		_, err := Convert(h.t.Context(), src, h.d, nil)
		return err
	})
}

func (h *hist) sync(writer string) {
	h.do(writer, "sync", true, nil, func() error { return h.db.Sync(h.t.Context()) })
}

func (h *hist) close(writer string) {
	h.do(writer, "close", true, nil, h.db.Close)
}

// kill ends the handle as if its process had been killed.
func (h *hist) kill() {
	abandon(h.d)
}

// abandon lets go of what a handle holds of the operating system, without doing
// anything to the store.
func abandon(d *Driver) {
	w := &d.w
	w.lead <- struct{}{}
	defer w.lead.unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	w.failed = errors.New("the process was killed")
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
	if w.holding.Swap(false) {
		w.lock.f.Close()
	}
	d.closing.Store(true)
	if d.st != nil && d.st.base != nil {
		d.st.base.release()
	}
	d.st, d.closed = nil, true
}

// with is m with what changes do.
func (c contents) with(changes []change) contents {
	c = maps.Clone(c)
	for _, x := range changes {
		if x.text == "" {
			delete(c, x.id)
		} else {
			c[x.id] = x.text
		}
	}
	return c
}

// allowed are the contents that the store may have after a crash behind that
// many events of the disk's log, as far as the writer's records go.
func (h *hist) allowed(writer string, at int) []contents {
	full := []contents{h.only(writer, h.begun)} // with everything that was done
	may := union(full, h.before)                // also without what need not be on the disk yet
	for _, s := range h.steps[writer] {
		if at < s.from || at == s.from && at < s.to {
			break
		}
		acked := at >= s.to && s.err == nil
		switch {
		case s.refused:
		case acked:
			var some []contents
			full, some = through(full, s.changes)
			may = union(may, some)
			if may = union(may, full); s.durable {
				may = full
			}
		default:
			all, some := through(full, s.changes)
			full = union(full, union(some, all))
			may = union(may, full)
		}
	}
	return may
}

// through are the contents after all changes, and after some of them.
func through(from []contents, changes [][]change) (all, some []contents) {
	for _, c := range from {
		for i, x := range changes {
			if c = c.with(x); i < len(changes)-1 {
				some = append(some, c)
			}
		}
		all = append(all, c)
	}
	return all, some
}

func union(a, b []contents) []contents {
	a = slices.Clip(a)
	for _, c := range b {
		if !slices.ContainsFunc(a, func(o contents) bool { return maps.Equal(o, c) }) {
			a = append(a, c)
		}
	}
	return a
}

// only are the contents of one writer: its IDs begin with its name.
func (h *hist) only(writer string, c contents) contents {
	if len(h.steps) <= 1 {
		return c
	}
	out := contents{}
	for id, text := range c {
		if strings.HasPrefix(id, writer) {
			out[id] = text
		}
	}
	return out
}

// contentsOf reads a whole store.
func contentsOf(ctx context.Context, db *dataknobs.DB) (contents, map[string]string, error) {
	got, revs := contents{}, map[string]string{}
	for r, err := range db.Query(ctx, "") {
		if err != nil {
			return nil, nil, err
		}
		if _, twice := got[r.ID]; twice {
			return nil, nil, fmt.Errorf("%s is there twice", r.ID)
		}
		got[r.ID], revs[r.ID] = textOf(r), r.Revision
	}
	return got, revs, nil
}

// check compares what a store holds with what it may hold.
func (h *hist) check(got contents, at int) error {
	for writer := range h.steps {
		mine := h.only(writer, got)
		may := h.allowed(writer, at)
		if slices.ContainsFunc(may, func(c contents) bool { return maps.Equal(c, mine) }) {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "the store holds\n   %v\nbut may hold only", mine)
		for _, c := range may[max(0, len(may)-6):] {
			fmt.Fprintf(&b, "\n   %v", c)
		}
		return errors.New(b.String())
	}
	return nil
}

// story is what was done, with the places in the log of the disk.
func (h *hist) story(upTo int) string {
	var b strings.Builder
	for _, w := range slices.Sorted(maps.Keys(h.steps)) {
		for _, s := range h.steps[w] {
			if s.from <= upTo {
				fmt.Fprintf(&b, "\n   [%d,%d] %s %s: %v", s.from, s.to, w, s.what, s.err)
			}
		}
	}
	return b.String()
}

func (d *disk) tail(upTo int) string {
	var b strings.Builder
	for i := max(0, upTo-25); i < upTo; i++ {
		fmt.Fprintf(&b, "\n   %d %s", i+1, d.log[i])
	}
	return b.String()
}
