package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

func (a *app) deleteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete STORE [ID...] [flags]",
		Short: "remove records",
		Long: `Remove the records of those IDs, or every record that --where selects. An ID that is not there is
named on standard error and makes the exit code 3; the others are removed all the same. Exit code 0
means that the change is durable.`,
		Example: `  dk delete people.json ada grace
  dk delete people.json ada --if-revision 5f2c
  dk delete planes.csv --key tailnum --where "year < 1970" --dry-run`,
		Args: storeAnd(0, ""),
	}
	where := cmd.Flags().String("where", "", "remove every record that satisfies the `condition`")
	rev := cmd.Flags().String("if-revision", "", "remove the one record only if it is at `revision`")
	dry := cmd.Flags().Bool("dry-run", false, "with --where: print how many records there are to remove, and remove none")
	params := paramOptions(cmd)
	store := storeOptions(cmd, "")
	cmd.ValidArgsFunction = a.completeStore(store)
	_ = cmd.RegisterFlagCompletionFunc("where", a.completeText(store))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ids, byWhere := args[1:], cmd.Flags().Changed("where")
		switch {
		case byWhere && len(ids) > 0:
			return usagef("give either IDs or --where")
		case !byWhere && len(ids) == 0:
			return usagef("no record is named").withHint("give IDs, or --where CONDITION")
		case !byWhere && *dry:
			return usagef("--dry-run is for --where")
		case *rev != "" && len(ids) != 1:
			return usagef("--if-revision is for one record")
		}
		if !byWhere {
			return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
				return a.deleteIDs(cmd.Context(), db, ids, *rev)
			})
		}
		expr, err := whereFlag(*where, params, *rev)
		if err != nil {
			return err
		}
		return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
			return a.deleteWhere(cmd.Context(), db, expr, *dry)
		})
	}
	return cmd
}

func (a *app) deleteWhere(ctx context.Context, db *dataknobs.DB, where dataknobs.Expr, dry bool) error {
	if !dry {
		return a.changed(ctx, db, where, "removed", func(ctx context.Context) (int64, error) { return db.DeleteWhere(ctx, where) })
	}
	n, err := db.Count(ctx, where)
	if err != nil {
		return err
	}
	if n == 0 {
		a.warnKinds(ctx, db, where)
	}
	a.warnFields(ctx, db, where, n)
	return a.buffered(func(w *bufio.Writer) error {
		_, err := fmt.Fprintln(w, n)
		return err
	})
}

func (a *app) deleteIDs(ctx context.Context, db *dataknobs.DB, ids []string, rev string) error {
	if len(ids) == 1 {
		return db.Delete(ctx, ids[0], revisionOption(rev)...)
	}
	results, err := db.DeleteMany(ctx, ids)
	var some *dataknobs.BatchError
	if err != nil && (!errors.As(err, &some) || ctx.Err() != nil) {
		return err
	}
	code := exitDone
	for i, r := range results {
		if r.Err != nil {
			a.report(fmt.Errorf("delete: %s: record %q: %w", db.Name(), ids[i], r.Err))
			code = max(code, exitCode(r.Err))
		}
	}
	if code != exitDone {
		return codedError(code)
	}
	return nil
}
