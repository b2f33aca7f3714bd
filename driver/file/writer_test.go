package file_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
)

// Writers that give up at any moment leave the others in peace: each write
// either happened and was acknowledged, or did not happen.
func TestWritersThatGiveUp(t *testing.T) {
	db := open(t, file.Options{Path: filepath.Join(t.TempDir(), "s.ndjson"), Fold: 4 << 10})
	var mu sync.Mutex
	want := map[string]bool{} // guarded by mu
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for k := range 100 {
				id := fmt.Sprintf("%d-%d", g, k)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(400))*time.Microsecond)
				if k%2 == 0 {
					cancel()
					ctx, cancel = context.WithCancel(t.Context())
				}
				_, err := db.Create(ctx, dataknobs.NewRecord(id, dataknobs.F("n", k)))
				cancel()
				if err != nil && (!dataknobs.IsContext(err) || k%2 == 0) {
					t.Errorf("create %s: %v", id, err)
				}
				mu.Lock()
				want[id] = err == nil
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got := map[string]bool{}
	for rec, err := range db.Query(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got[rec.ID] = true
	}
	for id, acknowledged := range want {
		if got[id] != acknowledged {
			t.Errorf("%s: acknowledged %v, there %v", id, acknowledged, got[id])
		}
	}
}

// Of writers that race for one ID one wins.
func TestOneCreateWins(t *testing.T) {
	db := open(t, file.Options{Path: filepath.Join(t.TempDir(), "s.ndjson")})
	for round := range 20 {
		id := fmt.Sprintf("r%d", round)
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for g := range errs {
			wg.Go(func() {
				_, errs[g] = db.Create(t.Context(), dataknobs.NewRecord(id, dataknobs.F("n", g)))
			})
		}
		wg.Wait()
		rec, err := db.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for g, err := range errs {
			switch won := rec.Get("n").Int() == int64(g); {
			case won && err != nil:
				t.Errorf("round %d: writer %d won, and got %v", round, g, err)
			case !won:
				wantCode(t, err, dataknobs.AlreadyExists)
			}
		}
	}
}
