package file

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unsafe"

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

// wantRecords: records are built, of those paths; nil: of all. With their
// revision, which is made of the whole content.
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

// A row is one row of the base under the eyes of a visitor.
type row struct {
	n      *need
	p      *part
	c      codec.Row
	number []byte // the buffer of row IDs
	vals   []dataknobs.Value
	err    error // why a value could not be had; the first one
}

// newRow returns what a visitor reads its rows through, one after the other.
func (n *need) newRow(p *part) row { return row{n: n, p: p} }

func (r *row) ref() int64 { return refOf(r.p, r.c.Offset()) }

// value returns the value of a slot of the need. It may alias the reader's buffer.
func (r *row) value(i int) dataknobs.Value {
	s := &r.n.slots[i]
	switch s.from {
	case fromID:
		return dataknobs.String(r.id())
	case fromRevision:
		rec, err := r.record()
		if err != nil {
			r.fail(err)
			return dataknobs.Value{}
		}
		return dataknobs.String(rec.Revision)
	case fromHive:
		return r.hive(s.path)
	case fromMetadata:
		if v := r.c.Value(s.at); !v.IsNull() {
			return v
		}
		return dataknobs.Object(nil)
	}
	return r.c.Value(s.at)
}

func (r *row) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// hive is the value that the folders of the file give.
func (r *row) hive(p dataknobs.Path) dataknobs.Value {
	for _, f := range r.p.hive {
		if f.Name == p[0].Name {
			return f.Value.Lookup(p[1:])
		}
	}
	return dataknobs.Value{}
}

// id returns the row's ID, which may alias the reader's buffer.
func (r *row) id() string {
	switch r.n.ids.from {
	case byMember:
		return r.c.Key()
	case byColumn, byKey:
		r.vals = r.vals[:0]
		for _, at := range r.n.idAt {
			r.vals = append(r.vals, r.c.Value(at))
		}
		id, err := dataknobs.KeyText(r.vals)
		if err != nil {
			r.fail(r.n.b.keyError(r.p, r.c.Number(), err))
		}
		return id
	}
	r.number = r.n.b.appendRowID(r.number[:0], r.p, r.c.Number())
	return unsafe.String(unsafe.SliceData(r.number), len(r.number))
}

// keyError says which row has no proper key.
func (b *base) keyError(p *part, number int64, err error) error {
	what := ""
	if rule := b.ids(); rule.from == byKey {
		what = ", which " + strings.Join(rule.key, ",") + " makes"
	}
	if number < 0 {
		return b.faultyKey("%s: a record has no ID%s: %w", p.name, what, err)
	}
	return b.faultyKey("%s: row %d has no ID%s: %w", p.name, number+1, what, err)
}

// keyCode is the code of a key that is missing or repeats. Nothing is wrong
// with a file that a key in the options does not fit; one that does not keep
// the key it was written with has lost something.
func (b *base) keyCode() dataknobs.Code {
	if len(b.o.Key) > 0 {
		return dataknobs.InvalidArgument
	}
	return dataknobs.DataLoss
}

func (b *base) faultyKey(format string, args ...any) error {
	e := dataknobs.Errorf(b.keyCode(), format, args...)
	if len(b.o.Key) > 0 {
		e = e.WithHint("name fields that tell all records apart with key=, or leave it out")
	}
	return keyFault{e}
}

// record builds the row's record, complete with all that the need asks for.
func (r *row) record() (*dataknobs.Record, error) {
	rec, err := r.c.Record()
	if err != nil {
		return nil, err
	}
	if r.n.rev {
		rec.Revision = r.n.b.revision(rec, r.p)
	}
	if r.n.id {
		rec.ID = strings.Clone(r.id())
		if r.err != nil {
			return nil, r.err
		}
	}
	r.n.b.finish(rec, r.p)
	rec.SetPosition(uint64(r.ref()))
	return rec, nil
}

// finish turns what the codec read into a record of the store.
func (b *base) finish(rec *dataknobs.Record, p *part) {
	for _, h := range p.hive {
		rec.Fields.Set(h.Name, h.Value)
	}
}

// revision is the revision of a record in the base, from what the codec read.
func (b *base) revision(rec *dataknobs.Record, p *part) string {
	if len(p.hive) > 0 {
		c := *rec
		c.Fields = slices.Clone(rec.Fields)
		b.finish(&c, p)
		rec = &c
	}
	return revisionOf(rec, b.t.format, 0)
}

// revisionOf makes a revision of a record's content: a hash, and where the same
// content was written on top of itself, how often. Formats that cannot tell a
// null from an absent field hash them alike, so that a revision is the same
// after the journal has been folded into the file.
func revisionOf(rec *dataknobs.Record, f *format, rep uint32) string {
	if f.dropsNulls {
		rec = &dataknobs.Record{Fields: dropNulls(rec.Fields), Metadata: dropNulls(rec.Metadata)}
	}
	sum := dataknobs.HashContent(rec)
	var buf [48]byte
	b := hex.AppendEncode(buf[:0], sum[:12])
	if rep > 0 {
		b = strconv.AppendUint(append(b, '-'), uint64(rep), 10)
	}
	return string(b)
}

// dropNulls returns f without nulls, at any depth of objects.
func dropNulls(f dataknobs.Fields) dataknobs.Fields {
	if !slices.ContainsFunc(f, func(x dataknobs.Field) bool {
		return x.Value.Kind() == dataknobs.KindNull || x.Value.Kind() >= dataknobs.KindArray
	}) {
		return f
	}
	out := make(dataknobs.Fields, 0, len(f))
	for _, x := range f {
		if !x.Value.IsNull() {
			out = append(out, dataknobs.Field{Name: x.Name, Value: dropNullsIn(x.Value)})
		}
	}
	return out
}

func dropNullsIn(v dataknobs.Value) dataknobs.Value {
	switch v.Kind() {
	case dataknobs.KindObject:
		return dataknobs.AdoptObject(dropNulls(v.Fields()))
	case dataknobs.KindArray:
		vs := make([]dataknobs.Value, 0, v.Len())
		for e := range v.Elems() {
			vs = append(vs, dropNullsIn(e))
		}
		return dataknobs.AdoptArray(vs)
	}
	return v
}

// sameRevision reports whether asked is the revision of a record. A record of
// the base has forgotten how often its content was written on top of itself,
// so that any count does: the content is the same.
func sameRevision(asked, now string, fromBase bool) bool {
	if asked == now {
		return true
	}
	hash, _, ok := strings.Cut(asked, "-")
	return ok && fromBase && hash == now
}

// checked tells a long loop about its context's end, now and then.
type ticker struct {
	ctx context.Context
	n   uint
}

func (t *ticker) err() error {
	if t.n++; t.n%1024 == 0 {
		return t.ctx.Err()
	}
	return nil
}

// cutRevision takes a revision apart: the hash of the content, and the count of
// its repetitions.
func cutRevision(rev string) (hash, count string, ok bool) { return strings.Cut(rev, "-") }

func itoa(i int64) string { return strconv.FormatInt(i, 10) }
