package file

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dataknobs.dev/dataknobs"
)

// start makes the journal, with the mark of the base. The caller leads.
func (w *writer) start() error {
	d := w.d
	m, err := markOf(d.st.baseFile(), d.st.baseID())
	if err != nil {
		return ioError(d.t.name, err)
	}
	m.Made = time.Now().UnixNano()
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	name := d.t.path + journalExt
	perm := w.mode
	if perm == 0 {
		perm = 0o666
	}
	f, err := d.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return lockError(d.t.name, name, err)
	}
	text := appendFrame([]byte(journalMagic), frameBase, afterSync, 1, body)
	if _, err = f.Write(text); err == nil {
		err = w.sync(f)
	}
	if err == nil {
		err = d.fs.SyncDir(filepath.Dir(name))
	}
	var info fs.FileInfo
	if err == nil {
		info, err = f.Stat()
	}
	if err != nil {
		f.Close()
		_ = d.fs.Remove(name)
		return ioError(name, err)
	}
	w.file, w.room = f, int64(len(text))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.st.jrnl = &journal{name: name, id: idOf(info), first: [frameHead]byte(text[len(journalMagic):]), end: int64(len(text)), seq: 1, base: m}
	return nil
}

// sync makes the journal durable, and remembers what that cost.
func (w *writer) sync(f writeFile) error {
	start := time.Now()
	err := f.Sync()
	w.cost = time.Since(start)
	return err
}

// syncLater is sync=batch: a second after the first write that was not synced.
func (w *writer) syncLater() {
	if w.dirty {
		return
	}
	w.dirty = true
	w.timer = time.AfterFunc(batchDelay, func() {
		w.lead <- struct{}{}
		defer w.lead.unlock()
		w.syncNow()
	})
}

// syncNow ends sync=batch's delay. The caller leads.
func (w *writer) syncNow() {
	if !w.dirty || w.file == nil {
		return
	}
	w.dirty = false
	if err := w.sync(w.file); err != nil {
		w.lost = true
		_ = w.fail(err) // those to come are told
	}
}

// after says of the next frame whether all before it is on disk.
func (w *writer) after() byte {
	if w.dirty || w.d.o.Sync == SyncNone {
		return afterWrite
	}
	return afterSync
}

// fail makes every later write fail. The first error is the one that counts.
// The caller leads.
func (w *writer) fail(err error) error {
	if w.failed == nil {
		w.failed = ioError(w.d.t.path+journalExt, err)
	}
	return w.failed
}

func (w *writer) usable() error {
	if w.failed == nil {
		return nil
	}
	hint := "what was acknowledged is safe; open the store again"
	if w.lost {
		hint = "what was acknowledged in the second before may not be on the disk; open the store again"
	}
	return dataknobs.Errorf(dataknobs.CodeOf(w.failed), "%s takes no more writes, since one of them failed: %w", w.d.t.name, w.failed).
		WithHint("%s", hint)
}

// append puts frames at the end of the journal. The caller leads.
func (w *writer) append(text []byte, frames uint64) error {
	d := w.d
	err := w.put(text)
	if err == nil {
		if d.o.Sync == SyncBatch {
			w.syncLater()
		} else {
			err = w.sync(w.file)
		}
	}
	if err != nil {
		// What of it is in the file nobody knows; nothing of it was acknowledged, so
		// it is taken out again, if that can be done.
		if w.file.Truncate(d.st.jrnl.end) == nil {
			_ = w.file.Sync()
		}
		return w.fail(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	next := *d.st.jrnl
	next.end += int64(len(text))
	next.seq += frames
	d.st.jrnl = &next
	return nil
}

// put writes frames behind the last. Their first head comes last: while it is
// zero, what follows is nothing yet to those who read the journal meanwhile.
func (w *writer) put(text []byte) error {
	from := w.d.st.jrnl.end
	end := from + int64(len(text))
	if _, err := w.file.WriteAt(text[frameHead:], from+frameHead); err != nil {
		return err
	}
	if _, err := w.file.WriteAt(text[:frameHead], from); err != nil {
		return err
	}
	if end > w.room {
		w.room = end
		if w.d.o.Sync == SyncAlways {
			w.makeRoom()
		}
	}
	return nil
}

// How many zeros are written ahead at once: as many bytes as the journal has,
// within these bounds.
const (
	minRoom = 64 << 10
	maxRoom = 1 << 20
)

// zeros are what is written ahead.
var zeros [maxRoom]byte

// makeRoom writes zeros behind the frames, for the sync that follows to take to
// the disk too. Syncs of frames that are put in their place have no size and no
// blocks of the file to note, which would cost as much again. Where there is no
// room on the disk, the journal grows by its frames.
func (w *writer) makeRoom() {
	n, _ := w.file.WriteAt(zeros[:min(max(w.room, minRoom), maxRoom)], w.room)
	w.room += int64(n)
}
