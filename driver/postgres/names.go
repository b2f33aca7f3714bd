package postgres

import (
	"context"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// noteNames keeps the order of names that are new.
func (h *handle) noteNames(ctx context.Context, s *state, ws []dataknobs.Write, results []dataknobs.Result) {
	if !s.isDocument() {
		return
	}
	n := h.d.newNames()
	for i := range ws {
		if results[i].Err != nil {
			continue
		}
		switch {
		case ws[i].Record != nil:
			n.add(ws[i].Record.Fields)
		default:
			for _, c := range ws[i].Changes {
				if len(c.Path) > 0 && !c.Path.IsSystem() && !c.Remove {
					n.addName(c.Path[0].Name)
				}
			}
		}
	}
	if len(n.fresh) == 0 {
		return
	}
	if h.inTx() {
		h.c.pendingNames = append(h.c.pendingNames, n.fresh...)
		return
	}
	_ = h.with(ctx, func(c *conn) error { return h.d.saveNames(ctx, c, n.fresh) }) // costs the order alone
}

// Bounds of what is kept of names.
const (
	maxNames     = 1000
	maxNameBytes = 64 << 10
)

// newNames finds names whose place is not known.
type newNames struct {
	known nameOrder
	last  []string // the names of the last record
	fresh []string
}

func (d *Driver) newNames() *newNames {
	n := &newNames{}
	if o := d.order.Load(); o != nil {
		n.known = *o
	}
	return n
}

func (n *newNames) add(f dataknobs.Fields) {
	if len(f) == len(n.last) {
		same := true
		for i := range f {
			if f[i].Name != n.last[i] {
				same = false
				break
			}
		}
		if same {
			return
		}
	}
	n.last = n.last[:0]
	for i := range f {
		n.last = append(n.last, strings.Clone(f[i].Name))
		n.addName(f[i].Name)
	}
}

func (n *newNames) addName(name string) {
	if _, ok := n.known[name]; ok || len(n.known)+len(n.fresh) >= maxNames {
		return
	}
	for _, f := range n.fresh {
		if f == name {
			return
		}
	}
	n.fresh = append(n.fresh, strings.Clone(name))
}

// saveNames writes new names behind those that the comment has by now. A
// failure, for want of the right to comment on the table, costs only the order.
func (d *Driver) saveNames(ctx context.Context, c *conn, fresh []string) error {
	d.names.Lock()
	defer d.names.Unlock()
	s := d.state.Load()
	if s.missing {
		return nil
	}
	r := &request{sql: `select coalesce(col_description(to_regclass($1::text), attnum), '') from pg_attribute where attrelid = to_regclass($1::text) and attname = $2`, params: texts(s.quoted, s.Extra)}
	order := nameOrder{}
	_, err := c.exec(ctx, r, func(row [][]byte) error {
		for i, name := range parseOrder(string(row[0])).names() {
			order[name] = i
		}
		return nil
	})
	if err != nil {
		return err
	}
	n := len(order)
	for _, name := range fresh {
		if _, ok := order[name]; !ok {
			order[name] = len(order)
		}
	}
	comment := orderComment(order.names())
	if len(comment) > maxNameBytes {
		return nil
	}
	d.order.Store(&order)
	if len(order) == n {
		return nil
	}
	column, err := sqlgen.Quote(sqlgen.Postgres, s.Extra)
	if err != nil {
		return err
	}
	text, err := sqlgen.Literal(sqlgen.Postgres, comment) // COMMENT takes no parameters
	if err != nil {
		return err
	}
	return c.run(ctx, "comment on column "+s.quoted+"."+column+" is "+text)
}
