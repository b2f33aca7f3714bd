package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// about says where and with what the figures were taken.
type about struct {
	Machine  string    `json:"machine"`
	Date     string    `json:"date"`
	Versions []version `json:"versions"`
}

type version struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func (b *bench) about() about {
	now := time.Now().Format(time.DateOnly)
	a := about{
		Machine: fmt.Sprintf("%d cores (%s), %s of memory, %s, %s", runtime.NumCPU(), field("/proc/cpuinfo", "model name", "unknown processor"), ram(), runtime.Version(), now),
		Date:    now,
	}
	a.Versions = append(a.Versions, version{"DuckDB command", duckdbVersion}, version{"dataknobs-data (Python)", pythonVersion}, version{"s5cmd", s5cmdVersion}, version{"flights", flightsPackage})
	if out, err := exec.CommandContext(b.ctx, b.python, "--version").Output(); err == nil {
		a.Versions = append(a.Versions, version{"Python", strings.TrimPrefix(strings.TrimSpace(string(out)), "Python ")})
	}
	for _, s := range b.servers {
		if !slices.Contains(a.Versions, s) {
			a.Versions = append(a.Versions, s)
		}
	}
	return b.rawDrivers(a)
}

// rawDrivers adds the Go modules that the raw sides use.
func (b *bench) rawDrivers(a about) about {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return a
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/jackc/pgx/v5", "modernc.org/sqlite", "github.com/elastic/go-elasticsearch/v9", "github.com/elastic/elastic-transport-go/v8", "github.com/aws/aws-sdk-go-v2/service/s3":
			a.Versions = append(a.Versions, version{m.Path, m.Version})
		}
	}
	return a
}

// field is the text of a field in one of the kernel's files of names and texts.
func field(path, name, none string) string {
	info, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return none
	}
	for line := range bytes.Lines(info) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			return strings.TrimSpace(strings.TrimLeft(string(rest), "\t :"))
		}
	}
	return none
}

// ram is the machine's, in GiB.
func ram() string {
	var kib int64
	if _, err := fmt.Sscan(field("/proc/meminfo", "MemTotal:", ""), &kib); err != nil {
		return "unknown size"
	}
	return fmt.Sprintf("%d GiB", (kib+1<<19)>>20)
}
