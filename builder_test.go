package dataknobs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	dk "dataknobs.dev/dataknobs"
)

func TestPathConditions(t *testing.T) {
	p := dk.P("a.b")
	var none []string
	for _, c := range []struct {
		e    dk.Expr
		want string
	}{
		{p.Eq("x"), "a.b = 'x'"},
		{p.Ne(1), "a.b != 1"},
		{p.Lt(1.5), "a.b < 1.5"},
		{p.Le(uint8(3)), "a.b <= 3"},
		{p.Gt(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), "a.b > time '2026-01-02T03:04:05Z'"},
		{p.Ge(true), "a.b >= true"},
		{p.In(1, "x"), "a.b IN (1, 'x')"},
		{p.In([]string{"x", "y"}), "a.b IN ('x', 'y')"},
		{p.In([]byte("hi")), "a.b IN (bytes 'aGk=')"},
		{p.In(), "a.b IN ()"},
		{p.In(none), "a.b IN ()"},
		{p.NotIn(none), "a.b NOT IN ()"},
		{p.NotIn([]int{1}, 2), "a.b NOT IN (1, 2)"},
		{p.Between(1, 2), "a.b BETWEEN 1 AND 2"},
		{p.NotBetween("a", "b"), "a.b NOT BETWEEN 'a' AND 'b'"},
		{p.Like("x%"), "a.b LIKE 'x%'"},
		{p.NotLike("x%"), "a.b NOT LIKE 'x%'"},
		{p.ILike("x%"), "a.b ILIKE 'x%'"},
		{p.NotILike("x%"), "a.b NOT ILIKE 'x%'"},
		{p.StartsWith("x"), "a.b STARTS WITH 'x'"},
		{p.NotStartsWith("x"), "a.b NOT STARTS WITH 'x'"},
		{p.Matches("^x"), "a.b MATCHES '^x'"},
		{p.NotMatches("^x"), "a.b NOT MATCHES '^x'"},
		{p.Match("x y"), "a.b MATCH 'x y'"},
		{p.NotMatch("x"), "a.b NOT MATCH 'x'"},
		{p.Contains(1), "a.b CONTAINS 1"},
		{p.NotContains([]any{1, nil}), "a.b NOT CONTAINS [1, null]"},
		{p.IsNull(), "a.b IS NULL"},
		{p.IsNotNull(), "a.b IS NOT NULL"},
		{dk.AllOf(p.Eq(1), dk.AnyOf(p.Eq(2), p.Eq(3))), "a.b = 1 AND (a.b = 2 OR a.b = 3)"},
		{dk.Negate(dk.AnyOf(p.Eq(2), p.Eq(3))), "NOT (a.b = 2 OR a.b = 3)"},
		{dk.AnyOf(), "FALSE"},
		{dk.AllOf(), "TRUE"},
		{dk.Negate(nil), "NOT TRUE"},
		{dk.AllOf(dk.AnyOf(p.Eq(1)), nil), "a.b = 1 AND TRUE"},
	} {
		if got := string(dk.AppendExpr(nil, c.e)); got != c.want {
			t.Errorf("built %s, want %s", got, c.want)
		}
		if err := dk.CheckExpr(c.e); err != nil {
			t.Errorf("CheckExpr(%s): %v", c.want, err)
		}
		if _, err := dk.ParseExpr(c.want); err != nil {
			t.Errorf("ParseExpr(%s): %v", c.want, err)
		}
	}
}

func TestPPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error(`P("a b") did not panic`)
		}
	}()
	dk.P("a b")
}

func TestBuilder(t *testing.T) {
	age := dk.P("age")
	for _, c := range []struct {
		b    *dk.Builder
		want string
	}{
		{new(dk.Builder), ""},
		{dk.Where(), ""},
		{dk.Where(nil), ""},
		{dk.Where(age.Gt(30)), "WHERE age > 30"},
		{dk.Where(age.Gt(30), age.Lt(40)).Where(age.Ne(35)), "WHERE age > 30 AND age < 40 AND age != 35"},
		{dk.Where(dk.AnyOf(age.Eq(1), age.Eq(2))).WhereText("name = ?", "Ann"), "WHERE (age = 1 OR age = 2) AND name = 'Ann'"},
		{dk.Select("name", "address.city AS city").OrderBy("age DESC NULLS FIRST", "name").Sort(age.Asc(), age.Desc().NullsFirst()).Limit(0).Offset(5),
			"SELECT name, address.city AS city ORDER BY age DESC NULLS FIRST, name, age, age DESC NULLS FIRST LIMIT 0 OFFSET 5"},
		{dk.Select("carrier").Select("count(*) AS n").GroupBy("carrier").Having("n > ?", 5).Having("max(x) < 3").OrderBy("n DESC"),
			"SELECT carrier, count(*) AS n GROUP BY carrier HAVING n > 5 AND max(x) < 3 ORDER BY n DESC"},
	} {
		q := c.b.Query()
		if err := q.Check(); err != nil || q.String() != c.want {
			t.Errorf("built %s (%v), want %s", q, err, c.want)
		}
	}
}

func TestBuilderKeepsFinishedQueries(t *testing.T) {
	b := dk.Select("a").Where(dk.P("a").Eq(1)).OrderBy("a").Limit(1)
	q := b.Query()
	text := q.String()
	b.Select("b").Where(dk.P("b").Eq(2)).OrderBy("b").Limit(2)
	if q.String() != text {
		t.Errorf("building on changed the query to %s", q)
	}
}

func TestBuilderErrors(t *testing.T) {
	for name, c := range map[string]struct {
		b    *dk.Builder
		want string
	}{
		"column":    {dk.Select("a", "b c"), "found the name c"},
		"order":     {dk.Where().OrderBy("a UP"), "found the name UP"},
		"group":     {dk.Select("a").GroupBy("count(*)"), `found "("`},
		"where":     {dk.Where().WhereText("a ="), "expected a value"},
		"parameter": {dk.Where().WhereText("a = ?"), "no value for this parameter"},
		"having":    {dk.Select("count(*)").Having("count(*)"), "an operator"},
		"value":     {dk.Where(dk.P("a").Eq(make(chan int))), "the condition on a: a Go chan int cannot be a value"},
		"in":        {dk.Where(dk.P("a").In(1, func() {})), "cannot be a value"},
		"null":      {dk.Where(dk.P("a").Eq(nil)), "IS NULL"},
		"nested":    {dk.Where(dk.Negate(dk.AnyOf(dk.P("a").Between(1, make(chan int))))), "cannot be a value"},
		"limit":     {dk.Where().Limit(-1), "the limit -1 is negative"},
	} {
		err := c.b.Query().Check()
		if !errors.Is(err, dk.InvalidArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
