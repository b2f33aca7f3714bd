//go:build unix

package postgres

import (
	"net"
	"syscall"
)

// pulse says how a connection that lay idle looks, which costs one system call
// and spares writes whose outcome nobody would know.
func pulse(c net.Conn) vital {
	encrypted := false
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c, encrypted = t.NetConn(), true
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return unsure
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return dead
	}
	state := alive
	// Not raw.Read: pgx may have left a reader of its own there.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR:
		case err != nil || n == 0:
			state = dead
		case encrypted:
			state = unsure
		case b[0] == 'E': // an error: the server ended the session
			state = dead
		}
	})
	if err != nil {
		return dead
	}
	return state
}
