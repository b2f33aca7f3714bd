package dataknobs

// P returns the path that the text names, such as P("address.city"), to build
// a condition from: P("age").Gt(30). It panics if the text is no path, which
// is a programmer's mistake: use [ParsePath] for input, and [Names] for names
// to be taken literally.
func P(text string) Path {
	p, err := ParsePath(text)
	if err != nil {
		panic("dataknobs: " + err.Error())
	}
	return p
}

// cond returns a condition with those constants, converted as by ValueOf. What
// cannot be converted is reported by Query.Check.
func (p Path) cond(op Op, xs ...any) Expr {
	c := &Cond{Path: p, Op: op}
	for _, x := range xs {
		v, err := ValueOf(x)
		if err != nil && c.err == nil {
			c.err = err
		}
		c.Args = append(c.Args, v)
	}
	return c
}

// condIn returns a condition on a list; a slice among xs is all of its elements.
func (p Path) condIn(op Op, xs []any) Expr {
	c := &Cond{Path: p, Op: op, Args: []Value{}}
	for _, x := range xs {
		v, err := listArg(x)
		switch {
		case err != nil:
			c.err = err
		case v.kind == KindArray:
			c.Args = append(c.Args, v.rawArray()...)
		default:
			c.Args = append(c.Args, v)
		}
	}
	return c
}

// Eq returns the condition p = x. Here and below, x is converted as by
// [ValueOf]; a value that cannot be, and null, is an error of Query.Check.
func (p Path) Eq(x any) Expr { return p.cond(Eq, x) }

// Ne returns the condition p != x.
func (p Path) Ne(x any) Expr { return p.cond(Ne, x) }

// Lt returns the condition p < x.
func (p Path) Lt(x any) Expr { return p.cond(Lt, x) }

// Le returns the condition p <= x.
func (p Path) Le(x any) Expr { return p.cond(Le, x) }

// Gt returns the condition p > x.
func (p Path) Gt(x any) Expr { return p.cond(Gt, x) }

// Ge returns the condition p >= x.
func (p Path) Ge(x any) Expr { return p.cond(Ge, x) }

// In returns the condition p IN (xs…). A slice among xs stands for its
// elements, so In(names) and In("a", "b") both work; nothing at all is the
// empty list, in which no value is.
func (p Path) In(xs ...any) Expr { return p.condIn(In, xs) }

// NotIn returns the condition p NOT IN (xs…); see [Path.In].
func (p Path) NotIn(xs ...any) Expr { return p.condIn(NotIn, xs) }

// Between returns the condition p BETWEEN a AND b, both included.
func (p Path) Between(a, b any) Expr { return p.cond(Between, a, b) }

// NotBetween returns the condition p NOT BETWEEN a AND b.
func (p Path) NotBetween(a, b any) Expr { return p.cond(NotBetween, a, b) }

// Like returns the condition p LIKE pattern: the whole text, where % is any
// run of characters, _ is one, and \ takes the next character literally.
func (p Path) Like(pattern string) Expr { return p.cond(Like, pattern) }

// NotLike returns the condition p NOT LIKE pattern.
func (p Path) NotLike(pattern string) Expr { return p.cond(NotLike, pattern) }

// ILike returns the condition p ILIKE pattern: Like, case aside.
func (p Path) ILike(pattern string) Expr { return p.cond(ILike, pattern) }

// NotILike returns the condition p NOT ILIKE pattern.
func (p Path) NotILike(pattern string) Expr { return p.cond(NotILike, pattern) }

// StartsWith returns the condition p STARTS WITH prefix.
func (p Path) StartsWith(prefix string) Expr { return p.cond(StartsWith, prefix) }

// NotStartsWith returns the condition p NOT STARTS WITH prefix.
func (p Path) NotStartsWith(prefix string) Expr { return p.cond(NotStartsWith, prefix) }

// Matches returns the condition p MATCHES pattern: the regular expression, in
// the syntax of the package regexp, matches somewhere in the text.
func (p Path) Matches(pattern string) Expr { return p.cond(Matches, pattern) }

// NotMatches returns the condition p NOT MATCHES pattern.
func (p Path) NotMatches(pattern string) Expr { return p.cond(NotMatches, pattern) }

// Match returns the condition p MATCH words: the field's text has all of the
// words, as the store's full-text search sees them. Stores without one refuse
// it with Unsupported.
func (p Path) Match(words string) Expr { return p.cond(Match, words) }

// NotMatch returns the condition p NOT MATCH words; see [Path.Match].
func (p Path) NotMatch(words string) Expr { return p.cond(NotMatch, words) }

// Contains returns the condition p CONTAINS x: one of the array's elements = x.
func (p Path) Contains(x any) Expr { return p.cond(Contains, x) }

// NotContains returns the condition p NOT CONTAINS x.
func (p Path) NotContains(x any) Expr { return p.cond(NotContains, x) }

// IsNull returns the condition p IS NULL, which an absent field satisfies too.
func (p Path) IsNull() Expr { return p.cond(IsNull) }

// IsNotNull returns the condition p IS NOT NULL.
func (p Path) IsNotNull() Expr { return p.cond(IsNotNull) }

// Asc returns the sort key p, ascending, nulls last.
func (p Path) Asc() Order { return Order{Path: p} }

// Desc returns the sort key p, descending, nulls last.
func (p Path) Desc() Order { return Order{Path: p, Desc: true} }

// NullsFirst returns the key with nulls sorted first.
func (o Order) NullsFirst() Order {
	o.Nulls = NullsFirst
	return o
}

// AllOf returns the condition that all of es are true; of none, that is true.
func AllOf(es ...Expr) Expr { return And(es) }

// AnyOf returns the condition that one of es is true; of none, that is false.
func AnyOf(es ...Expr) Expr { return Or(es) }

// Negate returns the condition NOT e: false where e is true, and unknown
// where e is unknown.
func Negate(e Expr) Expr { return Not{e} }

// A Builder builds a [Query], clause by clause, in any order:
//
//	q := dataknobs.Select("carrier", "count(*) AS n").
//		Where(dataknobs.P("dep_delay").Gt(120)).
//		GroupBy("carrier").
//		OrderBy("n DESC").
//		Limit(10).
//		Query()
//
// Text that cannot be read is an error of the finished query's Check, which
// whatever runs the query reports. The zero Builder builds the query for every
// record. Its methods change it and return it.
type Builder struct{ q Query }

// Select starts a query for those columns: see [Builder.Select].
func Select(items ...string) *Builder { return new(Builder).Select(items...) }

// Where starts a query for the records that meet all of the conditions; for
// every record, if there are none.
func Where(es ...Expr) *Builder { return new(Builder).Where(es...) }

// Query returns the query built so far. Building on does not change it.
func (b *Builder) Query() *Query {
	q := b.q
	return &q
}

func (b *Builder) fail(err error) {
	if b.q.err == nil {
		b.q.err = err
	}
}

// added returns list and what read makes of the texts, in new memory.
func added[T any](b *Builder, list []T, texts []string, read func(string) (T, error)) []T {
	out := append(make([]T, 0, len(list)+len(texts)), list...)
	for _, text := range texts {
		x, err := read(text)
		if err != nil {
			b.fail(err)
		}
		out = append(out, x)
	}
	return out
}

// Select adds columns, each as the text of an item of SELECT: "name",
// "address.city AS city", "count(*)".
func (b *Builder) Select(items ...string) *Builder {
	b.q.Select = added(b, b.q.Select, items, parseColumn)
	return b
}

// Where adds conditions, all of which must be true, those of earlier calls included.
func (b *Builder) Where(es ...Expr) *Builder {
	b.q.Where = both(b.q.Where, es)
	return b
}

// WhereText is Where for a condition as text, with the values of its
// parameters: see [Parse].
func (b *Builder) WhereText(text string, args ...any) *Builder {
	e, err := ParseExpr(text, args...)
	if err != nil {
		b.fail(err)
		return b
	}
	return b.Where(e)
}

// both returns the condition that old and all of es are true.
func both(old Expr, es []Expr) Expr {
	all := And{}
	if a, ok := old.(And); ok {
		all = append(all, a...)
	} else if old != nil {
		all = append(all, old)
	}
	for _, e := range es {
		if e != nil {
			all = append(all, e)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// GroupBy adds paths whose values make a group.
func (b *Builder) GroupBy(paths ...string) *Builder {
	b.q.GroupBy = added(b, b.q.GroupBy, paths, ParsePath)
	return b
}

// Having adds a condition on groups as text, such as "count(*) > ?", with the
// values of its parameters.
func (b *Builder) Having(text string, args ...any) *Builder {
	e, err := parseHaving(text, args)
	if err != nil {
		b.fail(err)
		return b
	}
	b.q.Having = both(b.q.Having, []Expr{e})
	return b
}

// OrderBy adds sort keys, each as the text of an item of ORDER BY: "age",
// "age DESC NULLS FIRST", "count(*)".
func (b *Builder) OrderBy(items ...string) *Builder {
	b.q.OrderBy = added(b, b.q.OrderBy, items, parseOrder)
	return b
}

// Sort adds sort keys: Sort(P("age").Desc()).
func (b *Builder) Sort(os ...Order) *Builder {
	b.q.OrderBy = append(append([]Order{}, b.q.OrderBy...), os...)
	return b
}

// Limit asks for at most n results, 0 included.
func (b *Builder) Limit(n int) *Builder {
	b.q.Limit = &n
	return b
}

// Offset leaves out the first n results.
func (b *Builder) Offset(n int) *Builder {
	b.q.Offset = n
	return b
}

// After continues after the record for which the cursor token was made.
func (b *Builder) After(token string) *Builder {
	b.q.After = token
	return b
}
