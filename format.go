package dataknobs

import "strconv"

// String prints q as a query text that [Parse] reads as the same query: one
// line, keywords in capitals, parentheses only where they are needed. After
// has no text, so it is left out.
func (q *Query) String() string { return string(q.AppendText(nil)) }

// AppendText appends what String returns to b.
func (q *Query) AppendText(b []byte) []byte {
	start := len(b)
	clause := func(word string) {
		if len(b) > start {
			b = append(b, ' ')
		}
		b = append(b, word...)
		b = append(b, ' ')
	}
	if len(q.Select) > 0 {
		clause("SELECT")
		b = appendList(b, q.Select, appendColumn)
	}
	if q.Where != nil {
		clause("WHERE")
		b = AppendExpr(b, q.Where)
	}
	if len(q.GroupBy) > 0 {
		clause("GROUP BY")
		b = appendList(b, q.GroupBy, func(b []byte, p Path) []byte { return p.AppendText(b) })
	}
	if q.Having != nil {
		clause("HAVING")
		b = AppendExpr(b, q.Having)
	}
	if len(q.OrderBy) > 0 {
		clause("ORDER BY")
		b = appendList(b, q.OrderBy, appendOrder)
	}
	if q.Limit != nil {
		clause("LIMIT")
		b = strconv.AppendInt(b, int64(*q.Limit), 10)
	}
	if q.Offset != 0 {
		clause("OFFSET")
		b = strconv.AppendInt(b, int64(q.Offset), 10)
	}
	return b
}

func appendList[T any](b []byte, xs []T, item func([]byte, T) []byte) []byte {
	for i, x := range xs {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = item(b, x)
	}
	return b
}

// Name returns the name of the column in the output: As, or the path or
// aggregate as the query language prints it, such as "avg(dep_delay)".
func (c Column) Name() string {
	if c.As != "" {
		return c.As
	}
	return columnText(c.Path, c.Agg)
}

// String prints the column as an item of SELECT.
func (c Column) String() string { return string(appendColumn(nil, c)) }

// String prints the key as an item of ORDER BY.
func (o Order) String() string { return string(appendOrder(nil, o)) }

func columnText(p Path, agg Agg) string { return string(appendTerm(nil, p, agg)) }

// appendTerm appends a path, or an aggregate of one.
func appendTerm(b []byte, p Path, agg Agg) []byte {
	if agg == NoAgg {
		return p.AppendText(b)
	}
	b = append(b, agg.String()...)
	b = append(b, '(')
	if agg == CountAll {
		b = append(b, '*')
	} else {
		b = p.AppendText(b)
	}
	return append(b, ')')
}

func appendColumn(b []byte, c Column) []byte {
	b = appendTerm(b, c.Path, c.Agg)
	if c.As != "" {
		b = append(b, " AS "...)
		b = appendName(b, c.As)
	}
	return b
}

func appendOrder(b []byte, o Order) []byte {
	b = appendTerm(b, o.Path, o.Agg)
	if o.Desc {
		b = append(b, " DESC"...)
	}
	if o.Nulls == NullsFirst {
		b = append(b, " NULLS FIRST"...)
	}
	return b
}

// AppendExpr appends e as a condition of the query language to b; nil, which
// is true of every record, as TRUE.
func AppendExpr(b []byte, e Expr) []byte { return appendPart(b, e, bindsOr) }

// How tight the parts of a condition bind: a part is put in parentheses where
// it binds less tightly than its place asks for.
const (
	bindsOr = iota
	bindsAnd
	bindsNot
	bindsMost
)

func appendPart(b []byte, e Expr, place int) []byte {
	switch e := e.(type) {
	case *Cond:
		return e.appendText(b)
	case And:
		return appendJoined(b, e, " AND ", "TRUE", bindsAnd, place)
	case Or:
		return appendJoined(b, e, " OR ", "FALSE", bindsOr, place)
	case Not:
		return appendPart(append(b, "NOT "...), e.Expr, bindsNot)
	}
	return append(b, "TRUE"...)
}

func appendJoined(b []byte, parts []Expr, word, empty string, binds, place int) []byte {
	switch len(parts) {
	case 0:
		return append(b, empty...)
	case 1:
		return appendPart(b, parts[0], place)
	}
	if binds < place {
		b = append(b, '(')
	}
	for i, p := range parts {
		if i > 0 {
			b = append(b, word...)
		}
		b = appendPart(b, p, binds+1) // a part that is joined likewise keeps its parentheses
	}
	if binds < place {
		b = append(b, ')')
	}
	return b
}

func (c *Cond) appendText(b []byte) []byte {
	b = appendTerm(b, c.Path, c.Agg)
	b = append(b, ' ')
	b = append(b, c.Op.String()...)
	switch c.Op {
	case In, NotIn:
		b = append(b, " ("...)
		b = appendList(b, c.Args, func(b []byte, v Value) []byte { return v.AppendText(b) })
		return append(b, ')')
	case Between, NotBetween:
		for i, v := range c.Args {
			if i > 0 {
				b = append(b, " AND"...)
			}
			b = append(b, ' ')
			b = v.AppendText(b)
		}
		return b
	}
	for _, v := range c.Args {
		b = append(b, ' ')
		b = v.AppendText(b)
	}
	return b
}

// String prints the condition in the query language.
func (e And) String() string { return string(AppendExpr(nil, e)) }

// String prints the condition in the query language.
func (e Or) String() string { return string(AppendExpr(nil, e)) }

// String prints the condition in the query language.
func (e Not) String() string { return string(AppendExpr(nil, e)) }

// String prints the condition in the query language.
func (c *Cond) String() string { return string(AppendExpr(nil, c)) }
