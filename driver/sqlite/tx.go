package sqlite

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
)

// A tx is a transaction, or a savepoint in one: its own connection, or that of
// the transaction around it.
type tx struct {
	*trunk
	outer *tx // nil: this is the transaction itself
	over  bool
	was   *table // what the table held when it began
}

// A trunk is what a transaction and the savepoints in it share.
type trunk struct {
	d      *Driver
	t      *table                             // of this transaction: it may have made the table itself
	has    atomic.Pointer[dataknobs.Features] // of t
	c      *lite.Conn                         // nil once it is over
	free   func()
	writes bool
	ready  bool // the table and its indexes are there
}

var (
	_ dataknobs.Tx         = (*tx)(nil)
	_ dataknobs.Transactor = (*tx)(nil)
	_ dataknobs.Getter     = (*tx)(nil)
	_ dataknobs.Counter    = (*tx)(nil)
	_ dataknobs.Aggregator = (*tx)(nil)
	_ dataknobs.Loader     = (*tx)(nil)
	_ dataknobs.Namer      = (*tx)(nil)
	_ dataknobs.Typed      = (*tx)(nil)
	_ dataknobs.Explainer  = (*tx)(nil)
	_ dataknobs.Analyzer   = (*tx)(nil)
)

var errOver = dataknobs.Errorf(dataknobs.InvalidArgument, "the transaction is over")

// Begin implements dataknobs.Transactor. A transaction that may write has the
// database's write lock from its beginning, so it is serializable and never has to
// be run again; one that only reads sees one moment and blocks nobody.
func (d *Driver) Begin(ctx context.Context, o dataknobs.TxOptions) (dataknobs.Tx, error) {
	t, err := d.table(ctx)
	if err != nil {
		return nil, err
	}
	if o.ReadOnly && t.there {
		return d.beginRead(ctx, t)
	}
	return d.beginWrite(ctx)
}

func (d *Driver) beginRead(ctx context.Context, t *table) (dataknobs.Tx, error) {
	c, err := d.readers.acquire(ctx, true)
	if err != nil {
		return nil, err
	}
	err = c.Exec("begin")
	if err == nil {
		err = touch(c.Conn) // the moment that it sees is now
	}
	if err != nil {
		d.readers.release(c)
		return nil, d.at.classify(err)
	}
	return newTx(&trunk{d: d, c: c.Conn, free: func() { d.readers.release(c) }}, t), nil
}

func (d *Driver) beginWrite(ctx context.Context) (dataknobs.Tx, error) {
	w := &d.w
	if err := w.lock(ctx); err != nil {
		return nil, err
	}
	err := w.ready(ctx)
	if err == nil {
		err = d.at.classify(w.run("begin immediate"))
	}
	if err != nil {
		w.unlock()
		return nil, err
	}
	t := d.tab.Load().table
	w.tx.Store(time.Now().UnixNano())
	free := func() {
		w.tx.Store(0)
		w.unlock()
	}
	return newTx(&trunk{d: d, c: w.c, free: free, writes: true}, t), nil
}

func newTx(k *trunk, t *table) *tx {
	k.hold(t)
	return &tx{trunk: k, was: t}
}

// hold notes what the table holds.
func (k *trunk) hold(t *table) {
	f := k.d.tab.Load().features
	if t != k.d.tab.Load().table {
		f = k.d.featuresOf(t)
	}
	k.t = t
	k.has.Store(f)
}

// use makes the connection work for a call under ctx.
func (x *tx) use(ctx context.Context) error {
	if x.over || x.c == nil {
		return errOver
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if x.writes && x.c.Autocommit() { // SQLite gave it up after an error
		return dataknobs.Errorf(dataknobs.Conflict, "the transaction has failed and must be rolled back")
	}
	x.c.Use(ctx)
	return nil
}

func (x *tx) reader(stats *dataknobs.ScanStats) *reader {
	return &reader{t: x.t, at: x.d.at, c: x.c, stats: stats}
}

// Begin makes a savepoint.
func (x *tx) Begin(ctx context.Context, _ dataknobs.TxOptions) (dataknobs.Tx, error) {
	if err := x.use(ctx); err != nil {
		return nil, err
	}
	if err := x.c.Exec("savepoint inner"); err != nil {
		return nil, x.d.at.classify(err)
	}
	return &tx{trunk: x.trunk, outer: x, was: x.t}, nil
}

// Commit implements dataknobs.Tx.
func (x *tx) Commit(ctx context.Context) error {
	if err := x.use(ctx); err != nil {
		if !x.over {
			_ = x.Rollback(context.WithoutCancel(ctx))
		}
		return err
	}
	if x.outer != nil {
		x.over = true
		return x.d.at.classify(x.c.Exec("release inner"))
	}
	x.c.Use(context.Background()) // a commit is short, and must not end half-way
	err := x.c.Exec("commit")
	if err != nil {
		err = x.d.at.classify(err)
		_ = x.Rollback(context.WithoutCancel(ctx))
		return err
	}
	if x.ready {
		x.d.w.indexed = true
	}
	if x.t != x.was {
		x.d.know(x.t)
	}
	x.end()
	return nil
}

// Rollback implements dataknobs.Tx.
func (x *tx) Rollback(context.Context) error {
	if x.over || x.c == nil {
		return nil
	}
	x.c.Use(context.Background())
	x.hold(x.was)
	x.ready = false
	if x.outer != nil {
		x.over = true
		if x.c.Autocommit() {
			return nil
		}
		err := x.c.Exec("rollback to inner")
		if err == nil {
			err = x.c.Exec("release inner")
		}
		return x.d.at.classify(err)
	}
	var err error
	if !x.c.Autocommit() {
		err = x.d.at.classify(x.c.Exec("rollback"))
	}
	x.end()
	return err
}

// end frees what the transaction holds.
func (x *tx) end() {
	x.over = true
	x.c = nil
	x.free()
}

// Close implements dataknobs.Driver.
func (x *tx) Close() error { return x.Rollback(context.Background()) }

// Features implements dataknobs.Driver.
func (x *tx) Features() *dataknobs.Features { return x.has.Load() }

// GetOne implements dataknobs.Getter.
func (x *tx) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	if err := x.use(ctx); err != nil || !x.t.there {
		return nil, err
	}
	return x.reader(nil).one(id)
}

// Get implements dataknobs.Driver.
func (x *tx) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return x.records(ctx, func(r *reader, yield func(*dataknobs.Record, error) bool) { r.get(ctx, ids, yield) })
}

// Scan implements dataknobs.Driver.
func (x *tx) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return x.records(ctx, func(r *reader, yield func(*dataknobs.Record, error) bool) {
		r.stats = s.Stats
		r.scan(ctx, s, yield)
	})
}

func (x *tx) records(ctx context.Context, each func(*reader, func(*dataknobs.Record, error) bool)) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		if err := x.use(ctx); err != nil {
			yield(nil, err)
			return
		}
		if x.t.there {
			each(x.reader(nil), yield)
		}
	}
}

// Count implements dataknobs.Counter.
func (x *tx) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	if err := x.use(ctx); err != nil || !x.t.there {
		return 0, err
	}
	return x.reader(stats).count(where)
}

// Aggregate implements dataknobs.Aggregator.
func (x *tx) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return func(yield func(dataknobs.Group, error) bool) {
		err := x.use(ctx)
		var groups []dataknobs.Group
		switch {
		case err != nil:
		case !x.t.there:
			err = errNoTable
		default:
			groups, err = x.reader(a.Stats).groups(a)
		}
		yieldGroups(groups, err, yield)
	}
}

// Apply implements dataknobs.Driver.
func (x *tx) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	j := &job{ctx: ctx, b: b, results: make([]dataknobs.Result, len(b.Writes))}
	s, err := x.session(ctx)
	if err == nil {
		err = x.d.at.classify(s.applyJob(j))
	}
	if err != nil {
		j.fail(err)
	}
	return j.results, err
}

// session writes inside the transaction, in which the table is made if it is
// missing.
func (x *tx) session(ctx context.Context) (*session, error) {
	if err := x.use(ctx); err != nil {
		return nil, err
	}
	if !x.writes {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the transaction was begun for reading only")
	}
	if !x.ready {
		made, err := x.d.w.make(x.t)
		if err != nil {
			return nil, x.d.at.classify(err)
		}
		if made != nil {
			x.hold(made)
		}
		x.ready = true
	}
	return newSession(x.t, x.d.at, x.c), nil
}

// Load implements dataknobs.Loader.
func (x *tx) Load(ctx context.Context, req *dataknobs.LoadRequest) (bool, error) {
	s, err := x.session(ctx)
	if err != nil {
		return false, err
	}
	if err := x.c.Exec("savepoint load"); err != nil {
		return false, x.d.at.classify(err)
	}
	err = s.load(ctx, req)
	if err != nil {
		x.c.Use(context.Background())
		if !x.c.Autocommit() {
			_ = x.c.Exec("rollback to load")
		}
	}
	if !x.c.Autocommit() {
		_ = x.c.Exec("release load")
	}
	return true, x.d.at.classify(err)
}

// FieldNames implements dataknobs.Namer.
func (x *tx) FieldNames(ctx context.Context) ([]string, error) {
	if err := x.use(ctx); err != nil || !x.t.there || x.t.Extra != "" {
		return nil, err
	}
	return x.t.fieldNames(), nil
}

// Kinds implements dataknobs.Typed.
func (x *tx) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	if err := x.use(ctx); err != nil {
		return nil, err
	}
	kinds := make([]dataknobs.KindSet, len(paths))
	for i, p := range paths {
		if kinds[i] = x.t.kindsAt(p); kinds[i] != 0 || !x.t.there || x.t.Extra == "" {
			continue
		}
		var err error
		if kinds[i], err = x.reader(nil).onlyTimes(ctx, p); err != nil {
			return nil, err
		}
	}
	return kinds, nil
}

// Explain implements dataknobs.Explainer.
func (x *tx) Explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	return x.explain(ctx, s, a, (*reader).explain)
}

// Analyze implements dataknobs.Analyzer.
func (x *tx) Analyze(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	return x.explain(ctx, s, a, (*reader).analyze)
}

func (x *tx) explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation, how explainer) ([]string, error) {
	if err := x.use(ctx); err != nil {
		return nil, err
	}
	return x.reader(nil).describe(ctx, s, a, how)
}
