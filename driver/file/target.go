package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/remote"
)

// A target is what the path of a store means.
type target struct {
	name   string // as it was given, for errors
	std    bool   // "-"
	path   string // the one file, links followed; "" where there are several
	many   []member
	format *format
	comp   compression
}

// A member is one file of a store of several.
type member struct {
	path string
	rel  string // below the folder that all lie in, with slashes: part of the IDs
	hive []pair
	file remote.File  // of a remote folder
	side *remote.File // its side file; nil: none
}

type pair struct{ name, text string }

// maxMembers bounds how many files read as one store.
const maxMembers = 100_000

// locate finds out what o.Path means. A literal file wins over a glob.
func locate(o *Options) (*target, error) {
	t := &target{name: o.Path}
	if o.Path == "" {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "no file is named")
	}
	if o.Path == "-" {
		t.std = true
		var err error
		t.format, t.comp, err = chooseFormat(o, o.Path)
		return t, err
	}
	info, err := os.Stat(o.Path)
	switch {
	case err == nil && info.IsDir():
		return t, t.folder(o)
	case err == nil && !info.Mode().IsRegular():
		return t, t.special(o)
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !isNoName(err):
		return nil, ioError(o.Path, err)
	case err != nil && strings.ContainsAny(o.Path, "*?[") && !isLink(o.Path):
		return t, t.glob(o)
	}
	return t, t.single(o)
}

// single is one file, which may not be there yet.
func (t *target) single(o *Options) error {
	var err error
	if t.format, t.comp, err = chooseFormat(o, o.Path); err != nil {
		return err
	}
	t.path, err = resolve(o.Path)
	return err
}

// special is a pipe or a device.
func (t *target) special(o *Options) error {
	return dataknobs.Errorf(dataknobs.InvalidArgument, "%s is not a regular file", o.Path).
		WithHint("read a pipe as standard input, with - as the store")
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// resolve follows all links, so that everybody who opens the file by any name
// locks and replaces the same one. The file itself may be missing, its folder
// may not.
func resolve(path string) (string, error) {
	for range 40 {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if errors.Is(err, fs.ErrNotExist) {
			return "", dataknobs.Errorf(dataknobs.NotFound, "%s: the folder %s does not exist", path, filepath.Dir(path))
		}
		if err != nil {
			return "", ioError(path, err)
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return "", ioError(path, err)
		}
		path = filepath.Join(dir, filepath.Base(path))
		if !isLink(path) {
			return path, nil
		}
		to, err := os.Readlink(path)
		if err != nil {
			return "", ioError(path, err)
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		path = to
	}
	return "", dataknobs.Errorf(dataknobs.InvalidArgument, "%s: too many links", path)
}

// folder is every file below a folder that can be read.
func (t *target) folder(o *Options) error {
	var names []string
	root := filepath.Clean(o.Path)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return ioError(path, err)
		case path != root && hidden(e.Name()):
			if e.IsDir() {
				return filepath.SkipDir
			}
		case e.IsDir() || isSide(e.Name()):
		case len(names) == maxMembers:
			return dataknobs.Errorf(dataknobs.ResourceExhausted, "%s holds more than %d files", o.Path, maxMembers)
		default:
			if f, _ := byExtension(e.Name()); f != nil || o.Format != "" {
				names = append(names, path)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return dataknobs.Errorf(dataknobs.NotFound, "the folder %s holds no file that can be read", o.Path).
			WithHint("the formats are %s", formatNames())
	}
	return t.members(o, root, names)
}

// hidden reports whether a file of a folder is no data: .git, _SUCCESS.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }

// glob is every file that matches; ** matches any folders.
func (t *target) glob(o *Options) error {
	pattern := filepath.ToSlash(filepath.Clean(o.Path))
	parts := strings.Split(pattern, "/")
	first := slices.IndexFunc(parts, func(s string) bool { return strings.ContainsAny(s, "*?[") })
	for _, p := range parts {
		if _, err := filepath.Match(p, ""); err != nil {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "%s: the pattern is not well formed", o.Path)
		}
	}
	root := globRoot(parts[:first])
	var names []string
	if err := expand(root, parts[first:], &names); err != nil {
		return err
	}
	slices.Sort(names)
	names = slices.Compact(names)
	names = slices.DeleteFunc(names, func(n string) bool { return isSide(filepath.Base(n)) })
	if len(names) == 0 {
		return dataknobs.Errorf(dataknobs.NotFound, "no file matches %s", o.Path)
	}
	return t.members(o, root, names)
}

// globRoot is the folder that the literal beginning of a pattern means. C: by
// itself would be the folder where a process is on that drive of Windows.
func globRoot(parts []string) string {
	switch {
	case len(parts) == 0:
		return "."
	case len(parts) == 1 && (parts[0] == "" || strings.HasSuffix(parts[0], ":")):
		return parts[0] + "/"
	}
	return strings.Join(parts, "/")
}

// expand adds the files below dir that match the parts of a pattern.
func expand(dir string, parts []string, names *[]string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return ioError(dir, err)
	}
	deep := parts[0] == "**"
	if deep && len(parts) == 1 {
		parts = []string{"**", "*"}
	}
	if deep {
		if err := expand(dir, parts[1:], names); err != nil {
			return err
		}
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if hidden(e.Name()) && !strings.HasPrefix(parts[0], e.Name()[:1]) {
			continue
		}
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			isDir = err == nil && info.IsDir() && !deep // a link may lead in a circle
		}
		switch ok, _ := filepath.Match(parts[0], e.Name()); {
		case deep && isDir:
			err = expand(path, parts, names)
		case deep || !ok:
		case len(parts) == 1 && !isDir:
			*names = append(*names, path)
		case len(parts) > 1 && isDir:
			err = expand(path, parts[1:], names)
		}
		if err != nil {
			return err
		}
		if len(*names) > maxMembers {
			return dataknobs.Errorf(dataknobs.ResourceExhausted, "the pattern matches more than %d files", maxMembers)
		}
	}
	return nil
}

// members makes the files one store; they must be of one kind.
func (t *target) members(o *Options, root string, names []string) error {
	slices.Sort(names)
	for i, name := range names {
		f, comp, err := chooseFormat(o, name)
		if err != nil {
			return err
		}
		switch {
		case i == 0:
			t.format, t.comp = f, comp
		case f != t.format:
			return dataknobs.Errorf(dataknobs.InvalidArgument, "%s holds files of several kinds: %s is %s, %s is %s",
				o.Path, names[0], t.format.name, name, f.name).WithHint("name those that you mean: %s", filepath.Join(root, "*"+filepath.Ext(name)))
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return ioError(name, err)
		}
		m := member{path: name, rel: filepath.ToSlash(rel)}
		if !o.NoHive {
			m.hive = hiveFields(m.rel)
		}
		t.many = append(t.many, m)
	}
	return nil
}

// compOf is the compression of one member: a store may mix them.
func (t *target) compOf(o *Options, m member) compression {
	_, comp, err := chooseFormat(o, m.path)
	if err != nil {
		return t.comp
	}
	return comp
}

// ioError classifies an error of the file system.
func ioError(name string, err error) error {
	var e *dataknobs.Error
	var pe *fs.PathError
	code := dataknobs.Internal
	switch {
	case err == nil || dataknobs.IsContext(err) || errors.As(err, &e):
		return err
	case errors.Is(err, fs.ErrNotExist):
		code = dataknobs.NotFound
	case errors.Is(err, fs.ErrPermission) || isReadOnly(err):
		code = dataknobs.PermissionDenied
	case isFull(err):
		code = dataknobs.ResourceExhausted
	case errors.As(err, &pe) && pe.Op == "read" && isUnreadable(err):
		code = dataknobs.DataLoss
	}
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return dataknobs.Errorf(code, "%s: %w", name, err)
}
