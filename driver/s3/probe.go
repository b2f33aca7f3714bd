package s3

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"dataknobs.dev/dataknobs"
)

// abilities are what a server was found to do, by trying.
type abilities struct {
	known   bool
	put     bool // conditional PutObject
	delete  bool // conditional DeleteObject
	parts   bool // conditional CompleteMultipartUpload
	partsOK bool // parts is known
}

// probePrefix begins the names of the objects by which a server is tried. They
// do not end as the names of records do.
const probePrefix = ".dataknobs-probe-"

// probeTimeout bounds the removal of what a probe left.
const probeTimeout = 10 * time.Second

// abilities finds out, once, what the server can do.
func (d *Driver) abilities(ctx context.Context) (abilities, error) {
	d.probing.Lock()
	defer d.probing.Unlock()
	if d.can.known {
		return d.can, nil
	}
	can, err := d.probe(ctx)
	if err == nil {
		d.can = can
	}
	return can, err
}

// probe writes a small object and replaces and deletes it under conditions
// that do not hold.
func (d *Driver) probe(ctx context.Context) (abilities, error) {
	can := abilities{known: true}
	key := d.probeKey()
	body := &encoded{body: []byte("probe\n"), size: 6}
	_, err := d.put(ctx, key, body, condition{absent: true})
	if refusesConditions(err) {
		return can, nil
	}
	if err != nil {
		return can, err
	}
	defer d.cleanup(ctx, func(ctx context.Context) { _ = d.remove(ctx, key, "") })
	for _, c := range []condition{{absent: true}, {etag: wrongETag}} {
		switch _, err := d.put(ctx, key, body, c); {
		case err == nil || refusesConditions(err):
			return can, nil
		case err != errPrecondition:
			return can, err
		}
	}
	can.put = true
	err = d.remove(ctx, key, wrongETag)
	can.delete = err == errPrecondition
	if dataknobs.IsContext(err) {
		return can, err
	}
	return can, nil
}

const wrongETag = "00000000000000000000000000000000"

func (d *Driver) probeKey() string {
	return d.prefix + probePrefix + strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // a name in a bucket that is ours, no secret
}

// refusesConditions reports whether a server says that it knows no conditions.
func refusesConditions(err error) bool {
	code := dataknobs.CodeOf(err)
	return code == dataknobs.Unsupported || code == dataknobs.InvalidArgument
}

// cleanup calls f with a context that outlives ctx for a moment.
func (d *Driver) cleanup(ctx context.Context, f func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	f(ctx)
}

// probeParts finds out whether a multipart upload obeys conditions when it is
// completed.
func (d *Driver) probeParts(ctx context.Context) bool {
	key := d.probeKey()
	if _, err := d.put(ctx, key, &encoded{body: []byte("probe\n"), size: 6}, condition{}); err != nil {
		return false
	}
	defer d.cleanup(ctx, func(ctx context.Context) { _ = d.remove(ctx, key, "") })
	for _, c := range []condition{{absent: true}, {etag: wrongETag}} {
		e := &encoded{body: []byte("part\n"), size: 5}
		if _, err := d.putParts(ctx, key, e, c); err != errPrecondition {
			return false
		}
	}
	return true
}

// multipartOK reports whether an upload under that condition may be made in
// parts.
func (d *Driver) multipartOK(ctx context.Context, c condition) bool {
	if c.any() {
		return true
	}
	d.probing.Lock()
	defer d.probing.Unlock()
	if !d.can.partsOK {
		d.can.parts = d.probeParts(ctx)
		d.can.partsOK = ctx.Err() == nil
	}
	return d.can.parts
}

// putIfRead is put for a server without conditions: the condition is checked
// by a read before.
func (d *Driver) putIfRead(ctx context.Context, key string, e *encoded, c condition) (string, error) {
	if !c.any() {
		s, err := d.head(ctx, nil, key)
		switch {
		case err != nil:
			return "", err
		case c.absent && s != nil, c.etag != "" && (s == nil || s.etag != c.etag):
			return "", errPrecondition
		}
	}
	return d.put(ctx, key, e, condition{})
}
