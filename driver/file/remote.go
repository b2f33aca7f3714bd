package file

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/driver/internal/remote"
)

func init() { remote.Register(openRemote) }

// remoteBackend has those settings of a file store that files elsewhere take.
var remoteBackend = &dataknobs.Backend{Name: "file", Options: remote.Options()}

// openRemote opens the files of a folder that is not in the file system.
func openRemote(ctx context.Context, folder remote.Folder, shown, pattern string, params map[string]string, warn func(string)) (dataknobs.Driver, error) {
	c, err := dataknobs.NewConfig(remoteBackend, "", params, warn)
	if err != nil {
		return nil, err
	}
	var s settings
	if err := c.Decode(&s.Settings); err != nil {
		return nil, err
	}
	o, err := s.options(c.Warn)
	if err != nil {
		return nil, err
	}
	o.Path, o.remote, o.shown = pattern, folder, shown
	return New(ctx, o)
}

// locateRemote finds out which files of a remote folder the pattern means. A
// file of the literal name wins over a glob; a name that ends in a slash means
// all that is below it.
func locateRemote(ctx context.Context, o *Options) (*target, error) {
	t := &target{name: o.shown + o.Path}
	parts := strings.Split(o.Path, "/")
	first := slices.IndexFunc(parts, func(s string) bool { return strings.ContainsAny(s, "*?[") })
	if first < 0 {
		first = len(parts) - 1
	}
	root := strings.Join(parts[:first], "/")
	if root != "" {
		root += "/"
	}
	for _, p := range parts {
		if _, err := path.Match(p, ""); err != nil {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "%s: the pattern is not well formed", t.name)
		}
	}
	files, err := o.remote.List(ctx, root+literal(parts[first]), maxMembers)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(files, func(f remote.File) bool { return f.Name == o.Path }); i >= 0 {
		return t, t.remoteMembers(o, "", []remote.File{files[i]}, files)
	}
	pattern := parts[first:]
	folder := strings.HasSuffix(o.Path, "/") || o.Path == ""
	if folder {
		pattern = []string{"**"}
	}
	var found []remote.File
	for _, f := range files {
		rel, ok := strings.CutPrefix(f.Name, root)
		if !ok || isSide(path.Base(rel)) || !matches(pattern, strings.Split(rel, "/")) {
			continue
		}
		if known, _ := byExtension(rel); folder && known == nil && o.Format == "" {
			continue
		}
		found = append(found, f)
	}
	if len(found) == 0 {
		return nil, dataknobs.Errorf(dataknobs.NotFound, "no file matches %s", t.name)
	}
	return t, t.remoteMembers(o, root, found, files)
}

// literal is the beginning of a pattern before its first special character.
func literal(pattern string) string {
	if i := strings.IndexAny(pattern, "*?[\\"); i >= 0 {
		return pattern[:i]
	}
	return pattern
}

// matches reports whether the parts of a name match those of a pattern, in
// which ** stands for any folders.
func matches(pattern, name []string) bool {
	switch {
	case len(pattern) == 0 || len(name) == 0:
		return len(pattern) == len(name)
	case hidden(name[0]) && !strings.HasPrefix(pattern[0], name[0][:1]):
		return false
	case pattern[0] != "**":
		ok, _ := path.Match(pattern[0], name[0])
		return ok && matches(pattern[1:], name[1:])
	case len(pattern) == 1:
		return len(name) == 1 || matches(pattern, name[1:])
	}
	return matches(pattern[1:], name) || matches(pattern, name[1:])
}

// remoteMembers makes the files one store; they must be of one kind. all are
// those among which their side files are. No root: there is one file, which
// stands for itself.
func (t *target) remoteMembers(o *Options, root string, files, all []remote.File) error {
	sides := map[string]remote.File{}
	for _, f := range all {
		if strings.HasSuffix(f.Name, sideExt) {
			sides[strings.TrimSuffix(f.Name, sideExt)] = f
		}
	}
	single := root == "" && len(files) == 1 && files[0].Name == o.Path
	for i, f := range files {
		kind, comp, err := chooseFormat(o, f.Name)
		if err != nil {
			return err
		}
		if i == 0 {
			t.format, t.comp = kind, comp
		}
		if kind != t.format {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "%s means files of several kinds: %s is %s, %s is %s",
				t.name, files[0].Name, t.format.name, f.Name, kind.name).WithHint("name those that you mean: *%s", path.Ext(f.Name))
		}
		m := member{path: f.Name, file: f}
		if !single {
			m.rel = strings.TrimPrefix(f.Name, root)
		}
		if s, ok := sides[f.Name]; ok {
			m.side = &s
		}
		if !o.NoHive && !single {
			m.hive = hiveFields(m.rel)
		}
		t.many = append(t.many, m)
	}
	return nil
}

// openRemoteMember opens one file of a remote folder.
func (b *base) openRemoteMember(ctx context.Context, p *part, m member) error {
	folder := b.o.remote
	at := folder.ReaderAt(m.file)
	p.name, p.info = b.o.shown+m.file.Name, remoteInfo{m.file}
	src := codec.Source{Name: p.name, Open: func(ctx context.Context) (io.ReadCloser, error) {
		r, err := folder.Open(ctx, m.file)
		if err != nil {
			return nil, err
		}
		return decompress(p.name, r, p.comp)
	}}
	if p.comp == noCompression {
		src.ReaderAt, src.Size = at, m.file.Size
	}
	head := make([]byte, min(4, m.file.Size))
	if n, err := at.ReadAt(head, 0); n < len(head) {
		return ioError(p.name, err)
	}
	if err := checkContent(p.name, head, b.t.format, p.comp); err != nil {
		return err
	}
	if err := p.setSource(b.t.format, src); err != nil {
		return err
	}
	side, err := remoteSide(ctx, folder, m)
	if err != nil {
		return err
	}
	layout, err := side.layoutOf(at, m.file.Size)
	if err != nil {
		return err
	}
	if m.rel == "" {
		b.side, b.used = side, layout
	}
	return b.openPart(ctx, p, layout)
}

// remoteSide reads the side file of a remote file; an empty side where there
// is none.
func remoteSide(ctx context.Context, folder remote.Folder, m member) (*side, error) {
	s := &side{Version: 1}
	if m.side == nil {
		return s, nil
	}
	r, err := folder.Open(ctx, *m.side)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, 64<<20))
	if err != nil {
		return nil, ioError(m.side.Name, err)
	}
	if err := json.Unmarshal(text, s); err != nil || s.Version != 1 {
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "%s cannot be read: it is no side file of version 1", m.side.Name)
	}
	return s, nil
}

// A remoteInfo shows a remote file as one of the file system.
type remoteInfo struct{ f remote.File }

func (i remoteInfo) Name() string       { return path.Base(i.f.Name) }
func (i remoteInfo) Size() int64        { return i.f.Size }
func (i remoteInfo) Mode() fs.FileMode  { return 0o444 }
func (i remoteInfo) ModTime() time.Time { return i.f.Modified }
func (i remoteInfo) IsDir() bool        { return false }
func (i remoteInfo) Sys() any           { return nil }
