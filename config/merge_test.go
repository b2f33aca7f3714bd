package config_test

import (
	"maps"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
)

func sources(texts ...string) []config.Source {
	var all []config.Source
	for i, text := range texts {
		all = append(all, config.Source{Name: string(rune('a'+i)) + ".yaml", Data: []byte(text)})
	}
	return all
}

func TestLaterFilesOverride(t *testing.T) {
	for _, c := range []struct {
		name         string
		texts        []string
		path, expect string
	}{
		{"a value", []string{"s: {a: 1}", "s: {a: 2}"}, "s.a", "2"},
		{"maps merge deep", []string{"s: {a: {b: 1, c: 2}}", "s: {a: {b: 3}}"}, "s.a.c", "2"},
		{"lists are replaced", []string{"s: {a: [1, 2, 3]}", "s: {a: [4]}"}, "s.a.1", "(none)"},
		{"lists of named maps merge", []string{"s: [{name: a, v: 1, w: 5}, {name: b, v: 2}]", "s: [{name: b, v: 3}, {name: a, v: 4}]"}, "s.0.w", "5"},
		{"and take new ones", []string{"s: [{name: a, v: 1}]", "s: [{name: b, v: 3}]"}, "s.1.v", "3"},
		{"nothing removes", []string{"s: {a: 1, b: 2}", "s: {a: ~}"}, "s.a", "(none)"},
		{"another kind replaces", []string{"s: {a: {b: 1}}", "s: {a: 2}"}, "s.a", "2"},
		{"stores merge by name", []string{"databases: [{name: a, backend: file, path: x}]", "databases: [{name: a, key: id}]"}, "databases.a.path", "x"},
		{"a list and a map of stores", []string{"databases: [{name: a, backend: file, path: x}]", "databases: {a: {path: y}}"}, "databases.a.path", "y"},
		{"a layer is taken away", []string{"databases: {a: {backend: memory, layers: {retry: 3, timeout: 1s}}}", "databases: {a: {layers: {retry: ~}}}"}, "databases.a.layers.retry", "(none)"},
		{"references see what is merged", []string{"s: {a: '${s.b}', b: 1}", "s: {b: 2}"}, "s.a", "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := loadAll(t, sources(c.texts...))
			if err != nil {
				t.Fatal(err)
			}
			if got := setting(cfg, c.path); got != c.expect {
				t.Errorf("%s: got %q, want %q", c.path, got, c.expect)
			}
		})
	}
}

func TestAStoreOfAnotherKindStartsAnew(t *testing.T) {
	base := "databases: {a: {backend: postgres, host: h, table: t, layers: {retry: 3}, readonly: true}}"
	for _, c := range []struct {
		name, over string
		environ    []string
		want       map[string]string
	}{
		{"by a file", "databases: {a: {backend: memory}}", nil, map[string]string{}},
		{"by the url in a file", "databases: {a: {url: 'mem:'}}", nil, map[string]string{}},
		{"by a variable", "", []string{"DK_DATABASES_A_BACKEND=memory"}, map[string]string{}},
		{"by a variable with further ones", "", []string{"DK_DATABASES_A_BACKEND=file", "DK_DATABASES_A_PATH=p"}, map[string]string{"path": "p"}},
		{"by the url in a variable", "", []string{"DK_DATABASES_A_URL=mem:"}, map[string]string{}},
		{"the same kind by another of its names", "databases: {a: {backend: postgresql, table: u}}", nil, map[string]string{"host": "h", "table": "u"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := loadAll(t, sources(base, c.over), c.environ...)
			if err != nil {
				t.Fatal(err)
			}
			got := params(t, cfg, "a")
			delete(got, "readonly")
			if !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if setting(cfg, "databases.a.layers.retry") != "3" || setting(cfg, "databases.a.readonly") != "true" {
				t.Errorf("layers and readonly are lost: %v", cfg.Settings())
			}
		})
	}
}

func TestExtends(t *testing.T) {
	c := mustLoad(t, `databases:
  base: {backend: postgres, host: h, layers: {retry: {attempts: 5}}}
  mid: {extends: base, table: m, layers: {timeout: 1s}}
  end: {extends: mid, table: e, host: ~}
  other: {extends: mid, backend: memory}
`)
	if got := params(t, c, "mid"); got["host"] != "h" || got["table"] != "m" {
		t.Errorf("mid: %v", got)
	}
	if got := params(t, c, "end"); got["host"] != "" || got["table"] != "e" {
		t.Errorf("end: %v", got)
	}
	if setting(c, "databases.end.layers.retry.attempts") != "5" || setting(c, "databases.other.layers.timeout") != "1s" {
		t.Error("layers are not inherited")
	}
	if got := params(t, c, "other"); len(got) != 0 {
		t.Errorf("other: %v", got)
	}
	// base has no table: that matters only to who opens it.
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "databases.base: the setting table is missing") {
		t.Errorf("check: %v", err)
	}
	if _, err := c.Open(t.Context(), "base"); dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
		t.Errorf("open: %v", err)
	}
}

func TestVariablesOverride(t *testing.T) {
	text := `settings: {region: eu, deep: {a_b: 1}, list: [a, b], named: [{name: n1, v: 1}]}
databases:
  main: {backend: sqlite, path: x.db, pool: {max: 2}, layers: {retry: {attempts: 5}}}
  main_2: {backend: memory}
  a.b: {backend: memory}
`
	for _, c := range []struct{ variable, path, want string }{
		{"DK_SETTINGS_REGION=us", "settings.region", "us"},
		{"DK_SETTINGS_DEEP_A_B=2", "settings.deep.a_b", "2"},
		{"DK_SETTINGS__DEEP__A_B=2", "settings.deep.a_b", "2"},
		{"DK_SETTINGS_LIST_1=c", "settings.list.1", "c"},
		{"DK_SETTINGS_NAMED_N1_V=2", "settings.named.0.v", "2"},
		{"DK_DATABASES_MAIN_PATH=y.db", "databases.main.path", "y.db"},
		{"DK_DATABASES_MAIN_POOL_MAX=7", "databases.main.pool.max", "7"},
		{"DK_DATABASES_MAIN_POOL_ACQUIRE_TIMEOUT=7s", "databases.main.pool.acquire_timeout", "7s"},
		{"DK_DATABASES_MAIN_LAYERS_RETRY_ATTEMPTS=7", "databases.main.layers.retry.attempts", "7"},
		{"DK_DATABASES_MAIN_LAYERS_TIMEOUT=7s", "databases.main.layers.timeout", "7s"},
		{"DK_DATABASES_MAIN_2_MAX_RECORDS=7", "databases.main_2.max_records", "7"},
		{"DK_DATABASES__MAIN_2__MAX_RECORDS=7", "databases.main_2.max_records", "7"},
		{"DK_DATABASES_A_B_MAX_RECORDS=7", "databases.a.b.max_records", "7"},
		{"DK_SETTINGS_REGION=${NOT_EXPANDED}$$", "settings.region", "${NOT_EXPANDED}$$"},
		{"DK_DATABASES_MAIN_2_READONLY=yes", "databases.main_2.readonly", "yes"},
	} {
		cfg, err := load(t, text, c.variable)
		if err != nil {
			t.Errorf("%s: %v", c.variable, err)
			continue
		}
		if got := setting(cfg, c.path); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.variable, c.path, got, c.want)
		}
		name, _, _ := strings.Cut(c.variable, "=")
		for _, s := range cfg.Settings() {
			if s.Path == c.path && s.From() != "$"+name {
				t.Errorf("%s: from %q", c.variable, s.From())
			}
		}
	}
	for variable, want := range map[string]string{
		"DK_DATABASES_MAIN_PTAH=x":        "did you mean DK_DATABASES_MAIN_PATH?",
		"DK_DATABASES_MIAN_PATH=x":        "the variable names no setting",
		"DK_DATABSES_MAIN_PATH=x":         "did you mean DK_DATABASES_MAIN_PATH?",
		"DK_SETTINGS_REGOIN=x":            "did you mean DK_SETTINGS_REGION?",
		"DK_SETTINGS=x":                   "names no setting",
		"DK_DATABASES_MAIN=x":             "names no setting",
		"DK_DATABASES__MAIN__POOL__MAX=x": "names no setting",
		"DK_DATABASES_MAIN_POOL_MAX=x":    "$DK_DATABASES_MAIN_POOL_MAX: databases.main.pool.max: the option pool.max must be a whole number",
	} {
		_, err := load(t, text, variable)
		if err == nil {
			t.Errorf("%s: no error", variable)
			continue
		}
		contains(t, err.Error(), want)
	}
}

func TestOtherVariablesAreWarnedAbout(t *testing.T) {
	var warned []string
	_, err := config.New(&config.Options{
		Sources: sources("settings: {a: 1}"), Environ: []string{"DK_CONFIG=x", "DK_WHATEVER=1", "PATH=x"},
		Warn: func(msg string) { warned = append(warned, msg) },
	})
	if err != nil || len(warned) != 1 || !strings.Contains(warned[0], "DK_WHATEVER") {
		t.Errorf("%v, warned %q", err, warned)
	}
}
