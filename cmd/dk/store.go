package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dataknobs.dev/dataknobs"
)

// A storeFlags is the set of flags that stand for the options of a store.
type storeFlags struct {
	prefix string // "", or such as "dst-"
	values map[string]string
}

// storeSection marks the flags that are options of a store, for the help.
const storeSection = "store option"

// storeOptions registers a flag for every option of every backend. A name that
// cmd has as a flag of its own is left to the URL.
func storeOptions(cmd *cobra.Command, prefix string) *storeFlags {
	s := &storeFlags{prefix: prefix, values: map[string]string{}}
	for _, o := range allOptions() {
		name := prefix + flagName(o.Name)
		if cmd.Flags().Lookup(name) != nil {
			continue
		}
		f := cmd.Flags().VarPF(&optionFlag{s.values, o.OptionInfo}, name, "", o.Doc)
		f.Annotations = map[string][]string{storeSection: {strings.Join(o.backends, ", ")}}
		f.Hidden = prefix != ""
		if o.Kind == dataknobs.OptionBool {
			f.NoOptDefVal = "true"
		}
		if o.Kind == dataknobs.OptionEnum {
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(o.Enum, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	return s
}

// joinBools makes --header false one argument, so that it reads like --nulls NA: what
// follows a flag that may stand alone would be taken for a store or a query.
// The result is never nil, which would mean os.Args to cobra.
func joinBools(args []string) []string {
	joined := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(joined, args[i:]...)
		}
		if i+1 < len(args) && (args[i+1] == "true" || args[i+1] == "false") && isBoolOption(args[i]) {
			joined = append(joined, args[i]+"="+args[i+1])
			i++
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}

func isBoolOption(arg string) bool {
	name, ok := strings.CutPrefix(arg, "--")
	for _, prefix := range []string{"src-", "dst-"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return ok && slices.ContainsFunc(allOptions(), func(o option) bool {
		return o.Kind == dataknobs.OptionBool && flagName(o.Name) == name
	})
}

// flagName is the flag for an option: words are joined by dashes.
func flagName(option string) string { return strings.ReplaceAll(option, "_", "-") }

// An option is one option and the backends that have it.
type option struct {
	dataknobs.OptionInfo
	backends []string
	docs     []string // what it means to each of them
}

func (o *option) add(backend string, x dataknobs.OptionInfo) {
	o.backends, o.docs = append(o.backends, backend), append(o.docs, x.Doc)
	if x.Kind == dataknobs.OptionList { // a word to one store may be a list to another
		o.Kind = x.Kind
	}
}

// allDocs says what the option means, to each backend where they differ.
func (o *option) allDocs() string {
	var all []string
	for i, doc := range o.docs {
		if slices.Index(o.docs, doc) < i {
			continue
		}
		var names []string
		for j, name := range o.backends {
			if o.docs[j] == doc {
				names = append(names, name)
			}
		}
		all = append(all, strings.Join(names, ", ")+": "+doc)
	}
	if len(all) == 1 {
		return o.docs[0]
	}
	return strings.Join(all, "; ")
}

// allOptions is the union of the options of all backends, by name.
func allOptions() []option {
	byName := map[string]*option{}
	for _, b := range dataknobs.Backends() {
		for _, o := range b.Options {
			if byName[o.Name] == nil {
				byName[o.Name] = &option{OptionInfo: o}
			}
			byName[o.Name].add(b.Name, o)
		}
	}
	all := make([]option, 0, len(byName))
	for _, o := range byName {
		o.Doc = o.allDocs()
		all = append(all, *o)
	}
	slices.SortFunc(all, func(a, b option) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// An optionFlag is the flag of one option. The text is checked when the store
// is opened, by the same rule as in a URL.
type optionFlag struct {
	values map[string]string
	dataknobs.OptionInfo
}

var _ pflag.Value = (*optionFlag)(nil)

func (f *optionFlag) String() string { return f.values[f.Name] }

func (f *optionFlag) Set(text string) error {
	// A list may be given piece by piece.
	if old, ok := f.values[f.Name]; ok && (f.Kind == dataknobs.OptionList || f.Kind == dataknobs.OptionMap) {
		text = old + "," + text
	}
	f.values[f.Name] = text
	return nil
}

func (f *optionFlag) Type() string {
	switch f.Kind {
	case dataknobs.OptionInt, dataknobs.OptionFloat:
		return "n"
	case dataknobs.OptionBool:
		return "bool"
	case dataknobs.OptionSize:
		return "size"
	case dataknobs.OptionDuration:
		return "duration"
	case dataknobs.OptionEnum:
		return strings.Join(f.Enum, "|")
	case dataknobs.OptionInts:
		return "n,n"
	case dataknobs.OptionList:
		return "a,b"
	case dataknobs.OptionMap:
		return "a:x,b:y"
	}
	return "text"
}

// open opens the store of that name with the options that stand as flags.
func (a *app) open(ctx context.Context, store string, s *storeFlags) (*dataknobs.DB, error) {
	return a.openWith(ctx, store, &dataknobs.Options{Params: s.values})
}

func (a *app) openWith(ctx context.Context, store string, o *dataknobs.Options) (*dataknobs.DB, error) {
	o.Warn = a.warn
	return a.openNamed(ctx, store, o)
}

// features says what the store can do: what its driver knows by now, which may
// be more than when it was opened.
func features(db *dataknobs.DB) *dataknobs.Features { return db.Driver().Features() }

// closing closes db and keeps the first error.
func closing(db *dataknobs.DB, err *error) {
	if cerr := db.Close(); *err == nil {
		*err = cerr
	}
}

// withStore opens the store, runs do with it, and closes it.
func (a *app) withStore(ctx context.Context, store string, s *storeFlags, do func(db *dataknobs.DB) error) (err error) {
	db, err := a.open(ctx, store, s)
	if err != nil {
		return err
	}
	defer closing(db, &err)
	return do(db)
}

// oneQuery returns the query text among the arguments after the store. Two are
// most likely one text whose quotes were forgotten.
func oneQuery(args []string) (string, error) {
	switch len(args) {
	case 0:
		return "", nil
	case 1:
		return args[0], nil
	}
	return "", usagef("the query must be one argument, but %d were given", len(args)).
		withHint(`put it in quotes: "%s"`, strings.Join(args, " "))
}

// storeAnd checks that there is a store and at least n arguments after it.
func storeAnd(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usagef("no store is named").withHint("usage: %s", cmd.UseLine())
		case len(args)-1 < n:
			return usagef("%s is missing", what).withHint("usage: %s", cmd.UseLine())
		}
		return nil
	}
}

// parseQuery parses a query text with its parameters; "" is every record.
func parseQuery(text string, p *paramFlags) (*dataknobs.Query, error) {
	args, err := parseParams(p.args, p.named)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" && len(args) == 0 {
		return &dataknobs.Query{}, nil
	}
	return dataknobs.Parse(text, args...)
}

// parseWhere parses a condition: a query with nothing but a WHERE.
func parseWhere(text string, p *paramFlags) (dataknobs.Expr, error) {
	q, err := parseQuery(text, p)
	if err != nil {
		return nil, err
	}
	if q.Select != nil || q.GroupBy != nil || q.Having != nil || q.OrderBy != nil || q.Limit != nil || q.Offset != 0 {
		return nil, usagef("only a condition can stand here, not a whole query").
			withHint("SELECT, GROUP BY, ORDER BY, LIMIT and OFFSET belong to dk query")
	}
	return q.Where, nil
}

// A paramFlags holds the parameters of a query text.
type paramFlags struct{ args, named []string }

func paramOptions(cmd *cobra.Command) *paramFlags {
	p := &paramFlags{}
	cmd.Flags().StringArrayVar(&p.named, "param", nil, "value of :name in the query, as `name=value` (see dk help values)")
	cmd.Flags().StringArrayVar(&p.args, "arg", nil, "`value` of the next ? in the query")
	return p
}

// count words a number of things.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%s %ss", thousands(n), thing)
}
