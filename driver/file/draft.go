package file

import (
	"sync"

	"dataknobs.dev/dataknobs"
)

// A request is one Apply in the queue of the writer.
type request struct {
	b       *dataknobs.Batch
	results []dataknobs.Result
	err     error     // of the call as a whole
	turn    chan turn // one at most is on its way
	drafts  []draft   // one for each write, or none at all
	text    []byte    // where the drafts are encoded
}

// A turn is what a request in the queue waits for.
type turn bool

const (
	toLeave turn = false // it has been done
	toLead  turn = true
)

// A draft is what of a put can be done before its turn, while others are being
// written: the copy of the record with its revision, and the copy encoded.
type draft struct {
	rec  *dataknobs.Record // nil: there is none
	text []byte
}

// mostDrafts bounds the drafts of a request: those of a large batch would all
// be in memory at once.
const mostDrafts = 16

var requests = sync.Pool{New: func() any { return &request{turn: make(chan turn, 1)} }}

// newRequest makes a request of b, and its drafts. Release it.
func newRequest(b *dataknobs.Batch, results []dataknobs.Result, f *format) *request {
	r := requests.Get().(*request)
	r.b, r.results, r.err = b, results, nil
	if len(b.Writes) <= mostDrafts {
		for i := range b.Writes {
			r.drafts = append(r.drafts, r.draft(&b.Writes[i], f))
		}
	}
	return r
}

func (r *request) release() {
	r.b, r.results = nil, nil
	clear(r.drafts)
	r.drafts, r.text = r.drafts[:0], r.text[:0]
	if cap(r.text) <= keptBuffer/16 {
		requests.Put(r)
	}
}

func (r *request) draft(w *dataknobs.Write, f *format) draft {
	if w.Op != dataknobs.WritePut || w.ID == "" {
		return draft{}
	}
	rec := copyOf(w.Record, w.ID)
	rec.Revision = revisionOf(rec, f, 0)
	from := len(r.text)
	text, err := rec.AppendBinary(r.text)
	if err != nil { // whoever commits it will find that too
		return draft{}
	}
	r.text = text
	return draft{rec, text[from:]}
}

// draftOf returns the draft of the i-th write.
func (r *request) draftOf(i int) draft {
	if i < len(r.drafts) {
		return r.drafts[i]
	}
	return draft{}
}

// copyOf returns the copy of a record that the store keeps.
func copyOf(rec *dataknobs.Record, id string) *dataknobs.Record {
	rec = rec.Clone()
	rec.ID, rec.Revision = id, ""
	rec.SetPosition(0)
	return rec
}
