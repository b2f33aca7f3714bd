package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "people.csv")

	d, err := file.New(ctx, file.Options{Path: path, Key: []string{"email"}})
	if err != nil {
		panic(err)
	}
	db := dataknobs.New(d, nil)
	for _, name := range []string{"Ada", "Grace"} {
		// Each create is on disk, in the journal, when it returns.
		_, err := db.Create(ctx, dataknobs.NewRecord("", dataknobs.F("email", name+"@example.org"), dataknobs.F("name", name)))
		if err != nil {
			panic(err)
		}
	}
	if err := db.Close(); err != nil { // folds the journal into the file
		panic(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	fmt.Print(string(text))
	// Output:
	// email,name
	// Ada@example.org,Ada
	// Grace@example.org,Grace
}
