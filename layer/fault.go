package layer

import (
	"context"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
)

// A FaultRule says which calls go wrong, and how. Of the conditions all must
// hold; of the rules of a layer the first that fits a call counts.
type FaultRule struct {
	// Call is the call: get, scan, apply, count, aggregate, load, schema,
	// field_names, kinds, explain, epoch, sync, begin, commit, rollback; "": any.
	Call string
	// ID is a pattern, as of path.Match, that one of the record's IDs must have, of
	// get and apply. Of a batch only the writes of such IDs fail. "": any.
	ID string
	// Nth: only the n-th of the calls that fit, and, with Times, those after it.
	// 0: from the first on.
	Nth int
	// Times is how many of them go wrong: 0: all; with Nth: one.
	Times int
	// Chance is how likely each of them is to go wrong; 0: it does.
	Chance float64

	// Delay is waited before anything else, obeying the context.
	Delay time.Duration
	// Fail is the error's code; 0 with NotSent, Lost or Cut: Unavailable. 0 with
	// Delay alone: the call goes on.
	Fail dataknobs.Code
	// NotSent: the error says that the store was not asked: dataknobs.ErrNotSent.
	NotSent bool
	// Cut: a sequence ends with the error after After records; others fail.
	Cut   bool
	After int64
	// Lost: the write is applied, or the transaction committed, and its answer lost:
	// the error says dataknobs.ErrUnknownOutcome. Of apply, load and commit only.
	Lost bool
	// RetryAfter stands in the error.
	RetryAfter time.Duration
}

// FaultOptions are the settings of [Fault].
type FaultOptions struct {
	Rules []FaultRule
	// Seed starts the random numbers for Chance, so that the same calls in the same
	// order go wrong every time.
	Seed uint64
}

// Fault returns d with a layer that lets calls go wrong by rule, for tests of
// what a program does then. A rule that has a mistake is InvalidArgument.
func Fault(d dataknobs.Driver, o FaultOptions) (dataknobs.Driver, error) {
	f := &fault{random: rand.New(rand.NewPCG(o.Seed, o.Seed))} //nolint:gosec // the same seed makes the same faults
	for i := range o.Rules {
		if err := o.Rules[i].check(); err != nil {
			return nil, err
		}
		f.rules = append(f.rules, faultState{FaultRule: o.Rules[i]})
	}
	return newDriver(d, f), nil
}

func (r *FaultRule) check() error {
	_, bad := path.Match(r.ID, "")
	switch {
	case r.Call != "" && !slices.Contains(methodNames[:], r.Call):
		err := dataknobs.Errorf(dataknobs.InvalidArgument, "a fault rule is about %q, which is no call", r.Call)
		return unknown(err, r.Call, methodNames[:])
	case bad != nil:
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the fault rule's pattern %q of IDs: %w", r.ID, bad)
	case r.Nth < 0 || r.Times < 0 || r.After < 0 || r.Delay < 0 || r.RetryAfter < 0:
		return dataknobs.Errorf(dataknobs.InvalidArgument, "a number in a fault rule is negative")
	case !(r.Chance >= 0 && r.Chance <= 1):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the chance of a fault is %g; it lies between 0 and 1", r.Chance)
	case r.Fail > dataknobs.Internal:
		return dataknobs.Errorf(dataknobs.InvalidArgument, "a fault rule has the code %d, which there is not", r.Fail)
	case r.Delay == 0 && r.Fail == 0 && !r.NotSent && !r.Cut && !r.Lost:
		return dataknobs.Errorf(dataknobs.InvalidArgument, "a fault rule does nothing").WithHint("say delay, fail, not_sent, cut or lost")
	}
	return nil
}

type fault struct {
	mu     sync.Mutex
	random *rand.Rand   // guarded by mu
	rules  []faultState // guarded by mu
}

type faultState struct {
	FaultRule
	met  int // how many calls it fitted
	done int // how many of them went wrong
}

func (f *fault) around(ctx context.Context, c *call, next func(context.Context) error) error {
	r := f.choose(c)
	if r == nil {
		return next(ctx)
	}
	if err := pause(ctx, r.Delay); err != nil && r.Delay > 0 {
		return err
	}
	switch {
	case r.Cut && c.isSequence():
		c.handing = func(*dataknobs.Record) error {
			if c.rows >= r.After {
				return r.err()
			}
			return nil
		}
		if err := next(ctx); err != nil {
			return err
		}
		if c.rows >= r.After { // there were no more
			return r.err()
		}
		return nil
	case r.Fail == 0 && !r.NotSent && !r.Cut && !r.Lost:
		return next(ctx)
	case c.method == apply && r.ID != "":
		return r.some(ctx, c, next)
	case r.Lost:
		if err := next(ctx); err != nil {
			return err
		}
		c.results = nil
	}
	return r.err()
}

// choose returns the rule that the call falls under; nil if none does.
func (f *fault) choose(c *call) *FaultRule {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.rules {
		s := &f.rules[i]
		if !s.fits(c) {
			continue
		}
		s.met++
		if s.due() && (s.Chance == 0 || f.random.Float64() < s.Chance) {
			s.done++
			r := s.FaultRule
			return &r
		}
	}
	return nil
}

func (s *faultState) fits(c *call) bool {
	switch {
	case s.Call != "" && s.Call != c.method.String():
		return false
	case s.Lost && c.method != apply && c.method != load && c.method != commit:
		return false
	case s.ID == "":
		return true
	case c.method == get:
		return slices.ContainsFunc(c.ids, s.hasID)
	case c.method == apply:
		return slices.ContainsFunc(c.batch.Writes, func(w dataknobs.Write) bool { return s.hasID(w.ID) })
	}
	return false
}

func (r *FaultRule) hasID(id string) bool {
	ok, _ := path.Match(r.ID, id)
	return ok
}

func (s *faultState) due() bool {
	times := s.Times
	if times == 0 && s.Nth > 0 {
		times = 1
	}
	return s.met >= max(s.Nth, 1) && (times == 0 || s.done < times)
}

func (r *FaultRule) err() error {
	e := &dataknobs.Error{Code: r.Fail, Message: "a fault made for a test", RetryAfter: r.RetryAfter}
	if e.Code == 0 {
		e.Code = dataknobs.Unavailable
	}
	switch {
	case r.Lost:
		e.Err = dataknobs.ErrUnknownOutcome
	case r.NotSent:
		e.Err = dataknobs.ErrNotSent
	}
	return e
}

// some lets the writes of the IDs fail, and all others be applied.
func (r *FaultRule) some(ctx context.Context, c *call, next func(context.Context) error) error {
	all := c.batch
	b := *all
	b.Writes = nil
	for i := range all.Writes {
		if r.Lost || !r.hasID(all.Writes[i].ID) {
			b.Writes = append(b.Writes, all.Writes[i])
		}
	}
	results := make([]dataknobs.Result, len(all.Writes))
	if !r.Lost && all.Atomic {
		b.Writes = nil
		for i := range results {
			results[i].Err = dataknobs.ErrNotApplied
		}
	}
	if len(b.Writes) > 0 {
		c.batch = &b
		if err := next(ctx); err != nil {
			return err
		}
	}
	got := c.results
	for i := range all.Writes {
		bad := r.hasID(all.Writes[i].ID)
		if (r.Lost || !bad && !all.Atomic) && len(got) > 0 {
			results[i], got = got[0], got[1:]
		}
		if bad {
			results[i] = dataknobs.Result{Err: r.err()}
		}
	}
	c.results = results
	return nil
}
