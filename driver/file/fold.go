package file

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// maxFold bounds how large a journal grows before it is folded, however large
// the file: its records are held in memory.
const maxFold = 256 << 20

// Sync implements dataknobs.Syncer: it folds the journal into the file. The
// lock is kept.
func (d *Driver) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &d.w
	if err := w.lead.lock(ctx); err != nil {
		return err
	}
	defer w.lead.unlock()
	if d.closing.Load() {
		return errClosed
	}
	if err := w.usable(); err != nil || !w.holding.Load() {
		return err
	}
	w.syncNow()
	if err := w.usable(); err != nil {
		return err
	}
	return w.fold(ctx)
}

// foldIfLarge folds a journal past its bound. A failure loses nothing: it is
// warned about, and tried again when the journal has doubled.
func (w *writer) foldIfLarge(ctx context.Context) {
	d := w.d
	if w.file == nil || w.failed != nil {
		return
	}
	size := d.st.jrnl.end
	if size < w.pause || size < max(d.o.Fold, min(d.st.baseID().size, maxFold)) {
		return
	}
	if err := w.fold(ctx); err != nil {
		w.pause = 2 * size
		d.o.Warn(d.t.name + ": the journal could not be folded into the file, and grows on: " + err.Error())
		return
	}
	w.pause = 0
}

// fold writes the file anew, with all that the journal says, and removes the
// journal. Readers go on with what they began. It is safe to be killed at any
// point: until the rename the old file and the journal count; from then on the
// new file does, which the journal's last frame names. The caller leads.
func (w *writer) fold(ctx context.Context) error {
	d := w.d
	if d.st.jrnl == nil {
		return nil
	}
	if d.st.base != nil && d.st.ov.empty() { // written, and undone again
		return w.dropJournal(ctx)
	}
	if err := d.unchanged(); err != nil {
		return err
	}
	if err := w.rewrite(ctx); err != nil {
		return d.unfolded(err)
	}
	return w.dropJournal(context.WithoutCancel(ctx))
}

// rewrite puts a file with all that the journal says in the place of the old one.
func (w *writer) rewrite(ctx context.Context) error {
	d := w.d
	layout, err := d.nextLayout(ctx)
	if err != nil {
		return err
	}
	t, m, err := d.writeFile(ctx, layout, w.mode, func(out codec.Writer) error { return d.copyAll(ctx, layout, out) })
	if err != nil {
		return err
	}
	// The rest is short, and must not stop half-way.
	return w.replace(context.WithoutCancel(ctx), t, m, layout)
}

// unfolded adds to the error of a fold that nothing is lost by it.
func (d *Driver) unfolded(err error) error {
	if dataknobs.IsContext(err) || d.st.jrnl == nil || d.st.ov.empty() || d.w.lost {
		return err
	}
	e, ok := err.(*dataknobs.Error)
	if !ok {
		e = dataknobs.Errorf(dataknobs.CodeOf(err), "%w", err)
	}
	hint := "the acknowledged changes are safe in " + d.t.path + journalExt
	if e.Code != dataknobs.DataLoss { // a file that cannot be read must be repaired first
		hint += "; the next program that writes the store folds them in"
	}
	if e.Hint != "" {
		hint = e.Hint + "; " + hint
	}
	return e.WithHint("%s", hint)
}

// unchanged refuses to replace a file that somebody else has changed since it
// was opened.
func (d *Driver) unchanged() error {
	id, err := identify(d.t.path)
	if err != nil {
		return err
	}
	if id == d.st.baseID() {
		return nil
	}
	if same, err := d.sameContent(id); same || err != nil {
		return err
	}
	return dataknobs.Errorf(dataknobs.Conflict, "%s was changed by another program while this store was writing; it is left alone, and %s keeps the changes",
		d.t.name, d.t.path+journalExt)
}

// sameContent reports whether the file has been touched only.
func (d *Driver) sameContent(id fileID) (bool, error) {
	if d.st.jrnl == nil || !id.exists() {
		return false, nil
	}
	f, err := d.fs.Open(d.t.path)
	if err != nil {
		return false, ioError(d.t.name, err)
	}
	defer f.Close()
	same, err := d.st.jrnl.base.matches(f, id)
	return same, ioError(d.t.name, err)
}

// replace puts t, which is complete, in the place of the file. The caller leads.
func (w *writer) replace(ctx context.Context, t *temp, m mark, layout *codec.Layout) error {
	d := w.d
	info, err := os.Stat(t.name)
	if err != nil {
		t.discard()
		return ioError(t.name, err)
	}
	m.MTime = info.ModTime().UnixNano()
	if w.file != nil {
		body, err := json.Marshal(m)
		if err == nil {
			err = w.append(appendFrame(nil, frameFold, w.after(), d.st.jrnl.seq+1, body), 1)
		}
		if err == nil {
			w.syncNow()
			err = w.usable()
		}
		if err != nil {
			t.discard()
			return err
		}
	}
	if err := d.noteLayout(t, layout, w.mode); err != nil {
		t.discard()
		return err
	}
	if err := t.rename(d.t.path); err != nil {
		// Which of the two files is there is not known: a journal that grew on could
		// be of the wrong one.
		return w.fail(err)
	}
	return nil
}

// takeUp opens the file that has just been put in its place. Where that fails,
// nothing may be written any more: it would be about the file before.
func (w *writer) takeUp(ctx context.Context) error {
	w.made.Store(true)
	if err := w.d.reload(ctx); err != nil {
		return w.fail(err)
	}
	return nil
}

// dropJournal removes a journal whose content is in the file, and opens the
// file as it is now.
func (w *writer) dropJournal(ctx context.Context) error {
	if err := w.startAnew(ctx); err != nil {
		return w.fail(err)
	}
	return nil
}

func (w *writer) startAnew(ctx context.Context) error {
	d := w.d
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
	w.dirty = false
	if err := d.removeJournal(); err != nil {
		return err
	}
	if info, err := os.Stat(d.t.path); err == nil {
		w.mode = info.Mode().Perm()
	}
	return d.reload(ctx)
}

// noteLayout adds the layout of t to the side file, where the format needs one
// beside it: before t becomes the file, so that there is no moment without.
func (d *Driver) noteLayout(t *temp, layout *codec.Layout, mode fs.FileMode) error {
	s := &side{Version: 1, Key: d.st.side.Key}
	if d.st.base == nil && len(d.o.Key) > 0 {
		s.Key = d.o.Key
	}
	if !d.t.format.binary {
		if old := d.st.side.Files; len(old) > 0 {
			s.Files = old[len(old)-1:]
		}
		f, err := d.fs.Open(t.name)
		if err != nil {
			return ioError(t.name, err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return ioError(t.name, err)
		}
		if !plainLayout(d.t.format, layout) || len(s.Files) > 0 {
			sample, err := sampleOf(f, info.Size())
			if err != nil {
				return ioError(t.name, err)
			}
			s.Files = append(slices.Clone(s.Files), sideEntry{Size: info.Size(), Sample: sample, Layout: layout})
		}
	}
	if len(s.Files) == 0 && len(s.Key) == 0 {
		return nil
	}
	if d.st.base == nil && mode == 0 {
		if info, err := os.Stat(t.name); err == nil {
			mode = info.Mode().Perm()
		}
	}
	return writeSide(d.fs, d.t.path, s, mode)
}

// plainLayout reports whether a file can be read back without its layout.
func plainLayout(f *format, l *codec.Layout) bool {
	return f.json && l.ID == "" && l.Meta == "" && !l.Tagged && len(l.Columns) == 0
}

// writeFile writes a new file in full, synced, under a temporary name.
func (d *Driver) writeFile(ctx context.Context, layout *codec.Layout, mode fs.FileMode, fill func(codec.Writer) error) (*temp, mark, error) {
	t, err := newTemp(d.fs, d.t.path, mode)
	if err != nil {
		return nil, mark{}, err
	}
	h := xxh3.New()
	count := &countingWriter{w: io.MultiWriter(t.f, h)}
	err = d.encodeTo(count, layout, fill)
	if err == nil {
		err = t.seal(d.t.path)
	}
	if err != nil {
		t.discard()
		return nil, mark{}, ioError(d.t.name, err)
	}
	return t, mark{Size: count.n, Hash: hexOf(h.Sum128())}, nil
}

// encodeTo writes records in the store's format and compression.
func (d *Driver) encodeTo(w io.Writer, layout *codec.Layout, fill func(codec.Writer) error) error {
	buf := bufio.NewWriterSize(w, 256<<10)
	z, err := compressTo(buf, d.t.comp)
	if err != nil {
		return err
	}
	out, err := d.t.format.codec.NewWriter(z, d.writeOptions(layout))
	if err != nil {
		return err
	}
	if err := fill(out); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return buf.Flush()
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// copyAll writes every record of the store.
func (d *Driver) copyAll(ctx context.Context, layout *codec.Layout, out codec.Writer) error {
	snap, err := d.snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.release()
	all, err := dataknobs.Compile(nil)
	if err != nil {
		return err
	}
	var failed error
	sc := &dataknobs.Scan{NoRevision: true, NoID: layout.ID == "" && !layout.Keyed}
	err = snap.scanNatural(ctx, sc, all, func(r *dataknobs.Record) bool {
		failed = out.Write(r)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}
