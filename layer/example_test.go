package layer_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/layer"
)

// A store that gives up what does not move, and repeats what is safe to repeat.
func Example() {
	ctx := context.Background()
	db, err := dataknobs.Open(ctx, "mem:", nil)
	if err != nil {
		log.Fatal(err)
	}
	db = layer.Over(db, func(d dataknobs.Driver) dataknobs.Driver {
		d = layer.Timeout(d, layer.TimeoutOptions{After: 10 * time.Second})
		return layer.Retry(d, layer.RetryOptions{Attempts: 5})
	}, nil)
	defer db.Close()
	if _, err := db.Create(ctx, dataknobs.NewRecord("ada", dataknobs.F("born", 1815))); err != nil {
		log.Fatal(err)
	}
	rec, err := db.Get(ctx, "ada")
	fmt.Println(rec.Get("born"), err)
	// Output: 1815 <nil>
}

// Two tenants of one store: each has records of its own under the same IDs.
func ExamplePrefix() {
	ctx := context.Background()
	shared := memory.New(memory.Options{})
	defer shared.Close()
	for _, tenant := range []string{"acme", "globex"} {
		d, err := layer.Prefix(layer.Keep(shared), layer.PrefixOptions{Tenant: tenant})
		if err != nil {
			log.Fatal(err)
		}
		db := dataknobs.New(d, nil)
		if _, err := db.Create(ctx, dataknobs.NewRecord("1", dataknobs.F("of", tenant))); err != nil {
			log.Fatal(err)
		}
		n, err := db.Count(ctx, nil)
		fmt.Println(tenant, n, err)
		db.Close()
	}
	// Output:
	// acme 1 <nil>
	// globex 1 <nil>
}
