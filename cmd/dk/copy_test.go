package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCopyToNewFiles(t *testing.T) {
	s := newShell(t)
	s.write("planes.csv", planesCSV)
	s.write("people.json", peopleJSON)
	want := s.ok("query", "planes.csv")
	for _, dst := range []string{"a.csv", "a.csv.gz", "a.tsv.zst", "a.json", "a.ndjson", "a.ndjson.gz", "a.parquet"} {
		s.ok("copy", "planes.csv", dst)
		same(t, dst, s.ok("query", dst), want)
	}
	same(t, "a.csv is the file itself", s.read("a.csv"), planesCSV)
	// Tables have no fields that are not there: they read as null.
	all := []string{"order by _id", "-o", "csv"}
	people := s.ok(append([]string{"query", "people.json"}, all...)...)
	for _, dst := range []string{"b.csv", "b.json", "b.ndjson", "b.parquet"} {
		s.ok("copy", "people.json", dst)
		same(t, dst, s.ok(append([]string{"query", dst}, all...)...), people)
	}
	s.ok("copy", "planes.csv", "c.csv", "--where", "year > :y", "--param", "y=1990", "--select", "tailnum AS plane, seats")
	same(t, "c.csv", s.read("c.csv"), "plane,seats\nN14228,149\nN24211,149\n")
	if left, _ := filepath.Glob(filepath.Join(s.dir, ".*")); slices.ContainsFunc(left, func(n string) bool { return filepath.Base(n) != ".state" }) {
		t.Errorf("left behind: %v", left)
	}
}

func TestCopyOptions(t *testing.T) {
	s := newShell(t)
	s.write("a.csv", "k;v\nx;NA\ny;1\n")
	s.ok("copy", "a.csv", "b.csv", "--nulls", "NA", "--dst-delimiter", "|")
	same(t, "b.csv", s.read("b.csv"), "k|v\nx|\ny|1\n")
	s.fails(2, []string{"both set the source"}, "copy", "a.csv", "c.csv", "--nulls", "NA", "--src-nulls", "-")
	s.fails(2, []string{"nulls"}, "copy", "mem:", "c.csv", "--nulls", "NA")
	s.fails(2, []string{"did you mean skip?"}, "copy", "a.csv", "c.csv", "--mode", "skipp")
	s.fails(2, []string{"--batch"}, "copy", "a.csv", "c.csv", "--batch", "-1")
	s.fails(2, []string{"paths only"}, "copy", "a.csv", "c.csv", "--select", "k where v = 1")
	s.fails(3, []string{"no.csv"}, "copy", "no.csv", "c.csv")
	same(t, "dry run to a server", s.ok("copy", "a.csv", "postgres://me:s3cret@nowhere/app?table=x&password=s3cret", "--dry-run", "--nulls", "NA"),
		"would copy 2 records from a.csv to postgres://***@nowhere/app\n")
	same(t, "dry run", s.ok("copy", "a.csv", "c.csv", "--dry-run", "--nulls", "NA", "--where", "v = 1"), "would copy 1 record from a.csv to c.csv\n")
	if _, err := os.Stat("c.csv"); err == nil {
		t.Error("a copy that failed or was dry has left c.csv")
	}
}

func TestCopyModes(t *testing.T) {
	s := newShell(t)
	fresh := func() { s.write("dst.json", `{"a":{"n":0},"z":{"n":26}}`) }
	s.write("src.json", `{"a":{"n":1},"b":{"n":2}}`)
	fresh()
	s.fails(4, []string{`"a" exists already`, "--mode put"}, "copy", "src.json", "dst.json")
	fresh()
	s.ok("copy", "src.json", "dst.json", "--mode", "put")
	same(t, "put", s.ok("query", "dst.json", "order by _id", "-o", "csv"), "_id,n\na,1\nb,2\nz,26\n")
	fresh()
	s.ok("copy", "src.json", "dst.json", "--mode", "skip")
	same(t, "skip", s.ok("query", "dst.json", "order by _id", "-o", "csv"), "_id,n\na,0\nb,2\nz,26\n")
	s.fails(2, []string{"append"}, "copy", "src.json", "dst.json", "--mode", "append")

	s.write("rows.csv", "n\n7\n")
	s.fails(4, []string{"rows.csv exists", "--mode append"}, "copy", "src.json", "rows.csv")
	s.ok("copy", "src.json", "rows.csv", "--mode", "append")
	same(t, "append", s.ok("query", "rows.csv", "-o", "csv"), "n\n7\n1\n2\n")
}

// TestCopyOfRepeatedKeys: a new file obeys the mode too.
func TestCopyOfRepeatedKeys(t *testing.T) {
	s := newShell(t)
	s.write("src.csv", "k,v\na,1\nb,2\na,3\n")
	s.fails(4, []string{`"a"`}, "copy", "src.csv", "dst.csv", "--dst-key", "k")
	if _, err := os.Stat("dst.csv"); err == nil {
		t.Error("dst.csv is there")
	}
	s.ok("copy", "src.csv", "put.csv", "--dst-key", "k", "--mode", "put")
	same(t, "put", s.ok("query", "put.csv", "order by k", "-o", "csv"), "k,v\na,3\nb,2\n")
	s.ok("copy", "src.csv", "skip.csv", "--dst-key", "k", "--mode", "skip")
	same(t, "skip", s.ok("query", "skip.csv", "order by k", "-o", "csv"), "k,v\na,1\nb,2\n")
	s.write("empty.csv", "")
	s.ok("copy", "src.csv", "empty.csv")
	same(t, "empty.csv", s.read("empty.csv"), s.read("src.csv"))
}

// TestCopyDerivesIDs: rows without an ID are not doubled by a second copy.
func TestCopyDerivesIDs(t *testing.T) {
	s := newShell(t)
	s.write("rows.csv", "n\n1\n2\n2\n")
	s.write("dst.json", `{"z":{"n":26}}`)
	s.ok("copy", "rows.csv", "dst.json")
	same(t, "first", s.ok("count", "dst.json"), "4\n")
	s.ok("copy", "rows.csv", "dst.json", "--mode", "skip")
	same(t, "second", s.ok("count", "dst.json"), "4\n")
}

// numbered writes a source of n records.
func (s *shell) numbered(name string, n int) {
	var b strings.Builder
	b.WriteString("id,v\n")
	for i := range n {
		fmt.Fprintf(&b, "r%05d,%d\n", i, i*i)
	}
	s.write(name, b.String())
}

// stopAfter runs a copy that is interrupted once the destination has
// acknowledged some batches, and reports its exit code.
func (s *shell) stopAfter(batches int, args ...string) result {
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	n := 0
	afterBatch = func() {
		if n++; n >= batches {
			cancel()
		}
	}
	defer func() { afterBatch = func() {} }()
	return s.runContext(ctx, "", args...)
}

func TestCopyContinues(t *testing.T) {
	const total, batch = 1000, 100
	for _, c := range []struct {
		mode, dst string
		keyed     bool
	}{
		{"create", "id,v\nother,1\n", true},
		{"put", "id,v\nother,1\n", true},
		{"skip", "id,v\nother,1\n", true},
		{"append", "v,w\n1,2\n", false},
	} {
		for _, stop := range []int{1, 4, 9} {
			t.Run(fmt.Sprintf("%s after %d", c.mode, stop), func(t *testing.T) {
				s := newShell(t)
				s.numbered("src.csv", total)
				s.write("dst.csv", c.dst)
				args := []string{"copy", "src.csv", "dst.csv", "--mode", c.mode, "--batch", fmt.Sprint(batch), "--parallel", "1"}
				if !c.keyed {
					args = append(args, "--select", "v")
				}
				r := s.stopAfter(stop, args...)
				if r.code != exitInterrupted || !strings.Contains(r.err, "the same command continues") {
					t.Fatalf("interrupted: exit code %d, %s", r.code, r.err)
				}
				if n := s.ok("count", "dst.csv"); n != fmt.Sprintf("%d\n", 1+stop*batch) {
					t.Errorf("%d batches have left %s records", stop, n)
				}
				r = s.run("", args...)
				if r.code != 0 || !strings.Contains(r.err, fmt.Sprintf("continuing after %d records", stop*batch)) {
					t.Fatalf("continued: exit code %d, %s", r.code, r.err)
				}
				want := 0
				for i := range total {
					want += i * i
				}
				same(t, "what is there", s.ok("query", "dst.csv", "select count(*), sum(v)", "-o", "csv"),
					fmt.Sprintf("count(*),sum(v)\n%d,%d\n", total+1, want+1))
				if left, _ := filepath.Glob(filepath.Join(s.dir, ".state", "dk", "*")); left != nil {
					t.Errorf("the checkpoint stays: %v", left)
				}
			})
		}
	}
}

// TestCopyInDoubt: the batch was acknowledged, the checkpoint not written.
func TestCopyInDoubt(t *testing.T) {
	for _, mode := range []string{"create", "put", "skip", "append"} {
		t.Run(mode, func(t *testing.T) {
			s := newShell(t)
			s.numbered("src.csv", 500)
			s.write("dst.csv", "id,v\nother,1\n")
			args := []string{"copy", "src.csv", "dst.csv", "--mode", mode, "--batch", "100", "--parallel", "1"}
			if mode == "append" {
				s.write("dst.csv", "v,w\n1,2\n")
				args = append(args, "--select", "v")
			}
			var before []byte
			path := func() string {
				left, _ := filepath.Glob(filepath.Join(s.dir, ".state", "dk", "*"))
				if len(left) != 1 {
					t.Fatalf("checkpoints: %v", left)
				}
				return left[0]
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := 0
			afterBatch = func() {
				switch n++; n {
				case 2:
					before, _ = os.ReadFile(path())
				case 3:
					cancel()
				}
			}
			s.runContext(ctx, "", args...)
			afterBatch = func() {}
			if err := os.WriteFile(path(), before, 0o600); err != nil {
				t.Fatal(err)
			}
			s.ok(args...)
			same(t, "what is there", s.ok("count", "dst.csv"), "501\n")
		})
	}
}

func TestCopyOfAChangedSource(t *testing.T) {
	s := newShell(t)
	s.numbered("src.csv", 500)
	s.write("dst.csv", "id,v\nother,1\n")
	args := []string{"copy", "src.csv", "dst.csv", "--mode", "put", "--batch", "100", "--parallel", "1"}
	s.stopAfter(2, args...)
	s.numbered("src.csv", 499)
	if r := s.run("", args...); r.code != 0 || !strings.Contains(r.err, "source has changed") {
		t.Errorf("exit code %d, %s", r.code, r.err)
	}
	same(t, "what is there", s.ok("count", "dst.csv"), "500\n")
}

func TestCopyAppendToAChangedFile(t *testing.T) {
	s := newShell(t)
	s.numbered("src.csv", 500)
	s.write("dst.csv", "v,w\n1,2\n")
	args := []string{"copy", "src.csv", "dst.csv", "--mode", "append", "--select", "v", "--batch", "100"}
	s.stopAfter(2, args...)
	s.write("dst.csv", "v,w\n1,2\n")
	s.fails(4, []string{"has changed", "removing"}, args...)
	same(t, "what is there", s.read("dst.csv"), "v,w\n1,2\n")
}

// TestCopyStopsWhole: a new file is there whole or not at all.
func TestCopyStopsWhole(t *testing.T) {
	s := newShell(t)
	s.numbered("src.csv", 50_000)
	for _, dst := range []string{"dst.csv", "dst.parquet", "dst.json"} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if r := s.runContext(ctx, "", "copy", "src.csv", dst, "--select", "id"); r.code != exitInterrupted {
			t.Errorf("%s: exit code %d, %s", dst, r.code, r.err)
		}
		if _, err := os.Stat(dst); err == nil {
			t.Errorf("%s is there", dst)
		}
	}
}

func TestFilePath(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("odd?a=b.csv", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		store, path string
		file        bool
	}{
		{"a.csv", "a.csv", true},
		{"a.csv?nulls=NA", "a.csv", true},
		{"odd?a=b.csv", "odd?a=b.csv", true},
		{"file:a%20b.csv?key=x", "a b.csv", true},
		{"file:///tmp/a.csv", "/tmp/a.csv", true},
		{"-", "", false},
		{"mem:", "", false},
		{"./mem:", "./mem:", true},
	} {
		if path, ok := filePath(c.store); ok != c.file || ok && path != c.path {
			t.Errorf("filePath(%q) is %q, %t; want %q, %t", c.store, path, ok, c.path, c.file)
		}
	}
}
