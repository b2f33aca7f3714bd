package elasticsearch

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"dataknobs.dev/dataknobs"
)

// A bucket is one combination of keys.
type bucket struct {
	keys   []string         // as in the index; "" for null
	whole  []int64          // in how many records each key is a float without a fraction
	exists map[string]int64 // by column that is counted: in how many records it is not null
	count  int64
}

// compositePage is how many buckets one request asks for.
const compositePage = 10_000

// composite calls f for every combination of the group's keys and of the keys
// at p, if p is not empty, where p is not null. Those of one group follow each
// other.
func (g *aggregation) composite(ctx context.Context, p dataknobs.Path, f func(*bucket) error) error {
	width := len(g.a.GroupBy)
	if len(p) > 0 {
		width++
	}
	b := &bucket{keys: make([]string, width), whole: make([]int64, width), exists: map[string]int64{}}
	body := g.compositeBody(p)
	body["pit"] = g.view.inBody()
	for {
		a, err := g.d.search(ctx, "/_search", body, g.a.Stats, nil)
		if err != nil {
			return err
		}
		n, after, err := readBuckets(a.body, b, g.countColumns(), f)
		if err != nil {
			return err
		}
		if n < compositePage || after == nil {
			return nil
		}
		body["aggs"].(obj)["g"].(obj)["composite"].(obj)["after"] = after
	}
}

// compositeBody is the search that composite makes.
func (g *aggregation) compositeBody(p dataknobs.Path) obj {
	var sources []obj
	subs := obj{}
	where := []obj{g.where}
	add := func(column string, how obj) {
		i := strconv.Itoa(len(sources))
		how["field"] = keysField + "." + column
		sources = append(sources, obj{i: obj{"terms": how}})
		if g.whole[column] {
			subs["w"+i] = obj{"filter": obj{"term": obj{wholeField: obj{"value": column}}}}
		}
	}
	for _, by := range g.a.GroupBy {
		column, _ := columnOf(by)
		add(column, obj{"missing_bucket": true})
	}
	if len(p) > 0 {
		column, _ := columnOf(p)
		add(column, obj{})
		where = append(where, obj{"exists": obj{"field": keysField + "." + column}})
	} else {
		for name, column := range g.countColumns() {
			subs[name] = obj{"filter": g.m.target(column).exists()}
		}
	}
	agg := obj{"composite": obj{"size": compositePage, "sources": sources}}
	if len(subs) > 0 {
		agg["aggs"] = subs
	}
	return obj{"size": 0, "track_total_hits": false, "query": obj{"bool": obj{"filter": where}}, "aggs": obj{"g": agg}}
}

// countColumns are the columns whose values are counted, by the name that they
// have in requests.
func (g *aggregation) countColumns() map[string]string {
	columns := map[string]string{}
	for i, c := range g.a.Columns {
		if c.Agg == dataknobs.Count {
			column, _ := columnOf(c.Path)
			columns["c"+strconv.Itoa(i)] = column
		}
	}
	return columns
}

// readBuckets reads one page, calls f for each bucket and returns how many
// there were and where the next page begins.
func readBuckets(body []byte, b *bucket, counted map[string]string, f func(*bucket) error) (n int, after json.RawMessage, err error) {
	r := reader{b: body}
	failed := int64(0)
	r.object(func(name []byte) {
		switch string(name) {
		case "_shards":
			failed = r.failed()
		case "aggregations":
			r.path("g", func() {
				r.object(func(name []byte) {
					switch string(name) {
					case "after_key":
						after = slices.Clone(r.skip())
					case "buckets":
						r.array(func() {
							r.bucket(b, counted)
							if n++; err == nil && !r.bad {
								err = f(b)
							}
						})
					default:
						r.skip()
					}
				})
			})
		default:
			r.skip()
		}
	})
	switch {
	case err != nil:
	case r.bad:
		err = dataknobs.Errorf(dataknobs.Internal, "the server's answer about groups cannot be read")
	default:
		err = shardsError(failed)
	}
	return n, after, err
}

func (r *reader) bucket(b *bucket, counted map[string]string) {
	clear(b.whole)
	r.object(func(name []byte) {
		switch {
		case string(name) == "key":
			r.object(func(name []byte) {
				i, err := strconv.Atoi(string(name))
				if err != nil || i >= len(b.keys) {
					r.bad = true
					return
				}
				if r.next() == 'n' {
					r.skip()
					b.keys[i] = ""
				} else {
					b.keys[i] = r.text()
				}
			})
		case string(name) == "doc_count":
			b.count = r.integer()
		case name[0] == 'w':
			i, _ := strconv.Atoi(string(name[1:]))
			if i >= len(b.whole) {
				r.bad = true
				return
			}
			r.path("doc_count", func() { b.whole[i] = r.integer() })
		default:
			if column, ok := counted[string(name)]; ok {
				r.path("doc_count", func() { b.exists[column] = r.integer() })
				return
			}
			r.skip()
		}
	})
}
