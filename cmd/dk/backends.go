package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

func (a *app) backendsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backends [NAME] [flags]",
		Short: "show the kinds of stores, what each can do and needs",
		Long: `List the kinds of stores; with a NAME, tell all about one: what it can do, what it needs, and its
options with their defaults. Every option can stand in the store's URL (?nulls=NA) or as a flag (--nulls NA).`,
		Example: `  dk backends
  dk backends file
  dk backends file -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("backends takes one name, but %q was given too", args[1])
			}
			return nil
		},
	}
	out := outputOption(cmd)
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, b := range dataknobs.Backends() {
			names = append(names, b.Name+"\t"+b.Summary)
		}
		if len(args) > 0 {
			names = nil
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			b, err := dataknobs.LookupBackend(args[0])
			if err != nil {
				return err
			}
			return a.backend(b, *out)
		}
		format, err := a.format(*out)
		if err != nil {
			return err
		}
		return a.backends(cmd.Context(), format)
	}
	return cmd
}

func (a *app) backends(ctx context.Context, format string) error {
	rows := func(yield func(*dataknobs.Record, error) bool) {
		for _, b := range dataknobs.Backends() {
			rec := dataknobs.NewRecord("", dataknobs.F("name", b.Name),
				dataknobs.F("stores", strings.Join(schemesOf(b), " ")), dataknobs.F("summary", b.Summary))
			if !yield(rec, nil) {
				return
			}
		}
	}
	_, err := a.printAll(ctx, format, shape{columns: []string{"name", "stores", "summary"}}, nil, rows)
	return err
}

// schemesOf lists how the stores of a backend are named.
func schemesOf(b *dataknobs.Backend) []string {
	var names []string
	if b.Paths {
		names = append(names, "PATH")
	}
	names = append(names, b.Name+":")
	for _, s := range b.Schemes {
		if s != b.Name {
			names = append(names, s+":")
		}
	}
	return names
}

// backend tells all about one.
func (a *app) backend(b *dataknobs.Backend, format string) error {
	return a.buffered(func(w *bufio.Writer) error {
		switch format {
		case "", "table":
			return a.describe(w, b)
		case "json", "ndjson":
			return writeBackend(w, b)
		}
		return usagef("-o %s is not for one backend", format).withHint("-o json")
	})
}

func (a *app) describe(w *bufio.Writer, b *dataknobs.Backend) error {
	fmt.Fprintf(w, "%s: %s\nStores are named %s\n", a.out.paint(styleBold, b.Name), b.Summary, strings.Join(schemesOf(b), ", "))
	if b.Doc != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(b.Doc))
	}
	if len(b.Can) > 0 {
		fmt.Fprintf(w, "\nIt can do\n")
		for _, c := range b.Can {
			fmt.Fprintf(w, "  - %s\n", c)
		}
	}
	if len(b.Options) > 0 {
		fmt.Fprintf(w, "\nOptions\n")
	}
	for _, o := range b.Options {
		f := optionFlag{OptionInfo: o}
		fmt.Fprintf(w, "  %s\n      %s", a.out.paint(styleBold, fmt.Sprintf("--%s %s", flagName(o.Name), f.Type())), o.Doc)
		if o.Default != "" {
			fmt.Fprintf(w, " (default %s)", o.Default)
		}
		fmt.Fprintln(w)
	}
	return nil
}

var optionKinds = map[dataknobs.OptionKind]string{
	dataknobs.OptionString: "string", dataknobs.OptionInt: "int", dataknobs.OptionBool: "bool", dataknobs.OptionSize: "size",
	dataknobs.OptionDuration: "duration", dataknobs.OptionEnum: "enum", dataknobs.OptionList: "list", dataknobs.OptionMap: "map",
}

func writeBackend(w *bufio.Writer, b *dataknobs.Backend) error {
	type optionJSON struct {
		Name    string   `json:"name"`
		Kind    string   `json:"kind"`
		Enum    []string `json:"enum,omitempty"`
		Default string   `json:"default,omitempty"`
		Secret  bool     `json:"secret,omitempty"`
		Doc     string   `json:"doc"`
	}
	var options []optionJSON
	for _, o := range b.Options {
		options = append(options, optionJSON{o.Name, optionKinds[o.Kind], o.Enum, o.Default, o.Secret, o.Doc})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(map[string]any{
		"name": b.Name, "schemes": b.Schemes, "paths": b.Paths, "summary": b.Summary, "doc": b.Doc, "can": b.Can, "options": options,
	})
}
