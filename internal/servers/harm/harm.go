// Package harm stands between clients and a real server, and does harm to
// their connections: delays, cuts and the like, of toxiproxy's kinds.
package harm

import (
	"context"
	"fmt"
	"strings"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

func init() {
	zerolog.SetGlobalLevel(zerolog.Disabled) // the proxy tells of every connection
}

// A Proxy passes on what comes to its address, which is Listen. Stop cuts all
// connections and takes no others until Start.
type Proxy struct{ *toxiproxy.Proxy }

// New starts a proxy on a port of 127.0.0.1 that passes on to host, a name or
// address with a port. The caller stops it.
func New(host string) (*Proxy, error) {
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "harm", "127.0.0.1:0", host)
	return &Proxy{p}, p.Start()
}

// Add does one more kind of harm to all connections, upstream or downstream,
// such as latency with the attributes {"latency": 300}.
func (p *Proxy) Add(kind, stream, attributes string) error {
	text := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, kind, kind, stream, attributes)
	_, err := p.Toxics.AddToxicJson(strings.NewReader(text))
	return err
}

// Remove ends that kind of harm. Now and then it waits for ever, for a
// connection that is gone.
func (p *Proxy) Remove(kind string) error {
	return p.Toxics.RemoveToxic(context.Background(), kind)
}
