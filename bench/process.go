package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A command is one program with its arguments.
type command struct {
	name string
	args []string
}

func (c command) String() string { return c.name + " " + strings.Join(c.args, " ") }

// once runs the command as a whole process and returns its output.
func (b *bench) once(c command) (figure, []byte, error) {
	cmd := exec.CommandContext(b.ctx, c.name, c.args...)
	cmd.Dir = b.work
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return figure{}, nil, fmt.Errorf("%s: %w", c, err)
	}
	peak := watchMemory(cmd.Process.Pid)
	err := cmd.Wait()
	f := figure{seconds: time.Since(start).Seconds(), rss: peak()}
	if err != nil {
		return figure{}, nil, fmt.Errorf("%s: %w\n%s", c, err, errs.String())
	}
	f.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return f, out.Bytes(), nil
}

// watchMemory reads the greatest memory that a process has had every few
// milliseconds, until the returned function is called; it returns the last
// reading. What the kernel says of a process that has ended (ru_maxrss) will not
// do: it counts what this program had when it started the other.
func watchMemory(pid int) func() int64 {
	var peak int64
	done, read := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, highWater(pid))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(done)
		<-read
		return peak
	}
}

// highWater is VmHWM of proc_pid_status(5) in bytes; 0 where there is none.
func highWater(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // gone: 0
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	line, _, _ := strings.Cut(rest, " kB")
	kb, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return kb << 10
}

// pair runs ours and theirs in turn, one warm-up each, and returns the medians
// (of memory: the maxima).
func (b *bench) pair(ours, theirs command) (figure, figure, error) {
	var fs [2][]figure
	for i := range b.runs + 1 {
		for j, c := range []command{ours, theirs} {
			f, _, err := b.once(c)
			if err != nil {
				return figure{}, figure{}, err
			}
			if i > 0 {
				fs[j] = append(fs[j], f)
			}
		}
	}
	return middle(fs[0]), middle(fs[1]), nil
}

func middle(fs []figure) figure {
	var m figure
	var wall, cpu []float64
	for _, f := range fs {
		wall, cpu = append(wall, f.seconds), append(cpu, f.cpu)
		m.rss = max(m.rss, f.rss)
	}
	m.seconds, m.cpu = median(wall), median(cpu)
	m.low, m.high = slices.Min(wall), slices.Max(wall)
	return m
}
