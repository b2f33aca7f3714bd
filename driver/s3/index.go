package s3

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// An entry is what a listing says of one record.
type entry struct {
	id, etag string
	size     int64 // -1: not known, and neither is whether there is such a record
}

// entryBytes is about what an entry takes in memory besides its texts.
const entryBytes = 56

func (e *entry) bytes() int64 { return int64(len(e.id)+len(e.etag)) + entryBytes }

// An index is what this handle knows of the bucket: the last listing of all
// keys, and what the handle has written since.
type index struct {
	most int64

	mu      sync.Mutex
	snap    *snapshot      // guarded by mu, like all below; nil: none
	own     map[string]own // by ID; an entry without ETag is of a removed record
	flying  map[string]int // writes under way, by ID; negative: their order is not known
	clock   uint64         // counts the writes
	dropped uint64         // counts how often snap was dropped
}

// A snapshot is a listing of all records, by rising IDs. It is never changed.
type snapshot struct {
	entries []entry
	began   time.Time
	bytes   int64 // of the bodies
}

// An own is what this handle's last write of a record made of it.
type own struct {
	entry
	at uint64
}

// maxOwn bounds how many own writes are remembered.
const maxOwn = 100_000

// begin notes that a write of that record is under way.
func (x *index) begin(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.flying == nil {
		x.flying = map[string]int{}
	}
	switch n := x.flying[id]; {
	case n > 0: // the server may see them in another order than we do
		x.flying[id] = -(n + 1)
	case n < 0:
		x.flying[id] = n - 1
	default:
		x.flying[id] = 1
	}
}

// end notes that it has ended. Unless certain, nobody knows what it did.
func (x *index) end(id string, certain bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := x.flying[id]
	switch {
	case n == 1 || n == -1:
		delete(x.flying, id)
	case n > 0:
		x.flying[id] = n - 1
	default:
		x.flying[id] = n + 1
	}
	if !certain || n < 0 {
		delete(x.own, id)
		x.forget()
	}
}

// forget drops the snapshot. The caller holds mu.
func (x *index) forget() {
	x.snap = nil
	x.dropped++
}

// wrote notes what the handle made of a record.
func (x *index) wrote(id, etag string, size int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.own) >= maxOwn {
		x.own = nil
		x.forget()
	}
	if x.own == nil {
		x.own = map[string]own{}
	}
	x.clock++
	x.own[id] = own{entry{id, etag, size}, x.clock}
}

// removed notes that the handle removed a record.
func (x *index) removed(id string) { x.wrote(id, "", 0) }

// guess returns what the handle believes of a record, with an empty ETag where
// it believes that there is none; whether it has any idea; and whether it wrote
// that itself.
func (x *index) guess(id string) (e entry, known, own bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if w, ok := x.own[id]; ok {
		return w.entry, true, true
	}
	if x.snap == nil {
		return entry{}, false, false
	}
	i, ok := slices.BinarySearchFunc(x.snap.entries, id, func(e entry, id string) int { return cmp.Compare(e.id, id) })
	if !ok {
		return entry{}, true, false
	}
	return x.snap.entries[i], true, false
}

// last returns the last snapshot, however old; nil if there is none.
func (x *index) last() *snapshot {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.snap
}

// fresh returns all entries, own writes included, as they were no longer than
// ttl ago; false if that is not known.
func (x *index) fresh(ttl time.Duration) (*snapshot, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.snap == nil || ttl <= 0 || time.Since(x.snap.began) >= ttl {
		return nil, false
	}
	if len(x.own) > 0 {
		x.snap = x.snap.with(x.own)
		x.own = nil
	}
	return x.snap, true
}

// with returns the snapshot after those writes.
func (s *snapshot) with(ws map[string]own) *snapshot {
	writes := make([]entry, 0, len(ws))
	for _, w := range ws {
		writes = append(writes, w.entry)
	}
	slices.SortFunc(writes, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	out := &snapshot{began: s.began, entries: make([]entry, 0, len(s.entries)+len(writes))}
	old := s.entries
	for _, w := range writes {
		i, found := slices.BinarySearchFunc(old, w.id, func(e entry, id string) int { return cmp.Compare(e.id, id) })
		out.entries = append(out.entries, old[:i]...)
		if found {
			i++
		}
		if old = old[i:]; w.etag != "" {
			out.entries = append(out.entries, w)
		}
	}
	out.entries = append(out.entries, old...)
	for i := range out.entries {
		out.bytes += out.entries[i].size
	}
	return out
}

// A listing is one listing of all keys under way.
type listing struct {
	x       *index
	snap    snapshot
	clock   uint64
	dropped uint64
	memory  int64
}

// list begins a listing of all keys, to be kept by install.
func (x *index) list() *listing {
	x.mu.Lock()
	defer x.mu.Unlock()
	return &listing{x: x, clock: x.clock, dropped: x.dropped, snap: snapshot{began: time.Now()}}
}

// add takes entries. They stay the caller's.
func (l *listing) add(es []entry) {
	if l.memory > l.x.most {
		return
	}
	for i := range es {
		l.memory += es[i].bytes()
		l.snap.bytes += es[i].size
	}
	if l.snap.entries = append(l.snap.entries, es...); l.memory > l.x.most {
		l.snap.entries = nil
	}
}

// install keeps a listing that was seen to its end, unless it is too large or
// has been overtaken. Writes that ended before it began are in it.
func (l *listing) install() {
	x := l.x
	x.mu.Lock()
	defer x.mu.Unlock()
	if l.memory > x.most || l.dropped != x.dropped || x.snap != nil && x.snap.began.After(l.snap.began) {
		return
	}
	byID := func(a, b entry) int { return cmp.Compare(a.id, b.id) }
	if !slices.IsSortedFunc(l.snap.entries, byID) {
		slices.SortFunc(l.snap.entries, byID)
	}
	x.snap = &l.snap
	for id, w := range x.own {
		if w.at <= l.clock {
			delete(x.own, id)
		}
	}
}

// drop forgets everything.
func (x *index) drop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.own = nil
	x.forget()
}
