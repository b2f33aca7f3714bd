package servers

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// TLS speaks TLS before a server that does not.
type TLS struct {
	CAFile string // a PEM file with the certificate of who signed its own

	listener net.Listener
	config   *tls.Config
	target   string
	postgres bool
	work     sync.WaitGroup

	mu    sync.Mutex // guards conns
	conns map[net.Conn]bool
}

// NewTLS listens on a port of 127.0.0.1 until Close, and passes on what comes
// there to target. It writes CAFile into dir. For service postgres a connection
// asks for TLS first, as that protocol has it.
func NewTLS(service, target, dir string) (*TLS, error) {
	ca, cert, err := newPair()
	if err != nil {
		return nil, err
	}
	t := &TLS{CAFile: filepath.Join(dir, "ca.pem"), target: target, postgres: service == "postgres", conns: map[net.Conn]bool{}}
	t.config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert.forTLS()}}
	if err := os.WriteFile(t.CAFile, ca.PEM, 0o600); err != nil {
		return nil, err
	}
	if t.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	t.work.Go(t.accept)
	return t, nil
}

// Addr is where it listens.
func (t *TLS) Addr() string { return t.listener.Addr().String() }

// Close ends it and all of its connections.
func (t *TLS) Close() {
	t.listener.Close()
	t.mu.Lock()
	for c := range t.conns {
		c.Close()
	}
	t.conns = nil
	t.mu.Unlock()
	t.work.Wait()
}

// hold has c closed by Close; false if that was called already.
func (t *TLS) hold(c net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conns == nil {
		c.Close()
		return false
	}
	t.conns[c] = true
	return true
}

func (t *TLS) drop(c net.Conn) {
	c.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
}

func (t *TLS) accept() {
	for {
		c, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.work.Go(func() {
			if t.hold(c) {
				defer t.drop(c)
				_ = t.serve(c) // its client sees that the connection ended
			}
		})
	}
}

func (t *TLS) serve(c net.Conn) error {
	if t.postgres {
		request := make([]byte, 8)
		if _, err := io.ReadFull(c, request); err != nil {
			return err
		}
		if string(request) != "\x00\x00\x00\x08\x04\xd2\x16\x2f" { // SSLRequest
			return errors.New("TLS was not asked for")
		}
		if _, err := c.Write([]byte("S")); err != nil {
			return err
		}
	}
	secure := tls.Server(c, t.config)
	if err := secure.Handshake(); err != nil {
		return err
	}
	d, err := net.Dial("tcp", t.target)
	if err != nil || !t.hold(d) {
		return err
	}
	defer t.drop(d)
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(d, secure)
		_ = d.(*net.TCPConn).CloseWrite()
	})
	both.Go(func() {
		_, _ = io.Copy(secure, d)
		_ = secure.CloseWrite()
		c.Close() // nobody waits for a client whose server is gone
	})
	both.Wait()
	return nil
}
