package s3_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
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
	for _, l := range hostile.S3 {
		t.Run(l.Name, func(t *testing.T) {
			x.set(func(w http.ResponseWriter, r *http.Request) bool {
				if !l.Tells(r) || l.On == "" && strings.Contains(r.URL.RawQuery, "list-type") {
					return false
				}
				l.ServeHTTP(w, r)
				return true
			}, nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if l.Want == "deadline" {
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			}
			defer cancel()
			var err error
			peak, took := hostile.Cost(func() { err = lied(ctx, t, s.DB, l.Do) })
			if got := codeOf(err); got != l.Want {
				t.Errorf("%s: got %v (code %q), wanted the code %q", l.Do, err, got, l.Want)
			}
			if err != nil && len(err.Error()) > 4000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if took > 20*time.Second || peak > 512<<20 {
				t.Errorf("%s took %v and %d MiB", l.Do, took, peak>>20)
			}
			x.set(nil, nil)
			settled(t)
			if r, err := s.Get(t.Context(), "x"); err != nil || r.Get("n").Int() != 1 {
				t.Errorf("afterwards the record is %v (%v)", r, err)
			}
		})
	}
}

func codeOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	}
	return dataknobs.CodeOf(err).Error()
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

// settled waits until nothing of the driver runs any more.
func settled(t *testing.T) {
	t.Helper()
	var stacks string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() {
		all := make([]byte, 1<<20)
		stacks = string(all[:runtime.Stack(all, true)])
		if !strings.Contains(stacks, "dataknobs/driver/s3.") {
			return
		}
	}
	t.Errorf("goroutines are left:\n%.3000s", stacks)
}
