package main

import (
	"fmt"
	"slices"
	"time"
)

// A section is one table of the results.
type section struct {
	part, taken string // as --only names it; when it was measured
	title, note string
	rows        []row
}

// A row is one operation: ours against a peer, or against a target.
type row struct {
	op         string
	ours, peer figure
	peerName   string
	target     string // in words; "": the row is for information
	met        bool
}

// A figure is what was measured: seconds for one run or operation, and memory.
type figure struct {
	seconds   float64 // the median
	low, high float64 // the least and the greatest; 0: measured once
	cpu       float64
	rss       int64  // bytes, the peak of the whole process; 0: not measured
	text      string // shown instead of the seconds, where it says more
}

// measured is the figure of several runs that did n operations each.
func measured(runs []float64, n int) figure {
	f := figure{seconds: median(runs) / float64(n)}
	if len(runs) > 1 {
		f.low, f.high = slices.Min(runs)/float64(n), slices.Max(runs)/float64(n)
	}
	return f
}

// each is the figure for one of n operations.
func (f figure) each(n int) figure {
	f.seconds, f.low, f.high = f.seconds/float64(n), f.low/float64(n), f.high/float64(n)
	return f
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return s[len(s)/2]
}

// versus runs ours and theirs in turn, after a warm-up of each; a run does
// times operations. Each says how many records it had to do with, which must be
// as many on both sides, and some.
func (b *bench) versus(op string, most float64, rounds, times int, ours, theirs func() (int, error)) (row, error) {
	var o, t []float64
	for i := range b.rounds(rounds) + 1 {
		start := time.Now()
		n, err := ours()
		if err != nil {
			return row{}, fmt.Errorf("%s: %w", op, err)
		}
		middle := time.Now()
		m, err := theirs()
		if err != nil {
			return row{}, fmt.Errorf("%s, raw: %w", op, err)
		}
		if n != m || n == 0 {
			return row{}, fmt.Errorf("%s: ours had to do with %d records, the raw driver with %d", op, n, m)
		}
		if i > 0 {
			o, t = append(o, middle.Sub(start).Seconds()), append(t, time.Since(middle).Seconds())
		}
	}
	x := row{op: op, ours: measured(o, times), peer: measured(t, times), target: fmt.Sprintf("≤ %g × its time", most)}
	x.met = x.ours.seconds <= most*x.peer.seconds
	return x, nil
}

func (f figure) String() string {
	if f.text != "" {
		return f.text
	}
	return duration(f.seconds)
}

func duration(seconds float64) string {
	switch {
	case seconds == 0:
		return ""
	case seconds < 1e-6:
		return fmt.Sprintf("%.0f ns", seconds*1e9)
	case seconds < 1e-3:
		return fmt.Sprintf("%.1f µs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.1f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.2f s", seconds)
}

// spread is how far the runs lie from their median, at most.
func (f figure) spread() string {
	if f.high == 0 || f.seconds == 0 {
		return ""
	}
	return fmt.Sprintf("−%.0f/+%.0f %%", 100*(1-f.low/f.seconds), 100*(f.high/f.seconds-1))
}

// ratio is how many times as long the peer takes; 0 where there is none.
func (r row) ratio() float64 {
	if r.ours.seconds == 0 || r.peer.seconds == 0 {
		return 0
	}
	return r.peer.seconds / r.ours.seconds
}

func (r row) ratioText() string {
	switch x := r.ratio(); {
	case x == 0:
		return ""
	case x < 10:
		return fmt.Sprintf("%.2f ×", x)
	default:
		return fmt.Sprintf("%.0f ×", x)
	}
}

func (r row) metText() string {
	switch {
	case r.target == "":
		return ""
	case r.met:
		return "yes"
	}
	return "**no**"
}

func (r row) line() string {
	return fmt.Sprintf("%-32s %14s  %-16s %10s  %8s  target %-18s met: %s",
		r.op, r.ours, r.peerName, r.peer, r.ratioText(), r.target, r.metText())
}
