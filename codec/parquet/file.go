package parquet

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// layoutKey names our layout in the key-value metadata of a file.
const layoutKey = "dataknobs.layout"

// A file is an opened Parquet file.
type file struct {
	src    codec.Source
	r      io.ReaderAt
	size   int64
	spool  *os.File // of a source without random access; nil if there is none
	pf     *parquet.File
	md     *format.FileMetaData
	root   *node // its children are the fields
	leaves []*node
	bases  []int64 // by row group: the number of its first row
	rows   int64
	layout *codec.Layout // of our own writer; empty for foreign files
	own    bool          // layout came of the file itself
	id     *node         // the column of IDs; nil if there is none
	meta   *node         // the column of metadata; nil if there is none
}

// Open reads the file's footer. The errors are DataLoss for what is no Parquet
// file or a broken one, Unsupported for an encrypted one, and those of the source.
func (Format) Open(ctx context.Context, src codec.Source, o *codec.ReadOptions) (codec.File, error) {
	if o == nil {
		o = &codec.ReadOptions{}
	}
	f := &file{src: src, r: src.ReaderAt, size: src.Size}
	if err := f.open(ctx, o); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *file) open(ctx context.Context, o *codec.ReadOptions) error {
	if f.r == nil {
		if err := f.spoolAll(ctx); err != nil {
			return err
		}
	}
	if err := f.parse(); err != nil {
		return err
	}
	root, leaves, err := buildSchema(f.md.Schema)
	if err != nil {
		return f.broken(err)
	}
	f.root, f.leaves = root, leaves
	if err := checkGroups(f.md, len(leaves)); err != nil {
		return f.broken(err)
	}
	for i := range f.md.RowGroups {
		f.bases = append(f.bases, f.rows)
		if f.rows += f.md.RowGroups[i].NumRows; f.rows < 0 {
			return f.broken(errCorrupt)
		}
	}
	f.findLayout(o)
	if err := nameColumns(root.children, []string{f.idName(), f.layout.Meta}, o.Warn); err != nil {
		return f.broken(err)
	}
	f.useLayout()
	return f.applyTypes(root.children, o.Types)
}

// findLayout takes the layout from the options or from the file; foreign files
// have an empty one.
func (f *file) findLayout(o *codec.ReadOptions) {
	f.layout = o.Layout
	if text, ok := f.pf.Lookup(layoutKey); ok && f.layout == nil {
		l := &codec.Layout{}
		if json.Unmarshal([]byte(text), l) == nil && l.Version == 1 {
			f.layout = l
			f.own = true
		}
	}
	if f.layout == nil {
		f.layout = &codec.Layout{}
	}
}

// idName is the name of the column that holds the IDs, if there is such a column.
func (f *file) idName() string {
	if f.layout.ID != "" {
		return f.layout.ID
	}
	return "_id"
}

// useLayout sets apart the columns that are no fields.
func (f *file) useLayout() {
	l := f.layout
	applyLayout(f.root.children, l)
	var fields []*node
	for _, c := range f.root.children {
		switch {
		case c.name == f.idName() && c.flat():
			f.id = c
			if c.class != classString {
				c.conv = &conversion{name: "string", kinds: dataknobs.KindsOf(dataknobs.KindString), code: dataknobs.DataLoss, apply: toString}
			}
		case f.own && c.name == emptyColumn && len(l.Columns) == 0:
		case c.name == l.Meta && c.conv == jsonColumn:
			f.meta = c
		default:
			fields = append(fields, c)
		}
	}
	f.root.children = fields
}

func (f *file) broken(err error) error {
	return dataknobs.Errorf(dataknobs.DataLoss, "%s is not a sound Parquet file: %w", f.src.Name, err).
		WithHint("it may be cut short, or of another format")
}

// parse reads the footer.
func (f *file) parse() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = f.broken(fmt.Errorf("%v", p))
		}
	}()
	if f.size < 12 {
		return f.broken(fmt.Errorf("it has %d bytes", f.size))
	}
	var end [8]byte
	if err := f.readAt(end[:], f.size-8); err != nil {
		return f.broken(err)
	}
	if string(end[4:]) == "PARE" {
		return dataknobs.Errorf(dataknobs.Unsupported, "%s is an encrypted Parquet file", f.src.Name)
	}
	// The library would allocate what the footer claims.
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if n > f.size-12 {
		return f.broken(fmt.Errorf("its footer claims %d bytes", n))
	}
	footer := make([]byte, n)
	if err := f.readAt(footer, f.size-8-n); err != nil {
		return f.broken(err)
	}
	if err := checkNesting(footer); err != nil {
		return f.broken(err)
	}
	f.pf, err = parquet.OpenFile(f.r, f.size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
		parquet.ReadBufferSize(32<<10))
	if err != nil {
		return f.broken(err)
	}
	f.md = f.pf.Metadata()
	return nil
}

// spoolAll copies a source that cannot be read at random to memory or, past a
// few megabytes, to a temporary file.
func (f *file) spoolAll(ctx context.Context) error {
	rc, err := f.src.Open(ctx)
	if err != nil {
		return err
	}
	defer rc.Close()
	r := &spooled{}
	if err := r.copy(ctx, rc); err != nil {
		return err
	}
	f.r, f.size, f.spool = r, r.size, r.file
	return nil
}

// Columns returns the names of the fields.
func (f *file) Columns() []string {
	names := make([]string, len(f.root.children))
	for i, c := range f.root.children {
		names[i] = c.name
	}
	return names
}

// Keyed returns false: Parquet files have no keys.
func (f *file) Keyed() bool { return false }

// Kinds returns the kinds at each path, from the schema; 0 for what lies in
// JSON.
func (f *file) Kinds(_ context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	out := make([]dataknobs.KindSet, len(paths))
	for i, p := range paths {
		out[i] = f.kindsAt(p)
	}
	return out, nil
}

func (f *file) kindsAt(p dataknobs.Path) dataknobs.KindSet {
	null := dataknobs.KindsOf(dataknobs.KindNull)
	w := f.resolve(p)
	if w.node == nil {
		return null
	}
	n := w.node
	switch {
	case n.conv != nil && n.conv.kinds == 0:
		return 0
	case len(w.rest) == 0 && f.rows == 0:
		return n.kinds() &^ null
	case len(w.rest) == 0:
		return n.kinds()
	}
	if n.repetition == repeated || n.shape == shapeList || n.shape == shapePairs {
		if len(w.rest) == 1 && w.rest[0].Name == "" {
			return n.elementKinds().With(dataknobs.KindNull)
		}
		return 0
	}
	if n.shape == shapeMap && len(w.rest) == 1 && len(n.elem.children) == 2 {
		return n.elem.children[1].kinds().With(dataknobs.KindNull)
	}
	return 0
}

// elementKinds returns the kinds of the elements of an array.
func (n *node) elementKinds() dataknobs.KindSet {
	e := n
	if n.repetition != repeated {
		e = n.elem
	}
	if e.repetition != repeated {
		return e.kinds()
	}
	once := *e
	once.repetition, once.maxDef = required, 0
	return once.kinds()
}

// Layout describes the file. A column that the writer cannot hold as it is held
// here, such as a nested one, is JSON.
func (f *file) Layout(context.Context) (*codec.Layout, error) {
	l := &codec.Layout{Version: 1}
	if f.id != nil {
		l.ID = f.id.name
	}
	if f.meta != nil {
		l.Meta = f.meta.name
	}
	for _, c := range f.root.children {
		l.Columns = append(l.Columns, codec.Column{Name: c.name, Kind: c.kindName()})
	}
	return l, nil
}

// kindName returns how our writer would hold the column.
func (n *node) kindName() string {
	null := dataknobs.KindsOf(dataknobs.KindNull)
	switch k := n.kinds() &^ null; {
	case n.conv == numberColumn:
		return kindNumber
	case n.flat() && k != 0:
		return k.String()
	case n.flat() && n.class == classNull && n.conv == nil:
		return dataknobs.KindNull.String()
	case k.Only(dataknobs.KindArray):
		if name, ok := listKind(n.elementKinds() &^ null); ok {
			return name
		}
	}
	return kindJSON
}

// ReadAt materialises rows by their numbers.
func (f *file) ReadAt(ctx context.Context, offsets []int64, each func(i int, rec *dataknobs.Record) error) error {
	m := f.maker(nil)
	gi := -1
	var g *scanGroup
	defer func() {
		if g != nil {
			g.close()
		}
	}()
	for i, row := range offsets {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := f.groupOf(row)
		if at < 0 {
			return dataknobs.Errorf(dataknobs.NotFound, "%s has no row %d", f.src.Name, row)
		}
		if at != gi {
			if g != nil {
				g.close()
			}
			gi = at
			g = f.group(gi, nil)
			if err := m.reset(g); err != nil {
				return err
			}
			if err := m.fetch(ctx, f.sameGroup(gi, offsets[i:])); err != nil {
				return err
			}
		}
		rec, err := m.record(row - f.bases[gi])
		if err != nil {
			return err
		}
		if err := each(i, rec); err != nil {
			if err == codec.ErrStop {
				return nil
			}
			return err
		}
	}
	return nil
}

// groupOf returns the number of the row group that holds the row; -1 if none does.
func (f *file) groupOf(row int64) int {
	if row < 0 || row >= f.rows {
		return -1
	}
	lo, hi := 0, len(f.bases)
	for lo < hi { // the last row group whose first row is not after row
		if m := (lo + hi) / 2; f.bases[m] <= row {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo - 1
}

// Close frees what Open took.
func (f *file) Close() error {
	if f.spool == nil {
		return nil
	}
	name := f.spool.Name()
	err := f.spool.Close()
	os.Remove(name)
	return err
}
