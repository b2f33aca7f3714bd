package memory

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"dataknobs.dev/dataknobs"
)

// A table holds what a map would, whatever the order of puts and removals and
// however many IDs want the same cell.
func TestTable(t *testing.T) {
	for _, hashes := range []uint64{1, 5, 1 << 20} {
		t.Run(fmt.Sprintf("%d hashes", hashes), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				x, want := newTable(), map[string]*slot{}
				hash := func(id string) uint64 { return x.hash(id) % hashes * 0x9e3779b97f4a7c15 }
				for range rapid.IntRange(1, 300).Draw(t, "steps") {
					id := fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "id"))
					if s := want[id]; s != nil {
						x.remove(hash(id), s)
						delete(want, id)
						continue
					}
					s := &slot{}
					s.first.rec = &dataknobs.Record{ID: id}
					x.put(hash(id), s)
					want[id] = s
				}
				if x.n != len(want) {
					t.Errorf("the table has %d slots, wanted %d", x.n, len(want))
				}
				for i := range 61 {
					id := fmt.Sprint(i)
					if got := x.find(id, hash(id)); got != want[id] {
						t.Errorf("find(%s): got %p, wanted %p", id, got, want[id])
					}
				}
			})
		})
	}
}
