package sqlite

import (
	"strings"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// A table is what the store's table holds, and the statements that every write
// needs. It is not changed once it is in use.
type table struct {
	*sqlgen.Table
	there    bool       // it is in the database; else it is still to be made
	readOnly string     // why it cannot be written; "": it can
	assigns  bool       // the database numbers new records
	strict   bool       //
	hidden   bool       // the only key column has a system name: it is the ID and no field
	affinity []affinity // of the Columns

	index map[string]int // the column of that name
	get   *sqlgen.Statement
	// stored are the columns that a write sets, as they are bound: the ID, the
	// typed columns, the other fields, the metadata, the revision.
	stored   []stored
	insert   string // INSERT … ON CONFLICT DO NOTHING
	many     string // likewise, of manyRows rows; "": the table has no columns to set
	update   string // UPDATE … WHERE the key: the stored ones, then the key
	updateIf string // likewise AND the revision
	delete   string // DELETE … WHERE the key
	deleteIf string
	revision string // SELECT the revision WHERE the key
}

// A part says what a stored column holds.
type part uint8

const (
	partID part = iota
	partColumn
	partExtra
	partMeta
	partRev
)

// stored is one column that a write sets.
type stored struct {
	part   part
	column int // of partColumn
	quoted string
	omit   bool // left out of an INSERT where the record has no such field: the database fills it in
	key    bool
}

// planTable describes a table that is still to be made.
func planTable(name string, o *Options) (*table, error) {
	t := &table{Table: &sqlgen.Table{Dialect: sqlgen.SQLite, Name: name}}
	if len(o.Types) == 0 && o.Layout != ColumnsLayout {
		if o.Extra != "" || o.Meta != "" || len(o.Key) > 0 || o.Rev != "" && o.Rev != revColumn {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "key, rev, extra and meta are for tables with columns, but the table %s is still to be made", name).
				WithHint("say its columns, as in types=name:string,age:int")
		}
		t.asDocument(o)
		return t, nil
	}
	if o.Layout == DocumentLayout {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "types are for layout=columns, but layout=document was asked for")
	}
	if len(o.Types) == 0 && o.Extra == "" {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the table %s is still to be made, and nothing says its columns", name).
			WithHint("say them, as in types=name:string,age:int")
	}
	return t, t.planColumns(o)
}

// planColumns describes a table with the columns that the options name.
func (t *table) planColumns(o *Options) error {
	for _, p := range o.Types {
		typ, ok := typeNames[strings.ToLower(p.Value)]
		if !ok {
			err := dataknobs.Errorf(dataknobs.InvalidArgument, "option types: there is no type %q for %s", p.Value, p.Name)
			if near := nearest.Of(p.Value, typeWords); near != "" {
				return err.WithHint("did you mean %s?", near)
			}
			return err.WithHint("the types are %s", strings.Join(typeWords, ", "))
		}
		if err := dataknobs.CheckName(p.Name); err != nil {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "option types: %w", err)
		}
		t.Columns = append(t.Columns, sqlgen.Column{Name: p.Name, Type: typ, Checked: true})
	}
	t.Extra, t.Meta, t.Indexed = o.Extra, o.Meta, o.Index
	switch o.Rev {
	case "none":
	case "", "hash":
		t.Rev.Kind = sqlgen.RevHash
	default:
		t.Rev = sqlgen.Rev{Kind: sqlgen.RevColumn, Column: o.Rev}
	}
	key := o.Key
	if len(key) == 0 { // a column of the ID's own
		for _, c := range t.Columns {
			if strings.EqualFold(c.Name, idColumn) {
				key = []string{c.Name}
			}
		}
	}
	if len(key) == 0 {
		t.ID = freeID
		return nil
	}
	for _, name := range key {
		i := t.find(name)
		if i < 0 {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "option key: there is no column %s among types", name)
		}
		t.Columns[i].NotNull = true
		t.Key = append(t.Key, i)
	}
	return nil
}

var typeWords = strings.Fields("string int float bool time date bytes array object json any")

func (t *table) find(name string) int {
	for i, c := range t.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// prepare writes the statements.
func (t *table) prepare() error {
	t.index = map[string]int{}
	for i, c := range t.Columns {
		t.index[c.Name] = i
	}
	for len(t.affinity) < len(t.Columns) {
		t.affinity = append(t.affinity, affinityOf(strings.ToUpper(t.Columns[len(t.affinity)].SQLType)))
	}
	var err error
	if t.get, err = t.ByID([]string{"x"}, sqlgen.NoLock); err != nil {
		return err
	}
	if t.readOnly != "" {
		return nil
	}
	if err := t.findStored(); err != nil {
		return err
	}
	return t.writeStatements()
}

func (t *table) findStored() error {
	add := func(p part, i int, name string) error {
		q, err := sqlgen.Quote(sqlgen.SQLite, name)
		t.stored = append(t.stored, stored{part: p, column: i, quoted: q})
		return err
	}
	if t.ID != "" {
		if err := add(partID, 0, t.ID); err != nil {
			return err
		}
		t.stored[0].key = true
	}
	for i, c := range t.Columns {
		if c.Generated {
			continue
		}
		if err := add(partColumn, i, c.Name); err != nil {
			return err
		}
		s := &t.stored[len(t.stored)-1]
		s.omit = c.HasDefault || c.Identity
		for _, k := range t.Key {
			s.key = s.key || k == i
		}
	}
	for _, x := range []struct {
		part part
		name string
	}{{partExtra, t.Extra}, {partMeta, t.Meta}, {partRev, t.Rev.Column}} {
		if x.name == "" {
			continue
		}
		if err := add(x.part, 0, x.name); err != nil {
			return err
		}
	}
	return nil
}

// keys are the quoted columns that make the ID.
func (t *table) keys() []string {
	var keys []string
	if t.ID != "" {
		q, _ := sqlgen.Quote(sqlgen.SQLite, t.ID)
		return []string{q}
	}
	for _, i := range t.Key {
		q, _ := sqlgen.Quote(sqlgen.SQLite, t.Columns[i].Name)
		keys = append(keys, q)
	}
	return keys
}

// whereKey is the condition on the key. A column that does not compare by its
// bytes is compared twice: by itself for the sake of its index, and exactly.
func (t *table) whereKey() string {
	var conds []string
	for k, q := range t.keys() {
		conds = append(conds, q+" = ?")
		if t.twice(k) {
			conds = append(conds, q+" = ? collate binary")
		}
	}
	return strings.Join(conds, " and ")
}

// twice reports whether the k-th key column is compared twice.
func (t *table) twice(k int) bool { return t.there && t.ID == "" && !t.Columns[t.Key[k]].ByteOrder }

func (t *table) writeStatements() error {
	name, err := t.QualifiedName()
	if err != nil {
		return err
	}
	var set []string
	for _, s := range t.stored {
		if !s.key {
			set = append(set, s.quoted+" = ?")
		}
	}
	where := " where " + t.whereKey()
	t.insert = t.insertOf(name, all, 1)
	if n := len(t.stored); n > 0 && n*manyRows <= maxParameters {
		t.many = t.insertOf(name, all, manyRows)
	}
	if len(set) == 0 { // a table of keys alone: an update changes nothing, but must count the row
		set = []string{t.keys()[0] + " = " + t.keys()[0]}
	}
	t.update = "update " + name + " set " + strings.Join(set, ", ") + where
	t.delete = "delete from " + name + where
	if t.Rev.Column != "" {
		rev, err := sqlgen.Quote(sqlgen.SQLite, t.Rev.Column)
		if err != nil {
			return err
		}
		and := " and cast(" + rev + " as text) = ?"
		if t.Rev.Kind == sqlgen.RevDocument {
			and = " and " + rev + " = ?"
		}
		t.updateIf, t.deleteIf = t.update+and, t.delete+and
		t.revision = "select " + rev + " from " + name + where
	}
	return nil
}

// insertOf returns the INSERT of those of the stored columns, for so many rows.
func (t *table) insertOf(name string, takes func(stored) bool, rows int) string {
	var cols, marks []string
	for _, s := range t.stored {
		if takes(s) {
			cols, marks = append(cols, s.quoted), append(marks, "?")
		}
	}
	if len(cols) == 0 {
		return "insert into " + name + " default values"
	}
	row := "(" + strings.Join(marks, ", ") + ")"
	sql := "insert into " + name + " (" + strings.Join(cols, ", ") + ") values " + row + strings.Repeat(", "+row, rows-1)
	return sql + " on conflict (" + strings.Join(t.keys(), ", ") + ") do nothing"
}

// all takes every stored column.
func all(stored) bool { return true }

// notKey takes the stored columns that do not make the ID.
func notKey(c stored) bool { return !c.key }

// insertFor returns the INSERT for a record, and which of the stored columns
// it has.
func (t *table) insertFor(rec *dataknobs.Record) (takes func(stored) bool, sql string, err error) {
	if !t.omits(rec) {
		return all, t.insert, nil
	}
	takes = func(c stored) bool { return !c.omit || !t.absent(c, rec) }
	name, err := t.QualifiedName()
	return takes, t.insertOf(name, takes, 1), err
}

// omits reports whether the INSERT for a record leaves a column to the database.
func (t *table) omits(rec *dataknobs.Record) bool {
	for i := range t.stored {
		if t.stored[i].omit && t.absent(t.stored[i], rec) {
			return true
		}
	}
	return false
}

// absent reports whether the record says nothing of the column. A key is
// numbered by the database where it is null.
func (t *table) absent(c stored, rec *dataknobs.Record) bool {
	if c.key && t.hidden {
		return rec.ID == ""
	}
	v, ok := rec.Fields.Get(t.Columns[c.column].Name)
	return !ok || c.key && v.IsNull()
}

// plainKey reports whether the text of the ID says the values of the key.
func (t *table) plainKey() bool {
	for _, i := range t.Key {
		if c := &t.Columns[i]; !c.Checked && c.Type != sqlgen.Int && c.Type != sqlgen.Text {
			return false
		}
	}
	return true
}

// keyOf returns the parameters that name the record; false if the table can
// have no record of that ID. rec, if not nil, has the values.
func (t *table) keyOf(rec *dataknobs.Record, id string) ([]any, bool) {
	if t.ID != "" {
		return []any{id}, true
	}
	var vs []dataknobs.Value
	if rec != nil && !t.hidden {
		for _, i := range t.Key {
			vs = append(vs, rec.Get(t.Columns[i].Name))
		}
	} else {
		var ok bool
		if vs, ok = t.KeyValues(id); !ok {
			return nil, false
		}
	}
	args := make([]any, 0, len(vs))
	for k, v := range vs {
		arg := columnArg(&t.Columns[t.Key[k]], v)
		if args = append(args, arg); t.twice(k) {
			args = append(args, arg)
		}
	}
	return args, true
}

// nextRevision is the value of the revision's column that a write gives.
func (t *table) nextRevision() any {
	switch t.Rev.Kind {
	case sqlgen.RevDocument:
		return newRevision()
	case sqlgen.RevColumn:
		return ticks()
	}
	return nil
}

var lastTick atomic.Int64

// ticks is the time in microseconds, and never the same twice.
func ticks() int64 {
	for {
		last := lastTick.Load()
		now := max(time.Now().UnixMicro(), last+1)
		if lastTick.CompareAndSwap(last, now) {
			return now
		}
	}
}
