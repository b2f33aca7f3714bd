package dataknobs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// A Plan says how a query is run: what the store does, what is done here, and
// why. It is plain data and has a JSON form.
type Plan struct {
	Store    string     `json:"store"`              // as it may be shown
	Query    string     `json:"query"`              // as the query language writes it
	Pushed   Pushed     `json:"pushed"`             // what the store does
	Residual []Residual `json:"residual,omitempty"` // what is done here, in this order
	Warnings []string   `json:"warnings,omitempty"` // what looks like a mistake
	Analysis *Analysis  `json:"analysis,omitempty"` // with ExplainOptions.Analyze
}

// Pushed is the part of a query that the store does.
type Pushed struct {
	Nothing bool     `json:"nothing,omitempty"` // the store is not asked: nothing can be in the result
	Where   string   `json:"where,omitempty"`   // "": every record
	OrderBy string   `json:"orderBy,omitempty"`
	Limit   *int     `json:"limit,omitempty"`
	Offset  int      `json:"offset,omitempty"`
	Cursor  bool     `json:"cursor,omitempty"` // it continues after the cursor
	Paths   []string `json:"paths,omitempty"`  // the only values it reads; see All
	All     bool     `json:"all,omitempty"`    // it reads whole records
	Groups  string   `json:"groups,omitempty"` // the aggregation it computes
	// Steps is how the store says it would go about it, where it can say.
	Steps []string `json:"steps,omitempty"`
}

// Residual is a part of a query that is done here, above the store.
type Residual struct {
	Part   string `json:"part"` // "filter", "cursor", "sort", "page", "select" or "group"
	Text   string `json:"text"`
	Reason string `json:"reason"` // why the store does not do it
}

// Analysis counts what running the query took.
type Analysis struct {
	Read     int64         `json:"read"`      // records looked at in the store
	Skipped  int64         `json:"skipped"`   // records passed over unread
	Bytes    int64         `json:"bytes"`     // bytes read from the store
	Calls    int64         `json:"calls"`     // round trips to a server
	Fetched  int64         `json:"fetched"`   // records or groups that came from the store
	Returned int64         `json:"returned"`  // records or groups that were returned
	Duration time.Duration `json:"elapsedNs"` // from the start to the last
	// Taken is what the store was to do but could not end exactly with the records
	// that it met, so that the rest was done here.
	Taken []Residual `json:"taken,omitempty"`
}

// ExplainOptions says what Explain does. The zero value only plans.
type ExplainOptions struct {
	// Analyze runs the query too and counts. A server that can tell what each of
	// its steps took runs it once more by itself.
	Analyze bool
}

// Explain says how a query would be run.
func (db *DB) Explain(ctx context.Context, q *Query, o ExplainOptions) (*Plan, error) {
	out, err := db.explain(ctx, q, o)
	return out, db.fail("explain", "", err)
}

func (db *DB) explain(ctx context.Context, q *Query, o ExplainOptions) (*Plan, error) {
	stats := &ScanStats{}
	p, err := db.plan(ctx, q, []RunOption{CollectStats(stats)})
	if err != nil {
		return nil, err
	}
	out := p.describe()
	if out.Warnings, err = p.warnings(ctx); err != nil {
		return nil, err
	}
	if out.Pushed.Steps, err = p.steps(ctx, o); err != nil {
		return nil, err
	}
	if o.Analyze {
		out.Analysis, err = p.analyze(ctx, stats)
	}
	return out, err
}

// steps is how the store says that it would go about it, or went.
func (p *plan) steps(ctx context.Context, o ExplainOptions) ([]string, error) {
	if p.none {
		return nil, nil
	}
	ask := func(context.Context, *Scan, *Aggregation) ([]string, error) { return nil, nil }
	if e, ok := Ability[Explainer](p.db.d); ok {
		ask = e.Explain
	}
	if a, ok := Ability[Analyzer](p.db.d); ok && o.Analyze {
		ask = a.Analyze
	}
	return call(ctx, p.db, func() ([]string, error) { return ask(ctx, p.explained(), p.pushedAgg()) })
}

// explained is the scan that an Explainer is asked about; nil for an aggregation.
func (p *plan) explained() *Scan {
	if p.pushedAgg() != nil {
		return nil
	}
	s := p.scan
	s.Stats = nil
	return &s
}

// pushedAgg is the aggregation that the store does; nil if it does none.
func (p *plan) pushedAgg() *Aggregation {
	if p.aggHere {
		return nil
	}
	return p.agg
}

func (p *plan) describe() *Plan {
	s := &p.scan
	out := &Plan{Store: p.db.name, Query: p.asked.String(), Residual: p.left}
	if p.groups != nil {
		out.Residual = append(slices.Clone(p.left), p.groupParts()...)
	}
	if p.none {
		out.Pushed.Nothing, out.Residual = true, nil
		return out
	}
	out.Pushed = Pushed{Where: exprText(s.Where), OrderBy: orderText(s.OrderBy), Offset: s.Offset, Cursor: s.After != nil, All: s.Paths == nil}
	if s.HasLimit {
		out.Pushed.Limit = &s.Limit
	}
	for _, path := range s.Paths {
		out.Pushed.Paths = append(out.Pushed.Paths, path.String())
	}
	if a := p.pushedAgg(); a != nil {
		out.Pushed.Groups = aggregationText(a)
		out.Pushed.All = false
	}
	return out
}

// analyze runs the plan and counts.
func (p *plan) analyze(ctx context.Context, stats *ScanStats) (*Analysis, error) {
	a := &Analysis{}
	p.fetched = &a.Fetched
	start := time.Now()
	err := p.run(ctx, func(*Record, error) bool {
		a.Returned++
		return true
	})
	a.Duration = time.Since(start)
	a.Read, a.Skipped, a.Bytes, a.Calls = stats.Records.Load(), stats.Skipped.Load(), stats.Bytes.Load(), stats.Calls.Load()
	a.Taken = p.taken
	return a, err
}

// String prints the plan as a tree: what happens last stands at the top.
func (p *Plan) String() string {
	t := &tree{}
	t.line(0, p.Query)
	depth := 1
	for _, r := range slices.Backward(p.Residual) {
		t.line(depth, strings.TrimSpace("here: "+r.Part+" "+r.Text))
		t.note(depth, "because "+r.Reason)
		depth++
	}
	p.Pushed.print(t, depth, p.Store)
	if a := p.Analysis; a != nil {
		fmt.Fprintf(&t.b, "read %d records", a.Read)
		if a.Skipped > 0 {
			fmt.Fprintf(&t.b, " (passed over %d)", a.Skipped)
		}
		if a.Bytes > 0 {
			fmt.Fprintf(&t.b, " in %d bytes", a.Bytes)
		}
		if a.Calls > 0 {
			fmt.Fprintf(&t.b, " and %d calls", a.Calls)
		}
		fmt.Fprintf(&t.b, "; %d came from the store, %d were returned, in %s\n", a.Fetched, a.Returned, a.Duration.Round(time.Microsecond))
		for _, r := range a.Taken {
			fmt.Fprintf(&t.b, "%s: done here %s, because %s\n", r.Part, r.Text, r.Reason)
		}
	}
	for _, w := range p.Warnings {
		t.b.WriteString("warning: " + w + "\n")
	}
	return t.b.String()
}

func (s *Pushed) print(t *tree, depth int, store string) {
	t.line(depth, strings.TrimSpace("store "+store))
	if s.Nothing {
		t.note(depth, "not asked: nothing can be in the result")
		return
	}
	if s.Groups != "" {
		t.note(depth, "groups "+s.Groups)
	}
	if s.Where != "" {
		t.note(depth, "filter "+s.Where)
	} else {
		t.note(depth, "every record")
	}
	if s.Cursor {
		t.note(depth, "continue after the cursor")
	}
	if s.OrderBy != "" {
		t.note(depth, "sort "+s.OrderBy)
	}
	if s.Limit != nil {
		t.note(depth, "limit "+strconv.Itoa(*s.Limit))
	}
	if s.Offset > 0 {
		t.note(depth, "offset "+strconv.Itoa(s.Offset))
	}
	switch {
	case s.Groups != "":
	case s.All:
		t.note(depth, "read whole records")
	case len(s.Paths) == 0:
		t.note(depth, "read no fields")
	default:
		t.note(depth, "read only "+strings.Join(s.Paths, ", "))
	}
	for _, step := range s.Steps {
		t.note(depth, "· "+step)
	}
}

// A tree prints lines that are each the child of the one above.
type tree struct{ b strings.Builder }

func (t *tree) line(depth int, text string) {
	if depth > 0 {
		t.b.WriteString(strings.Repeat("   ", depth-1) + "└─ ")
	}
	t.b.WriteString(text + "\n")
}

func (t *tree) note(depth int, text string) {
	t.b.WriteString(strings.Repeat("   ", depth) + text + "\n")
}

func exprText(e Expr) string {
	if e == nil {
		return ""
	}
	return string(AppendExpr(nil, e))
}

func orderText(os []Order) string {
	return string(appendList(nil, os, appendOrder))
}

func columnsText(cs []Column) string {
	return string(appendList(nil, cs, appendColumn))
}

func pageText(q *Query) string {
	var words []string
	if q.Limit != nil {
		words = append(words, "limit "+strconv.Itoa(*q.Limit))
	}
	if q.Offset > 0 {
		words = append(words, "offset "+strconv.Itoa(q.Offset))
	}
	return strings.Join(words, " ")
}

func aggregationText(a *Aggregation) string {
	text := columnsText(a.Columns)
	if len(a.GroupBy) > 0 {
		text += " by " + string(appendList(nil, a.GroupBy, func(b []byte, p Path) []byte { return p.AppendText(b) }))
	}
	return strings.TrimSpace(text)
}

// warn tells Options.Warn what looks like a mistake in the query. It costs
// nothing where the store does not know its fields.
func (p *plan) warn(ctx context.Context) {
	warnings, err := p.warnings(ctx)
	if err != nil {
		return // the scan will fail likewise, or the names are not to be had
	}
	for _, w := range warnings {
		p.db.warn(w)
	}
}

// warnings names the paths of the query that lead to no field of the store.
func (p *plan) warnings(ctx context.Context) ([]string, error) {
	namer, ok := Ability[Namer](p.db.d)
	if !ok {
		return nil, nil
	}
	names, err := call(ctx, p.db, func() ([]string, error) { return namer.FieldNames(ctx) })
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var warnings []string
	for _, path := range p.asked.paths() {
		w := unknownField(path, names)
		if w != "" && !slices.Contains(warnings, w) {
			warnings = append(warnings, w)
		}
	}
	return warnings, nil
}

// paths returns every path that q names, output names among them.
func (q *Query) paths() []Path {
	paths := slices.Clone(q.GroupBy)
	for _, c := range q.Select {
		paths = append(paths, c.Path)
	}
	output := func(p Path) bool {
		return slices.ContainsFunc(q.Select, func(c Column) bool { return len(p) == 1 && c.Name() == p[0].Name })
	}
	add := func(p Path) {
		if !output(p) {
			paths = append(paths, p)
		}
	}
	Conds(q.Where, func(c *Cond) bool { paths = append(paths, c.Path); return true })
	Conds(q.Having, func(c *Cond) bool { add(c.Path); return true })
	for _, o := range q.OrderBy {
		add(o.Path)
	}
	return slices.DeleteFunc(paths, func(p Path) bool { return len(p) == 0 || p.IsSystem() })
}

// unknownField says that no field has the path's first name, and what was
// probably meant; "" if there is one.
func unknownField(p Path, names []string) string {
	if slices.Contains(names, p[0].Name) {
		return ""
	}
	text := "no field is called " + string(appendName(nil, p[0].Name))
	if dotted := dottedName(p); slices.Contains(names, dotted) {
		return text + "; for the field " + dotted + " write `" + strings.ReplaceAll(dotted, "`", "``") + "` in backticks"
	}
	if near := nearest.Of(p[0].Name, names); near != "" {
		return text + "; did you mean " + string(appendName(nil, near)) + "?"
	}
	return text
}

// dottedName is the path's text without backticks, as it would be a field's name.
func dottedName(p Path) string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.Name == "":
			fmt.Fprintf(&b, "[%d]", s.Index)
		case i > 0:
			b.WriteString("." + s.Name)
		default:
			b.WriteString(s.Name)
		}
	}
	return b.String()
}
