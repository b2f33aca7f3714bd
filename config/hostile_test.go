package config_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// hostile inputs must be refused, in bounded memory. What they may cost is
// stated as bytes allocated, which are the same on every machine.
func TestHostileInputIsRefused(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name, file string
		text       func() string
		want       string
		allocs     uint64 // bytes
	}{
		{"deep lists in YAML", "a.yaml", func() string { return "a: " + strings.Repeat("[", 500_000) }, "nested more than 64 deep", 400 * mib},
		{"deep maps in YAML", "a.yaml", func() string { return strings.Repeat("{a: ", 200_000) }, "nested more than 64 deep", 400 * mib},
		{"deep blocks in YAML", "a.yaml", func() string { return strings.Repeat("- ", 500_000) + "x" }, "nested more than 64 deep", 400 * mib},
		{"deep indentation in YAML", "a.yaml", func() string { return indented(300) }, "nested more than 64 deep", 40 * mib},
		{"deep keys in YAML", "a.yaml", func() string { return strings.Repeat("? ", 100_000) + "x" }, "nested more than 64 deep", 400 * mib},
		{"deep tags in YAML", "a.yaml", func() string { return "a: " + strings.Repeat("!!str ", 100_000) + "x" }, "a.yaml", 400 * mib},
		{"many keys in YAML", "a.yaml", manyKeys, "more than 20000 keys, values and marks", 400 * mib},
		{"deep JSON", "a.json", func() string { return `{"a":` + strings.Repeat("[", 500_000) }, "nested more than 64 deep", 10 * mib},
		{"deep TOML", "a.toml", func() string { return "a = " + strings.Repeat("[", 500_000) }, "nested more than 64 deep", 10 * mib},
		{"deep TOML tables", "a.toml", func() string { return "[" + strings.Repeat("a.", 1000) + "a]\nb = 1" }, "nested more than 64 deep", 10 * mib},
		{"many values in JSON", "a.json", func() string { return `{"a": [` + strings.Repeat("1,", 200_000) + "1]}" }, "more than 100000 values", 60 * mib},
		{"many values in TOML", "a.toml", func() string { return "a = [" + strings.Repeat("1,", 200_000) + "1]" }, "more than 100000 values", 200 * mib},
		{"aliases of aliases", "a.yaml", hostile.AliasBomb, "more than 100000 values, with what its aliases repeat", 10 * mib},
		{"an alias of itself", "a.yaml", func() string { return "a: &a [*a]" }, "a.yaml:1", 10 * mib},
		{"references to references", "a.yaml", hostile.TextBomb, "substitution makes a text of more than 1048576 bytes", 64 * mib},
		{"references to maps of references", "a.yaml", mapBomb, "more than 100000 values", 64 * mib},
		{"a long chain of references", "a.yaml", chain, "refer to each other more than 100 deep", 10 * mib},
		{"a large file", "a.yaml", func() string { return "a: " + strings.Repeat("x", 2*mib) }, "more than 1048576 bytes", 4 * mib},
		{"long word for a hint", "a.yaml", func() string { return "databases: {a: {backend: " + strings.Repeat("x", 1000) + "}}" }, "", 10 * mib},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := []byte(c.text())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, faults, err := config.Inspect(&config.Options{Sources: []config.Source{{Name: c.file, Data: text}}, Environ: []string{}})
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if len(faults) == 0 {
				t.Fatal("it was taken")
			}
			got := faults.Error()
			contains(t, got, c.want)
			if len(got) > 20_000 {
				t.Errorf("the error has %d bytes", len(got))
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > c.allocs {
				t.Errorf("%d MiB were allocated, at most %d are allowed", used/mib, c.allocs/mib)
			}
		})
	}
}

func indented(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func manyKeys() string {
	var b strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&b, "k%d: v\n", i)
	}
	return b.String()
}

func mapBomb() string {
	var b strings.Builder
	b.WriteString("s:\n  a0: {x: 1, y: 2}\n")
	for i := 1; i < 50; i++ {
		fmt.Fprintf(&b, "  a%d: {x: '${s.a%d}', y: '${s.a%d}'}\n", i, i-1, i-1)
	}
	return b.String()
}

func chain() string {
	var b strings.Builder
	b.WriteString("s:\n")
	for i := range 500 {
		fmt.Fprintf(&b, "  a%d: '${s.a%d}'\n", i, i+1)
	}
	return b.String() + "  a500: x\n"
}

// A file of 100 MB is refused after its first mebibyte.
func TestALargeFileIsNotReadWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dk.yaml")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, io.LimitReader(endless('x'), 100<<20)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = config.Load(path)
	runtime.ReadMemStats(&after)
	if dataknobs.CodeOf(err) != dataknobs.InvalidArgument || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	copy(p, bytes.Repeat([]byte{byte(e)}, len(p)))
	return len(p), nil
}

// Whatever the bytes, reading them ends with a configuration or with faults.
func FuzzLoad(f *testing.F) {
	f.Add("dk.yaml", issueExample)
	f.Add("dk.json", `{"databases": {"a": {"backend": "memory"}}}`)
	f.Add("dk.toml", "[databases.a]\nbackend = 'memory'\nx.y = [1, {a = 2}]\n")
	f.Add("dk.yaml", "a: &a {b: [*a, <<, !!str 1]}\n? x\n: - y\n")
	for _, c := range hostile.Configs {
		if text := c.Make(); len(text) <= hostile.Most {
			f.Add(c.File, text)
		}
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 4096 || strings.Contains(text, "file:") {
			return
		}
		switch filepath.Ext(name) {
		case ".json", ".toml":
		default:
			name = "dk.yaml"
		}
		c, _, err := config.Inspect(&config.Options{Sources: []config.Source{{Name: name, Data: []byte(text)}}, Environ: []string{}})
		if err != nil {
			t.Fatal(err)
		}
		c.Settings()
		if err := c.WriteYAML(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
}
