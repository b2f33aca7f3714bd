package elasticsearch_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/internal/servers"
)

// On a node with logins and TLS: who may come in, who may not, and what they
// are told.
func TestSecureNode(t *testing.T) {
	t.Parallel()
	s := servers.NewSecureElasticsearch(t)
	open := func(change func(*elasticsearch.Options)) (*dataknobs.DB, error) {
		o := options(t, s.URL, "people")
		o.User, o.Password, o.CAFile = s.User, s.Password, s.CAFile
		change(&o)
		d, err := elasticsearch.New(t.Context(), o)
		if err != nil {
			return nil, err
		}
		db := dataknobs.New(d, nil)
		t.Cleanup(func() { db.Close() })
		return db, nil
	}
	db, err := open(func(*elasticsearch.Options) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateMany(t.Context(), recs(0, 700)); err != nil {
		t.Fatal(err)
	}
	count(t, db, 700)
	for name, change := range map[string]func(*elasticsearch.Options){
		"an API key":   func(o *elasticsearch.Options) { o.User, o.Password, o.APIKey = "", "", apiKey(t, s, `{"name":"all"}`) },
		"compression":  func(o *elasticsearch.Options) { o.Compress = true },
		"another node": func(o *elasticsearch.Options) { o.Discover = 1 << 30 },
	} {
		db, err := open(change)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		count(t, db, 700)
	}
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(other, []byte(otherCA), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*elasticsearch.Options)
		code   dataknobs.Code
		says   string
	}{
		{"a wrong password", func(o *elasticsearch.Options) { o.Password = "secret-not-it" }, dataknobs.PermissionDenied, "the server refuses the credentials"},
		{"no such user", func(o *elasticsearch.Options) { o.User = "nobody" }, dataknobs.PermissionDenied, "the server refuses the credentials"},
		{"no credentials", func(o *elasticsearch.Options) { o.User, o.Password = "", "" }, dataknobs.PermissionDenied, "the server refuses the credentials"},
		{"a wrong API key", func(o *elasticsearch.Options) { o.User, o.Password, o.APIKey = "", "", "c2VjcmV0OnNlY3JldA==" }, dataknobs.PermissionDenied, "the server refuses the credentials"},
		{"no CA", func(o *elasticsearch.Options) { o.CAFile = "" }, dataknobs.InvalidArgument, "option ca_file"},
		{"another CA", func(o *elasticsearch.Options) { o.CAFile = other }, dataknobs.InvalidArgument, "option ca_file"},
		{"no PEM", func(o *elasticsearch.Options) { o.CAFile = empty }, dataknobs.InvalidArgument, "holds no certificate"},
		{"no such file", func(o *elasticsearch.Options) { o.CAFile = "/no/such/file" }, dataknobs.InvalidArgument, "ca_file"},
		{"plain HTTP", func(o *elasticsearch.Options) { o.Nodes[0].Scheme, o.CAFile = "http", ""; o.Retries = -1 }, dataknobs.Unavailable, "es+https"},
	} {
		_, err := open(c.change)
		if dataknobs.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, wanted %s that says %q", c.name, err, c.code, c.says)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), s.Password) {
			t.Errorf("%s: the error tells a secret: %v", c.name, err)
		}
	}
	// A reader may read, and is told that it may not write.
	reader := apiKey(t, s, `{"name":"reader","role_descriptors":{"r":{"indices":[{"names":["people*"],"privileges":["read","view_index_metadata"]}]}}}`)
	db, err = open(func(o *elasticsearch.Options) {
		o.User, o.Password, o.APIKey, o.Refresh = "", "", reader, elasticsearch.RefreshNone
	})
	if err != nil {
		t.Fatal(err)
	}
	count(t, db, 700)
	_, err = db.Create(t.Context(), rec("new", 1))
	wantCode(t, "a write with a reader's key", err, dataknobs.PermissionDenied)
}

// apiKey makes an API key and returns it encoded.
func apiKey(t *testing.T, s *servers.SecureElasticsearch, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/_security/api_key", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(s.User, s.Password)
	req.Header.Set("Content-Type", "application/json")
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // the test's own node
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	var a struct {
		Encoded string `json:"encoded"`
	}
	if json.Unmarshal(text, &a) != nil || a.Encoded == "" {
		t.Fatalf("no API key: %s", text)
	}
	return a.Encoded
}

// otherCA is an authority that has signed nothing here.
const otherCA = `-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUbHazupx5bRM4UUfkS5VGzhMq1xYwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRYW5vdGhlciBhdXRob3JpdHkwIBcNMjYxMTIzMTkxMTE2WhgP
MjEyNjEwMzAxOTExMTZaMBwxGjAYBgNVBAMMEWFub3RoZXIgYXV0aG9yaXR5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaI+E6V2PQqI6LlTlZZedMxxSKNRKfTPJ
NNP1b9Q5bNHjzJ0pFsqKRRTYm3A4hgetm/UumsrJunCQ552Y/FqnGqNTMFEwHQYD
VR0OBBYEFFwbvWtYBTmTunaHO6tmdylSIwecMB8GA1UdIwQYMBaAFFwbvWtYBTmT
unaHO6tmdylSIwecMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIh
AIn6WK4tFfVF4pn9mqPYX2qybdxnRpDIkyU6C+hA70CFAiAkPpGOIRa5/4BpdWR4
6HiYvtmyAppoZW1spc6ptWViHA==
-----END CERTIFICATE-----
`
