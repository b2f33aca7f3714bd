package dataknobs

import (
	"context"
	"errors"
	"strconv"
)

// planGroups decides who computes the groups of a grouped query.
func (p *plan) planGroups() error {
	if p.q.After != "" {
		return Errorf(Unsupported, "a grouped query has no cursor").WithHint("page with LIMIT and OFFSET")
	}
	var err error
	if p.groups, err = newGrouping(p.q); err != nil {
		return err
	}
	p.agg = p.groups.agg
	p.agg.Where, p.agg.Workers, p.agg.Stats = p.scan.Where, p.db.workers, p.opts.stats
	reason := p.whyGroupHere()
	if reason == "" || p.none {
		return nil
	}
	p.aggHere = true
	p.leave("group", aggregationText(p.agg), reason)
	return p.planGroupScan()
}

// whyGroupHere says why the store does not compute the groups; "" if it does.
func (p *plan) whyGroupHere() string {
	if p.match != nil {
		return "the filter comes first"
	}
	if _, ok := Ability[Counter](p.db.d); ok && p.isCount() {
		p.counts = true
		return ""
	}
	if _, ok := Ability[Aggregator](p.db.d); !ok || p.db.f().Aggregate == nil {
		return "the store cannot aggregate"
	}
	sup := p.db.f().Aggregate(p.agg)
	switch {
	case sup.Fidelity == Exact:
		return ""
	case sup.Reason == "":
		return "the store cannot compute these aggregates"
	}
	return sup.Reason
}

// isCount reports whether all that is asked is how many records there are.
func (p *plan) isCount() bool {
	return len(p.agg.GroupBy) == 0 && len(p.agg.Columns) == 1 && p.agg.Columns[0].Agg == CountAll
}

// planGroupScan tells the driver what the groups are made of.
func (p *plan) planGroupScan() error {
	g, err := NewGrouper(p.agg.GroupBy, p.agg.Columns)
	if err != nil {
		return err
	}
	need := append([]Path(nil), g.Paths()...)
	if p.match != nil {
		need = append(need, p.match.Paths()...)
	}
	p.scan.NoID, p.scan.NoRevision = true, true
	for _, path := range need {
		p.scan.NoID = p.scan.NoID && !path.IsID()
		p.scan.NoRevision = p.scan.NoRevision && !path.IsRevision()
	}
	if p.db.f().Project {
		p.scan.Paths = pathSet(need)
	}
	return nil
}

// groupParts are what is always done here with the groups, which are few.
func (p *plan) groupParts() []Residual {
	const why = "the groups are all here by then"
	var parts []Residual
	if p.q.Having != nil {
		parts = append(parts, Residual{"having", exprText(p.asked.Having), why})
	}
	if len(p.q.OrderBy) > 0 {
		parts = append(parts, Residual{"sort", orderText(p.q.OrderBy), why})
	}
	if text := pageText(p.q); text != "" {
		parts = append(parts, Residual{"page", text, why})
	}
	return parts
}

// runGroups yields the results of a grouped query. The error is one that has
// not been yielded.
func (p *plan) runGroups(ctx context.Context, yield func(*Record, error) bool) error {
	if p.q.Limit != nil && *p.q.Limit == 0 {
		return ctx.Err()
	}
	groups, err := p.compute(ctx)
	if err != nil {
		return err
	}
	recs := p.groups.records(groups)
	recs = recs[min(p.q.Offset, len(recs)):]
	if p.q.Limit != nil {
		recs = recs[:min(*p.q.Limit, len(recs))]
	}
	for _, rec := range recs {
		if !yield(rec, nil) {
			return nil
		}
	}
	return nil
}

// count returns the one number that a plan of count(*) comes to.
func (p *plan) count(ctx context.Context) (int64, error) {
	groups, err := p.compute(ctx)
	if err != nil {
		return 0, err
	}
	return groups[0].Values[0].Int(), nil
}

// compute returns the groups.
func (p *plan) compute(ctx context.Context) ([]Group, error) {
	switch {
	case p.none || p.aggHere:
		return p.computeHere(ctx)
	case p.counts:
		n, err := call(ctx, p.db, func() (int64, error) { return p.db.d.(Counter).Count(ctx, p.scan.Where, p.opts.stats) })
		if errors.Is(err, ErrInexact) {
			return p.regroup(ctx, err)
		}
		p.fetch(1)
		return []Group{{Values: []Value{Int(n)}}}, err
	}
	groups, err := call(ctx, p.db, func() ([]Group, error) { return p.computeThere(ctx) })
	if errors.Is(err, ErrInexact) && len(groups) == 0 {
		return p.regroup(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	p.fetch(int64(len(groups)))
	if len(groups) == 0 && len(p.agg.GroupBy) == 0 {
		return nil, Errorf(Internal, "the driver returned no group for a query without GROUP BY")
	}
	return groups, nil
}

// computeThere takes the groups that the driver computes.
func (p *plan) computeThere(ctx context.Context) ([]Group, error) {
	var groups []Group
	for g, err := range p.db.d.(Aggregator).Aggregate(ctx, p.agg) {
		if err != nil {
			return groups, err
		}
		if groups = append(groups, g); len(groups) > MaxGroups {
			return nil, Errorf(ResourceExhausted, "there are more than %s groups", strconv.Itoa(MaxGroups))
		}
	}
	return groups, nil
}

func (p *plan) fetch(n int64) {
	if p.fetched != nil {
		*p.fetched += n
	}
}

// computeHere reads the records and groups them.
func (p *plan) computeHere(ctx context.Context) ([]Group, error) {
	g, err := NewGrouper(p.agg.GroupBy, p.agg.Columns)
	if err != nil {
		return nil, err
	}
	if p.none {
		return g.Groups()
	}
	for rec, err := range p.scanned(ctx) {
		if err != nil {
			return nil, err
		}
		if p.match != nil && !p.match.Match(rec) {
			continue
		}
		if err := g.AddRecord(rec); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return g.Groups()
}
