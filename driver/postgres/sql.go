package postgres

import (
	"fmt"
	"strings"

	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// statementsOf are the parts of the statements that write to a table.
type statementsOf struct {
	targets  []target
	targetOf []int     // of each typed column, its target; -1: it is not written
	keys     []int     // the targets that make the key
	conflict string    // ("id")
	returns  string    // the key and the revision, to return
	rev      string    // an expression: the revision as text; "": there is none in SQL
	bump     string    // , "rev" = default
	initial  [2]string // a version column without a default: its name, and its first value
	out      []sqlgen.Output
}

// prepareSQL fills in s.sql.
func (s *state) prepareSQL() error {
	q := &s.sql
	var err error
	if q.targets, err = targetsOf(s.Table); err != nil {
		return err
	}
	q.targetOf = make([]int, len(s.Columns))
	for i := range q.targetOf {
		q.targetOf[i] = -1
	}
	names := map[int]string{}
	for i, x := range q.targets {
		if x.column >= 0 {
			q.targetOf[x.column] = i
			names[x.column] = x.name
		}
		if x.is == theID {
			q.keys, q.conflict = []int{i}, x.name
			q.out = []sqlgen.Output{{Is: sqlgen.OutID}}
		}
	}
	for _, k := range s.Key {
		name, ok := names[k]
		if !ok {
			s.features.ReadOnly = "its key " + s.Columns[k].Name + " is computed by the database"
			return nil
		}
		q.keys = append(q.keys, q.targetOf[k])
		q.conflict += ", " + name
		q.out = append(q.out, sqlgen.Output{Is: sqlgen.OutColumn, Column: k})
	}
	q.conflict = strings.TrimPrefix(q.conflict, ", ")
	if err := s.revisionSQL(); err != nil {
		return err
	}
	var returns []string
	for _, k := range q.keys {
		x := q.targets[k]
		text := "t." + x.name
		if x.column >= 0 && s.Columns[x.column].Type == sqlgen.Other {
			text += "::text"
		}
		returns = append(returns, text)
	}
	rev := "''"
	if q.rev != "" {
		rev = q.rev
	}
	q.returns = strings.Join(append(returns, rev), ", ")
	q.out = append(q.out, sqlgen.Output{Is: sqlgen.OutRev})
	return nil
}

func (s *state) revisionSQL() error {
	q := &s.sql
	switch s.Rev.Kind {
	case sqlgen.RevSystem:
		if s.parted { // RETURNING has no system columns of them
			return nil
		}
		q.rev = "t.xmin::text || '.' || t.ctid::text"
	case sqlgen.RevDocument:
		c, err := sqlgen.Quote(sqlgen.Postgres, s.Rev.Column)
		if err != nil {
			return err
		}
		q.rev = "t." + c + "::text || '.' || t.xmin::text"
		q.bump = ", " + c + " = default"
	case sqlgen.RevColumn:
		c, err := sqlgen.Quote(sqlgen.Postgres, s.Rev.Column)
		if err != nil {
			return err
		}
		q.rev = "t." + c + "::text"
		q.bump = s.bumpColumn(c)
		if _, after, ok := strings.Cut(q.bump, "+ "); ok && !s.revDefault {
			q.initial = [2]string{", " + c, ", " + after}
		} else if _, after, ok := strings.Cut(q.bump, " = "); ok && !s.revDefault {
			q.initial = [2]string{", " + c, ", " + after}
		}
	}
	return nil
}

// bumpColumn returns how a write renews a version column; "": a trigger must.
func (s *state) bumpColumn(quoted string) string {
	switch strings.TrimSpace(typeBounds.ReplaceAllString(s.revType, "")) {
	case "smallint", "integer", "bigint", "numeric":
		return fmt.Sprintf(", %s = coalesce(t.%s, 0) + 1", quoted, quoted)
	case "uuid":
		return fmt.Sprintf(", %s = gen_random_uuid()", quoted)
	case "timestamp without time zone", "timestamp with time zone":
		return fmt.Sprintf(", %s = clock_timestamp()", quoted)
	}
	return ""
}

// included returns the targets that an insert of rows with that mask fills.
func (q *statementsOf) included(out string) []int {
	var in []int
	for i := range q.targets {
		if out == "" || out[i] == filled {
			in = append(in, i)
		}
	}
	return in
}

// insertHead begins an insert into those targets.
func (s *state) insertHead(in []int) string {
	names := make([]string, len(in))
	overriding := ""
	for i, k := range in {
		x := &s.sql.targets[k]
		names[i] = x.name
		if x.column >= 0 && s.Columns[x.column].Identity {
			overriding = " overriding system value"
		}
	}
	return "insert into " + s.quoted + " as t (" + strings.Join(names, ", ") + s.sql.initial[0] + ")" + overriding
}

// onConflict ends an insert that creates or, with replace, puts.
func (s *state) onConflict(replace conflictRule) string {
	q := &s.sql
	if len(q.keys) == 0 {
		return " returning ''"
	}
	if replace == doNothing {
		return " on conflict (" + q.conflict + ") do nothing returning " + q.returns
	}
	var sets []string
	for _, x := range q.targets {
		if !x.fixed {
			sets = append(sets, x.name+" = excluded."+x.name)
		}
	}
	set := strings.TrimPrefix(strings.Join(sets, ", ")+q.bump, ", ")
	if set == "" { // all is key
		k := q.targets[q.keys[0]].name
		set = k + " = excluded." + k
	}
	return " on conflict (" + q.conflict + ") do update set " + set + " returning " + q.returns + ", " + q.created()
}

// created is an expression: whether a put made a new row. Where rows are read
// before they are written, it is known already.
func (q *statementsOf) created() string {
	if q.rev == "" {
		return "true"
	}
	return "t.xmax = 0"
}

type conflictRule bool

const (
	doNothing conflictRule = false
	doUpdate  conflictRule = true
)

// insertOne is the statement that inserts one row.
func (s *state) insertOne(out string, rule conflictRule) string {
	in := s.sql.included(out)
	if len(in) == 0 {
		return "insert into " + s.quoted + " as t default values" + s.onConflict(rule)
	}
	ps := make([]string, len(in))
	for i := range in {
		ps[i] = fmt.Sprintf("$%d", i+1)
	}
	return s.insertHead(in) + " values (" + strings.Join(ps, ", ") + s.sql.initial[1] + ")" + s.onConflict(rule)
}

// unnest is the source of many rows: an array for each of those targets. The
// arrays are of text, but for jsonb.
func (s *state) unnest(in []int, more ...string) string {
	var ps, names []string
	for i, k := range in {
		elem := "text"
		if s.sql.targets[k].jsonb {
			elem = "jsonb"
		}
		ps = append(ps, fmt.Sprintf("$%d::%s[]", i+1, elem))
		names = append(names, fmt.Sprintf("c%d", i))
	}
	for i, m := range more {
		ps = append(ps, fmt.Sprintf("$%d::text[]", len(in)+i+1))
		names = append(names, m)
	}
	return "unnest(" + strings.Join(ps, ", ") + ") as u(" + strings.Join(names, ", ") + ")"
}

// cast is the i-th column of unnest as the target's type.
func (s *state) cast(i int, x *target) string {
	c := fmt.Sprintf("u.c%d", i)
	if x.jsonb || x.cast == "text" {
		return c
	}
	return c + "::" + x.cast
}

// insertMany inserts the rows of unnest.
func (s *state) insertMany(out string, rule conflictRule) string {
	in := s.sql.included(out)
	vals := make([]string, len(in))
	for i, k := range in {
		vals[i] = s.cast(i, &s.sql.targets[k])
	}
	return s.insertHead(in) + " select " + strings.Join(vals, ", ") + s.sql.initial[1] + " from " + s.unnest(in) + s.onConflict(rule)
}

// sets are the assignments of an update of all but the key; value says what
// stands for each target.
func (s *state) sets(value func(i int, x *target) string) string {
	var sets []string
	for i := range s.sql.targets {
		x := &s.sql.targets[i]
		if x.fixed {
			continue
		}
		if v := value(i, x); v != "" {
			sets = append(sets, x.name+" = "+v)
		}
	}
	if len(sets) == 0 {
		k := s.sql.targets[s.sql.keys[0]].name
		return k + " = t." + k
	}
	return strings.Join(sets, ", ") + s.sql.bump
}

// updateOne replaces one row. The parameters are all targets, then, if
// matching, the revision that it must have.
func (s *state) updateOne(out string, matching bool) string {
	q := &s.sql
	used := map[int]bool{}
	text := "update " + s.quoted + " as t set " + s.sets(func(i int, x *target) string {
		if out != "" && out[i] == leftOut {
			return "default"
		}
		used[i] = true
		return fmt.Sprintf("$%d", i+1)
	})
	text += " where " + s.keysAre(func(i int, x *target) string {
		used[i] = true
		return fmt.Sprintf("$%d", i+1)
	})
	if matching {
		text += fmt.Sprintf(" and %s = $%d", q.rev, len(q.targets)+1)
	}
	// A parameter that stands nowhere has no type.
	for i, x := range q.targets {
		if !used[i] {
			text += fmt.Sprintf(" and ($%d::%s is null or true)", i+1, x.cast)
		}
	}
	return text + " returning " + q.returns
}

// keysAre is the condition that the key has those values.
func (s *state) keysAre(value func(i int, x *target) string) string {
	var conds []string
	for _, k := range s.sql.keys {
		x := &s.sql.targets[k]
		conds = append(conds, "t."+x.name+" = "+value(k, x))
	}
	return strings.Join(conds, " and ")
}

// updateMany replaces the rows of unnest, all targets of which are there.
func (s *state) updateMany(out string) string {
	all := s.sql.included("")
	return "update " + s.quoted + " as t set " + s.sets(func(i int, x *target) string {
		switch {
		case out == "" || out[i] == filled:
			return s.cast(i, x)
		case out[i] == kept:
			return ""
		}
		return "default"
	}) + " from " + s.unnest(all) + " where " + s.keysAre(s.cast) + " returning " + s.sql.returns
}

// deleteOne deletes one row. The parameters are the key's, then, if matching,
// the revision.
func (s *state) deleteOne(matching bool) string {
	n := 0
	text := "delete from " + s.quoted + " as t where " + s.keysAre(func(int, *target) string {
		n++
		return fmt.Sprintf("$%d", n)
	})
	if matching {
		text += fmt.Sprintf(" and %s = $%d", s.sql.rev, n+1)
	}
	return text
}

// deleteMany deletes the rows whose keys unnest has.
func (s *state) deleteMany() string {
	n := -1
	return "delete from " + s.quoted + " as t using " + s.unnest(s.sql.keys) + " where " + s.keysAre(func(_ int, x *target) string {
		n++
		return s.cast(n, x)
	}) + " returning " + s.sql.returns
}
