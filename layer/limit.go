package layer

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"

	"dataknobs.dev/dataknobs"
)

// LimitOptions are the settings of [Limit]. Zero means no limit.
type LimitOptions struct {
	Rate    float64       `option:"rate" default:"0" min:"0" doc:"calls in a second; 0: any"`
	Burst   int           `option:"burst" default:"0" min:"0" doc:"calls that may come at once after a rest; 0: those of one second"`
	Records float64       `option:"records" default:"0" min:"0" doc:"records read and written in a second; 0: any"`
	Calls   int           `option:"calls" default:"0" min:"0" doc:"calls under way at once; a query counts as long as it is ranged over; 0: any"`
	Wait    time.Duration `option:"wait" default:"30s" doc:"how long a call waits for its turn before it is Unavailable"`
}

// Limit returns d with a layer that lets calls wait for their turn. Calls wait in
// no particular order, and obey their context. One that would wait longer than
// Wait fails with Unavailable, and the store is not asked.
//
// A program that makes a call for each record of a query it ranges over needs at
// least two Calls.
//
// What is asked about the store rather than of it (field names, kinds, plans),
// and the begin and end of transactions, are not counted.
func Limit(d dataknobs.Driver, o LimitOptions) dataknobs.Driver {
	o = withDefaults(o)
	l := &limit{o: o}
	if o.Rate > 0 {
		burst := o.Burst
		if burst == 0 {
			burst = burstOf(o.Rate)
		}
		l.rate = rate.NewLimiter(rate.Limit(o.Rate), burst)
	}
	if o.Records > 0 {
		l.records = rate.NewLimiter(rate.Limit(o.Records), burstOf(o.Records))
	}
	if o.Calls > 0 {
		l.slots = make(chan struct{}, o.Calls)
	}
	return newDriver(d, l)
}

// burstOf is what comes in a second, and at least one.
func burstOf(r float64) int { return int(math.Ceil(min(r, math.MaxInt32))) }

func wrapLimit(d dataknobs.Driver, o LimitOptions, _ Env) (dataknobs.Driver, error) {
	return Limit(d, o), nil
}

type limit struct {
	o       LimitOptions
	rate    *rate.Limiter // of calls; nil: any
	records *rate.Limiter // nil: any
	slots   chan struct{} // holds a token for each call under way; nil: any
}

func (l *limit) around(ctx context.Context, c *call, next func(context.Context) error) error {
	switch c.method {
	case get, scan, apply, count, aggregate, load, schema:
	default:
		return next(ctx)
	}
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.leave()
	if err := l.take(ctx, l.rate, 1); err != nil {
		return err
	}
	if l.records == nil {
		return next(ctx)
	}
	return l.counted(ctx, c, next)
}

// counted lets each record wait.
func (l *limit) counted(ctx context.Context, c *call, next func(context.Context) error) error {
	each := func() error { return l.takeRecords(ctx, 1) }
	switch c.method {
	case get, scan:
		c.handing = func(*dataknobs.Record) error { return each() }
	case apply:
		if err := l.takeRecords(ctx, len(c.batch.Writes)); err != nil {
			return err
		}
	case load:
		seq := c.load.Records
		c.load.Records = func(yield func(*dataknobs.Record, error) bool) {
			for rec, err := range seq {
				if err == nil {
					err = each()
				}
				if !yield(rec, err) || err != nil {
					return
				}
			}
		}
	}
	return next(ctx)
}

// enter waits for a free slot.
func (l *limit) enter(ctx context.Context) error {
	if l.slots == nil {
		return nil
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(l.o.Wait)
	defer t.Stop()
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return refuse(fmt.Sprintf("%d calls were under way for %s, and no more are allowed at once", l.o.Calls, l.o.Wait),
			"end queries that are being ranged over, or allow more calls", 0)
	}
}

func (l *limit) leave() {
	if l.slots != nil {
		<-l.slots
	}
}

// takeRecords waits until n records may pass, which may be more than a burst:
// the next ones wait the longer. It never fails for being too many.
func (l *limit) takeRecords(ctx context.Context, n int) error {
	for burst := l.records.Burst(); n > 0; n -= burst {
		if err := l.records.WaitN(ctx, min(n, burst)); err != nil {
			return waitError(ctx, err)
		}
	}
	return nil
}

// take waits for n calls; nil: there is no limit.
func (l *limit) take(ctx context.Context, r *rate.Limiter, n int) error {
	if r == nil {
		return nil
	}
	turn := r.ReserveN(time.Now(), n)
	wait := turn.Delay()
	if wait > l.o.Wait {
		turn.Cancel()
		return refuse(fmt.Sprintf("there are more than %g calls in a second", l.o.Rate), "make fewer calls, or allow more", wait-l.o.Wait)
	}
	if err := pause(ctx, wait); err != nil {
		turn.Cancel()
		return err
	}
	return nil
}

// waitError is the context's error; the limiter says in other words that the
// context would end first.
func waitError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ends := ctx.Deadline(); ends {
		return context.DeadlineExceeded
	}
	return err
}
