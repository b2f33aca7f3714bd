// Package layer holds drivers around drivers: each takes a [dataknobs.Driver]
// and returns one that gives the same answers and does one thing more.
//
//   - [Retry] repeats what failed for a while and is safe to repeat
//   - [Timeout] gives up calls in which nothing moves
//   - [Limit] bounds how many calls there are at once, and in a second
//   - [Circuit] leaves a store alone that is down
//   - [Trace] makes OpenTelemetry spans and metrics, and logs what was slow
//   - [ReadOnly] refuses every write
//   - [Prefix] makes a store inside a store, for one of several tenants
//   - [Fault] fails, delays and cuts calls by rule, for tests
//   - [Keep] leaves the store open when it is closed itself
//
// The last one that is put on is asked first:
//
//	db := dataknobs.New(layer.Retry(layer.Timeout(d, layer.TimeoutOptions{After: time.Second}), layer.RetryOptions{}), nil)
//
// Closing the outermost driver, or a DB over it, closes those inside. So a DB
// that was opened by its location is given layers by [Over]:
//
//	db, err := dataknobs.Open(ctx, "postgres://…", nil)
//	db = layer.Over(db, func(d dataknobs.Driver) dataknobs.Driver { return layer.Retry(d, layer.RetryOptions{}) }, nil)
//
// In the code, start at [Retry], one of the plainest: each layer says by a step what it
// does around a call, and layer.go and abilities.go put that around every method
// that the driver inside has.
//
// Settings of layers as texts, as in a configuration file, are the matter of
// [Lookup] and [Kinds]. docs/layers.md says what each layer does, and in which
// order they make sense.
package layer

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
)

// Over returns a DB over db's driver with a layer on it. The new DB owns the
// driver: close it, and use db no more. opts may be nil; without a name in it
// the new DB is called as db is.
func Over(db *dataknobs.DB, wrap func(dataknobs.Driver) dataknobs.Driver, opts *dataknobs.Options) *dataknobs.DB {
	o := dataknobs.Options{}
	if opts != nil {
		o = *opts
	}
	if o.Name == "" {
		o.Name = db.Name()
	}
	return dataknobs.New(wrap(db.Driver()), &o)
}

// A step is what a layer does around the calls of a driver.
type step interface {
	// around makes the call by next, once, several times or not at all. Where c is
	// a sequence, next ranges over it and hands its records on.
	around(ctx context.Context, c *call, next func(context.Context) error) error
}

// A featured step shows other features than those of the driver inside.
type featured interface {
	features(f dataknobs.Features) dataknobs.Features
}

// A method is one of a driver's.
type method uint8

const (
	get method = iota
	scan
	apply
	count
	aggregate
	load
	schema
	fieldNames
	kinds
	explain
	epoch
	syncing
	begin
	commit
	rollback
)

var methodNames = [...]string{
	"get", "scan", "apply", "count", "aggregate", "load", "schema", "field_names", "kinds", "explain", "epoch", "sync", "begin", "commit", "rollback",
}

// String returns the method's name, such as "scan".
func (m method) String() string { return methodNames[m] }

// A call is one call of a driver. A step may change what is asked before it
// goes on, never what it was given pointers to.
type call struct {
	method method
	inTx   bool // inside a transaction

	ids   []string               // get
	scan  *dataknobs.Scan        // scan; explain
	agg   *dataknobs.Aggregation // aggregate; explain
	where dataknobs.Expr         // count
	batch *dataknobs.Batch       // apply
	load  *dataknobs.LoadRequest // load
	tx    dataknobs.TxOptions    // begin

	sorted  bool               // the driver's scan obeys Seek
	results []dataknobs.Result // what apply came to
	rows    int64              // how many records or groups were handed on
	handing func(*dataknobs.Record) error
	handed  func() // after the receiver had it; nil: nobody asks, as handing
}

// A driver is a layer: a step around each call of the driver inside.
type driver struct {
	inner dataknobs.Driver
	step  step
	inTx  bool
	shown atomic.Pointer[shownFeatures]
}

// shownFeatures are the features that a layer made of those inside.
type shownFeatures struct{ of, are *dataknobs.Features }

func newDriver(inner dataknobs.Driver, s step) *driver { return &driver{inner: inner, step: s} }

// Unwrap implements dataknobs.Layer.
func (d *driver) Unwrap() dataknobs.Driver { return d.inner }

// String is the name of the store.
func (d *driver) String() string { return nameOf(d.inner) }

func nameOf(d dataknobs.Driver) string {
	if s, ok := d.(fmt.Stringer); ok {
		return s.String()
	}
	return ""
}

// Features implements dataknobs.Driver.
func (d *driver) Features() *dataknobs.Features {
	of := d.inner.Features()
	other, ok := d.step.(featured)
	if !ok {
		return of
	}
	if s := d.shown.Load(); s != nil && s.of == of {
		return s.are
	}
	are := other.features(*of)
	d.shown.Store(&shownFeatures{of, &are})
	return &are
}

// Close implements dataknobs.Driver.
func (d *driver) Close() error {
	if c, ok := d.step.(interface {
		close(dataknobs.Driver) error
	}); ok {
		return c.close(d.inner)
	}
	return d.inner.Close()
}

func (d *driver) call(m method) *call { return &call{method: m, inTx: d.inTx} }

// one makes a call that returns one thing.
func one[T any](ctx context.Context, d *driver, c *call, f func(context.Context) (T, error)) (out T, err error) {
	err = d.step.around(ctx, c, func(ctx context.Context) (err error) {
		out, err = f(ctx)
		return err
	})
	return out, err
}

// do makes a call that returns nothing.
func do(ctx context.Context, d *driver, m method, f func(context.Context) error) error {
	return d.step.around(ctx, d.call(m), f)
}

// rows makes a call that yields. Each time it is ranged over is a call of its own.
func rows[T any](ctx context.Context, d *driver, c call, seq func(context.Context, *call) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		c := c
		left := false
		err := d.step.around(ctx, &c, func(ctx context.Context) error {
			for x, err := range seq(ctx, &c) {
				if err != nil {
					return err
				}
				if c.handing != nil {
					rec, _ := any(x).(*dataknobs.Record)
					if err := c.handing(rec); err != nil {
						return err
					}
				}
				c.rows++
				left = !yield(x, nil)
				if c.handed != nil {
					c.handed()
				}
				if left {
					break
				}
			}
			return nil
		})
		if err != nil && !left {
			var none T
			yield(none, err)
		}
	}
}

// Get implements dataknobs.Driver.
func (d *driver) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return rows(ctx, d, call{method: get, inTx: d.inTx, ids: ids}, func(ctx context.Context, c *call) iter.Seq2[*dataknobs.Record, error] {
		return d.inner.Get(ctx, c.ids)
	})
}

// Scan implements dataknobs.Driver.
func (d *driver) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	c := call{method: scan, inTx: d.inTx, scan: s, sorted: d.inner.Features().Seek}
	return rows(ctx, d, c, func(ctx context.Context, c *call) iter.Seq2[*dataknobs.Record, error] {
		return d.inner.Scan(ctx, c.scan)
	})
}

// Apply implements dataknobs.Driver.
func (d *driver) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	c := d.call(apply)
	c.batch = b
	err := d.step.around(ctx, c, func(ctx context.Context) (err error) {
		c.results, err = d.inner.Apply(ctx, c.batch)
		return err
	})
	return c.results, err
}

// errNoAbility is what a call comes to that the engine would not make.
func errNoAbility(m method) error {
	return dataknobs.Errorf(dataknobs.Unsupported, "the store cannot do %s", m)
}
