package dataknobs_test

import (
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"pgregory.net/rapid"
)

func likeMatcher(t testing.TB, op dataknobs.Op, pattern string) func(s string) bool {
	m := mustCompile(t, &dataknobs.Cond{Path: dataknobs.Names("x"), Op: op, Args: []dataknobs.Value{dataknobs.String(pattern)}})
	return func(s string) bool { return m.MatchFunc(func(int) dataknobs.Value { return dataknobs.String(s) }) }
}

func TestLike(t *testing.T) {
	tests := []struct{ pattern, yes, no string }{ // texts separated by |
		{"", "", "a"},
		{"abc", "abc", "ab|abcd|Abc||xabc"},
		{"%", "|a|a\nb|日本", "(never)\x00"},
		{"%%", "|a", "(never)\x00"},
		{"a%", "a|ab|a\n", "|ba|A"},
		{"%a", "a|ba", "|ab"},
		{"%a%", "a|bab", "|b"},
		{"_", "a|é|日|\U0001F600", "|ab"},
		{"__", "ab|日本", "a|abc"},
		{"_%", "a|abc", ""},
		{"%_", "a|abc", ""},
		{"a%b", "ab|axb|abb", "a|b|ba|aba"},
		{"a%a", "aa|aba", "a|ab"},
		{"ab%ba", "abba|abxba", "aba"},
		{"a_c%", "abc|aécd", "ac|abd"},
		{"%a_c", "abc|xxaéc", "ac|abcd"},
		{"%a_c%", "abc|xaacabcx|aacxc", "ac|acbc"},
		{"%ab%ab%", "abab|xabyabz", "ab|aab"},
		{"%_a%", "ba|aa", "a|ab"},
		{`\%`, "%", `a|\%`},
		{`a\_b`, "a_b", "axb"},
		{`\\%`, `\|\a`, "a"},
		{`\a`, "a", `\a`},
		{"日%語", "日本語|日語", "日本"},
		{"a.c", "a.c", "abc"},
		{"[a-z]", "[a-z]", "a"},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			match := likeMatcher(t, dataknobs.Like, tt.pattern)
			for s := range strings.SplitSeq(tt.yes, "|") {
				if !match(s) {
					t.Errorf("%q LIKE %q: got false, wanted true", s, tt.pattern)
				}
			}
			for s := range strings.SplitSeq(tt.no, "|") {
				if match(s) && !strings.HasPrefix(s, "(never)") && (s != "" || tt.no != "") {
					t.Errorf("%q LIKE %q: got true, wanted false", s, tt.pattern)
				}
			}
		})
	}
}

// TestLikeAgainstRegexp compares LIKE and ILIKE with a plain translation.
func TestLikeAgainstRegexp(t *testing.T) {
	genText := rapid.StringOfN(rapid.SampledFrom([]rune("abABéÉkK\u212aſs\n%_日")), 0, 12, -1)
	genLike := rapid.StringOfN(rapid.SampledFrom([]rune("%%%___abABéÉkK\u212aſs\n日")), 0, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		pattern, text := genLike.Draw(t, "pattern"), genText.Draw(t, "text")
		v := dataknobs.String(text)
		for op, flags := range map[dataknobs.Op]string{dataknobs.Like: "", dataknobs.ILike: "i"} {
			m, err := dataknobs.Compile(&dataknobs.Cond{Path: dataknobs.Names("x"), Op: op, Args: []dataknobs.Value{dataknobs.String(pattern)}})
			if err != nil {
				t.Fatal(err)
			}
			want := likeRegexp(pattern, flags).MatchString(text)
			if got := m.MatchFunc(func(int) dataknobs.Value { return v }); got != want {
				t.Fatalf("%q %v %q: got %v, wanted %v", text, op, pattern, got, want)
			}
		}
	})
}

// TestLikeIsNotExponential would not come back from a matcher that backtracks.
func TestLikeIsNotExponential(t *testing.T) {
	text := strings.Repeat("a", 20_000)
	for _, op := range []dataknobs.Op{dataknobs.Like, dataknobs.ILike} {
		match := likeMatcher(t, op, strings.Repeat("%a_", 30)+"%b")
		start := time.Now()
		if match(text) {
			t.Errorf("%v: got true, wanted false", op)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%v took %v", op, d)
		}
	}
}

// TestILikeLongText takes the way past the buffer on the stack.
func TestILikeLongText(t *testing.T) {
	if !likeMatcher(t, dataknobs.ILike, "%ÉND")(strings.Repeat("x", 1000) + "énd") {
		t.Error("got false, wanted true")
	}
}
