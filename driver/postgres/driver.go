package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// A Driver is a store in one table. It implements dataknobs.Driver, Getter,
// Counter, Aggregator, Loader, Typed, Analyzer, Transactor and Pooler; over a table
// all of whose fields are columns, what [New] returns is a Schemer and Namer as
// well. It is safe for concurrent use.
type Driver struct {
	handle
	pool   *pool
	opts   Options
	asked  *sqlgen.Table // the table by the name that was given
	table  string        // that name, quoted
	state  atomic.Pointer[state]
	closed atomic.Bool

	learn sync.Mutex // held while the table is looked up or made
	order atomic.Pointer[nameOrder]
	names sync.Mutex // held while new names are noted
	warn  sync.Once  // that the table is not there
	wary  wary       // of COPY for batches
	// copying has room for as many parts of batches as may go through COPY at once:
	// the others wait here, not for a connection, which would be an error some time.
	copying chan struct{}
}

// A state is what is known of the table. It is not changed.
type state struct {
	*sqlgen.Table
	quoted   string // the table's name
	features dataknobs.Features
	missing  bool            // there is no such table yet
	made     map[string]bool // its indexes by name, whether they are whole
	fields   map[string]int  // of each typed column, its index
	sql      statementsOf
	texts    sync.Map // SQL of writes by what they do

	one struct { // the statement that gets one record
		once sync.Once
		st   *sqlgen.Statement
	}
	decoders sync.Pool // of *decoder, for it

	parted     bool   // it is partitioned
	guard      bool   // a write may fail for a rule of the table's own
	secured    bool   // COPY cannot write to it
	revType    string // of a version column
	revDefault bool
}

// isDocument reports whether the table is of the document layout.
func (s *state) isDocument() bool { return s.ID != "" }

// keyless reports whether rows have no ID of their own.
func (s *state) keyless() bool { return s.ID == "" && len(s.Key) == 0 }

// New opens the store that the options describe. It connects once, to find out
// what the table holds. The errors are those of every call: PermissionDenied
// for a refused login or a missing right, NotFound for a missing database,
// schema or, under NoCreate, table, Unavailable where nothing answers, and
// InvalidArgument for options that do not go with the table.
func New(ctx context.Context, o Options) (dataknobs.Driver, error) {
	if o.Table == "" {
		return nil, noTable(ctx, &o)
	}
	schema, name, err := tableName(o.Schema, o.Table)
	if err != nil {
		return nil, err
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	d := &Driver{opts: o, asked: &sqlgen.Table{Dialect: sqlgen.Postgres, Schema: schema, Name: name}}
	d.handle.d = d
	if d.table, err = quoteTable(schema, name); err != nil {
		return nil, err
	}
	if d.pool, err = sharePool(&o); err != nil {
		return nil, err
	}
	d.copying = make(chan struct{}, max(d.pool.Config().MaxConns/2, 1))
	d.opts.Conn = nil // it holds the password, and is not needed any more
	err = d.lookUp(ctx)
	if err == nil {
		err = d.ensureIndexes(ctx)
	}
	if err != nil {
		d.pool.release()
		return nil, err
	}
	return d.abilities(), nil
}

func quoteTable(schema, name string) (string, error) {
	q, err := sqlgen.Quote(sqlgen.Postgres, name)
	if err != nil || schema == "" {
		return q, err
	}
	s, err := sqlgen.Quote(sqlgen.Postgres, schema)
	return s + "." + q, err
}

// noTable says which tables there are.
func noTable(ctx context.Context, o *Options) error {
	err := dataknobs.Errorf(dataknobs.InvalidArgument, "no table is named").WithHint("add ?table=NAME to the URL")
	p, e := sharePool(o)
	if e != nil {
		return e
	}
	defer p.release()
	c, e := p.get(ctx)
	if e != nil {
		return e
	}
	defer c.put()
	names, e := c.tables(ctx, o.Schema)
	if e != nil {
		return classify(ctx, e)
	}
	if len(names) > 0 {
		return err.WithHint("add ?table=NAME to the URL; there are %s", someOf(names))
	}
	return err
}

// someOf lists names, up to twenty.
func someOf(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

const tablesSQL = `select c.relname from pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f') and case when $1::text = '' then
	pg_table_is_visible(c.oid) and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
	else c.relnamespace = to_regnamespace(quote_ident($1)) end order by 1`

// tables lists the tables and views of a schema ("": of the search path).
func (c *conn) tables(ctx context.Context, schema string) ([]string, error) {
	var names []string
	_, err := c.exec(ctx, &request{sql: tablesSQL, params: texts(schema)}, func(row [][]byte) error {
		names = append(names, string(row[0]))
		return nil
	})
	return names, err
}

// String names the store as it may be shown.
func (d *Driver) String() string { return "postgres:" + d.opts.Table }

// GoString is String: nothing else of a Driver is for people.
func (d *Driver) GoString() string { return d.String() }

// Features implements dataknobs.Driver.
func (d *Driver) Features() *dataknobs.Features { return &d.state.Load().features }

// PoolStats implements dataknobs.Pooler.
func (d *Driver) PoolStats() dataknobs.PoolStats { return d.pool.stats() }

// Close gives up the store's share of the connections. Scans that are still
// open are an error that says how many; they end by themselves.
func (d *Driver) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	if open := d.pool.scans.open(d); open != "" {
		go d.pool.release() // which waits for their connections
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed, but %s", open).
			WithHint("leave their loops, or call the stop function of iter.Pull, before Close")
	}
	d.pool.release()
	return nil
}

// lookUp finds out what the table holds.
func (d *Driver) lookUp(ctx context.Context) error {
	d.learn.Lock()
	defer d.learn.Unlock()
	c, err := d.pool.get(ctx)
	if err != nil {
		return err
	}
	defer c.put()
	return d.lookUpWith(ctx, c)
}

// lookUpWith is lookUp for a caller that holds learn.
func (d *Driver) lookUpWith(ctx context.Context, c *conn) error {
	r, err := c.lookUp(ctx, d.table)
	if err != nil {
		return classify(ctx, err)
	}
	if r == nil && d.opts.NoCreate {
		return d.noSuchTable(ctx, c)
	}
	s, err := d.stateOf(r)
	if err == nil {
		d.state.Store(s)
	}
	return err
}

func (d *Driver) noSuchTable(ctx context.Context, c *conn) error {
	err := dataknobs.Errorf(dataknobs.NotFound, "there is no table %s", d.opts.Table)
	names, e := c.tables(ctx, d.asked.Schema)
	switch near := nearest.Of(d.asked.Name, names); {
	case e != nil || len(names) == 0:
		return err
	case near != "":
		return err.WithHint("did you mean %s?", near)
	}
	return err.WithHint("there are %s", someOf(names))
}

// stateOf says what is known of a table; r is nil if there is none yet.
func (d *Driver) stateOf(r *relation) (*state, error) {
	o := &d.opts
	s := &state{missing: r == nil}
	var key []string
	var err error
	if r == nil {
		s.Table, key, err = d.planned()
	} else {
		s.Table, key, err = r.table(o)
	}
	if err != nil {
		return nil, err
	}
	if s.quoted, err = quoteTable(s.Schema, s.Name); err != nil {
		return nil, err
	}
	if r != nil {
		s.made, s.parted = r.indexes, r.kind == 'p'
		s.guard = r.rules || !s.isDocument()
		s.secured = r.secured
	}
	if r != nil && r.comment != "" {
		o := parseOrder(r.comment)
		d.order.Store(&o)
	}
	s.fields = map[string]int{}
	for i, c := range s.Columns {
		s.fields[c.Name] = i
	}
	if a := r.revisionColumn(s.Table); a != nil {
		s.revType, s.revDefault = a.sqlType, a.default_ || a.identity
	}
	d.describe(s, r, key)
	return s, s.prepareSQL()
}

// describe says what the store can do. r is nil if there is no table yet.
func (d *Driver) describe(s *state, r *relation, key []string) {
	t := s.Table
	s.features = dataknobs.Features{
		Filter: t.Filter, Sort: t.Sort, Limit: true, Seek: true, Project: true, Aggregate: t.CanAggregate,
		Atomic: true, Key: key, Metadata: t.Meta != "", MaxBatch: maxBatch, Parallel: true,
	}
	if len(t.Key) == 1 { // a number that the database counts up
		s.features.AssignsIDs = t.Columns[t.Key[0]].HasDefault
	}
	if d.opts.ReadOnly {
		s.features.ReadOnly = "it was opened with readonly=true"
	} else if r != nil {
		s.features.ReadOnly = r.unwritable()
		if s.features.ReadOnly == "" && len(key) > 0 && !r.guards(key) {
			s.features.ReadOnly = "no unique index guards its key " + strings.Join(key, ", ")
		}
	}
	if s.isDocument() {
		s.features.MaxBatch = maxCreates
	}
	if s.keyless() {
		s.features.RowIDs = "the table has no primary key, and no column was named by key="
		s.features.Sort, s.features.Seek, s.features.NaturalOrder = nil, false, true
	}
}

// use returns what is known of the table for a read or write. While there is
// no table it looks again.
func (d *Driver) use(ctx context.Context) (*state, error) {
	if d.closed.Load() {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := d.state.Load()
	if !s.missing {
		return s, nil
	}
	if err := d.lookUp(ctx); err != nil {
		return nil, err
	}
	return d.state.Load(), nil
}

// warnMissing tells the user once that a table that is read is not there: its
// name may be a mistake.
func (d *Driver) warnMissing() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	near := ""
	_ = d.with(ctx, func(c *conn) error { // without a near name the warning is as true
		names, err := c.tables(ctx, d.asked.Schema)
		near = nearest.Of(d.asked.Name, names)
		return err
	})
	if near != "" {
		near = " (did you mean " + near + "?)"
	}
	d.opts.Warn(fmt.Sprintf("there is no table %s yet%s; the first write makes it", d.opts.Table, near))
}

// A handle does the work of a Driver and of a Tx.
type handle struct {
	d *Driver
	c *conn // of a transaction; nil: each call takes one from the pool
}

// inTx reports whether the handle is a transaction's.
func (h *handle) inTx() bool { return h.c != nil }

// with calls f with a connection.
func (h *handle) with(ctx context.Context, f func(*conn) error) error {
	if h.c != nil {
		return f(h.c)
	}
	c, err := h.d.pool.get(ctx)
	if err != nil {
		return err
	}
	defer c.put()
	return f(c)
}

// read is with for what changes nothing, so that it may be done once more
// where the connection turns out to be dead. f says whether it has gone too far for
// that.
func (h *handle) read(ctx context.Context, f func(*conn) (begun bool, err error)) error {
	for try := 0; ; try++ {
		begun := false
		var raw error
		err := h.with(ctx, func(c *conn) error {
			begun, raw = f(c)
			return nil
		})
		if err != nil {
			return err
		}
		if raw == nil || begun || try > 0 || h.inTx() || ctx.Err() != nil || !isLost(raw) && !isSafe(raw) {
			return raw
		}
	}
}

var (
	_ dataknobs.Driver     = (*Driver)(nil)
	_ dataknobs.Getter     = (*Driver)(nil)
	_ dataknobs.Counter    = (*Driver)(nil)
	_ dataknobs.Aggregator = (*Driver)(nil)
	_ dataknobs.Loader     = (*Driver)(nil)
	_ dataknobs.Explainer  = (*Driver)(nil)
	_ dataknobs.Analyzer   = (*Driver)(nil)
	_ dataknobs.Transactor = (*Driver)(nil)
	_ dataknobs.Pooler     = (*Driver)(nil)
)

// sequence is an iter.Seq2 that run fills.
func sequence[T any](run func(yield func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := run(func(v T) bool { return yield(v, nil) }); err != nil {
			var none T
			yield(none, err)
		}
	}
}
