package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/sqlite"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	db, err := dataknobs.Open(ctx, "sqlite:"+filepath.ToSlash(filepath.Join(dir, "app.db"))+"?table=people&index=age", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for i, name := range []string{"Ada", "Grace", "Katherine"} {
		if _, err := db.Create(ctx, dataknobs.NewRecord(name, dataknobs.F("age", 36+20*i))); err != nil {
			log.Fatal(err)
		}
	}
	for r, err := range db.Query(ctx, "where age > ? order by age desc", 40) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.ID, r.Get("age"))
	}
	// Output:
	// Katherine 76
	// Grace 56
}
