package main

import (
	"context"
	"fmt"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A history is what all workers on one store have said, and what must and may
// therefore be in the store.
type history struct {
	registers map[string]*register
	records   map[string]state // of creates, deletes and batches
	counters  map[string]*tally
	claims    map[string]*contest
	pending   map[string]event   // by writer: begun, and without an answer
	revisions map[string]int64   // ID and revision → checksum
	expected  map[string]bool    // the codes that reads may fail with
	trail     map[string][]event // the last events of each record, for the report of what was broken
	codes     map[string]int     // of failed reads and unclear writes
	Acked     int                `json:"acknowledged"`
	Refused   int                `json:"refused"`
	Unclear   int                `json:"unclear"`
	Reads     int                `json:"observations"`
	Broken    []string           `json:"broken"`
}

// A register has one writer, which writes ever greater numbers.
type register struct {
	acked int64
	maybe map[int64]bool // writes without a clear answer: they may happen late
}

// A state says whether a record is there.
type state byte

const (
	present state = iota + 1
	absent
	either
)

// A tally bounds a counter.
type tally struct{ acked, maybe int64 }

// A contest is who tried to create a record first.
type contest struct {
	winners []string
	losers  map[string]bool // were told that they lost
	maybe   map[string]bool // had an unclear answer: being told later that it is there may be of their own
}

func newHistory() *history {
	return &history{registers: map[string]*register{}, records: map[string]state{}, counters: map[string]*tally{}, claims: map[string]*contest{},
		pending: map[string]event{}, revisions: map[string]int64{}, codes: map[string]int{}, trail: map[string][]event{},
		expected: map[string]bool{fmt.Sprint(dataknobs.Unavailable): true}}
}

func (h *history) breaks(format string, args ...any) {
	if len(h.Broken) < 50 {
		h.Broken = append(h.Broken, fmt.Sprintf(format, args...))
	}
}

// breaksAt is breaks with what was said of the record last.
func (h *history) breaksAt(id, format string, args ...any) {
	text := id + " " + fmt.Sprintf(format, args...)
	for _, e := range h.trail[id] {
		text += "\n    " + e.String()
	}
	h.breaks("%s", text)
}

// take adds what a worker said.
func (h *history) take(e event) {
	if e.kind != seen && e.kind != failed {
		h.trail[e.id] = append(h.trail[e.id], e)
		if n := len(h.trail[e.id]); n > 12 {
			h.trail[e.id] = h.trail[e.id][n-12:]
		}
	}
	switch e.kind {
	case begun:
		h.pending[e.writer] = e
	case done, refused, rejected, unclear:
		delete(h.pending, e.writer)
		h.answer(e)
	case seen:
		h.Reads++
		key := e.id + "\x00" + e.text
		if old, ok := h.revisions[key]; ok && old != e.n {
			h.breaks("%s: revision %s stood for two contents", e.id, e.text)
		}
		h.revisions[key] = e.n
	case failed:
		h.codes[e.op]++
		if !h.expected[e.op] {
			h.breaks("a read failed with the code %q: %s", e.op, e.text)
		}
	case broken:
		h.breaksAt(e.id, "%s: %s", e.writer, e.text)
	}
}

func (h *history) answer(e event) {
	switch e.kind {
	case done:
		h.Acked++
	case refused, rejected:
		h.Refused++
	case unclear:
		h.Unclear++
	}
	switch e.op {
	case "put":
		h.put(e)
	case "create":
		h.created(e, []string{e.id})
	case "batch":
		h.created(e, []string{e.id + "-0", e.id + "-1", e.id + "-2"})
	case "delete":
		h.deleted(e)
	case "count":
		h.counted(e)
	case "claim":
		h.claimed(e)
	}
}

func (h *history) put(e event) {
	r := h.registers[e.id]
	if r == nil {
		r = &register{maybe: map[int64]bool{}}
		h.registers[e.id] = r
	}
	switch e.kind {
	case done:
		r.acked = e.n
	case unclear:
		r.maybe[e.n] = true
	}
}

// created is about records that nobody else creates.
func (h *history) created(e event, ids []string) {
	for _, id := range ids {
		switch e.kind {
		case done:
			h.records[id] = present
		case refused:
			h.breaks("%s: a create was refused, though nobody else creates it: %s", id, e.text)
			h.records[id] = either
		case rejected:
			h.records[id] = absent
		case unclear:
			h.records[id] = either
		}
	}
}

func (h *history) deleted(e event) {
	switch e.kind {
	case done:
		h.records[e.id] = absent
	case refused:
		h.breaks("%s: a delete was refused, though the record was there: %s", e.id, e.text)
		h.records[e.id] = either
	case unclear:
		h.records[e.id] = either
	}
}

func (h *history) counted(e event) {
	t := h.counters[e.id]
	if t == nil {
		t = &tally{}
		h.counters[e.id] = t
	}
	switch e.kind {
	case done:
		t.acked++
	case unclear:
		t.maybe++
	}
}

func (h *history) claimed(e event) {
	c := h.claims[e.id]
	if c == nil {
		c = &contest{losers: map[string]bool{}, maybe: map[string]bool{}}
		h.claims[e.id] = c
	}
	switch e.kind {
	case done:
		if c.winners = append(c.winners, e.writer); len(c.winners) > 1 {
			h.breaks("%s: both %s and %s were told that they created it", e.id, c.winners[0], e.writer)
		}
	case refused:
		c.losers[e.writer] = true
	case unclear:
		c.maybe[e.writer] = true
	}
}

// killed ends what the worker that was killed had begun: nobody knows how.
func (h *history) killed() {
	for writer, e := range h.pending {
		e.kind = unclear
		h.answer(e)
		delete(h.pending, writer)
	}
}

// check reads the whole store and holds it against the history. What may be
// either way is known from now on.
func (h *history) check(ctx context.Context, db *dataknobs.DB) error {
	got := map[string]*dataknobs.Record{}
	for r, err := range db.Run(ctx, &dataknobs.Query{}) {
		if err != nil {
			return err
		}
		if got[r.ID] != nil {
			h.breaks("%s is there twice", r.ID)
		}
		if !whole(r) {
			h.breaks("%s is half a record: %s", r.ID, r.Fields.AppendJSON(nil))
			continue
		}
		got[r.ID] = r
		if r.Revision != "" {
			h.take(event{kind: seen, id: r.ID, n: r.Get("sum").Int(), text: r.Revision})
		}
	}
	h.checkRegisters(got)
	h.checkCounters(got)
	h.checkClaims(got)
	h.checkRecords(got)
	return nil
}

func (h *history) checkRegisters(got map[string]*dataknobs.Record) {
	for id, r := range h.registers {
		switch rec := got[id]; {
		case rec == nil && r.acked > 0:
			h.breaksAt(id, "is gone; %d was acknowledged", r.acked)
		case rec != nil && rec.Get("n").Int() != r.acked && !r.maybe[rec.Get("n").Int()]:
			h.breaksAt(id, "is %d; %d was acknowledged, %d writes are unclear", rec.Get("n").Int(), r.acked, len(r.maybe))
		}
	}
}

func (h *history) checkCounters(got map[string]*dataknobs.Record) {
	for id, t := range h.counters {
		n := int64(0)
		if got[id] != nil {
			n = got[id].Get("n").Int()
		}
		if n < t.acked || n > t.acked+t.maybe {
			h.breaksAt(id, "is %d; %d increments were acknowledged and %d are unclear", n, t.acked, t.maybe)
		}
	}
}

func (h *history) checkClaims(got map[string]*dataknobs.Record) {
	for id, c := range h.claims {
		rec := got[id]
		switch {
		case rec == nil && len(c.winners) > 0:
			h.breaks("%s is gone; %s was told that it created it", id, c.winners[0])
		case rec == nil:
		case len(c.winners) > 0 && rec.Get("owner").Str() != c.winners[0]:
			h.breaks("%s belongs to %s; %s was told that it created it", id, rec.Get("owner").Str(), c.winners[0])
		case len(c.winners) == 0 && c.losers[rec.Get("owner").Str()] && !c.maybe[rec.Get("owner").Str()]:
			h.breaksAt(id, "belongs to %s, which was told that it lost", rec.Get("owner").Str())
		}
	}
}

func (h *history) checkRecords(got map[string]*dataknobs.Record) {
	for id, s := range h.records {
		there := got[id] != nil
		switch {
		case s == present && !there:
			h.breaksAt(id, "is gone; it was acknowledged")
		case s == absent && there:
			h.breaksAt(id, "is there again; its delete was acknowledged")
		}
		if base, ok := strings.CutSuffix(id, "-0"); ok && strings.HasPrefix(id, "batch-") {
			if a, b := got[base+"-1"] != nil, got[base+"-2"] != nil; a != there || b != there {
				h.breaks("of the atomic batch %s only a part is there", base)
			}
		}
	}
	for id := range got {
		if h.records[id] == 0 && (strings.HasPrefix(id, "new-") || strings.HasPrefix(id, "batch-")) {
			h.breaks("%s is there, and nobody wrote it", id)
		}
	}
}
