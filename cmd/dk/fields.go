package main

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// What a look for fields may cost at most, and how many fields of a query it is for.
const (
	lookRecords = 1000
	lookTime    = time.Second
	lookNames   = 10_000
	lookFields  = 100
)

// A fieldWatch notices which fields of a query are in the records of its
// answer. Those that are in none may be misspelt, where the store itself does
// not know its fields and so cannot say: end looks for them in the store's
// first records. It changes nothing about the answer.
type fieldWatch struct {
	a      *app
	db     *dataknobs.DB
	q      *dataknobs.Query
	byText map[string]*askedField
	all    []*askedField
	open   []*askedField // of all: not seen yet
	found  bool          // a record was found
}

// An askedField is a path that a query names.
type askedField struct {
	path  dataknobs.Path
	shown []dataknobs.Path // where results show what is at the path
	other bool             // it stands elsewhere than in WHERE

	// What a look found:
	depth int             // the step that no record has; len(path): the field is there
	names []string        // the fields beside it
	seen  map[string]bool // the same, to find them
}

// watchFields watches the results of q.
func (a *app) watchFields(db *dataknobs.DB, q *dataknobs.Query) *fieldWatch {
	w := &fieldWatch{a: a, db: db, q: q, byText: map[string]*askedField{}}
	dataknobs.Conds(q.Where, func(c *dataknobs.Cond) bool {
		w.add(c.Path, false)
		return len(w.all) < lookFields
	})
	for _, c := range q.Select {
		shown := dataknobs.Names(c.Name())
		if !q.Grouped() && c.As == "" {
			shown = c.Path // nesting is kept
		}
		w.add(c.Path, true, shown)
	}
	for _, p := range q.GroupBy {
		w.add(p, true, dataknobs.Names(dataknobs.Column{Path: p}.Name()))
	}
	dataknobs.Conds(q.Having, func(c *dataknobs.Cond) bool {
		w.addTerm(c.Path)
		return true
	})
	for _, o := range q.OrderBy {
		w.addTerm(o.Path)
	}
	if q.Select == nil && !q.Grouped() {
		for _, f := range w.all {
			f.shown = []dataknobs.Path{f.path}
		}
	}
	w.open = slices.Clone(w.all)
	return w
}

// add adds a path, and where results show what is there.
func (w *fieldWatch) add(p dataknobs.Path, other bool, shown ...dataknobs.Path) {
	if len(p) == 0 || p.IsSystem() {
		return
	}
	text := p.String()
	f := w.byText[text]
	if f == nil {
		if len(w.all) == lookFields {
			return
		}
		f = &askedField{path: p}
		w.byText[text], w.all = f, append(w.all, f)
	}
	f.shown, f.other = append(f.shown, shown...), f.other || other
}

// addTerm adds a path of HAVING or ORDER BY, where the name of a column may stand too.
func (w *fieldWatch) addTerm(p dataknobs.Path) {
	if !slices.ContainsFunc(w.q.Select, func(c dataknobs.Column) bool { return len(p) == 1 && c.Name() == p[0].Name }) {
		w.add(p, true)
	}
}

// until passes recs on and looks at each.
func (w *fieldWatch) until(recs iter.Seq2[*dataknobs.Record, error]) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		for rec, err := range recs {
			if err == nil && (len(w.open) > 0 || !w.found) {
				w.see(rec)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// see notices the fields of a result.
func (w *fieldWatch) see(rec *dataknobs.Record) {
	// Aggregates without groups are there even of no record.
	w.found = w.found || !w.q.Grouped() || len(w.q.GroupBy) > 0 ||
		slices.ContainsFunc(rec.Fields, func(f dataknobs.Field) bool { return tells(f.Value) })
	w.open = slices.DeleteFunc(w.open, func(f *askedField) bool {
		return slices.ContainsFunc(f.shown, func(p dataknobs.Path) bool {
			v := rec.Lookup(p)
			return !v.IsNull() && (!w.q.Grouped() || tells(v))
		})
	})
}

// tells reports whether an aggregate shows that there was something.
func tells(v dataknobs.Value) bool { return !v.IsNull() && !v.Equal(dataknobs.Int(0)) }

// warnFields says which fields of a condition no record has, after as many
// records were found by it.
func (a *app) warnFields(ctx context.Context, db *dataknobs.DB, where dataknobs.Expr, found int64) {
	w := a.watchFields(db, &dataknobs.Query{Where: where})
	w.found = found > 0
	w.end(ctx)
}

// warnUnset says which of the fields that changes remove are probably misspelt:
// they are not in the record of that ID or, without one, in none of the store's
// first records, and another is near. It is asked before the change.
func (a *app) warnUnset(ctx context.Context, db *dataknobs.DB, id string, changes []dataknobs.Change) {
	var fields []*askedField
	for _, c := range changes {
		if c.Remove && !c.Path.IsSystem() {
			fields = append(fields, &askedField{path: c.Path})
		}
	}
	if len(fields) == 0 {
		return
	}
	none := "no record has a"
	if id != "" {
		rec, err := db.Get(ctx, id)
		if err != nil {
			return // the change says it
		}
		none = "record " + strconv.Quote(id) + " has no"
		for _, f := range fields {
			f.lookIn(rec.Fields)
		}
	} else if n, all := look(ctx, db, fields); !all {
		none = noneOfFirst(n) + " a"
	}
	for _, f := range fields {
		if f.depth == len(f.path) {
			continue
		}
		if hint := f.hint(); hint != "" {
			a.warn(none + " field called " + f.path[:f.depth+1].String() + hint)
		}
	}
}

func noneOfFirst(n int) string { return "none of the first " + thousands(int64(n)) + " records has" }

// end warns of the fields that were in no result and are in none of the
// store's first records either. A condition that found records although its
// field is in none, such as IS NULL, may be right: it is only mentioned where
// another field is near.
func (w *fieldWatch) end(ctx context.Context) {
	doubted := w.doubted(ctx)
	if len(doubted) == 0 {
		return
	}
	n, all := look(ctx, w.db, doubted)
	if n == 0 {
		return
	}
	none := noneOfFirst(n)
	if all {
		none = "no record has"
	}
	for _, f := range doubted {
		if f.depth == len(f.path) {
			continue
		}
		if hint := f.hint(); hint != "" || f.other || !w.found {
			w.a.warn(none + " a field called " + f.path[:f.depth+1].String() + hint)
		}
	}
}

// doubted are the fields that nothing shows to be there, but for those that
// the store knows of: the library has warned where there is no such field.
func (w *fieldWatch) doubted(ctx context.Context) []*askedField {
	doubted := w.open
	if w.found {
		where := dataknobs.Simplify(w.q.Where)
		doubted = slices.DeleteFunc(doubted, func(f *askedField) bool { return needs(where, f.path) })
	}
	namer, ok := dataknobs.Ability[dataknobs.Namer](w.db.Driver())
	if !ok || len(doubted) == 0 {
		return doubted
	}
	names, err := namer.FieldNames(ctx)
	if err != nil || len(names) == 0 {
		return doubted
	}
	return slices.DeleteFunc(doubted, func(f *askedField) bool {
		return len(f.path) == 1 || !slices.Contains(names, f.path[0].Name)
	})
}

// needs reports whether e, which is simplified, is true only of records that
// have a value at p.
func needs(e dataknobs.Expr, p dataknobs.Path) bool {
	switch e := e.(type) {
	case *dataknobs.Cond:
		return e.Op != dataknobs.IsNull && e.Path.Equal(p)
	case dataknobs.And:
		return slices.ContainsFunc(e, func(x dataknobs.Expr) bool { return needs(x, p) })
	case dataknobs.Or:
		return !slices.ContainsFunc(e, func(x dataknobs.Expr) bool { return !needs(x, p) })
	}
	return false
}

// look looks for the fields in the first records of the store, until it has
// seen them all. It returns how many records that took, and whether there are
// no more. What goes wrong ends it: nobody asked for it.
func look(ctx context.Context, db *dataknobs.DB, fields []*askedField) (n int, all bool) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	limit := lookRecords
	for rec, err := range db.Run(ctx, &dataknobs.Query{Limit: &limit}, dataknobs.OmitIDs(), dataknobs.OmitRevisions()) {
		if err != nil {
			return n, false
		}
		n++
		left := 0
		for _, f := range fields {
			if f.lookIn(rec.Fields); f.depth < len(f.path) {
				left++
			}
		}
		if left == 0 {
			break
		}
	}
	return n, n < limit
}

// lookIn follows the path through the fields of a record, as far as it leads.
func (f *askedField) lookIn(fields dataknobs.Fields) {
	for i := 0; i < len(f.path) && f.depth < len(f.path); {
		v, ok := fields.Get(f.path[i].Name)
		if !ok {
			f.missing(i, fields)
			return
		}
		for i++; i < len(f.path) && f.path[i].Name == ""; i++ {
			if v.Kind() != dataknobs.KindArray || v.Len() == 0 {
				f.depth = len(f.path) // no name is missing
				return
			}
			v = v.Index(min(f.path[i].Index, v.Len()-1))
		}
		f.missing(i, nil)
		fields = v.Fields() // none of what is no object
	}
}

// missing takes note that the i-th step leads to none of the fields.
func (f *askedField) missing(i int, fields dataknobs.Fields) {
	if i > f.depth {
		f.depth, f.names, f.seen = i, nil, nil
	}
	for j := range fields {
		name := fields[j].Name
		if i < f.depth || f.seen[name] || len(f.names) == lookNames {
			continue
		}
		if f.seen == nil {
			f.seen = map[string]bool{}
		}
		name = strings.Clone(name)
		f.names, f.seen[name] = append(f.names, name), true
	}
}

// hint says what was probably meant; "" if nothing is near.
func (f *askedField) hint() string {
	if dotted := f.dotted(); f.seen[dotted] && f.depth == 0 {
		return "; for the field " + dotted + " write " + dataknobs.Names(dotted).String() + " in backticks"
	}
	near := nearest.Of(f.path[f.depth].Name, f.names)
	if near == "" {
		return ""
	}
	return "; did you mean " + f.path[:f.depth].Child(near).String() + "?"
}

// dotted is the path's text without backticks, as it would be a field's name.
func (f *askedField) dotted() string {
	var b strings.Builder
	for i, s := range f.path {
		if s.Name == "" {
			return ""
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.Name)
	}
	return b.String()
}
