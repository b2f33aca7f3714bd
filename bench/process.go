package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
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
	if err := cmd.Run(); err != nil {
		return figure{}, nil, fmt.Errorf("%s: %w\n%s", c, err, errs.String())
	}
	f := figure{seconds: time.Since(start).Seconds()}
	if use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.cpu = time.Duration(use.Utime.Nano() + use.Stime.Nano()).Seconds()
		f.rss = use.Maxrss << 10
	}
	return f, out.Bytes(), nil
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
