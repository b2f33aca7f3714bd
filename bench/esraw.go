package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// A rawElasticsearch is the official client: its transport and its functions
// for the calls, with structs and encoding/json around them.
type rawElasticsearch struct {
	*elastictransport.Client
	ctx   context.Context
	index string
}

func newRawElasticsearch(ctx context.Context, server, index string) (*rawElasticsearch, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true // as our store has it
	t.MaxIdleConnsPerHost = 64
	c, err := elastictransport.NewClient(elastictransport.WithURLs(u), elastictransport.WithTransport(t))
	return &rawElasticsearch{c, ctx, index}, err
}

// do makes a call and decodes the answer into x; nil: nobody looks at it.
func (r *rawElasticsearch) do(call esapi.Request, x any) error {
	res, err := call.Do(r.ctx, r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch {
	case res.IsError():
		return errors.New(res.String())
	case x == nil:
		return nil
	}
	return json.NewDecoder(res.Body).Decode(x)
}

// create makes the index with those mappings; "": the server guesses them from
// the first documents.
func (r *rawElasticsearch) create(mappings string) error {
	if err := r.drop(); err != nil {
		return err
	}
	body := `{"settings":{"number_of_shards":1,"number_of_replicas":0,"refresh_interval":"-1"}`
	if mappings != "" {
		body += `,"mappings":` + mappings
	}
	return r.do(esapi.IndicesCreateRequest{Index: r.index, Body: strings.NewReader(body + "}")}, nil)
}

func (r *rawElasticsearch) drop() error {
	return r.do(esapi.IndicesDeleteRequest{Index: []string{r.index}, IgnoreUnavailable: new(true)}, nil)
}

func (r *rawElasticsearch) refresh() error {
	return r.do(esapi.IndicesRefreshRequest{Index: []string{r.index}}, nil)
}

// settle waits until the server has merged what was written before, so that
// nobody pays for the work that another has left behind.
func (r *rawElasticsearch) settle() error {
	for {
		var a struct {
			All struct {
				Total struct{ Merges struct{ Current int } }
			} `json:"_all"`
		}
		if err := r.do(esapi.IndicesStatsRequest{Metric: []string{"merge"}}, &a); err != nil {
			return err
		}
		if a.All.Total.Merges.Current == 0 {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
}

// load does what the client's bulk indexer does with its settings left alone:
// requests of about 5 MB, one of them under way for each core. (The indexer
// itself pulls in the whole typed interface, minutes of compiling.) doc returns
// the i-th document.
func (r *rawElasticsearch) load(n int, id func(int) string, doc func(int) ([]byte, error)) error {
	const flush, workers = 5e6, 2
	bodies := make(chan []byte, workers)
	errs := make(chan error, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for body := range bodies {
				if err := r.bulk(body); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	var body []byte
	var failed error
	for i := range n {
		d, err := doc(i)
		if err != nil {
			failed = err
			break
		}
		body = fmt.Appendf(body, "{\"create\":{\"_id\":%q}}\n%s\n", id(i), d)
		if len(body) >= flush || i == n-1 {
			bodies <- body
			body = make([]byte, 0, flush+1<<10)
		}
	}
	close(bodies)
	wg.Wait()
	close(errs)
	return errors.Join(failed, <-errs, r.refresh())
}

// loadPlain loads a fresh index, under the server's own mapping, with what a
// program without dataknobs would send of the records.
func (r *rawElasticsearch) loadPlain(recs []*dataknobs.Record) (float64, error) {
	if err := r.create(""); err != nil {
		return 0, err
	}
	rows := make([]personRow, len(recs))
	for i, rec := range recs {
		if err := json.Unmarshal(rec.Fields.AppendJSON(nil), &rows[i]); err != nil {
			return 0, err
		}
	}
	runtime.GC()
	if err := r.settle(); err != nil {
		return 0, err
	}
	start := time.Now()
	err := r.load(len(recs), func(i int) string { return recs[i].ID }, func(i int) ([]byte, error) { return json.Marshal(&rows[i]) })
	return time.Since(start).Seconds(), err
}

func (r *rawElasticsearch) bulk(body []byte) error {
	var a struct {
		Errors bool `json:"errors"`
		Items  []map[string]struct {
			ID     string `json:"_id"`
			Status int    `json:"status"`
		} `json:"items"`
	}
	if err := r.do(esapi.BulkRequest{Index: r.index, Body: bytes.NewReader(body)}, &a); err != nil {
		return err
	}
	if a.Errors {
		return errors.New("an item of a bulk request failed")
	}
	return nil
}

// A found is the answer to a search.
type found struct {
	PIT  string `json:"pit_id"`
	Hits struct {
		Hits []struct {
			ID     string          `json:"_id"`
			Source personRow       `json:"_source"`
			Sort   json.RawMessage `json:"sort"`
		} `json:"hits"`
	} `json:"hits"`
}

// readAll pages through a view of the index.
func (r *rawElasticsearch) readAll() (int, error) {
	var pit struct {
		ID string `json:"id"`
	}
	if err := r.do(esapi.OpenPointInTimeRequest{Index: []string{r.index}, KeepAlive: "1m"}, &pit); err != nil {
		return 0, err
	}
	n := 0
	var after json.RawMessage
	for {
		body := map[string]any{"size": 5000, "track_total_hits": false, "sort": "_shard_doc", "pit": map[string]any{"id": pit.ID, "keep_alive": "1m"}}
		if after != nil {
			body["search_after"] = after
		}
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		var a found
		if err := r.do(esapi.SearchRequest{Body: bytes.NewReader(text)}, &a); err != nil {
			return 0, err
		}
		hits := a.Hits.Hits
		if len(hits) == 0 {
			break
		}
		n, after, pit.ID = n+len(hits), hits[len(hits)-1].Sort, a.PIT
	}
	return n, r.do(esapi.ClosePointInTimeRequest{Body: strings.NewReader(`{"id":"` + pit.ID + `"}`)}, nil)
}

func (r *rawElasticsearch) search(body string) (int, error) {
	var a found
	err := r.do(esapi.SearchRequest{Index: []string{r.index}, Body: strings.NewReader(body)}, &a)
	return len(a.Hits.Hits), err
}

// mappings are those of the index.
func (r *rawElasticsearch) mappings() (string, error) {
	var a map[string]struct {
		Mappings json.RawMessage `json:"mappings"`
	}
	err := r.do(esapi.IndicesGetMappingRequest{Index: []string{r.index}}, &a)
	return string(a[r.index].Mappings), err
}

// documents returns the documents of the index by their IDs, as they are kept.
func (r *rawElasticsearch) documents(n int) (map[string][]byte, error) {
	docs := make(map[string][]byte, n)
	body := `{"size":10000,"sort":["_dk.id"]}`
	for len(docs) < n {
		var a struct {
			Hits struct {
				Hits []struct {
					ID     string          `json:"_id"`
					Source json.RawMessage `json:"_source"`
					Sort   json.RawMessage `json:"sort"`
				} `json:"hits"`
			} `json:"hits"`
		}
		if err := r.do(esapi.SearchRequest{Index: []string{r.index}, Body: strings.NewReader(body)}, &a); err != nil {
			return nil, err
		}
		hits := a.Hits.Hits
		if len(hits) == 0 {
			return nil, fmt.Errorf("the index has %d documents, not %d", len(docs), n)
		}
		for _, h := range hits {
			docs[h.ID] = h.Source
		}
		body = `{"size":10000,"sort":["_dk.id"],"search_after":` + string(hits[len(hits)-1].Sort) + `}`
	}
	return docs, nil
}
