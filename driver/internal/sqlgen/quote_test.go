package sqlgen_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	hostileInput "dataknobs.dev/dataknobs/internal/hostile"
)

func TestQuoteRefuses(t *testing.T) {
	for _, name := range []string{"", "a\x00b", "\xff", strings.Repeat("é", 32)} {
		if q, err := sqlgen.Quote(sqlgen.Postgres, name); dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
			t.Errorf("Quote(%q) = %s, %v; want InvalidArgument", name, q, err)
		}
	}
	if q, err := sqlgen.Quote(sqlgen.Postgres, strings.Repeat("é", 31)+"x"); err != nil {
		t.Errorf("a name of 63 bytes was refused: %s, %v", q, err)
	}
}

// hostile are names that would break out of quotes made without care.
var hostile = []string{
	"a", `a"b`, `"`, `""`, `'`, `''`, `\`, `\'`, `\"`, `'; DROP TABLE t; --`, `"; DROP TABLE t; --`, "a b", "a.b", "$1", "?", "?1", ":x", "@x", "$$", "$a$", "/*", "*/", "--",
	"select", "SELECT", "é", "e\u0301", "😀", "\n", "\t", "\x01", "\x7f", "\u2028", "\ufeff", "%", "%s", "[a]", "`a`", "0", "-1", "NULL", "a\\u0000b", `\x27`, "\U0010ffff", "E'", "U&\"",
}

// A name comes back from the database as it was: nothing is cut, folded or run.
func checkName(t *testing.T, s store, name string) {
	t.Helper()
	if q, err := sqlgen.Quote(s.dialect(), name); err == nil {
		switch s.dialect() {
		case sqlgen.SQLite:
			rows := s.rows(t, `SELECT name FROM pragma_table_info('q') WHERE 0 UNION ALL SELECT 1 AS `+q)
			if len(rows) != 1 {
				t.Errorf("%q as a name gives %d rows", name, len(rows))
			}
			s.exec(t, "CREATE TEMP TABLE "+q+" (x)")
			rows = s.rows(t, "SELECT count(*) FROM sqlite_temp_master WHERE name = ?", name)
			if rows[0][0] != int64(1) {
				t.Errorf("%q is not the name of the table made as %s", name, q)
			}
			s.exec(t, "DROP TABLE temp."+q)
		case sqlgen.Postgres:
			s.exec(t, "CREATE TEMP TABLE "+q+" ("+q+" int)")
			rows := s.rows(t, "SELECT attname::text FROM pg_attribute WHERE attrelid = (SELECT oid FROM pg_class WHERE relname = $1::text AND relpersistence = 't') AND attnum = 1", name)
			if len(rows) != 1 || rows[0][0] != name {
				t.Errorf("%q is %q in the database, made as %s", name, rows, q)
			}
			s.exec(t, "DROP TABLE pg_temp."+q)
		}
	} else if utf8.ValidString(name) && !strings.Contains(name, "\x00") && name != "" && len(name) <= 63 {
		t.Errorf("Quote(%q): %v", name, err)
	}
	lit, err := sqlgen.Literal(s.dialect(), name)
	if err != nil {
		if utf8.ValidString(name) && !strings.Contains(name, "\x00") {
			t.Errorf("Literal(%q): %v", name, err)
		}
		return
	}
	cast := ""
	if s.dialect() == sqlgen.Postgres {
		cast = "::text"
	}
	if rows := s.rows(t, "SELECT "+lit+cast); rows[0][0] != name {
		t.Errorf("%q came back as %q from %s", name, rows[0][0], lit)
	}
}

// checkPath looks for a value under a name inside JSON, and beside it.
func checkPath(t *testing.T, s store, name string) {
	t.Helper()
	if name == "" || !utf8.ValidString(name) || strings.Contains(name, "\x00") || len(name) > dataknobs.MaxNameBytes || dataknobs.IsSystemName(name) {
		return
	}
	table := documentTable(s.dialect(), "q")
	s.exec(t, "DELETE FROM q")
	other := name + "x"
	fill(t, s, table, []*dataknobs.Record{
		dataknobs.NewRecord("1", dataknobs.F(name, 1), dataknobs.F(other, 2)),
		dataknobs.NewRecord("2", dataknobs.F(name, 2), dataknobs.F(other, 1)),
		dataknobs.NewRecord("3", dataknobs.F("o", dataknobs.Fields{dataknobs.F(name, 1)})),
	})
	for path, want := range map[string]string{"top": "1", "nested": "3"} {
		p := dataknobs.Names(name)
		if path == "nested" {
			p = dataknobs.Names("o", name)
		}
		cond := &dataknobs.Cond{Path: p, Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.Int(1)}}
		if sup := table.Filter(cond); sup.Fidelity != dataknobs.Exact {
			t.Errorf("%s is pushed as %s: %s", cond.Path, sup.Fidelity, sup.Reason)
			continue
		}
		st, err := table.Select(&dataknobs.Scan{Where: cond, Paths: []dataknobs.Path{dataknobs.Names(name)}, NoRevision: true})
		if err != nil {
			t.Fatal(err)
		}
		rows := s.rows(t, st.SQL, st.Args...)
		if name == "o" && path == "top" {
			continue
		}
		if len(rows) != 1 || rows[0][0] != want {
			t.Errorf("%s = 1 finds %q; want %s\n%s", cond.Path, rows, want, st.SQL)
		}
		if path == "top" && s.dialect() == sqlgen.Postgres && len(rows) == 1 && rows[0][1] != "1" {
			t.Errorf("%s projects %q", cond.Path, rows[0])
		}
	}
}

func TestHostileNames(t *testing.T) {
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			create(t, s, documentTable(s.dialect(), "q"))
			for _, h := range hostile {
				checkName(t, s, h)
				checkPath(t, s, h)
			}
		})
	}
}

func FuzzNames(f *testing.F) {
	for _, h := range hostile {
		f.Add(h)
	}
	for _, h := range hostileInput.Seeds(hostileInput.Names, hostileInput.IDs) {
		f.Add(h)
	}
	var s []store
	lite := openLite(f)
	create(f, lite, documentTable(sqlgen.SQLite, "q"))
	s = append(s, lite)
	if hasPostgres() {
		pg := openPostgres(f)
		create(f, pg, documentTable(sqlgen.Postgres, "q"))
		s = append(s, pg)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, s := range s {
			checkName(t, s, name)
			checkPath(t, s, name)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a": 1}`, `{"$time":"2026-01-02T03:04:05.000000Z"}`, `[1.5, null, "\u00e9"]`, `{"$$x":{"$bytes":"YQ=="}}`, `1e400`, `"\ud83d\ude00"`} {
		f.Add([]byte(s))
	}
	for _, s := range hostileInput.Seeds(hostileInput.JSON) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := sqlgen.ParseValue(b)
		if err != nil {
			if dataknobs.CodeOf(err) != dataknobs.DataLoss {
				t.Errorf("%q: %v; want DataLoss", b, err)
			}
			return
		}
		text, err := sqlgen.AppendValue(nil, v)
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if back, err := sqlgen.ParseValue(text); err != nil || !back.Identical(v) {
			t.Errorf("%q is %s, written %s, read back %s, %v", b, v, text, back, err)
		}
	})
}

func TestArgText(t *testing.T) {
	for _, c := range []struct {
		arg  any
		want string
	}{
		{nil, "null"}, {"it's", `'it''s'`}, {int64(7), "7"}, {[]byte("abc"), "3 bytes"}, {true, "true"},
		{strings.Repeat("é", 1000), "'" + strings.Repeat("é", 99) + "…"},
	} {
		if got := sqlgen.ArgText(c.arg); got != c.want {
			t.Errorf("ArgText(%v) = %s, want %s", c.arg, got, c.want)
		}
	}
}
