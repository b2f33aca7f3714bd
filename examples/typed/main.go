// Command typed keeps structs in a JSON file: it creates, changes and asks, and
// shows what happens when two writers meet. Run it anywhere:
//
//	go run ./examples/typed
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
)

// A Book is one record. Its ISBN is the record's ID.
type Book struct {
	ISBN     string    `dk:"_id"`
	Revision string    `dk:"_rev"`
	Title    string    `dk:"title"`
	Authors  []string  `dk:"authors"`
	Printed  time.Time `dk:"printed"`
	Copies   int       `dk:"copies"`
}

func main() {
	dir, err := os.MkdirTemp("", "books-")
	if err != nil {
		log.Fatal(err)
	}
	err = run(context.Background(), filepath.Join(dir, "books.json"))
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, path string) (err error) {
	driver, err := file.New(ctx, file.Options{Path: path})
	if err != nil {
		return err
	}
	db := dataknobs.New(driver, nil)
	defer func() { err = errors.Join(err, db.Close()) }()
	books, err := dataknobs.NewCollection[Book](db)
	if err != nil {
		return err
	}

	// When CreateMany returns, both books would survive a crash.
	_, err = books.CreateMany(ctx, []Book{
		{ISBN: "978-0134190440", Title: "The Go Programming Language", Authors: []string{"Donovan", "Kernighan"}, Printed: day(2015, 10, 26), Copies: 2},
		{ISBN: "978-0131103627", Title: "The C Programming Language", Authors: []string{"Kernighan", "Ritchie"}, Printed: day(1988, 4, 1), Copies: 1},
	})
	if err != nil {
		return err
	}

	// A time stays a time, though JSON has none.
	for b, err := range books.Query(ctx, "authors contains 'Kernighan' and printed < time '2000-01-01' order by title") {
		if err != nil {
			return err
		}
		fmt.Printf("%s, %d\n", b.Title, b.Printed.Year())
	}

	// Two people read the same book; the second to write is told.
	mine, err := books.Get(ctx, "978-0134190440")
	if err != nil {
		return err
	}
	yours := mine
	mine.Copies--
	if _, err = books.Put(ctx, mine, dataknobs.IfRevision(mine.Revision)); err != nil {
		return err
	}
	yours.Copies--
	_, err = books.Put(ctx, yours, dataknobs.IfRevision(yours.Revision))
	fmt.Println("second writer:", errors.Is(err, dataknobs.Conflict))

	_, err = books.Get(ctx, "978-0000000000")
	fmt.Println("unknown book:", errors.Is(err, dataknobs.NotFound))
	return nil
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}
