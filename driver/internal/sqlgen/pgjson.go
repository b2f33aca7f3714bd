package sqlgen

import "dataknobs.dev/dataknobs"

// The ranks of the kinds, in the contract's order between kinds.
const (
	rankBool   = 1
	rankNumber = 2
	rankTime   = 3
	rankString = 4
	// rankComplex and above: SQL does not say the order.
	rankComplex = 5
)

// pgJSON is a value in a jsonb column. jsonb compares numbers as decimals,
// exactly, and orders null < string < number < bool < array < object, which is
// what the ends of its ranges stand on; it is much cheaper than a cast.
type pgJSON struct{ jsonPath }

const (
	belowNumbers = "'-2e308'::jsonb" // no float is so small
	aboveNumbers = "'false'::jsonb"  // the least bool
)

func (s *pgJSON) param(v dataknobs.Value) string { return s.b.arg(s.encode(v), "jsonb") }

// encode writes a constant as the column has it.
func (s *pgJSON) encode(v dataknobs.Value) string { return s.jsonPath.encode(v) }

func (s *pgJSON) notNull() string  { return s.str + " IS NOT NULL" }
func (s *pgJSON) isNull() string   { return s.str + " IS NULL" }
func (s *pgJSON) isString() string { return "jsonb_typeof(" + s.json + ") = 'string'" }
func (s *pgJSON) isArray() string  { return "jsonb_typeof(" + s.json + ") = 'array'" }

func (s *pgJSON) bytesText() string { return "(" + s.json + " ->> '" + tagBytes + "')" }
func (s *pgJSON) timeText() string  { return "(" + s.json + " ->> '" + tagTime + `') COLLATE "C"` }

func (s *pgJSON) text() (string, string, answer) {
	return s.b.byteOrder(s.str), s.stringGuard(), s.stringAnswer()
}

// stringGuard is that the value is a string. In plain JSON a number that no
// float64 says is one too.
func (s *pgJSON) stringGuard() string {
	if s.tagged {
		return s.isString()
	}
	return ""
}

const whyPlain = "a number in plain JSON may have more digits than a float64"

func (s *pgJSON) stringAnswer() answer {
	if s.tagged {
		return exact(always)
	}
	return rough(always, whyPlain)
}

func (s *pgJSON) equal(v dataknobs.Value) answer {
	switch {
	case s.impossible(v):
		return exact(never)
	case classOf(v) == classNone && !s.tagged:
		return rough("jsonb_typeof("+s.json+") = '"+v.Kind().String()+"'", whyPlain)
	case classOf(v) == classNone:
		return exact("jsonb_strip_nulls(" + s.json + ") = " + s.param(stripped(v)))
	case classOf(v) == classString:
		return answer{and(s.str+" = "+s.b.arg(v.Str(), "text"), s.stringGuard()), s.stringAnswer().Support}
	case classOf(v) == classNumber && !s.tagged:
		return s.span(near(v))
	}
	return exact(s.json + " = " + s.param(v))
}

func (s *pgJSON) in(vs []dataknobs.Value) answer {
	texts := stringsOf(vs)
	var others []string
	var as []answer
	for _, v := range vs {
		switch c := classOf(v); {
		case c == classString:
		case c == classNone || !s.tagged:
			as = append(as, s.equal(v))
		default:
			others = append(others, s.encode(v))
		}
	}
	if len(texts) > 0 {
		as = append(as, answer{and(s.b.inTexts(s.str, texts), s.stringGuard()), s.stringAnswer().Support})
	}
	if len(others) == 1 {
		as = append(as, exact(s.json+" = "+s.b.arg(others[0], "jsonb")))
	} else if len(others) > 0 {
		as = append(as, exact(s.json+" = ANY("+s.b.arg(others, "jsonb[]")+")"))
	}
	return or(as)
}

func (s *pgJSON) span(in span) answer {
	switch in.class {
	case classNumber:
		return s.numbers(in)
	case classString:
		lo, hi := in.bounds(s.b.byteOrder(s.str), s.b.textParam)
		return answer{and(lo, hi, s.stringGuard()), s.stringAnswer().Support}
	case classTime:
		if !s.tagged {
			return exact(never)
		}
		lo, hi := in.bounds(s.timeText(), s.b.timeParam)
		return exact(and(lo, hi))
	case classBool:
		return s.in(in.bools())
	}
	if !s.tagged {
		return exact(never)
	}
	return rough(s.bytesText()+" IS NOT NULL", "bytes do not compare in the database")
}

func (s *pgJSON) numbers(in span) answer {
	if !s.tagged {
		in = in.wider()
	}
	lo, hi := in.bounds(s.json, s.param)
	if hi == "" {
		hi = s.json + " < " + aboveNumbers
	}
	if lo == "" {
		lo = s.json + " > " + belowNumbers
	}
	if !s.tagged {
		return rough(and(lo, hi), whyPlain)
	}
	return exact(and(lo, hi))
}

func (s *pgJSON) contains(v dataknobs.Value) answer {
	c := classOf(v)
	switch {
	case s.impossible(v):
		return exact(never)
	case !s.tagged && c != classBool:
		return rough(s.isArray(), whyPlain)
	case c != classNone:
		return exact(and(s.isArray(), s.json+" @> "+s.b.arg("["+s.encode(v)+"]", "jsonb")))
	}
	v = stripped(v)
	elems := "jsonb_array_elements(CASE WHEN " + s.isArray() + " THEN " + s.json + " END)"
	return exact(and(s.isArray(), s.json+" @> "+s.b.arg("["+s.encode(v)+"]", "jsonb"),
		"EXISTS (SELECT 1 FROM "+elems+" AS e(v) WHERE jsonb_strip_nulls(e.v) = "+s.param(v)+")"))
}

// rank, number and sortText are what a value sorts by.
func (s *pgJSON) rank() string {
	object := "6"
	if s.tagged {
		object = "CASE WHEN jsonb_exists(" + s.json + ", '" + tagTime + "') THEN 3 WHEN jsonb_exists(" + s.json + ", '" + tagBytes + "') THEN 5 ELSE 7 END"
	}
	return "(CASE jsonb_typeof(" + s.json + ") WHEN 'boolean' THEN 1 WHEN 'number' THEN 2 WHEN 'string' THEN 4 WHEN 'array' THEN 6 WHEN 'object' THEN " + object + " END)"
}

func (s *pgJSON) number() string {
	return "(CASE WHEN jsonb_typeof(" + s.json + ") = 'number' THEN " + s.json + "::numeric END)"
}

// sortText is the text of a bool ("false" comes before "true"), a time and a string.
func (s *pgJSON) sortText() string {
	object := ""
	if s.tagged {
		object = " WHEN 'object' THEN " + s.json + " ->> '" + tagTime + "'"
	}
	return "(CASE jsonb_typeof(" + s.json + ") WHEN 'string' THEN " + s.str + " WHEN 'boolean' THEN " + s.str + object + " END)"
}

// impossible reports whether no value of the column is equal to v: plain JSON
// has neither times nor bytes.
func (j *jsonPath) impossible(v dataknobs.Value) bool {
	if j.tagged {
		return false
	}
	switch v.Kind() {
	case dataknobs.KindTime, dataknobs.KindBytes:
		return true
	case dataknobs.KindArray:
		for e := range v.Elems() {
			if j.impossible(e) {
				return true
			}
		}
	case dataknobs.KindObject:
		for _, e := range v.All() {
			if j.impossible(e) {
				return true
			}
		}
	}
	return false
}

// encode writes a constant as the column has it.
func (j *jsonPath) encode(v dataknobs.Value) string {
	if j.tagged {
		return jsonText(v)
	}
	return string(v.AppendJSON(nil))
}

// stripped returns v without the null members of its objects.
func stripped(v dataknobs.Value) dataknobs.Value {
	switch v.Kind() {
	case dataknobs.KindArray:
		var vs []dataknobs.Value
		for e := range v.Elems() {
			vs = append(vs, stripped(e))
		}
		return dataknobs.AdoptArray(vs)
	case dataknobs.KindObject:
		var f dataknobs.Fields
		for name, e := range v.All() {
			if !e.IsNull() {
				f = append(f, dataknobs.Field{Name: name, Value: stripped(e)})
			}
		}
		return dataknobs.AdoptObject(f)
	}
	return v
}

func (b *builder) timeParam(v dataknobs.Value) string { return b.arg(timeText(v), "text") }
