package sqlgen_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// BenchmarkBudgetSelect generates SQL, and nothing else: see
// scripts/bench-check.
func BenchmarkBudgetSelect(b *testing.B) {
	for _, d := range []struct {
		name string
		sqlgen.Dialect
	}{{"SQLite", sqlgen.SQLite}, {"PostgreSQL", sqlgen.Postgres}} {
		table := documentTable(d.Dialect, "t")
		for _, c := range []struct{ name, text string }{
			{"everything", ""},
			{"filter", "carrier = 'AA' and (dep_delay > 120 or dest in ('IAH', 'MIA') or tailnum like 'N1%') and a.b is null"},
			{"page", "carrier = 'AA' order by dep_delay desc, dest limit 10"},
		} {
			q := dataknobs.MustParse(c.text)
			scan := &dataknobs.Scan{Where: dataknobs.Simplify(q.Where), OrderBy: q.OrderBy}
			if q.Limit != nil {
				scan.Limit, scan.HasLimit = *q.Limit, true
			}
			b.Run(d.name+" "+c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := table.Select(scan); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkBudgetDecode(b *testing.B) {
	text, _ := sqlgen.AppendFields(nil, flight())
	var d sqlgen.Decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Fields(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBudgetEncode(b *testing.B) {
	f := flight()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = sqlgen.AppendFields(buf[:0], f)
	}
}
