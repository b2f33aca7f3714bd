package sqlgen

import (
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

// liteColumn is a typed column of SQLite, where the type of each value is its
// own: typeof tells, whatever the column's declaration.
type liteColumn struct {
	b   *builder
	col *Column
	x   string
}

func (s *liteColumn) notNull() string { return s.x + " IS NOT NULL" }
func (s *liteColumn) isNull() string  { return s.x + " IS NULL" }
func (s *liteColumn) isArray() string { return "" }

func (s *liteColumn) contains(dataknobs.Value) answer { return exact(never) }

const whyLiteTime = "times are written in several ways"

// isTime reports whether texts in the column are times.
func (s *liteColumn) isTime() bool { return s.col.class() == classTime }

// texts is the column as a text in byte order.
func (s *liteColumn) texts() string {
	if s.col.ByteOrder || s.col.Checked {
		return s.x
	}
	return s.x + " COLLATE BINARY"
}

// textGuard is that the value is a text; "" where the table sees to it.
func (s *liteColumn) textGuard() string {
	if s.col.Checked && s.col.Type == Text {
		return ""
	}
	return "typeof(" + s.x + ") = 'text'"
}

func (s *liteColumn) text() (string, string, answer) {
	switch {
	case s.col.Checked && s.col.Type != Any && s.col.Type != Text:
		return "", "", exact(never)
	case s.isTime():
		return s.texts(), s.textGuard(), rough(always, whyLiteTime)
	}
	return s.texts(), s.textGuard(), exact(always)
}

// timeTextOf is a time as a checked column holds it.
func (s *liteColumn) timeTextOf(v dataknobs.Value) string {
	if s.col.Type == Date {
		return v.Time().Format(time.DateOnly)
	}
	return timeText(v)
}

func (s *liteColumn) equal(v dataknobs.Value) answer {
	switch classOf(v) {
	case classBool:
		if s.col.Type != Bool {
			return exact(never)
		}
		return exact(s.x + " = " + s.b.sortParam(v))
	case classNumber:
		return s.span(span{class: classNumber, lo: v, hi: v})
	case classString:
		if s.isTime() {
			return s.oddText()
		}
		return exact(and(s.texts()+" = "+s.b.arg(v.Str(), ""), s.textGuard()))
	case classTime:
		return s.equalTime(v)
	case classBytes:
		return exact(and(s.x+" = "+s.b.arg(v.Bytes(), ""), "typeof("+s.x+") = 'blob'"))
	}
	return exact(never)
}

// oddText is about strings in a column of times.
func (s *liteColumn) oddText() answer {
	if s.col.Checked {
		return exact(never)
	}
	return rough(s.textGuard(), whyLiteTime)
}

func (s *liteColumn) equalTime(v dataknobs.Value) answer {
	switch {
	case !s.isTime():
		return exact(never)
	case !s.col.Checked:
		return s.days(span{lo: v, hi: v})
	case s.col.Type == Date && !v.Time().Equal(v.Time().Truncate(24*time.Hour)):
		return exact(never)
	}
	return exact(s.x + " = " + s.b.arg(s.timeTextOf(v), ""))
}

// days is a span of times by the dates that their texts begin with, a day wider
// on both sides for the sake of zones.
func (s *liteColumn) days(in span) answer {
	lo, hi := "", ""
	if !in.lo.IsNull() {
		if t := in.lo.Time().AddDate(0, 0, -1); t.Year() >= 1 {
			lo = s.texts() + " >= " + s.b.arg(t.Format(time.DateOnly), "")
		}
	}
	if !in.hi.IsNull() {
		if t := in.hi.Time().AddDate(0, 0, 2); t.Year() <= 9999 {
			hi = s.texts() + " < " + s.b.arg(t.Format(time.DateOnly), "")
		}
	}
	return rough(and(s.textGuard(), lo, hi), whyLiteTime)
}

func (s *liteColumn) in(vs []dataknobs.Value) answer {
	var as []answer
	var numbers []dataknobs.Value
	texts := stringsOf(vs)
	for _, v := range vs {
		switch classOf(v) {
		case classString:
		case classNumber:
			numbers = append(numbers, v)
		default:
			as = append(as, s.equal(v))
		}
	}
	if len(numbers) > 0 {
		as = append(as, exact(and(s.x+" IN ("+s.b.list(numbers)+")", s.numberGuard())))
	}
	switch {
	case len(texts) == 0:
	case s.isTime():
		as = append(as, s.oddText())
	default:
		as = append(as, exact(and(s.b.inTexts(s.texts(), texts), s.textGuard())))
	}
	return or(as)
}

func (s *liteColumn) span(in span) answer {
	switch in.class {
	case classBool:
		var as []answer
		for _, v := range in.bools() {
			as = append(as, s.equal(v))
		}
		return or(as)
	case classNumber:
		return s.numbers(in)
	case classString:
		if s.isTime() {
			return s.oddText()
		}
		lo, hi := in.bounds(s.texts(), s.b.textParam)
		return exact(and(lo, hi, s.textGuard()))
	case classTime:
		return s.times(in)
	case classBytes:
		lo, hi := in.bounds(s.x, func(v dataknobs.Value) string { return s.b.arg(v.Bytes(), "") })
		return exact(and(lo, hi, "typeof("+s.x+") = 'blob'"))
	}
	return exact(never)
}

// numbers relies on numbers being less than texts. A column of text affinity
// would turn the constant into a text, so it is asked for its type.
func (s *liteColumn) numbers(in span) answer {
	guard := s.numberGuard()
	lo, hi := in.bounds(s.x, s.b.number)
	if hi == "" && guard == "" {
		hi = s.x + " < ''"
	}
	if lo != "" && in.lo.Equal(in.hi) && !in.loOpen && !in.hiOpen {
		lo, hi = s.x+" = "+s.b.number(in.lo), ""
	}
	return exact(and(lo, hi, guard))
}

// numberGuard is that the value is a number; "" where a comparison with one tells.
func (s *liteColumn) numberGuard() string {
	switch s.col.Type {
	case Int, Float, Numeric, Any:
		return ""
	case Bool:
		return s.x + " NOT IN (0, 1) AND typeof(" + s.x + ") IN ('integer', 'real')"
	}
	return "typeof(" + s.x + ") IN ('integer', 'real')"
}

func (s *liteColumn) times(in span) answer {
	switch {
	case !s.isTime():
		return exact(never)
	case !s.col.Checked:
		return s.days(in)
	case s.col.Type == Date:
		return s.dates(in)
	}
	lo, hi := in.bounds(s.x, s.b.timeParam)
	return exact(and(lo, hi))
}

func (s *liteColumn) dates(in span) answer {
	lo, hi := "", ""
	if !in.lo.IsNull() {
		op := " >= "
		if in.loOpen || !in.lo.Time().Equal(in.lo.Time().Truncate(24*time.Hour)) {
			op = " > "
		}
		lo = s.x + op + s.b.arg(in.lo.Time().Format(time.DateOnly), "")
	}
	if !in.hi.IsNull() {
		op := " <= "
		if in.hiOpen && in.hi.Time().Equal(in.hi.Time().Truncate(24*time.Hour)) {
			op = " < "
		}
		hi = s.x + op + s.b.arg(in.hi.Time().Format(time.DateOnly), "")
	}
	return exact(and(lo, hi))
}

func (s *liteColumn) prefix(from, to string) string {
	if strings.HasSuffix(s.texts(), "BINARY") {
		return ""
	}
	return s.b.textRange(s.x, from, to)
}
