package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/zeebo/xxh3"
)

// A disk is a file system that keeps a log of everything that a store asks of
// it, so that it can be said afterwards what a loss of power at any moment could
// have left: see crashed. What is asked happens in a real folder, so that the
// store reads what it wrote; nothing is really synced.
type disk struct {
	osFS
	dir string

	mu    sync.Mutex
	live  map[string]int // the files by their names; their numbers index start
	start []*onDisk      // the files as the log finds them
	names map[string]int // at the beginning
	open  []*event       // changes of the folder at the beginning, which need not be on the disk
	log   []*event
	asked int                           // how many things
	fault func(at int, e *event) *fault // nil: nothing fails
	fired []string                      // the faults that happened
}

// A fault is what happens instead of an event.
type fault struct {
	err  error
	part int // how much of a write is done, in percent
}

// An event is one thing that a store asked of the file system.
type event struct {
	kind  kindOfEvent
	ino   int    // of the file
	name  string // within the folder
	to    string // of a rename
	off   int64
	data  []byte
	size  int64 // of a truncation
	mode  fs.FileMode
	mtime int64
}

type kindOfEvent byte

const (
	evCreate kindOfEvent = iota
	evRename
	evRemove
	evWrite
	evTruncate
	evChmod
	evSync
	evLost // a sync that failed: what was to be synced counts as written, and is not
	evSyncDir
	evOpen
	evRead
)

func (k kindOfEvent) String() string {
	return [...]string{"create", "rename", "remove", "write", "truncate", "chmod", "sync", "failed sync", "sync folder", "open", "read"}[k]
}

// ofFolder reports whether the event changes names, not a file.
func (k kindOfEvent) ofFolder() bool { return k <= evRemove }

func (e *event) String() string {
	switch e.kind {
	case evWrite:
		return fmt.Sprintf("write %s %d+%d", e.name, e.off, len(e.data))
	case evTruncate:
		return fmt.Sprintf("truncate %s to %d", e.name, e.size)
	case evRename:
		return fmt.Sprintf("rename %s to %s", e.name, e.to)
	}
	return e.kind.String() + " " + e.name
}

// An onDisk is a file as it is on the disk, and what has been asked since that
// need not be there yet.
type onDisk struct {
	data    []byte
	mode    fs.FileMode
	mtime   int64
	pending []*event
	cached  []byte // what is read, as long as there is power
}

// newDisk begins a log about the files of a folder, all of which are on the disk.
func newDisk(dir string) (*disk, error) {
	d := &disk{dir: dir, live: map[string]int{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		d.live[e.Name()] = len(d.start)
		d.start = append(d.start, &onDisk{data: data, cached: data, mode: info.Mode().Perm(), mtime: info.ModTime().UnixNano()})
	}
	d.names = maps.Clone(d.live)
	return d, nil
}

// now is how long the log is.
func (d *disk) now() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.log)
}

// do logs an event that f makes happen, or the fault that happens instead. The
// caller holds mu.
func (d *disk) do(e *event, f func() error) error {
	if x := d.failing(e); x != nil {
		switch e.kind {
		case evSync:
			d.log = append(d.log, &event{kind: evLost, ino: e.ino, name: e.name})
		case evSyncDir:
			d.log = append(d.log, &event{kind: evLost, ino: -1})
		}
		return x.err
	}
	if err := f(); err != nil {
		return err
	}
	if e.kind != evRead {
		d.log = append(d.log, e)
	}
	return nil
}

// failing is the fault that happens instead of e, if one does. The caller holds mu.
func (d *disk) failing(e *event) (x *fault) {
	d.asked++
	if d.fault == nil {
		return nil
	}
	if x = d.fault(d.asked, e); x != nil {
		d.fired = append(d.fired, e.String())
	}
	return x
}

func (d *disk) Open(name string) (readFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var f *os.File
	err := d.do(&event{kind: evRead, name: filepath.Base(name)}, func() (err error) {
		f, err = os.Open(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &diskReader{f, d, filepath.Base(name)}, nil
}

type diskReader struct {
	readFile
	d    *disk
	name string
}

func (f *diskReader) ReadAt(p []byte, off int64) (n int, err error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if x := f.d.failing(&event{kind: evRead, name: f.name}); x != nil {
		return 0, x.err
	}
	return f.readFile.ReadAt(p, off)
}

func (d *disk) OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	base := filepath.Base(name)
	ino, there := d.live[base]
	e := &event{kind: evCreate, name: base, ino: len(d.start)}
	if there {
		e = &event{kind: evOpen, name: base, ino: ino}
	}
	var f *os.File
	err := d.do(e, func() (err error) {
		f, err = os.OpenFile(name, flag, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !there {
		d.live[base] = e.ino
		d.start = append(d.start, &onDisk{mode: info.Mode().Perm(), mtime: info.ModTime().UnixNano()})
	}
	if flag&os.O_TRUNC != 0 && there {
		d.log = append(d.log, &event{kind: evTruncate, ino: ino, name: base})
	}
	return &diskFile{writeFile: f, d: d, ino: e.ino, name: base}, nil
}

func (d *disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := &event{kind: evRename, name: filepath.Base(from), to: filepath.Base(to), ino: d.live[filepath.Base(from)]}
	return d.do(e, func() error {
		if err := os.Rename(from, to); err != nil {
			return err
		}
		d.live[e.to] = e.ino
		delete(d.live, e.name)
		return nil
	})
}

func (d *disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := &event{kind: evRemove, name: filepath.Base(name), ino: d.live[filepath.Base(name)]}
	return d.do(e, func() error {
		if err := os.Remove(name); err != nil {
			return err
		}
		delete(d.live, e.name)
		return nil
	})
}

func (d *disk) Chmod(name string, mode fs.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := &event{kind: evChmod, name: filepath.Base(name), ino: d.live[filepath.Base(name)], mode: mode}
	return d.do(e, func() error { return os.Chmod(name, mode) })
}

func (d *disk) SyncDir(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.do(&event{kind: evSyncDir}, func() error { return nil })
}

// A diskFile is an open file of a disk.
type diskFile struct {
	writeFile
	d    *disk
	ino  int
	name string
	off  int64 // of the next Write
}

func (f *diskFile) Write(p []byte) (int, error) {
	n, err := f.WriteAt(p, f.off)
	f.off += int64(n)
	return n, err
}

func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	e := &event{kind: evWrite, ino: f.ino, name: f.name, off: off, data: slices.Clone(p)}
	if x := f.d.failing(e); x != nil {
		e.data = e.data[:len(p)*x.part/100]
		return len(e.data), errors.Join(x.err, f.put(e))
	}
	return len(p), f.put(e)
}

// put does and logs a write. The caller holds d.mu.
func (f *diskFile) put(e *event) error {
	if len(e.data) == 0 {
		return nil
	}
	if _, err := f.writeFile.WriteAt(e.data, e.off); err != nil {
		return err
	}
	if info, err := f.writeFile.Stat(); err == nil {
		e.mtime = info.ModTime().UnixNano()
	}
	f.d.log = append(f.d.log, e)
	return nil
}

func (f *diskFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	e := &event{kind: evTruncate, ino: f.ino, name: f.name, size: size}
	return f.d.do(e, func() error { return f.writeFile.Truncate(size) })
}

func (f *diskFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return f.d.do(&event{kind: evSync, ino: f.ino, name: f.name}, func() error { return nil })
}

// A crash is the state of a disk after some of the events of its log: what is
// there for certain, and what may be there.
type crash struct {
	files   []*onDisk
	names   map[string]int
	pending []*event // of the folder
}

// crashes gives the state after each event to f, with how many they are.
func (d *disk) crashes(f func(at int, c *crash)) {
	c := (&crash{files: d.start, names: d.names, pending: d.open}).clone()
	f(0, c)
	for i, e := range d.log {
		c.add(e)
		f(i+1, c)
	}
}

func (c *crash) clone() *crash {
	n := &crash{names: maps.Clone(c.names), pending: slices.Clone(c.pending)}
	for _, f := range c.files {
		x := *f
		x.pending = slices.Clone(f.pending)
		n.files = append(n.files, &x)
	}
	return n
}

// disk goes on with a crash of processes alone, in an empty folder: everything
// is there to be read, though not all of it on the disk.
func (c *crash) disk(dir string) (*disk, error) {
	c = c.clone()
	d := &disk{dir: dir, start: c.files, names: c.names, open: c.pending, live: maps.Clone(c.names)}
	for _, e := range c.pending {
		e.rename(d.live)
	}
	img := c.image(choice{all, allOf})
	for name, ino := range d.live {
		f := img[name]
		f.data = c.files[ino].cached
		img[name] = f
	}
	return d, img.put(dir, true)
}

// loose reports whether anything need not be on the disk.
func (c *crash) loose() bool {
	return len(c.pending) > 0 || slices.ContainsFunc(c.files, func(f *onDisk) bool { return len(f.pending) > 0 })
}

// add takes in the next event.
func (c *crash) add(e *event) {
	switch {
	case e.kind.ofFolder():
		c.pending = append(c.pending, e)
	case e.kind == evSyncDir:
		for _, p := range c.pending {
			p.rename(c.names)
		}
		c.pending = nil
	case e.kind == evSync:
		x := c.files[e.ino]
		data := slices.Clone(x.data)
		for _, p := range x.pending {
			data = p.apply(data, x, whole)
		}
		x.data, x.pending = data, nil
	case e.kind == evLost && e.ino >= 0:
		c.files[e.ino].pending = nil
	case e.kind == evWrite || e.kind == evTruncate || e.kind == evChmod:
		x := c.files[e.ino]
		x.pending = append(x.pending, e)
		x.cached = e.apply(slices.Clone(x.cached), &onDisk{}, whole)
	}
}

// rename makes a change of the folder in names.
func (e *event) rename(names map[string]int) {
	switch e.kind {
	case evCreate:
		names[e.name] = e.ino
	case evRemove:
		if names[e.name] == e.ino {
			delete(names, e.name)
		}
	case evRename:
		if n, ok := names[e.name]; ok && n == e.ino {
			delete(names, e.name)
		}
		names[e.to] = e.ino
	}
}

// A piece says how much of a write is on the disk.
type piece struct {
	cut     int    // that many bytes from its beginning; -1: all
	sized   bool   // the file has the size that the whole write gives it
	sectors []bool // nil, or which of its sectors are there; all others are as they were
}

var whole = piece{cut: -1}

// apply makes a change of the file x, whose content is data; what it writes to is its own.
func (e *event) apply(data []byte, x *onDisk, p piece) []byte {
	switch {
	case e.kind != evWrite && p.cut == 0:
		return data
	case e.kind == evChmod:
		x.mode = e.mode
		return data
	case e.kind == evTruncate:
		return resize(data, e.size)
	}
	x.mtime = e.mtime
	n := len(e.data)
	if p.cut >= 0 {
		n = min(n, p.cut)
	}
	end := e.off + int64(n)
	if p.sized || p.sectors != nil {
		end = e.off + int64(len(e.data))
	}
	if n == 0 && !p.sized {
		return data
	}
	data = resize(data, max(end, int64(len(data))))
	if p.sectors == nil {
		copy(data[e.off:], e.data[:n])
		return data
	}
	for i, from := 0, e.off; from < e.off+int64(n); i++ {
		next := min((from/sector+1)*sector, e.off+int64(n))
		if p.sectors[i] {
			copy(data[from:next], e.data[from-e.off:next-e.off])
		}
		from = next
	}
	return data
}

func resize(data []byte, size int64) []byte {
	if int64(len(data)) >= size {
		return data[:size]
	}
	return append(data[:len(data):len(data)], make([]byte, size-int64(len(data)))...)
}

// numSectors is how many sectors a write touches.
func (e *event) numSectors() int {
	return int((e.off+int64(len(e.data))+sector-1)/sector - e.off/sector)
}

// An image is one state of a folder.
type image map[string]imageFile

type imageFile struct {
	data  []byte
	mode  fs.FileMode
	mtime int64
}

// A choice says of every change that need not be on the disk how much of it is.
type choice struct {
	folder func(i int, e *event) bool
	file   func(i int, e *event) piece
}

// image is what the choice leaves.
func (c *crash) image(by choice) image {
	names := maps.Clone(c.names)
	for i, e := range c.pending {
		if by.folder(i, e) {
			e.rename(names)
		}
	}
	img := image{}
	for name, ino := range names {
		x := *c.files[ino]
		data := slices.Clone(x.data)
		for i, e := range x.pending {
			data = e.apply(data, &x, by.file(i, e))
		}
		img[name] = imageFile{data, x.mode, x.mtime}
	}
	return img
}

// hash tells images apart.
func (m image) hash() xxh3.Uint128 {
	h := xxh3.New()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f := m[name]
		_, _ = h.WriteString(name)
		_, _ = h.Write(binary.LittleEndian.AppendUint64([]byte{0, byte(f.mode), byte(f.mode >> 8)}, uint64(len(f.data))))
		_, _ = h.Write(f.data)
	}
	return h.Sum128()
}

func (m image) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f := m[name]
		text := f.data
		if i := slices.IndexFunc(text, func(c byte) bool { return c != 0 }); i < 0 {
			text = nil
		}
		for len(text) > 0 && text[len(text)-1] == 0 {
			text = text[:len(text)-1]
		}
		fmt.Fprintf(&b, "\n   %s %v, %d bytes: %.300q", name, f.mode, len(f.data), text)
	}
	return b.String()
}
