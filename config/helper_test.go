package config_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"dataknobs.dev/dataknobs/config"
	_ "dataknobs.dev/dataknobs/driver/all"
	"dataknobs.dev/dataknobs/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

// load loads a text as dk.yaml, with those variables and no others.
func load(t *testing.T, text string, environ ...string) (*config.Config, error) {
	t.Helper()
	return loadAll(t, []config.Source{{Name: "dk.yaml", Data: []byte(text)}}, environ...)
}

func loadAll(t *testing.T, sources []config.Source, environ ...string) (*config.Config, error) {
	t.Helper()
	c, err := config.New(&config.Options{Sources: sources, Environ: append([]string{}, environ...)})
	if err == nil {
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	return c, err
}

func mustLoad(t *testing.T, text string, environ ...string) *config.Config {
	t.Helper()
	c, err := load(t, text, environ...)
	if err != nil {
		t.Fatalf("load: %v\n%s", err, text)
	}
	return c
}

// setting returns the shown text of a setting; "(none)" if there is none.
func setting(c *config.Config, path string) string {
	for _, s := range c.Settings() {
		if s.Path == path {
			return s.Text
		}
	}
	return "(none)"
}

// params returns the options that a store is opened with.
func params(t *testing.T, c *config.Config, store string) map[string]string {
	t.Helper()
	_, p, err := c.Location(store)
	if err != nil {
		t.Fatalf("store %s: %v", store, err)
	}
	return p
}

// faultsOf returns the faults of an error as lines.
func faultsOf(t *testing.T, err error) string {
	t.Helper()
	var fs config.Faults
	if !errors.As(err, &fs) {
		t.Fatalf("not faults: %v", err)
	}
	var lines []string
	for _, f := range fs {
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// contains fails unless text has all the parts in it.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("got %s\nwant in it: %s", text, p)
		}
	}
}

// jsonText is a text in JSON; false if it is not UTF-8.
func jsonText(text string) (string, bool) {
	b, err := json.Marshal(text)
	return string(b), err == nil && utf8.ValidString(text)
}

// replace puts another file in the place of one, as editors do.
func replace(t *testing.T, path, text string) {
	t.Helper()
	write(t, path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
