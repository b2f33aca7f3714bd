package main

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

func (a *app) queryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "query STORE [QUERY] [flags]",
		Short: "ask for records",
		Long: `Print the records that a query asks for; without a query, all of them.

A query is a condition, or
  SELECT * | path [AS name], … WHERE condition GROUP BY path, … HAVING condition
  ORDER BY path [ASC|DESC] [NULLS FIRST|LAST], … LIMIT n OFFSET n
of which every part may be left out. Names with spaces or dots stand in backticks, texts in '…'.

On a terminal the answer is a table; one without a LIMIT stops after 1,000 records, unless -o table
asks for it. In a pipe it is NDJSON. _id is shown where it says something that the fields do not.

A field that the store does not have is named in a warning, with the one that was probably meant. Where
the store does not know its fields, its first 1,000 records are looked at (for a second at most), and
only if the answer shows nothing of the field.`,
		Example: `  dk query flights.csv --nulls NA "carrier = 'AA' and dep_delay > 120 order by dep_delay desc limit 10"
  dk query flights.csv --nulls NA "select carrier, count(*), avg(dep_delay) group by carrier order by avg(dep_delay) desc"
  dk query people.json "address.city in ('Oslo', 'Bergen') and tags contains 'vip'" -o json
  dk query people.json 'age >= :age and name starts with :start' --param age=18 --param start=A
  dk query 'logs/*.ndjson.gz' "level = 'error' and time > time '2026-01-02T00:00:00Z'" -o csv > errors.csv
  cat people.ndjson | dk query - 'email is null' --format ndjson`,
		Args: storeAnd(0, ""),
	}
	out, rev := outputOption(cmd), revOption(cmd)
	strict := cmd.Flags().Bool("strict-pushdown", false, "fail where the store leaves a part of the query to be done here")
	params := paramOptions(cmd)
	store := storeOptions(cmd, "")
	cmd.ValidArgsFunction = a.completeQuery(store)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text, err := oneQuery(args[1:])
		if err != nil {
			return err
		}
		q, err := parseQuery(text, params)
		if err != nil {
			return err
		}
		format, err := a.format(*out)
		if err != nil {
			return err
		}
		return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
			return a.query(cmd.Context(), db, q, view{format, *out == "", *rev, *strict})
		})
	}
	return cmd
}

// A view is how results are to be shown.
type view struct {
	format  string
	unasked bool // nobody chose the format
	rev     bool // with revisions
	strict  bool // all of it in the store
}

// query prints the results of q.
func (a *app) query(ctx context.Context, db *dataknobs.DB, q *dataknobs.Query, v view) error {
	if !nests(v.format) {
		q = flat(q)
	}
	names, err := fieldNames(ctx, db, q) // first: it makes standard input known
	if err != nil {
		return err
	}
	s := shapeOf(db, q)
	s.rev = s.rev || v.rev && !q.Grouped()
	w := a.watch("reading")
	defer w.finish()
	opts := w.options(s)
	if v.strict {
		opts = append(opts, dataknobs.StrictPushdown())
	}
	fields := a.watchFields(db, q)
	recs := w.until(fields.until(db.Run(ctx, q, opts...)))
	if v.format == "table" && v.unasked && q.Limit == nil {
		recs = a.firstOnly(recs, tableOnTerminal)
	}
	n, err := a.printAll(ctx, v.format, s, names, recs)
	if err == nil && n == 0 {
		a.warnKinds(ctx, db, q.Where)
	}
	if err == nil && v.format == "table" {
		a.note("(%s)", count(n, "record"))
	}
	if err == nil {
		fields.end(ctx)
	}
	return err
}

// fieldNames returns the names of all fields that the results of q may have,
// nil if the store does not know them without reading everything.
func fieldNames(ctx context.Context, db *dataknobs.DB, q *dataknobs.Query) ([]string, error) {
	n, ok := dataknobs.Ability[dataknobs.Namer](db.Driver())
	if !ok || q.Grouped() {
		return nil, nil
	}
	return n.FieldNames(ctx)
}

// firstOnly ends recs after n records and says that there are more.
func (a *app) firstOnly(recs iter.Seq2[*dataknobs.Record, error], n int) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		i := 0
		for rec, err := range recs {
			if i == n && err == nil {
				a.note("… and more: these are the first %s; LIMIT n or -o table, -o csv print as many as you like", thousands(int64(n)))
				return
			}
			if i++; !yield(rec, err) {
				return
			}
		}
	}
}
