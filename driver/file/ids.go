package file

import (
	"context"
	"slices"
	"strconv"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// idSource says what the IDs of a store are.
type idSource uint8

const (
	byRow    idSource = iota // the number of the row
	byKey                    // the text of fields
	byColumn                 // a column of their own (Layout.ID)
	byMember                 // the names in a JSON object of records
	byFree                   // there is no record yet: a column of their own, if any is written
)

// idColumn is the column of the IDs in files that this package makes.
const (
	idColumn   = "_id"
	metaColumn = "_meta"
)

// ids says where the IDs of a base come from.
type ids struct {
	from  idSource
	key   []string // with byKey
	asked bool     // the key was named, or the IDs are ours: that one repeats is an error
	// spoilt: there is a column _id which is no key, and which rewriting the file
	// would therefore lose.
	spoilt bool
}

// chooseIDs decides where the IDs come from. sideKey is the key that the side
// file names.
func chooseIDs(ctx context.Context, b *base, l *codec.Layout, sideKey []string) (ids, error) {
	switch {
	case len(b.o.Key) > 0:
		return ids{from: byKey, key: b.o.Key, asked: true}, checkKey(b, b.o.Key)
	case len(sideKey) > 0:
		return ids{from: byKey, key: sideKey, asked: true}, checkKey(b, sideKey)
	case l != nil && l.ID != "":
		return ids{from: byColumn, asked: true}, nil
	case b.parts[0].file().Keyed():
		return ids{from: byMember, asked: true}, nil
	}
	first, err := b.first(ctx, dataknobs.PathID, dataknobs.Names("id"))
	cols := b.columns()
	switch {
	case err != nil:
		return ids{}, err
	case first != nil && !first[0].IsNull():
		return ids{from: byColumn}, nil
	case first != nil && !first[1].IsNull(), slices.Contains(cols, "id"):
		return ids{from: byKey, key: []string{"id"}}, nil
	case first == nil && len(cols) == 0:
		return ids{from: byFree}, nil
	}
	return ids{from: byRow}, nil
}

// checkKey refuses a key that names columns which are not there.
func checkKey(b *base, key []string) error {
	cols := b.columns()
	if cols == nil {
		return nil
	}
	for _, k := range key {
		if !slices.Contains(cols, k) && len(cols) > 0 {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "%s has no column %q that could be its key", b.t.name, k).
				WithHint("its columns are %s", nameList(cols))
		}
	}
	return nil
}

// paths are what a scan needs to know for the IDs.
func (s *ids) paths() []dataknobs.Path {
	switch s.from {
	case byKey:
		paths := make([]dataknobs.Path, len(s.key))
		for i, k := range s.key {
			paths[i] = dataknobs.Names(k)
		}
		return paths
	case byColumn:
		return []dataknobs.Path{dataknobs.PathID}
	}
	return nil
}

// appendRowID appends the ID of a row that has no other.
func (b *base) appendRowID(dst []byte, p *part, number int64) []byte {
	if p.rel != "" {
		dst = append(append(dst, p.rel...), ':')
	}
	return strconv.AppendInt(dst, number+1, 10)
}

// ofRecord returns the ID of a whole record as the codec gave it.
func (s *ids) ofRecord(rec *dataknobs.Record) (string, error) {
	if s.from != byKey {
		if rec.ID == "" {
			return "", dataknobs.Errorf(dataknobs.DataLoss, "there is none")
		}
		return rec.ID, nil
	}
	vs := make([]dataknobs.Value, len(s.key))
	for i, k := range s.key {
		vs[i] = rec.Fields.Value(k)
	}
	return dataknobs.KeyText(vs)
}

// refOf joins a part and an offset within it to what names a row of the base.
func refOf(p *part, offset int64) int64 { return int64(p.n)<<offsetBits | offset }

const offsetBits = 44

func splitRef(ref int64) (n int, offset int64) {
	return int(ref >> offsetBits), ref & (1<<offsetBits - 1)
}
