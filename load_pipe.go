package dataknobs

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// A batch is some consecutive records of the stream.
type batch struct {
	writes []Write // prepared
	at     []int64 // their indexes
	bytes  int
	// What Apply answered.
	results []Result
	err     error
}

// batches writes the stream in batches, several at once. Everything but Apply
// happens on the calling goroutine.
func (l *load) batches(ctx context.Context, seq iter.Seq2[*Record, error]) error {
	p := newPipe(ctx, l)
	cause := p.read(ctx, seq)
	if cause == nil && !p.stopped {
		p.send()
	}
	for p.flying > 0 {
		p.settle(<-p.done)
	}
	if cause == nil {
		cause = p.cause
	}
	return l.err(cause)
}

// A pipe hands batches to goroutines and takes them back.
type pipe struct {
	*load
	ctx     context.Context // of this one Load
	size    int
	most    int // how many batches may fly
	within  int // how many writes of a batch may be under way
	flying  int
	done    chan *batch
	cur     *batch
	ids     map[string]struct{} // of the records in the batches that fly
	stopped bool
	cause   error
}

func newPipe(ctx context.Context, l *load) *pipe {
	j := job{db: l.db, opts: batchOptions{parallel: l.opts.Parallel, size: l.opts.Batch}}
	most := j.workers()
	return &pipe{
		load: l, ctx: ctx, size: j.size(loadBatch), most: most, within: j.within(),
		done: make(chan *batch, most), cur: &batch{}, ids: map[string]struct{}{},
	}
}

// read takes the records one by one until the stream ends or something fails.
// The error is the stream's or the context's.
func (p *pipe) read(ctx context.Context, seq iter.Seq2[*Record, error]) error {
	for rec, err := range seq {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			p.send() // what came before is whole
			return err
		}
		p.take(rec)
		if p.stopped {
			return nil
		}
	}
	return ctx.Err()
}

// take adds a record to the current batch, which is sent when it is full.
func (p *pipe) take(rec *Record) {
	i := p.res.Read
	p.res.Read++
	w, err := p.db.prepare(p.ctx, p.writeOf(rec))
	if err != nil {
		if p.opts.OnError == nil {
			p.send() // what came before is whole
		}
		p.fail(ItemError{Index: int(i), ID: idOf(rec), Err: err}, i)
		return
	}
	if _, busy := p.ids[w.ID]; busy && w.ID != "" {
		for p.flying > 0 { // an earlier write of the same record comes first
			p.settle(<-p.done)
		}
	}
	if p.stopped {
		return
	}
	b := p.cur
	b.writes, b.at = append(b.writes, w), append(b.at, i)
	b.bytes += roughSize(w.Record)
	if len(b.writes) >= p.size || b.bytes >= loadBatchBytes {
		p.send()
	}
}

// send lets the current batch fly once there is room.
func (p *pipe) send() {
	for p.flying >= p.most {
		p.settle(<-p.done)
	}
	b := p.cur
	if len(b.writes) == 0 || p.stopped {
		return
	}
	p.cur = &batch{}
	p.flying++
	if p.most > 1 {
		for i := range b.writes {
			p.ids[b.writes[i].ID] = struct{}{}
		}
	}
	go func() {
		b.results, b.err = p.db.apply(p.ctx, &Batch{Writes: b.writes, Workers: p.within})
		p.done <- b
	}()
}

// settle takes a batch back and counts what became of each record.
func (p *pipe) settle(b *batch) {
	p.flying--
	if b.err == nil && len(b.results) != len(b.writes) {
		b.err = Errorf(Internal, "the driver returned %d results for %d writes", len(b.results), len(b.writes))
	}
	for k, i := range b.at {
		delete(p.ids, b.writes[k].ID)
		err := resultAt(b.results, k, b.err).Err
		switch {
		case err == nil:
			p.res.Written++
			p.loadedAt(i)
		case p.opts.Mode == LoadSkip && errors.Is(err, AlreadyExists):
			p.res.Skipped++
			p.loadedAt(i)
		case b.err != nil && !isOwn(b.results, k, b.err) && (p.opts.OnError == nil || IsContext(b.err)):
			// The call failed, not this record: it is neither loaded nor to blame.
		default:
			p.fail(ItemError{Index: int(i), ID: b.writes[k].ID, Err: annotate(err, "", "", "")}, i)
		}
	}
	if b.err != nil && (p.opts.OnError == nil || IsContext(b.err)) {
		p.stopped = true
		if p.cause == nil {
			p.cause = annotate(b.err, "", "", "")
		}
	}
	p.progress()
}

// isOwn reports whether the driver gave that write an error of its own.
func isOwn(results []Result, k int, call error) bool {
	return k < len(results) && results[k].Err != nil && !errors.Is(results[k].Err, call)
}

// fail notes a failed record and asks whether to go on.
func (p *pipe) fail(it ItemError, i int64) {
	if p.opts.OnError != nil {
		err := p.opts.OnError(it)
		if err == nil {
			p.loadedAt(i)
			return
		}
		it.Err = err
	}
	p.failed = append(p.failed, it)
	p.stopped = true
}

func (p *pipe) loadedAt(i int64) { p.load.done.add(i) }

// spans is a set of indexes as runs, in order, none touching another.
type spans []Span

// add adds one index. Indexes come almost in order.
func (s *spans) add(i int64) {
	at, found := slices.BinarySearchFunc(*s, i, func(x Span, i int64) int {
		switch {
		case x.To < i: // ends before i, not touching it
			return -1
		case x.From > i+1: // begins after i, not touching it
			return 1
		}
		return 0
	})
	if !found {
		*s = slices.Insert(*s, at, Span{i, i + 1})
		return
	}
	x := &(*s)[at]
	switch {
	case i == x.To:
		x.To++
	case i == x.From-1:
		x.From--
	}
	if at+1 < len(*s) && (*s)[at+1].From == x.To {
		x.To = (*s)[at+1].To
		*s = slices.Delete(*s, at+1, at+2)
	}
}

// roughSize is about how many bytes a checked record takes.
func roughSize(r *Record) int {
	n := 64
	for i := range r.Fields {
		v := r.Fields[i].Value
		n += len(r.Fields[i].Name) + 16
		switch v.kind {
		case KindString, KindBytes:
			n += v.Len()
		case KindArray, KindObject:
			size, _ := checkSized(r, MaxRecordBytes)
			return size
		}
	}
	return n
}
