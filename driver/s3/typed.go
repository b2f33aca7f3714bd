package s3

import (
	"context"

	"dataknobs.dev/dataknobs"
)

// kindsSample is how many records are looked at first: what they hold at a path
// mostly settles that a text beside it is a text.
const kindsSample = 8

// Kinds implements dataknobs.Typed: it tells at which of the paths all records
// hold times, so that a text beside it is read as one, and says of others what
// it has come across until that was settled. Where the sample holds times, every
// record is read; those that the cache of bodies has room for are not read again
// by the search that follows.
func (d *Driver) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	kinds := make([]dataknobs.KindSet, len(paths))
	for _, s := range []*dataknobs.Scan{{HasLimit: true, Limit: kindsSample}, {}} {
		for rec, err := range d.Scan(ctx, s) {
			if err != nil {
				return nil, err
			}
			if !maybeTimes(kinds, paths, rec) {
				return kinds, nil
			}
		}
	}
	return kinds, nil
}

// maybeTimes adds what rec holds at the paths, and reports whether there may
// still be times, and nothing else, at one of them.
func maybeTimes(kinds []dataknobs.KindSet, paths []dataknobs.Path, rec *dataknobs.Record) bool {
	maybe := false
	for i, p := range paths {
		kinds[i] = kinds[i].With(rec.Lookup(p).Kind())
		maybe = maybe || kinds[i]&^dataknobs.KindsOf(dataknobs.KindNull, dataknobs.KindTime) == 0
	}
	return maybe
}
