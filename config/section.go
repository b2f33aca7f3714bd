package config

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

// keyFactory, like backend, says which factory makes the thing.
const keyFactory = "factory"

// A Factory makes a thing of what a section of the configuration says about
// it. It may open stores and get other things by s.Config. What it returns is shared
// and, if it has a method Close, closed by [Config.Close].
type Factory func(ctx context.Context, s *Section) (any, error)

// Typed makes a Factory of a function that takes its settings as a struct:
// see [Node.Decode] for what the struct may be.
func Typed[S, T any](newT func(ctx context.Context, settings S) (T, error)) Factory {
	return func(ctx context.Context, s *Section) (any, error) {
		var settings S
		if err := s.Decode(&settings); err != nil {
			return nil, err
		}
		return newT(ctx, settings)
	}
}

// A Section is what the configuration says about one thing: an entry of a
// section, such as mailers.default.
type Section struct {
	Name   string // such as default
	Path   string // such as mailers.default
	Node   *Node  // its settings, but for name, backend and factory
	Config *Config
}

// Decode fills in the struct that into points to, as [Node.Decode] does.
func (s *Section) Decode(into any) error { return decode(s.Node, s.Path, into) }

// RegisterFactory makes the factory of a kind of things known. Entries of a
// section name it by factory: or backend:; those that name none are made by
// the factory that is called as the section or its singular (mailer for mailers).
// It panics if the kind has a factory already, or is databases.
func (c *Config) RegisterFactory(kind string, f Factory) {
	if kind == databases || kind == "" || f == nil {
		panic(fmt.Sprintf("config: there can be no factory of your own for %q", kind))
	}
	if _, twice := c.factories.LoadOrStore(kind, f); twice {
		panic(fmt.Sprintf("config: the factory %q is registered twice", kind))
	}
}

// Factories lists the registered factories by name.
func (c *Config) Factories() []string {
	var kinds []string
	c.factories.Range(func(k, _ any) bool { kinds = append(kinds, k.(string)); return true })
	slices.Sort(kinds)
	return kinds
}

// Get returns the thing that an entry of a section describes, making it at its
// first use: everybody shares one instance, until a reload changes its settings.
// Nobody closes it but [Config.Close]. In the section databases it is
// what [Config.Open] opens. A thing of another type than T is InvalidArgument.
func Get[T any](ctx context.Context, c *Config, section, name string) (T, error) {
	var none T
	v, err := c.get(ctx, section, name)
	if err != nil {
		return none, err
	}
	t, ok := v.(T)
	if !ok {
		return none, dataknobs.Errorf(dataknobs.InvalidArgument, "%s.%s is a %T, not a %T", section, name, v, none)
	}
	return t, nil
}

// making is the key of a context's list of the things that are being made.
type making struct{}

func (c *Config) get(ctx context.Context, section, name string) (any, error) {
	if section == databases {
		return c.Open(ctx, name)
	}
	path := under(section, name)
	busy, _ := ctx.Value(making{}).([]string)
	if slices.Contains(busy, path) {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the factories need each other in a circle: %s",
			strings.Join(append(slices.Clone(busy[slices.Index(busy, path):]), path), " → "))
	}
	return c.share(ctx, section, name, func(st *state) (maker, error) {
		n, err := st.entry(section, name)
		if err != nil {
			return maker{}, err
		}
		f, err := c.factory(section, path, n)
		if err != nil {
			return maker{}, err
		}
		settings := n.with(keyName, nil).with(keyFactory, nil)
		if n.Get(keyFactory) == nil {
			settings = settings.with(keyBackend, nil)
		}
		return maker{printOf(n), func(ctx context.Context) (any, error) {
			ctx = context.WithValue(ctx, making{}, append(slices.Clone(busy), path))
			return f(ctx, &Section{Name: name, Path: path, Node: settings, Config: c})
		}}, nil
	})
}

// entry returns one entry of a section.
func (s *state) entry(section, name string) (*Node, error) {
	raw := s.root.Get(section)
	if raw == nil {
		err := dataknobs.Errorf(dataknobs.NotFound, "the configuration has no section %q", section)
		if hint := didYouMean(section, s.root.keys); hint != "" {
			err = err.WithHint("%s", hint)
		}
		return nil, err
	}
	entry, at := step(raw, name)
	if entry == nil {
		err := dataknobs.Errorf(dataknobs.NotFound, "the section %s has no %q", section, name)
		if hint := didYouMean(name, entryNames(raw)); hint != "" {
			err = err.WithHint("%s", hint)
		}
		return nil, err
	}
	path := under(section, at)
	done := s.resolver.memo[path]
	if err := done.faults.err(); err != nil {
		return nil, err
	}
	if done.node == nil || done.node.kind != Map {
		return nil, Faults{fault(entry.place, path, "a map of settings is wanted, not %v", entry.kind)}.err()
	}
	return done.node, nil
}

func entryNames(n *Node) []string {
	if m, ok := named(n); ok {
		return m.keys
	}
	return n.keys
}

// factory finds the factory of an entry.
func (c *Config) factory(section, path string, n *Node) (Factory, error) {
	for _, key := range []string{keyFactory, keyBackend} {
		v := n.Get(key)
		if v == nil {
			continue
		}
		if f, ok := c.factories.Load(v.text); ok {
			return f.(Factory), nil
		}
		return nil, Faults{fault(v.place, under(path, key), "no factory is called %q", v.text).hinted(c.factoryHint(v.text))}.err()
	}
	for _, kind := range singulars(section) {
		if f, ok := c.factories.Load(kind); ok {
			return f.(Factory), nil
		}
	}
	return nil, Faults{fault(n.place, path, "nothing says which factory makes it").
		hinted("write factory: NAME, or register one called " + section)}.err()
}

func (c *Config) factoryHint(kind string) string {
	all := c.Factories()
	if hint := didYouMean(kind, all); hint != "" {
		return hint
	}
	if len(all) == 0 {
		return "the program registers none"
	}
	return "there are " + strings.Join(all, ", ")
}

// singulars lists the names that a factory for a section may have.
func singulars(section string) []string {
	names := []string{section}
	if s, ok := strings.CutSuffix(section, "ies"); ok {
		names = append(names, s+"y")
	}
	if s, ok := strings.CutSuffix(section, "es"); ok {
		names = append(names, s)
	}
	if s, ok := strings.CutSuffix(section, "s"); ok {
		names = append(names, s)
	}
	return names
}

// printOf tells two nodes apart.
func printOf(n *Node) string {
	var b strings.Builder
	writePrint(&b, n)
	return b.String()
}

func writePrint(b *strings.Builder, n *Node) {
	fmt.Fprintf(b, "%d%q", n.kind, n.text)
	for i, item := range n.items {
		if n.kind == Map {
			fmt.Fprintf(b, "%q:", n.keys[i])
		}
		writePrint(b, item)
		b.WriteByte(';')
	}
}
