package elasticsearch

import (
	"encoding/base64"
	"unicode"

	"dataknobs.dev/dataknobs"
)

var (
	exact = dataknobs.Support{Fidelity: dataknobs.Exact}
	all   = obj{"match_all": obj{}}
	none  = obj{"match_none": obj{}}
)

func rough(why string) dataknobs.Support {
	return dataknobs.Support{Fidelity: dataknobs.Rough, Reason: why}
}

func not(why string) dataknobs.Support { return dataknobs.Support{Reason: why} }

const (
	whyElement = "the index keeps no keys of single array elements"
	whyPattern = "the index keeps only the beginning of long texts"
	whyLong    = "the constant is longer than the keys of the index"
	whyRegexp  = "the server's regular expressions are of another kind"
	whySystem  = "the index keeps no keys of it"
)

// support says how exactly the index answers one condition.
func support(c *dataknobs.Cond) dataknobs.Support {
	if c.Path.IsID() {
		return supportOp(c)
	}
	if _, ok := columnOf(c.Path); ok {
		return supportOp(c)
	}
	if _, ok := arrayAbove(c.Path); ok && c.Op != dataknobs.IsNull {
		return rough(whyElement)
	}
	if c.Path.IsRevision() || c.Path.IsMetadata() {
		return not(whySystem)
	}
	return not(whyElement)
}

func supportOp(c *dataknobs.Cond) dataknobs.Support {
	switch c.Op {
	case dataknobs.Like, dataknobs.NotLike:
		if _, shape := splitLike(c.Args[0].Str()); shape == likeGeneral {
			return rough(whyPattern)
		}
		return supportLong(c)
	case dataknobs.ILike, dataknobs.NotILike:
		return rough(whyPattern)
	case dataknobs.Matches, dataknobs.NotMatches:
		return rough(whyRegexp)
	case dataknobs.Lt, dataknobs.Le, dataknobs.Gt, dataknobs.Ge, dataknobs.Between, dataknobs.NotBetween, dataknobs.StartsWith, dataknobs.NotStartsWith:
		return supportLong(c)
	}
	return exact
}

// supportLong is for operators that compare with the beginning of a key.
func supportLong(c *dataknobs.Cond) dataknobs.Support {
	for _, a := range c.Args {
		if a.Kind() == dataknobs.KindString && a.Len() >= sureKey || a.Kind() == dataknobs.KindBytes && 2*a.Len() >= sureKey {
			return rough(whyLong)
		}
	}
	return exact
}

// arrayAbove returns the column of the array that p steps into.
func arrayAbove(p dataknobs.Path) (string, bool) {
	for i, s := range p {
		if s.Name == "" {
			return columnOf(p[:i])
		}
	}
	return "", false
}

// query returns e as the server's query language says it. It never selects
// fewer records than e does.
func (m *mapping) query(e dataknobs.Expr) obj { return m.queryAt(e, 0) }

// maxNested is how deep queries may stand in each other: the server allows 30.
const maxNested = 24

// queryAt is query for what stands so deep in others.
func (m *mapping) queryAt(e dataknobs.Expr, depth int) obj {
	switch e := e.(type) {
	case dataknobs.And:
		if depth == maxNested {
			return wrapped(m.queryAt(e, 0))
		}
		return filter(m.queries(e, depth+1)...)
	case dataknobs.Or:
		if len(e) == 0 {
			return none
		}
		if depth == maxNested {
			return wrapped(m.queryAt(e, 0))
		}
		return anyOf(m.queries(e, depth+1)...)
	case *dataknobs.Cond:
		if isMatch(e.Op) {
			return m.match(e)
		}
		if m.foreign {
			return m.foreignQuery(e)
		}
		return m.cond(e)
	}
	return all
}

// wrapped hides how deep a query is.
func wrapped(q obj) obj {
	return obj{"wrapper": obj{"query": base64.StdEncoding.EncodeToString(encodeJSON(q))}}
}

func (m *mapping) queries(parts []dataknobs.Expr, depth int) []obj {
	qs := make([]obj, len(parts))
	for i, p := range parts {
		qs[i] = m.queryAt(p, depth)
	}
	return qs
}

// filter is true where all of qs are.
func filter(qs ...obj) obj {
	if len(qs) == 1 {
		return qs[0]
	}
	return obj{"bool": obj{"filter": qs}}
}

func anyOf(qs ...obj) obj {
	if len(qs) == 1 {
		return qs[0]
	}
	return obj{"bool": obj{"should": qs, "minimum_should_match": 1}}
}

// but is true where q is and no other is.
func but(q obj, others ...obj) obj {
	return obj{"bool": obj{"filter": []obj{q}, "must_not": others}}
}

// A target is where the keys of one path are: in a column, or among those that
// found no room in the mapping, or, where that is not known, in either.
type target struct {
	column string // as it stands in wholeField and its like
	fields []string
}

func (m *mapping) target(column string) target {
	t := target{column: column}
	if m.columns[column] || !m.full {
		t.fields = append(t.fields, keysField+"."+column)
	}
	if !m.columns[column] || m.full {
		t.fields = append(t.fields, moreField+"."+column)
	}
	return t
}

func (t target) each(f func(field string) obj) obj {
	qs := make([]obj, len(t.fields))
	for i, field := range t.fields {
		qs[i] = f(field)
	}
	return anyOf(qs...)
}

func (t target) exists() obj {
	return t.each(func(f string) obj { return obj{"exists": obj{"field": f}} })
}

func (t target) term(key string) obj {
	return t.each(func(f string) obj { return obj{"term": obj{f: obj{"value": key}}} })
}

func (t target) prefix(text string) obj {
	return t.each(func(f string) obj { return obj{"prefix": obj{f: obj{"value": text}}} })
}

// maxTerms is how many terms one query may list.
const maxTerms = 60_000

func (t target) terms(keys []string) obj {
	return t.each(func(f string) obj {
		var qs []obj
		for len(keys) > maxTerms {
			qs = append(qs, obj{"terms": obj{f: keys[:maxTerms]}})
			keys = keys[maxTerms:]
		}
		return anyOf(append(qs, obj{"terms": obj{f: keys}})...)
	})
}

// between selects keys from low, included or not, to high.
func (t target) between(low, lowOp, high, highOp string) obj {
	return t.each(func(f string) obj { return obj{"range": obj{f: obj{lowOp: low, highOp: high}}} })
}

func (t target) rank(r byte) obj {
	return t.between(string(r), "gte", string(r+1), "lt")
}

// cond returns the query of one condition.
func (m *mapping) cond(c *dataknobs.Cond) obj {
	if c.Path.IsID() {
		return target{fields: []string{idField}}.cond(c)
	}
	if column, ok := columnOf(c.Path); ok {
		return m.target(column).cond(c)
	}
	if column, ok := arrayAbove(c.Path); ok {
		return m.target(column).rank(rankArray)
	}
	return all
}

func (t target) cond(c *dataknobs.Cond) obj {
	switch c.Op {
	case dataknobs.Eq:
		return t.term(keyOf(c.Args[0]))
	case dataknobs.Ne:
		return but(t.exists(), t.term(keyOf(c.Args[0])))
	case dataknobs.In:
		if len(c.Args) == 0 {
			return none
		}
		return t.terms(keysOf(c.Args))
	case dataknobs.NotIn:
		if len(c.Args) == 0 {
			return t.exists()
		}
		return but(t.exists(), t.terms(keysOf(c.Args)))
	case dataknobs.Lt, dataknobs.Le, dataknobs.Gt, dataknobs.Ge:
		return t.compare(c.Op, c.Args[0])
	case dataknobs.Between:
		return filter(t.compare(dataknobs.Ge, c.Args[0]), t.compare(dataknobs.Le, c.Args[1]))
	case dataknobs.NotBetween:
		return anyOf(t.compare(dataknobs.Lt, c.Args[0]), t.compare(dataknobs.Gt, c.Args[1]))
	case dataknobs.Contains:
		return t.contains(c.Args[0])
	case dataknobs.NotContains:
		return but(t.rank(rankArray), t.contains(c.Args[0]))
	case dataknobs.IsNull:
		return but(all, t.exists())
	case dataknobs.IsNotNull:
		return t.exists()
	}
	return t.pattern(c.Op, c.Args[0].Str())
}

func keysOf(vs []dataknobs.Value) []string {
	keys := make([]string, len(vs))
	for i, v := range vs {
		keys[i] = keyOf(v)
	}
	return keys
}

// compare returns the query of < and its kin, which are true only of values of
// the constant's kind.
func (t target) compare(op dataknobs.Op, v dataknobs.Value) obj {
	r := rankOf(v.Kind())
	if r >= rankArray {
		return none
	}
	key := keyOf(v)
	least, end := string(r), string(r+1)
	if len(key) > sureKey { // then what begins alike is let through
		key = beginning(key)
		if op == dataknobs.Lt || op == dataknobs.Le {
			return t.between(least, "gte", key+string(unicode.MaxRune), "lte")
		}
		return t.between(key, "gte", end, "lt")
	}
	switch op {
	case dataknobs.Lt:
		return t.between(least, "gte", key, "lt")
	case dataknobs.Le:
		return t.between(least, "gte", key, "lte")
	case dataknobs.Gt:
		return t.between(key, "gt", end, "lt")
	}
	return t.between(key, "gte", end, "lt")
}

func (t target) contains(v dataknobs.Value) obj {
	if t.column == "" { // the ID is no array
		return none
	}
	return obj{"term": obj{elemsField: obj{"value": string(appendElem(nil, t.column, v))}}}
}
