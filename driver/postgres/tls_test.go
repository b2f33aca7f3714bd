package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/servers"
)

// An authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.pem, _, a.cert, a.key = a.sign(template)
	return a
}

// sign returns the certificate and its key in PEM. An authority's first is its own.
func (a *authority) sign(template *x509.Certificate) (cert, keyPEM string, parsed *x509.Certificate, key *ecdsa.PrivateKey) {
	a.t.Helper()
	must := func(err error) {
		a.t.Helper()
		if err != nil {
			a.t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	must(err)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, by := template, key
	if a.cert != nil {
		parent, by = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	must(err)
	parsed, err = x509.ParseCertificate(der)
	must(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", pkcs8), parsed, key
}

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
func serverFile(name, text string) string {
	return "copy (select l from unnest(string_to_array($x$" + strings.TrimSuffix(text, "\n") + "$x$, E'\\n')) with ordinality u(l, n) order by n) to program 'umask 077; cat >" + name + "'"
}

// Certificates are checked as libpq does: verify-full wants the authority and
// the host's name, and what is wrong is said.
func TestTLS(t *testing.T) {
	t.Parallel()
	srv, s := ownServer(t)
	s.exec("create table people (id text primary key, n integer); insert into people values ('a', 1)")
	ca, other := newAuthority(t, "ours"), newAuthority(t, "another")
	cert, key, _, _ := ca.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}})
	admin(t, srv, serverFile("server.crt", cert), serverFile("server.key", key), serverFile("ca.crt", ca.pem),
		serverFile("pg_hba.conf", "local all all trust\nhostssl all certified 127.0.0.1/32 cert\nhostnossl all certified 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256"),
		"create role certified login; grant usage on schema faults to certified; grant select on faults.people to certified",
		"alter system set ssl = on", "alter system set ssl_ca_file = 'ca.crt'", "select pg_reload_conf()")

	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mine, mineKey, _, _ := ca.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "certified"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	theirs, theirsKey, _, _ := other.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "certified"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	right, wrong := file("ca.crt", ca.pem), file("other.crt", other.pem)
	pair := func(name, cert, key string) string {
		return "&sslcert=" + url.QueryEscape(file(name+".crt", cert)) + "&sslkey=" + url.QueryEscape(file(name+".key", key))
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
		{name: "client certificate", url: at("certified", "localhost", "sslmode=verify-full&sslrootcert="+right+pair("mine", mine, mineKey))},
		{name: "no client certificate", url: at("certified", "localhost", "sslmode=verify-full&sslrootcert="+right), code: dataknobs.PermissionDenied, words: []string{"certificate"}},
		{name: "another's client certificate", url: at("certified", "localhost", "sslmode=verify-full&sslrootcert="+right+pair("theirs", theirs, theirsKey)), code: dataknobs.PermissionDenied, words: []string{"certificate"}},
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
