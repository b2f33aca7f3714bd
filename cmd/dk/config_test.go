package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const storesYAML = `databases:
  people: {backend: file, path: data/people.json}
  copy: {backend: file, path: data/copy.ndjson}
  temp: {backend: memory}
  base: {backend: sqlite, table: t}
  a.b: {backend: memory}
`

func TestStoresAreNamedByTheConfiguration(t *testing.T) {
	s := newShell(t)
	s.write("dk.yaml", storesYAML)
	s.write("data/people.json", peopleJSON)
	same(t, "a bare word", s.ok("count", "people"), "3\n")
	same(t, "marked", s.ok("count", "@people"), "3\n")
	same(t, "a name with a dot", s.ok("count", "@a.b"), "0\n")
	same(t, "with a flag", s.ok("count", "base", "--path", "x.db"), "0\n")
	same(t, "with an option", s.ok("count", "base?path=x.db"), "0\n")
	s.ok("copy", "people", "copy")
	same(t, "copied", s.ok("count", "data/copy.ndjson"), "3\n")
	s.fails(exitUsage, []string{"the source and the destination are the same"}, "copy", "people", "data/people.json")
	s.fails(exitNotFound, []string{"did you mean people?"}, "count", "@peple")
	s.fails(exitUsage, []string{"did you mean the store people of dk.yaml?"}, "count", "peple")
	s.fails(exitUsage, []string{"the store names no file"}, "count", "base")
	// From a folder below, paths are the same.
	t.Chdir(filepath.Join(s.dir, "data"))
	same(t, "from below", s.ok("count", "people"), "3\n")
}

func TestAStoresNameWithoutConfigurationSaysSo(t *testing.T) {
	s := newShell(t)
	s.fails(exitUsage, []string{"without a configuration", "dk config init"}, "count", "people")
	s.write("people", "x")
	if r := s.run("", "count", "people"); strings.Contains(r.err, "configuration") {
		t.Errorf("of a file that is there: %s", r.err)
	}
}

func TestAFileOfTheSameNameIsWarnedAbout(t *testing.T) {
	s := newShell(t)
	s.write("dk.yaml", storesYAML)
	s.write("data/people.json", peopleJSON)
	s.write("people", `{"x": {}}`)
	r := s.run("", "count", "people")
	if r.out != "3\n" || !strings.Contains(r.err, "./people is the file") {
		t.Errorf("got %+v", r)
	}
	if r := s.run("", "count", "@people"); r.out != "3\n" || r.err != "" {
		t.Errorf("marked: got %+v", r)
	}
	if out := s.ok("count", "./people", "--format", "json"); out != "1\n" {
		t.Errorf("the file: got %q", out)
	}
}

func TestTheConfigurationIsFound(t *testing.T) {
	s := newShell(t)
	s.write("one.yaml", "databases: {a: {backend: file, path: x.json}, b: {backend: memory}}")
	s.write("two.toml", "[databases.a]\nkey = 'id'\n")
	s.write("x.json", `[{"id": "q"}]`)
	same(t, "named", s.ok("count", "a", "--config", "one.yaml", "--config", "two.toml"), "1\n")
	s.env["DK_CONFIG"] = "one.yaml" + string(os.PathListSeparator) + "two.toml"
	same(t, "by the variable", s.ok("count", "a"), "1\n")
	same(t, "both files count", s.ok("query", "a", "-o", "ndjson"), "{\"id\":\"q\"}\n")
	delete(s.env, "DK_CONFIG")
	s.fails(exitUsage, []string{"there is no configuration", "dk config init"}, "count", "@a")
	s.write("dk.yaml", "databases: {a: {backend: memory}}")
	s.write("dk.toml", "")
	s.fails(exitUsage, []string{"several configurations"}, "count", "a")
	same(t, "paths need none", s.ok("count", "x.json"), "1\n")
	s.fails(exitNotFound, []string{"cannot read the configuration none.yaml"}, "count", "a", "--config", "none.yaml")
}

func TestConfigCheckSaysAllFaults(t *testing.T) {
	s := newShell(t)
	s.write("dk.yaml", "databases:\n  a: {backend: memory, max_recrods: 1}\n  b: {backend: postgres, table: t, password: '${NOT_SET}'}\n")
	r := s.run("", "config", "check")
	if r.code != exitUsage || strings.Count(r.err, "dk.yaml:") != 2 || r.out != "" {
		t.Errorf("got %+v", r)
	}
	for _, want := range []string{"dk.yaml:2:37: databases.a.max_recrods", "did you mean max_records?", "the variable NOT_SET is not set"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("got %s\nwant in it %s", r.err, want)
		}
	}
	s.write("dk.yaml", "databases: {a: {backend: memory}, b: {backend: sqlite, path: bad.db, table: t}}")
	same(t, "well", s.ok("config", "check"), "dk.yaml: 2 stores, 0 faults\n")
	s.write("bad.db", strings.Repeat("not a database ", 500))
	r = s.run("", "config", "check", "--connect")
	if r.code != exitFailed || !strings.Contains(r.out, "a: memory, read in") || !strings.Contains(r.err, "b: ") {
		t.Errorf("connect: %+v", r)
	}
}

func TestConfigShowMasksSecretsAndSaysWhereFrom(t *testing.T) {
	s := newShell(t)
	s.write("dk.yaml", "databases:\n  a:\n    backend: postgres\n    url: postgres://u:hunter2@h/d\n    password: ${PW}\n    table: t\nsettings:\n  region: eu\n")
	t.Setenv("PW", "hunter2")
	t.Setenv("DK_SETTINGS_REGION", "us")
	for _, format := range []string{"table", "json", "ndjson", "csv", "yaml"} {
		out := s.ok("config", "show", "-o", format)
		if strings.Contains(out, "hunter2") || !strings.Contains(out, "***") || !strings.Contains(out, "$DK_SETTINGS_REGION") || !strings.Contains(out, "dk.yaml:5:15 $PW") {
			t.Errorf("%s:\n%s", format, out)
		}
	}
	same(t, "one store", s.ok("config", "show", "a", "-o", "yaml"), `databases:
  a:
    backend: postgres # dk.yaml:3:14
    url: "postgres://u:***@h/d" # dk.yaml:4:10
    password: "***" # dk.yaml:5:15 $PW
    table: t # dk.yaml:6:12
`)
	s.fails(exitNotFound, []string{"no store is called"}, "config", "show", "x")
}

func TestConfigInitNeverOverwrites(t *testing.T) {
	s := newShell(t)
	s.ok("config", "init")
	first := s.read("dk.yaml")
	same(t, "check", s.ok("config", "check"), "dk.yaml: 2 stores, 0 faults\n")
	s.fails(exitConflict, []string{"dk.yaml is there already"}, "config", "init")
	s.ok("config", "init", "other.yml")
	if s.read("dk.yaml") != first || s.read("other.yml") != first {
		t.Error("the file was changed")
	}
	s.fails(exitUsage, []string{"YAML"}, "config", "init", "dk.toml")
	var schema map[string]any
	if err := json.Unmarshal([]byte(s.ok("config", "schema")), &schema); err != nil || schema["$defs"] == nil {
		t.Errorf("schema: %v", err)
	}
	s.fails(exitUsage, []string{"one of check"}, "config", "chekc")
}

func TestStoresOfTheConfigurationAreCompleted(t *testing.T) {
	s := newShell(t)
	s.write("dk.yaml", storesYAML)
	for word, want := range map[string]string{"peo": "people\t", "@peo": "@people\t"} {
		if out := s.ok("__complete", "query", word); !strings.Contains(out, want) {
			t.Errorf("%s: got %s", word, out)
		}
	}
}
