// Command quickstart asks a CSV file three questions. Run it at the root of the
// repository:
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"fmt"
	"log"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/file"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	// The file is read where it lies: there is nothing to declare or import.
	db, err := dataknobs.Open(ctx, "examples/data/flights.csv?nulls=NA", nil)
	if err != nil {
		return err
	}
	defer db.Close()

	// A query is a text with parameters. Leaving the loop stops the work.
	fmt.Println("American flights more than three hours late:")
	for rec, err := range db.Query(ctx, "carrier = ? and dep_delay > ? order by dep_delay desc limit 3", "AA", 180) {
		if err != nil {
			return err
		}
		fmt.Printf("  AA%-5s to %s  %4d minutes\n", rec.Get("flight"), rec.Get("dest").Str(), rec.Get("dep_delay").Int())
	}

	// The same made of Go calls, for programs that put conditions together.
	q := dataknobs.Select("day", "count(*)", "avg(dep_delay)").GroupBy("day").Query()
	fmt.Println("The two days:")
	for rec, err := range db.Run(ctx, q) {
		if err != nil {
			return err
		}
		fmt.Printf("  %s March: %d flights, %.0f minutes late on average\n",
			rec.Get("day"), rec.Get("count(*)").Int(), rec.Get("avg(dep_delay)").Float())
	}

	// How many never left?
	n, err := db.Count(ctx, dataknobs.P("dep_time").IsNull())
	if err != nil {
		return err
	}
	fmt.Printf("Cancelled: %d\n", n)
	return nil
}
