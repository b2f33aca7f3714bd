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
				return bashCompletion(cmd.Root(), w)
			case "zsh":
				return cmd.Root().GenZshCompletion(w)
			}
			return cmd.Root().GenFishCompletion(w, true)
		})
	}
	return cmd
}

// bashCompletion writes cobra's script with two additions: it works without
// the package bash-completion, and inside an open quote, where queries stand.
func bashCompletion(root *cobra.Command, w *bufio.Writer) error {
	var script strings.Builder
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	const request = `    requestComp="${words[0]} __complete ${args[*]}"` + "\n"
	const handle = "__dk_handle_completion_types() {\n"
	text := strings.Replace(script.String(), request, request+bashOpenQuote, 1)
	text = strings.Replace(text, handle, handle+bashInQuote, 1)
	_, err := w.WriteString(bashWords + text)
	return err
}

const bashOpenQuote = `
    # An open quote is closed for the request; what completes it has none.
    __dk_open_quote=
    case ${cur} in
        \'*|\"*) __dk_open_quote=${cur:0:1} requestComp="${requestComp}${cur:0:1}" cur=${cur:1} ;;
    esac
`

const bashInQuote = `    # Inside quotes nothing needs a backslash.
    if [[ -n ${__dk_open_quote-} ]]; then
        local c tab=$'\t'
        COMPREPLY=()
        for c in "${completions[@]}"; do
            [[ ${c%%$tab*} == "$cur"* ]] && COMPREPLY+=("${c%%$tab*}")
        done
        return 0
    fi

`

const bashWords = `# A stand-in where the package bash-completion is not installed: it joins what
# bash has split at = and : again.
if ! declare -F _get_comp_words_by_ref >/dev/null; then
_get_comp_words_by_ref()
{
    local i glue=
    words=() cword=0
    for ((i = 0; i <= COMP_CWORD; i++)); do
        local word=${COMP_WORDS[i]}
        if [[ $i -gt 0 && ( -n $glue || $word == [=:]* ) && ${#words[@]} -gt 1 ]]; then
            words[${#words[@]}-1]+=$word
        else
            words+=("$word")
        fi
        glue=
        [[ $word == *[=:] ]] && glue=1
    done
    cword=$((${#words[@]} - 1)) cur=${words[${#words[@]}-1]} prev=
    [[ $cword -gt 0 ]] && prev=${words[cword-1]}
    return 0
}
fi

`

type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completeStore completes the first argument: stores.
func (a *app) completeStore(*storeFlags) completer {
	return func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.storeNames(word)
	}
}

// completeQuery completes a store, and then the last word of a query.
func (a *app) completeQuery(s *storeFlags) completer {
	text := a.completeText(s)
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			return a.storeNames(word)
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
	db, err := a.openNamed(ctx, store, &dataknobs.Options{Params: s.values, ReadOnly: true, Warn: func(string) {}})
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
	if n, ok := dataknobs.Ability[dataknobs.Namer](db.Driver()); ok {
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

// storeNames completes the name of a store: those of the configuration, then
// data files, folders, schemes.
func (a *app) storeNames(word string) ([]string, cobra.ShellCompDirective) {
	names, directive := fileNames(word)
	if found := a.configuredNames(word); len(found) > 0 {
		return append(found, names...), cobra.ShellCompDirectiveNoFileComp
	}
	return names, directive
}

// fileNames completes data files, folders and schemes.
func fileNames(word string) ([]string, cobra.ShellCompDirective) {
	scheme, word := pathScheme(word)
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
			names = append(names, scheme+dir+name+"/")
			folders = true
		case isDataFile(name) && !strings.HasSuffix(name, ".dk.json"): // what dk itself keeps beside a file
			names = append(names, scheme+dir+name)
		}
	}
	if dir == "" && scheme == "" {
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

// pathScheme splits off the scheme of a word that goes on with a path.
func pathScheme(word string) (scheme, rest string) {
	scheme, rest, ok := strings.Cut(word, ":")
	if !ok {
		return "", word
	}
	if b, err := dataknobs.LookupBackend(scheme); err != nil || !b.Paths {
		return "", word
	}
	return scheme + ":", rest
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
