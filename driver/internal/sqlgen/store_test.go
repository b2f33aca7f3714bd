package sqlgen_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
	"dataknobs.dev/dataknobs/internal/servers"
)

// A store is a database to try statements on.
type store interface {
	exec(t testing.TB, sql string, args ...any)
	// rows returns a result, each value nil, bool, int64, float64, string or []byte.
	rows(t testing.TB, sql string, args ...any) [][]any
	plan(t testing.TB, sql string, args ...any) string
	dialect() sqlgen.Dialect
}

// stores opens both databases.
func stores(t *testing.T) map[string]store {
	return map[string]store{"sqlite": openLite(t), "postgres": openPostgres(t)}
}

func init() {
	match := func(op dataknobs.Op) func(*sqlite.FunctionContext, []sqldriver.Value) (sqldriver.Value, error) {
		return func(_ *sqlite.FunctionContext, args []sqldriver.Value) (sqldriver.Value, error) {
			text, ok := args[1].(string)
			if !ok {
				return nil, nil
			}
			m, err := dataknobs.Compile(&dataknobs.Cond{Path: dataknobs.Names("x"), Op: op, Args: []dataknobs.Value{dataknobs.String(args[0].(string))}})
			if err != nil {
				return nil, err
			}
			return m.MatchFunc(func(int) dataknobs.Value { return dataknobs.String(text) }), nil
		}
	}
	sqlite.MustRegisterDeterministicScalarFunction("dk_ilike", 2, match(dataknobs.ILike))
	sqlite.MustRegisterDeterministicScalarFunction("dk_matches", 2, match(dataknobs.Matches))
	sqlite.MustRegisterDeterministicScalarFunction("dk_key", 1, func(_ *sqlite.FunctionContext, args []sqldriver.Value) (sqldriver.Value, error) {
		text, ok := args[0].(string)
		if !ok {
			return nil, nil
		}
		v, err := sqlgen.ParseValue([]byte(text))
		return sqlgen.Key(v), err
	})
	sqlite.MustRegisterDeterministicScalarFunction("dk_id", 1, func(_ *sqlite.FunctionContext, args []sqldriver.Value) (sqldriver.Value, error) {
		switch x := args[0].(type) {
		case int64:
			return fmt.Sprint(x), nil
		case float64:
			return dataknobs.Float(x).String(), nil
		}
		return args[0], nil
	})
}

type liteStore struct{ db *sql.DB }

func openLite(t testing.TB) store {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return &liteStore{db}
}

func (s *liteStore) dialect() sqlgen.Dialect { return sqlgen.SQLite }

func (s *liteStore) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := s.db.ExecContext(context.Background(), sql, args...); err != nil {
		t.Fatalf("%v\n%s\n%v", err, sql, args)
	}
}

func (s *liteStore) rows(t testing.TB, sql string, args ...any) (out [][]any) {
	t.Helper()
	rows, err := s.db.QueryContext(context.Background(), sql, args...)
	if err != nil {
		t.Fatalf("%v\n%s\n%v", err, sql, args)
	}
	defer rows.Close()
	cols, _ := rows.Columns()
	for rows.Next() {
		row := make([]any, len(cols))
		to := make([]any, len(cols))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s\n%v", err, sql, args)
	}
	return out
}

func (s *liteStore) plan(t testing.TB, sql string, args ...any) string {
	var lines []string
	for _, row := range s.rows(t, "EXPLAIN QUERY PLAN "+sql, args...) {
		lines = append(lines, row[3].(string))
	}
	return strings.Join(lines, "\n")
}

type pgStore struct{ c *pgx.Conn }

func hasPostgres() bool { return os.Getenv("DATAKNOBS_TEST_POSTGRES") != "" }

func openPostgres(t testing.TB) store {
	url := os.Getenv("DATAKNOBS_TEST_POSTGRES")
	if tt, ok := t.(*testing.T); ok {
		url = servers.Postgres(tt)
	}
	if url == "" {
		t.Skip("DATAKNOBS_TEST_POSTGRES is not set")
	}
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	s := &pgStore{c}
	schema := fmt.Sprintf("sqlgen_%d_%d", os.Getpid(), c.PgConn().PID())
	s.exec(t, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { s.exec(t, "DROP SCHEMA "+schema+" CASCADE") })
	s.exec(t, "SET search_path = "+schema)
	return s
}

func (s *pgStore) dialect() sqlgen.Dialect { return sqlgen.Postgres }

func (s *pgStore) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := s.c.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%v\n%s\n%v", err, sql, args)
	}
}

// rows reads every value as text, but for those whose text has another form in Go.
func (s *pgStore) rows(t testing.TB, sql string, args ...any) (out [][]any) {
	t.Helper()
	rows, err := s.c.Query(context.Background(), sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		t.Fatalf("%v\n%s\n%v", err, sql, args)
	}
	defer rows.Close()
	for rows.Next() {
		var row []any
		for i, b := range rows.RawValues() {
			switch oid := rows.FieldDescriptions()[i].DataTypeOID; {
			case b == nil:
				row = append(row, nil)
			case oid == 16:
				row = append(row, string(b) == "t")
			case oid == 20 || oid == 21 || oid == 23:
				var n int64
				fmt.Sscan(string(b), &n)
				row = append(row, n)
			case oid == 701:
				var f float64
				fmt.Sscan(string(b), &f)
				row = append(row, f)
			default:
				row = append(row, string(b))
			}
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s\n%v", err, sql, args)
	}
	return out
}

func (s *pgStore) plan(t testing.TB, sql string, args ...any) string {
	var lines []string
	for _, row := range s.rows(t, "EXPLAIN "+sql, args...) {
		lines = append(lines, row[0].(string))
	}
	return strings.Join(lines, "\n")
}

func TestMain(m *testing.M) { servers.Main(m) }
