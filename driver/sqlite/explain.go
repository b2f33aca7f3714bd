package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// Explain implements dataknobs.Explainer: the SQL, its parameters, and
// SQLite's plan.
func (d *Driver) Explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	return d.explain(ctx, s, a, (*reader).explain)
}

// Analyze implements dataknobs.Analyzer: it runs the statement as well.
func (d *Driver) Analyze(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	return d.explain(ctx, s, a, (*reader).analyze)
}

// An explainer describes a statement.
type explainer func(*reader, context.Context, *sqlgen.Statement) ([]string, error)

func (d *Driver) explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation, how explainer) ([]string, error) {
	t, err := d.table(ctx)
	if err != nil {
		return nil, err
	}
	if !t.there {
		return (&reader{t: t}).describe(ctx, s, a, how)
	}
	c, err := d.readers.acquire(ctx, false)
	if err != nil {
		return nil, err
	}
	defer d.readers.release(c)
	return (&reader{t: t, at: d.at, c: c.Conn}).describe(ctx, s, a, how)
}

// describe describes a scan or an aggregation.
func (r *reader) describe(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation, how explainer) ([]string, error) {
	if !r.t.there {
		return []string{"the table " + r.t.Name + " is not there yet"}, nil
	}
	st, err := r.t.statementOf(s, a)
	if err != nil {
		return nil, err
	}
	lines, err := how(r, ctx, st)
	if note := r.t.SortNote(s); note != "" && err == nil {
		lines = append(lines, note)
	}
	return lines, err
}

func (t *table) statementOf(s *dataknobs.Scan, a *dataknobs.Aggregation) (*sqlgen.Statement, error) {
	if s == nil {
		return t.Groups(a)
	}
	return t.Select(s)
}

// explain returns the SQL, its parameters and the plan.
func (r *reader) explain(_ context.Context, st *sqlgen.Statement) ([]string, error) {
	lines := []string{st.SQL}
	if len(st.Args) > 0 {
		var args []string
		for _, x := range st.Args {
			args = append(args, sqlgen.ArgText(x))
		}
		lines = append(lines, "parameters: "+strings.Join(args, ", "))
	}
	depth := map[int64]int{0: 0}
	err := rows(r.c, "explain query plan "+st.SQL, st.Args, func(s *lite.Stmt) error {
		d := depth[s.Int(1)]
		depth[s.Int(0)] = d + 1
		lines = append(lines, strings.Repeat("  ", d)+s.Str(3))
		return nil
	})
	return lines, r.at.classify(err)
}

// analyze adds what running the statement took.
func (r *reader) analyze(ctx context.Context, st *sqlgen.Statement) ([]string, error) {
	lines, err := r.explain(ctx, st)
	if err != nil {
		return nil, err
	}
	s, err := r.c.Prepare(st.SQL)
	if err != nil {
		return nil, r.at.classify(err)
	}
	defer s.Release()
	if err := s.BindAll(st.Args); err != nil {
		return nil, r.at.classify(err)
	}
	before, start, n := s.Stats(), time.Now(), 0
	for ; ; n++ {
		row, err := s.Step()
		if err != nil {
			return nil, r.at.classify(err)
		}
		if !row {
			break
		}
	}
	took, after := time.Since(start), s.Stats()
	line := fmt.Sprintf("ran: %d rows in %s; %d steps, %d rows read without an index, %d sorts",
		n, took.Round(time.Microsecond), after.Steps-before.Steps, after.FullScanSteps-before.FullScanSteps, after.Sorts-before.Sorts)
	if auto := after.AutoIndexed - before.AutoIndexed; auto > 0 {
		line += fmt.Sprintf(", %d rows put into an index made for this query", auto)
	}
	return append(lines, line), nil
}
