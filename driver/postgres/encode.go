package postgres

import (
	"regexp"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// A target is one column that writes fill.
type target struct {
	name    string // quoted
	cast    string // the type without its bounds: a cast to varchar(3) would cut
	column  int    // of the typed columns; -1: one of those below
	is      targetKind
	key     bool
	skipped bool // where there is no value, the insert leaves the column to its default
	fixed   bool // an update leaves it alone: the key, or numbered by the database
	jsonb   bool
	limits  limits
}

type targetKind uint8

const (
	aColumn targetKind = iota
	theID
	theExtra
	theMeta
)

// limits are a type's bounds that the server would round to rather than refuse.
type limits struct {
	scale    int  // digits after a numeric's point; -1: any
	seconds  int  // digits after a time's seconds
	single   bool // real
	hasScale bool
}

var typeBounds = regexp.MustCompile(`\((\d+)(?:,(-?\d+))?\)`)

// targetsOf lists the columns that writes fill.
func targetsOf(t *sqlgen.Table) ([]target, error) {
	var ts []target
	add := func(x target, name string) error {
		q, err := sqlgen.Quote(sqlgen.Postgres, name)
		x.name = q
		ts = append(ts, x)
		return err
	}
	if t.ID != "" {
		if err := add(target{cast: "text", column: -1, is: theID, key: true, fixed: true}, t.ID); err != nil {
			return nil, err
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Generated {
			continue
		}
		x := target{cast: typeBounds.ReplaceAllString(c.SQLType, ""), column: i, skipped: c.HasDefault, limits: limitsOf(c)}
		for _, k := range t.Key {
			x.key = x.key || k == i
		}
		x.fixed = x.key || c.Identity
		x.jsonb = c.SQLType == "jsonb"
		if err := add(x, c.Name); err != nil {
			return nil, err
		}
	}
	for name, is := range map[string]targetKind{t.Extra: theExtra, t.Meta: theMeta} {
		if name == "" {
			continue
		}
		if err := add(target{cast: "jsonb", column: -1, is: is, jsonb: true}, name); err != nil {
			return nil, err
		}
	}
	return ts, nil
}

func limitsOf(c *sqlgen.Column) limits {
	l := limits{scale: -1, seconds: 6, single: strings.HasPrefix(c.SQLType, "real")}
	m := typeBounds.FindStringSubmatch(c.SQLType)
	if m == nil {
		return l
	}
	n, _ := strconv.Atoi(m[1])
	switch {
	case strings.HasPrefix(c.SQLType, "numeric"):
		l.scale, l.hasScale = 0, true
		if m[2] != "" {
			l.scale, _ = strconv.Atoi(m[2])
		}
	case strings.HasPrefix(c.SQLType, "timestamp"):
		l.seconds = n
	}
	return l
}

// A row is a record as the columns take it, in the order of the targets.
type row struct {
	id     string
	values [][]byte // nil: NULL, or nothing where out says so
	out    string   // what becomes of each target: filled, leftOut or kept; "": all are filled
	at     int      // of the write
	size   int
}

// What becomes of a target.
const (
	filled  = '0'
	leftOut = '1' // an insert leaves it out, an update sets it to its default
	kept    = '2' // an update leaves it as it is
)

// keep makes an update leave alone all columns that the changes do not touch:
// what a column holds may be more than its value here says.
func (s *state) keep(r *row, changes []dataknobs.Change) {
	if s.isDocument() {
		return
	}
	touched := map[string]bool{}
	other := false // a field without a column
	for _, c := range changes {
		name := c.Path[0].Name
		touched[name] = true
		_, typed := s.fields[name]
		other = other || !typed && !c.Path.IsMetadata()
	}
	out := make([]byte, len(s.sql.targets))
	for i, x := range s.sql.targets {
		is := false
		switch x.is {
		case aColumn:
			is = touched[s.Columns[x.column].Name]
		case theExtra:
			is = other
		case theMeta:
			is = touched["_meta"]
		}
		switch {
		case !is:
			out[i] = kept
		case r.out != "":
			out[i] = r.out[i]
		default:
			out[i] = filled
		}
	}
	r.out = string(out)
}

// encode makes the row of a record. The error is InvalidArgument and names the
// field that no column can hold.
func (s *state) encode(rec *dataknobs.Record, id string) (*row, error) {
	r := &row{id: id, values: make([][]byte, len(s.sql.targets))}
	if s.isDocument() {
		return r, s.encodeDocument(r, rec)
	}
	var extra dataknobs.Fields
	for _, f := range rec.Fields {
		i, ok := s.fields[f.Name]
		if !ok {
			if s.Extra == "" {
				if f.Value.IsNull() {
					continue
				}
				return nil, s.noColumn(f.Name)
			}
			extra = append(extra, f)
			continue
		}
		at := s.sql.targetOf[i]
		if at < 0 || f.Value.IsNull() { // the database computes it
			continue
		}
		b, err := encodeColumn(&s.Columns[i], &s.sql.targets[at].limits, f.Value)
		if err != nil {
			return nil, err
		}
		r.values[at] = b
	}
	return r, s.encodeRest(r, rec, extra)
}

// encodeRest fills in the JSON columns and says which columns stay out.
func (s *state) encodeRest(r *row, rec *dataknobs.Record, extra dataknobs.Fields) error {
	var out []byte
	for i := range s.sql.targets {
		x := &s.sql.targets[i]
		var err error
		switch {
		case x.is == theExtra:
			r.values[i], err = sqlgen.AppendFields(nil, extra)
		case x.is == theMeta && len(rec.Metadata) > 0:
			r.values[i], err = sqlgen.AppendFields(nil, rec.Metadata)
		case x.skipped && r.values[i] == nil && !explicitNull(rec, &s.Columns[x.column]):
			if out == nil {
				out = []byte(strings.Repeat(string(filled), len(s.sql.targets)))
			}
			out[i] = leftOut
		}
		if err != nil {
			return err
		}
		r.size += len(r.values[i]) + 8
	}
	r.out = string(out)
	return nil
}

// explicitNull reports whether the record says null where null is possible.
func explicitNull(rec *dataknobs.Record, c *sqlgen.Column) bool {
	_, there := rec.Fields.Get(c.Name)
	return there && !c.NotNull
}

func (s *state) encodeDocument(r *row, rec *dataknobs.Record) error {
	var err error
	for i := range s.sql.targets {
		switch s.sql.targets[i].is {
		case theID:
			r.values[i] = []byte(r.id)
		case theExtra:
			r.values[i], err = sqlgen.AppendFields(make([]byte, 0, 32+24*len(rec.Fields)), rec.Fields)
		case theMeta:
			if len(rec.Metadata) > 0 {
				r.values[i], err = sqlgen.AppendFields(nil, rec.Metadata)
			}
		}
		if err != nil {
			return err
		}
		r.size += len(r.values[i]) + 8
	}
	return nil
}

func (s *state) noColumn(name string) error {
	err := dataknobs.Errorf(dataknobs.InvalidArgument, "the table has no column for the field %s", dataknobs.Names(name))
	var names []string
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	if near := nearest.Of(name, names); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err.WithHint("add the column, or name a jsonb column for all other fields by extra=")
}
