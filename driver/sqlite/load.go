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
	defer w.unlock()
	if err := w.ready(ctx); err != nil {
		return false, err
	}
	t, err := d.table(ctx)
	if err != nil {
		return false, err
	}
	return true, w.transact(t, func(s *session) error { return s.load(ctx, req) })
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
