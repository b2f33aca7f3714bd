package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dataknobs.dev/dataknobs"
)

// A meter counts what one call costs and ends it when it has cost too much.
// The zero value and nil only let through.
type meter struct {
	stats       *dataknobs.ScanStats
	maxRequests int64 // 0: no bound
	maxBytes    int64
	requests    atomic.Int64
	bytes       atomic.Int64
}

// request counts one request before it is sent.
func (m *meter) request() error {
	if m == nil {
		return nil
	}
	if n := m.requests.Add(1); m.maxRequests > 0 && n > m.maxRequests {
		return dataknobs.Errorf(dataknobs.ResourceExhausted, "this takes more than the %d requests that max_requests allows", m.maxRequests).
			WithHint("narrow the condition on _id, or raise max_requests")
	}
	if m.stats != nil {
		m.stats.Calls.Add(1)
	}
	return nil
}

// read counts bytes that are about to be read.
func (m *meter) read(n int64) error {
	if m == nil {
		return nil
	}
	if sum := m.bytes.Add(n); m.maxBytes > 0 && sum > m.maxBytes {
		return dataknobs.Errorf(dataknobs.ResourceExhausted, "this reads more than the %d bytes that max_bytes allows", m.maxBytes).
			WithHint("narrow the condition on _id, or raise max_bytes")
	}
	if m.stats != nil {
		m.stats.Bytes.Add(n)
	}
	return nil
}

// do sends one request within the store's bounds and classifies its error.
func (d *Driver) do(ctx context.Context, m *meter, what, key string, send func(ctx context.Context) error) error {
	if d.closed.Load() {
		return errClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := m.request(); err != nil {
		return err
	}
	if err := d.limit.acquire(ctx); err != nil {
		return err
	}
	err := send(ctx)
	if err != nil && throttled(err) {
		d.limit.slow()
	}
	d.limit.release(err == nil)
	return d.classify(ctx, what, key, err)
}

// A state is what is known of an object.
type state struct {
	etag     string
	size     int64
	mark     mark
	modified time.Time // by the server's clock, as now
	now      time.Time
}

// dead reports whether the object is a tombstone.
func (s *state) dead() bool { return s.mark.dead }

// head asks for the state of an object; nil if there is none.
func (d *Driver) head(ctx context.Context, m *meter, key string) (*state, error) {
	var t tear
	for {
		s, err := d.headOnce(ctx, m, key)
		if err != nil || s == nil {
			return nil, err
		}
		if again, err := t.again(ctx, d, s.etag, s.mark, nil); err != nil || !again {
			return s, err
		}
	}
}

func (d *Driver) headOnce(ctx context.Context, m *meter, key string) (*state, error) {
	var out *s3.HeadObjectOutput
	err := d.do(ctx, m, "look at", key, func(ctx context.Context) (err error) {
		out, err = d.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &d.bucket, Key: &key})
		return err
	})
	if err == errAbsent {
		return nil, nil
	}
	if err != nil {
		return nil, d.explained(ctx, m, key, err)
	}
	if trimETag(out.ETag) == "" {
		return nil, errNoETag
	}
	s := &state{
		etag: trimETag(out.ETag), size: aws.ToInt64(out.ContentLength), mark: markOf(out.Metadata),
		modified: aws.ToTime(out.LastModified),
	}
	s.now, _ = awsmiddleware.GetServerTime(out.ResultMetadata)
	if s.now.IsZero() {
		s.now = time.Now()
	}
	return s, nil
}

// explained returns the error of a read where that says more than err: the
// answer to a HEAD has no body that could name the reason.
func (d *Driver) explained(ctx context.Context, m *meter, key string, err error) error {
	if status, _, _ := details(err); status == 0 || status >= 500 && status != 507 || dataknobs.IsContext(err) {
		return err
	}
	why := d.do(ctx, m, "look at", key, func(ctx context.Context) error {
		out, err := d.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &d.bucket, Key: &key, Range: aws.String("bytes=0-0")})
		if err == nil {
			out.Body.Close()
		}
		return err
	})
	if why == nil || why == errAbsent {
		return err
	}
	return why
}

func trimETag(s *string) string { return strings.Trim(aws.ToString(s), `"`) }

// errNoETag is the error of an answer that cannot be one of an S3 server.
var errNoETag = dataknobs.Errorf(dataknobs.Internal, "the server's answer has no ETag").
	WithHint("something else than an S3 server may have answered, such as a proxy")

func quoteETag(s string) *string { return aws.String(`"` + s + `"`) }

// A fetched is the content of an object.
type fetched struct {
	etag string
	body []byte
	meta map[string]string
	same bool // it is what the caller has already: no body
}

// attempts is how often a body that ended early is asked for.
const bodyAttempts = 4

// fetch reads an object. The error is errAbsent where there is none. have, if
// not empty, is the ETag of a content that need not be sent again.
func (d *Driver) fetch(ctx context.Context, m *meter, key, have string) (*fetched, error) {
	var t tear
	for attempt := 1; ; {
		f, err := d.fetchOnce(ctx, m, key, have)
		if err == nil && !f.same {
			again, err := t.again(ctx, d, f.etag, markOf(f.meta), f.body)
			if again && err == nil {
				continue
			}
			return f, err
		}
		if err == nil || attempt == bodyAttempts || !errors.Is(err, errCut) {
			return f, err
		}
		attempt++
		delay, _ := backoff(attempt-1, nil)
		if err := sleep(ctx, delay); err != nil {
			return nil, err
		}
	}
}

var errCut = dataknobs.Errorf(dataknobs.Unavailable, "the content ended early")

func (d *Driver) fetchOnce(ctx context.Context, m *meter, key, have string) (*fetched, error) {
	f := &fetched{}
	in := &s3.GetObjectInput{Bucket: &d.bucket, Key: &key}
	if have != "" {
		in.IfNoneMatch = quoteETag(have)
	}
	err := d.do(ctx, m, "read", key, func(ctx context.Context) error {
		out, err := d.client.GetObject(ctx, in)
		if err != nil {
			status, _, _ := details(err)
			if f.same = have != "" && status == 304; f.same {
				f.etag = have
				return nil
			}
			return err
		}
		defer out.Body.Close()
		f.etag, f.meta = trimETag(out.ETag), out.Metadata
		if f.etag == "" {
			return errNoETag
		}
		f.body, err = readAll(ctx, out.Body, aws.ToInt64(out.ContentLength))
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, m.read(int64(len(f.body)))
}

// readAll reads size bytes; fewer are errCut.
func readAll(ctx context.Context, r io.Reader, size int64) ([]byte, error) {
	if size > dataknobs.MaxRecordBytes*2 {
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "it has %d bytes, which no record has", size)
	}
	body := make([]byte, size)
	n, err := io.ReadFull(r, body)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, dataknobs.Errorf(dataknobs.Unavailable, "the content ended after %d of %d bytes: %w", n, size, errCut)
	}
	// What follows the last byte may be a checksum that did not match.
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != nil && err != io.EOF {
		return nil, dataknobs.Errorf(dataknobs.Unavailable, "the content is damaged: %w", errCut)
	}
	return body, nil
}

// A condition is what must be true of an object for it to be replaced. The zero
// value: anything.
type condition struct {
	absent bool
	etag   string
}

func (c condition) any() bool { return !c.absent && c.etag == "" }

// headers are If-None-Match and If-Match of a request under the condition.
func (c condition) headers() (noneMatch, match *string) {
	switch {
	case c.absent:
		return aws.String("*"), nil
	case c.etag != "":
		return nil, quoteETag(c.etag)
	}
	return nil, nil
}

// put uploads an object and returns its ETag. The error is errPrecondition
// where the condition does not hold; the upload may have been made by an
// attempt whose answer was lost, which the object's mark shows.
func (d *Driver) put(ctx context.Context, key string, e *encoded, c condition) (string, error) {
	if e.size >= d.o.MultipartThreshold && d.multipartOK(ctx, c) {
		return d.putParts(ctx, key, e, c)
	}
	in := &s3.PutObjectInput{
		Bucket: &d.bucket, Key: &key, Body: bytes.NewReader(e.body), ContentLength: &e.size,
		ContentType: &contentType, Metadata: e.meta,
	}
	if e.tags != "" {
		in.Tagging = &e.tags
	}
	in.StorageClass, in.ServerSideEncryption = d.o.storageClass(), d.o.encryption()
	if d.o.KMSKey != "" {
		in.SSEKMSKeyId = &d.o.KMSKey
	}
	in.IfNoneMatch, in.IfMatch = c.headers()
	etag, err := d.upload(ctx, key, func(ctx context.Context) (*string, error) {
		out, err := d.client.PutObject(ctx, in)
		if err != nil {
			return nil, err
		}
		return out.ETag, nil
	})
	if err == nil && e.md5 != "" && etag != e.md5 {
		d.otherETags.Store(true)
	}
	return etag, err
}

// upload makes an object by one request under a condition, and returns its ETag.
func (d *Driver) upload(ctx context.Context, key string, send func(ctx context.Context) (*string, error)) (string, error) {
	var etag string
	err := d.do(ctx, nil, "write", key, func(ctx context.Context) error {
		tag, err := send(ctx)
		if etag = trimETag(tag); err == nil && etag == "" {
			err = errNoETag
		}
		return err
	})
	if err == errAbsent { // what If-Match asked for
		err = errPrecondition
	}
	return etag, err
}

var contentType = "application/json"

// remove deletes an object, if there is one. etag, if not empty, is what it
// must be, for servers that look at it.
func (d *Driver) remove(ctx context.Context, key, etag string) error {
	in := &s3.DeleteObjectInput{Bucket: &d.bucket, Key: &key}
	if etag != "" {
		in.IfMatch = quoteETag(etag)
	}
	err := d.do(ctx, nil, "delete", key, func(ctx context.Context) error {
		_, err := d.client.DeleteObject(ctx, in)
		return err
	})
	if err == errAbsent {
		return nil
	}
	return err
}

// removeMany deletes objects, at most 1,000, and returns the errors by key of
// those that it could not.
func (d *Driver) removeMany(ctx context.Context, keys []string) (map[string]error, error) {
	in := &s3.DeleteObjectsInput{Bucket: &d.bucket, Delete: &types.Delete{Quiet: aws.Bool(true)}}
	for _, k := range keys {
		in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: aws.String(k)})
	}
	failed := map[string]error{}
	err := d.do(ctx, nil, "delete objects of", "", func(ctx context.Context) error {
		out, err := d.client.DeleteObjects(ctx, in)
		if err != nil {
			return err
		}
		for _, e := range out.Errors {
			r := ruleOf(0, aws.ToString(e.Code), errPrecondition)
			failed[aws.ToString(e.Key)] = dataknobs.Errorf(r.code, "cannot delete the object %s: %s", aws.ToString(e.Key), aws.ToString(e.Message))
		}
		return nil
	})
	return failed, err
}

// A listed is one object of a listing.
type listed struct {
	key      string
	etag     string
	size     int64
	modified time.Time
}

// listPage returns the objects after a key, at most most, in the order of their
// keys, and whether there are more.
func (d *Driver) listPage(ctx context.Context, m *meter, prefix, after string, most int) (page []listed, more bool, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &d.bucket, EncodingType: types.EncodingTypeUrl}
	if prefix != "" {
		in.Prefix = &prefix
	}
	if after != "" {
		in.StartAfter = &after
	}
	if most < pageSize {
		in.MaxKeys = aws.Int32(int32(most))
	}
	l := &listingDecoder{}
	err = d.do(ctx, m, "list", "", func(ctx context.Context) error {
		_, err := d.client.ListObjectsV2(ctx, in, l.options)
		return err
	})
	if err == nil && slices.ContainsFunc(l.page, func(o listed) bool { return o.etag == "" || o.size < 0 }) {
		err = dataknobs.Errorf(dataknobs.DataLoss, "the answer to a listing cannot be read: it holds an object without an ETag or a size")
	}
	if n := len(l.page); err == nil && (n == 0 && l.more || n > 0 && l.page[n-1].key <= after) {
		err = dataknobs.Errorf(dataknobs.Internal, "the server's listing does not go on after %q", after)
	}
	return l.page, l.more, err
}

// pageSize is how many objects a listing returns at once.
const pageSize = 1000

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
