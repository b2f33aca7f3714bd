package sqlgen_test

import (
	"fmt"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// The statements use the declared indexes, by the databases' own account.
func TestIndexesServe(t *testing.T) {
	city, tags, n, zip := dataknobs.Names("city"), dataknobs.Names("tags"), dataknobs.Names("n"), dataknobs.Names("address", "zip")
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			table := documentTable(s.dialect(), "i", city, tags, n, zip, dataknobs.Names("when"))
			create(t, s, table)
			var recs []*dataknobs.Record
			for i := range 5000 {
				r := dataknobs.NewRecord(fmt.Sprintf("%05d", i),
					dataknobs.F("city", fmt.Sprintf("city %d", i*7919%5000)), dataknobs.F("n", i*31%5000), dataknobs.F("tags", []any{fmt.Sprint("t", i%500), "common"}),
					dataknobs.F("address", dataknobs.Fields{dataknobs.F("zip", fmt.Sprint(i%3000))}),
					dataknobs.Field{Name: "when", Value: dataknobs.TimeMicros(int64(i) * 1e9)})
				recs = append(recs, r)
			}
			fill(t, s, table, recs)
			s.exec(t, "ANALYZE i") // not of what other tests have there
			str, num := dataknobs.String, dataknobs.Int
			cond := func(p dataknobs.Path, op dataknobs.Op, args ...dataknobs.Value) *dataknobs.Scan {
				return &dataknobs.Scan{Where: &dataknobs.Cond{Path: p, Op: op, Args: args}}
			}
			sorted := func(desc bool, after bool) *dataknobs.Scan {
				scan := &dataknobs.Scan{OrderBy: []dataknobs.Order{{Path: city, Desc: desc}}, HasLimit: true, Limit: 10}
				if after {
					scan.After = &dataknobs.Seek{Keys: []dataknobs.Value{str("city 2500")}, ID: "02500"}
				}
				return scan
			}
			tests := []struct {
				name string
				path dataknobs.Path
				scan *dataknobs.Scan
			}{
				{"equal", city, cond(city, dataknobs.Eq, str("city 7"))},
				{"nested", zip, cond(zip, dataknobs.Eq, str("7"))},
				{"number", n, cond(n, dataknobs.Eq, num(7))},
				{"time", dataknobs.Names("when"), cond(dataknobs.Names("when"), dataknobs.Lt, dataknobs.TimeMicros(1e10))},
				{"in", city, cond(city, dataknobs.In, str("city 7"), str("city 8"))},
				{"numbers in", n, cond(n, dataknobs.In, num(7), num(8))},
				{"range", n, cond(n, dataknobs.Between, num(7), num(20))},
				{"greater", n, cond(n, dataknobs.Gt, num(4990))},
				{"text range", city, cond(city, dataknobs.Lt, str("city 10"))},
				{"starts with", city, cond(city, dataknobs.StartsWith, str("city 100"))},
				{"like", city, cond(city, dataknobs.Like, str("city 100%"))},
				{"matches", city, cond(city, dataknobs.Matches, str("^city 100"))},
				{"null", city, cond(city, dataknobs.IsNull)},
				{"contains", tags, cond(tags, dataknobs.Contains, str("t7"))},
				{"sort", city, sorted(false, false)},
				{"sort down", city, sorted(true, false)},
				{"seek", city, sorted(false, true)},
				{"seek down", city, sorted(true, true)},
			}
			for _, test := range tests {
				if test.name == "contains" && s.dialect() == sqlgen.SQLite {
					continue // it has no index on the elements of arrays
				}
				t.Run(test.name, func(t *testing.T) {
					st, err := table.Select(test.scan)
					if err != nil {
						t.Fatal(err)
					}
					plan := s.plan(t, st.SQL, st.Args...)
					index := table.IndexName(test.path)
					if !strings.Contains(plan, index) {
						t.Errorf("the plan does without the index %s\n%s\n%s %q", index, plan, st.SQL, st.Args)
					}
					for _, bad := range []string{"Seq Scan", "SCAN i\n", "SCAN t"} {
						if strings.Contains(plan+"\n", bad) {
							t.Errorf("the plan reads the whole table\n%s\n%s", plan, st.SQL)
						}
					}
				})
			}
		})
	}
}
