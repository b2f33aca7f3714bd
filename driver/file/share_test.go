package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
)

// Readers beside a writer that folds all the time see every acknowledged
// record, each once, at every moment.
func TestReadersBesideFolds(t *testing.T) {
	for name, mode := range map[string]file.SyncMode{"s.csv": file.SyncNone, "always.csv": file.SyncAlways, "s.ndjson.gz": file.SyncNone} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			w := open(t, file.Options{Path: path, Fold: 512, Sync: mode})
			create(t, w, "first", dataknobs.F("n", 0))
			var acked atomic.Int64
			acked.Store(1)
			var done atomic.Bool
			var wg sync.WaitGroup
			for range 3 {
				r := open(t, file.Options{Path: path})
				wg.Go(func() {
					for !done.Load() {
						least := acked.Load()
						seen := map[string]bool{}
						for rec, err := range r.Query(t.Context(), "") {
							if err != nil {
								t.Errorf("read: %v", err)
								return
							}
							if seen[rec.ID] {
								t.Errorf("%s is there twice", rec.ID)
							}
							seen[rec.ID] = true
						}
						if int64(len(seen)) < least {
							t.Errorf("a reader saw %d records when %d were acknowledged", len(seen), least)
						}
						id := fmt.Sprintf("id-%d", least-2)
						if _, err := r.Get(t.Context(), id); err != nil && least > 1 {
							t.Errorf("Get(%s): %v", id, err)
						}
						if n, err := r.Count(t.Context(), nil); err != nil || n < least {
							t.Errorf("count: got %d, %v; %d were acknowledged", n, err, least)
						}
					}
				})
			}
			for i := range 300 {
				create(t, w, fmt.Sprintf("id-%d", i), dataknobs.F("n", i), dataknobs.F("text", strings.Repeat("x", i%50)))
				if _, err := w.Patch(t.Context(), "first", []dataknobs.Change{{Path: dataknobs.Names("n"), Value: dataknobs.Int(int64(i))}}); err != nil {
					t.Errorf("patch: %v", err)
				}
				acked.Add(1)
			}
			done.Store(true)
			wg.Wait()
		})
	}
}

// A conversion by columns gives what a load of records gives.
func TestConvert(t *testing.T) {
	dir := t.TempDir()
	csv := filepath.Join(dir, "a.csv")
	write(t, csv, "id,n,f,when,text,mixed\n1,5,1.5,2026-01-02T03:04:05Z,x,1\n2,,2.0,,\"\",2.5\n3,7,0.25,2026-01-02T03:04:05.5Z,\"a,b\",3\n")
	src := open(t, file.Options{Path: csv})
	to := filepath.Join(dir, "b.parquet")
	dst := open(t, file.Options{Path: to})
	n, err := file.Convert(t.Context(), src.Driver().(*file.Driver), dst.Driver().(*file.Driver), nil)
	if err != nil || n != 3 {
		t.Fatalf("convert: %d, %v", n, err)
	}
	want, err := src.All(t.Context(), &dataknobs.Query{})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, dst)
	again := open(t, file.Options{Path: to})
	got, err := again.All(t.Context(), &dataknobs.Query{})
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %d records, %v; wanted %d", len(got), err, len(want))
	}
	for i := range got {
		if got[i].ID != want[i].ID || string(got[i].Fields.AppendJSON(nil)) != string(want[i].Fields.AppendJSON(nil)) {
			t.Errorf("record %d:\n got    %s %s\n wanted %s %s", i, got[i].ID, got[i].Fields.AppendJSON(nil), want[i].ID, want[i].Fields.AppendJSON(nil))
		}
	}
	// Into a store that has records it is refused, for Load to do.
	_, err = file.Convert(t.Context(), src.Driver().(*file.Driver), again.Driver().(*file.Driver), nil)
	wantCode(t, err, dataknobs.Unsupported)
	if got, want := files(t, dir), "a.csv b.parquet"; !strings.HasPrefix(got, want) {
		t.Errorf("the folder holds %q, wanted %q", got, want)
	}
}

// Standard input is read once, whatever is asked of it.
func TestStandardStreams(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in")
	write(t, in, gzipped(t, "id,n\na,1\nb,2\n"))
	f, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out strings.Builder
	file.SetStreams(t, f, &out)
	db := open(t, file.Options{Path: "-", Format: "csv"})
	wantAll(t, db, "order by n desc", `{"id":"b","n":2}`, `{"id":"a","n":1}`)
	wantAll(t, db, "select sum(n)", `{"sum(n)":3}`)
	if _, err := db.Get(t.Context(), "b"); err != nil {
		t.Error(err)
	}
	to := open(t, file.Options{Path: "-", Format: "ndjson"})
	if _, err := to.Load(t.Context(), db.Query(t.Context(), ""), nil); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\",\"n\":2}\n"; got != want {
		t.Errorf("standard output got %q, wanted %q", got, want)
	}
	_, err = file.New(t.Context(), file.Options{Path: "-"})
	wantCode(t, err, dataknobs.InvalidArgument, "format=")
}
