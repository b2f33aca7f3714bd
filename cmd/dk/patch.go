package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

func (a *app) patchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "patch STORE [ID] name=value... [flags]",
		Short: "change fields of records, and keep the rest",
		Long: `Set or remove the values at the given paths of one record, or of every record that --where selects.
Exit code 0 means that the change is durable.

` + literalHelp,
		Example: `  dk patch people.json ada address.city=Paris _meta.source=letter
  dk patch people.json ada --unset nickname --if-revision 5f2c
  dk patch planes.csv --key tailnum --where "year < 1970" retired=true`,
		Args: storeAnd(0, ""),
	}
	unset := cmd.Flags().StringArray("unset", nil, "remove what is at `path`; may be given again")
	where := cmd.Flags().String("where", "", "patch every record that satisfies the `condition`")
	rev := cmd.Flags().String("if-revision", "", "patch the one record only if it is at `revision`")
	params := paramOptions(cmd)
	store := storeOptions(cmd, "")
	cmd.ValidArgsFunction = a.completeStore(store)
	_ = cmd.RegisterFlagCompletionFunc("where", a.completeText(store))
	_ = cmd.RegisterFlagCompletionFunc("unset", a.completeText(store))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, texts, byWhere := "", args[1:], cmd.Flags().Changed("where")
		if !byWhere {
			if len(texts) == 0 {
				return usagef("no record is named").withHint("give an ID, or --where CONDITION")
			}
			id, texts = texts[0], texts[1:]
		}
		changes, err := patchChanges(texts, *unset)
		if err != nil {
			return err
		}
		if !byWhere {
			return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
				a.warnUnset(cmd.Context(), db, id, changes)
				_, err := db.Patch(cmd.Context(), id, changes, revisionOption(*rev)...)
				return err
			})
		}
		expr, err := whereFlag(*where, params, *rev)
		if err != nil {
			return err
		}
		return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
			a.warnUnset(cmd.Context(), db, "", changes)
			return a.changed(cmd.Context(), db, expr, "patched", func(ctx context.Context) (int64, error) {
				return db.PatchWhere(ctx, expr, changes)
			})
		})
	}
	return cmd
}

func patchChanges(sets, unsets []string) ([]dataknobs.Change, error) {
	changes, err := parseChanges(sets)
	if err != nil {
		return nil, err
	}
	for _, u := range unsets {
		p, err := dataknobs.ParsePath(u)
		if err != nil {
			return nil, err
		}
		changes = append(changes, dataknobs.Change{Path: p, Remove: true})
	}
	if len(changes) == 0 {
		return nil, usagef("there is nothing to change").withHint("give name=value, or --unset PATH")
	}
	return changes, nil
}

func revisionOption(rev string) []dataknobs.WriteOption {
	if rev == "" {
		return nil
	}
	return []dataknobs.WriteOption{dataknobs.IfRevision(rev)}
}

// whereFlag reads the condition of a change of many records.
func whereFlag(where string, params *paramFlags, rev string) (dataknobs.Expr, error) {
	switch {
	case rev != "":
		return nil, usagef("--if-revision is for one record").withHint("it cannot stand beside --where")
	case strings.TrimSpace(where) == "":
		return nil, usagef("--where has no condition").withHint("to mean every record, say --where '_id is not null'")
	}
	return parseWhere(where, params)
}

// changed runs a change of the records that where selects and says how many
// there were.
func (a *app) changed(ctx context.Context, db *dataknobs.DB, where dataknobs.Expr, what string, do func(context.Context) (int64, error)) error {
	p := a.progress("working", "record", 0)
	n, err := do(ctx)
	p.finish()
	if err != nil {
		if n > 0 {
			a.say("%s had been %s before this:", count(n, "record"), what)
		}
		return err
	}
	if n == 0 {
		a.warnKinds(ctx, db, where)
	}
	a.warnFields(ctx, db, where, n)
	a.note("%s %s", count(n, "record"), what)
	return nil
}
