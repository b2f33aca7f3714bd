package file

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

var exact = dataknobs.Support{Fidelity: dataknobs.Exact}

// featuresOf says what a store over that base can do; nil: there is no file.
func (d *Driver) featuresOf(b *base) *dataknobs.Features {
	f := &dataknobs.Features{
		Filter:       dataknobs.CanCompile,
		Sort:         func([]dataknobs.Order) dataknobs.Support { return exact },
		SortLimit:    maxSorted,
		Limit:        true,
		Seek:         true,
		Project:      true,
		Aggregate:    func(*dataknobs.Aggregation) dataknobs.Support { return exact },
		NaturalOrder: true,
		Atomic:       true,
		Metadata:     true,
		ReadOnly:     d.whyReadOnly(b),
	}
	rule := &ids{from: byFree}
	if b != nil {
		rule = b.ids()
	} else if key := d.keyFields(); len(key) > 0 {
		rule = &ids{from: byKey, key: key, asked: true}
	}
	switch rule.from {
	case byKey:
		f.Key = rule.key
	case byFree:
		f.AssignsIDs = true
	case byRow:
		f.AssignsIDs = true
		f.RowIDs = fmt.Sprintf("the records of %s have no key, so their IDs are row numbers; name the fields that tell them apart, as in key=%s",
			d.t.name, d.exampleKey(b))
	}
	return f
}

func (d *Driver) exampleKey(b *base) string {
	if cols := b.columns(); len(cols) > 0 {
		return cols[0]
	}
	return "name"
}

// whyReadOnly says why nothing can be written; "" if it can.
func (d *Driver) whyReadOnly(b *base) string {
	switch {
	case d.o.ReadOnly:
		return "it was opened with readonly=true"
	case d.o.remote != nil:
		return "files that lie elsewhere are only read"
	case d.t.many != nil:
		return "it is a folder or a pattern of several files"
	case d.o.CSV.Latin1:
		return "its text is in latin-1; copy it to another file to change it"
	case b != nil && b.ids().spoilt:
		return "its column _id is no key: a value is missing or repeats"
	}
	return ""
}

// stdFeatures are those of standard input and output.
func (d *Driver) stdFeatures() *dataknobs.Features {
	f := d.featuresOf(nil)
	f.AssignsIDs = true
	return f
}

// learn takes note of what verifyIDs found out about the IDs of a base.
func (d *Driver) learn(b *base) { d.setFeatures(d.featuresOf(b)) }

// FieldNames implements dataknobs.Namer.
func (d *Driver) FieldNames(ctx context.Context) ([]string, error) {
	s, err := d.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.release()
	if s.base == nil {
		return nil, nil
	}
	names := s.base.columns()
	if names == nil {
		return nil, nil // the names are known only when all is read
	}
	seen := map[string]bool{}
	for _, n := range names {
		seen[n] = true
	}
	all, _ := dataknobs.Compile(nil)
	err = s.written(ctx, all, nil, func(r *dataknobs.Record) error {
		for n := range r.Fields.Names() {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
		return nil
	})
	return names, err
}

// Kinds implements dataknobs.Typed. For CSV it takes a pass over the file, once.
func (d *Driver) Kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	s, err := d.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.release()
	kinds := make([]dataknobs.KindSet, len(paths))
	empty := s.base == nil
	if s.base != nil {
		first, err := s.base.first(ctx, dataknobs.PathID)
		if err != nil {
			return nil, err
		}
		empty = first == nil
		if kinds, err = s.base.kinds(ctx, paths); err != nil {
			return nil, err
		}
	}
	all, _ := dataknobs.Compile(nil)
	err = s.written(ctx, all, nil, func(r *dataknobs.Record) error {
		for i, p := range paths {
			if kinds[i] != 0 || empty { // where the file's are not known, these alone say nothing
				kinds[i] |= 1 << r.Lookup(p).Kind()
			}
		}
		return nil
	})
	for i, k := range kinds {
		if k == dataknobs.KindsOf(dataknobs.KindNull) {
			kinds[i] = 0 // no value says of which kind those to come will be
		}
	}
	return kinds, err
}

// kinds are what the files say of the kinds at those paths.
func (b *base) kinds(ctx context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	out := make([]dataknobs.KindSet, len(paths))
	var ask []dataknobs.Path
	var at []int
	for i, p := range paths {
		switch {
		case p.IsID() || p.IsRevision():
			out[i] = dataknobs.KindsOf(dataknobs.KindString)
		case b.isHive(p):
			if len(p) == 1 {
				out[i] = dataknobs.KindsOf(b.hive[p[0].Name], dataknobs.KindNull)
			}
		default:
			ask, at = append(ask, p), append(at, i)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	if err := b.agree(ctx, ask); err != nil {
		return nil, err
	}
	ks, err := b.kindsOf(ctx, ask)
	for i, k := range ks {
		out[at[i]] = k
	}
	return out, err
}

// Explain implements dataknobs.Explainer.
func (d *Driver) Explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	snap, err := d.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.release()
	if snap.base == nil {
		return []string{"reads what the journal holds: there is no file yet"}, nil
	}
	var lines []string
	var paths []dataknobs.Path
	var workers int
	switch {
	case a != nil:
		paths = a.GroupBy
		for _, c := range a.Columns {
			if len(c.Path) > 0 {
				paths = append(slices.Clip(paths), c.Path)
			}
		}
		paths = append(slices.Clip(paths), pathsOf(a.Where)...)
		workers = a.Workers
		lines = append(lines, explainRead(snap, paths, workers), "groups in each worker, then merges the groups")
	default:
		workers = s.Workers
		if s.Paths != nil {
			paths = slices.Concat([]dataknobs.Path{}, s.Paths, pathsOf(s.Where))
			for _, o := range s.OrderBy {
				paths = append(paths, o.Path)
			}
		}
		lines = append(lines, explainRead(snap, paths, workers))
		if s.Where != nil {
			lines = append(lines, "tests each row on the values that the condition names, and builds only the records that match")
		}
		if len(s.OrderBy) > 0 {
			lines = append(lines, fmt.Sprintf("keeps the first %d in each worker", s.Limit+s.Offset))
		}
		if rule := snap.base.ids(); !s.NoID && rule.from == byKey {
			lines = append(lines, "checks first that "+strings.Join(rule.key, ",")+" is there once in every row")
		}
	}
	if n := snap.ov.over.Len() + snap.ov.added.Len(); n > 0 {
		lines = append(lines, fmt.Sprintf("merges %d changed records from the journal", n))
	}
	return lines, nil
}

func pathsOf(e dataknobs.Expr) (paths []dataknobs.Path) {
	dataknobs.Conds(e, func(c *dataknobs.Cond) bool {
		paths = append(paths, c.Path)
		return true
	})
	return paths
}

func explainRead(s *snapshot, paths []dataknobs.Path, workers int) string {
	b := s.base
	what := fmt.Sprintf("reads %s as %s", s.d.t.name, b.t.format.name)
	if c := b.parts[0].comp; c != noCompression {
		what += ", " + string(c)
	}
	if len(b.parts) > 1 {
		what += fmt.Sprintf(", %d files", len(b.parts))
	}
	var cols []string
	for _, p := range paths {
		if len(p) > 0 && !p.IsID() && !p.IsRevision() && !slices.Contains(cols, p[0].Name) {
			cols = append(cols, p[0].Name)
		}
	}
	switch {
	case paths == nil:
		what += ", all columns"
	case len(cols) == 0:
		what += ", no columns"
	default:
		what += ", columns " + nameList(cols)
	}
	atOnce, each := b.spread(workers)
	return what + fmt.Sprintf(", %d workers", atOnce*each)
}

// nameList lists names, cut where there are many.
func nameList(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// Schema implements dataknobs.Schemer by one pass over all records.
func (d *Driver) Schema(ctx context.Context) (*dataknobs.Schema, error) {
	s, err := d.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.release()
	all, _ := dataknobs.Compile(nil)
	total := newSurvey()
	if s.base != nil {
		if cols := s.base.columns(); cols != nil {
			for _, c := range cols {
				total.field(nil, c)
			}
		}
		n := newNeed(s.base)
		n.wantRecords(nil, false)
		if err := s.base.agree(ctx, nil); err != nil {
			return nil, err
		}
		err := accumulate(ctx, s, n, all, 0, newSurvey,
			func(v *survey, r *row) error {
				rec, err := r.record()
				if err != nil {
					return err
				}
				v.record(rec)
				return nil
			},
			func(v *survey) error { total.merge(v); return nil })
		if err != nil {
			return nil, err
		}
	}
	if err := s.written(ctx, all, nil, func(r *dataknobs.Record) error { total.record(r); return nil }); err != nil {
		return nil, err
	}
	return total.schema(), nil
}
