package main

import (
	"os"

	"dataknobs.dev/dataknobs/internal/servers"
)

// A line is how workers reach a server: through a proxy that does harm, and
// with TLS inside where that is wanted.
type line struct {
	*proxy
	wire  wire
	store string // the store's name by this line
	tls   *servers.TLS
	dir   string
}

func (t *target) line(secure bool) (*line, error) {
	l := &line{wire: wire{upstream: t.signed || secure, downstream: secure}}
	host, caFile := t.host, ""
	var err error
	if secure {
		if l.dir, err = os.MkdirTemp("", "dataknobs-torture-"); err != nil {
			return nil, err
		}
		if l.tls, err = servers.NewTLS(t.name, t.host, l.dir); err != nil {
			l.close()
			return nil, err
		}
		host, caFile = l.tls.Addr(), l.tls.CAFile
	}
	if l.proxy, err = newProxy(host); err != nil {
		l.close()
		return nil, err
	}
	l.store = t.through(l.proxy.Listen, caFile)
	return l, nil
}

func (l *line) close() {
	if l.proxy != nil {
		l.proxy.stop()
	}
	if l.tls != nil {
		l.tls.Close()
	}
	if l.dir != "" {
		os.RemoveAll(l.dir)
	}
}
