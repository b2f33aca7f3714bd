package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// copyModes are the values of --mode.
var copyModes = []string{"create", "put", "skip", "append"}

func (a *app) copyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "copy SRC DST [flags]",
		Short: "copy records from one store into another",
		Long: `Copy the records of one store, or those that --where selects, into another.

A file that does not exist yet is written whole and named at the end: a copy that stops leaves nothing
behind, and starts again; so it is where the store can load a stream in one transaction (sqlite, postgres).
Into other stores, or with --batch, records are copied in batches; how far that came is kept in
$XDG_STATE_HOME/dk, and the same command continues there. Exit code 0 means that everything is durable.

Options of a store are flags: plain ones (--nulls NA) and --src-… are the source's, --dst-… the
destination's. --mode says what happens to records that the destination has already:
  create  is an error (the default)
  put     replaces them
  skip    leaves them alone
  append  for files whose records have no key: adds every record as a new one`,
		Example: `  dk copy flights.csv flights.parquet --nulls NA
  dk copy flights.csv.gz jfk.ndjson --nulls NA --where "origin = 'JFK'" --select "carrier, flight, dest"
  dk copy new-planes.csv planes.csv --src-key tailnum --dst-key tailnum --mode put
  dk copy 'logs/*.csv.gz' logs.parquet --dst-compression zstd
  dk copy people.json - --dst-format csv
  dk copy flights.csv.gz 'sqlite:flights.db?table=flights' --nulls NA
  dk copy people.json 'sqlite:app.db?table=people' --batch 10000`,
		Args: storeAnd(1, "the destination"),
	}
	c := &copier{a: a}
	cmd.Flags().StringVar(&c.where, "where", "", "copy the records that satisfy the `condition`")
	cmd.Flags().StringVar(&c.sel, "select", "", "copy these `paths`: path [AS name], …")
	cmd.Flags().StringVar(&c.modeName, "mode", "create", "what to do about records that exist: `"+strings.Join(copyModes, "|")+"`")
	cmd.Flags().IntVar(&c.batch, "batch", 0, "write `n` records at once, into a store that exists; 0: all in one transaction where the store can, else what suits it")
	cmd.Flags().IntVar(&c.parallel, "parallel", 0, "write `n` batches at the same time; 0: as many as the store gains from")
	cmd.Flags().BoolVar(&c.dry, "dry-run", false, "print how many records there are to copy, and copy none")
	c.params = paramOptions(cmd)
	plain := storeOptions(cmd, "")
	src, dst := storeOptions(cmd, "src-"), storeOptions(cmd, "dst-")
	_ = cmd.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions(copyModes, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("where", a.completeText(plain))
	_ = cmd.RegisterFlagCompletionFunc("select", a.completeText(plain))
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.storeNames(word)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 2 {
			return usagef("copy takes a source and a destination, but %q was given too", args[2]).
				withHint("quote a pattern of several files: 'logs/*.csv'")
		}
		for name, text := range src.values {
			if plain.values[name] != "" {
				return usagef("--%s and --src-%s both set the source", flagName(name), flagName(name))
			}
			plain.values[name] = text
		}
		c.srcName, c.dstName, c.srcParams, c.dstParams = args[0], args[1], plain.values, dst.values
		return c.run(cmd.Context())
	}
	return cmd
}

// A copier is one copy.
type copier struct {
	a                    *app
	where, sel, modeName string
	batch, parallel      int
	dry                  bool
	params               *paramFlags
	srcName, dstName     string
	srcParams, dstParams map[string]string

	q        *dataknobs.Query
	mode     dataknobs.LoadMode
	append   bool
	src, dst *dataknobs.DB
	stats    dataknobs.ScanStats
	fields   *fieldWatch
}

func (c *copier) run(ctx context.Context) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	if c.src, err = c.a.openWith(ctx, c.srcName, &dataknobs.Options{Params: c.srcParams, ReadOnly: true}); err != nil {
		return err
	}
	defer closing(c.src, &err)
	c.fields = c.a.watchFields(c.src, c.q)
	if c.dry {
		return c.dryRun(ctx)
	}
	if isNewFile(c.a.place(c.dstName)) {
		return c.whole(ctx)
	}
	if c.dst, err = c.a.openWith(ctx, c.dstName, &dataknobs.Options{Params: c.dstParams}); err != nil {
		return err
	}
	defer closing(c.dst, &err)
	if c.inOne() {
		return c.bulk(ctx)
	}
	if c.batch == 0 {
		c.batch = max(defaultBatch, features(c.dst).MaxBatch)
	}
	return c.inBatches(ctx)
}

// defaultBatch is how many records a batch has where neither anybody nor the
// store says.
const defaultBatch = 1000

// inOne reports whether all of the copy is one load of the destination, which
// it keeps whole or not at all.
func (c *copier) inOne() bool {
	_, loads := dataknobs.Ability[dataknobs.Loader](c.dst.Driver())
	_, isFile := filePath(c.a.place(c.dstName)) // what it holds already would have to be written again
	return loads && !isFile && c.batch == 0
}

// bulk copies in one load into a store that exists.
func (c *copier) bulk(ctx context.Context) error {
	if err := c.checkKeys(); err != nil {
		return err
	}
	return c.load(ctx)
}

// check reads the flags and compares the stores' names.
func (c *copier) check() (err error) {
	switch c.modeName {
	case "create":
	case "put":
		c.mode = dataknobs.LoadPut
	case "skip":
		c.mode = dataknobs.LoadSkip
	case "append":
		c.append = true
	default:
		err := usagef("--mode %s is not one of %s", c.modeName, strings.Join(copyModes, ", "))
		if near := nearest.Of(c.modeName, copyModes); near != "" {
			return err.withHint("did you mean %s?", near)
		}
		return err
	}
	if c.batch < 0 || c.parallel < 0 {
		return usagef("--batch and --parallel must not be negative")
	}
	if c.q, err = copyQuery(c.sel, c.where, c.params); err != nil {
		return err
	}
	src, ok1 := filePath(c.a.place(c.srcName))
	dst, ok2 := filePath(c.a.place(c.dstName))
	if ok1 && ok2 && sameFile(src, dst) {
		return usagef("the source and the destination are the same file, %s", dst)
	}
	return nil
}

func sameFile(a, b string) bool {
	ai, err1 := os.Stat(a)
	bi, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(ai, bi)
}

// copyQuery makes the query of --select and --where.
func copyQuery(sel, where string, params *paramFlags) (*dataknobs.Query, error) {
	q := &dataknobs.Query{}
	if strings.TrimSpace(sel) != "" {
		s, err := dataknobs.Parse("SELECT " + sel)
		if err != nil {
			return nil, err
		}
		if s.Grouped() || s.Where != nil || s.OrderBy != nil || s.Limit != nil || s.Offset != 0 {
			return nil, usagef("--select takes paths only").withHint("conditions go into --where")
		}
		q.Select = s.Select
	}
	if strings.TrimSpace(where) == "" {
		if len(params.args)+len(params.named) > 0 {
			return nil, usagef("there is no --where that the parameters could belong to")
		}
		return q, nil
	}
	var err error
	q.Where, err = parseWhere(where, params)
	return q, err
}

var login = regexp.MustCompile(`://[^@]*@`)

// shown is the name of a store that is not opened, without what may be secret:
// its options and its login.
func shown(store string) string {
	if _, isFile := filePath(store); isFile {
		return store
	}
	store, _, _ = strings.Cut(store, "?")
	return login.ReplaceAllString(store, "://***@")
}

func (c *copier) dryRun(ctx context.Context) error {
	n, err := c.src.Count(ctx, c.q.Where)
	if err != nil {
		return err
	}
	c.fields.found = n > 0
	c.fields.end(ctx)
	return c.a.buffered(func(w *bufio.Writer) error {
		_, err := fmt.Fprintf(w, "would copy %s from %s to %s\n", count(n, "record"), c.src.Name(), shown(c.a.place(c.dstName)))
		return err
	})
}

// options are those of the Run that reads the source.
func (c *copier) options() []dataknobs.RunOption {
	opts := []dataknobs.RunOption{dataknobs.CollectStats(&c.stats), dataknobs.OmitRevisions()}
	if c.rowIDs() {
		opts = append(opts, dataknobs.OmitIDs())
	}
	return opts
}

// rowIDs reports whether the source's IDs are mere row numbers, which are no
// IDs anywhere else.
func (c *copier) rowIDs() bool { return features(c.src).RowIDs != "" }

// whole writes a new file: all of it, or nothing.
func (c *copier) whole(ctx context.Context) (err error) {
	c.inheritKey()
	dst, err := c.a.openWith(ctx, c.dstName, &dataknobs.Options{Params: c.dstParams})
	if err != nil {
		return err
	}
	c.dst = dst
	defer func() {
		if cerr := dst.Close(); err == nil {
			err = cerr
		}
	}()
	defer func() {
		if errors.Is(err, syscall.EPIPE) && toStdout(c.a.place(c.dstName)) {
			err = &outputError{err} // not of a store that hung up
		}
	}()
	return c.load(ctx)
}

// load copies everything in one load of the destination.
func (c *copier) load(ctx context.Context) error {
	p := c.progress("copying")
	defer p.finish()
	if n, done, err := c.convert(ctx); done {
		p.finish()
		return c.finish(ctx, n, 0, err)
	}
	res, err := c.dst.Load(ctx, c.records(ctx, c.q), &dataknobs.LoadOptions{
		Mode: c.mode, Batch: c.batch, Parallel: c.parallel, Schema: c.hint(ctx),
	})
	p.finish()
	return c.finish(ctx, res.Written, res.Skipped, err)
}

// convert copies from file to file without making records, where that can be
// done. It reports whether it was.
func (c *copier) convert(ctx context.Context) (n int64, done bool, err error) {
	src, ok1 := c.src.Driver().(*file.Driver)
	dst, ok2 := c.dst.Driver().(*file.Driver)
	if !ok1 || !ok2 || c.q.Where != nil || c.q.Select != nil || c.mode != dataknobs.LoadCreate {
		return 0, false, nil
	}
	n, err = file.Convert(ctx, src, dst, &c.stats)
	return n, dataknobs.CodeOf(err) != dataknobs.Unsupported, err
}

// hint says what the source's records hold, where it knows that without
// reading them one by one: the destination then chooses its columns at once.
func (c *copier) hint(ctx context.Context) *dataknobs.Schema {
	namer, ok1 := dataknobs.Ability[dataknobs.Namer](c.src.Driver())
	typed, ok2 := dataknobs.Ability[dataknobs.Typed](c.src.Driver())
	if !ok1 || !ok2 {
		return nil
	}
	var paths []dataknobs.Path
	names, err := namer.FieldNames(ctx)
	for _, n := range names {
		paths = append(paths, dataknobs.Names(n))
	}
	as := paths
	if c.q.Select != nil {
		paths, as = nil, nil
		for _, col := range c.q.Select {
			if col.As == "" && len(col.Path) > 1 || col.Path.IsSystem() {
				return nil
			}
			paths, as = append(paths, col.Path), append(as, dataknobs.Names(columnName(c.q, col)))
		}
	}
	if err != nil || len(names) == 0 {
		return nil
	}
	kinds, err := typed.Kinds(ctx, paths)
	if err != nil {
		return nil // the copy itself will say what is wrong
	}
	s := &dataknobs.Schema{Records: -1}
	for i, k := range kinds {
		if k == 0 {
			return nil
		}
		s.Fields = append(s.Fields, dataknobs.FieldSchema{Path: as[i], Kinds: k, Nulls: -1})
	}
	return s
}

// inheritKey makes a new file's key that of the source, where the key is copied.
func (c *copier) inheritKey() {
	key := c.srcParams["key"]
	if _, set := c.dstParams["key"]; set || key == "" {
		return
	}
	if c.q.Select != nil {
		for _, k := range features(c.src).Key {
			if !slices.ContainsFunc(c.q.Select, func(col dataknobs.Column) bool { return col.As == "" && col.Path.Equal(dataknobs.Names(k)) }) {
				return
			}
		}
	}
	c.dstParams = maps.Clone(c.dstParams)
	c.dstParams["key"] = key
}

// progress shows how much of the source has been read.
func (c *copier) progress(what string) *progress {
	if path, ok := filePath(c.a.place(c.srcName)); ok {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			p := c.a.progress(what, "byte", info.Size())
			p.source = c.stats.Bytes.Load
			return p
		}
	}
	p := c.a.progress(what, "record", 0)
	p.source = c.stats.Records.Load
	return p
}

// finish says what was done.
func (c *copier) finish(ctx context.Context, written, skipped int64, err error) error {
	if err != nil {
		return err
	}
	more := ""
	if skipped > 0 {
		more = fmt.Sprintf(", %s left alone because they exist", thousands(skipped))
	}
	c.fields.end(ctx)
	c.a.note("copied %s to %s%s", count(written, "record"), c.dst.Name(), more)
	return nil
}
