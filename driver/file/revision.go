package file

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

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
	hash, _, ok := cutRevision(asked)
	return ok && fromBase && hash == now
}

// cutRevision takes a revision apart: the hash of the content, and the count of
// its repetitions.
func cutRevision(rev string) (hash, count string, ok bool) { return strings.Cut(rev, "-") }
