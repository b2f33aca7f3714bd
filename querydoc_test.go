package dataknobs_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
)

// The examples of docs/query.md can be read, and its error is the real one.
func TestQueryDocument(t *testing.T) {
	b, err := os.ReadFile("docs/query.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for _, m := range regexp.MustCompile("(?s)\n```(\\w*)\n(.*?)\n```").FindAllStringSubmatch(doc, -1) {
		checkExample(t, m[1], m[2])
	}
	for _, want := range []string{"carrier = 'AA' AND dep_delay", "GROUP BY carrier", `"op": "not between"`} {
		if !strings.Contains(doc, want) {
			t.Errorf("the examples have lost %q", want)
		}
	}
}

func checkExample(t *testing.T, language, text string) {
	switch {
	case language == "go", language == "ebnf":
	case language == "json" && strings.Contains(text, `"v": 1`):
		var q dk.Query
		if err := json.Unmarshal([]byte(text), &q); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	case language == "json":
		for line := range strings.Lines(text) {
			var q dk.Query
			member := "where"
			if strings.Contains(line, `"agg"`) {
				member = `select":[{"agg":"count"}],"having`
			}
			if err := json.Unmarshal([]byte(`{"v":1,"`+member+`":`+line+`}`), &q); err != nil {
				t.Errorf("%s\n%v", line, err)
			}
		}
	case strings.HasPrefix(text, "1:"):
		_, err := dk.Parse(strings.TrimSpace(strings.Split(text, "\n")[1]))
		if err == nil || err.Error() != text {
			t.Errorf("the document shows\n%s\nthe error is\n%v", text, err)
		}
	default:
		if _, err := dk.Parse(text); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

func TestQueryDocumentConstants(t *testing.T) {
	for _, text := range []string{
		`name LIKE '50\%'`, `code MATCHES '^\d+\.\d+$'`, `p = 'C:\\new'`, "`Sepal.Length` > 5", "a = {'city': 'Oslo', 'zip': null}",
		"30 < age", "a.order = 1 AND time > 2 AND seen > '2026-01-02'", "a IN [1, 2] AND b NOT IN ()",
	} {
		if _, err := dk.Parse(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
