// Package fidelity tests all stores at once: whether the same records and the
// same query have the same answer on every one of them, and what each of them
// does of a query itself, which it writes down in docs/fidelity.md.
package fidelity_test

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/drivertest"
	"dataknobs.dev/dataknobs/internal/servers"
)

// queriesPerSeed is how many queries are asked of each set of data, of every
// store.
const queriesPerSeed = 200

// seeds is from where to where the sets of data go.
var seeds = flag.String("seeds", usualSeeds, "which sets of random data are loaded into every store, 200 queries each: 1..5000 is a million queries × data")

func TestMain(m *testing.M) {
	flag.Parse()
	// Most of the time the tests wait for servers.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	servers.Main(m)
}

// The same records and the same query have the same answer on every store.
func TestAllStoresTogether(t *testing.T) {
	from, to, err := seedRange(*seeds)
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		to = min(to, from+2)
	}
	drivertest.Together(t, stores(t), drivertest.TogetherOptions{From: from, To: to, Queries: queriesPerSeed})
}

// seedRange reads FROM..TO, or one seed.
func seedRange(text string) (from, to uint64, err error) {
	first, last, found := strings.Cut(text, "..")
	if !found {
		last = first
	}
	if from, err = strconv.ParseUint(first, 10, 32); err == nil {
		to, err = strconv.ParseUint(last, 10, 32)
	}
	if err != nil || from > to {
		return 0, 0, fmt.Errorf("-seeds %s is not FROM..TO, such as 1..100", text)
	}
	return from, to, nil
}
