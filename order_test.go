package dataknobs_test

import (
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"pgregory.net/rapid"
)

var genOrders = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) dataknobs.Order {
	return dataknobs.Order{
		Path:  genPath.Draw(t, "path"),
		Desc:  rapid.Bool().Draw(t, "desc"),
		Nulls: rapid.SampledFrom([]dataknobs.Nulls{dataknobs.NullsLast, dataknobs.NullsFirst}).Draw(t, "nulls"),
	}
}), 0, 3)

func TestOrdering(t *testing.T) {
	rec := func(id string, x any) *dataknobs.Record { return dataknobs.NewRecord(id, dataknobs.F("x", x)) }
	recs := []*dataknobs.Record{
		rec("n2", nil), dataknobs.NewRecord("n1"), rec("o", dataknobs.Fields{dataknobs.F("a", 1)}), rec("a", []int{1}),
		rec("y", []byte("a")), rec("s2", "b"), rec("s1", "a"), rec("t", sampleTime), rec("i2", 2), rec("f2", 2.0), rec("i0", 0), rec("b", true),
	}
	x := dataknobs.Names("x")
	tests := []struct {
		name string
		by   []dataknobs.Order
		want string
	}{
		{"ascending", []dataknobs.Order{{Path: x}}, "b i0 f2 i2 t s1 s2 y a o n1 n2"},
		{"descending", []dataknobs.Order{{Path: x, Desc: true}}, "o a y s2 s1 t f2 i2 i0 b n1 n2"},
		{"nulls first", []dataknobs.Order{{Path: x, Nulls: dataknobs.NullsFirst}}, "n1 n2 b i0 f2 i2 t s1 s2 y a o"},
		{"descending, nulls first", []dataknobs.Order{{Path: x, Desc: true, Nulls: dataknobs.NullsFirst}}, "n1 n2 o a y s2 s1 t f2 i2 i0 b"},
		{"by nothing", nil, "a b f2 i0 i2 n1 n2 o s1 s2 t y"},
		{"by _id descending", []dataknobs.Order{{Path: dataknobs.PathID, Desc: true}}, "y t s2 s1 o n2 n1 i2 i0 f2 b a"},
		{"descending, then _id descending", []dataknobs.Order{{Path: x, Desc: true}, {Path: dataknobs.PathID, Desc: true}}, "o a y s2 s1 t i2 f2 i0 b n2 n1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := dataknobs.NewOrdering(tt.by)
			sorted := slices.Clone(recs)
			slices.SortFunc(sorted, func(a, b *dataknobs.Record) int { return o.Compare(o.KeysOf(a), a.ID, o.KeysOf(b), b.ID) })
			if got := idsOf(sorted); got != tt.want {
				t.Errorf("got  %s\nwanted %s", got, tt.want)
			}
		})
	}
}

func idsOf(recs []*dataknobs.Record) string {
	ids := make([]string, len(recs))
	for i, r := range recs {
		ids[i] = r.ID
	}
	return strings.Join(ids, " ")
}

func TestOrderingIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := dataknobs.NewOrdering(genOrders.Draw(t, "order"))
		a, b, c := genRecord.Draw(t, "a"), genRecord.Draw(t, "b"), genRecord.Draw(t, "c")
		cmp := func(x, y *dataknobs.Record) int { return o.Compare(o.KeysOf(x), x.ID, o.KeysOf(y), y.ID) }
		if cmp(a, b) != -cmp(b, a) {
			t.Fatalf("a:b is %d, but b:a is %d", cmp(a, b), cmp(b, a))
		}
		if cmp(a, b) == 0 && a.ID != b.ID {
			t.Fatalf("records of the IDs %q and %q come equal", a.ID, b.ID)
		}
		if cmp(a, b) <= 0 && cmp(b, c) <= 0 && cmp(a, c) > 0 {
			t.Fatal("a <= b and b <= c, but a > c")
		}
		after := o.After(o.KeysOf(b), b.ID, &dataknobs.Seek{Keys: o.KeysOf(a), ID: a.ID})
		if after != (cmp(a, b) < 0) {
			t.Fatalf("b comes after the place of a: got %v, wanted %v", after, cmp(a, b) < 0)
		}
	})
}

// TestTopKAgainstSort compares the kept records with the beginning of a full
// sort, also when the work was shared between several and merged.
func TestTopKAgainstSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := dataknobs.NewOrdering(genOrders.Draw(t, "order"))
		n := rapid.IntRange(0, 8).Draw(t, "n")
		recs := rapid.SliceOfN(genRecord, 0, 30).Draw(t, "records")
		parts := make([]*dataknobs.TopK[*dataknobs.Record], rapid.IntRange(1, 3).Draw(t, "parts"))
		for i := range parts {
			parts[i] = dataknobs.NewTopK[*dataknobs.Record](o, n)
		}
		var keys []dataknobs.Value
		for i, r := range recs {
			r.ID = strings.Repeat("x", i%5) + string(rune('a'+i)) // unique, as in a store
			keys = o.AppendKeysOf(keys[:0], r)
			top := parts[i%len(parts)]
			if top.Admits(keys, r.ID) {
				top.Push(keys, r.ID, r)
			}
		}
		for _, p := range parts[1:] {
			parts[0].Merge(p)
		}
		slices.SortFunc(recs, func(a, b *dataknobs.Record) int { return o.Compare(o.KeysOf(a), a.ID, o.KeysOf(b), b.ID) })
		want := idsOf(recs[:min(n, len(recs))])
		if got := idsOf(parts[0].Sorted()); got != want {
			t.Fatalf("got %q, wanted %q", got, want)
		}
	})
}
