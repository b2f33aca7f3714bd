// Command bench measures dataknobs side by side with its peers, in one run,
// and writes RESULTS.md and results.svg beside its source.
//
//	go run ./bench                    everything (about 15 minutes)
//	go run ./bench -only files,memory some sections: files, memory, durable, python, sqlite, postgres
//	go run ./bench -data DIR          where flights.csv.gz lies (default ../shared/data)
//
// Every whole-process figure is the median of interleaved runs (ours, peer,
// ours, peer, …) with the file cache warm. The peers are installed into a
// private Python environment in the cache directory: the DuckDB command and
// dataknobs-data 0.11.0.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
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
	data    string // the folder of the real data sets
	runs    int
	dk      string // the built command
	duckdb  string
	python  string
	results []section
}

// A section is one table of the results.
type section struct {
	title, note string
	rows        []row
}

// A row is one operation: ours against a peer, or against a target.
type row struct {
	op         string
	ours, peer figure
	peerName   string
	target     string // in words
	met        bool
}

// A figure is what was measured: seconds for one run or operation, and memory.
type figure struct {
	seconds float64
	cpu     float64
	rss     int64  // bytes, the peak of the whole process; 0: not measured
	text    string // shown instead of the seconds, where it says more
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
}

func main() {
	b := &bench{}
	only := flag.String("only", "", "comma-separated `sections`: files, memory, durable, python, sqlite, postgres")
	flag.StringVar(&b.data, "data", "../shared/data", "the `folder` with flights.csv.gz")
	flag.StringVar(&b.work, "work", filepath.Join(os.TempDir(), "dataknobs-bench"), "the `folder` for scratch files")
	flag.IntVar(&b.runs, "runs", 7, "counted runs of each command")
	flag.Parse()
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
		if !slices.ContainsFunc(sections, func(s struct {
			name string
			run  func(*bench) error
		}) bool {
			return s.name == w
		}) {
			return fmt.Errorf("there is no section %q", w)
		}
	}
	for _, s := range sections {
		if len(want) > 0 && !slices.Contains(want, s.name) {
			continue
		}
		fmt.Printf("\n# %s\n", s.name)
		if err := s.run(b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if len(want) > 0 {
		fmt.Println("\nRESULTS.md is written by a full run only")
		return nil
	}
	return b.write()
}

// setUp builds the command and installs the peers.
func (b *bench) setUp() error {
	out, err := exec.CommandContext(b.ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	root := strings.TrimSpace(string(out))
	b.dir = filepath.Join(root, "bench")
	if !filepath.IsAbs(b.data) {
		b.data = filepath.Join(root, b.data)
	}
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
	if _, err := os.Stat(b.duckdb); err == nil && exec.CommandContext(b.ctx, b.python, "-c", "import asyncpg, psycopg2, dataknobs_data").Run() == nil {
		return nil
	}
	if err := b.sh(root, python312(), "-m", "venv", venv); err != nil {
		return err
	}
	return b.sh(root, b.python, "-m", "pip", "install", "-q", "duckdb-cli=="+duckdbVersion,
		"dataknobs-data[parquet,postgres,sqlite]=="+pythonVersion, "psutil", "pytz")
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

// machine describes where the figures were taken.
func machine() string {
	cpu := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				cpu = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
				break
			}
		}
	}
	return fmt.Sprintf("%d cores (%s), %s, %s", runtime.NumCPU(), cpu, runtime.Version(), time.Now().Format(time.DateOnly))
}

func (b *bench) add(s section) {
	b.results = append(b.results, s)
	for _, r := range s.rows {
		fmt.Println(r.line())
	}
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return s[len(s)/2]
}
