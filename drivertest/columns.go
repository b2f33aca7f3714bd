package drivertest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/txfake"
)

// A Column is a typed column of a store in the columns layout: a field that
// holds values of one kind, from KindBool to KindBytes, or null. Its null and
// its absence are the same.
type Column struct {
	Name string
	Kind dataknobs.Kind
}

// maxColumns bounds the typed columns of one store. Names are at most as long as
// the databases keep.
const (
	maxColumns    = 60
	maxColumnName = 63
)

// reservedNames are what the tables' other columns are called, and names that
// databases keep for themselves.
var reservedNames = []string{"id", "extra", "meta", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid", "rowid", "_rowid_"}

// withColumns returns the harness of stores that have those typed columns.
func (h *Harness) withColumns(cols []Column) *Harness {
	if h.OpenColumns == nil {
		return h
	}
	c := *h
	c.columns = cols
	c.Open = func(t *testing.T) *dataknobs.DB { return h.OpenColumns(t, cols) }
	return &c
}

// forCase returns the harness for a case: where the store can have typed
// columns, those that fit what the case writes.
func (h *Harness) forCase(t *testing.T, name string, c *testCase) *Harness {
	switch {
	case h.OpenColumns == nil:
		return h
	case c.needs&needColumns != 0:
		return h.withColumns(kindColumns)
	}
	at := learnedCase{name, h.Slow}
	if known, ok := learned.Load(at); ok {
		return h.withColumns(known.([]Column))
	}
	cols := learn(t, c, h.Slow)
	learned.Store(at, cols)
	return h.withColumns(cols)
}

// learned holds what learn found, by learnedCase.
var learned sync.Map

type learnedCase struct {
	name string
	slow bool
}

// learn runs the case on a store that takes everything, and returns a typed
// column for each field of which it saw one kind only.
func learn(t *testing.T, c *testCase, slow bool) []Column {
	k := &kindLearner{kinds: map[string]dataknobs.KindSet{}}
	h := &Harness{
		Open: func(*testing.T) *dataknobs.DB {
			d := txfake.New()
			d.Wrote = k.write
			return dataknobs.New(d, nil)
		},
		Reopen: func(_ *testing.T, db *dataknobs.DB) *dataknobs.DB { return dataknobs.New(db.Driver(), nil) },
		Beside: func(_ *testing.T, db *dataknobs.DB) *dataknobs.DB { return dataknobs.New(db.Driver(), nil) },
		Slow:   slow,
	}
	s := h.subject(t)
	if c.needs.missing(h, s.db) == "" {
		c.run(s)
	}
	if t.Failed() {
		t.Fatalf("the case fails on the store that it was tried on first")
	}
	return k.columns()
}

// A kindLearner notes the kinds that are written to each field.
type kindLearner struct {
	mu    sync.Mutex
	kinds map[string]dataknobs.KindSet // guarded by mu
}

func (k *kindLearner) write(w *dataknobs.Write) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w.Record != nil {
		for _, f := range w.Record.Fields {
			k.kinds[f.Name] = k.kinds[f.Name].With(f.Value.Kind())
		}
	}
	for _, c := range w.Changes {
		name, kind := c.Path[0].Name, c.Value.Kind()
		switch {
		case c.Path.IsMetadata():
		case len(c.Path) > 1:
			k.kinds[name] = k.kinds[name].With(dataknobs.KindObject)
		case !c.Remove:
			k.kinds[name] = k.kinds[name].With(kind)
		}
	}
}

func (k *kindLearner) columns() []Column {
	var cols []Column
	folded := map[string]bool{}
	for _, name := range reservedNames {
		folded[name] = true
	}
	names := make([]string, 0, len(k.kinds))
	for name := range k.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if len(name) > maxColumnName || folded[strings.ToLower(name)] || len(cols) == maxColumns {
			continue
		}
		for kind := dataknobs.KindBool; kind <= dataknobs.KindBytes; kind++ {
			if k.kinds[name] == dataknobs.KindSet(0).With(kind) || k.kinds[name] == dataknobs.KindSet(0).With(kind).With(dataknobs.KindNull) {
				cols = append(cols, Column{name, kind})
				folded[strings.ToLower(name)] = true
			}
		}
	}
	return cols
}

// columnsOf returns the typed columns that fit the records.
func columnsOf(recs []*dataknobs.Record) []Column {
	k := &kindLearner{kinds: map[string]dataknobs.KindSet{}}
	for _, r := range recs {
		k.write(&dataknobs.Write{Record: r})
	}
	return k.columns()
}

// column returns the typed column that p leads into.
func (h *Harness) column(p dataknobs.Path) (Column, bool) {
	i := slices.IndexFunc(h.columns, func(c Column) bool { return c.Name == p[0].Name })
	if i < 0 {
		return Column{}, false
	}
	return h.columns[i], true
}

// dropColumnNulls leaves out of fields the nulls of typed columns.
func (h *Harness) dropColumnNulls(f dataknobs.Fields) dataknobs.Fields {
	if len(h.columns) == 0 {
		return f
	}
	return slices.DeleteFunc(f, func(x dataknobs.Field) bool {
		_, typed := h.column(dataknobs.Names(x.Name))
		return typed && x.Value.IsNull()
	})
}

// dropSelectedNulls leaves out of a row the nulls that were selected of typed
// columns.
func (h *Harness) dropSelectedNulls(q *dataknobs.Query, r *dataknobs.Record) *dataknobs.Record {
	r = r.Clone()
	for _, c := range q.Select {
		if len(c.Path) == 0 {
			continue
		}
		name := cmp.Or(c.As, c.Path[0].Name)
		if _, typed := h.column(c.Path); typed && r.Fields.Value(name).IsNull() {
			r.Fields.Delete(name)
		}
	}
	return r
}

// kindColumns are a column of each kind, some of whose names need care.
var kindColumns = []Column{
	{"flag", dataknobs.KindBool}, {"Num", dataknobs.KindInt}, {"unit price", dataknobs.KindFloat}, {"select", dataknobs.KindString},
	{"at", dataknobs.KindTime}, {`o'"b`, dataknobs.KindBytes}, {"größe", dataknobs.KindInt}, {"a.b", dataknobs.KindString},
}

// valuesOfKind are the values of the table of one kind.
func valuesOfKind(k dataknobs.Kind) []dataknobs.Value {
	var vs []dataknobs.Value
	for _, nv := range plainValues() {
		if nv.v.Kind() == k {
			vs = append(vs, nv.v)
		}
	}
	return vs
}

// columnRecords are records whose typed columns run through all values of
// their kinds, null and absent too.
func columnRecords() []*dataknobs.Record {
	var recs []*dataknobs.Record
	for i := range len(hostileTexts) + 2 {
		r := dataknobs.NewRecord(formatID((i * 37) % 1000))
		for k, c := range kindColumns {
			vs := valuesOfKind(c.Kind)
			switch at := (i + k) % (len(vs) + 2); {
			case at < len(vs):
				r.Set(c.Name, vs[at])
			case at == len(vs):
				r.Set(c.Name, dataknobs.Null())
			}
		}
		r.Set("free", plainValues()[i%len(plainValues())].v)
		recs = append(recs, r)
	}
	return recs
}

// columnConstants are values to compare a column with: of its own kind, and a
// few of each other.
func (s *subject) columnConstants(c Column) []dataknobs.Value {
	own := valuesOfKind(c.Kind)
	if s.brief() && len(own) > 12 {
		own = append(own[:4:4], own[len(own)-6:]...)
	}
	for k := dataknobs.KindBool; k <= dataknobs.KindObject; k++ {
		if vs := valuesOfKind(k); k != c.Kind {
			own = append(own, vs[0], vs[len(vs)/2])
		}
	}
	if c.Kind == dataknobs.KindInt || c.Kind == dataknobs.KindFloat {
		own = append(own, dataknobs.Float(0.5), dataknobs.Float(math.MaxInt64), dataknobs.Float(-1<<63), dataknobs.Int(1<<53+1), dataknobs.Float(42))
	}
	return own
}

const typedColumns = "a store with typed columns answers as every other: what a column cannot hold is refused, and what it holds is compared with values of any kind"

var columnCases = []testCase{
	{name: "round trip", why: typedColumns, needs: needColumns, run: func(s *subject) { s.roundTrip(columnRecords()) }},
	{name: "conditions", why: typedColumns, needs: needColumns, run: func(s *subject) {
		recs := columnRecords()
		s.fill(recs)
		for _, c := range kindColumns {
			p := dataknobs.Names(c.Name)
			for _, v := range s.columnConstants(c) {
				for _, op := range []dataknobs.Op{dataknobs.Eq, dataknobs.Ne, dataknobs.Lt, dataknobs.Le, dataknobs.Gt, dataknobs.Ge, dataknobs.In, dataknobs.NotIn, dataknobs.Contains} {
					s.wantModel(&dataknobs.Query{Where: &dataknobs.Cond{Path: p, Op: op, Args: []dataknobs.Value{v}}}, recs)
				}
				if s.Failed() {
					return
				}
			}
			own := valuesOfKind(c.Kind)
			for _, e := range []dataknobs.Expr{
				&dataknobs.Cond{Path: p, Op: dataknobs.Between, Args: []dataknobs.Value{own[0], own[len(own)/2]}},
				&dataknobs.Cond{Path: p, Op: dataknobs.NotBetween, Args: []dataknobs.Value{own[len(own)/2], dataknobs.Int(7)}},
				&dataknobs.Cond{Path: p, Op: dataknobs.In, Args: append(slices.Clip(own[:min(3, len(own))]), dataknobs.String("other"), dataknobs.Int(42), dataknobs.Bool(true))},
				&dataknobs.Cond{Path: p, Op: dataknobs.NotIn, Args: append(slices.Clip(own[:min(3, len(own))]), dataknobs.String("other"), dataknobs.Float(42))},
				&dataknobs.Cond{Path: p, Op: dataknobs.IsNull}, &dataknobs.Cond{Path: p, Op: dataknobs.IsNotNull},
				&dataknobs.Cond{Path: p.Child("x"), Op: dataknobs.IsNull}, &dataknobs.Cond{Path: p.At(0), Op: dataknobs.IsNotNull},
				&dataknobs.Cond{Path: p.Child("x"), Op: dataknobs.Ne, Args: own[:1]},
			} {
				s.wantModel(&dataknobs.Query{Where: e}, recs)
				s.wantModel(&dataknobs.Query{Where: dataknobs.Not{Expr: e}}, recs)
			}
			for _, op := range []dataknobs.Op{dataknobs.Like, dataknobs.ILike, dataknobs.StartsWith, dataknobs.Matches, dataknobs.NotLike, dataknobs.NotMatches} {
				for _, pattern := range []string{"", "1", "%", "t%", "tru_", "^2026", "2026-01-02%"} {
					s.wantModel(&dataknobs.Query{Where: &dataknobs.Cond{Path: p, Op: op, Args: []dataknobs.Value{dataknobs.String(pattern)}}}, recs)
				}
			}
		}
	}},
	{name: "orders, pages and groups", why: typedColumns, needs: needColumns, run: func(s *subject) {
		recs := columnRecords()
		s.fill(recs)
		for i, c := range kindColumns {
			p, next := dataknobs.Names(c.Name), dataknobs.Names(kindColumns[(i+1)%len(kindColumns)].Name)
			for _, os := range [][]dataknobs.Order{{{Path: p}}, {{Path: p, Desc: true}}, {{Path: p, Nulls: dataknobs.NullsFirst}}, {{Path: next, Desc: true}, {Path: p}}, {{Path: p}, {Path: dataknobs.Names("free"), Desc: true}}, {{Path: p.Child("x")}, {Path: p}}} {
				s.wantModel(&dataknobs.Query{OrderBy: os}, recs)
				q := &dataknobs.Query{OrderBy: os, Limit: new(17)}
				want, _ := modelRun(&dataknobs.Query{OrderBy: os}, recs, false)
				s.wantPages(q, idsOf(want))
			}
			s.wantModel(&dataknobs.Query{GroupBy: []dataknobs.Path{p}, Select: []dataknobs.Column{{Path: p}, count(), {Agg: dataknobs.Max, Path: next}}}, recs)
			for _, a := range []dataknobs.Agg{dataknobs.Count, dataknobs.Min, dataknobs.Max, dataknobs.Sum, dataknobs.Avg} {
				if c.Kind != dataknobs.KindFloat || a != dataknobs.Sum && a != dataknobs.Avg { // the extremes overflow on the way
					s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{{Agg: a, Path: p}}}, recs)
				}
			}
			s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{{Path: p}, {Path: next, As: "x"}, {Path: dataknobs.Names("free")}}}, recs)
			s.wantModel(&dataknobs.Query{Select: []dataknobs.Column{{Path: p}}, Where: &dataknobs.Cond{Path: next, Op: dataknobs.IsNotNull}, OrderBy: []dataknobs.Order{{Path: p}}, Limit: new(20)}, recs)
		}
	}},
	{name: "small numbers", why: typedColumns + "; sums of a column are exact", needs: needColumns, run: func(s *subject) {
		var recs []*dataknobs.Record
		for i := range 60 {
			recs = append(recs, rec(formatID(i), "Num", int64(i*i-100), "größe", int64(i%4), "unit price", float64(i)/8, "flag", i%3 == 0))
		}
		s.fill(recs)
		for _, name := range []string{"Num", "größe", "unit price", "flag"} {
			cols := []dataknobs.Column{count(), agg(dataknobs.Sum, name), agg(dataknobs.Avg, name), agg(dataknobs.Min, name), agg(dataknobs.Max, name)}
			s.wantModel(&dataknobs.Query{Select: cols}, recs)
			s.wantModel(&dataknobs.Query{Select: append(cols, key("größe")), GroupBy: by("größe"), Having: having(dataknobs.Count, name, dataknobs.Gt, int64(3))}, recs)
			s.wantModel(&dataknobs.Query{Select: cols, Where: cond("unit price", dataknobs.Gt, int64(3))}, recs)
		}
	}},
	{name: "other kinds", why: "a value of another kind than its column's is InvalidArgument that names the field, and nothing is written", needs: needColumns, run: func(s *subject) {
		keep := rec("keep", "flag", true, "Num", int64(1), "unit price", 0.5, "select", "text", "at", dataknobs.TimeMicros(0), `o'"b`, []byte("b"), "größe", int64(2), "a.b", "t")
		s.create(keep)
		for _, c := range kindColumns {
			for k := dataknobs.KindBool; k <= dataknobs.KindObject; k++ {
				number := k == dataknobs.KindInt || k == dataknobs.KindFloat
				if k == c.Kind || number && (c.Kind == dataknobs.KindInt || c.Kind == dataknobs.KindFloat) {
					continue // whether an int may go to a column of floats is the store's choice
				}
				vs := valuesOfKind(k)
				bad := dataknobs.NewRecord("bad", dataknobs.F("free", 1), dataknobs.Field{Name: c.Name, Value: vs[len(vs)/2]})
				_, err := s.db.Create(s.ctx, bad)
				s.wantCode(err, dataknobs.InvalidArgument, "Create of %s", show(bad))
				if err != nil && !strings.Contains(err.Error(), c.Name) && !strings.Contains(err.Error(), dataknobs.Names(c.Name).String()) {
					s.Errorf("the error %q does not name the field %s", err, c.Name)
				}
				_, err = s.db.Put(s.ctx, dataknobs.NewRecord("keep", bad.Fields...))
				s.wantCode(err, dataknobs.InvalidArgument, "Put of %s", show(bad))
				_, err = s.db.Patch(s.ctx, "keep", []dataknobs.Change{change("free", 1), {Path: dataknobs.Names(c.Name), Value: vs[len(vs)/2]}})
				s.wantCode(err, dataknobs.InvalidArgument, "Patch of %s to a %s", c.Name, k)
			}
		}
		s.wantContent(keep)
		_, err := s.db.PutMany(s.ctx, []*dataknobs.Record{rec("a", "flag", false), rec("b", "flag", "no bool"), rec("c", "free", []any{int64(1)})})
		s.wantItems(err, map[int]dataknobs.Code{1: dataknobs.InvalidArgument})
		s.wantContent(keep, rec("a", "flag", false), rec("c", "free", []any{int64(1)}))
		_, err = s.db.Load(s.ctx, stream([]*dataknobs.Record{rec("d", "Num", int64(1)), rec("e", "Num", "no number")}, nil), nil)
		s.wantCode(err, dataknobs.InvalidArgument, "Load")
		if s.content()["e"] != nil {
			s.Errorf("a record with a value of another kind was loaded")
		}
	}},
	{name: "patches", why: "a patch of a typed column sets it, empties it, and keeps the rest; a step into it is InvalidArgument", needs: needColumns, run: func(s *subject) {
		s.create(rec("x", "flag", true, "Num", int64(1), "free", "f"), rec("y"))
		patch := func(id string, changes ...dataknobs.Change) error { return second(s.db.Patch(s.ctx, id, changes)) }
		s.must(patch("x", change("Num", int64(2)), change("unit price", 1.5), change("flag", nil), change("new", "n")), "Patch")
		s.wantContent(rec("x", "Num", int64(2), "unit price", 1.5, "free", "f", "new", "n"), rec("y"))
		s.must(patch("x", dataknobs.Change{Path: dataknobs.Names("Num"), Remove: true}, change("at", dataknobs.TimeMicros(1))), "Patch")
		s.wantContent(rec("x", "at", dataknobs.TimeMicros(1), "unit price", 1.5, "free", "f", "new", "n"), rec("y"))
		s.wantCode(patch("x", dataknobs.Change{Path: dataknobs.Names("unit price", "p"), Value: dataknobs.Int(1)}), dataknobs.InvalidArgument, "Patch inside a column")
		s.wantCode(patch("y", dataknobs.Change{Path: dataknobs.Names("Num", "p"), Value: dataknobs.Int(1)}), dataknobs.InvalidArgument, "Patch inside an empty column")
		n, err := s.db.PatchWhere(s.ctx, cond("unit price", dataknobs.Gt, int64(1)), []dataknobs.Change{change("select", "s"), change("flag", false)})
		s.must(err, "PatchWhere")
		if n != 1 {
			s.Errorf("PatchWhere says %d, wanted 1", n)
		}
		s.wantContent(rec("x", "at", dataknobs.TimeMicros(1), "unit price", 1.5, "free", "f", "new", "n", "select", "s", "flag", false), rec("y"))
	}},
	{name: "names that differ in case", why: "field names are told apart by case, beside columns too", needs: needColumns, run: func(s *subject) {
		recs := []*dataknobs.Record{
			rec("a", "Num", int64(1), "num", "text", "NUM", true), rec("b", "num", int64(5), "FLAG", 1.5, "Select", []any{}), rec("c", "flag", true, "Flag", "x", "ID", "y", "Extra", int64(1), "META", nil),
		}
		s.fill(recs)
		s.wantContent(recs...)
		for _, c := range []*dataknobs.Cond{
			cond("Num", dataknobs.Ge, int64(1)), cond("num", dataknobs.Eq, "text"), cond("num", dataknobs.Ge, int64(1)), cond("NUM", dataknobs.IsNotNull), cond("Flag", dataknobs.Eq, "x"),
			cond("ID", dataknobs.Eq, "y"), cond("Extra", dataknobs.Eq, int64(1)), cond("FLAG", dataknobs.Gt, int64(1)),
		} {
			s.wantModel(&dataknobs.Query{Where: c}, recs)
		}
	}},
	{name: "hostile values", why: "trap 70: no value and no name is ever taken for a part of a statement", needs: needColumns, run: func(s *subject) {
		var recs []*dataknobs.Record
		for i, text := range hostileTexts {
			recs = append(recs, rec(formatID(i), "select", text, "a.b", text, "free", text))
		}
		s.fill(recs)
		for _, r := range s.every(recs) {
			text := r.Get("select").Str()
			for _, f := range []string{"select", "a.b", "free"} {
				s.wantModel(&dataknobs.Query{Where: cond(f, dataknobs.Eq, text)}, recs)
				s.wantModel(&dataknobs.Query{Where: cond(f, dataknobs.Ne, text), OrderBy: []dataknobs.Order{{Path: dataknobs.Names(f)}}, Limit: new(5)}, recs)
			}
		}
		s.wantContent(recs...)
	}},
	{name: "key", why: "the key column is a field, and its text is the ID", needs: needColumns, run: func(s *subject) {
		key := s.f().Key
		if len(key) != 1 {
			s.Fatalf("the store's key is %q, wanted one column", key)
		}
		s.create(rec("x", "Num", int64(1)), rec("", key[0], "y", "Num", int64(2)))
		for _, id := range []string{"x", "y"} {
			if got := s.get(id).Get(key[0]); !got.Equal(dataknobs.String(id)) {
				s.Errorf("record %q: its field %s is %s", id, key[0], got)
			}
		}
		s.wantSet(&dataknobs.Query{Where: cond(key[0], dataknobs.Ge, "y")}, "y")
		_, err := s.db.Put(s.ctx, rec("x", key[0], "z"))
		s.wantCode(err, dataknobs.InvalidArgument, "Put of a record whose key says another ID")
		_, err = s.db.Patch(s.ctx, "x", []dataknobs.Change{change(key[0], "z")})
		s.wantCode(err, dataknobs.InvalidArgument, "Patch of the key")
		res, err := s.db.Create(s.ctx, rec("", "Num", int64(3)))
		s.must(err, "Create without an ID")
		if got := s.get(res.ID).Get(key[0]); got.Str() != res.ID || res.ID == "" {
			s.Errorf("a record created without an ID has ID %q and key %s", res.ID, got)
		}
	}},
}

// String returns the column as in a list of columns.
func (c Column) String() string { return fmt.Sprintf("%s %s", c.Name, c.Kind) }
