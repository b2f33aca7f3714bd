package dataknobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Code classifies an error. A Code is itself an error, so that
//
//	errors.Is(err, dataknobs.NotFound)
//
// asks for it. Callers test codes, never texts.
type Code uint8

// The codes.
const (
	// NotFound: there is no record of that ID (or no such file, table, bucket).
	NotFound Code = iota + 1
	// AlreadyExists: Create met a record of that ID.
	AlreadyExists
	// Conflict: the record's revision is not the one asked for.
	Conflict
	// InvalidArgument: what was passed cannot be right, whatever the store holds.
	InvalidArgument
	// Unsupported: this store cannot do that.
	Unsupported
	// PermissionDenied: the store refuses this caller.
	PermissionDenied
	// Unavailable: the store cannot be reached or is busy; a retry may help.
	Unavailable
	// ResourceExhausted: a bound on size, count or space was reached.
	ResourceExhausted
	// DataLoss: what is stored cannot be read; the message names the place.
	DataLoss
	// Internal: a fault of this package or of the store.
	Internal
)

var codeNames = [...]string{
	"unknown", "not found", "already exists", "conflict", "invalid argument", "unsupported",
	"permission denied", "unavailable", "resource exhausted", "data loss", "internal",
}

// Error returns the code in words, such as "not found".
func (c Code) Error() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return codeNames[0]
}

// An Error is every error that this package and its drivers return, but for
// context.Canceled and context.DeadlineExceeded, which stay themselves under
// errors.Is. No field ever holds a password or a token.
type Error struct {
	Code    Code
	Op      string // the operation, such as "create"; may be empty
	Store   string // the store, as it may be shown; may be empty
	ID      string // the record; may be empty
	Message string // what is wrong, with its place
	Hint    string // what to do about it; may be empty
	Err     error  // the cause; may be nil
	// RetryAfter is when trying again may help, from the moment of the error on,
	// where the store or a layer says so; else 0.
	RetryAfter time.Duration
}

// Error returns the message on one line (several where a query text is shown
// with a caret under the place).
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	what := e.what()
	b.WriteString(storePrefix(e.Store, what))
	switch {
	case len(e.ID) > MaxIDBytes: // it is refused; nobody wants to read it
		fmt.Fprintf(&b, "record %.40q…: ", e.ID)
	case e.ID != "":
		fmt.Fprintf(&b, "record %q: ", e.ID)
	}
	b.WriteString(what)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// storePrefix is what stands before a message to name its store: nothing where
// the message starts with the name, as what was found while reading a file does.
func storePrefix(store, what string) string {
	if store == "" || strings.HasPrefix(what, store+":") || strings.HasPrefix(what, store+" ") {
		return ""
	}
	return strings.TrimSuffix(store, ":") + ": "
}

// what is the message with its cause, or what stands in for it.
func (e *Error) what() string {
	var cause string
	if e.Err != nil {
		cause = e.Err.Error()
	}
	switch {
	case e.Message == "" && cause == "":
		return e.Code.Error()
	case e.Message == "":
		return cause
	case cause == "":
		return e.Message
	}
	return e.Message + ": " + cause
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's code, or is the same error before
// it was given its operation, store and ID.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Code:
		return t == e.Code
	case *Error:
		return t.Code == e.Code && t.Message == e.Message && t.Op+t.Store+t.ID == ""
	}
	return false
}

// Errorf returns an Error with that code and message. As with fmt.Errorf, an
// argument for %w becomes the cause (its text is then part of the message).
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	e := &Error{Code: code, Message: err.Error()}
	if cause := errors.Unwrap(err); cause != nil {
		e.Err = quiet{cause}
	}
	return e
}

// quiet is a cause whose text already stands in the message.
type quiet struct{ error }

func (quiet) Error() string   { return "" }
func (q quiet) Unwrap() error { return q.error }

// WithHint returns a copy of e that says what to do.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// CodeOf returns the code of err: that of the first Error in its tree, else
// the first bare Code, else Internal; 0 for nil and for errors of a context.
func CodeOf(err error) Code {
	var e *Error
	var c Code
	switch {
	case err == nil || IsContext(err):
		return 0
	case errors.As(err, &e):
		return e.Code
	case errors.As(err, &c):
		return c
	}
	return Internal
}

// IsContext reports whether err comes of a context that was cancelled or
// whose deadline passed.
func IsContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// ErrNotSent is what an error wraps when the call never reached the store, so
// that nothing of it happened and even a write can be made again without harm.
// Such an error has a code of its own, mostly Unavailable.
var ErrNotSent error = Errorf(Unavailable, "the store was not asked")

// annotate adds the operation, store and ID to err where it says none. Errors
// of a context and nil pass through.
func annotate(err error, op, store, id string) error {
	if err == nil {
		return nil
	}
	var e *Error
	switch x := err.(type) {
	case *Error:
		c := *x
		e = &c
	case Code:
		e = &Error{Code: x}
	default:
		if IsContext(err) {
			return err
		}
		e = &Error{Code: CodeOf(err), Err: err}
	}
	if e.Op == "" {
		e.Op = op
	}
	if e.Store == "" {
		e.Store = store
	}
	if e.ID == "" {
		e.ID = id
	}
	return e
}
