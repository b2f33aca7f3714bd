package drivertest

import (
	"bytes"
	"cmp"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"dataknobs.dev/dataknobs"
)

// The model is the contract once more, written for clarity alone and sharing
// nothing with the engine but the plain data of records and queries: NOT is
// evaluated as it stands, numbers are compared as rationals, patterns are
// matched by recursion. It is the reference of the differential test.

// A truth is a value of Kleene's logic.
type truth int8

const (
	isFalse truth = iota - 1
	unknown
	isTrue
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// matches reports whether e selects r.
func matches(e dataknobs.Expr, r *dataknobs.Record) bool {
	return evaluate(e, func(c *dataknobs.Cond) dataknobs.Value { return lookup(r, c.Path) }) == isTrue
}

// evaluate is Kleene's logic over the conditions on the values that get returns.
func evaluate(e dataknobs.Expr, get func(*dataknobs.Cond) dataknobs.Value) truth {
	return evaluateConds(e, func(c *dataknobs.Cond) truth { return condition(c, get(c)) })
}

// evaluateConds is Kleene's logic over conditions whose truth is known.
func evaluateConds(e dataknobs.Expr, leaf func(*dataknobs.Cond) truth) truth {
	switch e := e.(type) {
	case dataknobs.Not:
		return -evaluateConds(e.Expr, leaf)
	case dataknobs.And:
		t := isTrue
		for _, p := range e {
			t = min(t, evaluateConds(p, leaf))
		}
		return t
	case dataknobs.Or:
		t := isFalse
		for _, p := range e {
			t = max(t, evaluateConds(p, leaf))
		}
		return t
	case *dataknobs.Cond:
		return leaf(e)
	}
	return isTrue
}

// lookup is the value that p names in r.
func lookup(r *dataknobs.Record, p dataknobs.Path) dataknobs.Value {
	v := dataknobs.Object(r.Fields)
	switch p[0].Name {
	case "_id":
		v = dataknobs.Object(dataknobs.Fields{dataknobs.F("_id", r.ID)})
	case "_rev":
		v = dataknobs.Object(dataknobs.Fields{dataknobs.F("_rev", r.Revision)})
	case "_meta":
		v = dataknobs.Object(dataknobs.Fields{{Name: "_meta", Value: dataknobs.Object(r.Metadata)}})
	}
	for _, step := range p {
		if step.Name != "" {
			v = v.Field(step.Name)
		} else {
			v = v.Index(step.Index)
		}
	}
	return v
}

// condition is one operator of section 4 on the value v.
func condition(c *dataknobs.Cond, v dataknobs.Value) truth {
	switch c.Op {
	case dataknobs.IsNull:
		return truthOf(v.IsNull())
	case dataknobs.IsNotNull:
		return truthOf(!v.IsNull())
	}
	if v.IsNull() {
		return unknown
	}
	if c.Op.Negated() {
		positive := *c
		positive.Op = c.Op.Negate()
		return -condition(&positive, v)
	}
	switch c.Op {
	case dataknobs.Eq:
		return truthOf(equal(v, c.Args[0]))
	case dataknobs.In:
		return truthOf(slices.ContainsFunc(c.Args, func(a dataknobs.Value) bool { return equal(v, a) }))
	case dataknobs.Between:
		return min(-less(v, c.Args[0]), -less(c.Args[1], v))
	case dataknobs.Lt:
		return less(v, c.Args[0])
	case dataknobs.Le:
		return -less(c.Args[0], v)
	case dataknobs.Contains:
		return contains(v, c.Args[0])
	}
	return textCondition(c, v)
}

// less is v < w: unknown of different kinds and of kinds that have no <.
func less(v, w dataknobs.Value) truth {
	switch k := v.Kind(); {
	case v.IsNumber() && w.IsNumber():
	case k != w.Kind() || k == dataknobs.KindArray || k == dataknobs.KindObject || k == dataknobs.KindNull:
		return unknown
	}
	return truthOf(order(v, w) < 0)
}

func contains(v, w dataknobs.Value) truth {
	if v.Kind() != dataknobs.KindArray {
		return unknown
	}
	for e := range v.Elems() {
		if equal(e, w) {
			return isTrue
		}
	}
	return isFalse
}

func textCondition(c *dataknobs.Cond, v dataknobs.Value) truth {
	if v.Kind() != dataknobs.KindString {
		return unknown
	}
	s, pattern := v.Str(), c.Args[0].Str()
	switch c.Op {
	case dataknobs.Like:
		return truthOf(like([]rune(s), []rune(pattern), func(r rune) rune { return r }))
	case dataknobs.ILike:
		return truthOf(like([]rune(s), []rune(pattern), fold))
	case dataknobs.StartsWith:
		return truthOf(strings.HasPrefix(s, pattern))
	case dataknobs.Matches:
		return truthOf(regexp.MustCompile(pattern).MatchString(s))
	case dataknobs.Match: // of plain words alone, as every analyzer takes them
		words := strings.Fields(s)
		return truthOf(!slices.ContainsFunc(strings.Fields(pattern), func(w string) bool { return !slices.Contains(words, w) }))
	}
	panic("drivertest: no such operator: " + c.Op.String())
}

// fold is the least of the runes that r is equal to under simple case folding.
func fold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

func like(s, p []rune, fold func(rune) rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0] == '%':
		return like(s, p[1:], fold) || len(s) > 0 && like(s[1:], p, fold)
	case len(s) == 0:
		return false
	case p[0] == '\\' && len(p) > 1:
		return fold(s[0]) == fold(p[1]) && like(s[1:], p[2:], fold)
	case p[0] == '_' || fold(s[0]) == fold(p[0]):
		return like(s[1:], p[1:], fold)
	}
	return false
}

// equal is = of section 4 for two values, null being equal to itself inside
// arrays.
func equal(v, w dataknobs.Value) bool { return order(v, w) == 0 }

// rank is a kind's place in section 5's order of kinds.
func rank(v dataknobs.Value) int {
	return slices.Index([]dataknobs.Kind{
		dataknobs.KindBool, dataknobs.KindInt, dataknobs.KindTime, dataknobs.KindString,
		dataknobs.KindBytes, dataknobs.KindArray, dataknobs.KindObject, dataknobs.KindNull,
	}, map[bool]dataknobs.Kind{true: dataknobs.KindInt, false: v.Kind()}[v.IsNumber()])
}

// order is section 5's order of any two values, nulls last.
func order(v, w dataknobs.Value) int {
	if c := cmp.Compare(rank(v), rank(w)); c != 0 {
		return c
	}
	switch v.Kind() {
	case dataknobs.KindBool:
		return map[bool]int{true: 1}[v.Bool()] - map[bool]int{true: 1}[w.Bool()]
	case dataknobs.KindInt, dataknobs.KindFloat:
		return orderNumbers(v, w)
	case dataknobs.KindTime:
		return v.Time().Compare(w.Time())
	case dataknobs.KindString:
		return slices.Compare([]byte(v.Str()), []byte(w.Str()))
	case dataknobs.KindBytes:
		return bytes.Compare(v.Bytes(), w.Bytes())
	case dataknobs.KindArray:
		return slices.CompareFunc(slices.Collect(v.Elems()), slices.Collect(w.Elems()), order)
	case dataknobs.KindObject:
		return slices.CompareFunc(sorted(v), sorted(w), func(a, b dataknobs.Field) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), order(a.Value, b.Value))
		})
	}
	return 0
}

// orderNumbers compares numbers of both kinds as rationals.
func orderNumbers(v, w dataknobs.Value) int {
	switch {
	case v.Kind() != w.Kind():
		return rational(v).Cmp(rational(w))
	case v.Kind() == dataknobs.KindInt:
		return cmp.Compare(v.Int(), w.Int())
	}
	return cmp.Compare(v.Float(), w.Float())
}

func rational(v dataknobs.Value) *big.Rat {
	if v.Kind() == dataknobs.KindInt {
		return new(big.Rat).SetInt64(v.Int())
	}
	return new(big.Rat).SetFloat64(v.Float())
}

// sorted is the fields of an object that are not null, by name.
func sorted(v dataknobs.Value) []dataknobs.Field {
	f := slices.DeleteFunc(v.Fields(), func(f dataknobs.Field) bool { return f.Value.IsNull() })
	slices.SortFunc(f, func(a, b dataknobs.Field) int { return cmp.Compare(a.Name, b.Name) })
	return f
}

// orderKeys compares two rows by the keys of an ORDER BY.
func orderKeys(os []dataknobs.Order, a, b []dataknobs.Value) int {
	for i, o := range os {
		c := order(a[i], b[i])
		switch {
		case a[i].IsNull() != b[i].IsNull():
			if o.Nulls == dataknobs.NullsFirst {
				c = -c
			}
		case o.Desc:
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// modelRun answers q over records that stand in the store's own order; byID
// says that an unordered paged query runs in _id order instead.
func modelRun(q *dataknobs.Query, recs []*dataknobs.Record, idOrder bool) ([]*dataknobs.Record, error) {
	var hits []*dataknobs.Record
	for _, r := range recs {
		if matches(q.Where, r) {
			hits = append(hits, r)
		}
	}
	if q.Grouped() {
		return modelGroups(q, hits)
	}
	if len(q.OrderBy) > 0 || idOrder {
		hits = modelSort(q.OrderBy, hits)
	}
	return modelProject(q.Select, modelPage(q, hits)), nil
}

func modelSort(os []dataknobs.Order, recs []*dataknobs.Record) []*dataknobs.Record {
	keys := map[*dataknobs.Record][]dataknobs.Value{}
	for _, r := range recs {
		for _, o := range os {
			keys[r] = append(keys[r], lookup(r, o.Path))
		}
	}
	return slices.SortedFunc(slices.Values(recs), func(a, b *dataknobs.Record) int {
		return cmp.Or(orderKeys(os, keys[a], keys[b]), cmp.Compare(a.ID, b.ID))
	})
}

func modelPage(q *dataknobs.Query, recs []*dataknobs.Record) []*dataknobs.Record {
	recs = recs[min(q.Offset, len(recs)):]
	if q.Limit != nil {
		recs = recs[:min(*q.Limit, len(recs))]
	}
	return recs
}

// modelProject keeps the selected paths, nesting kept: what is absent yields
// nothing, an explicit null stays. A path with an index in it needs an alias to
// be modelled here.
func modelProject(cols []dataknobs.Column, recs []*dataknobs.Record) []*dataknobs.Record {
	if cols == nil {
		return recs
	}
	var out []*dataknobs.Record
	for _, r := range recs {
		p := dataknobs.NewRecord(r.ID)
		for _, c := range cols {
			v := lookup(r, c.Path)
			switch {
			case v.IsNull() && !present(r, c.Path):
			case c.As != "":
				p.Set(c.As, v)
			default:
				p.Fields = setPath(p.Fields, c.Path, v)
			}
		}
		out = append(out, p)
	}
	return out
}

// present reports whether r has the last field or element of p, null or not.
func present(r *dataknobs.Record, p dataknobs.Path) bool {
	if len(p) == 1 {
		_, ok := r.Fields.Get(p[0].Name)
		return ok
	}
	last := p[len(p)-1]
	parent := lookup(r, p[:len(p)-1])
	if last.Name == "" {
		return parent.Kind() == dataknobs.KindArray && last.Index < parent.Len()
	}
	_, ok := parent.Fields().Get(last.Name)
	return ok
}

func setPath(f dataknobs.Fields, p dataknobs.Path, v dataknobs.Value) dataknobs.Fields {
	if len(p) > 1 {
		v = dataknobs.Object(setPath(f.Value(p[0].Name).Fields(), p[1:], v))
	}
	f.Set(p[0].Name, v)
	return f
}
