package docs_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/internal/servers"
)

// Every console block of a page is run, in order, in an empty folder that holds
// the sample data, and prints what the page says.
func TestConsole(t *testing.T) {
	consoles := map[string][]*block{}
	for _, b := range of(t, "console") {
		consoles[b.page] = append(consoles[b.page], b)
	}
	bin := dk(t)
	for page, blocks := range consoles {
		t.Run(page, func(t *testing.T) {
			s := newSandbox(t, bin)
			printed := map[int]string{} // by line
			for _, b := range blocks {
				got := s.console(b.text)
				printed[b.line] = got
				if got != b.text && !*update {
					t.Errorf("%s:%d says\n%s\nbut the commands print\n%s\n(go test ./docs -update writes it)", page, b.line, b.text, got)
				}
			}
			if *update {
				rewrite(t, page, func(b *block) string {
					if got, ok := printed[b.line]; ok {
						return got
					}
					return b.text
				})
			}
		})
	}
}

// A sandbox is an empty folder with the sample data, and dk on the path.
type sandbox struct {
	t   *testing.T
	dir string
	env []string
}

func newSandbox(t *testing.T, bin string) *sandbox {
	t.Helper()
	s := &sandbox{t: t, dir: t.TempDir()}
	if err := os.CopyFS(filepath.Join(s.dir, "examples", "data"), os.DirFS("../examples/data")); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	s.env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"COLUMNS=120", "GOMAXPROCS=2", "HOME="+home, "XDG_STATE_HOME="+home)
	return s
}

// dk builds the command and returns its folder.
func dk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "../cmd/dk").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

// run runs one line of a shell.
func (s *sandbox) run(line string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// console runs the lines that start with "$ " and returns the block as it ought
// to be.
func (s *sandbox) console(text string) string {
	var out bytes.Buffer
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		out.WriteString(line)
		printed, _ := s.run(command) // a command of a page may fail: it then shows how
		for l := range strings.Lines(printed) {
			out.WriteString(strings.TrimRight(l, " \n") + "\n")
		}
	}
	return out.String()
}

// foreign are the programs of others that pages use: their lines must be a
// shell's, and are not run.
var foreign = []string{"aws", "sqlite3", "psql", "curl", "git", "goreleaser"}

// The lines of sh blocks are a shell's. Those that run dk are run, in the
// folder of the console blocks, with an S3 server behind s3://my-bucket; scripts
// are there.
func TestShell(t *testing.T) {
	bin := dk(t)
	for _, b := range of(t, "sh") {
		s := newSandbox(t, bin)
		if out, err := exec.CommandContext(t.Context(), "sh", "-n", "-c", b.text).CombinedOutput(); err != nil {
			t.Errorf("%s:%d: %v\n%s", b.page, b.line, err, out)
		}
		if strings.Contains(b.text, "dk ") && strings.Contains(b.text, "s3://my-bucket") {
			s.bucket()
		}
		for line := range strings.Lines(b.text) {
			if err := s.shell(strings.TrimSpace(line)); err != "" {
				t.Errorf("%s:%d: %s: %s", b.page, b.line, strings.TrimSpace(line), err)
			}
		}
	}
}

// shell runs a line of a sh block and returns what is wrong with it.
func (s *sandbox) shell(line string) string {
	line, _, _ = strings.Cut(line, "    # ") // a remark
	line = strings.TrimSpace(strings.TrimPrefix(line, "./"))
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "", strings.HasPrefix(line, "#"):
		return ""
	case strings.HasPrefix(word, "scripts/"):
		if info, err := os.Stat("../" + word); err != nil || info.Mode()&0o111 == 0 {
			return "there is no such script"
		}
		return ""
	case word == "export":
		return "" // bucket has set them
	case strings.HasPrefix(line, "go run ./cmd/dk "):
		line = strings.TrimPrefix(line, "go run ./cmd/")
	case word == "go" && strings.Contains(rest, "./"):
		return goLine(rest)
	case word != "dk" && !foreignLine(line):
		return "it is neither dk, a script, go, nor one of the programs that are known here"
	case word != "dk":
		return ""
	}
	out, err := s.run(strings.ReplaceAll(line, "http://127.0.0.1:9000", s.variable("AWS_ENDPOINT_URL")))
	if err != nil {
		return err.Error() + "\n" + out
	}
	return ""
}

// goLine says what is wrong with a go command of our own packages; these run
// for too long to be run here.
func goLine(rest string) string {
	for word := range strings.FieldsSeq(rest) {
		if path, ok := strings.CutPrefix(word, "./"); ok {
			if _, err := os.Stat("../" + strings.TrimSuffix(path, "/...")); err != nil {
				return err.Error()
			}
		}
	}
	return ""
}

func foreignLine(line string) bool {
	for _, name := range foreign {
		if strings.HasPrefix(line, name+" ") || strings.Contains(line, "| "+name+" ") {
			return true
		}
	}
	return false
}

// bucket makes s3://my-bucket mean a folder of a test server.
func (s *sandbox) bucket() {
	s.t.Helper()
	server := servers.MinIO(s.t)
	s.env = append(s.env, "AWS_ENDPOINT_URL="+server.Endpoint, "AWS_ACCESS_KEY_ID="+server.Key,
		"AWS_SECRET_ACCESS_KEY="+server.Secret, "AWS_REGION=us-east-1")
	makeBucket(s.t, server, "my-bucket")
	flights, err := os.ReadFile("../examples/data/flights.csv")
	if err != nil {
		s.t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(flights)
	_ = w.Close()
	if err := os.WriteFile(filepath.Join(s.dir, "flights.csv.gz"), packed.Bytes(), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sandbox) variable(name string) string {
	for _, e := range s.env {
		if text, ok := strings.CutPrefix(e, name+"="); ok {
			return text
		}
	}
	return ""
}
