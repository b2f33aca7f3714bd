package dataknobs

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Bounds of records, from the contract.
const (
	MaxIDBytes     = 512      // the longest ID
	MaxNameBytes   = 255      // the longest field name
	MaxDepth       = 64       // how deep arrays and objects may nest
	MaxRecordBytes = 64 << 20 // the largest record, encoded
)

// A Field is one named value.
type Field struct {
	Name  string
	Value Value
}

// F returns the field name with the Go value x, converted as by [ValueOf]. It
// panics if x cannot be a value, which is a programmer's mistake: use ValueOf
// for input.
func F(name string, x any) Field {
	v, err := ValueOf(x)
	if err != nil {
		panic("dataknobs: field " + name + ": " + err.Error())
	}
	return Field{name, v}
}

// Fields is an ordered list of fields with unique names. It may be built as a
// literal, by append or by Set; every write checks the names. Not safe for
// concurrent change.
type Fields []Field

// Get returns the value of that name, and whether it is there. An absent
// field's value is null.
func (f Fields) Get(name string) (Value, bool) {
	for i := range f {
		if f[i].Name == name {
			return f[i].Value, true
		}
	}
	return Value{}, false
}

// Value returns the value of that name, null if it is absent.
func (f Fields) Value(name string) Value {
	v, _ := f.Get(name)
	return v
}

// Set replaces the value of that name in its place, or appends it.
func (f *Fields) Set(name string, v Value) {
	if i := f.index(name); i >= 0 {
		(*f)[i].Value = v
		return
	}
	*f = append(*f, Field{name, v})
}

// Delete removes the field of that name and reports whether it was there.
func (f *Fields) Delete(name string) bool {
	i := f.index(name)
	if i >= 0 {
		*f = slices.Delete(*f, i, i+1)
	}
	return i >= 0
}

func (f Fields) index(name string) int {
	return slices.IndexFunc(f, func(x Field) bool { return x.Name == name })
}

// Names returns the names in their order.
func (f Fields) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range f {
			if !yield(f[i].Name) {
				return
			}
		}
	}
}

// Map returns the fields as plain Go values (see [Value.Any]).
func (f Fields) Map() map[string]any {
	m := make(map[string]any, len(f))
	for _, x := range f {
		m[x.Name] = x.Value.Any()
	}
	return m
}

// Clone returns a deep copy that shares no memory with f but the names.
func (f Fields) Clone() Fields {
	if f == nil {
		return nil
	}
	c := make(Fields, len(f))
	for i, x := range f {
		c[i] = Field{x.Name, x.Value.Clone()}
	}
	return c
}

// Identical reports whether f and g have the same fields, kinds included,
// whatever their order.
func (f Fields) Identical(g Fields) bool {
	if len(f) != len(g) {
		return false
	}
	for i, x := range f {
		y := Field{}
		if g[i].Name == x.Name { // the usual case: the same order
			y = g[i]
		} else if j := g.index(x.Name); j >= 0 {
			y = g[j]
		} else {
			return false
		}
		if !x.Value.Identical(y.Value) {
			return false
		}
	}
	return true
}

// equal compares f and g under eq, null fields counting as absent.
func (f Fields) equal(g Fields, eq func(a, b Value) bool) bool {
	for _, x := range f {
		if !eq(x.Value, g.Value(x.Name)) {
			return false
		}
	}
	for _, y := range g {
		if !y.Value.IsNull() && f.Value(y.Name).IsNull() {
			return false
		}
	}
	return true
}

func (f Fields) sortedNonNull() Fields {
	s := make(Fields, 0, len(f))
	for _, x := range f {
		if !x.Value.IsNull() {
			s = append(s, x)
		}
	}
	slices.SortFunc(s, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// A Record is one record of a store. A record passed to a write is neither
// kept nor changed; a record handed out by a read is the caller's own.
type Record struct {
	// ID is 1 to 512 bytes of valid UTF-8 without NUL. Empty on Create: the
	// store gives one.
	ID string
	// Fields is the record's content.
	Fields Fields
	// Metadata is data about the record, kept beside the fields.
	Metadata Fields
	// Revision changes with every write of the record. Set by reads; writes
	// ignore it but for IfRevision.
	Revision string

	pos uint64
}

// NewRecord returns a record with that ID ("" to be given one by the store)
// and those fields.
func NewRecord(id string, fields ...Field) *Record {
	return &Record{ID: id, Fields: fields}
}

// Clone returns a copy whose fields and metadata can be changed without
// changing r. Values are immutable, so they are shared.
func (r *Record) Clone() *Record {
	c, fields := newRecordFor(len(r.Fields))
	*c = *r
	if r.Fields != nil {
		c.Fields = append(fields, r.Fields...)
	}
	c.Metadata = slices.Clone(r.Metadata)
	return c
}

// sized is a record with room for its fields, in one allocation.
type sized[Room any] struct {
	Record
	room Room
}

// newRecordFor returns an empty record and an empty list with room for n
// fields, in one allocation where n is small.
func newRecordFor(n int) (*Record, Fields) {
	switch n {
	case 0:
		return new(Record), Fields{}
	case 1, 2:
		r := new(sized[[2]Field])
		return &r.Record, r.room[:0]
	case 3:
		r := new(sized[[3]Field])
		return &r.Record, r.room[:0]
	case 4:
		r := new(sized[[4]Field])
		return &r.Record, r.room[:0]
	case 5:
		r := new(sized[[5]Field])
		return &r.Record, r.room[:0]
	case 6:
		r := new(sized[[6]Field])
		return &r.Record, r.room[:0]
	case 7:
		r := new(sized[[7]Field])
		return &r.Record, r.room[:0]
	case 8:
		r := new(sized[[8]Field])
		return &r.Record, r.room[:0]
	case 9:
		r := new(sized[[9]Field])
		return &r.Record, r.room[:0]
	case 10:
		r := new(sized[[10]Field])
		return &r.Record, r.room[:0]
	}
	return new(Record), make(Fields, 0, n)
}

// Get returns the value of the top-level field of that name; null if absent.
func (r *Record) Get(name string) Value { return r.Fields.Value(name) }

// Set sets the top-level field of that name.
func (r *Record) Set(name string, v Value) { r.Fields.Set(name, v) }

// Identical reports whether r and o have the same ID, fields and metadata,
// kinds included. Revisions are not compared.
func (r *Record) Identical(o *Record) bool {
	return r.ID == o.ID && r.Fields.Identical(o.Fields) && r.Metadata.Identical(o.Metadata)
}

// Position is the record's place in its store's own order, for stores that
// have one (Features.NaturalOrder). It is set by the driver.
func (r *Record) Position() uint64 { return r.pos }

// SetPosition sets the record's place in its store's own order. Only drivers
// call it.
func (r *Record) SetPosition(p uint64) { r.pos = p }

// systemNames are refused as field names.
var systemNames = []string{"_id", "_rev", "_meta", "_created", "_updated"}

// IsSystemName reports whether name is one of the five names that no field may have.
func IsSystemName(name string) bool {
	return len(name) > 2 && name[0] == '_' && slices.Contains(systemNames, name)
}

// CheckID returns an InvalidArgument error unless id is a legal record ID.
func CheckID(id string) error {
	switch {
	case id == "":
		return Errorf(InvalidArgument, "the ID is empty")
	case len(id) > MaxIDBytes:
		return Errorf(InvalidArgument, "the ID has %d bytes; the limit is %d", len(id), MaxIDBytes)
	}
	if why := badText(id); why != "" {
		return Errorf(InvalidArgument, "the ID %q %s", id, why)
	}
	return nil
}

// CheckName returns an InvalidArgument error unless name is a legal field name.
func CheckName(name string) error {
	switch {
	case name == "":
		return Errorf(InvalidArgument, "a field name is empty")
	case len(name) > MaxNameBytes:
		return Errorf(InvalidArgument, "the field name %.40q… has %d bytes; the limit is %d", name, len(name), MaxNameBytes)
	case IsSystemName(name):
		return Errorf(InvalidArgument, "the field name %q is a system name; call the field something else", name)
	}
	if why := badText(name); why != "" {
		return Errorf(InvalidArgument, "the field name %q %s", name, why)
	}
	return nil
}

// badText says what is wrong with s as text of a record; "" if nothing is.
func badText(s string) string {
	if isPlainASCII(s) {
		return ""
	}
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8; store it as bytes"
	case strings.IndexByte(s, 0) >= 0:
		return "contains a NUL character; store it as bytes"
	}
	return ""
}

// isPlainASCII reports whether s is short and has nothing but the ASCII
// characters from 1 to 127: the usual case, decided without a call.
func isPlainASCII(s string) bool {
	if len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if s[i]-1 >= 0x7f {
			return false
		}
	}
	return true
}

// Check returns an InvalidArgument error that names the field unless the
// record may be stored: legal names, unique in their object; valid text; finite
// floats; times of the years 1 to 9999; nesting up to 64 levels; and a size
// within MaxRecordBytes (else ResourceExhausted). An empty ID is legal here.
func (r *Record) Check() error {
	if r.ID != "" {
		if err := CheckID(r.ID); err != nil {
			return err
		}
	}
	c := checker{}
	if err := c.record(r); err != nil {
		return err
	}
	if c.size > MaxRecordBytes {
		return Errorf(ResourceExhausted, "the record has about %d bytes; the limit is %d", c.size, MaxRecordBytes)
	}
	return nil
}

// A checker walks records; size counts roughly what they would take encoded.
type checker struct {
	size int
	at   Path // where it stands
	// names are the names of the fields of the last record that was legal. Records
	// of one source mostly share them, to the very bytes.
	names []string
}

// path returns where the checker stands, for an error.
func (c *checker) path() Path { return slices.Clone(c.at) }

// record checks the fields and metadata of r.
func (c *checker) record(r *Record) error {
	c.size, c.at = 0, c.at[:0]
	if !c.knows(r.Fields) {
		if err := c.checkNames(r.Fields); err != nil {
			return err
		}
		c.names = slices.AppendSeq(c.names[:0], r.Fields.Names())
	}
	if err := c.values(r.Fields, 1); err != nil || len(r.Metadata) == 0 {
		return err
	}
	c.at = append(c.at, PathMetadata...)
	return c.fields(r.Metadata, 1)
}

// knows reports whether the fields have the very names of the last record.
func (c *checker) knows(f Fields) bool {
	if len(f) != len(c.names) {
		return false
	}
	for i := range f {
		a, b := f[i].Name, c.names[i]
		if len(a) != len(b) || unsafe.StringData(a) != unsafe.StringData(b) {
			return false
		}
	}
	return true
}

// fields checks an object.
func (c *checker) fields(f Fields, depth int) error {
	if depth > MaxDepth {
		return Errorf(InvalidArgument, "%s nests deeper than %d levels", c.at, MaxDepth)
	}
	if err := c.checkNames(f); err != nil {
		return err
	}
	return c.values(f, depth)
}

func (c *checker) checkNames(f Fields) error {
	var seen map[string]bool // of a wide object, where has would be slow
	if len(f) > 64 {
		seen = make(map[string]bool, len(f))
	}
	for i, x := range f {
		if err := CheckName(x.Name); err != nil {
			if len(c.at) > 0 {
				return Errorf(InvalidArgument, "in %s: %s", c.at, err)
			}
			return err
		}
		if seen[x.Name] || seen == nil && f.has(x.Name, i) {
			return Errorf(InvalidArgument, "the field %s is there twice", c.path().Child(x.Name))
		}
		if seen != nil {
			seen[x.Name] = true
		}
	}
	return nil
}

// has reports whether name stands among the first n fields.
func (f Fields) has(name string, n int) bool {
	for i := range n {
		if f[i].Name == name {
			return true
		}
	}
	return false
}

// values checks the values of an object whose names are legal.
func (c *checker) values(f Fields, depth int) error {
	for i := range f {
		c.size += len(f[i].Name) + 4
		if err := c.step(Step{Name: f[i].Name}, f[i].Value, depth); err != nil {
			return err
		}
	}
	return nil
}

// step checks the value one step further on.
func (c *checker) step(s Step, v Value, depth int) error {
	if v.kind < KindFloat { // nothing can be wrong with it
		c.size += 8
		return nil
	}
	if v.kind == KindString && isPlainASCII(v.Str()) {
		c.size += v.Len() + 2
		return nil
	}
	c.at = append(c.at, s)
	err := c.value(v, depth)
	c.at = c.at[:len(c.at)-1]
	return err
}

// value checks the value where the checker stands.
func (c *checker) value(v Value, depth int) error {
	switch v.kind {
	case KindString:
		c.size += v.Len() + 2
		if why := badText(v.Str()); why != "" {
			return Errorf(InvalidArgument, "the text of %s %s", c.at, why)
		}
	case KindBytes:
		c.size += v.Len() + 2
	case KindFloat:
		c.size += 8
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return Errorf(InvalidArgument, "%s is %v; only finite numbers can be stored", c.at, f)
		}
	case KindTime:
		c.size += 8
		if us := v.Micros(); us < minMicros || us > maxMicros {
			return Errorf(InvalidArgument, "%s is a time outside the years 1 to 9999", c.at)
		}
	case KindArray:
		return c.elems(v, depth)
	case KindObject:
		return c.fields(v.rawObject(), depth+1)
	default:
		c.size += 8
	}
	return nil
}

func (c *checker) elems(v Value, depth int) error {
	if depth >= MaxDepth {
		return Errorf(InvalidArgument, "%s nests deeper than %d levels", c.at, MaxDepth)
	}
	for i, e := range v.rawArray() {
		if err := c.step(Step{Index: i}, e, depth+1); err != nil {
			return err
		}
	}
	return nil
}

var _ fmt.Stringer = Value{}
