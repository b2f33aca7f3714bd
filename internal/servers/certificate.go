package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// A Certificate is a certificate with its key, both in PEM.
type Certificate struct {
	PEM, KeyPEM []byte

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes the certificate of an authority, which signs itself.
func NewAuthority(name string) (*Certificate, error) {
	var nobody Certificate
	return nobody.Sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	})
}

// Sign makes a certificate as the template says, with a key of its own, which
// is good for a day and signed by the authority c. Its number and its dates
// need not be in the template.
func (c *Certificate) Sign(template *x509.Certificate) (*Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	filled := *template
	if filled.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, err
	}
	filled.NotBefore, filled.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	by, byKey := c.cert, c.key
	if by == nil {
		by, byKey = &filled, key
	}
	der, err := x509.CreateCertificate(rand.Reader, &filled, by, &key.PublicKey, byKey)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	block := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	return &Certificate{PEM: block("CERTIFICATE", der), KeyPEM: block("PRIVATE KEY", pkcs8), cert: cert, key: key}, nil
}

// newPair makes an authority, and a certificate of its for a server on this machine.
func newPair() (authority, server *Certificate, err error) {
	if authority, err = NewAuthority("test authority"); err != nil {
		return nil, nil, err
	}
	server, err = authority.Sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return authority, server, err
}

func (c *Certificate) forTLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{c.cert.Raw}, PrivateKey: c.key}
}
