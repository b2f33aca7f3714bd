package layer

import (
	"context"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
)

// TimeoutOptions are the settings of [Timeout].
type TimeoutOptions struct {
	After time.Duration `option:"after" required:"true" min:"1ms" doc:"give up a call in which nothing moved for so long"`
	Total time.Duration `option:"total" default:"0" min:"0s" doc:"give up a call that takes longer altogether, without the time that the caller takes over records; 0: never"`
}

// Timeout returns d with a layer that gives up calls in which nothing moves: a
// call that returns one thing must do so in time, a query must yield its first
// record in time and each one in the same time after the one before. The time
// that the caller takes over a record does not count. Of a bulk load what counts
// is that it takes records, and of a transaction each of its calls.
//
// The error has the code Unavailable and wraps context.DeadlineExceeded. A write
// that was given up may have been applied all the same. The driver inside must
// obey its context, as all do.
//
// Without After and Total nothing is given up.
func Timeout(d dataknobs.Driver, o TimeoutOptions) dataknobs.Driver {
	if o.After <= 0 && o.Total <= 0 {
		return d
	}
	return newDriver(d, &timeout{o})
}

func wrapTimeout(d dataknobs.Driver, o TimeoutOptions, _ Env) (dataknobs.Driver, error) {
	return Timeout(d, o), nil
}

type timeout struct{ o TimeoutOptions }

func (t *timeout) around(ctx context.Context, c *call, next func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	if c.method != begin { // whose context may be that of the whole transaction
		defer cancel(nil)
	}
	w := &watch{o: t.o, left: t.o.Total, cancel: cancel, method: c.method}
	w.start()
	c.handing = func(*dataknobs.Record) error { w.pause(); return nil }
	c.handed = w.start
	if c.method == load {
		w.loading(c.load)
	}
	err := next(ctx)
	if late := w.end(); late != nil && (err != nil || c.isSequence()) { // which some drivers end without a word
		return late
	}
	return err
}

func (c *call) isSequence() bool { return c.method == scan || c.method == get || c.method == aggregate }

// A watch cancels a context when nothing moves.
type watch struct {
	o      TimeoutOptions
	cancel context.CancelCauseFunc
	method method

	mu    sync.Mutex
	timer *time.Timer   // guarded by mu, like all below; nil: not running
	since time.Time     // when it was started
	left  time.Duration // of Total
	late  error         // why the call was given up
}

// start lets the time run again.
func (w *watch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	after, total := w.o.After, w.o.Total > 0 && (w.o.After <= 0 || w.left < w.o.After)
	if total {
		after = w.left
	}
	w.since = time.Now()
	var timer *time.Timer
	timer = time.AfterFunc(after, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.timer == timer && w.late == nil {
			w.late = w.err(total)
			w.cancel(w.late)
		}
	})
	w.timer = timer
}

// end stops the time for good and says why the call was given up, if it was.
func (w *watch) end() error {
	w.pause()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.late
}

// pause stops the time.
func (w *watch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		return
	}
	w.timer.Stop()
	w.timer = nil
	w.left = max(0, w.left-time.Since(w.since))
}

func (w *watch) err(total bool) error {
	text, d := "nothing moved in %s for %s", w.o.After
	if total {
		text, d = "%s took longer than %s", w.o.Total
	}
	e := dataknobs.Errorf(dataknobs.Unavailable, text, w.method, d)
	e.Err = deadline{}
	return e
}

// deadline is the cause of a call that was given up.
type deadline struct{}

func (deadline) Error() string { return "" }
func (deadline) Unwrap() error { return context.DeadlineExceeded }

// loading lets the time run only while the loader does not wait for a record.
func (w *watch) loading(req *dataknobs.LoadRequest) {
	seq := req.Records
	req.Records = func(yield func(*dataknobs.Record, error) bool) {
		w.pause()
		for rec, err := range seq {
			w.start()
			more := yield(rec, err)
			w.pause()
			if !more {
				break
			}
		}
		w.start()
	}
}
