package s3_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/s3"
	"dataknobs.dev/dataknobs/internal/servers"
)

// A record is read with the revision that it had, and no other, whoever replaces
// or removes it meanwhile: versitygw mixes the attributes of the two objects in
// some of its answers.
func TestReadsAreOfOneWrite(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.open(t, nil)
		reader := p.again(t, s.o)
		var over atomic.Bool
		written := map[string]int64{} // by revision
		reads := map[string]int64{}
		together(2, func(i int) {
			if i == 0 {
				defer over.Store(true)
				for n := range int64(150) {
					res, err := s.Put(t.Context(), rec("x", "n", n))
					wantCode(t, err, 0, "put")
					written[res.Revision] = n
					if n%5 == 4 {
						wantCode(t, s.Delete(t.Context(), "x"), 0, "delete")
					}
				}
				return
			}
			for !over.Load() {
				switch r, err := reader.Get(t.Context(), "x"); dataknobs.CodeOf(err) {
				case 0:
					reads[r.Revision] = r.Get("n").Int()
				case dataknobs.NotFound:
				default:
					t.Errorf("get: %v", err)
				}
			}
		})
		for revision, n := range reads {
			if want, ok := written[revision]; !ok || want != n {
				t.Errorf("revision %s was read with n = %d, and written with %d (%v)", revision, n, want, ok)
			}
		}
	})
}

// tornPlace is a place behind a proxy, with two revisions of x.
func tornPlace(t *testing.T) (x *proxy, through *store, old, now string) {
	p := placeOn(t, servers.S3Servers["minio"](t))
	x = newProxy(t, p)
	through = p.through(t, x, nil)
	direct := p.again(t, func() s3.Options { o := through.o; o.Endpoint = p.Endpoint; return o }())
	a, err := direct.Put(t.Context(), rec("x", "n", 1))
	if err != nil {
		t.Fatal(err)
	}
	b, err := direct.Put(t.Context(), rec("x", "n", 2))
	if err != nil {
		t.Fatal(err)
	}
	direct.create(t, rec("y", "n", 3))
	return x, through, a.Revision, b.Revision
}

// reads reports whether a request is for the content or the attributes of an object.
func reads(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.HasSuffix(r.URL.Path, ".json")
}

func TestTornAnswersAreAskedForAgain(t *testing.T) {
	t.Run("the ETag of the write before", func(t *testing.T) {
		x, s, old, now := tornPlace(t)
		var torn atomic.Int64
		x.set(nil, func(r *http.Response) error {
			if reads(r.Request) && torn.Add(1) <= 2 {
				r.Header.Set("ETag", `"`+old+`"`)
			}
			return nil
		})
		r, err := s.Get(t.Context(), "x")
		if err != nil || r.Revision != now || r.Get("n").Int() != 2 {
			t.Errorf("got %v (%v), wanted revision %s", r, err, now)
		}
		if torn.Load() < 3 {
			t.Errorf("%d answers were asked for", torn.Load())
		}
	})
	t.Run("the header of a tombstone", func(t *testing.T) {
		x, s, _, now := tornPlace(t)
		var torn atomic.Int64
		x.set(nil, func(r *http.Response) error {
			if reads(r.Request) && torn.Add(1) == 1 {
				r.Header.Set("X-Amz-Meta-Dataknobs", "1 abc deleted 0123456789abcdef0123456789abcdef")
			}
			return nil
		})
		wantCode(t, s.Delete(t.Context(), "x", dataknobs.IfRevision(now)), 0, "delete")
		wantCode(t, s.Delete(t.Context(), "y"), 0, "delete of another")
	})
	t.Run("the content of another write", func(t *testing.T) {
		x, s, _, now := tornPlace(t)
		var torn atomic.Int64
		x.set(nil, func(r *http.Response) error {
			if reads(r.Request) && torn.Add(1) == 1 {
				r.Body = &replaced{r.Body}
			}
			return nil
		})
		r, err := s.Get(t.Context(), "x")
		if err != nil || r.Revision != now || r.Get("n").Int() != 2 {
			t.Errorf("got %v (%v), wanted revision %s", r, err, now)
		}
	})
	t.Run("every answer", func(t *testing.T) {
		x, s, _, _ := tornPlace(t)
		var torn atomic.Int64
		x.set(nil, func(r *http.Response) error {
			if reads(r.Request) {
				r.Header.Set("ETag", fmt.Sprintf(`"%032x"`, torn.Add(1)))
			}
			return nil
		})
		start := time.Now()
		_, err := s.Get(t.Context(), "x")
		wantCode(t, err, dataknobs.Unavailable, "get")
		if torn.Load() > 20 || time.Since(start) > 10*time.Second {
			t.Errorf("%d requests in %v", torn.Load(), time.Since(start))
		}
	})
}

// Where ETags are no MD5, as of objects under a key of KMS, nothing is asked for
// again once that is known.
func TestOtherETags(t *testing.T) {
	x, s, _, _ := tornPlace(t)
	var requests atomic.Int64
	x.set(nil, func(r *http.Response) error {
		if reads(r.Request) {
			requests.Add(1)
			r.Header.Set("ETag", strings.ToUpper(r.Header.Get("ETag")))
		}
		return nil
	})
	for i, most := range []int64{3, 4} {
		id := []string{"x", "y"}[i]
		r, err := s.Get(t.Context(), id)
		if err != nil || r.Revision != strings.ToUpper(r.Revision) {
			t.Errorf("get %s: %v (%v)", id, r, err)
		}
		if n := requests.Load(); n > most {
			t.Errorf("%d requests up to the record %s, wanted %d", n, id, most)
		}
	}
}

// A replaced body has other bytes, as many.
type replaced struct{ io.ReadCloser }

func (r *replaced) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	copy(p[:n], "        ")
	return n, err
}
