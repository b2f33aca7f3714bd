package main

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// A configured is the configuration of one run of the command, read when a
// store is named that may be one of its.
type configured struct {
	files  []string // of --config
	read   bool
	config *config.Config // nil: there is none
	err    error
}

func (a *app) configOption(cmd *cobra.Command) {
	cmd.PersistentFlags().StringArrayVar(&a.conf.files, "config", nil,
		"the configuration `file` that names stores; again for more, which override (else $DK_CONFIG, else dk.yaml here or above)")
}

// configFiles returns the files of the configuration: those that are named, or
// the one that is found. None: there is no configuration.
func (a *app) configFiles() ([]string, error) {
	if len(a.conf.files) > 0 {
		return a.conf.files, nil
	}
	if list := a.getenv("DK_CONFIG"); list != "" {
		return filepath.SplitList(list), nil
	}
	path, err := config.Find(".")
	if path == "" || err != nil {
		return nil, err
	}
	if here, err := os.Getwd(); err == nil && filepath.Dir(path) == here {
		path = filepath.Base(path)
	}
	return []string{path}, nil
}

func (a *app) configOptions(files []string) *config.Options {
	return &config.Options{Files: files, Environ: a.environ(), Warn: a.warn}
}

// configuration returns the configuration; nil if there is none.
func (a *app) configuration() (*config.Config, error) {
	c := &a.conf
	if c.read {
		return c.config, c.err
	}
	c.read = true
	files, err := a.configFiles()
	if err != nil || len(files) == 0 {
		c.err = err
		return nil, err
	}
	c.config, c.err = config.New(a.configOptions(files))
	return c.config, c.err
}

// bareWord is the name of a store that need not be marked as one.
var bareWord = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)

// A namedStore is a store that the configuration describes, with the options
// that the command line adds.
type namedStore struct {
	config *config.Config
	name   string
	params map[string]string
}

// named returns the store of the configuration that a name stands for; nil if
// it stands for none. @NAME always does, a bare word does where one is called so.
func (a *app) named(store string) (*namedStore, error) {
	name, options, _ := strings.Cut(store, "?")
	name, marked := strings.CutPrefix(name, "@")
	if !marked && !bareWord.MatchString(name) {
		return nil, nil
	}
	c, err := a.configuration()
	switch {
	case err != nil:
		return nil, err
	case c == nil && marked:
		return nil, usagef("there is no configuration that could have a store %q", name).
			withHint("dk config init writes one, --config names one; a file is written ./%s", store)
	case c == nil:
		return nil, nil
	case !slices.Contains(c.Names(), name):
		if !marked {
			return nil, nil
		}
		_, _, err := c.Location(name)
		return nil, err
	}
	params, err := storeParams(options)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(name); err == nil && !marked {
		a.warn("there is a file called " + name + " too; ./" + name + " is the file, " + name + " the store of " + strings.Join(c.Files(), ", "))
	}
	return &namedStore{c, name, params}, nil
}

// storeParams reads the options after the name of a store.
func storeParams(options string) (map[string]string, error) {
	params := map[string]string{}
	if options == "" {
		return params, nil
	}
	for pair := range strings.SplitSeq(options, "&") {
		name, text, ok := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(text)
		if _, twice := params[name]; !ok || name == "" || twice || err != nil {
			return nil, usagef("the options after the store's name are not name=value pairs with & between them")
		}
		params[name] = decoded
	}
	return params, nil
}

// openNamed opens a store by its name: one that the configuration describes,
// or anything that dataknobs.Open takes.
func (a *app) openNamed(ctx context.Context, store string, o *dataknobs.Options) (*dataknobs.DB, error) {
	n, err := a.named(store)
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		db, err := dataknobs.Open(ctx, store, o)
		return db, a.nearStore(store, err)
	}
	own := *o
	own.Params = n.params
	maps.Copy(own.Params, o.Params)
	return n.config.OpenOwn(ctx, n.name, &own)
}

// nearStore adds to an error about a bare word what it may have been meant for:
// a store of the configuration.
func (a *app) nearStore(store string, err error) error {
	if err == nil || !bareWord.MatchString(store) {
		return err
	}
	c, cerr := a.configuration()
	if cerr != nil {
		return err
	}
	hinted := dataknobs.Errorf(dataknobs.CodeOf(err), "%w", err)
	if c == nil {
		if _, missing := os.Lstat(store); missing == nil {
			return err
		}
		return hinted.WithHint("nor is it a store's name, without a configuration: dk config init writes one")
	}
	if near := nearest.Of(store, c.Names()); near != "" {
		return hinted.WithHint("did you mean the store %s of %s?", near, strings.Join(c.Files(), ", "))
	}
	return err
}

// place is the name of a store without the configuration: what stands for a
// file is file:PATH. It holds no secret option.
func (a *app) place(store string) string {
	n, err := a.named(store)
	if err != nil || n == nil {
		return store
	}
	location, params, err := n.config.Location(n.name)
	b := n.config.Backend(n.name)
	if err != nil || b == nil {
		return store
	}
	maps.Copy(params, n.params)
	if path := params["path"]; b.Paths && path != "" {
		delete(params, "path")
		location = b.Name + ":" + (&url.URL{Path: path}).EscapedPath()
	}
	var options []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		secret := slices.ContainsFunc(b.Options, func(o dataknobs.OptionInfo) bool { return o.Name == name && o.Secret })
		if !secret {
			options = append(options, name+"="+url.QueryEscape(params[name]))
		}
	}
	if len(options) == 0 {
		return location
	}
	joint := "?"
	if strings.Contains(location, "?") {
		joint = "&"
	}
	return location + joint + strings.Join(options, "&")
}

// configuredNames completes the name of a store of the configuration.
func (a *app) configuredNames(word string) []string {
	c, err := a.configuration()
	if c == nil || err != nil {
		return nil
	}
	mark := ""
	if strings.HasPrefix(word, "@") {
		mark = "@"
	}
	var names []string
	for _, name := range c.Names() {
		if b := c.Backend(name); strings.HasPrefix(mark+name, word) && b != nil {
			names = append(names, mark+name+"\t"+cmp.Or(b.Summary, b.Name))
		}
	}
	return names
}
