package file

import (
	"context"
	"io"
	"os"
	"slices"
	"sync"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// openMany opens the files of a folder or glob. Each is opened again at every
// use, so that their number is not bounded by the open files of a process.
func openMany(ctx context.Context, o *Options, t *target) (*base, error) {
	b := &base{o: o, t: t, rows: -1, work: newWorkLock(), hive: hiveKinds(t.many)}
	for name, k := range o.Types {
		if b.hive[name] != 0 && k == dataknobs.KindString {
			b.hive[name] = k
		}
	}
	b.parts = make([]*part, len(t.many))
	for i, m := range t.many {
		b.parts[i] = &part{n: i, name: m.path, rel: m.rel, comp: t.compOf(o, m)}
		for _, h := range m.hive {
			f := dataknobs.Field{Name: h.name, Value: hiveValue(h.text, b.hive[h.name])}
			b.parts[i].hive = append(b.parts[i].hive, f)
		}
	}
	b.acquire()
	err := b.each(ctx, 0, func(p *part, _ int) error { return b.openMember(ctx, p) })
	if err == nil {
		var rule ids
		var key []string
		if b.side != nil { // of the one file of a remote store
			key = b.side.Key
		}
		rule, err = chooseIDs(ctx, b, b.used, key)
		b.rule.Store(&rule)
	}
	if err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

func (b *base) openMember(ctx context.Context, p *part) error {
	if b.o.remote != nil {
		return b.openRemoteMember(ctx, p, b.t.many[p.n])
	}
	f, err := openFile(p.name, os.O_RDONLY, 0)
	if err != nil {
		return ioError(p.name, err)
	}
	defer f.Close()
	if p.info, err = f.Stat(); err != nil {
		return ioError(p.name, err)
	}
	head := &part{name: p.name, f: f, comp: p.comp}
	if err := head.checkHead(b.t.format); err != nil {
		return err
	}
	if err := p.setSource(b.t.format, pathSource(p.name, p.info.Size(), p.comp)); err != nil {
		return err
	}
	side, err := readSide(osFS{}, p.name)
	if err != nil {
		return err
	}
	layout, err := side.layoutOf(f, p.info.Size())
	if err != nil {
		return ioError(p.name, err)
	}
	return b.openPart(ctx, p, layout)
}

// pathSource reads a file that is opened at each use.
func pathSource(path string, size int64, comp compression) codec.Source {
	src := codec.Source{Name: path}
	if comp == noCompression {
		src.ReaderAt, src.Size = pathReader(path), size
	}
	src.Open = func(context.Context) (io.ReadCloser, error) {
		f, err := openFile(path, os.O_RDONLY, 0)
		if err != nil {
			return nil, ioError(path, err)
		}
		return decompress(path, f, comp)
	}
	return src
}

// pathReader reads the file of that name, which it opens at each call.
type pathReader string

func (p pathReader) ReadAt(b []byte, off int64) (int, error) {
	f, err := openFile(string(p), os.O_RDONLY, 0)
	if err != nil {
		return 0, ioError(string(p), err)
	}
	defer f.Close()
	return f.ReadAt(b, off)
}

// infersKinds reports whether the kinds of the files' values depend on the
// whole of each file, so that several files must first agree.
func (b *base) infersKinds() bool {
	return len(b.parts) > 1 && b.parts[0].file().Columns() != nil && !b.t.format.binary
}

// agree settles the kinds at those paths over all files of a store, so that
// one store has one answer whichever file a row stands in: a column that is
// numeric in one file and text in another is text in all. nil paths: all columns.
func (b *base) agree(ctx context.Context, paths []dataknobs.Path) error {
	if !b.infersKinds() {
		return nil
	}
	if err := b.work.lock(ctx); err != nil {
		return err
	}
	defer b.work.unlock()
	todo := b.unsettled(paths)
	if len(todo) == 0 {
		return nil
	}
	kinds, err := b.kindsOf(ctx, todo)
	if err != nil {
		return err
	}
	return b.settle(ctx, todo, kinds)
}

// unsettled are the columns among paths that have not been settled. The caller
// holds work.
func (b *base) unsettled(paths []dataknobs.Path) []dataknobs.Path {
	if paths == nil {
		for _, c := range b.columns() {
			paths = append(paths, dataknobs.Names(c))
		}
	}
	var todo []dataknobs.Path
	for _, p := range paths {
		if p.IsSystem() {
			continue
		}
		top := dataknobs.Names(p[0].Name)
		if _, done := b.settled[p[0].Name]; !done && !slices.ContainsFunc(todo, top.Equal) {
			todo = append(todo, top)
		}
	}
	return todo
}

// kindsOf unites what the parts say.
func (b *base) kindsOf(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	all := make([]dataknobs.KindSet, len(paths))
	var mu sync.Mutex
	err := b.each(ctx, 0, func(p *part, _ int) error {
		ks, err := p.file().Kinds(ctx, paths)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for i, k := range ks {
			all[i] |= k
		}
		return nil
	})
	return all, err
}

// settle notes what is agreed; where the files disagree, they are opened again
// with the columns declared as text.
func (b *base) settle(ctx context.Context, paths []dataknobs.Path, kinds []dataknobs.KindSet) error {
	again := false
	if b.settled == nil {
		b.settled = map[string]dataknobs.KindSet{}
	}
	for i, p := range paths {
		if mixed(kinds[i]) {
			if b.declared == nil {
				b.declared = map[string]dataknobs.Kind{}
			}
			b.declared[p[0].Name] = dataknobs.KindString
			kinds[i] = kinds[i]&dataknobs.KindsOf(dataknobs.KindNull) | dataknobs.KindsOf(dataknobs.KindString)
			again = true
		}
	}
	if again {
		err := b.each(ctx, 0, func(p *part, _ int) error {
			// The file opened before may still be read by another scan; it holds no
			// descriptor, so it is left to the collector.
			return b.openPart(ctx, p, nil)
		})
		if err != nil {
			return err
		}
	}
	for i, p := range paths {
		b.settled[p[0].Name] = kinds[i]
	}
	return nil
}

// mixed reports whether a column of these kinds in several files must be text.
func mixed(s dataknobs.KindSet) bool {
	s &^= dataknobs.KindsOf(dataknobs.KindNull)
	if s&^dataknobs.KindsOf(dataknobs.KindInt, dataknobs.KindFloat) == 0 {
		return false
	}
	return s&(s-1) != 0 // more than one kind
}
