// Package remote lets one driver read files that another driver reaches: the
// objects of a bucket are read by the store over files, with its codecs, so
// that the same bytes give the same answers wherever they lie. Neither driver
// imports the other; they meet here.
package remote

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
)

// A Folder is a place of files that are only read. Its methods may be called
// from several goroutines at once. Names have slashes and no leading one.
type Folder interface {
	// List returns the files whose names begin with prefix, in the order of their
	// names, at most most; more is ResourceExhausted.
	List(ctx context.Context, prefix string, most int) ([]File, error)
	// ReaderAt reads a file at random. It is good at reading ahead, so callers
	// need not ask for large parts.
	ReaderAt(f File) io.ReaderAt
	// Open reads a file from its beginning.
	Open(ctx context.Context, f File) (io.ReadCloser, error)
	// Close ends every read.
	Close() error
}

// A File is one file, as it was when it was listed. Reading one that has been
// replaced since is Unavailable.
type File struct {
	Name     string
	Size     int64
	Modified time.Time
	Version  string // tells it from what may replace it
}

// An Opener opens the files of a folder that a pattern names, as one read-only
// store, which closes the folder. shown is how errors call the folder.
type Opener func(ctx context.Context, folder Folder, shown, pattern string, params map[string]string, warn func(string)) (dataknobs.Driver, error)

var opener atomic.Pointer[Opener]

// Register says who reads files.
func Register(o Opener) { opener.Store(&o) }

// Open calls the registered Opener.
func Open(ctx context.Context, folder Folder, shown, pattern string, params map[string]string, warn func(string)) (dataknobs.Driver, error) {
	o := opener.Load()
	if o == nil {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the program was built without the backend for files").
			WithHint("import _ %q", "dataknobs.dev/dataknobs/driver/file")
	}
	return (*o)(ctx, folder, shown, pattern, params, warn)
}

// Options are those that say how files are read: they pass through to the
// store over files, which checks them.
func Options() []dataknobs.OptionInfo {
	return []dataknobs.OptionInfo{
		{Name: "format", Doc: "the format of other people's files, where the extension does not say it: csv, tsv, json, ndjson or parquet"},
		{Name: "compression", Doc: "how they are compressed, where the extension does not say it: none, gzip or zstd"},
		{Name: "key", Kind: dataknobs.OptionList, Doc: "the fields of such files whose text is the ID"},
		{Name: "nulls", Kind: dataknobs.OptionList, Doc: "words that mean null in CSV files"},
		{Name: "types", Kind: dataknobs.OptionMap, Doc: "kinds of fields, such as zip:string,price:float"},
		{Name: "delimiter", Doc: "the delimiter of CSV files: one character, or tab; found out by itself"},
		{Name: "header", Kind: dataknobs.OptionBool, Default: "true", Doc: "whether the first line of a CSV file names the columns"},
		{Name: "headers", Default: "lenient", Doc: "lenient or strict: what to do about empty and repeated column names"},
		{Name: "ragged", Default: "error", Doc: "error or pad: what to do about a CSV row that is too short"},
		{Name: "encoding", Default: "utf-8", Doc: "the encoding of CSV files: utf-8 or latin1"},
		{Name: "hive", Kind: dataknobs.OptionBool, Default: "true", Doc: "whether folders named key=value are fields"},
	}
}
