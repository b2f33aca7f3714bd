package layer

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
)

// PrefixOptions are the settings of [Prefix].
type PrefixOptions struct {
	Tenant string `option:"tenant" required:"true" doc:"whose records these are: any text of up to 200 bytes"`
}

// Prefix returns d with a layer that is a store of its own for one of several
// tenants: it holds only the records whose IDs in d begin with the tenant's name
// and a slash, and their IDs are what follows. The tenant cannot see, count,
// change or learn of any other record. A % or / in the name is escaped, so that
// no name's records lie among those of another.
//
// The store has no order of its own, even if d has one: the places of records
// would tell how many others there are. What d knows of its fields is not asked,
// since other tenants' records have part in it; neither are its plans. Revisions
// are those of d: where d numbers them through, they tell how much is written.
//
// An ID that does not fit with the prefix into 512 bytes is ResourceExhausted.
// A name that is no name is InvalidArgument; stores whose IDs are made of fields
// or given by the store are Unsupported. Closing closes d: see [Keep] for
// several tenants of one driver.
func Prefix(d dataknobs.Driver, o PrefixOptions) (dataknobs.Driver, error) {
	if err := checkTenant(o.Tenant); err != nil {
		return nil, err
	}
	p := &prefix{inner: d, text: strings.NewReplacer("%", "%25", "/", "%2F").Replace(o.Tenant) + "/"}
	if err := p.fits(d.Features()); err != nil {
		return nil, err
	}
	return p, nil
}

func wrapPrefix(d dataknobs.Driver, o PrefixOptions, _ Env) (dataknobs.Driver, error) {
	return Prefix(d, o)
}

const maxTenant = 200

func checkTenant(name string) error {
	if len(name) > maxTenant {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the tenant's name has %d bytes; the limit is %d", len(name), maxTenant)
	}
	if err := dataknobs.CheckID(name); err != nil {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the tenant's name: %w", err)
	}
	return nil
}

// fits refuses the stores whose IDs cannot have a prefix.
func (p *prefix) fits(f *dataknobs.Features) error {
	var why string
	switch {
	case f.RowIDs != "":
		why = f.RowIDs
	case len(f.Key) > 0:
		why = "they are made of the fields " + strings.Join(f.Key, ", ")
	case f.AssignsIDs:
		why = "the store gives them"
	default:
		return nil
	}
	return dataknobs.Errorf(dataknobs.Unsupported, "the IDs of this store cannot have a tenant's prefix: %s", why)
}

// A prefix is a store inside a store.
type prefix struct {
	inner dataknobs.Driver
	text  string // what every ID begins with
	view  atomic.Pointer[view]
}

// A view is what the store can do inside the one that has those features.
type view struct {
	of       *dataknobs.Features
	features dataknobs.Features
	scope    dataknobs.Expr // selects the records with the prefix, if exact, else lets others through; nil: the store cannot
	exact    bool
}

// Unwrap implements dataknobs.Layer.
func (p *prefix) Unwrap() dataknobs.Driver { return p.inner }

// String is the name of the store.
func (p *prefix) String() string { return nameOf(p.inner) }

// Close implements dataknobs.Driver.
func (p *prefix) Close() error { return p.inner.Close() }

// Features implements dataknobs.Driver.
func (p *prefix) Features() *dataknobs.Features { return &p.now().features }

func (p *prefix) now() *view {
	of := p.inner.Features()
	if v := p.view.Load(); v != nil && v.of == of {
		return v
	}
	v := p.newView(of)
	p.view.Store(v)
	return v
}

func (p *prefix) newView(of *dataknobs.Features) *view {
	v := &view{of: of, features: *of}
	f := &v.features
	v.setScope(p.text)
	f.NaturalOrder = false
	f.Filter = p.filter(of)
	if !v.exact { // others' records come too and are left out here
		f.Limit = false
	}
	f.Aggregate = nil
	if v.exact && of.Aggregate != nil {
		f.Aggregate = p.aggregates(of)
	}
	return v
}

// setScope finds the condition by which the store selects the records.
func (v *view) setScope(text string) {
	if v.of.Filter == nil {
		return
	}
	id := func(op dataknobs.Op, arg string) *dataknobs.Cond {
		return &dataknobs.Cond{Path: dataknobs.PathID, Op: op, Args: []dataknobs.Value{dataknobs.String(arg)}}
	}
	starts := id(dataknobs.StartsWith, text)
	from, to := id(dataknobs.Ge, text), id(dataknobs.Lt, text[:len(text)-1]+"0") // 0 comes after the slash
	can := func(cs ...*dataknobs.Cond) (least dataknobs.Fidelity) {
		least = dataknobs.Exact
		for _, c := range cs {
			least = min(least, v.of.Filter(c).Fidelity)
		}
		return least
	}
	one, two := can(starts), can(from, to)
	switch {
	case one == dataknobs.None && two == dataknobs.None:
	case one >= two:
		v.scope, v.exact = starts, one == dataknobs.Exact
	default:
		v.scope, v.exact = dataknobs.And{from, to}, two == dataknobs.Exact
	}
}

// filter is Features.Filter: a condition on the ID is asked as one on the ID
// with the prefix.
func (p *prefix) filter(of *dataknobs.Features) func(*dataknobs.Cond) dataknobs.Support {
	if of.Filter == nil {
		return nil
	}
	return func(c *dataknobs.Cond) dataknobs.Support {
		inside, ok := p.cond(c)
		if !ok {
			return dataknobs.Support{Reason: "the store's own IDs have the tenant's prefix"}
		}
		return of.Filter(inside)
	}
}

// aggregates is Features.Aggregate: nothing about IDs, which have the prefix.
func (p *prefix) aggregates(of *dataknobs.Features) func(*dataknobs.Aggregation) dataknobs.Support {
	return func(a *dataknobs.Aggregation) dataknobs.Support {
		ids := false
		for _, c := range a.Columns {
			ids = ids || c.Path.IsID()
		}
		for _, g := range a.GroupBy {
			ids = ids || g.IsID()
		}
		if ids {
			return dataknobs.Support{Reason: "the store's own IDs have the tenant's prefix"}
		}
		return of.Aggregate(p.aggregation(a, p.now()))
	}
}

// cond is a condition as the store is asked; false if it cannot be.
func (p *prefix) cond(c *dataknobs.Cond) (*dataknobs.Cond, bool) {
	if !c.Path.IsID() {
		return c, true
	}
	before := p.text
	switch c.Op {
	case dataknobs.IsNull, dataknobs.IsNotNull:
		return c, true
	case dataknobs.Matches, dataknobs.NotMatches, dataknobs.Contains, dataknobs.NotContains, dataknobs.Match, dataknobs.NotMatch:
		return nil, false
	case dataknobs.Like, dataknobs.NotLike, dataknobs.ILike, dataknobs.NotILike:
		before = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(before)
	}
	inside := *c
	inside.Args = make([]dataknobs.Value, len(c.Args))
	for i, a := range c.Args {
		if a.Kind() == dataknobs.KindString {
			a = dataknobs.String(before + a.Str())
		}
		inside.Args[i] = a
	}
	return &inside, true
}

// where is a condition as the store is asked, with the scope.
func (p *prefix) where(e dataknobs.Expr, v *view) dataknobs.Expr {
	return dataknobs.Simplify(dataknobs.And{v.scope, p.expr(e)})
}

func (p *prefix) expr(e dataknobs.Expr) dataknobs.Expr {
	switch e := e.(type) {
	case dataknobs.And:
		return dataknobs.And(p.exprs(e))
	case dataknobs.Or:
		return dataknobs.Or(p.exprs(e))
	case *dataknobs.Cond:
		inside, _ := p.cond(e)
		return inside
	}
	return e
}

func (p *prefix) exprs(es []dataknobs.Expr) []dataknobs.Expr {
	out := make([]dataknobs.Expr, len(es))
	for i, e := range es {
		out[i] = p.expr(e)
	}
	return out
}

func (p *prefix) aggregation(a *dataknobs.Aggregation, v *view) *dataknobs.Aggregation {
	inside := *a
	inside.Where, inside.Stats = p.where(a.Where, v), nil
	return &inside
}

// scan is a scan as the store is asked.
func (p *prefix) scan(s *dataknobs.Scan, v *view) *dataknobs.Scan {
	inside := *s
	inside.Where = p.where(s.Where, v)
	inside.Stats = nil // it would tell of others' records
	if !v.exact {
		inside.NoID = false
	}
	if s.After == nil {
		return &inside
	}
	inside.After = &dataknobs.Seek{ID: p.text + s.After.ID, Keys: make([]dataknobs.Value, len(s.After.Keys))}
	for i, k := range s.After.Keys {
		if i < len(s.OrderBy) && s.OrderBy[i].Path.IsID() && k.Kind() == dataknobs.KindString {
			k = dataknobs.String(p.text + k.Str())
		}
		inside.After.Keys[i] = k
	}
	return &inside
}

// own returns the record as the tenant sees it; false if it is another's.
// shared: the record may not be changed.
func (p *prefix) own(rec *dataknobs.Record, shared bool) (*dataknobs.Record, bool) {
	id, ok := strings.CutPrefix(rec.ID, p.text)
	if !ok && rec.ID != "" {
		return nil, false
	}
	if shared {
		c := *rec
		rec = &c
	}
	rec.ID = id
	rec.SetPosition(0)
	return rec, true
}

// err is an error without the prefix before the ID.
func (p *prefix) err(err error) error {
	var e *dataknobs.Error
	if err == nil || !errors.As(err, &e) || !strings.HasPrefix(e.ID, p.text) || error(e) != err {
		return err
	}
	c := *e
	c.ID = c.ID[len(p.text):]
	return &c
}

// records yields the tenant's records among those of a sequence.
func (p *prefix) records(seq iter.Seq2[*dataknobs.Record, error], stats *dataknobs.ScanStats) iter.Seq2[*dataknobs.Record, error] {
	shared := p.inner.Features().Shared
	return func(yield func(*dataknobs.Record, error) bool) {
		for rec, err := range seq {
			if err != nil {
				yield(nil, p.err(err))
				return
			}
			rec, ok := p.own(rec, shared)
			if !ok {
				continue
			}
			if stats != nil {
				stats.Records.Add(1)
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// tooLong is the error of an ID that has no room beside the prefix.
func (p *prefix) tooLong(id string) error {
	if len(p.text)+len(id) <= dataknobs.MaxIDBytes {
		return nil
	}
	return dataknobs.Errorf(dataknobs.ResourceExhausted, "the ID has %d bytes; with the tenant's prefix the limit is %d", len(id), dataknobs.MaxIDBytes-len(p.text)).
		WithHint("use shorter IDs, or a shorter name for the tenant")
}

// Get implements dataknobs.Driver.
func (p *prefix) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	inside := make([]string, 0, len(ids))
	for _, id := range ids {
		if p.tooLong(id) == nil { // else nothing can be there
			inside = append(inside, p.text+id)
		}
	}
	return p.records(p.inner.Get(ctx, inside), nil)
}

// Scan implements dataknobs.Driver.
func (p *prefix) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	return p.records(p.inner.Scan(ctx, p.scan(s, p.now())), s.Stats)
}

// Apply implements dataknobs.Driver.
func (p *prefix) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	if err := p.fits(p.inner.Features()); err != nil {
		return nil, err
	}
	inside := dataknobs.Batch{Atomic: b.Atomic, Workers: b.Workers, Writes: make([]dataknobs.Write, 0, len(b.Writes))}
	results := make([]dataknobs.Result, len(b.Writes))
	var index []int
	for i := range b.Writes {
		if err := p.tooLong(b.Writes[i].ID); err != nil && b.Writes[i].Op == dataknobs.WritePut && b.Writes[i].If != dataknobs.IfPresent && b.Writes[i].Revision == "" {
			results[i].Err = err
			continue
		} else if err != nil {
			results[i].Err = dataknobs.NotFound
			continue
		}
		inside.Writes = append(inside.Writes, p.write(&b.Writes[i]))
		index = append(index, i)
	}
	if b.Atomic && len(index) < len(b.Writes) {
		for _, i := range index {
			results[i].Err = dataknobs.ErrNotApplied
		}
		return results, nil
	}
	if len(index) == 0 {
		return results, nil
	}
	got, err := p.inner.Apply(ctx, &inside)
	if err == nil && len(got) != len(index) {
		return nil, dataknobs.Errorf(dataknobs.Internal, "the driver returned %d results for %d writes", len(got), len(index))
	}
	for k, i := range index {
		r := resultAt(got, k, err)
		r.ID, r.Err = strings.TrimPrefix(r.ID, p.text), p.err(r.Err)
		results[i] = r
	}
	return results, p.err(err)
}

func (p *prefix) write(w *dataknobs.Write) dataknobs.Write {
	inside := *w
	inside.ID = p.text + w.ID
	if w.Record != nil {
		inside.Record = p.inside(w.Record)
	}
	return inside
}

// inside is a record as it is stored.
func (p *prefix) inside(rec *dataknobs.Record) *dataknobs.Record {
	c := *rec
	c.ID = p.text + rec.ID
	return &c
}
