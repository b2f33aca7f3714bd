package servers

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A SecureElasticsearch is a node with logins, which speaks TLS only.
type SecureElasticsearch struct {
	*Server
	User, Password string // of a superuser
	CAFile         string // a PEM file with the certificate of who signed the node's
}

// NewSecureElasticsearch starts an Elasticsearch node with security for t alone.
func NewSecureElasticsearch(t testing.TB) *SecureElasticsearch {
	t.Helper()
	dir, err := memoryDir()
	if err != nil {
		t.Fatal(err)
	}
	s := &SecureElasticsearch{User: "tester", Password: "p@ss:w/rd", CAFile: filepath.Join(t.TempDir(), "ca.pem")}
	port := freePort()
	s.Server = &Server{URL: fmt.Sprintf("https://127.0.0.1:%d", port), Port: port, script: "elasticsearch.sh", dir: dir, env: []string{
		"ES_SECURITY=true", "ES_SCHEME=https", "ES_CURL=-k -u " + s.User + ":" + s.Password,
		"ES_EXTRA=xpack.security.http.ssl.enabled: true\nxpack.security.http.ssl.key: node.key\nxpack.security.http.ssl.certificate: node.crt",
	}}
	if err := s.configure(filepath.Join(dir, "config")); err != nil {
		s.remove()
		t.Fatal(err)
	}
	if err := s.Server.start(); err != nil {
		s.remove()
		own(t, nil, err)
	}
	own(t, s.Server, nil)
	return s
}

// configure writes the node's certificates and its user.
func (s *SecureElasticsearch) configure(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ca, node, err := newPair()
	if err != nil {
		return err
	}
	salt := make([]byte, 32)
	rand.Read(salt) // never fails
	hash, err := pbkdf2.Key(sha512.New, s.Password, salt, 10_000, 32)
	if err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString
	for name, content := range map[string][]byte{
		s.CAFile:                          ca.PEM,
		filepath.Join(dir, "node.crt"):    node.PEM,
		filepath.Join(dir, "node.key"):    node.KeyPEM,
		filepath.Join(dir, "users"):       fmt.Appendf(nil, "%s:{PBKDF2}10000$%s$%s\n", s.User, text(salt), text(hash)),
		filepath.Join(dir, "users_roles"): []byte("superuser:" + s.User + "\n"),
	} {
		if err := os.WriteFile(name, content, 0o644); err != nil { // the node runs as another user
			return err
		}
	}
	return nil
}
