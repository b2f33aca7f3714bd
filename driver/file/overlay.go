package file

import (
	"sync"

	"github.com/tidwall/btree"

	"dataknobs.dev/dataknobs"
)

// An overlay is what the journal says on top of the base: new versions of its
// records, which keep their place, removed ones, and new ones behind them all.
// It is guarded by Driver.mu, but for what freeze returns.
type overlay struct {
	byID  map[string]*entry
	over  btree.Map[int64, *entry]  // by the row of the base that is overridden
	added btree.Map[uint64, *entry] // by position
	next  uint64                    // the position of the next new record

	freezing sync.Mutex
	frozen   *layers // guarded by freezing; nil after a change
}

// An entry is the newest version of one record that was written. It is never
// changed once it is in the overlay.
type entry struct {
	id   string
	rec  *dataknobs.Record // nil: removed
	ref  int64             // its row in the base; -1: it is not there
	pos  uint64            // where it stands behind the base; 0: in the place of ref
	rep  uint32            // how often the same content was written on top of itself
	dead bool              // only in over: the place is empty, the record was removed or stands elsewhere
}

// layers are an overlay at one moment.
type layers struct {
	over  *btree.Map[int64, *entry]
	added *btree.Map[uint64, *entry]
}

// firstAdded is above the position of every row of a base.
const firstAdded = 1 << 62

func newOverlay() *overlay {
	return &overlay{byID: map[string]*entry{}, next: firstAdded}
}

func (o *overlay) empty() bool { return o.over.Len() == 0 && o.added.Len() == 0 }

// freeze returns the overlay as it is now. The caller holds Driver.mu for reading.
func (o *overlay) freeze() *layers {
	o.freezing.Lock()
	defer o.freezing.Unlock()
	if o.frozen == nil {
		o.frozen = &layers{o.over.Copy(), o.added.Copy()}
	}
	return o.frozen
}

// put makes rec the record of that ID. ref is its row in the base, -1 if it
// has none there; it is looked at only for the first write of an ID.
func (o *overlay) put(id string, rec *dataknobs.Record, ref int64, rep uint32) {
	old := o.byID[id]
	e := &entry{id: id, rec: rec, ref: ref, rep: rep}
	switch {
	case old != nil && old.rec != nil: // in its place
		e.ref, e.pos = old.ref, old.pos
	case old != nil: // was removed: to the end
		e.ref, e.pos = old.ref, o.next
	case ref < 0:
		e.pos = o.next
	}
	if e.pos == o.next {
		o.next++
	}
	o.byID[id] = e
	o.frozen = nil
	if e.pos != 0 {
		rec.SetPosition(e.pos)
		o.added.Set(e.pos, e)
		return
	}
	rec.SetPosition(uint64(e.ref))
	o.over.Set(e.ref, e)
}

// remove takes the record of that ID away, which is there.
func (o *overlay) remove(id string, ref int64) {
	old := o.byID[id]
	if old != nil {
		ref = old.ref
	}
	o.frozen = nil
	if old != nil && old.pos != 0 {
		o.added.Delete(old.pos)
	}
	if ref < 0 {
		delete(o.byID, id)
		return
	}
	e := &entry{id: id, ref: ref, dead: true}
	o.byID[id] = e
	o.over.Set(ref, e)
}
