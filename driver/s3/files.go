package s3

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/remote"
)

// openFiles opens objects that others made, read-only, by the codecs of the
// store over files.
func openFiles(ctx context.Context, o Options, c *dataknobs.Config) (dataknobs.Driver, error) {
	pattern := o.Prefix
	o.Prefix = ""
	d, err := New(ctx, o)
	if err != nil {
		return nil, err
	}
	params := map[string]string{}
	for _, x := range remote.Options() {
		if c.IsSet(x.Name) {
			params[x.Name] = c.String(x.Name)
		}
	}
	f := newFolder(d)
	store, err := remote.Open(ctx, f, "s3://"+o.Bucket+"/", pattern, params, c.Warn)
	if err != nil {
		f.Close()
		return nil, hintRecords(c, pattern, err)
	}
	return store, nil
}

// hintRecords says, where an option about files made a place of records one of
// files, that it did.
func hintRecords(c *dataknobs.Config, pattern string, err error) error {
	name := fileOption(c)
	var e *dataknobs.Error
	if name == "" || looksLikeFiles(pattern) || !errors.As(err, &e) || e.Code != dataknobs.NotFound {
		return err
	}
	return e.WithHint("the option %s is about files: leave it out to read records", name)
}

// A folder is a bucket as files are read from it.
type folder struct {
	d      *Driver
	ctx    context.Context // ends when the folder is closed
	cancel context.CancelFunc
	kept   segments
}

func newFolder(d *Driver) *folder {
	f := &folder{d: d, kept: segments{most: keptBytes}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// List implements remote.Folder.
func (f *folder) List(ctx context.Context, prefix string, most int) ([]remote.File, error) {
	var files []remote.File
	for after := ""; ; {
		page, more, err := f.d.listPage(ctx, nil, prefix, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, o := range page {
			if strings.HasSuffix(o.key, "/") {
				continue // what some tools make for a folder
			}
			files = append(files, remote.File{Name: o.key, Size: o.size, Modified: o.modified, Version: o.etag})
		}
		if len(files) > most {
			return nil, dataknobs.Errorf(dataknobs.ResourceExhausted, "there are more than %d objects below s3://%s/%s", most, f.d.bucket, prefix)
		}
		if !more || len(page) == 0 {
			return files, nil
		}
		after = page[len(page)-1].key
	}
}

// Close implements remote.Folder.
func (f *folder) Close() error {
	f.cancel()
	f.kept.drop()
	return f.d.Close()
}

// get starts reading a part of a file; size -1: all that follows. The content
// is that of the version that was listed.
func (f *folder) get(ctx context.Context, x remote.File, from, size int64) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Bucket: &f.d.bucket, Key: &x.Name, IfMatch: quoteETag(x.Version)}
	switch {
	case size >= 0:
		in.Range = aws.String(rangeText(from, from+size-1))
	case from > 0:
		in.Range = aws.String(rangeText(from, -1))
	}
	var body io.ReadCloser
	err := f.d.do(ctx, nil, "read", x.Name, func(ctx context.Context) error {
		out, err := f.d.client.GetObject(ctx, in)
		if err == nil {
			body = out.Body
		}
		return err
	})
	switch err {
	case errPrecondition:
		return nil, dataknobs.Errorf(dataknobs.Unavailable, "the object %s/%s has been replaced since the store was opened", f.d.bucket, x.Name).
			WithHint("open the store again")
	case errAbsent:
		return nil, dataknobs.Errorf(dataknobs.NotFound, "the object %s/%s is no longer there", f.d.bucket, x.Name)
	}
	return body, err
}

// Open implements remote.Folder.
func (f *folder) Open(ctx context.Context, x remote.File) (io.ReadCloser, error) {
	if x.Size == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	s := &stream{f: f, x: x}
	s.ctx, s.cancel = context.WithCancel(ctx)
	if err := s.resume(); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

// A stream reads a file from its beginning and goes on where a connection
// broke. Close may be called while another goroutine reads, which then ends.
type stream struct {
	f      *folder
	x      remote.File
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu     sync.Mutex // held while reading; guards the fields below
	body   io.ReadCloser
	at     int64
	broken int // how often in a row
}

func (s *stream) resume() (err error) {
	s.body, err = s.f.get(s.ctx, s.x, s.at, -1)
	return err
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.at >= s.x.Size {
			return 0, io.EOF
		}
		n, err := s.body.Read(p)
		s.at += int64(n)
		if n > 0 {
			s.broken = 0
			return n, nil
		}
		if err == nil {
			continue
		}
		if s.ctx.Err() != nil {
			return 0, s.ctx.Err()
		}
		if s.broken++; s.broken == bodyAttempts {
			return 0, dataknobs.Errorf(dataknobs.Unavailable, "reading the object %s/%s broke off at byte %d: %w", s.f.d.bucket, s.x.Name, s.at, err)
		}
		s.body.Close()
		delay, _ := backoff(s.broken, nil)
		if err := sleep(s.ctx, delay); err != nil {
			return 0, err
		}
		body := s.body
		if err := s.resume(); err != nil {
			s.body = body // closed already
			return 0, err
		}
	}
}

// Close implements io.Closer.
func (s *stream) Close() error {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body.Close()
}

// readPart reads a part of a file whole.
func (f *folder) readPart(x remote.File, from, size int64) ([]byte, error) {
	b := make([]byte, size)
	for attempt := 1; ; attempt++ {
		err := f.tryPart(x, from, b)
		if err == nil || attempt == bodyAttempts || dataknobs.CodeOf(err) != dataknobs.Unavailable || f.ctx.Err() != nil {
			return b, err
		}
		delay, _ := backoff(attempt, nil)
		if err := sleep(f.ctx, delay); err != nil {
			return nil, errClosed
		}
	}
}

func (f *folder) tryPart(x remote.File, from int64, b []byte) error {
	ctx, cancel := context.WithTimeout(f.ctx, f.d.o.Timeout+time.Duration(len(b)/slowest)*time.Second)
	defer cancel()
	body, err := f.get(ctx, x, from, int64(len(b)))
	if err == nil {
		defer body.Close()
		if _, err = io.ReadFull(body, b); err != nil {
			err = dataknobs.Errorf(dataknobs.Unavailable, "reading the object %s/%s broke off: %w", f.d.bucket, x.Name, err)
		}
	}
	if f.ctx.Err() != nil {
		return errClosed
	}
	if dataknobs.IsContext(err) {
		return dataknobs.Errorf(dataknobs.Unavailable, "reading the object %s/%s took too long", f.d.bucket, x.Name)
	}
	return err
}

// slowest is how many bytes a second a transfer must make, at least.
const slowest = 64 << 10
