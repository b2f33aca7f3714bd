package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/csv"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// FuzzCSV reads any bytes. What is read must be what encoding/csv reads, must
// be the same whatever the path through the code, and must survive a round trip.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a\r\n\"x\"\"y\"\r\n", "a;b\n;\"\"\n", "a,b\n1", "\ufeffa\n\n1\n", "a,b\n\"1\n2\",3\n", "a,b\n1,\xff\n", "a\ttrue\n2013-01-01T00:00:00Z\t-0\n"} {
		f.Add([]byte(s))
	}
	for _, s := range hostile.Seeds(hostile.CSV) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o := &codec.ReadOptions{CSV: codec.CSVOptions{Delimiter: ','}}
		recs, err := read(t.Context(), string(b), o)
		if _, openErr := (csv.Format{}).Open(t.Context(), source(b), o); openErr == nil {
			sameSlots(t, string(b), o)
		}
		if err != nil {
			if c := dataknobs.CodeOf(err); c != dataknobs.DataLoss {
				t.Fatalf("read %q: %v has the code %v", b, err, c)
			}
			return
		}
		texts := &codec.ReadOptions{CSV: o.CSV, Types: map[string]dataknobs.Kind{}}
		file := open(t, b, o)
		for _, c := range file.Columns() {
			texts.Types[c] = dataknobs.KindString
		}
		compareStd(t, b, texts)
		l, err := file.Layout(t.Context())
		if err != nil {
			t.Fatalf("layout of %q: %v", b, err)
		}
		if len(l.Columns) == 0 {
			return
		}
		again := write(t, csv.Format{}, l, recs...)
		back, err := read(t.Context(), again, &codec.ReadOptions{Layout: l})
		if err != nil || show(back) != show(recs) {
			t.Fatalf("%q was written as %q and read back as\n%s, %v\nwant\n%s", b, again, show(back), err, show(recs))
		}
	})
}

// compareStd compares our reading of every cell as text with encoding/csv's.
func compareStd(t *testing.T, b []byte, o *codec.ReadOptions) {
	r := stdcsv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) == 0 || len(rows[0]) < 2 {
		return // other rules: one column, where blank lines count
	}
	recs, err := read(t.Context(), string(b), o)
	if err != nil {
		return // ragged, or not text
	}
	if len(recs) != len(rows)-1 {
		t.Fatalf("%q: %d records, encoding/csv has %d", b, len(recs), len(rows)-1)
	}
	for i, rec := range recs {
		if rec.ID != "" || len(rec.Fields) != len(rows[i+1]) {
			return
		}
		for k, f := range rec.Fields {
			want := rows[i+1][k]
			// encoding/csv makes \n of \r\n inside quotes.
			if got := strings.ReplaceAll(f.Value.Str(), "\r\n", "\n"); got != want {
				t.Fatalf("%q: record %d, cell %d is %q, encoding/csv has %q", b, i, k, got, want)
			}
		}
	}
}
