package speed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	_ "dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

const data = "../../../../shared/data/flights.csv.gz"

// A flight is a record as a program without this module would have it.
type flight struct {
	Year         int64     `json:"year"`
	Month        int64     `json:"month"`
	Day          int64     `json:"day"`
	DepTime      *int64    `json:"dep_time"`
	SchedDepTime int64     `json:"sched_dep_time"`
	DepDelay     *int64    `json:"dep_delay"`
	ArrTime      *int64    `json:"arr_time"`
	SchedArrTime int64     `json:"sched_arr_time"`
	ArrDelay     *int64    `json:"arr_delay"`
	Carrier      string    `json:"carrier"`
	Flight       int64     `json:"flight"`
	Tailnum      *string   `json:"tailnum"`
	Origin       string    `json:"origin"`
	Dest         string    `json:"dest"`
	AirTime      *int64    `json:"air_time"`
	Distance     int64     `json:"distance"`
	Hour         int64     `json:"hour"`
	Minute       int64     `json:"minute"`
	TimeHour     time.Time `json:"time_hour"`
}

func records(b *testing.B) []*dataknobs.Record {
	b.Helper()
	if _, err := os.Stat(data); err != nil {
		b.Skipf("needs the data set flights: %v", err)
	}
	n := 100_000
	if text := os.Getenv("DK_RECORDS"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	db, err := dataknobs.Open(b.Context(), "file:"+data+"?nulls=NA", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	q, err := dataknobs.Parse("limit " + strconv.Itoa(n))
	if err != nil {
		b.Fatal(err)
	}
	recs, err := db.All(b.Context(), q)
	if err != nil || len(recs) != n {
		b.Fatal(len(recs), err)
	}
	for i, r := range recs {
		r.ID = fmt.Sprintf("f%06d", i)
	}
	return recs
}

func flights(b *testing.B, recs []*dataknobs.Record) []flight {
	b.Helper()
	fs := make([]flight, len(recs))
	for i, r := range recs {
		text, err := json.Marshal(r.Fields.Map())
		if err != nil {
			b.Fatal(err)
		}
		if err := json.Unmarshal(text, &fs[i]); err != nil {
			b.Fatal(err)
		}
	}
	return fs
}

// A raw is the official client's transport, as its functions take it.
type raw struct {
	*elastictransport.Client
	b     *testing.B
	index string
}

func newRaw(b *testing.B, server, index string) *raw {
	b.Helper()
	u, err := url.Parse(server)
	if err != nil {
		b.Fatal(err)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = 64
	c, err := elastictransport.NewClient(elastictransport.WithURLs(u), elastictransport.WithTransport(t))
	if err != nil {
		b.Fatal(err)
	}
	return &raw{c, b, index}
}

// answer decodes an answer into x.
func (r *raw) answer(res *esapi.Response, err error, x any) {
	if err != nil {
		r.b.Fatal(err)
	}
	defer res.Body.Close()
	if res.IsError() {
		r.b.Fatal(res.String())
	}
	if x != nil {
		if err := json.NewDecoder(res.Body).Decode(x); err != nil {
			r.b.Fatal(err)
		}
	}
}

// load sends the flights in bulk requests of about 5 MiB, two at a time, as the
// client's own bulk indexer does. With documents it sends those as they are.
func (r *raw) load(fs []flight, documents [][]byte) {
	bodies := make(chan []byte, 2)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for body := range bodies {
				var a struct {
					Errors bool `json:"errors"`
				}
				res, err := esapi.BulkRequest{Index: r.index, Body: bytes.NewReader(body)}.Do(context.Background(), r)
				r.answer(res, err, &a)
				if a.Errors {
					r.b.Error("an item failed")
				}
			}
		})
	}
	var body []byte
	for i := range fs {
		var doc []byte
		if documents != nil {
			doc = documents[i]
		} else {
			doc, _ = json.Marshal(&fs[i])
		}
		body = fmt.Appendf(body, `{"create":{"_id":"f%06d"}}`+"\n%s\n", i, doc)
		if len(body) > 5<<20 {
			bodies <- body
			body = nil
		}
	}
	if len(body) > 0 {
		bodies <- body
	}
	close(bodies)
	wg.Wait()
	r.refresh()
}

func (r *raw) refresh() {
	res, err := esapi.IndicesRefreshRequest{Index: []string{r.index}}.Do(context.Background(), r)
	r.answer(res, err, nil)
}

type found struct {
	PIT  string `json:"pit_id"`
	Hits struct {
		Hits []struct {
			ID     string          `json:"_id"`
			Source flight          `json:"_source"`
			Sort   json.RawMessage `json:"sort"`
		} `json:"hits"`
	} `json:"hits"`
}

// readAll pages through a view of the index.
func (r *raw) readAll() int {
	var pit struct {
		ID string `json:"id"`
	}
	res, err := esapi.OpenPointInTimeRequest{Index: []string{r.index}, KeepAlive: "1m"}.Do(context.Background(), r)
	r.answer(res, err, &pit)
	n := 0
	var after json.RawMessage
	for {
		body := map[string]any{"size": 5000, "track_total_hits": false, "sort": "_shard_doc", "pit": map[string]any{"id": pit.ID, "keep_alive": "1m"}}
		if after != nil {
			body["search_after"] = after
		}
		var a found
		text, _ := json.Marshal(body)
		res, err := esapi.SearchRequest{Body: bytes.NewReader(text)}.Do(context.Background(), r)
		r.answer(res, err, &a)
		if len(a.Hits.Hits) == 0 {
			break
		}
		n += len(a.Hits.Hits)
		after, pit.ID = a.Hits.Hits[len(a.Hits.Hits)-1].Sort, a.PIT
	}
	res, err = esapi.ClosePointInTimeRequest{Body: strings.NewReader(`{"id":"` + pit.ID + `"}`)}.Do(context.Background(), r)
	r.answer(res, err, nil)
	return n
}

func (r *raw) search(body string) int {
	var a found
	res, err := esapi.SearchRequest{Index: []string{r.index}, Body: strings.NewReader(body)}.Do(context.Background(), r)
	r.answer(res, err, &a)
	return len(a.Hits.Hits)
}

func drop(b *testing.B, server, index string) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, server+"/"+index, nil)
	if err != nil {
		b.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
	}
}

func open(b *testing.B, server, index string) *dataknobs.DB {
	b.Helper()
	u, err := url.Parse(server)
	if err != nil {
		b.Fatal(err)
	}
	d, err := elasticsearch.New(b.Context(), elasticsearch.Options{Nodes: []*url.URL{u}, Index: index, Shards: 1, Replicas: 0, RefreshInterval: "-1"})
	if err != nil {
		b.Fatal(err)
	}
	return dataknobs.New(d, nil)
}

func stream(recs []*dataknobs.Record) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// documents are the records as the store has them in the index.
func documents(b *testing.B, server, index string, n int) [][]byte {
	r := newRaw(b, server, index)
	docs := make([][]byte, 0, n)
	for from := 0; from < n; from += 10_000 {
		var a struct {
			Hits struct {
				Hits []struct {
					Source json.RawMessage `json:"_source"`
				} `json:"hits"`
			} `json:"hits"`
		}
		body := fmt.Sprintf(`{"size":10000,"sort":["_dk.id"],"search_after":["4f%06d"]}`, from-1)
		if from == 0 {
			body = `{"size":10000,"sort":["_dk.id"]}`
		}
		res, err := esapi.SearchRequest{Index: []string{index}, Body: strings.NewReader(body)}.Do(context.Background(), r)
		r.answer(res, err, &a)
		for _, h := range a.Hits.Hits {
			docs = append(docs, h.Source)
		}
	}
	return docs
}

func mapping(b *testing.B, server, index string) string {
	res, err := http.Get(server + "/" + index + "/_mapping")
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	var m map[string]struct {
		Mappings json.RawMessage `json:"mappings"`
	}
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		b.Fatal(err)
	}
	return string(m[index].Mappings)
}

func create(b *testing.B, server, index, mappings string) {
	body := `{"settings":{"number_of_shards":1,"number_of_replicas":0,"refresh_interval":"-1"}`
	if mappings != "" {
		body += `,"mappings":` + mappings
	}
	req, _ := http.NewRequest(http.MethodPut, server+"/"+index, strings.NewReader(body+"}"))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode >= 300 {
		b.Fatal(res, err)
	}
	res.Body.Close()
}

// BenchmarkElasticsearch compares, in one run: loading (raw documents under the
// server's own mapping, the store's documents sent raw, the store), reading
// everything, a query that selects many, a sorted page and one record.
func BenchmarkElasticsearch(b *testing.B) {
	server := servers.Elasticsearch(b)
	recs := records(b)
	fs := flights(b, recs)
	const own, natural, same = "speed-own", "speed-natural", "speed-same"
	for _, i := range []string{own, natural, same} {
		drop(b, server, i)
		defer drop(b, server, i)
	}
	perRecord := func(b *testing.B, n int) {
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	}
	var db *dataknobs.DB
	loadStore := func() {
		if _, err := db.Load(b.Context(), stream(recs), nil); err != nil {
			b.Fatal(err)
		}
		if err := db.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	db = open(b, server, own)
	loadStore()
	docs, mappings := documents(b, server, own, len(recs)), mapping(b, server, own)
	// By turns, since the server is faster the longer it runs; the best counts.
	b.Run("load", func(b *testing.B) {
		best := map[string]time.Duration{}
		for b.Loop() {
			for _, turn := range []struct {
				name    string
				prepare func()
				load    func()
			}{
				{"store", func() { drop(b, server, own); db.Close(); db = open(b, server, own) }, loadStore},
				{"raw_same", func() { drop(b, server, same); create(b, server, same, mappings) }, func() { newRaw(b, server, same).load(fs, docs) }},
				{"raw_plain", func() { drop(b, server, natural); create(b, server, natural, "") }, func() { newRaw(b, server, natural).load(fs, nil) }},
			} {
				turn.prepare()
				start := time.Now()
				turn.load()
				if d := time.Since(start); best[turn.name] == 0 || d < best[turn.name] {
					best[turn.name] = d
				}
			}
		}
		for name, d := range best {
			b.ReportMetric(float64(len(recs))/d.Seconds(), name+"/s")
		}
	})
	for _, i := range []string{own, natural, same} {
		res, err := http.Post(server+"/"+i+"/_forcemerge?max_num_segments=1", "", nil)
		if err != nil {
			b.Fatal(err)
		}
		res.Body.Close()
		newRaw(b, server, i).refresh()
	}
	rawRead := func(name string, index string) {
		r := newRaw(b, server, index)
		b.Run("read/"+name, func(b *testing.B) {
			for b.Loop() {
				if n := r.readAll(); n != len(recs) {
					b.Fatal(n)
				}
			}
			perRecord(b, len(recs))
		})
	}
	read := func(name, query string, want int) {
		q, err := dataknobs.Parse(query)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				n = 0
				for _, err := range db.Run(b.Context(), q) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if want > 0 && n != want {
					b.Fatal(n)
				}
			}
			perRecord(b, n)
		})
	}
	rawRead("raw from the store's index", own)
	rawRead("raw from plain documents", natural)
	read("read/store", "", len(recs))
	rawSearch := func(name, index, body string) {
		r := newRaw(b, server, index)
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				n = r.search(body)
			}
			perRecord(b, n)
		})
	}
	rawSearch("query/raw in the store's index", own, `{"size":400,"track_total_hits":false,"query":{"bool":{"filter":{"range":{"_dk.k.dep_delay":{"gt":"2c0728","lt":"3"}}}}}}`)
	rawSearch("query/raw in plain documents", natural, `{"size":400,"track_total_hits":false,"query":{"bool":{"filter":{"range":{"dep_delay":{"gt":297}}}}}}`)
	read("query/store", "dep_delay > 297 limit 400", 0)
	rawSearch("top10/raw in the store's index", own, `{"size":10,"track_total_hits":false,"sort":[{"_dk.k.dep_delay":"desc"},{"_dk.id":"asc"}]}`)
	rawSearch("top10/raw in plain documents", natural, `{"size":10,"track_total_hits":false,"sort":[{"dep_delay":"desc"}]}`)
	read("top10/store", "order by dep_delay desc limit 10", 10)
	read("group/store", "select carrier, count(*), avg(dep_delay), max(distance) group by carrier", 0)
	rawSearch("group/raw in plain documents", natural, `{"size":0,"track_total_hits":false,"aggs":{"g":{"composite":{"size":1000,"sources":[{"a":{"terms":{"field":"carrier.keyword"}}}]},"aggs":{"d":{"avg":{"field":"dep_delay"}},"x":{"max":{"field":"distance"}}}}}}`)
	b.Run("get/store", func(b *testing.B) {
		i := 0
		for b.Loop() {
			if _, err := db.Get(b.Context(), recs[i*7919%len(recs)].ID); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("get/raw", func(b *testing.B) {
		r := newRaw(b, server, own)
		i := 0
		for b.Loop() {
			var a struct {
				Source flight `json:"_source"`
			}
			res, err := esapi.GetRequest{Index: own, DocumentID: recs[i*7919%len(recs)].ID}.Do(b.Context(), r)
			r.answer(res, err, &a)
			i++
		}
	})
}
