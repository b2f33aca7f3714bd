package file

import (
	"context"
	"slices"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
)

// A located record of the base, read ahead.
type located struct {
	rec *dataknobs.Record // nil: not there
	ref int64
}

// locateOne finds a record of the base by its ID.
func (d *Driver) locateOne(ctx context.Context, b *base, id string) (located, error) {
	found, err := d.locateMany(ctx, b, []string{id})
	if l, ok := found[id]; ok {
		return l, err
	}
	return located{ref: -1}, err
}

// locateMany finds records of the base, with their revisions. Every ID has an
// entry in the result.
func (d *Driver) locateMany(ctx context.Context, b *base, ids []string) (map[string]located, error) {
	found := make(map[string]located, len(ids))
	for _, id := range ids {
		found[id] = located{ref: -1}
	}
	x, err := d.indexOf(ctx, b)
	if err != nil || x == nil {
		return found, err
	}
	var refs []int64
	for id := range found {
		refs = append(refs, x.find(xxh3.HashString(id))...)
	}
	slices.Sort(refs)
	err = b.readAt(ctx, refs, func(i int, rec *dataknobs.Record) error {
		if _, asked := found[rec.ID]; !asked {
			return nil // another ID of the same hash
		}
		n, _ := splitRef(refs[i])
		rec.Revision = b.revision(rec, b.parts[n])
		b.finish(rec, b.parts[n])
		found[rec.ID] = located{rec, refs[i]}
		return nil
	})
	return found, err
}
