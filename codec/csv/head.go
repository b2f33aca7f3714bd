package csv

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
)

// headSize is how much of the beginning is looked at when a file is opened.
const headSize = 256 << 10

// open reads the beginning of the file: the header, the delimiter, a sample.
func (f *file) open(ctx context.Context) error {
	f.nulls = newNulls(slices.Concat(f.o.CSV.Nulls, layoutNulls(&f.o)))
	for size := headSize; ; size *= 2 {
		h := blocks.Head{Source: &f.src, Stream: f.stream, Bytes: f.head}
		head, all, err := h.Read(ctx, size)
		f.stream, f.head = h.Stream, h.Bytes
		if err != nil {
			return err
		}
		ok, err := f.header(head, all)
		if ok || err != nil {
			return err
		}
		if size > dataknobs.MaxRecordBytes {
			return dataknobs.Errorf(dataknobs.ResourceExhausted, "%s: the header has more than %d bytes", f.src.Name, dataknobs.MaxRecordBytes)
		}
	}
}

// header finds the columns. It is not ok when the header goes on after head.
func (f *file) header(head []byte, all bool) (ok bool, err error) {
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return false, f.errorf("is UTF-16 text").WithHint("convert it to UTF-8 first, for example with iconv")
	}
	if endsInCR(head) {
		return false, f.errorf("has lines that end with a carriage return alone").WithHint("convert it first, for example with tr '\\r' '\\n'")
	}
	p, line := 0, int64(1)
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		p = 3
	}
	for p < len(head) && blankAt(head, p) && !f.nullRows() {
		p += bytes.IndexByte(head[p:], '\n') + 1
		line++
	}
	f.start = blocks.Block{Offset: int64(p), Line: line}
	f.findDelimiter(head[p:])
	data := padded(head[p:], all)
	if len(data) == 0 {
		if f.whole = all; !all {
			return false, nil
		}
		if f.noHeader() {
			return true, f.layoutColumns()
		}
		return true, f.setColumns(nil)
	}
	s := f.splitter()
	n, end, bad := s.any(data, 0)
	if bad == incomplete && !all {
		return false, nil
	}
	if bad != whole {
		return false, f.splitError(s, data, 0, line, bad)
	}
	if f.noHeader() {
		return true, f.finish(data, all, positional(n))
	}
	names, err := f.names(s, data, n)
	if err != nil {
		return false, err
	}
	f.start.Offset += int64(min(end, len(head)-p)) // padded may have added the end of the line
	f.start.Line += int64(bytes.Count(data[:end], []byte{'\n'}))
	return true, f.finish(data[end:], all, names)
}

// endsInCR reports whether the lines of a file end as on old Macs: it would be
// read as a header of many columns and nothing else.
func endsInCR(head []byte) bool {
	i := bytes.IndexAny(head, "\r\n\"")
	return i >= 0 && i < len(head)-1 && head[i] == '\r' && bytes.IndexByte(head, '\n') < 0
}

// nullRows reports whether a blank line at the beginning is a row: in a file
// without header that is known to have one column.
func (f *file) nullRows() bool {
	return f.noHeader() && f.o.Layout != nil && len(fileColumns(f.o.Layout)) == 1
}

func (f *file) noHeader() bool {
	return f.o.CSV.NoHeader || f.o.Layout != nil && f.o.Layout.NoHeader
}

// layoutColumns takes the columns of an empty file without a header from its layout.
func (f *file) layoutColumns() error {
	if f.o.Layout == nil {
		return f.setColumns(nil)
	}
	return f.setColumns(fileColumns(f.o.Layout))
}

// finish sets the columns and keeps the sample.
func (f *file) finish(rest []byte, all bool, names []string) error {
	if l := f.o.Layout; f.noHeader() && l != nil && len(fileColumns(l)) == len(names) {
		names = fileColumns(l)
	}
	f.sample = rest
	if !all {
		f.sample = rest[:bytes.LastIndexByte(rest, '\n')+1]
	}
	f.whole = all
	return f.setColumns(names)
}

// padded returns b, with the end of its last line if it is the whole file.
func padded(b []byte, all bool) []byte {
	b = append(make([]byte, 0, len(b)+blocks.Slack+1), b...)
	if all && len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	return b
}

// blankAt reports whether the line at p is wholly blank and ends in head.
func blankAt(head []byte, p int) bool {
	return head[p] == '\n' || head[p] == '\r' && p+1 < len(head) && head[p+1] == '\n'
}

func positional(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "column" + strconv.Itoa(i+1)
	}
	return names
}

// names reads the header's cells and makes them names of fields.
func (f *file) names(s *splitter, data []byte, n int) ([]string, error) {
	names := make([]string, n)
	for i := range n {
		cell := data[s.pos[i]+1 : s.pos[i+1]]
		if len(cell) > 0 && cell[0] == '"' {
			cell = unquote(nil, cell)
		}
		if f.o.CSV.Latin1 {
			cell = appendLatin1(nil, cell)
		}
		names[i] = string(cell)
		if !utf8.ValidString(names[i]) {
			return nil, f.errorf("line %d, column %d: the header is not UTF-8", f.start.Line, i+1).WithHint("read it with encoding=latin1")
		}
	}
	return f.unique(names)
}

// unique makes names legal and different from each other.
func (f *file) unique(names []string) ([]string, error) {
	taken := make(map[string]int, len(names))
	for _, n := range names {
		taken[n] = 2
	}
	seen := make(map[string]bool, len(names))
	for i, n := range names {
		switch {
		case n == "":
			names[i] = fresh("column"+strconv.Itoa(i+1), taken)
			if err := f.nameTrouble(i, "has no name", names[i]); err != nil {
				return nil, err
			}
		case seen[n]:
			names[i] = fresh(n, taken)
			if err := f.nameTrouble(i, "has the name "+quoteName(n)+" again", names[i]); err != nil {
				return nil, err
			}
		case f.isReserved(n):
			names[i] = fresh(n, taken)
			if err := f.nameTrouble(i, "has the system name "+quoteName(n), names[i]); err != nil {
				return nil, err
			}
		}
		if err := dataknobs.CheckName(names[i]); err != nil && !dataknobs.IsSystemName(names[i]) {
			return nil, f.errorf("line %d, column %d: %w", f.start.Line, i+1, err)
		}
		seen[names[i]] = true
	}
	return names, nil
}

// isReserved reports whether a column of that name can be no field: all system
// names but those that are the ID or the metadata of the record.
func (f *file) isReserved(name string) bool {
	if !dataknobs.IsSystemName(name) {
		return false
	}
	id, meta := f.systemColumns()
	return name != id && name != meta
}

// systemColumns returns the names of the columns that hold ID and metadata.
func (f *file) systemColumns() (id, meta string) {
	id = "_id"
	if l := f.o.Layout; l != nil {
		if meta = l.Meta; l.ID != "" {
			id = l.ID
		}
	}
	return id, meta
}

// fresh returns name, or name_2, name_3, … : the first that is not taken; and
// takes it. taken holds with each name the first number that may be free, so
// that a header of one name only costs no more than another.
func fresh(name string, taken map[string]int) string {
	n, i := name, taken[name]
	for ; taken[n] > 0; i++ {
		n = fmt.Sprintf("%s_%d", name, i)
	}
	if i > 0 {
		taken[name] = i
	}
	taken[n] = max(taken[n], 2)
	return n
}

// nameTrouble warns that column i is called name, or is an error if names are strict.
func (f *file) nameTrouble(i int, why, name string) error {
	if f.o.CSV.Strict {
		return f.errorf("line %d: column %d %s", f.start.Line, i+1, why).WithHint("give it a name of its own, or leave out headers=strict")
	}
	f.warn(fmt.Sprintf("%s: column %d %s; it is called %s here", f.src.Name, i+1, why, quoteName(name)))
	return nil
}

// setColumns sets the columns and how they are declared.
func (f *file) setColumns(names []string) error {
	id, meta := f.systemColumns()
	f.cols = make([]column, len(names))
	f.known = make([]marks, len(names))
	f.single = len(names) == 1
	declared := map[string]reading{}
	if l := f.o.Layout; l != nil {
		for _, c := range l.Columns {
			declared[c.Name] = readings[c.Kind]
		}
	}
	for i, n := range names {
		c := column{name: n, as: declared[n]}
		switch n {
		case id:
			c.role, c.as = roleID, asString
		case meta:
			c.role, c.as = roleMeta, asJSON
		}
		f.cols[i] = c
	}
	return f.declare(names)
}

// declare applies the declared types.
func (f *file) declare(names []string) error {
	for name, kind := range f.o.Types {
		i := slices.Index(names, name)
		if i < 0 && len(names) > 0 {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "%s: types: there is no column %s", f.src.Name, quoteName(name)).
				WithHint("the columns are %s", strings.Join(names, ", "))
		}
		if i >= 0 && f.cols[i].role == roleField {
			f.cols[i].as = readings[kind.String()]
		}
	}
	return nil
}
