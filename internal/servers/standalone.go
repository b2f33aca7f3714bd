package servers

import (
	"context"
	"fmt"
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

// Restart starts the server again after Crash, on the same port and data.
func (s *Server) Restart() error { return s.start() }

// Close stops the server and removes its data.
func (s *Server) Close() { s.remove() }
