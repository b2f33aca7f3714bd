package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
)

const soakEnv = "DATAKNOBS_SOAK"

// A soak is what a process is told that uses one store for long, as JSON in soakEnv.
type soak struct {
	Name, Store string
	Port        int // the server's; 0: none
	Seed        uint64
	For, Every  time.Duration // how long, and how often it is measured
	Rate        float64       // operations per second
}

// A sample is what a process holds at one moment, while none of its operations runs.
type sample struct {
	Seconds    float64        `json:"seconds"`
	Operations int64          `json:"operations"`
	Gauges     map[string]int `json:"gauges"` // by name; memory in bytes
	Failed     map[string]int `json:"failed,omitempty"`
}

// gauges are what may not grow, and by how much it may seem to: what a fitted
// line rises from the end of the warm-up to the end of the run.
var gauges = []struct {
	name string
	most float64
}{
	{"goroutines", 4},
	{"heap", 4 << 20}, // after a collection
	{"resident", 24 << 20},
	{"open files", 4},
	{"connections", 4}, // sockets that are established to the server, as the system counts them
	{"server contexts", 2},
}

// A trend is how one gauge went.
type trend struct {
	Gauge   string  `json:"gauge"`
	First   float64 `json:"first"` // the line that fits best, at both ends
	Last    float64 `json:"last"`
	PerHour float64 `json:"per_hour"`
	Most    float64 `json:"most"` // how much Last may be over First
	Grew    bool    `json:"grew"`
}

// A soaked is what came of one store.
type soaked struct {
	Store      string         `json:"store"`
	Seed       uint64         `json:"seed"`
	Seconds    float64        `json:"seconds"`
	Operations int64          `json:"operations"`
	Samples    int            `json:"samples"`
	Failed     map[string]int `json:"failed,omitempty"`
	Trends     []trend        `json:"trends"`
	all        []sample
}

// ok reports whether nothing grew and nothing failed.
func (s *soaked) ok() bool {
	return len(s.Failed) == 0 && s.Operations > 0 && len(s.Trends) > 0 && !slices.ContainsFunc(s.Trends, func(t trend) bool { return t.Grew })
}

// String is a line for each gauge.
func (s *soaked) String() string {
	var b strings.Builder
	verdict := "nothing grew"
	if !s.ok() {
		verdict = "NOT PASSED"
	}
	fmt.Fprintf(&b, "%-14s %d operations in %.0f s, %d samples: %s", s.Store, s.Operations, s.Seconds, s.Samples, verdict)
	for what, n := range s.Failed {
		fmt.Fprintf(&b, "\n  FAILED %d times: %s", n, what)
	}
	for _, t := range s.Trends {
		mark := ""
		if t.Grew {
			mark = "  GREW"
		}
		fmt.Fprintf(&b, "\n  %-16s %s to %s, %s an hour%s", t.Gauge, amount(t.Gauge, t.First), amount(t.Gauge, t.Last), amount(t.Gauge, t.PerHour), mark)
	}
	return b.String()
}

func amount(gauge string, x float64) string {
	if gauge == "heap" || gauge == "resident" {
		return fmt.Sprintf("%.2f MiB", x/(1<<20))
	}
	return fmt.Sprintf("%.1f", x)
}

// soakNamed uses a fresh store for a time in a process of its own.
func soakNamed(ctx context.Context, name string, s soak) (*soaked, error) {
	t, done, err := newTarget(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer done()
	s.Name, s.Store = name, t.store
	if name == "minio" {
		s.Store += "&parallel=8" // so that the pool is full before anything is counted
	}
	if t.server != nil {
		s.Port = t.server.Port
	}
	return s.run(ctx)
}

func (s soak) run(ctx context.Context) (*soaked, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-test.run=^$")
	cmd.Env = append(os.Environ(), soakEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &soaked{Store: s.Name, Seed: s.Seed}
	err = r.collect(out)
	return r, errors.Join(err, cmd.Wait())
}

func (s *soaked) collect(out io.Reader) error {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var m sample
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return fmt.Errorf("the process said %q", lines.Text())
		}
		s.all = append(s.all, m)
		s.Seconds, s.Operations, s.Failed, s.Samples = m.Seconds, m.Operations, m.Failed, s.Samples+1
	}
	s.judge()
	return nil
}

// settled is for how many seconds the memory that a process holds may rise with
// what of its program has been used for the first time.
const settled = 300

// judge fits a line through each gauge, without the first third, in which
// pools and caches fill.
func (s *soaked) judge() {
	after := s.all[len(s.all)/3:]
	if len(after) < 3 {
		return
	}
	for _, g := range gauges {
		if _, ok := after[0].Gauges[g.name]; !ok {
			continue
		}
		first, last := fit(after, g.name)
		span := after[len(after)-1].Seconds - after[0].Seconds
		grew := last-first > g.most && (g.name != "resident" || span > settled)
		s.Trends = append(s.Trends, trend{g.name, first, last, (last - first) / span * 3600, g.most, grew})
	}
}

// fit returns the line of least squares at the first and at the last sample.
func fit(all []sample, gauge string) (first, last float64) {
	var n, sx, sy, sxx, sxy float64
	for _, m := range all {
		x, y := m.Seconds, float64(m.Gauges[gauge])
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	slope := 0.0
	if d := n*sxx - sx*sx; d > 0 {
		slope = (n*sxy - sx*sy) / d
	}
	at := func(x float64) float64 { return sy/n + slope*(x-sx/n) }
	return at(all[0].Seconds), at(all[len(all)-1].Seconds)
}

// soakHere runs the soak that this process was started for, if it was.
func soakHere() bool {
	text := os.Getenv(soakEnv)
	if text == "" {
		return false
	}
	var s soak
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = s.use(context.Background(), os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	return true
}

// use works on the store and writes a sample now and then.
func (s soak) use(ctx context.Context, out io.Writer) error {
	db, err := dataknobs.Open(ctx, s.Store, nil)
	if err != nil {
		return err
	}
	l := newLoad(s, db)
	if err := l.warm(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	var all sync.WaitGroup
	for i := range soakers {
		all.Go(func() { l.run(ctx, i) })
	}
	start := time.Now()
	for ctx.Err() == nil {
		wait(ctx, s.Every)
		m := l.sample(s)
		m.Seconds = time.Since(start).Seconds()
		line, err := json.Marshal(m)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\n", line)
	}
	all.Wait()
	return db.Close()
}

// sample measures between two operations.
func (l *load) sample(s soak) sample {
	l.quiet.Lock()
	defer l.quiet.Unlock()
	m := sample{Operations: l.operations.Load(), Failed: l.failures(), Gauges: map[string]int{}}
	debug.FreeOSMemory() // a collection, and what it freed goes back
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.Gauges["goroutines"], m.Gauges["heap"] = runtime.NumGoroutine(), int(mem.HeapAlloc)
	if n, err := openFiles(); err == nil {
		m.Gauges["open files"] = n
	}
	if n, err := resident(); err == nil {
		m.Gauges["resident"] = n
	}
	if s.Port > 0 {
		if n, err := connections(s.Port); err == nil {
			m.Gauges["connections"] = n
		}
	}
	if s.Name == "elasticsearch" {
		if n, err := searchContexts(s.Port); err == nil {
			m.Gauges["server contexts"] = n
		}
	}
	return m
}
