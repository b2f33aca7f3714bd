package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

// A lock is held by the one writer of a store. It is a lock of the operating
// system on the file path.lock, so that it ends with the process, however the
// process ends; the text of the file says who holds it.
type lock struct {
	path string
	f    *os.File
}

// takeLock takes the lock of the store at path. If another handle has it, here
// or in another process, the error is Unavailable and says who.
//
// The holder removes the file as it lets go. Whoever then gets the lock of a
// removed file, having waited on it, sees that the name no longer leads to it and
// starts again: so two can never hold it.
func takeLock(path string) (*lock, error) {
	name := path + lockExt
	for range 100 {
		f, err := openFile(name, os.O_RDWR|os.O_CREATE, 0o666) // less the umask, as the store itself
		if err != nil {
			return nil, lockError(path, name, err)
		}
		ok, err := tryLock(f)
		switch {
		case err != nil:
			f.Close()
			return nil, lockError(path, name, err)
		case !ok:
			defer f.Close()
			return nil, held(path, f)
		case !isAt(f, name):
			f.Close()
			continue
		}
		l := &lock{path: name, f: f}
		l.sign()
		return l, nil
	}
	return nil, dataknobs.Errorf(dataknobs.Unavailable, "%s: its lock changes hands too fast", path)
}

// lockError explains why a store cannot be written at all.
func lockError(path, name string, err error) error {
	if errors.Is(err, fs.ErrPermission) || isReadOnly(err) {
		return dataknobs.Errorf(dataknobs.PermissionDenied, "%s cannot be written: its folder refuses new files: %w", path, err)
	}
	return ioError(name, err)
}

// isAt reports whether the open file f is the one at name.
func isAt(f *os.File, name string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(name)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// sign writes into the file who holds the lock. That only serves messages, so
// a failure does not matter.
func (l *lock) sign() {
	host, _ := os.Hostname()
	text := fmt.Sprintf("process %d (%s) on %s since %s\n", os.Getpid(), filepath.Base(os.Args[0]), host, time.Now().Format(time.RFC3339))
	if l.f.Truncate(0) == nil {
		_, _ = l.f.WriteAt([]byte(text), 0)
	}
}

func held(path string, f *os.File) error {
	text, _ := io.ReadAll(io.LimitReader(f, 300))
	by, _, _ := strings.Cut(string(text), "\n")
	if by == "" {
		by = "another process"
	}
	return dataknobs.Errorf(dataknobs.Unavailable, "%s is being written by %s", path, strings.ToValidUTF8(by, "?")).
		WithHint("a file has one writer at a time; try again when it has closed the store")
}

// release lets go of the lock. The file goes first, while nobody else can hold
// it. Where an open file cannot be removed it stays, which does no harm.
func (l *lock) release() error {
	_ = os.Remove(l.path)
	return l.f.Close()
}
