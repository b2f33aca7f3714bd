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
// visible and answers. Those that come meanwhile make up the next group.
type writer struct {
	d       *Driver
	holding atomic.Bool // the lock is held
	made    atomic.Bool // this handle has made the store, if only an empty one
	lead    workLock    // held by whoever leads, folds or closes; guards the fields below
	lock    *lock
	file    writeFile // the journal; nil: not begun
	mode    fs.FileMode
	failed  error // a write to the journal failed: its state is not known
	pause   int64 // no folding before the journal has this size: the last attempt failed
	dirty   bool  // written since the last sync
	timer   *time.Timer
	cost    time.Duration // of the last sync
	last    [2]int        // how many requests the last two groups had
	body    []byte        // buffers for the next group
	text    []byte

	mu    sync.Mutex // guards queue
	queue []*request
}

// A request is one Apply.
type request struct {
	b       *dataknobs.Batch
	results []dataknobs.Result
	err     error // of the call as a whole
	done    chan struct{}
}

func (w *writer) init(d *Driver) {
	w.d = d
	w.lead = newWorkLock()
}

// Apply implements dataknobs.Driver. Writes of many goroutines share their
// syncs. An error of the journal leaves the call's writes unacknowledged and
// makes every later one fail until the store is opened again.
func (d *Driver) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	r := &request{b: b, results: make([]dataknobs.Result, len(b.Writes)), done: make(chan struct{})}
	if err := d.apply(ctx, r); err != nil {
		for i := range r.results {
			if r.results[i].Err == nil {
				r.results[i] = dataknobs.Result{ID: b.Writes[i].ID, Err: err}
			}
		}
		return r.results, err
	}
	return r.results, nil
}

func (d *Driver) apply(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &d.w
	if err := w.begin(ctx); err != nil {
		return err
	}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	w.queue = append(w.queue, r)
	w.mu.Unlock()
	return w.serve(ctx, r)
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

// serve waits until somebody has done r, or does it.
func (w *writer) serve(ctx context.Context, r *request) error {
	for {
		select {
		case <-r.done:
			return r.err
		case w.lead <- struct{}{}:
			w.leadGroup(ctx)
			w.lead.unlock()
		case <-ctx.Done():
			if w.withdraw(r) {
				return ctx.Err()
			}
			<-r.done // it is being written: what becomes of it will soon be known
			return r.err
		}
	}
}

func (w *writer) withdraw(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, r)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	return i >= 0
}

func (w *writer) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// gather takes the requests that wait. Those that the last groups answered are
// likely to come again at once, so it waits for them, for a part of what a sync costs.
func (w *writer) gather() []*request {
	if want := max(w.last[0], w.last[1]); want > 1 {
		for until := time.Now().Add(w.cost / 3); w.waiting() < want && time.Now().Before(until); {
			runtime.Gosched()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	rs := w.queue
	w.queue = nil
	return rs
}

// leadGroup does all requests that wait.
func (w *writer) leadGroup(ctx context.Context) {
	rs := w.gather()
	if len(rs) == 0 {
		return
	}
	w.last[0], w.last[1] = w.last[1], len(rs)
	// The group is not only the leader's, so the leader's context must not end it.
	err := w.commit(context.WithoutCancel(ctx), rs)
	for _, r := range rs {
		if r.err == nil {
			r.err = err
		}
		close(r.done)
	}
	if err == nil {
		w.foldIfLarge(context.WithoutCancel(ctx))
	}
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
	if d.st.stale() {
		if err := d.removeJournal(); err != nil {
			return err
		}
		d.st.jrnl = nil
		w.made.Store(true)
		return nil
	}
	f, err := d.fs.OpenFile(d.st.jrnl.name, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return lockError(d.t.name, d.st.jrnl.name, err)
	}
	if d.st.jrnl.torn {
		if err = f.Truncate(d.st.jrnl.end); err == nil {
			err = f.Sync()
		}
		if err != nil {
			f.Close()
			return ioError(d.st.jrnl.name, err)
		}
		d.st.jrnl.torn = false
	}
	w.file = f
	return nil
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
		return nil
	}
	var err error
	if w.failed == nil {
		w.syncNow()
		err = w.fold(context.Background())
	}
	if w.file != nil {
		err = errors.Join(err, w.file.Close())
		w.file = nil
	}
	w.holding.Store(false)
	return errors.Join(err, w.lock.release())
}
