package sqlgen_test

import (
	"fmt"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// The statements of the usual questions, as they are sent.
func TestStatements(t *testing.T) {
	carrier, delay := dataknobs.Names("carrier"), dataknobs.Names("dep_delay")
	cond := func(p dataknobs.Path, op dataknobs.Op, args ...dataknobs.Value) *dataknobs.Cond {
		return &dataknobs.Cond{Path: p, Op: op, Args: args}
	}
	tests := []struct {
		name           string
		scan           dataknobs.Scan
		lite, postgres string
	}{
		{
			"all", dataknobs.Scan{},
			`SELECT "id", "fields", "meta", "rev" FROM "t" []`,
			`SELECT "id", "fields", "meta", "rev", xmin::text FROM "t" []`,
		},
		{
			"text", dataknobs.Scan{Where: cond(carrier, dataknobs.Eq, dataknobs.String("UA")), Paths: []dataknobs.Path{delay}, NoRevision: true},
			`SELECT "id", "fields" FROM "t" WHERE json_extract("fields", '$."carrier"') = ?1 [UA]`,
			`SELECT "id", "fields" -> 'dep_delay' FROM "t" WHERE (("fields" ->> 'carrier') = $1::text AND jsonb_typeof(("fields" -> 'carrier')) = 'string') [UA]`,
		},
		{
			"number", dataknobs.Scan{Where: cond(delay, dataknobs.Gt, dataknobs.Int(200)), Paths: []dataknobs.Path{}, NoID: true, NoRevision: true},
			`SELECT 0 FROM "t" WHERE (json_extract("fields", '$."dep_delay"') > ?1 AND json_extract("fields", '$."dep_delay"') < '') [200]`,
			`SELECT 0 FROM "t" WHERE (("fields" -> 'dep_delay') > $1::jsonb AND ("fields" -> 'dep_delay') < 'false'::jsonb) [200]`,
		},
		{
			"page by ID", dataknobs.Scan{OrderBy: []dataknobs.Order{{Path: dataknobs.PathID}}, HasLimit: true, Limit: 10, Paths: []dataknobs.Path{}, NoRevision: true, After: &dataknobs.Seek{Keys: []dataknobs.Value{dataknobs.String("x")}, ID: "x"}},
			`SELECT "id" FROM "t" WHERE "id" > ?1 ORDER BY "id" LIMIT ?2 [x 10]`,
			`SELECT "id" FROM "t" WHERE "id" > $1::text ORDER BY "id" LIMIT $2::int8 [x 10]`,
		},
		{
			"offset", dataknobs.Scan{OrderBy: []dataknobs.Order{{Path: dataknobs.PathID, Desc: true}}, Offset: 5, Paths: []dataknobs.Path{}, NoRevision: true},
			`SELECT "id" FROM "t" ORDER BY "id" DESC LIMIT -1 OFFSET ?1 [5]`,
			`SELECT "id" FROM "t" ORDER BY "id" DESC OFFSET $1::int8 [5]`,
		},
	}
	for _, test := range tests {
		for d, want := range map[sqlgen.Dialect]string{sqlgen.SQLite: test.lite, sqlgen.Postgres: test.postgres} {
			st, err := documentTable(d, "t").Select(&test.scan)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(st.SQL, " ", st.Args); got != want {
				t.Errorf("%s\ngot  %s\nwant %s", test.name, got, want)
			}
		}
	}
}

// No constant of a query is ever a part of the SQL.
func TestNothingIsSpliced(t *testing.T) {
	const mark = "spliced'constant"
	for _, d := range []sqlgen.Dialect{sqlgen.SQLite, sqlgen.Postgres} {
		for _, indexed := range [][]dataknobs.Path{nil, {dataknobs.Names("x")}} {
			table := documentTable(d, "t", indexed...)
			for op := dataknobs.Eq; op <= dataknobs.IsNotNull; op++ {
				for _, v := range []dataknobs.Value{dataknobs.String(mark), dataknobs.Array(dataknobs.String(mark)), dataknobs.Object(dataknobs.Fields{dataknobs.F(mark, 1)})} {
					c := &dataknobs.Cond{Path: dataknobs.Names("x"), Op: op, Args: []dataknobs.Value{v, v}}
					if v.Kind() != dataknobs.KindString && op >= dataknobs.Like && op <= dataknobs.NotMatches || table.Filter(c).Fidelity == dataknobs.None {
						continue
					}
					st, err := table.Select(&dataknobs.Scan{Where: c, After: &dataknobs.Seek{Keys: []dataknobs.Value{v}, ID: mark}, OrderBy: []dataknobs.Order{{Path: dataknobs.Names("x")}}})
					if err != nil {
						t.Fatal(err)
					}
					if strings.Contains(st.SQL, "spliced") {
						t.Errorf("%s %s is spliced into %s", op, v, st.SQL)
					}
				}
			}
		}
	}
}

func TestRefusesWhatNoStoreHolds(t *testing.T) {
	table := documentTable(sqlgen.Postgres, "t")
	for _, v := range []dataknobs.Value{dataknobs.String("a\x00"), dataknobs.String("\xff"), dataknobs.TimeMicros(1 << 62), dataknobs.Array(dataknobs.String("\x00"))} {
		c := &dataknobs.Cond{Path: dataknobs.Names("x"), Op: dataknobs.Eq, Args: []dataknobs.Value{v}}
		if sup := table.Filter(c); sup.Fidelity != dataknobs.None || sup.Reason == "" {
			t.Errorf("= %s is pushed as %s", v, sup.Fidelity)
		}
	}
	c := &dataknobs.Cond{Path: dataknobs.Names("a\x00"), Op: dataknobs.IsNull}
	if sup := table.Filter(c); sup.Fidelity != dataknobs.None {
		t.Errorf("a path with a NUL is pushed as %s", sup.Fidelity)
	}
}
