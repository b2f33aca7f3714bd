package s3_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/s3"
	"dataknobs.dev/dataknobs/internal/servers"
)

// A proxy stands before a server and breaks what it is told to.
type proxy struct {
	*httptest.Server
	requests atomic.Int64

	mu     sync.Mutex
	before func(w http.ResponseWriter, r *http.Request) bool // true: it has answered; guarded by mu
	after  func(*http.Response) error                        // guarded by mu
}

func newProxy(t testing.TB, p *place) *proxy {
	t.Helper()
	x := newProxyOn(t, p)
	x.Start()
	return x
}

// newProxyOn returns a proxy that has not been started.
func newProxyOn(t testing.TB, p *place) *proxy {
	t.Helper()
	target, err := url.Parse(p.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	x := &proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: func(r *http.Response) error {
			if _, after := x.hooks(); after != nil {
				return after(r)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { hangUp(w) },
		Transport:    &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true},
	}
	x.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.requests.Add(1)
		if before, _ := x.hooks(); before != nil && before(w, r) {
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(x.Close)
	return x
}

func (x *proxy) hooks() (func(http.ResponseWriter, *http.Request) bool, func(*http.Response) error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.before, x.after
}

func (x *proxy) set(before func(http.ResponseWriter, *http.Request) bool, after func(*http.Response) error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.before, x.after = before, after
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}

// refuse answers as S3 refuses.
func refuse(w http.ResponseWriter, status int, code string) bool {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>told to</Message></Error>`, code)
	return true
}

// through opens a store behind a proxy, with few attempts.
func (p *place) through(t testing.TB, x *proxy, change func(*s3.Options)) *store {
	t.Helper()
	return p.open(t, func(o *s3.Options) {
		o.Endpoint, o.Attempts = x.URL, 4
		if change != nil {
			change(o)
		}
	})
}

func numbered(n int) []*dataknobs.Record {
	recs := make([]*dataknobs.Record, n)
	for i := range recs {
		recs[i] = rec(fmt.Sprintf("k%05d", i), "n", i)
	}
	return recs
}

// What a server refuses gets the right code and says which object.
func TestErrorCodes(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, func(o *s3.Options) { o.Attempts = 2 })
	s.create(t, rec("x", "a", 1))
	for _, c := range []struct {
		status int
		code   string
		want   dataknobs.Code
	}{
		{503, "SlowDown", dataknobs.Unavailable}, {503, "ServiceUnavailable", dataknobs.Unavailable}, {500, "InternalError", dataknobs.Unavailable},
		{429, "TooManyRequests", dataknobs.Unavailable},
		{403, "AccessDenied", dataknobs.PermissionDenied}, {403, "InvalidAccessKeyId", dataknobs.PermissionDenied},
		{403, "SignatureDoesNotMatch", dataknobs.PermissionDenied}, {400, "ExpiredToken", dataknobs.PermissionDenied}, {400, "InvalidToken", dataknobs.PermissionDenied},
		{403, "RequestTimeTooSkewed", dataknobs.PermissionDenied}, {403, "InvalidObjectState", dataknobs.PermissionDenied},
		{301, "PermanentRedirect", dataknobs.InvalidArgument}, {404, "NoSuchBucket", dataknobs.NotFound}, {501, "NotImplemented", dataknobs.Unsupported},
		{507, "XMinioStorageFull", dataknobs.ResourceExhausted}, {400, "SomethingElse", dataknobs.InvalidArgument},
	} {
		x.set(func(w http.ResponseWriter, r *http.Request) bool { return refuse(w, c.status, c.code) }, nil)
		_, err := s.Get(t.Context(), "x")
		wantCode(t, err, c.want, "get under "+c.code)
		wantCode(t, second(s.All(t.Context(), nil)), c.want, "scan under "+c.code)
		wantCode(t, second(s.Count(t.Context(), nil)), c.want, "count under "+c.code)
		_, err = s.Put(t.Context(), rec("x", "a", 2))
		wantCode(t, err, c.want, "put under "+c.code)
		if text := fmt.Sprint(err); strings.Contains(text, p.Secret) || c.status < 500 && !strings.Contains(text, "told to") {
			t.Errorf("%s: the error is %s", c.code, text)
		}
	}
	x.set(nil, nil)
	if r, err := s.Get(t.Context(), "x"); err != nil || r.Get("a").Int() != 1 {
		t.Errorf("afterwards the record is %v (%v)", r, err)
	}
}

func TestRealRefusals(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for name, c := range map[string]struct {
		url  string
		want dataknobs.Code
	}{
		"no bucket":    {"s3://dataknobs-none-such/p?", dataknobs.NotFound},
		"wrong secret": {"s3://" + p.bucket + "/p?secret_key=wrong&", dataknobs.PermissionDenied},
		"wrong key":    {"s3://" + p.bucket + "/p?access_key=wrong&", dataknobs.PermissionDenied},
		"bad name":     {"s3://A/p?", dataknobs.InvalidArgument},
		"no server":    {"s3://" + p.bucket + "/p?attempts=2&endpoint=" + nobody.URL + "&", dataknobs.Unavailable},
		"good":         {"s3://" + p.bucket + "/p?", 0},
	} {
		text := c.url
		for option, value := range map[string]string{"endpoint": p.Endpoint, "access_key": p.Key, "secret_key": p.Secret, "region": "us-east-1"} {
			if !strings.Contains(text, option+"=") {
				text += option + "=" + value + "&"
			}
		}
		db, err := dataknobs.Open(t.Context(), strings.TrimSuffix(text, "&"), nil)
		if err == nil {
			db.Close()
		} else if strings.Contains(err.Error(), p.Secret) {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
		wantCode(t, err, c.want, name)
	}
}

// A server that is overloaded is asked less, and everything is done in the end.
func TestSlowDown(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, func(o *s3.Options) { o.Attempts = 20 })
	var busy, most, refused atomic.Int64
	x.set(func(w http.ResponseWriter, r *http.Request) bool {
		n := busy.Add(1)
		defer busy.Add(-1)
		most.Store(max(most.Load(), n))
		if n > 8 {
			refused.Add(1)
			return refuse(w, 503, "SlowDown")
		}
		time.Sleep(2 * time.Millisecond) // so that requests meet
		return false
	}, nil)
	s.create(t, numbered(400)...)
	if refused.Load() == 0 {
		t.Skip("the requests never met")
	}
	x.set(nil, nil)
	if n, err := s.Count(t.Context(), nil); err != nil || n != 400 {
		t.Errorf("there are %d records (%v)", n, err)
	}
	t.Logf("%d of %d requests were refused", refused.Load(), x.requests.Load())
}

// The answer to a write is lost; the write is made once, and acknowledged.
func TestLostAnswers(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, nil)
	s.create(t, rec("other"))
	lose := func() {
		var lost atomic.Bool
		x.set(nil, func(r *http.Response) error {
			if r.Request.Method == http.MethodPut && !lost.Swap(true) {
				return errors.New("lost")
			}
			return nil
		})
	}
	lose()
	res, err := s.Create(t.Context(), rec("x", "a", 1))
	if err != nil || !res.Created {
		t.Fatalf("create: %+v, %v", res, err)
	}
	lose()
	res, err = s.Put(t.Context(), rec("x", "a", 2))
	if err != nil || res.Created {
		t.Fatalf("put: %+v, %v", res, err)
	}
	lose()
	if _, err = s.Update(t.Context(), rec("x", "a", 3), dataknobs.IfRevision(res.Revision)); err != nil {
		t.Fatalf("update with a revision: %v", err)
	}
	lose()
	if res, err = s.Patch(t.Context(), "x", []dataknobs.Change{{Path: dataknobs.P("b"), Value: dataknobs.Int(1)}}); err != nil {
		t.Fatalf("patch: %v", err)
	}
	r, err := p.again(t, s.o).Get(t.Context(), "x")
	if err != nil || r.Get("a").Int() != 3 || r.Get("b").Int() != 1 || r.Revision != res.Revision {
		t.Fatalf("the record is %v with revision %s (%v), wanted %s", r, r.Revision, err, res.Revision)
	}
	lose()
	if err := s.Delete(t.Context(), "x"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if keys := s.keys(t); !slices.Equal(keys, []string{"other.json"}) {
		t.Errorf("afterwards there are %q", keys)
	}
}

// The answer to a write is lost, and what comes after hides what became of it:
// nobody is told that it was refused.
func TestUnclearWrites(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, nil)
	other := p.again(t, s.o)
	s.create(t, rec("x", "a", 0))
	// then happens between the attempt whose answer is lost and the next.
	afterLost := func(then func(), refuseRest bool) {
		var lost atomic.Bool
		x.set(func(w http.ResponseWriter, r *http.Request) bool {
			return refuseRest && lost.Load() && refuse(w, 403, "SignatureDoesNotMatch")
		}, func(r *http.Response) error {
			if r.Request.Method == http.MethodPut && r.StatusCode == http.StatusOK && !lost.Swap(true) {
				then()
				return errors.New("lost")
			}
			return nil
		})
	}
	unclear := func(what string, err error) {
		t.Helper()
		wantCode(t, err, dataknobs.Unavailable, what)
		if !errors.Is(err, dataknobs.ErrUnknownOutcome) {
			t.Errorf("%s: %v does not say that the outcome is unknown", what, err)
		}
	}
	afterLost(func() {}, true)
	unclear("a put whose repetition is refused", second(s.Put(t.Context(), rec("x", "a", 1))))
	overwrite := func(id string) func() {
		return func() {
			if _, err := other.Put(t.Context(), rec(id, "a", 100)); err != nil {
				t.Error(err)
			}
		}
	}
	afterLost(overwrite("new"), false)
	unclear("a create that somebody has written over", second(s.Create(t.Context(), rec("new", "a", 1))))
	x.set(nil, nil)
	old, err := s.Get(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	afterLost(overwrite("x"), false)
	unclear("an update that somebody has written over", second(s.Update(t.Context(), rec("x", "a", 2), dataknobs.IfRevision(old.Revision))))
	x.set(nil, nil)
	wantCode(t, second(s.Create(t.Context(), rec("x"))), dataknobs.AlreadyExists, "a create that is clear")
}

// How long a server asks to wait is in the error.
func TestRetryAfter(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, func(o *s3.Options) { o.Attempts = 1 })
	x.set(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "7")
		return refuse(w, 503, "SlowDown")
	}, nil)
	_, err := s.Get(t.Context(), "x")
	var e *dataknobs.Error
	if !errors.As(err, &e) || e.Code != dataknobs.Unavailable || e.RetryAfter != 7*time.Second {
		t.Errorf("%v asks to wait for %v; wanted 7s", err, e.RetryAfter)
	}
}

// A body that ends early is read again; one that is always damaged is never
// taken for a record.
func TestDamagedBodies(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, func(o *s3.Options) { o.BodyCache = -1 })
	s.create(t, rec("x", "text", strings.Repeat("content ", 1000)))
	cut := func(times int64) {
		x.set(nil, func(r *http.Response) error {
			if r.Request.Method == http.MethodGet && strings.HasSuffix(r.Request.URL.Path, ".json") && times > 0 {
				times--
				r.Body = io.NopCloser(io.LimitReader(r.Body, 100))
			}
			return nil
		})
	}
	cut(2)
	if r, err := s.Get(t.Context(), "x"); err != nil || len(r.Get("text").Str()) != 8000 {
		t.Errorf("cut twice: %v", err)
	}
	cut(1000)
	wantCode(t, second(s.Get(t.Context(), "x")), dataknobs.Unavailable, "a body that is always cut")
	wantCode(t, second(s.All(t.Context(), nil)), dataknobs.Unavailable, "a scan of bodies that are always cut")
	x.set(nil, func(r *http.Response) error {
		if r.Request.Method == http.MethodGet && strings.HasSuffix(r.Request.URL.Path, ".json") {
			body, _ := io.ReadAll(r.Body)
			body[len(body)/2] ^= 1
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		return nil
	})
	wantCode(t, second(s.Get(t.Context(), "x")), dataknobs.DataLoss, "a body with a bit turned")
	wantCode(t, second(s.All(t.Context(), nil)), dataknobs.DataLoss, "a scan of bodies with a bit turned")
}

// A server's certificate is verified, unless the user says otherwise.
func TestCertificates(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxyOn(t, p)
	x.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes
	x.StartTLS()
	pemFile := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.Certificate().Raw})
	if err := os.WriteFile(pemFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for options, want := range map[string]dataknobs.Code{
		"": dataknobs.Unavailable, "&tls_verify=false": 0, "&ca_file=" + pemFile: 0, "&ca_file=/none": dataknobs.InvalidArgument,
	} {
		url := fmt.Sprintf("s3://%s/p?endpoint=%s&access_key=%s&secret_key=%s&region=us-east-1&attempts=2%s", p.bucket, x.URL, p.Key, p.Secret, options)
		db, err := dataknobs.Open(t.Context(), url, nil)
		wantCode(t, err, want, "with "+options)
		if err == nil {
			db.Close()
		}
	}
}

// Who may read but not list reads by ID.
func TestListDenied(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, nil)
	s.create(t, numbered(5)...)
	x.set(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Query().Get("list-type") == "2" && refuse(w, 403, "AccessDenied")
	}, nil)
	url := fmt.Sprintf("s3://%s/%s?endpoint=%s&access_key=%s&secret_key=%s&region=us-east-1", p.bucket, s.o.Prefix, x.URL, p.Key, p.Secret)
	db, err := dataknobs.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer db.Close()
	if _, err := db.Get(t.Context(), "k00003"); err != nil {
		t.Errorf("get: %v", err)
	}
	if rs, err := db.All(t.Context(), dataknobs.MustParse("_id in ('k00001', 'k00002')")); err != nil || len(rs) != 2 {
		t.Errorf("a query by IDs: %d, %v", len(rs), err)
	}
	wantCode(t, second(db.All(t.Context(), nil)), dataknobs.PermissionDenied, "scan")
	wantCode(t, second(db.Count(t.Context(), nil)), dataknobs.PermissionDenied, "count")
}

// A server that ignores conditions is found out, whatever it is called.
func TestNoConditions(t *testing.T) {
	p := placeOn(t, servers.LocalStack(t)) // it does not look at signatures
	x := newProxy(t, p)
	x.set(func(_ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("If-Match")
		r.Header.Del("If-None-Match")
		return false
	}, nil)
	s := p.through(t, x, nil)
	if put, _, _, err := s.d.Probe(t.Context()); put || err != nil {
		t.Fatalf("the probe finds conditions where there are none (%v)", err)
	}
	wantCode(t, second(s.Create(t.Context(), rec("x"))), dataknobs.Unsupported, "create")
	res, err := s.Put(t.Context(), rec("x", "a", 1))
	if err != nil || !res.Created {
		t.Fatalf("put: %+v, %v", res, err)
	}
	wantCode(t, second(s.Update(t.Context(), rec("x"))), dataknobs.Unsupported, "update")
	wantCode(t, second(s.Put(t.Context(), rec("x"), dataknobs.IfRevision(res.Revision))), dataknobs.Unsupported, "put with a revision")
	wantCode(t, second(s.Patch(t.Context(), "x", nil)), dataknobs.Unsupported, "patch")
	wantCode(t, s.Delete(t.Context(), "x", dataknobs.IfRevision(res.Revision)), dataknobs.Unsupported, "delete with a revision")
	if err := s.Delete(t.Context(), "x"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if keys := s.keys(t); len(keys) > 0 {
		t.Errorf("what is left is %q", keys)
	}
	o := s.o
	o.UnsafeConditions = true
	u := p.again(t, o)
	if _, err := u.Create(t.Context(), rec("x", "a", 1)); err != nil {
		t.Fatalf("unsafe create: %v", err)
	}
	wantCode(t, second(u.Create(t.Context(), rec("x"))), dataknobs.AlreadyExists, "unsafe create again")
	if res, err = u.Update(t.Context(), rec("x", "a", 2)); err != nil {
		t.Fatalf("unsafe update: %v", err)
	}
	wantCode(t, second(u.Put(t.Context(), rec("x"), dataknobs.IfRevision(wrong))), dataknobs.Conflict, "unsafe put with another revision")
	wantCode(t, u.Delete(t.Context(), "x", dataknobs.IfRevision(res.Revision)), 0, "unsafe delete")
	wantCode(t, u.Delete(t.Context(), "x"), dataknobs.NotFound, "unsafe delete again")
}

// The server dies in the midst of writes and of a scan. What was acknowledged
// is there afterwards, and nothing is there by half.
func TestServerKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	server := servers.NewMinIO(t)
	p := placeOn(t, server)
	change := func(o *s3.Options) {
		o.Attempts, o.Timeout, o.MultipartThreshold, o.PartSize = 2, 5*time.Second, 6<<20, 5<<20
	}
	s := p.open(t, change)
	s.create(t, numbered(300)...)
	var acknowledged sync.Map
	var began atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("w%d-%d", i, n)
				r := rec(id, "text", strings.Repeat(id+" ", 1<<(n%20)))
				began.Add(1)
				if _, err := s.Create(ctx, r); err == nil {
					acknowledged.Store(id, r)
				} else if code := dataknobs.CodeOf(err); code != dataknobs.Unavailable && ctx.Err() == nil {
					t.Errorf("create while the server dies: %v", err)
				}
			}
		})
	}
	for began.Load() < 60 {
		time.Sleep(time.Millisecond)
	}
	scanned := make(chan error, 1)
	go func() {
		var last error
		for range 1000 {
			for _, err := range p.again(t, s.o).Query(ctx, "n >= 0") {
				if err != nil {
					last = err
				}
			}
			if last != nil {
				break
			}
		}
		scanned <- last
	}()
	time.Sleep(50 * time.Millisecond)
	server.Kill(t)
	wantCode(t, <-scanned, dataknobs.Unavailable, "a scan while the server dies")
	cancel()
	wg.Wait()
	server.Start(t)
	h := p.again(t, s.o)
	acknowledged.Range(func(id, want any) bool {
		got, err := h.Get(t.Context(), id.(string))
		if err != nil || !got.Identical(want.(*dataknobs.Record)) {
			t.Errorf("the acknowledged record %s is not there: %v", id, err)
		}
		return true
	})
	n := 0
	for r, err := range h.Query(t.Context(), "") { // whatever is there is whole
		if err != nil {
			t.Fatal(err)
		}
		n++
		if id, _, ok := strings.Cut(r.ID, "-"); ok && id[0] == 'w' && !strings.HasPrefix(r.Get("text").Str(), r.ID) {
			t.Errorf("the record %s is %v", r.ID, r)
		}
	}
	if n < 300 {
		t.Errorf("there are %d records", n)
	}
	s.create(t, rec("after"))
}

func TestLimiter(t *testing.T) {
	now := time.Unix(0, 0)
	l := s3.NewLimiter(16, func() time.Time { return now })
	for range 16 {
		if err := l.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("acquiring one too many: %v", err)
	}
	l.Slow()
	l.Slow() // of the same moment
	if got := l.Current(); got != 8 {
		t.Errorf("after one throttling the bound is %d, wanted 8", got)
	}
	for range 10 {
		now = now.Add(time.Second)
		l.Slow()
	}
	if got := l.Current(); got != 1 {
		t.Errorf("after many throttlings the bound is %d, wanted 1", got)
	}
	for range 16 {
		l.Release(true)
	}
	for range 300 {
		if err := l.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Release(true)
	}
	if got := l.Current(); got != 16 {
		t.Errorf("after a long calm the bound is %d, wanted 16", got)
	}
}
