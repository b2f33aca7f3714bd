package elasticsearch

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"

	"dataknobs.dev/dataknobs"
)

// maxGet is how many records one request asks for.
const maxGet = 500

// Get implements dataknobs.Driver. It sees every write at once, searches apart.
func (d *Driver) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		err := d.multiGet(ctx, ids, true, func(rec *dataknobs.Record, _ *hit) bool { return yield(rec, nil) })
		if err != nil && err != errStop {
			yield(nil, err)
		}
	}
}

// GetOne implements dataknobs.Getter.
func (d *Driver) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	var found *dataknobs.Record
	err := d.multiGet(ctx, []string{id}, true, func(rec *dataknobs.Record, _ *hit) bool {
		found = rec
		return true
	})
	return found, err
}

// multiGet calls f for each of the records that exist, until it returns false,
// which is errStop. Without whole it reads only IDs and sequence numbers.
func (d *Driver) multiGet(ctx context.Context, ids []string, whole bool, f func(*dataknobs.Record, *hit) bool) error {
	m, err := d.mapping(ctx)
	if m == nil || err != nil {
		return err
	}
	dec := newDecoder(m)
	dec.several = len(m.others) > 0
	for len(ids) > 0 {
		n := min(len(ids), maxGet)
		var query url.Values
		if !whole {
			query = url.Values{"_source": {"false"}}
		}
		path, body := d.path("_mget"), obj{"ids": ids[:n]}
		if len(m.others) > 0 {
			path, body = "/_mget", m.everywhere(ids[:n])
		}
		a, err := d.client.json(ctx, "POST", path, query, body)
		if err != nil {
			return err
		}
		if err := dec.docs(a.body, ids[:n], 1+len(m.others), f); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return ctx.Err()
}

// docs reads the answer to a multi-get of the IDs in so many indexes, one after
// the other. What it does not say of a record is never taken for its absence.
func (d *decoder) docs(b []byte, ids []string, indexes int, f func(*dataknobs.Record, *hit) bool) error {
	d.reset(b)
	hits := make([]hit, 0, len(ids)*indexes)
	d.object(func(name []byte) {
		if string(name) == "docs" {
			d.array(func() { hits = append(hits, d.hit()) })
		} else {
			d.skip()
		}
	})
	if d.bad {
		return errUnreadable
	}
	if len(hits) != len(ids)*indexes {
		return dataknobs.Errorf(dataknobs.Internal, "the server answered %d of %d reads", len(hits), len(ids)*indexes)
	}
	var seen map[string]bool
	if d.several {
		seen = make(map[string]bool, len(hits))
	}
	for i := range hits {
		h := &hits[i]
		if h.err != nil {
			var c cause
			_ = json.Unmarshal(h.err, &c)
			return classify(500, &c)
		}
		if h.id != ids[i%len(ids)] || !h.told || h.found && (h.seq < 0 || h.per < 1) {
			return dataknobs.Errorf(dataknobs.Internal, "the server's answer about a record does not fit the question")
		}
		if !h.found || seen[h.id] {
			continue
		}
		if d.several {
			seen[h.id] = true
		}
		rec, err := d.record(h)
		if err != nil {
			return err
		}
		if !f(rec, h) {
			return errStop
		}
	}
	return nil
}

var errUnreadable = dataknobs.Errorf(dataknobs.DataLoss, "the server's answer cannot be read")
