package config

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"weak"

	"dataknobs.dev/dataknobs"
)

// An instance is one thing that was made from the configuration and is shared:
// an opened store, or what a factory returned.
type instance struct {
	key   string
	print string        // of the settings that it was made with
	done  chan struct{} // closed when it has been made, or could not be
	err   error         // after done

	mu    sync.Mutex
	value any                        // guarded by mu, like all below; nil once it is retired
	held  weak.Pointer[dataknobs.DB] // a retired store that somebody may still hold
	end   func() error               // closes it; nil if there is nothing to close
}

// Open returns the store of that name, opening it at its first use: everybody
// shares one instance. Nobody closes it but [Config.Close]. A failure is not
// kept: the next call tries again. The error is NotFound where no store has
// that name, and names the place of the setting that is wrong.
//
// Where a reload has changed the store's settings, Open opens it anew. The
// older instance works on, as it was, for those that hold it.
func (c *Config) Open(ctx context.Context, name string) (*dataknobs.DB, error) {
	v, err := c.share(ctx, databases, name, func(st *state) (maker, error) {
		s, err := st.store(name)
		if err != nil {
			return maker{}, err
		}
		return maker{s.print(), func(ctx context.Context) (any, error) { return c.openStore(ctx, s, &dataknobs.Options{}) }}, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*dataknobs.DB), nil
}

// OpenOwn opens the store of that name for the caller alone, who closes it.
// What opts says comes before the configuration: its Params override single
// settings, an empty text among them takes one away.
func (c *Config) OpenOwn(ctx context.Context, name string, opts *dataknobs.Options) (*dataknobs.DB, error) {
	s, err := c.state().store(name)
	if err != nil {
		return nil, err
	}
	if opts == nil {
		opts = &dataknobs.Options{}
	}
	return c.openStore(ctx, s, opts)
}

// openStore opens a store with its layers.
func (c *Config) openStore(ctx context.Context, s *store, opts *dataknobs.Options) (*dataknobs.DB, error) {
	o := *opts
	o.Params = map[string]string{}
	for name, text := range s.params {
		o.Params[name] = text
	}
	for name, text := range opts.Params {
		if o.Params[name] = text; text == "" {
			delete(o.Params, name)
		}
	}
	if err := s.lacks(o.Params); err != nil {
		return nil, err
	}
	o.ReadOnly = o.ReadOnly || s.readOnly
	if o.Name == "" {
		o.Name = s.name
	}
	if o.Warn == nil {
		o.Warn = c.warner(s.name)
	}
	db, err := dataknobs.Open(ctx, s.location(), &o)
	if err != nil || len(s.layers) == 0 {
		return db, err
	}
	d, err := s.wrap(db.Driver(), c.o.Env)
	if err != nil {
		return nil, dataknobs.Errorf(dataknobs.CodeOf(err), "%w", err)
	}
	return dataknobs.New(d, &o), nil
}

// A maker makes an instance of what the settings say.
type maker struct {
	print string
	make  func(ctx context.Context) (any, error)
}

var errClosed = dataknobs.Errorf(dataknobs.InvalidArgument, "the configuration is closed")

// share returns the instance of that name, which one caller makes while the
// others wait.
func (c *Config) share(ctx context.Context, section, name string, find func(*state) (maker, error)) (any, error) {
	key := under(section, name)
	if err := canceled(ctx); err != nil {
		return nil, err
	}
	for {
		in, mine, m, err := c.claim(key, find)
		if err != nil {
			return nil, err
		}
		if mine {
			return c.fill(ctx, in, m)
		}
		select {
		case <-in.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if in.err == nil {
			if v := in.get(); v != nil {
				return v, nil
			}
			continue // retired meanwhile
		}
		if !dataknobs.IsContext(in.err) { // else it was the maker who gave up, not this caller
			return nil, in.err
		}
	}
}

func (in *instance) get() any {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.value
}

// claim returns the instance of that key; mine says that the caller makes it.
func (c *Config) claim(key string, find func(*state) (maker, error)) (in *instance, mine bool, m maker, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, false, m, errClosed
	}
	if m, err = find(c.now); err != nil {
		return nil, false, m, err
	}
	if in := c.shared[key]; in != nil && in.print == m.print {
		return in, false, m, nil
	}
	if old := c.shared[key]; old != nil {
		select {
		case <-old.done:
			old.retire()
		default: // its maker does it
		}
	}
	in = &instance{key: key, print: m.print, done: make(chan struct{})}
	c.shared[key] = in
	c.opening.Add(1)
	return in, true, m, nil
}

// fill makes the instance.
func (c *Config) fill(ctx context.Context, in *instance, m maker) (v any, err error) {
	defer c.opening.Done()
	finished := false
	defer func() {
		if !finished { // the maker panicked: those who wait must not wait for ever
			in.err = dataknobs.Errorf(dataknobs.Internal, "%s could not be made: its maker panicked", in.key)
		}
		c.mu.Lock()
		current := c.shared[in.key] == in
		switch {
		case in.err != nil && current:
			delete(c.shared, in.key)
		case in.err == nil:
			c.opened = append(c.opened, in)
			if !current {
				in.retire() // the settings have changed meanwhile
			}
		}
		close(in.done)
		c.mu.Unlock()
	}()
	v, in.err = m.make(ctx)
	in.value, in.end = v, closerOf(v)
	finished = true
	return v, in.err
}

// closerOf returns what closes a value; nil if nothing does.
func closerOf(v any) func() error {
	switch v := v.(type) {
	case io.Closer:
		return v.Close
	case interface{ Close() }:
		return func() error { v.Close(); return nil }
	case interface{ Close(context.Context) error }:
		return func() error { return v.Close(context.Background()) }
	}
	return nil
}

// retire lets go of a store whose settings have changed: it is closed when
// nobody holds it any more. What other factories have made is kept until the
// configuration is closed: who holds it is not known.
func (in *instance) retire() {
	in.mu.Lock()
	defer in.mu.Unlock()
	db, ok := in.value.(*dataknobs.DB)
	in.value = nil
	if !ok || db == nil {
		return
	}
	in.held = weak.Make(db)
	// A DB of a transaction and a sequence that is being ranged over hold the DB.
	d, once := db.Driver(), &sync.Once{}
	end := func() (err error) { once.Do(func() { err = d.Close() }); return err }
	in.end = end
	runtime.AddCleanup(db, func(struct{}) { _ = end() }, struct{}{})
}

// close closes the instance.
func (in *instance) close() error {
	in.mu.Lock()
	held, end := in.held.Value(), in.end
	in.value, in.end = nil, nil
	in.mu.Unlock()
	if held != nil {
		return held.Close()
	}
	if end == nil {
		return nil
	}
	return end()
}

// Close closes all that was opened through the configuration, each once, in
// the reverse of the order in which it was opened, and waits for what is being
// opened. It returns the errors joined. Closing again does nothing.
func (c *Config) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.mu.Unlock()
	c.opening.Wait()
	c.mu.Lock()
	opened := c.opened
	c.opened = nil
	c.mu.Unlock()
	var errs []error
	for _, in := range slices.Backward(opened) {
		errs = append(errs, in.close())
	}
	return errors.Join(errs...)
}
