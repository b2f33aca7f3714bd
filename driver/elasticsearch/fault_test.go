package elasticsearch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/internal/servers"
)

// A proxy stands before the shared server. fault may answer a request itself,
// and says so.
type proxy struct {
	url   string
	mu    sync.Mutex
	fault func(w http.ResponseWriter, r *http.Request) bool // guarded by mu
	calls atomic.Int64
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.calls.Add(1)
		p.mu.Lock()
		fault := p.fault
		p.mu.Unlock()
		if fault == nil || !fault(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

func (p *proxy) set(fault func(w http.ResponseWriter, r *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// answer is a fault that answers so many requests, or all (0), of those whose
// path contains part.
func answer(part string, times int, status int, body string) func(http.ResponseWriter, *http.Request) bool {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, part) || times > 0 && n.Add(1) > int64(times) {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// behind opens a store in a new index behind a proxy.
func behind(t *testing.T, change func(*elasticsearch.Options)) (*dataknobs.DB, *proxy) {
	t.Helper()
	server := servers.Elasticsearch(t)
	p := newProxy(t, server)
	o := options(t, p.url, newIndex(t, server))
	if change != nil {
		change(&o)
	}
	return openIndex(t, o), p
}

func rec(id string, n int) *dataknobs.Record {
	return dataknobs.NewRecord(id, dataknobs.F("n", n), dataknobs.F("s", "text of "+id))
}

func recs(from, to int) []*dataknobs.Record {
	var rs []*dataknobs.Record
	for i := from; i < to; i++ {
		rs = append(rs, rec(fmt.Sprintf("r%06d", i), i))
	}
	return rs
}

func wantCode(t *testing.T, what string, err error, want dataknobs.Code) {
	t.Helper()
	if got := dataknobs.CodeOf(err); got != want {
		t.Errorf("%s: got %v (code %v), wanted code %v", what, err, got, want)
	}
}

// ask makes a request to the server as another program would.
func ask(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v", method, url, res.Status, text, err)
	}
	return string(text)
}

func count(t *testing.T, db *dataknobs.DB, want int64) {
	t.Helper()
	if n, err := db.Count(t.Context(), nil); err != nil || n != want {
		t.Errorf("the store holds %d records, %v; wanted %d", n, err, want)
	}
}

const rejected = `{"error":{"type":"es_rejected_execution_exception","reason":"rejected execution: queue capacity"},"status":429}`

func TestBusyServer(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"429", rejected, 429},
		{"503 of the server", `{"error":{"type":"unavailable_shards_exception","reason":"no"},"status":503}`, 503},
		{"503 of somebody between", "<html>Service Unavailable", 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, p := behind(t, func(o *elasticsearch.Options) { o.Retries = 3 })
			p.set(answer("_bulk", 2, c.status, c.body))
			_, err := db.CreateMany(t.Context(), recs(0, 10))
			wantCode(t, "a batch that is refused twice", err, 0)
			p.set(answer("_search", 2, c.status, c.body))
			if all, err := db.All(t.Context(), nil); err != nil || len(all) != 10 {
				t.Errorf("a query that is refused twice: got %d records, %v", len(all), err)
			}
			p.set(answer("_bulk", 0, c.status, c.body))
			_, err = db.Create(t.Context(), rec("never", 1))
			wantCode(t, "a write that is refused always", err, dataknobs.Unavailable)
			p.set(nil)
			count(t, db, 10)
		})
	}
}

// How long a server asks to wait is in the error.
func TestRetryAfter(t *testing.T) {
	db, p := behind(t, func(o *elasticsearch.Options) { o.Retries = 1 })
	if _, err := db.Create(t.Context(), rec("first", 1)); err != nil {
		t.Fatal(err)
	}
	p.set(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", "7")
		return answer("_search", 0, 503, rejected)(w, r)
	})
	_, err := db.All(t.Context(), nil)
	var e *dataknobs.Error
	if !errors.As(err, &e) || e.Code != dataknobs.Unavailable || e.RetryAfter != 7*time.Second {
		t.Errorf("asked to wait for 7s: %#v", err)
	}
}

// Items of a batch that the server is too busy for are sent again, alone.
func TestBusyItems(t *testing.T) {
	db, p := behind(t, nil)
	if _, err := db.Create(t.Context(), rec("first", 1)); err != nil {
		t.Fatal(err)
	}
	var bulks atomic.Int64
	server := servers.Elasticsearch(t)
	p.set(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "_bulk") || bulks.Add(1) > 1 {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		lines := bytes.SplitAfter(body, []byte("\n"))
		// Of three records the server takes the second.
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, server+r.URL.String(), bytes.NewReader(bytes.Join(lines[2:4], nil)))
		req.Header = r.Header
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		defer res.Body.Close()
		one, _ := io.ReadAll(res.Body)
		item := strings.TrimSuffix(strings.TrimPrefix(string(one), `{"items":[`), `]}`)
		busy := `{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"busy"}}}`
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"items":[%s,%s,%s]}`, busy, item, busy)
		return true
	})
	res, err := db.CreateMany(t.Context(), recs(0, 3))
	wantCode(t, "a batch with items that are refused once", err, 0)
	for i, r := range res {
		if r.Revision == "" || !r.Created {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	count(t, db, 4)
}

// A request whose answer was lost may have been done: it is not made again.
func TestLostAnswer(t *testing.T) {
	db, p := behind(t, nil)
	if _, err := db.Create(t.Context(), rec("first", 1)); err != nil {
		t.Fatal(err)
	}
	server := servers.Elasticsearch(t)
	var bulks atomic.Int64
	p.set(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "_bulk") {
			return false
		}
		bulks.Add(1)
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, server+r.URL.String(), r.Body)
		req.Header = r.Header
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
		panic(http.ErrAbortHandler)
	})
	_, err := db.Create(t.Context(), rec("second", 2))
	wantCode(t, "a write whose answer is lost", err, dataknobs.Unavailable)
	if bulks.Load() != 1 {
		t.Errorf("the write was sent %d times, wanted once", bulks.Load())
	}
	p.set(nil)
	count(t, db, 2)
}

func TestBrokenAnswers(t *testing.T) {
	db, p := behind(t, func(o *elasticsearch.Options) { o.Retries = 1 })
	if _, err := db.CreateMany(t.Context(), recs(0, 5)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, body string
		want       dataknobs.Code
	}{
		{"cut short", `{"took":1,"hits":{"hits":[{"_id":"r0","_source":{"n":`, dataknobs.DataLoss},
		{"shards failed", `{"took":1,"timed_out":false,"_shards":{"total":2,"successful":1,"failed":1},"hits":{"hits":[]}}`, dataknobs.Unavailable},
		{"not JSON", `<html>`, dataknobs.DataLoss},
	} {
		p.set(answer("_search", 0, 200, c.body))
		_, err := db.All(t.Context(), nil)
		wantCode(t, c.name, err, c.want)
	}
	p.set(answer("_count", 0, 200, `{"count":3,"_shards":{"total":2,"successful":1,"failed":1}}`))
	_, err := db.Count(t.Context(), nil)
	wantCode(t, "a count without some shards", err, dataknobs.Unavailable)
	p.set(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "_search") {
			return false
		}
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"took":`)
		panic(http.ErrAbortHandler)
	})
	_, err = db.All(t.Context(), nil)
	wantCode(t, "a connection that ends in the middle", err, dataknobs.Unavailable)
}

func TestCredentials(t *testing.T) {
	server := servers.Elasticsearch(t)
	p := newProxy(t, server)
	index := newIndex(t, server)
	check := func(want string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") == want {
				r.Header.Del("Authorization")
				return false
			}
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}`)
			return true
		}
	}
	basic := func(user, password string) string {
		r, _ := http.NewRequest(http.MethodGet, "http://x", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	for _, c := range []struct {
		name, header string
		change       func(*elasticsearch.Options)
	}{
		{"user", basic("me", "p@ss:w/rd"), func(o *elasticsearch.Options) { o.User, o.Password = "me", "p@ss:w/rd" }},
		{"API key", "APIKey abc", func(o *elasticsearch.Options) { o.APIKey = "abc" }},
		{"token", "Bearer abc", func(o *elasticsearch.Options) { o.Token = "abc" }},
	} {
		p.set(check(c.header))
		o := options(t, p.url, index)
		c.change(&o)
		db := openIndex(t, o)
		if _, err := db.Put(t.Context(), rec("x", 1)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		bad := options(t, p.url, index)
		bad.User, bad.Password = "me", "wrong-secret"
		_, err := elasticsearch.New(t.Context(), bad)
		wantCode(t, c.name+": wrong credentials", err, dataknobs.PermissionDenied)
		if err != nil && strings.Contains(err.Error(), "wrong-secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestReadOnlyIndex(t *testing.T) {
	server := servers.Elasticsearch(t)
	db := openNew(t)
	if _, err := db.CreateMany(t.Context(), recs(0, 3)); err != nil {
		t.Fatal(err)
	}
	at := server + "/" + indexOf(db) + "/_settings"
	for _, c := range []struct {
		block string
		want  dataknobs.Code
	}{
		{"write", dataknobs.PermissionDenied},
		{"read_only", dataknobs.PermissionDenied},
		{"read_only_allow_delete", dataknobs.ResourceExhausted},
	} {
		ask(t, "PUT", at, `{"index.blocks.`+c.block+`":true}`)
		start := time.Now()
		_, err := db.Create(t.Context(), rec("x", 1))
		wantCode(t, "a write under the block "+c.block, err, c.want)
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("the refusal under %s took %s", c.block, d)
		}
		if all, err := db.All(t.Context(), nil); err != nil || len(all) != 3 {
			t.Errorf("reading under the block %s: got %d records, %v", c.block, len(all), err)
		}
		ask(t, "PUT", at, `{"index.blocks.`+c.block+`":null}`)
	}
	if _, err := db.Create(t.Context(), rec("x", 1)); err != nil {
		t.Errorf("a write after the blocks: %v", err)
	}
	count(t, db, 4)
}

func TestIndexGone(t *testing.T) {
	server := servers.Elasticsearch(t)
	db := openNew(t)
	if _, err := db.CreateMany(t.Context(), recs(0, 3)); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"Get":    func() error { _, err := db.Get(t.Context(), "r000001"); return err },
		"All":    func() error { _, err := db.All(t.Context(), nil); return err },
		"Count":  func() error { _, err := db.Count(t.Context(), nil); return err },
		"Create": func() error { _, err := db.Create(t.Context(), rec("x", 1)); return err },
		"Put":    func() error { _, err := db.PutMany(t.Context(), recs(0, 2)); return err },
		"Delete": func() error { return db.Delete(t.Context(), "r000001") },
		"GroupBy": func() error {
			_, err := db.All(t.Context(), must(dataknobs.Parse("select s, count(*) group by s")))
			return err
		},
	}
	ask(t, "POST", server+"/"+indexOf(db)+"/_close", "")
	for name, call := range calls {
		wantCode(t, name+" of a closed index", call(), dataknobs.Unavailable)
	}
	ask(t, "POST", server+"/"+indexOf(db)+"/_open", "")
	ask(t, "GET", server+"/_cluster/health/"+indexOf(db)+"?wait_for_status=yellow&timeout=10s", "")
	count(t, db, 3)
	ask(t, "DELETE", server+"/"+indexOf(db), "")
	for name, call := range calls {
		wantCode(t, name+" of an index that was deleted", call(), dataknobs.NotFound)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, server+"/"+indexOf(db), nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Error("writing to an index that was deleted has made another one")
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func TestCreateModes(t *testing.T) {
	server := servers.Elasticsearch(t)
	o := options(t, server, newIndex(t, server))
	o.Create = elasticsearch.CreateNever
	_, err := elasticsearch.New(t.Context(), o)
	wantCode(t, "opening a missing index with create=never", err, dataknobs.NotFound)
	o.Create = elasticsearch.CreateOnWrite
	db := openIndex(t, o)
	count(t, db, 0)
	_, err = db.Get(t.Context(), "x")
	wantCode(t, "Get from an index that nobody made", err, dataknobs.NotFound)
	_, err = db.Patch(t.Context(), "x", []dataknobs.Change{{Path: dataknobs.P("a"), Value: dataknobs.Int(1)}})
	wantCode(t, "Patch in an index that nobody made", err, dataknobs.NotFound)
	o.Index = newIndex(t, server)
	o.Create = elasticsearch.CreateAlways
	openIndex(t, o)
	ask(t, "GET", server+"/"+o.Index, "")
}

func TestOversize(t *testing.T) {
	db, p := behind(t, func(o *elasticsearch.Options) { o.MaxBody = 100_000; o.BulkBytes = 50_000 })
	big := dataknobs.NewRecord("big", dataknobs.F("s", strings.Repeat("x", 200_000)))
	batch := append(recs(0, 5), big)
	_, err := db.CreateMany(t.Context(), append(batch, recs(5, 10)...))
	wantCode(t, "a batch with a record that is too large", err, dataknobs.ResourceExhausted)
	var be *dataknobs.BatchError
	if !errors.As(err, &be) || len(be.Errors) != 1 || be.Errors[0].Index != 5 || be.Errors[0].ID != "big" {
		t.Errorf("the error blames %v", err)
	}
	count(t, db, 10)
	p.set(answer("_bulk", 0, 413, ``))
	_, err = db.Create(t.Context(), rec("x", 1))
	wantCode(t, "a server that calls a request too large", err, dataknobs.ResourceExhausted)
}

func TestSlowServer(t *testing.T) {
	db, p := behind(t, func(o *elasticsearch.Options) { o.Timeout, o.Retries = time.Second, -1 })
	if _, err := db.CreateMany(t.Context(), recs(0, 5)); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	defer close(release)
	p.set(func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return true
	})
	for name, call := range map[string]func(context.Context) error{
		"Get":    func(ctx context.Context) error { _, err := db.Get(ctx, "r000001"); return err },
		"All":    func(ctx context.Context) error { _, err := db.All(ctx, nil); return err },
		"Create": func(ctx context.Context) error { _, err := db.Create(ctx, rec("x", 1)); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		start := time.Now()
		err := call(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 900*time.Millisecond {
			t.Errorf("%s with a deadline: got %v after %s", name, err, time.Since(start))
		}
		wantCode(t, name+" beyond the option timeout", call(t.Context()), dataknobs.Unavailable)
	}
}

// A document that the index refuses is reported alone.
func TestMappingConflict(t *testing.T) {
	server := servers.Elasticsearch(t)
	db := openNew(t)
	if _, err := db.Create(t.Context(), rec("first", 1)); err != nil {
		t.Fatal(err)
	}
	ask(t, "PUT", server+"/"+indexOf(db)+"/_mapping", `{"properties":{"place":{"properties":{"lat":{"type":"double"}}}}}`)
	batch := recs(0, 4)
	batch[2].Set("place", dataknobs.String("no object"))
	_, err := db.CreateMany(t.Context(), batch)
	var be *dataknobs.BatchError
	if !errors.As(err, &be) || len(be.Errors) != 1 || be.Errors[0].Index != 2 || dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
		t.Errorf("got %v, wanted the third record alone to fail with InvalidArgument", err)
	}
	count(t, db, 4)
}

// openViews is how many views of indexes the server keeps open.
func openViews(t *testing.T, server string) string {
	t.Helper()
	text := ask(t, "GET", server+"/_nodes/stats/indices/search?filter_path=nodes.*.indices.search.open_contexts", "")
	_, n, _ := strings.Cut(text, `"open_contexts":`)
	return strings.TrimRight(n, "}")
}

func TestViewsAreClosed(t *testing.T) {
	server := servers.Elasticsearch(t)
	db := openNew(t)
	if _, err := db.CreateMany(t.Context(), recs(0, 5000)); err != nil {
		t.Fatal(err)
	}
	before := openViews(t, server)
	for i := range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		for _, err := range db.Run(ctx, must(dataknobs.Parse([]string{"", "order by n"}[i%2]))) {
			if err != nil {
				break
			}
			if n++; n == 1200 {
				if i < 2 {
					break
				}
				cancel()
			}
		}
		cancel()
	}
	after := openViews(t, server)
	for range 50 { // a page that nobody waits for any more may still be on its way
		if after == before {
			return
		}
		time.Sleep(100 * time.Millisecond)
		after = openViews(t, server)
	}
	t.Errorf("before the scans %s views were open, after them %s", before, after)
}

func TestKilledServer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a server of its own")
	}
	node := servers.NewElasticsearch(t)
	o := options(t, node.URL, "killed")
	o.Retries = 2
	db := openIndex(t, o)
	if _, err := db.CreateMany(t.Context(), recs(0, 6000)); err != nil {
		t.Fatal(err)
	}

	// In the middle of scans.
	var kill sync.Once
	var scans sync.WaitGroup
	for _, query := range []string{"", "order by n", "order by n limit 5500 offset 10"} {
		scans.Go(func() {
			n := 0
			var failed error
			for _, err := range db.Run(t.Context(), must(dataknobs.Parse(query))) {
				if failed = err; err != nil {
					break
				}
				if n++; n == 100 {
					kill.Do(func() { node.Kill(t) })
				}
			}
			if n < 5500 {
				wantCode(t, "a scan whose server dies", failed, dataknobs.Unavailable)
			}
		})
	}
	scans.Wait()
	_, err := db.Get(t.Context(), "r000001")
	wantCode(t, "Get from a dead server", err, dataknobs.Unavailable)
	node.Start(t)
	count(t, db, 6000)

	// In the middle of writing.
	acknowledged := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failures atomic.Int64
	for part := range 2 {
		wg.Go(func() {
			for i := range 400 {
				from := 100_000*(part+1) + i*50
				batch := recs(from, from+50)
				res, err := db.CreateMany(t.Context(), batch)
				mu.Lock()
				for k, r := range res {
					if r.Err == nil {
						acknowledged[batch[k].ID] = true
					}
				}
				mu.Unlock()
				if err != nil {
					wantCode(t, "a batch whose server dies", err, dataknobs.Unavailable)
					failures.Add(1)
					return
				}
			}
		})
	}
	for { // until some are there
		mu.Lock()
		n := len(acknowledged)
		mu.Unlock()
		if n > 500 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	node.Kill(t)
	wg.Wait()
	node.Start(t)
	if failures.Load() == 0 {
		t.Error("no batch met the death of the server")
	}
	seen := map[string]bool{}
	for r, err := range db.Run(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[r.ID] {
			t.Errorf("record %q is there twice", r.ID)
		}
		seen[r.ID] = true
	}
	lost := 0
	for id := range acknowledged {
		if !seen[id] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged records are lost", lost, len(acknowledged))
	}
}
