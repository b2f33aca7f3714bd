package layer

import (
	"context"
	"errors"
	"time"

	"dataknobs.dev/dataknobs"
)

// codeOf is dataknobs.CodeOf, which sees no code in an error that wraps one of
// a context, as that of Timeout does.
func codeOf(err error) dataknobs.Code {
	var e *dataknobs.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return dataknobs.CodeOf(err)
}

// isPassing reports whether err may be gone in a while: the store cannot be
// reached, is busy, or says when to come again.
func isPassing(err error) bool {
	return err != nil && (codeOf(err) == dataknobs.Unavailable || retryAfter(err) > 0)
}

// retryAfter is when trying again may help, as err says; 0: it does not.
func retryAfter(err error) time.Duration {
	var e *dataknobs.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// refuse returns the error of a call that a layer does not let through.
func refuse(text, hint string, after time.Duration) error {
	return &dataknobs.Error{Code: dataknobs.Unavailable, Message: text, Hint: hint, RetryAfter: after, Err: refusal{}}
}

// refusal is the cause of a refused call: it says nothing about the store.
type refusal struct{}

func (refusal) Error() string { return dataknobs.ErrNotSent.Error() }
func (refusal) Unwrap() error { return dataknobs.ErrNotSent }

func isRefusal(err error) bool {
	var r refusal
	return errors.As(err, &r)
}

// pause waits. It fails with the context's error.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
