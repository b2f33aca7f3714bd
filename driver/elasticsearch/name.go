package elasticsearch

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// The names of the parts of a document beside the record's own fields.
const (
	metaField = "_meta" // the metadata; no field of a record is called so
	ownField  = "_dk"   // what the store needs, below

	idField    = "_dk.id"    // the ID's key
	keysField  = "_dk.k"     // the key of the value at each path, a keyword each
	moreField  = "_dk.x"     // the same for paths that found no room in the mapping, flattened
	wholeField = "_dk.whole" // the paths that hold a float without a fraction
	elemsField = "_dk.elems" // path and key of each element of each array
	cutField   = "_dk.cut"   // the paths whose key was cut
	timesPart  = "times"     // where in the document there are times
	bytesPart  = "bytes"     // and bytes
	oddPart    = "odd"       // fields whose value does not fit their declared type
)

// maxColumn is how long the name of a path's column may be. A longer one is cut
// and ends with a hash.
const maxColumn = 300

// columnOf returns the name under which the keys of a path are indexed; false
// for a path that steps into an array, and for those of which the store keeps no keys.
func columnOf(p dataknobs.Path) (string, bool) {
	if len(p) == 0 || p.IsRevision() || p.IsMetadata() && len(p) == 1 || p.IsID() {
		return "", false
	}
	var b []byte
	for i, s := range p {
		if s.Name == "" {
			return "", false
		}
		if i > 0 {
			b = append(b, '/')
		}
		b = appendStep(b, s.Name)
	}
	return shortColumn(b), true
}

func shortColumn(b []byte) string {
	if len(b) <= maxColumn {
		return string(b)
	}
	hash := sha256.Sum256(b)
	end := maxColumn - 40
	for !utf8.RuneStart(b[end]) {
		end--
	}
	b = append(slices.Clone(b[:end]), '~')
	return string(hex.AppendEncode(b, hash[:16]))
}

// appendStep appends one step of a column's name: the field's name with
// everything escaped that means something in a name of the mapping or in ours.
func appendStep(b []byte, name string) []byte {
	blank := isBlank(name)
	for i := range len(name) {
		if c := name[i]; isPlain(c) && !blank {
			b = append(b, c)
		} else {
			b = appendEscape(b, c)
		}
	}
	return b
}

// isBlank reports whether the server would call a name blank.
func isBlank(name string) bool { return strings.TrimFunc(name, isSpace) == "" }

func isSpace(r rune) bool { return r <= ' ' || unicode.IsSpace(r) }

func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '@' || c == '$' || c >= utf8.RuneSelf
}

func appendEscape(b []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, '%', digits[c>>4], digits[c&15])
}

// unescape takes the escapes of appendStep and sourceName out.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if raw, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b = append(b, raw[0])
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// fieldNames are the top-level fields, sorted; nil where they are not known.
func (m *mapping) fieldNames() []string {
	switch {
	case m.foreign:
		return slices.Sorted(maps.Keys(m.types))
	case m.full:
		return nil // not all are there
	}
	var names []string
	for c := range m.columns {
		if !strings.ContainsAny(c, "/~") { // ~ only where a name was cut
			names = append(names, unescape(c))
		}
	}
	slices.Sort(names)
	return names
}

// refused are the names that no document may have at its top.
var refused = []string{
	"_doc_count", "_feature", "_field_names", "_id", "_ignored", "_ignored_source", "_inference_fields", "_index", "_index_mode",
	"_nested_path", "_routing", "_routing_hash", "_seq_no", "_source", "_tier", "_tsid", "_type", "_version", ownField,
}

// sourceName returns the name of a top-level field in the document: its own,
// but for what Elasticsearch would refuse or take for a path.
func sourceName(name string) string {
	if slices.Contains(refused, name) {
		return string(appendEscape(nil, name[0])) + name[1:]
	}
	blank := isBlank(name)
	if !blank && !strings.ContainsAny(name, ".%") {
		return name
	}
	var b []byte
	for i := range len(name) {
		if c := name[i]; c == '.' || c == '%' || blank {
			b = appendEscape(b, c)
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
