package servers

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// New starts a server outside a test: postgres, elasticsearch, minio or
// versitygw. The caller closes it. Its data is safe from a kill of the server.
func New(service string) (*Server, error) {
	switch service {
	case "postgres":
		return startPostgres("off")
	case "elasticsearch":
		return startElasticsearch()
	case "minio", "versitygw":
		return startS3(service)
	}
	return nil, fmt.Errorf("there is no service %q", service)
}

// Crash ends the server and all of its processes at once.
func (s *Server) Crash() error { return s.run(context.Background(), "kill", s.dir) }

// Restart starts the server again after Crash, on the same port and data. The
// port may be held for a moment by what is left of the one that was killed.
func (s *Server) Restart() error {
	var err error
	for range 10 {
		if err = s.start(); err == nil || !strings.Contains(err.Error(), "is taken") {
			return err
		}
		time.Sleep(500 * time.Millisecond)
	}
	return err
}

// Close stops the server and removes its data.
func (s *Server) Close() { s.remove() }
