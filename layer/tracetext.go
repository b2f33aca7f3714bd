package layer

import (
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// operation is db.operation.name of a call: the method, or what a batch's
// writes are if they are all alike.
func operation(c *call) string {
	if c.method != apply {
		return c.method.String()
	}
	name := ""
	for i := range c.batch.Writes {
		switch n := writeName(&c.batch.Writes[i]); {
		case name == "":
			name = n
		case name != n:
			return "BATCH"
		}
	}
	if len(c.batch.Writes) > 1 {
		return "BATCH " + name
	}
	return name
}

func writeName(w *dataknobs.Write) string {
	switch {
	case w.Op == dataknobs.WritePatch:
		return "patch"
	case w.Op == dataknobs.WriteDelete:
		return "delete"
	case w.If == dataknobs.IfAbsent:
		return "create"
	case w.If == dataknobs.IfPresent:
		return "update"
	}
	return "put"
}

// maxIDs bounds how many IDs a span says.
const maxIDs = 10

func idsOf(c *call) []string {
	ids := c.ids
	if c.method == apply {
		for i := range c.batch.Writes[:min(len(c.batch.Writes), maxIDs)] {
			ids = append(ids, c.batch.Writes[i].ID)
		}
	}
	return ids[:min(len(ids), maxIDs)]
}

// maxQueryText bounds db.query.text.
const maxQueryText = 4096

// queryText is what the store is asked, with ? in place of every value; "" if
// that says nothing.
func queryText(c *call) string {
	var b strings.Builder
	switch {
	case c.scan != nil:
		appendScan(&b, c.scan)
	case c.agg != nil:
		appendAggregation(&b, c.agg)
	case c.where != nil:
		appendWhere(&b, c.where)
	}
	text := strings.TrimSpace(b.String())
	if len(text) > maxQueryText {
		return strings.ToValidUTF8(text[:maxQueryText], "") + "…"
	}
	return text
}

func appendScan(b *strings.Builder, s *dataknobs.Scan) {
	appendWhere(b, s.Where)
	for i, o := range s.OrderBy {
		b.WriteString([]string{" ORDER BY ", ", "}[min(i, 1)] + o.Path.String())
		if o.Desc {
			b.WriteString(" DESC")
		}
	}
	if s.HasLimit {
		b.WriteString(" LIMIT " + strconv.Itoa(s.Limit))
	}
	if s.Offset > 0 {
		b.WriteString(" OFFSET " + strconv.Itoa(s.Offset))
	}
}

func appendAggregation(b *strings.Builder, a *dataknobs.Aggregation) {
	for i, c := range a.Columns {
		b.WriteString([]string{"SELECT ", ", "}[min(i, 1)])
		if c.Agg == dataknobs.CountAll {
			b.WriteString("count(*)")
		} else {
			b.WriteString(c.Agg.String() + "(" + c.Path.String() + ")")
		}
	}
	if a.Where != nil {
		b.WriteString(" WHERE ")
		appendWhere(b, a.Where)
	}
	for i, p := range a.GroupBy {
		b.WriteString([]string{" GROUP BY ", ", "}[min(i, 1)] + p.String())
	}
}

// appendWhere writes a condition without its values. Lists are one ?, so that
// their length does not make other texts.
func appendWhere(b *strings.Builder, e dataknobs.Expr) {
	switch e := e.(type) {
	case dataknobs.And:
		appendParts(b, " AND ", e)
	case dataknobs.Or:
		appendParts(b, " OR ", e)
	case dataknobs.Not:
		b.WriteString("NOT ")
		appendParts(b, "", []dataknobs.Expr{e.Expr})
	case *dataknobs.Cond:
		b.WriteString(e.Path.String() + " " + e.Op.String())
		switch e.Op {
		case dataknobs.IsNull, dataknobs.IsNotNull:
		case dataknobs.In, dataknobs.NotIn:
			b.WriteString(" (?)")
		case dataknobs.Between, dataknobs.NotBetween:
			b.WriteString(" ? AND ?")
		default:
			b.WriteString(" ?")
		}
	}
}

func appendParts(b *strings.Builder, word string, parts []dataknobs.Expr) {
	for i, p := range parts {
		if i > 0 {
			b.WriteString(word)
		}
		_, leaf := p.(*dataknobs.Cond)
		if !leaf {
			b.WriteString("(")
		}
		appendWhere(b, p)
		if !leaf {
			b.WriteString(")")
		}
	}
}
