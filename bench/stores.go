package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/driver/memory"
)

// memory measures the memory store in this process.
func (b *bench) memory() error {
	n := 1_000_000
	if b.quick {
		n = 100_000
	}
	s := section{title: "Memory store", note: fmt.Sprintf("In one process, one goroutine, %s records of five fields, batches of 1,000.", thousands(n))}
	small := dataknobs.New(memory.New(memory.Options{}), nil)
	defer small.Close()
	if _, err := fill(b.ctx, small, 10_000); err != nil {
		return err
	}
	hot, err := gets(b.ctx, small, 10_000)
	if err != nil {
		return err
	}
	var creates []float64
	var plain *dataknobs.DB
	for range b.rounds(3) {
		if plain != nil {
			plain.Close()
		}
		runtime.GC() // the store before is gone
		plain = dataknobs.New(memory.New(memory.Options{}), nil)
		each, err := fill(b.ctx, plain, n)
		if err != nil {
			return err
		}
		creates = append(creates, each)
	}
	cold, err := gets(b.ctx, plain, n)
	if err != nil {
		return err
	}
	plain.Close()
	coldRow := rate("get by ID, all over "+thousands(n), measured([]float64{cold}, 1), 0)
	coldRow.target = "" // the latency of memory bounds it
	s.rows = append(s.rows, rate("create, in batches", measured(creates, 1), 1e6), rate("get by ID, of 10,000", measured([]float64{hot}, 1), 3e6), coldRow)

	db := dataknobs.New(memory.New(memory.Options{Index: []dataknobs.Path{dataknobs.P("serial")}}), nil)
	defer db.Close()
	if _, err := fill(b.ctx, db, n); err != nil {
		return err
	}
	const lookups = 20_000
	start := time.Now()
	for i := range lookups {
		found, err := db.All(b.ctx, dataknobs.Where(dataknobs.P("serial").Eq((i*7919)%n)).Query())
		if err != nil || len(found) != 1 {
			return fmt.Errorf("indexed look-up found %d records: %w", len(found), err)
		}
	}
	each := time.Since(start).Seconds() / lookups
	s.rows = append(s.rows, row{op: "indexed =, among " + thousands(n), ours: figure{seconds: each}, target: "< 20 µs", met: each < 20e-6})
	b.add(s)
	return nil
}

// gets returns the seconds of one Get, in an order that no cache foresees.
func gets(ctx context.Context, db *dataknobs.DB, n int) (float64, error) {
	const count = 2_000_000
	start := time.Now()
	for i := range count {
		if _, err := db.Get(ctx, ids[(i*7919)%n]); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds() / count, nil
}

var ids []string

// fill creates n records in batches and returns the seconds for each.
func fill(ctx context.Context, db *dataknobs.DB, n int) (float64, error) {
	for i := len(ids); i < n; i++ {
		ids = append(ids, "r"+strconv.Itoa(i))
	}
	const batch = 1000
	var total time.Duration
	recs := make([]*dataknobs.Record, batch)
	for from := 0; from < n; from += batch {
		for i := range recs {
			recs[i] = sample(ids[from+i], from+i)
		}
		start := time.Now()
		if _, err := db.CreateMany(ctx, recs); err != nil {
			return 0, err
		}
		total += time.Since(start)
	}
	return total.Seconds() / float64(n), nil
}

func sample(id string, i int) *dataknobs.Record {
	return dataknobs.NewRecord(id,
		dataknobs.Field{Name: "serial", Value: dataknobs.Int(int64(i))},
		dataknobs.Field{Name: "name", Value: dataknobs.String(id)},
		dataknobs.Field{Name: "score", Value: dataknobs.Float(float64(i) / 7)},
		dataknobs.Field{Name: "active", Value: dataknobs.Bool(i%3 == 0)},
		dataknobs.Field{Name: "city", Value: dataknobs.String("Lisbon")},
	)
}

func rate(op string, f figure, target float64) row {
	f.text = fmt.Sprintf("%.2f million/s", 1e-6/f.seconds)
	return row{op: op, ours: f, target: fmt.Sprintf("≥ %g million/s", target/1e6), met: 1/f.seconds >= target}
}

// durable measures acknowledged single creates against one fsync for each write.
func (b *bench) durable() error {
	const writers, each = 32, 400
	dir, err := os.MkdirTemp(b.work, "durable")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var ours, raw []float64
	for i := range b.rounds(3) {
		r, err := rawWrites(filepath.Join(dir, fmt.Sprintf("raw%d", i)), 500)
		if err != nil {
			return err
		}
		o, err := b.creates(filepath.Join(dir, fmt.Sprintf("store%d.ndjson", i)), writers, each)
		if err != nil {
			return err
		}
		raw, ours = append(raw, r), append(ours, o)
	}
	o, r := measured(ours, 1), measured(raw, 1)
	b.add(section{title: "File store: durable single creates", note: "sync=always, 32 writers, against a loop of write and fsync on the same disk.",
		rows: []row{{op: "create, acknowledged durable", ours: o, peer: r, peerName: "write + fsync",
			target: "≥ 20 × the rate", met: r.seconds >= 20*o.seconds}}})
	return nil
}

// rawWrites returns the seconds of one append and fsync.
func rawWrites(path string, n int) (float64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	line := make([]byte, 120)
	start := time.Now()
	for range n {
		if _, err := f.Write(line); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds() / float64(n), nil
}

func (b *bench) creates(path string, writers, each int) (float64, error) {
	d, err := file.New(b.ctx, file.Options{Path: path})
	if err != nil {
		return 0, err
	}
	db := dataknobs.New(d, nil)
	defer db.Close()
	errs := make(chan error, writers)
	var wg sync.WaitGroup
	start := time.Now()
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := db.Create(b.ctx, sample(fmt.Sprintf("w%d-%d", w, i), i)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start).Seconds() / float64(writers*each)
	close(errs)
	return took, <-errs
}
