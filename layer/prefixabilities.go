package layer

import (
	"context"
	"iter"
	"slices"

	"dataknobs.dev/dataknobs"
)

// What a tenant's store can do besides. It is no Schemer, Namer, Explainer and
// Pooler: these would tell of other tenants.
var _ interface {
	dataknobs.Layer
	dataknobs.Getter
	dataknobs.Counter
	dataknobs.Aggregator
	dataknobs.Loader
	dataknobs.Typed
	dataknobs.Syncer
	dataknobs.Transactor
} = (*prefix)(nil)

// GetOne implements dataknobs.Getter.
func (p *prefix) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	in, ok := p.inner.(dataknobs.Getter)
	if !ok {
		return nil, errNoAbility(get)
	}
	if p.tooLong(id) != nil {
		return nil, ctx.Err()
	}
	rec, err := in.GetOne(ctx, p.text+id)
	if rec == nil || err != nil {
		return nil, p.err(err)
	}
	rec, _ = p.own(rec, p.inner.Features().Shared)
	return rec, nil
}

// Count implements dataknobs.Counter.
func (p *prefix) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	v := p.now()
	in, ok := p.inner.(dataknobs.Counter)
	if ok && v.exact {
		n, err := in.Count(ctx, p.where(where, v), nil)
		return n, p.err(err)
	}
	var n int64
	for _, err := range p.Scan(ctx, &dataknobs.Scan{Where: where, NoRevision: true, Stats: stats, Paths: p.noPaths()}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, ctx.Err()
}

// noPaths asks for records without fields, where that may be asked.
func (p *prefix) noPaths() []dataknobs.Path {
	if p.Features().Project {
		return []dataknobs.Path{}
	}
	return nil
}

// Aggregate implements dataknobs.Aggregator.
func (p *prefix) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return func(yield func(dataknobs.Group, error) bool) {
		v := p.now()
		in, ok := p.inner.(dataknobs.Aggregator)
		if !ok || !v.exact {
			yield(dataknobs.Group{}, errNoAbility(aggregate))
			return
		}
		for g, err := range in.Aggregate(ctx, p.aggregation(a, v)) {
			if !yield(g, p.err(err)) || err != nil {
				return
			}
		}
	}
}

// Load implements dataknobs.Loader.
func (p *prefix) Load(ctx context.Context, req *dataknobs.LoadRequest) (bool, error) {
	in, ok := p.inner.(dataknobs.Loader)
	if !ok || p.fits(p.inner.Features()) != nil {
		return false, nil //nolint:nilerr // a Loader may decline
	}
	inside := &dataknobs.LoadRequest{Mode: req.Mode, Schema: req.Schema}
	report := func() {
		req.Written.Store(inside.Written.Load())
		req.Skipped.Store(inside.Skipped.Load())
	}
	inside.Records = func(yield func(*dataknobs.Record, error) bool) {
		for rec, err := range req.Records {
			if err == nil {
				err = p.tooLong(rec.ID)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			report()
			if !yield(p.inside(rec), nil) {
				return
			}
		}
	}
	handled, err := in.Load(ctx, inside)
	report()
	return handled, p.err(err)
}

// Kinds implements dataknobs.Typed: what the tenant's own records hold, where
// times are in question, which is what a query needs to know.
func (p *prefix) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	sets := make([]dataknobs.KindSet, len(paths))
	in, ok := p.inner.(dataknobs.Typed)
	if !ok {
		return sets, nil
	}
	all, err := in.Kinds(ctx, paths)
	if err != nil || len(all) != len(paths) {
		return sets, p.err(err)
	}
	var ask []int
	for i, k := range all {
		switch {
		case k.Only(dataknobs.KindTime):
			sets[i] = k // so it is for each tenant
		case k.Has(dataknobs.KindTime):
			ask = append(ask, i)
		}
	}
	if len(ask) == 0 {
		return sets, nil
	}
	return sets, p.look(ctx, paths, ask, sets)
}

// look gathers the kinds at some of the paths from all of the tenant's records.
func (p *prefix) look(ctx context.Context, paths []dataknobs.Path, ask []int, sets []dataknobs.KindSet) error {
	s := &dataknobs.Scan{NoRevision: true}
	if p.Features().Project {
		for _, i := range ask {
			if top := paths[i][:1]; !slices.ContainsFunc(s.Paths, top.Equal) {
				s.Paths = append(s.Paths, top)
			}
		}
	}
	for rec, err := range p.Scan(ctx, s) {
		if err != nil {
			return err
		}
		for _, i := range ask {
			if v := rec.Lookup(paths[i]); !v.IsNull() {
				sets[i] = sets[i].With(v.Kind())
			}
		}
	}
	return ctx.Err()
}

// Sync implements dataknobs.Syncer.
func (p *prefix) Sync(ctx context.Context) error {
	in, ok := p.inner.(dataknobs.Syncer)
	if !ok {
		return nil
	}
	return p.err(in.Sync(ctx))
}

// Begin implements dataknobs.Transactor.
func (p *prefix) Begin(ctx context.Context, o dataknobs.TxOptions) (dataknobs.Tx, error) {
	in, ok := p.inner.(dataknobs.Transactor)
	if !ok {
		return nil, errNoAbility(begin)
	}
	tx, err := in.Begin(ctx, o)
	if err != nil {
		return nil, p.err(err)
	}
	return &prefixTx{prefix: prefix{inner: tx, text: p.text}, tx: tx}, nil
}

// A prefixTx is the tenant's part of a transaction.
type prefixTx struct {
	prefix
	tx dataknobs.Tx
}

// Commit implements dataknobs.Tx.
func (t *prefixTx) Commit(ctx context.Context) error { return t.err(t.tx.Commit(ctx)) }

// Rollback implements dataknobs.Tx.
func (t *prefixTx) Rollback(ctx context.Context) error { return t.err(t.tx.Rollback(ctx)) }
