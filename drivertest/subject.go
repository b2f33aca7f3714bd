package drivertest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

// rec returns a record of alternating names and Go values.
func rec(id string, pairs ...any) *dataknobs.Record {
	r := dataknobs.NewRecord(id)
	for i := 0; i < len(pairs); i += 2 {
		r.Fields = append(r.Fields, dataknobs.F(pairs[i].(string), pairs[i+1]))
	}
	return r
}

// change returns the change that sets a top-level field.
func change(name string, x any) dataknobs.Change {
	return dataknobs.Change{Path: dataknobs.Names(name), Value: dataknobs.F(name, x).Value}
}

// eq returns the condition name = x.
func eq(name string, x any) dataknobs.Expr { return cond(name, dataknobs.Eq, x) }

// cond returns a condition on a top-level field.
func cond(name string, op dataknobs.Op, args ...any) *dataknobs.Cond {
	c := &dataknobs.Cond{Path: dataknobs.Names(name), Op: op}
	for _, x := range args {
		c.Args = append(c.Args, dataknobs.F(name, x).Value)
	}
	return c
}

// must stops the case if err is not nil.
func (s *subject) must(err error, what string, args ...any) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: got error %v (code %v), wanted none", fmt.Sprintf(what, args...), err, dataknobs.CodeOf(err))
	}
}

// wantCode reports it unless err has that code; 0: no error.
func (s *subject) wantCode(err error, code dataknobs.Code, what string, args ...any) {
	s.Helper()
	if got := dataknobs.CodeOf(err); got != code {
		s.Errorf("%s: got %s, wanted %s", fmt.Sprintf(what, args...), outcome(err), codeText(code))
	}
}

func codeText(c dataknobs.Code) string {
	if c == 0 {
		return "no error"
	}
	return fmt.Sprintf("an error with code %q", c.Error())
}

func outcome(err error) string {
	if err == nil {
		return "no error"
	}
	return fmt.Sprintf("error %q (code %q)", err, dataknobs.CodeOf(err).Error())
}

// wantError is wantCode for the error of a single-record call, which must say
// the operation, the store and the record.
func (s *subject) wantError(err error, code dataknobs.Code, op, id string) {
	s.Helper()
	s.wantCode(err, code, "%s of record %q", op, id)
	var e *dataknobs.Error
	switch {
	case err == nil || code == 0:
	case !errors.As(err, &e):
		s.Errorf("%s of record %q: the error %q is a %T, wanted a *dataknobs.Error", op, id, err, err)
	case e.Op != op || e.Store != s.db.Name() || e.ID != id:
		s.Errorf("%s of record %q: the error %q says op %q, store %q, ID %q; wanted those of the call", op, id, err, e.Op, e.Store, e.ID)
	}
}

// create stores records one by one and returns their revisions.
func (s *subject) create(recs ...*dataknobs.Record) []string {
	s.Helper()
	revs := make([]string, len(recs))
	for i, r := range recs {
		res, err := s.db.Create(s.ctx, r)
		s.must(err, "Create(%s)", show(r))
		revs[i] = res.Revision
	}
	return revs
}

// fill stores records as one batch.
func (s *subject) fill(recs []*dataknobs.Record) {
	s.Helper()
	_, err := s.db.CreateMany(s.ctx, recs)
	s.must(err, "CreateMany of %d records", len(recs))
}

func (s *subject) get(id string) *dataknobs.Record {
	s.Helper()
	r, err := s.db.Get(s.ctx, id)
	s.must(err, "Get(%q)", id)
	return r
}

// query runs q and returns all that it yields.
func (s *subject) query(q *dataknobs.Query) []*dataknobs.Record {
	s.Helper()
	rs, err := s.db.All(s.ctx, q)
	s.must(err, "query %s", q)
	return rs
}

// ids are the IDs that q yields, in order.
func (s *subject) ids(q *dataknobs.Query) []string {
	s.Helper()
	return idsOf(s.query(q))
}

func idsOf(rs []*dataknobs.Record) []string {
	ids := make([]string, len(rs))
	for i, r := range rs {
		ids[i] = r.ID
	}
	return ids
}

// content reads everything, by ID.
func (s *subject) content() map[string]*dataknobs.Record {
	s.Helper()
	m := map[string]*dataknobs.Record{}
	for _, r := range s.query(&dataknobs.Query{}) {
		if m[r.ID] != nil {
			s.Errorf("a scan of everything yields the record %q twice", r.ID)
		}
		m[r.ID] = r
	}
	return m
}

// same reports whether got is want as far as this store can keep it.
func (s *subject) same(got, want *dataknobs.Record) bool {
	return got != nil && s.norm(got).Identical(s.norm(want))
}

// norm leaves out of r what this store may add (its key field) or drop
// (explicit nulls).
func (s *subject) norm(r *dataknobs.Record) *dataknobs.Record {
	r = r.Clone()
	for _, k := range s.f().Key {
		r.Fields.Delete(k)
	}
	r.Fields = s.h.dropColumnNulls(r.Fields)
	if s.h.NullIsAbsent {
		r.Fields, r.Metadata = dropNulls(r.Fields), dropNulls(r.Metadata)
	}
	return r
}

// dropNulls returns f without nulls at any depth of objects.
func dropNulls(f dataknobs.Fields) dataknobs.Fields {
	var out dataknobs.Fields
	for _, x := range f {
		if !x.Value.IsNull() {
			out = append(out, dataknobs.Field{Name: x.Name, Value: dropNullsValue(x.Value)})
		}
	}
	return out
}

func dropNullsValue(v dataknobs.Value) dataknobs.Value {
	switch v.Kind() {
	case dataknobs.KindObject:
		return dataknobs.AdoptObject(dropNulls(v.Fields()))
	case dataknobs.KindArray:
		var vs []dataknobs.Value
		for e := range v.Elems() {
			vs = append(vs, dropNullsValue(e))
		}
		return dataknobs.AdoptArray(vs)
	}
	return v
}

// dropEmpty returns f without nulls and without objects that hold nothing else.
func dropEmpty(f dataknobs.Fields) dataknobs.Fields {
	var out dataknobs.Fields
	for _, x := range dropNulls(f) {
		if x.Value.Kind() == dataknobs.KindObject {
			if x.Value = dataknobs.Object(dropEmpty(x.Value.Fields())); x.Value.Len() == 0 {
				continue
			}
		}
		out = append(out, x)
	}
	return out
}

// wantRecord reports it unless got is want.
func (s *subject) wantRecord(got, want *dataknobs.Record, what string, args ...any) {
	s.Helper()
	if !s.same(got, want) {
		s.Errorf("%s:\n got    %s\n wanted %s", fmt.Sprintf(what, args...), show(got), show(want))
	}
}

// wantContent reports it unless the store holds exactly those records, by a
// scan and by Get.
func (s *subject) wantContent(want ...*dataknobs.Record) {
	s.Helper()
	got := s.content()
	for _, w := range want {
		s.wantRecord(got[w.ID], w, "a scan of everything, record %q", w.ID)
		if r, err := s.db.Get(s.ctx, w.ID); err != nil {
			s.Errorf("Get(%q): %v", w.ID, err)
		} else {
			s.wantRecord(r, w, "Get(%q)", w.ID)
		}
		delete(got, w.ID)
	}
	for _, r := range got {
		s.Errorf("a scan of everything yields a record that should not be there: %s", show(r))
	}
}

// wantIDs reports it unless q yields those IDs in that order.
func (s *subject) wantIDs(q *dataknobs.Query, want ...string) {
	s.Helper()
	if got := s.ids(q); !slices.Equal(got, want) {
		s.Errorf("query %s:\n got    %q\n wanted %q", q, got, want)
	}
}

// wantSet is wantIDs in any order.
func (s *subject) wantSet(q *dataknobs.Query, want ...string) {
	s.Helper()
	got := s.ids(q)
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		s.Errorf("query %s:\n got    %q\n wanted %q, in any order", q, got, want)
	}
}

// show prints a record as tagged JSON, cut where it is long.
func show(r *dataknobs.Record) string {
	if r == nil {
		return "no record"
	}
	b := appendRecord(nil, r)
	if len(b) > 2000 {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(string(b[:2000]), ""), len(b))
	}
	return string(b)
}

// appendRecord appends r as a line of the corpus: its fields as tagged JSON,
// with _id and _meta.
func appendRecord(b []byte, r *dataknobs.Record) []byte {
	var f dataknobs.Fields
	if r.ID != "" {
		f = append(f, dataknobs.F("_id", r.ID))
	}
	if len(r.Metadata) > 0 {
		f = append(f, dataknobs.Field{Name: "_meta", Value: dataknobs.Object(r.Metadata)})
	}
	return dataknobs.AdoptObject(append(f, r.Fields...)).AppendTaggedJSON(b)
}

// byID sorts records by ID.
func byID(rs []*dataknobs.Record) []*dataknobs.Record {
	return slices.SortedFunc(slices.Values(rs), func(a, b *dataknobs.Record) int { return cmp.Compare(a.ID, b.ID) })
}
