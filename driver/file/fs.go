package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The files beside a store's file.
const (
	journalExt = ".journal"
	lockExt    = ".lock"
	sideExt    = ".dk.json"
	tempMark   = ".dk-tmp-" // .NAME.dk-tmp-…: what a write in progress makes
)

// isSide reports whether a file is no data but stands beside it.
func isSide(name string) bool {
	return strings.HasSuffix(name, journalExt) || strings.HasSuffix(name, lockExt) ||
		strings.HasSuffix(name, sideExt) || strings.Contains(name, tempMark)
}

// A fileSystem is what a store of one file asks of the operating system: small,
// so that a test can fail every single step.
type fileSystem interface {
	Open(name string) (readFile, error)
	OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error)
	Rename(from, to string) error
	Remove(name string) error
	Chmod(name string, mode fs.FileMode) error
	Chown(name string, like fs.FileInfo) error
	SyncDir(dir string) error
}

type readFile interface {
	io.ReaderAt
	Stat() (fs.FileInfo, error)
	Close() error
}

type writeFile interface {
	readFile
	io.Writer
	io.WriterAt
	Sync() error
	Truncate(size int64) error
}

// osFS is the real one.
type osFS struct{}

func (osFS) Open(name string) (readFile, error) {
	f, err := openFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error) {
	f, err := openFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFS) Rename(from, to string) error              { return rename(from, to) }
func (osFS) Remove(name string) error                  { return os.Remove(name) }
func (osFS) Chmod(name string, mode fs.FileMode) error { return os.Chmod(name, mode) }
func (osFS) Chown(name string, like fs.FileInfo) error { return chownLike(name, like) }

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncDir(d)
}

// unsynced leaves it to the operating system when things are on disk.
type unsynced struct{ fileSystem }

func (u unsynced) OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error) {
	f, err := u.fileSystem.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return unsyncedFile{f}, nil
}

func (unsynced) SyncDir(string) error { return nil }

type unsyncedFile struct{ writeFile }

func (unsyncedFile) Sync() error { return nil }

// watched tells failed of every sync that fails: then nobody knows what is on
// the disk, for the operating system may count as written what is not, and say so
// but once. A write that is short fails.
type watched struct {
	fileSystem
	failed func(error)
}

func (w watched) OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error) {
	f, err := w.fileSystem.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return watchedFile{f, w.failed}, nil
}

func (w watched) SyncDir(dir string) error {
	err := w.fileSystem.SyncDir(dir)
	if err != nil {
		w.failed(err)
	}
	return err
}

type watchedFile struct {
	writeFile
	failed func(error)
}

func (f watchedFile) Sync() error {
	err := f.writeFile.Sync()
	if err != nil {
		f.failed(err)
	}
	return err
}

func (f watchedFile) Write(p []byte) (int, error) {
	n, err := f.writeFile.Write(p)
	return n, short(n, len(p), err)
}

func (f watchedFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.writeFile.WriteAt(p, off)
	return n, short(n, len(p), err)
}

func short(n, want int, err error) error {
	if err == nil && n < want {
		return io.ErrShortWrite
	}
	return err
}

// fileID tells one file from another, and from itself after a change. It is
// compared with == only.
type fileID struct {
	dev, ino uint64
	size     int64
	mtime    int64 // nanoseconds
}

// identify returns the zero fileID where there is no file.
func identify(name string) (fileID, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fileID{}, nil
	}
	if err != nil {
		return fileID{}, ioError(name, err)
	}
	return idOf(info), nil
}

func idOf(info fs.FileInfo) fileID {
	id := fileID{size: info.Size(), mtime: info.ModTime().UnixNano()}
	id.dev, id.ino = inode(info)
	return id
}

func (id fileID) exists() bool { return id != fileID{} }

// tempPrefix is what the temporary files of a store begin with.
func tempPrefix(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+tempMark)
}
