package elasticsearch_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/driver/internal/lies"
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
	limits := lies.Limits{Patience: time.Minute, Silence: 200 * time.Millisecond, Time: 20 * time.Second, Heap: 100 << 20}
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
			limits.Hold(t, l.Do, l.Want, func(ctx context.Context) error { return lied(ctx, t, db, p, l.Do) })
			p.set(nil)
			lies.Settled(t, func(stacks string) bool { // of connections apart
				return strings.Contains(stacks, "dataknobs/driver/elasticsearch.") && strings.Count(stacks, "\n\n")+1 > before
			})
			if r, err := db.Get(t.Context(), "x"); err != nil || r.Get("n").Int() != 1 {
				t.Errorf("afterwards the record is %v (%v)", r, err)
			}
		})
	}
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
