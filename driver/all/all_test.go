package all_test

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/all"
)

func TestEveryKnownBackendIsThere(t *testing.T) {
	for _, k := range dataknobs.KnownBackends() {
		if k.Backend == nil || k.Import != "dataknobs.dev/dataknobs/driver/"+k.Name || k.Summary != k.Backend.Summary {
			t.Errorf("%s: got %+v", k.Name, k)
		}
	}
}

func TestEveryBackendTellsAllAboutItself(t *testing.T) {
	for _, b := range dataknobs.Backends() {
		t.Run(b.Name, func(t *testing.T) {
			if b.Summary == "" || b.Doc == "" || len(b.Needs) == 0 || len(b.Can) == 0 || b.Settings == nil {
				t.Errorf("something is missing in %+v", b)
			}
			if b.Features == nil || b.Features().Filter == nil {
				t.Fatal("nobody knows what a new store can do")
			}
			for _, a := range dataknobs.Abilities(b.Features()) {
				if a.Fidelity != dataknobs.Exact && a.Reason == "" {
					t.Errorf("%s %s of %s is %s, and nothing says why", a.Part, a.What, a.Of, a.Fidelity)
				}
			}
			for _, l := range b.Bounds() {
				if l.Name == "" || l.Text == "" {
					t.Errorf("an empty limit: %+v", l)
				}
			}
		})
	}
}

// What looks like a password, key or token is a secret.
func TestSecretsAreDeclared(t *testing.T) {
	for _, b := range dataknobs.Backends() {
		for _, o := range b.Options {
			words := strings.FieldsFunc(o.Name, func(r rune) bool { return r == '_' })
			named := strings.HasSuffix(o.Name, "password") || slices.Contains(words, "secret") || slices.Contains(words, "token") || o.Name == "api_key"
			if named != o.Secret {
				t.Errorf("%s %s: secret is %t", b.Name, o.Name, o.Secret)
			}
		}
	}
}

func TestSchemasOfAllBackends(t *testing.T) {
	for _, b := range dataknobs.Backends() {
		text, err := json.Marshal(b.Schema())
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("mem:"+b.Name, doc); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile("mem:" + b.Name)
		if err != nil {
			t.Fatalf("%s: %v", b.Name, err)
		}
		for name, rule := range b.Schema()["properties"].(map[string]any) {
			value, ok := rule.(map[string]any)["default"]
			if err := s.Validate(map[string]any{name: value}); ok && err != nil {
				t.Errorf("%s: the default of %s is refused: %v", b.Name, name, err)
			}
			if err := s.Validate(map[string]any{name: "${X}"}); err != nil {
				t.Errorf("%s: %s cannot be substituted: %v", b.Name, name, err)
			}
		}
	}
}

// A store needs no location in its URL: the options say all.
func TestStoresOpenByOptionsAlone(t *testing.T) {
	dir := t.TempDir()
	for store, params := range map[string]map[string]string{
		"memory:": {},
		"file:":   {"path": filepath.Join(dir, "a b%20.json")},
		"sqlite:": {"path": filepath.Join(dir, "a b%20.db"), "table": "people"},
	} {
		db, err := dataknobs.Open(t.Context(), store, &dataknobs.Options{Params: params})
		if err != nil {
			t.Errorf("Open(%q) with %v: %v", store, params, err)
			continue
		}
		if _, err := db.Put(t.Context(), dataknobs.NewRecord("x")); err != nil {
			t.Errorf("%s: %v", store, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if path := params["path"]; path == "" {
			continue
		} else if _, err := filepath.Glob(path); err != nil || !strings.HasSuffix(db.Name(), path) {
			t.Errorf("%s is called %s", store, db.Name())
		}
	}
	for _, store := range []string{"file:x?path=y", "sqlite:x?path=y", "s3://b?bucket=c", "es://h/i?index=j", "postgres://h/d?table=t&dbname=e", "file:", "sqlite:"} {
		if _, err := dataknobs.Open(t.Context(), store, nil); dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
			t.Errorf("Open(%q): got %v, wanted InvalidArgument", store, err)
		}
	}
}

// Where no server answers, the error says what was tried and how to check.
func TestUnreachableServersSayHowToCheck(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	noTLS, unknown := strings.TrimPrefix(plain.URL, "http://"), strings.TrimPrefix(secure.URL, "https://")
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	const keys = "&access_key=k&secret_key=hush&attempts=1&region=r"
	for _, c := range []struct {
		name, store string
		words       []string
	}{
		{"postgres, nothing listens", "postgres://me:hush@127.0.0.1:1/app?table=t", []string{"127.0.0.1:1", "nothing listens", "pg_isready -h 127.0.0.1 -p 1"}},
		{"elasticsearch, nothing listens", "es+http://me:hush@127.0.0.1:1/x?retries=0", []string{"127.0.0.1:1", "refused", "curl http://127.0.0.1:1"}},
		{"elasticsearch, no TLS", "es://me:hush@" + noTLS + "/x?retries=0", []string{"TLS", "es+http://"}},
		{"elasticsearch, a certificate of nobody known", "es://me:hush@" + unknown + "/x?retries=0", []string{"certificate", "ca_file"}},
		{"s3, nothing listens", "s3://b?endpoint=http://127.0.0.1:1" + keys, []string{"127.0.0.1:1", "refused", "endpoint"}},
		{"s3, no TLS", "s3://b?endpoint=https://" + noTLS + keys, []string{"TLS", "endpoint=http://"}},
		{"s3, a certificate of nobody known", "s3://b?endpoint=https://" + unknown + keys, []string{"certificate", "ca_file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := dataknobs.Open(t.Context(), c.store, nil)
			if err == nil || strings.Contains(err.Error(), "hush") {
				t.Fatalf("got %v, wanted an error without secrets", err)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error %q does not say %q", err, w)
				}
			}
		})
	}
}
