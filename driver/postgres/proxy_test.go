package postgres_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A proxy stands between a store and its server, and does harm.
type proxy struct {
	*toxiproxy.Proxy
	t testing.TB
}

// newProxy starts a proxy to the server of a URL.
func newProxy(t testing.TB, server string) *proxy {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "postgres", "127.0.0.1:0", u.Host), t}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// at is the server's URL through the proxy.
func (p *proxy) at(server string) string {
	u, _ := url.Parse(server)
	u.Host = p.Listen
	return u.String()
}

// add adds a harm, such as latency {"latency": 300}.
func (p *proxy) add(kind, stream, attributes string) {
	p.t.Helper()
	text := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, kind, kind, stream, attributes)
	if _, err := p.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *proxy) remove(kind string) {
	p.t.Helper()
	if err := p.Toxics.RemoveToxic(context.Background(), kind); err != nil {
		p.t.Fatal(err)
	}
}
