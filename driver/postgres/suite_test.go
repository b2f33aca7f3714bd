package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/postgres"
	"dataknobs.dev/dataknobs/drivertest"
	"dataknobs.dev/dataknobs/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

// A bench is a schema of the shared server for one test.
type schema struct {
	t    testing.TB
	url  string // of the server
	name string
	n    atomic.Int64
}

// newSchema makes an empty schema for as long as the test runs.
func newSchema(t testing.TB) *schema {
	t.Helper()
	s := &schema{t: t, url: servers.Postgres(t), name: fmt.Sprintf("dkp_%x", rand.Uint64())}
	s.exec("create schema " + s.name)
	t.Cleanup(func() { s.exec("drop schema " + s.name + " cascade") })
	return s
}

// exec runs SQL as another program would, with the schema first in the path.
func (s *schema) exec(sql string) {
	s.t.Helper()
	c, err := pgx.Connect(s.t.Context(), s.url)
	if err != nil && s.t.Context().Err() != nil { // a cleanup
		c, err = pgx.Connect(background, s.url)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close(background)
	if _, err := c.Exec(background, "set search_path to "+s.name+"; "+sql); err != nil {
		s.t.Fatalf("%v\n%s", err, sql)
	}
}

// rows returns the texts of what SQL selects.
func (s *schema) rows(sql string) []string {
	s.t.Helper()
	c, err := pgx.Connect(background, s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close(background)
	res, err := c.PgConn().Exec(background, "set search_path to "+s.name+"; "+sql).ReadAll()
	if err != nil {
		s.t.Fatalf("%v\n%s", err, sql)
	}
	var out []string
	for _, row := range res[len(res)-1].Rows {
		var texts []string
		for _, v := range row {
			texts = append(texts, string(v))
		}
		out = append(out, strings.Join(texts, "|"))
	}
	return out
}

// at is the URL of a table in the schema. params are such as "index=city".
func (s *schema) at(table string, params ...string) string {
	u := s.url
	sep := "?"
	if strings.Contains(u, "?") {
		sep = "&"
	}
	u += sep + "schema=" + s.name + "&table=" + url.PathEscape(table)
	for _, p := range params {
		u += "&" + p
	}
	return u
}

// open opens a store for as long as the test runs.
func open(t testing.TB, url string) *dataknobs.DB {
	t.Helper()
	db, err := dataknobs.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (s *schema) fresh() string { return fmt.Sprint("t", s.n.Add(1)) }

// harness returns a harness over tables of one configuration.
func harness(t *testing.T, params ...string) drivertest.Harness {
	s := newSchema(t)
	at := map[*dataknobs.DB]string{}
	again := func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
		other := open(t, at[db])
		at[other] = at[db]
		return other
	}
	return drivertest.Harness{
		Slow: true,
		Open: func(t *testing.T) *dataknobs.DB {
			u := s.at(s.fresh(), params...)
			db := open(t, u)
			at[db] = u
			return db
		},
		Reopen: func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
			if err := db.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
			return again(t, db)
		},
		Beside: again,
	}
}

func TestSuite(t *testing.T) {
	for _, c := range []struct {
		name   string
		params []string
	}{
		{"document", nil},
		{"indexed", []string{"index=a,b,n,name,age,o.p,_meta.source"}},
		{"pooler", []string{"pooler=transaction"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := harness(t, c.params...)
			if c.name == "document" {
				h.Differential = drivertest.DifferentialOptions{Stores: 2} // internal/fidelity does the rest
			}
			drivertest.Run(t, h)
		})
	}
}

// sqlTypes are the types of the columns that the suite asks for.
var sqlTypes = map[dataknobs.Kind]string{
	dataknobs.KindBool: "boolean", dataknobs.KindInt: "bigint", dataknobs.KindFloat: "double precision", dataknobs.KindTime: "timestamptz",
	dataknobs.KindString: "text", dataknobs.KindBytes: "bytea",
}

// quote quotes an identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// columnsHarness returns a harness over tables that another program made.
func columnsHarness(t *testing.T, rev string) drivertest.Harness {
	s := newSchema(t)
	h := harness(t)
	at := map[*dataknobs.DB]string{}
	again := func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
		other := open(t, at[db])
		at[other] = at[db]
		return other
	}
	h.NullIsAbsent = true
	h.Differential = drivertest.DifferentialOptions{Stores: 2} // internal/fidelity does the rest
	h.OpenColumns = func(t *testing.T, cols []drivertest.Column) *dataknobs.DB {
		name := s.fresh()
		sql := "create table " + name + " (id text primary key"
		for _, c := range cols {
			sql += ", " + quote(c.Name) + " " + sqlTypes[c.Kind]
		}
		params := []string{"extra=extra", "meta=meta"}
		sql += ", extra jsonb, meta jsonb"
		if rev != "" {
			sql += ", the_version bigint"
			params = append(params, "revision="+rev)
		}
		s.exec(sql + ")")
		u := s.at(name, params...)
		db := open(t, u)
		at[db] = u
		return db
	}
	h.Reopen = func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
		if err := db.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		return again(t, db)
	}
	h.Beside = again
	return h
}

func TestSuiteColumns(t *testing.T) { drivertest.Run(t, columnsHarness(t, "")) }
