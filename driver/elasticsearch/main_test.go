package elasticsearch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

var indexes atomic.Int64

// newIndex returns the name of an index that no other test has, removed when t ends.
func newIndex(t testing.TB, server string) string {
	t.Helper()
	name := fmt.Sprintf("dk-test-%d-%d-%d", os.Getpid(), time.Now().UnixNano(), indexes.Add(1))
	t.Cleanup(func() {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, server+"/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	})
	return name
}

// options are those of a store for tests: one shard, no replicas.
func options(t testing.TB, server, index string) elasticsearch.Options {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	return elasticsearch.Options{Nodes: []*url.URL{u}, Index: index, Shards: 1, Replicas: 0, Timeout: time.Minute}
}

// openIndex opens a store, which is closed when t ends.
func openIndex(t testing.TB, o elasticsearch.Options) *dataknobs.DB {
	t.Helper()
	d, err := elasticsearch.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, &dataknobs.Options{Name: "elasticsearch:" + o.Index})
	t.Cleanup(func() { db.Close() })
	return db
}

// openNew opens a store in a new index of the shared server.
func openNew(t testing.TB) *dataknobs.DB {
	t.Helper()
	server := servers.Elasticsearch(t)
	return openIndex(t, options(t, server, newIndex(t, server)))
}

func indexOf(db *dataknobs.DB) string { return strings.TrimPrefix(db.Name(), "elasticsearch:") }
