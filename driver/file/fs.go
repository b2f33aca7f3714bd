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

// A fileSystem is what writing a store asks of the operating system: small, so
// that a test can fail every single step.
type fileSystem interface {
	OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error)
	Rename(from, to string) error
	Remove(name string) error
	Chmod(name string, mode fs.FileMode) error
	Chown(name string, like fs.FileInfo) error
	SyncDir(dir string) error
}

type writeFile interface {
	io.Writer
	io.WriterAt
	io.ReaderAt
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// osFS is the real one.
type osFS struct{}

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (writeFile, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFS) Rename(from, to string) error              { return os.Rename(from, to) }
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
