package dataknobs

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// Options are the settings of a DB and of its store. The zero value is useful.
type Options struct {
	// Params are the store's options by name, as its Backend lists them. One that
	// stands in the URL too is taken from here.
	Params map[string]string
	// Warn takes what a user should know but need not stop for, such as a query
	// that names a field which no record has. It may be called from several
	// goroutines at once. nil: dropped.
	Warn func(msg string)
	// Name is how errors and Name call the store. "": its location, without
	// options and passwords; or as its driver calls it, where the options say that.
	Name string
	// Workers bounds what runs at the same time on behalf of one call. 0: one per core.
	Workers int
	// ReadOnly refuses every write with PermissionDenied.
	ReadOnly bool
}

// Open opens the store that a text names. opts may be nil. The text is
//
//	scheme:location?option=value&option=value
//
// where scheme is the name of a registered backend or one of its schemes, such
// as mem: or file:people.json?key=email. An optional // after the colon counts
// for nothing. Location and values may hold percent escapes (%3F for a
// question mark); a + is a plus. Or it is a bare path (people.csv, logs/*.csv,
// - for standard input and output), which goes to the file store. A bare path
// is taken literally, but when it ends in what looks like options
// (people.csv?nulls=NA) and no file of the literal name exists, those are its
// options. A bare path whose beginning looks like a scheme is written with ./
// before it. The location may stand among the options instead (Params of path
// for "file:"), so that a configuration needs no URL.
//
// An error about the text itself is InvalidArgument: an unknown scheme or
// option, one that is given twice, or a value that is not of its kind.
func Open(ctx context.Context, store string, opts *Options) (*DB, error) {
	if opts == nil {
		opts = &Options{}
	}
	name := opts.Name
	l, err := parseLocation(store)
	if err != nil {
		return nil, annotate(err, "open", name, "")
	}
	c, err := l.config(opts)
	if name == "" {
		name = l.shown()
	}
	if err != nil {
		return nil, annotate(err, "open", name, "")
	}
	db, err := open(ctx, c, opts)
	if err != nil {
		return nil, annotate(err, "open", name, "")
	}
	if db.name == "" || l.place != "" || opts.Name != "" {
		db.name = name
	}
	return db, nil
}

// config returns the store's settings, those of opts included, which may say
// the location as well.
func (l *location) config(opts *Options) (*Config, error) {
	for name, text := range opts.Params {
		l.params[name] = text
	}
	c, err := NewConfig(l.backend, l.place, l.params, opts.Warn)
	if err != nil {
		return nil, err
	}
	c.FromURL, c.Scheme = l.scheme != "", strings.ToLower(l.scheme)
	l.place = c.Location
	return c, nil
}

// open opens the store, whose name is then the one that its driver gives it.
func open(ctx context.Context, c *Config, opts *Options) (*DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d, err := c.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return New(d, opts), nil
}

// New returns a DB over a driver that was made by its own constructor. opts
// may be nil; its Params are not looked at. Closing the DB closes the driver.
func New(d Driver, opts *Options) *DB {
	if opts == nil {
		opts = &Options{}
	}
	db := &DB{d: d, name: opts.Name, warn: opts.Warn, workers: opts.Workers, readOnly: opts.ReadOnly}
	db.getter, _ = Ability[Getter](d)
	if s, ok := d.(fmt.Stringer); ok && db.name == "" {
		db.name = s.String()
	}
	if db.warn == nil {
		db.warn = func(string) {}
	}
	if db.workers <= 0 {
		db.workers = runtime.GOMAXPROCS(0)
	}
	return db
}

// A location is the text that names a store, taken apart.
type location struct {
	backend *Backend
	scheme  string // as written; "" for a bare path
	slashes bool   // // stood after the colon
	place   string
	params  map[string]string
}

// shown is the location as it may be shown to anyone: without options, and
// without the password before an @.
func (l location) shown() string {
	if l.scheme == "" {
		return l.place
	}
	place := l.place
	if strings.Contains(place, "=") && !l.backend.Paths {
		return l.scheme + ":***" // settings where a location belongs: one of them may be a password
	}
	if at := strings.LastIndexByte(place, '@'); at >= 0 && !l.backend.Paths {
		if colon := strings.IndexByte(place[:at], ':'); colon >= 0 {
			place = place[:colon] + ":***" + place[at:]
		}
	}
	if l.slashes {
		place = "//" + place
	}
	return l.scheme + ":" + place
}

// maxStore is the longest text that names a store, options included.
const maxStore = 64 << 10

// parseLocation takes the name of a store apart. Its errors show neither
// options nor what follows the scheme, either of which may hold a secret.
func parseLocation(store string) (location, error) {
	if strings.TrimSpace(store) == "" {
		return location{}, Errorf(InvalidArgument, "no store is named").
			WithHint("name a file, or a store such as mem: or file:people.json?key=email")
	}
	if len(store) > maxStore {
		return location{}, Errorf(InvalidArgument, "the store's name has %d bytes; the limit is %d", len(store), maxStore)
	}
	if strings.IndexByte(store, 0) >= 0 {
		return location{}, Errorf(InvalidArgument, "the store's name contains a NUL character")
	}
	scheme, rest, ok := strings.Cut(store, ":")
	if !ok || !isScheme(scheme) {
		return barePath(store)
	}
	b, err := LookupBackend(scheme)
	if err != nil {
		return location{}, schemeError(err, scheme)
	}
	l := location{backend: b, scheme: scheme}
	place, query, _ := strings.Cut(rest, "?")
	place, l.slashes = strings.CutPrefix(place, "//")
	if l.place, err = url.PathUnescape(place); err != nil {
		return location{}, Errorf(InvalidArgument, "the store's location holds a bad percent escape").
			WithHint("a percent sign itself is written %%25")
	}
	if l.slashes {
		l.place = withoutRoot(l.place, runtime.GOOS)
	}
	l.params, err = parseParams(query, url.PathUnescape)
	return l, err
}

// schemeError adds how to write a path that was taken for a URL.
func schemeError(err error, scheme string) error {
	var e *Error
	if errors.As(err, &e) && knownBy(strings.ToLower(scheme)) == "" {
		return e.WithHint("%s; a path that begins like this is written ./%s:…", e.Hint, scheme)
	}
	return err
}

// withoutRoot takes the slash away that URLs have before a drive of Windows:
// file:///C:/data/x.csv is C:/data/x.csv there.
func withoutRoot(place, system string) string {
	if system == "windows" && drivePattern.MatchString(place) {
		return place[1:]
	}
	return place
}

// isScheme reports whether s has the form of a URL scheme. A single letter has
// not: it is a Windows drive.
func isScheme(s string) bool { return schemePattern.MatchString(s) }

var (
	drivePattern  = regexp.MustCompile(`^/[A-Za-z]:([/\\]|$)`)
	schemePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+$`)
	paramsPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*=[^&]*(&[A-Za-z][A-Za-z0-9_-]*=[^&]*)*$`)
)

func barePath(store string) (location, error) {
	b, err := pathBackend()
	if err != nil {
		return location{}, err
	}
	l := location{backend: b, place: store, params: map[string]string{}}
	i := strings.LastIndexByte(store, '?')
	if i <= 0 || !paramsPattern.MatchString(store[i+1:]) {
		return l, nil
	}
	if _, err := os.Lstat(store); err == nil {
		return l, nil
	}
	l.place = store[:i]
	l.params, err = parseParams(store[i+1:], func(s string) (string, error) { return s, nil })
	return l, err
}

func parseParams(query string, decode func(string) (string, error)) (map[string]string, error) {
	params := map[string]string{}
	if query == "" {
		return params, nil
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, text, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, Errorf(InvalidArgument, "an option in the store's name is not of the form name=value")
		}
		text, err := decode(text)
		if err != nil {
			return nil, Errorf(InvalidArgument, "the option %s holds a bad percent escape", name).
				WithHint("a percent sign itself is written %%25")
		}
		if _, twice := params[name]; twice {
			return nil, Errorf(InvalidArgument, "the option %s is given twice", name)
		}
		params[name] = text
	}
	return params, nil
}
