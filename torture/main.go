// Command torture tests what the stores promise while writers and servers are
// killed and connections are cut, delayed, throttled and corrupted.
//
//	scripts/torture                    every store, 500 kills of each embedded one, 20 of each server
//	scripts/torture -quick             the same in about 3 minutes
//	scripts/torture -only file,minio   some stores
//	scripts/torture -seed 7            the same choices as another run with that seed
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
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if workHere() {
		return
	}
	p := plan{Seed: uint64(time.Now().UnixNano()), Kills: 500, ServerKills: 20, Writers: 32, Readers: 8, Round: 6 * time.Second}
	flag.Uint64Var(&p.Seed, "seed", p.Seed, "the `seed` of all random choices")
	flag.IntVar(&p.Kills, "kills", p.Kills, "kills of each embedded store's writers")
	flag.IntVar(&p.ServerKills, "server-kills", p.ServerKills, "kills of each server")
	quick := flag.Bool("quick", false, "few kills: about 3 minutes")
	only := flag.String("only", "", "comma-separated `stores`: "+strings.Join(names, ", "))
	into := flag.String("json", "", "write the results to this `file`")
	flag.Parse()
	if *quick {
		p = p.quick()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p, *only, *into); err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

func (p plan) quick() plan {
	p.Kills, p.ServerKills, p.Round = 25, 2, 4*time.Second
	return p
}

func run(ctx context.Context, p plan, only, into string) error {
	want := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, w := range want {
		if !slices.Contains(names, w) {
			return fmt.Errorf("there is no store %q; there are %s", w, strings.Join(names, ", "))
		}
	}
	fmt.Printf("seed %d\n", p.Seed)
	var results []*result
	broken := 0
	for _, name := range names {
		if len(want) > 0 && !slices.Contains(want, name) {
			continue
		}
		r, err := tortureNamed(ctx, name, p)
		if err != nil {
			return err
		}
		results = append(results, r)
		broken += len(r.Broken)
		fmt.Println(r)
	}
	if into != "" {
		data, err := json.MarshalIndent(results, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(into, append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d promises were broken (seed %d)", broken, p.Seed)
	}
	return nil
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
