package servers_test

import (
	"net"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

// reachable reports whether anything listens at a server's address.
func reachable(url string) bool {
	_, host, _ := strings.Cut(url, "@")
	host, _, _ = strings.Cut(host, "/")
	c, err := net.Dial("tcp", host)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func TestPostgresDiesAndComesBack(t *testing.T) {
	s := servers.NewPostgres(t)
	if !reachable(s.URL) {
		t.Fatalf("%s does not answer", s.URL)
	}
	s.Kill(t)
	if reachable(s.URL) {
		t.Error("the killed server answers")
	}
	s.Start(t)
	if !reachable(s.URL) {
		t.Error("the server that was started again does not answer")
	}
}

func TestPostgresIsShared(t *testing.T) {
	if a, b := servers.Postgres(t), servers.Postgres(t); a != b || !reachable(a) {
		t.Errorf("got the servers %s and %s", a, b)
	}
}
