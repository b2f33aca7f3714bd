package layer

import (
	"context"
	"math/rand/v2"
	"time"

	"dataknobs.dev/dataknobs"
)

// RetryOptions are the settings of [Retry]. What is left zero has its default.
type RetryOptions struct {
	Attempts int           `option:"attempts" default:"5" min:"1" max:"1000" doc:"how often a call is made at most"`
	Pause    time.Duration `option:"pause" default:"100ms" min:"1ms" doc:"the first pause is random, up to this; each later one up to twice as much"`
	MaxPause time.Duration `option:"pause.max" default:"10s" min:"1ms" doc:"no pause is longer, unless the server says so"`
	Time     time.Duration `option:"time" default:"1m" doc:"no pause begins that would end later than this after the call began"`
}

// Retry returns d with a layer that repeats calls which failed with
// Unavailable, or with an error that says when to come again, after random
// pauses that grow. It repeats what cannot do harm:
//
//   - every read. A sequence that broke after it had yielded goes on where it
//     was if the store can start there: a Get, and a Scan in an order. Others end
//     with the error;
//   - writes of which it is known that they were not applied, because the error
//     wraps [dataknobs.ErrNotSent];
//   - writes whose outcome is not known, where applying them twice is as once: a
//     put or update of a whole record, and what asks for a revision. If a repeated
//     write then fails by NotFound or Conflict, nobody knows whether the first one
//     did it: the error wraps [dataknobs.ErrUnknownOutcome].
//
// Of a batch only the writes that failed are repeated. Creates and patches whose
// outcome is not known are not, neither are bulk loads that have begun and
// anything in a transaction. The Created of a put that was repeated may be false
// though there was no such record before.
func Retry(d dataknobs.Driver, o RetryOptions) dataknobs.Driver {
	return newDriver(d, &retry{withDefaults(o)})
}

func wrapRetry(d dataknobs.Driver, o RetryOptions, _ Env) (dataknobs.Driver, error) {
	return Retry(d, o), nil
}

type retry struct{ o RetryOptions }

func (r *retry) around(ctx context.Context, c *call, next func(context.Context) error) error {
	if c.inTx {
		return next(ctx)
	}
	again := r.repeats(c)
	if again == nil {
		return next(ctx)
	}
	start := time.Now()
	for try := 1; ; try++ {
		err := next(ctx)
		why := again(err)
		if why == nil {
			return r.end(c, err, try, time.Since(start))
		}
		wait := r.wait(try, why)
		if ctx.Err() == nil && (try >= r.o.Attempts || time.Since(start)+wait > r.o.Time) {
			return r.end(c, err, try, time.Since(start))
		}
		if ended := pause(ctx, wait); ended != nil {
			return stopped(ended, why, try)
		}
	}
}

// wait is how long to wait after that many tries, of which the last failed by
// why.
func (r *retry) wait(try int, why error) time.Duration {
	most := r.o.MaxPause
	if shift := try - 1; shift < 30 && r.o.Pause<<shift < most {
		most = r.o.Pause << shift
	}
	return retryAfter(why) + time.Duration(rand.Int64N(int64(most)+1)) //nolint:gosec // a random pause guards no secret
}

// end completes what a call came to after its last try.
func (r *retry) end(c *call, err error, tries int, took time.Duration) error {
	for i := range c.results {
		if c.method == apply {
			c.results[i].Err = told(c.results[i].Err, tries, took)
		}
	}
	return told(err, tries, took)
}

// stopped is the error of a call whose context ended between two tries: the
// context's, which says also by what the last try failed.
func stopped(ended, why error, tries int) error {
	e := dataknobs.Errorf(codeOf(why), "%v after the try number %d, which failed: %v", ended, tries, why)
	e.Err = both{ended, why}
	return e
}

// both are the causes of an error whose message says them already.
type both struct{ ended, why error }

func (both) Error() string     { return "" }
func (b both) Unwrap() []error { return []error{b.ended, b.why} }

// told adds to the error of a call that was made in vain how often it was.
func told(err error, tries int, took time.Duration) error {
	if tries == 1 || !isPassing(err) {
		return err
	}
	e := dataknobs.Errorf(codeOf(err), "tried %d times in %s: %w", tries, took.Round(time.Millisecond), err)
	e.RetryAfter = retryAfter(err)
	return e
}

// repeats returns what decides, after each try, whether there may be one more:
// it returns the error that makes it worth while, else nil. It prepares c for
// the next try. nil: the call is not repeated.
func (r *retry) repeats(c *call) func(error) error {
	switch c.method {
	case commit, rollback:
		return nil
	case get:
		return c.againGet()
	case scan:
		return c.againScan()
	case apply:
		return newWriting(c).again
	case load:
		return c.againLoad()
	}
	return func(err error) error { return c.ifPassing(err, c.rows == 0) }
}

// ifPassing returns err if it is worth another try, and possible.
func (c *call) ifPassing(err error, possible bool) error {
	if possible && isPassing(err) {
		return err
	}
	return nil
}

// againGet asks for what has not come yet.
func (c *call) againGet() func(error) error {
	if len(c.ids) == 1 {
		return func(err error) error { return c.ifPassing(err, c.rows == 0) }
	}
	had := map[string]bool{}
	c.handing = func(rec *dataknobs.Record) error { had[rec.ID] = true; return nil }
	return func(err error) error {
		if c.ifPassing(err, true) == nil {
			return nil
		}
		var rest []string
		for _, id := range c.ids {
			if !had[id] {
				rest = append(rest, id)
			}
		}
		c.ids = rest
		return err
	}
}

// againScan continues after the last record where there is an order and the
// store can start in its midst.
func (c *call) againScan() func(error) error {
	asked := c.scan
	if len(asked.OrderBy) == 0 || !c.sorted {
		return func(err error) error { return c.ifPassing(err, c.rows == 0) }
	}
	order := dataknobs.NewOrdering(asked.OrderBy)
	var last dataknobs.Seek
	c.handing = func(rec *dataknobs.Record) error { // afterwards it is the receiver's
		last.ID, last.Keys = rec.ID, order.AppendKeysOf(last.Keys[:0], rec)
		return nil
	}
	return func(err error) error {
		if c.ifPassing(err, true) == nil || c.rows == 0 {
			return c.ifPassing(err, true)
		}
		s := *asked
		s.After = &dataknobs.Seek{ID: last.ID, Keys: append([]dataknobs.Value(nil), last.Keys...)}
		s.Offset = 0
		if s.HasLimit {
			s.Limit -= int(c.rows)
		}
		c.scan = &s
		return err
	}
}

// againLoad lets a loader begin again that has taken nothing.
func (c *call) againLoad() func(error) error {
	req, taken := c.load, false
	seq := req.Records
	req.Records = func(yield func(*dataknobs.Record, error) bool) {
		taken = true
		seq(yield)
	}
	return func(err error) error { return c.ifPassing(err, !taken) }
}
