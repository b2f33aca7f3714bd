package docs_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// imports are what the fragments of pages may use.
var imports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "log": "log", "os": "os", "time": "time", "testing": "testing",
	"dataknobs": "dataknobs.dev/dataknobs", "config": "dataknobs.dev/dataknobs/config", "layer": "dataknobs.dev/dataknobs/layer",
	"memory": "dataknobs.dev/dataknobs/driver/memory", "drivertest": "dataknobs.dev/dataknobs/drivertest",
	"folder": "dataknobs.dev/dataknobs/examples/folder",
}

// given are the variables and types that fragments take for granted.
const given = `package main

import (
	"context"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
)

var (
	ctx context.Context
	db  *dataknobs.DB
	cfg *config.Config
	rec *dataknobs.Record
	id  string
	// what a caller passes in
	name string
)

type Mailer struct{}

type Person struct {
	ID   string ` + "`dk:\"_id\"`" + `
	Name string ` + "`dk:\"name\"`" + `
	Born int    ` + "`dk:\"born,omitempty\"`" + `
}

func main() { _, _, _, _, _, _ = ctx, db, cfg, rec, id, name }
`

// Every go block compiles: programs and files by themselves, fragments inside of
// a function. An ellipsis stands for what a page leaves out.
func TestGo(t *testing.T) {
	dir := t.TempDir()
	files := []string{write(t, filepath.Join(dir, "given.go"), given)}
	for i, b := range of(t, "go") {
		switch {
		case b.from != "": // compiled where it comes from
		case strings.HasPrefix(b.text, "package main"):
			build(t, b, write(t, filepath.Join(t.TempDir(), "main.go"), b.text))
		default:
			files = append(files, write(t, filepath.Join(dir, fmt.Sprintf("block%d.go", i)), fragment(b, i)))
		}
	}
	if out, err := exec.CommandContext(t.Context(), "go", append([]string{"build", "-o", os.DevNull}, files...)...).CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}

func build(t *testing.T, b *block, file string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, file).CombinedOutput(); err != nil {
		t.Errorf("%s:%d: go build: %v\n%s", b.page, b.line, err, out)
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	assigned = regexp.MustCompile(`(?m)^(?:for )?([a-zA-Z_, ]+) := `)
	whole    = regexp.MustCompile(`(?m)^(func|import) `)
)

// fragment makes a file of a block: a function around it, unless it holds
// functions itself, and the imports that it needs.
func fragment(b *block, i int) string {
	text := strings.ReplaceAll(b.text, "{ … }", `{ panic("left out") }`)
	text = regexp.MustCompile(`(?m)^\s*…$`).ReplaceAllString(text, "")
	var out strings.Builder
	out.WriteString("package main\n")
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		if path := fmt.Sprintf("%q", imports[name]); regexp.MustCompile(`\b`+name+`\.`).MatchString(text) && !strings.Contains(text, path) {
			fmt.Fprintf(&out, "import %s\n", path)
		}
	}
	fmt.Fprintf(&out, "//line %s:%d\n", b.page, b.line)
	if whole.MatchString(text) {
		return out.String() + text
	}
	var used []string
	for _, m := range assigned.FindAllStringSubmatch(text, -1) {
		if strings.HasPrefix(m[0], "for ") {
			continue
		}
		for name := range strings.SplitSeq(m[1], ",") {
			if name = strings.TrimSpace(name); name != "_" && !slices.Contains(used, name) {
				used = append(used, name)
			}
		}
	}
	head := fmt.Sprintf("func block%d() error {\n", i)
	tail := ""
	for _, name := range used {
		tail += "_ = " + name + "\n"
	}
	return strings.Replace(out.String(), "//line", head+"//line", 1) + text + tail + "return nil\n}\n"
}

// The program of the README runs, twice, and finds what it wrote.
func TestReadmeProgram(t *testing.T) {
	i := slices.IndexFunc(of(t, "go"), func(b *block) bool { return b.page == "README.md" && strings.HasPrefix(b.text, "package main") })
	if i < 0 {
		t.Fatal("README.md has no Go program")
	}
	dir := t.TempDir()
	src, bin := write(t, filepath.Join(dir, "main.go"), of(t, "go")[i].text), filepath.Join(dir, "program")
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

// A block under <!-- from FILE: NAME, NAME --> is those declarations of that
// file, as they stand there.
func TestExcerpts(t *testing.T) {
	changed := map[string]map[int]string{}
	for _, b := range of(t, "go") {
		if b.from == "" {
			continue
		}
		got := excerpt(t, b)
		if got == b.text {
			continue
		}
		if !*update {
			t.Errorf("%s:%d is not what stands in %s:\n%s\n(go test ./docs -update writes it)", b.page, b.line, b.from, got)
			continue
		}
		if changed[b.page] == nil {
			changed[b.page] = map[int]string{}
		}
		changed[b.page][b.line] = got
	}
	for page, texts := range changed {
		rewrite(t, page, func(b *block) string {
			if got, ok := texts[b.line]; ok {
				return got
			}
			return b.text
		})
	}
}

func excerpt(t *testing.T, b *block) string {
	t.Helper()
	file, names, _ := strings.Cut(b.from, ": ")
	path := filepath.Join("..", filepath.FromSlash(file))
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%s:%d: %v", b.page, b.line, err)
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for name := range strings.SplitSeq(names, ", ") {
		i := slices.IndexFunc(tree.Decls, func(d ast.Decl) bool { return slices.Contains(namesOf(d), name) })
		if i < 0 {
			t.Fatalf("%s:%d: %s declares no %s", b.page, b.line, file, name)
		}
		from, to := start(tree.Decls[i]), tree.Decls[i].End()
		parts = append(parts, string(src[set.Position(from).Offset:set.Position(to).Offset]))
	}
	text := strings.Join(parts, "\n\n") + "\n"
	if formatted, err := format.Source([]byte(text)); err != nil || !bytes.Equal(formatted, []byte(text)) {
		t.Errorf("%s:%d: the excerpt is not well formed: %v", b.page, b.line, err)
	}
	return text
}

// namesOf lists what a declaration declares.
func namesOf(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return []string{d.Name.Name}
	case *ast.GenDecl:
		var names []string
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
		return names
	}
	return nil
}

// start is where a declaration begins, its comment included.
func start(d ast.Decl) token.Pos {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	}
	return d.Pos()
}
