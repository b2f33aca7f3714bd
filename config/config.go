package config

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/layer"
)

// Options say where a configuration comes from. The zero value reads nothing
// but the variables of the process.
type Options struct {
	// Files are read in their order: later ones override.
	Files []string
	// Sources are configurations as texts, which override the files.
	Sources []Source
	// Environ are the variables, as os.Environ has them. nil: those of the process.
	Environ []string
	// Warn takes what a user should know but need not stop for. It may be called
	// from several goroutines at once. nil: dropped.
	Warn func(msg string)
	// Env is what layers may know of the program: its logger, its tracers. Name
	// and System are filled in for each store.
	Env layer.Env
}

// A Config is a configuration and all that has been opened through it. It is
// safe for concurrent use. Close it when done.
type Config struct {
	o         Options
	factories sync.Map // kind → Factory

	mu      sync.Mutex
	now     *state               // guarded by mu, like all below
	shared  map[string]*instance // by section.name
	opened  []*instance          // in the order in which they were
	closed  bool
	opening sync.WaitGroup // instances that are being made
}

// A state is what the files and variables say at one time. It is not changed.
type state struct {
	files    []string
	data     map[string][]byte // of the files
	root     *Node             // with what stores inherit, without substitution
	sections map[string]*Node
	names    []string // of the stores
	stores   map[string]*store
	faults   Faults // all
	watched  []string
	resolver *resolver
}

// Load reads configuration files, each overriding those before it, and then
// the variables DK_… of the environment. What the files say wrongly is an
// InvalidArgument error that holds all [Faults], each with its place. What only
// the environment lacks (a variable, a secret file, a backend that the program
// was built without) is an error when a store is opened that needs it: see
// [Config.Check]. Nothing is opened yet.
func Load(files ...string) (*Config, error) { return New(&Options{Files: files}) }

// New is [Load] with more choices.
func New(o *Options) (*Config, error) {
	c := &Config{shared: map[string]*instance{}}
	if o != nil {
		c.o = *o
	}
	if c.o.Warn == nil {
		c.o.Warn = func(string) {}
	}
	s, err := c.read()
	if err != nil {
		return nil, err
	}
	c.now = s
	return c, nil
}

// Check returns all that is wrong, also what would only show when a store is
// opened; nil if nothing is. It opens nothing. The error is as that of [Load].
func (c *Config) Check() error { return c.state().faults.err() }

// Inspect returns a configuration even where it has faults, together with them
// all: for tools that show it.
func Inspect(o *Options) (*Config, Faults, error) {
	c := &Config{shared: map[string]*instance{}, o: *o}
	if c.o.Warn == nil {
		c.o.Warn = func(string) {}
	}
	root, data, faults, err := c.sources()
	if err != nil {
		return nil, nil, err
	}
	c.now = compile(root, c.environ(), c.o.Warn, faults)
	c.now.files, c.now.data = slices.Clone(c.o.Files), data
	return c, c.now.faults, nil
}

// Files returns the files that were read.
func (c *Config) Files() []string { return slices.Clone(c.state().files) }

// Names returns the names of the stores, in the order in which they are written.
func (c *Config) Names() []string { return slices.Clone(c.state().names) }

func (c *Config) state() *state {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// read reads everything anew.
func (c *Config) read() (*state, error) {
	root, data, faults, err := c.sources()
	if err != nil {
		return nil, err
	}
	s := compile(root, c.environ(), c.o.Warn, faults)
	s.files, s.data = slices.Clone(c.o.Files), data
	var hard Faults
	for _, f := range s.faults {
		if !f.late {
			hard = append(hard, f)
		}
	}
	return s, hard.err()
}

// sources merges the files and texts.
func (c *Config) sources() (root *Node, data map[string][]byte, faults Faults, err error) {
	data = map[string][]byte{}
	root = mapOf(Place{}, nil, nil)
	var all []Source
	for _, path := range c.o.Files {
		s, err := readSource(path)
		if err != nil {
			return nil, nil, nil, err
		}
		all, data[path] = append(all, s), s.Data
	}
	for _, s := range append(all, c.o.Sources...) {
		n, fs := parse(s)
		faults = append(faults, fs...)
		if n != nil {
			root = merge(root, normal(n, &faults), "")
		}
	}
	if root.size > maxNodes {
		faults.addf(root.place, "", "the configuration holds more than %d values", maxNodes)
		root = mapOf(Place{}, nil, nil)
	}
	return root, data, faults, nil
}

func (c *Config) environ() map[string]string {
	all := c.o.Environ
	if all == nil {
		all = os.Environ()
	}
	env := make(map[string]string, len(all))
	for _, pair := range all {
		name, text, _ := strings.Cut(pair, "=")
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		env[name] = text
	}
	return env
}

// compile makes of the merged tree what it says.
func compile(root *Node, env map[string]string, warn func(string), faults Faults) *state {
	root = override(root, env, warn, &faults)
	root = prune(extend(root, &faults))
	r := newResolver(root, env)
	s := &state{root: root, sections: map[string]*Node{}, stores: map[string]*store{}, faults: faults, resolver: r}
	for section, n := range root.Keys() {
		if section != databases {
			v, fs := r.value(section, n)
			s.note(fs)
			s.sections[section] = v
			continue
		}
		for name, n := range n.Keys() {
			st := compileStore(r, name, n)
			s.note(st.faults)
			for _, l := range st.lacking {
				s.faults.add(l.fault)
			}
			s.names, s.stores[name] = append(s.names, name), st
		}
	}
	for path := range r.secret {
		s.watched = append(s.watched, path)
	}
	return s
}

func (s *state) note(fs Faults) {
	for _, f := range fs {
		s.faults.add(f)
	}
}

// prune leaves out what is nothing.
func prune(n *Node) *Node {
	if n.kind != Map {
		return n
	}
	var keys []string
	var values []*Node
	for k, v := range n.Keys() {
		if v.kind != Null {
			keys, values = append(keys, k), append(values, prune(v))
		}
	}
	return mapOf(n.place, keys, values)
}

// store returns a store's settings, or says why there are none.
func (s *state) store(name string) (*store, error) {
	st := s.stores[name]
	if st == nil {
		err := dataknobs.Errorf(dataknobs.NotFound, "no store is called %q", name)
		switch hint := didYouMean(name, s.names); {
		case hint != "":
			return nil, err.WithHint("%s", hint)
		case len(s.names) == 0:
			return nil, err.WithHint("the configuration describes no stores")
		}
		return nil, err.WithHint("there are %s", strings.Join(s.names, ", "))
	}
	return st, st.faults.err()
}

// warner is Warn with the name of the store before the message.
func (c *Config) warner(name string) func(string) {
	return func(msg string) { c.o.Warn(name + ": " + msg) }
}

// canceled is the error of a context that is over; nil if it is not.
func canceled(ctx context.Context) error { return ctx.Err() }
