package sqlgen

import (
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// liteJSON is a value in a JSON column of SQLite. SQLite orders null < numbers
// < text, so that a range of numbers needs no look at the kind but for 0 and 1,
// which bools are to json_extract.
type liteJSON struct {
	jsonPath
	// typName and valueName, if not empty, are columns of a subquery that hold
	// what typ and value would say.
	typName, valueName string
}

// path returns the path as a literal, with more steps.
func (s *liteJSON) path(more string) string {
	lit, _ := Literal(SQLite, s.at+more) // stepLite has tried it
	return lit
}

func (s *liteJSON) value() string {
	if s.valueName != "" {
		return s.valueName
	}
	return "json_extract(" + s.base + ", " + s.path("") + ")"
}

func (s *liteJSON) typ() string {
	if s.typName != "" {
		return s.typName
	}
	return "json_type(" + s.base + ", " + s.path("") + ")"
}

func (s *liteJSON) raw() string { return "(" + s.base + " -> " + s.path("") + ")" }

// tag is the text of a time or of bytes, NULL of anything else.
func (s *liteJSON) tag(tag string) string {
	return "json_extract(" + s.base + ", " + s.path(`."`+tag+`"`) + ")"
}

func (s *liteJSON) key(v dataknobs.Value) string {
	return "dk_key(" + s.raw() + ") = " + s.b.arg(Key(v), "")
}

func (s *liteJSON) notNull() string  { return s.value() + " IS NOT NULL" }
func (s *liteJSON) isNull() string   { return s.value() + " IS NULL" }
func (s *liteJSON) isString() string { return s.typ() + " = 'text'" }
func (s *liteJSON) isArray() string  { return s.typ() + " = 'array'" }
func (s *liteJSON) isNumber() string { return s.typ() + " IN ('integer', 'real')" }

func (s *liteJSON) text() (string, string, answer) {
	if !s.tagged {
		return s.value(), s.notNull(), rough(always, whyPlain)
	}
	return s.value(), s.isString(), exact(always)
}

func (s *liteJSON) equal(v dataknobs.Value) answer {
	if s.impossible(v) {
		return exact(never)
	}
	if !s.tagged && classOf(v) != classBool {
		return rough(s.notNull(), whyPlain)
	}
	switch classOf(v) {
	case classBool:
		return exact(s.typ() + " = '" + strconv.FormatBool(v.Bool()) + "'")
	case classNumber:
		return exact(and(s.value()+" = "+s.b.number(v), s.numberGuard(span{lo: v, hi: v})))
	case classString:
		guard := ""
		if strings.HasPrefix(v.Str(), "[") || strings.HasPrefix(v.Str(), "{") { // the text of an array or object
			guard = s.isString()
		}
		return exact(and(s.value()+" = "+s.b.arg(v.Str(), ""), guard))
	case classTime:
		return exact(s.tag(tagTime) + " = " + s.b.arg(timeText(v), ""))
	}
	return exact(and(s.typ()+" IN ('array', 'object')", s.key(v)))
}

// number adds a parameter for a number. SQLite compares ints and floats
// exactly.
func (b *builder) number(v dataknobs.Value) string {
	if v.Kind() == dataknobs.KindInt {
		return b.arg(v.Int(), "")
	}
	return b.arg(v.Float(), "")
}

// numberGuard keeps bools out of a span of numbers; "" if 0 and 1 are outside.
func (s *liteJSON) numberGuard(in span) string {
	if in.has(dataknobs.Int(0)) || in.has(dataknobs.Int(1)) {
		return s.isNumber()
	}
	return ""
}

func (s *liteJSON) in(vs []dataknobs.Value) answer {
	var numbers, times, texts, others []dataknobs.Value
	for _, v := range vs {
		switch c := classOf(v); {
		case !s.tagged:
			others = append(others, v)
		case c == classNumber:
			numbers = append(numbers, v)
		case c == classTime:
			times = append(times, v)
		case c == classString:
			texts = append(texts, v)
		default:
			others = append(others, v)
		}
	}
	var as []answer
	for _, v := range others {
		as = append(as, s.equal(v))
	}
	if len(numbers) > 0 {
		guard := ""
		for _, v := range numbers {
			if guard == "" {
				guard = s.numberGuard(span{lo: v, hi: v})
			}
		}
		as = append(as, exact(and(s.value()+" IN ("+s.b.list(numbers)+")", guard)))
	}
	if len(times) > 0 {
		as = append(as, exact(s.tag(tagTime)+" IN ("+s.b.list(times)+")"))
	}
	if len(texts) > 0 {
		as = append(as, exact(and(s.value()+" IN ("+s.b.list(texts)+")", s.isString())))
	}
	return or(as)
}

// list adds parameters for simple values of SQLite.
func (b *builder) list(vs []dataknobs.Value) string {
	marks := make([]string, len(vs))
	for i, v := range vs {
		marks[i] = b.sortParam(v)
	}
	return strings.Join(marks, ", ")
}

func (s *liteJSON) span(in span) answer {
	if !s.tagged && in.class != classBool {
		return rough(s.notNull(), whyPlain)
	}
	switch in.class {
	case classBool:
		return s.in(in.bools())
	case classNumber:
		lo, hi := in.bounds(s.value(), s.b.number)
		if hi == "" {
			hi = s.value() + " < ''"
		}
		return exact(and(lo, hi, s.numberGuard(in)))
	case classString:
		lo, hi := in.bounds(s.value(), s.b.textParam)
		return exact(and(lo, hi, s.isString()))
	case classTime:
		lo, hi := in.bounds(s.tag(tagTime), s.b.timeParam)
		return exact(and(lo, hi))
	}
	return rough(s.tag(tagBytes)+" IS NOT NULL", "bytes do not compare in the database")
}

func (s *liteJSON) contains(v dataknobs.Value) answer {
	if s.impossible(v) {
		return exact(never)
	}
	if !s.tagged && classOf(v) != classBool {
		return rough(s.isArray(), whyPlain)
	}
	var test string
	switch classOf(v) {
	case classBool:
		test = "e.type = '" + strconv.FormatBool(v.Bool()) + "'"
	case classNumber:
		test = "e.type IN ('integer', 'real') AND e.value = " + s.b.number(v)
	case classString:
		test = "e.type = 'text' AND e.value = " + s.b.arg(v.Str(), "")
	default:
		test = "CASE WHEN e.type IN ('array', 'object') THEN dk_key(e.value) END = " + s.b.arg(Key(v), "")
	}
	return exact(and(s.isArray(), "EXISTS (SELECT 1 FROM json_each("+s.base+", "+s.path("")+") AS e WHERE "+test+")"))
}

func (s *liteJSON) rank() string {
	object := "6"
	if s.tagged {
		object = "CASE WHEN json_type(" + s.base + ", " + s.path(`."`+tagTime+`"`) + ") IS NOT NULL THEN 3 WHEN json_type(" +
			s.base + ", " + s.path(`."`+tagBytes+`"`) + ") IS NOT NULL THEN 5 ELSE 7 END"
	}
	return "(CASE " + s.typ() + " WHEN 'true' THEN 1 WHEN 'false' THEN 1 WHEN 'integer' THEN 2 WHEN 'real' THEN 2 WHEN 'text' THEN 4 WHEN 'array' THEN 6 WHEN 'object' THEN " + object + " END)"
}

// sortValue is what values of one rank compare by; NULL where SQL does not say
// their order.
func (s *liteJSON) sortValue() string {
	return "(CASE " + s.typ() + " WHEN 'object' THEN " + s.tag(tagTime) + " WHEN 'array' THEN NULL ELSE " + s.value() + " END)"
}

// liteIndexed is a value whose path has a declared index, over rank and sortValue.
type liteIndexed struct{ *liteJSON }

func (s *liteIndexed) notNull() string { return s.rank() + " IS NOT NULL" }
func (s *liteIndexed) isNull() string  { return s.rank() + " IS NULL" }

func (s *liteIndexed) ranked(rank int, conds ...string) string {
	return and(append([]string{s.rank() + " = " + strconv.Itoa(rank)}, conds...)...)
}

// param adds a parameter for a value of a class whose order SQL says.
func (s *liteIndexed) param(v dataknobs.Value) string { return s.b.sortParam(v) }

// sortParam adds a parameter that compares with sortValue.
func (b *builder) sortParam(v dataknobs.Value) string {
	switch v.Kind() {
	case dataknobs.KindBool:
		if v.Bool() {
			return b.arg(int64(1), "")
		}
		return b.arg(int64(0), "")
	case dataknobs.KindInt, dataknobs.KindFloat:
		return b.number(v)
	case dataknobs.KindTime:
		return b.arg(timeText(v), "")
	}
	return b.arg(v.Str(), "")
}

func rankOf(v dataknobs.Value) int {
	switch v.Kind() {
	case dataknobs.KindBytes:
		return rankComplex
	case dataknobs.KindArray:
		return 6
	case dataknobs.KindObject:
		return 7
	}
	return int(classOf(v))
}

func (s *liteIndexed) equal(v dataknobs.Value) answer {
	if rankOf(v) >= rankComplex {
		return s.liteJSON.equal(v)
	}
	return exact(s.ranked(rankOf(v), s.sortValue()+" = "+s.param(v)))
}

func (s *liteIndexed) in(vs []dataknobs.Value) answer {
	byRank := map[int][]string{}
	var as []answer
	for _, v := range vs {
		if rank := rankOf(v); rank < rankComplex {
			byRank[rank] = append(byRank[rank], s.param(v))
			continue
		}
		as = append(as, s.liteJSON.equal(v))
	}
	for rank := rankBool; rank < rankComplex; rank++ {
		if list := byRank[rank]; len(list) > 0 {
			as = append(as, exact(s.ranked(rank, s.sortValue()+" IN ("+strings.Join(list, ", ")+")")))
		}
	}
	return or(as)
}

func (s *liteIndexed) span(in span) answer {
	if in.class == classBytes {
		return s.liteJSON.span(in)
	}
	lo, hi := in.bounds(s.sortValue(), s.param)
	return exact(s.ranked(int(in.class), lo, hi))
}

func (s *liteIndexed) prefix(from, to string) string {
	return s.ranked(rankString, s.b.textRange(s.sortValue(), from, to))
}
