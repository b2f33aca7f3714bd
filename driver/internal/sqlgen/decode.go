package sqlgen

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// ParseFields reads what [AppendFields] wrote, or another program in its form.
// What is no JSON object, or holds a tag that cannot be read, is DataLoss.
func ParseFields(b []byte) (dataknobs.Fields, error) {
	var d Decoder
	return d.Fields(b)
}

// ParseValue reads one value as ParseFields does.
func ParseValue(b []byte) (dataknobs.Value, error) {
	var d Decoder
	return d.Value(b)
}

// ParsePlain reads plain JSON of other programs, in which nothing is a tag.
func ParsePlain(b []byte) (dataknobs.Value, error) {
	d := Decoder{Plain: true}
	return d.Value(b)
}

// A Decoder reads JSON into values. It learns the names of the fields as it
// goes, so one Decoder for a whole scan is faster than the functions. What it
// returns shares no memory with its input. Not safe for concurrent use.
//
// A number without point and exponent is an int. An integer beyond int64 is a
// float where the float's shortest decimal is the same number, else a string:
// no digit is ever lost. Other numbers are the nearest float.
type Decoder struct {
	// Plain: nothing is a tag, no name is escaped.
	Plain bool
	// Only, if not nil, are the top-level fields that Fields returns; it passes
	// over the others unread.
	Only map[string]bool

	slots  []slot // of the fields of the last record, in order
	fresh  bool   // this record's names are not all those of the last
	b      []byte
	at     int
	text   string // a copy of all of b, made when a string is first needed
	depth  int
	failed string // the first fault
}

// maxDepth is how deep the JSON may nest: a tag and the record add a level each.
const maxDepth = dataknobs.MaxDepth + 2

// Fields reads an object. None and null have no fields.
func (d *Decoder) Fields(b []byte) (dataknobs.Fields, error) {
	d.start(b)
	var f dataknobs.Fields
	switch c := d.next(); {
	case len(b) == 0:
		return nil, nil
	case c == '{':
		f = d.top()
	case c == 'n':
		d.word("null")
	default:
		d.fail("expected an object")
	}
	return f, d.end()
}

// Value reads one value. None is null.
func (d *Decoder) Value(b []byte) (dataknobs.Value, error) {
	if len(b) == 0 {
		return dataknobs.Value{}, nil
	}
	d.start(b)
	v := d.value()
	return v, d.end()
}

func (d *Decoder) start(b []byte) {
	d.b, d.at, d.text, d.depth, d.failed = b, 0, "", 0, ""
	if !utf8.Valid(b) {
		d.fail("it is not valid UTF-8")
	}
}

func (d *Decoder) end() error {
	if d.failed == "" && d.next() != 0 {
		d.fail("expected the end")
	}
	b := d.b
	d.b = nil
	if d.failed == "" {
		return nil
	}
	near := b[min(d.at, len(b)):]
	near = near[:min(len(near), 40)]
	return dataknobs.Errorf(dataknobs.DataLoss, "the stored JSON cannot be read at byte %d: %s, at %q", d.at, d.failed, near)
}

// fail notes the first fault; nothing is read after it.
func (d *Decoder) fail(what string) {
	if d.failed == "" {
		d.failed = what
	}
}

// next returns the first byte after white space; 0 at the end and after a fault.
func (d *Decoder) next() byte {
	if d.failed != "" {
		return 0
	}
	for d.at < len(d.b) {
		c := d.b[d.at]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			d.fail("a control character")
			return 0
		}
		d.at++
	}
	return 0
}

// A slot is what is known of the i-th field of the records.
type slot struct {
	raw  string // the name as it is written, with its quotes
	name string
	want bool
}

// top reads the fields of a record.
func (d *Decoder) top() dataknobs.Fields {
	d.fresh = false
	room := max(len(d.slots), 4)
	if d.Only != nil {
		room = min(room, len(d.Only))
	}
	f := make(dataknobs.Fields, 0, room)
	i := 0
	for ; d.more('}', i); i++ {
		s := d.slot(i)
		if !s.want {
			d.skip()
			continue
		}
		f = append(f, dataknobs.Field{Name: s.name, Value: d.value()})
	}
	switch {
	case d.failed != "":
		d.slots = d.slots[:0]
		return nil
	case i < len(d.slots) || d.fresh:
		d.slots = d.slots[:i]
		d.uniqueSlots()
	}
	return f
}

// slot reads the name of the i-th field, which is mostly that of the last record.
func (d *Decoder) slot(i int) *slot {
	if i < len(d.slots) {
		s := &d.slots[i]
		if end := d.at + len(s.raw); end < len(d.b) && string(d.b[d.at:end]) == s.raw {
			d.at = end
			d.colon()
			return s
		}
	} else {
		d.slots = append(d.slots, slot{})
	}
	d.fresh = true
	start := d.at
	name := strings.Clone(d.string())
	s := &d.slots[i]
	*s = slot{raw: string(d.b[start:d.at]), name: d.unescapeName(name)}
	s.want = d.Only == nil || d.Only[s.name]
	d.colon()
	return s
}

func (d *Decoder) uniqueSlots() {
	names := make([]string, len(d.slots))
	for i := range names {
		names[i] = d.slots[i].name
	}
	d.twice(names)
}

// name reads a name and the colon.
func (d *Decoder) name() string {
	s := d.string()
	d.colon()
	return d.unescapeName(s)
}

// unescapeName returns the name that is stored as s.
func (d *Decoder) unescapeName(s string) string {
	if !d.Plain && strings.HasPrefix(s, "$$") {
		return s[1:]
	}
	return s
}

func (d *Decoder) colon() {
	if d.next() != ':' {
		d.fail(`expected ":"`)
		return
	}
	d.at++
}

// twice fails if a name is there twice.
func (d *Decoder) twice(names []string) {
	if len(names) > 32 {
		seen := make(map[string]bool, len(names))
		for _, s := range names {
			if seen[s] {
				d.fail("the name " + strconv.Quote(s) + " is there twice")
			}
			seen[s] = true
		}
		return
	}
	for i, s := range names {
		for _, o := range names[:i] {
			if s == o {
				d.fail("the name " + strconv.Quote(s) + " is there twice")
			}
		}
	}
}

// more reads the opening sign or a comma before the i-th item; false at the end.
func (d *Decoder) more(closing byte, i int) bool {
	if i == 0 {
		d.at++ // the opening sign
		if d.depth++; d.depth > maxDepth {
			d.fail("it nests too deep")
		}
		switch d.next() {
		case 0:
			d.fail("it ends too early")
			return false
		case closing:
			d.at++
			d.depth--
			return false
		}
		return true
	}
	switch d.next() {
	case ',':
		d.at++
		d.next()
		return d.failed == ""
	case closing:
		d.at++
		d.depth--
		return false
	}
	d.fail(`expected "," or "` + string(closing) + `"`)
	return false
}

func (d *Decoder) value() dataknobs.Value {
	switch c := d.next(); {
	case c == '"':
		return dataknobs.String(d.string())
	case c == '-' || '0' <= c && c <= '9':
		return d.number()
	case c == '{':
		return d.object()
	case c == '[':
		return d.array()
	case c == 't':
		d.word("true")
		return dataknobs.Bool(true)
	case c == 'f':
		d.word("false")
		return dataknobs.Bool(false)
	case c == 'n':
		d.word("null")
		return dataknobs.Value{}
	}
	d.fail("expected a value")
	return dataknobs.Value{}
}

func (d *Decoder) word(w string) {
	if end := d.at + len(w); end <= len(d.b) && string(d.b[d.at:end]) == w {
		d.at = end
		return
	}
	d.fail("expected a value")
}

func (d *Decoder) array() dataknobs.Value {
	vs := []dataknobs.Value{}
	for i := 0; d.more(']', i); i++ {
		vs = append(vs, d.value())
	}
	return dataknobs.AdoptArray(vs)
}

func (d *Decoder) object() dataknobs.Value {
	if !d.Plain && d.tagAhead() {
		if v, ok := d.tagged(); ok {
			return v
		}
	}
	f := dataknobs.Fields{}
	for i := 0; d.more('}', i); i++ {
		name := d.name()
		v := d.value()
		f = append(f, dataknobs.Field{Name: name, Value: v})
	}
	d.unique(f)
	return dataknobs.AdoptObject(f)
}

func (d *Decoder) unique(f dataknobs.Fields) {
	if len(f) > 32 {
		names := make([]string, len(f))
		for i := range f {
			names[i] = f[i].Name
		}
		d.twice(names)
		return
	}
	for i := range f {
		for j := range i {
			if f[i].Name == f[j].Name {
				d.fail("the name " + strconv.Quote(f[i].Name) + " is there twice")
			}
		}
	}
}

// tagAhead reports whether the object may be a tag.
func (d *Decoder) tagAhead() bool {
	i := d.at + 1
	for i < len(d.b) && d.b[i] <= ' ' {
		i++
	}
	return i+2 < len(d.b) && d.b[i] == '"' && d.b[i+1] == '$' && d.b[i+2] != '$'
}

// tagged reads a tag; false, with nothing read, if the object is none.
func (d *Decoder) tagged() (dataknobs.Value, bool) {
	at := d.at
	d.at++
	d.next()
	name := d.name()
	if d.failed != "" || name != tagTime && name != tagBytes || d.next() != '"' {
		d.at = at
		return dataknobs.Value{}, false
	}
	start := d.at + 1
	var v dataknobs.Value
	ok := false
	if name == tagTime {
		if v, ok = fastTime(d.b[start:]); ok {
			d.at = start + timeLen + 1
		}
	}
	if !ok {
		text := d.string()
		v, ok = tagValue(name, text)
	}
	if d.next() != '}' { // a longer object of another program
		d.at = at
		return dataknobs.Value{}, false
	}
	if !ok {
		d.at = start
		d.fail("a wrong " + name)
		return dataknobs.Value{}, true
	}
	d.at++
	return v, true
}

func tagValue(name, text string) (dataknobs.Value, bool) {
	if name == tagTime {
		return dataknobs.ParseTime(text)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return dataknobs.AdoptBytes(b), err == nil
}
