package postgres

import (
	"context"
	"fmt"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// Explain implements dataknobs.Explainer: the SQL, its parameters and the
// server's plan.
func (h *handle) Explain(ctx context.Context, q *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	return h.explain(ctx, "explain ", q, a)
}

// Analyze implements dataknobs.Analyzer: with what each step of the server's
// plan took.
func (h *handle) Analyze(ctx context.Context, q *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	return h.explain(ctx, "explain (analyze, buffers) ", q, a)
}

func (h *handle) explain(ctx context.Context, how string, q *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	s, err := h.readState(ctx)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return []string{"there is no table yet"}, nil
	}
	st, err := s.statementFor(q, a)
	if err != nil {
		return nil, err
	}
	lines := []string{"SQL: " + st.SQL}
	for i, arg := range st.Args {
		lines = append(lines, fmt.Sprintf("$%d = %s", i+1, sqlgen.ArgText(arg)))
	}
	r, err := newRequest(st, nil)
	if err != nil {
		return nil, err
	}
	r.sql = how + r.sql
	err = h.read(ctx, func(c *conn) (bool, error) {
		plan := []string{}
		rr := c.pg.ExecParams(ctx, r.sql, r.params, nil, r.formats, nil)
		for rr.NextRow() {
			if cells, err := cellsOf(rr, 1); err == nil {
				plan = append(plan, string(cells[0]))
			}
		}
		if _, err := rr.Close(); err != nil {
			return false, err
		}
		lines = append(lines, plan...)
		if note := s.SortNote(q); note != "" {
			lines = append(lines, note)
		}
		return true, nil
	})
	return lines, h.gone(classify(ctx, err))
}

// statementFor returns what a scan or an aggregation runs.
func (s *state) statementFor(q *dataknobs.Scan, a *dataknobs.Aggregation) (*sqlgen.Statement, error) {
	if q != nil {
		return s.Select(q)
	}
	if len(a.GroupBy) == 0 && len(a.Columns) == 1 && a.Columns[0].Agg == dataknobs.CountAll {
		return s.Count(a.Where)
	}
	return s.Groups(a)
}
