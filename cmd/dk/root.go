package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dataknobs.dev/dataknobs/internal/nearest"
)

const overview = `dk asks, changes and copies records, wherever they are kept: CSV, JSON and Parquet
files today, with one query language and the same answer on every store.

  dk query flights.csv --nulls NA "carrier = 'AA' and dep_delay > 120 order by dep_delay desc limit 10"
  dk query flights.csv --nulls NA "select carrier, count(*), avg(dep_delay) group by carrier"
  dk schema planes.csv
  dk copy flights.csv flights.parquet --nulls NA

Commands
%s
A STORE is a path (flights.csv.gz, logs/*.ndjson, - for standard input), or a URL
(file:people.json?key=email, mem:), or the name of one that a configuration describes (dk config).
Every option of a store can stand in its URL or as a flag.

dk COMMAND --help shows a command's flags and examples; dk help exit-codes, dk help values.
`

// rootCommand builds the tree of commands.
func (a *app) rootCommand() *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:           "dk",
		Short:         "query, change and copy records in any store",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
	}
	version := root.Flags().Bool("version", false, "print the version")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if *version {
			return a.printVersion()
		}
		return cmd.Help()
	}
	a.configOption(root)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetIn(a.stdin)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(help)
	root.SetHelpCommand(helpCommand(root))
	root.AddCommand(
		a.queryCommand(), a.getCommand(), a.countCommand(), a.schemaCommand(), a.explainCommand(),
		a.putCommand(), a.patchCommand(), a.deleteCommand(), a.copyCommand(),
		a.backendsCommand(), a.configCommand(), a.completionCommand(), a.versionCommand(),
	)
	for _, c := range root.Commands() {
		c.Flags().BoolP("help", "h", false, "show this help")
		c.Flags().SortFlags = false
		if c.ValidArgsFunction == nil {
			c.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
	return root
}

// topics are the help texts that are about no command.
var topics = map[string]string{
	"exit-codes": "Exit codes\n\n" + exitCodes + "\n",
	"values":     "Values on the command line\n\n" + literalHelp + "\n",
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "show the help of a command",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && topics[args[0]] != "" {
				_, err := io.WriteString(cmd.OutOrStdout(), topics[args[0]])
				return err
			}
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return knownCommand(root, args)
			}
			return c.Help()
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return commandNames(root), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func commandNames(root *cobra.Command) []string {
	names := []string{"exit-codes", "values"}
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}

// knownCommand refuses the arguments that name no command of root.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := usagef("there is no command %q", args[0])
	if near := nearest.Of(args[0], commandNames(root)); near != "" {
		return err.withHint("did you mean dk %s?", near)
	}
	if strings.ContainsAny(args[0], "./:") {
		return err.withHint("to ask a store: dk query %s", args[0])
	}
	return err.withHint("dk alone lists the commands")
}

var unknownFlag = regexp.MustCompile(`^unknown (?:shorthand )?flag: (?:'.' in )?-{1,2}(.+)$`)

// flagError words a mistake in the flags, naming the flag that is nearest.
func flagError(cmd *cobra.Command, err error) error {
	m := unknownFlag.FindStringSubmatch(err.Error())
	if m == nil {
		return usagef("%v", err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	unknown := usagef("%s has no flag --%s", cmd.CommandPath(), m[1])
	if strings.HasPrefix(err.Error(), "unknown shorthand") {
		unknown = usagef("%s has no flag -%s", cmd.CommandPath(), m[1])
	}
	if near := nearest.Of(strings.ReplaceAll(m[1], "_", "-"), names); near != "" {
		return unknown.withHint("did you mean --%s?", near)
	}
	if !cmd.HasParent() {
		return unknown.withHint("the flags of a command go after it: dk query STORE --%s", m[1])
	}
	return unknown.withHint("%s --help lists the flags; an ID or a value that begins with a dash goes after --", cmd.CommandPath())
}

// help prints the help of a command, or the overview.
func help(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	if !cmd.HasParent() {
		var list strings.Builder
		for _, c := range cmd.Commands() {
			if !c.Hidden && c.Name() != "help" {
				fmt.Fprintf(&list, "  %-12s%s\n", c.Name(), c.Short)
			}
		}
		fmt.Fprintf(w, overview, list.String())
		return
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(w, "%s\n\nUsage\n  %s\n", strings.TrimSpace(text), cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	own, store := splitFlags(cmd)
	fmt.Fprintf(w, "\nFlags\n%s", own.FlagUsages())
	if store.HasFlags() {
		fmt.Fprintf(w, "\nOptions of the store (dk backends NAME tells more)\n%s", store.FlagUsages())
	}
}

// splitFlags separates the flags of the command from those of its stores.
func splitFlags(cmd *cobra.Command) (own, store *pflag.FlagSet) {
	own, store = pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags = false
	cmd.InheritedFlags() // which makes them part of Flags
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations[storeSection] != nil {
			store.AddFlag(f)
		} else {
			own.AddFlag(f)
		}
	})
	return own, store
}
