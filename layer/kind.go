package layer

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// A Kind is a kind of layer as a configuration names it.
type Kind struct {
	Name    string
	Summary string // one line
	// Options are its settings, as a Backend's are. Nobody may change them.
	Options []dataknobs.OptionInfo
	// Main is the option that a single value sets, as in "timeout: 10s".
	Main string

	settings any // a pointer to a zero struct of them
	wrap     func(d dataknobs.Driver, settings any, env Env) (dataknobs.Driver, error)
}

// An Env is what a layer may know of the program around it. The zero value works.
type Env struct {
	Name    string // what the store is called, as in the configuration
	System  string // the kind of store, such as "postgres"
	Logger  *slog.Logger
	Tracers trace.TracerProvider // nil: the global one
	Meters  metric.MeterProvider // nil: the global one
}

var allKinds = []*Kind{
	newKind("circuit", "leaves a store alone that is down", "failures", wrapCircuit),
	newKind("fault", "fails, delays and cuts calls by rule, for tests", "rules", wrapFault),
	newKind("limit", "bounds how many calls there are at once, and in a second", "rate", wrapLimit),
	newKind("prefix", "a store inside a store, for one of several tenants", "tenant", wrapPrefix),
	newKind("readonly", "refuses every write", "enabled", wrapReadOnly),
	newKind("retry", "repeats what failed for a while and is safe to repeat", "attempts", wrapRetry),
	newKind("timeout", "gives up calls in which nothing moves", "after", wrapTimeout),
	newKind("trace", "makes OpenTelemetry spans and metrics, and logs what was slow", "enabled", wrapTrace),
}

// newKind returns a kind whose settings are a struct S.
func newKind[S any](name, summary, main string, wrap func(dataknobs.Driver, S, Env) (dataknobs.Driver, error)) *Kind {
	var none S
	return &Kind{
		Name: name, Summary: summary, Options: dataknobs.OptionsOf(none), Main: main, settings: none,
		wrap: func(d dataknobs.Driver, s any, env Env) (dataknobs.Driver, error) { return wrap(d, *s.(*S), env) },
	}
}

// Kinds returns every kind of layer, sorted by name. Nobody may change them.
func Kinds() []*Kind { return slices.Clone(allKinds) }

// Lookup returns the kind of that name. The error is InvalidArgument and names
// the nearest one.
func Lookup(name string) (*Kind, error) {
	var names []string
	for _, k := range allKinds {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return nil, unknown(dataknobs.Errorf(dataknobs.InvalidArgument, "there is no layer called %q", name), name, names)
}

// unknown adds to an error about a name which others there are.
func unknown(err *dataknobs.Error, name string, names []string) error {
	if near := nearest.Of(name, names); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err.WithHint("there are %s", strings.Join(names, ", "))
}

// Check reports what is wrong with settings: a name that is no option, a text
// that is not of its kind or out of its bounds, one that is missing.
func (k *Kind) Check(texts map[string]string) error {
	_, err := k.decode(texts)
	return err
}

// Wrap returns d with a layer of this kind on it, which owns d. texts are its
// settings, by the names of Options. An error is InvalidArgument, or Unsupported
// where this layer cannot lie around this store; d is then as it was.
func (k *Kind) Wrap(d dataknobs.Driver, texts map[string]string, env Env) (dataknobs.Driver, error) {
	settings, err := k.decode(texts)
	if err != nil {
		return nil, err
	}
	return k.wrap(d, settings, env)
}

// decode returns a pointer to the settings that the texts say.
func (k *Kind) decode(texts map[string]string) (any, error) {
	var names []string
	for _, o := range k.Options {
		names = append(names, o.Name)
		if o.Required && texts[o.Name] == "" {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the layer %s needs the option %s", k.Name, o.Name).WithHint("%s: %s", o.Name, o.Doc)
		}
	}
	for name := range texts {
		if !slices.Contains(names, name) {
			return nil, unknown(dataknobs.Errorf(dataknobs.InvalidArgument, "the layer %s has no option %q", k.Name, name), name, names)
		}
	}
	c, err := dataknobs.NewConfig(&dataknobs.Backend{Name: k.Name, Options: k.Options}, "", texts, nil)
	if err != nil {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the layer %s: %w", k.Name, err)
	}
	settings := reflect.New(reflect.TypeOf(k.settings)).Interface()
	return settings, c.Decode(settings)
}

// withDefaults returns settings that were made in Go with the defaults in place
// of what was left zero.
func withDefaults[S any](s S) S {
	options := dataknobs.OptionsOf(s)
	for i := range options {
		options[i].Required = false
	}
	standard := new(S)
	c, err := dataknobs.NewConfig(&dataknobs.Backend{Options: options}, "", nil, nil)
	if err != nil || c.Decode(standard) != nil {
		return s
	}
	from, to := reflect.ValueOf(standard).Elem(), reflect.ValueOf(&s).Elem()
	for i := range to.NumField() {
		if to.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return s
}
