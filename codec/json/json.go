// Package json reads and writes JSON files: an array of objects, one object
// whose names are the IDs of the records that it holds (a keyed file), objects one
// after another, and NDJSON, one object on each line.
//
// The text is read strictly, as RFC 8259 says, after a byte order mark at
// most: anything else is an error with code DataLoss that names line, column and
// field. So are two equal names in one object, invalid UTF-8, half of a
// surrogate pair, a NUL character, an integer beyond 64 bits, a float beyond
// float64, nesting beyond 64 levels, and whatever stands in the place of a
// record and is not an object. Equal names are looked for in every record
// and in every nested object that is read. An integer literal is an int; every number with a point
// or an exponent is a float. A file that ends too early is never taken for a
// shorter one; an empty file holds no records.
//
// A member _id is the record's ID and a member _meta its metadata, unless a
// layout says otherwise.
//
// Start reading at [Format]; a scan is scan.go, over objects (row.go).
package json

import (
	"context"
	"io"
	"sync"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
)

// Format is the format of JSON files. The zero Format finds out by itself which
// form a file has, and writes an array, or a keyed object where the layout says so.
type Format struct {
	lines bool // NDJSON, whatever the text looks like
}

// NDJSON is the format of files with one object on each line. Blank lines are
// passed over.
var NDJSON = Format{lines: true}

var _ codec.Format = Format{}

// Name returns "json" or "ndjson".
func (f Format) Name() string {
	if f.lines {
		return "ndjson"
	}
	return "json"
}

// form is how the records of a file stand in it.
type form uint8

const (
	formLines  form = iota // one on each line
	formValues             // one after another
	formArray              // in an array
	formKeyed              // in an object, by ID
)

// Open finds out the form of the file. The errors are DataLoss for a
// beginning that is no JSON, and those of the source.
func (f Format) Open(ctx context.Context, src codec.Source, o *codec.ReadOptions) (codec.File, error) {
	x := &file{src: src, o: *o}
	x.setFields()
	if err := x.open(ctx, f); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// file is an opened JSON file.
type file struct {
	src   codec.Source
	o     codec.ReadOptions
	form  form
	start blocks.Block // where the first record may stand
	empty bool         // nothing but white space
	// declared says how the values of top-level fields are to be taken.
	declared map[string]declared
	idName   string // the member that is the ID
	metaName string // the member that is the metadata
	hasID    bool   // the first record has an ID, or metadata
	hasMeta  bool

	mu     sync.Mutex    // guards the fields below
	stream io.ReadCloser // of a source that can be read once, until it is
	head   []byte        // what was read of it so far
	used   bool          // the source that can be read once was read
}

// declared is what a field's values must be.
type declared struct {
	kind dataknobs.Kind
	// layout: said by our own writer; otherwise by the user.
	layout bool
}

// setFields takes the declarations from the options.
func (f *file) setFields() {
	f.idName, f.metaName = "_id", "_meta"
	f.declared = map[string]declared{}
	if l := f.o.Layout; l != nil {
		for _, c := range l.Columns {
			if c.Kind == "time" || c.Kind == "bytes" {
				k, _ := dataknobs.ParseKind(c.Kind)
				f.declared[c.Name] = declared{k, true}
			}
		}
		if l.ID != "" {
			f.idName = l.ID
		}
		if l.Meta != "" {
			f.metaName = l.Meta
		}
	}
	for name, k := range f.o.Types {
		f.declared[name] = declared{k, false}
	}
}

// Columns returns nil: the names are known only when all is read.
func (f *file) Columns() []string { return nil }

// Keyed reports whether the file is one object whose names are the IDs.
func (f *file) Keyed() bool { return f.form == formKeyed }

// Kinds returns the declared kinds; 0 for all other paths.
func (f *file) Kinds(_ context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	kinds := make([]dataknobs.KindSet, len(paths))
	for i, p := range paths {
		if len(p) != 1 {
			continue
		}
		if d, ok := f.declared[p[0].Name]; ok {
			kinds[i] = dataknobs.KindsOf(dataknobs.KindNull, d.kind)
		}
	}
	return kinds, nil
}

// Layout describes the file for a writer of its successor.
func (f *file) Layout(context.Context) (*codec.Layout, error) {
	if f.o.Layout != nil {
		l := *f.o.Layout
		l.Keyed = f.Keyed()
		return &l, nil
	}
	l := &codec.Layout{Version: 1, Keyed: f.Keyed()}
	for name, d := range f.declared {
		if d.kind == dataknobs.KindTime || d.kind == dataknobs.KindBytes {
			l.Columns = append(l.Columns, codec.Column{Name: name, Kind: d.kind.String()})
		}
	}
	if f.hasID {
		l.ID = f.idName
	}
	if f.hasMeta {
		l.Meta = f.metaName
	}
	return l, nil
}

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
