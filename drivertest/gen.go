package drivertest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"dataknobs.dev/dataknobs"
)

// A gen makes random records, writes and queries. Values come from small
// domains with the edges among them, so that conditions hit and kinds clash.
type gen struct {
	*rand.Rand
	f      func() *dataknobs.Features // what the store can do
	fields []genField
	recs   []*dataknobs.Record // what the store holds, for constants that hit
}

// A genField is a field name with the kind that most of its values have.
type genField struct {
	name  string
	kind  dataknobs.Kind // KindNull: any
	typed bool           // it is a typed column: of that kind, or null
	words bool           // its texts are some of genWords
}

// newGen returns a generator for one store, which the caller sets.
func newGen(seed uint64) *gen {
	g := &gen{Rand: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))}
	for _, name := range []string{"a", "b", "c", "d", "unit price", "a.b", "o"} {
		k := dataknobs.Kind(g.IntN(int(dataknobs.KindObject) + 1))
		if name == "o" {
			k = dataknobs.KindObject
		}
		g.fields = append(g.fields, genField{name: name, kind: k})
	}
	return g
}

// typeColumns chooses the fields that are typed columns.
func (g *gen) typeColumns() []Column {
	for k := dataknobs.KindBool; k <= dataknobs.KindBytes; k++ {
		if g.oneIn(2) {
			g.fields = append(g.fields, genField{name: "col " + k.String(), kind: k, typed: true})
		}
	}
	var cols []Column
	for i := range g.fields {
		f := &g.fields[i]
		if f.kind >= dataknobs.KindBool && f.kind <= dataknobs.KindBytes && (f.typed || !g.oneIn(3)) {
			f.typed = true
			cols = append(cols, Column{f.name, f.kind})
		}
	}
	return cols
}

// fieldValue returns a value for a field.
func (g *gen) fieldValue(f genField, depth int) dataknobs.Value {
	if !f.typed {
		return g.value(f.kind, depth)
	}
	if g.oneIn(8) {
		return dataknobs.Null()
	}
	if f.words {
		return dataknobs.String(g.words(g.IntN(4)))
	}
	return g.valueOf(f.kind, depth)
}

// oneIn is true once in n times.
func (g *gen) oneIn(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *gen, xs []T) T { return xs[g.IntN(len(xs))] }

var (
	genInts   = []int64{0, 1, 2, 3, -1, 7, 1 << 53, 1<<53 + 1, -1 << 53, math.MaxInt64, math.MinInt64}
	genFloats = []float64{0, 1, 2, 0.5, -1, 2.5, 1 << 53, 1 << 63, -1 << 63, 5e-324, 1e300, math.Copysign(0, -1)}
	// No text here spells a time: beside a field of nothing but times a store that
	// knows its kinds reads it as one. That has a case of its own.
	genStrings = []string{"", "a", "A", "b", "ab", "aB", "abc", "a%", "a_b", `a\b`, "ß", "ẞ", "é", "K", "\u212a", "ſ", "s", "1", "true", "null", "2026-01-02T00:00", "😀", "a\nb", "İ", "'", "日本", "NaN", "Infinity", "-0", "1e3", "{}", "[]"}
	genTimes   = []int64{0, 1, -1, 1767312000_000_000, 1767312000_000_001, -62135596800_000_000, 253402300799_999_999}
	genBytes   = []string{"", "\x00", "a", "ab", "\xff"}
)

// value returns a value of the kind k mostly, and otherwise of any.
func (g *gen) value(k dataknobs.Kind, depth int) dataknobs.Value {
	if k == dataknobs.KindNull || g.oneIn(8) {
		k = pick(g, []dataknobs.Kind{
			dataknobs.KindNull, dataknobs.KindBool, dataknobs.KindInt, dataknobs.KindInt, dataknobs.KindFloat, dataknobs.KindFloat,
			dataknobs.KindString, dataknobs.KindString, dataknobs.KindTime, dataknobs.KindBytes, dataknobs.KindArray, dataknobs.KindObject,
		})
	}
	if depth > 2 && k >= dataknobs.KindArray {
		k = dataknobs.KindInt
	}
	return g.valueOf(k, depth)
}

// valueOf returns a value of the kind k.
func (g *gen) valueOf(k dataknobs.Kind, depth int) dataknobs.Value {
	switch k {
	case dataknobs.KindBool:
		return dataknobs.Bool(g.oneIn(2))
	case dataknobs.KindInt:
		return dataknobs.Int(genInts[min(g.IntN(len(genInts)), g.IntN(len(genInts)))])
	case dataknobs.KindFloat:
		return dataknobs.Float(genFloats[min(g.IntN(len(genFloats)), g.IntN(len(genFloats)))])
	case dataknobs.KindString:
		return dataknobs.String(pick(g, genStrings))
	case dataknobs.KindTime:
		return dataknobs.TimeMicros(pick(g, genTimes))
	case dataknobs.KindBytes:
		return dataknobs.Bytes([]byte(pick(g, genBytes)))
	case dataknobs.KindArray:
		vs := make([]dataknobs.Value, g.IntN(4))
		for i := range vs {
			vs[i] = g.value(dataknobs.KindInt, depth+1)
		}
		return dataknobs.AdoptArray(vs)
	case dataknobs.KindObject:
		f := dataknobs.Fields{}
		for _, name := range []string{"p", "q", "$t"} {
			if g.oneIn(2) {
				f = append(f, dataknobs.Field{Name: name, Value: g.value(dataknobs.KindNull, depth+1)})
			}
		}
		return dataknobs.AdoptObject(f)
	}
	return dataknobs.Null()
}

func (g *gen) record(id string) *dataknobs.Record {
	r := dataknobs.NewRecord(id)
	for _, f := range g.fields {
		if !g.oneIn(4) {
			r.Fields = append(r.Fields, dataknobs.Field{Name: f.name, Value: g.fieldValue(f, 0)})
		}
	}
	if g.f().Metadata && g.oneIn(3) {
		r.Metadata = dataknobs.Fields{{Name: "m", Value: g.value(dataknobs.KindString, 1)}}
	}
	return r
}

var genIDs = func() []string {
	ids := []string{"a/b", "..", "%", "é", "A", "a", "-", "'", "x y", "😀", "007", `\`, `"`, "null"}
	for i := range 50 {
		ids = append(ids, fmt.Sprintf("r%d", i))
	}
	return ids
}()

// A step is one call that writes: a single write or a batch. The Revision of a
// write is a word: "current" or "stale".
type step struct {
	batch  bool
	atomic bool
	writes []dataknobs.Write
}

func (g *gen) step() step {
	st := step{batch: g.oneIn(2)}
	n := 1
	if st.batch {
		n = 1 + g.IntN(30)
		st.atomic = g.f().Atomic && g.oneIn(3)
	}
	for range n {
		st.writes = append(st.writes, g.write())
	}
	return st
}

func (g *gen) write() dataknobs.Write {
	w := dataknobs.Write{Op: dataknobs.WritePut, ID: pick(g, genIDs), If: dataknobs.IfPresent}
	switch g.IntN(10) {
	case 0, 1, 2:
		w.If = dataknobs.IfAbsent
	case 3, 4, 5:
		w.If = dataknobs.Always
	case 6, 7:
		w.Op = dataknobs.WritePatch
		for range g.IntN(4) {
			w.Changes = append(w.Changes, g.change())
		}
	case 8:
		w.Op = dataknobs.WriteDelete
	}
	if w.Op == dataknobs.WritePut {
		w.Record = g.record(w.ID)
	}
	if w.If != dataknobs.IfAbsent && g.oneIn(3) {
		w.Revision = pick(g, []string{"current", "stale", "current"})
	}
	return w
}

func (g *gen) change() dataknobs.Change {
	f := pick(g, g.fields)
	p := dataknobs.Names(f.name)
	switch g.IntN(6) {
	case 0:
		if !f.typed {
			p = p.Child(pick(g, []string{"p", "q", "new"}))
		}
	case 1:
		if !f.typed {
			p = p.At(g.IntN(2))
		}
	}
	return dataknobs.Change{Path: p, Value: g.fieldValue(f, 1), Remove: g.oneIn(4)}
}

// path returns a path that a condition may look at.
func (g *gen) path() dataknobs.Path {
	if g.oneIn(12) {
		return pick(g, []dataknobs.Path{dataknobs.PathID, dataknobs.Names("none"), dataknobs.Names("_meta", "m"), dataknobs.Names("_meta", "m", "p"), dataknobs.Names("_meta")})
	}
	p := dataknobs.Names(pick(g, g.fields).name)
	for g.oneIn(4) {
		if g.oneIn(2) {
			p = p.At(g.IntN(2))
		} else {
			p = p.Child(pick(g, []string{"p", "q", "$t"}))
		}
	}
	return p
}

// constant returns a value to compare the path with: mostly one that is there.
func (g *gen) constant(p dataknobs.Path) dataknobs.Value {
	for range 4 {
		v := g.value(dataknobs.KindNull, 1)
		if len(g.recs) > 0 && !g.oneIn(3) {
			v = lookup(pick(g, g.recs), p)
		}
		if !v.IsNull() {
			return v
		}
	}
	return dataknobs.Int(1)
}

func (g *gen) cond() *dataknobs.Cond {
	c := &dataknobs.Cond{Path: g.path(), Op: dataknobs.Op(1 + g.IntN(int(dataknobs.IsNotNull)))}
	n := 1
	switch c.Op {
	case dataknobs.In, dataknobs.NotIn:
		n = g.IntN(7)
	case dataknobs.Between, dataknobs.NotBetween:
		n = 2
	case dataknobs.IsNull, dataknobs.IsNotNull:
		n = 0
	case dataknobs.Like, dataknobs.NotLike, dataknobs.ILike, dataknobs.NotILike, dataknobs.StartsWith, dataknobs.NotStartsWith, dataknobs.Matches, dataknobs.NotMatches:
		c.Args = []dataknobs.Value{dataknobs.String(g.pattern(c.Op))}
		return c
	case dataknobs.Contains, dataknobs.NotContains:
		if v := lookup(pick(g, append(g.recs, rec("x"))), c.Path).Index(g.IntN(2)); !v.IsNull() {
			c.Args = []dataknobs.Value{v}
			return c
		}
	}
	for range n {
		c.Args = append(c.Args, g.constant(c.Path))
	}
	return c
}

func (g *gen) pattern(op dataknobs.Op) string {
	switch op {
	case dataknobs.Like, dataknobs.NotLike, dataknobs.ILike, dataknobs.NotILike:
		text := ""
		for range g.IntN(4) {
			text += pick(g, []string{"%", "_", "a", "b", "A", `\%`, `\\`, `\_`, "ß", "k", "S", "é"})
		}
		return text
	case dataknobs.Matches, dataknobs.NotMatches:
		return pick(g, []string{"", "a", "^a", "b$", "^a.b$", "(?s)^a.b$", "(?i)^ab", "[a-c]+", "^$", `\d`, "é|ß", `^\p{L}+$`, "a*"})
	}
	return pick(g, genStrings)
}

// expr returns a random condition up to depth levels of AND, OR and NOT.
func (g *gen) expr(depth int, leaf func() dataknobs.Expr) dataknobs.Expr {
	if depth == 0 || g.oneIn(3) {
		return leaf()
	}
	if g.oneIn(4) {
		return dataknobs.Not{Expr: g.expr(depth-1, leaf)}
	}
	parts := make([]dataknobs.Expr, g.IntN(4))
	for i := range parts {
		parts[i] = g.expr(depth-1, leaf)
	}
	if g.oneIn(2) {
		return dataknobs.And(parts)
	}
	return dataknobs.Or(parts)
}

func (g *gen) query() *dataknobs.Query {
	q := &dataknobs.Query{}
	if !g.oneIn(5) {
		q.Where = g.expr(g.IntN(4), func() dataknobs.Expr { return g.cond() })
	}
	switch {
	case g.oneIn(4):
		g.group(q)
	case g.oneIn(4):
		g.project(q)
	}
	if !q.Grouped() && g.oneIn(2) {
		for range 1 + g.IntN(3) {
			q.OrderBy = append(q.OrderBy, g.order(g.path(), dataknobs.NoAgg))
		}
	}
	if g.oneIn(2) {
		q.Limit = new(g.IntN(12))
	}
	if g.oneIn(4) {
		q.Offset = g.IntN(9)
	}
	return q
}

func (g *gen) order(p dataknobs.Path, a dataknobs.Agg) dataknobs.Order {
	return dataknobs.Order{Path: p, Agg: a, Desc: g.oneIn(2), Nulls: dataknobs.Nulls(g.IntN(2))}
}

// project selects paths that do not overlap.
func (g *gen) project(q *dataknobs.Query) {
	for i := range 1 + g.IntN(3) {
		p := g.path()
		c := dataknobs.Column{Path: p}
		plain := !p.IsSystem() && !slices.ContainsFunc(p, func(s dataknobs.Step) bool { return s.Name == "" }) &&
			!slices.ContainsFunc(q.Select, func(o dataknobs.Column) bool { return o.Path[0] == p[0] })
		if !plain || g.oneIn(3) {
			c.As = fmt.Sprint("x", i)
		}
		q.Select = append(q.Select, c)
	}
}

// The aggregates; a sum of floats may be a last digit off, so that conditions
// and orders are only tried on exact ones.
var (
	genAggs   = []dataknobs.Agg{dataknobs.CountAll, dataknobs.Count, dataknobs.Sum, dataknobs.Avg, dataknobs.Min, dataknobs.Max}
	exactAggs = []dataknobs.Agg{dataknobs.CountAll, dataknobs.Count, dataknobs.Min, dataknobs.Max}
)

func (g *gen) group(q *dataknobs.Query) {
	for range g.IntN(3) {
		if p := g.path(); !slices.ContainsFunc(q.GroupBy, p.Equal) {
			q.GroupBy = append(q.GroupBy, p)
			c := dataknobs.Column{Path: p}
			if p.IsSystem() {
				c.As = fmt.Sprint("key", len(q.Select))
			}
			q.Select = append(q.Select, c)
		}
	}
	for i := range 1 + g.IntN(3) {
		c := g.aggregate(genAggs)
		c.As = fmt.Sprint("x", i)
		q.Select = append(q.Select, c)
	}
	if g.oneIn(3) {
		q.Having = g.expr(2, func() dataknobs.Expr { return g.having(q) })
	}
	for range g.IntN(3) {
		if len(q.GroupBy) > 0 && g.oneIn(2) {
			q.OrderBy = append(q.OrderBy, g.order(pick(g, q.GroupBy), dataknobs.NoAgg))
		} else {
			c := g.aggregate(exactAggs)
			q.OrderBy = append(q.OrderBy, g.order(c.Path, c.Agg))
		}
	}
}

func (g *gen) aggregate(among []dataknobs.Agg) dataknobs.Column {
	c := dataknobs.Column{Agg: pick(g, among)}
	if c.Agg != dataknobs.CountAll {
		c.Path = g.path()
	}
	return c
}

func (g *gen) having(q *dataknobs.Query) dataknobs.Expr {
	c := g.cond()
	if len(q.GroupBy) > 0 && g.oneIn(3) {
		c.Path = pick(g, q.GroupBy)
		return c
	}
	a := g.aggregate(exactAggs)
	c.Path, c.Agg = a.Path, a.Agg
	return c
}
