package parquet

import (
	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// AppendVectors appends whole columns; see codec.VectorChunk. In an empty chunk
// those that are coded stay so.
func (c *rowChunk) AppendVectors(rows int, columns []codec.Vector) error {
	if len(columns) != len(c.cols) {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "%d columns for %d", len(columns), len(c.cols))
	}
	if c.coded {
		c.decode()
	}
	size := 0
	for i := range columns {
		x, v := &c.cols[i], &columns[i]
		bad := x.appendVector(rows, v)
		if bad >= 0 {
			for j := range i + 1 {
				c.cols[j].forget(c.rows)
			}
			return x.misfit(v.Values[bad])
		}
		c.coded = c.coded || x.coded
		size += x.sizeOf(rows)
	}
	c.rows += rows
	c.size += size
	return nil
}

// appendVector appends v. It returns the index in v.Values of one that does not
// fit; -1 if there is none.
func (c *column) appendVector(rows int, v *codec.Vector) (bad int) {
	if c.n == 0 && v.Codes != nil && !c.plan.list && !c.plan.required {
		for i, x := range v.Values[1:] {
			if x.IsNull() || !c.put(x) {
				return i + 1
			}
		}
		c.codes, c.coded, c.n = append(c.codes[:0], v.Codes[:rows]...), true, rows
		return -1
	}
	for i := range rows {
		at := i
		if v.Codes != nil {
			at = int(v.Codes[i])
		}
		if !c.append(v.Values[at]) {
			return at
		}
	}
	return -1
}

// forget takes back what comes after the first rows rows.
func (c *column) forget(rows int) {
	c.coded, c.codes = false, c.codes[:0]
	c.truncate(rows)
}

// sizeOf is about how many bytes the last rows rows take.
func (c *column) sizeOf(rows int) int {
	if n := len(c.ends); n > 0 {
		return rows * (8 + len(c.data)/n)
	}
	return 8 * rows
}

// distinct is how many values a coded column holds.
func (c *column) distinct() int {
	return max(len(c.ints), len(c.floats), len(c.ends))
}

// decode makes an entry of each code, for a chunk that gets more rows.
func (c *rowChunk) decode() {
	for i := range c.cols {
		if c.cols[i].coded {
			c.cols[i].decode()
		}
	}
	c.coded = false
}

func (c *column) decode() {
	x := column{plan: c.plan}
	for _, code := range c.codes[:c.n] {
		i := int(code) - 1
		switch {
		case i < 0:
			x.null(0)
			continue
		case len(c.ends) > 0:
			x.data = append(x.data, c.data[c.start(i):c.ends[i]]...)
			x.ends = append(x.ends, uint32(len(x.data)))
		case len(c.floats) > 0:
			x.floats = append(x.floats, c.floats[i])
		default:
			x.ints = append(x.ints, c.ints[i])
		}
		x.present(1)
	}
	*c = x
}
