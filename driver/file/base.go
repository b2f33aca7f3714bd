package file

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A base is one generation of what is stored in files: one file, or the files
// of a folder. It is never changed. Readers hold it by acquire and release, so that
// they can end what they began on it after it has been replaced.
type base struct {
	o     *Options
	t     *target
	id    fileID // of the single file
	parts []*part
	used  *codec.Layout // what the side file says, which the file is read by; may be nil
	side  *side         // of a single file
	sound atomic.Bool   // checkEdited has nothing (more) to find
	rule  atomic.Pointer[ids]
	hive  map[string]dataknobs.Kind
	refs  atomic.Int64

	work     workLock // guards the fields below, and is held while finding them out
	index    *index
	checked  bool
	rows     int64 // -1: not counted
	random   *part // over the decompressed content, for reading single records
	settled  map[string]dataknobs.KindSet
	declared map[string]dataknobs.Kind // what the files of a store disagree on
}

// A part is one file of a base.
type part struct {
	n    int
	name string // for errors
	rel  string // within the store, for IDs
	cur  atomic.Pointer[codec.File]
	f    readFile // nil where it is opened at each use
	info os.FileInfo
	comp compression
	hive []dataknobs.Field
	src  codec.Source
}

func (b *base) acquire() { b.refs.Add(1) }

func (b *base) release() {
	if b.refs.Add(-1) > 0 {
		return
	}
	for _, p := range b.parts {
		p.close()
	}
	if b.random != nil && b.random != b.parts[0] {
		b.random.close()
	}
}

func (p *part) close() {
	if f := p.cur.Load(); f != nil {
		(*f).Close()
	}
	if p.f != nil {
		p.f.Close()
	}
}

// openSingle opens the one file of a store; nil if there is none.
func openSingle(ctx context.Context, o *Options, t *target, side *side) (*base, error) {
	f, err := o.fs.Open(t.path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, ioError(t.name, err)
	}
	p := &part{name: t.name, f: f, comp: t.comp}
	if p.info, err = f.Stat(); err != nil {
		f.Close()
		return nil, ioError(t.name, err)
	}
	b := &base{o: o, t: t, id: idOf(p.info), parts: []*part{p}, rows: -1, work: newWorkLock()}
	if err = b.open(ctx, side); err != nil {
		p.close()
		return nil, err
	}
	b.acquire()
	return b, nil
}

// open opens the codec's file and finds out where the IDs come from.
func (b *base) open(ctx context.Context, side *side) error {
	p := b.parts[0]
	if err := p.checkHead(b.t.format); err != nil {
		return err
	}
	if err := p.setSource(b.t.format, p.fileSource()); err != nil {
		return err
	}
	b.side = side
	var err error
	if b.used, err = side.layoutOf(p.f, p.info.Size()); err != nil {
		return ioError(p.name, err)
	}
	if err := b.openPart(ctx, p, b.used); err != nil {
		return err
	}
	rule, err := chooseIDs(ctx, b, b.used, side.Key)
	b.rule.Store(&rule)
	return err
}

// ids says where the IDs come from. It may answer differently once verifyIDs
// has found that an id column repeats.
func (b *base) ids() *ids { return b.rule.Load() }

// A workLock is a mutex that a cancelled context need not wait for.
type workLock chan struct{}

func newWorkLock() workLock { return make(workLock, 1) }

func (l workLock) lock(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l workLock) unlock() { <-l }

// checkHead compares the file's beginning with what it is taken for.
func (p *part) checkHead(f *format) error {
	var head [4]byte
	n, err := p.f.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return ioError(p.name, err)
	}
	return checkContent(p.name, head[:n], f, p.comp)
}

// fileSource reads the open file; any number of readers at once.
func (p *part) fileSource() codec.Source {
	size := p.info.Size()
	src := codec.Source{Name: p.name}
	section := func() io.ReadCloser { return io.NopCloser(io.NewSectionReader(p.f, 0, size)) }
	if p.comp == noCompression {
		src.ReaderAt, src.Size = p.f, size
		src.Open = func(context.Context) (io.ReadCloser, error) { return section(), nil }
		return src
	}
	src.Open = func(context.Context) (io.ReadCloser, error) { return decompress(p.name, section(), p.comp) }
	return src
}

// setSource makes src what the part is read from, unless the file has no bytes.
func (p *part) setSource(f *format, src codec.Source) (err error) {
	p.src = src
	if p.info.Size() == 0 {
		p.comp = noCompression
		p.src, err = blankSource(p.name, f)
	}
	return err
}

// file is the opened file. It may be replaced by one that is opened in another
// way (base.agree), so a scan asks once.
func (p *part) file() codec.File { return *p.cur.Load() }

// openPart opens the codec's file over p.src.
func (b *base) openPart(ctx context.Context, p *part, l *codec.Layout) error {
	o := readOptions(b.o, l)
	if len(b.declared) > 0 {
		types := make(map[string]dataknobs.Kind, len(o.Types)+len(b.declared))
		for name, k := range b.declared {
			types[name] = k
		}
		for name, k := range o.Types {
			types[name] = k
		}
		o.Types = types
	}
	f, err := b.t.format.codec.Open(ctx, p.src, o)
	if err != nil {
		return err
	}
	p.cur.Store(&f)
	return nil
}

func readOptions(o *Options, l *codec.Layout) *codec.ReadOptions {
	return &codec.ReadOptions{
		Types: o.Types, Layout: l, Warn: o.Warn,
		CSV: codec.CSVOptions{
			Delimiter: o.CSV.Delimiter, Nulls: o.CSV.Nulls, NoHeader: o.CSV.NoHeader,
			Strict: o.CSV.Strict, Pad: o.CSV.Pad, Latin1: o.CSV.Latin1,
		},
	}
}

// columns are the names of the fields where the format knows them; nil where
// it does not.
func (b *base) columns() []string {
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, p := range b.parts {
		cols := p.file().Columns()
		if cols == nil {
			return nil
		}
		for _, c := range cols {
			add(c)
		}
	}
	for _, p := range b.parts {
		for _, h := range p.hive {
			add(h.Name)
		}
	}
	return names
}

// first returns the values at some paths of the first row; nil if there is no
// row. A name that is not there cannot be the key of all rows.
func (b *base) first(ctx context.Context, paths ...dataknobs.Path) (vs []dataknobs.Value, err error) {
	for _, p := range b.parts {
		scan := &codec.Scan{Slots: paths, NoRecords: true, Speculate: true, Workers: 1}
		scan.Begin = func(int) (codec.Visitor, error) {
			return visitFunc(func(row codec.Row) error {
				if vs == nil {
					for i := range paths {
						vs = append(vs, row.Value(i).Clone())
					}
				}
				return codec.ErrStop
			}), nil
		}
		err = p.file().Scan(ctx, scan)
		if vs != nil {
			return vs, nil
		}
		if err != nil && err != codec.ErrUnsettled {
			return nil, err
		}
	}
	return nil, nil
}

// visitFunc is a Visitor whose End does nothing.
type visitFunc func(row codec.Row) error

func (f visitFunc) Row(row codec.Row) error { return f(row) }
func (f visitFunc) End() error              { return nil }

// numberOfRows counts the rows, once.
func (b *base) numberOfRows(ctx context.Context) (int64, error) {
	if err := b.work.lock(ctx); err != nil {
		return 0, err
	}
	defer b.work.unlock()
	if b.rows >= 0 {
		return b.rows, nil
	}
	var n atomic.Int64
	err := b.each(ctx, 0, func(p *part, workers int) error {
		return p.file().Scan(ctx, &codec.Scan{NoRecords: true, Workers: workers, Begin: func(int) (codec.Visitor, error) {
			return &rowCounter{total: &n}, nil
		}})
	})
	if err == nil {
		b.rows = n.Load()
	}
	return n.Load(), err
}

type rowCounter struct {
	total *atomic.Int64
	n     int64
}

func (c *rowCounter) Row(codec.Row) error { c.n++; return nil }
func (c *rowCounter) End() error          { c.total.Add(c.n); return nil }

// smallPart is up to what mean size several files are read at once, one
// worker each, rather than one after the other by all workers.
const smallPart = 8 << 20

// spread says how many parts to read at once, and with how many workers each.
func (b *base) spread(workers int) (atOnce, each int) {
	workers = numWorkers(workers)
	if len(b.parts) < 2 {
		return 1, workers
	}
	var size int64
	for _, p := range b.parts {
		if p.info != nil { // it is being opened
			size += p.info.Size()
		}
	}
	if size/int64(len(b.parts)) > smallPart && b.parts[0].comp == noCompression {
		return 1, workers
	}
	return workers, 1
}

// each calls f for every part, several at once. It returns the first error, in
// the order of the parts, among those that occurred.
func (b *base) each(ctx context.Context, workers int, f func(p *part, workers int) error) error {
	atOnce, per := b.spread(workers)
	if len(b.parts) == 1 {
		return f(b.parts[0], per)
	}
	errs := make([]error, len(b.parts))
	var failed atomic.Bool
	var next atomic.Int64
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(b.parts) && !failed.Load() && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if errs[i] = f(b.parts[i], per); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
