package file

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// Files have no cheap inode here: size and time tell them apart.
func inode(fs.FileInfo) (dev, ino uint64) { return 0, 0 }

func chownLike(string, fs.FileInfo) error { return nil }

// syncDir does nothing: folders cannot be synced here, and a rename is on disk
// when it returns.
func syncDir(*os.File) error { return nil }

func isFull(err error) bool { return errors.Is(err, windows.ERROR_DISK_FULL) }

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
