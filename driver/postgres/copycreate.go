package postgres

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"

	"dataknobs.dev/dataknobs"
)

// copyFrom is from how many records on COPY, which takes a transaction around
// it, is faster than one INSERT.
const copyFrom = 500

// maxCreates is how many records make one good COPY.
const maxCreates = 16_384

// copies reports whether all writes create records that one COPY may take: of
// the document layout, where COPY can be told the revision, and where no rule of the
// table's own changes what is written. In a caller's transaction the revision is
// not known beforehand.
func (h *handle) copies(s *state, ws []dataknobs.Write) bool {
	if len(ws) < copyFrom || h.inTx() || !s.isDocument() || s.parted || s.guard || s.secured || s.sql.bump == "" || unnamed(ws) {
		return false
	}
	rule, ok := h.plain(s, ws)
	return ok && rule == plainCreate && h.d.wary.try()
}

// copyCreate creates records by one COPY. false: nothing was written, since one
// of them is there already or cannot be written; which one has to be found out
// another way.
func (h *handle) copyCreate(ctx context.Context, s *state, ws []dataknobs.Write, results []dataknobs.Result) (done bool, err error) {
	select {
	case h.d.copying <- struct{}{}:
		defer func() { <-h.d.copying }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	err = h.retry(ctx, func(c *conn) error {
		clear(results)
		return h.inOwn(ctx, c, func() (bool, error) {
			done, err = h.copyAll(ctx, c, s, ws, results)
			return done, err
		})
	})
	h.d.wary.was(done || err != nil)
	return done, err
}

// copyAll runs the COPY inside a transaction.
func (h *handle) copyAll(ctx context.Context, c *conn, s *state, ws []dataknobs.Write, results []dataknobs.Result) (bool, error) {
	xid := ""
	_, err := c.exec(ctx, &request{sql: "select pg_current_xact_id()::xid::text", eager: true}, func(row [][]byte) error {
		xid = string(row[0])
		return nil
	})
	if err != nil {
		return false, err
	}
	// One revision for all: it is of each record, and the identity's own numbers
	// never come up to it.
	rev := rand.Int64N(1<<62) + 1<<61 //nolint:gosec // revisions differ, they are no secret
	l := &load{h: h, c: c, s: s, req: &dataknobs.LoadRequest{Records: recordsOf(ws)}, rev: rev}
	if _, err := l.copy(ctx, l.copyInto()); err != nil {
		if ctx.Err() == nil && (l.own != nil || isItem(err) || codeOf(err) == notSupported) {
			return false, nil //nolint:nilerr // it is met again by the write that it is of
		}
		return false, err
	}
	text := strconv.FormatInt(rev, 10) + "." + xid
	for i := range ws {
		results[i] = dataknobs.Result{ID: ws[i].ID, Revision: text, Created: true}
	}
	return true, nil
}

// copyInto is the COPY of records with their revision.
func (l *load) copyInto() string {
	var cols []string
	for _, x := range l.s.sql.targets {
		cols = append(cols, x.name)
	}
	rev, _, _ := strings.Cut(strings.TrimPrefix(l.s.sql.bump, ", "), " = ")
	return "copy " + l.s.quoted + " (" + strings.Join(append(cols, rev), ", ") + ") from stdin (format binary)"
}

// appendRev appends the revision as the last column of a row.
func appendRev(b []byte, rev int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(rev))
}

func recordsOf(ws []dataknobs.Write) func(func(*dataknobs.Record, error) bool) {
	return func(yield func(*dataknobs.Record, error) bool) {
		for i := range ws {
			rec := ws[i].Record
			if rec.ID != ws[i].ID {
				c := *rec
				c.ID, rec = ws[i].ID, &c
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// wary keeps a store from trying COPY again and again where batches meet
// records that are there already: after each miss, twice as many go without.
type wary struct {
	mu         sync.Mutex
	left, last int // guarded by mu
}

const maxWary = 64

func (w *wary) try() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left > 0 {
		w.left--
		return false
	}
	return true
}

// was is told whether it went well.
func (w *wary) was(well bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if well {
		w.last = 0
		return
	}
	w.last = min(2*w.last+1, maxWary)
	w.left = w.last
}
