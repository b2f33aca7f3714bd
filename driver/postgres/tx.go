package postgres

import (
	"context"
	"strconv"

	"dataknobs.dev/dataknobs"
)

// A tx is a transaction, or a savepoint in one. It implements dataknobs.Tx and
// dataknobs.Transactor.
type tx struct {
	handle
	depth    int // 0: the transaction itself
	readOnly bool
	over     bool
}

// Begin implements dataknobs.Transactor.
func (d *Driver) Begin(ctx context.Context, o dataknobs.TxOptions) (dataknobs.Tx, error) {
	var err error
	if o.ReadOnly {
		_, err = d.use(ctx)
	} else {
		_, err = d.writableState(ctx)
	}
	if err != nil {
		return nil, err
	}
	c, err := d.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.run(ctx, beginSQL(o)); err != nil {
		c.end()
		return nil, classify(ctx, err)
	}
	return (&tx{handle: handle{d: d, c: c}, readOnly: o.ReadOnly}).abilities(), nil
}

// writableState is writeState where the table can be written, else use.
func (d *Driver) writableState(ctx context.Context) (*state, error) {
	s, err := d.use(ctx)
	if err != nil || !s.missing || s.features.ReadOnly != "" {
		return s, err
	}
	return d.writeState(ctx)
}

func beginSQL(o dataknobs.TxOptions) string {
	sql := "begin"
	switch o.Isolation {
	case dataknobs.ReadCommitted:
		sql += " isolation level read committed"
	case dataknobs.RepeatableRead:
		sql += " isolation level repeatable read"
	case dataknobs.Serializable:
		sql += " isolation level serializable"
	}
	if o.ReadOnly {
		sql += " read only"
	}
	return sql
}

// end gives a transaction's connection back; if it is still inside one, the
// pool closes it.
func (c *conn) end() {
	c.over = true
	if c.pg.IsClosed() || c.pg.TxStatus() != 'I' {
		c.drop()
		return
	}
	c.put()
}

var errOver = dataknobs.Errorf(dataknobs.InvalidArgument, "the transaction is over")

// Features implements dataknobs.Driver.
func (t *tx) Features() *dataknobs.Features { return t.d.Features() }

// Close implements dataknobs.Driver.
func (t *tx) Close() error { return t.Rollback(context.Background()) }

// savepoint is the name of the savepoint at a depth.
func savepoint(depth int) string { return "dk" + strconv.Itoa(depth) }

// Begin implements dataknobs.Transactor: a savepoint.
func (t *tx) Begin(ctx context.Context, o dataknobs.TxOptions) (dataknobs.Tx, error) {
	if t.over {
		return nil, errOver
	}
	depth := t.depth + 1
	if err := t.c.run(ctx, "savepoint "+savepoint(depth)); err != nil {
		return nil, classify(ctx, err)
	}
	return (&tx{handle: t.handle, depth: depth, readOnly: t.readOnly || o.ReadOnly}).abilities(), nil
}

// Commit implements dataknobs.Tx.
func (t *tx) Commit(ctx context.Context) error {
	if t.over {
		return errOver
	}
	t.over = true
	if t.depth > 0 {
		return classify(ctx, t.c.run(ctx, "release savepoint "+savepoint(t.depth)))
	}
	defer t.c.end()
	if t.c.pg.TxStatus() == 'E' { // the server would answer a commit with a rollback
		_ = t.c.run(ctx, "rollback") // the transaction is lost anyway
		return dataknobs.Errorf(dataknobs.Conflict, "a statement of the transaction failed, so nothing of it was kept")
	}
	if err := t.c.run(ctx, "commit"); err != nil {
		return writeError(ctx, err)
	}
	if len(t.c.pendingNames) > 0 {
		_ = t.d.saveNames(ctx, t.c, t.c.pendingNames) // costs the order alone
	}
	return nil
}

// Rollback implements dataknobs.Tx.
func (t *tx) Rollback(ctx context.Context) error {
	if t.over {
		return nil
	}
	t.over = true
	if t.depth > 0 {
		name := savepoint(t.depth)
		return classify(ctx, t.c.run(ctx, "rollback to savepoint "+name+"; release savepoint "+name))
	}
	defer t.c.end()
	if t.c.pg.IsClosed() { // so it has been rolled back
		return nil
	}
	return classify(ctx, t.c.run(ctx, "rollback"))
}
