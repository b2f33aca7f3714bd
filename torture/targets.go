package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"dataknobs.dev/dataknobs/internal/servers"
	"dataknobs.dev/dataknobs/internal/servers/bucket"
)

// names are the stores in the order in which they are tortured.
var names = []string{"file", "sqlite", "postgres", "elasticsearch", "minio"}

// newTarget makes a fresh store, with a server of its own where it has one.
// done removes both.
func newTarget(ctx context.Context, name string) (t *target, done func(), err error) {
	switch name {
	case "file", "sqlite":
		return embedded(name)
	}
	s, err := servers.New(name)
	if err != nil {
		return nil, nil, err
	}
	t = &target{name: name, server: s, host: fmt.Sprintf("127.0.0.1:%d", s.Port)}
	switch name {
	case "postgres":
		t.store, t.atomic = s.URL+"?table=torture", true
	case "elasticsearch":
		t.store, t.slow = "es+"+s.URL+"/torture", 4
	case "minio":
		t.signed = true
		t.store = fmt.Sprintf("s3://torture/records?endpoint=http://%s&region=us-east-1&access_key=testkey&secret_key=testsecret", t.host)
		if err := makeBucket(ctx, t.host); err != nil {
			s.Close()
			return nil, nil, err
		}
	}
	return t, s.Close, nil
}

// through is the store's name with addr in place of its server; with the file
// of an authority, by TLS.
func (t *target) through(addr, caFile string) string {
	store := strings.ReplaceAll(t.store, t.host, addr)
	if caFile == "" {
		return store
	}
	caFile = url.QueryEscape(caFile)
	switch t.name {
	case "postgres":
		return store + "&sslmode=verify-full&sslrootcert=" + caFile
	case "elasticsearch":
		return strings.Replace(store, "es+http:", "es+https:", 1) + "?ca_file=" + caFile
	}
	return strings.Replace(store, "endpoint=http:", "endpoint=https:", 1) + "&ca_file=" + caFile
}

func embedded(name string) (*target, func(), error) {
	dir, err := os.MkdirTemp("", "dataknobs-torture-")
	if err != nil {
		return nil, nil, err
	}
	t := &target{name: name, store: filepath.Join(dir, "torture.ndjson"), atomic: true}
	if name == "sqlite" {
		t.store = "sqlite:" + filepath.Join(dir, "torture.db") + "?table=torture"
	}
	return t, func() { os.RemoveAll(dir) }, nil
}

func makeBucket(ctx context.Context, host string) error {
	return bucket.Server{Endpoint: "http://" + host, Key: "testkey", Secret: "testsecret"}.Make(ctx, "torture")
}
