// Command torture tests what the stores promise while writers and servers are
// killed and connections are cut, delayed, throttled and corrupted.
//
//	scripts/torture                    every store, 500 kills of each embedded one, 20 of each server
//	scripts/torture -quick             the same in about 3 minutes
//	scripts/torture -only file,minio   some stores
//	scripts/torture -seed 7            the same choices as another run with that seed
//	scripts/torture -soak 30m          gentle mixed work instead, all stores side by side: nothing may grow
//
// Workers are processes of their own that write by 32 goroutines, read by 8, and
// tell the parent what was started and what was acknowledged. The parent holds
// every store against that history after each kill: what was acknowledged is
// there, what was not is there whole or not at all, counters add up, a record
// that many tried to create has the one winner that was told so, atomic batches
// are whole, no revision stands for two contents, and nobody reads less than it
// has written.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	if workHere() || soakHere() {
		return
	}
	p := plan{Seed: uint64(time.Now().UnixNano()), Kills: 500, ServerKills: 20, Writers: 32, Readers: 8, Round: 6 * time.Second}
	flag.Uint64Var(&p.Seed, "seed", p.Seed, "the `seed` of all random choices")
	flag.IntVar(&p.Kills, "kills", p.Kills, "kills of each embedded store's writers")
	flag.IntVar(&p.ServerKills, "server-kills", p.ServerKills, "kills of each server")
	quick := flag.Bool("quick", false, "few kills: about 3 minutes")
	only := flag.String("only", "", "comma-separated `stores`: "+strings.Join(names, ", "))
	into := flag.String("json", "", "write the results to this `file`")
	long := flag.Duration("soak", 0, "instead of killing anything, use each store for this `time` and see whether anything grows")
	rate := flag.Float64("rate", 8, "`operations` per second on each store of a soak")
	flag.Parse()
	if *quick {
		p = p.quick()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *long > 0 {
		err = runSoak(ctx, soak{Seed: p.Seed, For: *long, Every: *long / 90, Rate: *rate}, *only, *into)
	} else {
		err = run(ctx, p, *only, *into)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

func (p plan) quick() plan {
	p.Kills, p.ServerKills, p.Round = 25, 2, 4*time.Second
	return p
}

// chosen are the stores of a comma-separated list; all where it is empty.
func chosen(only string) ([]string, error) {
	want := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, w := range want {
		if !slices.Contains(names, w) {
			return nil, fmt.Errorf("there is no store %q; there are %s", w, strings.Join(names, ", "))
		}
	}
	if len(want) == 0 {
		return names, nil
	}
	return want, nil
}

func run(ctx context.Context, p plan, only, into string) error {
	stores, err := chosen(only)
	if err != nil {
		return err
	}
	fmt.Printf("seed %d\n", p.Seed)
	var results []*result
	broken := 0
	for _, name := range stores {
		r, err := tortureNamed(ctx, name, p)
		if err != nil {
			return err
		}
		results = append(results, r)
		broken += len(r.Broken)
		fmt.Println(r)
	}
	if err := writeJSON(into, results); err != nil {
		return err
	}
	if broken > 0 {
		return fmt.Errorf("%d promises were broken (seed %d)", broken, p.Seed)
	}
	return nil
}

// runSoak uses all stores at the same time.
func runSoak(ctx context.Context, s soak, only, into string) error {
	stores, err := chosen(only)
	if err != nil {
		return err
	}
	fmt.Printf("seed %d\n", s.Seed)
	results, errs := make([]*soaked, len(stores)), make([]error, len(stores))
	var all sync.WaitGroup
	for i, name := range stores {
		all.Go(func() { results[i], errs[i] = soakNamed(ctx, name, s) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	grew := 0
	for _, r := range results {
		fmt.Println(r)
		if !r.ok() {
			grew++
		}
	}
	if err := writeJSON(into, results); err != nil {
		return err
	}
	if grew > 0 {
		return fmt.Errorf("%d stores did not pass the soak (seed %d)", grew, s.Seed)
	}
	return nil
}

// writeJSON writes results to a file; none where its name is empty.
func writeJSON(file string, results any) error {
	if file == "" {
		return nil
	}
	data, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

func tortureNamed(ctx context.Context, name string, p plan) (*result, error) {
	t, done, err := newTarget(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer done()
	return t.torture(ctx, p)
}

// String is a line for a person, and what was broken.
func (r *result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s %d kills of the writer, %d of the server, %d faults; %d writes acknowledged, %d refused, %d unclear; %d records read: ",
		r.Store, r.Kills, r.ServerKills, sumOf(r.Faults), r.Acked, r.Refused, r.Unclear, r.Reads)
	if len(r.Broken) == 0 {
		b.WriteString("every promise kept")
	}
	for _, line := range r.Broken {
		b.WriteString("\n  BROKEN: " + line)
	}
	return b.String()
}

func sumOf(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
