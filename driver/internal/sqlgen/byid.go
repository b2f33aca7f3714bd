package sqlgen

import (
	"strings"

	"dataknobs.dev/dataknobs"
)

// A Lock says whether rows that are read are locked for a change (PostgreSQL).
type Lock uint8

// The locks.
const (
	NoLock    Lock = iota
	ForUpdate      // SELECT … FOR UPDATE
)

// ByID returns the statement that gets the records of those IDs with all
// their columns, as Select does; IDs that no record can have are left out.
// nil: none of them can exist.
func (t *Table) ByID(ids []string, lock Lock) (*Statement, error) {
	s, err := t.selection()
	if err != nil {
		return nil, err
	}
	if err := s.project(&dataknobs.Scan{}); err != nil {
		return nil, err
	}
	where, err := s.byID(ids)
	if err != nil || where == never {
		return nil, err
	}
	sql := s.head(where)
	if lock == ForUpdate && !s.lite() {
		sql += " FOR UPDATE"
	}
	return s.statement(sql), nil
}

// byID is the condition of having one of the IDs.
func (s *selection) byID(ids []string) (string, error) {
	if s.t.ID != "" {
		q, err := s.column(s.t.ID)
		if err != nil {
			return "", err
		}
		if s.lite() && len(ids) > 1 {
			list, err := jsonList(ids)
			return q + " IN (SELECT value FROM json_each(" + s.arg(list, "") + "))", err
		}
		return s.inTexts(q, ids), nil
	}
	if len(s.t.Key) == 0 {
		return never, nil
	}
	var alternatives []string
	for _, id := range ids {
		vs, ok := s.t.KeyValues(id)
		if !ok {
			continue
		}
		cond, err := s.byKey(vs)
		if err != nil {
			return "", err
		}
		alternatives = append(alternatives, cond)
	}
	switch len(alternatives) {
	case 0:
		return never, nil
	case 1:
		return alternatives[0], nil
	}
	if len(s.t.Key) == 1 {
		return s.bySingleKey(ids)
	}
	return "(" + strings.Join(alternatives, " OR ") + ")", nil
}

// bySingleKey asks for many values of one key column.
func (s *selection) bySingleKey(ids []string) (string, error) {
	s.args = nil // nothing comes before it
	c := &s.t.Columns[s.t.Key[0]]
	sub, why := s.columnSubject(c, nil)
	if why != "" {
		return "", dataknobs.Errorf(dataknobs.Internal, "the key column %s does not compare: %s", c.Name, why)
	}
	var vs []dataknobs.Value
	for _, id := range ids {
		if v, ok := s.t.KeyValues(id); ok {
			vs = append(vs, v[0])
		}
	}
	return sub.in(vs).sql, nil
}

func (s *selection) byKey(vs []dataknobs.Value) (string, error) {
	var conds []string
	for i, k := range s.t.Key {
		c := &s.t.Columns[k]
		sub, why := s.columnSubject(c, nil)
		if why != "" {
			return "", dataknobs.Errorf(dataknobs.Internal, "the key column %s does not compare: %s", c.Name, why)
		}
		conds = append(conds, sub.equal(vs[i]).sql)
	}
	return and(conds...), nil
}

// jsonList returns the texts as a JSON array.
func jsonList(texts []string) (string, error) {
	vs := make([]dataknobs.Value, len(texts))
	for i, s := range texts {
		vs[i] = dataknobs.String(s)
	}
	b, err := AppendValue(nil, dataknobs.AdoptArray(vs))
	return string(b), err
}
