package dataknobs

func (p *parser) selectClause(q *Query) (err error) {
	if p.tok.isWord("DISTINCT") && p.peek().kind == tokWord {
		return p.errorAt(p.tok, "there is no SELECT DISTINCT").WithHint("use GROUP BY")
	}
	if !p.sign("*") {
		q.Select, err = several(p, p.column)
		p.more = []string{"AS", `","`}
	} else if p.tok.is(",") {
		err = p.errorAt(p.tok, "* selects everything, so it stands alone")
	}
	return err
}

func (p *parser) whereClause(q *Query) (err error) {
	p.groups = false
	if p.tok.isWord("FROM") && (p.peek().kind == tokName || p.peek().kind == tokWord && !isReserved(p.peek().text)) {
		return p.errorAt(p.tok, "there is no FROM").WithHint("a query is asked of one store, which it does not name")
	}
	q.Where, err = p.condition()
	return err
}

func (p *parser) groupByClause(q *Query) (err error) {
	q.GroupBy, err = several(p, p.path)
	p.more = []string{`","`}
	return err
}

func (p *parser) havingClause(q *Query) (err error) {
	p.groups = true
	q.Having, err = p.condition()
	return err
}

func (p *parser) orderByClause(q *Query) (err error) {
	q.OrderBy, err = several(p, p.order)
	p.more = []string{"DESC", "ASC", "NULLS FIRST", "NULLS LAST", `","`}
	return err
}

func (p *parser) limitClause(q *Query) error {
	n, err := p.count()
	q.Limit = &n
	return err
}

func (p *parser) offsetClause(q *Query) (err error) {
	q.Offset, err = p.count()
	return err
}

// column reads an item of SELECT: a path or an aggregate, and AS name.
func (p *parser) column() (c Column, err error) {
	p.groups = true
	if c.Path, c.Agg, err = p.term(); err != nil || !p.word("AS") {
		return c, err
	}
	t := p.tok
	if c.As, err = p.name("a name for the output"); err != nil {
		return c, err
	}
	if err := CheckName(c.As); err != nil {
		return c, p.errorAt(t, "%s", err)
	}
	return c, nil
}

// order reads an item of ORDER BY.
func (p *parser) order() (o Order, err error) {
	p.groups = true
	if o.Path, o.Agg, err = p.term(); err != nil {
		return o, err
	}
	if o.Desc = p.word("DESC"); !o.Desc {
		p.word("ASC")
	}
	switch {
	case p.word("NULLS FIRST"):
		o.Nulls = NullsFirst
	case !p.word("NULLS LAST") && p.tok.isWord("NULLS"):
		p.advance()
		return o, p.unexpected("FIRST or LAST", "FIRST", "LAST")
	}
	return o, nil
}

// count reads the number of LIMIT or OFFSET.
func (p *parser) count() (int, error) {
	t := p.tok
	if t.kind != tokNum && !p.atParameter() {
		return 0, p.unexpected("a number of records")
	}
	v, err := p.value()
	if err != nil {
		return 0, err
	}
	n := v.Int()
	if v.kind != KindInt || n < 0 || n != int64(int(n)) {
		return 0, p.errorAt(t, "expected a number of records, 0 or more, but found %s", shorten(v.String()))
	}
	return int(n), nil
}
