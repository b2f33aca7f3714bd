package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
)

var configActions = []string{"check", "show", "schema", "init"}

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config check|show|schema|init [flags]",
		Short: "check and show the configuration that names stores",
		Long: `A configuration gives names to stores, which every command takes: dk query people. It is the file of
--config, else those of DK_CONFIG, else dk.yaml, dk.yml, dk.json or dk.toml in this folder or one
above, else in the folder dataknobs of your configuration folder. Variables such as
DK_DATABASES_PEOPLE_PATH override single settings.

  check          say all that is wrong with it, each with its place; --connect reads from the stores too
  show [STORE]…  print every setting with where it comes from; secrets are ***
  schema         print a JSON Schema of configuration files, for editors
  init [FILE]    write an example to begin with (dk.yaml); what is there is never overwritten`,
		Example: `  dk config init
  dk config check --connect
  dk config show people -o yaml
  dk config schema > dk.schema.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || !slices.Contains(configActions, args[0]) {
				return usagef("config takes what to do").withHint("one of %s", strings.Join(configActions, ", "))
			}
			return nil
		},
		ValidArgs: configActions,
	}
	out := cmd.Flags().StringP("output", "o", "", "print show as this `format`: yaml, table (the rule on a terminal), ndjson (elsewhere), json, csv, markdown")
	connect := cmd.Flags().Bool("connect", false, "let check open every store and read a record")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		switch {
		case len(args) == 0:
			return configActions, cobra.ShellCompDirectiveNoFileComp
		case args[0] == "show":
			return a.configuredNames(word), cobra.ShellCompDirectiveNoFileComp
		case args[0] == "init":
			return nil, cobra.ShellCompDirectiveDefault
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		rest := args[1:]
		if most := map[string]int{"check": 0, "schema": 0, "init": 1}; args[0] != "show" && len(rest) > most[args[0]] {
			return usagef("config %s takes no %q", args[0], rest[most[args[0]]])
		}
		switch args[0] {
		case "check":
			return a.configCheck(cmd.Context(), *connect)
		case "show":
			return a.configShow(cmd.Context(), rest, *out)
		case "schema":
			return a.configSchema()
		}
		return a.configInit(append(rest, "dk.yaml")[0])
	}
	return cmd
}

// inspect reads the configuration, faulty or not.
func (a *app) inspect() (*config.Config, config.Faults, error) {
	files, err := a.configFiles()
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		return nil, nil, dataknobs.Errorf(dataknobs.NotFound, "there is no configuration").
			WithHint("dk config init writes one, --config names one")
	}
	return config.Inspect(a.configOptions(files))
}

func (a *app) configCheck(ctx context.Context, connect bool) error {
	c, faults, err := a.inspect()
	if err != nil {
		return err
	}
	for _, f := range faults {
		a.report(f)
	}
	if len(faults) > 0 && !connect {
		return codedError(exitUsage)
	}
	if err := a.buffered(func(w *bufio.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s, %s\n", strings.Join(c.Files(), ", "), count(int64(len(c.Names())), "store"), count(int64(len(faults)), "fault"))
		return err
	}); err != nil || !connect {
		return err
	}
	return a.configConnect(ctx, c)
}

// configConnect says how each store is.
func (a *app) configConnect(ctx context.Context, c *config.Config) (err error) {
	defer func() { err = errors.Join(err, c.Close()) }()
	bad := false
	err = a.buffered(func(w *bufio.Writer) error {
		for _, h := range c.Health(ctx, c.Names()...) {
			if h.Err != nil {
				bad = true
				a.report(fmt.Errorf("%s: %w", h.Name, h.Err))
				continue
			}
			if _, err := fmt.Fprintf(w, "%s: %s, read in %s\n", h.Name, h.Backend, h.Latency.Round(time.Millisecond)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && bad {
		return codedError(exitFailed)
	}
	return err
}

func (a *app) configShow(ctx context.Context, names []string, out string) error {
	c, faults, err := a.inspect()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, _, err := c.Location(name); dataknobs.CodeOf(err) == dataknobs.NotFound {
			return err
		}
	}
	if len(faults) > 0 {
		a.say("the configuration has %s: dk config check tells them", count(int64(len(faults)), "fault"))
	}
	if out == "yaml" {
		return a.buffered(func(w *bufio.Writer) error { return c.WriteYAML(w, names...) })
	}
	format, err := a.format(out)
	if err != nil {
		return err
	}
	rows := func(yield func(*dataknobs.Record, error) bool) {
		for _, s := range c.Settings(names...) {
			value := s.Text
			if s.Fault != "" {
				value = "(none: " + s.Fault + ")"
			}
			if !yield(dataknobs.NewRecord("", dataknobs.F("setting", s.Path), dataknobs.F("value", value), dataknobs.F("from", s.From())), nil) {
				return
			}
		}
	}
	_, err = a.printAll(ctx, format, shape{columns: []string{"setting", "value", "from"}}, nil, rows)
	return err
}

func (a *app) configSchema() error {
	return a.buffered(func(w *bufio.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(config.Schema())
	})
}

// configInit writes the example, unless a file of that name is there.
func (a *app) configInit(path string) (err error) {
	if !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)) {
		return usagef("the example is YAML, but %s is not called so", path).withHint("dk config init dk.yaml")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a template without secrets, for the whole team
	if errors.Is(err, os.ErrExist) {
		return dataknobs.Errorf(dataknobs.AlreadyExists, "%s is there already", path).WithHint("nothing was written; give another name")
	}
	if err != nil {
		return dataknobs.Errorf(dataknobs.Unavailable, "cannot write the example: %w", err)
	}
	_, err = io.WriteString(f, config.Example)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		a.say("wrote %s", path)
	}
	return err
}
