// Command convert turns a part of a CSV file into Parquet and proves that both
// answer alike. Run it at the root of the repository:
//
//	go run ./examples/convert
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/file"
)

func main() {
	dir, err := os.MkdirTemp("", "convert-")
	if err != nil {
		log.Fatal(err)
	}
	err = run(context.Background(), filepath.Join(dir, "jfk.parquet"))
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, to string) error {
	src, err := dataknobs.Open(ctx, "examples/data/flights.csv", &dataknobs.Options{
		Params:   map[string]string{"nulls": "NA"},
		ReadOnly: true,
	})
	if err != nil {
		return err
	}
	defer src.Close()

	where := dataknobs.P("origin").Eq("JFK")
	if err := copyWhere(ctx, src, to, where); err != nil {
		return err
	}

	dst, err := dataknobs.Open(ctx, to, nil)
	if err != nil {
		return err
	}
	defer dst.Close()
	a, err := latest(ctx, src, where)
	if err != nil {
		return err
	}
	b, err := latest(ctx, dst, nil)
	if err != nil {
		return err
	}
	fmt.Printf("CSV:     %s\nParquet: %s\n", a, b)
	return nil
}

// copyWhere loads the records that satisfy a condition into a new store. The
// stream is never held in memory, and the file appears whole or not at all.
func copyWhere(ctx context.Context, src *dataknobs.DB, to string, where dataknobs.Expr) (err error) {
	dst, err := dataknobs.Open(ctx, to, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	res, err := dst.Load(ctx, withoutIDs(ctx, src, where), nil)
	if err != nil {
		return err
	}
	fmt.Printf("copied %d of the flights\n", res.Written)
	return nil
}

// withoutIDs reads the records that satisfy a condition. The IDs of a CSV file
// without a key are row numbers, which mean nothing elsewhere.
func withoutIDs(ctx context.Context, src *dataknobs.DB, where dataknobs.Expr) func(func(*dataknobs.Record, error) bool) {
	return func(yield func(*dataknobs.Record, error) bool) {
		for rec, err := range src.Run(ctx, &dataknobs.Query{Where: where}) {
			if err == nil {
				rec.ID = ""
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// latest describes the flight that left latest after its time.
func latest(ctx context.Context, db *dataknobs.DB, where dataknobs.Expr) (string, error) {
	rec, err := db.First(ctx, dataknobs.Where(where).OrderBy("dep_delay DESC").Query())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%d to %s, %d minutes late", rec.Get("carrier").Str(), rec.Get("flight").Int(),
		rec.Get("dest").Str(), rec.Get("dep_delay").Int()), nil
}
