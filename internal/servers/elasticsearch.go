package servers

import (
	"fmt"
	"os"
	"testing"
)

// Elasticsearch returns the URL of the Elasticsearch node that all tests share.
// Tests use indexes of their own, and remove them.
func Elasticsearch(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("DATAKNOBS_TEST_ELASTICSEARCH"); url != "" {
		return url
	}
	return share(t, startElasticsearch, "elasticsearch.sh").URL
}

// NewElasticsearch starts an Elasticsearch node for t alone.
func NewElasticsearch(t testing.TB) *Server {
	t.Helper()
	s, err := startElasticsearch()
	return own(t, s, err)
}

func startElasticsearch() (*Server, error) {
	dir, err := memoryDir()
	if err != nil {
		return nil, err
	}
	port := freePort() // and 100 more, for nodes to talk on
	s := &Server{URL: fmt.Sprintf("http://127.0.0.1:%d", port), Port: port, script: "elasticsearch.sh", dir: dir}
	if err := s.start(); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}
