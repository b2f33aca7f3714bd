package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// command is the command as a process of its own.
func (s *shell) command(args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), runAsDK+"=1", "XDG_STATE_HOME="+s.env["XDG_STATE_HOME"])
	return cmd
}

// process runs the command as a process.
func (s *shell) process(stdin string, args ...string) result {
	var out, errs bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	code := exitOf(cmd.Run())
	return result{out.String(), errs.String(), code}
}

func exitOf(err error) int {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// TestBrokenPipe: dk query … | head says nothing, and is no failure.
func TestBrokenPipe(t *testing.T) {
	s := newShell(t)
	s.numbered("n.csv", 200_000)
	for _, args := range []string{
		"query n.csv -o ndjson", "query n.csv -o csv", "query n.csv -o json", "query n.csv -o table", "query n.csv -o markdown",
		"copy n.csv - --dst-format ndjson", "copy n.csv - --dst-format csv",
	} {
		cmd := s.command(strings.Fields(args)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		out.Close()
		if code := exitOf(cmd.Wait()); code != 0 || errs.Len() > 0 || line == "" {
			t.Errorf("%s: exit code %d, first line %q, stderr %q", args, code, line, errs.String())
		}
	}
}

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	s := newShell(t)
	s.numbered("n.csv", 10)
	cmd := s.command("query", "n.csv")
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &errs
	if code := exitOf(cmd.Run()); code != exitFailed || !strings.Contains(errs.String(), "cannot write the output") {
		t.Errorf("exit code %d, stderr %q", code, errs.String())
	}
}

// TestInterrupt: Ctrl-C ends a put cleanly; what was acknowledged is there.
func TestInterrupt(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		s := newShell(t)
		s.write("x.json", "{}")
		cmd := s.command("put", "x.json", "--ids")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(in, "{\"_id\":\"a\"}\n"); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(out)
		if line, err := r.ReadString('\n'); line != "a\n" {
			t.Fatalf("acknowledged %q, %v: %s", line, err, errs.String())
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r)
		if code := exitOf(cmd.Wait()); code != exitInterrupted || !strings.Contains(errs.String(), "interrupted") {
			t.Errorf("%v: exit code %d, stderr %q", sig, code, errs.String())
		}
		same(t, "records", s.ok("query", "x.json"), "{\"_id\":\"a\"}\n")
	}
}

// TestCopyKilled: a copy that is killed at any moment, again and again, ends
// with every record once.
func TestCopyKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const total = 6000
	for _, mode := range []string{"create", "append"} {
		s := newShell(t)
		s.numbered("src.csv", total)
		args := []string{"copy", "src.csv", "dst.csv", "--mode", mode, "--batch", "50"}
		if mode == "append" {
			s.write("dst.csv", "v,w\n1,2\n")
			args = append(args, "--select", "v")
		} else {
			s.write("dst.csv", "id,v\nother,1\n")
		}
		kills := 0
		for range 200 {
			cmd := s.command(args...)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(time.Duration(15+rand.IntN(80))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			err := cmd.Wait()
			timer.Stop()
			if err == nil {
				break
			}
			if exitOf(err) != -1 {
				t.Fatalf("%s: after %d kills: %v\n%s", mode, kills, err, errs.String())
			}
			kills++
			if s.ok("count", "dst.csv") == itoa(total+1)+"\n" {
				break // it was killed when all was done
			}
		}
		if s.ok("count", "dst.csv") != itoa(total+1)+"\n" {
			s.ok(args...) // it was killed every time
		}
		want := 1
		for i := range total {
			want += i * i
		}
		got := s.ok("query", "dst.csv", "select count(*), sum(v)", "-o", "csv")
		same(t, mode, got, "count(*),sum(v)\n"+itoa(total+1)+","+itoa(want)+"\n")
		t.Logf("%s: killed %d times", mode, kills)
	}
}
