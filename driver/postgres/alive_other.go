//go:build !unix

package postgres

import "net"

// pulse says how a connection that lay idle looks. Here that cannot be told
// without asking the server.
func pulse(net.Conn) vital { return alive }
