package dataknobs

import (
	"context"
	"slices"
)

// resolve returns q with its conditions simplified and its time literals read:
// a string beside a path at which the store holds times only, and nothing
// else, means the instant that it spells.
func (db *DB) resolve(ctx context.Context, q *Query) (*Query, error) {
	c := *q
	c.Where, c.Having = Simplify(q.Where), Simplify(q.Having)
	typed, ok := Ability[Typed](db.d)
	if !ok {
		return &c, nil
	}
	r := timeReader{q: q}
	Conds(c.Where, r.collect)
	Conds(c.Having, r.collect)
	if len(r.paths) == 0 {
		return &c, nil
	}
	var err error
	r.kinds, err = call(ctx, db, func() ([]KindSet, error) { return typed.Kinds(ctx, r.paths) })
	if err != nil || len(r.kinds) != len(r.paths) {
		return &c, err
	}
	c.Where, c.Having = r.read(c.Where), r.read(c.Having)
	return &c, nil
}

// A timeReader reads the time literals of a query. It asks the store about no
// path but those that are compared with what could be a time, since the answer
// may cost a look at every record.
type timeReader struct {
	q     *Query
	paths []Path
	kinds []KindSet
}

// collect notes the path of a condition that may be about times.
func (r *timeReader) collect(c *Cond) bool {
	if p := r.path(c); p != nil && r.index(p) < 0 {
		r.paths = append(r.paths, p)
	}
	return true
}

func (r *timeReader) index(p Path) int { return slices.IndexFunc(r.paths, p.Equal) }

// path returns the path of the values that c compares with a string that
// spells a time; nil if it does no such thing.
func (r *timeReader) path(c *Cond) Path {
	spells := func(v Value) bool { _, ok := ParseTime(v.Str()); return ok }
	if c.Op > NotBetween || !slices.ContainsFunc(c.Args, spells) {
		return nil
	}
	p, agg := c.Path, c.Agg
	if r.q.Grouped() {
		if col, ok := r.q.groupTerm(p, agg); ok {
			p, agg = col.Path, col.Agg
		}
	}
	if p.IsID() || p.IsRevision() || agg != NoAgg && agg != Min && agg != Max {
		return nil
	}
	return p
}

// read returns e with its time literals as times. What does not change is
// shared with e.
func (r *timeReader) read(e Expr) Expr {
	switch e := e.(type) {
	case And:
		return And(r.readAll(e))
	case Or:
		return Or(r.readAll(e))
	case *Cond:
		return r.readCond(e)
	}
	return e
}

func (r *timeReader) readAll(parts []Expr) []Expr {
	out := make([]Expr, len(parts))
	for i, p := range parts {
		out[i] = r.read(p)
	}
	return out
}

func (r *timeReader) readCond(c *Cond) *Cond {
	p := r.path(c)
	if p == nil || !r.kinds[r.index(p)].Only(KindTime) {
		return c
	}
	with := *c
	with.Args = slices.Clone(c.Args)
	for i, a := range c.Args {
		if t, ok := ParseTime(a.Str()); ok {
			with.Args[i] = t
		}
	}
	return &with
}
