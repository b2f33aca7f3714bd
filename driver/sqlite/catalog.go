package sqlite

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// defaultTable is the table of a store that names none.
const defaultTable = "records"

// A relation is a table or view as the database lists it.
type relation struct {
	name         string
	kind         string // table, view or virtual
	withoutRowID bool
	strict       bool
}

// relations lists the tables and views, without SQLite's own.
func relations(c *lite.Conn) ([]relation, error) {
	var rs []relation
	err := rows(c, "select name, type, wr, strict from pragma_table_list where schema = 'main' and type <> 'shadow' order by name", nil, func(s *lite.Stmt) error {
		if r := (relation{s.Str(0), s.Str(1), s.Int(2) != 0, s.Int(3) != 0}); !strings.HasPrefix(r.name, "sqlite_") {
			rs = append(rs, r)
		}
		return nil
	})
	return rs, err
}

// rows gives each row of a query to each.
func rows(c *lite.Conn, sql string, args []any, each func(*lite.Stmt) error) error {
	s, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	defer s.Release()
	if err := s.BindAll(args); err != nil {
		return err
	}
	for {
		row, err := s.Step()
		if err != nil || !row {
			return err
		}
		if err := each(s); err != nil {
			return err
		}
	}
}

// choose finds the relation that the options mean; nil: it is still to be made.
func choose(rs []relation, o *Options, at *place) (*relation, error) {
	want := cmp.Or(o.Table, defaultTable)
	for i := range rs {
		if strings.EqualFold(rs[i].name, want) {
			return &rs[i], nil
		}
	}
	if o.Table == "" && len(rs) > 0 {
		return only(rs, at)
	}
	if !o.NoCreate && !o.ReadOnly {
		return nil, nil
	}
	err := dataknobs.Errorf(dataknobs.NotFound, "%s has no table %s", at.name, want)
	if near := nearest.Of(want, relationNames(rs)); near != "" {
		return nil, err.WithHint("did you mean %s?", near)
	}
	if len(rs) == 0 {
		return nil, err.WithHint("it has no tables at all")
	}
	return nil, err.WithHint("it has %s", list(relationNames(rs)))
}

// only returns the relation that is meant where none is named: the only table,
// or the only view where there is no table.
func only(rs []relation, at *place) (*relation, error) {
	var tables []relation
	for _, r := range rs {
		if r.kind != "view" {
			tables = append(tables, r)
		}
	}
	if len(tables) == 0 {
		tables = rs
	}
	if len(tables) == 1 {
		return &tables[0], nil
	}
	return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "%s has several tables, and none is named: %s", at.name, list(relationNames(rs))).
		WithHint("name one, as in sqlite:%s?table=%s", at.name, tables[0].name)
}

func relationNames(rs []relation) []string {
	var names []string
	for _, r := range rs {
		names = append(names, r.name)
	}
	return names
}

// list joins names, not too many.
func list(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(len(names)-most) + " more"
	}
	return strings.Join(names, ", ")
}

// A column is what the database says of one column.
type column struct {
	name, declared string
	notNull        bool
	hasDefault     bool
	pk             int // place in the primary key, from 1; 0: none
	generated      bool
}

func columnsOf(c *lite.Conn, table string) ([]column, error) {
	var cols []column
	const sql = "select name, type, \"notnull\", dflt_value is not null, pk, hidden from pragma_table_xinfo(?) order by cid"
	err := rows(c, sql, []any{table}, func(s *lite.Stmt) error {
		if hidden := s.Int(5); hidden != 1 {
			cols = append(cols, column{s.Str(0), strings.ToUpper(strings.TrimSpace(s.Str(1))), s.Int(2) != 0, s.Int(3) != 0, int(s.Int(4)), hidden > 1})
		}
		return nil
	})
	return cols, err
}

// definition is the text with which the table was made.
func definition(c *lite.Conn, table string) (sql string, err error) {
	err = rows(c, "select sql from sqlite_schema where name = ? and type in ('table', 'view')", []any{table}, func(s *lite.Stmt) error {
		sql = s.Str(0)
		return nil
	})
	return sql, err
}

// inspect finds out what a relation holds.
func inspect(c *lite.Conn, r *relation, o *Options) (*table, error) {
	cols, err := columnsOf(c, r.name)
	if err != nil {
		return nil, err
	}
	sql, err := definition(c, r.name)
	if err != nil {
		return nil, err
	}
	t := &table{Table: &sqlgen.Table{Dialect: sqlgen.SQLite, Name: r.name, View: r.kind == "view"}, there: true, strict: r.strict}
	if r.kind != "table" {
		t.readOnly = r.name + " is a " + r.kind
		if r.kind == "virtual" {
			t.readOnly += " table"
		}
	}
	document := isDocument(cols)
	switch {
	case o.Layout == DocumentLayout && !document:
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the table %s is not of the document layout: it has the columns %s", r.name, list(columnNames(cols))).
			WithHint("leave layout out to read it as it is")
	case document && o.Layout != ColumnsLayout && len(o.Key) == 0:
		t.asDocument(o)
	default:
		if err := t.asColumns(r, cols, sql, o); err != nil {
			return nil, err
		}
		for i := range t.Columns {
			t.Columns[i].ByteOrder = strings.EqualFold(c.Collation(r.name, t.Columns[i].Name), "binary")
		}
	}
	return t, t.prepare()
}

// The columns of the document layout, and the ID in a table with columns that
// has no key of its own.
const (
	freeID       = "_id"
	idColumn     = "id"
	fieldsColumn = "fields"
	metaColumn   = "meta"
	revColumn    = "rev"
)

// isDocument reports whether these are the columns of the document layout.
func isDocument(cols []column) bool {
	want := map[string]bool{idColumn: true, fieldsColumn: true, metaColumn: true, revColumn: true}
	for _, c := range cols {
		if c.name == idColumn && c.pk != 1 || c.name != idColumn && c.pk != 0 || !want[c.name] {
			return false
		}
		delete(want, c.name)
	}
	return len(want) == 0
}

func columnNames(cols []column) []string {
	var names []string
	for _, c := range cols {
		names = append(names, c.name)
	}
	return names
}

// asDocument describes a table of the document layout.
func (t *table) asDocument(o *Options) {
	t.ID, t.Extra, t.Meta = idColumn, fieldsColumn, metaColumn
	t.Rev = sqlgen.Rev{Kind: sqlgen.RevDocument, Column: revColumn}
	t.Indexed = o.Index
}

// asColumns describes a table that has a column for each field.
func (t *table) asColumns(r *relation, cols []column, sql string, o *Options) error {
	t.Indexed = o.Index
	if err := t.takeSpecial(cols, o); err != nil {
		return err
	}
	var key []column
	for _, c := range cols {
		if c.name == t.Extra || c.name == t.Meta || t.Rev.Kind == sqlgen.RevColumn && c.name == t.Rev.Column {
			continue
		}
		if c.name == freeID && c.pk == 1 && typeOf(c.declared) == sqlgen.Text && len(o.Key) == 0 {
			t.ID = freeID // made by types= without a key
			continue
		}
		if dataknobs.IsSystemName(c.name) && c.pk == 0 {
			continue // no field can have that name
		}
		t.addColumn(c, r, sql)
		if c.pk > 0 {
			key = append(key, c)
		}
	}
	if t.ID != "" && len(key) == 0 {
		return nil
	}
	slices.SortFunc(key, func(a, b column) int { return a.pk - b.pk })
	return t.takeKey(r, key, o)
}

// takeSpecial finds the columns of the other fields, the metadata and the
// revision.
func (t *table) takeSpecial(cols []column, o *Options) error {
	for _, x := range []struct {
		option, name string
		to           *string
	}{{"extra", o.Extra, &t.Extra}, {"meta", o.Meta, &t.Meta}} {
		c, err := findColumn(cols, x.option, x.name, t.Name)
		if err != nil {
			return err
		}
		*x.to = c
	}
	t.Rev.Kind = sqlgen.RevHash
	switch o.Rev {
	case "none":
		t.Rev.Kind = sqlgen.RevNone
	case "", "hash":
	default:
		name, err := findColumn(cols, "revision", o.Rev, t.Name)
		if err != nil {
			return err
		}
		t.Rev = sqlgen.Rev{Kind: sqlgen.RevColumn, Column: name}
	}
	return nil
}

// findColumn returns the column's own spelling of its name.
func findColumn(cols []column, option, name, table string) (string, error) {
	if name == "" {
		return "", nil
	}
	for _, c := range cols {
		if strings.EqualFold(c.name, name) {
			return c.name, nil
		}
	}
	err := dataknobs.Errorf(dataknobs.InvalidArgument, "option %s: the table %s has no column %s", option, table, name)
	if near := nearest.Of(name, columnNames(cols)); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err.WithHint("it has %s", list(columnNames(cols)))
}

func (t *table) addColumn(c column, r *relation, sql string) {
	col := sqlgen.Column{
		Name: c.name, Type: typeOf(c.declared), SQLType: c.declared, NotNull: c.notNull,
		Generated: c.generated, HasDefault: c.hasDefault,
	}
	if c.pk == 1 && c.declared == "INTEGER" && !r.withoutRowID && r.kind == "table" {
		col.Identity, col.NotNull = true, true
	}
	if check, err := col.Check(); err == nil && check != "" && strings.Contains(sql, check) {
		col.Checked = true
	} else if col.Type == sqlgen.Tagged {
		col.Type = sqlgen.JSON
	}
	t.Columns = append(t.Columns, col)
	t.affinity = append(t.affinity, affinityOf(c.declared))
}

// takeKey decides what makes the ID: the columns asked for, the primary key,
// the rowid, or a column id.
func (t *table) takeKey(r *relation, pk []column, o *Options) error {
	var names []string
	hasRowID := r.kind == "table" && !r.withoutRowID
	switch {
	case len(o.Key) > 0:
		names = o.Key
	case len(pk) > 0 && !slices.ContainsFunc(pk, func(c column) bool { return hasRowID && typeOf(c.declared) == sqlgen.Bytes }):
		names = columnNames(pk)
	case hasRowID:
		t.useRowID()
		return nil
	default:
		i := slices.IndexFunc(t.Columns, func(c sqlgen.Column) bool { return strings.EqualFold(c.Name, "id") })
		if i < 0 {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "the %s %s has no primary key", r.kind, r.name).
				WithHint("say which columns tell its rows apart, such as key=%s", list(t.fieldNames()[:min(1, len(t.Columns))]))
		}
		t.Key = []int{i}
		return nil
	}
	for _, name := range names {
		i := slices.IndexFunc(t.Columns, func(c sqlgen.Column) bool { return strings.EqualFold(c.Name, name) })
		if i < 0 {
			err := dataknobs.Errorf(dataknobs.InvalidArgument, "option key: %s has no column %s", r.name, name)
			if near := nearest.Of(name, t.fieldNames()); near != "" {
				return err.WithHint("did you mean %s?", near)
			}
			return err.WithHint("it has %s", list(t.fieldNames()))
		}
		t.Key = append(t.Key, i)
	}
	t.assigns = len(t.Key) == 1 && t.Columns[t.Key[0]].Identity
	for _, i := range t.Key {
		t.hidden = t.hidden || dataknobs.IsSystemName(t.Columns[i].Name)
	}
	if t.hidden && len(t.Key) > 1 {
		return dataknobs.Errorf(dataknobs.Unsupported, "the key of %s has a column with a system name: %s", r.name, list(names))
	}
	return nil
}

// useRowID makes the ID of the number that SQLite gives to each row.
func (t *table) useRowID() {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if slices.ContainsFunc(t.Columns, func(c sqlgen.Column) bool { return strings.EqualFold(c.Name, name) }) {
			continue
		}
		t.Columns = append(t.Columns, sqlgen.Column{Name: name, Type: sqlgen.Int, SQLType: "INTEGER", NotNull: true, Identity: true})
		t.affinity = append(t.affinity, affinityInteger)
		t.Key = []int{len(t.Columns) - 1}
		t.assigns = true
		return
	}
	t.readOnly = "its columns hide the number of the row"
}

func (t *table) fieldNames() []string {
	var names []string
	for _, c := range t.Columns {
		if !dataknobs.IsSystemName(c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}
