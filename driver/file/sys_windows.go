package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// openFile is os.OpenFile, but that meanwhile the file may be removed and another
// may take its name, as on every other system: only a file that is opened through
// an [os.Root] shares so much. A link, which may lead elsewhere, is opened as usual.
func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return os.OpenFile(name, flag, perm)
	}
	dir, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, named(err, name)
	}
	defer dir.Close()
	f, err := dir.OpenFile(filepath.Base(name), flag, perm)
	return f, named(err, name)
}

// rename is os.Rename within a folder, also where what it replaces is open by
// openFile: an [os.Root] asks for that (FILE_RENAME_POSIX_SEMANTICS, which NTFS has
// since Windows 10 version 1709).
func rename(from, to string) error {
	dir, err := os.OpenRoot(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Rename(filepath.Base(from), filepath.Base(to))
	var at *os.LinkError
	if errors.As(err, &at) {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: at.Err}
	}
	return err
}

// named is an error of a file in an os.Root, with the file's whole name.
func named(err error, name string) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return &fs.PathError{Op: "open", Path: name, Err: at.Err}
	}
	return err
}

// inode is of no file, for none has a cheap one here: size and time tell them apart.
func inode(fs.FileInfo) (dev, ino uint64) { return 0, 0 }

func chownLike(string, fs.FileInfo) error { return nil }

// syncDir does nothing: folders cannot be synced here, and a rename is on disk
// when it returns.
func syncDir(*os.File) error { return nil }

func isFull(err error) bool { return errors.Is(err, windows.ERROR_DISK_FULL) }

// isNoName reports whether no file can have the name: a pattern's * stands in
// none here.
func isNoName(err error) bool { return errors.Is(err, windows.ERROR_INVALID_NAME) }

// isUnreadable reports whether the disk could not read what is on it.
func isUnreadable(err error) bool {
	return errors.Is(err, windows.ERROR_CRC) || errors.Is(err, windows.ERROR_IO_DEVICE)
}

func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

// tryLock takes the lock of an open file; false if another open file has it.
// What is locked is one byte far behind the text, so that others can read who
// holds it.
func tryLock(f *os.File) (bool, error) {
	at := windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}
