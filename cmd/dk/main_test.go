package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/internal/servers"
)

// runAsDK makes the test binary behave as the command: for tests that need a
// process of its own.
const runAsDK = "DK_TEST_RUN_AS_DK"

func TestMain(m *testing.M) {
	if os.Getenv(runAsDK) != "" {
		main()
	}
	servers.Main(m)
}

// A shell runs commands in a folder of its own.
type shell struct {
	t      *testing.T
	dir    string
	env    map[string]string
	screen screen // what stdout is; the zero one is a pipe
	notes  bool   // stderr is a terminal
}

func newShell(t *testing.T) *shell {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	return &shell{t: t, dir: dir, env: map[string]string{"XDG_STATE_HOME": filepath.Join(dir, ".state"), "TERM": "xterm"}}
}

// A result is what a command did.
type result struct {
	out, err string
	code     int
}

func (s *shell) run(stdin string, args ...string) result {
	return s.runContext(s.t.Context(), stdin, args...)
}

func (s *shell) runContext(ctx context.Context, stdin string, args ...string) result {
	var out, errs bytes.Buffer
	a := newApp(strings.NewReader(stdin), &out, &errs, func(k string) string { return s.env[k] })
	a.out = s.screen
	a.err = screen{tty: s.notes, width: s.screen.width}
	code := a.run(ctx, args)
	return result{out.String(), errs.String(), code}
}

// ok runs a command that must succeed and returns what it printed.
func (s *shell) ok(args ...string) string {
	s.t.Helper()
	return s.okWith("", args...)
}

func (s *shell) okWith(stdin string, args ...string) string {
	s.t.Helper()
	r := s.run(stdin, args...)
	if r.code != 0 {
		s.t.Fatalf("dk %s\nexit code %d\n%s", strings.Join(args, " "), r.code, r.err)
	}
	return r.out
}

// fails runs a command that must fail with that code, and with all of the
// texts on stderr.
func (s *shell) fails(code int, texts []string, args ...string) {
	s.t.Helper()
	r := s.run("", args...)
	if r.code != code {
		s.t.Errorf("dk %s\nexit code %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	for _, text := range texts {
		if !strings.Contains(r.err, text) {
			s.t.Errorf("dk %s\nstderr: %swant in it: %s", strings.Join(args, " "), r.err, text)
		}
	}
}

func (s *shell) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shell) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// same compares a text with what was wanted.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s\ngot:\n%s\nwant:\n%s", what, got, want)
	}
}

const peopleJSON = `{
  "ada": {"name": "Ada Lovelace", "born": 1815, "email": "ada@example.org", "tags": ["maths", "engines"], "address": {"city": "London"}},
  "grace": {"name": "Grace Hopper", "born": 1906, "email": null, "address": {"city": "New York"}},
  "李": {"name": "李善兰", "born": 1811, "address": {"city": "上海"}}
}
`

const planesCSV = `tailnum,year,maker,seats
N14228,1999,BOEING,149
N24211,1998,BOEING,149
N201AA,1959,CESSNA,2
N000,,"Smith, Jones & Co",
`

func TestExitCodes(t *testing.T) {
	s := newShell(t)
	s.write("people.json", peopleJSON)
	s.write("planes.csv", planesCSV)
	s.write("bad.json", `[{"a":1},{"a":`)
	for _, c := range []struct {
		name  string
		code  int
		texts []string
		args  string
	}{
		{"no store", 2, []string{"no store is named", "usage: dk query STORE"}, "query"},
		{"unknown command", 2, []string{`no command "qurey"`, "did you mean dk query?"}, "qurey|x"},
		{"a store for a command", 2, []string{"dk query planes.csv"}, "planes.csv"},
		{"unknown flag", 2, []string{"no flag --nuls", "did you mean --nulls?"}, "query|planes.csv|--nuls|NA"},
		{"unknown flag of dk itself", 2, []string{"dk: dk has no flag --nulls", "after it: dk query STORE --nulls"}, "--nulls|NA"},
		{"unknown short flag", 2, []string{"no flag -z"}, "query|planes.csv|-z"},
		{"flag without value", 2, []string{"flag needs an argument"}, "query|planes.csv|--nulls"},
		{"two texts", 2, []string{"one argument, but 4 were given", `"born > 1900 limit"`}, "query|people.json|born|>|1900|limit"},
		{"syntax error", 2, []string{"^"}, "query|people.json|born > > 1900"},
		{"misspelt clause", 2, []string{"did you mean ORDER BY?"}, "query|people.json|born > 1 oder by born"},
		{"unknown output", 2, []string{"did you mean table?"}, "query|people.json|-o|tabel"},
		{"unknown option in the URL", 2, []string{"nulls"}, "query|planes.csv?nuls=NA"},
		{"an option that the backend lacks", 2, []string{"memory", "nulls"}, "query|mem:|--nulls|NA"},
		{"unknown scheme", 2, []string{"fiel"}, "query|fiel:x.csv"},
		{"missing parameter", 2, []string{":age"}, "query|people.json|born > :age"},
		{"bad parameter", 2, []string{"name=value"}, "query|people.json|born > :age|--param|age"},
		{"missing file", 3, []string{"no.csv"}, "query|no.csv"},
		{"missing record", 3, []string{`"nobody"`, "not found"}, "get|people.json|nobody"},
		{"broken file", 1, []string{"bad.json"}, "query|bad.json"},
		{"a query where a condition belongs", 2, []string{"only a condition"}, "count|people.json|select name"},
		{"nothing to patch", 2, []string{"nothing to change"}, "patch|people.json|ada"},
		{"patch of nothing", 3, nil, "patch|people.json|nobody|a=1"},
		{"delete without IDs", 2, []string{"no record is named"}, "delete|people.json"},
		{"delete of nothing", 3, nil, "delete|people.json|nobody"},
		{"create of what exists", 4, []string{"exists"}, "put|people.json|ada|a=1|--mode|create"},
		{"update of what does not", 3, nil, "put|people.json|bob|a=1|--mode|update"},
		{"another revision", 4, nil, "patch|people.json|ada|a=1|--if-revision|zzz"},
		{"unknown mode", 2, []string{"did you mean create?"}, "put|people.json|ada|a=1|--mode|creat"},
		{"unknown backend", 2, []string{"file"}, "backends|fiel"},
		{"unknown shell", 2, []string{"bash, zsh, fish"}, "completion|powershell"},
		{"copy to itself", 2, []string{"same file"}, "copy|people.json|./people.json"},
		{"copy without destination", 2, []string{"the destination is missing"}, "copy|people.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := *s
			s.t = t
			s.fails(c.code, c.texts, strings.Split(c.args, "|")...)
		})
	}
	same(t, "people.json afterwards", s.read("people.json"), peopleJSON)
}

// TestErrorsAreOneLine: but for the text of a query and its caret.
func TestErrorsAreOneLine(t *testing.T) {
	s := newShell(t)
	r := s.run("", "query", "no.csv")
	if strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, "dk: ") {
		t.Errorf("stderr is %q, want one line that begins with dk:", r.err)
	}
	if r.out != "" {
		t.Errorf("stdout is %q, want nothing", r.out)
	}
}

func TestOverview(t *testing.T) {
	s := newShell(t)
	same(t, "dk --version", s.ok("--version"), s.ok("version"))
	out := s.ok()
	for _, want := range []string{"dk query flights.csv", "  copy ", "  backends "} {
		if !strings.Contains(out, want) {
			t.Errorf("dk alone does not show %q:\n%s", want, out)
		}
	}
	same(t, "dk --help", s.ok("--help"), out)
	same(t, "dk help", s.ok("help"), out)
	if out := s.ok("help", "exit-codes"); !strings.Contains(out, "130") {
		t.Errorf("dk help exit-codes: %s", out)
	}
	same(t, "dk help copy", s.ok("help", "copy"), s.ok("copy", "--help"))
	s.fails(2, []string{"did you mean dk query?"}, "help", "quer")
}

func itoa(n int) string { return strconv.Itoa(n) }
