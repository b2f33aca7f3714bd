package memory

import (
	"iter"

	"github.com/tidwall/btree"

	"dataknobs.dev/dataknobs"
)

// An index holds every live record sorted by the value at one path, then by ID.
type index struct {
	path dataknobs.Path
	tree *btree.BTreeG[entry]
}

// An entry is one record's place in an index.
type entry struct {
	key  dataknobs.Value
	id   string
	slot *slot
	last bool // sorts after every entry with the key: only in pivots
}

func newIndex(p dataknobs.Path) *index {
	less := func(a, b entry) bool {
		if c := a.key.Compare(b.key); c != 0 {
			return c < 0
		}
		if a.last != b.last {
			return b.last
		}
		return a.id < b.id
	}
	return &index{path: p, tree: btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})}
}

// reindex moves the record of that ID from its old to its new content; nil
// for none. The caller holds mu.
func (d *Driver) reindex(id string, s *slot, old, rec *dataknobs.Record) {
	for _, x := range d.index {
		if old != nil {
			x.tree.Delete(entry{key: old.Lookup(x.path), id: id})
		}
		if rec != nil {
			x.tree.Set(entry{key: rec.Lookup(x.path), id: id, slot: s})
		}
	}
}

// indexOf returns the index of that path; nil if there is none.
func (d *Driver) indexOf(p dataknobs.Path) *index {
	for _, x := range d.index {
		if x.path.Equal(p) {
			return x
		}
	}
	return nil
}

// canSort says that the store sorts by one path, if that is indexed.
func (d *Driver) canSort(os []dataknobs.Order) dataknobs.Support {
	if len(os) == 1 && d.indexOf(os[0].Path) != nil {
		return dataknobs.Support{Fidelity: dataknobs.Exact}
	}
	return dataknobs.Support{Reason: "there is no index on it"}
}

// frozen returns the index as it is now, for reading while others write. The
// caller holds mu exclusively.
func (x *index) frozen() *index {
	return &index{path: x.path, tree: x.tree.Copy()}
}

// within yields the entries of the range in index order.
func (x *index) within(r dataknobs.Range) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		x.tree.Ascend(entry{key: r.Lo, last: r.LoOpen}, func(e entry) bool {
			c := e.key.Compare(r.Hi)
			return (c < 0 || c == 0 && !r.HiOpen) && yield(e)
		})
	}
}

// sorted yields all entries in the order of o, IDs ascending within a key,
// from the place after on (nil: from the start).
func (x *index) sorted(o dataknobs.Order, after *dataknobs.Seek) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		parts := []func(*dataknobs.Seek, func(entry) bool) bool{x.ascending, x.nulls}
		if o.Desc {
			parts[0] = x.descending
		}
		first := 0
		if after != nil && after.Keys[0].IsNull() {
			first = 1
		}
		if o.Nulls == dataknobs.NullsFirst {
			parts[0], parts[1] = parts[1], parts[0]
			if after != nil {
				first = 1 - first
			}
		}
		for _, part := range parts[first:] {
			if !part(after, yield) {
				return
			}
			after = nil // the next part is wanted from its start
		}
	}
}

// nulls yields the entries without a key. Like ascending and descending it
// starts behind after, and returns false when yield did.
func (x *index) nulls(after *dataknobs.Seek, yield func(entry) bool) bool {
	return x.group(entry{id: idOf(after)}, yield)
}

// ascending yields the entries with a key by rising keys.
func (x *index) ascending(after *dataknobs.Seek, yield func(entry) bool) bool {
	more := true
	visit := func(e entry) bool {
		if e.key.IsNull() {
			return false
		}
		if after != nil && e.id == after.ID && e.key.Compare(after.Keys[0]) == 0 {
			return true
		}
		more = yield(e)
		return more
	}
	if after == nil {
		x.tree.Scan(visit)
	} else {
		x.tree.Ascend(entry{key: after.Keys[0], id: after.ID}, visit)
	}
	return more
}

// descending yields the entries with a key by falling keys.
func (x *index) descending(after *dataknobs.Seek, yield func(entry) bool) bool {
	pivot := entry{} // before the nulls, which are the greatest
	if after != nil {
		pivot.key = after.Keys[0]
		if !x.group(entry{key: pivot.key, id: after.ID}, yield) {
			return false
		}
	}
	for {
		found := false
		x.tree.Descend(pivot, func(e entry) bool {
			pivot, found = entry{key: e.key}, true
			return false
		})
		if !found {
			return true
		}
		if !x.group(pivot, yield) {
			return false
		}
	}
}

// group yields the entries with the key of from whose IDs are greater.
func (x *index) group(from entry, yield func(entry) bool) bool {
	more := true
	x.tree.Ascend(from, func(e entry) bool {
		if e.key.Compare(from.key) != 0 {
			return false
		}
		if e.id == from.id {
			return true
		}
		more = yield(e)
		return more
	})
	return more
}

func idOf(s *dataknobs.Seek) string {
	if s == nil {
		return ""
	}
	return s.ID
}
