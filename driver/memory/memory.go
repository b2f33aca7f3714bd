// Package memory is the store that lives in the process's own memory: for
// tests, caches and small working sets, and the reference that every other
// store is compared with.
//
// Records keep the order in which they were created. A scan sees the store as
// it was at the moment the scan began and blocks no writer. Declared indexes
// serve equality, IN, ranges, prefixes and sorting by one path.
//
// Start at [New], or open it by URL: dataknobs.Open(ctx, "mem:", nil). In the code,
// memory.go says what is kept and how a moment is held, table.go and index.go find
// records, scan.go reads and write.go writes.
package memory

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
)

// Options are the settings of a memory store. The zero value is a store
// without indexes and bounds.
type Options struct {
	// Index lists the paths to index.
	Index []dataknobs.Path
	// MaxRecords and MaxBytes bound the store, 0 meaning no bound; bytes are
	// counted roughly as the records would take in memory. A write that would
	// pass a bound fails with ResourceExhausted.
	MaxRecords int64
	MaxBytes   int64
}

// Driver is a memory store. It is safe for concurrent use.
type Driver struct {
	opts     Options
	features dataknobs.Features

	mu     sync.RWMutex
	closed bool    // guarded by mu, like all below
	slots  *table  // the live records by ID
	order  []*slot // every slot in the order of creation; dead ones among them
	dead   int     // how many of order are dead
	clock  uint64  // the number of the newest commit; what it wrote is visible
	revs   uint64  // the number of the newest revision
	places uint64  // the newest position
	bytes  int64   // what the live records take; kept only with MaxBytes
	index  []*index

	scratch []change // for the next commit of at most applyChunk writes
	spare   []slot   // for the next new records

	snaps sync.Mutex
	open  map[uint64]int // the snapshots in use, by clock; guarded by snaps
	stale []*slot        // slots that keep old versions for snapshots; guarded by snaps
}

// A slot is the place of one record from its creation to its removal.
type slot struct {
	pos   uint64
	first version                 // what it held at the beginning
	head  atomic.Pointer[version] // the newest version; nil while that is first
}

// spareSlots is how many slots are made at once: fewer objects for the garbage
// collector to visit. One record that is left keeps the room of all of them.
const spareSlots = 32

// newSlot returns a slot that holds nothing; the caller holds mu.
func (d *Driver) newSlot() *slot {
	if len(d.spare) == 0 {
		d.spare = make([]slot, spareSlots)
	}
	s := &d.spare[0]
	d.spare = d.spare[1:]
	d.places++
	s.pos = d.places
	return s
}

// A version is what a slot held from one commit on. rec is never changed once
// it is here; nil means that the record was removed.
type version struct {
	rec  *dataknobs.Record
	born uint64                  // the commit that made it
	prev atomic.Pointer[version] // what it replaced, while a snapshot may need it
}

// at returns what the slot held at a moment; nil if nothing.
func (s *slot) at(clock uint64) *dataknobs.Record {
	v := s.seen(clock)
	if v == nil {
		return nil
	}
	return v.rec
}

// seen returns the version of a moment; nil if there was none.
func (s *slot) seen(clock uint64) *version {
	v := s.newest()
	for v != nil && v.born > clock {
		v = v.prev.Load()
	}
	return v
}

func (s *slot) newest() *version {
	if v := s.head.Load(); v != nil {
		return v
	}
	return &s.first
}

// live returns the record that the slot holds now; nil if it was removed.
func (s *slot) live() *dataknobs.Record { return s.newest().rec }

// forget drops what v replaced, which nobody sees any more. A commit that is
// under way may have replaced v, and go back to it.
func (s *slot) forget(v *version) {
	v.prev.Store(nil)
	if v != &s.first {
		s.first.rec = nil
	}
}

// New returns an empty store.
func New(o Options) *Driver {
	d := &Driver{opts: o, slots: newTable(), open: map[uint64]int{}}
	for _, p := range o.Index {
		d.index = append(d.index, newIndex(p))
	}
	d.features = dataknobs.Features{
		Filter:       dataknobs.CanCompile,
		Sort:         d.canSort,
		Limit:        true,
		Seek:         true,
		NaturalOrder: true,
		Shared:       true,
		Atomic:       true,
		Metadata:     true,
	}
	return d
}

// Features implements dataknobs.Driver.
func (d *Driver) Features() *dataknobs.Features { return &d.features }

// Close frees the records.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.slots, d.order = nil, nil
	for _, x := range d.index { // the list itself is read without the lock
		x.tree.Clear()
	}
	return nil
}

var errClosed = dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")

// Get implements dataknobs.Driver.
func (d *Driver) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		for i, id := range ids {
			if i%1024 == 0 && ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			rec, err := d.find(id)
			switch {
			case err != nil:
				yield(nil, err)
				return
			case rec != nil && !yield(rec, nil):
				return
			}
		}
	}
}

// GetOne implements dataknobs.Getter.
func (d *Driver) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return d.find(id)
}

// find returns the record of that ID; nil if there is none.
func (d *Driver) find(id string) (*dataknobs.Record, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return nil, errClosed
	}
	if s := d.slots.find(id, d.slots.hash(id)); s != nil {
		return s.live(), nil
	}
	return nil, nil
}

// A snapshot is the store at one moment. It must be released.
type snapshot struct {
	d     *Driver
	order []*slot
	clock uint64
	live  int
}

func (d *Driver) snapshot() (*snapshot, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.snapshotLocked()
}

// snapshotLocked is for a caller that holds mu.
func (d *Driver) snapshotLocked() (*snapshot, error) {
	if d.closed {
		return nil, errClosed
	}
	d.snaps.Lock()
	d.open[d.clock]++
	d.snaps.Unlock()
	return &snapshot{d: d, order: d.order, clock: d.clock, live: d.slots.n}, nil
}

// release lets go of the old versions that only this snapshot kept.
func (s *snapshot) release() {
	d := s.d
	d.snaps.Lock()
	defer d.snaps.Unlock()
	if d.open[s.clock]--; d.open[s.clock] > 0 {
		return
	}
	delete(d.open, s.clock)
	if len(d.stale) == 0 {
		return
	}
	oldest := ^uint64(0)
	for clock := range d.open {
		oldest = min(oldest, clock)
	}
	kept := d.stale[:0]
	for _, sl := range d.stale {
		if !sl.trim(oldest) {
			kept = append(kept, sl)
		}
	}
	clear(d.stale[len(kept):])
	d.stale = kept
}

// trim drops the versions that nobody at or after clock can see, and reports
// whether only the newest is left.
func (s *slot) trim(clock uint64) bool {
	if v := s.seen(clock); v != nil {
		s.forget(v)
	}
	return s.newest().prev.Load() == nil
}
