package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dataknobs.dev/dataknobs/internal/servers"
	buckets "dataknobs.dev/dataknobs/internal/servers/bucket"
)

// The ID is the store's own here: a row number, or one that copying made.
var idInJSON = regexp.MustCompile(`"_id":"[^"]*",`)

// The same records and the same query give the same answer on every store.
func TestSameAnswerOnEveryStore(t *testing.T) {
	flights, err := filepath.Abs("../../examples/data/flights.csv")
	if err != nil {
		t.Fatal(err)
	}
	postgres := fmt.Sprintf("%s?table=dk_flights_%d", servers.Postgres(t), time.Now().UnixNano())
	s := newShell(t)
	stores := []string{"flights.parquet", "flights.ndjson.gz", "sqlite:flights.db?table=flights", "sqlite:typed.db?table=flights&types=" +
		"year:int,month:int,day:int,dep_time:int,sched_dep_time:int,dep_delay:int,arr_time:int,sched_arr_time:int,arr_delay:int,carrier:string," +
		"flight:int,tailnum:string,origin:string,dest:string,air_time:int,distance:int,hour:int,minute:int,time_hour:time", postgres}
	bucket := newBucket(t, servers.MinIO(t))
	stores = append(stores, bucket.url("flights")+"&index_ttl=1h") // its queries list once
	for _, store := range stores {
		s.ok("copy", flights, store, "--nulls", "NA")
	}
	bucket.upload(t, "files/flights.parquet", filepath.Join(s.dir, "flights.parquet"))
	stores = append(stores, bucket.url("files/flights.parquet"))
	for _, query := range []string{
		"carrier = 'AA' and dep_delay > 120 order by dep_delay desc limit 10",
		"select carrier, count(*) as flights, avg(dep_delay) as delay group by carrier having count(*) > 100 order by avg(dep_delay) desc limit 4",
		"select origin, dest, min(dep_delay), max(time_hour), sum(distance) group by origin, dest",
		"select carrier, flight where dep_delay is null order by time_hour, carrier, flight",
		"not (dep_delay between -10 and 900) or tailnum like 'N_4%A' order by time_hour, carrier, flight limit 20 offset 5",
		"select flight, time_hour where time_hour >= '2013-01-02' and dest in ('MIA', 'ORD') and tailnum matches '^N[0-9]+A{2}$' order by flight, time_hour",
		"select count(*), count(dep_delay), count(tailnum) where carrier != 'UA'",
	} {
		want := s.ok("query", flights, query, "--nulls", "NA")
		if want == "" {
			t.Errorf("%s: the file has no answer", query)
		}
		for _, store := range stores {
			got := idInJSON.ReplaceAllString(s.ok("query", store, query), "")
			same(t, store+": "+query, got, want)
		}
	}
	s.fails(exitFailed, []string{"readonly=true"}, "put", postgres+"&readonly=true", "a", "x=1")
}

// A bucket is one on a server of S3's kind, as a plain client sees it.
type bucket struct {
	name   string
	at     buckets.Server
	client *s3.Client
}

func newBucket(t *testing.T, server *servers.S3Server) *bucket {
	t.Helper()
	b := &bucket{name: fmt.Sprintf("dk-test-%d", time.Now().UnixNano()), at: buckets.Server{Endpoint: server.Endpoint, Key: server.Key, Secret: server.Secret}}
	b.client = b.at.Client()
	if err := b.at.Make(t.Context(), b.name); err != nil {
		t.Fatal(err)
	}
	return b
}

// url names the store at a key.
func (b *bucket) url(key string) string {
	return b.at.URL(b.name, key)
}

func (b *bucket) upload(t *testing.T, key, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := b.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: f}); err != nil {
		t.Fatal(err)
	}
}
