package main

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/nearest"
)

// outputFormats are the values of -o.
var outputFormats = []string{"table", "json", "ndjson", "csv", "markdown", "parquet"}

func outputOption(cmd *cobra.Command) *string {
	o := cmd.Flags().StringP("output", "o", "", "print as this `format`: table (the rule on a terminal), ndjson (elsewhere), json, csv, markdown, parquet")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputFormats, cobra.ShellCompDirectiveNoFileComp))
	return o
}

func revOption(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("rev", false, "show the revision of each record, as _rev")
}

// A printer prints records one after the other.
type printer interface {
	// print prints rec; it keeps nothing of it.
	print(rec *dataknobs.Record) error
	// close prints what is left. It is called once. After a failure, which is
	// then not nil, it prints nothing that would make the output look whole.
	close(failure error) error
}

// A shape says what of each record is printed.
type shape struct {
	id, rev, meta bool
	columns       []string // the names of the fields, in order; nil: those that come
}

// shapeOf says what of the results of q is printed: the ID where it tells
// something that the fields do not (it is neither a row number nor the text of
// a field), or where it was asked for.
func shapeOf(db *dataknobs.DB, q *dataknobs.Query) shape {
	s := shape{}
	if !q.Grouped() {
		f := features(db)
		s.id = f.RowIDs == "" && len(f.Key) != 1
	}
	for _, c := range q.Select {
		switch {
		case c.As == "" && c.Agg == dataknobs.NoAgg && c.Path.IsID():
			s.id = true
		case c.As == "" && c.Agg == dataknobs.NoAgg && c.Path.IsRevision():
			s.rev = true
		case c.As == "" && len(c.Path) == 1 && c.Path.IsMetadata():
			s.meta = true
		default:
			s.columns = append(s.columns, columnName(q, c))
		}
	}
	if q.Select != nil && s.columns == nil {
		s.columns = []string{}
	}
	return s
}

// columnName is what the engine calls the column in its results.
func columnName(q *dataknobs.Query, c dataknobs.Column) string {
	if !q.Grouped() && c.As == "" {
		return c.Path[0].Name // nesting is kept: see flat
	}
	return c.Name()
}

// flat returns q such that every column of its results is a field of its own,
// for formats that cannot show nesting: a.b is then a field of that name.
func flat(q *dataknobs.Query) *dataknobs.Query {
	if q.Grouped() {
		return q
	}
	f := *q
	f.Select = slices.Clone(q.Select)
	for i, c := range f.Select {
		if c.As == "" && len(c.Path) > 1 {
			f.Select[i].As = c.Path.String()
		}
	}
	return &f
}

// nests reports whether the format shows values inside values.
func nests(format string) bool {
	return format == "json" || format == "ndjson" || format == "parquet"
}

// format returns the format that -o asks for.
func (a *app) format(asked string) (string, error) {
	switch {
	case asked == "" && a.out.tty:
		return "table", nil
	case asked == "":
		return "ndjson", nil
	case asked == "md":
		return "markdown", nil
	case asked == "jsonl":
		return "ndjson", nil
	case asked == "parquet" && a.out.tty:
		return "", usagef("Parquet is not for a terminal").withHint("redirect it: … -o parquet > file.parquet")
	}
	if slices.Contains(outputFormats, asked) {
		return asked, nil
	}
	err := usagef("-o %s is not an output format", asked)
	if near := nearest.Of(asked, outputFormats); near != "" {
		return "", err.withHint("did you mean %s?", near)
	}
	return "", err.withHint("one of %s", strings.Join(outputFormats, ", "))
}

// tableOnTerminal is how many records a table on a terminal shows of a query
// that has no limit of its own, when nobody asked for a table.
const tableOnTerminal = 1000

// printAll prints the records in that format.
func (a *app) printAll(ctx context.Context, format string, s shape, names []string, recs iter.Seq2[*dataknobs.Record, error]) (n int64, err error) {
	var notes []string // for after the output
	to := a.stdout
	if format == "table" {
		to = a.styled // its cells are printable
	}
	err = bufferTo(to, func(w *bufio.Writer) error {
		p := a.printer(ctx, format, w, s, names, func(text string) { notes = append(notes, text) })
		for rec, rerr := range recs {
			if rerr != nil {
				err = rerr
				break
			}
			if err = p.print(rec); err != nil {
				break
			}
			n++
		}
		if cerr := p.close(err); err == nil {
			err = cerr
		}
		return err
	})
	for _, text := range notes {
		a.note("%s", text)
	}
	return n, err
}

// printer returns the printer for a format. names are the names of all fields
// that may come, nil if that is not known before. note takes what is to be said
// about the output after it.
func (a *app) printer(ctx context.Context, format string, w *bufio.Writer, s shape, names []string, note func(string)) printer {
	switch format {
	case "ndjson":
		return &ndjsonPrinter{w: w, s: s}
	case "json":
		return &jsonPrinter{ndjsonPrinter{w: w, s: s}, 0}
	case "parquet":
		return newParquetPrinter(ctx, w, s)
	}
	make := func(columns []string) printer {
		s := s
		s.columns = columns
		switch format {
		case "csv":
			return newCSVPrinter(w, s)
		case "markdown":
			return newTable(w, s, screen{}, markdownStyle)
		}
		t := newTable(w, s, a.out, plainStyle)
		t.cut = func(left []string) {
			note(fmt.Sprintf("%s not shown for want of room: %s (SELECT what you want to see, or -o csv)", count(int64(len(left)), "column"), listed(left, 8)))
		}
		return t
	}
	switch {
	case s.columns != nil:
		return make(s.columns)
	case names != nil:
		return make(names)
	}
	return &spool{make: make}
}

// listed joins the first n names.
func listed(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:n], ", ") + ", …"
}

// row appends the values of rec to vs, in the order of head.
func (s *shape) row(vs []dataknobs.Value, rec *dataknobs.Record) []dataknobs.Value {
	if s.id {
		vs = append(vs, rec.Lookup(dataknobs.PathID))
	}
	if s.rev {
		vs = append(vs, rec.Lookup(dataknobs.PathRevision))
	}
	for i, c := range s.columns {
		if i < len(rec.Fields) && rec.Fields[i].Name == c {
			vs = append(vs, rec.Fields[i].Value) // the usual case
			continue
		}
		vs = append(vs, rec.Get(c))
	}
	if s.meta {
		vs = append(vs, rec.Lookup(dataknobs.PathMetadata))
	}
	return vs
}

// head is the names of the columns that row fills.
func (s *shape) head() []string {
	var names []string
	if s.id {
		names = append(names, "_id")
	}
	if s.rev {
		names = append(names, "_rev")
	}
	names = append(names, s.columns...)
	if s.meta {
		names = append(names, "_meta")
	}
	return names
}
