package dataknobs

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"math"
	"os"
	"slices"
)

// DefaultSortBytes is how much memory a Sorter takes before it turns to the disk.
const DefaultSortBytes = 24 << 20

// maxFanIn bounds how many runs are merged at once, and with it the memory of
// their buffers.
const maxFanIn = 64

// runBuffer is the size of a buffer that reads or writes a run.
const runBuffer = 64 << 10

// A Sorter sorts any number of records in bounded memory: beyond its bound it
// writes sorted runs to private temporary files, which no directory shows any
// more once they are open, and merges them when it is ranged over. Not safe for
// concurrent use.
type Sorter struct {
	// MaxBytes bounds the memory, roughly; 0: DefaultSortBytes. Dir is where the
	// temporary files go; "": the system's place for them. Set before Add.
	MaxBytes int64
	Dir      string

	order *Ordering
	recs  []sortEntry
	size  int64
	buf   []byte
	file  *spillFile // nil: all in memory so far
	runs  []spillRun
}

type sortEntry struct {
	keys []Value
	rec  *Record
	n    int // the place in which it came, for records without IDs
}

// NewSorter returns a Sorter for that order.
func NewSorter(o *Ordering) *Sorter { return &Sorter{order: o} }

// Add takes rec, which must stay unchanged until it is yielded; it may be
// yielded itself or as a copy. An error to write, such as a full disk, is
// ResourceExhausted; after an error only Close may follow.
func (s *Sorter) Add(ctx context.Context, rec *Record) error {
	s.recs = append(s.recs, sortEntry{s.order.KeysOf(rec), rec, len(s.recs)})
	s.size += recordSize(rec) + 24*int64(len(s.order.paths)) + 40
	bound := s.MaxBytes
	if bound <= 0 {
		bound = DefaultSortBytes
	}
	if s.size < bound {
		return nil
	}
	return s.spill(ctx)
}

// recordSize estimates what r takes in memory.
func recordSize(r *Record) int64 {
	return 128 + int64(len(r.ID)+len(r.Revision)) + fieldsSize(r.Fields) + fieldsSize(r.Metadata)
}

func fieldsSize(f Fields) int64 {
	n := int64(0)
	for i := range f {
		n += 16 + valueSize(f[i].Value) // the names are usually shared
	}
	return n
}

func valueSize(v Value) int64 {
	n := int64(24)
	switch v.kind {
	case KindString, KindBytes:
		n += int64(v.num)
	case KindArray:
		for _, e := range v.rawArray() {
			n += valueSize(e)
		}
	case KindObject:
		n += fieldsSize(v.rawObject())
	}
	return n
}

func (s *Sorter) sort() {
	slices.SortFunc(s.recs, func(a, b sortEntry) int {
		if c := s.order.Compare(a.keys, a.rec.ID, b.keys, b.rec.ID); c != 0 {
			return c
		}
		return a.n - b.n
	})
}

// spill writes what is in memory as one sorted run.
func (s *Sorter) spill(ctx context.Context) error {
	s.sort()
	if s.file == nil {
		f, err := newSpillFile(s.Dir)
		if err != nil {
			return err
		}
		s.file = f
	}
	w := s.file.newRun()
	for i, e := range s.recs {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		b, err := e.rec.AppendBinary(s.buf[:0])
		if err != nil {
			return err
		}
		s.buf = b
		if err := w.write(b); err != nil {
			return err
		}
	}
	run, err := w.end()
	if err != nil {
		return err
	}
	s.runs = append(s.runs, run)
	clear(s.recs)
	s.recs, s.size = s.recs[:0], 0
	return nil
}

// All yields the records in order, once: what it has yielded is gone. It frees
// all memory and files when the loop is left, so it must be ranged over, or
// Close called.
func (s *Sorter) All(ctx context.Context) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		defer s.Close()
		if err := s.all(ctx, yield); err != nil {
			yield(nil, err)
		}
	}
}

func (s *Sorter) all(ctx context.Context, yield func(*Record, error) bool) error {
	if s.file == nil {
		s.sort()
		for i := range s.recs {
			if i%checkEvery == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			rec := s.recs[i].rec
			s.recs[i] = sortEntry{}
			if !yield(rec, nil) {
				return nil
			}
		}
		return nil
	}
	if len(s.recs) > 0 {
		if err := s.spill(ctx); err != nil {
			return err
		}
	}
	s.recs = nil
	for len(s.runs) > maxFanIn {
		if err := s.mergePass(ctx); err != nil {
			return err
		}
	}
	return s.file.merge(ctx, s.order, s.runs, func(rec *Record, _ []byte) (bool, error) { return yield(rec, nil), nil })
}

// mergePass merges each maxFanIn runs that follow one another into one, in a
// new file in place of the old.
func (s *Sorter) mergePass(ctx context.Context) error {
	next, err := newSpillFile(s.Dir)
	if err != nil {
		return err
	}
	var runs []spillRun
	for part := range slices.Chunk(s.runs, maxFanIn) {
		w := next.newRun()
		err := s.file.merge(ctx, s.order, part, func(_ *Record, b []byte) (bool, error) { return true, w.write(b) })
		var run spillRun
		if err == nil {
			run, err = w.end()
		}
		if err != nil {
			next.close()
			return err
		}
		runs = append(runs, run)
	}
	s.file.close()
	s.file, s.runs = next, runs
	return nil
}

// Close frees everything. It may be called at any time, and again.
func (s *Sorter) Close() {
	if s.file != nil {
		s.file.close()
	}
	s.file, s.runs, s.recs = nil, nil, nil
}

// A spillFile is a temporary file of sorted runs, one after the other.
type spillFile struct {
	f    *os.File
	name string // to be removed at the end, where an open file cannot be
	size int64
}

// A spillRun is where a run lies in its file.
type spillRun struct{ at, size int64 }

func newSpillFile(dir string) (*spillFile, error) {
	f, err := os.CreateTemp(dir, "dataknobs-sort-*") // mode 0600
	if err != nil {
		return nil, spillError(err)
	}
	s := &spillFile{f: f}
	if os.Remove(f.Name()) != nil {
		s.name = f.Name()
	}
	return s, nil
}

func spillError(err error) error {
	return Errorf(ResourceExhausted, "sorting on disk: %w", err).
		WithHint("sort fewer records, add a LIMIT, or set TMPDIR to a place with more room")
}

func unspillError(err error) error {
	return Errorf(Internal, "reading back what was sorted on disk: %w", err)
}

func (s *spillFile) close() {
	_ = s.f.Close() // nothing in it is needed any more
	if s.name != "" {
		_ = os.Remove(s.name)
	}
}

// A runWriter appends a run to the end of a file.
type runWriter struct {
	file *spillFile
	w    *bufio.Writer
	run  spillRun
}

func (s *spillFile) newRun() *runWriter {
	return &runWriter{file: s, w: bufio.NewWriterSize(io.NewOffsetWriter(s.f, s.size), runBuffer), run: spillRun{at: s.size}}
}

func (w *runWriter) write(b []byte) error {
	w.run.size += int64(len(b))
	if _, err := w.w.Write(b); err != nil {
		return spillError(err)
	}
	return nil
}

func (w *runWriter) end() (spillRun, error) {
	if err := w.w.Flush(); err != nil {
		return spillRun{}, spillError(err)
	}
	w.file.size += w.run.size
	return w.run, nil
}

// A runReader reads a run, one record at a time.
type runReader struct {
	r     *bufio.Reader
	index int    // the run's place: what is equal stays in the order of the runs
	raw   []byte // the record's bytes, until the next one is read
	rec   *Record
	keys  []Value
}

// next reads the next record; io.EOF at the end.
func (r *runReader) next(o *Ordering) error {
	head, err := r.r.Peek(4)
	if err == io.EOF && len(head) == 0 {
		return io.EOF
	}
	if err != nil {
		return unspillError(err)
	}
	n := 4 + int(binary.LittleEndian.Uint32(head))
	r.raw = slices.Grow(r.raw[:0], n)[:n]
	if _, err := io.ReadFull(r.r, r.raw); err != nil {
		return unspillError(err)
	}
	if r.rec, _, err = DecodeRecord(r.raw); err != nil {
		return err
	}
	r.keys = o.AppendKeysOf(r.keys[:0], r.rec)
	return nil
}

// merge passes the records of the runs to emit in order, with their bytes,
// until emit returns false.
func (s *spillFile) merge(ctx context.Context, o *Ordering, runs []spillRun, emit func(*Record, []byte) (bool, error)) error {
	h := runHeap{order: o}
	for i, run := range runs {
		r := &runReader{index: i, r: bufio.NewReaderSize(io.NewSectionReader(s.f, run.at, run.size), runBuffer)}
		switch err := r.next(o); err {
		case nil:
			h.readers = append(h.readers, r)
		case io.EOF:
		default:
			return err
		}
	}
	h.init()
	for n := 0; len(h.readers) > 0; n = (n + 1) & math.MaxInt32 {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r := h.readers[0]
		if ok, err := emit(r.rec, r.raw); !ok || err != nil {
			return err
		}
		switch err := r.next(o); err {
		case nil:
		case io.EOF:
			h.drop()
		default:
			return err
		}
		h.down(0)
	}
	return nil
}

// A runHeap has the run with the first record at its top.
type runHeap struct {
	order   *Ordering
	readers []*runReader
}

func (h *runHeap) init() {
	for i := len(h.readers)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

func (h *runHeap) drop() {
	last := len(h.readers) - 1
	h.readers[0] = h.readers[last]
	h.readers = h.readers[:last]
}

func (h *runHeap) less(i, j int) bool {
	a, b := h.readers[i], h.readers[j]
	c := h.order.Compare(a.keys, a.rec.ID, b.keys, b.rec.ID)
	return c < 0 || c == 0 && a.index < b.index
}

func (h *runHeap) down(i int) {
	for {
		first := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h.readers); c++ {
			if h.less(c, first) {
				first = c
			}
		}
		if first == i {
			return
		}
		h.readers[i], h.readers[first] = h.readers[first], h.readers[i]
		i = first
	}
}
