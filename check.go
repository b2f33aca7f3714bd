package dataknobs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// Check returns an InvalidArgument error that names the part unless q can be
// run: paths and constants are legal, operators have the arguments that they
// take, patterns can be read, names in the output are unique, and what a
// grouped query selects, has and sorts by is of its groups. Everything that
// runs a query checks it first.
func (q *Query) Check() error {
	if q.err != nil {
		return q.err
	}
	for _, check := range []func() error{q.checkSelect, q.checkGroupBy, q.checkWhere, q.checkHaving, q.checkOrderBy, q.checkPage} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// CheckExpr returns an InvalidArgument error unless e can be a condition on
// records.
func CheckExpr(e Expr) error {
	return checkExpr(e, func(c *Cond) error {
		if c.Agg != NoAgg {
			return Errorf(InvalidArgument, "%s is of a group of records, so WHERE cannot compare it", columnText(c.Path, c.Agg)).
				WithHint("conditions on groups go into HAVING")
		}
		return legalPath(c.Path)
	})
}

func (q *Query) checkWhere() error { return CheckExpr(q.Where) }

// checkExpr checks the conditions in e, and what each compares by term.
func checkExpr(e Expr, term func(*Cond) error) error {
	return (&exprChecker{term: term}).check(e, bindsOr)
}

// An exprChecker walks a condition. nesting is that of its text, which is what
// Parse bounds, so that every condition that is legal can be printed and read.
type exprChecker struct {
	term           func(*Cond) error
	depth, nesting int
}

func (x *exprChecker) check(e Expr, place int) error {
	if x.depth++; x.depth > 3*MaxNesting {
		return x.tooDeep()
	}
	defer func() { x.depth-- }()
	switch e := e.(type) {
	case *Cond:
		return legalCond(e, x.term)
	case And:
		return x.joined(e, bindsAnd, place)
	case Or:
		return x.joined(e, bindsOr, place)
	case Not:
		return x.nested(func() error { return x.check(e.Expr, bindsNot) })
	}
	return nil
}

func (x *exprChecker) joined(parts []Expr, binds, place int) error {
	if len(parts) == 1 {
		return x.check(parts[0], place)
	}
	all := func() error {
		for _, p := range parts {
			if err := x.check(p, binds+1); err != nil {
				return err
			}
		}
		return nil
	}
	if binds < place {
		return x.nested(all)
	}
	return all()
}

func (x *exprChecker) nested(check func() error) error {
	if x.nesting++; x.nesting > MaxNesting {
		return x.tooDeep()
	}
	defer func() { x.nesting-- }()
	return check()
}

func (x *exprChecker) tooDeep() error {
	return Errorf(InvalidArgument, "the condition nests deeper than %d levels", MaxNesting)
}

func legalCond(c *Cond, term func(*Cond) error) error {
	if c == nil {
		return Errorf(InvalidArgument, "a condition is a nil *Cond")
	}
	if c.err != nil {
		return Errorf(InvalidArgument, "the condition on %s: %w", columnText(c.Path, c.Agg), c.err)
	}
	if err := term(c); err != nil {
		return err
	}
	if c.Op.isMatch() && c.Path.IsSystem() && !c.Path.IsMetadata() {
		return Errorf(InvalidArgument, "%s %s: full-text search is for fields", c.Path, c.Op).WithHint("use = or LIKE")
	}
	if why := badOperator(c); why != "" {
		return Errorf(InvalidArgument, "the condition on %s: %s", columnText(c.Path, c.Agg), why)
	}
	return nil
}

// badOperator says what is wrong with the operator and arguments of c; "" if
// nothing is.
func badOperator(c *Cond) string {
	if c.Op < Eq || c.Op > lastOp {
		return "there is no operator " + strconv.Itoa(int(c.Op))
	}
	if least, most := c.Op.arity(); len(c.Args) < least || most >= 0 && len(c.Args) > most {
		return fmt.Sprintf("%s takes %s, not %d", c.Op, []string{"no constant", "one constant", "two constants"}[least], len(c.Args))
	}
	for _, v := range c.Args {
		if v.IsNull() {
			return c.Op.String() + " null is never true; use IS NULL or IS NOT NULL"
		}
		if why := badConstant(v); why != "" {
			return why
		}
	}
	if !isPattern(c.Op) {
		return ""
	}
	if c.Args[0].kind != KindString {
		return c.Op.String() + " takes text, not the " + c.Args[0].kind.String() + " " + shorten(c.Args[0].String())
	}
	return badPattern(c.Op, c.Args[0].Str())
}

// badConstant says why no record can hold v; "" if one can.
func badConstant(v Value) string {
	if v.kind < KindFloat {
		return ""
	}
	c := checker{at: Names("constant")}
	if err := c.value(v, 1); err != nil {
		return err.Error()
	}
	return ""
}

// isLater reports whether name is a system name that has no meaning yet.
func isLater(name string) bool { return name == "_created" || name == "_updated" }

// legalPath returns an InvalidArgument error unless p can name a value.
func legalPath(p Path) error {
	if len(p) == 0 {
		return Errorf(InvalidArgument, "a path is empty")
	}
	if isLater(p[0].Name) {
		return Errorf(InvalidArgument, "%s is reserved for a later version", p[0].Name)
	}
	for i, s := range p {
		switch {
		case s.Name == "" && i == 0:
			return Errorf(InvalidArgument, "the path %s does not start at a field", p)
		case s.Name == "" && s.Index < 0:
			return Errorf(InvalidArgument, "the path %s has a negative index", p)
		case s.Name == "" || IsSystemName(s.Name):
		default:
			if err := CheckName(s.Name); err != nil {
				return Errorf(InvalidArgument, "in the path %s: %s", shorten(p.String()), err)
			}
		}
	}
	return nil
}

// checkTerm checks a path, or an aggregate and its path.
func checkTerm(p Path, agg Agg) error {
	switch {
	case agg > Max:
		return Errorf(InvalidArgument, "there is no aggregate %d", agg)
	case agg == CountAll && len(p) > 0:
		return Errorf(InvalidArgument, "count(*) has no path, but is given %s", p)
	case agg == CountAll:
		return nil
	}
	return legalPath(p)
}

func (q *Query) checkSelect() error {
	grouped, groups := q.Grouped(), q.groupTexts()
	names := map[string]int{}
	for i, c := range q.Select {
		if err := checkTerm(c.Path, c.Agg); err != nil {
			return err
		}
		if c.As != "" {
			if err := CheckName(c.As); err != nil {
				return Errorf(InvalidArgument, "the output name of %s: %s", columnText(c.Path, c.Agg), err)
			}
		}
		if grouped && c.Agg == NoAgg && !groups[c.Path.String()] {
			return Errorf(InvalidArgument, "%s is selected, but is not the same over a group", c.Path).
				WithHint("add it to GROUP BY, or aggregate it: min(%s)", c.Path)
		}
		if j, ok := names[c.Name()]; ok {
			return twice(q.Select[j], c)
		}
		names[c.Name()] = i
	}
	if grouped {
		return nil
	}
	return q.checkNested(names)
}

func twice(a, b Column) error {
	if a.As == "" && b.As == "" {
		return Errorf(InvalidArgument, "%s is selected twice", a)
	}
	return Errorf(InvalidArgument, "the output has the name %s twice: %s and %s", appendName(nil, a.Name()), a, b).
		WithHint("give one of them another name by AS")
}

// checkNested refuses a column whose output name is that of the field in
// which another column is nested: SELECT x AS a, a.b.
func (q *Query) checkNested(names map[string]int) error {
	for _, c := range q.Select {
		if c.As != "" || len(c.Path) < 2 {
			continue
		}
		if i, ok := names[c.Path[0].Name]; ok && q.Select[i].As != "" {
			return twice(q.Select[i], c)
		}
	}
	return nil
}

// groupTexts is the set of the grouped paths, as texts.
func (q *Query) groupTexts() map[string]bool {
	set := make(map[string]bool, len(q.GroupBy))
	for _, p := range q.GroupBy {
		set[p.String()] = true
	}
	return set
}

func (q *Query) checkGroupBy() error {
	seen := map[string]bool{}
	for _, p := range q.GroupBy {
		if err := legalPath(p); err != nil {
			return err
		}
		text := p.String()
		if seen[text] {
			return Errorf(InvalidArgument, "GROUP BY has %s twice", p)
		}
		seen[text] = true
	}
	if len(q.GroupBy) == 0 {
		return nil
	}
	for _, c := range q.Select {
		p := Names(c.As)
		if c.As != "" && seen[p.String()] && (c.Agg != NoAgg || !c.Path.Equal(p)) {
			return Errorf(InvalidArgument, "the output name %s is also the name of a field that is grouped by", p).
				WithHint("choose another name")
		}
	}
	return nil
}

// groupTerm returns the grouped path or aggregate that p and agg stand for in
// HAVING and ORDER BY of a grouped query, where a name given by AS may be used.
func (q *Query) groupTerm(p Path, agg Agg) (Column, bool) {
	if agg != NoAgg || slices.ContainsFunc(q.GroupBy, p.Equal) {
		return Column{Path: p, Agg: agg}, true
	}
	if len(p) == 1 {
		for _, c := range q.Select {
			if c.As == p[0].Name {
				return Column{Path: c.Path, Agg: c.Agg}, true
			}
		}
	}
	return Column{}, false
}

// groupTermChecker returns a check of the terms of HAVING or ORDER BY of a
// grouped query: grouped paths, aggregates, and names given by AS.
func (q *Query) groupTermChecker(clause string) func(Path, Agg) error {
	known := q.groupTexts()
	for _, c := range q.Select {
		if c.As != "" {
			known[Names(c.As).String()] = true
		}
	}
	return func(p Path, agg Agg) error {
		if err := checkTerm(p, agg); err != nil {
			return err
		}
		if agg != NoAgg || known[p.String()] {
			return nil
		}
		e := Errorf(InvalidArgument, "%s names %s, which is neither grouped by, nor an aggregate, nor the name of an output", clause, p)
		if near := nearest.Of(p.String(), slices.Sorted(maps.Keys(known))); near != "" {
			return e.WithHint("did you mean %s?", near)
		}
		return e
	}
}

func (q *Query) checkHaving() error {
	if q.Having != nil && !q.Grouped() {
		return Errorf(InvalidArgument, "HAVING is about groups, but the query has none").
			WithHint("conditions on records go into WHERE")
	}
	check := q.groupTermChecker("HAVING")
	return checkExpr(q.Having, func(c *Cond) error {
		if c.Op.isMatch() {
			return Errorf(InvalidArgument, "HAVING %s %s: full-text search is of records, not of groups", columnText(c.Path, c.Agg), c.Op).
				WithHint("put it into WHERE")
		}
		return check(c.Path, c.Agg)
	})
}

func (q *Query) checkOrderBy() error {
	check := q.checkSortTerm()
	if q.Grouped() {
		check = q.groupTermChecker("ORDER BY")
	}
	for _, o := range q.OrderBy {
		if o.Nulls > NullsFirst {
			return Errorf(InvalidArgument, "ORDER BY %s: there is no place %d for nulls", columnText(o.Path, o.Agg), o.Nulls)
		}
		if err := check(o.Path, o.Agg); err != nil {
			return err
		}
	}
	return nil
}

// checkSortTerm returns a check of the terms of ORDER BY of a query without
// groups. A name given by AS is no field there; since in SQL it would be, it
// is refused instead of sorting by a field that does not exist.
func (q *Query) checkSortTerm() func(Path, Agg) error {
	outputs := map[string]Path{}
	for _, c := range q.Select {
		if c.As != "" {
			outputs[c.As] = c.Path
		}
	}
	return func(p Path, agg Agg) error {
		if agg != NoAgg {
			return Errorf(InvalidArgument, "ORDER BY %s is about groups, but the query has none", columnText(p, agg)).
				WithHint("add GROUP BY")
		}
		if err := legalPath(p); err != nil {
			return err
		}
		if of, ok := outputs[p[0].Name]; ok && len(p) == 1 && !of.Equal(p) {
			return Errorf(InvalidArgument, "ORDER BY %s: that is the output name of %s", p, of).
				WithHint("order by %s itself", of)
		}
		return nil
	}
}

func (q *Query) checkPage() error {
	switch {
	case q.Limit != nil && *q.Limit < 0:
		return Errorf(InvalidArgument, "the limit %d is negative", *q.Limit)
	case q.Offset < 0:
		return Errorf(InvalidArgument, "the offset %d is negative", q.Offset)
	case strings.ContainsRune(q.After, 0):
		return Errorf(InvalidArgument, "the cursor token is not one")
	}
	return nil
}
