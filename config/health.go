package config

import (
	"context"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
)

// A Health is how one store is.
type Health struct {
	Name    string
	Backend string
	Latency time.Duration  // of opening it, where that was needed, and one small read
	Code    dataknobs.Code // of Err; 0: it is well, or ran out of time
	Err     error          // why it is not well
}

// The bounds of a health check.
const (
	healthTime     = 5 * time.Second // of one store
	healthParallel = 8               // stores at the same time
)

// Health asks stores for one record each, all within five seconds or the
// context's deadline, and returns how they are, in the order of the names.
// Those that are not open are opened. Without names it asks those that are.
func (c *Config) Health(ctx context.Context, names ...string) []Health {
	if len(names) == 0 {
		names = c.openNames()
	}
	all := make([]Health, len(names))
	turns := make(chan struct{}, healthParallel)
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Add(1)
		go func() {
			defer wg.Done()
			turns <- struct{}{}
			defer func() { <-turns }()
			all[i] = c.health(ctx, name)
		}()
	}
	wg.Wait()
	return all
}

func (c *Config) openNames() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for _, name := range c.now.names {
		if in := c.shared[under(databases, name)]; in != nil {
			names = append(names, name)
		}
	}
	return names
}

func (c *Config) health(ctx context.Context, name string) Health {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	h := Health{Name: name}
	if s := c.state().stores[name]; s != nil && s.backend != nil {
		h.Backend = s.backend.Name
	}
	start := time.Now()
	db, err := c.Open(ctx, name)
	if err == nil {
		err = ping(ctx, db)
	}
	h.Latency, h.Err, h.Code = time.Since(start), err, dataknobs.CodeOf(err)
	return h
}

// ping reads at most one record.
func ping(ctx context.Context, db *dataknobs.DB) error {
	one := 1
	for _, err := range db.Run(ctx, &dataknobs.Query{Limit: &one}, dataknobs.OmitIDs(), dataknobs.OmitRevisions()) {
		return err
	}
	return ctx.Err()
}
