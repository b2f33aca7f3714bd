package dataknobs_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

// Every text, and how it prints; "" where it prints as it is.
func TestParsePrints(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		// clauses
		{"", ""},
		{"   \n\t", ""},
		{"select *", ""},
		{"SELECT a, b.c", ""},
		{"select a as x, `unit price` AS `y z` where a=1", "SELECT a AS x, `unit price` AS `y z` WHERE a = 1"},
		{"SELECT a b = 1", "SELECT a WHERE b = 1"},
		{"age > 30", "WHERE age > 30"},
		{"where age>30 order by age desc, name asc nulls last, `x` NULLS first limit 10 offset 5",
			"WHERE age > 30 ORDER BY age DESC, name, x NULLS FIRST LIMIT 10 OFFSET 5"},
		{"order by a", "ORDER BY a"},
		{"limit 0", "LIMIT 0"},
		{"offset 3", "OFFSET 3"},
		{"SELECT carrier, COUNT(*), Avg(dep_delay) AS d GROUP BY carrier HAVING count(*) > 5 AND d < 3 ORDER BY sum(x) DESC",
			"SELECT carrier, count(*), avg(dep_delay) AS d GROUP BY carrier HAVING count(*) > 5 AND d < 3 ORDER BY sum(x) DESC"},
		{"SELECT count(*)", ""},
		{"SELECT count(x), min(x), max(a.b[0]) AS m", ""},

		// paths
		{"_id = 'x' AND _rev = 'y' AND _meta.a.b = 1", "WHERE _id = 'x' AND _rev = 'y' AND _meta.a.b = 1"},
		{"a[0].b[12][3] = 1", "WHERE a[0].b[12][3] = 1"},
		{"`a.b`.c = 1 and `x``y` = 2", "WHERE `a.b`.c = 1 AND `x``y` = 2"},
		{"`plain` = 1", "WHERE plain = 1"},
		{"a.order = 1", "WHERE a.`order` = 1"},
		{"count = 1 AND sum > 2 AND größe < 3 AND 数 = 4 and @t = 5 and $x = 6",
			"WHERE count = 1 AND sum > 2 AND größe < 3 AND 数 = 4 AND @t = 5 AND $x = 6"},
		{"time > 1 and bytes = 2 and last = 'x' and first is null order by time, last desc",
			"WHERE `time` > 1 AND `bytes` = 2 AND `last` = 'x' AND `first` IS NULL ORDER BY `time`, `last` DESC"},

		// precedence and nesting
		{"a=1 or b=2 and not c=3", "WHERE a = 1 OR b = 2 AND NOT c = 3"},
		{"(a=1 or b=2) and c=3", "WHERE (a = 1 OR b = 2) AND c = 3"},
		{"((a=1)) and ((b=2 and c=3))", "WHERE a = 1 AND (b = 2 AND c = 3)"},
		{"(a=1 or b=2) or c=3", "WHERE (a = 1 OR b = 2) OR c = 3"},
		{"not not (a=1 and b=2)", "WHERE NOT NOT (a = 1 AND b = 2)"},
		{"not (a=1 or b=2) and c=3", "WHERE NOT (a = 1 OR b = 2) AND c = 3"},
		{"true and not false or a=1", "WHERE TRUE AND NOT FALSE OR a = 1"},

		// operators
		{"a=1 and b==2 and c!=3 and d<>4 and e<5 and f<=6 and g>7 and h>=8",
			"WHERE a = 1 AND b = 2 AND c != 3 AND d != 4 AND e < 5 AND f <= 6 AND g > 7 AND h >= 8"},
		{"a in (1,2) and b not in ['x'] and c in () and d in []",
			"WHERE a IN (1, 2) AND b NOT IN ('x') AND c IN () AND d IN ()"},
		{"a between 1 and 2 and b not between 'x' and 'y'", "WHERE a BETWEEN 1 AND 2 AND b NOT BETWEEN 'x' AND 'y'"},
		{"a like 'x%' and b not like '_' and c ilike 'A' and d not ilike 'B'",
			"WHERE a LIKE 'x%' AND b NOT LIKE '_' AND c ILIKE 'A' AND d NOT ILIKE 'B'"},
		{"a starts with 'x' and b not starts with 'y' and c matches '^x' and d not matches 'y$'",
			"WHERE a STARTS WITH 'x' AND b NOT STARTS WITH 'y' AND c MATCHES '^x' AND d NOT MATCHES 'y$'"},
		{"a contains 1 and b not contains [2]", "WHERE a CONTAINS 1 AND b NOT CONTAINS [2]"},
		{"a match 'x y' and not b not match 'z' and match = 1 and not match match 'match'",
			"WHERE a MATCH 'x y' AND NOT b NOT MATCH 'z' AND match = 1 AND NOT match MATCH 'match'"},
		{"a is null and b is not null", "WHERE a IS NULL AND b IS NOT NULL"},
		{"5 < age and true = b and 'x' != c and 1 >= d", "WHERE age > 5 AND b = true AND c != 'x' AND d <= 1"},

		// constants
		{`a = "it's" and b = 'say "hi"' and c = 'it''s' and d = "a""b" and e = 'it\'s'`,
			`WHERE a = 'it''s' AND b = 'say "hi"' AND c = 'it''s' AND d = 'a"b' AND e = 'it''s'`},
		{`a = 'x\n\t\r\\\u00e9\ud83d\ude00'`, `WHERE a = 'x\n\t\r\\é😀'`},
		{"a = 'x\ny\x01\x7f\u2028'", `WHERE a = 'x\ny\u0001\u007f` + "\u2028'"},
		{`a LIKE '50\%'`, `WHERE a LIKE '50\\%'`},
		{`a MATCHES '^\d+\.$'`, `WHERE a MATCHES '^\\d+\\.$'`},
		{"a = -5 and b = 1.50 and c = 1e3 and d = -2.5E-10 and e = 9223372036854775807 and f = -9223372036854775808",
			"WHERE a = -5 AND b = 1.5 AND c = 1000.0 AND d = -2.5e-10 AND e = 9223372036854775807 AND f = -9223372036854775808"},
		{"a = time '2026-01-02' and b > time '2026-01-02T03:04:05.1234567+01:00'",
			"WHERE a = time '2026-01-02T00:00:00Z' AND b > time '2026-01-02T02:04:05.123456Z'"},
		{"a = bytes 'aGk=' and b = bytes ''", "WHERE a = bytes 'aGk=' AND b = bytes ''"},
		{"a = [1, 'x', null, [true]] and b = {'k': 1, \"l m\": [], n: {}}",
			"WHERE a = [1, 'x', null, [true]] AND b = {'k': 1, 'l m': [], 'n': {}}"},
		{"a = {'x':true}", "WHERE a = {'x': true}"},
	} {
		want := c.want
		if want == "" && strings.HasPrefix(c.text, "SELECT") {
			want = c.text
		}
		q, err := dk.Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if got := q.String(); got != want {
			t.Errorf("Parse(%q) prints\n %s, want\n %s", c.text, got, want)
		}
		again, err := dk.Parse(q.String())
		if err != nil || !sameQuery(q, again) {
			t.Errorf("Parse(%q) → %q reads back as %v, %v", c.text, q, again, err)
		}
	}
}

func TestParseMeaning(t *testing.T) {
	q := dk.MustParse("SELECT a.b AS x, count(*), sum(`c d`[1]) WHERE NOT a = 1 AND (b IN (1, 'x') OR c IS NULL) " +
		"GROUP BY a.b HAVING max(y) > 2.0 ORDER BY x DESC NULLS FIRST LIMIT 0 OFFSET 2")
	zero := 0
	want := &dk.Query{
		Select: []dk.Column{
			{Path: dk.Names("a", "b"), As: "x"},
			{Agg: dk.CountAll},
			{Agg: dk.Sum, Path: dk.Names("c d").At(1)},
		},
		Where: dk.And{
			dk.Not{Expr: &dk.Cond{Path: dk.Names("a"), Op: dk.Eq, Args: []dk.Value{dk.Int(1)}}},
			dk.Or{
				&dk.Cond{Path: dk.Names("b"), Op: dk.In, Args: []dk.Value{dk.Int(1), dk.String("x")}},
				&dk.Cond{Path: dk.Names("c"), Op: dk.IsNull},
			},
		},
		GroupBy: []dk.Path{dk.Names("a", "b")},
		Having:  &dk.Cond{Path: dk.Names("y"), Agg: dk.Max, Op: dk.Gt, Args: []dk.Value{dk.Float(2)}},
		OrderBy: []dk.Order{{Path: dk.Names("x"), Desc: true, Nulls: dk.NullsFirst}},
		Limit:   &zero,
		Offset:  2,
	}
	if !sameQuery(q, want) {
		t.Errorf("got  %v\nwant %v", q, want)
	}
}

// sameQuery reports whether q and r are the same data, kinds and nesting included.
func sameQuery(q, r *dk.Query) bool {
	return slices.EqualFunc(q.Select, r.Select, func(a, b dk.Column) bool {
		return a.Path.Equal(b.Path) && a.Agg == b.Agg && a.As == b.As
	}) && slices.EqualFunc(q.GroupBy, r.GroupBy, dk.Path.Equal) &&
		slices.EqualFunc(q.OrderBy, r.OrderBy, func(a, b dk.Order) bool {
			return a.Path.Equal(b.Path) && a.Agg == b.Agg && a.Desc == b.Desc && a.Nulls == b.Nulls
		}) &&
		sameExpr(q.Where, r.Where) && sameExpr(q.Having, r.Having) &&
		(q.Limit == nil) == (r.Limit == nil) && (q.Limit == nil || *q.Limit == *r.Limit) &&
		q.Offset == r.Offset && q.After == r.After
}

func sameExpr(a, b dk.Expr) bool {
	switch a := a.(type) {
	case dk.And:
		b, ok := b.(dk.And)
		return ok && slices.EqualFunc(a, b, sameExpr)
	case dk.Or:
		b, ok := b.(dk.Or)
		return ok && slices.EqualFunc(a, b, sameExpr)
	case dk.Not:
		b, ok := b.(dk.Not)
		return ok && sameExpr(a.Expr, b.Expr)
	case *dk.Cond:
		b, ok := b.(*dk.Cond)
		return ok && a.Path.Equal(b.Path) && a.Op == b.Op && a.Agg == b.Agg && slices.EqualFunc(a.Args, b.Args, dk.Value.Identical)
	}
	return b == nil
}

func TestParseParameters(t *testing.T) {
	var none []string
	for _, c := range []struct {
		text string
		args []any
		want string
	}{
		{"a = ? AND b > ?", []any{"x", 2}, "WHERE a = 'x' AND b > 2"},
		{"a = :x OR b = :x AND c = :y_1", []any{dk.Named("y_1", true), dk.Named("x", 1.5)}, "WHERE a = 1.5 OR b = 1.5 AND c = true"},
		{"a = ? AND b = :n AND c = ?", []any{1, dk.Named("n", 2), 3}, "WHERE a = 1 AND b = 2 AND c = 3"},
		{"a IN ?", []any{[]int{1, 2}}, "WHERE a IN (1, 2)"},
		{"a IN (?)", []any{[]string{"x", "y"}}, "WHERE a IN ('x', 'y')"},
		{"a IN (?, 3, ?)", []any{[]int{1, 2}, 4}, "WHERE a IN (1, 2, 3, 4)"},
		{"a NOT IN [:l]", []any{dk.Named("l", [2]int{1, 2})}, "WHERE a NOT IN (1, 2)"},
		{"a IN ? AND b IN (?)", []any{none, []any{}}, "WHERE a IN () AND b IN ()"},
		{"a = ?", []any{[]int{1, 2}}, "WHERE a = [1, 2]"},
		{"a = ?", []any{[]byte("hi")}, "WHERE a = bytes 'aGk='"},
		{"a BETWEEN ? AND ? LIMIT ? OFFSET :o", []any{1, 2, 3, dk.Named("o", 4)}, "WHERE a BETWEEN 1 AND 2 LIMIT 3 OFFSET 4"},
		{"? < a", []any{5}, "WHERE a > 5"},
		{"a = [?, {'k': :v, 'w'::v}]", []any{1, dk.Named("v", "x")}, "WHERE a = [1, {'k': 'x', 'w': 'x'}]"},
		{"a LIKE ?", []any{`50\%`}, `WHERE a LIKE '50\\%'`},
		{"a = '?' AND b = ':x'", nil, "WHERE a = '?' AND b = ':x'"},
	} {
		q, err := dk.Parse(c.text, c.args...)
		if err != nil || q.String() != c.want {
			t.Errorf("Parse(%q, %v) = %v, %v; want %s", c.text, c.args, q, err, c.want)
		}
	}
}

// Every text that cannot be read, the place that is pointed at (the carets'
// text), and words of the message.
func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ text, at, want string }{
		// misspellings
		{"a = 1 ODER BY a", "ODER", "did you mean ORDER BY?"},
		{"a = 1 ORDERBY a", "ORDERBY", "did you mean ORDER BY?"},
		{"ODER BY a", "ODER", "did you mean ORDER BY?"},
		{"SELECT a WERE b = 1", "WERE", "did you mean WHERE?"},
		{"limt 5", "limt", "did you mean LIMIT?"},
		{"a = 1 ANDD b = 2", "ANDD", "did you mean AND?"},
		{"(a = 1 ORR b = 2)", "ORR", "did you mean OR?"},
		{"a LIEK 'x'", "LIEK", "did you mean LIKE?"},
		{"a STARTSWITH 'x'", "STARTSWITH", "did you mean STARTS WITH?"},
		{"a BEGINS WITH 'x'", "BEGINS", "did you mean STARTS WITH?"},
		{"a REGEXP 'x'", "REGEXP", "did you mean MATCHES?"},
		{"a MTACH 'x'", "MTACH", "did you mean MATCH?"},
		{"a MATCHE 'x'", "MATCHE", "did you mean MATCH"},
		{"a SEARCH 'x'", "SEARCH", "did you mean MATCH?"},
		{"a MATCH 5", "5", "MATCH takes text, not the int 5"},
		{"a NOT MATCH ' '", "' '", "MATCH takes the words to look for"},
		{"a NOT CONTAIN 'x'", "CONTAIN", "did you mean CONTAINS?"},
		{"SELECT cuont(*)", "cuont", "did you mean count?"},
		{"SELECT median(x)", "median", "the functions are count, sum, avg, min or max"},
		{"ORDER BY a DSC", "DSC", "did you mean DESC?"},
		{"ORDER BY a NULLS LST", "LST", "did you mean LAST?"},
		{"a && b", "&&", "did you mean AND?"},
		{"a = 1 && b = 2", "&&", "did you mean AND?"},
		{"a =~ 'x'", "=~", "did you mean MATCHES?"},
		{"a => 1", "=>", "did you mean >=?"},
		{"a = 1;", ";", "without a semicolon"},
		{"a = ‘x’", "‘", "straight quotes"},

		// clauses
		{"SELECT a FROM t", "FROM", "there is no FROM"},
		{"SELECT DISTINCT a", "DISTINCT", "GROUP BY"},
		{"SELECT *, a", ",", "stands alone"},
		{"SELECT a b", "", "takes AS"},
		{"SELECT a b, c", ",", "takes AS"},
		{"SELECT a WHERE b", "", "active = true"},
		{"SELECT", "", "expected a field, but found the end"},
		{"SELECT a AS 5", "5", "a name for the output"},
		{"SELECT a AS _id", "_id", "system name"},
		{"LIMIT 5 ORDER BY a", "ORDER", "ORDER BY comes before LIMIT"},
		{"LIMIT 5 LIMIT 6", "LIMIT", "LIMIT is there twice"},
		{"ORDER a", "a", "expected BY"},
		{"LIMIT -1", "-1", "0 or more"},
		{"LIMIT 1.5", "1.5", "0 or more"},
		{"LIMIT 'x'", "'x'", "a number of records"},
		{"LIMIT ALL", "ALL", "a number of records"},
		{"WHERE", "", "expected a field, but found the end"},
		{"WHERE order by a", "order", "backticks: `order`"},

		// operands
		{"name = John", "John", "text goes in quotes, such as 'John'"},
		{"a = b", "b", "two fields cannot be compared"},
		{"a =", "", "expected a value, but found the end"},
		{"a = null", "null", "did you mean IS NULL?"},
		{"a != null", "null", "did you mean IS NOT NULL?"},
		{"null = a", "null", "did you mean IS NULL?"},
		{"a IN (1, null)", "null", "did you mean IS NULL?"},
		{"a IN 5", "5", "a list"},
		{"a IN (1 2)", "2", `"," or ")"`},
		{"a IN (1,", "", "expected a value"},
		{"a IN (1,)", ")", "expected a value"},
		{"a BETWEEN 1, 2", ",", "AND and the upper bound"},
		{"a LIKE 5", "5", "LIKE takes text, not the int 5"},
		{`a LIKE 'x\'`, "'", "has no closing '"},
		{`a LIKE 'x\\'`, `'x\\'`, "escapes nothing"},
		{"a MATCHES '('", "'('", "RE2"},
		{"a NOT NULL", "NULL", "did you mean IS NOT NULL?"},
		{"a IS TRUE", "TRUE", "= true"},
		{"active", "", "active = true"},
		{"a.b [0] 5", "5", "after a.b [0], but found the number 5"},
		{"active AND b = 1", "AND", "active = true"},
		{"'x' IN tags", "IN", "CONTAINS"},
		{"1 = 2", "2", "a second value"},
		{"a (1, 2)", "a", "there is no function a"},
		{"count(*) > 5", "count", "HAVING"},
		{"in (1, 2)", "in", "backticks"},
		{"(a = 1", "", `AND, OR or ")"`},
		{"a = 1)", ")", "expected AND, OR,"},
		{"a < 1 < 2", "<", "expected AND, OR,"},

		// constants
		{"a = 9223372036854775808", "9223372036854775808", "does not fit in 64 bits"},
		{"a = 1e999", "1e999", "out of range"},
		{"a = 007", "007", "text goes in quotes: '007'"},
		{"a = 5x", "5x", "neither a number nor a name"},
		{"a = 5.", "5.", "neither a number nor a name"},
		{"a = .5", ".", "expected a value"},
		{"a = 'x", "'", "no closing '"},
		{`a = '\u12'`, `\u`, "four hexadecimal digits"},
		{`a = '\ud800'`, `\u`, "four hexadecimal digits"},
		{`a = 'x\u0000y'`, `'x\u0000y'`, "NUL"},
		{"a = time 'now'", "'now'", "2026-01-02T03:04:05Z"},
		{"a > time", "time", "time '…'"},
		{"a = bytes '!'", "'!'", "base64"},
		{"a = {'x': 1, 'x': 2}", "{", "twice"},
		{"a = {'x' 1}", "1", `":"`},
		{"a = [1", "", `"," or "]"`},

		// paths
		{"`` = 1", "``", "a name is empty"},
		{"`a = 1", "`", "no closing backtick"},
		{"a. = 1", "=", "expected a field"},
		{"a.5 = 1", "5", "a[0]"},
		{"a[-1] = 1", "-1", "0 or more"},
		{"a['x'] = 1", "'x'", "the number of an element"},
		{"unit-price = 1", "-", "backticks"},
		{"_created > 1", "_created", "reserved for a later version"},
		{"a = 1 AND _updated > 1", "_updated", "reserved for a later version"},

		// parameters
		{"a = ?", "?", "no value for this parameter"},
		{"a = :nmae", ":nmae", "did you mean :name?"},
	} {
		_, err := dk.Parse(c.text, dk.Named("name", 1))
		checkParseError(t, c.text, err, c.at, c.want)
	}
}

func checkParseError(t *testing.T, text string, err error, at, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("Parse(%q): no error, want %q", text, want)
		return
	}
	msg := err.Error()
	if !errors.Is(err, dk.InvalidArgument) || !strings.Contains(msg, want) {
		t.Errorf("Parse(%q): %v\nwant %q", text, err, want)
	}
	lines := strings.Split(msg, "\n")
	if len(lines) != 3 {
		t.Errorf("Parse(%q): %d lines, want the message, the text and the carets:\n%s", text, len(lines), msg)
		return
	}
	shown, carets := []rune(lines[1]), lines[2]
	if i := strings.Index(carets, " ("); i >= 0 && strings.Contains(carets[:i], "^") {
		carets = carets[:i] // the hint follows
	}
	from := strings.Index(carets, "^")
	if from < 0 || at != "" && string(shown[min(from, len(shown)):min(len(carets), len(shown))]) != at {
		t.Errorf("Parse(%q): the carets are not under %q:\n%s", text, at, msg)
	}
}

func TestParseErrorShape(t *testing.T) {
	_, err := dk.Parse("größe = 1\nAND name = John\nLIMIT 5")
	want := "2:12: expected a value, but found the name John\n" +
		"    AND name = John\n" +
		"               ^^^^ (text goes in quotes, such as 'John'; two fields cannot be compared)"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	long := "a = 1 AND " + strings.Repeat("bbbbbbbbb = 2 AND ", 100) + "c = oops AND " + strings.Repeat("d = 3 AND ", 100) + "e = 1"
	_, err = dk.Parse(long)
	for i, line := range strings.Split(err.Error(), "\n") {
		if i == 1 && (len([]rune(line)) > 90 || !strings.Contains(line, "c = oops")) {
			t.Errorf("the line shown is %q", line)
		}
	}
	checkParseError(t, "a long line", err, "oops", "text goes in quotes")
}

func TestParseParameterErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		args []any
		want string
	}{
		{"a = 1", []any{5}, "1 values are given for parameters, but the text has 0 ?"},
		{"a = ? AND b = ?", []any{5}, "there is no value for this parameter: 1 given"},
		{"a = 1", []any{dk.Named("x", 5)}, "the text has no :x"},
		{"a = :x", []any{dk.Named("x", 5), dk.Named("x", 6)}, "given twice"},
		{"a = ?", []any{nil}, "did you mean IS NULL?"},
		{"a IN ?", []any{5}, "IN takes a list"},
		{"a IN ?", []any{[]any{1, nil}}, "did you mean IS NULL?"},
		{"a = ?", []any{make(chan int)}, "chan int cannot be a value"},
		{"a = ?", []any{uint64(1 << 63)}, "does not fit"},
		{"a = ?", []any{"x\x00"}, "NUL"},
		{"LIMIT ?", []any{-1}, "0 or more"},
		{"a LIKE ?", []any{5}, "takes text"},
	} {
		_, err := dk.Parse(c.text, c.args...)
		if !errors.Is(err, dk.InvalidArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q, %v): %v, want %q", c.text, c.args, err, c.want)
		}
	}
}

func TestParseBounds(t *testing.T) {
	deep := func(n int) string {
		return strings.Repeat("(", n) + "a = 1" + strings.Repeat(")", n)
	}
	for name, c := range map[string]struct {
		text string
		want string // "": it is legal
	}{
		"parentheses at the limit": {deep(dk.MaxNesting), ""},
		"parentheses beyond":       {deep(dk.MaxNesting + 1), "nests deeper than 1000"},
		"very many":                {deep(400_000), "nests deeper than 1000"},
		"NOT at the limit":         {strings.Repeat("NOT ", dk.MaxNesting) + "a = 1", ""},
		"NOT beyond":               {strings.Repeat("NOT ", 200_000) + "a = 1", "nests deeper than 1000"},
		"arrays beyond":            {"a = " + strings.Repeat("[", 500_000), "nests deeper than 64"},
		"objects beyond":           {"a = " + strings.Repeat("{'x':", 200_000), "nests deeper than 64"},
		"arrays deeper than data":  {"a = " + strings.Repeat("[", 65) + strings.Repeat("]", 65), "nests deeper than 64"},
		"a long text":              {"a = '" + strings.Repeat("x", dk.MaxQueryBytes-6) + "'", ""},
		"a text too long":          {strings.Repeat(" ", dk.MaxQueryBytes+1), "the limit is 1048576"},
		"deep and of two levels":   {strings.Repeat("(a = 1 OR b = 2 AND ", dk.MaxNesting) + "c = 3" + strings.Repeat(")", dk.MaxNesting), ""},
		"deep and with a value":    {strings.Repeat("NOT ", dk.MaxNesting) + "a = " + strings.Repeat("[", 63) + strings.Repeat("]", 63), ""},
		"many parts":               {"a=1" + strings.Repeat(" or a=1", 100_000), ""},
		"a wide object":            {"a = {" + strings.Repeat("'x':1,", 100_000) + "'y':1}", "twice"},
		"many columns":             {"SELECT a" + several(100_000) + " GROUP BY a" + several(50_000), "is selected, but is not the same"},
		"many groups and keys":     {"SELECT a" + several(50_000) + " GROUP BY a" + several(50_000) + " ORDER BY a" + several(50_000), ""},
		"not UTF-8":                {"a = '\xff'", "not valid UTF-8"},
	} {
		_, err := dk.Parse(c.text)
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %.300v, want %q", name, err, c.want)
		}
	}
}

// several returns so many more items after the first.
func several(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(",a" + strconv.Itoa(i))
	}
	return b.String()
}

func TestParseParts(t *testing.T) {
	if e, err := dk.ParseExpr(""); e != nil || err != nil {
		t.Errorf("the empty condition is %v, %v", e, err)
	}
	if _, err := dk.ParseExpr("a = 1 ORDER BY b"); err == nil || !strings.Contains(err.Error(), "expected AND, OR or the end, but found the word ORDER") {
		t.Errorf("a condition with a clause after it: %v", err)
	}
	if p, err := dk.ParsePath("a.`b c`[3]"); err != nil || !p.Equal(dk.Names("a", "b c").At(3)) {
		t.Errorf("path: %v, %v", p, err)
	}
	for _, text := range []string{"", "a b", "a.", "[0]", "a[x]", "select", "_updated"} {
		if p, err := dk.ParsePath(text); err == nil {
			t.Errorf("ParsePath(%q) = %v", text, p)
		}
	}
	if v, err := dk.ParseValue("[1, {'a': null}]"); err != nil || v.String() != "[1, {'a': null}]" {
		t.Errorf("value: %v, %v", v, err)
	}
	if v, err := dk.ParseValue("null"); err != nil || !v.IsNull() {
		t.Errorf("null: %v, %v", v, err)
	}
	cs, err := dk.ParseChanges("name = 'Ann', a.b[0] = null, c = ?", 5)
	if err != nil || len(cs) != 3 || cs[1].Path.String() != "a.b[0]" || !cs[1].Value.IsNull() || cs[2].Value.Int() != 5 {
		t.Errorf("changes: %v, %v", cs, err)
	}
	for _, text := range []string{"", "a", "a == 1", "a = b", "a = 1 b = 2", "a = 1,"} {
		if cs, err := dk.ParseChanges(text); err == nil {
			t.Errorf("ParseChanges(%q) = %v", text, cs)
		}
	}
}
