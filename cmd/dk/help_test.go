package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelp: every command explains itself.
func TestHelp(t *testing.T) {
	s := newShell(t)
	for _, cmd := range newApp(nil, &bytes.Buffer{}, &bytes.Buffer{}, os.Getenv).rootCommand().Commands() {
		out := s.ok(cmd.Name(), "--help")
		for _, want := range []string{"Usage\n", "Examples\n", "Flags\n"} {
			if !cmd.Hidden && !strings.Contains(out, want) {
				t.Errorf("dk %s --help lacks %q:\n%s", cmd.Name(), want, out)
			}
		}
	}
	// An option of a store is never hidden by a flag of the command itself, unless
	// it can be said of the source and the destination.
	for _, cmd := range newApp(nil, &bytes.Buffer{}, &bytes.Buffer{}, os.Getenv).rootCommand().Commands() {
		if cmd.Flags().Lookup("nulls") == nil {
			continue
		}
		for _, o := range allOptions() {
			if cmd.Flags().Lookup("src-"+flagName(o.Name)) != nil && cmd.Flags().Lookup("dst-"+flagName(o.Name)) != nil {
				continue
			}
			if f := cmd.Flags().Lookup(flagName(o.Name)); f == nil || f.Annotations[storeSection] == nil {
				t.Errorf("dk %s has a flag of its own for the option %s", cmd.Name(), o.Name)
			}
		}
	}
}

// TestHelpExamples runs every example of every help text on data of the names
// that it uses.
func TestHelpExamples(t *testing.T) {
	for _, cmd := range newApp(nil, &bytes.Buffer{}, &bytes.Buffer{}, os.Getenv).rootCommand().Commands() {
		for _, line := range examplesOf(cmd) {
			t.Run(line, func(t *testing.T) {
				s := newShell(t)
				s.sampleData()
				if strings.HasPrefix(line, "dk config") && !strings.HasPrefix(line, "dk config init") {
					s.write("dk.yaml", "databases: {people: {backend: file, path: people.json}}")
				}
				if !strings.HasPrefix(line, "dk copy flights.csv flights.parquet") {
					s.ok("copy", "flights.csv", "flights.parquet", "--nulls", "NA")
				}
				s.line(line)
			})
		}
	}
}

func examplesOf(cmd *cobra.Command) []string {
	var lines []string
	for _, line := range strings.Split(cmd.Example, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "source ") {
			lines = append(lines, line)
		}
	}
	return lines
}

func (s *shell) sampleData() {
	const flights = `carrier,flight,origin,dest,dep_delay,arr_delay,time
AA,1,JFK,LAX,130,120,2013-01-01T10:00:00Z
UA,2,EWR,ORD,NA,NA,2013-01-01T11:00:00Z
`
	s.write("flights.csv", flights)
	s.write("flights.csv.gz", packed(flights))
	s.write("planes.csv", planesCSV)
	s.write("new-planes.csv", "tailnum,year,maker,seats\nN1,2001,X,3\n")
	s.write("new-planes.ndjson", `{"tailnum":"N1","year":2001}`+"\n")
	s.write("people.json", peopleJSON)
	s.write("people.ndjson", `{"name":"Ada","email":null}`+"\n")
	s.write("old.json", `{"x":{"status":"open"}}`)
	s.write("new.ndjson", `{"_id":"y","status":"done"}`+"\n")
	s.write("notes.ndjson", `{"_id":"-draft-","text":"…"}`+"\n")
	s.write("logs/a.ndjson.gz", packed(`{"level":"error","time":"2026-01-02T03:04:05Z"}`+"\n"))
	s.write("logs/b.csv.gz", packed("level\nerror\n"))
	s.write("cities15000.json.gz", packed(`{"1":{"name":"Oslo"}}`))
}

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// line runs a pipeline as a shell would.
func (s *shell) line(line string) {
	s.t.Helper()
	stdin := ""
	for _, words := range pipeline(s.t, line) {
		args, to := words, ""
		for i, w := range words {
			switch w {
			case "<":
				stdin, args = s.read(words[i+1]), words[:i]
			case ">":
				to, args = words[i+1], words[:i]
			}
		}
		switch args[0] {
		case "cat":
			stdin = s.read(args[1])
			continue
		case "dk":
		default:
			s.t.Fatalf("%q does not begin with dk", line)
		}
		var r result
		if slices.Contains(args, "-") { // only a process has a standard input of its own
			r = s.process(stdin, args[1:]...)
		} else {
			r = s.run(stdin, args[1:]...)
		}
		// The revisions in the examples are nobody's.
		if r.code != 0 && !(r.code == exitConflict && strings.Contains(line, "--if-revision")) {
			s.t.Fatalf("%s\nexit code %d\n%s", line, r.code, r.err)
		}
		if stdin = r.out; to != "" {
			s.write(to, r.out)
		}
	}
}

// pipeline splits a line into words as a shell does, for each command of a pipe.
func pipeline(t *testing.T, line string) [][]string {
	var cmds [][]string
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	end := func() {
		if inWord {
			words = append(words, word.String())
		}
		word.Reset()
		inWord = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && r == ' ':
			end()
		case quote == 0 && r == '|':
			end()
			cmds, words = append(cmds, words), nil
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	end()
	if quote != 0 {
		t.Fatalf("an open quote in %s", line)
	}
	return append(cmds, words)
}
