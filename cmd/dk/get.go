package main

import (
	"context"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

func (a *app) getCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get STORE ID... [flags]",
		Short: "print records by their IDs",
		Long: `Print the records of those IDs, in the order asked for. An ID that is not there is named on
standard error and makes the exit code 3; the others are printed all the same.

An ID that begins with a dash goes after --.`,
		Example: `  dk get planes.csv N14228 N24211 --key tailnum
  dk get people.json ada -o json
  dk get notes.ndjson -- -draft-`,
		Args: storeAnd(1, "the ID"),
	}
	out, rev := outputOption(cmd), revOption(cmd)
	store := storeOptions(cmd, "")
	cmd.ValidArgsFunction = a.completeStore(store)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := a.format(*out)
		if err != nil {
			return err
		}
		return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
			return a.get(cmd.Context(), db, args[1:], view{format: format, rev: *rev})
		})
	}
	return cmd
}

func (a *app) get(ctx context.Context, db *dataknobs.DB, ids []string, v view) error {
	recs, err := db.GetMany(ctx, ids)
	if err != nil {
		return err
	}
	missing := 0
	found := func(yield func(*dataknobs.Record, error) bool) {
		for i, rec := range recs {
			if rec == nil {
				missing++
				a.report(&dataknobs.Error{Code: dataknobs.NotFound, Op: "get", Store: db.Name(), ID: ids[i], Hint: features(db).RowIDs})
				continue
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
	s := shapeOf(db, &dataknobs.Query{})
	s.rev = v.rev
	if _, err := a.printAll(ctx, v.format, s, nil, found); err != nil {
		return err
	}
	if missing > 0 {
		return codedError(exitNotFound)
	}
	return nil
}
