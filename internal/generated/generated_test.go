package generated_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/internal/generated"
)

// A text is put between its lines, and nothing else of the page changes.
func TestPut(t *testing.T) {
	for _, c := range []struct {
		name, page, want string
		ok               bool
	}{
		{"in its place", "a\n<x>\nold\n</x>\nb\n", "a\n<x>\nnew\n</x>\nb\n", true},
		{"an empty place", "<x>\n</x>\n", "<x>\nnew\n</x>\n", true},
		{"the first place only", "<x>\n1\n</x>\n<x>\n2\n</x>\n", "<x>\nnew\n</x>\n<x>\n2\n</x>\n", true},
		{"no place", "a\n", "a\n", false},
		{"no end", "a\n<x>\nb\n", "a\n<x>\nb\n", false},
		{"the end before the begin", "</x>\n<x>\n", "</x>\n<x>\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := generated.Put(c.page, "<x>\n", "</x>\n", "new\n"); got != c.want || ok != c.ok {
				t.Errorf("Put into %q: got %q, %v, wanted %q, %v", c.page, got, ok, c.want, c.ok)
			}
		})
	}
}

// A listener hears what a test says when it fails.
type listener struct {
	testing.TB
	said strings.Builder
}

func (l *listener) Helper()                           {}
func (l *listener) Errorf(format string, args ...any) { fmt.Fprintf(&l.said, format, args...) }

// Only a page that is not the text fails, with the line and the command.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		words            []string // of the failure; none: there is none
	}{
		{"the same", "a\nb\n", "a\nb\n", nil},
		{"another line", "a\nb\nc\n", "a\nB\nc\n", []string{"line 2", "got    b", "wanted B", "go test ./x -update"}},
		{"a line less", "a\nb", "a\nb\nc", []string{"2 lines", "3", "go test ./x -update"}},
		{"no file", "", "a\n", []string{"no such file", "go test ./x -update"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &listener{TB: t}
			generated.Check(l, page(t, c.file), c.text, "go test ./x -update")
			said := l.said.String()
			if (said == "") != (c.words == nil) {
				t.Errorf("it said %q", said)
			}
			for _, w := range c.words {
				if !strings.Contains(said, w) {
					t.Errorf("%q does not say %q", said, w)
				}
			}
		})
	}
}

// page writes a page, unless it is empty, and returns its path from the root.
func page(t *testing.T, text string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "page.md")
	if text != "" {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path, err := filepath.Rel(root, name)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(path)
}
