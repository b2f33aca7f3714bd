package postgres_test

import (
	"net/url"
	"testing"

	"dataknobs.dev/dataknobs/internal/servers/harm"
)

// A proxy stands between a store and its server, and does harm.
type proxy struct {
	*harm.Proxy
	t testing.TB
}

// newProxy starts a proxy to the server of a URL.
func newProxy(t testing.TB, server string) *proxy {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p, err := harm.New(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return &proxy{p, t}
}

// at is the server's URL through the proxy.
func (p *proxy) at(server string) string {
	u, _ := url.Parse(server)
	u.Host = p.Listen
	return u.String()
}

func (p *proxy) add(kind, stream, attributes string) {
	p.t.Helper()
	if err := p.Add(kind, stream, attributes); err != nil {
		p.t.Fatal(err)
	}
}

func (p *proxy) remove(kind string) {
	p.t.Helper()
	if err := p.Remove(kind); err != nil {
		p.t.Fatal(err)
	}
}
