// Package file is the store over a plain file: CSV, TSV, JSON, NDJSON or
// Parquet, compressed or not, or over a folder of such files, read as one.
//
// The file is read where it lies: nothing is imported, and opening looks at
// its beginning only. It stays a plain file that every other tool reads. Writes
// go to a journal beside it, durable before they are acknowledged, and are
// folded into the file at close and past a size; docs/design/0004-file-store.md
// describes the journal, the side file and what holds when a process is killed.
//
// Start at [New], or open it by its path: dataknobs.Open(ctx, "people.csv", nil).
//
// In the code, start at [Driver] in file.go: target.go finds the files, base.go
// is one generation of them and overlay.go what the journal says on top;
// state.go puts the two together. scan.go, pass.go and get.go read, by way of
// need.go and row.go; writer.go, queue.go and commit.go write to journal.go, and
// fold.go and layout.go make the file anew; load.go and convert.go are the fast
// ways in and out.
package file

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/remote"
)

// Options are the settings of a file store. Only Path is needed.
type Options struct {
	// Path is a file, a folder, a glob such as logs/*.csv.gz or logs/**/*.csv, or
	// "-" for standard input and output. A file of the literal name wins over a glob.
	Path string
	// Format is csv, tsv, json, ndjson or parquet. "": by the file's extension.
	Format string
	// Compression is none, gzip or zstd; for Parquet, what its pages are
	// compressed with when written: none, snappy, gzip or zstd. "": by the
	// extension; zstd for Parquet.
	Compression string
	// Key names the fields whose text is the ID. nil: see the package's notes on IDs.
	Key []string
	// Types declares the kinds of fields, overriding what is inferred.
	Types map[string]dataknobs.Kind
	// ReadOnly refuses every write.
	ReadOnly bool
	// Create says what a missing file means.
	Create CreateMode
	// Sync says when an acknowledged write is on disk.
	Sync SyncMode
	// Fold is the size in bytes past which the journal is folded into the file,
	// unless the file itself is larger. 0: 16 MiB.
	Fold int64
	// NoHive reads folders named key=value as mere folders, not as fields.
	NoHive bool
	// CSV are the options of CSV and TSV files.
	CSV CSVOptions
	// Warn takes what a user should know but need not stop for. May be nil. It
	// may be called from several goroutines at once.
	Warn func(msg string)

	// Indent writes JSON for people to read.
	Indent bool

	fs     fileSystem    // tests inject faults here; nil: the real one
	remote remote.Folder // where the files lie; nil: in the file system
	shown  string        // what stands before Path in errors, with remote
}

// CSVOptions are the options of CSV and TSV files.
type CSVOptions struct {
	Delimiter byte     // 0: found from the first lines
	Nulls     []string // words for null, besides the empty cell
	NoHeader  bool     // the first line is data: columns are column1, column2, …
	Strict    bool     // an empty or repeated header name is an error
	Pad       bool     // missing cells at the end of a row are null
	Latin1    bool     // the file is in latin-1; it is then read-only
}

// CreateMode says what a missing file means. Its folder must exist in any case.
type CreateMode uint8

// The modes.
const (
	CreateOnWrite CreateMode = iota // it is made by the first write; reading it before is NotFound
	CreateAlways                    // it is an empty store
	CreateNever                     // opening it is NotFound
)

// SyncMode says when an acknowledged write is on disk. In every mode it
// survives the death of the process; the modes differ in what the loss of power
// may take.
type SyncMode uint8

// The modes.
const (
	SyncAlways SyncMode = iota // before it is acknowledged: nothing is lost
	SyncBatch                  // at most a second later
	SyncNone                   // when the operating system likes
)

const (
	defaultFold = 16 << 20
	batchDelay  = time.Second
)

// Driver is a file store. It is safe for concurrent use.
//
// The ID of a record is, in this order: the text of the fields of Options.Key;
// of the key that the store was made with (kept beside the file); the object key,
// in a JSON file that is one object; the column _id; the column id, where each
// record has another one; else the number of the row, counted from 1, or
// file:row in a store of several files. A store of row numbers takes new
// records without an ID and refuses changes by ID.
type Driver struct {
	o        Options
	t        *target
	fs       fileSystem
	features atomic.Pointer[dataknobs.Features]
	closing  atomic.Bool // Close was called: no more writes

	mu     sync.RWMutex // guards the fields below
	closed bool
	st     *state

	stdinLock workLock // guards stdin
	stdin     *input   // of "-"; nil: not read yet

	refreshing sync.Mutex // held while looking for what other processes wrote
	w          writer
}

var (
	errClosed = dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")

	_ dataknobs.Driver     = (*Driver)(nil)
	_ dataknobs.Getter     = (*Driver)(nil)
	_ dataknobs.Counter    = (*Driver)(nil)
	_ dataknobs.Aggregator = (*Driver)(nil)
	_ dataknobs.Loader     = (*Driver)(nil)
	_ dataknobs.Schemer    = (*Driver)(nil)
	_ dataknobs.Namer      = (*Driver)(nil)
	_ dataknobs.Typed      = (*Driver)(nil)
	_ dataknobs.Explainer  = (*Driver)(nil)
	_ dataknobs.Epocher    = (*Driver)(nil)
	_ dataknobs.Syncer     = (*Driver)(nil)
)

// New opens the store. It looks at the beginning of the file only, and writes
// nothing.
//
// A file that is not there is an empty store to writes, which create it (its
// folder must exist), and NotFound to reads. What is there must be what it is
// called: a file that cannot be read as its format is DataLoss, an unknown
// extension InvalidArgument, one that may not be read PermissionDenied. Only a
// file of no bytes at all is an empty store in every format. That the key of
// the options repeats, or is missing from a record, is InvalidArgument, and
// shows at the first look at an ID.
func New(ctx context.Context, o Options) (*Driver, error) {
	d := &Driver{o: o, fs: o.fs}
	if d.fs == nil {
		d.fs = osFS{}
	}
	if o.Sync == SyncNone {
		d.fs = unsynced{d.fs}
	}
	d.fs = watched{d.fs, func(err error) { _ = d.w.fail(err) }}
	d.o.fs = d.fs
	if d.o.Fold <= 0 {
		d.o.Fold = defaultFold
	}
	if d.o.Warn == nil {
		d.o.Warn = func(string) {}
	}
	var err error
	if d.o.remote != nil {
		d.t, err = locateRemote(ctx, &d.o)
	} else {
		d.t, err = locate(&d.o)
	}
	if err != nil {
		return nil, err
	}
	d.w.init(d)
	d.stdinLock = newWorkLock()
	if d.t.std {
		d.setFeatures(d.stdFeatures())
		return d, nil
	}
	if err := d.reload(ctx); err != nil {
		return nil, err
	}
	if d.o.Create == CreateNever && d.st.base == nil && d.st.empty() {
		d.Close()
		return nil, d.missing()
	}
	return d, nil
}

// String returns the path as it was given.
func (d *Driver) String() string { return d.t.name }

// Features says what the store can do. It may answer differently once the
// store has learnt that its id column repeats, so that the IDs are row numbers,
// or what a store that was empty holds.
func (d *Driver) Features() *dataknobs.Features { return d.features.Load() }

func (d *Driver) setFeatures(f *dataknobs.Features) { d.features.Store(f) }

// missing is the error of reading a store that does not exist.
func (d *Driver) missing() error {
	return dataknobs.Errorf(dataknobs.NotFound, "%s: no such file", d.t.name)
}

// Close folds the journal into the file and lets go of the lock. Closing a
// store that was not written writes nothing. When folding fails the journal
// stays, and with it every acknowledged write; the error says so. After a sync
// or a write to the journal has failed nothing is folded, which is an error too.
func (d *Driver) Close() error {
	if d.closing.Swap(true) {
		return nil
	}
	err := d.w.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.st != nil && d.st.base != nil {
		d.st.base.release()
	}
	d.st = nil
	if d.o.remote != nil {
		return errors.Join(err, d.o.remote.Close())
	}
	return err
}
