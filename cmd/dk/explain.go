package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

func (a *app) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain STORE [QUERY] [flags]",
		Short: "show how a query is run",
		Long: `Print what the store does of a query, what is done here, and why. With --analyze the query is run,
and the plan says how many records were read and how many came back.`,
		Example: `  dk explain flights.parquet "carrier = 'AA' and dep_delay > 120 order by dep_delay desc limit 10"
  dk explain flights.csv --nulls NA "select origin, count(*) group by origin" --analyze`,
		Args: storeAnd(0, ""),
	}
	analyze := cmd.Flags().Bool("analyze", false, "run the query and count what it reads")
	out := cmd.Flags().StringP("output", "o", "text", "print as `text|json`")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	params := paramOptions(cmd)
	store := storeOptions(cmd, "")
	cmd.ValidArgsFunction = a.completeQuery(store)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *out != "text" && *out != "json" {
			return usagef("-o %s is not text or json", *out)
		}
		text, err := oneQuery(args[1:])
		if err != nil {
			return err
		}
		q, err := parseQuery(text, params)
		if err != nil {
			return err
		}
		return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
			p := a.progress("running", "record", 0)
			plan, err := db.Explain(cmd.Context(), q, dataknobs.ExplainOptions{Analyze: *analyze})
			p.finish()
			if err != nil {
				return err
			}
			if plan.Analysis != nil {
				fields := a.watchFields(db, q)
				fields.found = plan.Analysis.Returned > 0 && (!q.Grouped() || len(q.GroupBy) > 0)
				fields.end(cmd.Context())
			}
			return a.buffered(func(w *bufio.Writer) error { return writePlan(w, plan, *out) })
		})
	}
	return cmd
}

func writePlan(w *bufio.Writer, plan *dataknobs.Plan, format string) error {
	if format == "text" {
		_, err := fmt.Fprintln(w, strings.TrimRight(plan.String(), "\n"))
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(plan)
}
