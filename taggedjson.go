package dataknobs

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// ParseTaggedJSON reads the value that [Value.AppendTaggedJSON] wrote. It is
// strict: an integer beyond 64 bits, a name that is there twice, an unknown
// tag, bad UTF-8, nesting beyond MaxDepth and anything after the value are
// InvalidArgument errors that show the place.
func ParseTaggedJSON(b []byte) (Value, error) {
	v, err := parseJSON(b, MaxDepth+1) // a tag adds a level
	if err != nil {
		return Value{}, err
	}
	return untag(v, 0)
}

// UnmarshalJSON reads plain JSON: a number without point and exponent is an
// int, every string is a string. It is as strict as [ParseTaggedJSON].
func (v *Value) UnmarshalJSON(b []byte) (err error) {
	*v, err = parseJSON(b, MaxDepth)
	return err
}

// UnmarshalJSON reads a plain JSON object, keeping the order of its names; see
// [Value.UnmarshalJSON].
func (f *Fields) UnmarshalJSON(b []byte) error {
	v, err := parseJSON(b, MaxDepth)
	if err != nil {
		return err
	}
	switch v.kind {
	case KindObject:
		*f = v.rawObject()
	case KindNull:
		*f = nil
	default:
		return Errorf(InvalidArgument, "expected a JSON object, but found %s", article(v.kind))
	}
	return nil
}

// untag turns the tags in v into what they mean.
func untag(v Value, depth int) (Value, error) {
	if v.kind != KindArray && v.kind != KindObject {
		return v, nil
	}
	if v.kind == KindObject && len(v.rawObject()) == 1 {
		if f := v.rawObject()[0]; strings.HasPrefix(f.Name, "$") && !strings.HasPrefix(f.Name, "$$") {
			return tagged(f)
		}
	}
	if depth++; depth > MaxDepth {
		return Value{}, Errorf(InvalidArgument, "the value nests deeper than %d levels", MaxDepth)
	}
	if v.kind == KindArray {
		for i, e := range v.rawArray() { // v is fresh, so it may be changed
			e, err := untag(e, depth)
			if err != nil {
				return Value{}, err
			}
			v.rawArray()[i] = e
		}
		return v, nil
	}
	f := v.rawObject()
	if len(f) == 1 && strings.HasPrefix(f[0].Name, "$$") {
		f[0].Name = f[0].Name[1:]
	}
	for i, x := range f {
		e, err := untag(x.Value, depth)
		if err != nil {
			return Value{}, err
		}
		f[i].Value = e
	}
	return v, nil
}

// tagged returns the value of the object {f} whose name is a tag.
func tagged(f Field) (Value, error) {
	if f.Name != "$time" && f.Name != "$bytes" {
		e := Errorf(InvalidArgument, "there is no tag %q", shorten(f.Name))
		if near := nearest.Of(f.Name, []string{"$time", "$bytes"}); near != "" {
			return Value{}, e.WithHint("did you mean %q?", near)
		}
		return Value{}, e.WithHint("an object whose only name starts with $ has one more $ before it")
	}
	if f.Value.kind != KindString {
		return Value{}, Errorf(InvalidArgument, "the tag %q holds a string, not %s", f.Name, article(f.Value.kind))
	}
	text := f.Value.Str()
	if f.Name == "$time" {
		v, ok := ParseTime(text)
		if !ok {
			return Value{}, Errorf(InvalidArgument, "the \"$time\" %q is not a time", shorten(text)).
				WithHint("a time is written 2026-01-02T03:04:05Z")
		}
		return v, nil
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return Value{}, Errorf(InvalidArgument, "the \"$bytes\" %q are not base64", shorten(text))
	}
	return AdoptBytes(b), nil
}

// A jsonReader reads one JSON text (RFC 8259), strictly.
type jsonReader struct {
	b     []byte
	at    int
	depth int
	most  int // how deep arrays and objects may nest
}

// parseJSON reads the one value that b holds.
func parseJSON(b []byte, most int) (Value, error) {
	r := jsonReader{b: b, most: most}
	v, err := r.value()
	if err != nil {
		return Value{}, err
	}
	if r.space(); r.at < len(b) {
		return Value{}, r.fail(r.at, "expected the end of the JSON")
	}
	return v, nil
}

func (r *jsonReader) fail(at int, format string, args ...any) error {
	text := strings.ToValidUTF8(string(r.b[:at]), "?") // no longer than it was
	start := len(text)
	return errorAt(text+strings.ToValidUTF8(string(r.b[at:min(len(r.b), at+200)]), "?"), start, start+1, format, args...)
}

func (r *jsonReader) space() {
	for r.at < len(r.b) {
		switch r.b[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// next returns the first byte after white space; 0 at the end.
func (r *jsonReader) next() byte {
	if r.space(); r.at < len(r.b) {
		return r.b[r.at]
	}
	return 0
}

func (r *jsonReader) value() (Value, error) {
	switch c := r.next(); {
	case c == '"':
		s, err := r.text()
		return String(s), err
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '-' || isDigit(c):
		return r.number()
	case c == 't':
		return r.literal("true", Bool(true))
	case c == 'f':
		return r.literal("false", Bool(false))
	case c == 'n':
		return r.literal("null", Null())
	}
	return Value{}, r.fail(r.at, "expected a JSON value")
}

func (r *jsonReader) literal(word string, v Value) (Value, error) {
	if rest := r.b[r.at:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return Value{}, r.fail(r.at, "expected a JSON value")
	}
	r.at += len(word)
	return v, nil
}

func (r *jsonReader) number() (Value, error) {
	s := r.b[r.at:min(len(r.b), r.at+1000)]
	i := 0
	if s[0] == '-' {
		i++
	}
	whole := i
	i = spanDigits(string(s), i)
	digits := i - whole
	if i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]) {
		i = spanDigits(string(s), i+1)
	}
	if end := spanExponent(string(s), i); end > 0 {
		i = end
	}
	after := byte(0)
	if i < len(s) {
		after = s[i]
	}
	if digits == 0 || digits > 1 && s[whole] == '0' || isDigit(after) || strings.IndexByte(".eE+-", after) >= 0 {
		return Value{}, r.fail(r.at, "this is not a JSON number")
	}
	v, err := numberOf(string(s[:i]))
	if err != nil {
		return Value{}, r.fail(r.at, "%s", err)
	}
	r.at += i
	return v, nil
}

// text reads a string.
func (r *jsonReader) text() (string, error) {
	start := r.at + 1
	var b []byte // what has been read, once there was an escape
	from := start
	for i := start; i < len(r.b); i++ {
		switch c := r.b[i]; {
		case c == '"':
			r.at = i + 1
			if b == nil {
				return r.valid(string(r.b[from:i]), start)
			}
			return r.valid(string(append(b, r.b[from:i]...)), start)
		case c < ' ':
			return "", r.fail(i, "a control character in a JSON string must be escaped")
		case c == '\\':
			b = append(b, r.b[from:i]...)
			var n int
			if b, n = appendJSONEscape(b, r.b[i:]); n == 0 {
				return "", r.fail(i, "this is not a JSON escape")
			}
			i += n - 1
			from = i + 1
		}
	}
	return "", r.fail(start-1, "the string has no closing quote")
}

func (r *jsonReader) valid(s string, start int) (string, error) {
	if !utf8.ValidString(s) {
		return "", r.fail(start, "the string is not valid UTF-8")
	}
	return s, nil
}

// appendJSONEscape appends what the escape at the start of s means, and
// returns its length; 0 if there is no such escape.
func appendJSONEscape(b, s []byte) ([]byte, int) {
	if len(s) < 2 {
		return b, 0
	}
	if s[1] == 'u' {
		r, n := unicodeEscape(s)
		if n == 0 {
			return b, 0
		}
		return utf8.AppendRune(b, r), n
	}
	const names, means = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	i := strings.IndexByte(names, s[1])
	if i < 0 {
		return b, 0
	}
	return append(b, means[i]), 2
}

func (r *jsonReader) array() (Value, error) {
	vs := []Value{}
	err := r.items(']', func() error {
		v, err := r.value()
		vs = append(vs, v)
		return err
	})
	return AdoptArray(vs), err
}

func (r *jsonReader) object() (Value, error) {
	f := Fields{}
	var seen map[string]bool // of a wide object
	err := r.items('}', func() error {
		if r.next() != '"' {
			return r.fail(r.at, "expected a name in double quotes")
		}
		at := r.at
		name, err := r.text()
		if err != nil {
			return err
		}
		if len(f) == 32 {
			seen = make(map[string]bool)
			for _, x := range f {
				seen[x.Name] = true
			}
		}
		if seen[name] || seen == nil && f.has(name, len(f)) {
			return r.fail(at, "the name %q is there twice", shorten(name))
		}
		if seen != nil {
			seen[name] = true
		}
		if r.next() != ':' {
			return r.fail(r.at, `expected ":"`)
		}
		r.at++
		v, err := r.value()
		f = append(f, Field{name, v})
		return err
	})
	return AdoptObject(f), err
}

// items reads the opening sign, items with commas between them, and closing.
func (r *jsonReader) items(closing byte, item func() error) error {
	if r.depth++; r.depth > r.most {
		return r.fail(r.at, "the JSON nests deeper than %d levels", r.most)
	}
	defer func() { r.depth-- }()
	r.at++
	if r.next() == closing {
		r.at++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch r.next() {
		case ',':
			r.at++
		case closing:
			r.at++
			return nil
		default:
			return r.fail(r.at, `expected "," or "%c"`, closing)
		}
	}
}
