package folder

import (
	"context"
	"iter"
	"os"
	"slices"

	"dataknobs.dev/dataknobs"
)

// Get implements dataknobs.Driver.
func (s *Store) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		for _, id := range ids {
			rec, _, err := s.get(ctx, id)
			switch {
			case err != nil:
				yield(nil, err)
				return
			case rec != nil && !yield(rec, nil):
				return
			}
		}
	}
}

// get reads one record under the lock, which it does not hold while the caller
// looks at the record.
func (s *Store) get(ctx context.Context, id string) (*dataknobs.Record, int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return nil, 0, err
	}
	return s.read(id)
}

// Scan implements dataknobs.Driver: it decides by the names which files to
// read, and reads them one by one as they are asked for.
func (s *Store) Scan(ctx context.Context, scan *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		ids, err := s.list(ctx, scan)
		if err != nil {
			yield(nil, err)
			return
		}
		left := len(ids)
		if scan.HasLimit {
			left = min(left, scan.Limit)
		}
		for _, id := range ids[min(scan.Offset, len(ids)):] {
			if left == 0 {
				return
			}
			rec, size, err := s.get(ctx, id)
			if err != nil {
				yield(nil, err)
				return
			}
			if rec == nil {
				continue // removed since the folder was listed
			}
			if scan.Stats != nil {
				scan.Stats.Records.Add(1)
				scan.Stats.Bytes.Add(int64(size))
			}
			if left--; !yield(rec, nil) {
				return
			}
		}
	}
}

// list returns the IDs that a scan asks for, in its order.
func (s *Store) list(ctx context.Context, scan *dataknobs.Scan) ([]string, error) {
	where, err := dataknobs.Compile(scan.Where)
	if err != nil {
		return nil, err
	}
	all, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	order := dataknobs.NewOrdering(scan.OrderBy)
	wanted := make([]*dataknobs.Record, 0, len(all)) // records of nothing but an ID
	for _, id := range all {
		rec := &dataknobs.Record{ID: id}
		switch {
		case !where.Match(rec):
		case scan.After != nil && !order.After(order.KeysOf(rec), id, scan.After):
		default:
			wanted = append(wanted, rec)
		}
	}
	if scan.Stats != nil {
		scan.Stats.Skipped.Add(int64(len(all) - len(wanted)))
	}
	slices.SortFunc(wanted, order.CompareRecords)
	ids := make([]string, len(wanted))
	for i, rec := range wanted {
		ids[i] = rec.ID
	}
	return ids, nil
}

// names returns the IDs of all records, in any order.
func (s *Store) names(ctx context.Context) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, ioError(s.dir, err)
	}
	ids := make([]string, 0, len(entries))
	for _, e := range entries {
		if id, ok := idOf(e.Name()); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Count implements dataknobs.Counter: no file is read.
func (s *Store) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	ids, err := s.list(ctx, &dataknobs.Scan{Where: where, Stats: stats})
	return int64(len(ids)), err
}

// Explain implements dataknobs.Explainer.
func (s *Store) Explain(_ context.Context, scan *dataknobs.Scan, _ *dataknobs.Aggregation) ([]string, error) {
	if scan == nil || scan.Where == nil {
		return []string{"lists the folder and reads every file"}, nil
	}
	return []string{"lists the folder and reads the files whose names match"}, nil
}
