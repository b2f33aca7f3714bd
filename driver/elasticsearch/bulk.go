package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A leftover is what became of the actions of one round that are not done with.
type leftover struct {
	again  []int    // writes that somebody else was faster with
	unsure []int    // refused for their revision: is the record there at all?
	busy   []action // the server had no room for them
}

// send sends the actions and returns the writes that are to be tried again.
func (w *writer) send(ctx context.Context, actions []action) ([]int, error) {
	var l leftover
	for try := 0; len(actions) > 0; try++ {
		if try > 0 {
			if err := w.d.client.wait(ctx, try); err != nil {
				return nil, err
			}
		}
		l.busy = nil
		for len(actions) > 0 {
			n, err := w.sendSome(ctx, actions, &l)
			if err != nil {
				return nil, err
			}
			actions = actions[n:]
		}
		if try < w.d.client.retries {
			actions = l.busy
		}
	}
	return l.again, w.clear(ctx, l.unsure)
}

// sendSome sends as many of the actions as make one request, and returns how
// many those are.
func (w *writer) sendSome(ctx context.Context, actions []action, l *leftover) (int, error) {
	body, sent, n, err := w.encode(ctx, actions)
	if err != nil || len(sent) == 0 {
		return n, err
	}
	items, err := w.d.bulk(ctx, body)
	if err == nil && len(items) != len(sent) {
		err = dataknobs.Errorf(dataknobs.Internal, "the server answered %d of %d writes", len(items), len(sent))
	}
	if err != nil {
		return n, err
	}
	for k := range items {
		a := &sent[k]
		if it := &items[k]; it.op != a.op || string(it.id) != w.writes[a.i].ID && (it.id != nil || it.Status < 300) {
			return n, dataknobs.Errorf(dataknobs.Internal, "the server answered other writes than those that were sent")
		}
		switch w.settle(a, &items[k]) {
		case raced:
			l.again = append(l.again, a.i)
		case doubtful:
			l.unsure = append(l.unsure, a.i)
		case rejected:
			l.busy = append(l.busy, *a)
		}
	}
	return n, nil
}

// An outcome says what an item of an answer means for its write.
type outcome uint8

const (
	settled outcome = iota
	raced
	doubtful
	rejected
)

// settle keeps what the server says of a write.
func (w *writer) settle(a *action, it *item) outcome {
	r := &w.results[a.i]
	r.Err = nil
	switch {
	case it.Status < 200 || it.Status < 300 && (it.Seq < 0 || it.Term < 1):
		r.Err = dataknobs.Errorf(dataknobs.Internal, "the server does not say what became of the write")
	case it.Status < 300:
		r.Created = it.Result == "created"
		if a.op != "delete" {
			r.Revision = revisionOf(it.Seq, it.Term)
		}
	case it.Status == http.StatusConflict && a.op == "create":
		r.Err = errExists
	case it.Status == http.StatusConflict && a.again:
		return raced
	case it.Status == http.StatusConflict:
		return doubtful
	case it.Status == http.StatusNotFound && a.op == "delete" && it.Error == nil:
		r.Err = errNotThere
	default:
		r.Err = classify(it.Status, it.cause())
		var s *statusError
		if it.Status == http.StatusTooManyRequests && errors.As(r.Err, &s) && !s.lasting() {
			return rejected
		}
	}
	return settled
}

// clear tells writes whose revision was not the record's from those whose
// record is not there.
func (w *writer) clear(ctx context.Context, idx []int) error {
	var ids []string
	for _, i := range idx {
		w.results[i].Err = errNotThere
		ids = append(ids, w.writes[i].ID)
	}
	there := map[string]bool{}
	err := w.d.multiGet(ctx, ids, false, func(_ *dataknobs.Record, h *hit) bool {
		there[h.id] = true
		return true
	})
	for _, i := range idx {
		if there[w.writes[i].ID] || err != nil {
			w.results[i].Err = errChanged
		}
	}
	return err
}

// encode returns the first n actions as the bulk interface takes them. Those
// among them that are too large are not sent, but have their error.
func (w *writer) encode(ctx context.Context, actions []action) (body []byte, sent []action, n int, err error) {
	m, err := w.d.forWriting(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	e := newEncoder(m)
	defer e.free()
	body, sent, n = w.encodeWith(e, actions)
	if len(e.unknown) == 0 {
		return body, sent, n, nil
	}
	if e.m, err = w.d.widen(ctx, e.unknown); err != nil {
		return nil, nil, 0, err
	}
	clear(e.unknown)
	body, sent, n = w.encodeWith(e, actions)
	if len(e.unknown) > 0 {
		err = dataknobs.Errorf(dataknobs.Internal, "the index's mapping was changed by somebody else")
	}
	return body, sent, n, err
}

func (w *writer) encodeWith(e *encoder, actions []action) (body []byte, sent []action, n int) {
	sent = make([]action, 0, len(actions))
	body = make([]byte, 0, w.room(len(actions)))
	for n < len(actions) && len(body) < w.d.opts.BulkBytes {
		a := actions[n]
		n++
		start := len(body)
		body = w.appendAction(body, e, &a)
		if size := len(body) - start; size > w.d.opts.MaxBody {
			w.results[a.i].Err = dataknobs.Errorf(dataknobs.ResourceExhausted, "the record has %d bytes as a document; the server takes %d", size, w.d.opts.MaxBody)
			body = body[:start]
			continue
		}
		sent = append(sent, a)
	}
	w.d.perAction.Store(int64(len(body)/max(len(sent), 1) + 1))
	return body, sent, n
}

// room is about how large the body with so many actions gets, as the last one
// tells: a body that grows by steps is copied twice over.
func (w *writer) room(actions int) int {
	const slack = 4096
	return min(int(w.d.perAction.Load())*actions*17/16, w.d.opts.BulkBytes) + slack
}

// appendAction appends an action's lines.
func (w *writer) appendAction(b []byte, e *encoder, a *action) []byte {
	id := w.writes[a.i].ID
	b = append(append(b, `{"`...), a.op...)
	b = append(b, `":{"_id":`...)
	b = appendText(b, id)
	if a.index != "" {
		b = appendText(append(b, `,"require_alias":false,"_index":`...), a.index)
	}
	if a.term > 0 {
		b = strconv.AppendInt(append(b, `,"if_seq_no":`...), a.seq, 10)
		b = strconv.AppendInt(append(b, `,"if_primary_term":`...), a.term, 10)
	}
	b = append(b, "}}\n"...)
	if a.op == "delete" {
		return b
	}
	return append(e.appendDocument(b, id, a.rec), '\n')
}

// An item is what the server says of one action.
type item struct {
	op     string
	id     []byte
	Status int             `json:"status"`
	Result string          `json:"result"`
	Seq    int64           `json:"_seq_no"`
	Term   int64           `json:"_primary_term"`
	Error  json.RawMessage `json:"error"`
}

func (it *item) cause() *cause {
	var c cause
	_ = json.Unmarshal(it.Error, &c)
	return &c
}

var bulkParts = strings.Join([]string{
	"items.*._id", "items.*.status", "items.*.result", "items.*._seq_no", "items.*._primary_term", "items.*.error",
}, ",")

// bulk sends one request and returns its items.
func (d *Driver) bulk(ctx context.Context, body []byte) ([]item, error) {
	query := url.Values{"filter_path": {bulkParts}}
	if d.opts.Refresh == RefreshNow || d.opts.Refresh == RefreshWait {
		query.Set("refresh", string(d.opts.Refresh))
	}
	path := d.path("_bulk")
	if m := d.known.Load(); m != nil && m.guard != "" {
		path = "/" + m.guard + "/_bulk"
		query.Set("require_alias", "true")
	}
	defer d.wrote.Add(1) // even a request without an answer may have been done
	a, err := d.client.do(ctx, &request{method: "POST", path: path, query: query, body: body, lines: true})
	if err != nil {
		return nil, err
	}
	return readItems(a.body, bytes.Count(body, []byte("\n")))
}

// readItems reads a bulk request's answer.
func readItems(b []byte, room int) ([]item, error) {
	r := reader{b: b}
	items := make([]item, 0, room)
	r.object(func(name []byte) {
		if string(name) != "items" {
			r.skip()
			return
		}
		r.array(func() {
			r.object(func(op []byte) { items = append(items, r.item(opName(op))) })
		})
	})
	if r.bad {
		return nil, dataknobs.Errorf(dataknobs.Internal, "the server's answer to a bulk request cannot be read")
	}
	for i := range items {
		if items[i].Status == http.StatusNotFound && items[i].Error != nil {
			return nil, classify(items[i].Status, items[i].cause()) // the index is gone
		}
	}
	return items, nil
}

// opName is an operation's name, of which none is kept twice.
func opName(b []byte) string {
	for _, op := range []string{"create", "index", "update", "delete"} {
		if string(b) == op {
			return op
		}
	}
	return ""
}

func (r *reader) item(op string) item {
	it := item{op: op, Seq: -1}
	r.object(func(name []byte) {
		switch string(name) {
		case "_id":
			it.id = r.raw()
		case "status":
			it.Status = int(r.integer())
		case "result":
			it.Result = r.text()
		case "_seq_no":
			it.Seq = r.integer()
		case "_primary_term":
			it.Term = r.integer()
		case "error":
			it.Error = r.skip()
		default:
			r.skip()
		}
	})
	return it
}
