package elasticsearch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"dataknobs.dev/dataknobs"
)

// A client makes requests to the nodes of a cluster. It is safe for concurrent
// use.
type client struct {
	transport *elastictransport.Client
	http      *http.Transport
	retries   int
	timeout   time.Duration // of one attempt
	pause     time.Duration // before the first retry
	plain     bool          // some node is asked without TLS
	most      int64         // bytes of one answer
}

// maxAnswer bounds what one answer may take of memory.
const maxAnswer = 1 << 30

func newClient(o *Options) (*client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = !o.Compress
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 64
	t.MaxConnsPerHost = o.Connections
	opts := []elastictransport.Option{
		elastictransport.WithURLs(o.Nodes...),
		elastictransport.WithTransport(t),
		elastictransport.WithDisableRetry(), // it does not tell reads from writes
		elastictransport.WithUserAgent("dataknobs"),
	}
	switch {
	case o.APIKey != "":
		opts = append(opts, elastictransport.WithAPIKey(o.APIKey))
	case o.Token != "":
		opts = append(opts, elastictransport.WithServiceToken(o.Token))
	case o.User != "":
		opts = append(opts, elastictransport.WithBasicAuth(o.User, o.Password))
	}
	if o.Compress {
		opts = append(opts, elastictransport.WithCompression(1))
	}
	if o.Discover > 0 {
		opts = append(opts, elastictransport.WithDiscoverNodesInterval(o.Discover))
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "option ca_file: %w", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "option ca_file: the file %s holds no certificate", o.CAFile).WithHint("it is to be PEM: -----BEGIN CERTIFICATE-----")
		}
		opts = append(opts, elastictransport.WithCACert(pem))
	}
	c, err := elastictransport.NewClient(opts...)
	if err != nil {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "%w", err)
	}
	plain := slices.ContainsFunc(o.Nodes, func(u *url.URL) bool { return u.Scheme == "http" })
	return &client{transport: c, http: t, retries: o.Retries, timeout: o.Timeout, pause: 50 * time.Millisecond, plain: plain, most: maxAnswer}, nil
}

func (c *client) close() {
	_ = c.transport.Close(context.Background())
	c.http.CloseIdleConnections()
}

// A request is one call of the server's interface.
type request struct {
	method, path string
	query        url.Values
	body         []byte
	lines        bool // body is JSON by the line
	// repeatable: nothing is harmed when the server does it twice. Others are
	// tried again only where the server cannot have begun them.
	repeatable bool
	into       []byte // where the answer may be put
}

// An answer is what the server sent, with a status below 300.
type answer struct {
	body []byte
}

// json makes a request with a JSON body, repeatable.
func (c *client) json(ctx context.Context, method, path string, query url.Values, body any) (*answer, error) {
	r := &request{method: method, path: path, query: query, repeatable: true}
	if body != nil {
		r.body = encodeJSON(body)
	}
	return c.do(ctx, r)
}

// do makes a request, again and again where that is harmless and may help.
func (c *client) do(ctx context.Context, r *request) (*answer, error) {
	for try := 0; ; try++ {
		a, err := c.once(ctx, r)
		if err == nil {
			return a, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if try >= c.retries || !mayRepeat(err, r) {
			return nil, err
		}
		if err := c.wait(ctx, try); err != nil {
			return nil, err
		}
	}
}

// wait waits before the next try: longer each time, and never quite as long as
// others do.
func (c *client) wait(ctx context.Context, try int) error {
	d := min(c.pause<<min(try, 10), 3*time.Second)
	d = d/2 + rand.N(d/2+1) //nolint:gosec // a random pause guards no secret
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mayRepeat reports whether a request that failed is worth another try.
func mayRepeat(err error, r *request) bool {
	var s *statusError
	if errors.As(err, &s) {
		switch s.status {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			return !s.lasting()
		case http.StatusBadGateway, http.StatusGatewayTimeout:
			return r.repeatable
		}
		return false
	}
	var unsent *net.OpError
	if errors.As(err, &unsent) && unsent.Op == "dial" {
		return true
	}
	return r.repeatable && dataknobs.CodeOf(err) == dataknobs.Unavailable
}

func (c *client) once(ctx context.Context, r *request) (*answer, error) {
	whole := ctx
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "http://node"+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, dataknobs.Errorf(dataknobs.Internal, "%w", err)
	}
	req.URL.RawQuery = r.query.Encode()
	switch {
	case r.body == nil:
		req.Body, req.GetBody = http.NoBody, nil
	case r.lines:
		req.Header.Set("Content-Type", "application/x-ndjson")
	default:
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.transport.Perform(req)
	if err != nil {
		return nil, c.lost(whole, err)
	}
	defer res.Body.Close()
	body, err := readBody(res, r.into, c.most)
	if errors.Is(err, errTooLong) {
		return nil, err
	}
	if err != nil {
		return nil, c.lost(whole, err)
	}
	if res.StatusCode >= 300 {
		return nil, afterThat(newStatusError(res.StatusCode, body), res.Header)
	}
	return &answer{body: body}, nil
}

// afterThat adds to an error for how long the server, or a proxy before it,
// asks to wait.
func afterThat(err error, h http.Header) error {
	var e *dataknobs.Error
	seconds, bad := strconv.Atoi(h.Get("Retry-After"))
	if bad != nil || seconds < 0 || !errors.As(err, &e) || e.Code != dataknobs.Unavailable {
		return err
	}
	e.RetryAfter = time.Duration(min(seconds, 3600)) * time.Second
	return err
}

// lost is the error of a request that got no answer.
func (c *client) lost(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, elastictransport.ErrClosed):
		return errClosed
	case errors.Is(err, context.DeadlineExceeded):
		return dataknobs.Errorf(dataknobs.Unavailable, "the server did not answer within %s", c.timeout)
	}
	if err := tlsError(err); err != nil {
		return err
	}
	e := dataknobs.Errorf(dataknobs.Unavailable, "the server cannot be reached: %w", withoutURL(err))
	var noHost *net.DNSError
	switch {
	case c.plain && errors.Is(err, io.EOF):
		return e.WithHint("a server that wants TLS hangs up like that: write es+https://")
	case errors.Is(err, syscall.ECONNREFUSED):
		return e.WithHint("is the server running, and are host and port right? curl %s tells", c.shown())
	case errors.As(err, &noHost):
		return e.WithHint("check the host's name: getent hosts %s", noHost.Name)
	}
	return e
}

// shown is the address of a node, for people.
func (c *client) shown() string {
	if urls := c.transport.URLs(); len(urls) > 0 {
		return urls[0].Scheme + "://" + urls[0].Host
	}
	return "http://HOST:PORT"
}

// tlsError is the error of a server that could not be trusted; nil for others.
func tlsError(err error) error {
	var untrusted *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	var otherHost x509.HostnameError
	switch {
	case errors.As(err, &otherHost):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the server's certificate is not its own: %w", otherHost).
			WithHint("use a name of the server that stands in its certificate")
	case errors.As(err, &untrusted):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the server's certificate is not trusted: %w", untrusted.Err).
			WithHint("option ca_file names a PEM file with the certificate of who signed it")
	case errors.As(err, &noTLS), errors.Is(err, http.ErrSchemeMismatch):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the server does not speak TLS").WithHint("write es+http:// for a server without it")
	}
	return nil
}

// withoutURL takes away the URL that net/http puts around an error.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// readBody reads an answer of at most so many bytes. The length that the server
// claims is believed only so far.
func readBody(res *http.Response, into []byte, most int64) ([]byte, error) {
	const believed = 32 << 20
	b := bytes.NewBuffer(into[:0])
	if n := res.ContentLength; n > 0 {
		b.Grow(int(min(n, believed)) + bytes.MinRead)
	}
	_, err := io.Copy(b, io.LimitReader(res.Body, most+1))
	if err == nil && int64(b.Len()) > most {
		return nil, errTooLong
	}
	return b.Bytes(), err
}

var errTooLong = dataknobs.Errorf(dataknobs.ResourceExhausted, "the server's answer is longer than what is read at once").
	WithHint("select fewer fields, or fewer records")

var errClosed = dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")
