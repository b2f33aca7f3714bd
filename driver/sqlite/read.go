package sqlite

import (
	"context"
	"iter"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// A reader reads the table through one connection.
type reader struct {
	t     *table
	at    *place
	c     *lite.Conn
	stats *dataknobs.ScanStats
}

// checkEvery is after how many rows of a scan the context is looked at: SQLite
// itself looks at it in the midst of long searches.
const checkEvery = 256

// getMany is how many IDs one statement asks for.
const getMany = 256

// GetOne implements dataknobs.Getter.
func (d *Driver) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	t, err := d.reading(ctx)
	if err != nil || t == nil {
		return nil, err
	}
	c, err := d.readers.acquire(ctx, false)
	if err != nil {
		return nil, err
	}
	defer d.readers.release(c)
	r := reader{t: t, at: d.at, c: c.Conn}
	return r.one(id)
}

// one gets one record; nil if there is none.
func (r *reader) one(id string) (*dataknobs.Record, error) {
	st := r.t.get
	if r.t.ID == "" {
		var err error
		if st, err = r.t.ByID([]string{id}, sqlgen.NoLock); err != nil || st == nil {
			return nil, err
		}
	}
	s, err := r.c.Prepare(st.SQL)
	if err != nil {
		return nil, r.at.classify(err)
	}
	defer s.Release()
	if r.t.ID != "" {
		err = s.BindText(1, id)
	} else {
		err = s.BindAll(st.Args)
	}
	if err != nil {
		return nil, r.at.classify(err)
	}
	row, err := s.Step()
	if err != nil || !row {
		return nil, r.at.classify(err)
	}
	d := r.t.decoder(st.Out)
	d.hash = r.t.Rev.Kind == sqlgen.RevHash
	rec, _, err := d.record(s)
	return rec, err
}

// Get implements dataknobs.Driver.
func (d *Driver) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		t, err := d.reading(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		if t == nil || len(ids) == 0 {
			return
		}
		c, err := d.readers.acquire(ctx, true)
		if err != nil {
			yield(nil, err)
			return
		}
		defer d.readers.release(c)
		r := reader{t: t, at: d.at, c: c.Conn}
		r.get(ctx, ids, yield)
	}
}

// get yields those of the records that exist.
func (r *reader) get(ctx context.Context, ids []string, yield func(*dataknobs.Record, error) bool) {
	for len(ids) > 0 {
		part := ids[:min(len(ids), getMany)]
		ids = ids[len(part):]
		st, err := r.t.ByID(part, sqlgen.NoLock)
		if err != nil {
			yield(nil, err)
			return
		}
		if st == nil {
			continue
		}
		d := r.t.decoder(st.Out)
		d.hash = r.t.Rev.Kind == sqlgen.RevHash
		if !r.run(ctx, st, d, yield) {
			return
		}
	}
}

// Scan implements dataknobs.Driver. It sees the table at one moment.
func (d *Driver) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		t, err := d.reading(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		if t == nil {
			return
		}
		c, err := d.readers.acquire(ctx, true)
		if err != nil {
			yield(nil, err)
			return
		}
		r := reader{t: t, at: d.at, c: c.Conn, stats: s.Stats}
		if !d.at.memory {
			defer d.readers.release(c)
			r.scan(ctx, s, yield)
			return
		}
		// There is but one connection to a database in memory: it is not kept
		// while the records are looked at.
		var recs []*dataknobs.Record
		var failed error
		r.scan(ctx, s, func(rec *dataknobs.Record, err error) bool {
			recs, failed = append(recs, rec), err
			return true
		})
		d.readers.release(c)
		for i, rec := range recs {
			if rec == nil {
				yield(nil, failed)
				return
			}
			recs[i] = nil
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func (r *reader) scan(ctx context.Context, s *dataknobs.Scan, yield func(*dataknobs.Record, error) bool) {
	st, err := r.t.Select(s)
	if err != nil {
		yield(nil, err)
		return
	}
	d := r.t.decoder(st.Out)
	if d.hash = r.t.Rev.Kind == sqlgen.RevHash && !s.NoRevision; d.hash && s.Paths != nil {
		d.look(s.Paths) // the whole row was read for the sake of the hash
	}
	r.run(ctx, st, d, yield)
}

// run yields the records of a statement; false: nothing may follow.
func (r *reader) run(ctx context.Context, st *sqlgen.Statement, d *decoder, yield func(*dataknobs.Record, error) bool) bool {
	s, err := r.c.Prepare(st.SQL)
	if err != nil {
		return yieldError(yield, r.at.classify(err))
	}
	defer s.Release()
	if err := s.BindAll(st.Args); err != nil {
		return yieldError(yield, r.at.classify(err))
	}
	if r.stats != nil {
		r.stats.Calls.Add(1)
	}
	for n := 1; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return yieldError(yield, ctx.Err())
		}
		row, err := s.Step()
		if err != nil {
			return yieldError(yield, r.at.classify(err))
		}
		if !row {
			return true
		}
		rec, exact, err := d.record(s)
		if err == nil && !exact {
			err = errInexact
		}
		if err != nil {
			return yieldError(yield, err)
		}
		if r.stats != nil {
			r.stats.Records.Add(1)
		}
		if !yield(rec, nil) {
			return false
		}
	}
}

func yieldError(yield func(*dataknobs.Record, error) bool, err error) bool {
	yield(nil, err)
	return false
}

var errInexact = dataknobs.Errorf(dataknobs.Unsupported, "a record holds a value that SQL cannot put in order exactly: %w", dataknobs.ErrInexact)

// errNoTable makes the engine compute with what there is, which is nothing.
var errNoTable = dataknobs.Errorf(dataknobs.Unsupported, "the table is not there yet: %w", dataknobs.ErrInexact)

// Count implements dataknobs.Counter.
func (d *Driver) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	t, err := d.reading(ctx)
	if err != nil || t == nil {
		return 0, err
	}
	c, err := d.readers.acquire(ctx, false)
	if err != nil {
		return 0, err
	}
	defer d.readers.release(c)
	r := reader{t: t, at: d.at, c: c.Conn, stats: stats}
	return r.count(where)
}

func (r *reader) count(where dataknobs.Expr) (int64, error) {
	st, err := r.t.Count(where)
	if err != nil {
		return 0, err
	}
	if r.stats != nil {
		r.stats.Calls.Add(1)
	}
	var n int64
	err = rows(r.c, st.SQL, st.Args, func(s *lite.Stmt) error {
		n = s.Int(0)
		return nil
	})
	return n, r.at.classify(err)
}

// Aggregate implements dataknobs.Aggregator.
func (d *Driver) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return func(yield func(dataknobs.Group, error) bool) {
		t, err := d.reading(ctx)
		if err == nil && t == nil {
			err = errNoTable
		}
		if err != nil {
			yield(dataknobs.Group{}, err)
			return
		}
		c, err := d.readers.acquire(ctx, false)
		if err != nil {
			yield(dataknobs.Group{}, err)
			return
		}
		r := reader{t: t, at: d.at, c: c.Conn, stats: a.Stats}
		groups, err := r.groups(a)
		d.readers.release(c)
		yieldGroups(groups, err, yield)
	}
}

func yieldGroups(groups []dataknobs.Group, err error, yield func(dataknobs.Group, error) bool) {
	if err != nil {
		yield(dataknobs.Group{}, err)
		return
	}
	for _, g := range groups {
		if !yield(g, nil) {
			return
		}
	}
}

// groups computes an aggregation. All groups are read before the first is
// handed on: one that cannot be told exactly spoils them all.
func (r *reader) groups(a *dataknobs.Aggregation) ([]dataknobs.Group, error) {
	st, err := r.t.Groups(a)
	if err != nil {
		return nil, err
	}
	if r.stats != nil {
		r.stats.Calls.Add(1)
	}
	var groups []dataknobs.Group
	row := make([]any, len(st.Out))
	err = rows(r.c, st.SQL, st.Args, func(s *lite.Stmt) error {
		for i := range row {
			row[i] = anyOf(s, i)
		}
		g, exact, err := st.Group(row)
		if err == nil && !exact {
			err = errInexact
		}
		groups = append(groups, g)
		return err
	})
	return groups, r.at.classify(err)
}

func anyOf(s *lite.Stmt, i int) any {
	switch s.Kind(i) {
	case lite.Integer:
		return s.Int(i)
	case lite.Real:
		return s.Float(i)
	case lite.Text:
		return s.Str(i)
	case lite.Blob:
		return append([]byte{}, s.Raw(i)...)
	}
	return nil
}
