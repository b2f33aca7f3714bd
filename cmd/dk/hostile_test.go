package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// What one command may cost at most, whatever it is given: see internal/hostile,
// which holds the library against the same inputs.
const (
	mostHeap  = 1 << 30 // garbage included, which the command itself collects earlier
	mostTime  = 20 * time.Second
	mostError = 20_000 // of a command that says several things
)

// Inputs that are too large for every command are given to one or two.
const (
	largeInput = 64 << 10
	hugeInput  = 8 << 20
)

// codeOf is the exit code for what a case wants.
func codeOf(c hostile.Case) int {
	switch c.Want {
	case "":
		return exitDone
	case dataknobs.InvalidArgument.Error():
		return exitUsage
	case dataknobs.NotFound.Error():
		return exitNotFound
	}
	return exitFailed
}

// A hostileTest gives an input to commands.
type hostileTest struct {
	*shell
	c     hostile.Case
	input string
}

// hostileCommands are what is done with each class of inputs.
var hostileCommands = map[string]func(h *hostileTest){
	"JSON files": files, "lines of JSON": files, "CSV files": files, "Parquet files": files, "compressed files": files,
	"query texts": queries, "queries as JSON": values, "page tokens": values, "encoded records": values,
	"configurations": configurations, "store URLs": urls, "record IDs": ids, "field names": names,
}

// TestHostileInput: whatever dk is given, it ends with the right exit code, says
// why in a bounded number of printable characters, and shows a terminal nothing else either.
func TestHostileInput(t *testing.T) {
	for _, class := range hostile.Classes() {
		do := hostileCommands[class.Name]
		if do == nil {
			t.Errorf("no command is given the class %s", class.Name)
			continue
		}
		t.Run(class.Name, func(t *testing.T) {
			for i, c := range class.Cases {
				if raceEnabled && i%8 > 0 {
					continue // by the run without
				}
				input := c.Make()
				if len(input) > hugeInput && c.Name != "a record of 80 MiB" {
					continue // the library is given them: see internal/hostile
				}
				if (testing.Short() || raceEnabled) && (len(input) > largeInput || strings.Contains(c.Name, "bomb")) {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					s := newShell(t)
					s.env["TERM"] = "dumb" // without the line that shows progress
					s.write("good.ndjson", "{\"_id\":\"1\",\"a\":1}\n")
					do(&hostileTest{s, c, input})
				})
			}
		})
	}
}

// try runs a command on a terminal, which must end with one of the codes.
func (h *hostileTest) try(codes []int, stdin string, args ...string) {
	h.t.Helper()
	h.screen, h.notes = screen{tty: true, width: 80}, true
	h.pipe(codes, stdin, args...)
	h.screen, h.notes = screen{}, false
}

// pipe runs a command without a terminal.
func (h *hostileTest) pipe(codes []int, stdin string, args ...string) {
	h.t.Helper()
	var r result
	var peak uint64
	start := time.Now()
	if run := func() { r = h.run(stdin, args...) }; len(h.input) > largeInput {
		peak, _ = hostile.Cost(run)
	} else {
		run()
	}
	took := time.Since(start)
	command := fmt.Sprintf("dk %.200q", args)
	if took > time.Second {
		h.t.Logf("%s: %d MiB, %v", command, peak>>20, took.Round(time.Millisecond))
	}
	if !slices.Contains(codes, r.code) {
		h.t.Errorf("%s: exit code %d, wanted one of %d; stderr: %.300s", command, r.code, codes, r.err)
	}
	if r.code != exitDone && r.err == "" || len(r.err) > mostError {
		h.t.Errorf("%s: stderr has %d bytes: %.300q", command, len(r.err), r.err)
	}
	if at := commands(r.err); at >= 0 {
		h.t.Errorf("%s: stderr commands the terminal: %.300q", command, r.err[at:])
	}
	if at := commands(r.out); h.screen.tty && at >= 0 {
		h.t.Errorf("%s: stdout commands the terminal: %.300q", command, r.out[at:])
	}
	for _, line := range strings.Split(strings.TrimSuffix(r.err, "\n"), "\n") {
		if line != "" && !strings.HasPrefix(line, "dk: ") && !strings.HasPrefix(line, "  ") && !h.notes {
			h.t.Errorf("%s: a line of stderr is not dk's: %.300q", command, line)
		}
	}
	if strings.Contains(r.err+r.out, "hush") {
		h.t.Errorf("%s: the password is shown: %.300q", command, r.err)
	}
	if peak > mostHeap || took > mostTime*slower {
		h.t.Errorf("%s: took %d MiB and %v", command, peak>>20, took)
	}
}

// commands returns where a text would do something else on a terminal than
// stand there; -1: nowhere.
func commands(text string) int {
	if !utf8.ValidString(text) {
		return 0
	}
	return strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != utf8.RuneError && unprintable(r) })
}

// files: a file to be asked and copied, and what is put from standard input.
func files(h *hostileTest) {
	h.write(h.c.File, h.input)
	want := []int{codeOf(h.c)}
	if len(h.input) > hugeInput || strings.Contains(h.c.Name, "bomb") {
		h.pipe(want, "", "count", h.c.File, "b = 1") // b, so that the records are read
		return
	}
	h.pipe(want, "", "query", h.c.File)
	if len(h.input) > largeInput {
		return
	}
	h.try(want, "", "query", h.c.File, "-o", "csv")
	h.try([]int{exitDone, exitFailed}, "", "query", h.c.File, "nosuch = 1", "-o", "table")
	h.try([]int{exitDone, exitUsage, exitFailed}, "", "copy", h.c.File, "sqlite:copied.db")
	if same := h.read(h.c.File); same != h.input {
		h.t.Errorf("reading changed the file to %.100q", same)
	}
	if strings.Contains(h.c.File, "json") {
		h.try([]int{exitDone, exitUsage, exitFailed, exitConflict}, h.input, "put", "put.ndjson", "--ids")
	}
}

// queries: the text of a query, wherever one can stand.
func queries(h *hostileTest) {
	code := codeOf(h.c)
	h.try([]int{code}, "", "query", "good.ndjson", h.input)
	if len(h.input) > largeInput {
		return
	}
	h.pipe([]int{code, exitUsage}, "", "delete", "good.ndjson", "--dry-run", "--where", h.input) // a LIMIT cannot stand there
	h.try([]int{code}, "", "explain", "good.ndjson", h.input)
	h.pipe([]int{exitDone, exitUsage}, "", "copy", "good.ndjson", "mem:", "--select", h.input)
	h.try([]int{exitUsage}, "", h.input)
}

// values: a parameter, a value to be stored, an argument that is none of that.
func values(h *hostileTest) {
	some := []int{exitDone, exitUsage}
	h.try(some, "", "query", "good.ndjson", "a = ?", "--arg", h.input)
	if len(h.input) > largeInput {
		return
	}
	h.try(some, "", "query", "good.ndjson", "a = :x", "--param", "x:="+h.input)
	h.try(some, "", "put", "good.ndjson", "2", "a:="+h.input)
	h.try(some, "", "put", "good.ndjson", "3", "a="+h.input)
	h.try([]int{exitUsage}, "", "query", "good.ndjson", "-o", h.input+"x")
	h.try([]int{exitUsage, exitConflict, exitNotFound}, "", "patch", "good.ndjson", "nosuch", "a=1", "--if-revision", h.input+"x")
}

// configurations: a file that names stores.
func configurations(h *hostileTest) {
	h.write(h.c.File, h.input)
	h.try([]int{exitUsage}, "", "config", "check", "--config", h.c.File)
	h.try([]int{exitUsage, exitNotFound}, "", "query", "@a", "--config", h.c.File)
}

// urls: the name of a store, which no error may tell the password of.
func urls(h *hostileTest) {
	want := []int{codeOf(h.c), exitUsage}
	if strings.HasPrefix(h.c.Name, "a bad escape") {
		want = append(want, exitNotFound)
	}
	h.try(want, "", "query", h.input)
	h.try([]int{exitDone, exitUsage, exitNotFound, exitFailed}, "", "copy", "good.ndjson", h.input)
	h.try([]int{exitDone, exitUsage, exitNotFound, exitFailed}, "", "copy", h.input, "mem:")
}

// ids: what a record is to be called.
func ids(h *hostileTest) {
	const store = "sqlite:ids.db"
	code := codeOf(h.c)
	put := []int{code}
	if strings.Contains(h.input, "=") {
		put = []int{exitUsage} // it is taken for a field whose ID was forgotten
	}
	h.try(put, "", "put", store, "--ids", "--", h.input, "a=1")
	h.try([]int{code, exitNotFound}, "", "get", store, "-o", "csv", "--", h.input)
	h.try([]int{exitNotFound, exitUsage}, "", "get", "good.ndjson", "--", h.input)
	h.try([]int{exitConflict, exitNotFound, exitUsage}, "", "patch", store, "--if-revision", "x", "--", h.input, "a=2")
	h.try([]int{code, exitNotFound}, "", "delete", store, "--", h.input)
}

// names: what a field is to be called.
func names(h *hostileTest) {
	const store = "names.ndjson"
	path := dataknobs.Names(h.input).String()
	code := codeOf(h.c)
	h.try([]int{code}, "", "put", store, "1", path+"=x")
	for _, format := range []string{"table", "csv", "json"} {
		h.try([]int{exitDone, exitNotFound}, "", "query", store, "-o", format)
	}
	h.try([]int{code, exitUsage, exitNotFound}, "", "query", store, "select "+path+" where "+path+" = 'y' or nosuch = 1", "-o", "markdown")
	h.try([]int{code, exitUsage, exitNotFound}, "", "patch", store, "1", "--unset", path)
}

// TestHostileFileNames: a name in the file system is as little to be trusted.
func TestHostileFileNames(t *testing.T) {
	for _, name := range []string{"\x1b[2Jred.ndjson", "a\ndk: forged.ndjson", "\u202egpj.ndjson", "\xff\x9b2J.ndjson", "a\rb.csv"} {
		s := newShell(t)
		h := &hostileTest{s, hostile.Case{}, name}
		h.try([]int{exitNotFound, exitUsage}, "", "query", name) // [ begins a pattern
		s.write(name, "{\"a\":\n")
		h.try([]int{exitFailed, exitUsage}, "", "query", name)
		h.try([]int{exitFailed}, "", "query", "*"+filepath.Ext(name))
		s.write("dk.yaml", "databases: {x: {backend: file, path: 7, \""+strings.ToValidUTF8(strings.ReplaceAll(name, "\n", ""), "")+"\": 1}}")
		h.try([]int{exitUsage}, "", "query", "@x")
	}
}

// A record cannot command the terminal in any format, nor hide a part of itself there.
func TestTerminalShowsControlCharacters(t *testing.T) {
	s := newShell(t)
	s.write("x.ndjson", "{\"_id\":\"i\u009b2J\",\"na\\u001bme\":\"\\u001b[2J\\u007f\u009b31m\u202e\\r\\n語\"}\n")
	s.write("x.csv", "a,b\n\x1b[1mbold,\"\u009b2J\r語\"\n")
	s.screen, s.notes = screen{tty: true, width: 80}, true
	for _, args := range []string{"x.ndjson -o ndjson", "x.ndjson -o json", "x.ndjson -o csv", "x.ndjson -o markdown", "x.csv -o csv", "x.csv -o table"} {
		out := s.ok(append([]string{"query"}, strings.Fields(args)...)...)
		if at := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && unprintable(r) }); at >= 0 || !strings.Contains(out, "語") {
			t.Errorf("%s: %q", args, out)
		}
	}
	same(t, "JSON is JSON", s.ok("query", "x.ndjson", "-o", "ndjson"),
		`{"_id":"i\u009b2J","na\u001bme":"\u001b[2J\u007f\u009b31m\u202e\r\n語"}`+"\n")
	s.screen = screen{}
	if out := s.ok("query", "x.csv", "-o", "csv"); !strings.Contains(out, "\x1b[1mbold") {
		t.Errorf("what is no terminal gets %q, wanted it as it is", out)
	}
}

// TestPlainWriter: characters may come in pieces.
func TestPlainWriter(t *testing.T) {
	const text = "a語\u009b\x1b[0m\u202e\xffé\xe8\xaa"
	want := "a語\\u009b\\u001b[0m\\u202e\ufffdé\ufffd\ufffd"
	for size := 1; size < len(text); size++ {
		var b strings.Builder
		p := &plainWriter{w: &b, scr: &screen{tty: true}}
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			if n, err := p.Write([]byte(rest[:min(size, len(rest))])); err != nil || n != min(size, len(rest)) {
				t.Fatalf("Write: %d, %v", n, err)
			}
		}
		if err := p.close(); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != want && strings.TrimRight(got, "\ufffd") != strings.TrimRight(want, "\ufffd") || !utf8.ValidString(got) {
			t.Errorf("in pieces of %d: %q, wanted %q", size, got, want)
		}
	}
}

// TestMessagesAreBounded: and keep their ends.
func TestMessagesAreBounded(t *testing.T) {
	got := message(strings.Repeat("語", 100_000) + " (the hint)")
	if len(got) > longestMessage+10 || !strings.HasSuffix(got, "(the hint)") || !utf8.ValidString(got) {
		t.Errorf("%d bytes: … %q", len(got), got[len(got)-30:])
	}
	same(t, "lines", message("a\n  b\nc\td"), "a\n  b\\nc\\td")
}

// TestWarningsAreBounded: a file may deserve a million.
func TestWarningsAreBounded(t *testing.T) {
	s := newShell(t)
	s.write("x.csv", strings.Repeat(",", 5000)+"\n")
	r := s.run("", "count", "x.csv")
	if n := strings.Count(r.err, "\n"); n != listedWarnings+1 || !strings.HasSuffix(r.err, "more warnings, which are not shown\n") {
		t.Errorf("%d lines on stderr, wanted %d: … %q", n, listedWarnings+1, r.err[max(0, len(r.err)-200):])
	}
}
