package dataknobs

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// A Config is one store's settings, checked: every option is a known one and
// its text is of its kind. Its methods panic when asked for an option that the
// backend has not declared, which is a programmer's mistake. A Config is not
// changed once made, so it may be used by several goroutines at once.
type Config struct {
	Backend  *Backend
	Location string // the URL without scheme and options: a path, host/name, …
	// Scheme is the URL's, in lower case; "" where there is none, as for a bare path.
	Scheme string
	// FromURL: Location came from a URL with a scheme, so its percent escapes
	// have been decoded already.
	FromURL bool
	// Warn takes what the user should know but need not stop for. Never nil.
	Warn   func(msg string)
	values map[string]string // option name → text, only those that were set
}

// A Pair is one name:value pair of an option.
type Pair struct{ Name, Value string }

// NewConfig returns a store's settings after checking that every parameter is
// an option of b and that its text is of the option's kind; otherwise an
// InvalidArgument error that names the option and says what is legal. warn may
// be nil.
func NewConfig(b *Backend, location string, params map[string]string, warn func(string)) (*Config, error) {
	if warn == nil {
		warn = func(string) {}
	}
	c := &Config{Backend: b, Location: location, Warn: warn, values: map[string]string{}}
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names) // so that the same mistake is named every time
	for _, name := range names {
		o := b.option(name)
		if o == nil {
			return nil, unknownOption(b, name)
		}
		if err := o.check(params[name]); err != nil {
			return nil, err
		}
		c.values[name] = params[name]
	}
	return c, c.locate()
}

// locate makes the location of the URL and the option that says the same one.
func (c *Config) locate() error {
	i := slices.IndexFunc(c.Backend.Options, func(o OptionInfo) bool { return o.Location })
	if i < 0 {
		return nil
	}
	name := c.Backend.Options[i].Name
	switch text, ok := c.values[name]; {
	case ok && c.Location != "" && text != c.Location:
		return Errorf(InvalidArgument, "the URL says %q, the option %s says %q", c.Location, name, text).
			WithHint("give one of them")
	case ok:
		c.Location = text
	case c.Location != "":
		c.values[name] = c.Location
	}
	return nil
}

// Format prints the backend's name and nothing else, whatever the verb: a
// location or an option may hold a secret.
func (c *Config) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "settings of %s", c.Backend.Name) }

func unknownOption(b *Backend, name string) *Error {
	err := Errorf(InvalidArgument, "the %s backend has no option %q", b.Name, name)
	names := b.optionNames()
	if near := nearest.Of(name, names); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	if len(names) == 0 {
		return err.WithHint("it has no options")
	}
	return err.WithHint("it has %s", strings.Join(names, ", "))
}

// check returns an error unless text is a legal one for the option.
func (o *OptionInfo) check(text string) error {
	legal := o.kindRule(text)
	if legal == "" {
		legal = o.boundsRule(text)
	}
	if legal == "" {
		return nil
	}
	return o.illegal(text, legal)
}

// kindRule says what a text of the option's kind looks like; "" if this one is.
func (o *OptionInfo) kindRule(text string) string {
	_, measured := o.measure(text)
	_, isBool := parseBool(text)
	_, badPairs := parsePairs(text)
	switch {
	case o.Kind == OptionInts:
		return o.eachInt(text, (*OptionInfo).kindRule)
	case o.Kind == OptionInt && !measured:
		return "a whole number"
	case o.Kind == OptionFloat && !measured:
		return "a number"
	case o.Kind == OptionSize && !measured:
		return "a number of bytes such as 4096, 64KiB, 256MiB or 1GB"
	case o.Kind == OptionDuration && !measured:
		return "a duration such as 500ms, 3s or 2h"
	case o.Kind == OptionBool && !isBool:
		return "true, false, yes, no, on, off, 1 or 0"
	case o.Kind == OptionEnum && !slices.Contains(o.Enum, text):
		return "one of " + strings.Join(o.Enum, ", ")
	case o.Kind == OptionMap && badPairs != nil:
		return "name:value pairs with commas between them"
	}
	return ""
}

// eachInt holds each of several numbers against a rule.
func (o *OptionInfo) eachInt(text string, rule func(*OptionInfo, string) string) string {
	one := *o
	one.Kind = OptionInt
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word == "" && text != "" {
			continue
		}
		if legal := rule(&one, word); legal != "" {
			return legal + ", or several with commas between them"
		}
	}
	return ""
}

// boundsRule says between what a text that is of the option's kind must lie;
// "" if this one does.
func (o *OptionInfo) boundsRule(text string) string {
	if o.Kind == OptionInts {
		return o.eachInt(text, (*OptionInfo).boundsRule)
	}
	v, _ := o.measure(text)
	least, hasLeast := o.measure(o.Min)
	most, hasMost := o.measure(o.Max)
	switch {
	case (!hasLeast || v >= least) && (!hasMost || v <= most):
		return ""
	case hasLeast && hasMost:
		return "from " + o.Min + " to " + o.Max
	case hasMost:
		return "at most " + o.Max
	}
	return "at least " + o.Min
}

// measure returns the number, bytes or seconds that a text stands for, for
// comparing; false for other kinds.
func (o *OptionInfo) measure(text string) (float64, bool) {
	switch o.Kind {
	case OptionInt, OptionInts:
		i, err := strconv.ParseInt(text, 10, 64)
		return float64(i), err == nil
	case OptionFloat:
		f, err := strconv.ParseFloat(text, 64)
		return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	case OptionSize:
		n, ok := parseSize(text)
		return float64(n), ok
	case OptionDuration:
		d, err := time.ParseDuration(text)
		return d.Seconds(), err == nil
	}
	return 0, false
}

// illegal says what is wrong with a text, which a secret option does not show.
func (o *OptionInfo) illegal(text, legal string) error {
	if o.Secret {
		return Errorf(InvalidArgument, "the option %s must be %s", o.Name, legal)
	}
	err := Errorf(InvalidArgument, "the option %s must be %s, not %q", o.Name, legal, text)
	if near := nearest.Of(text, o.Enum); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err
}

// IsSet reports whether the option was given.
func (c *Config) IsSet(name string) bool {
	c.option(name)
	_, ok := c.values[name]
	return ok
}

// String returns the option's text, or its default.
func (c *Config) String(name string) string {
	o := c.option(name)
	if text, ok := c.values[name]; ok {
		return text
	}
	return o.Default
}

// Int returns the option's number, or its default; 0 if there is neither.
func (c *Config) Int(name string) int64 {
	i, _ := strconv.ParseInt(c.String(name), 10, 64)
	return i
}

// Float returns the option's number, or its default; 0 if there is neither.
func (c *Config) Float(name string) float64 {
	f, _ := strconv.ParseFloat(c.String(name), 64)
	return f
}

// Ints returns the option's numbers, or its default's, without those that were
// left out; nil if there is neither.
func (c *Config) Ints(name string) []int64 {
	var ints []int64
	for word := range strings.SplitSeq(c.String(name), ",") {
		if i, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64); err == nil {
			ints = append(ints, i)
		}
	}
	return ints
}

// Bool returns the option's truth value, or its default; false if there is neither.
func (c *Config) Bool(name string) bool {
	b, _ := parseBool(c.String(name))
	return b
}

// Size returns the option's number of bytes, or its default; 0 if there is neither.
func (c *Config) Size(name string) int64 {
	n, _ := parseSize(c.String(name))
	return n
}

// Duration returns the option's duration, or its default; 0 if there is neither.
func (c *Config) Duration(name string) time.Duration {
	d, _ := time.ParseDuration(c.String(name))
	return d
}

// List returns the option's words, or its default's; nil if there is neither.
func (c *Config) List(name string) []string { return splitEscaped(c.String(name), ',', -1) }

// Paths returns the option's words as paths of fields; nil if there are none.
// A word that is no path is InvalidArgument.
func (c *Config) Paths(name string) ([]Path, error) {
	var paths []Path
	for _, text := range c.List(name) {
		p, err := ParsePath(text)
		if err != nil {
			return nil, Errorf(InvalidArgument, "option %s: %w", name, err)
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// Map returns the option's pairs in their order, or its default's; nil if
// there is neither.
func (c *Config) Map(name string) []Pair {
	pairs, _ := parsePairs(c.String(name))
	return pairs
}

func (c *Config) option(name string) *OptionInfo {
	o := c.Backend.option(name)
	if o == nil {
		panic("dataknobs: the backend " + c.Backend.Name + " asked for its option " + name + ", which it has not declared")
	}
	return o
}

func parseBool(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, true
	case "false", "no", "off", "0":
		return false, true
	}
	return false, false
}

var sizeUnits = []struct {
	suffix string
	bytes  float64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", 1 << 40}, {"b", 1},
}

// parseSize reads a number of bytes. A lone K, M, G or T is binary.
func parseSize(text string) (int64, bool) {
	lower, unit := strings.ToLower(strings.TrimSpace(text)), 1.0
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(lower, u.suffix); ok {
			lower, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	if i, err := strconv.ParseInt(lower, 10, 64); err == nil && i >= 0 && float64(i)*unit < math.MaxInt64 {
		return i * int64(unit), true
	}
	f, err := strconv.ParseFloat(lower, 64)
	if err != nil || strings.ContainsAny(lower, "einpx_") || f < 0 || f*unit >= math.MaxInt64 {
		return 0, false
	}
	return int64(f * unit), true
}

var errPair = errors.New("not a name:value pair")

func parsePairs(text string) ([]Pair, error) {
	var pairs []Pair
	for _, word := range splitKeeping(text, ',', -1) {
		parts := splitEscaped(word, ':', 2)
		if len(parts) != 2 || parts[0] == "" {
			return nil, errPair
		}
		pairs = append(pairs, Pair{parts[0], parts[1]})
	}
	return pairs, nil
}

// splitEscaped splits text at sep into at most n words (-1: any number); a \
// takes the next character as it is. Words lose the spaces around them.
func splitEscaped(text string, sep byte, n int) []string {
	words := splitKeeping(text, sep, n)
	for i, w := range words {
		words[i] = unescape(strings.TrimSpace(w))
	}
	return words
}

// splitKeeping is splitEscaped without taking the escapes out.
func splitKeeping(text string, sep byte, n int) []string {
	if text == "" {
		return nil
	}
	var words []string
	start := 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == sep && len(words)+1 != n:
			words = append(words, text[start:i])
			start = i + 1
		}
	}
	return append(words, text[start:])
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
