package file

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// An index finds the row of an ID: a hash table from the hashes of the IDs to
// the rows, of 16 bytes a slot, 24 to 48 a record. It is built by one pass over the base, when an
// ID is first looked up.
type index struct {
	slots []indexSlot
	mask  uint64
	n     int
}

type indexSlot struct {
	hash uint64
	ref  int64 // +1; 0: empty
}

func newIndex(n int) *index {
	size := 16
	for size < n+n/2 {
		size *= 2
	}
	return &index{slots: make([]indexSlot, size), mask: uint64(size - 1)}
}

// add returns the row that has the same hash already; -1 if none has.
func (x *index) add(hash uint64, ref int64) (twin int64) {
	twin = -1
	i := hash & x.mask
	for ; x.slots[i].ref != 0; i = (i + 1) & x.mask {
		if x.slots[i].hash == hash {
			twin = x.slots[i].ref - 1
		}
	}
	x.slots[i] = indexSlot{hash, ref + 1}
	x.n++
	return twin
}

// find returns the rows whose ID may have that hash: nearly always one or none.
func (x *index) find(hash uint64) []int64 {
	var refs []int64
	for i := hash & x.mask; x.slots[i].ref != 0; i = (i + 1) & x.mask {
		if x.slots[i].hash == hash {
			refs = append(refs, x.slots[i].ref-1)
		}
	}
	return refs
}

// verifyIDs finds out what the IDs of the base are, as far as that takes a look
// at all of them: whether a key repeats. A key that was asked for and repeats
// is an error; a column id that does is no key: the IDs are row numbers then.
func (d *Driver) verifyIDs(ctx context.Context, b *base) error {
	if b == nil {
		return nil
	}
	_, err := d.indexOf(ctx, b)
	return err
}

// indexOf returns the index of the base, which it builds if need be; nil where
// the IDs are row numbers.
func (d *Driver) indexOf(ctx context.Context, b *base) (*index, error) {
	rule := b.ids()
	if rule.from == byFree || rule.from == byRow {
		return nil, nil
	}
	if err := b.agree(ctx, rule.paths()); err != nil {
		return nil, err
	}
	if err := b.work.lock(ctx); err != nil {
		return nil, err
	}
	defer b.work.unlock()
	if b.checked {
		return b.index, nil
	}
	x, err := b.buildIndex(ctx)
	var fault keyFault
	if !rule.asked && errors.As(err, &fault) {
		b.rule.Store(&ids{from: byRow, spoilt: rule.from == byColumn})
		b.checked = true
		d.learn(b)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b.index, b.checked = x, true
	return x, nil
}

// A keyFault is an error of the IDs, not of reading them.
type keyFault struct{ error }

func (k keyFault) Unwrap() error { return k.error }

// hashed is the IDs of some rows, in pieces, so that nothing is copied as they grow.
type hashed struct {
	pieces [][]indexSlot
	n      int
}

const hashedPiece = 8 << 10

func (h *hashed) add(s indexSlot) {
	last := len(h.pieces) - 1
	if last < 0 || len(h.pieces[last]) == hashedPiece {
		h.pieces = append(h.pieces, make([]indexSlot, 0, hashedPiece))
		last++
	}
	h.pieces[last] = append(h.pieces[last], s)
	h.n++
}

// buildIndex reads all IDs. The caller holds work.
func (b *base) buildIndex(ctx context.Context) (*index, error) {
	n := newNeed(b)
	n.wantID()
	s := &snapshot{base: b, ov: newOverlay().freeze()}
	all, _ := dataknobs.Compile(nil)
	var parts []*hashed
	total := 0
	err := accumulate(ctx, s, n, all, 0, func() *hashed { return &hashed{} },
		func(h *hashed, r *row) error {
			id := r.id()
			if r.err != nil {
				return r.err
			}
			if id == "" {
				return b.keyError(r.p, r.c.Number(), dataknobs.Errorf(b.keyCode(), "the ID is empty"))
			}
			h.add(indexSlot{xxh3.HashString(id), r.ref() + 1})
			return nil
		},
		func(h *hashed) error { parts, total = append(parts, h), total+h.n; return nil })
	if err != nil {
		return nil, err
	}
	if b.rows < 0 {
		b.rows = int64(total)
	}
	return b.join(ctx, parts, total)
}

// join makes one table, and looks at the IDs themselves where hashes meet.
func (b *base) join(ctx context.Context, parts []*hashed, total int) (*index, error) {
	x := newIndex(total)
	type twins struct {
		a, b int64
	}
	var met []twins
	for _, h := range parts {
		for _, piece := range h.pieces {
			for _, s := range piece {
				// So many that meet repeat for certain: no need to list them all.
				if twin := x.add(s.hash, s.ref-1); twin >= 0 && len(met) < 64 {
					met = append(met, twins{twin, s.ref - 1})
				}
			}
		}
	}
	for _, t := range met {
		one, err := b.readID(ctx, t.a)
		if err != nil {
			return nil, err
		}
		two, err := b.readID(ctx, t.b)
		if err != nil {
			return nil, err
		}
		if one == two {
			return nil, b.duplicate(ctx, one, min(t.a, t.b), max(t.a, t.b))
		}
	}
	return x, nil
}

// duplicate names both places of an ID that is there twice.
func (b *base) duplicate(ctx context.Context, id string, refA, refB int64) error {
	where := func(ref int64) string {
		n, offset := splitRef(ref)
		p := b.parts[n]
		text := ""
		if len(b.parts) > 1 {
			text = p.name + ": "
		}
		if line := lineAt(ctx, b.t.format, p, offset); line > 0 {
			return text + "line " + itoa(line)
		}
		return text + "row " + itoa(offset+1) // files without lines have rows for offsets
	}
	what := "the ID"
	if b.ids().from == byKey {
		what = "the key " + strings.Join(b.ids().key, ",")
	}
	return b.faultyKey("%s: %s %q is there twice: in %s and %s", b.t.name, what, id, where(refA), where(refB))
}

// lineAt counts the lines before an offset of a text file; 0 where there are none.
func lineAt(ctx context.Context, f *format, p *part, offset int64) int64 {
	if f.binary {
		return 0
	}
	r, err := p.src.Open(ctx)
	if err != nil {
		return 0
	}
	defer r.Close()
	line, left := int64(1), offset
	buf := make([]byte, 64<<10)
	for left > 0 {
		n, err := io.ReadFull(r, buf[:min(left, int64(len(buf)))])
		line += int64(strings.Count(string(buf[:n]), "\n"))
		left -= int64(n)
		if err != nil {
			return 0
		}
	}
	return line
}

func (b *base) readID(ctx context.Context, ref int64) (id string, err error) {
	err = b.readAt(ctx, []int64{ref}, func(_ int, rec *dataknobs.Record) error {
		id = rec.ID
		return nil
	})
	return id, err
}

// readAt reads single records by their refs, which ascend. They are complete,
// with IDs where the store has real ones, but without revisions. The caller holds work or has the IDs verified.
func (b *base) readAt(ctx context.Context, refs []int64, each func(i int, rec *dataknobs.Record) error) error {
	for from := 0; from < len(refs); {
		n, _ := splitRef(refs[from])
		to := from + 1
		for to < len(refs) && refs[to]>>offsetBits == int64(n) {
			to++
		}
		offsets := make([]int64, to-from)
		for i := range offsets {
			_, offsets[i] = splitRef(refs[from+i])
		}
		p, err := b.randomPart(ctx, b.parts[n])
		if err != nil {
			return err
		}
		err = p.file().ReadAt(ctx, offsets, func(i int, rec *dataknobs.Record) error {
			if b.ids().from != byRow {
				id, err := b.ids().ofRecord(rec)
				if err != nil {
					return b.keyError(p, -1, err)
				}
				rec.ID = id
			}
			rec.SetPosition(uint64(refs[from+i]))
			return each(from+i, rec)
		})
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

var spooling sync.Mutex

// randomPart returns a part that can be read at random: for a compressed file a
// copy, decompressed into a temporary file that has no name any more.
func (b *base) randomPart(ctx context.Context, p *part) (*part, error) {
	if p.comp == noCompression || len(b.parts) > 1 {
		return p, nil
	}
	spooling.Lock()
	defer spooling.Unlock()
	if b.random != nil {
		return b.random, nil
	}
	r, err := p.src.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, size, err := spool(contextReader{ctx, r})
	if err != nil {
		return nil, err
	}
	q := &part{n: p.n, name: p.name, f: f, info: p.info}
	q.src = codec.Source{Name: p.name, ReaderAt: f, Size: size, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(f, 0, size)), nil
	}}
	if err := b.openPart(ctx, q, b.used); err != nil {
		f.Close()
		return nil, err
	}
	b.random = q
	return q, nil
}

// spool copies r into a temporary file without a name.
func spool(r io.Reader) (*os.File, int64, error) {
	f, err := os.CreateTemp("", "dk-spool-")
	if err != nil {
		return nil, 0, ioError(os.TempDir(), err)
	}
	_ = os.Remove(f.Name()) // where that is refused, the file stays until the end
	n, err := io.Copy(f, r)
	if err != nil {
		f.Close()
		return nil, 0, ioError(os.TempDir(), err)
	}
	return f, n, nil
}
