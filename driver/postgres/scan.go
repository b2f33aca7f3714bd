package postgres

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// Scan implements dataknobs.Driver. Rows are read as the server sends them: it
// waits while the caller is busy. A loop that is left early cancels the rest.
func (h *handle) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return sequence(func(yield func(*dataknobs.Record) bool) error {
		st, err := h.readState(ctx)
		if err != nil || st == nil {
			return err
		}
		sc, err := h.newScan(st, s)
		if err != nil {
			return err
		}
		sc.yield = yield
		if h.inTx() {
			return h.gone(classify(ctx, sc.inTx(ctx)))
		}
		return h.gone(classify(ctx, sc.alone(ctx)))
	})
}

// A scan is one Scan on its way.
type scan struct {
	h       *handle
	req     *request
	dec     *decoder
	stats   *dataknobs.ScanStats
	yield   func(*dataknobs.Record) bool
	rows    int64 // yielded
	bytes   int64
	left    bool // by the caller
	inexact int  // the result that says so; -1: none
}

func (h *handle) newScan(s *state, q *dataknobs.Scan) (*scan, error) {
	if s.Rev.Kind == sqlgen.RevHash && !q.NoRevision && q.Paths != nil { // it is made of everything
		whole := *q
		whole.Paths = nil
		q = &whole
	}
	st, err := s.Select(q)
	if err != nil {
		return nil, err
	}
	sc := &scan{h: h, dec: h.d.newDecoder(s, st), stats: q.Stats, inexact: -1}
	sc.dec.noID, sc.dec.rows = q.NoID, int64(q.Offset)
	sc.dec.hash = sc.dec.hash && !q.NoRevision
	for i, o := range st.Out {
		if o.Is == sqlgen.OutInexact {
			sc.inexact = i
		}
	}
	sc.req, err = newRequest(st, sc.dec)
	return sc, err
}

// alone runs the scan on a connection of its own.
func (sc *scan) alone(ctx context.Context) error {
	defer sc.count()
	mark := sc.h.d.pool.scans.begin(sc.h.d)
	defer sc.h.d.pool.scans.end(mark)
	return sc.h.read(ctx, func(c *conn) (bool, error) {
		err := sc.stream(ctx, c)
		if err != nil && isStale(err) && sc.rows == 0 {
			if err := c.forget(ctx, sc.req.sql); err != nil {
				return false, err
			}
			err = sc.stream(ctx, c)
		}
		return sc.rows > 0, err
	})
}

// leaveTime is how long the rest of a result may take to come in before it is
// cancelled, which costs a connection to the server.
const leaveTime = 5 * time.Millisecond

// stream sends the statement and yields its rows as they come.
func (sc *scan) stream(ctx context.Context, c *conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rr, err := c.query(ctx, sc.req)
	if err != nil {
		return err
	}
	closed := false
	end := func() error {
		closed = true
		timer := time.AfterFunc(leaveTime, cancel)
		defer timer.Stop()
		_, err := rr.Close()
		return err
	}
	defer func() {
		if !closed { // the caller's loop panicked
			_ = end() // the panic goes on
		}
	}()
	for rr.NextRow() {
		own, on := sc.row(rr)
		if on {
			continue
		}
		_ = end() // whatever comes of the rest, it was not wanted
		return own
	}
	closed = true
	_, err = rr.Close()
	return err
}

// row yields one row; on is whether to go on, err why not.
func (sc *scan) row(rr *pgconn.ResultReader) (err error, on bool) {
	row, err := cellsOf(rr, sc.inexact+1)
	if err != nil {
		return err, false
	}
	for _, b := range row {
		sc.bytes += int64(len(b))
	}
	if sc.inexact >= 0 && len(row[sc.inexact]) > 0 && row[sc.inexact][0] == 't' {
		return dataknobs.Errorf(dataknobs.Unsupported, "a record has a sort key that SQL does not order: %w", dataknobs.ErrInexact), false
	}
	rec, err := sc.dec.record(row)
	if err != nil {
		return err, false
	}
	sc.rows++
	if !sc.yield(rec) {
		sc.left = true
		return nil, false
	}
	return nil, true
}

func (sc *scan) count() {
	if sc.stats == nil {
		return
	}
	sc.stats.Records.Add(sc.rows)
	sc.stats.Bytes.Add(sc.bytes)
	sc.stats.Calls.Add(1)
}

// Rows that a scan inside a transaction fetches at once.
const (
	firstFetch = 200
	fetch      = 2000
)

// inTx runs the scan through a cursor, so that a loop that is left early need
// neither read the rest nor cancel it, which would end the transaction.
func (sc *scan) inTx(ctx context.Context) error {
	defer sc.count()
	c := sc.h.c
	name := c.cursorName()
	n, err := sc.open(ctx, c, name)
	for n := n; err == nil && n > 0 && !sc.left; {
		n, err = sc.fetch(ctx, c, name)
	}
	if err != nil && c.pg.TxStatus() != 'T' {
		return err
	}
	if e := c.run(ctx, "close "+name); err == nil {
		err = e
	}
	return err
}

var cursorPrefix = "dkc"

func (c *conn) cursorName() string {
	c.st.next++
	return cursorPrefix + strconv.Itoa(c.st.next)
}

// open declares the cursor and fetches the first rows, in one round trip. It
// returns how many more to fetch.
func (sc *scan) open(ctx context.Context, c *conn, name string) (int, error) {
	b := &pgconn.Batch{}
	b.ExecParams("declare "+name+" no scroll cursor for "+sc.req.sql, sc.req.params, nil, sc.req.formats, nil)
	b.ExecParams("fetch "+strconv.Itoa(firstFetch)+" from "+name, nil, nil, nil, sc.req.results)
	mr := c.pg.ExecBatch(ctx, b)
	n, err := sc.drain(mr)
	if n < firstFetch {
		return 0, err
	}
	return fetch, err
}

// drain yields the rows of the results of mr and counts them.
func (sc *scan) drain(mr *pgconn.MultiResultReader) (n int, own error) {
	on := true
	for mr.NextResult() {
		rr := mr.ResultReader()
		for rr.NextRow() {
			n++
			if on {
				own, on = sc.row(rr)
			}
		}
		if _, err := rr.Close(); err != nil && own == nil {
			own = err
		}
	}
	if err := mr.Close(); own == nil {
		own = err
	}
	return n, own
}

// fetch fetches more rows; 0: there are no more.
func (sc *scan) fetch(ctx context.Context, c *conn, name string) (int, error) {
	r := &request{sql: "fetch " + strconv.Itoa(fetch) + " from " + name, results: sc.req.results}
	rr := c.pg.ExecParams(ctx, r.sql, nil, nil, nil, r.results)
	n, on := 0, true
	var own error
	for rr.NextRow() {
		n++
		if on {
			own, on = sc.row(rr)
		}
	}
	_, err := rr.Close()
	if own != nil {
		err = own
	}
	if n < fetch {
		return 0, err
	}
	return n, err
}
