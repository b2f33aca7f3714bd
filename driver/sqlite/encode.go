package sqlite

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// An encoder makes parameters of records.
type encoder struct {
	t     *table
	extra dataknobs.Fields
}

// check refuses a record that the table cannot hold, naming the field.
func (e *encoder) check(r *dataknobs.Record) error {
	t := e.t
	if len(t.Columns) == 0 && t.Extra != "" {
		return nil
	}
	if t.hidden && r.ID != "" {
		if vs, ok := t.KeyValues(r.ID); !ok || t.cannotHold(t.Key[0], vs[0]) != "" {
			c := &t.Columns[t.Key[0]]
			return dataknobs.Errorf(dataknobs.InvalidArgument, "the table cannot hold a record of that ID: its column %s is of type %s", c.Name, typeText(c))
		}
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		c, ok := t.index[f.Name]
		switch {
		case ok && t.Columns[c].Generated:
			if err := e.generated(c, f); err != nil {
				return err
			}
		case ok:
			if why := t.cannotHold(c, f.Value); why != "" {
				return dataknobs.Errorf(dataknobs.InvalidArgument, "the field %s cannot be the %s %.60s: the column %s", dataknobs.Names(f.Name), f.Value.Kind(), f.Value, why)
			}
		case t.Extra == "" && !f.Value.IsNull():
			return t.noColumn(f.Name)
		}
	}
	return nil
}

// generated refuses a value for what the database computes. A null stands for
// no value.
func (e *encoder) generated(_ int, f *dataknobs.Field) error {
	if f.Value.IsNull() {
		return nil
	}
	return dataknobs.Errorf(dataknobs.InvalidArgument, "the field %s cannot be written: the database computes it", dataknobs.Names(f.Name)).
		WithHint("leave it out")
}

func (t *table) noColumn(name string) error {
	err := dataknobs.Errorf(dataknobs.InvalidArgument, "the table %s has no column for the field %s", t.Name, dataknobs.Names(name))
	if near := nearest.Of(name, t.fieldNames()); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err.WithHint("it has %s; extra= names a JSON column that takes all others", list(t.fieldNames()))
}

// cannotHold says why the column c cannot hold v so that it comes back the
// same; "" if it can.
func (t *table) cannotHold(c int, v dataknobs.Value) string {
	col := &t.Columns[c]
	kind := v.Kind()
	if kind == dataknobs.KindNull {
		return ""
	}
	var ok bool
	switch col.Type {
	case sqlgen.Bool:
		ok = kind == dataknobs.KindBool
	case sqlgen.Int:
		ok = kind == dataknobs.KindInt
	case sqlgen.Float:
		ok = kind == dataknobs.KindFloat
	case sqlgen.Numeric:
		ok = v.IsNumber()
	case sqlgen.Date:
		ok = kind == dataknobs.KindTime
		if ok && v.Micros()%(86400*1e6) != 0 {
			return "holds dates, not times of day"
		}
	case sqlgen.Timestamp, sqlgen.TimestampTZ:
		ok = kind == dataknobs.KindTime
	case sqlgen.Bytes:
		ok = kind == dataknobs.KindBytes
	case sqlgen.JSON:
		return notPlain(v)
	case sqlgen.Tagged:
		ok = true
	case sqlgen.Any:
		ok = kind != dataknobs.KindBool && kind != dataknobs.KindTime && kind != dataknobs.KindArray && kind != dataknobs.KindObject
	default:
		ok = kind == dataknobs.KindString
	}
	if !ok {
		return "is of type " + typeText(col)
	}
	return t.changed(c, v)
}

func typeText(c *sqlgen.Column) string {
	if c.SQLType != "" {
		return c.SQLType
	}
	for _, w := range typeWords {
		if typeNames[w] == c.Type {
			return w
		}
	}
	return "another kind"
}

// changed says what SQLite would make of v by the affinity of the column; "" if
// it keeps it as it is.
func (t *table) changed(c int, v dataknobs.Value) string {
	switch a := t.affinity[c]; {
	case a <= affinityText && v.Kind() == dataknobs.KindString, a == affinityBlob:
	case a == affinityText && v.IsNumber():
		return "would turn a number into text"
	case a > affinityText && v.Kind() == dataknobs.KindString && looksNumeric(v.Str()):
		return "would turn this text into a number"
	case (a == affinityNumeric || a == affinityInteger) && v.Kind() == dataknobs.KindFloat && t.Columns[c].Type == sqlgen.Any && isWhole(v.Float()):
		return "would turn this float into an int"
	}
	return ""
}

func isWhole(f float64) bool { return f >= -1<<63 && f < 1<<63 && f == float64(int64(f)) }

// looksNumeric reports whether SQLite may take the text for a number.
func looksNumeric(s string) bool {
	s = strings.Trim(s, " \t\n\v\f\r")
	if s == "" || strings.IndexByte("0123456789+-.", s[0]) < 0 {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil || strings.Contains(err.Error(), "range")
}

// notPlain says why plain JSON cannot hold v; "" if it can.
func notPlain(v dataknobs.Value) string {
	switch v.Kind() {
	case dataknobs.KindTime, dataknobs.KindBytes:
		return "holds plain JSON, which has no kind " + v.Kind().String()
	case dataknobs.KindArray:
		for e := range v.Elems() {
			if why := notPlain(e); why != "" {
				return why
			}
		}
	case dataknobs.KindObject:
		for _, x := range v.All() {
			if why := notPlain(x); why != "" {
				return why
			}
		}
	}
	return ""
}

// add adds the parameters for the stored columns that take takes.
func (e *encoder) add(a *lite.Args, r *dataknobs.Record, rev any, takes func(stored) bool) error {
	for _, c := range e.t.stored {
		if !takes(c) {
			continue
		}
		if err := e.addOne(a, c, r, rev); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) addOne(a *lite.Args, c stored, r *dataknobs.Record, rev any) error {
	switch c.part {
	case partID:
		a.Text(r.ID)
		return nil
	case partColumn:
		if c.key && e.t.hidden {
			vs, _ := e.t.KeyValues(r.ID)
			return e.addColumn(a, c.column, vs[0])
		}
		return e.addColumn(a, c.column, r.Fields.Value(e.t.Columns[c.column].Name))
	case partExtra:
		return addFields(a, e.rest(r.Fields))
	case partMeta:
		if len(r.Metadata) == 0 && e.t.ID == "" {
			return a.Add(nil)
		}
		return addFields(a, r.Metadata)
	}
	return a.Add(rev)
}

// rest are the fields without a column of their own.
func (e *encoder) rest(f dataknobs.Fields) dataknobs.Fields {
	if len(e.t.Columns) == 0 {
		return f
	}
	e.extra = e.extra[:0]
	for _, x := range f {
		if _, ok := e.t.index[x.Name]; !ok {
			e.extra = append(e.extra, x)
		}
	}
	return e.extra
}

func addFields(a *lite.Args, f dataknobs.Fields) error {
	return a.Written(func(b []byte) ([]byte, error) { return sqlgen.AppendFields(b, f) })
}

// addColumn adds a value that cannotHold has let pass.
func (e *encoder) addColumn(a *lite.Args, c int, v dataknobs.Value) error {
	col := &e.t.Columns[c]
	switch {
	case col.Type == sqlgen.Tagged && !v.IsNull():
		return a.Written(func(b []byte) ([]byte, error) { return sqlgen.AppendValue(b, v) })
	case col.Type == sqlgen.JSON && !v.IsNull():
		return a.Written(func(b []byte) ([]byte, error) { return v.AppendJSON(b), nil })
	}
	return a.Add(columnArg(col, v))
}

// columnArg is a scalar as the column holds it.
func columnArg(c *sqlgen.Column, v dataknobs.Value) any {
	switch v.Kind() {
	case dataknobs.KindNull:
		return nil
	case dataknobs.KindBool:
		return v.Bool()
	case dataknobs.KindInt:
		return v.Int()
	case dataknobs.KindFloat:
		return v.Float()
	case dataknobs.KindBytes:
		return v.Bytes()
	case dataknobs.KindTime:
		return timeArg(c, v)
	}
	return v.Str()
}

// timeArg is a time in the form that the column's other values have.
func timeArg(c *sqlgen.Column, v dataknobs.Value) string {
	switch {
	case c.Type == sqlgen.Date:
		return v.Time().Format("2006-01-02")
	case c.Checked:
		return sqlgen.TimeText(v)
	case c.Type == sqlgen.TimestampTZ:
		return v.Time().Format("2006-01-02 15:04:05.999999+00:00")
	}
	return v.Time().Format("2006-01-02 15:04:05.999999")
}

// newRevision is the revision that a write gives: random, so that none comes
// back, and never 0.
func newRevision() int64 { return rand.Int64N(1<<62) + 1 } //nolint:gosec // revisions differ, they are no secret
