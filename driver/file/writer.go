package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
)

// A writer is the writing half of a Driver. Calls of Apply put their requests
// into a queue; one of them at a time leads: it takes all that wait, decides
// each write, puts them into the journal by one write and one sync, makes them
// visible and answers. Those that come meanwhile make up the next group, which
// the first of them leads.
type writer struct {
	d       *Driver
	holding atomic.Bool // the lock is held
	made    atomic.Bool // this handle has made the store, if only an empty one
	lead    workLock    // held by whoever leads, folds or closes; guards the fields below
	lock    *lock
	file    writeFile // the journal; nil: not begun
	room    int64     // how far the journal's file reaches: zeros follow the frames
	mode    fs.FileMode
	lost    bool  // what was acknowledged may not be on the disk
	failed  error // a sync failed, or a write to the journal: what is on disk is not known
	pause   int64 // no folding before the journal has this size: the last attempt failed
	dirty   bool  // written since the last sync
	timer   *time.Timer
	cost    time.Duration // of the last sync
	want    int           // how many requests may well make up the next group
	spare   *group        // the memory of the last one; nil: none

	mu    sync.Mutex // guards queue, led, and changes of size
	queue []*request
	led   bool         // somebody leads, or was told to
	size  atomic.Int32 // of the queue
	away  atomic.Int32 // how many have been answered, but did not run since
}

func (w *writer) init(d *Driver) {
	w.d = d
	w.lead = newWorkLock()
}

// Apply implements dataknobs.Driver. Writes of many goroutines share their
// syncs. An error of the journal leaves the call's writes unacknowledged and
// makes every later one fail until the store is opened again.
func (d *Driver) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	results := make([]dataknobs.Result, len(b.Writes))
	err := d.apply(ctx, b, results)
	if err != nil {
		for i := range results {
			if results[i].Err == nil {
				results[i] = dataknobs.Result{ID: b.Writes[i].ID, Err: err}
			}
		}
	}
	return results, err
}

func (d *Driver) apply(ctx context.Context, b *dataknobs.Batch, results []dataknobs.Result) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.w.begin(ctx); err != nil {
		return err
	}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	r := newRequest(b, results, d.t.format)
	defer r.release()
	return d.w.serve(ctx, r)
}

// prepare does beforehand, under the caller's own context, what takes long.
func (d *Driver) prepare(ctx context.Context) error {
	d.mu.RLock()
	if d.closed {
		d.mu.RUnlock()
		return errClosed
	}
	b := d.st.base
	if b == nil {
		d.mu.RUnlock()
		return nil
	}
	b.acquire()
	d.mu.RUnlock()
	defer b.release()
	if err := b.checkEdited(ctx); err != nil {
		return err
	}
	if err := d.verifyIDs(ctx, b); err != nil {
		return err
	}
	if b.ids().from == byRow {
		_, err := b.numberOfRows(ctx)
		return err
	}
	return nil
}

// serve waits until somebody has done r, or leads the group that does it.
func (w *writer) serve(ctx context.Context, r *request) error {
	if w.join(r) {
		return w.leadGroup(ctx, r)
	}
	select {
	case t := <-r.turn:
		if t == toLead {
			return w.leadGroup(ctx, r)
		}
	case <-ctx.Done():
		if w.withdraw(r) {
			return ctx.Err()
		}
		<-r.turn // it is being written: what becomes of it will soon be known
	}
	if w.away.Add(-1) == 0 {
		w.pass()
	}
	return r.err
}

// join puts r into the queue, and reports whether it shall lead. While some have
// been answered who did not run since, nobody does: they are likely to come again.
func (w *writer) join(r *request) (leads bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, r)
	w.size.Add(1)
	leads = !w.led && w.away.Load() == 0
	w.led = w.led || leads
	return leads
}

// withdraw takes r out of the queue; false if it is not there any more.
func (w *writer) withdraw(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, r)
	if i < 0 {
		return false
	}
	w.queue = slices.Delete(w.queue, i, i+1)
	w.size.Add(-1)
	select {
	case <-r.turn: // it was just told to lead
		w.led = false
		w.choose()
	default:
	}
	return true
}

// end ends the leading of the caller.
func (w *writer) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.led = false
	w.choose()
}

// pass lets somebody lead, if nobody does.
func (w *writer) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.choose()
}

// choose makes the first of the queue the leader, unless there is one, or some
// are away. The caller holds mu.
func (w *writer) choose() {
	if !w.led && len(w.queue) > 0 && w.away.Load() == 0 {
		w.led = true
		w.queue[0].turn <- toLead
	}
}

// take empties the queue.
func (w *writer) take() []*request {
	w.mu.Lock()
	defer w.mu.Unlock()
	rs := w.queue
	w.queue = make([]*request, 0, len(rs))
	w.size.Store(0)
	return rs
}

// gather takes the requests that wait. Whoever has just been answered may well
// come again at once, so it waits while such are coming, for at most as long as
// a sync takes.
func (w *writer) gather() []*request {
	if w.want > 1 {
		start := time.Now()
		came, seen := start, w.size.Load()
		for now := start; int(seen) < w.want && now.Sub(came) <= w.cost/8 && now.Sub(start) <= w.cost; now = time.Now() {
			runtime.Gosched()
			if n := w.size.Load(); n != seen {
				came, seen = now, n
			}
		}
	}
	return w.take()
}

// leadGroup does all requests that wait, mine among them.
func (w *writer) leadGroup(ctx context.Context, mine *request) error {
	defer w.end()
	if err := w.lead.lock(ctx); err != nil {
		w.withdraw(mine) // it is still there: only a leader empties the queue
		return err
	}
	defer w.lead.unlock()
	rs := w.gather()
	// The group is not only the leader's, so the leader's context must not end it.
	ctx = context.WithoutCancel(ctx)
	err := w.commit(ctx, rs)
	w.want = len(rs) + int(w.size.Load())
	w.away.Store(int32(len(rs)) - 1)
	for _, r := range rs {
		if r.err == nil {
			r.err = err
		}
		if r != mine {
			r.turn <- toLeave
		}
	}
	if err == nil {
		w.foldIfLarge(ctx)
	}
	return mine.err
}

// begin takes the lock of the store, before its first write.
func (w *writer) begin(ctx context.Context) error {
	if why := w.d.Features().ReadOnly; why != "" {
		return dataknobs.Errorf(dataknobs.Unsupported, "%s cannot be written: %s", w.d.t.name, why)
	}
	if w.holding.Load() {
		return nil
	}
	if err := w.lead.lock(ctx); err != nil {
		return err
	}
	defer w.lead.unlock()
	switch {
	case w.d.closing.Load():
		return errClosed
	case w.holding.Load():
		return nil
	}
	if err := w.usable(); err != nil {
		return err
	}
	return w.open(ctx)
}

// open takes the lock and tidies up after a writer that was killed.
func (w *writer) open(ctx context.Context) error {
	d := w.d
	// A reader that is looking for what others wrote must not put an older state
	// in the place of what is written from here on.
	d.refreshing.Lock()
	defer d.refreshing.Unlock()
	l, err := takeLock(d.t.path)
	if err != nil {
		return err
	}
	err = sweep(d.fs, d.t.path)
	if err == nil {
		err = d.reload(ctx)
	}
	if err == nil {
		err = w.resume()
	}
	if err != nil {
		return errors.Join(err, l.release())
	}
	w.lock = l
	w.holding.Store(true)
	return nil
}

// resume goes on with a journal that is there: what is no whole frame at its
// end is cut, and one that is in the file already goes.
func (w *writer) resume() error {
	d := w.d
	w.mode = 0
	if info, err := os.Stat(d.t.path); err == nil {
		w.mode = info.Mode().Perm()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.st.jrnl == nil {
		return nil
	}
	// What the last writer did may be in the memory of the operating system alone:
	// its last names,
	if err := d.fs.SyncDir(filepath.Dir(d.t.path)); err != nil {
		return ioError(filepath.Dir(d.t.path), err)
	}
	if d.st.stale() {
		if err := d.removeJournal(); err != nil {
			return err
		}
		d.st.jrnl = nil
		w.made.Store(true)
		return nil
	}
	f, err := d.fs.OpenFile(d.st.jrnl.name, os.O_RDWR, 0)
	if err != nil {
		return lockError(d.t.name, d.st.jrnl.name, err)
	}
	if d.st.jrnl.torn {
		err = f.Truncate(d.st.jrnl.end)
	}
	if err == nil { // and frames.
		err = w.harden(f, d.st.jrnl.end)
	}
	if err != nil {
		f.Close()
		return ioError(d.st.jrnl.name, err)
	}
	d.st.jrnl.torn = false
	w.file, w.room = f, d.st.jrnl.end
	return nil
}

// harden puts the first n bytes of a journal on the disk. They are written once
// more: after a sync that failed the system takes them for written.
func (w *writer) harden(f writeFile, n int64) error {
	if w.d.o.Sync == SyncNone {
		return nil
	}
	buf := make([]byte, min(n, 1<<20))
	for off := int64(0); off < n; off += int64(len(buf)) {
		buf = buf[:min(n-off, int64(len(buf)))]
		if m, err := f.ReadAt(buf, off); m < len(buf) {
			return err
		}
		if _, err := f.WriteAt(buf, off); err != nil {
			return err
		}
	}
	return f.Sync()
}

func (d *Driver) removeJournal() error {
	err := d.fs.Remove(d.t.path + journalExt)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioError(d.t.path+journalExt, err)
	}
	return d.fs.SyncDir(filepath.Dir(d.t.path))
}

// close ends the writing: the journal is folded, the lock let go of.
func (w *writer) close() error {
	if w.d.t.path == "" {
		return nil
	}
	w.lead <- struct{}{}
	defer w.lead.unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	if !w.holding.Load() {
		return w.usable()
	}
	w.syncNow()
	err := w.usable()
	if err == nil {
		err = w.fold(context.Background())
	}
	if w.file != nil {
		err = errors.Join(err, w.file.Close())
		w.file = nil
	}
	w.holding.Store(false)
	return errors.Join(err, w.lock.release())
}
