package sqlgen

import (
	"strings"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// maxName is how many bytes of a name PostgreSQL keeps; it would cut a longer one.
const maxName = 63

// Quote returns name as a quoted identifier. It refuses, as InvalidArgument,
// what the database could not keep as it is: an empty name, a NUL, invalid
// UTF-8, and in PostgreSQL more than 63 bytes.
func Quote(d Dialect, name string) (string, error) {
	switch {
	case name == "":
		return "", dataknobs.Errorf(dataknobs.InvalidArgument, "a name is empty")
	case !sayable(name):
		return "", dataknobs.Errorf(dataknobs.InvalidArgument, "the name %q holds a NUL or is not valid UTF-8", name)
	case d == Postgres && len(name) > maxName:
		return "", dataknobs.Errorf(dataknobs.InvalidArgument, "the name %q has %d bytes; PostgreSQL keeps no more than %d", name, len(name), maxName)
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`, nil
}

// Literal returns s as a string literal: for the names inside JSON only, which
// must be constants for an index to serve. Values are parameters. A NUL and
// invalid UTF-8 are InvalidArgument.
func Literal(d Dialect, s string) (string, error) {
	if !sayable(s) {
		return "", dataknobs.Errorf(dataknobs.InvalidArgument, "the name %q holds a NUL or is not valid UTF-8", s)
	}
	q := `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
	if d == Postgres && strings.Contains(s, `\`) {
		// E'' reads backslashes alike whatever standard_conforming_strings is.
		q = "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q, nil
}

func sayable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
