package file

import (
	"crypto/rand"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A temp is a file that will take the place of another. It stands in the same
// folder under a name of its own, so that the last step is a rename, which
// happens wholly or not at all.
type temp struct {
	fs   fileSystem
	name string
	f    writeFile
	mode fs.FileMode
}

// newTemp makes a temporary file for path. Until its owner and mode are those
// of the file that it replaces, nobody else may read it. mode 0: those of a new file.
func newTemp(fsys fileSystem, path string, mode fs.FileMode) (*temp, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	t := &temp{fs: fsys, name: tempPrefix(path) + hex.EncodeToString(random[:]), mode: mode}
	perm := fs.FileMode(0o600)
	if mode == 0 {
		perm = 0o666 // less the umask
	}
	var err error
	if t.f, err = fsys.OpenFile(t.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm); err != nil {
		return nil, lockError(path, t.name, err)
	}
	return t, nil
}

// seal gives the file, which is complete, the mode and the owner of the one at
// path, makes all that durable and closes it.
func (t *temp) seal(path string) error {
	if t.mode != 0 {
		if like, err := os.Stat(path); err == nil {
			_ = t.fs.Chown(t.name, like) // only root may give files away
		}
		if err := t.fs.Chmod(t.name, t.mode); err != nil {
			return err
		}
	}
	if err := t.f.Sync(); err != nil {
		return err
	}
	f := t.f
	t.f = nil
	return f.Close()
}

// rename puts the file, which has been sealed, into its place, for good.
func (t *temp) rename(path string) error {
	if err := t.fs.Rename(t.name, path); err != nil {
		t.discard()
		return ioError(path, err)
	}
	if err := t.fs.SyncDir(filepath.Dir(path)); err != nil {
		return ioError(filepath.Dir(path), err)
	}
	return nil
}

func (t *temp) discard() {
	if t.f != nil {
		t.f.Close()
		t.f = nil
	}
	_ = t.fs.Remove(t.name)
}

// sweep removes the temporary files that a writer left behind when it was
// killed. The caller holds the lock, so none of them is in use.
func sweep(fsys fileSystem, path string) error {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ioError(dir, err)
	}
	for _, p := range []string{tempPrefix(path), tempPrefix(path + sideExt)} {
		prefix := filepath.Base(p)
		for _, e := range entries {
			if rest, ok := strings.CutPrefix(e.Name(), prefix); ok && isHex16(rest) {
				if err := fsys.Remove(filepath.Join(dir, e.Name())); err != nil {
					return ioError(filepath.Join(dir, e.Name()), err)
				}
			}
		}
	}
	return nil
}

func isHex16(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 16
}
