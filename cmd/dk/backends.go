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
		Long: `List the kinds of stores, also those that this program was built without; with a NAME, tell all about one: what it
needs, what it can do by itself, its limits, and its options with their defaults. Every option can stand in the
store's URL (?nulls=NA) or as a flag (--nulls NA).`,
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
		for _, k := range dataknobs.KnownBackends() {
			names = append(names, k.Name+"\t"+k.Summary)
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
		for _, k := range dataknobs.KnownBackends() {
			rec := dataknobs.NewRecord("", dataknobs.F("name", k.Name), dataknobs.F("stores", strings.Join(schemesOf(k), " ")),
				dataknobs.F("built_in", k.Backend != nil), dataknobs.F("summary", k.Summary), dataknobs.F("import", k.Import))
			if !yield(rec, nil) {
				return
			}
		}
	}
	columns := []string{"name", "stores", "built_in", "summary", "import"}
	_, err := a.printAll(ctx, format, shape{columns: columns}, nil, rows)
	return err
}

// schemesOf lists how the stores of a backend are named.
func schemesOf(k dataknobs.KnownBackend) []string {
	var names []string
	if k.Backend != nil && k.Backend.Paths {
		names = append(names, "PATH")
	}
	names = append(names, k.Name+":")
	for _, s := range k.Schemes {
		if s != k.Name {
			names = append(names, s+":")
		}
	}
	return names
}

// backend tells all about one.
func (a *app) backend(b *dataknobs.Backend, format string) error {
	return bufferTo(a.styled, func(w *bufio.Writer) error {
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
	k := dataknobs.KnownBackend{Name: b.Name, Schemes: b.Schemes, Backend: b}
	fmt.Fprintf(w, "%s: %s\nStores are named %s\n", a.out.paint(styleBold, b.Name), b.Summary, strings.Join(schemesOf(k), ", "))
	if b.Doc != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(b.Doc))
	}
	writeLines(w, "It needs", b.Needs)
	writeLines(w, "It can do", b.Can)
	writeAbilities(w, b)
	var limits []string
	for _, l := range b.Bounds() {
		limits = append(limits, l.Name+": "+l.Text)
	}
	writeLines(w, "Limits", limits)
	if len(b.Options) > 0 {
		fmt.Fprintf(w, "\nOptions\n")
	}
	for _, o := range b.Options {
		f := optionFlag{OptionInfo: o}
		fmt.Fprintf(w, "  %s\n      %s", a.out.paint(styleBold, fmt.Sprintf("--%s %s", flagName(o.Name), f.Type())), o.Doc)
		if notes := optionNotes(o); len(notes) > 0 {
			fmt.Fprintf(w, " (%s)", strings.Join(notes, "; "))
		}
		fmt.Fprintln(w)
	}
	return nil
}

func writeLines(w *bufio.Writer, head string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", head)
	for _, l := range lines {
		fmt.Fprintf(w, "  - %s\n", l)
	}
}

// optionNotes says what there is to say of an option besides its doc.
func optionNotes(o dataknobs.OptionInfo) []string {
	var notes []string
	if o.Required {
		notes = append(notes, "required")
	}
	if o.Default != "" {
		notes = append(notes, "default "+o.Default)
	}
	switch {
	case o.Min != "" && o.Max != "":
		notes = append(notes, "from "+o.Min+" to "+o.Max)
	case o.Min != "" && o.Min != "0" && o.Min != "0s":
		notes = append(notes, "at least "+o.Min)
	case o.Max != "":
		notes = append(notes, "at most "+o.Max)
	}
	if o.Location {
		notes = append(notes, "the URL's location says the same")
	}
	return notes
}

type (
	optionJSON struct {
		Name     string   `json:"name"`
		Kind     string   `json:"kind"`
		Enum     []string `json:"enum,omitempty"`
		Default  string   `json:"default,omitempty"`
		Min      string   `json:"min,omitempty"`
		Max      string   `json:"max,omitempty"`
		Required bool     `json:"required,omitempty"`
		Location bool     `json:"location,omitempty"`
		Secret   bool     `json:"secret,omitempty"`
		Doc      string   `json:"doc"`
	}
	abilityJSON struct {
		Part     string `json:"part"`
		What     string `json:"what"`
		Of       string `json:"of,omitempty"`
		Fidelity string `json:"fidelity"`
		Reason   string `json:"reason,omitempty"`
	}
)

func writeBackend(w *bufio.Writer, b *dataknobs.Backend) error {
	var options []optionJSON
	for _, o := range b.Options {
		options = append(options, optionJSON{o.Name, o.Kind.String(), o.Enum, o.Default, o.Min, o.Max, o.Required, o.Location, o.Secret, o.Doc})
	}
	var abilities []abilityJSON
	for _, x := range abilitiesOf(b) {
		abilities = append(abilities, abilityJSON{x.Part, x.What, x.Of, x.Fidelity.String(), x.Reason})
	}
	limits := map[string]string{}
	for _, l := range b.Bounds() {
		limits[l.Name] = l.Text
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(map[string]any{
		"name": b.Name, "schemes": b.Schemes, "paths": b.Paths, "summary": b.Summary, "doc": b.Doc, "can": b.Can, "needs": b.Needs,
		"limits": limits, "abilities": abilities, "options": options, "schema": b.Schema(),
	})
}
