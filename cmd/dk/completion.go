package main

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

var shells = []string{"bash", "zsh", "fish"}

func (a *app) completionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "print a script that completes dk in your shell",
		Long: `Print the completion script for a shell. It completes commands, flags and their values, the names of
stores, and the fields of the store that the line names.

  bash  add to ~/.bashrc:                    source <(dk completion bash)
  zsh   add to ~/.zshrc after compinit:      source <(dk completion zsh)
  fish  run once:  dk completion fish > ~/.config/fish/completions/dk.fish`,
		Example: `  dk completion bash
  source <(dk completion zsh)`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usagef("completion takes the name of a shell").withHint("one of %s", strings.Join(shells, ", "))
			}
			return nil
		},
	}
	cmd.ValidArgsFunction = cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.buffered(func(w *bufio.Writer) error {
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(w, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(w)
			}
			return cmd.Root().GenFishCompletion(w, true)
		})
	}
	return cmd
}

type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completeStore completes the first argument: stores.
func (a *app) completeStore(*storeFlags) completer {
	return func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return storeNames(word)
	}
}

// completeQuery completes a store, and then the last word of a query.
func (a *app) completeQuery(s *storeFlags) completer {
	text := a.completeText(s)
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			return storeNames(word)
		case 1:
			return text(cmd, args, word)
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeText completes the last word of a text with the fields of the store
// that the line names.
func (a *app) completeText(s *storeFlags) completer {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		cut := strings.LastIndexAny(word, " ,(") + 1
		var words []string
		for _, name := range a.fields(cmd.Context(), args[0], s) {
			if strings.HasPrefix(strings.ToLower(name), strings.ToLower(word[cut:])) {
				words = append(words, word[:cut]+name)
			}
		}
		return words, directive
	}
}

// completionTime bounds how long a completion may read a store.
const completionTime = 500 * time.Millisecond

// fields returns the fields of a store as queries write them: all of them where
// the store knows them, else those of its first records. Errors make none.
func (a *app) fields(ctx context.Context, store string, s *storeFlags) []string {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	db, err := dataknobs.Open(ctx, store, &dataknobs.Options{Params: s.values, ReadOnly: true})
	if err != nil {
		return nil
	}
	defer db.Close()
	var paths []string
	add := func(name string) {
		if p := dataknobs.Names(name).String(); !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	if n, ok := db.Driver().(dataknobs.Namer); ok {
		names, _ := n.FieldNames(ctx)
		for _, name := range names {
			add(name)
		}
	}
	if paths != nil {
		return paths
	}
	const look = 100
	n := 0
	for rec, err := range db.Run(ctx, &dataknobs.Query{}, dataknobs.OmitIDs(), dataknobs.OmitRevisions()) {
		if err != nil || n == look {
			break
		}
		n++
		for name := range rec.Fields.Names() {
			add(name)
		}
	}
	return paths
}

// dataFiles are the endings of the files that a store can be.
var dataFiles = []string{".csv", ".tsv", ".json", ".ndjson", ".jsonl", ".parquet"}

// storeNames completes the name of a store: data files, folders, schemes.
func storeNames(word string) ([]string, cobra.ShellCompDirective) {
	dir, base := filepath.Split(word)
	at := dir
	if at == "" {
		at = "."
	}
	entries, _ := os.ReadDir(at)
	var names []string
	folders := false
	for _, e := range entries {
		switch name := e.Name(); {
		case !strings.HasPrefix(name, base) || strings.HasPrefix(name, ".") && !strings.HasPrefix(base, "."):
		case isFolder(at, e):
			names = append(names, dir+name+"/")
			folders = true
		case isDataFile(name):
			names = append(names, dir+name)
		}
	}
	if dir == "" {
		for _, b := range dataknobs.Backends() {
			for _, s := range append([]string{b.Name}, b.Schemes...) {
				if strings.HasPrefix(s+":", word) && word != "" {
					names = append(names, s+":")
				}
			}
		}
	}
	if len(names) == 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	if folders && len(names) == 1 {
		return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func isFolder(dir string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

func isDataFile(name string) bool {
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	return slices.Contains(dataFiles, strings.ToLower(filepath.Ext(name)))
}
