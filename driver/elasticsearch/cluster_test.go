package elasticsearch_test

import (
	"net/url"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/internal/servers"
)

// A node that is down is passed over, for reads and writes.
func TestDeadNode(t *testing.T) {
	server := servers.Elasticsearch(t)
	o := options(t, server, newIndex(t, server))
	dead := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	o.Nodes = []*url.URL{dead, o.Nodes[0], dead}
	o.Discover = 50 * time.Millisecond
	db := openIndex(t, o)
	for i, r := range recs(0, 30) {
		if _, err := db.Create(t.Context(), r); err != nil {
			t.Fatalf("write %d: %v", i, err)
		}
	}
	count(t, db, 30)
}

func TestRefreshModes(t *testing.T) {
	server := servers.Elasticsearch(t)
	for _, mode := range []elasticsearch.RefreshMode{elasticsearch.RefreshNow, elasticsearch.RefreshWait, elasticsearch.RefreshNone} {
		o := options(t, server, newIndex(t, server))
		o.Refresh = mode
		db := openIndex(t, o)
		if _, err := db.Create(t.Context(), rec("a", 1)); err != nil {
			t.Fatal(err)
		}
		// Another handle that makes nothing visible by itself.
		other := o
		other.Refresh = elasticsearch.RefreshNone
		beside := openIndex(t, other)
		if mode == elasticsearch.RefreshNone {
			ask(t, "POST", server+"/"+o.Index+"/_refresh", "")
		}
		count(t, beside, 1)
		if got, err := beside.Get(t.Context(), "a"); err != nil || !got.Identical(rec("a", 1)) {
			t.Errorf("refresh=%s: got %v, %v", mode, got, err)
		}
	}
}

func TestCompression(t *testing.T) {
	server := servers.Elasticsearch(t)
	o := options(t, server, newIndex(t, server))
	o.Compress = true
	db := openIndex(t, o)
	if _, err := db.CreateMany(t.Context(), recs(0, 2500)); err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range db.Run(t.Context(), nil) {
		if err != nil || r.Get("n").IsNull() {
			t.Fatal(r, err)
		}
		n++
	}
	if n != 2500 {
		t.Errorf("got %d records, wanted 2500", n)
	}
}

// Two writers that fill a mapping at the same time lose no path.
func TestFullMapping(t *testing.T) {
	server := servers.Elasticsearch(t)
	o := options(t, server, newIndex(t, server))
	o.MaxFields = 20
	o.Create = elasticsearch.CreateAlways
	one := openIndex(t, o)
	two := openIndex(t, o)
	done := make(chan error, 2)
	for k, db := range []*dataknobs.DB{one, two} {
		go func() {
			var err error
			for i := range 15 {
				name := string(rune('a' + (i+7*k)%15))
				_, e := db.Create(t.Context(), dataknobs.NewRecord(name+string(rune('0'+k)), dataknobs.F(name, i), dataknobs.F("number", i)))
				if e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	third := openIndex(t, o)
	for _, db := range []*dataknobs.DB{one, two, third} {
		for i := range 15 {
			name := string(rune('a' + i))
			p := dataknobs.Names(name)
			n, err := db.Count(t.Context(), &dataknobs.Cond{Path: p, Op: dataknobs.IsNotNull})
			if err != nil || n != 2 {
				t.Errorf("%d records have %s, %v; wanted 2", n, name, err)
			}
			got, err := db.All(t.Context(), &dataknobs.Query{OrderBy: []dataknobs.Order{{Path: p, Desc: true}}, Limit: new(2)})
			if err != nil || len(got) != 2 || got[1].Get(name).IsNull() {
				t.Errorf("sorted by %s: got %v, %v", name, got, err)
			}
			groups, err := db.All(t.Context(), &dataknobs.Query{GroupBy: []dataknobs.Path{p}, Select: []dataknobs.Column{{Agg: dataknobs.CountAll}}})
			if err != nil || len(groups) < 2 || len(groups) > 3 {
				t.Errorf("grouped by %s: got %d groups, %v", name, len(groups), err)
			}
		}
	}
}
