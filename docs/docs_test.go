// Package docs_test runs the documents: whatever stands in a block of code, on
// any page of the repository, is run, compiled or read by what it is for.
//
//	go test ./docs -update     writes what commands print and what is taken from source
package docs_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	_ "dataknobs.dev/dataknobs/driver/all"
	"dataknobs.dev/dataknobs/internal/servers"
)

var update = flag.Bool("update", false, "write what commands print, and what is taken from source, into the documents")

func TestMain(m *testing.M) {
	flag.Parse()
	servers.Main(m)
}

// A block is what stands between two fences.
type block struct {
	page     string // with slashes, from the root of the repository
	line     int    // of its first line
	language string // behind the fence
	from     string // the comment <!-- from … --> before the fence
	text     string
}

// treatments are what is done with the blocks of a language.
var treatments = map[string]string{
	"console": "run, and must print what the page says (TestConsole)",
	"go":      "compiled, or taken from source and compiled there (TestGo, TestExcerpts)",
	"yaml":    "read as a configuration (TestConfigurations)",
	"json":    "read as JSON (TestJSON)",
	"sh":      "run as far as it is dk's (TestShell)",
	"":        "names of stores, which are read (TestStores)",
}

// elsewhere are the blocks that a test of their own looks at.
var elsewhere = map[string]map[string]string{
	"docs/dk.md": {"text": "written by TestReference in cmd/dk"},
	"docs/query.md": {
		"":     "read as queries by TestQueryDocument in the root package",
		"json": "read as queries by TestQueryDocument in the root package",
		"ebnf": "for people: the parser is written by hand, and TestQueryDocument reads the examples beside it",
	},
	"docs/design/0010-layers.md": {"go": "one method, which stands in the package layer as it does here (TestDesign)"},
}

// Every block of every page has a treatment, so that none is added that nothing
// looks at.
func TestEveryBlockIsLookedAt(t *testing.T) {
	count := map[string]int{}
	for _, b := range blocks(t) {
		count[b.page]++
		if treatments[b.language] == "" && elsewhere[b.page][b.language] == "" {
			t.Errorf("%s:%d: nothing looks at blocks of %q: the known languages are console, go, yaml, json and sh", b.page, b.line, b.language)
		}
	}
	if len(count) < 10 {
		t.Errorf("only %d pages have blocks: are they all found?", len(count))
	}
	for page, languages := range elsewhere {
		for l := range languages {
			if !slices.ContainsFunc(blocks(t), func(b *block) bool { return b.page == page && b.language == l }) {
				t.Errorf("%s has no block of %q any more: take it from the list", page, l)
			}
		}
	}
}

// of returns the blocks of a language that no test elsewhere looks at.
func of(t *testing.T, language string) []*block {
	t.Helper()
	all := blocks(t)
	return slices.DeleteFunc(all, func(b *block) bool {
		return b.language != language || elsewhere[b.page][language] != ""
	})
}

// pages returns every document of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (path == ".git" || e.Name() == "testdata" || e.Name() == "node_modules" || path == "bench/out"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func readPage(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writePage(t *testing.T, page, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join("..", filepath.FromSlash(page)), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func blocks(t *testing.T) []*block {
	t.Helper()
	var all []*block
	for _, page := range pages(t) {
		all = append(all, blocksOf(t, page, readPage(t, page))...)
	}
	return all
}

var fromPattern = regexp.MustCompile(`^<!-- from (.+) -->$`)

func blocksOf(t *testing.T, page, text string) []*block {
	t.Helper()
	var all []*block
	var open *block
	before := ""
	for i, line := range strings.SplitAfter(text, "\n") {
		trimmed := strings.TrimSpace(line)
		language, fence := strings.CutPrefix(trimmed, "```")
		switch {
		case fence && open == nil:
			open = &block{page: page, line: i + 2, language: language}
			if m := fromPattern.FindStringSubmatch(before); m != nil {
				open.from = m[1]
			}
		case fence:
			all = append(all, open)
			open = nil
		case open != nil:
			open.text += line
		}
		before = trimmed
	}
	if open != nil {
		t.Errorf("%s:%d: the block does not end", page, open.line)
	}
	return all
}

// rewrite replaces the texts of blocks of a page by what change returns.
func rewrite(t *testing.T, page string, change func(b *block) string) {
	t.Helper()
	var out strings.Builder
	var inside bool
	next := blocksOf(t, page, readPage(t, page))
	for line := range strings.Lines(readPage(t, page)) {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && !inside:
			out.WriteString(line + change(next[0]))
			next, inside = next[1:], true
		case fence:
			inside = false
			out.WriteString(line)
		case !inside:
			out.WriteString(line)
		}
	}
	writePage(t, page, out.String())
}
