package main

import (
	"bufio"
	"fmt"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

func (a *app) countCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "count STORE [CONDITION] [flags]",
		Short: "count records",
		Long:  `Print how many records satisfy a condition; without one, how many there are.`,
		Example: `  dk count flights.csv
  dk count flights.csv "origin = 'JFK' and arr_delay > 60" --nulls NA
  dk count people.json 'age between ? and ?' --arg 18 --arg 25`,
		Args: storeAnd(0, ""),
	}
	params := paramOptions(cmd)
	store := storeOptions(cmd, "")
	cmd.ValidArgsFunction = a.completeQuery(store)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text, err := oneQuery(args[1:])
		if err != nil {
			return err
		}
		where, err := parseWhere(text, params)
		if err != nil {
			return err
		}
		return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
			p := a.progress("counting", "record", 0)
			n, err := db.Count(cmd.Context(), where)
			p.finish()
			if err != nil {
				return err
			}
			if n == 0 {
				a.warnKinds(cmd.Context(), db, where)
			}
			a.warnFields(cmd.Context(), db, where, n)
			return a.buffered(func(w *bufio.Writer) error {
				_, err := fmt.Fprintln(w, n)
				return err
			})
		})
	}
	return cmd
}
