package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
)

func (a *app) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema STORE [flags]",
		Short: "show the fields of a store",
		Long: `Print each field with the kinds of its values, in how many records it is null or absent, and examples.
A nested field stands under its path; [] marks the elements of an array.`,
		Example: `  dk schema planes.csv
  dk schema flights.csv.gz --nulls NA
  dk schema cities15000.json.gz -o json`,
		Args: storeAnd(0, ""),
	}
	out := outputOption(cmd)
	store := storeOptions(cmd, "")
	cmd.ValidArgsFunction = a.completeStore(store)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("schema takes one store, but %q was given too", args[1])
		}
		format, err := a.format(*out)
		if err != nil {
			return err
		}
		return a.withStore(cmd.Context(), args[0], store, func(db *dataknobs.DB) error {
			return a.schema(cmd.Context(), db, format)
		})
	}
	return cmd
}

func (a *app) schema(ctx context.Context, db *dataknobs.DB, format string) error {
	p := a.progress("reading", "record", 0)
	defer p.finish()
	s, err := db.Schema(ctx)
	if err != nil {
		return err
	}
	p.finish()
	rows := func(yield func(*dataknobs.Record, error) bool) {
		for i := range s.Fields {
			if !yield(schemaRecord(&s.Fields[i], format), nil) {
				return
			}
		}
	}
	shown := shape{columns: []string{"field", "kinds", "nulls", "examples"}}
	if _, err := a.printAll(ctx, format, shown, nil, rows); err != nil {
		return err
	}
	if s.Records >= 0 {
		a.note("(%s)", count(s.Records, "record"))
	}
	return nil
}

// schemaRecord is a field of a schema as a record.
func schemaRecord(f *dataknobs.FieldSchema, format string) *dataknobs.Record {
	kinds := f.Kinds.String()
	if f.Kinds.Has(dataknobs.KindArray) && f.Elems != 0 {
		kinds = strings.Replace(kinds, "array", "array of "+f.Elems.String(), 1)
	}
	nulls := dataknobs.Null()
	if f.Nulls >= 0 {
		nulls = dataknobs.Int(f.Nulls)
	}
	examples := dataknobs.Array(f.Examples...)
	if !nests(format) {
		texts := make([]string, len(f.Examples))
		for i, v := range f.Examples {
			texts[i] = fit(cellText(v), 24)
		}
		examples = dataknobs.String(strings.Join(texts, ", "))
	}
	return &dataknobs.Record{Fields: dataknobs.Fields{
		{Name: "field", Value: dataknobs.String(f.Path.String())},
		{Name: "kinds", Value: dataknobs.String(kinds)},
		{Name: "nulls", Value: nulls},
		{Name: "examples", Value: examples},
	}}
}
