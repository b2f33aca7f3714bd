package layer

import (
	"context"
	"iter"

	"dataknobs.dev/dataknobs"
)

// A driver has the methods of every optional interface; dataknobs.Ability says
// which of them count.
var _ interface {
	dataknobs.Layer
	dataknobs.Getter
	dataknobs.Counter
	dataknobs.Aggregator
	dataknobs.Loader
	dataknobs.Schemer
	dataknobs.Namer
	dataknobs.Typed
	dataknobs.Explainer
	dataknobs.Analyzer
	dataknobs.Epocher
	dataknobs.Syncer
	dataknobs.Transactor
	dataknobs.Pooler
} = (*driver)(nil)

// GetOne implements dataknobs.Getter.
func (d *driver) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	g, ok := d.inner.(dataknobs.Getter)
	if !ok {
		return nil, errNoAbility(get)
	}
	c := d.call(get)
	c.ids = []string{id}
	return one(ctx, d, c, func(ctx context.Context) (*dataknobs.Record, error) {
		rec, err := g.GetOne(ctx, id)
		if rec != nil && err == nil {
			if c.handing != nil {
				err = c.handing(rec)
			}
			c.rows++
		}
		if err != nil {
			return nil, err
		}
		return rec, nil
	})
}

// Count implements dataknobs.Counter.
func (d *driver) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	in, ok := d.inner.(dataknobs.Counter)
	if !ok {
		return 0, errNoAbility(count)
	}
	c := d.call(count)
	c.where = where
	return one(ctx, d, c, func(ctx context.Context) (int64, error) { return in.Count(ctx, where, stats) })
}

// Aggregate implements dataknobs.Aggregator.
func (d *driver) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return rows(ctx, d, call{method: aggregate, inTx: d.inTx, agg: a}, func(ctx context.Context, c *call) iter.Seq2[dataknobs.Group, error] {
		in, ok := d.inner.(dataknobs.Aggregator)
		if !ok {
			return func(yield func(dataknobs.Group, error) bool) { yield(dataknobs.Group{}, errNoAbility(aggregate)) }
		}
		return in.Aggregate(ctx, c.agg)
	})
}

// Load implements dataknobs.Loader.
func (d *driver) Load(ctx context.Context, req *dataknobs.LoadRequest) (bool, error) {
	in, ok := d.inner.(dataknobs.Loader)
	if !ok {
		return false, nil
	}
	c := d.call(load)
	c.load = req
	return one(ctx, d, c, func(ctx context.Context) (bool, error) { return in.Load(ctx, req) })
}

// Schema implements dataknobs.Schemer.
func (d *driver) Schema(ctx context.Context) (*dataknobs.Schema, error) {
	in, ok := d.inner.(dataknobs.Schemer)
	if !ok {
		return nil, errNoAbility(schema)
	}
	return one(ctx, d, d.call(schema), in.Schema)
}

// FieldNames implements dataknobs.Namer.
func (d *driver) FieldNames(ctx context.Context) ([]string, error) {
	in, ok := d.inner.(dataknobs.Namer)
	if !ok {
		return nil, nil
	}
	return one(ctx, d, d.call(fieldNames), in.FieldNames)
}

// Kinds implements dataknobs.Typed.
func (d *driver) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	in, ok := d.inner.(dataknobs.Typed)
	if !ok {
		return make([]dataknobs.KindSet, len(paths)), nil
	}
	return one(ctx, d, d.call(kinds), func(ctx context.Context) ([]dataknobs.KindSet, error) { return in.Kinds(ctx, paths) })
}

// Explain implements dataknobs.Explainer.
func (d *driver) Explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	in, ok := d.inner.(dataknobs.Explainer)
	if !ok {
		return nil, nil
	}
	return d.explain(ctx, s, a, in.Explain)
}

// Analyze implements dataknobs.Analyzer.
func (d *driver) Analyze(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	in, ok := d.inner.(dataknobs.Analyzer)
	if !ok {
		return nil, nil
	}
	return d.explain(ctx, s, a, in.Analyze)
}

func (d *driver) explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation, f func(context.Context, *dataknobs.Scan, *dataknobs.Aggregation) ([]string, error)) ([]string, error) {
	c := d.call(explain)
	c.scan, c.agg = s, a
	return one(ctx, d, c, func(ctx context.Context) ([]string, error) { return f(ctx, s, a) })
}

// Epoch implements dataknobs.Epocher.
func (d *driver) Epoch(ctx context.Context) (string, error) {
	in, ok := d.inner.(dataknobs.Epocher)
	if !ok {
		return "", nil
	}
	return one(ctx, d, d.call(epoch), in.Epoch)
}

// Sync implements dataknobs.Syncer.
func (d *driver) Sync(ctx context.Context) error {
	in, ok := d.inner.(dataknobs.Syncer)
	if !ok {
		return nil
	}
	return do(ctx, d, syncing, in.Sync)
}

// PoolStats implements dataknobs.Pooler.
func (d *driver) PoolStats() dataknobs.PoolStats {
	in, ok := d.inner.(dataknobs.Pooler)
	if !ok {
		return dataknobs.PoolStats{}
	}
	return in.PoolStats()
}

// Begin implements dataknobs.Transactor. The layer lies around the calls in the
// transaction too.
func (d *driver) Begin(ctx context.Context, o dataknobs.TxOptions) (dataknobs.Tx, error) {
	in, ok := d.inner.(dataknobs.Transactor)
	if !ok {
		return nil, errNoAbility(begin)
	}
	c := d.call(begin)
	c.tx = o
	inner, err := one(ctx, d, c, func(ctx context.Context) (dataknobs.Tx, error) { return in.Begin(ctx, c.tx) })
	if err != nil {
		return nil, err
	}
	return &tx{driver: driver{inner: inner, step: d.step, inTx: true}, inner: inner}, nil
}

// A tx is a layer around a transaction.
type tx struct {
	driver
	inner dataknobs.Tx
}

// Commit implements dataknobs.Tx.
func (t *tx) Commit(ctx context.Context) error { return do(ctx, &t.driver, commit, t.inner.Commit) }

// Rollback implements dataknobs.Tx.
func (t *tx) Rollback(ctx context.Context) error {
	return do(ctx, &t.driver, rollback, t.inner.Rollback)
}

// Close implements dataknobs.Driver: it is as Rollback.
func (t *tx) Close() error { return t.inner.Close() }
