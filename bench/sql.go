package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/postgres"
	_ "dataknobs.dev/dataknobs/driver/sqlite"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"
)

// A rawStore does with a driver alone what a store does: the same statements
// on a table of the same form, with structs and encoding/json around them.
type rawStore interface {
	load(ctx context.Context, rows []encoded) error
	readAll(ctx context.Context) (int, error)
	query(ctx context.Context, statement string, args []any) (int, error)
	get(ctx context.Context, id string) error
	create(ctx context.Context, id string, p *personRow) error
	close()
}

// An encoded record is what a table of the document layout holds of it.
type encoded struct{ id, fields string }

// A personRow is person as a program without dataknobs declares it.
type personRow struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Age     int      `json:"age"`
	City    string   `json:"city"`
	Score   float64  `json:"score"`
	Active  bool     `json:"active"`
	Created string   `json:"created"`
	Tags    []string `json:"tags"`
	Address struct {
		Street string `json:"street"`
		Zip    string `json:"zip"`
	} `json:"address"`
}

// A sqlBackend is one of the SQL stores and its raw driver.
type sqlBackend struct {
	title, note string
	store       func(table string) string // the store's name
	raw         func(table string) (rawStore, error)
	args        []any // those of sqlQueryText, as the store sends them
	python      []sqlPeer
	sizes       []int
}

// sqlQueryText is a query that both sides answer by the same statement: the
// one that Explain shows.
const sqlQueryText = "city = 'Lisbon' and age >= 30"

func (b *bench) sqlite() error {
	dir, err := os.MkdirTemp(b.work, "sqlite")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := func(table string) string { return filepath.Join(dir, table+".db") }
	return b.sqlStore(&sqlBackend{
		title:  "SQLite store",
		note:   "Document layout, synchronous=full, WAL. Raw: modernc.org/sqlite through database/sql, prepared statements, encoding/json, structs.",
		store:  func(table string) string { return "sqlite:" + path(table) + "?table=people" },
		raw:    func(table string) (rawStore, error) { return openRawSQLite(path(table)) },
		args:   []any{"Lisbon", 30},
		python: []sqlPeer{{"sqlite", map[string]any{"backend": "sqlite", "path": filepath.Join(dir, "peer.db")}}},
		sizes:  []int{10_000, 100_000, 1_000_000},
	})
}

func (b *bench) postgres() error {
	dir, err := os.MkdirTemp("", "dataknobs-bench-postgres")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // the server runs as a user of its own
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	script := filepath.Join(b.dir, "..", "scripts", "services", "postgres.sh")
	if err := b.sh(b.dir, script, "start", dir, strconv.Itoa(port)); err != nil {
		return err
	}
	defer b.sh(b.dir, script, "stop", dir) //nolint:errcheck // nothing more can be done
	url := fmt.Sprintf("postgres://app:app@127.0.0.1:%d/app", port)
	peer := func(table string) map[string]any {
		return map[string]any{"backend": "postgres", "host": "127.0.0.1", "port": port, "database": "app", "user": "app", "password": "app", "table": table}
	}
	return b.sqlStore(&sqlBackend{
		title: "PostgreSQL store",
		note:  "PostgreSQL on the same machine, fsync on, document layout. Raw: pgx v5 with a pool, COPY in text, prepared statements, encoding/json, structs.",
		store: func(table string) string { return url + "?table=" + table },
		raw: func(table string) (rawStore, error) {
			pool, err := pgxpool.New(b.ctx, url)
			return &rawPostgres{pool: pool, table: pgx.Identifier{table}.Sanitize()}, err
		},
		args:   []any{"Lisbon", "30"},
		python: []sqlPeer{{"psycopg2", peer("peer_sync")}, {"asyncpg", peer("peer_async")}},
		sizes:  []int{10_000, 100_000, 1_000_000},
	})
}

// sqlStore measures one SQL store at each size, ours and raw in turn.
func (b *bench) sqlStore(s *sqlBackend) error {
	perRecord := section{title: s.title + ": cost of a record as the store grows", note: "Load and full read, per record: constant from 10,000 to 1,000,000."}
	for _, n := range s.sizes {
		r := &sqlRun{b: b, s: s, n: n}
		if err := r.run(); err != nil {
			return fmt.Errorf("%d records: %w", n, err)
		}
		if n >= 100_000 {
			b.add(section{title: fmt.Sprintf("%s, %d records", s.title, n), note: s.note, rows: r.rows})
		}
		for _, row := range r.rows[:2] {
			row.op = fmt.Sprintf("%s, %d", row.op, n)
			row.ours.seconds /= float64(n)
			row.peer.seconds /= float64(n)
			row.target, row.met = "", true
			perRecord.rows = append(perRecord.rows, row)
		}
	}
	markConstant(perRecord.rows)
	b.add(perRecord)
	return b.sqlPeers(s)
}

// markConstant compares the cost of a record at each size with that at the smallest.
func markConstant(rows []row) {
	first := map[string]float64{}
	for i := range rows {
		op, _, _ := strings.Cut(rows[i].op, ",")
		if first[op] == 0 {
			first[op] = rows[i].ours.seconds
		}
		rows[i].target, rows[i].met = "≤ 1.3 × that of 10,000", rows[i].ours.seconds <= 1.3*first[op]
	}
}

// An sqlRun is the measurement at one size.
type sqlRun struct {
	b    *bench
	s    *sqlBackend
	n    int
	rows []row

	recs []*dataknobs.Record
	enc  []encoded
	db   *dataknobs.DB
	raw  rawStore
}

func (r *sqlRun) run() error {
	r.recs = make([]*dataknobs.Record, r.n)
	r.enc = make([]encoded, r.n)
	for i := range r.recs {
		r.recs[i] = person(i)
		r.enc[i] = encoded{r.recs[i].ID, string(r.recs[i].Fields.AppendJSON(nil))}
	}
	if err := r.loads(); err != nil {
		return err
	}
	defer r.db.Close()
	defer r.raw.close()
	// Both sides read the table that ours has loaded.
	if err := r.versus("read everything", 1.15, 3, r.readAll, func() (int, error) { return r.raw.readAll(r.b.ctx) }); err != nil {
		return err
	}
	statement, err := r.statement()
	if err != nil {
		return err
	}
	if err := r.versus("query, two conditions", 1.15, 5, r.query, func() (int, error) { return r.raw.query(r.b.ctx, statement, r.s.args) }); err != nil {
		return err
	}
	const gets, creates = 4000, 1000
	id := func(i, round int) string { return r.recs[(i*7919+round)%r.n].ID }
	round := 0
	err = r.versus("get by ID", 1.1, 5, func() (int, error) {
		round++
		for i := range gets {
			if _, err := r.db.Get(r.b.ctx, id(i, round)); err != nil {
				return 0, err
			}
		}
		return gets, nil
	}, func() (int, error) {
		for i := range gets {
			if err := r.raw.get(r.b.ctx, id(i, round)); err != nil {
				return 0, err
			}
		}
		return gets, nil
	}, gets)
	if err != nil {
		return err
	}
	fresh := 0
	return r.versus("create one", 1.1, 3, func() (int, error) {
		for range creates {
			fresh++
			rec := person(fresh)
			rec.ID = fmt.Sprintf("ours%d", fresh)
			if _, err := r.db.Create(r.b.ctx, rec); err != nil {
				return 0, err
			}
		}
		return creates, nil
	}, func() (int, error) {
		for range creates {
			fresh++
			var p personRow
			if err := json.Unmarshal(person(fresh).Fields.AppendJSON(nil), &p); err != nil {
				return 0, err
			}
			if err := r.raw.create(r.b.ctx, fmt.Sprintf("raw%d", fresh), &p); err != nil {
				return 0, err
			}
		}
		return creates, nil
	}, creates)
}

// loads fills a fresh table on each side, in turn, and keeps the last of ours.
func (r *sqlRun) loads() error {
	rounds := 3
	if r.n >= 1_000_000 {
		rounds = 1
	}
	var ours, raw []float64
	for i := range rounds {
		table := fmt.Sprintf("people%d_%d", r.n, i)
		o, err := r.loadOurs(table)
		if err != nil {
			return err
		}
		t, err := r.loadRaw(table + "_raw")
		if err != nil {
			return err
		}
		ours, raw = append(ours, o), append(raw, t)
	}
	o, t := median(ours), median(raw)
	r.rows = append(r.rows, row{op: "load", ours: figure{seconds: o}, peer: figure{seconds: t}, peerName: "raw driver",
		target: "≤ 1.15 × its time", met: o <= 1.15*t})
	return nil
}

func (r *sqlRun) loadOurs(table string) (float64, error) {
	if r.db != nil {
		r.raw.close()
		if err := r.db.Close(); err != nil {
			return 0, err
		}
	}
	var err error
	if r.db, err = dataknobs.Open(r.b.ctx, r.s.store(table), nil); err != nil {
		return 0, err
	}
	if r.raw, err = r.s.raw(table); err != nil {
		return 0, err
	}
	// The table exists before the clock starts, as it does for the raw side.
	if _, err := r.db.Create(r.b.ctx, dataknobs.NewRecord("first")); err != nil {
		return 0, err
	}
	if err := r.db.Delete(r.b.ctx, "first"); err != nil {
		return 0, err
	}
	runtime.GC()
	start := time.Now()
	res, err := r.db.Load(r.b.ctx, func(yield func(*dataknobs.Record, error) bool) {
		for _, rec := range r.recs {
			if !yield(rec, nil) {
				return
			}
		}
	}, nil)
	if err == nil && res.Written != int64(r.n) {
		err = fmt.Errorf("loaded %d", res.Written)
	}
	return time.Since(start).Seconds(), err
}

func (r *sqlRun) loadRaw(table string) (float64, error) {
	db, err := dataknobs.Open(r.b.ctx, r.s.store(table), nil) // makes a table of the same form
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if _, err := db.Create(r.b.ctx, dataknobs.NewRecord("first")); err != nil {
		return 0, err
	}
	if err := db.Delete(r.b.ctx, "first"); err != nil {
		return 0, err
	}
	raw, err := r.s.raw(table)
	if err != nil {
		return 0, err
	}
	defer raw.close()
	runtime.GC()
	start := time.Now()
	err = raw.load(r.b.ctx, r.enc)
	return time.Since(start).Seconds(), err
}

// versus runs ours and theirs in turn; each says how many records it had to do
// with. times, if given, is how many operations one run is.
func (r *sqlRun) versus(op string, most float64, rounds int, ours, theirs func() (int, error), times ...int) error {
	var o, t []float64
	for i := range rounds + 1 {
		start := time.Now()
		a, err := ours()
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		middle := time.Now()
		c, err := theirs()
		if err != nil {
			return fmt.Errorf("%s, raw: %w", op, err)
		}
		if a != c {
			return fmt.Errorf("%s: ours had to do with %d records, the raw driver with %d", op, a, c)
		}
		if i > 0 { // the first is a warm-up
			o, t = append(o, middle.Sub(start).Seconds()), append(t, time.Since(middle).Seconds())
		}
	}
	n := 1.0
	if len(times) > 0 {
		n = float64(times[0])
	}
	om, tm := median(o)/n, median(t)/n
	r.rows = append(r.rows, row{op: op, ours: figure{seconds: om}, peer: figure{seconds: tm}, peerName: "raw driver",
		target: fmt.Sprintf("≤ %g × its time", most), met: om <= most*tm})
	return nil
}

func (r *sqlRun) readAll() (int, error) { return drain(r.b.ctx, r.db, "") }

func (r *sqlRun) query() (int, error) { return drain(r.b.ctx, r.db, sqlQueryText) }

// statement is what our store sends for the query.
func (r *sqlRun) statement() (string, error) {
	q, err := dataknobs.Parse(sqlQueryText)
	if err != nil {
		return "", err
	}
	plan, err := r.db.Explain(r.b.ctx, q, dataknobs.ExplainOptions{})
	if err != nil {
		return "", err
	}
	if len(plan.Residual) > 0 || len(plan.Pushed.Steps) == 0 {
		return "", fmt.Errorf("the store leaves some of %s to be done here", sqlQueryText)
	}
	return strings.TrimPrefix(plan.Pushed.Steps[0], "SQL: "), nil
}

// freePort returns a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// An sqlPeer is one form of the Python package's backends.
type sqlPeer struct {
	form     string
	settings map[string]any
}

// sqlPeers races the Python package, form by form: each side has a table of its own.
func (b *bench) sqlPeers(s *sqlBackend) error {
	dir, err := os.MkdirTemp(b.work, "sqlpeer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	recs, err := writePeople(filepath.Join(dir, "records.jsonl"))
	if err != nil {
		return err
	}
	for _, form := range s.python {
		rows, err := b.sqlPeer(s, form, filepath.Join(dir, "records.jsonl"), recs)
		if err != nil {
			return fmt.Errorf("%s: %w", form.form, err)
		}
		b.add(section{
			title: fmt.Sprintf("%s against dataknobs-data %s (%s)", s.title, pythonVersion, form.form),
			note:  fmt.Sprintf("%d records of nine fields; the medians of three rounds in turn.", peerRecords), rows: rows,
		})
	}
	return nil
}

func (b *bench) sqlPeer(s *sqlBackend, form sqlPeer, records string, recs []*dataknobs.Record) ([]row, error) {
	settings, err := json.Marshal(form.settings)
	if err != nil {
		return nil, err
	}
	theirs, err := b.startPeer("sqlpeer.py", form.form, records, string(settings))
	if err != nil {
		return nil, err
	}
	defer theirs.stop()
	var rows []row
	var db *dataknobs.DB
	defer func() {
		if db != nil {
			db.Close()
		}
	}()
	for _, op := range []struct {
		name   string
		factor float64
		run    func(round int) (int, error)
	}{
		{"batch create", 10, func(round int) (n int, err error) {
			if db != nil {
				db.Close()
			}
			if db, err = dataknobs.Open(b.ctx, s.store(fmt.Sprintf("%s%d", form.form, round)), nil); err != nil {
				return 0, err
			}
			res, err := db.CreateMany(b.ctx, recs)
			return len(res), err
		}},
		{"read everything", 5, func(int) (int, error) { return drain(b.ctx, db, "") }},
		{"search =", 5, func(int) (int, error) { return drain(b.ctx, db, "city = 'Lisbon'") }},
	} {
		var o, t []float64
		for round := range 3 {
			seconds, n, err := theirs.do(op.name)
			if err != nil {
				return nil, err
			}
			start := time.Now()
			got, err := op.run(round)
			if err != nil {
				return nil, err
			}
			o, t = append(o, time.Since(start).Seconds()), append(t, seconds)
			if got != n {
				return nil, fmt.Errorf("%s: ours found %d, the peer %d", op.name, got, n)
			}
		}
		om, tm := median(o), median(t)
		rows = append(rows, row{op: op.name, ours: figure{seconds: om}, peer: figure{seconds: tm}, peerName: "dataknobs-data",
			target: fmt.Sprintf("≥ %g × as fast", op.factor), met: tm >= op.factor*om})
	}
	return rows, nil
}

func drain(ctx context.Context, db *dataknobs.DB, text string) (int, error) {
	n := 0
	for _, err := range db.Query(ctx, text) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
