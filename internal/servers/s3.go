package servers

import (
	"fmt"
	"net/url"
	"os"
	"testing"
)

// An S3Server is a server that speaks the protocol of S3.
type S3Server struct {
	Endpoint    string // as the option endpoint takes it
	Key, Secret string
	Name        string // minio, versitygw or localstack
	*Server            // nil where the tests share it
}

// S3Servers are the servers that every test of S3 should pass on.
var S3Servers = map[string]func(t testing.TB) *S3Server{"minio": MinIO, "versitygw": Versitygw, "localstack": LocalStack}

// MinIO returns the MinIO server that all tests share. Tests use buckets of
// their own.
func MinIO(t testing.TB) *S3Server { return sharedS3(t, "minio", "DATAKNOBS_TEST_MINIO") }

// Versitygw returns the Versity gateway that all tests share.
func Versitygw(t testing.TB) *S3Server { return sharedS3(t, "versitygw", "DATAKNOBS_TEST_VERSITYGW") }

// LocalStack returns the LocalStack server that all tests share.
func LocalStack(t testing.TB) *S3Server {
	return sharedS3(t, "localstack", "DATAKNOBS_TEST_LOCALSTACK")
}

// NewMinIO starts a MinIO server for t alone, with its data safe from a kill.
func NewMinIO(t testing.TB) *S3Server {
	t.Helper()
	s, err := startS3("minio")
	return s3Of(t, "minio", own(t, s, err).URL, s)
}

func sharedS3(t testing.TB, name, variable string) *S3Server {
	t.Helper()
	if text := os.Getenv(variable); text != "" {
		return s3Of(t, name, text, nil)
	}
	return s3Of(t, name, share(t, func() (*Server, error) { return startS3(name) }, name+".sh").URL, nil)
}

// s3Of reads http://key:secret@host:port.
func s3Of(t testing.TB, name, text string, s *Server) *S3Server {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		t.Fatalf("the address of the %s server is not http://key:secret@host:port", name)
	}
	secret, _ := u.User.Password()
	return &S3Server{Endpoint: u.Scheme + "://" + u.Host, Key: u.User.Username(), Secret: secret, Name: name, Server: s}
}

func startS3(name string) (*Server, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	port := freePort()
	s := &Server{URL: fmt.Sprintf("http://testkey:testsecret@127.0.0.1:%d", port), Port: port, script: name + ".sh", dir: dir}
	if err := s.start(); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}
