package sqlite

import (
	"context"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
)

// Load implements dataknobs.Loader: the whole stream in one transaction.
// Readers go on meanwhile; other writers wait.
func (d *Driver) Load(ctx context.Context, req *dataknobs.LoadRequest) (handled bool, err error) {
	if d.at.memory { // the stream may come of the only connection
		return false, nil
	}
	if d.closed.Load() {
		return false, errClosed
	}
	w := &d.w
	if err := w.lock(ctx); err != nil {
		return false, err
	}
	loaded := false
	defer func() {
		if !loaded {
			w.unlock()
			return
		}
		d.tidying.Go(w.tidy) // which unlocks
	}()
	if err := w.ready(ctx); err != nil {
		return false, err
	}
	t, err := d.table(ctx)
	if err != nil {
		return false, err
	}
	// The commit is durable in the write-ahead log; nobody has to wait until that
	// has been moved into the database as well.
	if err := w.run("pragma wal_autocheckpoint = 0"); err != nil {
		return false, d.at.classify(err)
	}
	err = w.transact(t, func(s *session) error {
		if err := s.load(ctx, req); err != nil {
			return err
		}
		return s.analyze(req.Written.Load())
	})
	loaded = err == nil
	w.c.Use(context.Background())
	if e := w.run("pragma wal_autocheckpoint = 1000"); err == nil && e != nil { // SQLite's own setting
		err = d.at.classify(e)
	}
	return true, err
}

// tidy moves what a load has left in the write-ahead log into the database, as
// a commit does it now and then. What it cannot do, the next commit does.
func (w *writer) tidy() {
	defer w.unlock()
	_, _ = w.c.Checkpoint(false)
}

// analyzeFrom is from how many new records on a load looks at how the values of
// the indexes are spread, so that a query takes the best of them.
const analyzeFrom = 1000

// analyze tells SQLite about the values of the declared indexes.
func (s *session) analyze(written int64) error {
	if len(s.t.Indexed) == 0 || written < analyzeFrom {
		return nil
	}
	name, err := s.t.QualifiedName()
	if err != nil {
		return err
	}
	if err := s.c.Exec("pragma analysis_limit = 400"); err != nil {
		return err
	}
	return s.c.Exec("analyze " + name)
}

// load writes the stream inside a transaction.
func (s *session) load(ctx context.Context, req *dataknobs.LoadRequest) error {
	write := dataknobs.Write{Op: dataknobs.WritePut}
	if req.Mode != dataknobs.LoadPut {
		write.If = dataknobs.IfAbsent
	}
	s.unasked, s.skips = true, req.Mode == dataknobs.LoadSkip
	defer func() { s.unasked, s.skips = false, false }()
	return s.writeStream(ctx, func(yield func(*dataknobs.Write, error) bool) {
		for rec, err := range req.Records {
			if err == nil {
				write.ID, write.Record = rec.ID, rec
			}
			if !yield(&write, err) {
				return
			}
		}
	}, func(_ int, w *dataknobs.Write, res dataknobs.Result) error {
		switch {
		case res.Err == nil:
			req.Written.Add(1)
		case req.Mode == dataknobs.LoadSkip && dataknobs.CodeOf(res.Err) == dataknobs.AlreadyExists:
			req.Skipped.Add(1)
		default:
			return &dataknobs.Error{Code: dataknobs.CodeOf(res.Err), ID: w.ID, Err: res.Err}
		}
		return nil
	})
}

// Sync implements dataknobs.Syncer: it moves the write-ahead log into the
// database file, so that the file alone holds everything.
func (d *Driver) Sync(ctx context.Context) error {
	if d.closed.Load() {
		return errClosed
	}
	if d.o.ReadOnly || d.at.memory || !d.at.exists() || d.Features().ReadOnly != "" {
		return ctx.Err()
	}
	w := &d.w
	if err := w.lock(ctx); err != nil {
		return err
	}
	defer w.unlock()
	if w.c == nil { // nothing was written here
		return nil
	}
	w.c.Use(ctx)
	_, err := w.c.Checkpoint(true)
	if codeOf(err).Primary() == lite.Busy {
		// A scan still looks at an older moment: as much as can be moved is.
		_, err = w.c.Checkpoint(false)
	}
	return d.at.classify(err)
}
