package sqlgen

import (
	"strings"

	"dataknobs.dev/dataknobs"
)

// maxFields is up to how many fields PostgreSQL takes out of a JSON column one
// by one; beyond that the whole is cheaper.
const maxFields = 6

// A selection is a SELECT under construction.
type selection struct {
	builder
	list []string
	out  []Output
	from string
}

func (t *Table) selection() (*selection, error) {
	s := &selection{builder: builder{t: t}}
	var err error
	s.from, err = t.QualifiedName()
	return s, err
}

func (s *selection) add(expr string, out Output) {
	s.list = append(s.list, expr)
	s.out = append(s.out, out)
}

// Select returns the statement of a scan: where, order, limit, offset, place
// to go on after, and projection. The Key columns are always among its Out
// unless s.NoID. Where Indexed serves the order of a scan with a limit, it is
// made of parts joined by UNION ALL, each in order and all in sequence.
func (t *Table) Select(scan *dataknobs.Scan) (*Statement, error) {
	s, err := t.selection()
	if err != nil {
		return nil, err
	}
	if err := s.project(scan); err != nil {
		return nil, err
	}
	where, err := s.where(scan.Where)
	if err != nil {
		return nil, err
	}
	if len(scan.OrderBy) == 0 && scan.After == nil {
		return s.statement(s.head(where) + s.page(scan)), nil
	}
	keys, id, why := s.sortKeys(scan.OrderBy)
	if why != "" {
		return nil, dataknobs.Errorf(dataknobs.Internal, "the database cannot sort so: %s", why)
	}
	var seek *place
	if scan.After != nil {
		seek = &place{keys: keyValues(scan, keys), id: scan.After.ID}
		if seek.odd(keys) {
			s.add("1 = 1", Output{Is: OutInexact})
			return s.statement(s.head(where) + " LIMIT 1"), nil
		}
	}
	s.addInexact(keys)
	if scan.HasLimit && len(keys) > 0 && keys[0].index && !(keys[0].Path.IsID() && seek == nil) {
		return s.byIndex(scan, where, keys, id, seek), nil
	}
	if seek != nil {
		where = join(where, s.follows(keys, id, seek))
	}
	return s.statement(s.head(where) + " ORDER BY " + strings.Join(orderTerms(keys, id), ", ") + s.page(scan)), nil
}

func (s *selection) statement(sql string) *Statement {
	return &Statement{SQL: sql, Args: s.args, Out: s.out}
}

func (s *selection) head(where string) string {
	sql := "SELECT " + strings.Join(s.list, ", ") + " FROM " + s.from
	if where != "" {
		sql += " WHERE " + where
	}
	return sql
}

// join is AND, where either may be "".
func join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + " AND " + b
}

// addInexact adds the column that says that a record's place is not sure.
func (s *selection) addInexact(keys []sortKey) {
	var odd []string
	for i := range keys {
		if keys[i].odd != "" {
			odd = append(odd, "("+keys[i].odd+") IS TRUE")
		}
		if keys[i].misplaced != "" {
			odd = append(odd, "EXISTS (SELECT 1 FROM "+s.from+" WHERE "+keys[i].misplaced+")")
		}
	}
	if len(odd) > 0 {
		s.add(strings.Join(odd, " OR "), Output{Is: OutInexact})
	}
}

// page is LIMIT and OFFSET.
func (s *selection) page(scan *dataknobs.Scan) string {
	sql := ""
	if scan.HasLimit {
		sql = " LIMIT " + s.arg(int64(scan.Limit), "int8")
	}
	if scan.Offset > 0 {
		if sql == "" && s.lite() {
			sql = " LIMIT -1"
		}
		sql += " OFFSET " + s.arg(int64(scan.Offset), "int8")
	}
	return sql
}

// orderTerms are the terms of ORDER BY.
func orderTerms(keys []sortKey, id string) []string {
	var terms []string
	for i := range keys {
		terms = append(terms, keys[i].orderBy()...)
		if keys[i].Path.IsID() {
			return terms
		}
	}
	return append(terms, id)
}

// Count returns the statement that counts: one row of one OutCount.
func (t *Table) Count(where dataknobs.Expr) (*Statement, error) {
	s, err := t.selection()
	if err != nil {
		return nil, err
	}
	cond, err := s.where(where)
	if err != nil {
		return nil, err
	}
	s.add("count(*)", Output{Is: OutCount})
	return s.statement(s.head(cond)), nil
}
