package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// serve starts a server by its script in scripts/services and returns its port.
func (b *bench) serve(service string) (port int, stop func(), err error) {
	dir, err := os.MkdirTemp("", "dataknobs-bench-"+service)
	if err != nil {
		return 0, nil, err
	}
	script := filepath.Join(b.dir, "..", "scripts", "services", service+".sh")
	stop = func() {
		b.sh(b.dir, script, "stop", dir) //nolint:errcheck // nothing more can be done
		os.RemoveAll(dir)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // some servers run as a user of their own
		return 0, nil, err
	}
	if port, err = freePort(); err != nil {
		return 0, nil, err
	}
	if err := b.sh(b.dir, script, "start", dir, strconv.Itoa(port)); err != nil {
		stop()
		return 0, nil, fmt.Errorf("start %s: %w", service, err)
	}
	out, err := exec.CommandContext(b.ctx, script, "version").Output()
	if err != nil {
		stop()
		return 0, nil, fmt.Errorf("the version of %s: %w", service, err)
	}
	b.servers = append(b.servers, version{service, strings.TrimSpace(string(out))})
	return port, stop, nil
}

// freePort returns a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
