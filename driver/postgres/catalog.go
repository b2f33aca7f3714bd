package postgres

import (
	"context"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// A relation is what the catalog says of a table or view.
type relation struct {
	oid          string
	kind         byte // r table, p partitioned, v view, m materialized view, f foreign table
	schema, name string
	columns      []attribute
	keys         []uniqueIndex
	comment      string           // on the column fields, where there is one
	indexed      []dataknobs.Path // with an index that was declared once
	indexes      map[string]bool  // by name, whether they are whole
	standby      bool             // the server is one, or takes no writes
	rules        bool             // it has constraints or triggers besides its key
	secured      bool             // row-level security holds for this user
	canWrite     bool             // this user may insert, update and delete
}

// An attribute is one column.
type attribute struct {
	num                string
	name, sqlType      string
	base, elem         string // the type's name under its domains, and that of an array's elements
	category           byte   // of the base type: E enum, A array, …
	elemCategory       byte
	notNull            bool
	identity, default_ bool
	generated          bool
}

// A uniqueIndex is a key that the table could have.
type uniqueIndex struct {
	primary  bool
	nullable bool     // one of its columns may be null, so rows may lack a key
	columns  []string // attribute numbers, in order
}

var relationSQL = `select c.oid::text, c.relkind::text, n.nspname, c.relname,
	(pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on')::text,
	(has_table_privilege(c.oid, 'INSERT') or has_table_privilege(c.oid, 'UPDATE') or has_table_privilege(c.oid, 'DELETE'))::text,
	has_table_privilege(c.oid, 'SELECT')::text,
	(c.relchecks > 0 or c.relhastriggers or (select count(*) from pg_index i where i.indrelid = c.oid and (i.indisunique or i.indisexclusion)) > 1)::text, row_security_active(c.oid)::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.oid = to_regclass($1::text)`

// A type's base is what is under its domains.
var attributesSQL = `with recursive a as (
	select a.attnum, a.attname, format_type(a.atttypid, a.atttypmod) as sqltype, a.attnotnull, a.attidentity::text as ident,
		a.attgenerated::text as gen, a.atthasdef, a.atttypid as typ
	from pg_attribute a where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
), b as (
	select attnum, typ, false as nn from a
	union all
	select b.attnum, t.typbasetype, b.nn or t.typnotnull from b join pg_type t on t.oid = b.typ where t.typtype = 'd'
)
select a.attnum::text, a.attname::text, a.sqltype, (a.attnotnull or b.nn)::text, a.ident, a.gen, a.atthasdef::text,
	case when t.typnamespace = 'pg_catalog'::regnamespace then t.typname else t.typname || '.' end, t.typcategory::text, coalesce(case when e.typnamespace = 'pg_catalog'::regnamespace then e.typname else e.typname || '.' end, ''), coalesce(e.typcategory, ' ')::text,
	coalesce(col_description($1::oid, a.attnum), '')
from a join b on b.attnum = a.attnum join pg_type t on t.oid = b.typ and t.typtype <> 'd'
left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
order by a.attnum`

var keysSQL = `select i.indisprimary::text, array_to_string(i.indkey[0:i.indnkeyatts - 1], ' '), exists (
		select from unnest(i.indkey[0:i.indnkeyatts - 1]) k join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k where not a.attnotnull)::text
from pg_index i
where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
order by i.indisprimary desc, i.indnkeyatts, i.indexrelid`

// lookUp reads the catalog; nil if there is no such table.
func (c *conn) lookUp(ctx context.Context, qualified string) (*relation, error) {
	var r *relation
	readable := true
	_, err := c.exec(ctx, &request{sql: relationSQL, params: texts(qualified), cells: 9}, func(row [][]byte) error {
		r = &relation{oid: string(row[0]), kind: letter(row[1]), schema: string(row[2]), name: string(row[3])}
		r.standby, r.canWrite, readable = string(row[4]) == "true", string(row[5]) == "true", string(row[6]) == "true"
		r.rules, r.secured = string(row[7]) == "true", string(row[8]) == "true"
		return nil
	})
	if err != nil || r == nil {
		return nil, err
	}
	if !readable {
		return nil, dataknobs.Errorf(dataknobs.PermissionDenied, "permission denied for table %s", r.name).
			WithHint("GRANT SELECT on it to the role, or connect as another user")
	}
	_, err = c.exec(ctx, &request{sql: attributesSQL, params: texts(r.oid), cells: 12}, func(row [][]byte) error {
		a := attribute{
			num: string(row[0]), name: string(row[1]), sqlType: string(row[2]), notNull: string(row[3]) == "true",
			identity: len(row[4]) > 0, generated: string(row[5]) == "s" || string(row[5]) == "v", default_: string(row[6]) == "true",
			base: string(row[7]), category: letter(row[8]), elem: string(row[9]), elemCategory: letter(row[10]),
		}
		if a.name == fieldsColumn {
			r.comment = string(row[11])
		}
		r.columns = append(r.columns, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = c.exec(ctx, &request{sql: keysSQL, params: texts(r.oid), cells: 3}, func(row [][]byte) error {
		r.keys = append(r.keys, uniqueIndex{string(row[0]) == "true", string(row[2]) == "true", strings.Fields(string(row[1]))})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, c.lookUpIndexes(ctx, r)
}

// The columns of the document layout.
const (
	idColumn     = "id"
	fieldsColumn = "fields"
	metaColumn   = "meta"
	revColumn    = "rev"
)

func (r *relation) column(name string) *attribute {
	i := slices.IndexFunc(r.columns, func(a attribute) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return &r.columns[i]
}

// isDocument reports whether the table has the columns of the document layout.
func (r *relation) isDocument() bool {
	for name, base := range map[string]string{idColumn: "text", fieldsColumn: "jsonb", metaColumn: "jsonb", revColumn: "int8"} {
		if a := r.column(name); a == nil || a.base != base {
			return false
		}
	}
	return len(r.keys) > 0 && r.keys[0].primary && slices.Equal(r.keys[0].columns, []string{r.column(idColumn).num})
}

// unwritable says why nothing can be written to a relation of that kind; "" if
// it can.
func (r *relation) unwritable() string {
	switch {
	case r.kind == 'v':
		return "it is a view"
	case r.kind == 'm':
		return "it is a materialized view"
	case r.kind == 'f':
		return "it is a foreign table"
	case r.standby:
		return "the server is a standby, or read-only for this user; target_session_attrs=read-write picks the primary among several hosts"
	case !r.canWrite:
		return "this user has no right to write to the table"
	}
	return ""
}

// typeOf returns what a column of that type holds.
func typeOf(base string, category byte) sqlgen.Type {
	switch base {
	case "bool":
		return sqlgen.Bool
	case "int2", "int4", "int8":
		return sqlgen.Int
	case "float4", "float8":
		return sqlgen.Float
	case "numeric":
		return sqlgen.Numeric
	case "text", "varchar":
		return sqlgen.Text
	case "uuid":
		return sqlgen.UUID
	case "date":
		return sqlgen.Date
	case "timestamp":
		return sqlgen.Timestamp
	case "timestamptz":
		return sqlgen.TimestampTZ
	case "bytea":
		return sqlgen.Bytes
	case "json", "jsonb":
		return sqlgen.JSON
	}
	if category == 'E' {
		return sqlgen.Enum
	}
	return sqlgen.Other
}

// columnOf describes a column for the generator.
func columnOf(a *attribute) sqlgen.Column {
	c := sqlgen.Column{
		Name: a.name, SQLType: a.sqlType, NotNull: a.notNull,
		Generated: a.generated, Identity: a.identity, HasDefault: a.default_ || a.identity,
	}
	if c.Generated {
		c.HasDefault = true
	}
	if a.category == 'A' && a.elem != "" {
		c.Type, c.Elem = sqlgen.Array, typeOf(a.elem, a.elemCategory)
		if a.elemCategory == 'A' || a.base == "int2vector" || a.base == "oidvector" {
			c.Type, c.Elem = sqlgen.Other, 0
		}
		return c
	}
	c.Type = typeOf(a.base, a.category)
	return c
}

// table describes the relation for the generator, and says which fields make
// the ID; none: rows have no IDs of their own.
func (r *relation) table(o *Options) (*sqlgen.Table, []string, error) {
	t := &sqlgen.Table{Dialect: sqlgen.Postgres, Schema: r.schema, Name: r.name, View: r.kind == 'v' || r.kind == 'm' || r.kind == 'f'}
	if o.Layout == DocumentLayout && !r.isDocument() {
		return nil, nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the table %s is not of the document layout: it lacks id (text, primary key), fields and meta (jsonb) and rev (bigint)", r.name).
			WithHint("leave out layout=document to use it as it is")
	}
	addIndexed(t, r.indexed)
	if r.isDocument() && o.Layout != ColumnsLayout && len(o.Key) == 0 {
		document(t, o)
		return t, nil, nil
	}
	if err := r.columnsTable(t, o); err != nil {
		return nil, nil, err
	}
	key, err := r.key(t, o)
	return t, key, err
}

// document makes t a table of the document layout.
func document(t *sqlgen.Table, o *Options) {
	t.ID, t.Extra, t.Meta = idColumn, fieldsColumn, metaColumn
	addIndexed(t, o.Index)
	t.Rev = sqlgen.Rev{Kind: sqlgen.RevDocument, Column: revColumn}
}

// columnsTable fills in the columns of a table of others.
func (r *relation) columnsTable(t *sqlgen.Table, o *Options) error {
	for name, what := range map[string]string{o.Extra: "extra", o.Meta: "meta"} {
		if name == "" {
			continue
		}
		if a := r.column(name); a == nil || a.base != "jsonb" {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "option %s: the table %s has no jsonb column %q", what, r.name, name)
		}
	}
	t.Extra, t.Meta = o.Extra, o.Meta
	addIndexed(t, o.Index)
	if err := r.revision(t, o); err != nil {
		return err
	}
	for i := range r.columns {
		a := &r.columns[i]
		if a.name == t.Extra || a.name == t.Meta {
			continue
		}
		if err := dataknobs.CheckName(a.name); err != nil {
			continue // a system name; no field can be called so
		}
		c := columnOf(a)
		if t.Rev.Kind == sqlgen.RevColumn && a.name == t.Rev.Column { // every write renews it
			c.Generated, c.HasDefault = true, true
		}
		t.Columns = append(t.Columns, c)
	}
	return nil
}

// revision finds out how revisions are had.
func (r *relation) revision(t *sqlgen.Table, o *Options) error {
	switch {
	case o.Rev == "none":
	case o.Rev == "hash" || o.Rev == "" && t.View:
		t.Rev.Kind = sqlgen.RevHash
	case o.Rev == "system" && t.View:
		return dataknobs.Errorf(dataknobs.InvalidArgument, "option revision: a view has no system columns").WithHint("use revision=hash")
	case o.Rev == "" || o.Rev == "system":
		t.Rev.Kind = sqlgen.RevSystem
	default:
		if r.column(o.Rev) == nil {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "option revision: the table %s has no column %q", r.name, o.Rev).
				WithHint("it has %s; or say none, hash or system", strings.Join(r.names(), ", "))
		}
		t.Rev = sqlgen.Rev{Kind: sqlgen.RevColumn, Column: o.Rev}
	}
	return nil
}

func (r *relation) names() []string {
	var names []string
	for _, a := range r.columns {
		names = append(names, a.name)
	}
	return names
}

// key chooses the columns that make the ID: those asked for, else the primary
// key, else the first unique index without nulls.
func (r *relation) key(t *sqlgen.Table, o *Options) ([]string, error) {
	names := o.Key
	if i := slices.IndexFunc(r.keys, func(k uniqueIndex) bool { return !k.nullable }); len(names) == 0 && i >= 0 {
		names = r.columnsOf(r.keys[i])
	}
	t.Key = nil
	for _, name := range names {
		i := slices.IndexFunc(t.Columns, func(c sqlgen.Column) bool { return c.Name == name })
		if i < 0 && len(o.Key) == 0 {
			t.Key = nil // the key is a column that is no field
			return nil, nil
		}
		if i < 0 {
			err := dataknobs.Errorf(dataknobs.InvalidArgument, "option key: the table %s has no column %q", r.name, name)
			if near := nearest.Of(name, r.names()); near != "" {
				return nil, err.WithHint("did you mean %s?", near)
			}
			return nil, err.WithHint("it has %s", strings.Join(r.names(), ", "))
		}
		switch c := &t.Columns[i]; c.Type {
		case sqlgen.Bytes, sqlgen.JSON, sqlgen.Array, sqlgen.Tagged:
			if len(o.Key) == 0 {
				t.Key = nil
				return nil, nil
			}
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "option key: the column %s is of type %s, which cannot make an ID", name, c.SQLType)
		}
		t.Key = append(t.Key, i)
	}
	return names, nil
}

// revisionColumn returns the version column; nil if there is none.
func (r *relation) revisionColumn(t *sqlgen.Table) *attribute {
	if r == nil || t.Rev.Kind != sqlgen.RevColumn {
		return nil
	}
	return r.column(t.Rev.Column)
}

// columnsOf are the names of a key's columns, in its order.
func (r *relation) columnsOf(k uniqueIndex) []string {
	var names []string
	for _, num := range k.columns {
		for _, a := range r.columns {
			if a.num == num {
				names = append(names, a.name)
			}
		}
	}
	return names
}

// guards reports whether a unique index keeps those columns from repeating
// themselves.
func (r *relation) guards(key []string) bool {
	want := slices.Sorted(slices.Values(key))
	return slices.ContainsFunc(r.keys, func(k uniqueIndex) bool {
		return slices.Equal(slices.Sorted(slices.Values(r.columnsOf(k))), want)
	})
}
