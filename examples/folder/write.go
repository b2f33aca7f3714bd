package folder

import (
	"context"
	"crypto/rand"
	"os"

	"dataknobs.dev/dataknobs"
)

// Apply implements dataknobs.Driver: the writes one after the other, each of
// them whole, and the folder made durable once behind them all.
func (s *Store) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]dataknobs.Result, len(b.Writes))
	for i := range b.Writes {
		if err := s.ready(ctx); err != nil {
			return s.stop(results, i, err)
		}
		results[i] = s.apply(&b.Writes[i])
	}
	if err := s.syncDir(); err != nil {
		return s.stop(results, 0, err)
	}
	return results, nil
}

// stop gives the results from i on the error that ends the call. What was
// applied before it is made durable, because it is acknowledged.
func (s *Store) stop(results []dataknobs.Result, i int, err error) ([]dataknobs.Result, error) {
	if i > 0 {
		if failed := s.syncDir(); failed != nil {
			i, err = 0, failed
		}
	}
	for ; i < len(results); i++ {
		results[i] = dataknobs.Result{Err: err}
	}
	return results, err
}

func (s *Store) apply(w *dataknobs.Write) dataknobs.Result {
	old, _, err := s.read(w.ID)
	if err != nil {
		return dataknobs.Result{ID: w.ID, Err: err}
	}
	rec, err := next(w, old)
	if err == nil && rec == nil {
		err = s.remove(w.ID)
	} else if err == nil {
		err = s.replace(rec)
	}
	if err != nil {
		return dataknobs.Result{ID: w.ID, Err: err}
	}
	res := dataknobs.Result{ID: w.ID, Created: old == nil}
	if rec != nil {
		res.Revision = rec.Revision
	}
	return res
}

// next returns what the record becomes, which is nil where it is removed. old
// is nil where there is none.
func next(w *dataknobs.Write, old *dataknobs.Record) (*dataknobs.Record, error) {
	rec, err := w.Next(old) // the conditions of the contract, in its order
	switch {
	case err != nil || rec == nil:
		return nil, err
	case len(w.ID) > MaxID:
		return nil, dataknobs.Errorf(dataknobs.ResourceExhausted, "the ID has %d bytes, and there is room for %d", len(w.ID), MaxID)
	}
	rec.Revision = rand.Text() // random, so that none ever comes back
	return rec, nil
}

// replace puts a record's file into its place. Whoever reads meanwhile, and
// whatever crashes, sees the old file or the new one, each of them whole.
func (s *Store) replace(rec *dataknobs.Record) error {
	f, err := os.CreateTemp(s.dir, tempPrefix)
	if err != nil {
		return ioError(s.dir, err)
	}
	_, err = f.Write(encode(rec))
	if err == nil && !s.opts.NoSync {
		err = f.Sync()
	}
	if failed := f.Close(); err == nil {
		err = failed
	}
	if err == nil {
		err = os.Rename(f.Name(), s.path(fileName(rec.ID)))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return ioError(f.Name(), err)
	}
	return nil
}

func (s *Store) remove(id string) error {
	if err := os.Remove(s.path(fileName(id))); err != nil {
		return ioError(id, err)
	}
	return nil
}

// syncDir makes the names in the folder durable.
func (s *Store) syncDir() error {
	if s.opts.NoSync {
		return nil
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return ioError(s.dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return ioError(s.dir, err)
	}
	return nil
}
