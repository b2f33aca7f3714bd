package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/servers"
)

// A target is a store to be tortured.
type target struct {
	name   string
	store  string // its name, without a proxy
	atomic bool
	// server is the one to kill; nil for an embedded store, whose writers are killed.
	server *servers.Server
	host   string // the server's, as it stands in store
	// slow is how many times as long a round lasts as elsewhere; 0 is 1.
	slow   int
	signed bool // changed bytes of requests are noticed even without TLS
}

// A plan says how hard and how long.
type plan struct {
	Seed             uint64
	Kills            int // of writers of embedded stores
	ServerKills      int
	Writers, Readers int
	Round            time.Duration // how long one round against a server lasts
}

// A result is what came of one store.
type result struct {
	Store       string         `json:"store"`
	Seed        uint64         `json:"seed"`
	Kills       int            `json:"client_kills"`
	ServerKills int            `json:"server_kills"`
	Faults      map[string]int `json:"faults,omitempty"`
	Codes       map[string]int `json:"read_errors,omitempty"`
	*history
}

// torture runs a plan against a store.
func (t *target) torture(ctx context.Context, p plan) (*result, error) {
	r := &result{Store: t.name, Seed: p.Seed, Faults: map[string]int{}, history: newHistory()}
	r.Codes = r.codes
	if t.server != nil { // a request, or a certificate, that was damaged on its way is refused
		r.expected[fmt.Sprint(dataknobs.PermissionDenied)] = true
		r.expected[fmt.Sprint(dataknobs.InvalidArgument)] = true
	}
	random := rand.New(rand.NewPCG(p.Seed, 1))
	if err := t.begin(ctx); err != nil {
		return r, err
	}
	rounds := p.Kills
	if t.server != nil {
		rounds = p.ServerKills
		p.Round *= time.Duration(max(1, t.slow))
	}
	for round := range rounds {
		var err error
		if t.server == nil {
			err = t.killWriter(ctx, p, round, random, r)
		} else {
			err = t.killServer(ctx, p, round, random, r)
		}
		if err != nil {
			return r, fmt.Errorf("%s, round %d: %w", t.name, round, err)
		}
		if len(r.Broken) > 0 {
			return r, nil // the store as it is now is the evidence
		}
	}
	return r, nil
}

// begin makes the store, so that every read finds one.
func (t *target) begin(ctx context.Context) error {
	db, err := dataknobs.Open(ctx, t.store, nil)
	if err != nil {
		return err
	}
	_, err = db.Create(ctx, newRecord("start", 0, "nobody", 1))
	return errors.Join(err, db.Close())
}

// killWriter lets one process write to an embedded store, kills it, and looks
// at what it has left.
func (t *target) killWriter(ctx context.Context, p plan, round int, random *rand.Rand, r *result) error {
	w, err := start(job{Store: t.store, Round: round, Seed: random.Uint64(), Writers: p.Writers, Readers: p.Readers, Atomic: t.atomic, Pause: 2 * time.Millisecond})
	if err != nil {
		return err
	}
	// The clock starts at the first answer, so that most deaths fall into the writing.
	timer := time.AfterFunc(30*time.Second, w.kill)
	defer timer.Stop()
	first := true
	for e := range w.events() {
		if first && e.kind == done {
			first = false
			timer.Reset(time.Duration(random.Int64N(int64(60 * time.Millisecond))))
		}
		r.take(e)
	}
	if err := w.wait(); err != nil {
		return err
	}
	r.killed()
	r.Kills++
	return t.look(ctx, r)
}

// killServer lets a process write through a bad network while the server is
// killed and started again, and looks at what is there in the end. Every
// second time the process is killed as well; two rounds of four have TLS.
func (t *target) killServer(ctx context.Context, p plan, round int, random *rand.Rand, r *result) error {
	l, err := t.line(round%4 >= 2)
	if err != nil {
		return err
	}
	defer l.close()
	w, err := start(job{Store: l.store, Round: round, Seed: random.Uint64(), Writers: p.Writers, Readers: p.Readers, Atomic: t.atomic, Pause: 20 * time.Millisecond, For: p.Round})
	if err != nil {
		return err
	}
	during, cancel := context.WithTimeout(ctx, p.Round)
	defer cancel()
	var all sync.WaitGroup
	var harmed, crashed error
	seed := random.Uint64()
	all.Go(func() { harmed = l.proxy.harm(during, rand.New(rand.NewPCG(seed, 2)), l.wire, r.Faults) })
	killClient := round%2 == 1
	all.Go(func() {
		after := rand.New(rand.NewPCG(seed, 3))
		pause(during, after, 300, int(p.Round.Milliseconds()/2)+301)
		if crashed = t.server.Crash(); crashed == nil {
			crashed = t.server.Restart()
		}
		if killClient {
			pause(during, after, 100, 1000)
			w.kill()
		}
	})
	for e := range w.events() {
		r.take(e)
	}
	err = w.wait()
	cancel()
	all.Wait()
	if err := errors.Join(err, harmed, crashed); err != nil {
		return err
	}
	r.killed()
	r.ServerKills++
	if killClient {
		r.Kills++
	}
	return t.look(ctx, r)
}

// look checks the store, directly and by a process that had no part in it.
func (t *target) look(ctx context.Context, r *result) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	db, err := dataknobs.Open(ctx, t.store, nil)
	if err != nil {
		return err
	}
	return errors.Join(r.check(ctx, db), db.Close())
}

// A process is a worker.
type process struct {
	cmd *exec.Cmd
	out *bufio.Scanner
}

func start(j job) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), workerEnv+"="+j.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return &process{cmd, lines}, cmd.Start()
}

func (w *process) kill() { _ = w.cmd.Process.Kill() }

// events yields what the worker says until it is gone.
func (w *process) events() func(func(event) bool) {
	return func(yield func(event) bool) {
		for w.out.Scan() {
			if e, ok := parseEvent(w.out.Text()); ok && !yield(e) {
				return
			}
		}
	}
}

// wait returns an error if the worker ended otherwise than by a kill or in order.
func (w *process) wait() error {
	if err := w.out.Err(); err != nil {
		return err
	}
	var exit *exec.ExitError
	err := w.cmd.Wait()
	if errors.As(err, &exit) && strings.Contains(exit.String(), "killed") {
		return nil
	}
	return err
}
