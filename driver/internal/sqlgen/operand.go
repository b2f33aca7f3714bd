package sqlgen

import (
	"math"
	"slices"
	"strconv"

	"dataknobs.dev/dataknobs"
)

// subject returns what stands at a path, or why SQL cannot say it.
func (b *builder) subject(p dataknobs.Path) (subject, string) {
	switch {
	case len(p) == 0:
		return nil, "the path is empty"
	case p.IsID():
		return b.idSubject()
	case p.IsRevision():
		return nil, "revisions are not compared in the database"
	case p.IsMetadata():
		if len(p) == 1 {
			return nil, "the metadata as a whole is not compared in the database"
		}
		return b.inside(b.t.Meta, Tagged, p[1:], b.t.isIndexed(p))
	}
	if c := b.t.find(p[0].Name); c != nil {
		return b.columnSubject(c, p[1:])
	}
	return b.inside(b.t.Extra, Tagged, p, b.t.isIndexed(p))
}

// find returns the column of that name; nil if there is none.
func (t *Table) find(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// isIndexed reports whether the path has a declared index.
func (t *Table) isIndexed(p dataknobs.Path) bool { return slices.ContainsFunc(t.Indexed, p.Equal) }

// idSubject is the ID: the text of its column, or made of the key columns.
func (b *builder) idSubject() (subject, string) {
	if b.t.ID != "" {
		q, err := b.column(b.t.ID)
		if err != nil {
			return nil, err.Error()
		}
		return &textSubject{b: b, expr: q}, ""
	}
	if len(b.t.Key) == 1 {
		if s, ok := b.singleKey(); ok {
			return s, ""
		}
	}
	expr, why := b.idText()
	if why != "" {
		return nil, why
	}
	return &textSubject{b: b, expr: expr}, ""
}

// columnSubject is a typed column, or what lies inside it.
func (b *builder) columnSubject(c *Column, rest dataknobs.Path) (subject, string) {
	switch {
	case c.Type == JSON || c.Type == Tagged:
		if b.lite() && !c.Checked {
			return nil, "the column may hold text that is not JSON"
		}
		if !b.lite() && c.SQLType == "json" {
			return nil, "a column of type json does not compare; jsonb does"
		}
		return b.inside(c.Name, c.Type, rest, false)
	case c.Type == Array && len(rest) > 0:
		return nil, "elements of the database's arrays are not compared by their place"
	case len(rest) > 0:
		return nullSubject{}, ""
	}
	q, err := b.column(c.Name)
	switch {
	case err != nil:
		return nil, err.Error()
	case c.Type == Array:
		return &pgArray{b: b, col: c, x: q}, ""
	case b.lite():
		return &liteColumn{b: b, col: c, x: q}, ""
	}
	return &pgColumn{b: b, col: c, x: q}, ""
}

// inside is what lies at a path in a JSON column; all is null where there is
// no such column.
func (b *builder) inside(column string, typ Type, p dataknobs.Path, indexed bool) (subject, string) {
	if column == "" {
		return nullSubject{}, ""
	}
	q, err := b.column(column)
	if err != nil {
		return nil, err.Error()
	}
	j := jsonPath{b: b, base: q, tagged: typ == Tagged}
	if !b.lite() {
		if err := j.stepPostgres(p); err != nil {
			return nil, err.Error()
		}
		s := &pgJSON{jsonPath: j}
		if indexed {
			return &pgIndexed{pgJSON: s}, ""
		}
		return s, ""
	}
	if err := j.stepLite(p); err != nil {
		return nil, err.Error()
	}
	s := &liteJSON{jsonPath: j}
	if indexed {
		return &liteIndexed{liteJSON: s}, ""
	}
	return s, ""
}

// A jsonPath is a place in a JSON column.
type jsonPath struct {
	b      *builder
	base   string // the column, quoted
	tagged bool   // its JSON keeps kinds
	// PostgreSQL:
	json string // the value as jsonb, NULL where absent
	str  string // its text
	// SQLite:
	at string // the path, without quotes
}

// stepPostgres writes the path as a chain of ->. (#> would take a name of
// digits for an index.) An index into something that is not an array yields
// null: PostgreSQL itself takes a scalar for an array of one.
func (j *jsonPath) stepPostgres(p dataknobs.Path) error {
	j.json, j.str = j.base, "("+j.base+" #>> '{}')"
	for _, s := range p {
		if s.Name != "" {
			lit, err := Literal(Postgres, j.name(s.Name))
			if err != nil {
				return err
			}
			j.json, j.str = "("+j.json+" -> "+lit+")", "("+j.json+" ->> "+lit+")"
			continue
		}
		i := strconv.Itoa(min(s.Index, math.MaxInt32))
		guard := "(CASE WHEN jsonb_typeof(" + j.json + ") = 'array' THEN " + j.json
		j.json, j.str = guard+" -> "+i+" END)", guard+" ->> "+i+" END)"
	}
	return nil
}

// stepLite writes the path in SQLite's notation, in which a quoted name is a
// JSON string.
func (j *jsonPath) stepLite(p dataknobs.Path) error {
	at := []byte("$")
	for _, s := range p {
		if s.Name == "" {
			at = append(at, '[')
			at = strconv.AppendInt(at, int64(min(s.Index, math.MaxInt32)), 10)
			at = append(at, ']')
			continue
		}
		at = append(at, '.')
		at = dataknobs.AppendJSONString(at, j.name(s.Name))
	}
	j.at = string(at)
	_, err := Literal(SQLite, j.at)
	return err
}

// name returns the name under which a field is stored.
func (j *jsonPath) name(s string) string {
	if j.tagged {
		return escapeName(s)
	}
	return s
}

// nullSubject is what no record has.
type nullSubject struct{}

func (nullSubject) notNull() string                 { return never }
func (nullSubject) isNull() string                  { return always }
func (nullSubject) equal(dataknobs.Value) answer    { return exact(never) }
func (nullSubject) in([]dataknobs.Value) answer     { return exact(never) }
func (nullSubject) span(span) answer                { return exact(never) }
func (nullSubject) text() (string, string, answer)  { return "", "", exact(never) }
func (nullSubject) isArray() string                 { return "" }
func (nullSubject) contains(dataknobs.Value) answer { return exact(never) }

// textSubject is a text in byte order that is never null: an ID.
type textSubject struct {
	b    *builder
	expr string
}

func (s *textSubject) notNull() string                 { return always }
func (s *textSubject) isNull() string                  { return never }
func (s *textSubject) isArray() string                 { return "" }
func (s *textSubject) contains(dataknobs.Value) answer { return exact(never) }

func (s *textSubject) text() (string, string, answer) {
	return s.b.byteOrder(s.expr), "", exact(always)
}

func (s *textSubject) equal(v dataknobs.Value) answer {
	if classOf(v) != classString {
		return exact(never)
	}
	return exact(s.expr + " = " + s.b.arg(v.Str(), "text"))
}

func (s *textSubject) in(vs []dataknobs.Value) answer {
	return exact(s.b.inTexts(s.expr, stringsOf(vs)))
}

func (s *textSubject) span(in span) answer {
	if in.class != classString {
		return exact(never)
	}
	lo, hi := in.bounds(s.b.byteOrder(s.expr), s.b.textParam)
	return exact(and(lo, hi))
}

func (s *textSubject) prefix(from, to string) string {
	return s.b.textRange(s.b.byteOrder(s.expr), from, to)
}

// textRange is from <= x < to; "" is no bound.
func (b *builder) textRange(x, from, to string) string {
	lo := x + " >= " + b.arg(from, "text")
	if to == "" {
		return lo
	}
	return lo + " AND " + x + " < " + b.arg(to, "text")
}

func (b *builder) textParam(v dataknobs.Value) string { return b.arg(v.Str(), "text") }

// byteOrder makes a text compare by its bytes, which is by code points.
func (b *builder) byteOrder(x string) string {
	if b.lite() {
		return x + " COLLATE BINARY"
	}
	return "(" + x + `) COLLATE "C"`
}

// inTexts is x = one of texts.
func (b *builder) inTexts(x string, texts []string) string {
	switch {
	case len(texts) == 0:
		return never
	case len(texts) == 1:
		return x + " = " + b.arg(texts[0], "text")
	case b.lite():
		return x + " IN (" + b.params(texts) + ")"
	}
	return x + " = ANY(" + b.arg(texts, "text[]") + ")"
}

// params adds a parameter for each text, with commas between what stands for them.
func (b *builder) params(texts []string) string {
	list := ""
	for i, s := range texts {
		if i > 0 {
			list += ", "
		}
		list += b.arg(s, "text")
	}
	return list
}

// stringsOf returns the strings among vs.
func stringsOf(vs []dataknobs.Value) []string {
	var out []string
	for _, v := range vs {
		if v.Kind() == dataknobs.KindString {
			out = append(out, v.Str())
		}
	}
	return out
}
