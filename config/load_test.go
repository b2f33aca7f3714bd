package config_test

import (
	"maps"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
)

const issueExample = `settings:
  region: ${AWS_REGION:eu-central-1}
  bucket_prefix: people
databases:
  - name: main
    backend: postgres
    host: ${DB_HOST:localhost}
    port: ${DB_PORT:5432}          # an int, because the setting is one
    password: ${DB_PASSWORD}       # required: its absence is an error that names it
    table: people
    layers:
      retry: {attempts: 5}
      timeout: 10s
  - name: archive
    backend: s3
    bucket: ${settings.bucket_prefix}-archive
    region: ${settings.region}
  - name: scratch
    extends: main
    table: scratch
`

func TestTheExampleOfTheGuideIsRead(t *testing.T) {
	c := mustLoad(t, issueExample, "DB_PASSWORD=s3cret", "DB_PORT=6000")
	for store, want := range map[string]map[string]string{
		"main":    {"host": "localhost", "port": "6000", "password": "s3cret", "table": "people"},
		"archive": {"bucket": "people-archive", "region": "eu-central-1"},
		"scratch": {"host": "localhost", "port": "6000", "password": "s3cret", "table": "scratch"},
	} {
		if got := params(t, c, store); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", store, got, want)
		}
	}
	if got := strings.Join(c.Names(), " "); got != "main archive scratch" {
		t.Errorf("names: %s", got)
	}
}

func TestFormatsSayTheSame(t *testing.T) {
	for name, text := range map[string]string{
		"dk.yaml": "databases:\n  - name: a\n    backend: file\n    path: x.csv\n    nulls: [NA, '-']\n    header: no\n    types: {zip: string, n: int}\n    fold: 64KiB\n",
		"dk.yml":  "databases: {a: {backend: file, path: x.csv, nulls: 'NA,-', header: no, types: 'zip:string,n:int', fold: 64KiB}}\n",
		"dk.json": `{"databases": [{"name": "a", "backend": "file", "path": "x.csv", "nulls": ["NA", "-"], "header": "no", "types": {"zip": "string", "n": "int"}, "fold": "64KiB"}]}`,
		"dk.toml": "[[databases]]\nname = 'a'\nbackend = 'file'\npath = 'x.csv'\nnulls = ['NA', '-']\nheader = 'no'\nfold = '64KiB'\n[databases.types]\nzip = 'string'\nn = 'int'\n",
	} {
		c, err := loadAll(t, []config.Source{{Name: name, Data: []byte(text)}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := map[string]string{"path": "x.csv", "nulls": "NA,-", "header": "no", "types": "zip:string,n:int", "fold": "64KiB"}
		if got := params(t, c, "a"); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestScalarsKeepTheirText(t *testing.T) {
	c := mustLoad(t, `settings:
  a: 1.10
  b: no
  c: 0123
  d: 0x1F
  e: "quoted # text"
  f: 2020-01-02
  g: |
    two
    lines
  h: !!str 12
  i: 1_000
  j: ~
  k: ' 1'
  l: y
`)
	for path, want := range map[string]string{
		"a": "1.10", "b": "no", "c": "0123", "d": "31", "e": "quoted # text", "f": "2020-01-02", "g": "two\nlines\n",
		"h": "12", "i": "1000", "j": "(none)", "k": " 1", "l": "y",
	} {
		if got := setting(c, "settings."+path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestItemsWithCommasAndColonsReachTheirOption(t *testing.T) {
	c := mustLoad(t, `databases:
  a: {backend: file, path: x.csv, nulls: ['a,b', 'c\d', plain], types: {'x:y': string, 'p,q': int}}
`)
	if got := params(t, c, "a"); got["nulls"] != `a\,b,c\\d,plain` || got["types"] != `x\:y:string,p\,q:int` {
		t.Errorf("got %v", got)
	}
}

func TestOptionsWithDotsStandFlatOrInAMap(t *testing.T) {
	for _, text := range []string{
		"databases: {a: {backend: sqlite, path: x.db, pool: {max: 3, acquire_timeout: 1s}}}",
		"databases: {a: {backend: sqlite, path: x.db, pool.max: 3, pool.acquire_timeout: 1s}}",
	} {
		if got := params(t, mustLoad(t, text), "a"); got["pool.max"] != "3" || got["pool.acquire_timeout"] != "1s" {
			t.Errorf("%s: got %v", text, got)
		}
	}
	_, err := load(t, "databases: {a: {backend: sqlite, path: x.db, pool.max: 3, pool: {max: 4}}}")
	if err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("both: got %v", err)
	}
}

func TestMergeKeysAndAliasesAreRead(t *testing.T) {
	c := mustLoad(t, `settings:
  base: &base {region: eu, size: 1}
  other: {<<: *base, size: 2}
  list: [*base]
  many: {<<: [{a: 1}, {a: 2, b: 3}]}
`)
	for path, want := range map[string]string{
		"other.region": "eu", "other.size": "2", "list.0.region": "eu", "many.a": "1", "many.b": "3",
	} {
		if got := setting(c, "settings."+path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestFaultsHaveTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"unknown key", "dk.yaml", "databases:\n  - name: a\n    backend: file\n    path: x\n    nulsl: NA\n", "dk.yaml:5:12: databases.a.nulsl: a store of the backend file has no setting \"nulsl\" (did you mean nulls?)"},
		{"wrong type", "dk.yaml", "databases:\n  a:\n    backend: postgres\n    pool.max: many\n", `dk.yaml:4:15: databases.a.pool.max: the option pool.max must be a whole number, not "many" (the setting is of the type int)`},
		{"bounds", "dk.yaml", "databases: {a: {backend: memory, max_records: -1}}", "max_records must be at least 0"},
		{"list for a text", "dk.yaml", "databases: {a: {backend: file, path: [a, b]}}", "the setting is of the type string, not a list"},
		{"duplicate key", "dk.yaml", "a: 1\nb: 2\na: 3\n", "dk.yaml:3:1: a: the key stands twice; first at line 1"},
		{"duplicate in json", "dk.json", "{\"a\": 1,\n \"a\": 2}", "dk.json:2:2: a: the key stands twice"},
		{"duplicate in toml", "dk.toml", "a = 1\na = 2\n", "dk.toml:2:1"},
		{"duplicate store", "dk.yaml", "databases:\n- {name: a, backend: memory}\n- {name: a, backend: memory}\n", "dk.yaml:3:"},
		{"bad yaml", "dk.yaml", "a: [1, 2\nb: 3\n", "dk.yaml:"},
		{"bad json", "dk.json", "{\"a\": 1,}", "dk.json:1:"},
		{"json that does not end", "dk.json", "{\"a\": [1", "does not end"},
		{"two json values", "dk.json", "{} {}", "stands after the end"},
		{"bad toml", "dk.toml", "a = \n", "dk.toml:1:"},
		{"documents", "dk.yaml", "a: 1\n---\nb: 2\n", "several YAML documents"},
		{"alias without anchor", "dk.yaml", "a: *b\n", "dk.yaml:1:"},
		{"tag", "dk.yaml", "a: !secret b\n", "!secret means nothing"},
		{"no map", "dk.yaml", "- a\n- b\n", "a map of sections, not a list"},
		{"not utf-8", "dk.yaml", "a: \xff\n", "not UTF-8"},
		{"nul", "dk.yaml", "a: \x00\n", "NUL"},
		{"ending", "dk.yaml2", "a: 1", "did you mean"},
		{"no backend", "dk.yaml", "databases: {a: {path: x}}", "neither a backend nor a url"},
		{"url of another", "dk.yaml", "databases: {a: {backend: memory, url: 'file:x.csv'}}", "not one of the backend memory"},
		{"store is no map", "dk.yaml", "databases: {a: memory}", "a store is a map of settings, not a text"},
		{"no name", "dk.yaml", "databases: [{backend: memory}]", "a store has no name"},
		{"bad name", "dk.yaml", "databases: {'a/b': {backend: memory}}", "cannot be called"},
		{"two names", "dk.yaml", "databases: {a: {name: b, backend: memory}}", "called a and b"},
		{"unknown layer", "dk.yaml", "databases: {a: {backend: memory, layers: {retyr: 3}}}", "did you mean retry?"},
		{"unknown setting of a layer", "dk.yaml", "databases: {a: {backend: memory, layers: {retry: {atempts: 3}}}}", "did you mean attempts?"},
		{"setting of a layer", "dk.yaml", "databases: {a: {backend: memory, layers: {timeout: soon}}}", "must be a duration"},
		{"extends nobody", "dk.yaml", "databases: {main: {backend: memory}, b: {extends: mian}}", "did you mean main?"},
		{"extends in a circle", "dk.yaml", "databases: {a: {extends: b}, b: {extends: c}, c: {extends: a}}", "a → b → c → a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := loadAll(t, []config.Source{{Name: c.file, Data: []byte(c.text)}})
			if err == nil {
				t.Fatalf("no error; want %s", c.want)
			}
			if dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
				t.Errorf("code %v", dataknobs.CodeOf(err))
			}
			contains(t, err.Error(), c.want)
		})
	}
}

func TestAllFaultsAreTold(t *testing.T) {
	_, err := load(t, `databases:
  a: {backend: file, path: x, nulsl: NA, headr: true}
  b: {backend: postgres, pool.max: x}
  c: {extends: d}
settings:
  e: ${oops
`)
	got := faultsOf(t, err)
	if n := strings.Count(got, "\n") + 1; n < 5 {
		t.Errorf("got %d faults, want 5:\n%s", n, got)
	}
	contains(t, got, "nulsl", "headr", "pool.max", "no store called", "has no }")
}

func TestAnEmptyFileIsAnEmptyConfiguration(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n", "{}", "null"} {
		c, err := load(t, text)
		if err != nil || len(c.Names()) != 0 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAFileThatIsNotThereIsNotFound(t *testing.T) {
	_, err := config.Load(t.TempDir() + "/dk.yaml")
	if dataknobs.CodeOf(err) != dataknobs.NotFound {
		t.Errorf("got %v", err)
	}
}
