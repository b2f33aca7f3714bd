package postgres

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// planned describes the table that the first write makes.
func (d *Driver) planned() (*sqlgen.Table, []string, error) {
	o := &d.opts
	t := &sqlgen.Table{Dialect: sqlgen.Postgres, Schema: d.asked.Schema, Name: d.asked.Name}
	if o.Layout != ColumnsLayout && len(o.Types) == 0 {
		if len(o.Key) > 0 || o.Extra != "" || o.Meta != "" {
			return nil, nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the table %s is not there, and the options key, extra and meta are for tables with columns", o.Table).
				WithHint("give the columns by types=name:kind,…")
		}
		document(t, o)
		return t, nil, nil
	}
	if len(o.Types) == 0 {
		return nil, nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the table %s is not there, and nothing says which columns it is to have", o.Table).
			WithHint("give them by types=name:kind,…")
	}
	if o.Layout == DocumentLayout {
		return nil, nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the document layout has no types").WithHint("leave out layout=document or types")
	}
	return d.plannedColumns(t)
}

func (d *Driver) plannedColumns(t *sqlgen.Table) (*sqlgen.Table, []string, error) {
	o := &d.opts
	t.Extra, t.Meta, t.Rev = o.Extra, o.Meta, sqlgen.Rev{Kind: sqlgen.RevSystem}
	var names []string
	for _, p := range o.Types {
		c, err := plannedColumn(p)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(names, c.Name) {
			return nil, nil, dataknobs.Errorf(dataknobs.InvalidArgument, "option types: %s is there twice", c.Name)
		}
		names = append(names, c.Name)
		t.Columns = append(t.Columns, c)
	}
	key := o.Key
	if len(key) == 0 && slices.Contains(names, "id") {
		key = []string{"id"}
	}
	if len(key) == 0 {
		return nil, nil, dataknobs.Errorf(dataknobs.InvalidArgument, "nothing says which of the columns make the ID").WithHint("give them by key=")
	}
	for _, k := range key {
		i := slices.Index(names, k)
		if i < 0 {
			err := dataknobs.Errorf(dataknobs.InvalidArgument, "option key: types has no column %q", k)
			if near := nearest.Of(k, names); near != "" {
				return nil, nil, err.WithHint("did you mean %s?", near)
			}
			return nil, nil, err
		}
		t.Columns[i].NotNull = true
		t.Key = append(t.Key, i)
	}
	return t, key, nil
}

// kindTypes are the types of the kinds.
var kindTypes = map[string]sqlgen.Type{
	"bool": sqlgen.Bool, "int": sqlgen.Int, "float": sqlgen.Float, "string": sqlgen.Text, "time": sqlgen.TimestampTZ,
	"bytes": sqlgen.Bytes, "array": sqlgen.JSON, "object": sqlgen.JSON,
}

// plainTypes are the SQL types that may be named, with what each holds.
var plainTypes = map[string]sqlgen.Type{
	"boolean": sqlgen.Bool, "smallint": sqlgen.Int, "integer": sqlgen.Int, "bigint": sqlgen.Int, "real": sqlgen.Float,
	"double precision": sqlgen.Float, "numeric": sqlgen.Numeric, "text": sqlgen.Text, "character varying": sqlgen.Text,
	"uuid": sqlgen.UUID, "date": sqlgen.Date, "timestamp without time zone": sqlgen.Timestamp,
	"timestamp with time zone": sqlgen.TimestampTZ, "bytea": sqlgen.Bytes, "json": sqlgen.JSON, "jsonb": sqlgen.JSON,
}

// typeAliases are other names of those types.
var typeAliases = map[string]string{
	"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision", "decimal": "numeric",
	"varchar": "character varying", "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
}

// plannedColumn reads name:kind or name:type.
func plannedColumn(p dataknobs.Pair) (sqlgen.Column, error) {
	if err := dataknobs.CheckName(p.Name); err != nil {
		return sqlgen.Column{}, dataknobs.Errorf(dataknobs.InvalidArgument, "option types: %w", err)
	}
	asked := strings.ToLower(strings.TrimSpace(p.Value))
	if t, ok := kindTypes[asked]; ok {
		return sqlgen.Column{Name: p.Name, Type: t}, nil
	}
	bounds := typeBounds.FindString(asked)
	base := strings.TrimSpace(strings.Replace(asked, bounds, "", 1))
	if t, ok := typeAliases[base]; ok {
		base = t
	}
	t, ok := plainTypes[base]
	if !ok || bounds != "" && base != "numeric" && base != "character varying" && !strings.HasPrefix(base, "timestamp") {
		return sqlgen.Column{}, dataknobs.Errorf(dataknobs.InvalidArgument, "option types: there is no kind or type %q for %s", p.Value, p.Name).
			WithHint("the kinds are bool, int, float, string, time, bytes, array and object; the types are such as numeric(12\\,2), uuid, date, jsonb")
	}
	if bounds != "" {
		if first, rest, ok := strings.Cut(base, " "); ok && strings.HasPrefix(base, "timestamp") {
			base = first + bounds + " " + rest
		} else {
			base += bounds
		}
	}
	return sqlgen.Column{Name: p.Name, Type: t, SQLType: base}, nil
}

// create makes the table, unless someone else was faster.
func (d *Driver) create(ctx context.Context) error {
	d.learn.Lock()
	defer d.learn.Unlock()
	s := d.state.Load()
	if !s.missing {
		return nil
	}
	if s.features.ReadOnly != "" {
		return dataknobs.Errorf(dataknobs.Unsupported, "the store cannot be written: %s", s.features.ReadOnly)
	}
	c, err := d.pool.get(ctx)
	if err != nil {
		return err
	}
	defer c.put()
	statements, err := s.Create()
	if err != nil {
		return err
	}
	if err := d.createWith(ctx, c, statements); err != nil {
		switch codeOf(err) {
		case uniqueViolation, duplicateTable, duplicateObject: // another program made it
		default:
			return createError(classify(ctx, err))
		}
	}
	return d.lookUpWith(ctx, c)
}

func createError(err error) error {
	if dataknobs.CodeOf(err) == dataknobs.PermissionDenied && codeOf(err) != readOnlyTransaction {
		return dataknobs.Errorf(dataknobs.PermissionDenied, "the table is not there and cannot be made: %w", err).
			WithHint("GRANT CREATE on the schema to the role, name another schema=, or make the table otherwise")
	}
	return err
}

// createWith makes the table in one transaction. Those who create at once take
// turns.
func (d *Driver) createWith(ctx context.Context, c *conn, statements []string) (err error) {
	if err := c.run(ctx, "begin; select pg_advisory_xact_lock("+d.lockKey()+")"); err != nil {
		return err
	}
	defer func() {
		if err != nil && !c.pg.IsClosed() {
			_ = c.run(context.WithoutCancel(ctx), "rollback") // err is what matters
		}
	}()
	there := false
	if _, err := c.exec(ctx, &request{sql: "select to_regclass($1::text) is not null", params: texts(d.table)}, func(row [][]byte) error {
		there = string(row[0]) == "t"
		return nil
	}); err != nil || there {
		if err == nil {
			err = c.run(ctx, "rollback")
		}
		return err
	}
	for _, sql := range statements {
		if err := c.run(ctx, sql); err != nil {
			return err
		}
	}
	if err := c.describeIndexes(ctx, d.state.Load().Table); err != nil {
		return err
	}
	return c.run(ctx, "commit")
}

// lockKey is the key of the advisory lock of those who make this table.
func (d *Driver) lockKey() string {
	h := fnv.New64a()
	h.Write([]byte("dataknobs " + d.table))
	return strconv.FormatInt(int64(h.Sum64()), 10)
}
