package postgres_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/servers"
)

// admin runs SQL as the superuser of a server of the test's own.
func admin(t *testing.T, srv *servers.Server, statements ...string) {
	t.Helper()
	u := strings.TrimSuffix(srv.AdminURL(), "/app") + "/app"
	c, err := pgx.Connect(background, u)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(background)
	for _, sql := range statements {
		if _, err := c.Exec(background, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%v\n%.200s", err, sql)
		}
	}
}

// serverFile writes a file of the server's own user into the server's data.
func serverFile(name string, text []byte) string {
	return "copy (select l from unnest(string_to_array($x$" + strings.TrimSuffix(string(text), "\n") + "$x$, E'\\n')) with ordinality u(l, n) order by n) to program 'umask 077; cat >" + name + "'"
}

// Certificates are checked as libpq does: verify-full wants the authority and
// the host's name, and what is wrong is said.
func TestTLS(t *testing.T) {
	t.Parallel()
	srv, s := ownServer(t)
	s.exec("create table people (id text primary key, n integer); insert into people values ('a', 1)")
	must := func(c *servers.Certificate, err error) *servers.Certificate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ca, other := must(servers.NewAuthority("ours")), must(servers.NewAuthority("another"))
	host := must(ca.Sign(&x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}}))
	admin(t, srv, serverFile("server.crt", host.PEM), serverFile("server.key", host.KeyPEM), serverFile("ca.crt", ca.PEM),
		serverFile("pg_hba.conf", []byte("local all all trust\nhostssl all certified 127.0.0.1/32 cert\nhostnossl all certified 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256")),
		"create role certified login; grant usage on schema faults to certified; grant select on faults.people to certified",
		"alter system set ssl = on", "alter system set ssl_ca_file = 'ca.crt'", "select pg_reload_conf()")

	dir := t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	client := &x509.Certificate{Subject: pkix.Name{CommonName: "certified"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	mine, theirs := must(ca.Sign(client)), must(other.Sign(client))
	right, wrong := file("ca.crt", ca.PEM), file("other.crt", other.PEM)
	pair := func(name string, c *servers.Certificate) string {
		return "&sslcert=" + url.QueryEscape(file(name+".crt", c.PEM)) + "&sslkey=" + url.QueryEscape(file(name+".key", c.KeyPEM))
	}
	at := func(user, host, params string) string {
		return fmt.Sprintf("postgres://%s@%s:%d/app?schema=faults&table=people&%s", user, host, srv.Port, params)
	}
	for _, c := range []struct {
		name, url string
		code      dataknobs.Code
		words     []string
	}{
		{name: "without a check", url: at("app:app", "127.0.0.1", "sslmode=require")},
		{name: "the authority, another name", url: at("app:app", "127.0.0.1", "sslmode=verify-ca&sslrootcert="+right)},
		{name: "all of it", url: at("app:app", "localhost", "sslmode=verify-full&sslrootcert="+right)},
		{name: "wrong host", url: at("app:app", "127.0.0.1", "sslmode=verify-full&sslrootcert="+right), code: dataknobs.PermissionDenied, words: []string{"not for the host 127.0.0.1"}},
		{name: "wrong authority", url: at("app:app", "localhost", "sslmode=verify-full&sslrootcert="+wrong), code: dataknobs.PermissionDenied, words: []string{"certificate", "sslrootcert"}},
		{name: "no such file", url: at("app:app", "localhost", "sslmode=verify-full&sslrootcert="+dir+"/none.crt"), code: dataknobs.InvalidArgument, words: []string{"none.crt"}},
		{name: "client certificate", url: at("certified", "localhost", "sslmode=verify-full&sslrootcert="+right+pair("mine", mine))},
		{name: "no client certificate", url: at("certified", "localhost", "sslmode=verify-full&sslrootcert="+right), code: dataknobs.PermissionDenied, words: []string{"certificate"}},
		{name: "another's client certificate", url: at("certified", "localhost", "sslmode=verify-full&sslrootcert="+right+pair("theirs", theirs)), code: dataknobs.PermissionDenied, words: []string{"certificate"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := dataknobs.Open(t.Context(), c.url, nil)
			if err == nil {
				defer db.Close()
			}
			if c.code != 0 {
				wantCode(t, err, c.code, c.words...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r, err := db.Get(t.Context(), "a"); err != nil || r.Get("n").Int() != 1 {
				t.Errorf("Get: %v, %v", r, err)
			}
			root := &schema{t: t, url: srv.AdminURL(), name: s.name}
			if n := root.rows("select count(*) from pg_stat_ssl join pg_stat_activity using (pid) where ssl and application_name = 'dataknobs'")[0]; n == "0" {
				t.Error("the connection is not encrypted")
			}
		})
	}
}
