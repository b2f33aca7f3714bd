package json

import (
	"bytes"
	"context"
	"sync/atomic"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
	"dataknobs.dev/dataknobs/codec/internal/jsontext"
)

// Scan visits every record. Kinds stand in the text, so it never returns
// [codec.ErrUnsettled].
func (f *file) Scan(ctx context.Context, s *codec.Scan) error {
	if f.empty {
		return nil
	}
	job, err := f.job()
	if err != nil {
		return err
	}
	x := &scan{f: f, Scan: s, plan: f.plan(s), workers: make([]*worker, blocks.NumWorkers(s.Workers))}
	job.Workers, job.Stats = s.Workers, s.Stats
	job.Cut, job.Begin, job.Work, job.End = x.cut, x.begin, x.work, x.end
	if err := job.Run(ctx); err != nil {
		return err
	}
	if f.form >= formArray && !x.closed && !x.stopped.Load() {
		return f.errorf("the file ends before its JSON value does").WithHint("it has been cut short; nothing was taken from it for whole")
	}
	return nil
}

// job returns the pass over the file's records.
func (f *file) job() (*blocks.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j := &blocks.Job{Source: &f.src, Start: f.start}
	if !f.src.Once {
		return j, nil
	}
	if f.used {
		return nil, dataknobs.Errorf(dataknobs.Unsupported, "%s: can be read only once", f.src.Name).
			WithHint("save it to a file first")
	}
	j.Stream, j.Head = f.stream, f.head[f.start.Offset:]
	f.used, f.stream, f.head = true, nil, nil
	return j, nil
}

// scan is one pass over the file.
type scan struct {
	f *file
	*codec.Scan
	plan    *plan
	workers []*worker
	closed  bool        // the cut has seen the end of the array or object
	stopped atomic.Bool // a visitor wanted no more
}

func (s *scan) begin(b *blocks.Block) error {
	v, err := s.Begin(b.Index)
	b.User = v
	return s.noteStop(err)
}

func (s *scan) end(b *blocks.Block) error {
	return s.noteStop(b.User.(codec.Visitor).End())
}

// work visits the records of a block.
func (s *scan) work(n int, b *blocks.Block) error {
	w := s.workers[n]
	if w == nil {
		w = newWorker(s.f, s.plan)
		s.workers[n] = w
	}
	if s.Stats != nil {
		s.Stats.Records.Add(b.Rows)
	}
	return s.noteStop(w.block(b, b.User.(codec.Visitor)))
}

func (s *scan) noteStop(err error) error {
	if err == codec.ErrStop {
		s.stopped.Store(true)
	}
	return err
}

// setBlock starts on a new block, whose data has a slack that may be written.
func (w *worker) setBlock(b *blocks.Block) {
	data := b.Data
	wide := data[:len(data)+jsontext.Slack]
	clear(wide[len(data):])
	w.r.Text = wide
	w.at = place{f: w.f, data: data, offset: b.Offset, line: b.Line}
	w.number = b.Row
	w.bad = badUTF8(data)
}

// badUTF8 returns the place of the first byte that is not UTF-8; len(b) if all are.
func badUTF8(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	for i := 0; ; {
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
}

// stopRows is how many records are visited between two looks at whether to stop.
const stopRows = 64

func (w *worker) block(b *blocks.Block, v codec.Visitor) error {
	w.setBlock(b)
	i := w.r.Space(0)
	for n := 0; !w.r.AtEnd(i); n++ {
		if n%stopRows == 0 && b.Stopped() {
			return nil
		}
		if c := w.r.Text[i]; n == 0 && (c == ']' && w.f.form == formArray || c == '}' && w.f.form == formKeyed) {
			if w.number == 0 {
				return nil // an empty file
			}
			return w.at.at(i).errorf("a comma without a record after it")
		}
		end, err := w.record(i)
		if err != nil {
			return err
		}
		err = v.Row(w)
		if w.err != nil {
			return w.err
		}
		if err != nil {
			return err
		}
		w.number++
		if i, err = w.separator(i, end, b.Last); err != nil {
			return err
		}
		if i < 0 {
			return nil
		}
	}
	return nil
}

// record reads the record at i, with its key in a keyed file, and returns its end.
func (w *worker) record(i int) (int, error) {
	w.start, w.err = i, nil
	w.r.Scratch = w.r.Scratch[:0]
	if w.f.form == formKeyed {
		if i = w.readKey(i); i < 0 {
			return 0, w.syntax()
		}
	}
	if w.r.Text[i] != '{' {
		return 0, w.noObject(i)
	}
	end := w.object(i)
	if end < 0 {
		return 0, w.syntax()
	}
	if end > w.bad {
		return 0, w.at.at(w.bad).errorf("invalid UTF-8").WithHint("JSON is always UTF-8; convert the file")
	}
	return end, nil
}

func (w *worker) readKey(i int) int {
	if w.r.Text[i] != '"' {
		return w.r.Unexpected(i, "a key in quotes")
	}
	key, end := w.r.Str(i)
	if end < 0 {
		return end
	}
	if len(key) == 0 {
		return w.fail(i, "an empty key: every record needs an ID")
	}
	w.key = key
	return w.r.Colon(end)
}

// separator passes what stands between the record from start to end and the next
// one, and returns where that is; -1 after the last.
func (w *worker) separator(start, end int, last bool) (int, error) {
	next := w.r.Space(end)
	switch w.f.form {
	case formValues:
		return next, nil
	case formLines:
		return next, w.oneLine(start, end, next)
	}
	closing := byte(']')
	if w.f.form == formKeyed {
		closing = '}'
	}
	switch c := w.r.Text[next]; {
	case c == ',':
		return w.r.Space(next + 1), nil
	case c == closing:
		return -1, nil
	case w.r.AtEnd(next) && last:
		return 0, w.at.at(next).errorf("the file ends before its JSON value does").
			WithHint("it has been cut short; nothing was taken from it for whole")
	}
	w.r.Unexpected(next, "a comma")
	return 0, w.syntax()
}

// oneLine checks that a record stands on one line, alone.
func (w *worker) oneLine(start, end, next int) error {
	if bytes.IndexByte(w.r.Text[start:end], '\n') >= 0 {
		return w.at.at(start).errorf("a record goes on over several lines").
			WithHint("NDJSON has one record on each line; a .json file may hold it as it is")
	}
	if !w.r.AtEnd(next) && bytes.IndexByte(w.r.Text[end:next], '\n') < 0 {
		return w.at.at(next).errorf("something follows the record on its line")
	}
	return nil
}

func (w *worker) noObject(i int) error {
	if end := w.r.Skip(i, 0); end < 0 {
		return w.syntax()
	}
	kind := "a number"
	switch w.r.Text[i] {
	case '"':
		kind = "a string"
	case '[':
		kind = "an array"
	case 't', 'f':
		kind = "a bool"
	case 'n':
		kind = "null"
	}
	err := w.at.at(i).errorf("record %d is %s, not an object", w.number+1, kind)
	if w.f.form == formLines && kind == "an array" {
		return err.WithHint("a JSON array is no NDJSON: name the file .json")
	}
	return err
}
