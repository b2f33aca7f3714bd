package dataknobs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Bounds of what Load holds of a batch.
const (
	loadBatch      = 1000
	loadBatchBytes = 8 << 20
)

// LoadOptions says how a stream is loaded. The zero value creates every record
// and stops at the first that fails.
type LoadOptions struct {
	Mode LoadMode
	// Batch is how many records are written at once; 0: 1,000, or the store's own
	// bound. A batch is never more than about 8 MiB or one record.
	Batch int
	// Parallel bounds how many batches are under way at once. 0: Options.Workers
	// for stores that gain from it, else 1. Records of the same ID are written in
	// their order all the same.
	Parallel int
	// Schema is what the source says that its records hold: a hint. May be nil.
	Schema *Schema
	// Progress is told how far the load has come after every batch, or now and
	// then. Its calls do not overlap. May be nil.
	Progress func(LoadProgress)
	// OnError decides about a record that failed: nil goes on without it, an
	// error ends the load. nil: the first failure ends the load. Its calls do not
	// overlap. Where it is set, a store's bulk loader is not used.
	OnError func(ItemError) error
}

// LoadProgress says how far a load has come.
type LoadProgress struct {
	Read, Written, Skipped int64
	Elapsed                time.Duration
}

// LoadResult counts what a load did.
type LoadResult struct {
	Read    int64 // records taken from the stream
	Written int64 // records stored
	Skipped int64 // records that LoadSkip left alone
}

// A Span is a run of indexes in a stream: From up to, not including, To.
type Span struct{ From, To int64 }

// A LoadError says how a load ended before its stream did.
type LoadError struct {
	Store string
	// Failed are the records that failed, in the order of their indexes.
	Failed []ItemError
	// Done are the records that need not be loaded again: written, skipped, or
	// passed over by OnError. They are in order and do not touch.
	Done []Span
	// Cause is what ended the load where no record did: an error of the stream, a
	// cancelled context, or the store's.
	Cause error
}

// Error names the first failed records, the cause and what was done.
func (e *LoadError) Error() string {
	var b strings.Builder
	b.WriteString("load: ")
	if e.Store != "" {
		b.WriteString(strings.TrimSuffix(e.Store, ":") + ": ")
	}
	if len(e.Failed) > 0 {
		listItems(&b, e.Failed)
	}
	if e.Cause != nil {
		if len(e.Failed) > 0 {
			b.WriteString("; ")
		}
		b.WriteString(e.Cause.Error())
	}
	if len(e.Done) == 0 {
		b.WriteString("; no record was loaded")
		return b.String()
	}
	b.WriteString("; loaded were the records")
	for i, s := range e.Done {
		if i == maxListed {
			fmt.Fprintf(&b, " and %d more runs", len(e.Done)-i)
			break
		}
		fmt.Fprintf(&b, " %d to %d", s.From, s.To-1)
	}
	return b.String()
}

// Unwrap returns the causes.
func (e *LoadError) Unwrap() []error {
	errs := causes(e.Failed)
	if e.Cause != nil {
		errs = append(errs, e.Cause)
	}
	return errs
}

// Load writes a stream of records, in memory that does not grow with it. It
// stops at the first failure (but see OnError): batches that are under way then
// are waited for, and the error is a *LoadError that says exactly which records
// failed and which are loaded. The result is never nil.
//
// A record that seq yields belongs to Load until Load returns. o may be nil.
func (db *DB) Load(ctx context.Context, seq iter.Seq2[*Record, error], o *LoadOptions) (*LoadResult, error) {
	if o == nil {
		o = &LoadOptions{}
	}
	l := &load{db: db, opts: o, start: time.Now()}
	if err := l.check(); err != nil {
		return &l.res, db.fail("load", "", err)
	}
	if handled, err := l.bulk(ctx, seq); handled {
		return &l.res, err
	}
	err := l.batches(ctx, seq)
	return &l.res, err
}

// A load is one Load on its way.
type load struct {
	db     *DB
	opts   *LoadOptions
	start  time.Time
	res    LoadResult
	failed []ItemError
	done   spans
}

func (l *load) check() error {
	if l.opts.Mode > LoadSkip {
		return Errorf(InvalidArgument, "there is no load mode %d", l.opts.Mode)
	}
	return l.db.writable()
}

func (l *load) writeOf(rec *Record) Write {
	if l.opts.Mode == LoadPut && rec != nil && (rec.ID != "" || len(l.db.f.Key) > 0) {
		return putOf(rec)
	}
	return createOf(rec)
}

// bulk lets the driver's own loader do it, if it wants to.
func (l *load) bulk(ctx context.Context, seq iter.Seq2[*Record, error]) (handled bool, err error) {
	loader, ok := l.db.d.(Loader)
	if !ok || l.opts.OnError != nil {
		return false, nil
	}
	req := &LoadRequest{Mode: l.opts.Mode, Schema: l.opts.Schema}
	var own error // what ended the stream on this side
	req.Records = l.checked(ctx, seq, req, &own)
	handled, err = loader.Load(ctx, req)
	if !handled && err == nil {
		return false, nil
	}
	l.res.Written, l.res.Skipped = req.Written.Load(), req.Skipped.Load()
	if err == nil {
		err = own
	}
	if err == nil {
		l.progress()
		return true, nil
	}
	// The loader stored nothing: that is its contract.
	l.res.Written, l.res.Skipped = 0, 0
	if own == nil {
		own = annotate(err, "", "", "")
	}
	if len(l.failed) > 0 {
		own = nil
	}
	return true, l.err(own)
}

// checked yields the records as a Loader takes them.
func (l *load) checked(ctx context.Context, seq iter.Seq2[*Record, error], req *LoadRequest, own *error) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for rec, err := range seq {
			w := Write{}
			if err == nil {
				l.res.Read++
				if w, err = l.db.prepare(ctx, l.writeOf(rec)); err != nil {
					l.failed = []ItemError{{Index: int(l.res.Read - 1), ID: idOf(rec), Err: err}}
				}
			}
			if err != nil {
				*own = err
				yield(nil, err)
				return
			}
			if !yield(w.Record, nil) {
				return
			}
			if l.res.Read%4096 == 0 {
				l.res.Written, l.res.Skipped = req.Written.Load(), req.Skipped.Load()
				l.progress()
			}
		}
	}
}

func idOf(rec *Record) string {
	if rec == nil {
		return ""
	}
	return rec.ID
}

func (l *load) progress() {
	if l.opts.Progress != nil {
		l.opts.Progress(LoadProgress{l.res.Read, l.res.Written, l.res.Skipped, time.Since(l.start)})
	}
}

// err returns how the load ended: nil if nothing failed.
func (l *load) err(cause error) error {
	if cause == nil && len(l.failed) == 0 {
		return nil
	}
	slices.SortFunc(l.failed, func(a, b ItemError) int { return a.Index - b.Index })
	return &LoadError{Store: l.db.name, Failed: l.failed, Done: l.done, Cause: cause}
}

// A batch is some consecutive records of the stream.
type batch struct {
	from   int64   // the index of the first
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
	ctx     context.Context //nolint:containedctx // lives as long as one Load
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
		b.results, b.err = p.db.d.Apply(p.ctx, &Batch{Writes: b.writes, Workers: p.within})
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
		case b.err != nil && p.opts.OnError == nil && !isOwn(b.results, k, b.err):
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
