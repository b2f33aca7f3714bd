package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"dataknobs.dev/dataknobs"
)

// The exit codes, as the help lists them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitConflict    = 4
	exitInterrupted = 130
)

const exitCodes = `  0    done (also when the reader of a pipe went away)
  1    failed
  2    wrong use: a flag, an option, an argument or a query that cannot be right
  3    not found: no such record, or no such store
  4    conflict: the record exists already, or is not at the revision asked for
  130  interrupted`

// A usageError is a command line that cannot be right.
type usageError struct {
	msg  string
	hint string
}

func (e *usageError) Error() string {
	if e.hint == "" {
		return e.msg
	}
	return e.msg + " (" + e.hint + ")"
}

func usagef(format string, args ...any) *usageError {
	return &usageError{msg: fmt.Sprintf(format, args...)}
}

func (e *usageError) withHint(format string, args ...any) *usageError {
	return &usageError{e.msg, fmt.Sprintf(format, args...)}
}

// A codedError has been reported already; only its exit code is left.
type codedError int

func (e codedError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exit reports err on stderr and returns the exit code for it.
func (a *app) exit(ctx context.Context, err error) int {
	var coded codedError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded):
		return int(coded)
	case isOutputError(err) && (errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrClosed)):
		return exitDone // the reader has seen enough
	case ctx.Err() != nil && (dataknobs.IsContext(err) || dataknobs.CodeOf(err) == dataknobs.Internal):
		fmt.Fprintln(a.stderr, "dk: interrupted")
		return exitInterrupted
	}
	a.report(err)
	return exitCode(err)
}

// report says err on stderr: one line, but for a query text with its caret.
func (a *app) report(err error) {
	text := message(strings.TrimRight(err.Error(), "\n"))
	fmt.Fprintf(a.stderr, "%s %s\n", a.err.paint(styleRed, "dk:"), text)
}

func exitCode(err error) int {
	var u *usageError
	if errors.As(err, &u) {
		return exitUsage
	}
	switch dataknobs.CodeOf(err) {
	case dataknobs.InvalidArgument:
		return exitUsage
	case dataknobs.NotFound:
		return exitNotFound
	case dataknobs.AlreadyExists, dataknobs.Conflict:
		return exitConflict
	}
	return exitFailed
}
