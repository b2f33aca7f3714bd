// Command dk queries, changes and copies records in any store that dataknobs
// knows: files of several formats, memory, and servers.
//
// Start reading at Run, which runs one command line; root.go has the tree of
// commands, and every command has a file of its own.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	_ "dataknobs.dev/dataknobs/driver/all"
)

//go:generate go test . -run ^TestReference -update

func main() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		boundMemory()
	}
	ctx, stop := interruptible()
	code := Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// interruptible returns a context that the first SIGINT or SIGTERM cancels; the
// second ends the process at once. A write to a closed pipe becomes an error
// that Run ends quietly with, in place of a signal that kills.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:gosec // the second result cancels
	sig := make(chan os.Signal, 2)
	signal.Notify(sig, os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		for range 2 {
			select {
			case <-sig:
			case <-done:
				return
			}
			if ctx.Err() != nil {
				os.Exit(exitInterrupted)
			}
			cancel()
		}
	}()
	return ctx, func() {
		close(done)
		signal.Stop(sig)
		cancel()
	}
}

// Run runs one command line and returns its exit code. It writes to nothing
// but stdout, stderr and the stores that the command names. The context ends
// it early, with the code of an interrupted command.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return newApp(stdin, stdout, stderr, os.Getenv).run(ctx, args)
}
