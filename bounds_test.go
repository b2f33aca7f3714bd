package dataknobs_test

import (
	"fmt"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"pgregory.net/rapid"
)

func rangesText(rs []dataknobs.Range) string {
	texts := make([]string, len(rs))
	for i, r := range rs {
		switch {
		case r.Point():
			texts[i] = r.Lo.String()
		default:
			lo, hi := "[", "]"
			if r.LoOpen {
				lo = "("
			}
			if r.HiOpen {
				hi = ")"
			}
			texts[i] = fmt.Sprint(lo, r.Lo, " ", r.Hi, hi)
		}
	}
	return strings.Join(texts, " ")
}

func TestBounds(t *testing.T) {
	x := dataknobs.Names("x")
	c := func(op dataknobs.Op, args ...any) dataknobs.Expr {
		c := &dataknobs.Cond{Path: x, Op: op}
		for _, a := range args {
			c.Args = append(c.Args, dataknobs.F("", a).Value)
		}
		return c
	}
	other := &dataknobs.Cond{Path: dataknobs.Names("y"), Op: dataknobs.IsNull}
	tests := []struct {
		name string
		e    dataknobs.Expr
		want string // "any" for no bounds
	}{
		{"nothing", nil, "any"},
		{"another path", other, "any"},
		{"=", c(dataknobs.Eq, 5), "5"},
		{"!=", c(dataknobs.Ne, 5), "any"},
		{"IS NULL", c(dataknobs.IsNull), "any"},
		{"<", c(dataknobs.Lt, 5), "[-Inf 5)"},
		{">=", c(dataknobs.Ge, 5), "[5 +Inf]"},
		{"> a string", c(dataknobs.Gt, "m"), "('m' bytes '')"},
		{"<= a string", c(dataknobs.Le, "m"), "['' 'm']"},
		{"< the empty string", c(dataknobs.Lt, ""), ""},
		{"< a bool", c(dataknobs.Lt, true), "[false true)"},
		{"< an array", c(dataknobs.Lt, []int{1}), ""},
		{"IN", c(dataknobs.In, 3, "a", 1, 3.0), "1 3 'a'"},
		{"empty IN", c(dataknobs.In), ""},
		{"BETWEEN", c(dataknobs.Between, 1, 2.5), "[1 2.5]"},
		{"BETWEEN of two kinds", c(dataknobs.Between, 1, "a"), ""},
		{"NOT BETWEEN", c(dataknobs.NotBetween, 1, 2), "[-Inf 1) (2 +Inf]"},
		{"NOT BETWEEN upside down", c(dataknobs.NotBetween, 2, 1), "[-Inf +Inf]"},
		{"STARTS WITH", c(dataknobs.StartsWith, "ab"), "['ab' 'ac')"},
		{"LIKE a prefix", c(dataknobs.Like, `a\%_%`), "['a%' 'a&')"},
		{"LIKE a text", c(dataknobs.Like, "abc"), "'abc'"},
		{"LIKE anything", c(dataknobs.Like, "%x"), "['' bytes '')"},
		{"ILIKE", c(dataknobs.ILike, "abc"), "any"},
		{"AND", dataknobs.And{c(dataknobs.Gt, 1), c(dataknobs.Le, 5), other}, "(1 5]"},
		{"AND of points", dataknobs.And{c(dataknobs.In, 1, 2, 7), c(dataknobs.Gt, 1), c(dataknobs.Lt, 7)}, "2"},
		{"AND of two kinds", dataknobs.And{c(dataknobs.Gt, 1), c(dataknobs.Gt, "a")}, ""},
		{"OR", dataknobs.Or{c(dataknobs.Lt, 1), c(dataknobs.Eq, "a"), c(dataknobs.Gt, 0)}, "[-Inf +Inf] 'a'"},
		{"OR that touches", dataknobs.Or{c(dataknobs.Lt, 1), c(dataknobs.Gt, 1)}, "[-Inf 1) (1 +Inf]"},
		{"OR with another path", dataknobs.Or{c(dataknobs.Lt, 1), other}, "any"},
		{"false", dataknobs.Or{}, ""},
		{"NOT", dataknobs.Not{Expr: dataknobs.Or{c(dataknobs.Lt, 1), c(dataknobs.Gt, 5)}}, "[1 5]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rs, ok := dataknobs.Bounds(tt.e, x)
			got := "any"
			if ok {
				got = rangesText(rs)
			}
			if got != tt.want {
				t.Errorf("got %s, wanted %s", got, tt.want)
			}
		})
	}
}

// TestBoundsLoseNothing checks that the value of a record that matches always
// lies in the ranges, and that these are ascending and disjoint.
func TestBoundsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genExpr(2).Draw(t, "expr")
		p := genPath.Draw(t, "path")
		rs, ok := dataknobs.Bounds(e, p)
		for i := 1; i < len(rs); i++ {
			if a, b := rs[i-1], rs[i]; a.Hi.Compare(b.Lo) > 0 || a.Hi.Compare(b.Lo) == 0 && !a.HiOpen && !b.LoOpen {
				t.Fatalf("the ranges %s are not disjoint", rangesText(rs))
			}
		}
		m, err := dataknobs.Compile(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rapid.SliceOfN(genRecord, 1, 5).Draw(t, "records") {
			if !ok || !m.Match(r) {
				continue
			}
			in := false
			for _, x := range rs {
				in = in || x.Has(r.Lookup(p))
			}
			if !in {
				t.Fatalf("the record %v matches, but %v is not in %s", r.Fields, r.Lookup(p), rangesText(rs))
			}
		}
	})
}
