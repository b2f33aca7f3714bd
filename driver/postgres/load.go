package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"dataknobs.dev/dataknobs"
)

// Load implements dataknobs.Loader through COPY, in one transaction: straight
// into the table under LoadCreate, else into a temporary table of the same
// columns and from there into the table by one statement. Encoding goes on
// while the server works.
func (h *handle) Load(ctx context.Context, req *dataknobs.LoadRequest) (bool, error) {
	s, err := h.writeState(ctx)
	if err != nil {
		return false, err
	}
	if !s.canCopy(req.Mode) {
		return false, nil
	}
	l := &load{h: h, s: s, req: req, names: h.d.newNames()}
	err = h.with(ctx, func(c *conn) error {
		l.c = c
		return h.inOwn(ctx, c, func() (bool, error) {
			err := l.run(ctx)
			return err == nil, err
		})
	})
	switch {
	case l.declined:
		return false, nil
	case err != nil:
		return true, l.explain(ctx, err)
	}
	h.analyze(ctx, s, l.rows)
	if s.isDocument() && len(l.names.fresh) > 0 {
		if h.inTx() {
			h.c.pendingNames = append(h.c.pendingNames, l.names.fresh...)
		} else {
			_ = h.with(ctx, func(c *conn) error { return h.d.saveNames(ctx, c, l.names.fresh) }) // costs the order alone
		}
	}
	return true, nil
}

// analyzeFrom is from how many new records on a load does not leave it to
// autovacuum to look at how the values of the indexes are spread.
const analyzeFrom = 1000

// analyze tells the planner about the declared indexes. Without it, plans are
// worse for a minute, so a failure does not matter.
func (h *handle) analyze(ctx context.Context, s *state, rows int64) {
	if len(s.Indexed) == 0 || rows < analyzeFrom || h.inTx() {
		return
	}
	_ = h.with(ctx, func(c *conn) error { return c.run(ctx, "analyze "+s.quoted) })
}

// canCopy reports whether a load can go through COPY: not where columns left
// out of a record are to get their default, which COPY cannot decide by row, and
// not under row-level security.
func (s *state) canCopy(mode dataknobs.LoadMode) bool {
	if s.secured || s.keyless() && mode != dataknobs.LoadCreate {
		return false
	}
	for _, x := range s.sql.targets {
		if x.skipped {
			return false
		}
	}
	return s.sql.initial[0] == "" && len(s.sql.targets) > 0
}

// A load is one Load on its way.
type load struct {
	h     *handle
	c     *conn
	s     *state
	req   *dataknobs.LoadRequest
	names *newNames
	own   error // what ended the stream on this side
	rows  int64
	rev   int64 // the revision that COPY is told; 0: the table numbers them

	declined bool
}

const tempTable = "pg_temp.dk_load"

// run does the work inside the transaction.
func (l *load) run(ctx context.Context) error {
	s := l.s
	into := s.quoted
	var cols []string
	for _, x := range s.sql.targets {
		cols = append(cols, x.name)
	}
	list := strings.Join(cols, ", ")
	if l.req.Mode != dataknobs.LoadCreate {
		into = tempTable
		if err := l.c.run(ctx, l.createTemp(list)); err != nil {
			l.declined = codeOf(err) == "42501" // no right to temporary tables: batches will do
			return err
		}
	}
	format := "text"
	if s.isDocument() {
		format = "binary"
	}
	n, err := l.copy(ctx, "copy "+into+" ("+list+") from stdin (format "+format+")")
	if err != nil {
		return err
	}
	if l.req.Mode == dataknobs.LoadCreate {
		l.req.Written.Store(n)
		return nil
	}
	return l.merge(ctx, list, n)
}

// createTemp makes a table that takes what the real one does, without its
// rules, and numbers the rows.
func (l *load) createTemp(list string) string {
	return "drop table if exists " + tempTable + "; create temporary table dk_load on commit drop as select " + list +
		" from " + l.s.quoted + " with no data; alter table " + tempTable + " add column dk_row bigserial"
}

// merge moves the rows from the temporary table. Of a repeated record the last
// counts under LoadPut, the first under LoadSkip.
func (l *load) merge(ctx context.Context, list string, n int64) error {
	q := &l.s.sql
	rule, last := doNothing, ""
	if l.req.Mode == dataknobs.LoadPut {
		rule, last = doUpdate, " desc"
	}
	sql := l.s.insertHead(q.included("")) + " select " + list + " from (select distinct on (" + q.conflict + ") * from " + tempTable +
		" order by " + q.conflict + ", dk_row" + last + ") as x" + l.s.onConflict(rule)
	sql, _, _ = strings.Cut(sql, " returning ")
	tag, err := l.c.pg.ExecParams(ctx, sql, nil, nil, nil, nil).Close()
	if err != nil {
		return err
	}
	if err := l.c.run(ctx, "drop table "+tempTable); err != nil {
		return err
	}
	if l.req.Mode == dataknobs.LoadPut {
		l.req.Written.Store(n)
		return nil
	}
	l.req.Written.Store(tag.RowsAffected())
	l.req.Skipped.Store(n - tag.RowsAffected())
	return nil
}

// explain says what ended the load.
func (l *load) explain(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	switch {
	case l.own != nil:
		return l.own
	case errors.As(err, &pg) && pg.Code == uniqueViolation && l.req.Mode == dataknobs.LoadCreate && l.isKey(pg):
		if id := keyOf(pg.Detail); id != "" && len(l.s.sql.keys) == 1 {
			return errAlready(id)
		}
		return dataknobs.Errorf(dataknobs.AlreadyExists, "a record of the stream is there already, or twice in the stream")
	}
	return l.h.gone(writeError(ctx, err))
}

// isKey reports whether the violated index is the key's.
func (l *load) isKey(pg *pgconn.PgError) bool {
	var cols []string
	for _, k := range l.s.sql.keys {
		cols = append(cols, l.s.sql.targets[k].name)
	}
	of := strings.TrimPrefix(ofFields(pg.Detail), " of ")
	return of == "" || strings.ReplaceAll(of, `"`, "") == strings.ReplaceAll(strings.Join(cols, ", "), `"`, "")
}

// errAlready is what a load under LoadCreate met.
func errAlready(id string) error {
	e := *dataknobs.Errorf(dataknobs.AlreadyExists, "there is a record of that ID")
	e.ID = id
	return &e
}

// Sizes of what a load holds: chunks that are being filled, sent and waiting.
const (
	chunkSize = 256 << 10
	chunks    = 4
)

// A chunkReader hands the chunks that the encoder fills to COPY.
type chunkReader struct {
	full, free chan []byte
	cur        []byte
	rest       []byte
	err        error // why the stream ended; set before full is closed
	done       chan struct{}
}

var errStreamBroke = errors.New("the stream of records ended with an error")

// Read implements io.Reader.
func (r *chunkReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.cur != nil {
			r.free <- r.cur[:0]
			r.cur = nil
		}
		b, ok := <-r.full
		if !ok {
			if r.err != nil {
				return 0, r.err
			}
			return 0, io.EOF
		}
		r.cur, r.rest = b, b
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// copySignature begins COPY's binary format; copyEnd ends it.
var copySignature = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// copy sends the records. It returns how many.
func (l *load) copy(ctx context.Context, sql string) (int64, error) {
	r := &chunkReader{full: make(chan []byte, chunks), free: make(chan []byte, chunks), done: make(chan struct{})}
	for range chunks {
		r.free <- nil
	}
	var tag pgconn.CommandTag
	var err error
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(r.done)
		tag, err = l.c.pg.CopyFrom(ctx, r, sql)
	})
	l.encode(ctx, r)
	close(r.full)
	wg.Wait()
	if l.own != nil && (err == nil || l.c.pg.TxStatus() == 'E') {
		err = errStreamBroke
	}
	return tag.RowsAffected(), err
}

// encode fills chunks until the stream or the COPY ends.
func (l *load) encode(ctx context.Context, r *chunkReader) {
	buf := l.chunk(r)
	if l.s.isDocument() {
		buf = append(buf, copySignature...)
	}
	e := copyEncoder{s: l.s, rev: l.rev}
	fail := func(err error) {
		l.own = err
		r.err = errStreamBroke
	}
	for rec, err := range l.req.Records {
		if err != nil {
			fail(err)
			return
		}
		if l.rows%256 == 0 && ctx.Err() != nil {
			fail(ctx.Err())
			return
		}
		if buf, err = e.row(buf, rec); err != nil {
			fail(withID(err, rec.ID))
			return
		}
		l.rows++
		if l.names != nil && l.s.isDocument() {
			l.names.add(rec.Fields)
		}
		if len(buf) < chunkSize {
			continue
		}
		select {
		case r.full <- buf:
			buf = l.chunk(r)
			l.req.Written.Store(l.rows)
		case <-r.done:
			return
		}
		if buf == nil {
			return
		}
	}
	if l.s.isDocument() {
		buf = binary.BigEndian.AppendUint16(buf, 0xffff)
	}
	select {
	case r.full <- buf:
	case <-r.done:
	}
}

func withID(err error, id string) error {
	var e *dataknobs.Error
	if !errors.As(err, &e) || e.ID != "" {
		return err
	}
	c := *e
	c.ID = id
	return &c
}

// chunk returns an empty chunk; nil once COPY has ended.
func (l *load) chunk(r *chunkReader) []byte {
	select {
	case b := <-r.free:
		if b == nil {
			b = make([]byte, 0, chunkSize+chunkSize/8)
		}
		return b
	case <-r.done:
		return nil
	}
}
