// Package folder is a store over a folder with one file for each record: a
// small driver, written to be read. docs/extending.md goes through it step by
// step.
//
//	db, err := dataknobs.Open(ctx, "folder:people", nil)
//
// A file is called as its record's ID, with percent escapes, and holds three
// lines of JSON: the revision, the fields and the metadata. Conditions on _id,
// the order of _id, pages and counts by _id are answered from the names of the
// files; whatever else a query asks, the engine finishes above.
//
// One process at a time may write: nothing here keeps a second one out, as the
// lock of driver/file does.
package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"dataknobs.dev/dataknobs"
)

// MaxID is the longest ID in bytes: each may become three in the name of its
// file, and names have 255.
const MaxID = 80

func init() {
	dataknobs.Register(&dataknobs.Backend{
		Name:     "folder",
		Summary:  "a folder with one file for each record",
		Settings: settings{},
		Open:     open,
	})
}

type settings struct {
	Path string `option:"path" location:"true" required:"true" doc:"the folder, which is made if it is missing"`
	Sync bool   `option:"sync" default:"true" doc:"wait at each write until it is on the disk"`
}

func open(_ context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	var s settings
	if err := c.Decode(&s); err != nil {
		return nil, err
	}
	return New(s.Path, Options{NoSync: !s.Sync})
}

// Options are the settings of a Store. The zero value is the safe one.
type Options struct {
	// NoSync leaves it to the operating system when a write is on the disk: what
	// was acknowledged survives a crash of the process, not one of the machine.
	NoSync bool
}

// A Store is the driver. It is safe for concurrent use.
type Store struct {
	dir      string
	opts     Options
	features dataknobs.Features

	mu     sync.RWMutex // held alone while records change
	closed bool         // guarded by mu
}

// New opens the store in dir and makes the folder if it is missing.
func New(dir string, o Options) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, ioError(dir, err)
	}
	s := &Store{dir: dir, opts: o}
	s.features = dataknobs.Features{
		Filter:    canFilter,
		Sort:      canSort,
		Limit:     true,
		Seek:      true,
		Metadata:  true,
		MaxRecord: 16 << 20,
	}
	return s, s.sweep()
}

// Features implements dataknobs.Driver.
func (s *Store) Features() *dataknobs.Features { return &s.features }

// canFilter says which conditions Scan decides: those on the ID.
func canFilter(c *dataknobs.Cond) dataknobs.Support {
	if !c.Path.IsID() {
		return dataknobs.Support{Reason: "only the names of files are known before they are read"}
	}
	return dataknobs.CanCompile(c)
}

// canSort says in which orders Scan yields: that of the IDs, either way.
func canSort(os []dataknobs.Order) dataknobs.Support {
	if len(os) != 1 || !os[0].Path.IsID() {
		return dataknobs.Support{Reason: "files are sorted by name"}
	}
	return dataknobs.Support{Fidelity: dataknobs.Exact}
}

// Close implements dataknobs.Driver. It waits for the write under way.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// ready returns why nothing may begin now; nil if it may. The caller holds mu.
func (s *Store) ready(ctx context.Context) error {
	if s.closed {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")
	}
	return ctx.Err()
}

// sweep removes what writes left behind that were cut short.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return ioError(s.dir, err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			if err := os.Remove(s.path(e.Name())); err != nil {
				return ioError(e.Name(), err)
			}
		}
	}
	return nil
}

// ioError classifies an error of the file system, once, where it is first seen.
func ioError(name string, err error) error {
	code := dataknobs.Unavailable
	switch {
	case errors.Is(err, fs.ErrPermission):
		code = dataknobs.PermissionDenied
	case errors.Is(err, syscall.ENOSPC):
		code = dataknobs.ResourceExhausted
	case errors.Is(err, syscall.ENOTDIR):
		code = dataknobs.InvalidArgument
	}
	return dataknobs.Errorf(code, "%s: %w", name, err)
}
