package sqlite

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// Driver is a store over a table or view of an SQLite database. It is safe for
// concurrent use, and so is the database between processes.
type Driver struct {
	o       Options
	at      *place
	readers *pool
	w       writer

	// frozen: the database is in WAL mode in a folder where nothing can be written,
	// and is read as if nobody could change it.
	frozen atomic.Bool
	closed atomic.Bool
	// tidying is what goes on behind a load that is done.
	tidying sync.WaitGroup

	learning sync.Mutex // held while the table is looked for
	tab      atomic.Pointer[known]
	warned   sync.Once // that what is read is not there yet
}

// known is what the driver knows of its table.
type known struct {
	*table
	features *dataknobs.Features
}

var (
	_ dataknobs.Driver     = (*Driver)(nil)
	_ dataknobs.Getter     = (*Driver)(nil)
	_ dataknobs.Counter    = (*Driver)(nil)
	_ dataknobs.Aggregator = (*Driver)(nil)
	_ dataknobs.Loader     = (*Driver)(nil)
	_ dataknobs.Namer      = (*Driver)(nil)
	_ dataknobs.Typed      = (*Driver)(nil)
	_ dataknobs.Explainer  = (*Driver)(nil)
	_ dataknobs.Analyzer   = (*Driver)(nil)
	_ dataknobs.Syncer     = (*Driver)(nil)
	_ dataknobs.Transactor = (*Driver)(nil)
	_ dataknobs.Pooler     = (*Driver)(nil)
)

// New opens the store. It looks at the database's tables only, and writes
// nothing: a missing file, whose folder must exist, and a missing table are made by the
// first write, unless the options forbid it; then they are NotFound.
func New(ctx context.Context, o Options) (*Driver, error) {
	o.setDefaults()
	at, err := locate(o.Path)
	if err != nil {
		return nil, err
	}
	d := &Driver{o: o, at: at}
	d.readers = &pool{o: &d.o.Pool, open: d.openReader}
	d.w.init(d)
	if at.memory {
		d.o.Pool.Max = 1
		d.o.Pool.AcquireTimeout = max(d.o.Busy, time.Millisecond)
	}
	if err := d.start(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Driver) start(ctx context.Context) error {
	if !d.at.exists() {
		if d.o.NoCreate || d.o.ReadOnly {
			return d.at.missing()
		}
		return d.plan()
	}
	return d.learn(ctx)
}

// plan describes the table that is still to be made.
func (d *Driver) plan() error {
	name := d.o.Table
	if name == "" {
		name = defaultTable
	}
	t, err := planTable(name, &d.o)
	if err != nil {
		return err
	}
	if err := t.prepare(); err != nil {
		return err
	}
	d.know(t)
	return nil
}

func (d *Driver) know(t *table) { d.tab.Store(&known{t, d.featuresOf(t)}) }

// learn looks what the database's table holds.
func (d *Driver) learn(ctx context.Context) error {
	c, err := d.readers.acquire(ctx, false)
	if err != nil {
		return err
	}
	defer d.readers.release(c)
	return d.learnFrom(c.Conn)
}

func (d *Driver) learnFrom(c *lite.Conn) error {
	rs, err := relations(c)
	if err != nil {
		return d.at.classify(err)
	}
	r, err := choose(rs, &d.o, d.at)
	switch {
	case err != nil:
		return err
	case r == nil:
		return d.plan()
	}
	t, err := inspect(c, r, &d.o)
	if err != nil {
		return d.at.classify(err)
	}
	if t.readOnly == "" && (d.frozen.Load() || c.IsReadOnly()) {
		t.readOnly = "the file cannot be written"
	}
	d.know(t)
	return nil
}

// openReader opens one more connection for reading.
func (d *Driver) openReader() (*lite.Conn, error) {
	if d.at.memory {
		return d.at.open(&d.o, lite.Create)
	}
	flags := lite.ReadWrite // a reader too has to write the index of the WAL
	if d.o.ReadOnly {
		flags = lite.ReadOnly
	}
	c, err := d.at.open(&d.o, flags)
	if err != nil && codeOf(err).Primary() == lite.CantOpen && d.at.exists() {
		c, err = d.at.open(&d.o, lite.ReadOnly)
	}
	if err != nil {
		return nil, err
	}
	if err = touch(c); err != nil {
		c.Close()
		if p := codeOf(err).Primary(); p != lite.CantOpen && p != lite.ReadOnlyDB || !readable(d.at.path) {
			return nil, d.at.classify(err)
		}
		if c, err = d.at.immutable(&d.o); err != nil {
			return nil, err
		}
		if !d.frozen.Swap(true) {
			d.o.Warn(d.at.name + ": its folder cannot be written, so changes by others while it is open are not seen")
		}
	}
	if err := c.Exec("pragma query_only = on"); err != nil {
		c.Close()
		return nil, d.at.classify(err)
	}
	return c, nil
}

// touch reads the beginning of the database, which opening does not.
func touch(c *lite.Conn) error {
	return rows(c, "select 1 from sqlite_schema limit 1", nil, func(*lite.Stmt) error { return nil })
}

func readable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// table returns what the table holds; one that is not there if it is still to
// be made.
func (d *Driver) table(ctx context.Context) (*table, error) {
	if d.closed.Load() {
		return nil, errClosed
	}
	if t := d.tab.Load(); t.there {
		return t.table, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.learning.Lock() // it may have been made by another process
	defer d.learning.Unlock()
	if t := d.tab.Load(); t.there || d.at.memory || !d.at.exists() { // nobody else makes a table in memory
		return t.table, nil
	}
	if err := d.learn(ctx); err != nil {
		return nil, err
	}
	return d.tab.Load().table, nil
}

// reading returns the table for a read; nil: there is none yet, which reads as
// empty.
func (d *Driver) reading(ctx context.Context) (*table, error) {
	t, err := d.table(ctx)
	if err != nil || t.there {
		return t, err
	}
	d.warned.Do(func() {
		if d.at.exists() {
			d.o.Warn(d.at.name + " has no table " + t.Name + " yet: it reads as empty until the first write makes it")
		} else {
			d.o.Warn(d.at.name + " does not exist yet: it reads as empty until the first write makes it")
		}
	})
	return nil, nil
}

// Features implements dataknobs.Driver.
func (d *Driver) Features() *dataknobs.Features { return d.tab.Load().features }

func (d *Driver) featuresOf(t *table) *dataknobs.Features {
	f := &dataknobs.Features{
		Filter: t.Filter, Sort: t.Sort, Aggregate: t.CanAggregate,
		Limit: true, Seek: true, Project: true,
		Atomic: true, Metadata: t.Meta != "", AssignsIDs: t.assigns, ReadOnly: t.readOnly,
		MaxBatch: maxBatch,
	}
	if d.o.ReadOnly {
		f.ReadOnly = "it was opened with readonly=true"
	}
	for _, i := range t.Key {
		if !t.hidden {
			f.Key = append(f.Key, t.Columns[i].Name)
		}
	}
	return f
}

// Close implements dataknobs.Driver. Reads that are still under way after a
// moment are an error that says so; they end when their loops are left.
func (d *Driver) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	d.tidying.Wait()
	err := d.w.close()
	return errors.Join(d.readers.close(), err)
}

// PoolStats implements dataknobs.Pooler: the connections that read.
func (d *Driver) PoolStats() dataknobs.PoolStats { return d.readers.poolStats() }

// FieldNames implements dataknobs.Namer.
func (d *Driver) FieldNames(ctx context.Context) ([]string, error) {
	t, err := d.reading(ctx)
	if err != nil || t == nil || t.Extra != "" {
		return nil, err
	}
	return t.fieldNames(), nil
}

// Kinds implements dataknobs.Typed: what the columns are declared to hold.
func (d *Driver) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	t, err := d.table(ctx)
	if err != nil {
		return nil, err
	}
	kinds := make([]dataknobs.KindSet, len(paths))
	for i, p := range paths {
		if kinds[i] = t.kindsAt(p); kinds[i] != 0 || !t.there || t.Extra == "" {
			continue
		}
		if kinds[i], err = d.onlyTimes(ctx, t, p); err != nil {
			return nil, err
		}
	}
	return kinds, nil
}

// onlyTimes returns the kind time if all values at p, of which there are some,
// are times; else 0: it is only about times that anyone asks.
func (d *Driver) onlyTimes(ctx context.Context, t *table, p dataknobs.Path) (dataknobs.KindSet, error) {
	c, err := d.readers.acquire(ctx, false)
	if err != nil {
		return 0, err
	}
	defer d.readers.release(c)
	return (&reader{t: t, at: d.at, c: c.Conn}).onlyTimes(ctx, p)
}

func (r *reader) onlyTimes(ctx context.Context, p dataknobs.Path) (dataknobs.KindSet, error) {
	first := func(s *dataknobs.Scan) (v dataknobs.Value, err error) {
		r.scan(ctx, s, func(rec *dataknobs.Record, e error) bool {
			if err = e; e == nil {
				v = rec.Lookup(p)
			}
			return e == nil
		})
		return v, err
	}
	return r.t.OnlyTimes(p, first, r.count)
}

// kindsAt are the kinds that the values at p are declared to have, which says
// how a constant is to be read; 0 where any is possible.
func (t *table) kindsAt(p dataknobs.Path) dataknobs.KindSet {
	if len(p) != 1 {
		return 0
	}
	c, ok := t.index[p[0].Name]
	if !ok {
		return 0
	}
	return declaredKinds(t.Columns[c].Type)
}

func declaredKinds(t sqlgen.Type) dataknobs.KindSet {
	switch t {
	case sqlgen.Bool:
		return dataknobs.KindsOf(dataknobs.KindBool)
	case sqlgen.Int:
		return dataknobs.KindsOf(dataknobs.KindInt)
	case sqlgen.Float:
		return dataknobs.KindsOf(dataknobs.KindFloat)
	case sqlgen.Numeric:
		return dataknobs.KindsOf(dataknobs.KindInt, dataknobs.KindFloat)
	case sqlgen.Date, sqlgen.Timestamp, sqlgen.TimestampTZ:
		return dataknobs.KindsOf(dataknobs.KindTime)
	case sqlgen.Text, sqlgen.UUID, sqlgen.Enum, sqlgen.Other:
		return dataknobs.KindsOf(dataknobs.KindString)
	case sqlgen.Bytes:
		return dataknobs.KindsOf(dataknobs.KindBytes)
	}
	return 0
}
