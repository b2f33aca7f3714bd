// Package csv reads and writes CSV and TSV files.
//
// The grammar is RFC 4180, with LF as well as CRLF at the ends of lines: a cell
// that holds the delimiter, a quote or the end of a line stands in double quotes, a quote
// inside it is doubled. A byte order mark is skipped, as is a wholly blank
// line, but for files of one column, where it is a row whose cell is null.
// What breaks the grammar is an error with code DataLoss that names the line;
// nothing is ever guessed.
//
// # Kinds
//
// The kind of a column is inferred from every cell of the file, never from a sample:
//
//   - An unquoted empty cell is null, as is an unquoted word of CSVOptions.Nulls; a
//     quoted empty cell is the empty string.
//   - A column whose other cells are all numbers is numeric: each cell is an int or
//     a float by its own text. An int is -?(0|[1-9][0-9]*) within 64 bits; a float
//     is a number in JSON's grammar with a point or an exponent, or one like .5 or 5.,
//     within the range of float64.
//   - A column of true and false, in any case, is bool.
//   - A column of full RFC 3339 times is time. A date alone is a string.
//   - Every other column is a string column, all of its cells: one cell such as 007, +5,
//     NaN, 0x1F or an integer beyond 64 bits makes it one.
//
// Quotes do not matter to the kind of a cell that is not empty: "12" is a number. A
// layout (codec.Layout) or declared types say what the text cannot show.
//
// Start reading at [Format]; a scan is scan.go, over rows (row.go) of cells (cell.go), or
// over whole columns (vector.go), of which each different text is read once (coder.go).
package csv

import (
	"context"
	"io"
	"strings"
	"sync"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
)

// Format is the format of CSV files. The zero Format finds the delimiter by
// itself, and writes commas.
type Format struct {
	tabs bool // read and write tabs unless told otherwise
}

// TSV is the format of files of tab-separated values, with the quoting rules of CSV.
var TSV = Format{tabs: true}

var _ codec.Format = Format{}

// Name returns "csv" or "tsv".
func (f Format) Name() string {
	if f.tabs {
		return "tsv"
	}
	return "csv"
}

// Open reads the header, and a sample from which the first scan takes the
// kinds that it assumes. The errors are DataLoss for a header that cannot be
// read, InvalidArgument for options that cannot be, and those of the source.
func (f Format) Open(ctx context.Context, src codec.Source, o *codec.ReadOptions) (codec.File, error) {
	x := &file{src: src, o: *o, warn: o.Warn}
	if x.warn == nil {
		x.warn = func(string) {}
	}
	if l := o.Layout; l != nil && len(l.Delimiter) == 1 && x.o.CSV.Delimiter == 0 {
		x.o.CSV.Delimiter = l.Delimiter[0]
	}
	if f.tabs && x.o.CSV.Delimiter == 0 {
		x.o.CSV.Delimiter = '\t'
	}
	if c := x.o.CSV.Delimiter; c == '"' || c == '\n' || c == '\r' || c >= 0x80 {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "%q cannot be the delimiter", c)
	}
	if err := x.open(ctx); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// file is an opened CSV file.
type file struct {
	src   codec.Source
	o     codec.ReadOptions
	warn  func(string)
	delim byte
	nulls nulls
	// cols are the columns as they stand in the file.
	cols []column
	// start is where the first data row stands; Line is right too.
	start blocks.Block
	// sample is the beginning of the data; whole rows, if any.
	sample []byte
	whole  bool // the sample is all there is
	// single: the file has one column, so that a blank line is a row.
	single bool

	mu     sync.Mutex    // guards the fields below
	stream io.ReadCloser // of a source that can be read once, until it is
	head   []byte        // what was read of it so far
	used   bool          // the source that can be read once was read
	known  []marks       // by column: all kinds of cells there are in the file; 0: not known
	guess  []marks       // by column: those of the sample

	settling sync.Mutex // held by whoever settles kinds, so that it is done once
}

// A column is one column of the file.
type column struct {
	name string
	role role
	// as is how the cells are read, where that is declared; else asInferred.
	as reading
}

// role says what a column is to the record.
type role uint8

const (
	roleField role = iota
	roleID
	roleMeta
)

// Columns returns the names of the columns that are fields.
func (f *file) Columns() []string {
	names := make([]string, 0, len(f.cols))
	for _, c := range f.cols {
		if c.role == roleField {
			names = append(names, c.name)
		}
	}
	return names
}

// Keyed reports false: a CSV file has no keys but its columns.
func (f *file) Keyed() bool { return false }

// Close frees what the file holds.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stream == nil {
		return nil
	}
	s := f.stream
	f.stream = nil
	return s.Close()
}

// errorf returns a DataLoss error about the file.
func (f *file) errorf(format string, args ...any) *dataknobs.Error {
	return dataknobs.Errorf(dataknobs.DataLoss, "%s: "+format, append([]any{f.src.Name}, args...)...)
}

// nulls are the words that mean null.
type nulls struct {
	words  []string
	lens   uint64 // bit n: a word has n bytes (bit 63: 63 or more)
	number bool   // a word could be taken for a value of another kind than string
}

func newNulls(words []string) nulls {
	n := nulls{words: words}
	for _, w := range words {
		n.lens |= 1 << min(len(w), 63)
		if w != "" && classify([]byte(w)) != markString {
			n.number = true
		}
	}
	return n
}

// has reports whether b is one of the words.
func (n *nulls) has(b []byte) bool {
	if n.lens>>min(len(b), 63)&1 == 0 {
		return false
	}
	for _, w := range n.words {
		if w == string(b) {
			return true
		}
	}
	return false
}

// quoteName shows a column's name in an error.
func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
