package file

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/google/uuid"

	"dataknobs.dev/dataknobs"
)

// frameSize is about how much of a batch that need not be atomic goes into one frame.
const frameSize = 1 << 20

// A group is what one leader commits. The caller leads.
type group struct {
	w      *writer
	d      *Driver
	rule   *ids
	ops    []op           // in their order
	newest map[string]int // the last op of each ID
	fresh  int64          // how many new rows there are, where IDs are row numbers
	found  map[string]located
	frames uint64
	text   []byte // the frames
	body   []byte // of the one being made: the operations,
	whole  []byte // and all of it
}

// commit decides the requests' writes, makes them durable and then visible.
func (w *writer) commit(ctx context.Context, rs []*request) error {
	if err := w.usable(); err != nil {
		return err
	}
	d := w.d
	if d.closing.Load() || !w.holding.Load() {
		return errClosed
	}
	g := w.newGroup()
	defer g.release()
	for _, r := range rs {
		if err := g.request(ctx, r); err != nil {
			return err
		}
	}
	if len(g.ops) == 0 {
		return nil
	}
	if w.file == nil {
		if err := w.start(); err != nil {
			return err
		}
	}
	if err := g.encode(rs); err != nil {
		return err
	}
	if err := w.append(g.text, g.frames); err != nil {
		return err
	}
	w.made.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range g.ops {
		d.st.ov.apply(o)
	}
	return nil
}

// newGroup returns an empty group. Release it.
func (w *writer) newGroup() *group {
	g := w.spare
	w.spare = nil
	if g == nil {
		g = &group{w: w, d: w.d, newest: map[string]int{}}
	}
	g.rule = w.d.rule()
	return g
}

// What is kept from group to group: bytes, and operations.
const (
	keptBuffer = 1 << 20
	keptOps    = 1 << 10
)

// release keeps the memory of a group of moderate size for the next.
func (g *group) release() {
	if cap(g.text)+cap(g.body)+cap(g.whole) > keptBuffer || cap(g.ops) > keptOps {
		return
	}
	clear(g.ops)
	clear(g.newest)
	*g = group{w: g.w, d: g.d, ops: g.ops[:0], newest: g.newest, text: g.text[:0], body: g.body[:0], whole: g.whole}
	g.w.spare = g
}

// rule says where the IDs of the store come from now.
func (d *Driver) rule() *ids {
	if d.st != nil && d.st.base != nil {
		return d.st.base.ids()
	}
	if key := d.keyFields(); len(key) > 0 {
		return &ids{from: byKey, key: key, asked: true}
	}
	return &ids{from: byFree}
}

// keyFields are the fields that key a store that has no records yet.
func (d *Driver) keyFields() []string {
	if len(d.o.Key) > 0 {
		return d.o.Key
	}
	if d.st != nil && d.st.side != nil {
		return d.st.side.Key
	}
	return nil
}

// request decides the writes of one Apply. The error is for the whole group.
func (g *group) request(ctx context.Context, r *request) error {
	from, fresh := len(g.ops), g.fresh
	for i := range r.b.Writes {
		if i%aheadSize == 0 {
			if err := g.readAhead(ctx, r.b.Writes[i:min(i+aheadSize, len(r.b.Writes))]); err != nil {
				return err
			}
		}
		res, err := g.write(ctx, &r.b.Writes[i], r.draftOf(i))
		if err != nil {
			return err
		}
		r.results[i] = res
		if res.Err != nil && r.b.Atomic {
			g.undo(from)
			g.fresh = fresh
			for j := range r.results {
				if j != i {
					r.results[j] = dataknobs.Result{ID: r.b.Writes[j].ID, Err: dataknobs.ErrNotApplied}
				}
			}
			return nil
		}
	}
	return nil
}

// undo takes back the ops from index from on.
func (g *group) undo(from int) {
	g.ops = g.ops[:from]
	clear(g.newest)
	for i, o := range g.ops {
		g.newest[o.id] = i
	}
}

// now is what is known of a record when a write of it is decided.
type now struct {
	rec      *dataknobs.Record // with its revision; nil: there is none
	rep      uint32
	fromBase bool
	ref      int64
}

// write decides one write. Its result is not the truth before the group is in
// the journal. The error is for the whole group; what is wrong with the write
// alone is in its result.
func (g *group) write(ctx context.Context, w *dataknobs.Write, dr draft) (res dataknobs.Result, err error) {
	res.ID = w.ID
	if res.Err = g.refuse(w); res.Err != nil {
		return res, nil //nolint:nilerr // it stands in the result
	}
	id, err := g.idFor(ctx, w)
	if err != nil {
		return res, err
	}
	res.ID = id
	cur, err := g.lookup(ctx, id)
	if err != nil {
		return res, err
	}
	rec := dr.rec
	if rec, res.Err = g.next(w, id, &cur, rec); res.Err != nil {
		return res, nil //nolint:nilerr // it stands in the result
	}
	o := op{id: id, rec: rec, ref: cur.ref, text: dr.text}
	if rec != nil {
		g.revise(&o, &cur)
		res.Revision = rec.Revision
		res.Created = cur.rec == nil
	}
	g.newest[id] = len(g.ops)
	g.ops = append(g.ops, o)
	if g.rule.from == byRow {
		g.fresh++
	}
	return res, nil
}

// refuse refuses a write by ID of a store whose IDs are row numbers.
func (g *group) refuse(w *dataknobs.Write) error {
	if g.rule.from == byRow && (w.ID != "" || w.Op != dataknobs.WritePut || w.If == dataknobs.IfPresent || w.Revision != "") {
		return dataknobs.Errorf(dataknobs.Unsupported, "%s", g.d.Features().RowIDs)
	}
	return nil
}

// idFor is the ID of the record that is written: the number of the next row
// where IDs are that, and a new one where none is given.
func (g *group) idFor(ctx context.Context, w *dataknobs.Write) (string, error) {
	switch {
	case g.rule.from == byRow:
		rows, err := g.d.st.base.numberOfRows(ctx)
		return itoa(rows + int64(g.d.st.ov.added.Len()) + g.fresh + 1), err
	case w.ID != "":
		return w.ID, nil
	}
	u, err := uuid.NewV7()
	return u.String(), err
}

// lookup finds the newest version of a record.
func (g *group) lookup(ctx context.Context, id string) (now, error) {
	if i, ok := g.newest[id]; ok {
		o := &g.ops[i]
		return now{rec: o.rec, ref: o.ref, rep: o.rep}, nil
	}
	if e := g.d.st.ov.byID[id]; e != nil {
		return now{rec: e.rec, ref: e.ref, rep: e.rep}, nil
	}
	if g.d.st.base == nil || g.rule.from == byRow || g.rule.from == byFree {
		return now{ref: -1}, nil
	}
	l, ok := g.found[id]
	if !ok {
		var err error
		if l, err = g.d.locateOne(ctx, g.d.st.base, id); err != nil {
			return now{}, err
		}
	}
	return now{rec: l.rec, ref: l.ref, fromBase: true}, nil
}

// aheadSize is how many writes have their records read together.
const aheadSize = 1024

// readAhead reads the records of the base that some writes are about, in the
// order of the file.
func (g *group) readAhead(ctx context.Context, ws []dataknobs.Write) error {
	b := g.d.st.base
	g.found = nil
	if b == nil || len(ws) < 2 || g.rule.from == byRow || g.rule.from == byFree {
		return nil
	}
	var ids []string
	for i := range ws {
		if id := ws[i].ID; id != "" && g.d.st.ov.byID[id] == nil {
			ids = append(ids, id)
		}
	}
	found, err := g.d.locateMany(ctx, b, ids)
	g.found = found
	return err
}

// next is what the write makes of the record: nil if it is removed. draft is
// that of a put, if it has been made.
func (g *group) next(w *dataknobs.Write, id string, cur *now, draft *dataknobs.Record) (*dataknobs.Record, error) {
	asked := *w
	if cur.rec != nil && sameRevision(w.Revision, cur.rec.Revision, cur.fromBase) {
		asked.Revision = cur.rec.Revision
	}
	if err := asked.Check(cur.rec); err != nil {
		return nil, err
	}
	switch w.Op {
	case dataknobs.WriteDelete:
		return nil, nil
	case dataknobs.WritePatch:
		rec, err := dataknobs.ApplyChanges(cur.rec, w.Changes)
		if err != nil {
			return nil, err
		}
		rec.ID = id
		return rec, g.checkKey(rec)
	}
	if draft == nil {
		draft = copyOf(w.Record, id)
	}
	return draft, g.checkKey(draft)
}

// checkKey refuses a record whose fields do not make its ID: it would be
// another record once it is in the file.
func (g *group) checkKey(rec *dataknobs.Record) error {
	if g.rule.from != byKey {
		return nil
	}
	text, err := g.rule.ofRecord(rec)
	if err != nil {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the fields that make the ID: %w", err)
	}
	if text != rec.ID {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the record's fields make the ID %q, not %q", text, rec.ID)
	}
	return nil
}

// revise gives the record its new revision.
func (g *group) revise(o *op, cur *now) {
	if o.text == nil {
		o.rec.Revision = revisionOf(o.rec, g.d.t.format, 0)
	}
	if cur.rec == nil {
		return
	}
	if before, _, _ := cutRevision(cur.rec.Revision); before == o.rec.Revision {
		o.rep, o.text = cur.rep+1, nil
		o.rec.Revision = revisionOf(o.rec, g.d.t.format, o.rep)
	}
}

// encode makes the frames. A group that has an atomic batch is one frame, which
// is in the journal wholly or not at all; others are cut to moderate sizes.
func (g *group) encode(rs []*request) error {
	atomic := slices.ContainsFunc(rs, func(r *request) bool { return r.b.Atomic })
	count, after := uint64(0), g.w.after()
	for i := range g.ops {
		var err error
		if g.body, err = appendOp(g.body, g.ops[i]); err != nil {
			return err
		}
		if count++; i == len(g.ops)-1 || !atomic && len(g.body) >= frameSize {
			if len(g.body) > maxFrame-binary.MaxVarintLen64-1 {
				return dataknobs.Errorf(dataknobs.ResourceExhausted, "an atomic batch of %d bytes is too large; the limit is %d", len(g.body), maxFrame)
			}
			g.frames++
			g.whole = append(binary.AppendUvarint(g.whole[:0], count), g.body...)
			g.text = appendFrame(g.text, frameWrite, after, g.d.st.jrnl.seq+g.frames, g.whole)
			g.body, count, after = g.body[:0], 0, afterWrite
		}
	}
	return nil
}
