// Command testreport reads the output of "go test -json" on standard input and
// prints what a person wants of it: a line for each package, the whole output
// of each test that failed, the name and reason of each test that was skipped,
// and the counts. It exits with 1 if anything failed, if no test ran, or, when
// CI is set, if a test was skipped.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// An event is one line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

type report struct {
	out                     io.Writer
	output                  map[string][]string // package or package/test → its lines so far
	passed, failed, skipped int
	broken                  []string // packages that failed, to build or otherwise
	reasons                 []string // why tests were skipped
}

func main() {
	r := report{out: os.Stdout, output: map[string][]string{}}
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	os.Exit(r.finish(os.Getenv("CI") != ""))
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

func (r *report) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(r.out, line) // not from go test: show it
		return
	}
	pkg := e.Package
	if pkg == "" {
		pkg = e.ImportPath
	}
	key := pkg + "/" + e.Test
	switch e.Action {
	case "output", "build-output":
		r.output[key] = append(r.output[key], e.Output)
	case "pass", "fail", "skip", "build-fail":
		r.ended(&e, key)
		delete(r.output, key)
	}
}

func (r *report) ended(e *event, key string) {
	if e.Test == "" {
		r.endedPackage(e, key)
		return
	}
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.show(key)
	case "skip":
		r.skipped++
		r.reasons = append(r.reasons, strings.Join(r.output[key], ""))
	}
}

func (r *report) endedPackage(e *event, key string) {
	name := e.Package
	switch e.Action {
	case "pass":
		fmt.Fprintf(r.out, "ok    %-50s %6.1fs\n", name, e.Elapsed)
	case "fail", "build-fail":
		r.show(key)
		fmt.Fprintf(r.out, "FAIL  %-50s %6.1fs\n", name+e.ImportPath, e.Elapsed)
		r.broken = append(r.broken, name+e.ImportPath)
	}
}

func (r *report) show(key string) {
	fmt.Fprint(r.out, strings.Join(r.output[key], ""))
}

func (r *report) finish(ci bool) int {
	for _, why := range r.reasons {
		fmt.Fprint(r.out, "skipped: ", why)
	}
	for _, p := range r.broken {
		fmt.Fprintln(r.out, "failed package:", p)
	}
	failed := max(r.failed, len(r.broken))
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, failed, r.skipped)
	switch {
	case failed > 0:
		return 1
	case r.passed == 0:
		fmt.Fprintln(r.out, "no test ran")
		return 1
	case ci && r.skipped > 0:
		fmt.Fprintln(r.out, "a test was skipped, which is a failure in CI")
		return 1
	}
	return 0
}
