package memory

import "hash/maphash"

// A table finds the live slots by ID. It is a map that hashes an ID once for
// looking and putting, and never again as it grows; it grows in small parts.
type table struct {
	seed  maphash.Seed
	n     int // how many slots there are
	parts [64]part
}

// A part is the slots of some hashes: a cell stands at its hash, or where the
// next cells from there on were free.
type part struct {
	cells []cell // a power of two, of which a quarter is free
	n     int
}

type cell struct {
	hash uint64
	slot *slot // nil: free
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

func (t *table) hash(id string) uint64 { return maphash.String(t.seed, id) }

// part returns the part of a hash, by the bits that place no cell within it.
func (t *table) part(hash uint64) *part { return &t.parts[hash>>58] }

// find returns the slot of that ID and hash; nil if there is none.
func (t *table) find(id string, hash uint64) *slot {
	p := t.part(hash)
	if p.n == 0 {
		return nil
	}
	for i := hash; ; i++ {
		c := p.at(i)
		if c.slot == nil || c.hash == hash && c.slot.live().ID == id {
			return c.slot
		}
	}
}

// put adds a slot whose ID is not there.
func (t *table) put(hash uint64, s *slot) {
	t.n++
	p := t.part(hash)
	if p.n++; 4*p.n > 3*len(p.cells) {
		old := p.cells
		p.cells = make([]cell, max(8, 2*len(old)))
		for _, c := range old {
			if c.slot != nil {
				*p.free(c.hash) = c
			}
		}
	}
	*p.free(hash) = cell{hash, s}
}

// remove takes out a slot that is there.
func (t *table) remove(hash uint64, s *slot) {
	t.n--
	p := t.part(hash)
	p.n--
	i := hash
	for p.at(i).slot != s {
		i++
	}
	// No cell may stand behind a free one that its hash comes before: the cells
	// that follow move up, where they may.
	for j := i + 1; p.at(j).slot != nil; j++ {
		if c := *p.at(j); p.from(c.hash, j) >= p.from(i, j) {
			*p.at(i) = c
			i = j
		}
	}
	*p.at(i) = cell{}
}

// at returns the i-th cell, counted round and round.
func (p *part) at(i uint64) *cell { return &p.cells[i&uint64(len(p.cells)-1)] }

// from returns how many cells j stands behind i.
func (p *part) from(i, j uint64) uint64 { return (j - i) & uint64(len(p.cells)-1) }

// free returns the free cell for a hash.
func (p *part) free(hash uint64) *cell {
	for i := hash; ; i++ {
		if c := p.at(i); c.slot == nil {
			return c
		}
	}
}
