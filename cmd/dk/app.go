package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"golang.org/x/term"
)

// An app is one run of the command: the streams and what it knows of them.
type app struct {
	stdin  io.Reader
	stdout io.Writer // what is asked for, and nothing else; plain text on a terminal
	styled io.Writer // stdout for text that is printable already, and may have styles
	stderr io.Writer // everything else; safe for concurrent use
	getenv func(string) string
	// environ lists all variables; nil: those of the process.
	environ func() []string
	conf    configured
	out     screen // stdout, if it is a terminal
	err     screen // stderr, if it is a terminal

	mu     sync.Mutex
	warned map[string]bool // warnings said already; guarded by mu
}

// A screen says what a terminal can show. The zero screen is no terminal.
type screen struct {
	tty    bool
	colour bool
	width  int // columns; 0: not known, nothing is cut
}

func newApp(stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) *app {
	a := &app{
		stdin:   stdin,
		styled:  outWriter{stdout},
		stderr:  &lockedWriter{w: stderr},
		getenv:  getenv,
		out:     screenOf(stdout, getenv),
		err:     screenOf(stderr, getenv),
		warned:  map[string]bool{},
		environ: os.Environ,
	}
	a.stdout = &plainWriter{w: a.styled, scr: &a.out}
	return a
}

// screenOf looks at w. Colours are left out under NO_COLOR (no-color.org) and
// on terminals that have none.
func screenOf(w io.Writer, getenv func(string) string) screen {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return screen{}
	}
	s := screen{tty: true, colour: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		s.width = width
	}
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 && s.width == 0 {
		s.width = n
	}
	return s
}

const (
	styleBold = "\x1b[1m"
	styleDim  = "\x1b[2m"
	styleRed  = "\x1b[31m"
	styleOff  = "\x1b[0m"
)

// paint returns s in that style where the screen has colours.
func (s screen) paint(style, text string) string {
	if !s.colour {
		return text
	}
	return style + text + styleOff
}

// listedWarnings bounds how many warnings are said: a file may have a fault in
// each of a million columns.
const listedWarnings = 100

// warn says msg on stderr, once.
func (a *app) warn(msg string) {
	msg = message(msg)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.warned[msg] || len(a.warned) > listedWarnings {
		return
	}
	a.warned[msg] = true
	if len(a.warned) > listedWarnings {
		msg = "there are more warnings, which are not shown"
	}
	fmt.Fprintf(a.stderr, "dk: warning: %s\n", msg)
}

// note says something about the result on stderr, for people: only on a terminal.
func (a *app) note(format string, args ...any) {
	if a.err.tty {
		fmt.Fprintf(a.stderr, "%s\n", a.err.paint(styleDim, message(fmt.Sprintf(format, args...))))
	}
}

// say says something about the work on stderr, terminal or not.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.stderr, "dk: %s\n", message(fmt.Sprintf(format, args...)))
}

// run runs one command line and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(joinBools(args))
	err := root.ExecuteContext(ctx)
	return a.exit(ctx, err)
}

// buffered runs write with a buffer before stdout.
func (a *app) buffered(write func(w *bufio.Writer) error) error {
	return bufferTo(a.stdout, write)
}

// bufferTo runs write with a buffer before to.
func bufferTo(to io.Writer, write func(w *bufio.Writer) error) error {
	w := bufio.NewWriterSize(to, 64<<10)
	err := write(w)
	if ferr := w.Flush(); err == nil {
		err = ferr
	}
	if p, ok := to.(*plainWriter); ok && err == nil {
		err = p.close()
	}
	return err
}

// An outputError is a failure to write the command's own output.
type outputError struct{ err error }

func (e *outputError) Error() string { return "cannot write the output: " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// outWriter marks the errors of w as errors of the output.
type outWriter struct{ w io.Writer }

func (o outWriter) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		err = &outputError{err}
	}
	return n, err
}

func isOutputError(err error) bool {
	var oe *outputError
	return errors.As(err, &oe)
}

// lockedWriter lets several goroutines write.
type lockedWriter struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
