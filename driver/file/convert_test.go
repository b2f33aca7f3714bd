package file_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
)

// A conversion guesses kinds from the beginning of a file. Where a cell far
// down proves the guess wrong, the copy is what the whole file says all the same.
func TestConvertGuessesWrong(t *testing.T) {
	for _, c := range []struct {
		name, usual, odd, kinds string
	}{
		{"int, then text", "7", "seven", "string"},
		{"int, then float", "7", "7.5", "int|float"},
		{"float, then int", "7.5", "7", "int|float"},
		{"null, then int", "", "7", "int"},
		{"null, then text", "", "x", "string"},
		{"bool, then int", "true", "1", "string"},
		{"time, then text", "2026-01-02T03:04:05Z", "soon", "string"},
		{"int, then one too large", "7", "9223372036854775808", "string"},
		{"int, then null", "7", "", "int"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			row := "row of some length to fill what is looked at," + c.usual + "\n"
			text := "a,b\n" + strings.Repeat(row, 20_000) + "the odd one," + c.odd + "\n" + row
			write(t, filepath.Join(dir, "a.csv"), text)
			src, dst := open(t, file.Options{Path: filepath.Join(dir, "a.csv")}), open(t, file.Options{Path: filepath.Join(dir, "b.parquet")})
			n, err := file.Convert(t.Context(), src.Driver().(*file.Driver), dst.Driver().(*file.Driver), nil)
			if err != nil || n != 20_002 {
				t.Fatalf("Convert = %d, %v; want 20002", n, err)
			}
			kinds, err := dst.Driver().(dataknobs.Typed).Kinds(t.Context(), []dataknobs.Path{dataknobs.P("b")})
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds[0].String(); got != c.kinds && c.kinds != "int|float" {
				t.Errorf("the kinds are %s, want %s", got, c.kinds)
			}
			q := dataknobs.MustParse("offset 19999")
			want, err := src.All(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := dst.All(t.Context(), q)
			if err != nil || fmt.Sprint(fieldsOf(got)) != fmt.Sprint(fieldsOf(want)) {
				t.Errorf("the copy ends with\n%v, %v\nthe source with\n%v", fieldsOf(got), err, fieldsOf(want))
			}
			if left, err := filepath.Glob(filepath.Join(dir, "*tmp*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func fieldsOf(recs []*dataknobs.Record) []string {
	var out []string
	for _, r := range recs {
		out = append(out, dataknobs.AdoptObject(r.Fields).String())
	}
	return out
}
