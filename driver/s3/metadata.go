package s3

import (
	"net/url"
	"sort"
	"strings"

	"dataknobs.dev/dataknobs"
)

// maxHeaders bounds the object metadata of a record: S3 takes 2 KB of names and
// values, and the mark needs some of them.
const maxHeaders = 1800

// maxTags is how many tags an object may have.
const maxTags = 10

// setMetadata puts metadata into the object's headers: each scalar whose name
// and text a header can hold as one of its own, the rest together as JSON. Where
// all of it is too large it returns true and the value for the body.
func (e *encoded) setMetadata(meta dataknobs.Fields) (bool, dataknobs.Value) {
	var rest dataknobs.Fields
	var kinds []string
	headers := map[string]string{}
	size := 0
	for _, f := range meta {
		text, ok := headerText(f)
		if !ok {
			rest = append(rest, f)
			continue
		}
		headers[f.Name] = text
		size += len(f.Name) + len(text) + len("x-amz-meta-")
		if k := f.Value.Kind(); k != dataknobs.KindString {
			kinds = append(kinds, f.Name+"="+k.String())
		}
	}
	if len(kinds) > 0 {
		headers[kindsHeader] = strings.Join(kinds, ",")
		size += len(kindsHeader) + len(headers[kindsHeader])
	}
	if len(rest) > 0 {
		headers[metaHeader] = asciiJSON(dataknobs.AdoptObject(rest))
		size += len(metaHeader) + len(headers[metaHeader])
	}
	if size > maxHeaders {
		return true, bodyMetadata(meta)
	}
	for name, text := range headers {
		e.meta[name] = text
	}
	return false, dataknobs.Value{}
}

// bodyMetadata is the metadata as a member of the body: an object, or, where it
// nests so deep that it could not be one level deeper, the text of one.
func bodyMetadata(meta dataknobs.Fields) dataknobs.Value {
	v := dataknobs.AdoptObject(meta)
	probe := &dataknobs.Record{Fields: dataknobs.Fields{{Name: "m", Value: v}}}
	if probe.Check() != nil {
		return dataknobs.String(string(v.AppendTaggedJSON(nil)))
	}
	return v
}

// headerText returns the text of a header for a field of the metadata; false
// if it needs another place.
func headerText(f dataknobs.Field) (string, bool) {
	if !headerName(f.Name) {
		return "", false
	}
	switch f.Value.Kind() {
	case dataknobs.KindString:
		text := f.Value.Str()
		return text, headerValue(text)
	case dataknobs.KindBool, dataknobs.KindInt, dataknobs.KindFloat:
		return string(f.Value.AppendTaggedJSON(nil)), true
	case dataknobs.KindTime:
		return string(dataknobs.AppendTime(nil, f.Value.Time())), true
	}
	return "", false
}

// headerName reports whether a name can be that of a header: lower case, as
// headers come back, and of characters that no proxy drops.
func headerName(name string) bool {
	if len(name) > 100 || strings.HasPrefix(name, markHeader) || name[0] == '-' {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// headerValue reports whether a text comes back from a header as it was.
func headerValue(text string) bool {
	if text == "" || len(text) > 1024 || text[0] == ' ' || text[len(text)-1] == ' ' || strings.Contains(text, "  ") || strings.Contains(text, "=?") {
		return false
	}
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// asciiJSON is tagged JSON in ASCII, without runs of spaces.
func asciiJSON(v dataknobs.Value) string {
	var b strings.Builder
	space, equals := false, false // what came before: =? begins an encoded word, which servers decode
	for _, r := range string(v.AppendTaggedJSON(nil)) {
		switch {
		case r == ' ' && space, r == '?' && equals, r >= 0x7f && r <= 0xffff:
			writeEscape(&b, r)
			space, equals = false, false
			continue
		case r > 0xffff:
			r -= 0x10000
			writeEscape(&b, 0xd800+r>>10)
			writeEscape(&b, 0xdc00+r&0x3ff)
		default:
			b.WriteRune(r)
		}
		space, equals = r == ' ', r == '='
	}
	return b.String()
}

func writeEscape(b *strings.Builder, r rune) {
	b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		b.WriteByte("0123456789abcdef"[r>>shift&15])
	}
}

// readMetadata sets rec's metadata from the headers and the body.
func readMetadata(rec *dataknobs.Record, headers map[string]string) error {
	if len(rec.Fields) > 0 && rec.Fields[0].Name == metaMember {
		v := rec.Fields[0].Value
		rec.Fields = rec.Fields[1:]
		if v.Kind() == dataknobs.KindString {
			var err error
			if v, err = dataknobs.ParseTaggedJSON([]byte(v.Str())); err != nil {
				return err
			}
		}
		if v.Kind() != dataknobs.KindObject {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "its %s is a %s", metaMember, v.Kind())
		}
		rec.Metadata = v.Fields()
		return nil
	}
	return readHeaders(rec, headers)
}

func readHeaders(rec *dataknobs.Record, headers map[string]string) error {
	names := make([]string, 0, len(headers))
	for name := range headers {
		if !strings.HasPrefix(name, markHeader) && dataknobs.CheckName(name) == nil {
			names = append(names, name)
		}
	}
	sort.Strings(names) // headers have no order
	kinds := map[string]string{}
	for _, pair := range strings.Split(headers[kindsHeader], ",") {
		name, kind, _ := strings.Cut(pair, "=")
		kinds[name] = kind
	}
	for _, name := range names {
		rec.Metadata = append(rec.Metadata, dataknobs.Field{Name: name, Value: headerField(headers[name], kinds[name])})
	}
	if rest := headers[metaHeader]; rest != "" {
		v, err := dataknobs.ParseTaggedJSON([]byte(rest))
		if err != nil || v.Kind() != dataknobs.KindObject {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "its header x-amz-meta-%s is not a JSON object", metaHeader)
		}
		for name, x := range v.All() {
			rec.Metadata.Set(name, x)
		}
	}
	return nil
}

// headerField is the value of a header of that kind.
func headerField(text, kind string) dataknobs.Value {
	switch kind {
	case "bool", "int", "float":
		v, err := dataknobs.ParseTaggedJSON([]byte(text))
		if err == nil && v.Kind().String() == kind {
			return v
		}
	case "time":
		if v, ok := dataknobs.ParseTime(text); ok {
			return v
		}
	}
	return dataknobs.String(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\ufffd"))
}

// tagsOf returns the scalars of the metadata that can be tags, as S3 takes them.
func tagsOf(meta dataknobs.Fields) string {
	tags := url.Values{}
	for _, f := range meta {
		var text string
		switch f.Value.Kind() {
		case dataknobs.KindString:
			text = f.Value.Str()
		case dataknobs.KindBool, dataknobs.KindInt, dataknobs.KindFloat, dataknobs.KindTime:
			text = f.Value.String()
		default:
			continue
		}
		if len(tags) < maxTags && tagText(f.Name, 128) && tagText(text, 256) && !strings.HasPrefix(strings.ToLower(f.Name), "aws:") {
			tags.Set(f.Name, text)
		}
	}
	return strings.ReplaceAll(tags.Encode(), "+", "%20")
}

// tagText reports whether S3 takes a text in a tag.
func tagText(s string, most int) bool {
	if s == "" || len(s) > most || strings.TrimSpace(s) != s {
		return false
	}
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte(" +-=._:/@", c) < 0 {
			return false
		}
	}
	return true
}
