package dataknobs

import "slices"

// An Expr is a condition on a record, as plain data: one of And, Or, Not and
// *Cond. A nil Expr is true of every record. The meaning is SQL's three-valued
// logic; see docs/semantics.md. Expressions are never changed once built.
type Expr interface{ isExpr() }

type (
	// And is true when all of its parts are; the empty And is true.
	And []Expr
	// Or is true when one of its parts is; the empty Or is false.
	Or []Expr
	// Not is true when its part is false. No driver ever sees one.
	Not struct{ Expr Expr }
	// Cond compares the value at a path with constants.
	Cond struct {
		Path Path
		Op   Op
		// Args are the constants: one for most operators, any number for In and
		// NotIn, two for Between and NotBetween, none for IsNull and IsNotNull.
		// None is null. Those of Like, ILike, StartsWith, Matches and
		// Match are strings.
		Args []Value
		// Agg makes this a condition on an aggregate of a group, in HAVING only.
		Agg Agg

		err error // what the builder could not convert; Query.Check reports it
	}
)

func (And) isExpr()   {}
func (Or) isExpr()    {}
func (Not) isExpr()   {}
func (*Cond) isExpr() {}

// Op is the operator of a [Cond].
type Op uint8

// The operators. Each operator and its negation stand together, so that NOT
// can be driven down to the leaves: see [Op.Negate].
const (
	Eq Op = iota + 1
	Ne
	Lt
	Ge
	Le
	Gt
	In
	NotIn
	Between
	NotBetween
	Like
	NotLike
	ILike
	NotILike
	StartsWith
	NotStartsWith
	Matches
	NotMatches
	Contains
	NotContains
	IsNull
	IsNotNull
	Match // full-text search, where the store has it: see docs/query.md
	NotMatch
)

// lastOp is the last operator that there is.
const lastOp = NotMatch

var opNames = [...]string{
	"?", "=", "!=", "<", ">=", "<=", ">", "IN", "NOT IN", "BETWEEN", "NOT BETWEEN", "LIKE", "NOT LIKE",
	"ILIKE", "NOT ILIKE", "STARTS WITH", "NOT STARTS WITH", "MATCHES", "NOT MATCHES", "CONTAINS", "NOT CONTAINS",
	"IS NULL", "IS NOT NULL", "MATCH", "NOT MATCH",
}

// String returns the operator as the query language writes it, such as "NOT IN".
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return opNames[0]
}

// Negate returns the operator that is true exactly where o is false; both are
// unknown where the other is.
func (o Op) Negate() Op { return ((o - 1) ^ 1) + 1 }

// Negated reports whether o is the negative one of its pair: !=, >=, >, NOT IN, …
func (o Op) Negated() bool { return o%2 == 0 }

// isMatch reports whether o is full-text search, which only a store can do.
func (o Op) isMatch() bool { return o == Match || o == NotMatch }

// arity returns how few and how many arguments o takes; max -1: any number.
func (o Op) arity() (least, most int) {
	switch o {
	case In, NotIn:
		return 0, -1
	case Between, NotBetween:
		return 2, 2
	case IsNull, IsNotNull:
		return 0, 0
	}
	return 1, 1
}

// Agg is an aggregate function.
type Agg uint8

// The aggregate functions. CountAll is count(*), which has no path.
const (
	NoAgg Agg = iota
	CountAll
	Count
	Sum
	Avg
	Min
	Max
)

var aggNames = [...]string{"", "count", "count", "sum", "avg", "min", "max"}

// String returns the function's name, such as "sum".
func (a Agg) String() string { return aggNames[min(int(a), len(aggNames)-1)] }

// Simplify returns e in negation normal form (no Not, its negations driven
// down to the operators), flattened, with the trivial parts folded away. It
// returns nil where e is true of every record. e itself is not changed.
func Simplify(e Expr) Expr { return simplify(e, false) }

func simplify(e Expr, negate bool) Expr {
	switch e := e.(type) {
	case Not:
		return simplify(e.Expr, !negate)
	case *Cond:
		if !negate {
			return e
		}
		c := *e
		c.Op = e.Op.Negate()
		return &c
	case And:
		return join(e, negate, negate)
	case Or:
		return join(e, !negate, negate)
	}
	if negate { // NOT true
		return Or{}
	}
	return nil
}

// join builds the disjunction or conjunction of the simplified parts.
func join(parts []Expr, or, negate bool) Expr {
	var out []Expr
	for _, p := range parts {
		switch p := simplify(p, negate).(type) {
		case nil: // true
			if or {
				return nil
			}
		case And:
			if or {
				out = append(out, p)
			} else {
				out = append(out, p...)
			}
		case Or:
			switch {
			case or:
				out = append(out, p...)
			case len(p) == 0: // AND false
				return p
			default:
				out = append(out, p)
			}
		default:
			out = append(out, p)
		}
	}
	switch {
	case len(out) == 1:
		return out[0]
	case or:
		return Or(out)
	case len(out) == 0:
		return nil
	}
	return And(out)
}

// Conds calls f for every leaf of e until it returns false.
func Conds(e Expr, f func(*Cond) bool) bool {
	all := func(parts []Expr) bool {
		return !slices.ContainsFunc(parts, func(p Expr) bool { return !Conds(p, f) })
	}
	switch e := e.(type) {
	case *Cond:
		return f(e)
	case Not:
		return Conds(e.Expr, f)
	case And:
		return all(e)
	case Or:
		return all(e)
	}
	return true
}
