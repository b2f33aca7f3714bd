// Package lies holds stores to what they owe when their server lies, as the
// lists in internal/hostile have it: the error that the lie deserves, in
// bounded time and memory, and nothing left running. It is for tests alone.
package lies

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// deadline stands for the error of a context, where the others are codes.
const deadline = "deadline"

// mostText is how long an error may be, whatever the server says, in bytes.
const mostText = 4000

// Limits bound what the answer to one request may cost.
type Limits struct {
	Patience time.Duration // how long it may take by its context
	Silence  time.Duration // the same, where that context's end is what is wanted
	Time     time.Duration // how long it may take in truth
	Heap     uint64        // how far the heap may rise, in bytes
	Secret   string        // what its error may not show; "": there is nothing
}

// Hold calls ask, which asks the store to do something while the lie is told,
// and fails t unless its error is the wanted one within the limits. want is a
// code, "deadline" for the end of the context, "" for no error, or several of
// them: "a or b". The context that ask gets lives on until t ends.
func (l *Limits) Hold(t *testing.T, do, want string, ask func(context.Context) error) {
	t.Helper()
	patience := l.Patience
	if want == deadline {
		patience = l.Silence
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel) // not before: what is left running is to end by itself
	var err error
	peak, took := hostile.Cost(func() { err = ask(ctx) })
	if got := codeOf(err); !slices.Contains(strings.Split(want, " or "), got) {
		t.Errorf("%s: got %v (code %q), wanted the code %q", do, err, got, want)
	}
	if err != nil && len(err.Error()) > mostText {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
	if err != nil && l.Secret != "" && strings.Contains(err.Error(), l.Secret) {
		t.Errorf("the error shows %q: %.300v", l.Secret, err)
	}
	if took > l.Time || peak > l.Heap {
		t.Errorf("%s took %v and %d MiB", do, took, peak>>20)
	}
}

func codeOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return deadline
	}
	return dataknobs.CodeOf(err).Error()
}

// Settled waits until nothing is left of what a request started, which left
// finds in the stacks of all goroutines, as runtime.Stack prints them.
func Settled(t *testing.T, left func(stacks string) bool) {
	t.Helper()
	var stacks string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() {
		all := make([]byte, 1<<20)
		stacks = string(all[:runtime.Stack(all, true)])
		if !left(stacks) {
			return
		}
	}
	t.Errorf("goroutines are left:\n%.3000s", stacks)
}
