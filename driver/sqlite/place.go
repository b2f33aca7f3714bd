package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
)

// A place is where a database is: a file, or the memory of this process.
type place struct {
	name   string // as the user wrote it
	path   string // the file, symbolic links followed; "" in memory
	memory bool
}

// locate finds out where the database is. The file itself may be missing; its
// folder may not.
func locate(name string) (*place, error) {
	if name == ":memory:" {
		return &place{name: name, memory: true}, nil
	}
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "%q is no name of a file", name)
	}
	f := &place{name: name, path: name}
	// A file of a name such as ":a" or "file:a" must not mean anything to SQLite.
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "%s: %w", name, err)
	}
	f.path = abs
	// The locks and the journal belong to the file itself, not to a link to it.
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		f.path = real
	} else if target, err := os.Readlink(abs); err == nil { // to a file that is still to be made
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(abs), target)
		}
		f.path = target
	}
	return f, f.checkFile()
}

// checkFile refuses what can be no database without asking SQLite, whose
// answers are poorer.
func (f *place) checkFile() error {
	info, err := os.Stat(f.path)
	switch {
	case err == nil && info.IsDir():
		return dataknobs.Errorf(dataknobs.InvalidArgument, "%s is a folder, not a database", f.name)
	case err == nil && !info.Mode().IsRegular():
		return dataknobs.Errorf(dataknobs.InvalidArgument, "%s is no regular file", f.name)
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return dataknobs.Errorf(dataknobs.PermissionDenied, "%s: permission denied", f.name)
	case !errors.Is(err, fs.ErrNotExist):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "%s: %w", f.name, err)
	}
	dir, err := os.Stat(filepath.Dir(f.path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dataknobs.Errorf(dataknobs.NotFound, "%s: the folder %s does not exist", f.name, filepath.Dir(f.name)).
			WithHint("make the folder first")
	case err == nil && !dir.IsDir():
		return dataknobs.Errorf(dataknobs.InvalidArgument, "%s: %s is no folder", f.name, filepath.Dir(f.name))
	}
	return nil
}

// exists reports whether there is a file.
func (f *place) exists() bool {
	_, err := os.Stat(f.path)
	return f.memory || err == nil
}

// missing is the error where there is no file.
func (f *place) missing() error {
	return dataknobs.Errorf(dataknobs.NotFound, "%s: there is no such file", f.name)
}

// open opens a connection.
func (f *place) open(o *Options, flags lite.Flags) (*lite.Conn, error) {
	name := f.path
	if f.memory {
		name = ":memory:"
	}
	return f.connect(name, flags, o)
}

// immutable opens a connection to a database in WAL mode that lies in a folder
// where nothing can be written, as if nobody could ever change it.
func (f *place) immutable(o *Options) (*lite.Conn, error) {
	name := "file:" + uriEscaper.Replace(filepath.ToSlash(f.path)) + "?immutable=1"
	return f.connect(name, lite.ReadOnly|lite.URI, o)
}

func (f *place) connect(name string, flags lite.Flags, o *Options) (*lite.Conn, error) {
	c, err := lite.Open(name, flags, o.Busy)
	if err != nil {
		return nil, f.classify(err)
	}
	if err := setUp(c, o); err != nil {
		c.Close()
		return nil, f.classify(err)
	}
	return c, nil
}

var uriEscaper = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")
