package parquet

import (
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"dataknobs.dev/dataknobs"
)

// prunes reports whether no row of the row group can be of interest, by the
// statistics, the bloom filter or the dictionary of some column.
func (f *file) prunes(filters []*filter, g *scanGroup) bool {
	for _, fl := range filters {
		if f.excludes(fl, g) {
			return true
		}
	}
	return false
}

func (f *file) excludes(fl *filter, g *scanGroup) bool {
	m := &g.meta.Columns[fl.node.leaf].MetaData
	s := statsOf(&m.Statistics)
	if !fl.may(f, &s, g.meta.NumRows) {
		return true
	}
	if fl.nullMay(&s) {
		return false
	}
	c := g.chunk(fl.node)
	return fl.bloomExcludes(c) || dictionaryOnly(m) && fl.dictExcludes(c)
}

// may reports whether a part of the column with those statistics, of so many
// rows, can hold a value of interest.
func (fl *filter) may(f *file, s *statsMeta, rows int64) bool {
	if fl.nullMay(s) {
		return true
	}
	if fl.onlyNull || s.hasNulls && s.nulls == rows {
		return false
	}
	if !fl.ranged {
		return true
	}
	if len(fl.ranges) == 0 {
		return false
	}
	least, most, ok := f.extent(fl.node, s)
	return !ok || fl.overlaps(least, most)
}

// nullMay reports whether there can be a null that is of interest.
func (fl *filter) nullMay(s *statsMeta) bool {
	return fl.null && fl.node.maxDef > 0 && !(s.hasNulls && s.nulls == 0)
}

// extent returns values between which all of a column's lie; false if the
// statistics do not say.
func (f *file) extent(n *node, s *statsMeta) (least, most dataknobs.Value, ok bool) {
	if !s.hasMin || !s.hasMax || n.conv != nil || !f.ordered(n, s) {
		return least, most, false
	}
	least, okMin := n.statValue(s.min)
	most, okMax := n.statValue(s.max)
	return least, most, okMin && okMax && least.Compare(most) <= 0
}

// ordered reports whether the statistics are in the order of our values.
func (f *file) ordered(n *node, s *statsMeta) bool {
	switch n.typ {
	case typeBoolean, typeFloat, typeDouble:
		return true
	case typeInt32, typeInt64:
		return n.class != classDecimal && n.class != classTimeDay && !(n.unsigned && s.old)
	case typeBytes, typeFixed:
		return f.typeOrder(n) && !s.old && (n.class == classString || n.class == classUUID || n.class == classBytes && n.logical == logicalNone)
	}
	return false
}

// typeOrder reports whether the file says that statistics of the column follow
// the order of its type.
func (f *file) typeOrder(n *node) bool {
	if n.leaf >= len(f.md.ColumnOrders) {
		return false
	}
	_, ok := f.md.ColumnOrders[n.leaf].Value.(*format.TypeDefinedOrder)
	return ok
}

// statValue reads a value as PLAIN encoding has it, byte arrays without their
// length.
func (n *node) statValue(b []byte) (dataknobs.Value, bool) {
	switch n.typ {
	case typeBoolean:
		return dataknobs.Bool(len(b) == 1 && b[0] != 0), len(b) == 1
	case typeInt32:
		if len(b) != 4 {
			return dataknobs.Value{}, false
		}
		return n.statInt(n.widen(int32(binary.LittleEndian.Uint32(b))))
	case typeInt64:
		if len(b) != 8 {
			return dataknobs.Value{}, false
		}
		return n.statInt(int64(binary.LittleEndian.Uint64(b)))
	case typeFloat:
		if len(b) != 4 {
			return dataknobs.Value{}, false
		}
		return statFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
	case typeDouble:
		if len(b) != 8 {
			return dataknobs.Value{}, false
		}
		return statFloat(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	switch {
	case n.class == classString:
		return dataknobs.String(view(b)), true
	case n.class == classUUID:
		return dataknobs.String(uuidText(b)), len(b) == 16
	}
	return dataknobs.AdoptBytes(b), true
}

func statFloat(f float64) (dataknobs.Value, bool) { return dataknobs.Float(f), f == f }

func (n *node) statInt(v int64) (dataknobs.Value, bool) {
	switch n.class {
	case classTime:
		vs := []int64{v}
		n.microsOf(vs)
		return dataknobs.TimeMicros(vs[0]), true
	case classUint64:
		if v < 0 {
			return dataknobs.Int(math.MaxInt64), true // or beyond
		}
	}
	return dataknobs.Int(v), true
}

// dictExcludes reports whether no value of the chunk's dictionary is of interest.
func (fl *filter) dictExcludes(c *chunk) bool {
	if c.table() != nil {
		return false // the scan will say what is wrong
	}
	d, err := c.dictionary()
	if err != nil {
		return false
	}
	mask := d.masks.get(fl, d)
	for _, dropped := range mask[:len(mask)-1] {
		if dropped == 0 {
			return false
		}
	}
	return true
}

// prunePages finds the pages in which no row can be of interest by the
// statistics of the column index, and the blocks made of such pages alone.
func (f *file) prunePages(filters []*filter, g *scanGroup) {
	for _, fl := range filters {
		if !fl.ranged && !fl.onlyNull {
			continue
		}
		c := g.chunk(fl.node)
		stats, err := pageStats(f.section(c.meta.ColumnIndexOffset, int64(c.meta.ColumnIndexLength)))
		if err != nil || len(stats) < 2 || c.table() != nil || len(stats) != len(c.locs) {
			continue
		}
		g.skipPages(f, fl, c, stats)
	}
}

func (g *scanGroup) skipPages(f *file, fl *filter, c *chunk, stats []statsMeta) {
	skip := make([]bool, len(stats))
	any := false
	for i := range stats {
		skip[i] = !fl.may(f, &stats[i], c.end(i)-c.locs[i].row)
		any = any || skip[i]
	}
	if !any {
		return
	}
	if g.pages == nil {
		g.pages = map[*filter][]bool{}
		g.skip = make([]bool, len(g.done))
	}
	g.pages[fl] = skip
	for b := range g.skip {
		lo, hi := g.rows(b)
		all := true
		for i := c.pageOf(lo); i < len(skip) && c.locs[i].row < hi; i++ {
			all = all && skip[i]
		}
		g.skip[b] = g.skip[b] || all
	}
}
