package postgres_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/postgres"
	"dataknobs.dev/dataknobs/internal/hostile"
)

func TestParseLocation(t *testing.T) {
	type m = map[string]string
	for _, c := range []struct {
		place string
		want  m // nil: refused
	}{
		{"", m{}},
		{"/app", m{"dbname": "app"}},
		{"db.example.org", m{"host": "db.example.org"}},
		{"db/app", m{"host": "db", "dbname": "app"}},
		{"me@db:5433/app", m{"user": "me", "host": "db", "port": "5433", "dbname": "app"}},
		{"me:p@ss:w/o rd'\\=@db/app", m{"user": "me", "password": "p@ss:w/o rd'\\=", "host": "db", "dbname": "app"}},
		{"me:@db/app", m{"user": "me", "password": "", "host": "db", "dbname": "app"}},
		{"a:1,b,c:3/app", m{"host": "a,b,c", "port": "1,,3", "dbname": "app"}},
		{"[::1]:5433/app", m{"host": "::1", "port": "5433", "dbname": "app"}},
		{"[::1]/app", m{"host": "::1", "dbname": "app"}},
		{"/run/postgresql/app", m{"host": "/run/postgresql", "dbname": "app"}},
		{"me@/run/postgresql/app", m{"user": "me", "host": "/run/postgresql", "dbname": "app"}},
		{"me:secret/app", nil}, // a password without its @ is no port
		{"host=db password=secret", nil},
		{"[::1/app", nil},
	} {
		got, err := postgres.ParseLocation(c.place)
		switch {
		case c.want == nil:
			wantCode(t, err, dataknobs.InvalidArgument)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("parseLocation(%q): the error %q shows the password", c.place, err)
			}
		case err != nil || !maps.Equal(got, c.want):
			t.Errorf("parseLocation(%q) = %v, %v; wanted %v", c.place, got, err, c.want)
		}
	}
}

// The location and the options may say the same, but nothing different, and
// no error tells a password.
func TestLocationAndOptionsAgree(t *testing.T) {
	for _, c := range []struct{ url, about string }{
		{"postgres://db/app?table=t&host=other", "host"},
		{"postgres://db:1/app?table=t&port=2", "port"},
		{"postgres://db/app?table=t&dbname=other", "dbname"},
		{"postgres://me@db/app?table=t&user=you", "user"},
		{"postgres://me:s3cret@db/app?table=t&password=s4cret", "password"},
		{"postgres://db/app?host=other", "host"},
		{"postgres://127.0.0.1:1/app?table=t&pool.max=0", "pool.max must be from 1"},
	} {
		_, err := dataknobs.Open(t.Context(), c.url, nil)
		wantCode(t, err, dataknobs.InvalidArgument)
		if err != nil && (!strings.Contains(err.Error(), c.about) || strings.Contains(err.Error(), "cret")) {
			t.Errorf("Open(%q): got %v, wanted it to be about %s", c.url, err, c.about)
		}
	}
}

// Whatever a password holds, pgx reads it back from what is made of it.
func FuzzDSN(f *testing.F) {
	for _, s := range []string{"", "a b", `it's`, `\`, `\'`, "p@ss:w/o?rd#%20=&", "host=evil", "' host='evil", "ü\t\n"} {
		f.Add(s)
	}
	for _, s := range hostile.Texts() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, password string) {
		if strings.ContainsRune(password, 0) {
			t.Skip()
		}
		c, err := pgconn.ParseConfig(postgres.DSN(map[string]string{"host": "db", "user": "me", "password": password, "dbname": "app"}))
		if err != nil {
			t.Fatalf("%q: %v", password, err)
		}
		if password != "" && c.Password != password || c.Host != "db" || c.User != "me" || c.Database != "app" {
			t.Errorf("%q came back as %q at %s", password, c.Password, c.Host)
		}
	})
}

func TestTableName(t *testing.T) {
	for _, c := range []struct{ schema, table, want string }{
		{"", "people", "|people"},
		{"", "sales.orders", "sales|orders"},
		{"sales", "orders", "sales|orders"},
		{"sales", "sales.orders", "sales|orders"},
		{"", `"a.b"`, "|a.b"},
		{"", `"a.b"."c ""d"""`, `a.b|c "d"`},
		{"", `sales."Orders"`, "sales|Orders"},
		{"", "Orders", "|Orders"},
		{"x", "sales.orders", "error"},
		{"", "a.b.c", "error"},
		{"", "a.", "error"},
		{"", `"a`, "error"},
		{"", `"a"b`, "error"},
	} {
		schema, table, err := postgres.TableName(c.schema, c.table)
		got := schema + "|" + table
		if err != nil {
			got = "error"
		}
		if got != c.want {
			t.Errorf("tableName(%q, %q) = %s, %v; wanted %s", c.schema, c.table, got, err, c.want)
		}
	}
}

// Passwords show nowhere, whatever the verb.
func TestSecrets(t *testing.T) {
	o := postgres.Options{Conn: map[string]string{"password": "s3cret"}, Table: "people"}
	s := newSchema(t)
	db := open(t, s.at("people", "password=app", "application_name=secrets"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		for _, x := range []any{o, &o, db.Driver()} {
			if text := fmt.Sprintf(verb, x); strings.Contains(text, "s3cret") || strings.Contains(text, "password") {
				t.Errorf("%s of a %T shows %s", verb, x, text)
			}
		}
	}
	for _, url := range []string{
		"postgres://me:s3cret@127.0.0.1:1/app?table=t", "postgres://me:s3cret@127.0.0.1:1/app?table=t&sslmode=verify-full&sslrootcert=/nowhere",
		"postgres://me:s3cret@127.0.0.1:99999/app?table=t", "postgres://127.0.0.1:1/app?table=t&password=s3cret&pool.max=-1",
		"postgres://127.0.0.1:1/app?table=t&password=s3cret&connect_timeout=soon", "postgres://me:s3cret@127.0.0.1:1/app?tabel=t",
		"postgres://me:s3cret@127.0.0.1:1/app?table=t&service=nosuch", "postgres://me:s3cret%zz@127.0.0.1:1/app?table=t",
	} {
		db, err := dataknobs.Open(t.Context(), url, nil)
		if err == nil {
			db.Close()
			t.Errorf("Open(%q): wanted an error", url)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error %q shows the password", err)
		}
	}
}

// Settings come from where psql takes them.
func TestSettingsAsPsql(t *testing.T) {
	s := newSchema(t)
	c, err := pgconn.ParseConfig(s.url)
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(c.Port)
	dir := t.TempDir()
	passfile := filepath.Join(dir, "pass")
	service := filepath.Join(dir, "service")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(passfile, fmt.Sprintf("%s:%s:*:%s:%s\n", c.Host, port, c.User, c.Password))
	write(service, fmt.Sprintf("[mine]\nhost=%s\nport=%s\ndbname=%s\nuser=%s\npassword=%s\n", c.Host, port, c.Database, c.User, c.Password))
	socket := socketDir(t, s)
	rest := "table=people&schema=" + s.name
	for _, x := range []struct {
		name, url string
		env       map[string]string
	}{
		{"environment", "postgres:?" + rest, map[string]string{"PGHOST": c.Host, "PGPORT": port, "PGUSER": c.User, "PGPASSWORD": c.Password, "PGDATABASE": c.Database}},
		{"password file", "postgres:?" + rest + "&host=" + c.Host + "&port=" + port + "&user=" + c.User + "&dbname=" + c.Database + "&passfile=" + passfile, nil},
		{"service file", "postgres:?" + rest + "&service=mine&servicefile=" + service, nil},
		{"options", "postgresql:///" + c.Database + "?" + rest + "&host=" + c.Host + "&port=" + port + "&user=" + c.User + "&password=" + c.Password, nil},
		{"several hosts", fmt.Sprintf("postgres://%s:%s@127.0.0.1:1,%s:%s/%s?%s&target_session_attrs=read-write", c.User, c.Password, c.Host, port, c.Database, rest), nil},
		{"socket", "postgres:///" + c.Database + "?" + rest + "&host=" + socket + "&port=" + port + "&user=" + c.User + "&password=" + c.Password, nil},
		{"socket in the URL", "postgres://" + c.User + ":" + c.Password + "@" + strings.ReplaceAll(socket, "/", "%2F") + "/" + c.Database + "?" + rest + "&port=" + port, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			if strings.HasPrefix(x.name, "socket") {
				if _, err := os.Stat(socket + "/.s.PGSQL." + port); err != nil {
					t.Skipf("the server's socket is not there: %v", err)
				}
			}
			for name, text := range x.env {
				t.Setenv(name, text)
			}
			db := open(t, x.url)
			if _, err := db.Put(t.Context(), dataknobs.NewRecord("x")); err != nil {
				t.Error(err)
			}
		})
	}
}

// socketDir is the folder of the server's socket; "": unknown.
func socketDir(t *testing.T, s *schema) string {
	c, err := pgconn.Connect(t.Context(), strings.Replace(s.url, "app:app@", "postgres:postgres@", 1))
	if err != nil {
		t.Logf("the superuser cannot connect: %v", err)
		return ""
	}
	defer c.Close(t.Context())
	res, err := c.Exec(t.Context(), "show unix_socket_directories").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return string(res[0].Rows[0][0])
}
