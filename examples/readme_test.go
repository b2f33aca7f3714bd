package examples_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the commands print into the documents")

// tours are the documents whose console blocks are run.
var tours = []string{"README.md", "docs/configuration.md", "docs/from-python.md", "docs/from-file-to-postgres.md"}

// Every console block of these documents is run, in order, in an empty folder
// that holds the sample data, and prints what the document says.
func TestReadme(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../cmd/dk").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, name := range tours {
		t.Run(name, func(t *testing.T) { tour(t, name, bin) })
	}
}

func tour(t *testing.T, name, bin string) {
	path := filepath.Join("..", filepath.FromSlash(name))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "examples", "data"), os.DirFS("data")); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "```")
	blocks := 0
	for i := 1; i < len(parts); i += 2 {
		block, ok := strings.CutPrefix(parts[i], "console\n")
		if !ok {
			continue
		}
		blocks++
		got := runConsole(t, block, dir, bin)
		if got != block && !*update {
			t.Errorf("%s says\n%s\nbut the commands print\n%s\n(go test ./examples -update writes it)", name, block, got)
		}
		parts[i] = "console\n" + got
	}
	if blocks == 0 {
		t.Errorf("%s has no console blocks", name)
	}
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(parts, "```")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The Go program of the README compiles, runs twice, and finds what it wrote.
func TestReadmeProgram(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```go\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatal("README.md has no Go program")
	}
	dir := t.TempDir()
	src, bin := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(src, []byte(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, src).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for range 2 {
		cmd := exec.CommandContext(t.Context(), bin)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "Grace 1906\n" {
			t.Errorf("got %q, %v", out, err)
		}
	}
}

// runConsole runs the lines that start with "$ " and returns the block as it
// ought to be.
func runConsole(t *testing.T, block, dir, bin string) string {
	t.Helper()
	var out bytes.Buffer
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		out.WriteString(line)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "COLUMNS=120", "GOMAXPROCS=2", "HOME="+bin, "XDG_STATE_HOME="+bin)
		printed, _ := cmd.CombinedOutput() // a command of the tour may fail: it then shows how
		for l := range strings.Lines(string(printed)) {
			out.WriteString(strings.TrimRight(l, " \n") + "\n")
		}
	}
	return out.String()
}
