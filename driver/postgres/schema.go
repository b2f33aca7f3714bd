package postgres

import (
	"context"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// kindsOf returns what kinds a column can have.
func kindsOf(c *sqlgen.Column) (kinds, elems dataknobs.KindSet) {
	var k dataknobs.KindSet
	switch c.Type {
	case sqlgen.JSON, sqlgen.Tagged, sqlgen.Any:
		return 0, 0
	case sqlgen.Array:
		k, _ = kindsOf(&sqlgen.Column{Type: c.Elem, SQLType: c.SQLType})
		return dataknobs.KindsOf(dataknobs.KindArray, dataknobs.KindNull), k
	}
	k = map[sqlgen.Type]dataknobs.KindSet{
		sqlgen.Bool: dataknobs.KindsOf(dataknobs.KindBool), sqlgen.Int: dataknobs.KindsOf(dataknobs.KindInt),
		sqlgen.Float: dataknobs.KindsOf(dataknobs.KindFloat), sqlgen.Numeric: dataknobs.KindsOf(dataknobs.KindInt, dataknobs.KindFloat),
		sqlgen.Date: dataknobs.KindsOf(dataknobs.KindTime), sqlgen.Timestamp: dataknobs.KindsOf(dataknobs.KindTime),
		sqlgen.TimestampTZ: dataknobs.KindsOf(dataknobs.KindTime), sqlgen.Bytes: dataknobs.KindsOf(dataknobs.KindBytes),
	}[c.Type]
	if k == 0 || c.Type == sqlgen.Numeric && isWide(c.SQLType) {
		k = k.With(dataknobs.KindString)
	}
	if !c.NotNull {
		k = k.With(dataknobs.KindNull)
	}
	return k, 0
}

// isWide reports whether a numeric type has numbers that no float says.
func isWide(sqlType string) bool {
	m := typeBounds.FindStringSubmatch(sqlType)
	return m == nil || len(m[1]) > 2 || m[1] > "15" && len(m[1]) == 2
}

// Kinds implements dataknobs.Typed, from the types of the columns. Of what
// stands in JSON it finds out whether all of it are times: nobody asks for more.
func (k typed) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	s, err := k.h.d.use(ctx)
	if err != nil {
		return nil, err
	}
	kinds := make([]dataknobs.KindSet, len(paths))
	for i, p := range paths {
		if len(p) == 0 || p.IsSystem() {
			continue
		}
		n, ok := s.fields[p[0].Name]
		if !ok {
			if kinds[i], err = k.h.onlyTimes(ctx, s, p); err != nil {
				return nil, err
			}
			continue
		}
		c := &s.Columns[n]
		whole, elems := kindsOf(c)
		switch {
		case len(p) == 1:
			kinds[i] = whole
		case len(p) == 2 && p[1].Name == "" && c.Type == sqlgen.Array && elems != 0:
			kinds[i] = elems.With(dataknobs.KindNull).With(dataknobs.KindArray)
		}
	}
	return kinds, nil
}

// onlyTimes returns the kind time if all values at p, of which there are some,
// are times; else 0.
func (h *handle) onlyTimes(ctx context.Context, s *state, p dataknobs.Path) (dataknobs.KindSet, error) {
	if s.missing || s.Extra == "" {
		return 0, nil
	}
	first := func(scan *dataknobs.Scan) (v dataknobs.Value, err error) {
		for rec, err := range h.Scan(ctx, scan) {
			if err != nil {
				return v, err
			}
			v = rec.Lookup(p)
		}
		return v, nil
	}
	return s.OnlyTimes(p, first, func(where dataknobs.Expr) (int64, error) { return h.Count(ctx, where, nil) })
}

// Schema implements dataknobs.Schemer, from the catalog.
func (k described) Schema(ctx context.Context) (*dataknobs.Schema, error) {
	s, err := k.h.d.use(ctx)
	if err != nil {
		return nil, err
	}
	n, err := k.h.Count(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	out := &dataknobs.Schema{Records: n}
	for i := range s.Columns {
		c := &s.Columns[i]
		kinds, elems := kindsOf(c)
		out.Fields = append(out.Fields, dataknobs.FieldSchema{Path: dataknobs.Names(c.Name), Kinds: kinds, Elems: elems, Nulls: -1, Declared: true})
	}
	return out, nil
}

// FieldNames implements dataknobs.Namer.
func (k described) FieldNames(ctx context.Context) ([]string, error) {
	s, err := k.h.d.use(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	return names, nil
}

// typed is what a store can do besides that knows the kinds of its fields.
type typed struct{ h *handle }

// described is what a store can do all of whose fields are columns.
type described struct{ h *handle }

// A typedDriver is a Driver of a table with a column for all fields that have
// none of their own.
type typedDriver struct {
	*Driver
	typed
}

// A describedDriver is a Driver of a table whose columns are all that there is.
type describedDriver struct {
	*Driver
	typed
	described
}

type typedTx struct {
	*tx
	typed
}

type describedTx struct {
	*tx
	typed
	described
}

// abilities returns d as what its table lets it be.
func (d *Driver) abilities() dataknobs.Driver {
	s, h := d.state.Load(), &d.handle
	switch {
	case s.Extra != "":
		return typedDriver{d, typed{h}}
	}
	return describedDriver{d, typed{h}, described{h}}
}

func (t *tx) abilities() dataknobs.Tx {
	s, h := t.d.state.Load(), &t.handle
	switch {
	case s.Extra != "":
		return typedTx{t, typed{h}}
	}
	return describedTx{t, typed{h}, described{h}}
}

var (
	_ dataknobs.Typed      = describedDriver{}
	_ dataknobs.Schemer    = describedDriver{}
	_ dataknobs.Namer      = describedDriver{}
	_ dataknobs.Transactor = describedTx{}
	_ dataknobs.Typed      = typedTx{}
)
