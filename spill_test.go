package dataknobs_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
)

func randomRecords(n int) []*dataknobs.Record {
	rnd := rand.New(rand.NewPCG(1, 2))
	recs := make([]*dataknobs.Record, n)
	for i := range recs {
		r := dataknobs.NewRecord(fmt.Sprintf("r%d", i), dataknobs.F("n", rnd.IntN(50)), dataknobs.F("s", strings.Repeat("x", rnd.IntN(30))))
		if i%7 == 0 {
			r.Set("n", dataknobs.Null())
		}
		r.Revision = "rev"
		r.SetPosition(uint64(i))
		recs[i] = r
	}
	return recs
}

var byN = dataknobs.NewOrdering([]dataknobs.Order{{Path: dataknobs.Names("n"), Desc: true}, {Path: dataknobs.Names("s")}})

func addAll(t *testing.T, s *dataknobs.Sorter, recs []*dataknobs.Record) {
	t.Helper()
	for _, r := range recs {
		if err := s.Add(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSorter sorts in memory, with some runs on disk, and with more runs than
// are merged at once.
func TestSorter(t *testing.T) {
	recs := randomRecords(5000)
	want := slices.Clone(recs)
	slices.SortFunc(want, func(a, b *dataknobs.Record) int { return byN.Compare(byN.KeysOf(a), a.ID, byN.KeysOf(b), b.ID) })
	for _, tt := range []struct {
		name  string
		bytes int64
	}{{"in memory", 0}, {"a few runs", 400 << 10}, {"several passes", 4 << 10}, {"a run for each", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			s := dataknobs.NewSorter(byN)
			s.MaxBytes, s.Dir = tt.bytes, dir
			addAll(t, s, recs)
			i := 0
			for r, err := range s.All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if w := want[i]; !r.Identical(w) || r.Revision != w.Revision || r.Position() != w.Position() {
					t.Fatalf("place %d: got %v, wanted %v", i, r, w)
				}
				i++
			}
			if i != len(want) {
				t.Errorf("got %d records, wanted %d", i, len(want))
			}
			checkEmptyDir(t, dir)
		})
	}
}

func checkEmptyDir(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was left behind", e.Name())
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the system does not list open files")
	}
	return len(entries)
}

func TestSorterFreesFiles(t *testing.T) {
	recs := randomRecords(1000)
	start := func() *dataknobs.Sorter {
		s := dataknobs.NewSorter(byN)
		s.MaxBytes, s.Dir = 1<<10, t.TempDir()
		addAll(t, s, recs)
		return s
	}
	before := openFiles(t)
	for range start().All(t.Context()) {
		break
	}
	start().Close()
	cancelled, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range start().All(cancelled) {
		if n++; n == 10 {
			cancel()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got the error %v, wanted that of the context", err)
		}
	}
	if n == len(recs) {
		t.Error("the cancelled sort yielded everything")
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d files were open before, %d are after", before, after)
	}
}

func TestSorterCannotWrite(t *testing.T) {
	s := dataknobs.NewSorter(byN)
	s.MaxBytes, s.Dir = 1, t.TempDir()+"/missing"
	err := s.Add(t.Context(), dataknobs.NewRecord("1"))
	wantCode(t, err, dataknobs.ResourceExhausted)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error %v does not wrap its cause", err)
	}
	s.Close()
}

// TestSorterKeepsTies checks that records that compare equal (their IDs were
// left out) stay in the order in which they came, on disk too.
func TestSorterKeepsTies(t *testing.T) {
	for _, bytes := range []int64{0, 1, 2 << 10} {
		s := dataknobs.NewSorter(dataknobs.NewOrdering([]dataknobs.Order{{Path: dataknobs.Names("n")}}))
		s.MaxBytes, s.Dir = bytes, t.TempDir()
		for i := range 500 {
			r := dataknobs.NewRecord("", dataknobs.F("n", i%2))
			r.SetPosition(uint64(i))
			addAll(t, s, []*dataknobs.Record{r})
		}
		last := [2]uint64{}
		for r, err := range s.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if n := r.Get("n").Int(); r.Position() < last[n] {
				t.Fatalf("with %d bytes: position %d came after %d", bytes, r.Position(), last[n])
			} else {
				last[n] = r.Position()
			}
		}
	}
}

func BenchmarkSorter(b *testing.B) {
	recs := randomRecords(20_000)
	for _, bytes := range []int64{0, 1 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", bytes), func(b *testing.B) {
			for b.Loop() {
				s := dataknobs.NewSorter(byN)
				s.MaxBytes = bytes
				for _, r := range recs {
					if err := s.Add(b.Context(), r); err != nil {
						b.Fatal(err)
					}
				}
				for _, err := range s.All(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(recs)), "ns/record")
		})
	}
}

func BenchmarkTopK(b *testing.B) {
	recs := randomRecords(10_000)
	keys := make([][]dataknobs.Value, len(recs))
	for i, r := range recs {
		keys[i] = byN.KeysOf(r)
	}
	for b.Loop() {
		top := dataknobs.NewTopK[int](byN, 10)
		for i, k := range keys {
			if top.Admits(k, recs[i].ID) {
				top.Push(k, recs[i].ID, i)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(recs)), "ns/record")
}
