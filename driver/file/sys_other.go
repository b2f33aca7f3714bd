//go:build !unix && !windows

package file

import (
	"io/fs"
	"os"

	"dataknobs.dev/dataknobs"
)

func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

func rename(from, to string) error { return os.Rename(from, to) }

func inode(fs.FileInfo) (dev, ino uint64) { return 0, 0 }
func chownLike(string, fs.FileInfo) error { return nil }
func syncDir(*os.File) error              { return nil }
func isFull(error) bool                   { return false }
func isReadOnly(error) bool               { return false }
func isUnreadable(error) bool             { return false }
func isNoName(error) bool                 { return false }

func tryLock(*os.File) (bool, error) {
	return false, dataknobs.Errorf(dataknobs.Unsupported, "files cannot be locked on this system, so the store is read-only here")
}
