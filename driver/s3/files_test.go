package s3_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/internal/servers"
)

// fileQueries are asked of the same files on disk and in a bucket.
var fileQueries = []string{
	"", "order by n desc, name limit 7", "n between 100 and 120 order by n", "name = 'name 7'", "name like '%9%' and n > 10 order by _id limit 20",
	"select name, n where ratio > 50.5 order by n limit 9 offset 3", "select count(*), sum(n), avg(ratio), max(name)", "select count(*) group by flag",
	"select name, count(*), min(when) group by name order by name", "_id = '7'", "select count(*) where note is null", "order by _id limit 5", "limit 12",
}

func sampleRecords(from, n int) []*dataknobs.Record {
	recs := make([]*dataknobs.Record, n)
	for i := range recs {
		k := from + i
		recs[i] = rec("", "n", k, "name", fmt.Sprint("name ", k%10), "ratio", float64(k)/7, "flag", k%3 == 0, "when", fmt.Sprintf("2026-01-%02dT00:00:00Z", k%28+1), "note", nil)
		if k%4 == 0 {
			recs[i].Set("note", dataknobs.String("a note"))
		}
	}
	return recs
}

// makeFile writes records as a file of that name.
func makeFile(t *testing.T, path string, recs []*dataknobs.Record) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	db, err := dataknobs.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	seq := func(yield func(*dataknobs.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
	if _, err := db.Load(t.Context(), seq, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// uploadAll uploads what is below dir under the store's prefix.
func (s *store) uploadAll(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		s.upload(t, s.o.Prefix+filepath.ToSlash(rel), string(body))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *store) url(endpoint, path, options string) string {
	return fmt.Sprintf("s3://%s/%s%s?endpoint=%s&access_key=%s&secret_key=%s&region=us-east-1%s", s.o.Bucket, s.o.Prefix, path, endpoint, s.p.Key, s.p.Secret, options)
}

// Files in a bucket give the answers that they give on disk.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"one.csv", "one.json", "one.ndjson", "one.parquet", "one.csv.gz", "one.ndjson.zst"} {
		makeFile(t, filepath.Join(dir, name), sampleRecords(0, 2000))
	}
	for i := range 5 {
		makeFile(t, filepath.Join(dir, "logs", fmt.Sprintf("part-%d.csv.gz", i)), sampleRecords(i*300, 300))
		makeFile(t, filepath.Join(dir, "hive", "year=2026", fmt.Sprintf("month=%d", i), "x.parquet"), sampleRecords(i*300, 300))
	}
	makeFile(t, filepath.Join(dir, "logs", "deep", "part-9.csv.gz"), sampleRecords(5000, 10))
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, nil)
		s.uploadAll(t, dir)
		for _, c := range []struct{ path, options string }{
			{"one.csv", ""}, {"one.csv", "&key=n"}, {"one.json", ""}, {"one.ndjson", ""}, {"one.parquet", ""}, {"one.csv.gz", ""}, {"one.ndjson.zst", ""},
			{"one.csv", "&types=n:string&nulls=name 1"}, {"logs/*.csv.gz", ""}, {"logs/**/*.csv.gz", ""}, {"logs/part-[12].csv.gz", ""}, {"hive/", "&layout=files"}, {"hive/**/*.parquet", "&hive=false"},
		} {
			t.Run(c.path+c.options, func(t *testing.T) {
				params := map[string]string{}
				for _, o := range strings.Split(strings.TrimPrefix(c.options, "&"), "&") {
					if name, value, ok := strings.Cut(o, "="); ok && name != "layout" {
						params[name] = value
					}
				}
				onDisk, err := dataknobs.Open(t.Context(), filepath.Join(dir, c.path), &dataknobs.Options{Params: params})
				if err != nil {
					t.Fatal(err)
				}
				defer onDisk.Close()
				inBucket, err := dataknobs.Open(t.Context(), s.url(p.Endpoint, c.path, c.options), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer inBucket.Close()
				for _, q := range fileQueries {
					sameAnswers(t, onDisk, inBucket, q)
				}
				if _, err := inBucket.Create(t.Context(), rec("", "n", 1)); dataknobs.CodeOf(err) != dataknobs.PermissionDenied && dataknobs.CodeOf(err) != dataknobs.Unsupported {
					t.Errorf("a write came to %v", err)
				}
			})
		}
	})
}

func sameAnswers(t *testing.T, want, got *dataknobs.DB, query string) {
	t.Helper()
	w, werr := want.All(t.Context(), dataknobs.MustParse(query))
	g, gerr := got.All(t.Context(), dataknobs.MustParse(query))
	if dataknobs.CodeOf(werr) != dataknobs.CodeOf(gerr) || len(w) != len(g) {
		t.Errorf("%q: on disk %d records (%v), in the bucket %d (%v)", query, len(w), werr, len(g), gerr)
		return
	}
	byID := map[string]*dataknobs.Record{}
	for _, r := range g {
		byID[r.ID] = r
	}
	for i, r := range w {
		x := g[i]
		if !strings.Contains(query, "order") && r.ID != "" {
			x = byID[r.ID] // in any order
		}
		if x == nil || !x.Identical(r) {
			t.Errorf("%q, record %d: on disk %v, in the bucket %v", query, i, r, x)
			return
		}
	}
}

// Of a Parquet file only what a query needs is read.
func TestParquetReadsWhatItNeeds(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	dir := t.TempDir()
	var recs []*dataknobs.Record
	for i := range 60_000 {
		recs = append(recs, rec("", "n", i, "wide", strings.Repeat(fmt.Sprint(i*7919%100_003, " "), 20)))
	}
	makeFile(t, filepath.Join(dir, "big.parquet"), recs)
	s := p.open(t, nil)
	s.uploadAll(t, dir)
	x := newProxy(t, p)
	var sent atomic.Int64
	x.set(nil, func(r *http.Response) error {
		sent.Add(max(r.ContentLength, 0))
		return nil
	})
	db, err := dataknobs.Open(t.Context(), s.url(x.URL, "big.parquet", ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := db.First(t.Context(), dataknobs.MustParse("select sum(n)"))
	if err != nil || r.Fields[0].Value.Int() != 60_000*59_999/2 {
		t.Fatalf("sum: %v, %v", r, err)
	}
	info, err := os.Stat(filepath.Join(dir, "big.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d bytes, %d requests", sent.Load(), info.Size(), x.requests.Load())
	if sent.Load() > info.Size()/2 {
		t.Errorf("a sum of one column read %d of %d bytes", sent.Load(), info.Size())
	}
}

// A stream that breaks goes on; a file that is replaced is not read on.
func TestFilesBreak(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	s := p.open(t, nil)
	var text strings.Builder
	text.WriteString("n,name\n")
	for i := range 50_000 {
		fmt.Fprintf(&text, "%d,name %d\n", i, i)
	}
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, text.String())
	z.Close()
	s.upload(t, s.o.Prefix+"x.csv", text.String())
	s.upload(t, s.o.Prefix+"x.csv.gz", packed.String())
	x := newProxy(t, p)
	n := 0
	x.set(nil, func(r *http.Response) error {
		if n++; r.Request.Method == http.MethodGet && n%2 == 0 && r.ContentLength > 1000 && r.StatusCode < 300 {
			r.Body = io.NopCloser(io.LimitReader(r.Body, r.ContentLength/2))
		}
		return nil
	})
	for _, name := range []string{"x.csv", "x.csv.gz"} {
		db, err := dataknobs.Open(t.Context(), s.url(x.URL, name, "&key=n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if c, err := db.Count(t.Context(), nil); err != nil || c != 50_000 {
			t.Errorf("%s: %d records, %v", name, c, err)
		}
	}
	x.set(nil, nil)
	db, err := dataknobs.Open(t.Context(), s.url(x.URL, "x.csv", ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s.upload(t, s.o.Prefix+"x.csv", strings.Repeat("other\n", 200_000))
	wantCode(t, second(db.All(t.Context(), nil)), dataknobs.Unavailable, "a scan of a file that was replaced")
	_, err = dataknobs.Open(t.Context(), s.url(x.URL, "none*.csv", ""), nil)
	wantCode(t, err, dataknobs.NotFound, "a pattern that nothing matches")
	_, err = dataknobs.Open(t.Context(), s.url(x.URL, "none.csv", ""), nil)
	wantCode(t, err, dataknobs.NotFound, "a file that is not there")
}

func TestLayouts(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	s := p.open(t, nil)
	for layout, want := range map[string]dataknobs.Code{"objects": 0, "segments": dataknobs.Unsupported, "heap": dataknobs.InvalidArgument} {
		db, err := dataknobs.Open(t.Context(), s.url(p.Endpoint, "p", "&layout="+layout), nil)
		wantCode(t, err, want, "layout="+layout)
		if err == nil {
			db.Close()
		}
	}
}

var _ file.Options // the store over files reads the objects

// An option about files makes a place one of files; where it holds records, the
// error says so.
func TestFileOptionOnRecords(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	s := p.open(t, nil)
	s.create(t, rec("x", "a", 1))
	url := fmt.Sprintf("s3://%s/%s?endpoint=%s&access_key=%s&secret_key=%s&region=us-east-1&nulls=NA", p.bucket, strings.TrimSuffix(s.o.Prefix, "/"), p.Endpoint, p.Key, p.Secret)
	_, err := dataknobs.Open(t.Context(), url, nil)
	wantCode(t, err, dataknobs.NotFound, "open with nulls=NA")
	if err == nil || !strings.Contains(err.Error(), "the option nulls is about files") {
		t.Errorf("the error is %v", err)
	}
}
