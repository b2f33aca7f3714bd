package drivertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
)

// A Finding says what became of one query of a survey.
type Finding struct {
	Part string // the part of the query language that it tries: an operator, "ORDER BY", "sum"
	On   string // the kind of value that it tries it on
	// Fidelity is how exactly the store did that part: Exact, all of it; Rough, it
	// left out some records but not all that do not belong; None, it was done here.
	Fidelity dataknobs.Fidelity
	Refused  bool   // the store is asked for what it alone could do, and cannot
	Reason   string // why it is not exact
}

// Survey asks a store of each part of the query language on each kind of value,
// and returns what Explain says of it, in the same order at every call. Each
// query is asked too, and its answer compared with the contract's model.
func Survey(t *testing.T, h Harness) []Finding {
	s := h.withColumns(surveyColumns).subject(t)
	recs := surveyRecords()
	for _, r := range recs {
		_, err := s.db.Create(s.ctx, r)
		s.must(err, "Create of %s", show(r))
	}
	var out []Finding
	for _, p := range probes() {
		if p.about == "cursor" {
			page, err := s.db.Page(s.ctx, p.q)
			s.must(err, "Page of %s", p.q)
			s.wantModel(p.q, recs)
			p.q.After = page.Next
		} else if s.refuses(&p) {
			out = append(out, Finding{Part: p.part, On: p.on, Refused: true})
			continue
		} else {
			s.wantModel(p.q, recs)
		}
		plan, err := s.db.Explain(s.ctx, p.q, dataknobs.ExplainOptions{Analyze: p.about != "filter"})
		s.must(err, "Explain of %s", p.q)
		if plan.Pushed.Nothing {
			t.Fatalf("%s selects nothing whatever the data are: it is no probe", p.q)
		}
		out = append(out, p.found(plan))
	}
	return out
}

// refuses reports whether the store refuses a full-text search, as it is to do
// where it has none.
func (s *subject) refuses(p *probe) bool {
	if s.searches(p.q) {
		return false
	}
	_, err := s.db.All(s.ctx, p.q)
	s.wantCode(err, dataknobs.Unsupported, "%s", p.q)
	return true
}

// A probe is a query that tries one part of the query language.
type probe struct {
	part, on string
	about    string // which part of a plan tells: as in Residual.Part
	q        *dataknobs.Query
}

// found reads the plan.
func (p *probe) found(plan *dataknobs.Plan) Finding {
	f := Finding{Part: p.part, On: p.on, Fidelity: dataknobs.Exact}
	left := plan.Residual
	if a := plan.Analysis; a != nil {
		left = append(left, a.Taken...)
	}
	for _, r := range left {
		if what, _, _ := strings.Cut(r.Part, " "); what != p.about {
			continue
		}
		if f.Reason = r.Reason; p.about == "filter" && plan.Pushed.Where != "" {
			f.Fidelity = dataknobs.Rough
		} else {
			f.Fidelity = dataknobs.None
		}
	}
	return f
}

// A sample is a path with values of one kind.
type sample struct {
	on     string
	path   dataknobs.Path
	column dataknobs.Kind // KindNull: no typed column
	values []any
	text   bool // the operators on texts are tried on it
}

// Each sample but the last three is a field of its own, where such a store has
// any a typed column.
var samples = []sample{
	{on: "bool", column: dataknobs.KindBool, values: []any{true, false}},
	{on: "int", column: dataknobs.KindInt, values: []any{int64(3), int64(1), int64(2), int64(-7)}},
	{on: "int past 2⁵³", column: dataknobs.KindInt, values: []any{int64(1<<53 + 1), int64(1 << 62), int64(-1<<62 - 1)}},
	{on: "float", column: dataknobs.KindFloat, values: []any{2.5, 0.5, -1.0, 1e30}},
	{on: "string", column: dataknobs.KindString, values: []any{"ab", "a", "abc", "Red", "a%b", ""}, text: true},
	{on: "text beyond ASCII", column: dataknobs.KindString, values: []any{"ß", "é", "日本", "😀", "İ", "ſ"}, text: true},
	{on: "time", column: dataknobs.KindTime, values: []any{dataknobs.TimeMicros(0), dataknobs.TimeMicros(1767312000_000_001), dataknobs.TimeMicros(-62135596800_000_000)}},
	{on: "bytes", column: dataknobs.KindBytes, values: []any{[]byte("ab"), []byte{}, []byte{0xff}}},
	{on: "array", values: []any{[]any{int64(1), "a"}, []any{}, []any{int64(2), []any{"x"}}}},
	{on: "object", values: []any{map[string]any{"p": int64(1)}, map[string]any{}, map[string]any{"p": "x", "q": nil}}},
	{on: "mixed kinds", values: []any{int64(1), "a", true, 2.5, dataknobs.TimeMicros(0), []byte("b"), []any{int64(1)}, map[string]any{"p": int64(1)}}, text: true},
	{on: "inside an object", path: dataknobs.Names("o", "p"), values: []any{int64(3), "abc", int64(1), 2.5}, text: true},
	{on: "inside an array", path: dataknobs.Names("l").At(0), values: []any{int64(3), "abc", int64(1), 2.5}, text: true},
	{on: "metadata", path: dataknobs.Names("_meta", "m"), values: []any{"ab", "b", int64(1)}, text: true},
	{on: "_id", path: dataknobs.PathID, values: []any{"r05", "r01", "é/"}, text: true},
}

func (m *sample) at() dataknobs.Path {
	if m.path != nil {
		return m.path
	}
	return dataknobs.Names(m.on)
}

// value is the i-th of its values, of all in turn with null.
func (m *sample) value(i int) any {
	if i %= len(m.values) + 1; i == len(m.values) {
		return nil
	}
	return m.values[i]
}

var surveyColumns = func() (cols []Column) {
	for _, m := range samples {
		if m.column != dataknobs.KindNull {
			cols = append(cols, Column{m.on, m.column})
		}
	}
	return append(cols, Column{wordsField, dataknobs.KindString})
}()

func surveyRecords() []*dataknobs.Record {
	var recs []*dataknobs.Record
	for i := range 24 {
		id := fmt.Sprintf("r%02d", (i*7)%24)
		if i == 20 {
			id = "é/"
		}
		r := rec(id, wordsField, strings.Join(genWords[i%3:3+i%3], " "))
		for k := range samples {
			m := &samples[k]
			switch x := m.value(i + k); {
			case x == nil && i%2 == 0: // absent
			case m.path == nil:
				r.Fields = append(r.Fields, dataknobs.F(m.on, x))
			case m.on == "inside an object":
				r.Fields = append(r.Fields, dataknobs.F("o", map[string]any{"p": x, "q": int64(i)}))
			case m.on == "inside an array":
				r.Fields = append(r.Fields, dataknobs.F("l", []any{x, int64(i)}))
			case m.on == "metadata":
				r.Metadata = dataknobs.Fields{dataknobs.F("m", x)}
			}
		}
		recs = append(recs, r)
	}
	return recs
}

// probes are the queries of a survey.
func probes() []probe {
	var ps []probe
	for op := dataknobs.Eq; op <= dataknobs.IsNotNull; op++ {
		ps = append(ps, operatorProbes(op)...)
	}
	for _, op := range []dataknobs.Op{dataknobs.Match, dataknobs.NotMatch} {
		ps = append(ps, where(op, "words", dataknobs.Names(wordsField), "red sea"))
	}
	return slices.Concat(ps, orderProbes(), pageProbes(), aggregateProbes())
}

// where returns the probe of a condition.
func where(op dataknobs.Op, on string, p dataknobs.Path, args ...any) probe {
	c := &dataknobs.Cond{Path: p, Op: op}
	for _, x := range args {
		c.Args = append(c.Args, dataknobs.F("", x).Value)
	}
	return probe{part: op.String(), on: on, about: "filter", q: &dataknobs.Query{Where: c}}
}

var patterns = map[dataknobs.Op][]any{
	dataknobs.Like: {"a%", "%b", "_", "ß%"}, dataknobs.ILike: {"A%", "%B", "RED", "ß%"}, dataknobs.StartsWith: {"a", "é"}, dataknobs.Matches: {"^a", "b$", "(?i)RED", "é|ß"},
}

func operatorProbes(op dataknobs.Op) []probe {
	var ps []probe
	for i := range samples {
		m := &samples[i]
		for _, args := range m.constants(op) {
			ps = append(ps, where(op, m.on, m.at(), args...))
		}
	}
	if op <= dataknobs.NotBetween {
		ps = append(ps, otherKinds(op)...)
	}
	return ps
}

// constants are those that the operator is tried with on the sample; none where
// it is never true or false.
func (m *sample) constants(op dataknobs.Op) [][]any {
	var out [][]any
	each := func(xs []any) [][]any {
		for _, x := range xs {
			out = append(out, []any{x})
		}
		return out
	}
	if op.Negated() && op != dataknobs.Ge && op != dataknobs.Gt {
		return m.constants(op.Negate())
	}
	switch op {
	case dataknobs.IsNull:
		return [][]any{nil}
	case dataknobs.In:
		return [][]any{m.values[:2]}
	case dataknobs.Between:
		return [][]any{{m.values[1], m.values[0]}}
	case dataknobs.Contains:
		if m.on == "array" || m.on == "mixed kinds" {
			return each([]any{int64(1), "a"})
		}
		return nil
	}
	if texts := patterns[op]; texts != nil {
		if m.text {
			return each(texts)
		}
		return nil
	}
	return each(m.values)
}

// otherKinds compare values with constants of another kind.
func otherKinds(op dataknobs.Op) []probe {
	const on = "a constant of another kind"
	if op == dataknobs.Between || op == dataknobs.NotBetween {
		return []probe{where(op, on, dataknobs.Names("int"), "a", "b"), where(op, on, dataknobs.Names("string"), int64(1), int64(2))}
	}
	return []probe{where(op, on, dataknobs.Names("int"), "a"), where(op, on, dataknobs.Names("string"), int64(1)), where(op, on, dataknobs.Names("time"), true)}
}

func orderProbes() []probe {
	var ps []probe
	for i := range samples {
		m := &samples[i]
		for _, o := range []dataknobs.Order{{Path: m.at()}, {Path: m.at(), Desc: true}, {Path: m.at(), Nulls: dataknobs.NullsFirst}} {
			os := []dataknobs.Order{o}
			if i%2 == 1 { // beside another key, which has many ties
				os = append(os, dataknobs.Order{Path: dataknobs.Names("bool"), Desc: true})
			}
			ps = append(ps,
				probe{"ORDER BY", m.on, "sort", &dataknobs.Query{OrderBy: os}},
				probe{"ORDER BY … LIMIT", m.on, "sort", &dataknobs.Query{OrderBy: os, Limit: new(7)}},
				probe{"cursor in that order", m.on, "cursor", &dataknobs.Query{OrderBy: os, Limit: new(5)}})
		}
	}
	return ps
}

func pageProbes() []probe {
	const any = "any record"
	exactly := cond("int", dataknobs.Gt, int64(0))
	return []probe{
		{"LIMIT, OFFSET", any, "page", &dataknobs.Query{Limit: new(5), Offset: 3}},
		{"LIMIT, OFFSET in ORDER BY", any, "page", &dataknobs.Query{Limit: new(5), Offset: 3, OrderBy: []dataknobs.Order{{Path: dataknobs.Names("int")}}}},
		{"LIMIT, OFFSET after WHERE", any, "page", &dataknobs.Query{Limit: new(5), Offset: 3, Where: exactly}},
		{"cursor", any, "cursor", &dataknobs.Query{Limit: new(5)}},
		{"SELECT paths", any, "select", &dataknobs.Query{Select: []dataknobs.Column{{Path: dataknobs.Names("int")}, {Path: dataknobs.Names("o", "p")}}}},
		{"count(*)", any, "group", &dataknobs.Query{Select: []dataknobs.Column{count()}}},
		{"count(*) after WHERE", any, "group", &dataknobs.Query{Select: []dataknobs.Column{count()}, Where: exactly}},
		{"HAVING", any, "having", &dataknobs.Query{Select: []dataknobs.Column{key("bool"), count()}, GroupBy: by("bool"), Having: &dataknobs.Cond{Agg: dataknobs.CountAll, Op: dataknobs.Gt, Args: []dataknobs.Value{dataknobs.Int(1)}}}},
	}
}

func aggregateProbes() []probe {
	var ps []probe
	for i := range samples {
		m := &samples[i]
		for a := dataknobs.Count; a <= dataknobs.Max; a++ {
			if a != dataknobs.CountAll {
				ps = append(ps, probe{a.String(), m.on, "group", &dataknobs.Query{Select: []dataknobs.Column{{Agg: a, Path: m.at(), As: "x"}}}})
			}
		}
		q := &dataknobs.Query{GroupBy: []dataknobs.Path{m.at()}, Select: []dataknobs.Column{{Path: m.at(), As: "k"}, count()}}
		ps = append(ps, probe{"GROUP BY", m.on, "group", q})
	}
	return ps
}
