// Package codec reads and writes streams of records as bytes: the formats that
// the stores over files and objects share. codec/csv, codec/json and
// codec/parquet each provide a [Format].
//
// A reader opens a [Source] and scans it with several workers; a [Row] gives
// single values without building a record, so that a scan filters before it
// materialises.
//
// Start at [Format], then [File] and [Scan] for reading, [Writer] and [Layout] for
// writing; vector.go is about whole columns at a time.
package codec

import (
	"context"
	"io"

	"dataknobs.dev/dataknobs"
)

// A Source is where bytes come from: a plain file, an object in a bucket, or a
// decompressed stream.
type Source struct {
	// Name is shown in errors: the file's name as the user knows it.
	Name string
	// Open starts reading the (decompressed) bytes from their beginning. It may
	// be called several times, also while an earlier reader is still open, but
	// for a source that can be read only once (Once).
	Open func(ctx context.Context) (io.ReadCloser, error)
	// Once: Open works one time only (standard input).
	Once bool
	// ReaderAt, if not nil, reads Size bytes at random; nil for compressed
	// sources. It may be called from several goroutines at once.
	ReaderAt io.ReaderAt
	Size     int64 // with ReaderAt
}

// A Format knows one kind of file.
type Format interface {
	// Name is the format's name: "csv", "json", "ndjson", "parquet".
	Name() string
	// Open looks at the beginning of src (a header, a footer), no more, and
	// returns the file for scanning.
	Open(ctx context.Context, src Source, o *ReadOptions) (File, error)
	// NewWriter starts a file in this format on w. Nothing may be relied on to be
	// in w before Close.
	NewWriter(w io.Writer, o *WriteOptions) (Writer, error)
}

// ReadOptions says how to read a file. The zero value reads what each format
// reads by itself.
type ReadOptions struct {
	// Types declares the kinds of fields: it overrides what the format infers.
	// A value that cannot be of its declared kind is an error with its place.
	Types map[string]dataknobs.Kind
	// Layout, if not nil, says how our own writer encoded what the format cannot
	// show; from the side file or the file's own metadata.
	Layout *Layout
	// Warn takes what a reader should know but need not stop for. May be nil.
	Warn func(msg string)

	CSV CSVOptions
}

// CSVOptions are the options of CSV and TSV files.
type CSVOptions struct {
	Delimiter byte     // 0: found from the first lines, among , tab ; |
	Nulls     []string // words that mean null when not quoted, besides the empty cell
	NoHeader  bool     // the first line is data: columns are column1, column2, …
	Strict    bool     // headers=strict: an empty or repeated header name is an error
	Pad       bool     // ragged=pad: missing cells are null; cells past the header are an error still
	Latin1    bool     // encoding=latin1
}

// A File is one opened file. Its methods may be called from several goroutines
// at once.
type File interface {
	// Columns returns the names of the top-level fields where the format knows
	// them without reading all (CSV, Parquet); nil where it does not (JSON).
	Columns() []string
	// Keyed reports whether each row has a key of its own (the JSON object whose
	// keys are the IDs): then Row.Key gives it.
	Keyed() bool
	// Kinds returns the kinds found at each path, reading as much of the file as
	// it takes to be certain (CSV: all of it, once; remembered). 0 for a path
	// about which nothing is known without reading records (JSON, unless declared).
	Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error)
	// Scan visits every row. It returns ErrUnsettled, after all rows were
	// visited, if the kinds it had assumed for a path in s.Slots or s.Paths
	// proved wrong: everything that came of this scan must be thrown away, and
	// the same scan run again will then be right. Unless s.Speculate, kinds are
	// settled first and that never happens.
	Scan(ctx context.Context, s *Scan) error
	// ReadAt materialises single rows, whole, by their Row.Offset; in the given
	// order, which should be ascending.
	ReadAt(ctx context.Context, offsets []int64, each func(i int, rec *dataknobs.Record) error) error
	// Layout describes the file for a writer of its successor: columns, kinds,
	// delimiter. It settles all kinds.
	Layout(ctx context.Context) (*Layout, error)
	Close() error
}

// A Guesser is a File that can say, from its beginning alone, what its Layout
// will most likely be. A scan with Speculate that reads values by a layout that
// proves wrong ends with ErrUnsettled, or yields a value that does not fit it.
type Guesser interface {
	GuessLayout() *Layout
}

// ErrUnsettled is what Scan returns when its assumed kinds proved wrong.
const ErrUnsettled = scanError("kinds were not as assumed; scan again")

type scanError string

func (e scanError) Error() string { return string(e) }

// A Scan says what to read.
type Scan struct {
	// Slots are the paths whose values Row.Value gives, by index. They are paths
	// into the fields and _meta; _id and _rev are the caller's business.
	Slots []dataknobs.Path
	// Paths are what Row.Record materialises; nil: everything.
	Paths []dataknobs.Path
	// NoRecords: Row.Record will not be called.
	NoRecords bool
	// Prune, if not nil, is a condition that every row of interest satisfies; a
	// file with statistics uses it to pass over what cannot satisfy it. Others
	// ignore it.
	Prune dataknobs.Expr
	// Speculate: the caller can throw everything away on ErrUnsettled.
	Speculate bool
	// Workers is how many goroutines may visit at once; 0: one per core.
	Workers int
	// Begin is called in order, from one goroutine at a time, for each block of
	// rows (0, 1, 2, …); the Visitor it returns is then used by one goroutine.
	// Blocks run at once, so they may end in any order. A bounded number of
	// blocks is under way, so Visitor.End may wait for earlier blocks to be consumed.
	Begin func(block int) (Visitor, error)
	Stats *dataknobs.ScanStats // may be nil
}

// A Visitor takes the rows of one block.
type Visitor interface {
	// Row is called for each row in order. row is valid only during the call.
	// ErrStop ends the whole scan without an error; other errors end it too.
	Row(row Row) error
	// End is called once after the last row of the block (not after an error).
	End() error
}

// ErrStop is returned by a Visitor that has seen enough: the scan ends, nil.
const ErrStop = scanError("stop")

// A Row is one row during a visit.
type Row interface {
	// Value returns the value of slot i. Strings and bytes may alias the
	// reader's buffer: Clone what is kept.
	Value(i int) dataknobs.Value
	// Record materialises the row as the scan's Paths say: fields and metadata,
	// the caller's own, without ID (but for a file whose layout has an ID column)
	// and revision.
	Record() (*dataknobs.Record, error)
	// Number is the row's number, counted from 0 over the file's data rows.
	Number() int64
	// Key is the row's own key in a keyed file; "" elsewhere. Aliases like Value.
	Key() string
	// Offset is what File.ReadAt takes.
	Offset() int64
}

// A Layout says how a file holds its records: enough to write another like it,
// and to read back exactly what the format cannot show by itself. It is kept
// beside the file (or in its own metadata, in Parquet) as JSON.
type Layout struct {
	Version int `json:"version"` // 1
	// Columns are the top-level fields in file order. JSON files list only those
	// that need a note.
	Columns []Column `json:"columns,omitempty"`
	// ID is the name of the column that holds the IDs where they are not a field; "" if none.
	ID string `json:"id,omitempty"`
	// Meta is the name of the column that holds the metadata as JSON; "" if none.
	Meta string `json:"meta,omitempty"`
	// Tagged: values that the format cannot show stand as {"$time": "…"},
	// {"$bytes": "…"}, and an object whose only name starts with $ has one more $ put before it.
	Tagged bool `json:"tagged,omitempty"`
	// Keyed: a JSON file that is one object whose names are the IDs.
	Keyed bool `json:"keyed,omitempty"`
	// Delimiter of a CSV file.
	Delimiter string `json:"delimiter,omitempty"`
	// NoHeader: the CSV file has no header line.
	NoHeader bool `json:"no_header,omitempty"`
	// Nulls are the words for null of a CSV file.
	Nulls []string `json:"nulls,omitempty"`
}

// A Column is one column of a Layout.
type Column struct {
	Name string `json:"name"`
	// Kind is how every non-null value of the column is held: a kind's name;
	// "number" (each cell int or float by its own text); "json" (each value as
	// tagged JSON text: arrays, objects, and columns of several kinds). Parquet
	// files also know "array<int>" and its like, with any scalar kind inside:
	// arrays whose elements are of that kind or null.
	Kind string `json:"kind"`
}

// WriteOptions says how to write a file.
type WriteOptions struct {
	// Layout fixes the columns and how each holds its values. The writer returns
	// an error with code InvalidArgument for a record that does not fit it.
	Layout *Layout
	// Compression inside the file (Parquet): "", "zstd", "snappy", "gzip", "none".
	Compression string
	Indent      bool // JSON for people
}

// A Writer writes records in one format. Not safe for concurrent use.
type Writer interface {
	// Write appends one record; it keeps nothing of it. The record's ID and
	// metadata go where the Layout says.
	Write(rec *dataknobs.Record) error
	// Close ends the file (not the io.Writer beneath).
	Close() error
}

// A ChunkWriter is a Writer that also takes rows as plain values, prepared by
// several goroutines at once: the fast way from one format to another. Ask for
// it with a type assertion; Write does for every Writer.
type ChunkWriter interface {
	Writer
	// NewChunk returns an empty chunk. Any number of chunks may be filled at
	// once, each by one goroutine; a few tens of thousands of rows make a good
	// one. It may be called from any goroutine.
	NewChunk() Chunk
	// WriteChunk appends the rows of c to the file: chunks stand in the file in
	// the order of the calls. c belongs to the writer from then on. Only one
	// goroutine at a time may call WriteChunk, Write and Close.
	WriteChunk(c Chunk) error
}

// A Chunk collects rows for a [ChunkWriter]. Used by one goroutine at a time.
type Chunk interface {
	// AppendRow appends one row: a value for each column of the Layout, in its
	// order, then the ID (a string) if the Layout has an ID column, then the
	// metadata (an object, or null) if it has a column for that. It keeps nothing
	// of values. A value that does not fit its column is an error with code
	// InvalidArgument, and the row is not appended.
	AppendRow(values []dataknobs.Value) error
	// Rows returns how many rows have been appended.
	Rows() int
}
