package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
)

// A conn is a connection with what it is used for.
type conn struct {
	*lite.Conn
	since time.Time // when it was taken
	scan  bool      // a scan holds it, for as long as someone ranges over it
}

// A pool keeps the connections that read.
type pool struct {
	o    *PoolOptions
	open func() (*lite.Conn, error)

	mu     sync.Mutex // guards the fields below
	closed bool
	idle   []*conn // the one used last is the last
	all    []*conn
	making int // connections that are being opened
	queue  []chan *conn
	empty  chan struct{} // closed when the pool is closed and nothing is in use; nil before
	stats  dataknobs.PoolStats
}

// acquire takes a connection and makes ctx its context.
func (p *pool) acquire(ctx context.Context, scan bool) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	c.since, c.scan = time.Now(), scan
	c.Use(ctx)
	return c, nil
}

func (p *pool) take(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	p.stats.Acquired++
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	if len(p.all)+p.making < p.o.Max {
		p.making++
		p.mu.Unlock()
		return p.make()
	}
	ready := make(chan *conn, 1)
	p.queue = append(p.queue, ready)
	p.stats.Waits++
	p.mu.Unlock()
	return p.wait(ctx, ready)
}

// make opens one more connection. The caller has counted it in making.
func (p *pool) make() (*conn, error) {
	l, err := p.open()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.making--
	if err != nil {
		p.pass()
		return nil, err
	}
	c := &conn{Conn: l}
	p.stats.Opened++
	p.all = append(p.all, c)
	return c, nil
}

// pass lets one that waits open a connection of its own, since one that was
// counted on did not come.
func (p *pool) pass() {
	if len(p.queue) > 0 && len(p.all)+p.making < p.o.Max {
		ready := p.queue[0]
		p.queue = p.queue[1:]
		p.making++
		ready <- nil
	}
}

// wait waits for a connection that another one gives back.
func (p *pool) wait(ctx context.Context, ready chan *conn) (*conn, error) {
	start := time.Now()
	t := time.NewTimer(p.o.AcquireTimeout)
	defer t.Stop()
	var err error
	select {
	case c, ok := <-ready:
		p.waited(start)
		switch {
		case !ok:
			return nil, errClosed
		case c == nil:
			return p.make()
		}
		return c, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-t.C:
		err = p.exhausted()
	}
	p.waited(start)
	p.mu.Lock()
	i := slices.Index(p.queue, ready)
	if i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
	p.stats.Failed++
	p.mu.Unlock()
	if i < 0 { // it came all the same
		if c, ok := <-ready; ok && c != nil {
			p.release(c)
		} else if ok {
			p.mu.Lock()
			p.making--
			p.pass()
			p.mu.Unlock()
		}
	}
	return nil, err
}

func (p *pool) waited(start time.Time) {
	p.mu.Lock()
	p.stats.WaitTime += time.Since(start)
	p.mu.Unlock()
}

func (p *pool) exhausted() error {
	e := dataknobs.Errorf(dataknobs.Unavailable, "no connection came free within %s: all %d of pool.max are reading%s", p.o.AcquireTimeout, p.o.Max, p.openScans())
	return e.WithHint("end scans that nobody ranges over any more, or raise pool.max")
}

// openScans says which scans are open, the oldest first; "" if none is.
func (p *pool) openScans() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var scans []*conn
	for _, c := range p.all {
		if c.scan && !slices.Contains(p.idle, c) {
			scans = append(scans, c)
		}
	}
	if len(scans) == 0 {
		return ""
	}
	oldest := slices.MinFunc(scans, func(a, b *conn) int { return cmp.Compare(a.since.UnixNano(), b.since.UnixNano()) })
	return fmt.Sprintf("; %d scans are open, the oldest for %s", len(scans), time.Since(oldest.since).Round(time.Millisecond))
}

// release gives a connection back.
func (p *pool) release(c *conn) {
	c.Use(context.Background())
	if !c.Autocommit() {
		_ = c.Exec("rollback")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.scan = false
	if len(p.queue) > 0 && !p.closed {
		ready := p.queue[0]
		p.queue = p.queue[1:]
		ready <- c
		return
	}
	if p.closed {
		p.drop(c)
		return
	}
	p.idle = append(p.idle, c)
}

// drop closes a connection. The caller holds mu.
func (p *pool) drop(c *conn) {
	p.all = slices.DeleteFunc(p.all, func(x *conn) bool { return x == c })
	p.stats.Closed++
	c.Close()
	if p.closed && len(p.all) == 0 && p.empty != nil {
		close(p.empty)
		p.empty = nil
	}
}

// closeGrace is how long Close waits for reads under way.
const closeGrace = time.Second

// close closes the connections. Those in use are closed when they are given
// back; an error says so if that takes long.
func (p *pool) close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	for _, ready := range p.queue {
		close(ready)
	}
	p.queue = nil
	for _, c := range slices.Clone(p.idle) {
		p.drop(c)
	}
	p.idle = nil
	if len(p.all) == 0 {
		p.mu.Unlock()
		return nil
	}
	empty := make(chan struct{})
	p.empty = empty
	p.mu.Unlock()
	t := time.NewTimer(closeGrace)
	defer t.Stop()
	select {
	case <-empty:
		return nil
	case <-t.C:
		return dataknobs.Errorf(dataknobs.Unavailable, "the store is closed, but something still reads from it%s", p.openScans()).
			WithHint("a scan ends when its loop is left or its context is done")
	}
}

// poolStats returns the numbers of now.
func (p *pool) poolStats() dataknobs.PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Max, s.Open, s.Idle = p.o.Max, len(p.all), len(p.idle)
	s.InUse = s.Open - s.Idle
	return s
}
