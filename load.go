package dataknobs

import (
	"context"
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
	if len(e.Failed) > 0 || e.Cause == nil {
		b.WriteString(storePrefix(e.Store, ""))
	} else {
		b.WriteString(storePrefix(e.Store, e.Cause.Error()))
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
	if db.tx != nil {
		var stop func()
		seq, stop = begun(seq)
		defer stop()
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
	if l.opts.Mode == LoadPut && rec != nil && (rec.ID != "" || len(l.db.f().Key) > 0) {
		return putOf(rec)
	}
	return createOf(rec)
}

// bulk lets the driver's own loader do it, if it wants to.
func (l *load) bulk(ctx context.Context, seq iter.Seq2[*Record, error]) (handled bool, err error) {
	loader, ok := Ability[Loader](l.db.d)
	if !ok || l.opts.OnError != nil {
		return false, nil
	}
	req := &LoadRequest{Mode: l.opts.Mode, Schema: l.opts.Schema}
	var own error // what ended the stream on this side
	req.Records = l.checked(ctx, seq, req, &own)
	handled, err = l.db.load(ctx, loader, req)
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
