package memory

import (
	"context"
	"strconv"

	"dataknobs.dev/dataknobs"
)

// applyChunk is how many writes of a batch that need not be atomic are applied
// under one hold of the lock, so that a long batch does not shut out readers.
const applyChunk = 256

// Apply implements dataknobs.Driver.
func (d *Driver) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	results := make([]dataknobs.Result, len(b.Writes))
	step := applyChunk
	if b.Atomic {
		step = len(b.Writes)
	}
	for from := 0; from < len(b.Writes); from += step {
		to := min(from+step, len(b.Writes))
		err := ctx.Err()
		if err == nil {
			err = d.commit(b.Writes[from:to], results[from:to], b.Atomic)
		}
		if err != nil {
			for i := from; i < len(results); i++ {
				results[i] = dataknobs.Result{Err: err}
			}
			return results, err
		}
	}
	return results, nil
}

// commit applies writes as one commit: a snapshot sees all of them or none.
func (d *Driver) commit(ws []dataknobs.Write, results []dataknobs.Result, atomic bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	tx := transaction{d: d, clock: d.clock + 1, done: d.scratch}
	defer func() {
		if cap(tx.done) <= applyChunk {
			clear(tx.done) // holds on to nothing
			d.scratch = tx.done[:0]
		}
	}()
	for i := range ws {
		results[i] = tx.apply(&ws[i])
		if results[i].Err != nil && atomic {
			tx.rollback()
			for j := range results {
				if j != i {
					results[j] = dataknobs.Result{Err: dataknobs.ErrNotApplied}
				}
			}
			return nil
		}
	}
	d.clock++
	tx.keepOldVersions()
	d.compact()
	return nil
}

// A transaction is one commit under way; the caller holds mu.
type transaction struct {
	d     *Driver
	clock uint64
	done  []change
}

// A change is one write that was done, for undoing it.
type change struct {
	slot *slot
	old  *version // nil: the slot is new
	id   string
	hash uint64 // of the ID
	size int64  // how many bytes it added
}

func (tx *transaction) apply(w *dataknobs.Write) dataknobs.Result {
	hash := tx.d.slots.hash(w.ID)
	s := tx.d.slots.find(w.ID, hash)
	var old *dataknobs.Record
	if s != nil {
		old = s.live()
	}
	rec, err := w.Next(old)
	if err == nil {
		err = tx.fits(old, rec)
	}
	if err != nil {
		return dataknobs.Result{ID: w.ID, Err: err}
	}
	res := dataknobs.Result{ID: w.ID, Created: old == nil}
	if rec != nil {
		tx.d.revs++
		rec.Revision = strconv.FormatUint(tx.d.revs, 36)
		res.Revision = rec.Revision
	}
	tx.set(s, w.ID, hash, old, rec)
	return res
}

// fits checks the bounds of the store.
func (tx *transaction) fits(old, rec *dataknobs.Record) error {
	o := &tx.d.opts
	if o.MaxRecords > 0 && old == nil && int64(tx.d.slots.n) >= o.MaxRecords {
		return dataknobs.Errorf(dataknobs.ResourceExhausted, "the store is full: it is bounded to max_records=%d", o.MaxRecords)
	}
	if o.MaxBytes > 0 && tx.d.bytes+sizeOf(rec)-sizeOf(old) > o.MaxBytes && sizeOf(rec) > sizeOf(old) {
		return dataknobs.Errorf(dataknobs.ResourceExhausted, "the store is full: it is bounded to max_bytes=%d", o.MaxBytes)
	}
	return nil
}

// set makes rec the newest version of the slot. s is nil for a new record.
func (tx *transaction) set(s *slot, id string, hash uint64, old, rec *dataknobs.Record) {
	d := tx.d
	c := change{id: id, hash: hash}
	if s == nil {
		s = d.newSlot()
		s.first.rec, s.first.born = rec, tx.clock
		d.slots.put(hash, s)
		d.order = append(d.order, s)
	} else {
		c.old = s.newest()
		v := &version{rec: rec, born: tx.clock}
		v.prev.Store(c.old)
		s.head.Store(v)
	}
	c.slot = s
	if rec != nil {
		rec.SetPosition(s.pos)
	} else {
		d.slots.remove(hash, s)
		d.dead++
	}
	if d.opts.MaxBytes > 0 {
		c.size = sizeOf(rec) - sizeOf(old)
		d.bytes += c.size
	}
	d.reindex(id, s, old, rec)
	tx.done = append(tx.done, c)
}

// rollback undoes everything, newest first. No snapshot has seen any of it.
func (tx *transaction) rollback() {
	d := tx.d
	for i := len(tx.done) - 1; i >= 0; i-- {
		c := &tx.done[i]
		now := c.slot.live()
		d.bytes -= c.size
		if c.old == nil {
			d.reindex(c.id, c.slot, now, nil)
			d.slots.remove(c.hash, c.slot)
			d.order = d.order[:len(d.order)-1]
			continue
		}
		d.reindex(c.id, c.slot, now, c.old.rec)
		if now == nil {
			d.dead--
			d.slots.put(c.hash, c.slot)
		}
		c.slot.head.Store(c.old)
	}
}

// keepOldVersions hands what was replaced to the snapshots in use, or drops it
// where there is none.
func (tx *transaction) keepOldVersions() {
	d := tx.d
	d.snaps.Lock()
	defer d.snaps.Unlock()
	for i := range tx.done {
		c := &tx.done[i]
		switch {
		case c.old == nil:
		case len(d.open) == 0:
			c.slot.forget(c.slot.newest())
		default:
			d.stale = append(d.stale, c.slot)
		}
	}
}

// compact drops dead slots once they are the greater part. Scans under way
// keep the list that they began with.
func (d *Driver) compact() {
	if d.dead < 1024 || d.dead*2 < len(d.order) {
		return
	}
	order := make([]*slot, 0, d.slots.n)
	for _, s := range d.order {
		if s.live() != nil {
			order = append(order, s)
		}
	}
	d.order, d.dead = order, 0
}

// sizeOf is roughly what a record takes in memory; 0 for nil.
func sizeOf(r *dataknobs.Record) int64 {
	if r == nil {
		return 0
	}
	return int64(160+len(r.ID)) + sizeOfFields(r.Fields) + sizeOfFields(r.Metadata)
}

func sizeOfFields(f dataknobs.Fields) int64 {
	var n int64
	for _, x := range f {
		n += 16 + sizeOfValue(x.Value)
	}
	return n
}

func sizeOfValue(v dataknobs.Value) int64 {
	n := int64(24)
	switch v.Kind() {
	case dataknobs.KindString, dataknobs.KindBytes:
		n += int64(v.Len())
	case dataknobs.KindArray:
		for e := range v.Elems() {
			n += sizeOfValue(e)
		}
	case dataknobs.KindObject:
		for name, e := range v.All() {
			n += 16 + int64(len(name)) + sizeOfValue(e)
		}
	}
	return n
}
