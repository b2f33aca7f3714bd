package dataknobs

import (
	"context"
	"math"
	"slices"
)

// A RunOption changes how a query is run, never its answer.
type RunOption func(*runOptions)

type runOptions struct {
	strict     bool
	noIDs      bool
	noRevision bool
	keys       bool // the caller looks at the keys of the order: for a cursor
	stats      *ScanStats
}

// StrictPushdown makes a query fail with Unsupported, naming the part, where
// the store would leave any of it to be done here.
func StrictPushdown() RunOption { return func(o *runOptions) { o.strict = true } }

// OmitIDs says that nobody will look at the IDs of the results, which may then
// be empty: some stores answer faster.
func OmitIDs() RunOption { return func(o *runOptions) { o.noIDs = true } }

// OmitRevisions says that nobody will look at the revisions of the results,
// which may then be empty: some stores answer faster.
func OmitRevisions() RunOption { return func(o *runOptions) { o.noRevision = true } }

// CollectStats adds what a query cost in the store to stats while it runs.
func CollectStats(stats *ScanStats) RunOption { return func(o *runOptions) { o.stats = stats } }

// A plan is how one query is run: what the driver does and what is left.
type plan struct {
	db    *DB
	asked *Query // as it was asked
	q     *Query // simplified, its time literals read
	opts  runOptions

	none  bool // no record can be selected: the store is not asked
	scan  Scan
	left  []Residual // what is done here, for people
	match *Matcher   // nil: nothing is left to filter

	ordering *Ordering // the order of the result; nil: the store's own, or any
	natural  bool      // it is the store's own order, which stays
	sortHere bool
	seekHere *Seek // nil: nobody asked, or the store does it

	pageHere      bool
	offset, limit int // with pageHere; limit math.MaxInt: none

	groups  *grouping    // of grouped queries
	agg     *Aggregation // what they need computed
	aggHere bool
	counts  bool // the store's Counter computes it

	taken   []Residual // what the store could not end: noted while it runs
	fetched *int64     // counts what comes from the store; nil: nobody asks
}

// plan decides how q is run.
func (db *DB) plan(ctx context.Context, q *Query, opts []RunOption) (*plan, error) {
	if q == nil {
		q = &Query{}
	}
	p := &plan{db: db, asked: q}
	for _, o := range opts {
		o(&p.opts)
	}
	if err := db.usable(); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	var err error
	if p.q, err = db.resolve(ctx, q); err != nil {
		return nil, err
	}
	if err := p.build(ctx); err != nil {
		return nil, err
	}
	return p, p.checkStrict()
}

func (p *plan) build(ctx context.Context) error {
	p.scan.Workers, p.scan.Stats = p.db.workers, p.opts.stats
	if err := p.splitWhere(); err != nil {
		return err
	}
	if p.q.Grouped() {
		return p.planGroups()
	}
	p.planOrder()
	if err := p.planSeek(ctx); err != nil {
		return err
	}
	p.planPage()
	p.planPaths()
	return nil
}

func (p *plan) checkStrict() error {
	if !p.opts.strict || len(p.left) == 0 || p.none {
		return nil
	}
	l := p.left[0]
	return Errorf(Unsupported, "the store leaves a part of the query to be done here: %s %s", l.Part, l.Text).WithHint("%s", l.Reason)
}

// leave notes that a part of the query is done here.
func (p *plan) leave(part, text, reason string) {
	p.left = append(p.left, Residual{Part: part, Text: text, Reason: reason})
}

// splitWhere gives the driver what it can do of the condition and compiles the
// rest.
func (p *plan) splitWhere() error {
	where := p.q.Where
	if or, ok := where.(Or); ok && len(or) == 0 {
		p.none = true
		return nil
	}
	s := splitter{filter: p.db.f().Filter}
	var rest []Expr
	p.scan.Where, rest = s.split(where)
	for _, e := range rest {
		if err := s.searchable(e); err != nil {
			return err
		}
		p.leave("filter", exprText(e), s.reason(e))
	}
	if len(rest) == 0 {
		return nil
	}
	var err error
	p.match, err = Compile(And(rest))
	return err
}

// planOrder decides who sorts.
func (p *plan) planOrder() {
	f, q := p.db.f(), p.q
	paged := q.Limit != nil || q.Offset > 0 || q.After != "" || p.opts.keys
	order := q.OrderBy[:seekKeys(q)]
	switch {
	case len(order) > 0:
	case f.NaturalOrder:
		p.natural = true
		return
	case paged:
		order = []Order{{Path: PathID}}
	default:
		return
	}
	p.ordering = NewOrdering(order)
	sup := Support{Reason: "the store cannot sort"}
	if f.Sort != nil {
		sup = f.Sort(order)
	}
	if sup.Fidelity == Exact && !p.sortsFew() {
		sup = Support{Reason: "the store sorts only for a small limit"}
	}
	if sup.Fidelity == Exact {
		p.scan.OrderBy = order
		return
	}
	p.sortHere = true
	if sup.Reason == "" {
		sup.Reason = "the store cannot sort in this order"
	}
	p.leave("sort", orderText(order), sup.Reason)
}

// sortsFew reports whether the store's sort, if it is bounded by
// Features.SortLimit, is enough for the page that is asked for.
func (p *plan) sortsFew() bool {
	f, q := p.db.f(), p.q
	most := f.SortLimit
	if most == 0 {
		return true
	}
	limited := q.Limit != nil && f.Limit && p.match == nil && (q.After == "" || f.Seek) // the store will see the limit
	return limited && q.Offset <= most && *q.Limit <= most-q.Offset
}

// planSeek decides who continues after the cursor. What the offset leaves out
// lies before the cursor's place, so it is no longer of interest.
func (p *plan) planSeek(ctx context.Context) error {
	if p.q.After == "" {
		return nil
	}
	place, epoch, err := decodeCursor(p.asked, p.q.After)
	if err != nil {
		return err
	}
	p.q.Offset = 0
	switch {
	case p.natural:
		if err := p.locate(ctx, place, epoch); err != nil {
			return err
		}
	case len(p.q.OrderBy) == 0: // by _id
		place.Keys = []Value{String(place.ID)}
	case len(place.Keys) == 0:
		return errCursorDamaged()
	}
	switch {
	case p.sortHere:
		p.leave("cursor", "", "the sort comes first")
	case !p.db.f().Seek:
		p.leave("cursor", "", "the store cannot start in the middle")
	default:
		p.scan.After = place
		return nil
	}
	p.seekHere = place
	return nil
}

// locate finds the position of the cursor's record anew where the store has
// changed its positions since.
func (p *plan) locate(ctx context.Context, place *Seek, epoch string) error {
	now, err := p.db.epoch(ctx)
	if err != nil || now == epoch && place.Position > 0 {
		return err
	}
	rec, err := p.db.get(ctx, place.ID)
	if err != nil {
		return err
	}
	if rec == nil {
		return Errorf(InvalidArgument, "the record %q, after which the cursor continues, is no longer there", place.ID).
			WithHint("start again from the first page")
	}
	place.Position = rec.Position()
	return nil
}

// epoch says in which epoch the store's positions are.
func (db *DB) epoch(ctx context.Context) (string, error) {
	if e, ok := Ability[Epocher](db.d); ok {
		return call(ctx, db, func() (string, error) { return e.Epoch(ctx) })
	}
	return "", nil
}

// noLimit is the limit of a page that has none.
const noLimit = math.MaxInt

// planPage decides who cuts the page out.
func (p *plan) planPage() {
	q := p.q
	if q.Limit == nil && q.Offset == 0 {
		return
	}
	p.offset, p.limit = q.Offset, noLimit
	if q.Limit != nil {
		p.limit = *q.Limit
	}
	if p.limit == 0 {
		p.none = true
	}
	var reason string
	switch {
	case !p.db.f().Limit:
		reason = "the store knows no limit"
	case p.match != nil:
		reason = "the filter comes first"
	case p.sortHere:
		reason = "the sort comes first"
	case p.seekHere != nil:
		reason = "the cursor comes first"
	default:
		p.scan.Offset, p.scan.HasLimit = q.Offset, q.Limit != nil
		if q.Limit != nil {
			p.scan.Limit = *q.Limit
		}
		return
	}
	p.pageHere = true
	p.leave("page", pageText(q), reason)
}

// planPaths tells the driver what anyone will look at.
func (p *plan) planPaths() {
	q := p.q
	var need []Path
	if p.match != nil {
		need = append(need, p.match.Paths()...)
	}
	if p.ordering != nil { // a sort of the store's may have to be gone on with here
		need = append(need, p.ordering.Paths()...)
		need = append(need, PathID)
	}
	if p.natural && p.opts.keys {
		need = append(need, PathID)
	}
	for _, c := range q.Select {
		need = append(need, c.Path)
	}
	p.scan.NoID = p.opts.noIDs && !slices.ContainsFunc(need, Path.IsID)
	p.scan.NoRevision = p.opts.noRevision && !slices.ContainsFunc(need, Path.IsRevision)
	if len(q.Select) == 0 {
		return
	}
	if p.db.f().Project {
		p.scan.Paths = pathSet(need)
		return
	}
	p.leave("select", columnsText(q.Select), "the store yields whole records")
}

// pathSet returns the paths without repetitions, without those that lie inside
// another, and without _id and _rev. It is never nil. A path into an array is
// cut before the array's index: an array that is left out in part would have
// other indexes.
func pathSet(paths []Path) []Path {
	whole := make([]Path, len(paths))
	for i, p := range paths {
		whole[i] = p
		if at := slices.IndexFunc(p, func(s Step) bool { return s.Name == "" }); at > 0 {
			whole[i] = p[:at]
		}
	}
	set := make([]Path, 0, len(paths))
	for i, p := range whole {
		covered := p.IsID() || p.IsRevision() || len(p) == 0
		for j, q := range whole {
			covered = covered || hasPrefix(p, q) && (len(q) < len(p) || j < i)
		}
		if !covered {
			set = append(set, p)
		}
	}
	return set
}

// hasPrefix reports whether p is q or lies inside it.
func hasPrefix(p, q Path) bool { return len(q) > 0 && len(q) <= len(p) && p[:len(q)].Equal(q) }
