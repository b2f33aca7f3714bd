package postgres

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// A wave is writes of different records, to be sent as a few statements.
type wave struct {
	h   *handle
	c   *conn
	s   *state
	cur map[string]*dataknobs.Record // what is there, where that was looked up

	creates, puts, updates, deletes []*row
	next                            map[string]*dataknobs.Record // what the record becomes
}

func newWave(h *handle, c *conn, s *state) *wave {
	return &wave{h: h, c: c, s: s, next: map[string]*dataknobs.Record{}}
}

// load locks the records of those IDs.
func (b *wave) load(ctx context.Context, ids []string) error {
	lock := sqlgen.ForUpdate
	cur, err := b.c.lock(ctx, b.h, b.s, ids, lock)
	b.cur = cur
	return err
}

// plan decides what a write comes to, given what is there. The error is the
// write's own.
func (b *wave) plan(w *dataknobs.Write, at int) error {
	old := b.cur[w.ID]
	if err := w.Check(old); err != nil {
		return err
	}
	if w.Op == dataknobs.WriteDelete {
		return b.delete(w.ID, at)
	}
	rec := w.Record
	if w.Op == dataknobs.WritePatch {
		var err error
		if rec, err = dataknobs.ApplyChanges(old, w.Changes); err != nil {
			return err
		}
	}
	r, err := b.s.encode(rec, w.ID)
	if err != nil {
		return err
	}
	r.at = at
	b.next[w.ID] = rec
	if w.Op == dataknobs.WritePatch {
		b.s.keep(r, w.Changes)
	}
	switch {
	case old != nil:
		b.updates = append(b.updates, r)
	case w.If == dataknobs.IfAbsent:
		b.creates = append(b.creates, r)
	default:
		b.puts = append(b.puts, r)
	}
	return nil
}

func (b *wave) delete(id string, at int) error {
	params, ok := b.s.keyParams(id)
	if !ok {
		return dataknobs.NotFound
	}
	r := &row{id: id, at: at, values: make([][]byte, len(b.s.sql.targets))}
	for i, k := range b.s.sql.keys {
		r.values[k] = params[i]
	}
	b.deletes = append(b.deletes, r)
	return nil
}

// settle notes what is there after a write, for the next wave.
func (b *wave) settle(w *dataknobs.Write, res *dataknobs.Result) {
	if res.Err != nil {
		return
	}
	if w.Op == dataknobs.WriteDelete {
		delete(b.cur, w.ID)
		return
	}
	rec := *b.next[w.ID]
	rec.ID, rec.Revision = w.ID, res.Revision
	b.cur[w.ID] = &rec
}

// A manyRows is rows of one statement.
type manyRows struct {
	kind string
	out  string
	rows []*row
}

// groups splits the rows into those of one statement each.
func (b *wave) groups() []manyRows {
	var out []manyRows
	for _, g := range []struct {
		kind string
		rows []*row
	}{{"delete", b.deletes}, {"update", b.updates}, {"put", b.puts}, {"create", b.creates}} {
		slices.SortStableFunc(g.rows, func(x, y *row) int { return strings.Compare(x.id, y.id) })
		masks := map[string]int{}
		size := 0
		for _, r := range g.rows {
			i, ok := masks[r.out]
			if size += r.size; !ok || len(out[i].rows) >= maxBatch || size > maxBatchBytes {
				i, size = len(out), 0
				masks[r.out] = i
				out = append(out, manyRows{kind: g.kind, out: r.out})
			}
			out[i].rows = append(out[i].rows, r)
		}
	}
	return out
}

func (b *wave) statements() int { return len(b.groups()) }

// send writes all rows and fills in the results, by row.at.
func (b *wave) send(ctx context.Context, results []*dataknobs.Result) error {
	for _, g := range b.groups() {
		if err := b.sendGroup(ctx, &g, results); err != nil {
			return err
		}
	}
	return nil
}

func (b *wave) sendGroup(ctx context.Context, g *manyRows, results []*dataknobs.Result) error {
	s := b.s
	in := s.sql.included(g.out)
	var make func() string
	switch g.kind {
	case "delete":
		in = s.sql.keys
		make = s.deleteMany
	case "update":
		in = s.sql.included("")
		make = func() string { return s.updateMany(g.out) }
	case "put":
		make = func() string { return s.insertMany(g.out, doUpdate) }
	case "create":
		make = func() string { return s.insertMany(g.out, doNothing) }
	}
	req := &request{sql: s.sqlFor("many "+g.kind+" "+g.out, make), eager: true}
	for _, k := range in {
		req.params = append(req.params, arrayOf(g.rows, k, s.sql.targets[k].jsonb))
	}
	req.formats = []int16{binaryFormat}
	if len(in) == 0 { // rows of nothing but defaults
		return b.sendDefaults(ctx, g, results)
	}
	if s.keyless() {
		for _, r := range g.rows {
			results[r.at].Created = true
		}
		_, err := b.c.exec(ctx, req, nil)
		return err
	}
	return b.collect(ctx, g, req, results)
}

func (b *wave) sendDefaults(ctx context.Context, g *manyRows, results []*dataknobs.Result) error {
	for _, r := range g.rows {
		if _, err := b.c.exec(ctx, &request{sql: b.s.insertOne(g.out, doNothing)}, nil); err != nil {
			return err
		}
		results[r.at].Created = true
	}
	return nil
}

// collect runs the statement and fills in the results from what it returns.
func (b *wave) collect(ctx context.Context, g *manyRows, req *request, results []*dataknobs.Result) error {
	d := b.h.d.newDecoder(b.s, &sqlgen.Statement{Out: b.s.sql.out})
	d.hash = false // revisions does that, of the whole record
	req.results = append(slices.Clone(d.formats), textFormat)
	if g.kind != "put" {
		req.results = req.results[:len(d.formats)]
	}
	byID := make(map[string]*row, len(g.rows))
	for _, r := range g.rows {
		byID[r.id] = r
	}
	k := len(b.s.sql.keys)
	req.cells = len(req.results)
	_, err := b.c.exec(ctx, req, func(row [][]byte) error {
		rec, err := d.record(row[:k+1])
		if err != nil {
			return err
		}
		r := byID[rec.ID]
		if r == nil {
			return dataknobs.Errorf(dataknobs.Internal, "the server returned a record that was not written")
		}
		delete(byID, rec.ID)
		res := results[r.at]
		if g.kind != "delete" {
			res.Revision = rec.Revision
		}
		res.Created = g.kind == "create" || g.kind == "put" && string(row[k+1]) == "t"
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range byID {
		if results[r.at].Err == nil {
			results[r.at].Err = missed(g.kind)
		}
	}
	return b.revisions(ctx, g, results)
}

// missed is what became of a row that the statement did not return.
func missed(kind string) error {
	if kind == "create" {
		return dataknobs.AlreadyExists
	}
	return dataknobs.NotFound
}

// revisions reads back what was written where the statement itself does not
// say the revision.
func (b *wave) revisions(ctx context.Context, g *manyRows, results []*dataknobs.Result) error {
	if b.s.sql.rev != "" || b.s.Rev.Kind == sqlgen.RevNone || g.kind == "delete" {
		return nil
	}
	var ids []string
	for _, r := range g.rows {
		ids = append(ids, r.id)
	}
	cur, err := b.c.lock(ctx, b.h, b.s, ids, sqlgen.NoLock)
	if err != nil {
		return err
	}
	for _, r := range g.rows {
		if rec := cur[r.id]; rec != nil && results[r.at].Err == nil {
			results[r.at].Revision = rec.Revision
		}
	}
	return nil
}

// arrayOf is the k-th values of the rows as an array in the binary format: of
// jsonb, else of text.
func arrayOf(rows []*row, k int, jsonb bool) []byte {
	size, nulls := 20, false
	for _, r := range rows {
		size += 5 + len(r.values[k])
		nulls = nulls || r.values[k] == nil
	}
	oid := uint32(oidText)
	if jsonb {
		oid = oidJSONB
	}
	b := arrayHeader(make([]byte, 0, size), oid, len(rows), nulls)
	for _, r := range rows {
		v := r.values[k]
		if v == nil {
			b = binary.BigEndian.AppendUint32(b, 0xffffffff)
			continue
		}
		n := len(v)
		if jsonb {
			n++
		}
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		if jsonb {
			b = append(b, 1) // the version of jsonb's binary form
		}
		b = append(b, v...)
	}
	return b
}
