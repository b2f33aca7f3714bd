package csv

import (
	"bytes"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
)

// batchRows is how many rows are split before their columns are read: few
// enough for their cells to stay in the nearest cache.
const batchRows = 128

// A batch is the cells of a few rows.
type batch struct {
	grid   []int32 // a splitter's pos for each row, at multiples of stride
	stride int
	lines  []int64 // by row: the line it starts on
	coders []coder // by slot
	vecs   []codec.Vector
}

// byColumns reports whether the rows can be given as whole columns: slots are
// all that is wanted, and each is a cell of every row.
func (s *scan) byColumns() bool {
	if !s.NoRecords || len(s.p.slots) == 0 || s.f.o.CSV.Pad {
		return false
	}
	seen := make([]bool, len(s.f.cols))
	for _, x := range s.p.slots {
		if x.col < 0 || len(x.rest) > 0 || seen[x.col] {
			return false
		}
		seen[x.col] = true
	}
	return true
}

// startBatches makes the worker ready for a block that is read by columns.
func (w *worker) startBatches() {
	if w.grid == nil {
		w.stride = len(w.f.cols) + 1
		w.grid = make([]int32, batchRows*w.stride+len(w.f.cols)+16)
		w.lines = make([]int64, batchRows)
		for _, s := range w.s.p.slots {
			c := coder{col: s.col, as: w.s.p.as[s.col]}
			if s.kept >= 0 {
				c.check = &w.checks[s.kept]
			}
			w.coders = append(w.coders, c)
		}
		w.vecs = make([]codec.Vector, len(w.coders))
	}
	for i := range w.coders {
		w.coders[i].reset()
	}
}

// vectors gives the block to v by columns. It returns how far it went: to the
// end, or where nobody wanted any more than the kinds of what follows.
func (w *worker) vectors(b *blocks.Block, v codec.VectorVisitor, quotes bool) (p int, err error) {
	w.startBatches()
	defer func(pos []int32) { w.split.pos = pos }(w.split.pos)
	rows := 0
	for p < len(w.data) {
		if b.Stopped() {
			return len(w.data), nil
		}
		if w.s.isQuiet(b.Index) {
			return p, nil
		}
		n, next, err := w.splitBatch(p, quotes)
		line := w.line
		for i := range w.coders {
			if n = w.coders[i].read(w, n); w.err != nil {
				err, w.err = w.err, nil // of an earlier row than those before
			}
		}
		if w.line = line; err != nil {
			return p, err
		}
		rows += n
		p = next
	}
	if rows == 0 || w.s.isQuiet(b.Index) {
		return p, nil
	}
	for i := range w.coders {
		w.vecs[i] = w.coders[i].vector()
	}
	err = v.Vectors(rows, w.vecs)
	if err == codec.ErrStop {
		w.s.quiet(b.Index)
		err = nil
	}
	return p, err
}

// splitBatch finds the cells of the next rows from p on. It returns how many
// rows there are, and where the next batch starts. The rows before one that
// cannot be split are there in spite of the error.
func (w *worker) splitBatch(p int, quotes bool) (n, next int, err error) {
	for n < batchRows && p < len(w.data) {
		at := n * w.stride
		w.split.pos = w.grid[at : at+len(w.f.cols)+16]
		next, row, err := w.next(p, quotes)
		if err != nil {
			return n, p, err
		}
		if row {
			w.lines[n] = w.line
			n++
		}
		if quotes {
			w.line += int64(bytes.Count(w.data[p:next], []byte{'\n'}))
		} else {
			w.line++
		}
		p = next
	}
	return n, p, nil
}

// cell reads a cell of the batch, and notes its kind if that is assumed. The
// value stays valid until the end of the block.
func (w *worker) cell(row int, c *coder) (v dataknobs.Value) {
	at := row * w.stride
	w.split.pos = w.grid[at : at+w.stride]
	w.start, w.line, w.cells = int(w.grid[at])+1, w.lines[row], w.stride-1
	w.scratch = w.scratch[:0]
	if c.check != nil {
		w.look(c.check)
		return c.check.value
	}
	v = w.value(c.col, c.as)
	if len(w.scratch) > 0 || c.as == asJSON {
		v = v.Clone() // it may stand in the scratch text
	}
	return v
}
