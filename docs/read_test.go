package docs_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
	"dataknobs.dev/dataknobs/internal/servers"
	"dataknobs.dev/dataknobs/internal/servers/bucket"
)

// The yaml blocks are configurations without a fault.
func TestConfigurations(t *testing.T) {
	for _, b := range of(t, "yaml") {
		text := b.text
		if strings.HasPrefix(text, "layers:") { // of a store
			text = "databases:\n  store:\n    backend: memory\n    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
		}
		path := filepath.Join(t.TempDir(), "dk.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(path)
		if err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
			continue
		}
		if err := cfg.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The json blocks are JSON.
func TestJSON(t *testing.T) {
	for _, b := range of(t, "json") {
		if !json.Valid([]byte(b.text)) {
			t.Errorf("%s:%d is no JSON:\n%s", b.page, b.line, b.text)
		}
	}
}

// Blocks without a language hold names of stores, one in a line, with a remark
// behind. Opening one under a context that is done reads the name and its
// options, and nothing else.
func TestStores(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, b := range of(t, "") {
		for line := range strings.Lines(b.text) {
			store, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
			if _, err := dataknobs.Open(done, store, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("%s:%d: %s: %v", b.page, b.line, store, err)
			}
		}
	}
}

// The method that the design of the layers shows is the one that they have.
func TestDesign(t *testing.T) {
	for _, b := range blocks(t) {
		if b.page != "docs/design/0010-layers.md" || b.language != "go" {
			continue
		}
		files, err := filepath.Glob("../layer/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), strings.TrimSpace(b.text)) {
				return
			}
		}
		t.Errorf("%s:%d is nowhere in the package layer:\n%s", b.page, b.line, b.text)
	}
}

func makeBucket(t *testing.T, s *servers.S3Server, name string) {
	t.Helper()
	err := bucket.Server{Endpoint: s.Endpoint, Key: s.Key, Secret: s.Secret}.Make(t.Context(), name)
	if err != nil && !strings.Contains(err.Error(), "BucketAlreadyOwnedByYou") {
		t.Fatal(err)
	}
}
