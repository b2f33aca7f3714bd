package sqlite

import (
	"cmp"
	"context"
	"errors"
	"iter"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// Bounds of what one INSERT of many rows takes.
const (
	manyRows      = 64
	manyBytes     = 1 << 20 // of the encoded rows: with more of them, they go one by one
	maxParameters = 4096
)

// maxBatch is how many writes of a batch are one transaction.
const maxBatch = 65_536

// stretchesAhead is how many stretches there are at once: one is encoded, one
// is written, the others are between the two.
const stretchesAhead = 4

// maxMisses bounds how many stretches go row by row after one that could not
// be written as a whole.
const maxMisses = 63

// A stretch is up to manyRows writes, in their order.
type stretch struct {
	from   int // the number of the first
	writes []dataknobs.Write
	// Where plain, every write may make a record by the same INSERT: args are the
	// parameters of all, revs their revisions.
	plain bool
	args  lite.Args
	revs  []any
}

func (st *stretch) reset(from int) {
	st.from, st.writes, st.revs, st.plain = from, st.writes[:0], st.revs[:0], true
	st.args.Reset()
}

func (st *stretch) full() bool { return len(st.writes) == manyRows || st.args.Size() > manyBytes }

// add adds a write. It does not use the connection.
func (st *stretch) add(e *encoder, w *dataknobs.Write) {
	st.writes = append(st.writes, *w)
	st.plain = st.plain && e.takesMany(w)
	if !st.plain {
		return
	}
	rev := e.t.nextRevision()
	st.revs = append(st.revs, rev)
	st.plain = e.add(&st.args, w.Record, rev, all) == nil
}

// takesMany reports whether the INSERT of many rows may take the write.
func (e *encoder) takesMany(w *dataknobs.Write) bool {
	return e.t.many != "" && makes(*w) && w.ID != "" && !e.t.omits(w.Record) && e.check(w.Record) == nil
}

// told is told the results, in order. Its first error ends the writing.
type told func(i int, w *dataknobs.Write, res dataknobs.Result) error

// errEnough is the error of a told that wants no more to be written.
var errEnough = errors.New("enough")

// writeStream writes what the stream yields, encoding it ahead of the writing,
// and returns the error of each, what the stream ended with, or what is for all
// that is under way. The records must last until then.
func (s *session) writeStream(ctx context.Context, writes iter.Seq2[*dataknobs.Write, error], each told) (err error) {
	l := s.begin(each)
	defer func() { // also where the stream panics: the connection is the line's
		err = cmp.Or(l.end(), err)
	}()
	var st *stretch
	e, n := encoder{t: s.t}, 0
	for w, err := range writes {
		if err == nil && st == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if st == nil {
			if st = l.next(); st == nil {
				return nil
			}
			st.reset(n)
		}
		n++
		if st.add(&e, w); st.full() {
			l.to <- st
			st = nil
		}
	}
	if st != nil {
		l.to <- st
	}
	return ctx.Err()
}

// A line writes stretches in their order while the next ones are encoded. They
// go round: no channel is ever full.
type line struct {
	to, back chan *stretch
	made     int
	over     chan struct{} // closed when nothing more is written
	err      error         // why that was early; read once over is closed
}

// begin begins to write. The session is the line's until end.
func (s *session) begin(each told) *line {
	l := &line{to: make(chan *stretch, stretchesAhead), back: make(chan *stretch, stretchesAhead), over: make(chan struct{})}
	go func() {
		defer close(l.over)
		for st := range l.to {
			if l.err = s.writeAll(st, each); l.err != nil {
				return
			}
			l.back <- st
		}
	}()
	return l
}

// next returns a stretch to fill; nil once the writing has ended early.
func (l *line) next() *stretch {
	if l.made < stretchesAhead {
		l.made++
		return &stretch{}
	}
	select {
	case st := <-l.back:
		return st
	case <-l.over:
		return nil
	}
}

// end waits until all that was sent is written, and returns why that ended early.
func (l *line) end() error {
	close(l.to)
	<-l.over
	return l.err
}

// writeAll writes a stretch.
func (s *session) writeAll(st *stretch, each told) error {
	done, err := s.insertMany(st)
	switch {
	case err != nil:
		return err
	case done < 0:
		return s.writeEach(st.from, st.writes, each)
	}
	hashes, err := s.hashes(st)
	if err != nil {
		return err
	}
	for i := range st.writes {
		w := &st.writes[i]
		res := dataknobs.Result{ID: w.ID, Err: dataknobs.AlreadyExists}
		switch {
		case i >= done: // which of them it was, nobody asks where it is less than all
		case hashes != nil:
			res = dataknobs.Result{ID: w.ID, Created: true, Revision: hashes[w.ID]}
		default:
			if res, err = s.written(dataknobs.Result{ID: w.ID, Created: true}, st.revs[i]); err != nil {
				return err
			}
		}
		if err := each(st.from+i, w, res); err != nil {
			return err
		}
	}
	return nil
}

// hashes are the revisions of what a stretch has made, by ID, where they are
// hashes of what the table holds; nil: they are not, or nobody asks.
func (s *session) hashes(st *stretch) (map[string]string, error) {
	if s.unasked || s.t.Rev.Kind != sqlgen.RevHash {
		return nil, nil
	}
	ids := make([]string, len(st.writes))
	for i := range st.writes {
		ids[i] = st.writes[i].ID
	}
	get, err := s.t.ByID(ids, sqlgen.NoLock)
	if err != nil || get == nil {
		return nil, err
	}
	d := s.t.decoder(get.Out)
	d.hash = true
	d.look(nil)
	revs := make(map[string]string, len(ids))
	return revs, rows(s.c, get.SQL, get.Args, func(row *lite.Stmt) error {
		rec, _, err := d.record(row)
		if err == nil {
			revs[rec.ID] = rec.Revision
		}
		return err
	})
}

// writeEach writes row by row. from is the number of the first write.
func (s *session) writeEach(from int, writes []dataknobs.Write, each told) error {
	for i := range writes {
		res, err := s.apply(&writes[i])
		if err == nil {
			err = each(from+i, &writes[i], res)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insertMany writes a stretch by one INSERT and returns how many records that
// made: all, but where those that exist are only to be counted. -1: nothing was
// written, and it must be tried row by row.
func (s *session) insertMany(st *stretch) (int, error) {
	if !st.plain || len(st.writes) < manyRows {
		return -1, nil
	}
	if s.wary > 0 {
		s.wary--
		return -1, nil
	}
	// A statement that fails may leave rows behind where the table's own rules
	// or triggers say FAIL, and says nothing of which rows it left out.
	if err := s.run("savepoint many"); err != nil {
		return -1, err
	}
	n, err := s.exec(s.t.many, func(m *lite.Stmt) error { return m.BindArgs(&st.args) })
	if err != nil && !isOwn(err) {
		return -1, s.at.classify(err)
	}
	if err == nil && (n == manyRows || s.skips) {
		s.misses = 0
		return int(n), s.run("release many")
	}
	s.misses = min(2*s.misses+1, maxMisses)
	s.wary = s.misses
	if err := s.run("rollback to many"); err != nil {
		return -1, err
	}
	return -1, s.run("release many")
}

// run runs one of the few statements that are kept.
func (s *session) run(sql string) error {
	_, err := s.exec(sql, func(*lite.Stmt) error { return nil })
	return err
}

// isOwn reports whether an error of SQLite is that of a record alone.
func isOwn(err error) bool {
	c := codeOf(err).Primary()
	return c == lite.Constraint || c == lite.Mismatch || c == lite.TooBig
}
