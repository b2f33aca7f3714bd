package s3_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/s3"
	"dataknobs.dev/dataknobs/internal/servers"
)

// everywhere runs a test on every server.
func everywhere(t *testing.T, f func(t *testing.T, p *place)) {
	for _, name := range []string{"minio", "versitygw", "localstack"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, placeOn(t, servers.S3Servers[name](t)))
		})
	}
}

// A store is an open store with its driver.
type store struct {
	*dataknobs.DB
	d *s3.Driver
	o s3.Options
	p *place
}

func (p *place) open(t testing.TB, change func(*s3.Options)) *store {
	t.Helper()
	o := p.options(t)
	if change != nil {
		change(&o)
	}
	return p.again(t, o)
}

func (p *place) again(t testing.TB, o s3.Options) *store {
	t.Helper()
	db := open(t, o)
	return &store{db, db.Driver().(*s3.Driver), o, p}
}

// object returns the content and metadata of a record's object as another
// program sees it; nil if there is none.
func (s *store) object(t testing.TB, key string) ([]byte, map[string]string) {
	t.Helper()
	out, err := s.p.raw.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &s.o.Bucket, Key: &key})
	var none *types.NoSuchKey
	if errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body, out.Metadata
}

func (s *store) upload(t testing.TB, key, body string) {
	t.Helper()
	if _, err := s.p.raw.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &s.o.Bucket, Key: &key, Body: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}

func (s *store) keys(t testing.TB) []string {
	t.Helper()
	out, err := s.p.raw.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &s.o.Bucket, Prefix: &s.o.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, strings.TrimPrefix(*o.Key, s.o.Prefix))
	}
	return keys
}

func (s *store) ids(t testing.TB, query string) []string {
	t.Helper()
	var ids []string
	for r, err := range s.Query(t.Context(), query) {
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

func (s *store) create(t testing.TB, recs ...*dataknobs.Record) {
	t.Helper()
	if _, err := s.CreateMany(t.Context(), recs); err != nil {
		t.Fatal(err)
	}
}

func rec(id string, pairs ...any) *dataknobs.Record {
	r := dataknobs.NewRecord(id)
	for i := 0; i < len(pairs); i += 2 {
		r.Fields = append(r.Fields, dataknobs.F(pairs[i].(string), pairs[i+1]))
	}
	return r
}

func wantCode(t testing.TB, err error, code dataknobs.Code, what string) {
	t.Helper()
	if got := dataknobs.CodeOf(err); got != code {
		t.Errorf("%s: got error %v (%v), wanted %v", what, err, got, code)
	}
}

func TestServersObeyConditions(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		put, del, parts, err := p.open(t, nil).d.Probe(t.Context())
		if err != nil || !put {
			t.Fatalf("probe: %v, %v; wanted conditional PUT", put, err)
		}
		if want := p.Name == "versitygw"; del != want {
			t.Errorf("the probe finds conditional DELETE %v, wanted %v", del, want)
		}
		t.Logf("conditional multipart: %v", parts)
	})
}

func TestObjects(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, func(o *s3.Options) { o.Tags = true })
		r := rec("UA1545", "carrier", "UA", "delay", -1, "ratio", 1.0, "when", time.Unix(0, 0), "tags", []any{"a", 1})
		r.Metadata = dataknobs.Fields{dataknobs.F("source", "ticket/desk 7"), dataknobs.F("owner", "Zoë"), dataknobs.F("batch", 12), dataknobs.F("Mixed", true)}
		s.create(t, r)
		body, meta := s.object(t, s.o.Prefix+"UA1545.json")
		var plain map[string]any
		if err := json.Unmarshal(body, &plain); err != nil || plain["carrier"] != "UA" || len(plain) != 5 {
			t.Fatalf("the object holds %q (%v)", body, err)
		}
		if meta["source"] != "ticket/desk 7" || meta["batch"] != "12" {
			t.Errorf("the object's metadata is %v", meta)
		}
		tags, err := p.raw.GetObjectTagging(t.Context(), &awss3.GetObjectTaggingInput{Bucket: &s.o.Bucket, Key: aws.String(s.o.Prefix + "UA1545.json")})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, tag := range tags.TagSet {
			got[*tag.Key] = *tag.Value
		}
		if want := map[string]string{"source": "ticket/desk 7", "batch": "12", "Mixed": "true"}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the object's tags are %v, wanted %v", got, want)
		}
		back, err := p.again(t, s.o).Get(t.Context(), "UA1545")
		if err != nil || !back.Identical(r) {
			t.Errorf("read back %v, metadata %v (%v)", back, back.Metadata, err)
		}
	})
}

func TestMetadata(t *testing.T) {
	deep := dataknobs.Int(1)
	for range dataknobs.MaxDepth - 1 {
		deep = dataknobs.Array(deep)
	}
	many := dataknobs.Fields{}
	for i := range 40 {
		many = append(many, dataknobs.F(fmt.Sprint("name", i), strings.Repeat("v", 30)))
	}
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, func(o *s3.Options) { o.Tags = true })
		for name, meta := range map[string]dataknobs.Fields{
			"kinds":          {dataknobs.F("i", 1), dataknobs.F("f", 1.0), dataknobs.F("b", false), dataknobs.F("t", time.Unix(1, 5000)), dataknobs.F("n", nil), dataknobs.F("y", []byte{0, 255})},
			"texts":          {dataknobs.F("a", ""), dataknobs.F("b", " x "), dataknobs.F("c", "two  spaces"), dataknobs.F("d", "é\n\u2028😀"), dataknobs.F("e", "=?utf-8?q?x?="), dataknobs.F("f", `"\`), dataknobs.F("g", "1"), dataknobs.F("h", "a,b=c")},
			"names":          {dataknobs.F("A", 1), dataknobs.F("a", 2), dataknobs.F("a b", 3), dataknobs.F("dataknobs", 4), dataknobs.F("dataknobs-kinds", 5), dataknobs.F("é", 6), dataknobs.F("-x", 7), dataknobs.F("content-type", "x")},
			"many":           many,
			"large":          {dataknobs.F("x", strings.Repeat("é", 5000))},
			"deep":           {dataknobs.Field{Name: "d", Value: deep}},
			"deep and large": {dataknobs.Field{Name: "d", Value: deep}, dataknobs.F("x", strings.Repeat("x", 5000))},
		} {
			r := rec(name, "a", 1)
			r.Metadata = meta
			s.create(t, r)
			got, err := p.again(t, s.o).Get(t.Context(), name)
			if err != nil || !got.Identical(r) {
				t.Errorf("%s: read back %v (%v), wanted %v", name, got, err, meta)
			}
		}
	})
}

// A text beside a path that holds times, and nothing else, is a time: a query
// finds here what it finds in a file.
func TestTimesInQueries(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	day := func(d int) time.Time { return time.Date(2026, 1, d, 12, 0, 0, 0, time.UTC) }
	s := p.open(t, nil)
	var recs []*dataknobs.Record
	for i := range 20 {
		r := rec(fmt.Sprintf("k%02d", i), "at", day(i+1), "mixed", day(i+1), "text", "2026-01-05")
		if i == 15 {
			r.Set("mixed", dataknobs.String("2026-01-16"))
			r.Set("at", dataknobs.Value{})
		}
		recs = append(recs, r)
	}
	s.create(t, recs...)
	for query, want := range map[string]int{
		"at >= '2026-01-19'": 2, "at < '2026-01-02T12:00:01Z' or at = '2026-01-20T12:00:00Z'": 3, "mixed >= '2026-01-10'": 1,
		"text = '2026-01-05'": 20, "text = '2026-01-05' and at between '2026-01-10' and '2026-01-13'": 3, "none = '2026-01-05'": 0,
	} {
		if got := s.ids(t, query); len(got) != want {
			t.Errorf("%s finds %q, wanted %d", query, got, want)
		}
	}
}

// Of 16 writers that create one record, in rounds and through four handles,
// one wins.
func TestRacingCreates(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, nil)
		handles := []*store{s, p.again(t, s.o), p.again(t, s.o), p.again(t, s.o)}
		for round := range 5 {
			id := fmt.Sprint("r", round)
			var won atomic.Int64
			winner := ""
			together(16, func(i int) {
				_, err := handles[i%4].Create(t.Context(), rec(id, "by", i))
				if err == nil {
					won.Add(1)
					winner = fmt.Sprint(i)
				} else {
					wantCode(t, err, dataknobs.AlreadyExists, "create")
				}
			})
			got, err := s.Get(t.Context(), id)
			if err != nil || won.Load() != 1 || got.Get("by").String() != winner {
				t.Errorf("%d writers won; the record is %v (%v), the last winner %s", won.Load(), got, err, winner)
			}
		}
	})
}

func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; f(i) })
	}
	close(start)
	wg.Wait()
}

// Writers delete and create the same record as fast as they can: each
// acknowledged create is deleted once, or is there in the end.
func TestDeleteAndCreateRace(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, nil)
		handles := []*store{s, p.again(t, s.o), p.again(t, s.o)}
		var created, deleted atomic.Int64
		together(6, func(i int) {
			h := handles[i%3]
			for n := range 30 {
				var err error
				if (i+n)%2 == 0 {
					if _, err = h.Create(t.Context(), rec("x", "by", i, "n", n)); err == nil {
						created.Add(1)
						continue
					}
					wantCode(t, err, dataknobs.AlreadyExists, "create")
					continue
				}
				if err = h.Delete(t.Context(), "x"); err == nil {
					deleted.Add(1)
					continue
				}
				wantCode(t, err, dataknobs.NotFound, "delete")
			}
		})
		n, err := s.Count(t.Context(), nil)
		if err != nil || n != created.Load()-deleted.Load() {
			t.Errorf("%d creates and %d deletes were acknowledged, and there are %d records (%v)", created.Load(), deleted.Load(), n, err)
		}
	})
}

// A conditional delete of what has changed deletes nothing; a good one leaves
// nothing behind.
func TestConditionalDelete(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, nil)
		old, err := s.Create(t.Context(), rec("x", "a", 1))
		if err != nil {
			t.Fatal(err)
		}
		res, err := p.again(t, s.o).Put(t.Context(), rec("x", "a", 2))
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, s.Delete(t.Context(), "x", dataknobs.IfRevision(old.Revision)), dataknobs.Conflict, "delete of the old revision")
		if r, err := s.Get(t.Context(), "x"); err != nil || r.Get("a").Int() != 2 {
			t.Errorf("after a refused delete: %v (%v)", r, err)
		}
		wantCode(t, s.Delete(t.Context(), "x", dataknobs.IfRevision(res.Revision)), 0, "delete of the revision")
		if keys := s.keys(t); len(keys) != 0 {
			t.Errorf("after the delete there are %q", keys)
		}
		wantCode(t, s.Delete(t.Context(), "x", dataknobs.IfRevision(res.Revision)), dataknobs.NotFound, "delete again")
	})
}

// A tombstone whose writer died is no record to anyone, and makes way once it
// belongs to nobody.
func TestTombstone(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, nil)
		s.d.SetQuarantine(time.Second)
		s.create(t, rec("x", "a", 1), rec("y", "a", 2), rec("z", "a", 3))
		for _, id := range []string{"x", "z"} {
			r, err := s.Get(t.Context(), id)
			if err == nil {
				err = s.d.Bury(t.Context(), id, r.Revision)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		other := p.again(t, s.o)
		other.d.SetQuarantine(time.Second)
		if _, err := other.Get(t.Context(), "x"); !errors.Is(err, dataknobs.NotFound) {
			t.Errorf("Get of what is buried: %v", err)
		}
		for _, q := range []string{"", "_id in ('x', 'y', 'z')", "order by _id limit 5", "_id > 'a'", "a > 0"} {
			if got := other.ids(t, q); !slices.Equal(got, []string{"y"}) {
				t.Errorf("%q finds %q, wanted only y", q, got)
			}
		}
		for _, q := range []string{"select count(*)", "select count(*) where _id in ('x', 'y')", "select count(*) where _id < 'zz'"} {
			r, err := other.First(t.Context(), dataknobs.MustParse(q))
			if err != nil || r.Fields[0].Value.Int() != 1 {
				t.Errorf("%q: %v (%v), wanted 1", q, r, err)
			}
		}
		wantCode(t, other.Delete(t.Context(), "x"), dataknobs.NotFound, "delete")
		_, err := other.Update(t.Context(), rec("x"))
		wantCode(t, err, dataknobs.NotFound, "update")
		_, err = other.Patch(t.Context(), "x", nil)
		wantCode(t, err, dataknobs.NotFound, "patch")
		if _, err := other.Create(t.Context(), rec("x", "a", 4)); err != nil {
			t.Fatalf("create over a tombstone: %v", err)
		}
		if res, err := other.Put(t.Context(), rec("z", "a", 5)); err != nil || !res.Created {
			t.Fatalf("put over a tombstone: %+v, %v", res, err)
		}
		if got := other.ids(t, "order by _id limit 5"); !slices.Equal(got, []string{"x", "y", "z"}) {
			t.Errorf("afterwards there are %q", got)
		}
	})
}

// What others keep below the prefix is neither read as records nor changed.
func TestForeignObjects(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		var mu sync.Mutex
		var warnings []string
		s := p.open(t, func(o *s3.Options) {
			o.Warn = func(msg string) {
				mu.Lock()
				defer mu.Unlock()
				warnings = append(warnings, msg)
			}
		})
		others := map[string]string{"readme.txt": "hello", "sub/x.json": `{"a":1}`, "a b.json": `{"a":1}`, "list.json": "[1,2]", "text.json": "no JSON", "empty.json": ""}
		for name, body := range others {
			s.upload(t, s.o.Prefix+name, body)
		}
		s.upload(t, s.o.Prefix+"added.json", `{"a": 7, "n": 1.5}`)
		neighbour := strings.TrimSuffix(s.o.Prefix, "/") + "2/x.json"
		s.upload(t, neighbour, `{"a":1}`)
		s.create(t, rec("x", "a", 1), rec("y", "a", 2))
		if got := s.ids(t, "a >= 0 order by _id limit 10"); !slices.Equal(got, []string{"added", "x", "y"}) {
			t.Errorf("the records are %q", got)
		}
		mu.Lock()
		said := strings.Join(warnings, "\n")
		mu.Unlock()
		for name := range others {
			if !strings.Contains(said, s.o.Prefix+name) {
				t.Errorf("nothing is said of %s; the warnings are\n%s", name, said)
			}
		}
		if n, err := s.Count(t.Context(), nil); err != nil || n != 3 {
			t.Errorf("once the objects were read, %d records are counted (%v)", n, err)
		}
		if n, err := p.again(t, s.o).Count(t.Context(), nil); err != nil || n != 5 { // list and text have names of records, and are not empty
			t.Errorf("by their names, %d records are counted (%v), wanted 5", n, err)
		}
		for _, id := range []string{"list", "text", "empty"} {
			_, err := s.Put(t.Context(), rec(id, "a", 1))
			wantCode(t, err, dataknobs.PermissionDenied, "put over a foreign object")
			wantCode(t, second(s.Create(t.Context(), rec(id, "a", 1))), dataknobs.PermissionDenied, "create over a foreign object")
			wantCode(t, s.Delete(t.Context(), id), dataknobs.NotFound, "delete of a foreign object")
			_, err = s.Patch(t.Context(), id, nil)
			wantCode(t, err, dataknobs.NotFound, "patch of a foreign object")
		}
		if _, err := s.DeleteWhere(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		others["../"+strings.TrimPrefix(neighbour, s.o.Prefix)] = ""
		for name, want := range others {
			key := s.o.Prefix + name
			if strings.HasPrefix(name, "../") {
				key, want = neighbour, `{"a":1}`
			}
			if got, _ := s.object(t, key); got == nil || string(got) != want {
				t.Errorf("%s holds %q, wanted %q", key, got, want)
			}
		}
		if keys := s.keys(t); len(keys) != len(others)-1 {
			t.Errorf("what is left is %q", keys)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// A record over the threshold is uploaded in parts; one whose upload fails or
// is given up leaves nothing.
func TestMultipart(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, func(o *s3.Options) { o.MultipartThreshold, o.PartSize = 6<<20, 5<<20 })
		big := rec("big", "text", strings.Repeat("0123456789abcdef", 12<<16))
		res, err := s.Create(t.Context(), big)
		if err != nil {
			t.Fatal(err)
		}
		_, _, parts, _ := s.d.Probe(t.Context())
		if parts != strings.Contains(res.Revision, "-") {
			t.Errorf("the revision is %q; conditional multipart: %v", res.Revision, parts)
		}
		got, err := p.again(t, s.o).Get(t.Context(), "big")
		if err != nil || !got.Identical(big) || got.Revision != res.Revision {
			t.Errorf("the record does not come back: %v", err)
		}
		wantCode(t, second(s.Create(t.Context(), big)), dataknobs.AlreadyExists, "create again")
		wantCode(t, second(s.Put(t.Context(), big, dataknobs.IfRevision(wrong))), dataknobs.Conflict, "put with another revision")
		if _, err := s.Put(t.Context(), big, dataknobs.IfRevision(res.Revision)); err != nil {
			t.Errorf("put with the revision: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		_, _ = s.Create(ctx, rec("gone", "text", big.Get("text").Str()))
		s.wantNoUploads(t, "big", "gone")
	})
}

// An upload in parts whose maker died is aborted by the next to write the
// record, and by Sync; one that may still go on is not.
func TestOrphanUploads(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, func(o *s3.Options) { o.MultipartThreshold, o.PartSize = 6<<20, 5<<20 })
		begin := func(id string) {
			t.Helper()
			if _, err := p.raw.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: &s.o.Bucket, Key: aws.String(s.d.Key(id))}); err != nil {
				t.Fatal(err)
			}
		}
		begin("big")
		big := rec("big", "text", strings.Repeat("0123456789abcdef", 12<<16))
		if _, err := s.Put(t.Context(), big); err != nil {
			t.Fatal(err)
		}
		key := s.d.Key("big")
		out, err := p.raw.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &s.o.Bucket, Prefix: &key})
		if err != nil || len(out.Uploads) != 1 {
			t.Fatalf("a young upload was aborted: %v", err)
		}
		s.d.SetOrphanAge(-time.Hour) // as old as any
		if _, err := s.Put(t.Context(), big); err != nil {
			t.Fatal(err)
		}
		begin("other")
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.wantNoUploads(t, "big")
		if p.Name != "minio" { // which lists uploads by whole keys only
			s.wantNoUploads(t, "other")
		}
	})
}

const wrong = "00000000000000000000000000000000"

// wantNoUploads reports uploads that were begun and neither completed nor
// aborted. MinIO lists them by whole keys only.
func (s *store) wantNoUploads(t testing.TB, ids ...string) {
	t.Helper()
	for _, id := range ids {
		key := s.d.Key(id)
		out, err := s.p.raw.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &s.o.Bucket, Prefix: &key})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Uploads) > 0 {
			t.Errorf("%d uploads to %s are left over", len(out.Uploads), key)
		}
	}
}

// Queries by ID look up or list only what they must.
func TestRequests(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	s := p.open(t, nil)
	var recs []*dataknobs.Record
	for i := range 2500 {
		recs = append(recs, rec(fmt.Sprintf("k-%04d", i), "n", i))
	}
	s.create(t, recs...)
	for _, c := range []struct {
		query    string
		calls    int64 // at most
		returned int64
	}{
		{"_id = 'k-0007'", 1, 1},
		{"_id in ('k-0007', 'k-0008', 'none')", 3, 2},
		{"_id starts with 'k-000'", 12, 10},
		{"_id between 'k-0100' and 'k-0109'", 12, 10},
		{"_id > 'k-2495'", 5, 4},
		{"order by _id limit 5", 8, 5},
		{"order by _id limit 5 offset 3", 11, 5},
		{"select count(*)", 5, 1},
		{"select count(*) where _id < 'k-0005'", 3, 1},
		{"select _id", 5, 2500},
		{"_id = 'none'", 1, 0},
		{"_id = 7", 0, 0},
		{"", 2504, 2500},
	} {
		h := p.again(t, s.o) // nothing is known yet
		plan, err := h.Explain(t.Context(), dataknobs.MustParse(c.query), dataknobs.ExplainOptions{Analyze: true})
		if err != nil {
			t.Fatalf("%s: %v", c.query, err)
		}
		if a := plan.Analysis; a.Calls > c.calls || a.Returned != c.returned {
			t.Errorf("%q took %d requests, at most %d wanted, and returned %d, wanted %d\n%s", c.query, a.Calls, c.calls, a.Returned, c.returned, plan)
		}
		var lists, reads, total int64
		for _, step := range plan.Pushed.Steps {
			if strings.HasPrefix(step, "about") {
				fmt.Sscanf(step, "about %d", &total)
			}
		}
		if a := plan.Analysis.Calls; total < a*95/100-1 || total > a*105/100+1 {
			t.Errorf("%q: Explain says %d requests (%d, %d), it took %d\n%s", c.query, total, lists, reads, a, plan)
		}
	}
}

// A search that was run reads only what has changed since.
func TestBodyCache(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, nil)
		var recs []*dataknobs.Record
		for i := range 200 {
			recs = append(recs, rec(fmt.Sprint("k", i), "n", i))
		}
		s.create(t, recs...)
		h := p.again(t, s.o)
		calls := func() (calls, found int64) {
			stats := &dataknobs.ScanStats{}
			for _, err := range h.Run(t.Context(), dataknobs.MustParse("n >= 0"), dataknobs.CollectStats(stats)) {
				if err != nil {
					t.Fatal(err)
				}
				found++
			}
			return stats.Calls.Load(), found
		}
		if n, found := calls(); n < 201 || found != 200 {
			t.Errorf("the first search took %d requests and found %d", n, found)
		}
		if n, found := calls(); n > 2 || found != 200 {
			t.Errorf("the second search took %d requests and found %d", n, found)
		}
		if _, err := s.Put(t.Context(), rec("k7", "n", -1)); err != nil {
			t.Fatal(err)
		}
		if n, found := calls(); n > 3 || found != 199 {
			t.Errorf("after a change by another handle the search took %d requests and found %d", n, found)
		}
	})
}

func TestBounds(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	s := p.open(t, nil)
	var recs []*dataknobs.Record
	for i := range 100 {
		recs = append(recs, rec(fmt.Sprint("k", i), "n", i))
	}
	s.create(t, recs...)
	for name, change := range map[string]func(*s3.Options){
		"requests": func(o *s3.Options) { o.MaxRequests = 50 },
		"bytes":    func(o *s3.Options) { o.MaxBytes = 1000 },
	} {
		o := s.o
		change(&o)
		h := p.again(t, o)
		_, err := h.All(t.Context(), dataknobs.MustParse("n >= 0"))
		wantCode(t, err, dataknobs.ResourceExhausted, name)
		if got := h.ids(t, "order by _id limit 3"); len(got) != 3 {
			t.Errorf("%s: a small query finds %q", name, got)
		}
	}
}

func TestDifferentialBytes(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	s := p.open(t, nil)
	s.create(t, rec("x", "a", 1))
	first, _ := s.object(t, s.d.Key("x"))
	if _, err := s.Put(t.Context(), rec("x", "a", 1)); err != nil {
		t.Fatal(err)
	}
	again, _ := s.object(t, s.d.Key("x"))
	if bytes.Equal(first, again) || !bytes.Equal(bytes.TrimSpace(first), bytes.TrimSpace(again)) {
		t.Errorf("two writes of one content made %q and %q", first, again)
	}
}
