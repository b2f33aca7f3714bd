package main

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A progress shows on one line of a terminal how far something is. Work of
// less than a second shows nothing, and so does a stderr that is no terminal.
type progress struct {
	w      io.Writer
	scr    screen
	what   string
	start  time.Time
	total  int64        // of what is counted by done; 0: not known
	unit   string       // of total and done: "record" or "byte"
	done   atomic.Int64 // so far
	source func() int64 // where to look for done, if not nil
	stop   chan struct{}
	ended  sync.WaitGroup
	off    sync.Once
	shown  bool // only the goroutine, and finish after it
}

const (
	progressDelay = time.Second
	progressEvery = 100 * time.Millisecond
)

// progress starts showing what. The caller adds to done, and calls finish.
func (a *app) progress(what, unit string, total int64) *progress {
	p := &progress{w: a.stderr, scr: a.err, what: what, unit: unit, total: total, start: time.Now(), stop: make(chan struct{})}
	if a.err.tty && a.getenv("TERM") != "dumb" {
		p.ended.Add(1)
		go p.run()
	}
	return p
}

func (p *progress) run() {
	defer p.ended.Done()
	wait := time.NewTimer(progressDelay)
	defer wait.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-wait.C:
			p.shown = true
			fmt.Fprintf(p.w, "\r\x1b[K%s", fit(p.line(time.Since(p.start)), max(p.scr.width-1, 20)))
			wait.Reset(progressEvery)
		}
	}
}

// finish takes the line away. It may be called twice.
func (p *progress) finish() {
	p.off.Do(func() {
		close(p.stop)
		p.ended.Wait()
		if p.shown {
			fmt.Fprint(p.w, "\r\x1b[K")
		}
	})
}

// line words how far it is after that time.
func (p *progress) line(after time.Duration) string {
	done := p.done.Load()
	if p.source != nil {
		done = p.source()
	}
	rate := float64(done) / after.Seconds()
	if done == 0 {
		return fmt.Sprintf("%s  %s", p.what, duration(after))
	}
	if p.total > 0 && done == p.total { // all is read; what is written may take longer
		return fmt.Sprintf("%s  %s  %s read, finishing  %s", p.what, bar(done, p.total), p.amount(done), duration(after))
	}
	if p.total <= 0 || done > p.total {
		return fmt.Sprintf("%s  %s  %s/s", p.what, p.amount(done), p.amount(int64(rate)))
	}
	left := "…"
	if rate > 0 {
		left = duration(time.Duration(float64(p.total-done) / rate * float64(time.Second)))
	}
	return fmt.Sprintf("%s  %s  %3d%%  %s of %s  %s/s  %s left",
		p.what, bar(done, p.total), done*100/p.total, p.amount(done), p.amount(p.total), p.amount(int64(rate)), left)
}

func (p *progress) amount(n int64) string {
	if p.unit == "byte" {
		return size(n)
	}
	return thousands(n)
}

func bar(done, total int64) string {
	const cells = 20
	b := make([]rune, cells)
	for i := range b {
		b[i] = '·'
		if int64(i) < done*cells/total {
			b[i] = '█'
		}
	}
	return string(b)
}

// duration words a time that is left: 8s, 3m20s, 2h05m.
func duration(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// size words a number of bytes.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// thousands writes n with commas: 336,776.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	digits := len(s)
	if n < 0 {
		digits--
	}
	out := make([]byte, 0, len(s)+digits/3)
	for i := range len(s) {
		out = append(out, s[i])
		if rest := len(s) - 1 - i; rest > 0 && rest%3 == 0 && s[i] != '-' {
			out = append(out, ',')
		}
	}
	return string(out)
}
