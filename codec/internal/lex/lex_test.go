package lex_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/lex"
)

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		text   string
		want   dataknobs.Value
		result lex.Result
	}{
		{"0", dataknobs.Int(0), lex.Number},
		{"-0", dataknobs.Int(0), lex.Number},
		{"9223372036854775807", dataknobs.Int(math.MaxInt64), lex.Number},
		{"-9223372036854775808", dataknobs.Int(math.MinInt64), lex.Number},
		{"9223372036854775808", dataknobs.Value{}, lex.Overflow},
		{"-9223372036854775809", dataknobs.Value{}, lex.Overflow},
		{"18446744073709551617", dataknobs.Value{}, lex.Overflow},
		{"99999999999999999999999", dataknobs.Value{}, lex.Overflow},
		{"1.0", dataknobs.Float(1), lex.Number},
		{"1e5", dataknobs.Float(1e5), lex.Number},
		{"1E+5", dataknobs.Float(1e5), lex.Number},
		{"0.1", dataknobs.Float(0.1), lex.Number},
		{"-123.456", dataknobs.Float(-123.456), lex.Number},
		{"0.30000000000000004", dataknobs.Float(0.30000000000000004), lex.Number},
		{"9007199254740993.0", dataknobs.Float(9007199254740992), lex.Number},
		{"1e400", dataknobs.Value{}, lex.Overflow},
		{"1e-400", dataknobs.Float(0), lex.Number},
		{"", dataknobs.Value{}, lex.NotNumber},
		{"-", dataknobs.Value{}, lex.NotNumber},
		{"01", dataknobs.Value{}, lex.NotNumber},
		{"-01", dataknobs.Value{}, lex.NotNumber},
		{"+5", dataknobs.Value{}, lex.NotNumber},
		{".5", dataknobs.Value{}, lex.NotNumber},
		{"5.", dataknobs.Value{}, lex.NotNumber},
		{"1e", dataknobs.Value{}, lex.NotNumber},
		{"NaN", dataknobs.Value{}, lex.NotNumber},
	} {
		v, n, r := lex.ParseNumber([]byte(c.text))
		if r != c.result || r == lex.Number && (!v.Identical(c.want) || n != len(c.text)) {
			t.Errorf("ParseNumber(%q) = %v, %d, %v, want %v, %v", c.text, v, n, r, c.want, c.result)
		}
	}
}

// Any finite float, printed in several ways, reads back as strconv reads it.
func TestParseNumberAgainstStrconv(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		text := strconv.FormatFloat(rng.NormFloat64()*math.Pow(10, float64(rng.IntN(20)-8)), 'f', rng.IntN(20), 64)
		v, n, r := lex.ParseNumber([]byte(text))
		if !strings.Contains(text, ".") {
			continue
		}
		want, _ := strconv.ParseFloat(text, 64)
		if r != lex.Number || n != len(text) || v.Float() != want {
			t.Fatalf("ParseNumber(%q) = %v, %d, %v, want %v", text, v, n, r, want)
		}
	}
}

func TestSmall(t *testing.T) {
	for _, text := range []string{"", "0", "-0", "7", "-7", "00", "01", "-01", "10", "999999", "1234567", "-1234567",
		"12345678", "-", "--1", "1-", "1a", "a1", " 1", "1 ", "1.5", "1e5", "+1", "NA", "123456a", "\x80", "1\xb0"} {
		b := append([]byte("12"+text), ",999999999999999999999"...)
		v, ok := lex.Small(b, 2, 2+len(text))
		want, err := strconv.ParseInt(text, 10, 64)
		plain := err == nil && (json.Valid([]byte(text)) || text == "-0") && len(strings.TrimPrefix(text, "-")) < 8
		if ok != plain || ok && v != want {
			t.Errorf("Small(%q) = %d, %v, want %d, %v", text, v, ok, want, plain)
		}
		v, end := lex.SmallJSON(b, 2)
		if plain != (end != 0 && end == 2+len(text)) || plain && v != want {
			t.Errorf("SmallJSON(%q,…) = %d, %d, want %d, %v", text, v, end, want, plain)
		}
	}
}

func TestParseTime(t *testing.T) {
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"2013-01-01T10:00:00Z", true},
		{"0001-01-01T00:00:00Z", true},
		{"9999-12-31T23:59:59Z", true},
		{"2000-02-29T00:00:00Z", true},
		{"1900-02-29T00:00:00Z", false},
		{"2013-02-29T00:00:00Z", false},
		{"2013-04-31T00:00:00Z", false},
		{"2013-00-01T00:00:00Z", false},
		{"2013-01-00T00:00:00Z", false},
		{"0000-01-01T00:00:00Z", false},
		{"2013-01-01T24:00:00Z", false},
		{"2013-01-01T23:60:00Z", false},
		{"2013-01-01T23:59:60Z", false},
		{"2013-01-01T10:00:00.123456Z", true},
		{"2013-01-01T10:00:00+05:30", true},
		{"2013-01-01", false},
		{"2013-01-01 10:00:00Z", false},
		{"2013-01-01t10:00:00z", false},
		{"2013-01-01T10:00:00", false},
		{"20a3-01-01T10:00:00Z", false},
	} {
		v, ok := lex.ParseTime([]byte(c.text))
		want, _ := time.Parse(time.RFC3339, c.text)
		if ok != c.ok || ok && !v.Time().Equal(want) {
			t.Errorf("ParseTime(%q) = %v, %v, want %v, %v", c.text, v, ok, want, c.ok)
		}
	}
}

func TestParseTimeEveryDay(t *testing.T) {
	for d := time.Date(1, 1, 1, 12, 34, 56, 0, time.UTC); d.Year() < 10000; d = d.AddDate(0, 0, 1) {
		text := d.Format(time.RFC3339)
		if v, ok := lex.ParseTime([]byte(text)); !ok || v.Micros() != d.UnixMicro() {
			t.Fatalf("ParseTime(%q) = %v, %v", text, v, ok)
		}
	}
}
