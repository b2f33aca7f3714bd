package s3

import (
	"context"
	"fmt"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// For the tests: what has no other way to be seen.

func Escape(id string) string { return string(appendEscaped(nil, id)) }

func Unescape(esc string) (string, bool) {
	d := &Driver{}
	return d.idOf(esc + suffix)
}

const Suffix = suffix

func Ancestors(esc string) []string { return ancestors(esc) }

// SetQuarantine changes how long a tombstone belongs to its writer.
func (d *Driver) SetQuarantine(t time.Duration) { d.quarantine = t }

// SetOrphanAge changes how old an abandoned upload is.
func (d *Driver) SetOrphanAge(t time.Duration) { d.orphanAge = t }

// Bury leaves a tombstone in a record's place, as a writer that died would.
func (d *Driver) Bury(ctx context.Context, id, etag string) error {
	key, err := d.key(id)
	if err == nil {
		_, err = d.put(ctx, key, tombstone(), condition{etag: etag})
	}
	return err
}

// Key is the name of the object of that ID.
func (d *Driver) Key(id string) string {
	key, _ := d.key(id)
	return key
}

// Probe is what the server was found to obey: conditions on PUT, on DELETE, on
// the completion of a multipart upload.
func (d *Driver) Probe(ctx context.Context) (put, del, parts bool, err error) {
	can, err := d.abilities(ctx)
	if err != nil {
		return false, false, false, err
	}
	return can.put, can.delete, d.multipartOK(ctx, condition{absent: true}), nil
}

// A Limiter is the bound on requests.
type Limiter = limiter

func NewLimiter(most int, now func() time.Time) *Limiter {
	l := newLimiter(most)
	l.now = now
	return l
}

func (l *limiter) Acquire(ctx context.Context) error { return l.acquire(ctx) }
func (l *limiter) Release(ok bool)                   { l.release(ok) }
func (l *limiter) Slow()                             { l.slow() }

// Current is the bound as it is now.
func (l *limiter) Current() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.limit)
}

// DecodeListing reads the answer to a listing: its objects as texts, and whether
// there are more.
func DecodeListing(body string) (objects []string, more bool, err error) {
	l := &listingDecoder{}
	if err := l.decode([]byte(body)); err != nil {
		return nil, false, err
	}
	for _, o := range l.page {
		objects = append(objects, fmt.Sprintf("%s %s %d %s", o.key, o.etag, o.size, o.modified.Format(time.RFC3339)))
	}
	return objects, l.more, nil
}

// RawHTTPClient is the client under the SDK's, for comparisons.
func RawHTTPClient(parallel int) *http.Client {
	t := awshttp.NewBuildableClient().GetTransport()
	_ = transport(&Options{Parallel: parallel, Timeout: time.Minute}, t)
	return &http.Client{Transport: t}
}
