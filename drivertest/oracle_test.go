package drivertest

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the independent implementation

	"dataknobs.dev/dataknobs"
)

// An oracle asks the same of a memory store and of SQLite, where the meanings
// coincide: columns of one kind each, with nulls; every comparison with a
// constant of the column's own kind; text in binary collation.
type oracle struct {
	*rand.Rand
	*subject
	sql *sql.DB
}

// An oracleColumn has values of one kind, from a small domain.
type oracleColumn struct {
	name   string
	domain []any
}

var oracleColumns = []oracleColumn{
	{"i", []any{int64(0), int64(1), int64(-1), int64(2), int64(7), int64(1 << 53), int64(1<<53 + 1), int64(-1<<53 - 1)}},
	{"f", []any{0.0, 1.0, -0.5, 2.0, 7.25, 9007199254740992.0, 1e-7, -3.0}},
	{"s", []any{"", "a", "A", "ab", "aB", "a%b", "a_b", `a\b`, "é", "日本", "😀x", "\uffee", "z", "Z", " a", "a\nb"}},
	{"g", []any{int64(1), int64(2), int64(3)}},
	{"t", []any{"x", "y", "X"}},
}

func TestSQLiteOracle(t *testing.T) {
	stores, queries := 40, 500
	if testing.Short() {
		stores, queries = 3, 150
	}
	asked := 0
	for seed := range uint64(stores) {
		o := newOracle(t, seed+1)
		for range queries {
			if o.IntN(3) == 0 {
				o.group()
			} else {
				o.records()
			}
			if asked++; t.Failed() {
				t.Fatalf("seed %d", seed+1)
			}
		}
	}
	t.Logf("%d queries agree", asked)
}

func newOracle(t *testing.T, seed uint64) *oracle {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	h := &Harness{Open: openMemory}
	o := &oracle{Rand: rand.New(rand.NewPCG(seed, 1)), subject: h.subject(t), sql: db}
	o.exec("PRAGMA case_sensitive_like = ON")
	o.exec("CREATE TABLE r (id TEXT PRIMARY KEY, i INTEGER, f REAL, s TEXT, g INTEGER, t TEXT)")
	var recs []*dataknobs.Record
	for n := range 20 + o.IntN(100) {
		r := rec(fmt.Sprintf("r%03d", n))
		row := []any{r.ID, nil, nil, nil, nil, nil}
		for k, c := range oracleColumns {
			if o.IntN(5) > 0 {
				row[k+1] = c.domain[o.IntN(len(c.domain))]
				r.Fields = append(r.Fields, dataknobs.F(c.name, row[k+1]))
			} else if o.IntN(2) == 0 {
				r.Fields = append(r.Fields, dataknobs.F(c.name, nil))
			}
		}
		o.exec("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?)", row...)
		recs = append(recs, r)
	}
	o.fill(recs)
	return o
}

func (o *oracle) exec(text string, args ...any) {
	_, err := o.sql.Exec(text, args...)
	o.must(err, "%s", text)
}

// A sqlText is SQL with its arguments.
type sqlText struct {
	strings.Builder
	args []any
}

func (q *sqlText) add(text string, args ...any) {
	q.WriteString(text)
	q.args = append(q.args, args...)
}

// expr returns a random condition and writes the same one in SQL.
func (o *oracle) expr(depth int, q *sqlText, leaf func(*sqlText) dataknobs.Expr) dataknobs.Expr {
	if depth == 0 || o.IntN(3) == 0 {
		return leaf(q)
	}
	if o.IntN(4) == 0 {
		q.add("NOT (")
		e := o.expr(depth-1, q, leaf)
		q.add(")")
		return dataknobs.Not{Expr: e}
	}
	word, neutral := " AND ", "1"
	if o.IntN(2) == 0 {
		word, neutral = " OR ", "0"
	}
	q.add("(" + neutral)
	var parts []dataknobs.Expr
	for range o.IntN(4) {
		q.add(word)
		parts = append(parts, o.expr(depth-1, q, leaf))
	}
	q.add(")")
	if neutral == "1" {
		return dataknobs.And(parts)
	}
	return dataknobs.Or(parts)
}

func (o *oracle) column() oracleColumn { return oracleColumns[o.IntN(len(oracleColumns))] }

// constant is a value to compare c with; a number may be of the other kind.
func (o *oracle) constant(c oracleColumn) any {
	x := c.domain[o.IntN(len(c.domain))]
	if i, ok := x.(int64); ok && o.IntN(5) == 0 {
		return float64(i) + []float64{0, 0.5}[o.IntN(2)]
	}
	if f, ok := x.(float64); ok && f == float64(int64(f)) && o.IntN(4) == 0 {
		return int64(f) + int64(o.IntN(2))
	}
	return x
}

var oracleOps = []dataknobs.Op{dataknobs.Eq, dataknobs.Ne, dataknobs.Lt, dataknobs.Le, dataknobs.Gt, dataknobs.Ge}

func (o *oracle) cond(q *sqlText) dataknobs.Expr {
	c := o.column()
	if _, text := c.domain[0].(string); text && o.IntN(2) == 0 {
		return o.textCond(c, q)
	}
	return o.compare(c.name, c.name, func() any { return o.constant(c) }, q)
}

// compare returns a comparison of the field with constants. column is the
// field, or an aggregate of it, in SQL.
func (o *oracle) compare(field, column string, constant func() any, q *sqlText) *dataknobs.Cond {
	switch not := o.IntN(2) == 0; o.IntN(5) {
	case 0:
		if not {
			q.add(column + " IS NOT NULL")
			return cond(field, dataknobs.IsNotNull)
		}
		q.add(column + " IS NULL")
		return cond(field, dataknobs.IsNull)
	case 1:
		a, b := constant(), constant()
		if not {
			q.add(column+" NOT BETWEEN ? AND ?", a, b)
			return cond(field, dataknobs.NotBetween, a, b)
		}
		q.add(column+" BETWEEN ? AND ?", a, b)
		return cond(field, dataknobs.Between, a, b)
	case 2:
		var list []any
		for range 1 + o.IntN(6) {
			list = append(list, constant())
		}
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(list)), ", ")
		if not {
			q.add(column+" NOT IN ("+marks+")", list...)
			return cond(field, dataknobs.NotIn, list...)
		}
		q.add(column+" IN ("+marks+")", list...)
		return cond(field, dataknobs.In, list...)
	}
	op, x := oracleOps[o.IntN(len(oracleOps))], constant()
	q.add(column+" "+op.String()+" ?", x)
	return cond(field, op, x)
}

func (o *oracle) textCond(c oracleColumn, q *sqlText) dataknobs.Expr {
	if o.IntN(4) == 0 {
		x := c.domain[o.IntN(len(c.domain))]
		q.add("substr("+c.name+", 1, length(?)) = ?", x, x)
		return cond(c.name, dataknobs.StartsWith, x)
	}
	pattern := ""
	for range o.IntN(4) {
		pattern += []string{"%", "_", "a", "b", "A", "é", `\%`, `\_`, `\\`, "x"}[o.IntN(10)]
	}
	if o.IntN(2) == 0 {
		q.add(c.name+` NOT LIKE ? ESCAPE '\'`, pattern)
		return cond(c.name, dataknobs.NotLike, pattern)
	}
	q.add(c.name+` LIKE ? ESCAPE '\'`, pattern)
	return cond(c.name, dataknobs.Like, pattern)
}

// orderText writes an ORDER BY item.
func orderText(column string, or dataknobs.Order) string {
	return column + map[bool]string{true: " DESC", false: " ASC"}[or.Desc] + map[dataknobs.Nulls]string{dataknobs.NullsLast: " NULLS LAST", dataknobs.NullsFirst: " NULLS FIRST"}[or.Nulls]
}

func (o *oracle) order(field string, a dataknobs.Agg) dataknobs.Order {
	or := dataknobs.Order{Path: dataknobs.Names(field), Agg: a, Desc: o.IntN(2) == 0, Nulls: dataknobs.Nulls(o.IntN(2))}
	if a == dataknobs.CountAll {
		or.Path = nil
	}
	return or
}

func (o *oracle) page(q *dataknobs.Query, text *sqlText) {
	limit := -1
	if o.IntN(2) == 0 {
		limit = o.IntN(20)
		q.Limit = &limit
	}
	if o.IntN(3) == 0 {
		q.Offset = o.IntN(20)
	}
	text.add(fmt.Sprintf(" LIMIT %d OFFSET %d", limit, q.Offset))
}

// records compares a query for records.
func (o *oracle) records() {
	q, text := &dataknobs.Query{}, &sqlText{}
	text.add("SELECT id FROM r WHERE ")
	q.Where = o.expr(o.IntN(4), text, o.cond)
	text.add(" ORDER BY ")
	for range o.IntN(3) {
		c := o.column()
		or := o.order(c.name, dataknobs.NoAgg)
		q.OrderBy = append(q.OrderBy, or)
		text.add(orderText(c.name, or) + ", ")
	}
	text.add("id")
	o.page(q, text)
	var got [][]any
	for _, r := range o.query(q) {
		got = append(got, []any{r.ID})
	}
	if len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == 0 {
		slices.SortFunc(got, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	}
	o.same(q, text, got)
}

var oracleAggs = []dataknobs.Agg{dataknobs.CountAll, dataknobs.Count, dataknobs.Sum, dataknobs.Avg, dataknobs.Min, dataknobs.Max}

// aggregate returns an aggregate, as a field and function and in SQL.
func (o *oracle) aggregate() (field string, a dataknobs.Agg, text string) {
	a, c := oracleAggs[o.IntN(len(oracleAggs))], o.column()
	if (a == dataknobs.Sum || a == dataknobs.Avg) && (c.name == "s" || c.name == "t") {
		c = oracleColumns[3]
	}
	if a == dataknobs.CountAll {
		return "", a, "count(*)"
	}
	return c.name, a, a.String() + "(" + c.name + ")"
}

// group compares a query for groups.
func (o *oracle) group() {
	q, text := &dataknobs.Query{}, &sqlText{}
	var cols, keys, orders []string
	for range o.IntN(3) {
		if c := o.column(); !slices.Contains(keys, c.name) {
			keys = append(keys, c.name)
			q.GroupBy = append(q.GroupBy, dataknobs.Names(c.name))
			q.Select = append(q.Select, dataknobs.Column{Path: dataknobs.Names(c.name)})
		}
	}
	cols = slices.Clone(keys)
	for i := range 1 + o.IntN(3) {
		field, a, s := o.aggregate()
		cols = append(cols, s)
		q.Select = append(q.Select, dataknobs.Column{Path: o.order(field, a).Path, Agg: a, As: fmt.Sprint("x", i)})
	}
	text.add("SELECT " + strings.Join(cols, ", ") + " FROM r WHERE ")
	q.Where = o.expr(o.IntN(3), text, o.cond)
	if len(keys) > 0 {
		text.add(" GROUP BY " + strings.Join(keys, ", "))
	}
	if o.IntN(2) == 0 {
		text.add(" HAVING ")
		q.Having = o.expr(o.IntN(3), text, o.having)
	}
	for range o.IntN(2) {
		field, a, s := o.aggregate()
		if a == dataknobs.Sum || a == dataknobs.Avg { // floats may differ in their last digit
			continue
		}
		or := o.order(field, a)
		q.OrderBy = append(q.OrderBy, or)
		orders = append(orders, orderText(s, or))
	}
	for _, k := range keys {
		orders = append(orders, k+" NULLS LAST")
	}
	if len(orders) > 0 {
		text.add(" ORDER BY " + strings.Join(orders, ", "))
	}
	o.page(q, text)
	var got [][]any
	for _, r := range o.query(q) {
		var row []any
		for _, f := range r.Fields {
			row = append(row, f.Value.Any())
		}
		got = append(got, row)
	}
	o.same(q, text, got)
}

// having is a condition on an aggregate that is the same number in both.
func (o *oracle) having(q *sqlText) dataknobs.Expr {
	a := []dataknobs.Agg{dataknobs.Sum, dataknobs.Avg, dataknobs.Min, dataknobs.Max, dataknobs.Count}[o.IntN(5)]
	c := o.compare("g", a.String()+"(g)", func() any { return float64(o.IntN(12)) / 2 }, q)
	c.Agg = a
	return c
}

// same compares the rows of the store with those of SQLite.
func (o *oracle) same(q *dataknobs.Query, text *sqlText, got [][]any) {
	rows, err := o.sql.Query(text.String(), text.args...)
	o.must(err, "%s", text)
	defer rows.Close()
	columns, err := rows.Columns()
	o.must(err, "columns")
	var want [][]any
	for rows.Next() {
		row, at := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			at[i] = &row[i]
		}
		o.must(rows.Scan(at...), "scan")
		want = append(want, row)
	}
	o.must(rows.Err(), "rows")
	if !slices.EqualFunc(got, want, func(a, b []any) bool { return slices.EqualFunc(a, b, sameNumber) }) {
		o.Errorf("query %s\nas SQL %s %v\n got    %v\n SQLite %v", q, text, text.args, got, want)
	}
}

// sameNumber compares two cells, floats but for the last digits.
func sameNumber(a, b any) bool {
	x, ok := a.(float64)
	y, okToo := b.(float64)
	if ok && okToo {
		return max(x-y, y-x) <= 1e-12*max(x, -x, y, -y)
	}
	return a == b
}
