package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/sqlite"
)

// person is what the raw driver's rows are decoded into.
type person struct {
	Name    string   `json:"name"`
	Age     int      `json:"age"`
	Score   float64  `json:"score"`
	Active  bool     `json:"active"`
	City    string   `json:"city"`
	Tags    []string `json:"tags"`
	Address struct {
		Street string `json:"street"`
		Zip    string `json:"zip"`
	} `json:"address"`
}

const benchRecords = 20_000

func benchRecord(i int) *dataknobs.Record {
	return dataknobs.NewRecord(fmt.Sprintf("%08d", i*7919%100_000_000),
		dataknobs.F("name", fmt.Sprint("Person number ", i)), dataknobs.F("age", i%90), dataknobs.F("score", float64(i)/7),
		dataknobs.F("active", i%2 == 0), dataknobs.F("city", []string{"Paris", "Oslo", "Rome", "Vienna"}[i%4]),
		dataknobs.F("tags", []string{"a", fmt.Sprint("tag", i%10)}),
		dataknobs.F("address", map[string]any{"street": fmt.Sprint(i, " Long Street"), "zip": fmt.Sprint(10000 + i%9999)}))
}

// rawRow is a row of the same bytes as the store writes.
func rawRow(i int) (id, fields string) {
	r := benchRecord(i)
	return r.ID, string(r.Fields.AppendJSON(nil))
}

func openRaw(b *testing.B) *sql.DB {
	b.Helper()
	db, err := sql.Open("sqlite", filepath.Join(b.TempDir(), "raw.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-8192)&_pragma=busy_timeout(5000)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if _, err := db.Exec("create table records (id text not null primary key, fields text not null, meta text not null, rev integer not null)"); err != nil {
		b.Fatal(err)
	}
	return db
}

func fillRaw(b *testing.B, db *sql.DB, rows [][2]string) {
	b.Helper()
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	st, err := tx.Prepare("insert into records values (?, ?, '{}', ?)")
	if err != nil {
		b.Fatal(err)
	}
	for i, r := range rows {
		if _, err := st.Exec(r[0], r[1], i); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

func rawRows() [][2]string {
	rows := make([][2]string, benchRecords)
	for i := range rows {
		rows[i][0], rows[i][1] = rawRow(i)
	}
	return rows
}

// measured reports what one of n records took since the start of the clock that
// it returns, in time and in the processor's time.
func measured(b *testing.B, n int) func() {
	start := cpuTime()
	return func() {
		records := float64(b.N) * float64(n)
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/records, "ns/record")
		if spent := cpuTime() - start; spent > 0 {
			b.ReportMetric(float64(spent.Nanoseconds())/records, "cpu-ns/record")
		}
	}
}

func BenchmarkRawLoad(b *testing.B) {
	rows := rawRows()
	defer measured(b, benchRecords)()
	for b.Loop() {
		b.StopTimer()
		db := openRaw(b)
		b.StartTimer()
		fillRaw(b, db, rows)
	}
}

func benchStream() func(func(*dataknobs.Record, error) bool) {
	recs := make([]*dataknobs.Record, benchRecords)
	for i := range recs {
		recs[i] = benchRecord(i)
	}
	return func(yield func(*dataknobs.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	stream := benchStream()
	defer measured(b, benchRecords)()
	for b.Loop() {
		b.StopTimer()
		db := open(b, sqlite.Options{Path: filepath.Join(b.TempDir(), "a.db")})
		b.StartTimer()
		if _, err := db.Load(b.Context(), stream, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func benchStore(b *testing.B) *dataknobs.DB {
	b.Helper()
	db := open(b, sqlite.Options{Path: filepath.Join(b.TempDir(), "a.db")})
	if _, err := db.Load(context.Background(), benchStream(), nil); err != nil {
		b.Fatal(err)
	}
	return db
}

func benchRaw(b *testing.B) *sql.DB {
	b.Helper()
	db := openRaw(b)
	fillRaw(b, db, rawRows())
	return db
}

func scanRaw(b *testing.B, rows *sql.Rows, err error) int {
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var id, fields, meta string
		var rev int64
		var p person
		if err := rows.Scan(&id, &fields, &meta, &rev); err != nil {
			b.Fatal(err)
		}
		if err := json.Unmarshal([]byte(fields), &p); err != nil {
			b.Fatal(err)
		}
		n++
	}
	return n
}

func BenchmarkRawScan(b *testing.B) {
	db := benchRaw(b)
	defer measured(b, benchRecords)()
	for b.Loop() {
		rows, err := db.QueryContext(b.Context(), "select * from records")
		scanRaw(b, rows, err)
	}
}

func BenchmarkScan(b *testing.B) {
	db := benchStore(b)
	defer measured(b, benchRecords)()
	for b.Loop() {
		n := 0
		for _, err := range db.Run(b.Context(), &dataknobs.Query{}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
}

func BenchmarkRawQuery(b *testing.B) {
	db := benchRaw(b)
	defer measured(b, benchRecords)()
	for b.Loop() {
		rows, err := db.QueryContext(b.Context(), "select * from records where json_extract(fields, '$.age') > ? and json_type(fields, '$.age') in ('integer', 'real')", 80)
		scanRaw(b, rows, err)
	}
}

func BenchmarkQuery(b *testing.B) {
	db := benchStore(b)
	defer measured(b, benchRecords)()
	for b.Loop() {
		if _, err := db.All(b.Context(), &dataknobs.Query{Where: &dataknobs.Cond{Path: dataknobs.P("age"), Op: dataknobs.Gt, Args: []dataknobs.Value{dataknobs.Int(80)}}}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRawGet(b *testing.B) {
	db := benchRaw(b)
	st, err := db.Prepare("select * from records where id = ?")
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	defer measured(b, 1)()
	for b.Loop() {
		var id, fields, meta string
		var rev int64
		var p person
		i++
		if err := st.QueryRowContext(b.Context(), fmt.Sprintf("%08d", i%benchRecords*7919%100_000_000)).Scan(&id, &fields, &meta, &rev); err != nil {
			b.Fatal(err)
		}
		if err := json.Unmarshal([]byte(fields), &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	db := benchStore(b)
	i := 0
	defer measured(b, 1)()
	for b.Loop() {
		i++
		if _, err := db.Get(b.Context(), fmt.Sprintf("%08d", i%benchRecords*7919%100_000_000)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRawWrite(b *testing.B) {
	db := benchRaw(b)
	st, err := db.Prepare("insert into records values (?, ?, '{}', ?)")
	if err != nil {
		b.Fatal(err)
	}
	i := benchRecords
	defer measured(b, 1)()
	for b.Loop() {
		i++
		_, fields := rawRow(i)
		if _, err := st.ExecContext(b.Context(), fmt.Sprint("w", i), fields, i); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	db := benchStore(b)
	i := benchRecords
	defer measured(b, 1)()
	for b.Loop() {
		i++
		r := benchRecord(i)
		r.ID = fmt.Sprint("w", i)
		if _, err := db.Create(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteParallel(b *testing.B) {
	db := benchStore(b)
	b.ResetTimer()
	b.SetParallelism(16)
	defer measured(b, 1)()
	b.RunParallel(func(pb *testing.PB) {
		for i := benchRecords; pb.Next(); i++ {
			r := benchRecord(i)
			r.ID = ""
			if _, err := db.Create(b.Context(), r); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
