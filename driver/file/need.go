package file

import (
	"slices"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A need is what one pass over the rows looks at: the paths of conditions,
// orders and groups, each with a slot, and whether records are built.
type need struct {
	b     *base
	ids   *ids
	codec codec.Scan // Slots, Paths, NoRecords, Prune, Speculate
	slots []slot
	idAt  []int              // the codec's slots of what makes the ID
	files *dataknobs.Matcher // what of the condition the folders of a file decide; nil: nothing
	rev   bool               // the revision is looked at, or goes into the records
	id    bool               // the ID is looked at, or goes into the records
}

// A slot says where the value at a path comes from.
type slot struct {
	path dataknobs.Path
	from slotSource
	at   int // the codec's slot
}

type slotSource uint8

const (
	fromCodec slotSource = iota
	fromID
	fromRevision
	fromHive
	fromMetadata // all of it: an object, if only an empty one
)

// newNeed starts a need of nothing but the number of rows.
func newNeed(b *base) *need { return &need{b: b, ids: b.ids(), codec: codec.Scan{NoRecords: true}} }

// add gives the path a slot, if it has none yet, and returns its number.
func (n *need) add(p dataknobs.Path) int {
	if i := slices.IndexFunc(n.slots, func(s slot) bool { return s.path.Equal(p) }); i >= 0 {
		return i
	}
	s := slot{path: p}
	switch {
	case p.IsID():
		s.from = fromID
		n.wantID()
	case p.IsRevision():
		s.from = fromRevision
		n.wantRecords(nil, true)
	case n.b.isHive(p):
		s.from = fromHive
	case p.IsMetadata() && len(p) == 1:
		s.from = fromMetadata
		s.at = n.codecSlot(p)
	default:
		s.at = n.codecSlot(p)
	}
	n.slots = append(n.slots, s)
	return len(n.slots) - 1
}

// addAll gives each of the paths a slot and returns their numbers.
func (n *need) addAll(paths []dataknobs.Path) []int {
	at := make([]int, len(paths))
	for i, p := range paths {
		at[i] = n.add(p)
	}
	return at
}

func (n *need) codecSlot(p dataknobs.Path) int {
	if i := slices.IndexFunc(n.codec.Slots, p.Equal); i >= 0 {
		return i
	}
	n.codec.Slots = append(n.codec.Slots, p)
	return len(n.codec.Slots) - 1
}

func (n *need) wantID() {
	if n.id {
		return
	}
	n.id = true
	for _, p := range n.ids.paths() {
		n.idAt = append(n.idAt, n.codecSlot(p))
	}
}

// wantRecords has records built, of those paths; nil: of all. With their
// revision they are always whole, for it is made of all their content.
func (n *need) wantRecords(paths []dataknobs.Path, revision bool) {
	whole := !n.codec.NoRecords && n.codec.Paths == nil
	n.codec.NoRecords = false
	n.rev = n.rev || revision
	if paths == nil || n.rev || whole {
		n.codec.Paths = nil
		return
	}
	n.codec.Paths = make([]dataknobs.Path, 0, len(paths))
	for _, p := range paths {
		if !p.IsID() && !p.IsRevision() && !n.b.isHive(p) {
			n.codec.Paths = append(n.codec.Paths, p)
		}
	}
}

// prune keeps what of the condition a file can judge by its statistics.
func (n *need) prune(e dataknobs.Expr) {
	judges := func(e dataknobs.Expr) bool {
		return dataknobs.Conds(e, func(c *dataknobs.Cond) bool { return !c.Path.IsSystem() && !n.b.isHive(c.Path) })
	}
	switch e := e.(type) {
	case nil:
	case dataknobs.And:
		var parts dataknobs.And
		for _, p := range e {
			if judges(p) {
				parts = append(parts, p)
			}
		}
		if len(parts) > 0 {
			n.codec.Prune = parts
		}
	default:
		if judges(e) {
			n.codec.Prune = e
		}
	}
}

// pruneFiles keeps what of the condition is about the folders of the files alone.
func (n *need) pruneFiles(e dataknobs.Expr) error {
	parts, ok := e.(dataknobs.And)
	if !ok {
		parts = dataknobs.And{e}
	}
	var about dataknobs.And
	for _, p := range parts {
		if p != nil && dataknobs.Conds(p, func(c *dataknobs.Cond) bool { return n.b.isHive(c.Path) }) {
			about = append(about, p)
		}
	}
	if len(about) == 0 || len(n.b.hive) == 0 {
		return nil
	}
	var err error
	n.files, err = dataknobs.Compile(about)
	return err
}

// wants reports whether a row of that file can be of interest; after is the
// position behind which the rows are, -1 for all.
func (n *need) wants(p *part, after int64) bool {
	if after >= 0 && after < firstAdded && p.n < int(after>>offsetBits) {
		return false
	}
	return n.files == nil || n.files.Match(&dataknobs.Record{Fields: p.hive})
}

// paths are those whose kinds matter to the pass; nil: all.
func (n *need) paths() []dataknobs.Path {
	if !n.codec.NoRecords && n.codec.Paths == nil {
		return nil
	}
	return slices.Concat([]dataknobs.Path{}, n.codec.Slots, n.codec.Paths)
}

func (b *base) isHive(p dataknobs.Path) bool {
	return len(b.hive) > 0 && len(p) > 0 && b.hive[p[0].Name] != 0
}
