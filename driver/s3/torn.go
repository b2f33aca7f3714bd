package s3

import (
	"context"
	"hash/crc32"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

// An answer is torn that has the ETag of one write and the content or the header
// of another. Servers that keep an object's attributes in a file system
// (versitygw 1.8) give such answers, one in a few hundred, while the object is being
// replaced. None may be believed: a write on the condition of that ETag would be
// decided on what it does not replace.
//
// A record's header has the MD5 of its content, which is its ETag, and so ties all
// three together. Where ETags are something else, answers that repeat say so.

// tornTries bounds how often a torn answer is asked for again, sameTries after how
// many answers alike it is not taken for torn any more: no write is replaced twice.
const (
	tornTries = 20
	sameTries = 3
)

var errTorn = dataknobs.Errorf(dataknobs.Unavailable, "the object changes faster than the server can answer for it")

// A tear follows the answers for one object.
type tear struct {
	n, same int
	etag    string
	mark    mark
}

// again reports whether the object must be asked for again, and waits before
// that. body is its content, nil where it was not asked for.
func (t *tear) again(ctx context.Context, d *Driver, etag string, m mark, body []byte) (bool, error) {
	tied := d.tied(etag, m)
	if tied && (body == nil || m.dead || !m.ok || crc32.Checksum(body, castagnoli) == m.sum) {
		return false, nil
	}
	t.n++
	if t.same++; etag != t.etag || m != t.mark {
		t.same, t.etag, t.mark = 1, etag, m
	}
	switch {
	case t.same >= sameTries:
		if !tied {
			d.otherETags.Store(true)
		}
		return false, nil
	case t.n >= tornTries:
		return false, errTorn
	}
	return true, sleep(ctx, time.Millisecond<<min(t.n, 5))
}

// tied reports whether an ETag and a header are of one write, as far as the
// server's ETags can tell.
func (d *Driver) tied(etag string, m mark) bool {
	return m.md5 == "" || m.md5 == etag || strings.Contains(etag, "-") || d.otherETags.Load()
}
