package file

import (
	"context"
	"slices"
	"sync"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// Convert copies all of src into dst, which has no records yet, without making
// records: the columns of the one are the columns of the other, filled by all
// cores. It returns how many records it copied. Where that cannot be done the
// code is Unsupported, nothing has been written, and Load does it. stats may be
// nil; it counts what is read.
func Convert(ctx context.Context, src, dst *Driver, stats *dataknobs.ScanStats) (int64, error) {
	if src.t.std || dst.t.std || dst.t.many != nil {
		return 0, notHere("one of them is no single file")
	}
	snap, err := src.snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer snap.release()
	if snap.base == nil || snap.ov.over.Len()+snap.ov.added.Len() > 0 {
		return 0, notHere("the source has changes in its journal")
	}
	if err := dst.w.begin(ctx); err != nil {
		return 0, err
	}
	if err := dst.w.lead.lock(ctx); err != nil {
		return 0, err
	}
	defer dst.w.lead.unlock()
	return dst.w.convert(ctx, snap, stats)
}

func notHere(why string) error {
	return dataknobs.Errorf(dataknobs.Unsupported, "the columns cannot be copied as they are: %s", why)
}

// convert does the work. The caller leads the destination.
func (w *writer) convert(ctx context.Context, snap *snapshot, stats *dataknobs.ScanStats) (int64, error) {
	d := w.d
	if err := w.usable(); err != nil {
		return 0, err
	}
	if d.closing.Load() {
		return 0, errClosed
	}
	if !d.st.ov.empty() || d.st.base != nil || d.st.jrnl != nil {
		return 0, notHere("the destination is not new")
	}
	if !d.t.format.binary {
		return 0, notHere("the format " + d.t.format.name + " is not written by columns")
	}
	c := &conversion{d: d, snap: snap, stats: stats, guess: true}
	layout, t, m, err := c.write(ctx)
	if err != nil && c.guess && dataknobs.CodeOf(err) != dataknobs.Unsupported && ctx.Err() == nil {
		// Whatever is wrong, it may be the guess: the whole file decides.
		c.guess, c.rows = false, 0
		layout, t, m, err = c.write(ctx)
	}
	if err != nil {
		return 0, err
	}
	if err := d.unchanged(); err != nil {
		t.discard()
		return 0, err
	}
	ctx = context.WithoutCancel(ctx) // the rest is short, and must not stop half-way
	if err := w.replace(ctx, t, m, layout); err != nil {
		return 0, err
	}
	return c.rows, w.takeUp(ctx)
}

// A conversion is one Convert on its way.
type conversion struct {
	d     *Driver // the destination
	snap  *snapshot
	stats *dataknobs.ScanStats
	rows  int64
	guess bool // take the kinds of the source from its beginning
}

// write writes the copy as a temporary file.
func (c *conversion) write(ctx context.Context) (*codec.Layout, *temp, mark, error) {
	layout, err := c.layout(ctx)
	if err != nil {
		return nil, nil, mark{}, err
	}
	t, m, err := c.d.writeFile(ctx, layout, 0, func(out codec.Writer) error { return c.copy(ctx, layout, out) })
	return layout, t, m, err
}

// layout is how the copy holds its records: the columns of the source, and
// one of IDs where the key does not make them.
func (c *conversion) layout(ctx context.Context) (*codec.Layout, error) {
	b := c.snap.base
	if err := c.snap.d.verifyIDs(ctx, b); err != nil {
		return nil, err
	}
	if len(b.parts) > 1 || !c.plainColumns() {
		return nil, notHere("the columns of the source are known only when it has been read")
	}
	from, err := c.sourceLayout(ctx, b.parts[0].file())
	if err != nil {
		return nil, err
	}
	l := &codec.Layout{Version: 1, Columns: slices.Clone(from.Columns)}
	if from.Meta != "" {
		l.Meta = metaColumn
	}
	src, dst := b.ids(), c.d.rule()
	switch {
	case dst.from == byKey:
		if src.from != byKey || !slices.Equal(src.key, dst.key) {
			return nil, notHere("the IDs are made of other fields")
		}
	case src.from == byRow, src.from == byKey && !src.asked:
	default:
		l.ID = idColumn
	}
	return l, nil
}

// sourceLayout returns the layout of the source; guess stays true only where it
// was guessed.
func (c *conversion) sourceLayout(ctx context.Context, f codec.File) (*codec.Layout, error) {
	if g, ok := f.(codec.Guesser); ok && c.guess {
		return g.GuessLayout(), nil
	}
	c.guess = false
	return f.Layout(ctx)
}

// plainColumns reports whether the source's format knows its columns.
func (c *conversion) plainColumns() bool { return c.snap.base.parts[0].file().Columns() != nil }

// need asks for the values of a row of the copy; at are their slots.
func (c *conversion) need(layout *codec.Layout) (n *need, at []int) {
	n = newNeed(c.snap.base)
	n.codec.Stats = c.stats
	for _, col := range layout.Columns {
		at = append(at, n.add(dataknobs.Names(col.Name)))
	}
	if layout.ID != "" {
		at = append(at, n.add(dataknobs.PathID))
	}
	if layout.Meta != "" {
		at = append(at, n.add(dataknobs.PathMetadata))
	}
	return n, at
}

// gives reports whether those slots are all that the codec gives, in its order,
// and as it gives them.
func (n *need) gives(at []int) bool {
	for i, j := range at {
		if s := &n.slots[j]; s.from != fromCodec || s.at != i {
			return false
		}
	}
	return len(at) == len(n.codec.Slots)
}

// copy fills chunks by all workers and writes them in the order of the file.
func (c *conversion) copy(ctx context.Context, layout *codec.Layout, out codec.Writer) error {
	cw, ok := out.(codec.ChunkWriter)
	if !ok {
		return notHere("the writer takes no columns")
	}
	n, at := c.need(layout)
	whole := n.gives(at)
	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	q := newQueue(c.snap.base, 0)
	wg.Go(func() {
		q.run(inner, func(ctx context.Context, p *part, workers int, blocks chan<- *block) error {
			scan := n.codec
			scan.Workers, scan.Speculate = workers, c.guess
			scan.Begin = func(int) (codec.Visitor, error) {
				v := &chunker{row: n.newRow(p), at: at, vals: make([]dataknobs.Value, len(at))}
				v.blk = &block{chunk: cw.NewChunk(), done: make(chan struct{})}
				select {
				case blocks <- v.blk:
					if chunk, ok := v.blk.chunk.(codec.VectorChunk); ok && whole {
						return &vectorChunker{v, chunk}, nil
					}
					return v, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			return p.file().Scan(ctx, &scan)
		})
	})
	return q.consume(ctx, func(b *block) error {
		c.rows += int64(b.chunk.Rows())
		return cw.WriteChunk(b.chunk)
	})
}

// A chunker fills a chunk with the rows of a block.
type chunker struct {
	row  row
	at   []int
	vals []dataknobs.Value
	blk  *block
}

func (v *chunker) Row(c codec.Row) error {
	v.row.c = c
	for i, at := range v.at {
		v.vals[i] = v.row.value(at)
	}
	if v.row.err != nil {
		return v.row.err
	}
	return v.blk.chunk.AppendRow(v.vals)
}

func (v *chunker) End() error {
	close(v.blk.done)
	return nil
}

// A vectorChunker is a chunker of rows that the codec gives as they are wanted.
type vectorChunker struct {
	*chunker
	chunk codec.VectorChunk
}

func (v *vectorChunker) Vectors(rows int, slots []codec.Vector) error {
	return v.chunk.AppendVectors(rows, slots)
}
