package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"math/rand/v2"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

type rawPostgres struct {
	pool  *pgxpool.Pool
	table string
}

func (p *rawPostgres) close() { p.pool.Close() }

// load sends the bytes that the server is to keep; making them is not timed
// beyond the escapes of COPY's text form.
func (p *rawPostgres) load(ctx context.Context, rows []encoded) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var text bytes.Buffer
	escape := strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
	for _, e := range rows {
		text.WriteString(escape.Replace(e.id))
		text.WriteByte('\t')
		escape.WriteString(&text, e.fields) //nolint:errcheck // a Buffer takes all
		text.WriteByte('\n')
	}
	_, err = conn.Conn().PgConn().CopyFrom(ctx, &text, "COPY "+p.table+" (id, fields) FROM STDIN")
	return err
}

func (p *rawPostgres) readAll(ctx context.Context) (int, error) {
	return p.query(ctx, "SELECT id, fields FROM "+p.table, nil)
}

func (p *rawPostgres) query(ctx context.Context, statement string, args []any) (int, error) {
	rows, err := p.pool.Query(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var p personRow
		if err := json.Unmarshal(rows.RawValues()[1], &p); err != nil {
			return 0, err
		}
		n++
	}
	return n, rows.Err()
}

func (p *rawPostgres) get(ctx context.Context, id string) error {
	var text []byte
	if err := p.pool.QueryRow(ctx, "SELECT fields, rev FROM "+p.table+" WHERE id = $1", id).Scan(&text, new(int64)); err != nil {
		return err
	}
	var row personRow
	return json.Unmarshal(text, &row)
}

func (p *rawPostgres) create(ctx context.Context, id string, row *personRow) error {
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return p.pool.QueryRow(ctx, "INSERT INTO "+p.table+" (id, fields) VALUES ($1, $2) RETURNING rev", id, text).Scan(new(int64))
}

// A rawSQLite keeps its statements prepared.
type rawSQLite struct {
	db       *sql.DB
	prepared map[string]*sql.Stmt
}

func openRawSQLite(path string) (*rawSQLite, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=busy_timeout(5000)&_txlock=immediate")
	return &rawSQLite{db, map[string]*sql.Stmt{}}, err
}

func (r *rawSQLite) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if st := r.prepared[text]; st != nil {
		return st, nil
	}
	st, err := r.db.PrepareContext(ctx, text)
	r.prepared[text] = st
	return st, err
}

func (r *rawSQLite) close() { r.db.Close() }

// load inserts in one transaction, a hundred rows a statement.
func (r *rawSQLite) load(ctx context.Context, rows []encoded) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after Commit
	const many = 100
	args := make([]any, 0, 3*many)
	var st *sql.Stmt
	for len(rows) > 0 {
		some := rows[:min(many, len(rows))]
		rows = rows[len(some):]
		if st == nil || len(some) < many {
			text := "INSERT INTO people (id, fields, rev) VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", len(some)-1)
			if st, err = tx.PrepareContext(ctx, text); err != nil {
				return err
			}
		}
		args = args[:0]
		for _, e := range some {
			args = append(args, e.id, e.fields, rand.Int64())
		}
		if _, err := st.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (r *rawSQLite) readAll(ctx context.Context) (int, error) {
	return r.query(ctx, `SELECT id, fields, meta, rev FROM people`, nil)
}

func (r *rawSQLite) query(ctx context.Context, statement string, args []any) (int, error) {
	st, err := r.prepare(ctx, statement)
	if err != nil {
		return 0, err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	var id string
	var fields, meta sql.RawBytes
	var rev int64
	for rows.Next() {
		if err := rows.Scan(&id, &fields, &meta, &rev); err != nil {
			return 0, err
		}
		var p personRow
		if err := json.Unmarshal(fields, &p); err != nil {
			return 0, err
		}
		n++
	}
	return n, rows.Err()
}

func (r *rawSQLite) get(ctx context.Context, id string) error {
	st, err := r.prepare(ctx, `SELECT fields, rev FROM people WHERE id = ?`)
	if err != nil {
		return err
	}
	var fields []byte
	if err := st.QueryRowContext(ctx, id).Scan(&fields, new(int64)); err != nil {
		return err
	}
	var p personRow
	return json.Unmarshal(fields, &p)
}

func (r *rawSQLite) create(ctx context.Context, id string, p *personRow) error {
	st, err := r.prepare(ctx, `INSERT INTO people (id, fields, rev) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(ctx, id, string(text), rand.Int64())
	return err
}
