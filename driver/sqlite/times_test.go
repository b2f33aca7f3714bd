package sqlite

import (
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2024-02-29":                            "2024-02-29T00:00:00Z",
		"2024-02-29 12:34":                      "2024-02-29T12:34:00Z",
		"2024-02-29T12:34":                      "2024-02-29T12:34:00Z",
		"2024-02-29 12:34:56":                   "2024-02-29T12:34:56Z",
		"2024-02-29 12:34:56.5":                 "2024-02-29T12:34:56.5Z",
		"2024-02-29T12:34:56.123456789Z":        "2024-02-29T12:34:56.123456Z",
		"2024-02-29 12:34:56+02:00":             "2024-02-29T10:34:56Z",
		"2024-02-29 12:34-05:30":                "2024-02-29T18:04:00Z",
		"2024-02-29 12:34:56.25 +0200 CEST":     "2024-02-29T10:34:56.25Z",
		"2024-02-29T12:34:56.000000Z":           "2024-02-29T12:34:56Z",
		"0001-01-01 00:00:00":                   "0001-01-01T00:00:00Z",
		"9999-12-31 23:59:59.999999":            "9999-12-31T23:59:59.999999Z",
		"":                                      "",
		"2024-02-30":                            "",
		"2024-2-29":                             "",
		"2024-02-29x":                           "",
		"2024-02-29 ":                           "",
		"2024-02-29 12":                         "",
		"2024-02-29 25:00":                      "",
		"2024-02-29 12:34:60":                   "",
		"2024-02-29 12:34:56.":                  "",
		"2024-02-29 12:34:56.x":                 "",
		"2024-02-29 12:34:56 ":                  "",
		"2024-02-29 12:34:56+2:00":              "",
		"2024-02-29 12:34:56+25:00":             "",
		"2024-02-29 12:34:56z":                  "",
		"0001-01-01 00:00:00+01:00":             "",
		"9999-12-31 23:59:59-01:00":             "",
		"20240229":                              "",
		"-2024-02-29":                           "",
		"2024-02-29 12:34:56.25 +0200 CEST m=1": "",
	} {
		v, ok := parseTime([]byte(text))
		got := ""
		if ok {
			got = string(dataknobs.AppendTime(nil, v.Time()))
		}
		if got != want {
			t.Errorf("parseTime(%q) is %q, want %q", text, got, want)
		}
	}
}

// FuzzParseTime compares with the package time.
func FuzzParseTime(f *testing.F) {
	f.Add("2024-02-29 12:34:56.5+02:00")
	f.Add("2024-02-29T12:34")
	for _, s := range hostile.Texts() {
		f.Add(s)
	}
	layouts := []string{
		"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999",
		"2006-01-02 15:04Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999 -0700 MST",
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseTime([]byte(s))
		if len(s) > 64 {
			return
		}
		for _, l := range layouts {
			want, err := time.Parse(l, s)
			if err != nil || want.UTC().Year() < 1 || want.UTC().Year() > 9999 {
				continue
			}
			if ok && !got.Equal(dataknobs.Time(want)) {
				t.Errorf("parseTime(%q) is %v, want %v", s, got, want)
			}
			return
		}
		if ok {
			t.Errorf("parseTime(%q) is %v, which the package time does not read", s, got)
		}
	})
}
