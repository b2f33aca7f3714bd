package file

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
)

// state is what a handle knows of the store: the base, and what the journal
// says on top of it. Guarded by Driver.mu.
type state struct {
	base *base // nil: there is no file
	ov   *overlay
	jrnl *journal // nil: there is none
	side *side    // of a single file
}

func (s *state) empty() bool { return s.ov.empty() && s.jrnl == nil }

func (s *state) baseID() fileID {
	if s.base == nil {
		return fileID{}
	}
	return s.base.id
}

// readDisk reads the store as it is on disk now. A writer may be folding its
// journal meanwhile, so what was read counts only if the file is still the same.
func (d *Driver) readDisk(ctx context.Context) (*state, error) {
	if d.t.many != nil {
		b, err := openMany(ctx, &d.o, d.t)
		return &state{base: b, ov: newOverlay()}, err
	}
	for try := 0; ; try++ {
		st, err := d.loadOnce(ctx)
		now, idErr := identify(d.t.path)
		if idErr != nil {
			err = idErr
		}
		if err == nil && now == st.baseID() {
			return st, nil
		}
		if st != nil && st.base != nil {
			st.base.release()
		}
		if try == 20 || idErr != nil || err != nil && (dataknobs.IsContext(err) || try > 3) {
			if err == nil {
				err = dataknobs.Errorf(dataknobs.Unavailable, "%s is being replaced again and again", d.t.name)
			}
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(try) * time.Millisecond):
		}
	}
}

func (d *Driver) loadOnce(ctx context.Context) (*state, error) {
	side, err := readSide(d.fs, d.t.path)
	if err != nil {
		return nil, err
	}
	st := &state{ov: newOverlay(), side: side}
	if st.base, err = d.sameBase(side); err != nil {
		return nil, err
	}
	if st.base == nil {
		if st.base, err = openSingle(ctx, &d.o, d.t, side); err != nil {
			return nil, err
		}
	}
	j, f, err := openJournal(d.fs, d.t.path)
	if err != nil || j == nil {
		return st, err
	}
	defer f.Close()
	st.jrnl = j
	return st, d.replayAll(st, f)
}

// sameBase returns the base that the handle has, if it is what is on disk: what
// is known of it, such as the index of its IDs, stays good. nil: it is not.
func (d *Driver) sameBase(side *side) (*base, error) {
	now, err := identify(d.t.path)
	if err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed || d.st == nil || d.st.base == nil || d.st.base.id != now || !bytes.Equal(side.text, d.st.side.text) {
		return nil, nil
	}
	d.st.base.acquire()
	return d.st.base, nil
}

// replayAll puts the whole journal on top of the base, if it is this base's.
func (d *Driver) replayAll(st *state, f io.ReaderAt) error {
	if err := st.jrnl.replay(f, st.ov.apply); err != nil {
		return err
	}
	if st.jrnl.end == 0 {
		return nil
	}
	file := st.baseFile()
	ok, err := st.jrnl.base.matches(file, st.baseID())
	if ok || err != nil {
		return ioError(d.t.name, err)
	}
	// The file may be what the journal was folded into: then only removing the
	// journal was left to do.
	if ok, err = st.jrnl.fold.matches(file, st.baseID()); err != nil {
		return ioError(d.t.name, err)
	}
	if ok && !st.jrnl.after {
		st.ov = newOverlay()
		return nil
	}
	if st.ov.empty() {
		return nil
	}
	return dataknobs.Errorf(dataknobs.DataLoss, "%s holds acknowledged changes of another state of %s, which was changed or removed by another program since",
		st.jrnl.name, d.t.name).WithHint("put the file back as it was, or give the changes up by removing the journal")
}

// baseFile is the base's open file; nil where there is none.
func (s *state) baseFile() io.ReaderAt {
	if s.base == nil {
		return nil
	}
	return s.base.parts[0].f
}

// stale reports whether the journal has been folded into the base already, or
// holds nothing: it can go.
func (s *state) stale() bool { return s.jrnl != nil && (s.ov.empty() || s.jrnl.end == 0) }

// apply does one operation of the journal.
func (o *overlay) apply(x op) {
	if x.rec == nil {
		o.remove(x.id, x.ref)
		return
	}
	o.put(x.id, x.rec, x.ref, x.rep)
}

// reload replaces the handle's state by what is on disk.
func (d *Driver) reload(ctx context.Context) error {
	st, err := d.readDisk(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		if st.base != nil {
			st.base.release()
		}
		return errClosed
	}
	d.adopt(st)
	return nil
}

// adopt makes st the handle's state. The caller holds mu.
func (d *Driver) adopt(st *state) {
	if d.st != nil && d.st.base != nil {
		d.st.base.release()
	}
	d.st = st
	d.setFeatures(d.featuresOf(st.base))
}

// refresh looks whether another process has written since, and takes that in.
func (d *Driver) refresh(ctx context.Context) error {
	if d.t.path == "" || d.w.holding.Load() {
		return nil // nobody else may write
	}
	baseNow, err := identify(d.t.path)
	if err != nil {
		return err
	}
	jrnlNow, err := identify(d.t.path + journalExt)
	if err != nil {
		return err
	}
	d.mu.RLock()
	fresh := !d.closed && d.st != nil && d.st.fresh(baseNow, jrnlNow)
	d.mu.RUnlock()
	if fresh {
		return nil
	}
	d.refreshing.Lock()
	defer d.refreshing.Unlock()
	if d.w.holding.Load() {
		return nil
	}
	if d.catchUp(baseNow, jrnlNow) {
		return nil
	}
	return d.reload(ctx)
}

// fresh reports whether nothing has changed.
func (s *state) fresh(base, jrnl fileID) bool {
	if base != s.baseID() {
		return false
	}
	if s.jrnl == nil {
		return !jrnl.exists()
	}
	return jrnl.ino == s.jrnl.id.ino && jrnl.dev == s.jrnl.id.dev && s.jrnl.fresh()
}

// fresh reports whether the file holds what was read of it, and no more.
func (j *journal) fresh() bool {
	f, err := openFile(j.name, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return j.isAt(f) && j.endsAt(f)
}

// catchUp takes in the frames that were added to the journal; false if that is
// not what happened.
func (d *Driver) catchUp(base, jrnl fileID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	st := d.st
	if d.closed || st == nil || st.jrnl == nil || st.jrnl.end == 0 || st.jrnl.fold != nil || base != st.baseID() ||
		jrnl.ino != st.jrnl.id.ino || jrnl.dev != st.jrnl.id.dev || jrnl.size < st.jrnl.end {
		return false
	}
	f, err := openFile(st.jrnl.name, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || idOf(info).ino != st.jrnl.id.ino || !st.jrnl.isAt(f) {
		return false
	}
	next := *st.jrnl
	var ops []op
	if err := next.replay(f, func(o op) { ops = append(ops, o) }); err != nil || next.fold != nil {
		return false
	}
	for _, o := range ops {
		st.ov.apply(o)
	}
	st.jrnl = &next
	return true
}

// snapshot returns the store as it is now. Release it.
func (d *Driver) snapshot(ctx context.Context) (*snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d.t.std {
		if err := d.openStdin(ctx); err != nil {
			return nil, err
		}
	}
	if err := d.refresh(ctx); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	switch {
	case d.closed:
		return nil, errClosed
	case d.st.base == nil && d.st.empty() && d.o.Create != CreateAlways && !d.w.made.Load():
		return nil, d.missing()
	}
	s := &snapshot{d: d, base: d.st.base, ov: d.st.ov.freeze()}
	if s.base != nil {
		s.base.acquire()
	}
	return s, nil
}

// Epoch implements dataknobs.Epocher: positions are offsets in one generation
// of the file, behind which the new records are numbered.
func (d *Driver) Epoch(ctx context.Context) (string, error) {
	s, err := d.snapshot(ctx)
	if err != nil {
		return "", err
	}
	defer s.release()
	if s.base == nil {
		return "new", nil
	}
	h := xxh3.New()
	for _, p := range s.base.parts {
		id := idOf(p.info)
		fmt.Fprintln(h, p.rel, id.ino, id.size, id.mtime)
	}
	return fmt.Sprintf("%016x", h.Sum64()), nil
}
