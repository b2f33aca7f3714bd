package drivertest

import (
	"slices"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

// shrinkTime bounds how long a failing case is made smaller.
const shrinkTime = 10 * time.Second

// shrink looks for fewer records and a simpler query that still show a
// difference on a fresh store; no records if the fresh store shows none.
func (d *duel) shrink(q *dataknobs.Query) ([]*dataknobs.Record, *dataknobs.Query) {
	end := time.Now().Add(shrinkTime)
	fails := func(recs []*dataknobs.Record, q *dataknobs.Query) bool {
		if time.Now().After(end) {
			return false
		}
		s := d.another()
		defer s.db.Close()
		s.fill(recs)
		return d.ask(s, recs, q) != ""
	}
	recs := byID(d.recs)
	if !fails(recs, q) {
		return nil, q
	}
	for smaller := true; smaller; {
		smaller = false
		for _, simpler := range simplerQueries(q) {
			if fails(recs, simpler) {
				q, smaller = simpler, true
				break
			}
		}
		for size := max(len(recs)/2, 1); size > 0 && !smaller; size /= 2 {
			for i := 0; i+size <= len(recs); i += size {
				fewer := slices.Delete(slices.Clone(recs), i, i+size)
				if fails(fewer, q) {
					recs, smaller = fewer, true
					break
				}
			}
		}
	}
	return d.fewerFields(recs, q, fails), q
}

// fewerFields drops the fields that do not matter.
func (d *duel) fewerFields(recs []*dataknobs.Record, q *dataknobs.Query, fails func([]*dataknobs.Record, *dataknobs.Query) bool) []*dataknobs.Record {
	for i := range recs {
		for k := len(recs[i].Fields) - 1; k >= 0; k-- {
			r := recs[i].Clone()
			r.Fields = slices.Delete(r.Fields, k, k+1)
			fewer := slices.Clone(recs)
			fewer[i] = r
			if fails(fewer, q) {
				recs = fewer
			}
		}
	}
	return recs
}

// simplerQueries returns q with one clause or one part of a condition less.
func simplerQueries(q *dataknobs.Query) []*dataknobs.Query {
	var out []*dataknobs.Query
	with := func(change func(*dataknobs.Query)) {
		c := *q
		change(&c)
		out = append(out, &c)
	}
	if q.Limit != nil {
		with(func(c *dataknobs.Query) { c.Limit = nil })
	}
	if q.Offset > 0 {
		with(func(c *dataknobs.Query) { c.Offset = 0 })
	}
	if q.Having != nil {
		with(func(c *dataknobs.Query) { c.Having = nil })
	}
	for i := range q.OrderBy {
		with(func(c *dataknobs.Query) { c.OrderBy = slices.Delete(slices.Clone(q.OrderBy), i, i+1) })
	}
	for i := range q.Select {
		if !q.Grouped() || len(q.Select) > 1 && q.Select[i].Agg != dataknobs.NoAgg {
			with(func(c *dataknobs.Query) {
				if c.Select = slices.Delete(slices.Clone(q.Select), i, i+1); len(c.Select) == 0 {
					c.Select = nil
				}
			})
		}
	}
	for _, e := range simplerExprs(q.Where) {
		with(func(c *dataknobs.Query) { c.Where = e })
	}
	for _, e := range simplerExprs(q.Having) {
		with(func(c *dataknobs.Query) { c.Having = e })
	}
	return slices.DeleteFunc(out, func(c *dataknobs.Query) bool { return q.Grouped() && !c.Grouped() })
}

// simplerExprs returns e with one part less, and each of its parts alone.
func simplerExprs(e dataknobs.Expr) []dataknobs.Expr {
	out := []dataknobs.Expr{}
	if e != nil {
		out = append(out, nil)
	}
	parts := func(ps []dataknobs.Expr, join func([]dataknobs.Expr) dataknobs.Expr) {
		for i, p := range ps {
			out = append(out, p, join(slices.Delete(slices.Clone(ps), i, i+1)))
		}
		for i, p := range ps {
			for _, simpler := range simplerExprs(p) {
				if simpler != nil {
					c := slices.Clone(ps)
					c[i] = simpler
					out = append(out, join(c))
				}
			}
		}
	}
	switch e := e.(type) {
	case dataknobs.Not:
		out = append(out, e.Expr)
		for _, simpler := range simplerExprs(e.Expr) {
			if simpler != nil {
				out = append(out, dataknobs.Not{Expr: simpler})
			}
		}
	case dataknobs.And:
		parts(e, func(ps []dataknobs.Expr) dataknobs.Expr { return dataknobs.And(ps) })
	case dataknobs.Or:
		parts(e, func(ps []dataknobs.Expr) dataknobs.Expr { return dataknobs.Or(ps) })
	case *dataknobs.Cond:
		if e.Op == dataknobs.In || e.Op == dataknobs.NotIn {
			for i := range e.Args {
				c := *e
				c.Args = slices.Delete(slices.Clone(e.Args), i, i+1)
				out = append(out, &c)
			}
		}
	}
	return out
}

// block prints a case in the form of the corpus.
func block(recs []*dataknobs.Record, q *dataknobs.Query, want []*dataknobs.Record, err error) string {
	b := []byte("load\n")
	for _, r := range recs {
		b = append(appendRecord(append(b, "  "...), r), '\n')
	}
	kind := "\nquery"
	if q.Select != nil {
		kind = "\nrows"
	}
	b = append(b, kind...)
	if text := q.String(); strings.ContainsAny(text, "\r\n") || strings.TrimSpace(text) != text {
		b = append(dataknobs.AppendJSONString(append(b, "\n  text "...), text), '\n')
	} else {
		b = append(b, " "+text+"\n"...)
	}
	switch {
	case err != nil:
		b = append(b, "  error "+dataknobs.CodeOf(err).Error()+":\n"...)
	case len(want) == 0:
		b = append(b, "  nothing\n"...)
	}
	for _, r := range want {
		b = append(b, "  "...)
		if q.Select != nil {
			b = appendRecord(b, r)
		} else {
			b = appendID(b, r.ID)
		}
		b = append(b, '\n')
	}
	return string(b)
}
