package sqlgen

import "dataknobs.dev/dataknobs"

const whyFloats = "floats are added up here, with a compensation for what rounding drops"

// sum adds a sum or an average, of ints only: floats are added up by the engine.
func (g *grouping) sum(c dataknobs.Column, s subject) string {
	switch s := s.(type) {
	case *pgJSON:
		return g.pgSum(c, s)
	case *pgIndexed:
		return g.pgSum(c, s.pgJSON)
	case *liteJSON:
		return g.liteSum(c, s)
	case *liteIndexed:
		return g.liteSum(c, s.liteJSON)
	case *pgColumn:
		return g.pgColumnSum(c, s)
	case *liteColumn:
		return g.liteColumnSum(c, s)
	}
	g.put(readNull) // there are no numbers
	return ""
}

// pgSum adds up decimals. Their sum has as many digits after the point as the
// one with most, and all floats have some, so it tells whether there was a float.
func (g *grouping) pgSum(c dataknobs.Column, s *pgJSON) string {
	if !s.tagged {
		return whyPlain
	}
	if c.Agg == dataknobs.Sum {
		g.put(readSum, "sum("+s.number()+")")
	} else {
		g.put(readAvg, "sum("+s.number()+")", "count(CASE WHEN jsonb_typeof("+s.json+") = 'number' THEN 1 END)")
	}
	return ""
}

func (g *grouping) pgColumnSum(c dataknobs.Column, s *pgColumn) string {
	x := s.x
	switch s.col.Type {
	case Int:
	case Float:
		return whyFloats
	case Numeric:
		// A fraction, or what no int64 holds, is a float or a string.
		x = "CASE WHEN " + s.x + " = trunc(" + s.x + ") AND abs(" + s.x + ") < 9e18 THEN trunc(" + s.x + ") ELSE 0.5 END"
		x = "CASE WHEN " + s.x + " IS NOT NULL THEN " + x + " END"
	default:
		g.put(readNull)
		return ""
	}
	if c.Agg == dataknobs.Sum {
		g.put(readSum, "sum("+x+")")
	} else {
		g.put(readAvg, "sum("+x+")", "count("+s.x+")")
	}
	return ""
}

// liteSum adds up the halves of each int, so that nothing overflows on the way.
func (g *grouping) liteSum(c dataknobs.Column, s *liteJSON) string {
	if !s.tagged {
		return whyPlain
	}
	x := "CASE " + s.typ() + " WHEN 'integer' THEN " + s.value() + " END"
	g.halves(c, x, "max("+s.typ()+" = 'real')")
	return ""
}

func (g *grouping) liteColumnSum(c dataknobs.Column, s *liteColumn) string {
	if s.col.Type == Float {
		return whyFloats
	}
	x := "CASE WHEN typeof(" + s.x + ") = 'integer' THEN " + s.x + " END"
	if s.col.Type == Bool {
		x = "CASE WHEN typeof(" + s.x + ") = 'integer' AND " + s.x + " NOT IN (0, 1) THEN " + s.x + " END"
	}
	g.halves(c, x, "max(typeof("+s.x+") = 'real')")
	return ""
}

func (g *grouping) halves(c dataknobs.Column, x, real string) {
	read := readHalves
	if c.Agg == dataknobs.Avg {
		read = readHalvesAvg
	}
	g.put(read, "sum(("+x+") >> 32)", "sum(("+x+") & 4294967295)", "count("+x+")", real)
}

// extreme adds a least or greatest value.
func (g *grouping) extreme(a dataknobs.Agg, s subject) string {
	f := a.String()
	switch s := s.(type) {
	case *textSubject:
		g.put(readString, f+"("+g.byteOrder(s.expr)+")")
	case *pgJSON:
		return g.pgExtreme(f, s)
	case *pgIndexed:
		return g.pgExtreme(f, s.pgJSON)
	case *liteJSON:
		return g.liteExtreme(f, s)
	case *liteIndexed:
		return g.liteExtreme(f, s.liteJSON)
	case *pgColumn:
		g.pgColumnExtreme(f, s)
	case *liteColumn:
		return g.liteColumnExtreme(f, s)
	default:
		return "the database does not say the order"
	}
	return ""
}

// pgExtreme is exact where all values are of one kind, which the ranks tell.
func (g *grouping) pgExtreme(f string, s *pgJSON) string {
	if !s.tagged {
		return whyPlain
	}
	g.put(readExtreme, "min("+s.rank()+")", "max("+s.rank()+")", f+"("+s.number()+")", f+"("+g.byteOrder(s.sortText())+")")
	return ""
}

func (g *grouping) liteExtreme(f string, s *liteJSON) string {
	if !s.tagged {
		return whyPlain
	}
	read := func(cells []any) (dataknobs.Value, bool, error) {
		if cells[0] != cells[1] {
			return dataknobs.Value{}, false, nil
		}
		return readRanked([]any{cells[0], cells[2]})
	}
	g.put(read, "min("+s.rank()+")", "max("+s.rank()+")", f+"("+s.sortValue()+")")
	return ""
}

func (g *grouping) pgColumnExtreme(f string, s *pgColumn) {
	x := s.x
	switch s.col.Type {
	case Bool:
		f = map[string]string{"min": "bool_and", "max": "bool_or"}[f]
	case Text, UUID, Enum, Other:
		x = s.textOf()
	case Bytes:
		x = g.byteOrder("encode(" + s.x + ", 'hex')")
		g.put(s.col.readPostgres, f+"("+x+")")
		return
	}
	expr := s.shown(f + "(" + x + ")")
	odd := s.odd()
	if odd == "" {
		g.put(s.col.readPostgres, expr)
		return
	}
	read := func(cells []any) (dataknobs.Value, bool, error) {
		if cells[1] == true {
			return dataknobs.Value{}, false, nil
		}
		return s.col.readPostgres(cells)
	}
	g.put(read, expr, "bool_or("+odd+")")
}

func (g *grouping) liteColumnExtreme(f string, s *liteColumn) string {
	switch {
	case s.isTime() && !s.col.Checked:
		return whyLiteTime
	case s.col.Type == Bool && !s.col.Checked:
		read := func(cells []any) (dataknobs.Value, bool, error) {
			if odd, _ := cells[1].(int64); odd != 0 {
				return dataknobs.Value{}, false, nil
			}
			return s.col.readLite(cells)
		}
		g.put(read, f+"("+s.x+")", "max("+s.x+" NOT IN (0, 1))")
		return ""
	}
	g.put(s.col.readLite, f+"("+s.texts()+")")
	return ""
}
