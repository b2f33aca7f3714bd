package dataknobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// An OptionKind says what an option's text must be.
type OptionKind uint8

// The kinds of options.
const (
	OptionString   OptionKind = iota
	OptionInt                 // 12
	OptionBool                // true, false, yes, no, on, off, 1, 0
	OptionSize                // bytes: 4096, 64KiB, 256MiB, 1GB
	OptionDuration            // 500ms, 3s, 2h (time.ParseDuration)
	OptionEnum                // one of Enum
	OptionList                // comma-separated words; a comma inside a word is escaped by \
	OptionMap                 // comma-separated name:value pairs
)

// An OptionInfo documents one option of a backend. Every option can stand in a
// URL (?name=text), in Options and on the command line (--name text).
type OptionInfo struct {
	Name    string
	Kind    OptionKind
	Enum    []string // for OptionEnum
	Default string   // as text; "" if none
	Doc     string   // one sentence
	Secret  bool     // never shown
}

// A Backend is a kind of store: what Register takes and Backends lists.
type Backend struct {
	Name    string   // canonical, such as "file"
	Schemes []string // URL schemes besides the name, such as "mem"
	Summary string   // one line
	Doc     string   // what it needs, for dk backends NAME: a few lines
	Options []OptionInfo
	// Paths: a store named without a scheme is a path for this backend.
	Paths bool
	// Can lists abilities in words for the information API, such as "atomic batches".
	Can []string
	// Open opens a store. c has been checked against Options.
	Open func(ctx context.Context, c *Config) (Driver, error)
}

// option returns the option of that name; nil if there is none.
func (b *Backend) option(name string) *OptionInfo {
	i := slices.IndexFunc(b.Options, func(o OptionInfo) bool { return o.Name == name })
	if i < 0 {
		return nil
	}
	return &b.Options[i]
}

func (b *Backend) optionNames() []string {
	var names []string
	for _, o := range b.Options {
		names = append(names, o.Name)
	}
	return names
}

// backends is every registered backend by its name and by each scheme.
var backends struct {
	mu sync.RWMutex
	by map[string]*Backend // guarded by mu
}

// Register makes a backend known to [Open]. The init function of a driver
// package calls it. It panics if the name or a scheme is taken or not a plain
// lower-case word, or if an option's default is not of the option's kind: each
// is a programmer's mistake.
func Register(b *Backend) {
	if b.Open == nil {
		panic("dataknobs: backend " + b.Name + " has no Open")
	}
	for i := range b.Options {
		if err := b.Options[i].check(b.Options[i].Default); b.Options[i].Default != "" && err != nil {
			panic(fmt.Sprintf("dataknobs: backend %s: the default: %v", b.Name, err))
		}
	}
	backends.mu.Lock()
	defer backends.mu.Unlock()
	if backends.by == nil {
		backends.by = map[string]*Backend{}
	}
	for _, name := range append([]string{b.Name}, b.Schemes...) {
		switch {
		case !isScheme(name) || name != strings.ToLower(name):
			panic(fmt.Sprintf("dataknobs: a backend cannot be called %q", name))
		case backends.by[name] != nil:
			panic(fmt.Sprintf("dataknobs: backend %q is registered twice", name))
		}
		backends.by[name] = b
	}
}

// Backends returns every registered backend, sorted by name. Nobody may change
// them.
func Backends() []*Backend {
	backends.mu.RLock()
	defer backends.mu.RUnlock()
	var all []*Backend
	for name, b := range backends.by {
		if name == b.Name {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b *Backend) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// known are the backends of this module by every name, with the package that
// registers each: for saying which import is missing.
var known = map[string]string{
	"file": "file", "memory": "memory", "mem": "memory",
	"sqlite": "sqlite", "sqlite3": "sqlite",
	"postgres": "postgres", "postgresql": "postgres",
	"elasticsearch": "elasticsearch", "es": "elasticsearch", "es+http": "elasticsearch", "es+https": "elasticsearch",
	"s3": "s3",
}

// LookupBackend returns the backend of that name or scheme, in any case. The
// error is InvalidArgument; it says what to import, or which names are near.
func LookupBackend(name string) (*Backend, error) {
	lower := strings.ToLower(name)
	backends.mu.RLock()
	b := backends.by[lower]
	backends.mu.RUnlock()
	if b != nil {
		return b, nil
	}
	if pkg := known[lower]; pkg != "" {
		return nil, notImported(lower, pkg)
	}
	err := Errorf(InvalidArgument, "there is no kind of store called %q", name)
	if near := nearest.Of(lower, backendNames()); near != "" {
		return nil, err.WithHint("did you mean %s?", near)
	}
	return nil, err.WithHint("there are %s", strings.Join(backendNames(), ", "))
}

func notImported(name, pkg string) *Error {
	return Errorf(InvalidArgument, "the program was built without the backend %q", name).
		WithHint("import _ %q", "dataknobs.dev/dataknobs/driver/"+pkg)
}

// backendNames lists every name and scheme that Open could mean, sorted.
func backendNames() []string {
	backends.mu.RLock()
	defer backends.mu.RUnlock()
	var names []string
	for name := range backends.by {
		names = append(names, name)
	}
	for name := range known {
		if backends.by[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// pathBackend returns the backend for bare paths.
func pathBackend() (*Backend, error) {
	for _, b := range Backends() {
		if b.Paths {
			return b, nil
		}
	}
	return nil, notImported("file", "file")
}
