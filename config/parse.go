package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// The bounds of what is read. A configuration is written by people: whatever
// reaches them is a mistake or an attack, and is refused before it costs
// memory or time.
const (
	maxFile   = 1 << 20 // bytes of a file
	maxDepth  = 64      // maps and lists inside each other
	maxNodes  = 100_000 // of a configuration, aliases and references expanded
	maxTokens = 20_000  // of a YAML file: the time of its parser grows with the square of them
)

// A Source is a configuration as text.
type Source struct {
	// Name is what errors call it. Its ending says the format, as that of a file
	// does. Relative paths in it start from its folder.
	Name string
	Data []byte
}

// readSource reads a file, but never more of it than a configuration may have.
func readSource(path string) (Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return Source{}, fileError(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Source{}, fileError(path, err)
	}
	return Source{Name: path, Data: data}, nil
}

func fileError(path string, err error) error {
	code := dataknobs.Unavailable
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = dataknobs.NotFound
	case errors.Is(err, fs.ErrPermission):
		code = dataknobs.PermissionDenied
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return dataknobs.Errorf(code, "cannot read the configuration %s: %w", path, err)
}

// formats are the endings of configuration files.
var formats = map[string]func(*reader) *Node{
	".yaml": (*reader).yaml, ".yml": (*reader).yaml, ".json": (*reader).json, ".toml": (*reader).toml,
}

// A reader reads one source into nodes.
type reader struct {
	Source
	faults Faults
	nodes  int   // made so far
	lines  []int // offsets at which lines begin
	last   spot  // the one that was asked for before
}

// parse reads a source into a map; nil, with faults, if it is none.
func parse(s Source) (*Node, Faults) {
	r := &reader{Source: s}
	root := r.parse()
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	return root, nil
}

func (r *reader) parse() *Node {
	at := Place{File: r.Name}
	ending := strings.ToLower(filepath.Ext(r.Name))
	read := formats[ending]
	switch {
	case read == nil && ending != "":
		r.faults.add(fault(at, "", "a configuration is a .yaml, .yml, .json or .toml file").hinted(didYouMean(ending, []string{".yaml", ".json", ".toml"})))
	case read == nil:
		read = (*reader).yaml
	}
	switch {
	case len(r.Data) > maxFile:
		r.faults.addf(at, "", "a configuration of more than %d bytes", maxFile)
	case !utf8.Valid(r.Data):
		r.faults.addf(at, "", "it is not UTF-8")
	case bytes.IndexByte(r.Data, 0) >= 0:
		r.faults.addf(at, "", "it holds a NUL character")
	}
	if len(r.faults) > 0 {
		return nil
	}
	r.Data = bytes.TrimPrefix(r.Data, []byte("\ufeff"))
	if len(bytes.TrimSpace(r.Data)) == 0 {
		return mapOf(at, nil, nil)
	}
	root := read(r)
	if len(r.faults) > 0 || root == nil {
		return nil
	}
	if root.kind == Null {
		return mapOf(at, nil, nil)
	}
	if root.kind != Map {
		r.faults.addf(root.place, "", "a configuration is a map of sections, not %v", root.kind)
	}
	return root
}

// A spot is an offset whose place is known: in a long line the next one is
// counted from there.
type spot struct{ offset, line, column int }

// place is the place of an offset in the data.
func (r *reader) place(offset int) Place {
	if r.lines == nil {
		r.lines = []int{0}
		for i, c := range r.Data {
			if c == '\n' {
				r.lines = append(r.lines, i+1)
			}
		}
	}
	offset = min(max(offset, 0), len(r.Data))
	line, found := slices.BinarySearch(r.lines, offset)
	if !found {
		line--
	}
	from := spot{r.lines[line], line, 0}
	if r.last.line == line && from.offset <= r.last.offset && r.last.offset <= offset {
		from = r.last
	}
	r.last = spot{offset, line, from.column + utf8.RuneCount(r.Data[from.offset:offset])}
	return Place{File: r.Name, Line: line + 1, Column: r.last.column + 1}
}

// room counts n more nodes; false, with a fault, if there are too many.
func (r *reader) room(place Place, n int) bool {
	if r.nodes += n; r.nodes <= maxNodes {
		return true
	}
	if len(r.faults) == 0 {
		r.faults.addf(place, "", "the file holds more than %d values, with what its aliases repeat", maxNodes)
	}
	return false
}

// deep reports, with a fault, whether maps and lists are nested too deep.
func (r *reader) deep(place Place, depth int) bool {
	if depth > maxDepth && len(r.faults) == 0 {
		r.faults.addf(place, "", "maps and lists are nested more than %d deep", maxDepth)
	}
	return depth > maxDepth
}

// under is the path of a setting below another.
func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
