package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/nearest"
)

func (a *app) putCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "put STORE [ID name=value...] [flags]",
		Short: "store records, from arguments or from standard input",
		Long: `Store one record given by arguments, or every record on standard input: NDJSON, or JSON objects and
arrays of objects. Exit code 0 means that all of them are durable.

Beside its fields an object may have the members that dk query prints: _id, _meta (an object), and
_rev, which makes the put conditional on that revision. A record without _id gets an ID from the
store's key, or a new one; --ids prints the IDs. When some records fail the others are stored all the same, and each
failure is named. What dk query prints of times and bytes are texts: dk copy keeps their kinds.

` + literalHelp,
		Example: `  dk put people.json ada name='Ada Lovelace' born=1815 address.city=London
  dk put people.json ada tags:='["maths", "engines"]'
  dk put planes.csv --key tailnum < new-planes.ndjson
  dk query old.json "status = 'open'" | dk put new.ndjson --mode create`,
		Args: storeAnd(0, ""),
	}
	mode := cmd.Flags().String("mode", "put", "what to do about records that exist: `put|create|update`; put replaces, create refuses\nthose that exist, update those that do not")
	ids := cmd.Flags().Bool("ids", false, "print the ID of each record that was stored")
	batch := cmd.Flags().Int("batch", 1000, "store at most `n` records at once")
	rev := cmd.Flags().String("if-revision", "", "store the one record only if it is at `revision`")
	store := storeOptions(cmd, "")
	_ = cmd.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions([]string{"put", "create", "update"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.ValidArgsFunction = a.completeStore(store)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cond, err := putMode(*mode)
		if err != nil {
			return err
		}
		if *batch < 1 {
			return usagef("--batch must be at least 1")
		}
		if len(args) == 1 && *rev != "" {
			return usagef("--if-revision is for one record").withHint("on standard input each record may have its own _rev")
		}
		recs := a.readRecords()
		if len(args) > 1 {
			w, err := argumentRecord(args[1:], *rev)
			if err != nil {
				return err
			}
			recs = func(yield func(dataknobs.Write, error) bool) { yield(w, nil) }
		} else if a.stdinIsTerminal() {
			a.note("reading records from the terminal: one JSON object a line, Ctrl-D ends")
		}
		return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
			p := &putter{a: a, db: db, cond: cond, ids: *ids, batch: *batch}
			return p.run(cmd.Context(), recs)
		})
	}
	return cmd
}

func putMode(mode string) (dataknobs.Condition, error) {
	switch mode {
	case "put":
		return dataknobs.Always, nil
	case "create":
		return dataknobs.IfAbsent, nil
	case "update":
		return dataknobs.IfPresent, nil
	}
	err := usagef("--mode %s is not one of put, create, update", mode)
	if near := nearest.Of(mode, []string{"put", "create", "update"}); near != "" {
		return 0, err.withHint("did you mean %s?", near)
	}
	return 0, err
}

// argumentRecord makes a record of ID name=value …
func argumentRecord(args []string, rev string) (w dataknobs.Write, err error) {
	id := args[0]
	if _, v, ok := strings.Cut(id, "="); ok && strings.Trim(v, "=") != "" {
		// Most likely the ID was left out; base64 may end in =.
		return w, usagef("the first argument after the store is the ID, not %s", id).
			withHint("a record that gets its ID from the store, or has a = in it, is put on standard input")
	}
	if id == "" {
		return w, usagef("the ID is empty").withHint("a record that gets its ID from the store is put on standard input")
	}
	changes, err := parseChanges(args[1:])
	if err != nil {
		return w, err
	}
	rec, err := dataknobs.ApplyChanges(dataknobs.NewRecord(id), changes)
	return dataknobs.Write{Op: dataknobs.WritePut, Record: rec, Revision: rev}, err
}

// A putter stores records in batches.
type putter struct {
	a     *app
	db    *dataknobs.DB
	cond  dataknobs.Condition
	ids   bool
	batch int

	read, created, replaced, failed int64
	first                           error // of the failures, for the exit code
}

// listedFailures bounds how many failures are named on stderr.
const listedFailures = 20

func (p *putter) run(ctx context.Context, recs iter.Seq2[dataknobs.Write, error]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var readErr error
	prog := p.a.progress("storing", "record", 0)
	defer prog.finish()
	for b := range inBatches(ctx, recs, p.batch) {
		if readErr = b.err; readErr != nil && len(b.writes) == 0 {
			break
		}
		if err := p.apply(ctx, b.writes); err != nil {
			return err
		}
		prog.done.Store(p.created + p.replaced)
		if readErr != nil {
			break
		}
	}
	prog.finish()
	if err := ctx.Err(); err != nil {
		return err
	}
	if readErr != nil {
		return fmt.Errorf("after %s stored: %w", count(p.created+p.replaced, "record"), readErr)
	}
	p.a.note("%s stored: %s new, %s replaced", count(p.created+p.replaced, "record"), thousands(p.created), thousands(p.replaced))
	if p.failed > listedFailures {
		p.a.say("and %s more failed", thousands(p.failed-listedFailures))
	}
	if p.first != nil {
		return codedError(exitCode(p.first))
	}
	return nil
}

// apply stores one batch and reports what failed.
func (p *putter) apply(ctx context.Context, ws []dataknobs.Write) error {
	for i := range ws {
		ws[i].If = p.cond
		if ws[i].Record.ID == "" && len(features(p.db).Key) == 0 && p.cond == dataknobs.Always {
			ws[i].If = dataknobs.IfAbsent
		}
	}
	results, err := p.db.Apply(ctx, ws)
	var some *dataknobs.BatchError
	if err != nil && (!errors.As(err, &some) || ctx.Err() != nil) {
		return err
	}
	for i, r := range results {
		switch {
		case r.Err != nil:
			p.fail(ws[i], i, r.Err)
			continue
		case r.Created:
			p.created++
		default:
			p.replaced++
		}
		if p.ids {
			if _, err := fmt.Fprintln(p.a.stdout, r.ID); err != nil {
				return err
			}
		}
	}
	p.read += int64(len(ws))
	return nil
}

func (p *putter) fail(w dataknobs.Write, i int, err error) {
	p.failed++
	if p.first == nil {
		p.first = err
	}
	if p.failed > listedFailures {
		return
	}
	text := err.Error()
	if w.Record.ID == "" {
		text = fmt.Sprintf("record %d of the input: %s", p.read+int64(i)+1, text)
	} else {
		text = fmt.Sprintf("record %q: %s", w.Record.ID, text)
	}
	p.a.report(fmt.Errorf("put: %s: %s", p.db.Name(), text))
}

// A writeBatch is some writes, and why no more come after them.
type writeBatch struct {
	writes []dataknobs.Write
	err    error
}

// inBatches gathers writes: at most size together, and what is there already
// as soon as no more is, so that a slow input is stored as it comes.
func inBatches(ctx context.Context, ws iter.Seq2[dataknobs.Write, error], size int) iter.Seq[writeBatch] {
	type item struct {
		w   dataknobs.Write
		err error
	}
	return func(yield func(writeBatch) bool) {
		items := make(chan item, size)
		stop := make(chan struct{})
		defer close(stop)
		// Nothing can interrupt a read from a terminal or a pipe: the goroutine
		// ends with its next record, or with the process.
		go func() {
			defer close(items)
			for w, err := range ws {
				select {
				case items <- item{w, err}:
				case <-stop:
					return
				}
			}
		}()
		for open := true; open; {
			var b writeBatch
			var it item
			select {
			case it, open = <-items:
			case <-ctx.Done():
				return
			}
			for open && b.err == nil {
				if b.err = it.err; it.err == nil {
					b.writes = append(b.writes, it.w)
				}
				if len(b.writes) >= size || len(items) == 0 || b.err != nil {
					break
				}
				it, open = <-items
			}
			if (len(b.writes) > 0 || b.err != nil) && (!yield(b) || b.err != nil) {
				return
			}
		}
	}
}
