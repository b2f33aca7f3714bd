package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
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
	ca, caKey, err := certificate("test authority", nil, nil)
	if err != nil {
		return err
	}
	node, key, err := certificate("127.0.0.1", ca, caKey)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
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
		s.CAFile:                          pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}),
		filepath.Join(dir, "node.crt"):    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: node.Raw}),
		filepath.Join(dir, "node.key"):    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		filepath.Join(dir, "users"):       fmt.Appendf(nil, "%s:{PBKDF2}10000$%s$%s\n", s.User, text(salt), text(hash)),
		filepath.Join(dir, "users_roles"): []byte("superuser:" + s.User + "\n"),
	} {
		if err := os.WriteFile(name, content, 0o644); err != nil { // the node runs as another user
			return err
		}
	}
	return nil
}

// certificate makes a certificate, signed by ca; nil: by itself, as an authority.
func certificate(name string, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if ca == nil {
		ca, caKey = c, key
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	} else {
		c.IPAddresses, c.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, nil, err
	}
	signed, err := x509.ParseCertificate(der)
	return signed, key, err
}
