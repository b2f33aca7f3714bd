package s3_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lies"
	"dataknobs.dev/dataknobs/driver/s3"
	"dataknobs.dev/dataknobs/internal/hostile"
	"dataknobs.dev/dataknobs/internal/servers"
)

// A server that lies, or is broken, is noticed: nothing is taken for an answer
// that is none, and no write is acknowledged that did not happen.
func TestLies(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, func(o *s3.Options) { o.Attempts, o.BodyCache = 2, -1 })
	s.create(t, rec("x", "n", 1))
	limits := lies.Limits{Patience: time.Minute, Silence: 200 * time.Millisecond, Time: 20 * time.Second, Heap: 512 << 20}
	for _, l := range hostile.S3 {
		t.Run(l.Name, func(t *testing.T) {
			x.set(func(w http.ResponseWriter, r *http.Request) bool {
				if !l.Tells(r) || l.On == "" && strings.Contains(r.URL.RawQuery, "list-type") {
					return false
				}
				l.ServeHTTP(w, r)
				return true
			}, nil)
			limits.Hold(t, l.Do, l.Want, func(ctx context.Context) error { return lied(ctx, t, s.DB, l.Do) })
			x.set(nil, nil)
			lies.Settled(t, func(stacks string) bool { return strings.Contains(stacks, "dataknobs/driver/s3.") })
			if r, err := s.Get(t.Context(), "x"); err != nil || r.Get("n").Int() != 1 {
				t.Errorf("afterwards the record is %v (%v)", r, err)
			}
		})
	}
}

// lied asks the store for something.
func lied(ctx context.Context, t *testing.T, db *dataknobs.DB, do string) error {
	var err error
	switch do {
	case "get":
		_, err = db.Get(ctx, "x")
	case "all":
		_, err = db.All(ctx, nil)
	case "put":
		_, err = db.Put(ctx, rec("x", "n", 2))
	default:
		t.Fatalf("nobody knows how to %s", do)
	}
	return err
}
