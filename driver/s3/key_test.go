package s3_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/s3"
)

func TestKeys(t *testing.T) {
	for _, c := range []struct{ id, want string }{
		{"UA1545", "UA1545"},
		{"0190c8a4-7b1e-7000-8000-0123456789ab", "0190c8a4-7b1e-7000-8000-0123456789ab"},
		{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
		{"ann@example.org", "ann@example..org"},
		{"a b", "a!20b"}, {"..", "...."}, {".", ".."}, {"/", "._"}, {"a//b", "a._._b"}, {"a%2Fb", "a!252Fb"},
		{"*", "!2A"}, {`C:\x`, "C:^5Cx"}, {"é", "é"}, {"日本語", "日本語"}, {"\ufffd", "\ufffd0"}, {"\uffff", "\ufffd2"}, {"~", "~7E"}, {"a?b", "a=3Fb"},
		{strings.Repeat("x", 180), strings.Repeat("x", 180)},
		{strings.Repeat("x", 181), strings.Repeat("x", 180) + "/U0"},
	} {
		if got := s3.Escape(c.id); got != c.want {
			t.Errorf("the ID %q is escaped as %q, wanted %q", c.id, got, c.want)
		}
		if back, ok := s3.Unescape(c.want); !ok || back != c.id {
			t.Errorf("%q is read as %q, %v; wanted %q", c.want, back, ok, c.id)
		}
	}
}

// What key would not have made is nobody's ID.
func TestForeignKeys(t *testing.T) {
	for _, esc := range []string{"", "a b", "a.b", "a.", "!2", "!ZZ", "!2a", "!41", "=41", "a/b", "a/", strings.Repeat("x", 180) + "/", strings.Repeat("x", 180) + "/U", "a\x01", "\ufffd", "~FF"} {
		if id, ok := s3.Unescape(esc); ok {
			t.Errorf("%q is read as the ID %q; wanted none", esc, id)
		}
	}
}

// idGen draws IDs that are close to each other, and long ones.
func idGen() *rapid.Generator[string] {
	runes := rapid.SampledFrom([]rune("aabb01-_./!,: ~^[]{}=?%é\u00a0\ufffc\ufffd\ufffe\uffff\U00010000😀\x01\x7f"))
	short := rapid.StringOfN(runes, 1, 6, -1)
	return rapid.OneOf(short, rapid.StringOfN(runes, 60, 200, dataknobs.MaxIDBytes), rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(string(runes.Draw(t, "rune")), rapid.IntRange(1, 128).Draw(t, "times")) + short.Draw(t, "rest")
	})).Filter(func(s string) bool { return dataknobs.CheckID(s) == nil })
}

func TestKeysKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := idGen().Draw(t, "a"), idGen().Draw(t, "b")
		x, y := s3.Escape(a), s3.Escape(b)
		if (a < b) != (x < y) || (a == b) != (x == y) {
			t.Fatalf("%q and %q compare otherwise than %q and %q", a, b, x, y)
		}
		if back, ok := s3.Unescape(x); !ok || back != a {
			t.Fatalf("%q is escaped as %q, which is read as %q", a, x, back)
		}
		checkKey(t, x)
		// Only its own beginnings may come after a record by key and before it by ID.
		if x+s3.Suffix < y+s3.Suffix && b < a && !slices.Contains(s3.Ancestors(x), y) {
			t.Fatalf("%q comes after %q by key, and is not among its ancestors %q", y, x, s3.Ancestors(x))
		}
	})
}

func checkKey(t *rapid.T, esc string) {
	if len(esc)+len(s3.Suffix) > 810 || !utf8.ValidString(esc) {
		t.Fatalf("%q has %d bytes, or is not UTF-8", esc, len(esc))
	}
	for _, part := range strings.Split(esc+s3.Suffix, "/") {
		if part == "" || part == "." || part == ".." || len(part) > 255 {
			t.Fatalf("%q has the part %q", esc, part)
		}
	}
	if strings.ContainsAny(esc, "\\?*%<>|\"\x7f") || strings.IndexFunc(esc, func(r rune) bool { return r <= ' ' || r == '\ufffe' || r == '\uffff' }) >= 0 {
		t.Fatalf("%q holds what a server may change", esc)
	}
}
