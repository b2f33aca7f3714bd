package fidelity_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/driver/memory"
	_ "dataknobs.dev/dataknobs/driver/postgres"
	"dataknobs.dev/dataknobs/driver/s3"
	"dataknobs.dev/dataknobs/driver/sqlite"
	"dataknobs.dev/dataknobs/drivertest"
	"dataknobs.dev/dataknobs/internal/servers"
	"dataknobs.dev/dataknobs/internal/servers/bucket"
)

// stores returns all of them, those that take longest first. Their servers run
// for as long as t does.
func stores(t *testing.T) []drivertest.Store {
	pg := newSchema(t)
	return []drivertest.Store{
		{Name: "elasticsearch", Harness: elasticStore(servers.Elasticsearch(t))},
		{Name: "s3", Harness: bucketStore(t)},
		{Name: "postgres", Harness: pg.documents()},
		{Name: "postgres columns", Harness: pg.columns()},
		{Name: "sqlite", Harness: sqliteStore()},
		{Name: "sqlite columns", Harness: sqliteColumns()},
		{Name: "parquet", Harness: fileStore("s.parquet", true)},
		{Name: "csv", Harness: fileStore("s.csv", true)},
		{Name: "json", Harness: fileStore("s.json", false)},
		{Name: "memory", Harness: drivertest.Harness{Open: func(t *testing.T) *dataknobs.DB { return closed(t, memory.New(memory.Options{}), nil) }}},
	}
}

// closed returns a DB that is closed when t ends.
func closed(t *testing.T, d dataknobs.Driver, err error) *dataknobs.DB {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, nil)
	t.Cleanup(func() { db.Close() })
	return db
}

// again returns how stores are opened so that Reopen finds them, from how one
// is opened by its options.
func again[O any](open func(*testing.T, O) *dataknobs.DB) (first func(*testing.T, O) *dataknobs.DB, reopen func(*testing.T, *dataknobs.DB) *dataknobs.DB) {
	var at sync.Map // *dataknobs.DB → O
	first = func(t *testing.T, o O) *dataknobs.DB {
		db := open(t, o)
		at.Store(db, o)
		t.Cleanup(func() { at.Delete(db) })
		return db
	}
	return first, func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
		o, _ := at.Load(db)
		if err := db.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		return first(t, o.(O))
	}
}

func fileStore(name string, nullIsAbsent bool) drivertest.Harness {
	open, reopen := again(func(t *testing.T, o file.Options) *dataknobs.DB {
		d, err := file.New(t.Context(), o)
		return closed(t, d, err)
	})
	return drivertest.Harness{
		Open: func(t *testing.T) *dataknobs.DB {
			return open(t, file.Options{Path: filepath.Join(t.TempDir(), name), Create: file.CreateAlways, Sync: file.SyncNone})
		},
		Reopen: reopen, NullIsAbsent: nullIsAbsent,
	}
}

func openSQLite(t *testing.T, o sqlite.Options) *dataknobs.DB {
	d, err := sqlite.New(t.Context(), o)
	return closed(t, d, err)
}

func sqliteStore() drivertest.Harness {
	open, reopen := again(openSQLite)
	return drivertest.Harness{
		Open: func(t *testing.T) *dataknobs.DB {
			return open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "s.db"), Sync: sqlite.SyncOff})
		},
		Reopen: reopen,
	}
}

func sqliteColumns() drivertest.Harness {
	open, reopen := again(openSQLite)
	return drivertest.Harness{
		OpenColumns: func(t *testing.T, cols []drivertest.Column) *dataknobs.DB {
			o := sqlite.Options{
				Path: filepath.Join(t.TempDir(), "s.db"), Sync: sqlite.SyncOff,
				Types: []dataknobs.Pair{{Name: "id", Value: "string"}}, Key: []string{"id"}, Extra: "extra", Meta: "meta", Rev: "rev",
			}
			for _, c := range cols {
				o.Types = append(o.Types, dataknobs.Pair{Name: c.Name, Value: c.Kind.String()})
			}
			return open(t, o)
		},
		Reopen: reopen,
	}
}

// A schema is an empty schema of a PostgreSQL server.
type schema struct {
	url  string // of the server
	name string
}

func newSchema(t *testing.T) *schema {
	s := &schema{url: servers.Postgres(t), name: fmt.Sprintf("dkf_%x", rand.Uint64())}
	s.exec(t, "create schema "+s.name)
	t.Cleanup(func() { s.exec(t, "drop schema "+s.name+" cascade") })
	return s
}

// exec runs SQL as another program would.
func (s *schema) exec(t *testing.T, sql string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// fresh returns the name of a table that nobody has, which goes when t ends,
// and its URL.
func (s *schema) fresh(t *testing.T, params string) (table, at string) {
	name := fmt.Sprintf("t%x", rand.Uint64())
	t.Cleanup(func() { s.exec(t, "drop table if exists "+s.name+"."+name) })
	sep := "?"
	if strings.Contains(s.url, "?") {
		sep = "&"
	}
	return s.name + "." + name, s.url + sep + "schema=" + s.name + "&table=" + name + params
}

func openURL(t *testing.T, at string) *dataknobs.DB {
	db, err := dataknobs.Open(t.Context(), at, nil)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (s *schema) documents() drivertest.Harness {
	open, reopen := again(openURL)
	return drivertest.Harness{
		Slow: true,
		Open: func(t *testing.T) *dataknobs.DB {
			_, at := s.fresh(t, "")
			return open(t, at)
		},
		Reopen: reopen,
	}
}

var sqlTypes = map[dataknobs.Kind]string{
	dataknobs.KindBool: "boolean", dataknobs.KindInt: "bigint", dataknobs.KindFloat: "double precision", dataknobs.KindTime: "timestamptz",
	dataknobs.KindString: "text", dataknobs.KindBytes: "bytea",
}

func (s *schema) columns() drivertest.Harness {
	open, reopen := again(openURL)
	return drivertest.Harness{
		Slow: true,
		OpenColumns: func(t *testing.T, cols []drivertest.Column) *dataknobs.DB {
			table, at := s.fresh(t, "&extra=extra&meta=meta")
			sql := "create table " + table + " (id text primary key"
			for _, c := range cols {
				sql += `, "` + strings.ReplaceAll(c.Name, `"`, `""`) + `" ` + sqlTypes[c.Kind]
			}
			s.exec(t, sql+", extra jsonb, meta jsonb)")
			return open(t, at)
		},
		Reopen: reopen, NullIsAbsent: true,
	}
}

func elasticStore(server string) drivertest.Harness {
	open, reopen := again(func(t *testing.T, o elasticsearch.Options) *dataknobs.DB {
		d, err := elasticsearch.New(t.Context(), o)
		return closed(t, d, err)
	})
	return drivertest.Harness{
		Slow: true,
		Open: func(t *testing.T) *dataknobs.DB {
			u, err := url.Parse(server)
			if err != nil {
				t.Fatal(err)
			}
			index := fmt.Sprintf("dk-fidelity-%d-%x", os.Getpid(), rand.Uint64())
			t.Cleanup(func() { drop(t, server+"/"+index) })
			return open(t, elasticsearch.Options{
				Nodes: []*url.URL{u}, Index: index, Shards: 1, Replicas: 0, Timeout: time.Minute, Types: map[string]string{"words": "text"},
			})
		},
		Reopen: reopen,
	}
}

func drop(t *testing.T, at string) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodDelete, at, nil)
	if err != nil {
		t.Error(err)
		return
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
	}
}

func bucketStore(t *testing.T) drivertest.Harness {
	server := servers.MinIO(t)
	name := fmt.Sprintf("dataknobs-fidelity-%08x", rand.Uint32())
	if err := (bucket.Server{Endpoint: server.Endpoint, Key: server.Key, Secret: server.Secret}).Make(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	open, reopen := again(func(t *testing.T, o s3.Options) *dataknobs.DB {
		d, err := s3.New(t.Context(), o)
		return closed(t, d, err)
	})
	return drivertest.Harness{
		Slow: true,
		Open: func(t *testing.T) *dataknobs.DB {
			return open(t, s3.Options{
				Bucket: name, Prefix: fmt.Sprintf("%016x/", rand.Uint64()), Endpoint: server.Endpoint, PathStyle: true,
				AccessKey: server.Key, SecretKey: server.Secret, Region: cmp.Or(os.Getenv("AWS_REGION"), "us-east-1"),
			})
		},
		Reopen: reopen,
	}
}
