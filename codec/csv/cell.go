package csv

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"
	"unsafe"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/jsontext"
	"dataknobs.dev/dataknobs/codec/internal/lex"
)

// A reader reads the cells of one row after another.
type reader struct {
	f     *file
	split *splitter
	data  []byte // the block that the row is in
	wide  []byte // data, and eight bytes more
	start int    // where the row starts
	cells int    // how many cells it has
	line  int64  // the line it starts on; 0: not known
	off   int64  // the place of data in the file
	err   error  // the first cell that could not be read

	clean   bool   // all of data is UTF-8 without NUL
	checked bool   // clean has been found out
	scratch []byte // text that is not as it stands in data
	json    jsontext.Reader
	arena   lex.Arena // the strings of records
}

// reset starts on a new block.
func (r *reader) reset(data []byte, off, line int64) {
	r.data, r.off, r.line = data, off, line
	r.wide = data[:len(data)+8]
	r.checked, r.err = false, nil
}

// raw returns the cell of column col as it stands in the file; empty if the row lacks it.
func (r *reader) raw(col int) []byte {
	if col >= r.cells {
		return nil
	}
	return r.data[r.split.pos[col]+1 : r.split.pos[col+1]]
}

// text returns the cell's text, and whether it is null.
func (r *reader) text(col int) (b []byte, null bool) {
	b = r.raw(col)
	if len(b) == 0 {
		return nil, true
	}
	if b[0] == '"' {
		b = b[1 : len(b)-1]
		if bytes.IndexByte(b, '"') >= 0 {
			b = r.extra(func(s []byte) []byte { return unquote(s, r.raw(col)) })
		}
	} else if r.f.nulls.lens != 0 && r.f.nulls.has(b) {
		return nil, true
	}
	return b, false
}

// extra returns what add appends to the row's scratch text.
func (r *reader) extra(add func([]byte) []byte) []byte {
	n := len(r.scratch)
	r.scratch = add(r.scratch)
	return r.scratch[n:]
}

// value returns the value of a cell. Strings alias the block or the scratch
// text. A cell that cannot be read sets err, if it is the first, and is null.
func (r *reader) value(col int, as reading) dataknobs.Value {
	b, null := r.text(col)
	if null {
		return dataknobs.Value{}
	}
	switch as {
	case asString:
		return r.str(col, b)
	case asNumber, asInferred:
		if v, ok := parseNumber(b); ok {
			return v
		}
	case asInt:
		if v, ok := parseNumber(b); ok && v.Kind() == dataknobs.KindInt {
			return v
		}
	case asFloat:
		if v, ok := parseNumber(b); ok {
			return dataknobs.Float(v.Float())
		}
	case asBool:
		if v, ok := parseBool(b); ok {
			return dataknobs.Bool(v)
		}
	case asTime:
		if v, ok := r.time(col, b); ok {
			return v
		}
	case asBytes:
		if v, err := base64.StdEncoding.DecodeString(string(b)); err == nil {
			return dataknobs.AdoptBytes(v)
		}
	case asJSON:
		return r.jsonCell(col, b)
	}
	r.fail(col, b, as)
	return dataknobs.Value{}
}

// time reads a time; in a declared column a date alone is its midnight.
func (r *reader) time(col int, b []byte) (dataknobs.Value, bool) {
	if v, ok := lex.ParseTime(b); ok || r.f.cols[col].as != asTime {
		return v, ok
	}
	return dataknobs.ParseTime(unsafe.String(unsafe.SliceData(b), len(b)))
}

// str returns text as a string value, if it is legal text.
func (r *reader) str(col int, b []byte) dataknobs.Value {
	if len(b) == 0 {
		return dataknobs.String("")
	}
	if !r.isClean() {
		if r.f.o.CSV.Latin1 {
			raw := b
			b = r.extra(func(s []byte) []byte { return appendLatin1(s, raw) })
		}
		if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
			r.failText(col, b)
			return dataknobs.Value{}
		}
	}
	return dataknobs.String(unsafe.String(unsafe.SliceData(b), len(b)))
}

// isClean reports whether no cell of the block needs a look at its bytes.
func (r *reader) isClean() bool {
	if !r.checked {
		r.checked = true
		r.clean = !r.f.o.CSV.Latin1 && utf8.Valid(r.data) && bytes.IndexByte(r.data, 0) < 0
	}
	return r.clean
}

func (r *reader) jsonCell(col int, b []byte) dataknobs.Value {
	if !utf8.Valid(b) {
		r.failText(col, b)
		return dataknobs.Value{}
	}
	r.json.Tagged = true
	v, err := r.json.Parse(b)
	if err != nil {
		r.keep(r.errorAt(col, "not the JSON that this column holds: %s", err.Msg))
	}
	return v
}

func (r *reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

// fail notes that b is not of its declared kind.
func (r *reader) fail(col int, b []byte, as reading) {
	kind := map[reading]string{asNumber: "a number", asInferred: "a number", asInt: "an int of 64 bits", asFloat: "a number",
		asBool: "true or false", asTime: "an RFC 3339 time", asBytes: "base64 text"}[as]
	if len(b) > 60 {
		b = append(bytes.Clone(b[:60]), "…"...)
	}
	err := r.errorAt(col, "%q is not %s", b, kind)
	r.keep(err.WithHint("declare another type for it with types=%s:string, or a word for null with nulls=", r.f.cols[col].name))
}

// failText notes that b is not legal text.
func (r *reader) failText(col int, b []byte) {
	if utf8.Valid(b) {
		r.keep(r.errorAt(col, "the cell contains a NUL character").WithHint("no store can hold one in text"))
		return
	}
	r.keep(r.errorAt(col, "the cell is not valid UTF-8").WithHint("if the file is latin-1, read it with encoding=latin1"))
}

// errorAt returns a DataLoss error with the place of a cell.
func (r *reader) errorAt(col int, format string, args ...any) *dataknobs.Error {
	args = append([]any{col + 1, quoteName(r.f.cols[col].name)}, args...)
	if r.line == 0 {
		args = append([]any{r.off + int64(r.start)}, args...)
		return r.f.errorf("the row at byte %d, column %d (%s): "+format, args...)
	}
	at := r.start
	if col < r.cells {
		at = int(r.split.pos[col] + 1)
	}
	args = append([]any{r.line + int64(bytes.Count(r.data[r.start:at], []byte{'\n'}))}, args...)
	return r.f.errorf("line %d, column %d (%s): "+format, args...)
}

// ragged returns the error of a row that has not as many cells as there are columns.
func (r *reader) ragged() error {
	place := "line %d"
	at := r.line
	if r.line == 0 {
		place, at = "the row at byte %d", r.off+int64(r.start)
	}
	err := r.f.errorf(place+": %d cells where the header has %d", at, r.cells, len(r.f.cols))
	if r.cells < len(r.f.cols) {
		return err.WithHint("take missing cells as null with ragged=pad")
	}
	return err.WithHint("put cells that hold the delimiter %q in quotes", r.f.delim)
}

// next splits the row at p. The row has as many cells as there are columns,
// or fewer under ragged=pad. row is false for a blank line, which is no row.
func (r *reader) next(p int, quotes bool) (next int, row bool, err error) {
	r.start = p
	r.scratch = r.scratch[:0]
	n, next := r.split.plain(r.wide, p)
	if quotes && bytes.IndexByte(r.data[p:next], '"') >= 0 {
		var st state
		if n, next, st = r.split.any(r.data[:len(r.data):len(r.data)], p); st != whole {
			return 0, false, r.f.splitError(r.split, r.data, p, max(r.line, 1), st)
		}
	}
	r.cells = n
	switch {
	case n == len(r.f.cols):
	case n == 1 && r.split.pos[1] == int32(p):
		return next, false, nil
	case n > len(r.f.cols) || !r.f.o.CSV.Pad:
		return next, false, r.ragged()
	}
	return next, true, nil
}
