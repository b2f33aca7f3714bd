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

// Settings are those that say how files are read: the store over files has
// them, and so has every store that lets it read its own.
type Settings struct {
	Format      string           `option:"format" enum:"csv tsv json ndjson parquet" doc:"the format, where the extension does not say it"`
	Compression string           `option:"compression" enum:"none gzip zstd snappy" doc:"how the file is compressed, where the extension does not say it; for parquet, how new pages are (snappy)"`
	Key         []string         `option:"key" doc:"the fields whose text is the ID, such as tailnum or origin,time_hour"`
	Nulls       []string         `option:"nulls" doc:"words that mean null in a CSV file, such as NA,-"`
	Types       []dataknobs.Pair `option:"types" doc:"kinds of fields, such as zip:string,price:float"`
	Delimiter   string           `option:"delimiter" doc:"the delimiter of a CSV file: one character, or tab; found out by itself"`
	Header      bool             `option:"header" default:"true" doc:"whether the first line of a CSV file names the columns; else they are column1, column2, …"`
	Headers     string           `option:"headers" enum:"lenient strict" default:"lenient" doc:"whether empty and repeated column names get a name and a warning, or are an error"`
	Ragged      string           `option:"ragged" enum:"error pad" default:"error" doc:"what to do about a CSV row that is too short: pad makes the missing cells null"`
	Encoding    string           `option:"encoding" enum:"utf-8 latin1" default:"utf-8" doc:"the encoding of a CSV file"`
	Hive        bool             `option:"hive" default:"true" doc:"whether folders named key=value are fields"`
}

// Options lists the options of Settings.
func Options() []dataknobs.OptionInfo { return dataknobs.OptionsOf(Settings{}) }
