package drivertest

import (
	"dataknobs.dev/dataknobs"
)

var revisionCases = []testCase{
	{"changes", "section 1: a revision is changed by every write of the record and never reused for other content of the same record", needIDs, func(s *subject) {
		content := map[string]string{} // revision → the content it stood for
		last := ""
		note := func(what string, rev string) {
			s.Helper()
			r := s.get("x")
			if r.Revision != rev || rev == "" {
				s.Errorf("%s returned revision %q, Get returns %q", what, rev, r.Revision)
			}
			if rev == last {
				s.Errorf("%s left the revision at %q", what, rev)
			}
			text := show(r)
			if old, ok := content[rev]; ok && old != text {
				s.Errorf("%s: the revision %q stood for %s and now for %s", what, rev, old, text)
			}
			content[rev], last = text, rev
		}
		note("Create", s.create(rec("x", "a", int64(1)))[0])
		for i := range 3 {
			for _, n := range []int64{2, 2, 1, 1} { // there and back, and the same again
				res, err := s.db.Put(s.ctx, rec("x", "a", n))
				s.must(err, "Put")
				note("Put", res.Revision)
			}
			res, err := s.db.Patch(s.ctx, "x", []dataknobs.Change{change("b", int64(i))})
			s.must(err, "Patch")
			note("Patch", res.Revision)
			res, err = s.db.Update(s.ctx, rec("x", "a", int64(1)))
			s.must(err, "Update")
			note("Update", res.Revision)
			s.must(s.db.Delete(s.ctx, "x"), "Delete")
			note("Create after Delete", s.create(rec("x", "a", int64(1), "n", int64(i)))[0])
		}
	}},
	{"deleted", "a revision from before a delete never matches a record created later with other content", needIDs, func(s *subject) {
		old := s.create(rec("x", "a", int64(1)))[0]
		s.must(s.db.Delete(s.ctx, "x"), "Delete")
		s.create(rec("x", "a", int64(2)))
		_, err := s.db.Put(s.ctx, rec("x", "a", int64(3)), dataknobs.IfRevision(old))
		s.wantCode(err, dataknobs.Conflict, "Put with the revision of the deleted record")
		s.wantContent(rec("x", "a", int64(2)))
	}},
	{"reads", "reads of every kind return the same revision, and it works as a condition", needIDs, func(s *subject) {
		rev := s.create(rec("x", "a", int64(1)), rec("y", "a", int64(2)))[0]
		many, err := s.db.GetMany(s.ctx, []string{"x"})
		s.must(err, "GetMany")
		first, err := s.db.First(s.ctx, &dataknobs.Query{Where: eq("a", int64(1))})
		s.must(err, "First")
		for _, got := range []*dataknobs.Record{s.get("x"), many[0], first, s.content()["x"]} {
			if got.Revision != rev {
				s.Errorf("a read returns revision %q, Create returned %q", got.Revision, rev)
			}
		}
		s.wantSet(&dataknobs.Query{Where: &dataknobs.Cond{Path: dataknobs.PathRevision, Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.String(rev)}}, Limit: new(5)}, s.withRevision(rev)...)
		_, err = s.db.Put(s.ctx, rec("x", "a", int64(3)), dataknobs.IfRevision(first.Revision))
		s.wantCode(err, 0, "Put with the revision that a query returned")
	}},
	{"ignored in records", "the Revision of a record passed in is no condition: only IfRevision is", needIDs, func(s *subject) {
		s.create(rec("x", "a", int64(1)))
		r := rec("x", "a", int64(2))
		r.Revision = "something else"
		res, err := s.db.Put(s.ctx, r)
		s.wantCode(err, 0, "Put of a record with a revision of its own")
		if res.Revision == r.Revision {
			s.Errorf("Put took the revision %q from the record passed in", r.Revision)
		}
		s.wantContent(rec("x", "a", int64(2)))
	}},
}

// withRevision returns the IDs of all records of that revision; revisions need
// not differ between records.
func (s *subject) withRevision(rev string) []string {
	var ids []string
	for id, r := range s.content() {
		if r.Revision == rev {
			ids = append(ids, id)
		}
	}
	return ids
}

var ownedCases = []testCase{
	{"passed in", "section 6: a record passed in is never kept or changed", 0, func(s *subject) {
		r := ownedRecord(s)
		before := r.Clone()
		if s.f().RowIDs != "" {
			r.ID, before.ID = "", ""
		}
		s.create(r)
		if !r.Identical(before) || r.Revision != before.Revision {
			s.Errorf("Create changed the record passed in:\n got    %s\n wanted %s", show(r), show(before))
		}
		scribble(r)
		got := s.query(&dataknobs.Query{})
		before.ID = got[0].ID
		s.wantRecord(got[0], before, "after a change to the record passed in")
		if s.f().RowIDs != "" {
			return
		}
		for _, write := range []func(*dataknobs.Record) error{
			func(r *dataknobs.Record) error { _, err := s.db.Put(s.ctx, r); return err },
			func(r *dataknobs.Record) error { _, err := s.db.Update(s.ctx, r); return err },
			func(r *dataknobs.Record) error {
				_, err := s.db.PutMany(s.ctx, []*dataknobs.Record{r})
				return err
			},
		} {
			r := ownedRecord(s)
			s.must(write(r), "a write")
			if !r.Identical(before) {
				s.Errorf("a write changed the record passed in:\n got    %s\n wanted %s", show(r), show(before))
			}
			scribble(r)
			s.wantContent(before)
		}
	}},
	{"handed out", "section 6: a record handed out is the caller's own: changing it changes nothing else", needIDs, func(s *subject) {
		want := ownedRecord(s)
		s.create(want)
		reads := map[string]func() *dataknobs.Record{
			"Get":   func() *dataknobs.Record { return s.get("x") },
			"All":   func() *dataknobs.Record { return s.query(&dataknobs.Query{})[0] },
			"where": func() *dataknobs.Record { return s.query(&dataknobs.Query{Where: eq("n", int64(1))})[0] },
			"sorted": func() *dataknobs.Record {
				return s.query(&dataknobs.Query{OrderBy: []dataknobs.Order{{Path: dataknobs.Names("n")}}})[0]
			},
			"First": func() *dataknobs.Record {
				r, err := s.db.First(s.ctx, &dataknobs.Query{})
				s.must(err, "First")
				return r
			},
			"GetMany": func() *dataknobs.Record {
				rs, err := s.db.GetMany(s.ctx, []string{"x", "x"})
				s.must(err, "GetMany")
				scribble(rs[1])
				return rs[0]
			},
			"Page": func() *dataknobs.Record {
				p, err := s.db.Page(s.ctx, &dataknobs.Query{Limit: new(1)})
				s.must(err, "Page")
				return p.Records[0]
			},
		}
		for name, read := range reads {
			r := read()
			s.wantRecord(r, want, "%s", name)
			scribble(r)
			s.wantRecord(read(), want, "%s after a change to what it returned before", name)
		}
		s.wantContent(want)
	}},
	{"changes", "the changes passed to Patch are not kept", needIDs, func(s *subject) {
		s.create(rec("x", "a", int64(1)))
		ch := []dataknobs.Change{change("a", int64(2))}
		_, err := s.db.Patch(s.ctx, "x", ch)
		s.must(err, "Patch")
		ch[0].Path[0].Name, ch[0].Value = "b", dataknobs.Int(9)
		s.wantContent(rec("x", "a", int64(2)))
	}},
}

func ownedRecord(s *subject) *dataknobs.Record {
	r := rec("x", "n", int64(1), "o", map[string]any{"p": []any{"a", int64(1)}}, "b", []byte{1, 2, 3})
	if s.f().Metadata {
		r.Metadata = dataknobs.Fields{dataknobs.F("m", "n"), dataknobs.F("k", int64(1))}
	}
	return r
}

// scribble changes all of r that can be changed.
func scribble(r *dataknobs.Record) {
	for _, f := range []*dataknobs.Fields{&r.Fields, &r.Metadata} {
		for i := range *f {
			(*f)[i] = dataknobs.F("scribbled", "over")
		}
		*f = append((*f)[:len(*f):len(*f)], dataknobs.F("more", true))
	}
	r.ID, r.Revision = "scribbled", "scribbled"
}
