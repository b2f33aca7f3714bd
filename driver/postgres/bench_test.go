package postgres_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// benchRecords are records such as programs have: ten fields of every kind.
func benchRecords(n int) []*dataknobs.Record {
	recs := make([]*dataknobs.Record, n)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range recs {
		recs[i] = dataknobs.NewRecord(fmt.Sprintf("id-%08d", i),
			dataknobs.F("name", fmt.Sprint("name of ", i)), dataknobs.F("age", i%97), dataknobs.F("score", float64(i%1000)/8),
			dataknobs.F("city", fmt.Sprint("city", i%50)), dataknobs.F("active", i%3 == 0), dataknobs.F("at", at.Add(time.Duration(i)*time.Second)),
			dataknobs.F("email", fmt.Sprintf("user%d@example.org", i)), dataknobs.F("visits", i*7), dataknobs.F("note", "a text of some words, neither long nor short"),
			dataknobs.F("rank", i%11))
	}
	return recs
}

// person is what raw pgx decodes the JSON into.
type person struct {
	Name   string  `json:"name"`
	Age    int     `json:"age"`
	Score  float64 `json:"score"`
	City   string  `json:"city"`
	Active bool    `json:"active"`
	At     struct {
		Time time.Time `json:"$time"`
	} `json:"at"`
	Email  string `json:"email"`
	Visits int    `json:"visits"`
	Note   string `json:"note"`
	Rank   int    `json:"rank"`
}

const benchN = 50_000

// BenchmarkStore compares every operation with raw pgx on the same table.
func BenchmarkStore(b *testing.B) {
	s := newSchema(b)
	recs := benchRecords(benchN)
	ctx := context.Background()
	db := open(b, s.at("people"))
	if _, err := db.Load(ctx, stream(recs), nil); err != nil {
		b.Fatal(err)
	}
	s.exec("create table raw (like people including all)")
	cfg, err := pgxpool.ParseConfig(s.url + "?search_path=" + s.name)
	if err != nil {
		b.Fatal(err)
	}
	raw, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	fail := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	var enc bytes.Buffer
	enc.WriteString("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, r := range recs {
		enc.Write([]byte{0, 2})
		f, _ := sqlgen.AppendFields([]byte{1}, r.Fields)
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(r.ID)))
		enc.Write(n[:])
		enc.WriteString(r.ID)
		binary.BigEndian.PutUint32(n[:], uint32(len(f)))
		enc.Write(n[:])
		enc.Write(f)
	}
	enc.Write([]byte{0xff, 0xff})
	b.Run("load/raw", func(b *testing.B) {
		for range b.N {
			_, err := raw.Exec(ctx, "truncate raw")
			fail(err)
			c, err := raw.Acquire(ctx)
			fail(err)
			_, err = c.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(enc.Bytes()), "copy raw (id, fields) from stdin (format binary)")
			fail(err)
			c.Release()
		}
	})
	b.Run("load/store", func(b *testing.B) {
		dst := open(b, s.at("raw"))
		for range b.N {
			_, err := raw.Exec(ctx, "truncate raw")
			fail(err)
			_, err = dst.Load(ctx, stream(recs), nil)
			fail(err)
		}
	})
	b.Run("scan/raw", func(b *testing.B) {
		for range b.N {
			rows, err := raw.Query(ctx, `select id, fields, meta, rev, xmin::text from people`)
			fail(err)
			n := 0
			for rows.Next() {
				var id, xmin string
				var p person
				var meta *string
				var rev int64
				fail(rows.Scan(&id, &p, &meta, &rev, &xmin))
				n++
			}
			fail(rows.Err())
			if n != benchN {
				b.Fatal(n)
			}
		}
	})
	b.Run("scan/rawtext", func(b *testing.B) { // without the JSON
		for range b.N {
			rows, err := raw.Query(ctx, `select id, fields::text, meta, rev, xmin::text from people`)
			fail(err)
			for rows.Next() {
				var id, p, xmin string
				var meta *string
				var rev int64
				fail(rows.Scan(&id, &p, &meta, &rev, &xmin))
			}
			fail(rows.Err())
		}
	})
	b.Run("scan/store", func(b *testing.B) {
		for range b.N {
			n := 0
			for _, err := range db.Run(ctx, &dataknobs.Query{}) {
				fail(err)
				n++
			}
			if n != benchN {
				b.Fatal(n)
			}
		}
	})
	b.Run("get/raw", func(b *testing.B) {
		for i := range b.N {
			var id, xmin string
			var p person
			var meta *string
			var rev int64
			fail(raw.QueryRow(ctx, `select id, fields, meta, rev, xmin::text from people where id = $1`, recs[i*7919%benchN].ID).Scan(&id, &p, &meta, &rev, &xmin))
		}
	})
	b.Run("get/store", func(b *testing.B) {
		for i := range b.N {
			_, err := db.Get(ctx, recs[i*7919%benchN].ID)
			fail(err)
		}
	})
	b.Run("getctx/store", func(b *testing.B) {
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		for i := range b.N {
			_, err := db.Get(ctx, recs[i*7919%benchN].ID)
			fail(err)
		}
	})
	b.Run("put/raw", func(b *testing.B) {
		for i := range b.N {
			r := recs[i*7919%benchN]
			var p person
			p.Name, p.Note, p.Email, p.City = r.Get("name").Str(), r.Get("note").Str(), r.Get("email").Str(), r.Get("city").Str()
			f, err := json.Marshal(p)
			fail(err)
			var rev, xmin string
			fail(raw.QueryRow(ctx, `insert into people as t (id, fields) values ($1, $2) on conflict (id) do update set fields = excluded.fields, rev = default returning rev::text, xmin::text`, r.ID, f).Scan(&rev, &xmin))
		}
	})
	b.Run("put/store", func(b *testing.B) {
		for i := range b.N {
			_, err := db.Put(ctx, recs[i*7919%benchN])
			fail(err)
		}
	})
	b.Run("create1000/raw", func(b *testing.B) {
		for range b.N {
			_, err := raw.Exec(ctx, "truncate raw")
			fail(err)
			batch := &pgx.Batch{}
			for _, r := range recs[:1000] {
				f, _ := sqlgen.AppendFields(nil, r.Fields)
				batch.Queue("insert into raw (id, fields) values ($1, $2)", r.ID, f)
			}
			fail(raw.SendBatch(ctx, batch).Close())
		}
	})
	b.Run("create1000/store", func(b *testing.B) {
		dst := open(b, s.at("raw"))
		for range b.N {
			_, err := raw.Exec(ctx, "truncate raw")
			fail(err)
			_, err = dst.CreateMany(ctx, recs[:1000])
			fail(err)
		}
	})
}
