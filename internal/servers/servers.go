// Package servers gives tests the real servers that they need. A server that
// scripts/test has started already is named by an environment variable;
// otherwise the scripts in scripts/services install and start one. Where that
// cannot be done the test is skipped by name, and in CI it fails.
//
// A package whose tests share a server has
//
//	func TestMain(m *testing.M) { servers.Main(m) }
package servers

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// startTimeout bounds the start of a server that is installed already or can
// be in minutes.
const startTimeout = 20 * time.Minute

// A Server is a server of a test's own, which it may kill and start again.
type Server struct {
	URL  string // for the user that tests work as
	Port int

	script  string
	dir     string
	env     []string
	watched bool
}

// start runs scripts/services/SCRIPT start in dir.
func (s *Server) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if !s.watched {
		s.watch()
	}
	return s.run(ctx, "start", s.dir, fmt.Sprint(s.Port))
}

// watch starts a process that stops the server when this one is gone without
// having done so: killed, or at its time limit.
func (s *Server) watch() {
	const script = `while kill -0 "$1" 2>/dev/null && [ -d "$3" ]; do sleep 2; done; [ ! -d "$3" ] || { "$2" stop "$3"; rm -rf "$3"; }`
	cmd := exec.Command("setsid", "sh", "-c", script, "sh", fmt.Sprint(os.Getpid()), s.path(), s.dir)
	if cmd.Start() == nil {
		s.watched = true
		go cmd.Wait() //nolint:errcheck // it outlives this process, or its end does not matter
	}
}

func (s *Server) path() string { return filepath.Join(root(), "scripts/services", s.script) }

func (s *Server) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.path(), args...)
	cmd.Env = append(os.Environ(), s.env...)
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", s.script, args[0], err, out.Bytes())
	}
	return nil
}

// Start starts the server again after Stop or Kill, on the same port and data.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Stop stops the server in good order.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.run(context.Background(), "stop", s.dir); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server and all of its processes at once, as a crash would.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.run(context.Background(), "kill", s.dir); err != nil {
		t.Fatal(err)
	}
}

// root is the folder of the module.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../..")
}

// freePort returns a port that nobody listens on, below those that the kernel
// lends to clients.
func freePort() int {
	for {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
	}
}

// tempDir makes a folder that every user may reach: some servers refuse to run
// as root.
func tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "dataknobs-server-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// shared are the servers that this process has started for all of its tests.
var shared struct {
	mu  sync.Mutex
	by  map[string]*Server // by script
	err map[string]error
}

// share returns the server of that script, starting it if this is its first use.
func share(t testing.TB, fresh func() (*Server, error), script string) *Server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.by == nil {
		shared.by, shared.err = map[string]*Server{}, map[string]error{}
	}
	if shared.by[script] == nil && shared.err[script] == nil {
		shared.by[script], shared.err[script] = fresh()
	}
	if err := shared.err[script]; err != nil {
		missing(t, err)
	}
	return shared.by[script]
}

// own returns a server that is stopped, and its data removed, when t ends.
func own(t testing.TB, s *Server, err error) *Server {
	t.Helper()
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(s.remove)
	return s
}

// missing ends t for want of a server.
func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("needs a server: %v", err)
	}
	t.Skipf("needs a server: %v", err)
}

func (s *Server) remove() {
	_ = s.run(context.Background(), "stop", s.dir)
	os.RemoveAll(s.dir)
}

// Main runs a package's tests and stops the servers that they shared.
func Main(m *testing.M) {
	code := m.Run()
	shared.mu.Lock()
	for _, s := range shared.by {
		if s != nil {
			s.remove()
		}
	}
	os.Exit(code)
}
