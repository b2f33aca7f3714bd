package s3_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"dataknobs.dev/dataknobs"
)

// Over several pages of keys whose order is not quite that of the IDs, scans
// yield every record once, and ordered ones by ID.
func TestOrderOverPages(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, nil)
		n := 2300
		if p.Name == "localstack" {
			n = 1200
		}
		rng := rand.New(rand.NewPCG(1, 2))
		var recs []*dataknobs.Record
		var ids []string
		seen := map[string]bool{}
		for len(ids) < n {
			id := []string{"a", "b", "a-b", "a.b", "a b"}[rng.IntN(5)]
			for range rng.IntN(4) {
				id += []string{"-", ".", " ", "/", "-x", "0", "z"}[rng.IntN(7)] + fmt.Sprint(rng.IntN(30))
			}
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
				recs = append(recs, rec(id, "n", len(ids)))
			}
		}
		s.create(t, recs...)
		slices.Sort(ids)
		h := p.again(t, s.o)
		for range 2 { // page by page, and then in pieces
			if got := h.ids(t, "select _id order by _id"); !slices.Equal(got, ids) {
				t.Fatalf("in order there are %d IDs, the first that differs at %d", len(got), differs(got, ids))
			}
			got := h.ids(t, "select _id")
			if slices.Sort(got); !slices.Equal(got, ids) {
				t.Fatalf("there are %d IDs, wanted %d", len(got), len(ids))
			}
		}
		for range 30 {
			lo, hi := ids[rng.IntN(n)], ids[rng.IntN(n)]
			var want []string
			for _, id := range ids {
				if id >= lo && id < hi {
					want = append(want, id)
				}
			}
			var got []string
			for r, err := range h.Query(t.Context(), "select _id where _id >= ? and _id < ?", lo, hi) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r.ID)
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("from %q to %q there are %d IDs, wanted %d", lo, hi, len(got), len(want))
			}
		}
		var got []string
		q := dataknobs.MustParse("select _id limit 370")
		for {
			page, err := h.Page(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				got = append(got, r.ID)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, ids) {
			t.Errorf("by pages there are %d IDs, the first that differs at %d", len(got), differs(got, ids))
		}
	})
}

func differs(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
