package postgres

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// Bounds of one statement of many rows.
const (
	maxBatch      = 1000
	maxBatchBytes = 16 << 20
)

// Apply implements dataknobs.Driver.
func (h *handle) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	results := make([]dataknobs.Result, len(b.Writes))
	s, err := h.writeState(ctx)
	if err != nil {
		return fill(results, err), err
	}
	if len(b.Writes) == 1 {
		err = h.applyOne(ctx, s, &b.Writes[0], &results[0])
	} else {
		err = h.applyMany(ctx, s, b, results)
	}
	err = h.gone(err)
	if err == nil {
		h.noteNames(ctx, s, b.Writes, results)
	}
	return results, err
}

func fill(results []dataknobs.Result, err error) []dataknobs.Result {
	for i := range results {
		results[i] = dataknobs.Result{Err: err}
	}
	return results
}

// writeState is use for a write: the table is made if it is not there.
func (h *handle) writeState(ctx context.Context) (*state, error) {
	if h.inTx() && h.c.over {
		return nil, errOver
	}
	s, err := h.d.use(ctx)
	if err != nil || !s.missing {
		return s, err
	}
	if err := h.d.create(ctx); err != nil {
		return nil, err
	}
	return h.d.use(ctx)
}

// isItem reports whether an error of the server is of the one write that it was
// about, so that others may succeed.
func isItem(err error) bool {
	code := codeOf(err)
	if len(code) != 5 {
		return false
	}
	switch code[:2] {
	case "21", "22", "23", "27", "44", "54", "P0":
		return true
	}
	return false
}

// isRetry reports whether the server asks for the transaction to be run again.
func isRetry(err error) bool {
	code := codeOf(err)
	return code == serializationFailure || code == deadlockDetected
}

// maxTries bounds how often a transaction of the driver's own is run.
const maxTries = 8

// retry runs f, and runs it again while the server asks for that. Inside a
// caller's transaction only the caller can.
func (h *handle) retry(ctx context.Context, f func(c *conn) error) error {
	for try := 1; ; try++ {
		err := h.with(ctx, f)
		again := isRetry(err) || isSafe(err) && ctx.Err() == nil && try == 1
		if err == nil || !again || h.inTx() || try >= maxTries {
			return err
		}
		select {
		case <-time.After(time.Duration(rand.Int64N(int64(time.Millisecond) << try))): //nolint:gosec // a random pause guards no secret
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// applyOne does one write: one statement where that is possible.
func (h *handle) applyOne(ctx context.Context, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	var raw error
	err := h.retry(ctx, func(c *conn) error {
		*res = dataknobs.Result{}
		raw = h.one(ctx, c, s, w, res)
		return raw
	})
	switch {
	case err == nil:
	case ctx.Err() == nil && isItem(err):
		res.Err = classify(ctx, err)
		return nil
	default:
		err = writeError(ctx, err)
		res.Err = err
		return err
	}
	return nil
}

// one does one write on a connection. Errors are the server's own; those of
// the contract stand in res.
func (h *handle) one(ctx context.Context, c *conn, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	if h.inTx() && s.guard {
		return c.guarded(ctx, func() error { return h.oneBare(ctx, c, s, w, res) })
	}
	return h.oneBare(ctx, c, s, w, res)
}

// guarded runs f so that its failure leaves the transaction as it was.
func (c *conn) guarded(ctx context.Context, f func() error) error {
	if err := c.run(ctx, "savepoint dk_write"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		return c.run(ctx, "release savepoint dk_write")
	}
	if c.pg.TxStatus() == 'E' && !isRetry(err) {
		if e := c.run(ctx, "rollback to savepoint dk_write"); e != nil {
			return e
		}
		if e := c.run(ctx, "release savepoint dk_write"); e != nil {
			return e
		}
	}
	return err
}

func (h *handle) oneBare(ctx context.Context, c *conn, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	switch {
	case s.keyless():
		return h.insertRow(ctx, c, s, w, res)
	case w.Op == dataknobs.WritePatch || s.sql.rev == "" && w.ID != "":
		return h.lockedOne(ctx, c, s, w, res)
	case w.Op == dataknobs.WriteDelete:
		return h.deleteOne(ctx, c, s, w, res)
	case w.If == dataknobs.IfPresent || w.Revision != "":
		return h.updateOne(ctx, c, s, w, res)
	}
	return h.insertOne(ctx, c, s, w, res)
}

// sqlFor returns a statement that is made once for each kind of write.
func (s *state) sqlFor(name string, make func() string) string {
	if t, ok := s.texts.Load(name); ok {
		return t.(string)
	}
	t, _ := s.texts.LoadOrStore(name, make())
	return t.(string)
}

// insertOne creates or puts.
func (h *handle) insertOne(ctx context.Context, c *conn, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	r, err := s.encode(w.Record, w.ID)
	if err != nil {
		res.Err = err
		return nil //nolint:nilerr // the write's own error is in its result
	}
	name, rule := "create ", doNothing
	if w.If != dataknobs.IfAbsent {
		name, rule = "put ", doUpdate
	}
	req := &request{sql: s.sqlFor(name+r.out, func() string { return s.insertOne(r.out, rule) }), params: r.included(), eager: true}
	k := len(s.sql.keys)
	if req.cells = k + 1; rule != doNothing {
		req.cells++ // whether there was none
	}
	done := false
	var d *decoder
	if w.ID == "" { // the database numbers it
		d = h.d.newDecoder(s, &sqlgen.Statement{Out: s.sql.out})
		d.hash = false
		req.results = d.formats
	}
	_, err = c.exec(ctx, req, func(row [][]byte) error {
		done = true
		res.Revision = string(row[k])
		res.Created = rule == doNothing || string(row[k+1]) == "t"
		if d == nil {
			return nil
		}
		rec, err := d.record(row)
		res.ID = rec.ID
		return err
	})
	if err == nil && !done {
		res.Err = dataknobs.AlreadyExists
	}
	return err
}

// included are the values of the targets that an insert fills.
func (r *row) included() [][]byte {
	if r.out == "" {
		return r.values
	}
	var in [][]byte
	for i, v := range r.values {
		if r.out[i] == filled {
			in = append(in, v)
		}
	}
	return in
}

// insertRow adds a row to a table without a key.
func (h *handle) insertRow(ctx context.Context, c *conn, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	r, err := s.encode(w.Record, w.ID)
	if err != nil {
		res.Err = err
		return nil //nolint:nilerr // the write's own error is in its result
	}
	res.Created = true
	_, err = c.exec(ctx, &request{sql: s.insertOne(r.out, doNothing), params: r.included()}, nil)
	return err
}

// updateOne replaces a record that is there.
func (h *handle) updateOne(ctx context.Context, c *conn, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	r, err := s.encode(w.Record, w.ID)
	if err != nil {
		res.Err = err
		return nil //nolint:nilerr // the write's own error is in its result
	}
	matching := w.Revision != ""
	name, params := "update ", r.values
	if matching {
		name = "update matching "
		params = append(params, []byte(w.Revision))
	}
	req := &request{sql: s.sqlFor(name+r.out, func() string { return s.updateOne(r.out, matching) }), params: params, eager: true}
	done := false
	k := len(s.sql.keys)
	req.cells = k + 1
	_, err = c.exec(ctx, req, func(row [][]byte) error {
		done = true
		res.Revision = string(row[k])
		return nil
	})
	if err != nil || done {
		return err
	}
	return h.whyNot(ctx, c, s, w, res)
}

// deleteOne removes a record.
func (h *handle) deleteOne(ctx context.Context, c *conn, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	params, ok := s.keyParams(w.ID)
	if !ok {
		res.Err = dataknobs.NotFound
		return nil
	}
	matching := w.Revision != ""
	name := "delete"
	if matching {
		name = "delete matching"
		params = append(params, []byte(w.Revision))
	}
	tag, err := c.exec(ctx, &request{sql: s.sqlFor(name, func() string { return s.deleteOne(matching) }), params: params, eager: true}, nil)
	if err != nil || tag.RowsAffected() > 0 {
		return err
	}
	return h.whyNot(ctx, c, s, w, res)
}

// keyParams returns the texts of the key's columns; false if no record can
// have that ID.
func (s *state) keyParams(id string) ([][]byte, bool) {
	if s.isDocument() {
		return [][]byte{[]byte(id)}, true
	}
	vs, ok := s.KeyValues(id)
	if !ok {
		return nil, false
	}
	var params [][]byte
	for i, v := range vs {
		x := &s.sql.targets[s.sql.keys[i]]
		b, err := encodeColumn(&s.Columns[x.column], &x.limits, v)
		if err != nil {
			return nil, false
		}
		params = append(params, b)
	}
	return params, true
}

// whyNot says why a write under a condition changed nothing.
func (h *handle) whyNot(ctx context.Context, c *conn, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	res.Err = dataknobs.NotFound
	if w.Revision == "" {
		return nil
	}
	cur, err := c.lock(ctx, h, s, []string{w.ID}, sqlgen.NoLock)
	if err == nil && cur[w.ID] != nil {
		res.Err = conflict(cur[w.ID].Revision, w.Revision)
	}
	return err
}

func conflict(is, asked string) error {
	return dataknobs.Errorf(dataknobs.Conflict, "the record has revision %s, not %s", is, asked)
}

// lock returns the records of those IDs as they are now, locked or not.
func (c *conn) lock(ctx context.Context, h *handle, s *state, ids []string, l sqlgen.Lock) (map[string]*dataknobs.Record, error) {
	cur := make(map[string]*dataknobs.Record, len(ids))
	st, err := s.ByID(ids, l)
	if err != nil || st == nil {
		return cur, err
	}
	d := h.d.newDecoder(s, st)
	r, err := newRequest(st, d)
	if err != nil {
		return nil, err
	}
	if sql, ok := strings.CutSuffix(r.sql, " FOR UPDATE"); ok { // in an order, so that nobody waits in a circle
		r.sql = sql + " order by " + s.sql.conflict + " for update"
	}
	r.eager = true
	_, err = c.exec(ctx, r, func(row [][]byte) error {
		rec, err := d.record(row)
		if err == nil {
			cur[rec.ID] = rec
		}
		return err
	})
	return cur, err
}

// lockedOne does a write that has to see the record first, in a transaction.
func (h *handle) lockedOne(ctx context.Context, c *conn, s *state, w *dataknobs.Write, res *dataknobs.Result) error {
	return h.inOwn(ctx, c, func() (bool, error) {
		b := newWave(h, c, s)
		if err := b.load(ctx, []string{w.ID}); err != nil {
			return false, err
		}
		if res.Err = b.plan(w, 0); res.Err != nil {
			return false, nil //nolint:nilerr // as above
		}
		err := b.send(ctx, []*dataknobs.Result{res})
		return err == nil && res.Err == nil, err
	})
}

// inOwn runs f in a transaction of its own, or within the caller's. f says
// whether to keep what it did.
func (h *handle) inOwn(ctx context.Context, c *conn, f func() (keep bool, err error)) error {
	begin, commit, rollback := "begin", "commit", "rollback"
	if h.inTx() {
		begin, commit, rollback = "savepoint dk_batch", "release savepoint dk_batch", "rollback to savepoint dk_batch; release savepoint dk_batch"
	}
	if err := c.run(ctx, begin); err != nil {
		return err
	}
	keep, err := f()
	if err == nil && keep {
		return c.run(ctx, commit)
	}
	if h.inTx() && isRetry(err) || c.pg.IsClosed() {
		return err
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if e := c.run(undo, rollback); err == nil {
		err = e
	}
	return err
}
