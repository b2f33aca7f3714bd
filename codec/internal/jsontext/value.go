package jsontext

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/lex"
)

// A Filter says which members of an object are read; nil: all of them.
type Filter map[string]Filter

// Value reads the value that starts at i and returns it and its end, or -1.
// Members of objects that f leaves out are checked, not read.
func (r *Reader) Value(i, depth int, f Filter) (dataknobs.Value, int) {
	switch r.Text[i] {
	case '"':
		b, end := r.Str(i)
		return dataknobs.String(r.own(b)), end
	case '{':
		fields, end := r.Object(i, depth+1, f)
		if end < 0 {
			return dataknobs.Value{}, end
		}
		return r.object(i, fields, end)
	case '[':
		return r.array(i, depth+1, f)
	case 't', 'f', 'n':
		return r.word(i)
	}
	if v, end := lex.SmallJSON(r.Text, i); end > 0 {
		return dataknobs.Int(v), end
	}
	return r.number(i)
}

// own returns b as a string, copied if values must own their memory.
func (r *Reader) own(b []byte) string {
	if r.Copy {
		return r.arena.String(b)
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Str reads the string whose opening quote is at i and returns its text,
// which aliases Text or Scratch, and its end; or -1.
func (r *Reader) Str(i int) ([]byte, int) {
	stop := stringStop(r.Text, i+1)
	if r.Text[stop] == '"' {
		return r.Text[i+1 : stop], stop + 1
	}
	end := r.SkipString(i)
	if end < 0 {
		return nil, end
	}
	if r.Copy {
		r.Scratch = r.Scratch[:0]
	}
	start := len(r.Scratch)
	r.Scratch = appendUnescaped(r.Scratch, r.Text[i+1:end-1])
	return r.Scratch[start:], end
}

// appendUnescaped appends the text of a string that has been checked to b.
func appendUnescaped(b, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b = append(b, s[i])
			i++
			continue
		}
		c, n, _ := unescape(s[i:])
		b = utf8.AppendRune(b, c)
		i += n
	}
	return b
}

const escapes = `"\/bfnrt`

// unescape reads the escape at the front of b; msg says what is wrong with it.
func unescape(b []byte) (c rune, n int, msg string) {
	if len(b) > 1 && b[1] != 'u' {
		k := strings.IndexByte(escapes, b[1])
		if k < 0 {
			return 0, 0, "no such escape in a string"
		}
		return rune("\"\\/\b\f\n\r\t"[k]), 2, ""
	}
	c, ok := hex4(b)
	switch {
	case !ok:
		return 0, 0, "\\u must be followed by four hexadecimal digits"
	case c == 0:
		return 0, 0, "a NUL character in a string: no store can hold it"
	case !utf16.IsSurrogate(c):
		return c, 6, ""
	}
	low, ok := hex4(b[6:])
	if c = utf16.DecodeRune(c, low); !ok || c == utf8.RuneError {
		return 0, 0, "half of a surrogate pair in a string"
	}
	return c, 12, ""
}

// hex4 reads \uXXXX at the front of b.
func hex4(b []byte) (c rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, d := range b[2:6] {
		switch {
		case d-'0' <= 9:
			d -= '0'
		case d|0x20-'a' <= 5:
			d = d | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		c = c<<4 | rune(d)
	}
	return c, true
}

// array reads an array that is on the level depth.
func (r *Reader) array(i, depth int, f Filter) (dataknobs.Value, int) {
	if depth > dataknobs.MaxDepth {
		return dataknobs.Value{}, r.tooDeep(i)
	}
	i = r.Space(i + 1)
	if r.Text[i] == ']' {
		return dataknobs.AdoptArray([]dataknobs.Value{}), i + 1
	}
	base := len(r.elems)
	defer func() { r.elems = r.elems[:base] }()
	for {
		v, end := r.Value(i, depth, f)
		if end < 0 {
			return v, r.in(dataknobs.Step{Index: len(r.elems) - base})
		}
		r.elems = append(r.elems, v)
		i = r.Space(end)
		switch r.Text[i] {
		case ',':
			i = r.Space(i + 1)
		case ']':
			own := make([]dataknobs.Value, len(r.elems)-base)
			copy(own, r.elems[base:])
			return dataknobs.AdoptArray(own), i + 1
		default:
			return v, r.Unexpected(i, ", or ]")
		}
	}
}

// Object reads the object at i, which is on the level depth, and returns its
// fields and its end, or -1. A name that is there twice is an error.
func (r *Reader) Object(i, depth int, f Filter) (dataknobs.Fields, int) {
	if depth > dataknobs.MaxDepth {
		return nil, r.tooDeep(i)
	}
	i = r.Space(i + 1)
	if r.Text[i] == '}' {
		return dataknobs.Fields{}, i + 1
	}
	base := len(r.stack)
	defer func() { r.stack = r.stack[:base] }()
	var many map[string]bool // the names so far, where there are many
	for {
		at := i
		name, end := r.Name(i)
		if end < 0 {
			return nil, end
		}
		sub, all := f[name], f == nil
		if _, ok := f[name]; all || ok {
			var v dataknobs.Value
			if v, end = r.Value(end, depth, sub); end > 0 {
				if len(r.stack)-base == fewNames {
					many = r.nameSet(base)
				}
				if many == nil && r.twice(base, name) || many[name] {
					return nil, r.fail(at, "the name "+quote(name)+" is there twice in one object")
				}
				r.stack = append(r.stack, dataknobs.Field{Name: name, Value: v})
				if many != nil {
					many[name] = true
				}
			}
		} else {
			end = r.Skip(end, depth)
		}
		if end < 0 {
			return nil, r.in(dataknobs.Step{Name: name})
		}
		i = r.Space(end)
		switch r.Text[i] {
		case ',':
			i = r.Space(i + 1)
		case '}':
			own := make(dataknobs.Fields, len(r.stack)-base)
			copy(own, r.stack[base:])
			return own, i + 1
		default:
			return nil, r.Unexpected(i, ", or }")
		}
	}
}

// fewNames is up to how many names are compared with each other one by one.
const fewNames = 32

func (r *Reader) nameSet(base int) map[string]bool {
	m := make(map[string]bool, 2*fewNames)
	for _, f := range r.stack[base:] {
		m[f.Name] = true
	}
	return m
}

// twice reports whether name stands in the stack above base.
func (r *Reader) twice(base int, name string) bool {
	for i := base; i < len(r.stack); i++ {
		if r.stack[i].Name == name {
			return true
		}
	}
	return false
}

func quote(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return string(dataknobs.AppendJSONString(nil, s))
}

// Name reads the name of a member at i, its colon and the space around that;
// it returns where the value starts, or -1. The name owns its memory.
func (r *Reader) Name(i int) (string, int) {
	if r.Text[i] != '"' {
		return "", r.Unexpected(i, "a name in quotes")
	}
	b, end := r.Str(i)
	if end < 0 {
		return "", end
	}
	switch {
	case len(b) == 0:
		return "", r.fail(i, "an empty name: every field needs one")
	case len(b) > dataknobs.MaxNameBytes:
		return "", r.fail(i, "a name of more than 255 bytes")
	}
	return r.intern(b), r.Colon(end)
}

// intern returns b as a string that lasts; the same names come again and again.
func (r *Reader) intern(b []byte) string {
	h := uint(len(b))*31 + uint(b[0])*7 + uint(b[len(b)-1])*131 + uint(b[len(b)/2])
	e := &r.names[h%uint(len(r.names))]
	if *e != string(b) {
		*e = string(b)
	}
	return *e
}

// nameText returns the text of a name in quotes that has been checked.
func (r *Reader) nameText(b []byte) string {
	return string(appendUnescaped(nil, b[1:len(b)-1]))
}

// object makes a value of an object that was read from i to end; tagged ones
// are what their tag says.
func (r *Reader) object(i int, f dataknobs.Fields, end int) (dataknobs.Value, int) {
	if !r.Tagged || len(f) != 1 || !strings.HasPrefix(f[0].Name, "$") {
		return dataknobs.AdoptObject(f), end
	}
	v := f[0].Value
	switch name := f[0].Name; {
	case strings.HasPrefix(name, "$$"):
		f[0].Name = name[1:]
	case name == "$time" && v.Kind() == dataknobs.KindString:
		t, ok := dataknobs.ParseTime(v.Str())
		if !ok {
			return v, r.fail(i, "{\"$time\": …} without an RFC 3339 time")
		}
		return t, end
	case name == "$bytes" && v.Kind() == dataknobs.KindString:
		b, err := base64.StdEncoding.DecodeString(v.Str())
		if err != nil {
			return v, r.fail(i, "{\"$bytes\": …} without base64 text")
		}
		return dataknobs.AdoptBytes(b), end
	}
	return dataknobs.AdoptObject(f), end
}

// Parse reads all of text, which needs no zero bytes behind it, as one value
// that owns its memory; tagged as [Reader.Tagged] says.
func (r *Reader) Parse(text []byte) (dataknobs.Value, *Error) {
	r.Text = append(append(make([]byte, 0, len(text)+Slack), text...), make([]byte, Slack)...)
	r.Copy = true
	v, end := r.Value(r.Space(0), 0, nil)
	if end >= 0 {
		if end = r.Space(end); !r.AtEnd(end) {
			end = r.Unexpected(end, "the end")
		}
	}
	if end < 0 {
		return dataknobs.Value{}, r.Err
	}
	return v, nil
}

// Find returns where the value starts that step leads to from the value at i, which is
// in depth arrays and objects; not ok if there is none. A place of -1 is an
// error: what is passed over has been checked by Skip, so only equal names can be one.
func (r *Reader) Find(i, depth int, step dataknobs.Step) (at int, ok bool) {
	open := r.Text[i]
	if step.Name != "" && open == '{' {
		return r.findMember(i, depth+1, step.Name)
	}
	if step.Name != "" || open != '[' {
		return 0, false
	}
	i = r.Space(i + 1)
	for k := 0; r.Text[i] != ']'; k++ {
		if k == step.Index {
			return i, true
		}
		if i = r.Skip(i, depth+1); i < 0 {
			return i, false
		}
		if i = r.Space(i); r.Text[i] == ',' {
			i = r.Space(i + 1)
		}
	}
	return 0, false
}

func (r *Reader) findMember(i, depth int, name string) (at int, ok bool) {
	i = r.Space(i + 1)
	for r.Text[i] != '}' {
		start := i
		b, end := r.Str(i)
		if end < 0 {
			return end, false
		}
		found := string(b) == name
		if found && ok {
			return r.fail(start, "the name "+quote(name)+" is there twice in one object"), false
		}
		if i = r.Colon(end); i < 0 {
			return i, false
		}
		if found {
			at, ok = i, true
		}
		if i = r.Skip(i, depth); i < 0 {
			return i, false
		}
		if i = r.Space(i); r.Text[i] == ',' {
			i = r.Space(i + 1)
		}
	}
	return at, ok
}
