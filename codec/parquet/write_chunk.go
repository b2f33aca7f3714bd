package parquet

import (
	"slices"

	"dataknobs.dev/dataknobs"
)

// A rowChunk is a run of rows, as columns; it is a codec.Chunk.
type rowChunk struct {
	cols  []column
	coded bool // some column is
	rows  int
	size  int // about how many bytes the values take
}

// A column holds the values of one column of a chunk: one entry for each row,
// nulls included, or for each element of a list. A coded column holds different
// values, and for each entry the number, from 1, of its value, or 0 for null.
type column struct {
	plan    *columnPlan
	n       int
	coded   bool
	codes   []uint16
	def     []byte // by entry: the definition level; nil: all are there
	spare   []byte // room for def
	lengths []int32
	ints    []int64 // bools, ints, times
	floats  []float64
	data    []byte // text and bytes
	ends    []uint32
}

// maxText bounds the bytes of text of one column of a chunk.
const maxText = 1 << 31

func newRowChunk(plans []columnPlan) *rowChunk {
	c := &rowChunk{cols: make([]column, len(plans))}
	for i := range plans {
		c.cols[i].plan = &plans[i]
	}
	return c
}

// reset makes the chunk empty and keeps its room.
func (c *rowChunk) reset() {
	c.rows, c.size, c.coded = 0, 0, false
	for i := range c.cols {
		x := &c.cols[i]
		if x.def != nil {
			x.spare = x.def
		}
		*x = column{plan: x.plan, codes: x.codes[:0], spare: x.spare[:0], lengths: x.lengths[:0], ints: x.ints[:0], floats: x.floats[:0], data: x.data[:0], ends: x.ends[:0]}
	}
}

// Rows returns how many rows have been appended.
func (c *rowChunk) Rows() int { return c.rows }

// AppendRow appends one row; see codec.Chunk.
func (c *rowChunk) AppendRow(values []dataknobs.Value) error {
	if len(values) == 0 && c.cols[0].plan.name == emptyColumn {
		values = []dataknobs.Value{{}}
	}
	if len(values) != len(c.cols) {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "a row of %d values for %d columns", len(values), len(c.cols))
	}
	if c.coded {
		c.decode()
	}
	for i := range values {
		if !c.cols[i].append(values[i]) {
			for j := range i {
				c.cols[j].truncate(c.rows)
			}
			return c.cols[i].misfit(values[i])
		}
		c.size += 8 + values[i].Len()
	}
	c.rows++
	return nil
}

func (c *column) misfit(v dataknobs.Value) error {
	what := v.Kind().String()
	switch {
	case v.IsNull():
		what = "no value"
	case v.Kind() == dataknobs.KindFloat:
		what = "float " + v.String()
	}
	return dataknobs.Errorf(dataknobs.InvalidArgument, "the column %s holds %s; here is %s", c.plan.name, c.plan.holds(), what)
}

func (p *columnPlan) holds() string {
	switch {
	case p.list:
		return "arrays of " + p.kind.String()
	case p.number:
		return "numbers"
	case p.json:
		return "JSON"
	}
	return p.kind.String()
}

// append appends v, or reports that it does not fit and changes nothing.
func (c *column) append(v dataknobs.Value) bool {
	switch {
	case v.IsNull():
		if c.plan.required {
			return false
		}
		c.null(0)
		return true
	case c.plan.list:
		return c.appendList(v)
	case !c.put(v):
		return false
	}
	c.present(1)
	return true
}

// put appends what the column holds of v, which is not null, and makes no entry.
func (c *column) put(v dataknobs.Value) bool {
	switch {
	case c.plan.number:
		return v.IsNumber() && finite(v) && c.text(func(b []byte) []byte { return v.AppendText(b) })
	case c.plan.json:
		return c.text(v.AppendTaggedJSON)
	}
	return v.Kind() == c.plan.kind && c.scalar(v)
}

func finite(v dataknobs.Value) bool {
	f := v.Float()
	return f-f == 0
}

// scalar appends the value alone, of the column's kind, not null.
func (c *column) scalar(v dataknobs.Value) bool {
	switch c.plan.kind {
	case dataknobs.KindInt:
		c.ints = append(c.ints, v.Int())
	case dataknobs.KindTime:
		c.ints = append(c.ints, v.Micros())
	case dataknobs.KindBool:
		b := int64(0)
		if v.Bool() {
			b = 1
		}
		c.ints = append(c.ints, b)
	case dataknobs.KindFloat:
		if !finite(v) {
			return false
		}
		c.floats = append(c.floats, v.Float())
	default:
		if len(c.data)+v.Len() >= maxText {
			return false
		}
		if c.plan.kind == dataknobs.KindString {
			c.data = append(c.data, v.Str()...)
		} else {
			c.data = v.AppendBytes(c.data)
		}
		c.ends = append(c.ends, uint32(len(c.data)))
	}
	return true
}

func (c *column) text(add func([]byte) []byte) bool {
	data := add(c.data)
	if len(data) >= maxText {
		return false
	}
	c.data = data
	c.ends = append(c.ends, uint32(len(data)))
	return true
}

// present notes an entry that has a value, at that definition level.
func (c *column) present(level byte) {
	c.n++
	if c.def != nil {
		c.def = append(c.def, level)
	}
}

// null appends an entry without a value, at that definition level.
func (c *column) null(level byte) {
	c.absent(level)
	if c.plan.list {
		c.lengths = append(c.lengths, 0)
	}
}

func (c *column) absent(level byte) {
	if c.def == nil {
		if cap(c.spare) < c.n+1 {
			c.spare = make([]byte, c.n, c.n+1024)
		}
		c.def = c.spare[:c.n]
		fill(c.def, c.plan.top())
	}
	c.n++
	c.def = append(c.def, level)
	c.hole()
}

// hole keeps the place of a value that is not there.
func (c *column) hole() {
	switch c.plan.kind {
	case dataknobs.KindNull:
	case dataknobs.KindInt, dataknobs.KindTime, dataknobs.KindBool:
		c.ints = append(c.ints, 0)
	case dataknobs.KindFloat:
		c.floats = append(c.floats, 0)
	default:
		c.ends = append(c.ends, uint32(len(c.data)))
	}
}

// top is the definition level of a value.
func (p *columnPlan) top() byte {
	switch {
	case p.list:
		return 3
	case p.required:
		return 0
	}
	return 1
}

// appendList appends an array: an entry for each element, or one that says
// that there is none. lengths counts the elements of each row.
func (c *column) appendList(v dataknobs.Value) bool {
	if v.Kind() != dataknobs.KindArray {
		return false
	}
	before := c.n
	if v.Len() == 0 {
		c.null(1)
		return true
	}
	for e := range v.Elems() {
		switch {
		case e.IsNull():
			c.absent(2)
		case e.Kind() != c.plan.kind || !c.scalar(e):
			c.cut(before)
			return false
		default:
			c.present(3)
		}
	}
	c.lengths = append(c.lengths, int32(v.Len()))
	return true
}

// truncate takes back what comes after the first rows rows.
func (c *column) truncate(rows int) {
	n := rows
	if c.plan.list {
		n = 0
		for _, l := range c.lengths[:rows] {
			n += int(max(l, 1))
		}
		c.lengths = c.lengths[:rows]
	}
	c.cut(n)
}

// cut takes back what comes after the first n entries.
func (c *column) cut(n int) {
	c.n = n
	if c.def != nil {
		c.def = c.def[:n]
	}
	switch c.plan.kind {
	case dataknobs.KindNull:
	case dataknobs.KindInt, dataknobs.KindTime, dataknobs.KindBool:
		c.ints = c.ints[:n]
	case dataknobs.KindFloat:
		c.floats = c.floats[:n]
	default:
		c.ends = c.ends[:n]
		c.data = c.data[:c.start(n)]
	}
}

func (c *column) start(i int) uint32 {
	if i == 0 {
		return 0
	}
	return c.ends[i-1]
}

// textSize returns how many bytes of text the entries [from, to) hold.
func (c *column) textSize(from, to int) int {
	if len(c.ends) == 0 || to == 0 {
		return 0
	}
	return int(c.ends[to-1] - c.start(from))
}

// upTo returns to, or less where the text of [from, to) is too much for a page.
func (c *column) upTo(from, to int) int {
	if c.textSize(from, to) <= pageBytes {
		return to
	}
	limit := c.start(from) + pageBytes
	n, _ := slices.BinarySearch(c.ends[from:to], limit)
	return min(from+n+1, to)
}
