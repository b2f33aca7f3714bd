// Command bench measures dataknobs side by side with its peers, in one run,
// and writes RESULTS.md, results.json and plots/*.svg beside its source.
//
//	go run ./bench                    everything
//	go run ./bench --quick            every section, small sizes and few rounds: under 3 minutes; writes nothing
//	go run ./bench --only files,memory some sections; the others stay in RESULTS.md as they are
//	go run ./bench --data DIR         where flights.csv.gz lies; without it the table of flights is downloaded, once
//
// Every figure is the median of interleaved runs (ours, peer, ours, peer, …)
// with its least and greatest. The peers are installed into a private Python
// environment in the cache directory: the DuckDB command and dataknobs-data.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Versions of the peers; duckdb-cli and duckdb are the same program.
const (
	duckdbVersion = "1.5.6"
	pythonVersion = "0.11.0"
)

// A bench is one run of the program.
type bench struct {
	ctx     context.Context
	dir     string // the repository's bench folder
	work    string // scratch files, kept between runs
	data    string // the folder with flights.csv.gz; "": it is downloaded
	runs    int
	part    string // the section that runs
	quick   bool   // small sizes, few rounds
	dk      string // the built command
	duckdb  string
	python  string
	results []section
	curves  []curve
	servers []version // those that were measured
}

var sections = []struct {
	name string
	run  func(*bench) error
}{
	{"files", (*bench).files},
	{"memory", (*bench).memory},
	{"durable", (*bench).durable},
	{"python", (*bench).peerPackage},
	{"sqlite", (*bench).sqlite},
	{"postgres", (*bench).postgres},
	{"s3", (*bench).s3},
	{"elasticsearch", (*bench).elasticsearch},
	{"scaling", (*bench).scaling},
}

func main() {
	b := &bench{}
	only := flag.String("only", "", "comma-separated `sections`: "+strings.Join(sectionNames(), ", "))
	flag.BoolVar(&b.quick, "quick", false, "small sizes and few rounds; writes nothing")
	flag.StringVar(&b.data, "data", "", "the `folder` with flights.csv.gz, if it shall not be downloaded")
	flag.StringVar(&b.work, "work", filepath.Join(os.TempDir(), "dataknobs-bench"), "the `folder` for scratch files")
	flag.IntVar(&b.runs, "runs", 7, "counted runs of each command")
	flag.Parse()
	if b.quick {
		b.runs = min(b.runs, 3)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b.ctx = ctx
	if err := b.main(*only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) main(only string) error {
	if err := b.setUp(); err != nil {
		return err
	}
	want := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, w := range want {
		if !slices.Contains(sectionNames(), w) {
			return fmt.Errorf("there is no section %q; there are %s", w, strings.Join(sectionNames(), ", "))
		}
	}
	for _, s := range sections {
		if len(want) > 0 && !slices.Contains(want, s.name) {
			continue
		}
		fmt.Printf("\n# %s\n", s.name)
		b.part = s.name
		start := time.Now()
		if err := s.run(b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("(%s)\n", time.Since(start).Round(time.Second))
	}
	if b.quick {
		fmt.Println("\nRESULTS.md is not written by a quick run")
		return nil
	}
	return b.write()
}

func sectionNames() []string {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	return names
}

// rounds is how often something is measured: n times, or twice in a quick run.
func (b *bench) rounds(n int) int {
	if b.quick {
		return min(n, 2)
	}
	return n
}

// sizes are those that this run measures: in a quick run, those up to 10,000.
func (b *bench) sizes(all ...int) []int {
	if !b.quick {
		return all
	}
	return slices.DeleteFunc(all, func(n int) bool { return n > 10_000 })
}

// setUp builds the command and installs the peers.
func (b *bench) setUp() error {
	out, err := exec.CommandContext(b.ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	root := strings.TrimSpace(string(out))
	b.dir = filepath.Join(root, "bench")
	if err := os.MkdirAll(b.work, 0o700); err != nil {
		return err
	}
	b.dk = filepath.Join(b.work, "dk")
	if err := b.sh(root, "go", "build", "-o", b.dk, "./cmd/dk"); err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	venv := filepath.Join(cache, "dataknobs-bench", "venv")
	b.python, b.duckdb = filepath.Join(venv, "bin", "python"), filepath.Join(venv, "bin", "duckdb")
	if _, err := os.Stat(b.duckdb); err == nil && exec.CommandContext(b.ctx, b.python, "-c", "import asyncpg, psycopg2, elasticsearch, dataknobs_data").Run() == nil {
		return nil
	}
	if err := b.sh(root, python312(), "-m", "venv", venv); err != nil {
		return err
	}
	return b.sh(root, b.python, "-m", "pip", "install", "-q", "duckdb-cli=="+duckdbVersion,
		"dataknobs-data[elasticsearch,parquet,postgres,sqlite]=="+pythonVersion, "psutil", "pytz")
}

// python312 finds a Python of at least 3.12, which the peer package needs.
func python312() string {
	home, _ := os.UserHomeDir()
	found, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions/3.1[23]*/bin/python3"))
	for _, name := range append(found, "python3.13", "python3.12") {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import venv").Run() == nil {
			return path
		}
	}
	return "python3"
}

func (b *bench) sh(dir, name string, args ...string) error {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

func (b *bench) add(s section) {
	s.part, s.taken = b.part, time.Now().UTC().Format("2006-01-02 15:04")
	b.results = append(b.results, s)
	for _, r := range s.rows {
		fmt.Println(r.line())
	}
}
