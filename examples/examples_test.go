// Package examples holds small programs that use dataknobs; its test builds
// and runs them.
package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestExamples(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin+string(filepath.Separator), "./...").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for name, want := range map[string]string{
		"quickstart": quickstartOutput,
		"typed":      typedOutput,
		"convert":    convertOutput,
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, name))
			cmd.Dir = ".." // as its comment says
			var errs strings.Builder
			cmd.Stderr = &errs
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, errs.String())
			}
			if got := string(out); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	// A program that leaves files where it was run would leave them with users.
	if left, _ := filepath.Glob("data/.*"); left != nil {
		t.Errorf("left in data: %v", left)
	}
	if _, err := os.Stat("data/flights.csv"); err != nil {
		t.Error(err)
	}
}

const quickstartOutput = `American flights more than three hours late:
  AA1073  to MIA   348 minutes
  AA305   to ORD   260 minutes
  AA1467  to MIA   253 minutes
The two days:
  7 March: 980 flights, 20 minutes late on average
  8 March: 979 flights, 84 minutes late on average
Cancelled: 278
`

const typedOutput = `The C Programming Language, 1988
second writer: true
unknown book: true
`

const convertOutput = `copied 638 of the flights
CSV:     EV5711 to IAD, 309 minutes late
Parquet: EV5711 to IAD, 309 minutes late
`
