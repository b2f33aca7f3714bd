package layer

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"dataknobs.dev/dataknobs"
)

// CircuitOptions are the settings of [Circuit]. What is left zero has its
// default.
type CircuitOptions struct {
	Failures int           `option:"failures" default:"5" min:"1" max:"1000000" doc:"failures in a row that open the circuit"`
	Open     time.Duration `option:"open" default:"30s" min:"1ms" doc:"how long the store is left alone"`
	Probes   int           `option:"probes" default:"1" min:"1" max:"1000" doc:"calls that are let through then; when all succeed, the circuit closes"`
}

// Circuit returns d with a layer that leaves a store alone which is down. After
// so many calls in a row that failed for that (Unavailable; ResourceExhausted
// with a time to come again), every call fails with Unavailable at once, for a
// time that the error says. Then a few are let through: if they succeed it is as
// before, else it waits again.
//
// A call that the store answered counts as a success, whatever the answer:
// NotFound, Conflict, PermissionDenied. One whose own context ended counts as
// neither.
func Circuit(d dataknobs.Driver, o CircuitOptions) dataknobs.Driver {
	c := &circuit{o: withDefaults(o)}
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   uint32(c.o.Probes),
		Timeout:       c.o.Open,
		ReadyToTrip:   func(n gobreaker.Counts) bool { return int(n.ConsecutiveFailures) >= c.o.Failures },
		IsSuccessful:  func(err error) bool { return !isPassing(err) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errUncounted) },
		OnStateChange: c.changed,
	})
	return newDriver(d, c)
}

func wrapCircuit(d dataknobs.Driver, o CircuitOptions, _ Env) (dataknobs.Driver, error) {
	return Circuit(d, o), nil
}

type circuit struct {
	o       CircuitOptions
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	until   atomic.Pointer[time.Time] // when the next probe is let through
}

// errUncounted stands for how a call ended that says nothing about the store.
var errUncounted = errors.New("uncounted")

func (c *circuit) changed(_ string, _, to gobreaker.State) {
	if to == gobreaker.StateOpen {
		until := time.Now().Add(c.o.Open)
		c.until.Store(&until)
	}
}

func (c *circuit) around(ctx context.Context, k *call, next func(context.Context) error) error {
	if k.method == rollback { // what was begun must end
		return next(ctx)
	}
	done, err := c.breaker.Allow()
	if err != nil {
		return c.refuse()
	}
	ended := errUncounted // a panic says nothing either
	defer func() { done(ended) }()
	err = next(ctx)
	ended = outcome(ctx, k, err)
	return err
}

// outcome is what a call's end says about the store.
func outcome(ctx context.Context, k *call, err error) error {
	switch {
	case err == nil:
		for i := range k.results {
			if isPassing(k.results[i].Err) {
				return k.results[i].Err
			}
		}
		return nil
	case ctx.Err() != nil, isRefusal(err), codeOf(err) == 0:
		return errUncounted
	}
	return err
}

func (c *circuit) refuse() error {
	until := c.until.Load()
	left := time.Until(*until)
	if left <= 0 {
		return refuse("the store has failed again and again; whether it is back is being tried", "", time.Millisecond)
	}
	return refuse(fmt.Sprintf("the store has failed %d times in a row and is left alone until %s", c.o.Failures, until.Format(time.RFC3339)), "", left)
}
