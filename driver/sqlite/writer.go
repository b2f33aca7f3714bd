package sqlite

import (
	"context"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
)

// lock waits until the connection is free. A transaction of a user, which may be
// the very caller's, is not waited for longer than the locks of others.
func (w *writer) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.slot <- struct{}{}:
		return w.locked()
	default:
	}
	wait := max(w.d.o.Busy, time.Millisecond)
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case w.slot <- struct{}{}:
			return w.locked()
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			if since := w.tx.Load(); since != 0 {
				return dataknobs.Errorf(dataknobs.Unavailable, "a transaction of this store has been open for %s", time.Since(time.Unix(0, since)).Round(time.Millisecond)).
					WithHint("inside a transaction, write through it, not through the store")
			}
			t.Reset(wait)
		}
	}
}

func (w *writer) locked() error {
	if w.d.closed.Load() {
		<-w.slot
		return errClosed
	}
	return nil
}

// unlock lets the next one use the connection.
func (w *writer) unlock() {
	if w.c != nil {
		w.c.Use(context.Background())
		if !w.c.Autocommit() {
			_ = w.c.Exec("rollback")
		}
	}
	if w.pooled != nil {
		w.d.readers.release(w.pooled)
		w.pooled, w.c = nil, nil
	}
	<-w.slot
}

// ready opens the connection, and leaves ctx in force. The caller holds the slot.
func (w *writer) ready(ctx context.Context) error {
	d := w.d
	if d.at.memory && w.c == nil {
		c, err := d.readers.acquire(ctx, false)
		if err != nil {
			return err
		}
		w.pooled, w.c = c, c.Conn
	}
	if w.c == nil {
		flags := lite.Create
		if d.o.NoCreate {
			flags = lite.ReadWrite
		}
		c, err := d.at.open(&d.o, flags)
		if err != nil {
			return err
		}
		c.Use(ctx)
		if err := w.useWAL(c); err != nil {
			c.Close()
			return d.at.classify(err)
		}
		w.c = c
	}
	w.c.Use(ctx)
	return nil
}

// useWAL puts the database into WAL mode, unless it is to keep its mode.
func (w *writer) useWAL(c *lite.Conn) error {
	if w.d.o.KeepMode {
		return nil
	}
	mode := func(sql string) (m string, err error) {
		err = rows(c, sql, nil, func(s *lite.Stmt) error {
			m = s.Str(0)
			return nil
		})
		return m, err
	}
	m, err := mode("pragma journal_mode")
	if err != nil || m == "wal" || m == "memory" {
		return err
	}
	_, err = mode("pragma journal_mode = wal")
	if codeOf(err).Primary() == lite.Busy { // somebody reads; another time
		return nil
	}
	return err
}

// close closes the connection, waiting for the writes under way.
func (w *writer) close() error {
	t := time.NewTimer(closeGrace)
	defer t.Stop()
	select {
	case w.slot <- struct{}{}:
	case <-t.C:
		return dataknobs.Errorf(dataknobs.Unavailable, "the store is closed, but a transaction or a load is still open in it").
			WithHint("end it by Commit or Rollback")
	}
	if w.c != nil && w.pooled == nil {
		w.c.Close()
	}
	w.c = nil
	<-w.slot
	return nil
}

// transact runs f in a transaction that writes, in which the table is made if
// it is still missing. All of it happens, or nothing.
func (w *writer) transact(t *table, f func(*session) error) error {
	if err := w.run("begin immediate"); err != nil {
		return w.d.at.classify(err)
	}
	made, err := w.make(t)
	if err == nil {
		if made != nil {
			t = made
		}
		err = f(newSession(t, w.d.at, w.c))
	}
	if err == nil {
		w.c.Use(context.Background()) // a commit is short, and must not end half-way
		err = w.run("commit")
	}
	if err != nil {
		w.c.Use(context.Background())
		if !w.c.Autocommit() {
			_ = w.run("rollback")
		}
		return w.d.at.classify(err)
	}
	w.indexed = true
	if made != nil {
		w.d.know(made)
	}
	return nil
}

// run runs one of the few statements that are kept.
func (w *writer) run(sql string) error {
	s, err := w.c.Prepare(sql)
	if err != nil {
		return err
	}
	defer s.Release()
	_, err = s.Step()
	return err
}

// make makes the table if it is missing, and the declared indexes. It returns
// what is new to the driver; nil if nothing is.
func (w *writer) make(t *table) (*table, error) {
	d := w.d
	if t.there {
		if w.indexed {
			return nil, nil
		}
		return nil, w.execAll(t.Indexes)
	}
	rs, err := relations(w.c)
	if err != nil {
		return nil, err
	}
	r, err := choose(rs, &d.o, d.at)
	if err != nil {
		return nil, err
	}
	if r == nil {
		if err := w.execAll(t.Create); err != nil {
			return nil, err
		}
		r = &relation{name: t.Name, kind: "table"}
	}
	made, err := inspect(w.c, r, &d.o)
	if err == nil && made.readOnly != "" {
		err = dataknobs.Errorf(dataknobs.Unsupported, "%s", made.readOnly)
	}
	return made, err
}

func (w *writer) execAll(statements func() ([]string, error)) error {
	list, err := statements()
	if err != nil {
		return err
	}
	for _, sql := range list {
		if err := w.c.Exec(sql); err != nil {
			return err
		}
	}
	return nil
}
