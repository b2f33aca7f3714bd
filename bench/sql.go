package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
	port, stop, err := b.serve("postgres")
	if err != nil {
		return err
	}
	defer stop()
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
	for _, n := range b.sizes(s.sizes...) {
		r := &sqlRun{b: b, s: s, n: n}
		if err := r.run(); err != nil {
			return fmt.Errorf("%d records: %w", n, err)
		}
		if n >= 100_000 || b.quick {
			b.add(section{title: fmt.Sprintf("%s, %d records", s.title, n), note: s.note, rows: r.rows})
		}
		for _, row := range r.rows[:2] {
			row.op = fmt.Sprintf("%s, %d", row.op, n)
			row.ours, row.peer = row.ours.each(n), row.peer.each(n)
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
	rounds := r.b.rounds(3)
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
		t, err := r.s.timeRaw(r.b.ctx, table+"_raw", r.enc)
		if err != nil {
			return err
		}
		ours, raw = append(ours, o), append(raw, t)
	}
	o, t := measured(ours, 1), measured(raw, 1)
	r.rows = append(r.rows, row{op: "load", ours: o, peer: t, peerName: "raw driver",
		target: "≤ 1.15 × its time", met: o.seconds <= 1.15*t.seconds})
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

// versus adds a row. times, if given, is how many operations one run is.
func (r *sqlRun) versus(op string, most float64, rounds int, ours, theirs func() (int, error), times ...int) error {
	n := 1
	if len(times) > 0 {
		n = times[0]
	}
	x, err := r.b.versus(op, most, rounds, n, ours, theirs)
	if err != nil {
		return err
	}
	x.peerName = "raw driver"
	r.rows = append(r.rows, x)
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
	recs, err := writePeople(filepath.Join(dir, "records.jsonl"), b.peerRecords())
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
			note:  fmt.Sprintf("%d records of nine fields; the medians of rounds in turn.", b.peerRecords()), rows: rows,
		})
	}
	return nil
}

// personTypes makes a table with a column for each field of person.
const personTypes = "&types=id:string,name:string,age:int,city:string,score:float,active:bool,created:string,tags:array,address:object"

// rawCreate is what the raw driver takes to write the records to a table of the
// document layout, in one transaction, the texts being made already.
func (s *sqlBackend) rawCreate(ctx context.Context, table string, recs []*dataknobs.Record) (float64, error) {
	enc := make([]encoded, len(recs))
	for i, r := range recs {
		enc[i] = encoded{r.ID, string(r.Fields.AppendJSON(nil))}
	}
	return s.timeRaw(ctx, table, enc)
}

// timeRaw is what the raw driver takes to load a new table.
func (s *sqlBackend) timeRaw(ctx context.Context, table string, enc []encoded) (float64, error) {
	db, err := dataknobs.Open(ctx, s.store(table), nil) // makes a table of the same form
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if _, err := db.Create(ctx, dataknobs.NewRecord("first")); err != nil {
		return 0, err
	}
	if err := db.Delete(ctx, "first"); err != nil {
		return 0, err
	}
	raw, err := s.raw(table)
	if err != nil {
		return 0, err
	}
	defer raw.close()
	runtime.GC()
	start := time.Now()
	err = raw.load(ctx, enc)
	return time.Since(start).Seconds(), err
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
	create := func(params string) func(round int) (int, error) {
		return func(round int) (n int, err error) {
			if db != nil {
				db.Close()
			}
			if db, err = dataknobs.Open(b.ctx, s.store(fmt.Sprintf("%s%d_%d", form.form, len(params), round))+params, nil); err != nil {
				return 0, err
			}
			res, err := db.CreateMany(b.ctx, recs)
			return len(res), err
		}
	}
	raw := 0.0 // what an operation took that takes its own time
	for _, op := range []struct {
		name, theirs string
		factor       float64 // 0: no target
		run          func(round int) (int, error)
	}{
		{"batch create, typed columns", "batch create", 10, create(personTypes)},
		{"batch create by the raw driver", "batch create", 0, func(round int) (n int, err error) {
			raw, err = s.rawCreate(b.ctx, fmt.Sprintf("%s_raw%d", form.form, round), recs)
			return len(recs), err
		}},
		{"batch create", "batch create", 10, create("")},
		{"read everything", "read everything", 5, func(int) (int, error) { return drain(b.ctx, db, "") }},
		{"search =", "search =", 5, func(int) (int, error) { return drain(b.ctx, db, "city = 'Lisbon'") }},
	} {
		var o, t []float64
		for round := range b.rounds(3) {
			seconds, n, err := theirs.do(op.theirs)
			if err != nil {
				return nil, err
			}
			raw = 0
			start := time.Now()
			got, err := op.run(round)
			if err != nil {
				return nil, err
			}
			o, t = append(o, cmp.Or(raw, time.Since(start).Seconds())), append(t, seconds)
			if got != n {
				return nil, fmt.Errorf("%s: ours found %d, the peer %d", op.name, got, n)
			}
		}
		om, tm := measured(o, 1), measured(t, 1)
		target := fmt.Sprintf("≥ %g × as fast", op.factor)
		if op.factor == 0 {
			target = "(the bound of what is above it)"
		}
		rows = append(rows, row{op: op.name, ours: om, peer: tm, peerName: "dataknobs-data", target: target, met: tm.seconds >= op.factor*om.seconds})
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
