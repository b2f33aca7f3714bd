package sqlgen

import "dataknobs.dev/dataknobs"

// A subject is the value at one path, as SQL sees it. What its methods return
// is true exactly where the condition is; elsewhere it is false or NULL.
type subject interface {
	notNull() string
	isNull() string
	// equal is = v, in is = one of vs; v is not null.
	equal(v dataknobs.Value) answer
	in(vs []dataknobs.Value) answer
	span(s span) answer
	// text returns the text of a string value, in byte order, and the condition
	// that the value is a string ("": it always is). The answer is exact, or
	// says why not, or, being rough, what to ask instead.
	text() (text, isString string, a answer)
	// isArray and contains are about the elements of an array.
	isArray() string
	contains(v dataknobs.Value) answer
}

// A prefixer has an index that finds strings by what they begin with.
type prefixer interface {
	prefix(from, to string) string // from <= the string < to; "" is no bound
}

// Filter says how exactly the database evaluates one condition.
func (t *Table) Filter(c *dataknobs.Cond) dataknobs.Support {
	b := &builder{t: t}
	return b.cond(c).Support
}

// cond returns one condition in SQL.
func (b *builder) cond(c *dataknobs.Cond) answer {
	if c.Agg != dataknobs.NoAgg {
		return refuse("it is about an aggregate")
	}
	if c.Op == dataknobs.Match || c.Op == dataknobs.NotMatch {
		return refuse("this program uses no full-text index of the database")
	}
	if why := b.refused(c.Args); why != "" {
		return refuse(why)
	}
	s, why := b.subject(c.Path)
	if why != "" {
		return refuse(why)
	}
	mark := len(b.args)
	a := b.ask(s, c)
	if a.none() || a.sql == never || a.sql == always {
		b.args = b.args[:mark]
	}
	return a
}

// maxList is how long an IN may be; SQLite has so many parameters.
const maxList = 10000

// refused says why constants cannot be sent to the database; "" if they can.
func (b *builder) refused(args []dataknobs.Value) string {
	if len(args) > maxList {
		return "the list is long"
	}
	for _, v := range args {
		if !storable(v) {
			return "the database cannot hold the constant " + v.String()
		}
	}
	return ""
}

// storable reports whether a value can be in a record: its texts are UTF-8
// without NUL, its times within the years 1 to 9999.
func storable(v dataknobs.Value) bool {
	switch v.Kind() {
	case dataknobs.KindString:
		return sayable(v.Str())
	case dataknobs.KindTime:
		year := v.Time().Year()
		return year >= 1 && year <= 9999
	case dataknobs.KindArray:
		for e := range v.Elems() {
			if !storable(e) {
				return false
			}
		}
	case dataknobs.KindObject:
		for name, e := range v.All() {
			if !sayable(name) || !storable(e) {
				return false
			}
		}
	}
	return true
}

func (b *builder) ask(s subject, c *dataknobs.Cond) answer {
	var arg dataknobs.Value
	if len(c.Args) > 0 {
		arg = c.Args[0]
	}
	switch c.Op {
	case dataknobs.IsNull:
		return exact(s.isNull())
	case dataknobs.IsNotNull:
		return exact(s.notNull())
	case dataknobs.Eq:
		return s.equal(arg)
	case dataknobs.Ne:
		return b.not(s, func() answer { return s.equal(arg) })
	case dataknobs.In:
		return s.in(c.Args)
	case dataknobs.NotIn:
		return b.not(s, func() answer { return s.in(c.Args) })
	case dataknobs.Lt, dataknobs.Le, dataknobs.Gt, dataknobs.Ge:
		return spanned(s, spanOf(c.Op, arg))
	case dataknobs.Between:
		return spanned(s, between(arg, c.Args[1]))
	case dataknobs.NotBetween:
		return or([]answer{spanned(s, spanOf(dataknobs.Lt, arg)), spanned(s, spanOf(dataknobs.Gt, c.Args[1]))})
	case dataknobs.Contains:
		return s.contains(arg)
	case dataknobs.NotContains:
		return b.notContains(s, arg)
	}
	return b.stringOp(s, c.Op, arg.Str())
}

// not is the negation of a condition that is unknown of null only.
func (b *builder) not(s subject, positive func() answer) answer {
	mark := len(b.args)
	a := positive()
	switch {
	case a.none():
		return a
	case !a.exact():
		b.args = b.args[:mark]
		return rough(s.notNull(), a.Reason)
	case a.sql == never:
		return exact(s.notNull())
	}
	return exact(and(s.notNull(), "("+a.sql+") IS NOT TRUE"))
}

func (b *builder) notContains(s subject, v dataknobs.Value) answer {
	mark := len(b.args)
	a, is := s.contains(v), s.isArray()
	switch {
	case is == "":
		return exact(never)
	case a.none():
		return a
	case !a.exact():
		b.args = b.args[:mark]
		return rough(is, a.Reason)
	case a.sql == never:
		return exact(is)
	}
	return exact(and(is, "("+a.sql+") IS NOT TRUE"))
}

// stringOp is one of the operators that look inside a string.
func (b *builder) stringOp(s subject, op dataknobs.Op, pattern string) answer {
	text, isString, a := s.text()
	if text == "" {
		return a
	}
	mark, positive := len(b.args), op
	if op.Negated() {
		positive = op.Negate()
	}
	m := b.match(text, positive, pattern)
	if !a.exact() && !m.none() {
		m.Support = a.Support
	}
	switch {
	case m.none():
		return m
	case op.Negated() && !m.exact():
		b.args = b.args[:mark]
		return rough(and(isString, s.notNull()), m.Reason)
	case op.Negated() && isString == "":
		m.sql = "NOT (" + m.sql + ")"
		return m
	case op.Negated():
		m.sql = and(isString, "NOT ("+m.sql+")")
		return m
	}
	m.sql = and(b.indexedPrefix(s, positive, pattern), m.sql, isString)
	return m
}

// indexedPrefix narrows a search down to the strings that begin as the
// pattern does, where an index finds them.
func (b *builder) indexedPrefix(s subject, op dataknobs.Op, pattern string) string {
	p, ok := s.(prefixer)
	if !ok {
		return ""
	}
	from := pattern
	switch op {
	case dataknobs.Like:
		from = parseLike(pattern).prefix()
	case dataknobs.Matches:
		from = parseRegexp(pattern).prefix
	case dataknobs.ILike:
		return ""
	}
	if from == "" {
		return ""
	}
	return p.prefix(from, after(from))
}

// A class is the values that compare with each other.
type class uint8

const (
	classBool class = iota + 1
	classNumber
	classTime
	classString
	classBytes
	classNone // arrays and objects, which have no < or >
)

func classOf(v dataknobs.Value) class {
	switch v.Kind() {
	case dataknobs.KindBool:
		return classBool
	case dataknobs.KindInt, dataknobs.KindFloat:
		return classNumber
	case dataknobs.KindTime:
		return classTime
	case dataknobs.KindString:
		return classString
	case dataknobs.KindBytes:
		return classBytes
	}
	return classNone
}

// A span is an interval of the values of one class.
type span struct {
	class          class
	lo, hi         dataknobs.Value // null: no bound
	loOpen, hiOpen bool
}

func spanOf(op dataknobs.Op, v dataknobs.Value) span {
	s := span{class: classOf(v)}
	if op == dataknobs.Gt || op == dataknobs.Ge {
		s.lo, s.loOpen = v, op == dataknobs.Gt
	} else {
		s.hi, s.hiOpen = v, op == dataknobs.Lt
	}
	return s
}

func between(lo, hi dataknobs.Value) span {
	s := span{class: classOf(lo), lo: lo, hi: hi}
	if classOf(hi) != s.class {
		s.class = classNone
	}
	return s
}

// spanned is the condition of being inside a span; there is no span of arrays,
// objects, or from one class to another.
func spanned(s subject, in span) answer {
	if in.class == classNone {
		return exact(never)
	}
	return s.span(in)
}

// bounds returns the comparisons of x with the ends of a span, whose
// parameters param makes.
func (s span) bounds(x string, param func(dataknobs.Value) string) (lo, hi string) {
	if !s.lo.IsNull() {
		op := " >= "
		if s.loOpen {
			op = " > "
		}
		lo = x + op + param(s.lo)
	}
	if !s.hi.IsNull() {
		op := " <= "
		if s.hiOpen {
			op = " < "
		}
		hi = x + op + param(s.hi)
	}
	return lo, hi
}

// has reports whether a bool is inside a span of bools, or a number inside one of numbers.
func (s span) has(v dataknobs.Value) bool {
	if c := v.Compare(s.lo); !s.lo.IsNull() && (c < 0 || c == 0 && s.loOpen) {
		return false
	}
	c := v.Compare(s.hi)
	return s.hi.IsNull() || c < 0 || c == 0 && !s.hiOpen
}
