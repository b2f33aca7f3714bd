package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"

	"dataknobs.dev/dataknobs/internal/servers/harm"
)

// A fault is what the proxy does to connections for a short while.
type fault struct {
	name, kind, stream, attributes string
}

// faults are chosen from at random. corrupt is only for connections on which
// it is noticed: with TLS, or signed requests. Over plain TCP nobody can.
var faults = []fault{
	{"cut", "reset_peer", "downstream", `{"timeout": 0}`},
	{"cut after a while", "limit_data", "downstream", `{"bytes": 2000}`},
	{"delay", "latency", "downstream", `{"latency": 60, "jitter": 40}`},
	{"throttle", "bandwidth", "upstream", `{"rate": 40}`},
	{"half-close", "limit_data", "upstream", `{"bytes": 700}`},
	{"small pieces", "slicer", "downstream", `{"average_size": 40, "size_variation": 30, "delay": 100}`},
	{"corrupt", "corrupt", "upstream", `{}`},
	{"corrupt the answer", "corrupt", "downstream", `{}`},
}

// A wire says which changed bytes are noticed on a connection.
type wire struct{ upstream, downstream bool }

func (w wire) takes(f fault) bool {
	return f.kind != "corrupt" || f.stream == "upstream" && w.upstream || f.stream == "downstream" && w.downstream
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

func init() { toxics.Register("corrupt", new(corrupter)) }

// A proxy stands between the workers and a server.
type proxy struct{ *harm.Proxy }

func newProxy(host string) (*proxy, error) {
	p, err := harm.New(host)
	return &proxy{p}, err
}

// harm does one fault after the other until ctx ends, with pauses in which
// the work goes on. It counts them by name.
func (p *proxy) harm(ctx context.Context, random *rand.Rand, on wire, counts map[string]int) error {
	for {
		if !pause(ctx, random, 100, 400) {
			return nil
		}
		f := faults[random.IntN(len(faults))]
		if !on.takes(f) {
			continue
		}
		if err := p.Add(f.kind, f.stream, f.attributes); err != nil {
			return err
		}
		counts[f.name]++
		more := pause(ctx, random, 50, 300)
		var err error
		// Now and then the proxy waits forever for a connection that is gone. Then
		// the rest of the round has this fault.
		if !inTime(func() { err = p.Remove(f.kind) }) {
			<-ctx.Done()
			return nil
		}
		if err != nil || !more {
			return err
		}
	}
}

// stop closes the proxy, or leaves one that is stuck.
func (p *proxy) stop() { inTime(p.Stop) }

// inTime runs f; false if it does not end within a few seconds.
func inTime(f func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return true
	case <-time.After(5 * time.Second):
		return false
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
