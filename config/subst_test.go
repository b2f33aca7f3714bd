package config_test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"dataknobs.dev/dataknobs/config"
	"dataknobs.dev/dataknobs/internal/hostile"
)

func TestSubstitution(t *testing.T) {
	env := []string{"HOST=db1", "EMPTY=", "NESTED=${HOST}", "lower=low", "DOLLAR=$$"}
	for _, c := range []struct{ name, text, want string }{
		{"variable", "${HOST}", "db1"},
		{"lower case", "${lower}", "low"},
		{"inside a text", "a-${HOST}-b", "a-db1-b"},
		{"two", "${HOST}${HOST}", "db1db1"},
		{"default", "${NONE:x}", "x"},
		{"default with a dash", "${NONE:-x}", "x"},
		{"set", "${HOST:x}", "db1"},
		{"empty counts as set", "a${EMPTY:x}b", "ab"},
		{"empty counts as unset with a dash", "a${EMPTY:-x}b", "axb"},
		{"empty default", "a${NONE:}b", "ab"},
		{"colons in a default", "${NONE:http://h:80/}", "http://h:80/"},
		{"default with a substitution", "${NONE:${HOST}}", "db1"},
		{"defaults inside each other", "${NONE:a${NO2:b${NO3:c}}}", "abc"},
		{"unused default may be wrong", "${HOST:${NONE}}", "db1"},
		{"dollar", "a$$b", "a$b"},
		{"escaped substitution", "$${HOST}", "${HOST}"},
		{"two dollars and a substitution", "$$$${HOST}", "$${HOST}"},
		{"dollar before a substitution", "$$${HOST}", "$db1"},
		{"lone dollar", "pa$word", "pa$word"},
		{"dollar at the end", "a$", "a$"},
		{"dollar in a default", "${NONE:a$$b}", "a$b"},
		{"one pass", "${NESTED}", "${HOST}"},
		{"one pass, dollars", "${DOLLAR}", "$$"},
		{"one pass through a reference", "${settings.nested}", "${HOST}"},
		{"reference", "${settings.region}", "eu"},
		{"reference to a reference", "${settings.again}", "eu"},
		{"reference inside a text", "x-${settings.region}-${settings.number}", "x-eu-42"},
		{"reference with a default", "${settings.none:d}", "d"},
		{"reference to an empty one", "a${settings.empty:-d}", "ad"},
		{"reference to a store", "${databases.main.path}", "p.json"},
		{"reference to what is inherited", "${databases.child.path}", "p.json"},
		{"reference to an option with a dot", "${databases.lite.pool.max}", "3"},
		{"reference into a list", "${settings.list.1}", "two"},
		{"reference into a list of named", "${settings.named.b.v}", "2"},
		{"reference with a dash", "${settings.a-b}", "ab"},
		{"braces that are none", "{a} $(b) {", "{a} $(b) {"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := load(t, `databases:
  main: {backend: file, path: p.json}
  child: {extends: main, key: id}
  lite: {backend: sqlite, path: x.db, pool: {max: 3}}
settings:
  region: eu
  again: ${settings.region}
  number: 42
  empty: ''
  nested: ${NESTED}
  a-b: ab
  list: [one, two]
  named: [{name: a, v: 1}, {name: b, v: 2}]
test: {v: '`+c.text+`'}
`, env...)
			if err != nil {
				t.Fatalf("%s: %v", c.text, err)
			}
			if got := setting(cfg, "test.v"); got != c.want {
				t.Errorf("%s: got %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestSubstitutionThatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"not set", "${NONE}", "dk.yaml:3:6: test.v: the variable NONE is not set (set it, or give a default: ${NONE:default})"},
		{"not set in a default", "${NO2:${NONE}}", "NONE is not set"},
		{"no end", "${HOST", "no } that ends it"},
		{"no end after a colon", "${HOST:a", "no } that ends it"},
		{"no name", "${}", "is neither the name"},
		{"bad name", "${a-b}", "is neither the name"},
		{"space", "${ HOST }", "is neither the name"},
		{"no such setting", "${settings.regoin}", "did you mean settings.region?"},
		{"no such section", "${setings.region}", "did you mean settings.region?"},
		{"itself", "${test.v}", "test.v → test.v"},
		{"a section", "x${settings}", "the variable settings is not set"},
		{"a map inside a text", "x${settings.map.inner}", "is a map"},
		{"a list inside a text", "x${settings.list}", "is a list, which cannot stand inside a text"},
		{"no secret file", "${file:/nowhere/at/all}", "cannot read the secret file /nowhere/at/all"},
		{"no file named", "${file:}", "names no file"},
		{"nested too deep", strings.Repeat("${A:", 20) + strings.Repeat("}", 20), "more than 16 deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := load(t, "settings: {region: eu, list: [1], map: {inner: {a: 1}}}\ntest:\n  v: '"+c.text+"'\n")
			if err == nil {
				err = cfg.Check()
			}
			if err == nil {
				t.Fatalf("%s: no error", c.text)
			}
			contains(t, err.Error(), c.want)
		})
	}
}

func TestCyclesAreShown(t *testing.T) {
	_, err := load(t, `settings:
  a: ${settings.b}
  b: x${databases.d.path}
databases:
  d: {backend: file, path: '${settings.a}'}
`)
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "in a circle", "settings.a → settings.b → databases.d.path → settings.a")
	if n := strings.Count(err.Error(), "circle"); n != 1 {
		t.Errorf("the circle is told %d times:\n%v", n, err)
	}
}

func TestAWholeValueTakesTheTypeOfItsSetting(t *testing.T) {
	text := `settings: {nulls: [NA, none], port: 5432}
databases:
  a:
    backend: ${KIND}
    path: x.csv
    nulls: ${settings.nulls}
    header: ${HEADER}
    fold: ${FOLD}
    types: ${TYPES:}
  b: {backend: postgres, port: '${settings.port}', pool.max: '${MAX}', statement_timeout: '${WAIT}'}
`
	env := []string{"KIND=file", "HEADER=false", "FOLD=64MiB", "MAX=12", "WAIT=1h30m"}
	c := mustLoad(t, text, env...)
	a, b := params(t, c, "a"), params(t, c, "b")
	if a["nulls"] != "NA,none" || a["header"] != "false" || a["fold"] != "64MiB" {
		t.Errorf("a: %v", a)
	}
	if _, set := a["types"]; set {
		t.Error("a text that substitution left empty is set")
	}
	if b["port"] != "5432" || b["pool.max"] != "12" || b["statement_timeout"] != "1h30m" {
		t.Errorf("b: %v", b)
	}
	for variable, want := range map[string]string{
		"HEADER=maybe": `databases.a.header: the option header must be true, false, yes, no, on, off, 1 or 0, not "maybe" (the setting is of the type bool; the value comes from $HEADER)`,
		"FOLD=big":     "the setting is of the type size; the value comes from $FOLD",
		"MAX=1.5":      "must be a whole number",
		"WAIT=soon":    "must be a duration",
		"TYPES=zip":    "name:value pairs",
	} {
		_, err := load(t, text, append(env, variable)...)
		if err == nil {
			t.Errorf("%s: no error", variable)
			continue
		}
		contains(t, err.Error(), want, "dk.yaml:")
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	dir := t.TempDir()
	secret := "hunter2secret"
	file := write(t, filepath.Join(dir, "secret"), secret+"\n")
	text := `settings:
  pw: ` + secret + `
  copy: ${databases.a.password}
databases:
  a: {backend: postgres, host: h, dbname: d, user: u, password: '${settings.pw}', pool.max: '${file:` + file + `}'}
  b: {backend: postgres, url: 'postgres://u:` + secret + `@h/d'}
  c: {backend: file, path: x, header: '${databases.a.password}'}
  d: {backend: postgres, password: '${PW}', statement_timeout: '${file:` + file + `}'}
mailers:
  m: {api_token: ` + secret + `, text: 'a ${file:` + file + `}'}
`
	c, faults, err := config.Inspect(&config.Options{Sources: []config.Source{{Name: "dk.yaml", Data: []byte(text)}}, Environ: []string{"PW=" + secret}})
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) < 3 {
		t.Errorf("want faults of a.pool.max, c.header and d.statement_timeout, got %v", faults)
	}
	var shown strings.Builder
	shown.WriteString(faults.Error())
	for _, s := range c.Settings() {
		shown.WriteString("\n" + s.Path + " " + s.Text + " " + s.From() + " " + s.Fault)
	}
	if err := c.WriteYAML(&shown); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "c", "d"} {
		if _, err := c.Open(t.Context(), name); err != nil {
			shown.WriteString(err.Error())
		}
	}
	if strings.Contains(shown.String(), secret) {
		t.Errorf("the secret is shown:\n%s", shown.String())
	}
	contains(t, shown.String(), "databases.a.password ***", "settings.pw ***", "//u:***@h/d", "mailers.m.api_token ***")
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "one"), "abc\n")
	write(t, filepath.Join(dir, "crlf"), "abc\r\n")
	write(t, filepath.Join(dir, "two"), "abc\n\n")
	write(t, filepath.Join(dir, "dollar"), "a${HOME}b$$")
	write(t, filepath.Join(dir, "large"), strings.Repeat("x", 70000))
	write(t, filepath.Join(dir, "binary"), "a\xff")
	for file, want := range map[string]string{"one": "abc", "crlf": "abc", "two": "abc\n", "dollar": "a${HOME}b$$", "../" + filepath.Base(dir) + "/one": "abc"} {
		text := "databases: {a: {backend: postgres, password: '${file:${DIR:" + dir + "}/" + file + "}'}}"
		if got := params(t, mustLoad(t, text), "a")["password"]; got != want {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
	for file, want := range map[string]string{"large": "more than 65536 bytes", "binary": "is not text", "none": "no such file"} {
		c := mustLoad(t, "databases: {a: {backend: postgres, password: '${file:"+dir+"/"+file+"}'}}")
		_, err := c.Open(t.Context(), "a")
		if err == nil {
			t.Errorf("%s: no error", file)
			continue
		}
		contains(t, err.Error(), want, "databases.a.password")
	}
	path := write(t, filepath.Join(dir, "sub", "dk.yaml"), "databases: {a: {backend: postgres, password: '${file:../one}'}}")
	c, err := config.New(&config.Options{Files: []string{path}, Environ: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := params(t, c, "a")["password"]; got != "abc" {
		t.Errorf("relative to the file: got %q", got)
	}
}

func FuzzSubstitution(f *testing.F) {
	for _, s := range []string{"${A}", "${A:b}", "${A:-${B:c}}", "$$", "$${A}", "${settings.a}", "${test.v}", "${file:x}", "${", "a$b", "${A:}}"} {
		f.Add(s, "value")
	}
	for _, s := range hostile.Seeds(hostile.Substitutions) {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		quoted, ok := jsonText(text)
		if !ok || !utf8.ValidString(value) || strings.ContainsAny(value, "\x00") || strings.Contains(text, "file:") {
			return
		}
		c, faults, err := config.Inspect(&config.Options{
			Sources: []config.Source{{Name: "dk.json", Data: []byte(`{"settings": {"a": "${A}"}, "test": {"v": ` + quoted + `}}`)}},
			Environ: []string{"A=" + value, "PLAIN=x"},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := setting(c, "test.v")
		switch {
		case len(faults) > 0 && got != "" && got != "(none)":
			t.Errorf("%q: faults %v and the value %q", text, faults, got)
		case len(faults) == 0 && !strings.Contains(text, "$") && !strings.Contains(text, "=") && !strings.Contains(text, "//") && got != text:
			t.Errorf("%q became %q", text, got)
		case len(faults) == 0 && text == "${A}" && !strings.Contains(value, "=") && !strings.Contains(value, "//") && got != value:
			t.Errorf("a value was changed: %q became %q", value, got)
		}
	})
}
