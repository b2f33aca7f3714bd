package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"

	"golang.org/x/term"

	"dataknobs.dev/dataknobs"
)

func (a *app) stdinIsTerminal() bool {
	f, ok := a.stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// readRecords yields the records on standard input as puts: JSON objects one
// after the other, and those in arrays.
func (a *app) readRecords() iter.Seq2[dataknobs.Write, error] {
	return func(yield func(dataknobs.Write, error) bool) {
		lines := &lineCounter{r: a.stdin}
		d := &recordReader{lines: lines, dec: json.NewDecoder(lines)}
		for {
			w, err := d.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(w, err) || err != nil {
				return
			}
		}
	}
}

// A recordReader reads records off a stream of JSON.
type recordReader struct {
	lines   *lineCounter
	dec     *json.Decoder
	inArray bool
}

// next returns the next record; io.EOF at the end.
func (r *recordReader) next() (w dataknobs.Write, err error) {
	for {
		if r.inArray && !r.dec.More() {
			if _, err := r.dec.Token(); err != nil {
				return w, r.fail(err)
			}
			r.inArray = false
		}
		if !r.inArray {
			opened, err := r.openArray()
			if err != nil {
				return w, r.fail(err)
			}
			if opened {
				continue
			}
		}
		var raw json.RawMessage
		if err := r.dec.Decode(&raw); err != nil {
			return w, r.fail(err)
		}
		w, err := writeOf(raw)
		if err != nil {
			line := r.lines.at(r.dec.InputOffset() - int64(len(raw)))
			return w, dataknobs.Errorf(dataknobs.CodeOf(err), "standard input: the record at line %d: %w", line, err)
		}
		return w, nil
	}
}

// openArray steps into an array, if that is what comes next.
func (r *recordReader) openArray() (bool, error) {
	c, err := r.peek()
	if err != nil || c != '[' {
		return false, err
	}
	_, err = r.dec.Token()
	r.inArray = err == nil
	return r.inArray, err
}

// peek returns the first byte of the next value.
func (r *recordReader) peek() (byte, error) {
	if r.dec.More() {
		rest, _ := io.ReadAll(io.LimitReader(r.dec.Buffered(), 1<<16))
		if rest = bytes.TrimLeft(rest, " \t\r\n\ufeff"); len(rest) > 0 {
			return rest[0], nil
		}
		return '{', nil // let Decode say what is wrong
	}
	return 0, io.EOF
}

// fail adds the line to an error.
func (r *recordReader) fail(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF) && !r.inArray:
		return io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "standard input: line %d: the JSON ends too early", r.lines.at(1<<62))
	case errors.As(err, &syntax):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "standard input: line %d: not JSON: %v", r.lines.at(syntax.Offset), err)
	}
	return dataknobs.Errorf(dataknobs.Unavailable, "standard input: line %d: %w", r.lines.at(r.dec.InputOffset()), err)
}

// writeOf makes a put of one JSON object: its members are fields, but for
// those of the record itself.
func writeOf(raw []byte) (dataknobs.Write, error) {
	w := dataknobs.Write{Op: dataknobs.WritePut, Record: &dataknobs.Record{}}
	var v dataknobs.Value
	if err := v.UnmarshalJSON(raw); err != nil {
		return w, err
	}
	if v.Kind() != dataknobs.KindObject {
		return w, dataknobs.Errorf(dataknobs.InvalidArgument, "a record must be a JSON object, not %s", article(v.Kind()))
	}
	for name, x := range v.All() {
		switch name {
		case "_id", "_rev":
			if x.Kind() != dataknobs.KindString {
				return w, dataknobs.Errorf(dataknobs.InvalidArgument, "%s must be a text, not %s", name, article(x.Kind()))
			}
			if name == "_id" {
				w.Record.ID = x.Str()
			} else {
				w.Revision = x.Str()
			}
		case "_meta":
			if x.Kind() != dataknobs.KindObject {
				return w, dataknobs.Errorf(dataknobs.InvalidArgument, "_meta must be an object, not %s", article(x.Kind()))
			}
			w.Record.Metadata = x.Fields()
		default:
			w.Record.Fields = append(w.Record.Fields, dataknobs.Field{Name: name, Value: x})
		}
	}
	return w, nil
}

func article(k dataknobs.Kind) string {
	switch k {
	case dataknobs.KindNull:
		return "null"
	case dataknobs.KindInt, dataknobs.KindArray:
		return "an " + k.String()
	}
	return "a " + k.String()
}

// A lineCounter remembers where the lines of a stream begin.
type lineCounter struct {
	r     io.Reader
	read  int64
	line  int     // of the first byte not yet consumed, counted from 1
	marks []int64 // offsets of the line ends since
}

func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.marks = append(l.marks, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the line of an offset; earlier offsets will not be asked for again.
func (l *lineCounter) at(offset int64) int {
	n := 0
	for n < len(l.marks) && l.marks[n] < offset {
		n++
	}
	l.line, l.marks = l.line+n, l.marks[n:]
	return l.line + 1
}
