// Package arch tests which packages may import which.
package arch_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "dataknobs.dev/dataknobs"

// rules say, for the packages below a prefix, which of our own packages they
// may import. The first prefix that fits counts; tests may import anything.
var rules = []struct {
	below string
	may   []string
}{
	{"driver/all", []string{"driver/"}},
	{"driver/internal", []string{".", "codec", "internal/"}},
	{"driver/", []string{".", "codec", "internal/", "driver/internal/"}},
	{"codec", []string{".", "codec", "internal/"}},
	{"drivertest", []string{".", "internal/"}},
	{"layer", []string{".", "internal/"}},
	{"config", []string{".", "layer", "internal/"}},
	{"cmd/", []string{"*"}},
	{"examples/", []string{"*"}},
	{"bench", []string{"*"}},
	{"torture", []string{"*"}},
	{"internal/txfake", []string{"."}}, // a store, which only drivertest and tests use
	{"internal/", []string{"internal/"}},
	{".", []string{"internal/"}},
}

// outside lists what the root package may import besides the standard library.
var outside = []string{"github.com/google/uuid"}

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		switch err := d.Decode(&p); err {
		case nil:
			all = append(all, p)
			continue
		case io.EOF:
			return all
		default:
			t.Fatal(err)
		}
	}
}

// local is a package's path inside the module; "." for the root package, ""
// for a package of another module.
func local(path string) string {
	if path == module {
		return "."
	}
	rest, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	return rest
}

func TestArrows(t *testing.T) {
	all := packages(t)
	if len(all) < 5 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	for _, p := range all {
		from := local(p.ImportPath)
		for _, imp := range p.Imports {
			if to := local(imp); to != "" && !allowed(from, to) {
				t.Errorf("%s imports %s, against the arrows in docs/design/0001-layout.md", from, to)
			}
		}
	}
}

func allowed(from, to string) bool {
	for _, r := range rules {
		if from != strings.TrimSuffix(r.below, "/") && !strings.HasPrefix(from, r.below) {
			continue
		}
		if r.below == "." && from != "." {
			continue
		}
		for _, m := range r.may {
			if m == "*" || m == to || m != "." && strings.HasPrefix(to, m) {
				return true
			}
		}
		return false
	}
	return false
}

func TestRootImports(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != module {
			continue
		}
		for _, imp := range p.Imports {
			first, _, _ := strings.Cut(imp, "/")
			if strings.Contains(first, ".") && local(imp) == "" && !contains(outside, imp) {
				t.Errorf("the root package imports %s; it may import the standard library and %v only", imp, outside)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
