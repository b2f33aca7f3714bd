package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// addIndexed adds the paths that are not there yet.
func addIndexed(t *sqlgen.Table, paths []dataknobs.Path) {
	for _, p := range paths {
		if !slices.ContainsFunc(t.Indexed, p.Equal) {
			t.Indexed = append(t.Indexed, p)
		}
	}
}

// indexMark begins the comment on an index that was declared; the path follows.
// It tells programs that open the table without declaring the index about it.
const indexMark = "dataknobs index on "

// describeIndexes writes those comments.
func (c *conn) describeIndexes(ctx context.Context, t *sqlgen.Table) error {
	for _, p := range t.Indexed {
		if err := c.describeIndex(ctx, t, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) describeIndex(ctx context.Context, t *sqlgen.Table, p dataknobs.Path) error {
	name, err := quoteTable(t.Schema, t.IndexName(p))
	if err != nil {
		return err
	}
	there := false
	_, err = c.exec(ctx, &request{sql: "select to_regclass($1::text) is not null", params: texts(name)}, func(row [][]byte) error {
		there = string(row[0]) == "t"
		return nil
	})
	if err != nil || !there { // an index on arrays alone has no such name
		return err
	}
	text, err := sqlgen.Literal(sqlgen.Postgres, indexMark+p.String())
	if err != nil {
		return err
	}
	return c.run(ctx, "comment on index "+name+" is "+text)
}

const indexesSQL = `select c.relname, i.indisvalid::text, coalesce(obj_description(c.oid, 'pg_class'), '')
from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1::oid`

// lookUpIndexes finds the declared indexes.
func (c *conn) lookUpIndexes(ctx context.Context, r *relation) error {
	r.indexes = map[string]bool{}
	_, err := c.exec(ctx, &request{sql: indexesSQL, params: texts(r.oid), cells: 3}, func(row [][]byte) error {
		r.indexes[string(row[0])] = string(row[1]) == "true"
		if text, ok := strings.CutPrefix(string(row[2]), indexMark); ok {
			if p, err := dataknobs.ParsePath(text); err == nil {
				r.indexed = append(r.indexed, p)
			}
		}
		return nil
	})
	return err
}

// ensureIndexes makes the declared indexes that a table lacks, without keeping
// others from writing to it meanwhile.
func (d *Driver) ensureIndexes(ctx context.Context) error {
	s := d.state.Load()
	if s.missing || s.features.ReadOnly != "" || len(d.opts.Index) == 0 || d.opts.NoCreate {
		return nil
	}
	todo, err := s.missingIndexes()
	if err != nil || len(todo) == 0 {
		return err
	}
	c, err := d.pool.get(ctx)
	if err != nil {
		return err
	}
	defer c.put()
	err = d.makeIndexes(ctx, c, s, todo)
	if err = classify(ctx, err); dataknobs.CodeOf(err) == dataknobs.PermissionDenied {
		d.opts.Warn("the declared indexes of " + d.opts.Table + " cannot be made: " + err.Error())
		return nil
	}
	return err
}

// An indexPlan is one index that is to be made.
type indexPlan struct {
	sql    string
	broken string // its name, where a part of it is there and must go first
}

func (s *state) missingIndexes() ([]indexPlan, error) {
	var todo []indexPlan
	for _, p := range s.Indexed {
		sqls, err := s.IndexOn(p)
		if err != nil {
			return nil, err
		}
		for _, sql := range sqls {
			name := s.IndexName(p)
			if q, err := sqlgen.Quote(sqlgen.Postgres, name+"_in"); err == nil && strings.Contains(sql, " "+q+" ") {
				name += "_in"
			}
			whole, there := s.made[name]
			switch {
			case there && whole:
			case there:
				todo = append(todo, indexPlan{sql, name})
			default:
				todo = append(todo, indexPlan{sql, ""})
			}
		}
	}
	return todo, nil
}

// makeIndexes makes the indexes one after the other. Programs that do so at
// once take turns: a lock that is tried again and again, since waiting for it in a
// transaction would keep an index that is under way from becoming ready.
func (d *Driver) makeIndexes(ctx context.Context, c *conn, s *state, todo []indexPlan) error {
	if d.opts.Pooler == TransactionPooler {
		return d.makeInTransaction(ctx, c, s, todo)
	}
	for {
		got := false
		_, err := c.exec(ctx, &request{sql: "select pg_try_advisory_lock(" + d.lockKey() + ")"}, func(row [][]byte) error {
			got = string(row[0]) == "t"
			return nil
		})
		if err != nil {
			return err
		}
		if got {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer c.run(context.WithoutCancel(ctx), "select pg_advisory_unlock("+d.lockKey()+")") //nolint:errcheck // it ends with the connection
	for _, x := range todo {
		if x.broken != "" {
			name, err := quoteTable(s.Schema, x.broken)
			if err != nil {
				return err
			}
			if err := c.run(ctx, "drop index concurrently if exists "+name); err != nil {
				return err
			}
		}
		if err := c.run(ctx, strings.Replace(x.sql, "CREATE INDEX ", "CREATE INDEX CONCURRENTLY ", 1)); err != nil {
			return err
		}
	}
	return c.describeIndexes(ctx, s.Table)
}

func (d *Driver) makeInTransaction(ctx context.Context, c *conn, s *state, todo []indexPlan) (err error) {
	if err := c.run(ctx, "begin; select pg_advisory_xact_lock("+d.lockKey()+")"); err != nil {
		return err
	}
	defer func() {
		if err != nil && !c.pg.IsClosed() {
			_ = c.run(context.WithoutCancel(ctx), "rollback") // err is what matters
		}
	}()
	for _, x := range todo {
		if err := c.run(ctx, x.sql); err != nil {
			return err
		}
	}
	if err := c.describeIndexes(ctx, s.Table); err != nil {
		return err
	}
	return c.run(ctx, "commit")
}
