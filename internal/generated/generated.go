// Package generated holds documents to what the program says of itself: a test
// makes the text, [Check] compares it with the file, and with the flag -update
// writes it there. It is for tests alone.
package generated

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the documents anew that tests make")

// Check fails t where the file at path is not text, and says which line
// differs first and which command, by, writes it anew. With -update it writes
// the text instead. path is from the root of the module, with slashes.
func Check(t testing.TB, path, text, by string) {
	t.Helper()
	got, err := Read(path)
	switch {
	case err == nil && got == text:
	case *update:
		if err := os.WriteFile(file(path), []byte(text), 0o644); err != nil { //nolint:gosec // everybody may read a document
			t.Fatal(err)
		}
	case err != nil:
		t.Errorf("%v\n%s writes it", err, by)
	default:
		t.Errorf("%s is not what it is to be; %s\n%s writes it anew", path, firstDifference(got, text), by)
	}
}

// Read returns the text of a document.
func Read(path string) (string, error) {
	text, err := os.ReadFile(file(path))
	return string(text), err
}

// Put returns page with text in place of what stands between the lines from and
// to; false where it does not have them.
func Put(page, from, to, text string) (string, bool) {
	before, rest, ok := strings.Cut(page, from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		return page, false
	}
	return before + from + text + to + after, true
}

// file does not depend on the folder that a test works in.
func file(path string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../..", filepath.FromSlash(path))
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d:\n got    %s\n wanted %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("it has %d lines, wanted are %d", len(g), len(w))
}
