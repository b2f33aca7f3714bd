package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// A fault is what the proxy does to connections for a short while.
type fault struct {
	name, kind, stream, attributes string
}

// faults are chosen from at random. corrupt is only for stores whose protocol
// carries checksums or signatures: over plain TCP nobody can notice it.
var faults = []fault{
	{"cut", "reset_peer", "downstream", `{"timeout": 0}`},
	{"cut after a while", "limit_data", "downstream", `{"bytes": 2000}`},
	{"delay", "latency", "downstream", `{"latency": 60, "jitter": 40}`},
	{"throttle", "bandwidth", "upstream", `{"rate": 40}`},
	{"half-close", "limit_data", "upstream", `{"bytes": 700}`},
	{"small pieces", "slicer", "downstream", `{"average_size": 40, "size_variation": 30, "delay": 100}`},
	{"corrupt", "corrupt", "upstream", `{}`},
}

// A corrupter changes a byte here and there.
type corrupter struct{}

// Pipe implements toxics.Toxic.
func (corrupter) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			stub.Output <- spoil(c)
		}
	}
}

func spoil(c *stream.StreamChunk) *stream.StreamChunk {
	if n := len(c.Data); n > 0 && rand.IntN(3) == 0 {
		c.Data[rand.IntN(n)] ^= 1 << rand.IntN(8)
	}
	return c
}

func init() {
	toxics.Register("corrupt", new(corrupter))
	zerolog.SetGlobalLevel(zerolog.Disabled) // the proxy tells of every connection
}

// A proxy stands between the workers and a server.
type proxy struct{ *toxiproxy.Proxy }

func newProxy(host string) (*proxy, error) {
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "torture", "127.0.0.1:0", host)
	return &proxy{p}, p.Start()
}

// through is a store's name with the proxy in place of its server.
func (p *proxy) through(store, host string) string {
	return strings.ReplaceAll(strings.ReplaceAll(store, host, p.Listen), url.QueryEscape(host), url.QueryEscape(p.Listen))
}

// harm does one fault after the other until ctx ends, with pauses in which
// the work goes on. It counts them by name.
func (p *proxy) harm(ctx context.Context, random *rand.Rand, corrupt bool, counts map[string]int) error {
	for {
		if !pause(ctx, random, 100, 400) {
			return nil
		}
		f := faults[random.IntN(len(faults))]
		if f.kind == "corrupt" && !corrupt {
			continue
		}
		text := fmt.Sprintf(`{"name": "fault", "type": %q, "stream": %q, "attributes": %s}`, f.kind, f.stream, f.attributes)
		if _, err := p.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
			return err
		}
		counts[f.name]++
		more := pause(ctx, random, 50, 300)
		if err := p.Toxics.RemoveToxic(context.Background(), "fault"); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

// pause waits for a random time in milliseconds; false if ctx ended.
func pause(ctx context.Context, random *rand.Rand, least, most int) bool {
	t := time.NewTimer(time.Duration(least+random.IntN(most-least)) * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
