package nearest_test

import (
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/internal/nearest"
)

func TestOf(t *testing.T) {
	words := []string{"ORDER", "GROUP", "LIMIT", "delimiter", "NULLS", "IN", "max_records"}
	for word, want := range map[string]string{
		"order":                    "ORDER",
		"ODRER":                    "ORDER", // two swapped
		"odre":                     "",      // two slips in a short word
		"LIMT":                     "LIMIT",
		"delimeter":                "delimiter",
		"delimter":                 "delimiter",
		"max_record":               "max_records",
		"maxrecords":               "max_records",
		"in":                       "IN",
		"is":                       "", // short words must agree
		"":                         "",
		"temperature":              "",
		strings.Repeat("é", 1<<16): "",
	} {
		if got := nearest.Of(word, words); got != want {
			t.Errorf("Of(%.20q) = %q, want %q", word, got, want)
		}
	}
}

func TestOfTakesTheNearest(t *testing.T) {
	if got := nearest.Of("snipped", []string{"snippets", "snipper", "snippet"}); got != "snipper" {
		t.Errorf("got %q, want the first of the words one slip away", got)
	}
	if got := nearest.Of("anything", nil); got != "" {
		t.Errorf("got %q among no words", got)
	}
}
