package postgres

import (
	"context"
	"iter"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// isSafe reports whether nothing was sent before err.
func isSafe(err error) bool { return pgconn.SafeToRetry(err) }

// readState is use for a read: s is nil where there is no table, and so no
// record.
func (h *handle) readState(ctx context.Context) (*state, error) {
	if h.inTx() && h.c.over {
		return nil, errOver
	}
	s, err := h.d.use(ctx)
	if err != nil {
		return nil, err
	}
	if s.missing {
		h.d.warn.Do(h.d.warnMissing)
		return nil, nil
	}
	return s, nil
}

// Get implements dataknobs.Driver: one statement, however many IDs.
func (h *handle) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return sequence(func(yield func(*dataknobs.Record) bool) error {
		s, err := h.readState(ctx)
		if err != nil || s == nil {
			return err
		}
		if s.keyless() {
			return errKeyless
		}
		recs, err := h.getAll(ctx, s, ids)
		if err != nil {
			return err
		}
		for _, rec := range recs {
			if !yield(rec) {
				break
			}
		}
		return nil
	})
}

var errKeyless = dataknobs.Errorf(dataknobs.Unsupported, "the table has no primary key, so its records have no IDs").
	WithHint("name the columns that make one by key=")

func (h *handle) getAll(ctx context.Context, s *state, ids []string) ([]*dataknobs.Record, error) {
	st, err := s.ByID(ids, sqlgen.NoLock)
	if err != nil || st == nil {
		return nil, err
	}
	return h.all(ctx, s, st, true)
}

// all runs a statement and returns its records.
func (h *handle) all(ctx context.Context, s *state, st *sqlgen.Statement, eager bool) ([]*dataknobs.Record, error) {
	d := h.d.newDecoder(s, st)
	r, err := newRequest(st, d)
	if err != nil {
		return nil, err
	}
	r.eager = eager
	var recs []*dataknobs.Record
	err = h.read(ctx, func(c *conn) (bool, error) {
		recs = nil
		_, err := c.exec(ctx, r, func(row [][]byte) error {
			rec, err := d.record(row)
			recs = append(recs, rec)
			return err
		})
		return false, err
	})
	if err != nil {
		return nil, h.gone(classify(ctx, err))
	}
	return recs, nil
}

// newRequest is the request for a generated statement.
func newRequest(st *sqlgen.Statement, d *decoder) (*request, error) {
	params, formats, err := encodeArgs(st.Args)
	if err != nil {
		return nil, err
	}
	r := &request{sql: st.SQL, params: params, formats: formats}
	if d != nil {
		r.results = d.formats
	}
	return r, nil
}

// gone adds to the error about a missing table what must have happened.
func (h *handle) gone(err error) error {
	if codeOf(err) == undefinedTable {
		return dataknobs.Errorf(dataknobs.NotFound, "the table %s is not there any more", h.d.opts.Table).WithHint("open the store again")
	}
	return err
}

// GetOne implements dataknobs.Getter: one round trip.
func (h *handle) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	s, err := h.readState(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	if s.keyless() {
		return nil, errKeyless
	}
	one := s.getOne()
	if one == nil {
		recs, err := h.getAll(ctx, s, []string{id})
		if err != nil || len(recs) == 0 {
			return nil, err
		}
		return recs[0], nil
	}
	d := h.d.borrow(s, one)
	defer s.decoders.Put(d)
	var rec *dataknobs.Record
	r := request{sql: one.SQL, params: [][]byte{[]byte(id)}, results: d.formats, eager: true}
	err = h.read(ctx, func(c *conn) (bool, error) {
		rec = nil
		_, err := c.exec(ctx, &r, func(row [][]byte) (err error) {
			rec, err = d.record(row)
			return err
		})
		return false, err
	})
	if err != nil {
		return nil, h.gone(classify(ctx, err))
	}
	return rec, nil
}

// getOne returns the statement that gets one record, whose only parameter is
// the ID; nil if it is not the same for all IDs.
func (s *state) getOne() *sqlgen.Statement {
	s.one.once.Do(func() {
		const probe = "x"
		st, err := s.ByID([]string{probe}, sqlgen.NoLock)
		if err == nil && st != nil && s.isDocument() && len(st.Args) == 1 && st.Args[0] == any(probe) {
			s.one.st = st
		}
	})
	return s.one.st
}

// borrow returns a decoder for that statement of the state's own, to be given
// back to s.decoders. It may know the names of the fields already.
func (d *Driver) borrow(s *state, st *sqlgen.Statement) *decoder {
	dec, _ := s.decoders.Get().(*decoder)
	if dec == nil || dec.names != d.order.Load() {
		dec = d.newDecoder(s, st)
	}
	return dec
}

// Count implements dataknobs.Counter.
func (h *handle) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	s, err := h.readState(ctx)
	if err != nil || s == nil {
		return 0, err
	}
	st, err := s.Count(where)
	if err != nil {
		return 0, err
	}
	r, err := newRequest(st, nil)
	if err != nil {
		return 0, err
	}
	n := int64(-1)
	err = h.read(ctx, func(c *conn) (bool, error) {
		_, err := c.exec(ctx, r, func(row [][]byte) (err error) {
			n, err = strconv.ParseInt(string(row[0]), 10, 64)
			return err
		})
		if err == nil && n < 0 {
			err = errRow
		}
		return false, err
	})
	if stats != nil {
		stats.Calls.Add(1)
	}
	return n, h.gone(classify(ctx, err))
}

// parseInt reads a decimal that the server wrote.
func parseInt(b []byte) int64 {
	n, neg := int64(0), false
	for i, c := range b {
		if i == 0 && c == '-' {
			neg = true
			continue
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		return -n
	}
	return n
}

// Aggregate implements dataknobs.Aggregator.
func (h *handle) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return sequence(func(yield func(dataknobs.Group) bool) error {
		s, err := h.readState(ctx)
		if err != nil {
			return err
		}
		if s == nil {
			return h.noGroups(a, yield)
		}
		groups, err := h.groups(ctx, s, a)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if !yield(g) {
				break
			}
		}
		return nil
	})
}

// noGroups are the groups of no records.
func (h *handle) noGroups(a *dataknobs.Aggregation, yield func(dataknobs.Group) bool) error {
	if len(a.GroupBy) > 0 {
		return nil
	}
	g := dataknobs.Group{Values: make([]dataknobs.Value, len(a.Columns))}
	for i, c := range a.Columns {
		if c.Agg == dataknobs.Count || c.Agg == dataknobs.CountAll {
			g.Values[i] = dataknobs.Int(0)
		}
	}
	yield(g)
	return nil
}

func (h *handle) groups(ctx context.Context, s *state, a *dataknobs.Aggregation) ([]dataknobs.Group, error) {
	st, err := s.Groups(a)
	if err != nil {
		return nil, err
	}
	r, err := newRequest(st, nil)
	if err != nil {
		return nil, err
	}
	if a.Stats != nil {
		a.Stats.Calls.Add(1)
	}
	var groups []dataknobs.Group
	err = h.read(ctx, func(c *conn) (bool, error) {
		groups = nil
		var own error
		rr, err := c.query(ctx, r)
		if err != nil {
			return false, err
		}
		row := make([]any, 0, len(st.Out))
		for rr.NextRow() {
			if own != nil {
				continue
			}
			cells, err := cellsOf(rr, len(st.Out))
			if err != nil {
				own = err
				continue
			}
			row = scalars(row[:0], rr.FieldDescriptions(), cells)
			g, exact, err := st.Group(row)
			switch {
			case err != nil:
				own = err
			case !exact:
				own = dataknobs.Errorf(dataknobs.Unsupported, "a value is one that SQL does not compute with exactly: %w", dataknobs.ErrInexact)
			case len(groups) > dataknobs.MaxGroups: // the engine says what is wrong
			default:
				groups = append(groups, g)
			}
		}
		if _, err = rr.Close(); err == nil {
			err = own
		}
		return false, err
	})
	return groups, h.gone(classify(ctx, err))
}

// scalars turns a row in the text format into Go values by its types.
func scalars(out []any, fields []pgconn.FieldDescription, row [][]byte) []any {
	for i, b := range row {
		if b == nil {
			out = append(out, nil)
			continue
		}
		switch fields[i].DataTypeOID {
		case 16:
			out = append(out, string(b) == "t")
		case 20, 21, 23:
			out = append(out, parseInt(b))
		case 700, 701:
			v := floatText(string(b), 64)
			if v.Kind() == dataknobs.KindFloat {
				out = append(out, v.Float())
			} else {
				out = append(out, v.Str())
			}
		default:
			out = append(out, string(b))
		}
	}
	return out
}
