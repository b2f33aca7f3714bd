package elasticsearch

import (
	"context"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// Apply implements dataknobs.Driver. Everything is written through the bulk
// interface, which takes IDs as JSON. What depends on the record as it is (a
// patch, an update) is read, changed and written under its sequence number,
// again where somebody else was faster.
func (d *Driver) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	w := &writer{d: d, writes: b.Writes, results: make([]dataknobs.Result, len(b.Writes))}
	for _, part := range waves(b.Writes) {
		if err := w.apply(ctx, part); err != nil {
			return w.results, err
		}
	}
	return w.results, nil
}

// waves splits writes so that no ID stands twice in a part, in their order.
func waves(ws []dataknobs.Write) [][]int {
	var parts [][]int
	at := make(map[string]int, len(ws)) // the part that an ID's next write may be in
	for i := range ws {
		n := at[ws[i].ID]
		at[ws[i].ID] = n + 1
		if n == len(parts) {
			parts = append(parts, make([]int, 0, len(ws)-i))
		}
		parts[n] = append(parts[n], i)
	}
	return parts
}

// A writer applies one batch.
type writer struct {
	d       *Driver
	writes  []dataknobs.Write
	results []dataknobs.Result
}

// An action is one write as it is sent.
type action struct {
	i     int // of the write
	op    string
	rec   *dataknobs.Record
	seq   int64 // with term > 0: the sequence number that the record must have
	term  int64
	again bool   // a conflict means that it is read and tried again
	index string // where the record is, if not in the index for writing
}

// maxRaces is how often a change is tried again that somebody else was faster with.
const maxRaces = 200

// apply applies the writes of those indexes, no two of the same ID.
func (w *writer) apply(ctx context.Context, idx []int) error {
	for race := 0; len(idx) > 0; race++ {
		actions, err := w.actions(ctx, idx)
		if err != nil {
			return err
		}
		if idx, err = w.send(ctx, actions); err != nil {
			return err
		}
		if race == maxRaces {
			for _, i := range idx {
				w.results[i].Err = dataknobs.Errorf(dataknobs.Unavailable, "too many others change the record at the same time")
			}
			return nil
		}
		if race > 2 && len(idx) > 0 {
			if err := w.d.client.wait(ctx, min(race/8, 3)); err != nil {
				return err
			}
		}
	}
	return nil
}

// actions makes the writes of those indexes ready to send. Those that fail
// already are left out.
func (w *writer) actions(ctx context.Context, idx []int) ([]action, error) {
	var read []int
	for _, i := range idx {
		if reads(&w.writes[i]) {
			read = append(read, i)
		}
	}
	now, err := w.read(ctx, read)
	if err != nil {
		return nil, err
	}
	homes, err := w.homes(ctx, idx)
	if err != nil {
		return nil, err
	}
	actions := make([]action, 0, len(idx))
	for _, i := range idx {
		a := action{i: i, rec: w.writes[i].Record, index: homes[w.writes[i].ID]}
		if reads(&w.writes[i]) {
			err = w.prepare(&a, now[w.writes[i].ID])
		} else {
			w.direct(&a)
			if a.op == "create" && a.index != "" {
				err = errExists
			}
		}
		if err != nil {
			w.results[i].Err = err
			err = nil
			continue
		}
		actions = append(actions, a)
	}
	return actions, nil
}

// reads reports whether the write depends on the record as it is, in a way that
// the server cannot check by itself.
func reads(w *dataknobs.Write) bool {
	if w.Op == dataknobs.WritePatch {
		return true
	}
	_, _, ok := parseRevision(w.Revision)
	return w.Revision != "" && !ok || w.Op == dataknobs.WritePut && w.If == dataknobs.IfPresent && w.Revision == ""
}

// direct fills in an action that the server checks.
func (w *writer) direct(a *action) {
	wr := &w.writes[a.i]
	a.seq, a.term, _ = parseRevision(wr.Revision)
	switch {
	case wr.Op == dataknobs.WriteDelete:
		a.op = "delete"
	case wr.If == dataknobs.IfAbsent:
		a.op = "create"
	default:
		a.op = "index"
	}
}

// prepare fills in an action of a write that depends on the record as it is.
func (w *writer) prepare(a *action, h *stored) error {
	wr := &w.writes[a.i]
	switch {
	case h == nil:
		return errNotThere
	case wr.Revision != "" && wr.Revision != revisionOf(h.seq, h.term):
		return errChanged
	}
	a.op, a.seq, a.term, a.again = "index", h.seq, h.term, wr.Revision == ""
	if wr.Op == dataknobs.WritePatch {
		var err error
		a.rec, err = dataknobs.ApplyChanges(h.rec, wr.Changes)
		return err
	}
	return nil
}

var (
	errNotThere = dataknobs.Errorf(dataknobs.NotFound, "there is no such record")
	errExists   = dataknobs.Errorf(dataknobs.AlreadyExists, "there is a record of that ID")
	errChanged  = dataknobs.Errorf(dataknobs.Conflict, "the record was changed since")
)

func parseRevision(rev string) (seq, term int64, ok bool) {
	a, b, ok := strings.Cut(rev, ".")
	seq, err := strconv.ParseInt(a, 10, 64)
	term, err2 := strconv.ParseInt(b, 10, 64)
	if !ok || err != nil || err2 != nil || seq < 0 || term < 1 || revisionOf(seq, term) != rev {
		return 0, 0, false
	}
	return seq, term, true
}

// stored is a record as it is now.
type stored struct {
	rec       *dataknobs.Record // only its ID for those that are not patched
	seq, term int64
}

// read reads the records of those writes.
func (w *writer) read(ctx context.Context, idx []int) (map[string]*stored, error) {
	now := make(map[string]*stored, len(idx))
	var whole, bare []string
	for _, i := range idx {
		if w.writes[i].Op == dataknobs.WritePatch {
			whole = append(whole, w.writes[i].ID)
		} else {
			bare = append(bare, w.writes[i].ID)
		}
	}
	keep := func(rec *dataknobs.Record, h *hit) bool {
		now[h.id] = &stored{rec, h.seq, h.per}
		return true
	}
	if err := w.d.multiGet(ctx, whole, true, keep); err != nil {
		return nil, err
	}
	return now, w.d.multiGet(ctx, bare, false, keep)
}
