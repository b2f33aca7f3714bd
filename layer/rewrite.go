package layer

import (
	"errors"

	"dataknobs.dev/dataknobs"
)

// A writing is an Apply that may be repeated, in part if it is not atomic.
type writing struct {
	c       *call
	batch   *dataknobs.Batch
	results []dataknobs.Result // by index in batch, like all below
	sure    []bool             // no earlier try of it can have been applied
	index   []int              // the writes of the try under way
	tries   int
}

func newWriting(c *call) *writing {
	n := len(c.batch.Writes)
	w := &writing{c: c, batch: c.batch, results: make([]dataknobs.Result, n), sure: make([]bool, n), index: make([]int, n)}
	for i := range w.index {
		w.index[i], w.sure[i] = i, true
	}
	return w
}

// again notes what the try came to and prepares the next one. It returns why
// there should be one.
func (w *writing) again(err error) error {
	w.tries++
	if err == nil && len(w.c.results) != len(w.index) {
		return nil // a driver's fault, which the engine names
	}
	for k, i := range w.index {
		w.note(i, resultAt(w.c.results, k, err))
	}
	if w.tries > 1 || err != nil {
		w.c.results = w.results
	}
	var why error
	if w.batch.Atomic {
		why = w.whole()
	} else {
		why = w.part()
	}
	for _, i := range w.index {
		w.sure[i] = w.sure[i] && isNotSent(w.results[i].Err)
	}
	return why
}

// note keeps the result of a write. One that fails its condition after a try
// that may have been applied says that nobody knows.
func (w *writing) note(i int, r dataknobs.Result) {
	code := codeOf(r.Err)
	if !w.sure[i] && (code == dataknobs.Conflict || code == dataknobs.NotFound) && !errors.Is(r.Err, dataknobs.ErrNotApplied) {
		e := dataknobs.Errorf(dataknobs.Unavailable, "the write was repeated because its answer was lost, and then failed (%w); it may have been applied the first time", r.Err)
		e.Err = lostAnswer{r.Err}
		r.Err = e.WithHint("read the record to see whether it was")
	}
	w.results[i] = r
}

// resultAt returns the k-th result of a call that failed with err, or did not.
// What is not known to have been applied has failed with err.
func resultAt(results []dataknobs.Result, k int, err error) dataknobs.Result {
	if k < len(results) {
		if r := results[k]; err == nil || r.Err != nil || r.Revision != "" {
			return r
		}
	}
	return dataknobs.Result{Err: err}
}

// part makes the next try one of the writes that failed for a while, as long as
// no later write of the same record was made meanwhile.
func (w *writing) part() error {
	var why error
	var index []int
	done := map[string]bool{} // IDs with a later write that is not repeated
	for n := len(w.index) - 1; n >= 0; n-- {
		i := w.index[n]
		cause, id := w.results[i].Err, w.batch.Writes[i].ID
		if done[id] || !w.repeatable(i, cause) {
			done[id] = id != ""
			continue
		}
		why = later(why, cause)
		index = append([]int{i}, index...)
	}
	if why == nil {
		return nil
	}
	w.index = index
	b := *w.batch
	b.Writes = make([]dataknobs.Write, len(index))
	for k, i := range index {
		b.Writes[k] = w.batch.Writes[i]
	}
	w.c.batch = &b
	return why
}

// whole makes the next try one of the whole batch, which is atomic.
func (w *writing) whole() error {
	var why error
	for i := range w.results {
		if err := w.results[i].Err; err != nil && !errors.Is(err, dataknobs.ErrNotApplied) {
			why = later(why, err)
		}
	}
	if why == nil {
		return nil
	}
	for i := range w.results {
		if !w.repeatable(i, why) {
			return nil
		}
	}
	return why
}

// repeatable reports whether a write that failed by err may be tried again.
func (w *writing) repeatable(i int, err error) bool {
	var lost lostAnswer
	if !isPassing(err) || errors.As(err, &lost) {
		return false
	}
	return isNotSent(err) || isSafe(&w.batch.Writes[i])
}

// isSafe reports whether a write that may have been applied can be made again:
// it leaves the record as it is then, or fails.
func isSafe(w *dataknobs.Write) bool {
	switch {
	case w.ID == "":
		return false
	case w.Revision != "": // which no record has twice
		return true
	}
	return w.Op == dataknobs.WritePut && w.If != dataknobs.IfAbsent
}

func isNotSent(err error) bool { return errors.Is(err, dataknobs.ErrNotSent) }

// later returns the one of two errors that asks for the longer pause.
func later(a, b error) error {
	if a == nil || retryAfter(b) > retryAfter(a) {
		return b
	}
	return a
}

// lostAnswer is a cause that wraps ErrUnknownOutcome too, and whose text stands in
// the message.
type lostAnswer struct{ error }

func (lostAnswer) Error() string     { return "" }
func (u lostAnswer) Unwrap() []error { return []error{dataknobs.ErrUnknownOutcome, u.error} }
