package file

import (
	"context"
	"strconv"
	"strings"
	"unsafe"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

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

// A ticker tells a long loop about its context's end, looking now and then.
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

func itoa(i int64) string { return strconv.FormatInt(i, 10) }
