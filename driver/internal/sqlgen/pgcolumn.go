package sqlgen

import (
	"regexp"
	"strconv"
	"time"

	"dataknobs.dev/dataknobs"
)

// pgColumn is a typed column of PostgreSQL.
type pgColumn struct {
	b   *builder
	col *Column
	x   string // its quoted name
}

func (s *pgColumn) notNull() string { return s.x + " IS NOT NULL" }
func (s *pgColumn) isNull() string  { return s.x + " IS NULL" }
func (s *pgColumn) isArray() string { return "" }

func (s *pgColumn) contains(dataknobs.Value) answer { return exact(never) }

// class returns the class of the column's values.
func (c *Column) class() class {
	switch c.Type {
	case Bool:
		return classBool
	case Int, Float, Numeric:
		return classNumber
	case Date, Timestamp, TimestampTZ:
		return classTime
	case Bytes:
		return classBytes
	}
	return classString
}

// The bounds of times, within which a value of the database is a time.
const (
	leastDate = "0001-01-01"
	mostDate  = "9999-12-31"
	mostTime  = "9999-12-31 23:59:59.999999"
)

const (
	whyOdd     = "a value that its kind cannot hold (such as NaN or infinity) is read as a string"
	whyNumeric = "a numeric that no float64 says is read as a string"
)

// odd is the condition that the value is not of the column's class and so is
// read as a string; "" if there are no such values.
func (s *pgColumn) odd() string {
	switch s.col.Type {
	case Float:
		return s.x + " IN ('NaN', 'Infinity', '-Infinity')"
	case Numeric:
		if s.col.fitsFloat() {
			return s.x + " = 'NaN'"
		}
		return "(CASE WHEN " + s.x + " = trunc(" + s.x + ") AND abs(" + s.x + ") < 9e18 THEN false WHEN abs(" + s.x + ") < 1e15 AND scale(" + s.x +
			") <= 15 THEN " + s.x + "::float8::numeric <> " + s.x + " ELSE " + s.x + " IS NOT NULL END)"
	case Date:
		return "NOT " + s.x + " BETWEEN '" + leastDate + "' AND '" + mostDate + "'"
	case Timestamp:
		return "NOT " + s.x + " BETWEEN '" + leastDate + "' AND '" + mostTime + "'"
	case TimestampTZ:
		return "NOT " + s.x + " BETWEEN '" + leastDate + " 00:00:00+00' AND '" + mostTime + "+00'"
	}
	return ""
}

var numericType = regexp.MustCompile(`^numeric\((\d+)(?:,\s*(\d+))?\)$`)

// fitsFloat reports whether a numeric has so few digits that a float64 says
// every value of the type exactly.
func (c *Column) fitsFloat() bool {
	m := numericType.FindStringSubmatch(c.SQLType)
	if m == nil {
		return false
	}
	n, err := strconv.Atoi(m[1])
	return err == nil && n <= 15
}

// direct reports whether the column is a text that compares by itself.
func (s *pgColumn) direct() bool { return s.col.Type == Text }

// misplaced is the condition that a value sorts otherwise than the string that
// it is read as, which comes after all numbers and times; "": none does.
func (s *pgColumn) misplaced() string {
	switch s.col.Type {
	case Float:
		return s.x + " = '-Infinity'"
	case Numeric:
		if !s.col.fitsFloat() {
			return s.odd()
		}
	case Date, Timestamp:
		return s.x + " < '" + leastDate + "'"
	case TimestampTZ:
		return s.x + " < '" + leastDate + " 00:00:00+00'"
	}
	return ""
}

// textOf is the column's text in byte order.
func (s *pgColumn) textOf() string {
	switch {
	case s.direct() && s.col.ByteOrder:
		return s.x
	case s.direct():
		return s.b.byteOrder(s.x)
	}
	return s.b.byteOrder(s.x + "::text")
}

func (s *pgColumn) text() (string, string, answer) {
	if s.col.class() == classString {
		return s.textOf(), "", exact(always)
	}
	return "", "", s.oddAnswer()
}

// oddAnswer is about strings in a column of another class.
func (s *pgColumn) oddAnswer() answer {
	if odd := s.odd(); odd != "" {
		return rough(odd, whyOdd)
	}
	return exact(never)
}

// param adds a parameter for a constant of the column's class; false if no
// value of the column is equal to it.
func (s *pgColumn) param(v dataknobs.Value) (string, bool) {
	switch s.col.Type {
	case Bool:
		return s.b.arg(v.Bool(), "bool"), true
	case Int:
		i, ok := wholeInt(v)
		if !ok {
			return "", false
		}
		return s.b.arg(i, "int8"), true
	case Float:
		f, ok := exactFloat(v)
		if !ok {
			return "", false
		}
		return s.b.arg(f, "float8"), true
	case Numeric:
		return s.b.arg(digits(v), "numeric"), true
	case UUID:
		if !IsUUID(v.Str()) {
			return "", false
		}
		return s.b.arg(v.Str(), "uuid"), true
	case Date:
		t := v.Time()
		if !t.Equal(t.Truncate(24 * time.Hour)) {
			return "", false
		}
		return s.b.arg(t.Format(time.DateOnly), "date"), true
	case Timestamp:
		return s.b.arg(stampText(v), "timestamp"), true
	case TimestampTZ:
		return s.b.arg(stampText(v)+"+00", "timestamptz"), true
	case Bytes:
		return s.b.arg(v.Bytes(), "bytea"), true
	}
	return s.b.arg(v.Str(), "text"), true
}

// stampText returns a time as PostgreSQL reads a timestamp.
func stampText(v dataknobs.Value) string { return v.Time().Format("2006-01-02 15:04:05.000000") }

// IsUUID reports whether s is a UUID as the database prints it.
func IsUUID(s string) bool {
	if len(s) != len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// operand is what equality compares: the column itself where an index of it serves.
func (s *pgColumn) operand() string {
	if s.col.Type == Enum || s.col.Type == Other {
		return s.textOf()
	}
	return s.x
}

func (s *pgColumn) equal(v dataknobs.Value) answer {
	if classOf(v) != s.col.class() {
		if classOf(v) == classString {
			return s.oddAnswer()
		}
		return exact(never)
	}
	p, ok := s.param(v)
	if !ok {
		return exact(never)
	}
	return exact(s.operand() + " = " + p)
}

func (s *pgColumn) in(vs []dataknobs.Value) answer {
	if s.col.Type == Text || s.col.Type == Enum || s.col.Type == Other {
		return exact(s.b.inTexts(s.operand(), stringsOf(vs)))
	}
	if list, cast := s.list(vs); len(list) > 1 {
		return exact(s.x + " = ANY(" + s.b.arg(list, cast) + ")")
	}
	var as []answer
	for _, v := range vs {
		as = append(as, s.equal(v))
	}
	return or(as)
}

// list returns the constants as the texts of one array, where the column can
// be compared with one and all of them are of its class.
func (s *pgColumn) list(vs []dataknobs.Value) (list []string, cast string) {
	for _, v := range vs {
		switch {
		case classOf(v) != s.col.class():
			if classOf(v) == classString {
				return nil, "" // an odd one, perhaps
			}
		case s.col.Type == Int:
			cast = "int8[]"
			if i, ok := wholeInt(v); ok {
				list = append(list, strconv.FormatInt(i, 10))
			}
		case s.col.Type == UUID:
			cast = "uuid[]"
			if IsUUID(v.Str()) {
				list = append(list, v.Str())
			}
		case s.col.Type == Numeric:
			cast = "numeric[]"
			list = append(list, digits(v))
		}
	}
	return list, cast
}

func (s *pgColumn) span(in span) answer {
	if in.class != s.col.class() {
		if in.class == classString {
			return s.oddAnswer()
		}
		return exact(never)
	}
	switch s.col.Type {
	case Int:
		return s.ints(in)
	case Float:
		lo, hi := in.floats()
		return exact(s.x + " >= " + s.b.arg(lo, "float8") + " AND " + s.x + " <= " + s.b.arg(hi, "float8"))
	case Numeric:
		return s.numerics(in)
	case Date:
		return s.dates(in)
	case Timestamp, TimestampTZ:
		return s.stamps(in)
	case Text:
		return s.bounded(s.textOf(), in)
	case UUID, Enum, Other:
		lo, hi := in.bounds(s.textOf(), s.b.textParam)
		return exact(and(lo, hi))
	}
	return s.bounded(s.x, in)
}

func (s *pgColumn) bounded(x string, in span) answer {
	lo, hi := in.bounds(x, func(v dataknobs.Value) string { p, _ := s.param(v); return p })
	return exact(and(lo, hi))
}

func (s *pgColumn) ints(in span) answer {
	lo, hi, ok := in.ints()
	if !ok {
		return exact(never)
	}
	var parts [2]string
	if !in.lo.IsNull() {
		parts[0] = s.x + " >= " + s.b.arg(lo, "int8")
	}
	if !in.hi.IsNull() {
		parts[1] = s.x + " <= " + s.b.arg(hi, "int8")
	}
	return exact(and(parts[:]...))
}

func (s *pgColumn) numerics(in span) answer {
	a := s.bounded(s.x, in)
	if !s.col.fitsFloat() {
		return rough(a.sql, whyNumeric)
	}
	if in.hi.IsNull() {
		a.sql = and(a.sql, s.x+" < 'NaN'")
	}
	return a
}

// dates makes both bounds closed, since a day is the midnight that it begins with.
func (s *pgColumn) dates(in span) answer {
	lo, hi := leastDate, mostDate
	if !in.lo.IsNull() {
		t := in.lo.Time()
		day := t.Truncate(24 * time.Hour)
		if in.loOpen || day.Before(t) {
			day = day.AddDate(0, 0, 1)
		}
		if day.Year() > 9999 {
			return exact(never)
		}
		lo = day.Format(time.DateOnly)
	}
	if !in.hi.IsNull() {
		t := in.hi.Time()
		day := t.Truncate(24 * time.Hour)
		if in.hiOpen && day.Equal(t) {
			day = day.AddDate(0, 0, -1)
		}
		if day.Year() < 1 {
			return exact(never)
		}
		hi = day.Format(time.DateOnly)
	}
	return exact(s.x + " >= " + s.b.arg(lo, "date") + " AND " + s.x + " <= " + s.b.arg(hi, "date"))
}

// stamps bounds both sides, to leave out infinity and what is no time.
func (s *pgColumn) stamps(in span) answer {
	lo, hi := in.bounds(s.x, func(v dataknobs.Value) string { p, _ := s.param(v); return p })
	cast, zone := "timestamp", ""
	if s.col.Type == TimestampTZ {
		cast, zone = "timestamptz", "+00"
	}
	if lo == "" {
		lo = s.x + " >= " + s.b.arg(leastDate+" 00:00:00"+zone, cast)
	}
	if hi == "" {
		hi = s.x + " <= " + s.b.arg(mostTime+zone, cast)
	}
	return exact(and(lo, hi))
}

func (s *pgColumn) prefix(from, to string) string {
	if s.direct() && s.col.ByteOrder {
		return s.b.textRange(s.x, from, to)
	}
	return ""
}
