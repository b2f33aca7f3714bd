package servers

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Postgres returns the URL of the PostgreSQL server that all tests share. Its
// user owns the database and may create others; it is no superuser. Tests use
// schemas or tables of their own.
func Postgres(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("DATAKNOBS_TEST_POSTGRES"); url != "" {
		return url
	}
	return share(t, func() (*Server, error) { return startPostgres("off") }, "postgres.sh").URL
}

// NewPostgres starts a PostgreSQL server for t alone, with its data safe from a
// kill of the server (not of the machine). settings are such as "max_connections=5".
func NewPostgres(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := startPostgres("off", settings...)
	return own(t, s, err)
}

// NewStandby starts a hot standby of s for t alone.
func (s *Server) NewStandby(t testing.TB) *Server {
	t.Helper()
	standby, err := startLike("postgres.sh", "PG_FSYNC=off", fmt.Sprint("PG_STANDBY_OF=", s.Port))
	return own(t, standby, err)
}

// NewPgBouncer starts PgBouncer in transaction mode before the PostgreSQL
// server on that port, with so many connections to it, for t alone.
func NewPgBouncer(t testing.TB, port, pool int) *Server {
	t.Helper()
	s, err := startLike("pgbouncer.sh", fmt.Sprint("PGBOUNCER_TO=", port), fmt.Sprint("PGBOUNCER_POOL=", pool))
	return own(t, s, err)
}

func startPostgres(fsync string, settings ...string) (*Server, error) {
	extra := ""
	for _, s := range settings {
		extra += " -c " + s
	}
	return startLike("postgres.sh", "PG_FSYNC="+fsync, "PG_EXTRA="+extra)
}

// startLike starts what takes PostgreSQL's connections.
func startLike(script string, env ...string) (*Server, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	port := freePort()
	s := &Server{URL: fmt.Sprintf("postgres://app:app@127.0.0.1:%d/app", port), Port: port, script: script, dir: dir, env: env}
	if err := s.start(); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

// AdminURL is URL for the server's superuser.
func (s *Server) AdminURL() string {
	return strings.Replace(s.URL, "app:app@", "postgres:postgres@", 1)
}
