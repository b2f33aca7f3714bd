package elasticsearch

import (
	"context"
	"net/url"

	"dataknobs.dev/dataknobs"
)

// Count implements dataknobs.Counter.
func (d *Driver) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	m, err := d.forReading(ctx)
	if m == nil || err != nil {
		return 0, err
	}
	if stats != nil {
		stats.Calls.Add(1)
	}
	return d.countQuery(ctx, m.query(where), nil)
}

// countQuery counts the documents that a query selects.
func (d *Driver) countQuery(ctx context.Context, query obj, params url.Values) (int64, error) {
	a, err := d.client.json(ctx, "POST", d.path("_count"), params, obj{"query": filter(obj{"bool": obj{"filter": query}})})
	if err != nil {
		return 0, err
	}
	n, failed := int64(-1), int64(0)
	r := reader{b: a.body}
	r.object(func(name []byte) {
		switch string(name) {
		case "count":
			n = r.integer()
		case "_shards":
			failed = r.failed()
		default:
			r.skip()
		}
	})
	if r.bad || n < 0 {
		return 0, dataknobs.Errorf(dataknobs.Internal, "the server's answer about a count cannot be read")
	}
	return n, shardsError(failed)
}

// failed reads how many shards did not answer.
func (r *reader) failed() (n int64) {
	r.object(func(name []byte) {
		if string(name) == "failed" {
			n = r.integer()
		} else {
			r.skip()
		}
	})
	return n
}

// shardsError keeps a part from being taken for the whole.
func shardsError(failed int64) error {
	if failed == 0 {
		return nil
	}
	return dataknobs.Errorf(dataknobs.Unavailable, "%d shards of the index did not answer", failed)
}

// ranks are all ranks of values outside of arrays, with the kinds of each.
var ranks = []struct {
	rank  byte
	kinds dataknobs.KindSet
}{
	{rankBool, dataknobs.KindsOf(dataknobs.KindBool)},
	{rankNumber, dataknobs.KindsOf(dataknobs.KindInt, dataknobs.KindFloat)},
	{rankTime, dataknobs.KindsOf(dataknobs.KindTime)},
	{rankString, dataknobs.KindsOf(dataknobs.KindString)},
	{rankBytes, dataknobs.KindsOf(dataknobs.KindBytes)},
	{rankArray, dataknobs.KindsOf(dataknobs.KindArray)},
	{rankObject, dataknobs.KindsOf(dataknobs.KindObject)},
}

// Kinds implements dataknobs.Typed: it looks in the index which kinds of values
// there are. Int and float are not told apart.
func (d *Driver) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	sets := make([]dataknobs.KindSet, len(paths))
	m, err := d.mapping(ctx)
	if m == nil || err != nil {
		return sets, err
	}
	if m.foreign {
		for i, p := range paths {
			sets[i] = m.foreignKinds(p)
		}
		return sets, nil
	}
	if err := d.freshen(ctx); err != nil {
		return nil, err
	}
	for i, p := range paths {
		if column, ok := columnOf(p); ok {
			if sets[i], err = d.kindsOf(ctx, m.target(column)); err != nil {
				return nil, err
			}
		}
	}
	return sets, nil
}

func (d *Driver) kindsOf(ctx context.Context, t target) (dataknobs.KindSet, error) {
	filters := obj{"null": but(all, t.exists())}
	for _, r := range ranks {
		filters[string(r.rank)] = t.rank(r.rank)
	}
	counts, err := d.countEach(ctx, nil, nil, filters, nil)
	if err != nil {
		return 0, err
	}
	var set dataknobs.KindSet
	for _, r := range ranks {
		if counts[string(r.rank)] > 0 {
			set |= r.kinds
		}
	}
	if counts["null"] > 0 || set == 0 {
		set = set.With(dataknobs.KindNull)
	}
	return set, nil
}

// countEach counts the documents that each of several queries selects, among
// those of the view (nil: of now) that where does (nil: all); "" is the count of those.
func (d *Driver) countEach(ctx context.Context, v *view, where obj, filters obj, stats *dataknobs.ScanStats) (map[string]int64, error) {
	body := obj{"size": 0, "track_total_hits": true}
	if where != nil {
		body["query"] = filter(obj{"bool": obj{"filter": where}})
	}
	if len(filters) > 0 {
		body["aggs"] = obj{"each": obj{"filters": obj{"filters": filters}}}
	}
	path := d.path("_search")
	if v != nil {
		path, body["pit"] = "/_search", v.inBody()
	}
	a, err := d.search(ctx, path, body, stats, nil)
	if err != nil {
		return nil, err
	}
	r := reader{b: a.body}
	counts, failed := map[string]int64{}, int64(0)
	r.object(func(name []byte) {
		switch string(name) {
		case "_shards":
			failed = r.failed()
		case "hits":
			counts[""] = r.total()
		case "aggregations":
			r.path("each", func() { r.path("buckets", func() { r.docCounts(counts) }) })
		default:
			r.skip()
		}
	})
	if r.bad {
		return nil, dataknobs.Errorf(dataknobs.Internal, "the server's answer about counts cannot be read")
	}
	return counts, shardsError(failed)
}

// path calls f at the value of that name of the object, and skips the others.
func (r *reader) path(want string, f func()) {
	r.object(func(name []byte) {
		if string(name) == want {
			f()
		} else {
			r.skip()
		}
	})
}

// total reads how many hits there are in all.
func (r *reader) total() (n int64) {
	r.path("total", func() { r.path("value", func() { n = r.integer() }) })
	return n
}

// docCounts reads named buckets' counts.
func (r *reader) docCounts(counts map[string]int64) {
	r.object(func(name []byte) {
		key := string(name)
		r.path("doc_count", func() { counts[key] = r.integer() })
	})
}
