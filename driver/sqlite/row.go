package sqlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// A decoder turns the rows of one statement into records.
type decoder struct {
	t      *table
	out    []sqlgen.Output
	fields sqlgen.Decoder // of the extra column
	meta   sqlgen.Decoder
	one    sqlgen.Decoder // of single fields
	plain  sqlgen.Decoder
	keys   []dataknobs.Value
	rev    []byte
	room   int             // for how many fields of columns
	only   map[string]bool // the columns that anyone looks at; nil: all
	hash   bool            // the revision is the hash of the row
	raw    []byte          // of this row, for the hash
	chars  []byte          // of this record's texts, which become one string
	texts  []textAt
}

// textAt is a field whose value is the part of decoder.chars up to end.
type textAt struct{ field, end int }

func (t *table) decoder(out []sqlgen.Output) *decoder {
	d := &decoder{t: t, out: out}
	d.plain.Plain = true
	d.keys = make([]dataknobs.Value, len(t.Key))
	for _, o := range out {
		if o.Is == sqlgen.OutColumn {
			d.room++
		}
		if o.Is != sqlgen.OutExtra || len(o.Names) == 0 {
			continue
		}
		d.fields.Only = map[string]bool{}
		for _, n := range o.Names {
			d.fields.Only[n] = true
		}
	}
	return d
}

// look makes the decoder leave out the fields that nobody looks at.
func (d *decoder) look(paths []dataknobs.Path) {
	d.only = map[string]bool{}
	for _, p := range paths {
		d.only[p[0].Name] = true
	}
	d.fields.Only = d.only
}

// record reads the row that s stands on. exact is false where its place in the
// order is not sure.
func (d *decoder) record(s *lite.Stmt) (r *dataknobs.Record, exact bool, err error) {
	r = new(dataknobs.Record)
	if d.room > 0 {
		r.Fields = make(dataknobs.Fields, 0, d.room)
	}
	d.rev, d.chars, d.texts = d.rev[:0], d.chars[:0], d.texts[:0]
	clear(d.keys)
	if d.hash {
		r.Revision = d.hashed(s)
	}
	for i, o := range d.out {
		switch o.Is {
		case sqlgen.OutID:
			r.ID = s.Str(i)
		case sqlgen.OutColumn:
			err = d.column(r, s, i, o.Column)
		case sqlgen.OutExtra:
			err = d.extra(r, s.Raw(i))
		case sqlgen.OutField:
			err = d.field(r, s, i, o.Name)
		case sqlgen.OutMeta:
			r.Metadata, err = d.meta.Fields(s.Raw(i))
			if len(r.Metadata) == 0 {
				r.Metadata = nil
			}
		case sqlgen.OutRev:
			d.revision(s, i)
		case sqlgen.OutInexact:
			if s.Int(i) != 0 {
				return nil, false, nil
			}
		}
		if err != nil {
			return nil, false, d.spoilt(s, r, err)
		}
	}
	if len(d.rev) > 0 {
		r.Revision = string(d.rev)
	}
	d.setTexts(r)
	if d.t.ID == "" {
		if err := d.identify(r); err != nil {
			return nil, false, err
		}
	}
	return r, true, nil
}

// spoilt names the record in which the stored text cannot be read.
func (d *decoder) spoilt(s *lite.Stmt, r *dataknobs.Record, err error) error {
	if r.ID == "" {
		return dataknobs.Errorf(dataknobs.DataLoss, "a record of the table %s: %w", d.t.Name, err)
	}
	return dataknobs.Errorf(dataknobs.DataLoss, "the record %q of the table %s: %w", r.ID, d.t.Name, err)
}

func (d *decoder) extra(r *dataknobs.Record, b []byte) error {
	f, err := d.fields.Fields(b)
	if err != nil {
		return err
	}
	if len(r.Fields) == 0 {
		r.Fields = f
		return nil
	}
	r.Fields = append(r.Fields, f...)
	return nil
}

func (d *decoder) field(r *dataknobs.Record, s *lite.Stmt, i int, name string) error {
	if s.Kind(i) == lite.Null {
		return nil
	}
	v, err := d.one.Value(s.Raw(i))
	r.Fields = append(r.Fields, dataknobs.Field{Name: name, Value: v})
	return err
}

// revision adds one part of the revision.
func (d *decoder) revision(s *lite.Stmt, i int) {
	if len(d.rev) > 0 {
		d.rev = append(d.rev, '.')
	}
	switch s.Kind(i) {
	case lite.Null:
	case lite.Integer:
		d.rev = strconv.AppendInt(d.rev, s.Int(i), 10)
	default:
		d.rev = append(d.rev, s.Raw(i)...)
	}
}

// column reads the typed column c, which is the i-th of the row. A null is an
// absent field.
func (d *decoder) column(r *dataknobs.Record, s *lite.Stmt, i, c int) error {
	col := &d.t.Columns[c]
	if d.only != nil && !d.only[col.Name] && !d.t.inKey(c) {
		return nil
	}
	kind := s.Kind(i)
	if kind == lite.Text && (col.Type == sqlgen.Text || col.Type == sqlgen.Any) && !d.t.inKey(c) {
		d.addText(r, s.Raw(i), col)
		return nil
	}
	v, err := d.value(s, i, kind, col)
	if err != nil || v.IsNull() {
		return err
	}
	for k, key := range d.t.Key {
		if key == c {
			d.keys[k] = v
			if d.t.hidden {
				return nil
			}
		}
	}
	r.Fields = append(r.Fields, dataknobs.Field{Name: col.Name, Value: v})
	return nil
}

func (t *table) inKey(c int) bool { return slices.Contains(t.Key, c) }

// addText adds a field whose text becomes a part of the record's one string.
func (d *decoder) addText(r *dataknobs.Record, b []byte, col *sqlgen.Column) {
	f := dataknobs.Field{Name: col.Name}
	if isText(b) {
		d.chars = append(d.chars, b...)
		d.texts = append(d.texts, textAt{len(r.Fields), len(d.chars)})
	} else {
		f.Value = dataknobs.Bytes(b)
	}
	r.Fields = append(r.Fields, f)
}

// isText reports whether b can be a string.
func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// setTexts gives the fields of addText their values.
func (d *decoder) setTexts(r *dataknobs.Record) {
	if len(d.texts) == 0 {
		return
	}
	all, from := string(d.chars), 0
	for _, at := range d.texts {
		r.Fields[at.field].Value = dataknobs.String(all[from:at.end])
		from = at.end
	}
	if cap(d.chars) > 1<<20 {
		d.chars = nil
	}
}

// identify makes the ID of the key columns, and the revision of the content
// where there is none in the table.
func (d *decoder) identify(r *dataknobs.Record) error {
	if len(d.keys) == 1 && d.keys[0].Kind() == dataknobs.KindInt {
		r.ID = strconv.FormatInt(d.keys[0].Int(), 10)
		return nil
	}
	id, err := dataknobs.KeyText(d.keys)
	if err != nil {
		if len(d.out) > 0 && d.wantsID() {
			return dataknobs.Errorf(dataknobs.DataLoss, "a row of the table %s has no usable key: %w", d.t.Name, err).
				WithHint("name columns by key= that tell the rows apart")
		}
		return nil
	}
	r.ID = id
	return nil
}

func (d *decoder) wantsID() bool {
	for _, o := range d.out {
		if o.Is == sqlgen.OutColumn && len(d.t.Key) > 0 && o.Column == d.t.Key[0] {
			return true
		}
	}
	return false
}

// hashed is the revision of a row in a table that keeps none: a hash of all
// that it holds, as it is stored.
func (d *decoder) hashed(s *lite.Stmt) string {
	b := d.raw[:0]
	for i, o := range d.out {
		if o.Is != sqlgen.OutColumn && o.Is != sqlgen.OutExtra && o.Is != sqlgen.OutMeta {
			continue
		}
		kind := s.Kind(i)
		b = append(b, byte(kind))
		switch kind {
		case lite.Integer:
			b = binary.LittleEndian.AppendUint64(b, uint64(s.Int(i)))
		case lite.Real:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Float(i)))
		case lite.Text, lite.Blob:
			raw := s.Raw(i)
			b = binary.AppendUvarint(b, uint64(len(raw)))
			b = append(b, raw...)
		}
	}
	if d.raw = b; cap(b) > 1<<20 {
		d.raw = nil
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// value reads column i of the row as a value of the column c. What cannot be of
// the column's kind is what SQLite holds.
func (d *decoder) value(s *lite.Stmt, i int, kind lite.Kind, c *sqlgen.Column) (dataknobs.Value, error) {
	switch kind {
	case lite.Null:
		return dataknobs.Value{}, nil
	case lite.Integer:
		n := s.Int(i)
		if c.Type == sqlgen.Bool && (n == 0 || n == 1) {
			return dataknobs.Bool(n == 1), nil
		}
		if c.Type == sqlgen.Float && c.Checked {
			return dataknobs.Float(float64(n)), nil
		}
		return dataknobs.Int(n), nil
	case lite.Real:
		f := s.Float(i)
		if math.IsInf(f, 0) {
			return dataknobs.String(strconv.FormatFloat(f, 'g', -1, 64)), nil
		}
		return dataknobs.Float(f), nil
	case lite.Blob:
		return dataknobs.Bytes(s.Raw(i)), nil
	}
	return d.text(s.Raw(i), c)
}

// text reads a text. It is lent.
func (d *decoder) text(b []byte, c *sqlgen.Column) (dataknobs.Value, error) {
	switch c.Type {
	case sqlgen.Date, sqlgen.Timestamp, sqlgen.TimestampTZ:
		if v, ok := parseTime(b); ok {
			return v, nil
		}
	case sqlgen.Tagged:
		return d.one.Value(b)
	case sqlgen.JSON:
		if v, err := d.plain.Value(b); err == nil && len(b) > 0 {
			return v, nil
		}
	}
	if !isText(b) {
		return dataknobs.Bytes(b), nil
	}
	return dataknobs.String(string(b)), nil
}
