package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestCompletion(t *testing.T) {
	s := newShell(t)
	s.write("planes.csv", planesCSV)
	s.write("people.json", peopleJSON)
	s.write("notes.txt", "no data")
	s.write("pens.json.dk.json", "{}")
	s.write("data/more.parquet.gz", "")
	s.write("odd.ndjson", `{"unit price":1,"year":2}`+"\n")
	for _, c := range []struct {
		name, args string
		want       []string // all of them
		not        string
	}{
		{"commands", "", []string{"query", "copy", "backends"}, ""},
		{"stores", "query|", []string{"planes.csv", "people.json", "data/"}, "notes.txt"},
		{"no side files", "query|pe", []string{"people.json"}, "pens.json.dk.json"},
		{"stores that begin", "get|pl", []string{"planes.csv"}, "people.json"},
		{"stores in a folder", "count|data/", []string{"data/more.parquet.gz"}, "planes.csv"},
		{"schemes", "query|me", []string{"mem:", "memory:"}, "file:"},
		{"fields", "query|planes.csv|ye", []string{"year"}, "seats"},
		{"fields in a text", "query|planes.csv|year > 1990 and sea", []string{"year > 1990 and seats"}, "and year"},
		{"fields that need backticks", "query|odd.ndjson|`u", []string{"`unit price`"}, "year"},
		{"fields of JSON", "count|people.json|bo", []string{"born"}, ""},
		{"with options", "query|planes.csv|--key|tailnum|mak", []string{"maker"}, ""},
		{"--select", "copy|planes.csv|x.csv|--select|tailnum, se", []string{"tailnum, seats"}, ""},
		{"--where", "delete|planes.csv|--where|ye", []string{"year"}, ""},
		{"outputs", "query|planes.csv|-o|", []string{"table", "ndjson", "parquet"}, ""},
		{"flags", "query|planes.csv|--nu", []string{"--nulls"}, "--key"},
		{"an option's values", "query|planes.csv|--headers|", []string{"strict"}, ""},
		{"modes", "copy|a.csv|b.csv|--mode|", []string{"create", "put", "skip", "append"}, ""},
		{"backends", "backends|", []string{"file", "memory"}, ""},
		{"shells", "completion|", []string{"bash", "zsh", "fish"}, ""},
		{"a store that is not there", "query|no.csv|ye", nil, "year"},
		{"help", "help|", []string{"query", "exit-codes"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := *s
			s.t = t
			out := s.ok(append([]string{"__complete"}, strings.Split(c.args, "|")...)...)
			got := map[string]bool{}
			for _, line := range strings.Split(out, "\n") {
				word, _, _ := strings.Cut(line, "\t")
				got[word] = true
			}
			for _, w := range c.want {
				if !got[w] {
					t.Errorf("completions of %s lack %q:\n%s", c.args, w, out)
				}
			}
			if c.not != "" && got[c.not] {
				t.Errorf("completions of %s have %q:\n%s", c.args, c.not, out)
			}
		})
	}
}

func TestCompletionScripts(t *testing.T) {
	s := newShell(t)
	for _, sh := range shells {
		if out := s.ok("completion", sh); !strings.Contains(out, "dk") || !strings.Contains(out, "__complete") {
			t.Errorf("completion %s: %.200s", sh, out)
		}
	}
}

// TestBashCompletion: a real bash, with no package beside it, completes inside
// an open quote and behind a colon.
func TestBashCompletion(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	s := newShell(t)
	s.write("planes.csv", planesCSV)
	s.write("dk.bash", s.ok("completion", "bash"))
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `
dk() { "$DK" "$@"; }
compopt() { :; }
source dk.bash
try() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
	__start_dk
	printf '%s|' "${COMPREPLY[@]}"
	echo
}
try dk query "'year > 2000 and ma"
try dk query planes.csv "'year > 2000 and ma"
try dk query planes.csv se
try dk count file : pl
try dk copy a.csv b.csv --mode = sk
`
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "-c", script)
	cmd.Env = append(os.Environ(), "DK="+exe, runAsDK+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	same(t, "completions", string(out), `|
year > 2000 and maker|
seats|
planes.csv|
skip|
`)
}
