package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// A decoder makes records of the rows of one statement. It learns as it goes,
// and is not safe for concurrent use.
type decoder struct {
	s       *state
	out     []sqlgen.Output
	formats []int16 // in which the results are asked for
	columns []func([]byte) (dataknobs.Value, error)
	fields  sqlgen.Decoder // of Extra
	meta    sqlgen.Decoder
	single  sqlgen.Decoder // of OutField
	id      int            // the result that is the ID; -1: none
	key     []int          // the results that are the key's columns
	noID    bool
	hash    bool // the revision is made of the content
	size    int  // of the fields of the last record
	order   reorder
	names   *nameOrder // of which order was made
	rows    int64
	text    []byte // scratch
}

func (dr *Driver) newDecoder(s *state, st *sqlgen.Statement) *decoder {
	d := &decoder{s: s, out: st.Out, id: -1}
	if d.names = dr.order.Load(); d.names != nil && s.isDocument() {
		d.order.order = *d.names
	}
	refuse := dr.opts.RefuseNumeric
	d.hash = s.Rev.Kind == sqlgen.RevHash
	d.formats = make([]int16, len(st.Out))
	d.columns = make([]func([]byte) (dataknobs.Value, error), len(st.Out))
	at := map[int]int{}
	for i, o := range st.Out {
		switch o.Is {
		case sqlgen.OutID:
			d.id = i
		case sqlgen.OutColumn:
			d.formats[i], d.columns[i] = columnDecoder(&s.Columns[o.Column], refuse)
			at[o.Column] = i
		case sqlgen.OutExtra:
			if o.Names != nil {
				d.fields.Only = make(map[string]bool, len(o.Names))
				for _, name := range o.Names {
					d.fields.Only[name] = true
				}
			}
		}
	}
	for _, k := range s.Key {
		i, ok := at[k]
		if !ok {
			d.key = nil
			break
		}
		d.key = append(d.key, i)
	}
	return d
}

// record makes a record of a row, sharing no memory with it.
func (d *decoder) record(row [][]byte) (*dataknobs.Record, error) {
	if len(row) < len(d.out) {
		return nil, errRow
	}
	rec := &dataknobs.Record{}
	d.rows++
	rev := -1
	if len(d.s.Columns) > 0 {
		rec.Fields = make(dataknobs.Fields, 0, max(d.size, 4))
	}
	for i, o := range d.out {
		b := row[i]
		switch o.Is {
		case sqlgen.OutID:
			rec.ID = string(b)
		case sqlgen.OutColumn:
			c := &d.s.Columns[o.Column]
			f := dataknobs.Field{Name: c.Name}
			if b != nil {
				var err error
				if f.Value, err = d.columns[i](b); err != nil {
					return nil, columnError(c, err)
				}
			}
			rec.Fields = append(rec.Fields, f)
		case sqlgen.OutExtra:
			f, err := d.fields.Fields(b)
			if err != nil {
				return nil, err
			}
			if rec.Fields == nil {
				rec.Fields = f
			} else {
				rec.Fields = append(rec.Fields, f...)
			}
		case sqlgen.OutField:
			if b == nil {
				continue
			}
			v, err := d.single.Value(b)
			if err != nil {
				return nil, err
			}
			rec.Fields = append(rec.Fields, dataknobs.Field{Name: o.Name, Value: v})
		case sqlgen.OutMeta:
			f, err := d.meta.Fields(b)
			if err != nil {
				return nil, err
			}
			if len(f) > 0 {
				rec.Metadata = f
			}
		case sqlgen.OutRev:
			if rev < 0 {
				d.text = d.text[:0]
			} else {
				d.text = append(d.text, '.')
			}
			rev = i
			d.text = append(d.text, b...)
		}
	}
	d.size = len(rec.Fields)
	if rev >= 0 {
		rec.Revision = string(d.text)
	}
	d.order.apply(rec.Fields)
	if d.hash {
		var err error
		if rec.Revision, err = contentHash(rec); err != nil {
			return nil, err
		}
	}
	return rec, d.identify(rec, row)
}

// identify gives a record of the columns layout its ID.
func (d *decoder) identify(rec *dataknobs.Record, row [][]byte) error {
	if d.id >= 0 || d.noID {
		return nil
	}
	if d.s.keyless() {
		rec.ID = fmt.Sprint(d.rows)
		rec.SetPosition(uint64(d.rows))
		return nil
	}
	if len(d.key) == 0 {
		return nil
	}
	vs := make([]dataknobs.Value, len(d.key))
	for i, k := range d.key {
		vs[i] = rec.Fields.Value(d.s.Columns[d.out[k].Column].Name)
	}
	var err error
	if rec.ID, err = dataknobs.KeyText(vs); err != nil {
		return dataknobs.Errorf(dataknobs.DataLoss, "a row has no usable key %s: %w", strings.Join(d.s.features.Key, ", "), err).
			WithHint("name other columns by key=")
	}
	return nil
}

func columnError(c *sqlgen.Column, err error) error {
	return dataknobs.Errorf(dataknobs.CodeOf(err), "the column %s: %w", c.Name, err)
}

// Formats of the protocol.
const (
	textFormat   = 0
	binaryFormat = 1
)

// columnDecoder returns how a column's values are asked for and read. Those
// whose binary form says all in a few bytes come in it; it does not depend on
// the session's settings either.
func columnDecoder(c *sqlgen.Column, refuse bool) (int16, func([]byte) (dataknobs.Value, error)) {
	ok := func(f func([]byte) dataknobs.Value) func([]byte) (dataknobs.Value, error) {
		return func(b []byte) (dataknobs.Value, error) { return f(b), nil }
	}
	switch c.Type {
	case sqlgen.Bool:
		return binaryFormat, ok(func(b []byte) dataknobs.Value { return dataknobs.Bool(len(b) == 1 && b[0] != 0) })
	case sqlgen.Int:
		return binaryFormat, ok(binaryInt)
	case sqlgen.Float:
		return binaryFormat, ok(binaryFloat)
	case sqlgen.Date:
		return binaryFormat, ok(binaryDate)
	case sqlgen.Timestamp, sqlgen.TimestampTZ:
		return binaryFormat, ok(binaryTime)
	case sqlgen.Bytes:
		return binaryFormat, ok(dataknobs.Bytes)
	case sqlgen.Array:
		return textFormat, func(b []byte) (dataknobs.Value, error) { return parseArray(string(b), c, refuse) }
	}
	return textFormat, textDecoder(c.Type, c.SQLType, refuse)
}

// textDecoder reads the text form of a type.
func textDecoder(t sqlgen.Type, sqlType string, refuse bool) func([]byte) (dataknobs.Value, error) {
	switch t {
	case sqlgen.Bool:
		return func(b []byte) (dataknobs.Value, error) { return dataknobs.Bool(len(b) > 0 && b[0] == 't'), nil }
	case sqlgen.Int, sqlgen.Numeric:
		return func(b []byte) (dataknobs.Value, error) { return numeric(string(b), refuse) }
	case sqlgen.Float:
		bits := 64
		if strings.HasPrefix(sqlType, "real") {
			bits = 32
		}
		return func(b []byte) (dataknobs.Value, error) { return floatText(string(b), bits), nil }
	case sqlgen.Date, sqlgen.Timestamp, sqlgen.TimestampTZ:
		return func(b []byte) (dataknobs.Value, error) { return timeText(string(b)), nil }
	case sqlgen.Bytes:
		return hexText
	case sqlgen.JSON:
		d := &sqlgen.Decoder{Plain: true}
		return d.Value
	case sqlgen.Tagged:
		d := &sqlgen.Decoder{}
		return d.Value
	}
	return func(b []byte) (dataknobs.Value, error) { return dataknobs.String(string(b)), nil }
}

func binaryInt(b []byte) dataknobs.Value {
	switch len(b) {
	case 2:
		return dataknobs.Int(int64(int16(binary.BigEndian.Uint16(b))))
	case 4:
		return dataknobs.Int(int64(int32(binary.BigEndian.Uint32(b))))
	}
	return dataknobs.Int(int64(binary.BigEndian.Uint64(b)))
}

func binaryFloat(b []byte) dataknobs.Value {
	var f float64
	if len(b) == 4 {
		f = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	} else {
		f = math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	return finite(f)
}

// finite returns f, or its name where no record can hold it.
func finite(f float64) dataknobs.Value {
	switch {
	case math.IsNaN(f):
		return dataknobs.String("NaN")
	case math.IsInf(f, 1):
		return dataknobs.String("Infinity")
	case math.IsInf(f, -1):
		return dataknobs.String("-Infinity")
	}
	return dataknobs.Float(f)
}

// The bounds of a time value, in microseconds since 1970, and the server's epoch.
const (
	minMicros = -62135596800_000_000
	maxMicros = 253402300799_999_999
	epoch     = 946684800_000_000 // 2000-01-01
)

func binaryTime(b []byte) dataknobs.Value {
	us := int64(binary.BigEndian.Uint64(b))
	switch us {
	case math.MaxInt64:
		return dataknobs.String("infinity")
	case math.MinInt64:
		return dataknobs.String("-infinity")
	}
	return instant(us + epoch)
}

func binaryDate(b []byte) dataknobs.Value {
	days := int32(binary.BigEndian.Uint32(b))
	switch days {
	case math.MaxInt32:
		return dataknobs.String("infinity")
	case math.MinInt32:
		return dataknobs.String("-infinity")
	}
	return instant(int64(days)*86400_000_000 + epoch)
}

// instant returns the time, or its text where it is outside the years 1 to 9999.
func instant(us int64) dataknobs.Value {
	if us >= minMicros && us <= maxMicros {
		return dataknobs.TimeMicros(us)
	}
	t := time.UnixMicro(us).UTC()
	if t.Year() <= 0 {
		return dataknobs.String(fmt.Sprintf("%04d-%s BC", 1-t.Year(), t.Format("01-02T15:04:05.999999Z")))
	}
	return dataknobs.String(fmt.Sprintf("%d-%s", t.Year(), t.Format("01-02T15:04:05.999999Z")))
}

// contentHash makes a revision of what a record holds, for tables that have
// nothing better.
func contentHash(rec *dataknobs.Record) (string, error) {
	b, err := sqlgen.AppendFields(nil, rec.Fields)
	if err == nil {
		b, err = sqlgen.AppendFields(append(b, 0), rec.Metadata)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12]), err
}
