package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"dataknobs.dev/dataknobs"
)

// transport sets how a store's connections are made: enough of them are kept
// for all requests that may be under way.
func transport(o *Options, t *http.Transport) error {
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, o.Parallel+8
	t.ResponseHeaderTimeout = o.Timeout
	t.DisableCompression = true
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.InsecureTLS} //nolint:gosec // only when told to
	if o.CAFile == "" {
		return nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "option ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "option ca_file: %s holds no certificate", o.CAFile)
	}
	t.TLSClientConfig.RootCAs = pool
	return nil
}

// connect makes the client of the store. No request is sent to the store.
func (d *Driver) connect(ctx context.Context) error {
	o := &d.o
	var bad error
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { bad = transport(o, t) })),
		config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer { return d.retryer() }),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	switch {
	case o.Anonymous:
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	case o.AccessKey != "":
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, o.SessionToken)))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err == nil {
		err = bad
	}
	if err != nil {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the AWS configuration cannot be read: %w", err)
	}
	if b, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok { // with AWS_CA_BUNDLE in it
		t := b.GetTransport()
		cfg.HTTPClient, d.idle = &http.Client{Transport: bounded{t}, CheckRedirect: noRedirect}, t.CloseIdleConnections
	}
	d.client = s3.NewFromConfig(cfg, d.configure)
	if d.client.Options().Region == "" {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "no region is set").WithHint("say region=, or set AWS_REGION")
	}
	return nil
}

// A bounded transport reads no more than fits of what the SDK reads into memory:
// errors, and all answers but listings and objects, which have bounds of their own.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode >= 300:
		resp.Body = http.MaxBytesReader(nil, resp.Body, 1<<20)
	case r.Method != http.MethodGet || r.URL.Query().Has("uploads"):
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxListing)
	}
	return resp, nil
}

// noRedirect returns answers as they are: S3's redirects name the right region
// in a body that says more than a failed attempt to follow them.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// configure sets what differs between Amazon and the servers that are like it.
func (d *Driver) configure(so *s3.Options) {
	o := &d.o
	if o.Endpoint != "" {
		so.BaseEndpoint = aws.String(o.Endpoint)
	}
	so.UsePathStyle = o.PathStyle
	so.APIOptions = append(so.APIOptions, watchAttempts)
	so.DisableLogOutputChecksumValidationSkipped = true
	if so.BaseEndpoint == nil {
		return
	}
	// Checksums in trailers are refused by many servers; the signature covers
	// the content anyway, and what is read is checked by the store's own checksum.
	so.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	so.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	if so.Region == "" {
		so.Region = "us-east-1"
	}
}

// retryer retries as the SDK does, without its bound on retries over all
// requests, and tells the limiter when the server asks to slow down.
func (d *Driver) retryer() aws.RetryerV2 {
	standard := retry.NewStandard(func(so *retry.StandardOptions) {
		so.MaxAttempts = d.o.Attempts
		so.Backoff = retry.BackoffDelayerFunc(backoff)
		so.RateLimiter = ratelimit.None
	})
	return &slowRetryer{RetryerV2: standard, limit: d.limit}
}

// backoff is how long to wait before a retry: a random part of 50 ms, 100 ms,
// 200 ms and so on up to 5 s.
func backoff(attempt int, _ error) (time.Duration, error) {
	most := min(50*time.Millisecond<<min(attempt, 10), 5*time.Second)
	return rand.N(most) + most/10, nil //nolint:gosec // a random pause guards no secret
}

type slowRetryer struct {
	aws.RetryerV2
	limit *limiter
}

// RetryDelay implements aws.Retryer.
func (r *slowRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if throttled(err) {
		r.limit.slow()
	}
	return r.RetryerV2.RetryDelay(attempt, err)
}
