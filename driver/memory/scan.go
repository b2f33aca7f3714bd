package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sort"

	"dataknobs.dev/dataknobs"
)

// Scan implements dataknobs.Driver.
func (d *Driver) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		if err := d.scan(ctx, s, func(r *dataknobs.Record) bool { return yield(r, nil) }); err != nil {
			yield(nil, err)
		}
	}
}

// Count implements dataknobs.Counter.
func (d *Driver) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	if where == nil {
		return d.size(ctx)
	}
	var n int64
	err := d.scan(ctx, &dataknobs.Scan{Where: where, Stats: stats}, func(*dataknobs.Record) bool {
		n++
		return true
	})
	return n, err
}

// size is the number of records.
func (d *Driver) size(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return 0, errClosed
	}
	return int64(d.slots.n), nil
}

// scan gives the records of s to each until it returns false.
func (d *Driver) scan(ctx context.Context, s *dataknobs.Scan, each func(*dataknobs.Record) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	where, err := dataknobs.Compile(s.Where)
	if err != nil {
		return err
	}
	v, err := d.view(s)
	if err != nil {
		return err
	}
	defer v.snap.release()
	read, skip, left := int64(0), s.Offset, s.Limit
	defer func() {
		if s.Stats != nil {
			s.Stats.Records.Add(read)
			s.Stats.Skipped.Add(max(int64(v.snap.live)-read, 0))
		}
	}()
	for rec := range v.records {
		if read%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		read++
		if !where.Match(rec) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if s.HasLimit {
			if left--; left < 0 {
				return nil
			}
		}
		if !each(rec) || s.HasLimit && left == 0 {
			return nil
		}
	}
	return nil
}

// A view is what one scan looks at: records that may match, in its order.
type view struct {
	snap    *snapshot
	records iter.Seq[*dataknobs.Record]
	how     string // for Explain
}

// view chooses how to run s. The caller releases its snapshot.
func (d *Driver) view(s *dataknobs.Scan) (*view, error) {
	if len(d.opts.Index) == 0 {
		snap, err := d.snapshot()
		if err != nil {
			return nil, err
		}
		return &view{snap, snap.all(s.After), "reads every record"}, nil
	}
	d.mu.Lock() // freezing an index needs it alone
	defer d.mu.Unlock()
	snap, err := d.snapshotLocked()
	if err != nil {
		return nil, err
	}
	if v := d.candidates(snap, s); v != nil {
		return v, nil
	}
	if len(s.OrderBy) == 0 {
		return &view{snap, snap.all(s.After), "reads every record"}, nil
	}
	x := d.indexOf(s.OrderBy[0].Path).frozen()
	return &view{snap, snap.of(x.sorted(s.OrderBy[0], s.After)), "reads along the index on " + x.path.String()}, nil
}

// all yields the records in the order of their creation, from behind after.
func (s *snapshot) all(after *dataknobs.Seek) iter.Seq[*dataknobs.Record] {
	order := s.order
	if after != nil {
		order = order[sort.Search(len(order), func(i int) bool { return order[i].pos > after.Position }):]
	}
	return s.of(func(yield func(entry) bool) {
		for _, sl := range order {
			if !yield(entry{slot: sl}) {
				return
			}
		}
	})
}

// of yields the records that the entries had at the snapshot's moment.
func (s *snapshot) of(entries iter.Seq[entry]) iter.Seq[*dataknobs.Record] {
	return func(yield func(*dataknobs.Record) bool) {
		for e := range entries {
			if rec := e.slot.at(s.clock); rec != nil && !yield(rec) {
				return
			}
		}
	}
}

// candidates uses the index that leaves the fewest records, if there is one
// that leaves few: nil if not. The caller holds mu exclusively.
func (d *Driver) candidates(snap *snapshot, s *dataknobs.Scan) *view {
	most := snap.live/8 + 64 // past this, reading everything in order is as good
	var best []*slot
	var used *index
	for _, x := range d.index {
		ranges, ok := dataknobs.Bounds(s.Where, x.path)
		if !ok {
			continue
		}
		if found, ok := x.collect(ranges, most); ok {
			best, used, most = found, x, len(found)
		}
	}
	if used == nil {
		return nil
	}
	recs := make([]*dataknobs.Record, len(best))
	for i, sl := range best {
		recs[i] = sl.live()
	}
	return &view{snap, slices.Values(arrange(recs, s)), "finds records by the index on " + used.path.String()}
}

// collect returns the slots within the ranges, each once; false if there are
// more than most.
func (x *index) collect(ranges []dataknobs.Range, most int) ([]*slot, bool) {
	var found []*slot
	for _, r := range ranges {
		for e := range x.within(r) {
			if len(found) == most {
				return nil, false
			}
			found = append(found, e.slot)
		}
	}
	return found, true
}

// arrange puts the candidates into the order of s and leaves out those before
// its start.
func arrange(recs []*dataknobs.Record, s *dataknobs.Scan) []*dataknobs.Record {
	byOrder := func(a, b *dataknobs.Record) int { return cmp.Compare(a.Position(), b.Position()) }
	afterStart := func(r *dataknobs.Record) bool { return r.Position() > s.After.Position }
	if len(s.OrderBy) > 0 {
		ord := dataknobs.NewOrdering(s.OrderBy)
		byOrder = ord.CompareRecords
		afterStart = func(r *dataknobs.Record) bool { return ord.After(ord.KeysOf(r), r.ID, s.After) }
	}
	if s.After != nil {
		recs = slices.DeleteFunc(recs, func(r *dataknobs.Record) bool { return !afterStart(r) })
	}
	slices.SortFunc(recs, byOrder)
	return recs
}

// Kinds implements dataknobs.Typed, by looking at every record.
func (d *Driver) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	kinds := make([]dataknobs.KindSet, len(paths))
	err := d.scan(ctx, &dataknobs.Scan{}, func(r *dataknobs.Record) bool {
		for i, p := range paths {
			kinds[i] = kinds[i].With(r.Lookup(p).Kind())
		}
		return true
	})
	return kinds, err
}

// Explain implements dataknobs.Explainer.
func (d *Driver) Explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	if s == nil {
		s = &dataknobs.Scan{Where: a.Where}
	}
	v, err := d.view(s)
	if err != nil {
		return nil, err
	}
	defer v.snap.release()
	return []string{v.how}, nil
}
