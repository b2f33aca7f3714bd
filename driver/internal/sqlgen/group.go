package sqlgen

import (
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A reader makes one value of a group out of its cells of the row.
type reader struct {
	cells int
	// read is false where the cells cannot say the value exactly.
	read func(cells []any) (v dataknobs.Value, exact bool, err error)
}

// A grouping is an aggregation as SQL.
type grouping struct {
	*selection
	readers []reader
	keys    int
	// inner are values in JSON that a subquery takes out once, since the outer
	// expressions use each of them several times.
	inner []string
	known map[string]subject // the subjects at inner, by path
	nest  bool
}

// CanAggregate says whether the database can do that aggregation. Where it
// says Exact, a group may still turn out not to be, which [Statement.Group] tells.
func (t *Table) CanAggregate(a *dataknobs.Aggregation) dataknobs.Support {
	if _, why := t.grouping(a); why != "" {
		return none(why)
	}
	return dataknobs.Support{Fidelity: dataknobs.Exact}
}

func (t *Table) grouping(a *dataknobs.Aggregation) (*grouping, string) {
	s, err := t.selection()
	if err != nil {
		return nil, err.Error()
	}
	g := &grouping{selection: s, keys: len(a.GroupBy), known: map[string]subject{}, nest: nests(a)}
	for _, p := range a.GroupBy {
		if why := g.key(p); why != "" {
			return nil, why
		}
	}
	for _, c := range a.Columns {
		if why := g.column(c); why != "" {
			return nil, why
		}
	}
	return g, ""
}

// nests reports whether an aggregate looks at its values more than once.
func nests(a *dataknobs.Aggregation) bool {
	for _, c := range a.Columns {
		if c.Agg != dataknobs.CountAll && c.Agg != dataknobs.Count {
			return true
		}
	}
	return false
}

// subject is what stands at a path: inside JSON, what the subquery took out.
func (g *grouping) subject(p dataknobs.Path) (subject, string) {
	if s := g.known[p.String()]; s != nil {
		return s, ""
	}
	s, why := g.selection.subject(p)
	if why != "" || !g.nest {
		return s, why
	}
	switch x := s.(type) {
	case *pgIndexed:
		s = g.outPostgres(x.pgJSON)
	case *pgJSON:
		s = g.outPostgres(x)
	case *liteIndexed:
		s = g.outLite(x.liteJSON)
	case *liteJSON:
		s = g.outLite(x)
	}
	g.known[p.String()] = s
	return s, ""
}

// out adds an expression to the subquery and returns its name there.
func (g *grouping) out(expr string) string {
	name := `"dk ` + strconv.Itoa(len(g.inner)+1) + `"`
	g.inner = append(g.inner, expr+" AS "+name)
	return name
}

func (g *grouping) outPostgres(s *pgJSON) *pgJSON {
	at := s.jsonPath
	at.json = g.out(s.json)
	at.str = "(" + at.json + " #>> '{}')"
	return &pgJSON{at}
}

func (g *grouping) outLite(s *liteJSON) *liteJSON {
	out := &liteJSON{jsonPath: s.jsonPath, typName: g.out(s.typ()), valueName: g.out(s.value())}
	out.base, out.at = out.valueName, "$" // which is looked into where it is an object
	return out
}

// source is the table, or the subquery of what is taken out of it.
func (g *grouping) source(where string) string {
	if len(g.inner) == 0 {
		if where != "" {
			return g.from + " WHERE " + where
		}
		return g.from
	}
	sql := "(SELECT *, " + strings.Join(g.inner, ", ") + " FROM " + g.from
	if where != "" {
		sql += " WHERE " + where
	}
	if g.lite() { // a limit keeps the database from putting the expressions back
		return sql + " LIMIT -1) AS dk"
	}
	return sql + " OFFSET 0) AS dk"
}

// Groups returns the statement of an aggregation: one row for each group.
func (t *Table) Groups(a *dataknobs.Aggregation) (*Statement, error) {
	g, why := t.grouping(a)
	if why != "" {
		return nil, dataknobs.Errorf(dataknobs.Internal, "the database cannot aggregate so: %s", why)
	}
	where, err := g.where(a.Where)
	if err != nil {
		return nil, err
	}
	var by []string
	n := 0
	for _, r := range g.readers[:g.keys] {
		for range r.cells {
			n++
			by = append(by, strconv.Itoa(n))
		}
	}
	if len(g.list) == 0 { // nothing but nulls is asked for
		g.add("count(*)", Output{Is: OutGroup})
	}
	sql := "SELECT " + strings.Join(g.list, ", ") + " FROM " + g.source(where)
	if len(by) > 0 {
		sql += " GROUP BY " + strings.Join(by, ", ")
	} else if g.keys > 0 { // keys that are always null make no group of nothing
		sql += " HAVING count(*) > 0"
	}
	st := g.statement(sql)
	st.groups = g
	return st, nil
}

// Group turns a row of a statement of Groups into a group. Each of row is nil,
// bool, int64, float64, string or []byte; JSON and numeric come as their text.
// It is false where the row cannot say the group exactly: then the
// aggregation ends with dataknobs.ErrInexact.
func (st *Statement) Group(row []any) (g dataknobs.Group, exact bool, err error) {
	at := 0
	for i, r := range st.groups.readers {
		if len(row) < at+r.cells {
			return g, false, dataknobs.Errorf(dataknobs.Internal, "the database sent %d cells for a group; more were asked for", len(row))
		}
		v, ok, err := r.read(row[at : at+r.cells])
		if err != nil || !ok {
			return g, false, err
		}
		at += r.cells
		if i < st.groups.keys {
			g.Keys = append(g.Keys, v)
		} else {
			g.Values = append(g.Values, v)
		}
	}
	return g, true, nil
}

// put adds cells and how they are read.
func (g *grouping) put(read func([]any) (dataknobs.Value, bool, error), exprs ...string) {
	for _, e := range exprs {
		g.add(e, Output{Is: OutGroup})
	}
	g.readers = append(g.readers, reader{len(exprs), read})
}

func readNull([]any) (dataknobs.Value, bool, error) { return dataknobs.Value{}, true, nil }

// key adds a path to group by.
func (g *grouping) key(p dataknobs.Path) string {
	s, why := g.subject(p)
	if why != "" {
		return why
	}
	switch s := s.(type) {
	case nullSubject:
		g.put(readNull)
	case *textSubject:
		g.put(readString, s.expr)
	case *pgJSON:
		return g.pgKey(s)
	case *pgIndexed:
		return g.pgKey(s.pgJSON)
	case *liteJSON:
		return g.liteKey(s)
	case *liteIndexed:
		return g.liteKey(s.liteJSON)
	case *pgColumn:
		g.put(s.col.readPostgres, s.shown(s.x))
	case *liteColumn:
		if s.isTime() && !s.col.Checked {
			return whyLiteTime
		}
		g.put(s.col.readLite, s.texts())
	default:
		return "the database does not group by it"
	}
	return ""
}

func (g *grouping) pgKey(s *pgJSON) string {
	if !s.tagged {
		return whyPlain
	}
	g.put(readJSON, "NULLIF("+s.json+", 'null')")
	return ""
}

func (g *grouping) liteKey(s *liteJSON) string {
	if !s.tagged {
		return whyPlain
	}
	g.put(readRanked, s.rank(), s.sortValue())
	return ""
}

// column adds an aggregate.
func (g *grouping) column(c dataknobs.Column) string {
	if c.Agg == dataknobs.CountAll {
		g.put(readInt, "count(*)")
		return ""
	}
	s, why := g.subject(c.Path)
	if why != "" {
		return why
	}
	if _, ok := s.(nullSubject); ok {
		g.putNothing(c.Agg)
		return ""
	}
	switch c.Agg {
	case dataknobs.Count:
		return g.count(s)
	case dataknobs.Sum, dataknobs.Avg:
		return g.sum(c, s)
	case dataknobs.Min, dataknobs.Max:
		return g.extreme(c.Agg, s)
	}
	return "the aggregate is not known"
}

// putNothing adds an aggregate of no values.
func (g *grouping) putNothing(a dataknobs.Agg) {
	if a != dataknobs.Count {
		g.put(readNull)
		return
	}
	g.put(func([]any) (dataknobs.Value, bool, error) { return dataknobs.Int(0), true, nil })
}

func (g *grouping) count(s subject) string {
	switch s := s.(type) {
	case *textSubject:
		g.put(readInt, "count(*)")
	case *pgJSON:
		g.put(readInt, "count("+s.str+")")
	case *pgIndexed:
		g.put(readInt, "count("+s.str+")")
	case *liteJSON:
		g.put(readInt, "count("+s.value()+")")
	case *liteIndexed:
		g.put(readInt, "count("+s.value()+")")
	case *pgColumn:
		g.put(readInt, "count("+s.x+")")
	case *liteColumn:
		g.put(readInt, "count("+s.x+")")
	case *pgArray:
		g.put(readInt, "count("+s.x+")")
	}
	return ""
}

// shown is an expression of the column's type in a text form that does not
// depend on the session's settings.
func (s *pgColumn) shown(x string) string {
	switch s.col.Type {
	case Date, Timestamp:
		return pgShownTime(x)
	case TimestampTZ:
		return pgShownTime("(" + x + " AT TIME ZONE 'UTC')")
	case Bytes:
		return "encode(" + x + ", 'hex')"
	case UUID, Enum, Other:
		return "(" + x + ")::text"
	case Float: // the text of a real is that of fewer digits
		return "(" + x + ")::float8"
	}
	return x
}

// pgShownTime is NULL of null, and of infinity a text that is no time.
func pgShownTime(x string) string {
	return "CASE WHEN NOT isfinite(" + x + ") THEN 'infinity' ELSE to_char(" + x + `, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || CASE WHEN extract(year FROM ` + x + ") NOT BETWEEN 1 AND 9999 THEN '?' ELSE '' END END"
}
