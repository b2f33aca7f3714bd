package sqlgen

import (
	"strconv"

	"dataknobs.dev/dataknobs"
)

// maxPrefix is how many code points of a text are in an index of PostgreSQL,
// whose rows are bounded to 2,704 bytes.
const maxPrefix = 256

// pgIndexed is a value in a jsonb column whose path has a declared index, over
// rank, number and the beginning of the text. Conditions are written on those.
type pgIndexed struct{ *pgJSON }

// start is the beginning of the text, as the index has it.
func (s *pgIndexed) start() string {
	return "left(" + s.sortText() + ", " + strconv.Itoa(maxPrefix) + `) COLLATE "C"`
}

func (s *pgIndexed) ranked(rank int) string { return s.rank() + " = " + strconv.Itoa(rank) }

// texts is a condition on the text of values of that rank.
func (s *pgIndexed) texts(rank int, conds ...string) string {
	return and(append([]string{s.ranked(rank), s.number() + " IS NULL"}, conds...)...)
}

func (s *pgIndexed) notNull() string { return s.rank() + " IS NOT NULL" }
func (s *pgIndexed) isNull() string  { return s.rank() + " IS NULL" }

// short reports whether the whole of a text stands in the index; its equals
// and neighbours are then found by the index alone.
func short(s string) bool { return len(s) < maxPrefix }

func (s *pgIndexed) equal(v dataknobs.Value) answer {
	switch c := classOf(v); c {
	case classNumber:
		return exact(and(s.ranked(rankNumber), s.number()+" = "+s.b.arg(digits(v), "numeric")))
	case classBool, classTime:
		rank, text := simpleText(v)
		return exact(s.texts(rank, s.start()+" = "+s.b.arg(text, "text")))
	case classString:
		if short(v.Str()) {
			return exact(s.texts(rankString, s.start()+" = "+s.b.arg(v.Str(), "text")))
		}
		return exact(s.texts(rankString, s.start()+" = "+s.b.arg(cut(v.Str()), "text"), s.str+" = "+s.b.arg(v.Str(), "text")))
	}
	return s.pgJSON.equal(v)
}

// simpleText returns the rank and the text of a bool, a time or a string.
func simpleText(v dataknobs.Value) (int, string) {
	switch v.Kind() {
	case dataknobs.KindBool:
		return rankBool, strconv.FormatBool(v.Bool())
	case dataknobs.KindTime:
		return rankTime, timeText(v)
	}
	return rankString, v.Str()
}

// cut returns the first maxPrefix code points.
func cut(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxPrefix {
			return s[:i]
		}
	}
	return s
}

func (s *pgIndexed) in(vs []dataknobs.Value) answer {
	var texts, numbers []string
	var as []answer
	for _, v := range vs {
		switch c := classOf(v); {
		case c == classString && short(v.Str()):
			texts = append(texts, v.Str())
		case c == classNumber:
			numbers = append(numbers, digits(v))
		default:
			as = append(as, s.equal(v))
		}
	}
	if len(texts) > 0 {
		as = append(as, exact(s.texts(rankString, s.b.inTexts(s.start(), texts))))
	}
	if len(numbers) > 0 {
		as = append(as, exact(and(s.ranked(rankNumber), s.number()+" = ANY("+s.b.arg(numbers, "numeric[]")+")")))
	}
	return or(as)
}

func (s *pgIndexed) span(in span) answer {
	switch in.class {
	case classNumber:
		lo, hi := in.bounds(s.number(), func(v dataknobs.Value) string { return s.b.arg(digits(v), "numeric") })
		return exact(and(s.ranked(rankNumber), lo, hi))
	case classTime:
		lo, hi := in.bounds(s.start(), s.b.timeParam)
		return exact(s.texts(rankTime, lo, hi))
	case classString:
		return exact(s.strings(in))
	}
	return s.pgJSON.span(in)
}

// strings is a span of strings: by the index as far as it reaches, and beyond
// that by the whole text.
func (s *pgIndexed) strings(in span) string {
	outer, long := in, ""
	if v := in.lo; !v.IsNull() && !short(v.Str()) {
		outer.lo, outer.loOpen = dataknobs.String(cut(v.Str())), false
		long, _ = span{lo: v, loOpen: in.loOpen}.bounds(s.b.byteOrder(s.str), s.b.textParam)
	}
	if v := in.hi; !v.IsNull() && !short(v.Str()) {
		outer.hi, outer.hiOpen = dataknobs.String(cut(v.Str())), false
		_, hi := span{hi: v, hiOpen: in.hiOpen}.bounds(s.b.byteOrder(s.str), s.b.textParam)
		long = and(long, hi)
	}
	lo, hi := outer.bounds(s.start(), s.b.textParam)
	return s.texts(rankString, lo, hi, long)
}

func (s *pgIndexed) prefix(from, to string) string {
	if !short(from) {
		from, to = cut(from), ""
	}
	return s.texts(rankString, s.b.textRange(s.start(), from, to))
}
