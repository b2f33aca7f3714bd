package elasticsearch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// A server that lies, or is broken, is noticed: nothing is taken for an answer
// that is none, and no write is acknowledged that did not happen.
func TestLies(t *testing.T) {
	db, p := behind(t, func(o *elasticsearch.Options) { o.Retries = 1 })
	if _, err := db.Put(t.Context(), rec("x", 1)); err != nil {
		t.Fatal(err)
	}
	elasticsearch.LimitAnswers(db.Driver(), 4<<20)
	for _, l := range hostile.Elasticsearch {
		t.Run(l.Name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			p.set(func(w http.ResponseWriter, r *http.Request) bool {
				if !l.Tells(r) {
					return false
				}
				l.ServeHTTP(w, r)
				return true
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if l.Want == "deadline" {
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			}
			defer cancel()
			var err error
			peak, took := hostile.Cost(func() { err = lied(ctx, t, db, p, l.Do) })
			if got := codeOf(err); got != l.Want {
				t.Errorf("%s: got %v (code %q), wanted the code %q", l.Do, err, got, l.Want)
			}
			if err != nil && len(err.Error()) > 4000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if took > 20*time.Second || peak > 100<<20 {
				t.Errorf("%s took %v and %d MiB", l.Do, took, peak>>20)
			}
			p.set(nil)
			settled(t, before)
			if r, err := db.Get(t.Context(), "x"); err != nil || r.Get("n").Int() != 1 {
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
func lied(ctx context.Context, t *testing.T, db *dataknobs.DB, p *proxy, do string) error {
	var err error
	switch do {
	case "open":
		d, err := elasticsearch.New(ctx, options(t, p.url, indexOf(db)))
		if err != nil {
			return err
		}
		defer d.Close()
		_, err = dataknobs.New(d, nil).All(ctx, nil)
		return err
	case "get":
		_, err = db.Get(ctx, "x")
	case "all", "pages":
		_, err = db.All(ctx, nil)
	case "first":
		_, err = db.All(ctx, dataknobs.MustParse("LIMIT 1"))
	case "count":
		_, err = db.Count(ctx, dataknobs.P("n").Gt(0))
	case "put":
		_, err = db.Put(ctx, rec("x", 2))
	case "put two":
		_, err = db.PutMany(ctx, []*dataknobs.Record{rec("x", 2), rec("y", 2)})
	default:
		t.Fatalf("nobody knows how to %s", do)
	}
	return err
}

// settled waits until no more goroutines run than before, of connections apart.
func settled(t *testing.T, before int) {
	t.Helper()
	var stacks string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() {
		all := make([]byte, 1<<20)
		stacks = string(all[:runtime.Stack(all, true)])
		if !strings.Contains(stacks, "dataknobs/driver/elasticsearch.") || strings.Count(stacks, "\n\n")+1 <= before {
			return
		}
	}
	t.Errorf("goroutines are left:\n%s", fmt.Sprintf("%.3000s", stacks))
}
