package main

import (
	"context"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

const (
	numbers = dataknobs.KindSet(1<<dataknobs.KindInt | 1<<dataknobs.KindFloat)
	nulls   = dataknobs.KindSet(1 << dataknobs.KindNull)
)

// warnKinds says which parts of a condition, after it has selected nothing, ask
// a field for kinds of values that it never holds: most often a number, of a
// column that is text because a word such as NA stands in it. It is not done
// before, since the answer may cost a look at every record.
func (a *app) warnKinds(ctx context.Context, db *dataknobs.DB, where dataknobs.Expr) {
	typed, ok := dataknobs.Ability[dataknobs.Typed](db.Driver())
	if !ok {
		return
	}
	var conds []*dataknobs.Cond
	var paths []dataknobs.Path
	dataknobs.Conds(where, func(c *dataknobs.Cond) bool {
		// Values of other kinds are different, and so in no list.
		other := c.Op == dataknobs.Ne || c.Op == dataknobs.NotIn
		if len(c.Args) > 0 && !other && !c.Path.IsSystem() {
			conds, paths = append(conds, c), append(paths, c.Path)
		}
		return true
	})
	kinds, err := typed.Kinds(ctx, paths)
	if err != nil || len(kinds) != len(conds) {
		return // nobody asked; the answer itself is complete
	}
	for i, c := range conds {
		if held := kinds[i] &^ nulls; held != 0 && !mayHold(held, c) {
			a.warn(c.Path.String() + " holds " + held.String() + " values, so " +
				string(dataknobs.AppendExpr(nil, c)) + " is true of no record" + nullsHint(db, held, c))
		}
	}
}

// mayHold reports whether c can be true of a value of one of those kinds.
func mayHold(held dataknobs.KindSet, c *dataknobs.Cond) bool {
	switch {
	case c.Op >= dataknobs.Contains:
		return held.Has(dataknobs.KindArray)
	case c.Op >= dataknobs.Like:
		return held.Has(dataknobs.KindString)
	}
	return slices.ContainsFunc(c.Args, func(v dataknobs.Value) bool {
		if _, ok := dataknobs.ParseTime(v.Str()); ok && held.Has(dataknobs.KindTime) {
			return true
		}
		return held.Has(v.Kind()) || v.IsNumber() && held&numbers != 0
	})
}

// nullsHint says how a column of numbers with words in it is read as numbers.
func nullsHint(db *dataknobs.DB, held dataknobs.KindSet, c *dataknobs.Cond) string {
	table := strings.Contains(db.Name(), ".csv") || strings.Contains(db.Name(), ".tsv")
	if !table || !held.Only(dataknobs.KindString) || !slices.ContainsFunc(c.Args, dataknobs.Value.IsNumber) {
		return ""
	}
	return " (where words in a column of numbers mean null, name them, as in --nulls NA)"
}
