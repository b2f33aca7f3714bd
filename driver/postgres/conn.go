package postgres

import (
	"context"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"dataknobs.dev/dataknobs"
)

// A conn is one connection while it is used. It is not safe for concurrent use.
type conn struct {
	pool *pool
	pc   *pgxpool.Conn
	pg   *pgconn.PgConn
	st   *statements

	over         bool     // a transaction's: it has ended
	pendingNames []string // of a transaction: new names, to be noted once it is committed
}

func newConn(p *pool, pc *pgxpool.Conn) *conn {
	pg := pc.Conn().PgConn()
	data := pg.CustomData()
	st, ok := data[statementsKey].(*statements)
	if !ok {
		st = &statements{by: map[string]*statement{}}
		data[statementsKey] = st
	}
	return &conn{pool: p, pc: pc, pg: pg, st: st}
}

// put gives the connection back.
func (c *conn) put() {
	if c.pg.CustomData()[cancelled] != nil && !c.pg.IsClosed() && !settle(c.pg) {
		c.drop()
		return
	}
	c.pc.Release()
}

// drop closes the connection and gives it back.
func (c *conn) drop() {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	c.pg.Close(ctx)
	c.pc.Release()
}

const statementsKey = "dataknobs.statements"

// maxStatements bounds how many statements a connection keeps prepared.
const maxStatements = 200

// statements are the statements of one connection by their SQL. One is
// prepared when it comes the second time, so that a single one costs one round
// trip and leaves nothing behind.
type statements struct {
	by    map[string]*statement
	clock int64
	next  int
}

type statement struct {
	desc *pgconn.StatementDescription // nil: not prepared
	used int64
}

// prepared returns the prepared statement for sql; nil if it is to be sent as
// it is. eager: it is known to come again.
func (c *conn) prepared(ctx context.Context, sql string, eager bool) (*pgconn.StatementDescription, error) {
	if c.pool.pooler == TransactionPooler {
		return nil, nil
	}
	st := c.st
	st.clock++
	s := st.by[sql]
	if s != nil && s.desc != nil {
		s.used = st.clock
		return s.desc, nil
	}
	if s == nil {
		if len(st.by) >= maxStatements {
			if err := c.forgetOldest(ctx); err != nil {
				return nil, err
			}
		}
		s = &statement{}
		st.by[sql] = s
		if !eager {
			s.used = st.clock
			return nil, nil
		}
	}
	s.used = st.clock
	st.next++
	desc, err := c.pg.Prepare(ctx, "dk"+strconv.Itoa(st.next), sql, nil)
	if err != nil {
		delete(st.by, sql)
		return nil, err
	}
	s.desc = desc
	return desc, nil
}

// forgetOldest drops the statement that was not used for longest.
func (c *conn) forgetOldest(ctx context.Context) error {
	oldest, at := "", int64(math.MaxInt64)
	for sql, s := range c.st.by {
		if s.used < at {
			oldest, at = sql, s.used
		}
	}
	return c.forget(ctx, oldest)
}

// forget drops a statement.
func (c *conn) forget(ctx context.Context, sql string) error {
	s := c.st.by[sql]
	delete(c.st.by, sql)
	if s == nil || s.desc == nil || c.pg.TxStatus() == 'E' {
		return nil
	}
	return c.pg.Deallocate(ctx, s.desc.Name)
}

// A request is one statement with its parameters.
type request struct {
	sql     string
	params  [][]byte
	formats []int16 // of the parameters; nil: text
	results []int16 // formats of the result; nil: text
	eager   bool    // it will come again: prepare it at once
	cells   int     // how many each row of the result has at least; 0: one
}

// query sends a request. The reader must be closed before anything else.
func (c *conn) query(ctx context.Context, r *request) (*pgconn.ResultReader, error) {
	desc, err := c.prepared(ctx, r.sql, r.eager)
	if err != nil {
		return nil, err
	}
	if desc != nil {
		return c.pg.ExecStatement(ctx, desc, r.params, r.formats, r.results), nil
	}
	return c.pg.ExecParams(ctx, r.sql, r.params, nil, r.formats, r.results), nil
}

// isStale reports whether a prepared statement has to be prepared anew: the
// table was changed, or another program dropped it.
func isStale(err error) bool {
	code := codeOf(err)
	return code == noSuchStatement || code == planChanged
}

// exec runs a request and gives each row to row, which may be nil; the row is
// only good during the call. A statement that has gone stale is sent again,
// where that is possible: it has not been carried out.
func (c *conn) exec(ctx context.Context, r *request, row func([][]byte) error) (pgconn.CommandTag, error) {
	tag, err := c.execOnce(ctx, r, row)
	if err != nil && isStale(err) && c.pg.TxStatus() == 'I' && c.st.by[r.sql] != nil {
		if err := c.forget(ctx, r.sql); err != nil {
			return tag, err
		}
		return c.execOnce(ctx, r, row)
	}
	return tag, err
}

func (c *conn) execOnce(ctx context.Context, r *request, row func([][]byte) error) (pgconn.CommandTag, error) {
	rr, err := c.query(ctx, r)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	var failed error
	for rr.NextRow() {
		if row == nil || failed != nil {
			continue
		}
		cells, err := cellsOf(rr, r.cells)
		if err == nil {
			err = row(cells)
		}
		failed = err
	}
	tag, err := rr.Close()
	if err == nil {
		err = failed
	}
	return tag, err
}

// cellsOf returns the row that the reader is at: as many cells as the server
// said, and no fewer than least, or one.
func cellsOf(rr *pgconn.ResultReader, least int) ([][]byte, error) {
	row := rr.Values()
	if len(row) < max(least, 1) || len(row) != len(rr.FieldDescriptions()) {
		return nil, errRow
	}
	return row, nil
}

var errRow = dataknobs.Errorf(dataknobs.Internal, "the server sent another row than it was asked for")

// letter is a cell of one letter; 0 where it is empty.
func letter(cell []byte) byte {
	if len(cell) == 0 {
		return 0
	}
	return cell[0]
}

// run runs statements without parameters or results, in one round trip.
func (c *conn) run(ctx context.Context, sql string) error {
	return c.pg.Exec(ctx, sql).Close()
}

// texts are parameters in text form.
func texts(ss ...string) [][]byte {
	params := make([][]byte, len(ss))
	for i, s := range ss {
		params[i] = []byte(s)
	}
	return params
}

// encodeArgs turns the parameters of a generated statement into what the
// protocol sends: text, but bytes as they are.
func encodeArgs(args []any) (params [][]byte, formats []int16, err error) {
	params, formats = make([][]byte, len(args)), make([]int16, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case nil:
		case bool:
			params[i] = strconv.AppendBool(nil, a)
		case int64:
			params[i] = strconv.AppendInt(nil, a, 10)
		case int:
			params[i] = strconv.AppendInt(nil, int64(a), 10)
		case float64:
			params[i] = strconv.AppendFloat(nil, a, 'g', -1, 64)
		case string:
			params[i] = []byte(a)
		case []byte:
			params[i], formats[i] = a, 1
			if a == nil {
				params[i] = []byte{}
			}
		case []string:
			params[i] = textArray(a)
		case []int64:
			params[i] = intArray(a)
		default:
			return nil, nil, dataknobs.Errorf(dataknobs.Internal, "a parameter is a %T", a)
		}
	}
	return params, formats, nil
}

// The types of which arrays are sent.
const (
	oidText  = 25
	oidJSONB = 3802
)

// arrayHeader begins a one-dimensional array in the binary format.
func arrayHeader(b []byte, oid uint32, n int, nulls bool) []byte {
	dims, flag := uint32(1), uint32(0)
	if n == 0 {
		dims = 0
	}
	if nulls {
		flag = 1
	}
	b = binary.BigEndian.AppendUint32(b, dims)
	b = binary.BigEndian.AppendUint32(b, flag)
	b = binary.BigEndian.AppendUint32(b, oid)
	if n > 0 {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		b = binary.BigEndian.AppendUint32(b, 1)
	}
	return b
}

// textArray writes an array of texts as text, which is good for whatever type
// the statement casts it to.
func textArray(ss []string) []byte {
	size := 2
	for _, s := range ss {
		size += len(s) + 3
	}
	b := append(make([]byte, 0, size), '{')
	for i, s := range ss {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, s)
	}
	return append(b, '}')
}

// appendQuoted appends an element of an array in its quotes.
func appendQuoted[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

func intArray(is []int64) []byte {
	b := []byte{'{'}
	for i, n := range is {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return append(b, '}')
}
