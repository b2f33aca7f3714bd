package dataknobs_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	dk "dataknobs.dev/dataknobs"
)

func cond(op dk.Op, args ...dk.Value) *dk.Cond {
	return &dk.Cond{Path: dk.Names("a"), Op: op, Args: args}
}

func TestCheckExpr(t *testing.T) {
	deep := dk.Expr(cond(dk.IsNull))
	for range 100_000 {
		deep = dk.Not{Expr: deep}
	}
	one := dk.Int(1)
	for name, c := range map[string]struct {
		e    dk.Expr
		want string
	}{
		"no operator":        {cond(0, one), "there is no operator 0"},
		"unknown operator":   {cond(200, one), "there is no operator 200"},
		"too few":            {cond(dk.Eq), "= takes one constant, not 0"},
		"too many":           {cond(dk.IsNull, one), "IS NULL takes no constant, not 1"},
		"between":            {cond(dk.Between, one), "BETWEEN takes two constants, not 1"},
		"null":               {cond(dk.Eq, dk.Null()), "IS NULL"},
		"null in a list":     {cond(dk.NotIn, one, dk.Null()), "IS NULL"},
		"like a number":      {cond(dk.Like, one), "LIKE takes text, not the int 1"},
		"dangling escape":    {cond(dk.NotILike, dk.String(`a\`)), "escapes nothing"},
		"regular expression": {cond(dk.Matches, dk.String(`a[`)), "RE2"},
		"infinity":           {cond(dk.Lt, dk.Float(math.Inf(1))), "finite"},
		"NUL":                {cond(dk.Eq, dk.String("a\x00")), "NUL"},
		"not UTF-8":          {cond(dk.Eq, dk.Array(dk.String("\xff"))), "UTF-8"},
		"year 10000":         {cond(dk.Eq, dk.Time(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))), "years 1 to 9999"},
		"no path":            {&dk.Cond{Op: dk.IsNull}, "a path is empty"},
		"path of an index":   {&dk.Cond{Path: dk.Path{{Index: 1}}, Op: dk.IsNull}, "does not start at a field"},
		"negative index":     {&dk.Cond{Path: dk.Names("a").At(-1), Op: dk.IsNull}, "negative index"},
		"long name":          {&dk.Cond{Path: dk.Names(strings.Repeat("x", 256)), Op: dk.IsNull}, "the limit is 255"},
		"bad name":           {&dk.Cond{Path: dk.Names("a", "\xff"), Op: dk.IsNull}, "UTF-8"},
		"reserved":           {&dk.Cond{Path: dk.Names("_created"), Op: dk.IsNull}, "reserved for a later version"},
		"aggregate":          {&dk.Cond{Path: dk.Names("a"), Agg: dk.Sum, Op: dk.Eq, Args: []dk.Value{one}}, "HAVING"},
		"nil condition":      {dk.And{(*dk.Cond)(nil)}, "nil *Cond"},
		"nested":             {dk.And{cond(dk.IsNull), dk.Or{dk.Not{Expr: cond(dk.Eq)}}}, "the condition on a: = takes"},
		"deep":               {deep, "nests deeper than 1000 levels"},
	} {
		err := dk.CheckExpr(c.e)
		if !errors.Is(err, dk.InvalidArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, e := range map[string]dk.Expr{
		"nil":                   nil,
		"nil inside":            dk.And{nil, dk.Not{}},
		"empty list":            cond(dk.In),
		"metadata":              &dk.Cond{Path: dk.PathMetadata, Op: dk.IsNull},
		"null in an array":      cond(dk.Eq, dk.Array(dk.Null())),
		"escape at the end":     cond(dk.Like, dk.String(`a\\`)),
		"kinds without order":   cond(dk.Lt, dk.Array()),
		"longest name":          &dk.Cond{Path: dk.Names(strings.Repeat("x", 255)), Op: dk.IsNull},
		"step into system name": &dk.Cond{Path: dk.Names("_id", "x"), Op: dk.IsNull},
	} {
		if err := dk.CheckExpr(e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Texts that can be read but not run.
func TestCheckQueryText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"SELECT a, a", "a is selected twice"},
		{"SELECT a, b AS a", "the output has the name a twice"},
		{"SELECT x AS a, a.b", "the output has the name a twice"},
		{"SELECT a AS b ORDER BY b", "that is the output name of a"},
		{"SELECT count(*), count(*)", "count(*) is selected twice"},
		{"SELECT a, count(*)", "add it to GROUP BY"},
		{"SELECT a, b GROUP BY a", "b is selected, but is not the same over a group"},
		{"SELECT count(*) ORDER BY `count(*)`", "ORDER BY names `count(*)`, which is neither"},
		{"SELECT a GROUP BY a, a", "GROUP BY has a twice"},
		{"SELECT sum(x) AS a, b GROUP BY a, b", "also the name of a field that is grouped by"},
		{"SELECT a HAVING a = 1", "HAVING is about groups"},
		{"SELECT a, count(*) AS total GROUP BY a HAVING totl > 1", "did you mean total?"},
		{"SELECT a, count(*) GROUP BY a ORDER BY b", "ORDER BY names b, which is neither"},
		{"SELECT a ORDER BY count(*)", "ORDER BY count(*) is about groups"},
	} {
		_, err := dk.Parse(c.text)
		if !errors.Is(err, dk.InvalidArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q): %v, want %q", c.text, err, c.want)
		}
	}
	for _, text := range []string{
		"SELECT a, a.b, a.c",
		"SELECT a AS b ORDER BY a",
		"SELECT a AS a ORDER BY a",
		"SELECT _id, _rev, _meta.source",
		"SELECT _id AS id",
		"SELECT a GROUP BY a",
		"SELECT count(*) GROUP BY a HAVING a = 1 AND sum(b) > 2 ORDER BY a, max(c)",
		"SELECT a.b, sum(x) AS s GROUP BY a.b, c ORDER BY s, a.b, c",
		"SELECT a AS a, sum(a) AS s GROUP BY a",
		"SELECT count(*) ORDER BY count(*)",
		"GROUP BY a HAVING count(*) > 1",
	} {
		if _, err := dk.Parse(text); err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
}

func TestCheckQuery(t *testing.T) {
	minus := -1
	a := dk.Names("a")
	for name, c := range map[string]struct {
		q    dk.Query
		want string
	}{
		"limit":            {dk.Query{Limit: &minus}, "the limit -1 is negative"},
		"offset":           {dk.Query{Offset: -1}, "the offset -1 is negative"},
		"no column path":   {dk.Query{Select: []dk.Column{{}}}, "a path is empty"},
		"sum of nothing":   {dk.Query{Select: []dk.Column{{Agg: dk.Sum}}}, "a path is empty"},
		"count(*) of path": {dk.Query{Select: []dk.Column{{Agg: dk.CountAll, Path: a}}}, "count(*) has no path"},
		"aggregate":        {dk.Query{Select: []dk.Column{{Agg: 99, Path: a}}}, "there is no aggregate 99"},
		"output name":      {dk.Query{Select: []dk.Column{{Path: a, As: "_id"}}}, "system name"},
		"group path":       {dk.Query{Select: []dk.Column{{Agg: dk.CountAll}}, GroupBy: []dk.Path{{}}}, "a path is empty"},
		"order path":       {dk.Query{OrderBy: []dk.Order{{}}}, "a path is empty"},
		"nulls":            {dk.Query{OrderBy: []dk.Order{{Path: a, Nulls: 7}}}, "no place 7 for nulls"},
		"where":            {dk.Query{Where: cond(dk.Eq)}, "takes one"},
		"having":           {dk.Query{Select: []dk.Column{{Agg: dk.CountAll}}, Having: &dk.Cond{Agg: dk.CountAll, Op: dk.Eq}}, "the condition on count(*): = takes one"},
	} {
		err := c.q.Check()
		if !errors.Is(err, dk.InvalidArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
