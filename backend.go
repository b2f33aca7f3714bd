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
	OptionFloat               // 1.5
	OptionInts                // 12, or several with commas between them, some of which may be left out
)

var optionKindNames = [...]string{"string", "int", "bool", "size", "duration", "enum", "list", "map", "float", "ints"}

// String returns the kind's name, such as "duration".
func (k OptionKind) String() string { return optionKindNames[min(int(k), len(optionKindNames)-1)] }

// An OptionInfo documents one option of a backend. Every option can stand in a
// URL (?name=text), in Options and on the command line (--name text).
type OptionInfo struct {
	Name    string
	Kind    OptionKind
	Enum    []string // for OptionEnum
	Default string   // as text; "" if none
	Doc     string   // one sentence
	Secret  bool     // never shown
	// Min and Max bound each number, size or duration, as text; "": no bound.
	Min, Max string
	// Required: a store cannot be opened without it.
	Required bool
	// Location: what the URL has between its scheme and its options says the same,
	// so that a store can be named by options alone. At most one option has it.
	Location bool
}

// A Backend is a kind of store: what Register takes and Backends lists.
type Backend struct {
	Name    string   // canonical, such as "file"
	Schemes []string // URL schemes besides the name, such as "mem"
	Summary string   // one line
	Doc     string   // how to use it, for dk backends NAME: a few lines
	// Settings is a struct whose fields declare the options: see [OptionsOf].
	// Register makes Options of it. nil: Options says all.
	Settings any
	Options  []OptionInfo
	// Paths: a store named without a scheme is a path for this backend.
	Paths bool
	// Can lists abilities in words for the information API, such as "atomic batches".
	Can []string
	// Needs lists what a store needs: versions of servers, permissions, the
	// environment. Short lines for people.
	Needs []string
	// Limits are the bounds of its stores that Features does not say: see
	// [Backend.Bounds].
	Limits []Limit
	// Features says what a new store with default settings can do; no I/O. nil: it
	// is not known before a store is opened.
	Features func() *Features
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
// lower-case word, or if an option is not well declared (its default or a bound is not of
// its kind, a name stands twice): each is a programmer's mistake.
func Register(b *Backend) {
	if b.Open == nil {
		panic("dataknobs: backend " + b.Name + " has no Open")
	}
	if b.Settings != nil {
		b.Options = OptionsOf(b.Settings)
	}
	checkDeclared("backend "+b.Name, b.Options)
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

// A KnownBackend is a backend that this program has, or one of this module
// that it could have.
type KnownBackend struct {
	Name    string   // canonical
	Schemes []string // URL schemes besides the name
	Summary string   // one line
	Import  string   // the package whose import brings it; "" where another module does
	// Backend tells all about it; nil: the program was built without it.
	Backend *Backend
}

const driverPath = "dataknobs.dev/dataknobs/driver/"

// known are the backends of this module.
var known = []KnownBackend{
	{Name: "elasticsearch", Schemes: []string{"es", "es+http", "es+https"}, Summary: "an index of an Elasticsearch server, version 8 or 9"},
	{Name: "file", Summary: "a CSV, TSV, JSON, NDJSON or Parquet file, or a folder of them"},
	{Name: "memory", Schemes: []string{"mem"}, Summary: "records in the memory of this process"},
	{Name: "postgres", Schemes: []string{"postgresql"}, Summary: "a table or view of a PostgreSQL database"},
	{Name: "s3", Summary: "records as objects in a bucket of Amazon S3 or a server like it"},
	{Name: "sqlite", Schemes: []string{"sqlite3"}, Summary: "a table or view of an SQLite database: one file, no server"},
}

// knownBy returns the backend of this module of that name or scheme; "": none.
func knownBy(name string) string {
	for _, k := range known {
		if k.Name == name || slices.Contains(k.Schemes, name) {
			return k.Name
		}
	}
	return ""
}

// KnownBackends returns every registered backend and every one of this module
// that is not, sorted by name.
func KnownBackends() []KnownBackend {
	var all []KnownBackend
	for _, b := range Backends() {
		k := KnownBackend{Name: b.Name, Schemes: b.Schemes, Summary: b.Summary, Backend: b}
		if knownBy(b.Name) == b.Name {
			k.Import = driverPath + b.Name
		}
		all = append(all, k)
	}
	for _, k := range known {
		if !slices.ContainsFunc(all, func(x KnownBackend) bool { return x.Name == k.Name }) {
			k.Import, k.Schemes = driverPath+k.Name, slices.Clone(k.Schemes)
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b KnownBackend) int { return cmp.Compare(a.Name, b.Name) })
	return all
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
	if pkg := knownBy(lower); pkg != "" {
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
		WithHint("import _ %q", driverPath+pkg)
}

// backendNames lists every name and scheme that Open could mean, sorted.
func backendNames() []string {
	backends.mu.RLock()
	defer backends.mu.RUnlock()
	var names []string
	for name := range backends.by {
		names = append(names, name)
	}
	for _, k := range known {
		for _, name := range append([]string{k.Name}, k.Schemes...) {
			if backends.by[name] == nil {
				names = append(names, name)
			}
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
