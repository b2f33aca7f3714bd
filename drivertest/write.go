package drivertest

import (
	"fmt"

	"dataknobs.dev/dataknobs"
)

// The five single writes, each with the record it makes of {a: "old"}.
var singleWrites = []struct {
	op           string
	needsPresent bool // NotFound when there is no such record
	needsAbsent  bool // AlreadyExists when there is one
	want         *dataknobs.Record
	call         func(s *subject, id string, opts ...dataknobs.WriteOption) (dataknobs.Result, error)
}{
	{"create", false, true, rec("x", "a", "new"), func(s *subject, id string, opts ...dataknobs.WriteOption) (dataknobs.Result, error) {
		return s.db.Create(s.ctx, rec(id, "a", "new"), opts...)
	}},
	{"put", false, false, rec("x", "a", "new"), func(s *subject, id string, opts ...dataknobs.WriteOption) (dataknobs.Result, error) {
		return s.db.Put(s.ctx, rec(id, "a", "new"), opts...)
	}},
	{"update", true, false, rec("x", "a", "new"), func(s *subject, id string, opts ...dataknobs.WriteOption) (dataknobs.Result, error) {
		return s.db.Update(s.ctx, rec(id, "a", "new"), opts...)
	}},
	{"patch", true, false, rec("x", "a", "new", "b", int64(1)), func(s *subject, id string, opts ...dataknobs.WriteOption) (dataknobs.Result, error) {
		return s.db.Patch(s.ctx, id, []dataknobs.Change{change("a", "new")}, opts...)
	}},
	{"delete", true, false, nil, func(s *subject, id string, opts ...dataknobs.WriteOption) (dataknobs.Result, error) {
		return dataknobs.Result{ID: id}, s.db.Delete(s.ctx, id, opts...)
	}},
}

// writeCases are every write × exists or not × the revision asked for.
func writeCases() []testCase {
	var cases []testCase
	for i := range singleWrites {
		for _, exists := range []string{"exists", "absent"} {
			for _, rev := range []string{"any", "right", "stale", "garbage", "empty"} {
				if exists == "absent" && rev == "right" {
					continue
				}
				cases = append(cases, testCase{
					name:  fmt.Sprintf("%s/%s/%s", singleWrites[i].op, exists, rev),
					why:   "section 6: what each write does where the ID exists and where not, and that IfRevision(r) is Conflict on a mismatch, with nothing changed",
					needs: needIDs,
					run:   func(s *subject) { s.singleWrite(i, exists == "exists", rev) },
				})
			}
		}
	}
	return append(cases, otherWriteCases...)
}

func (s *subject) singleWrite(i int, exists bool, rev string) {
	w := singleWrites[i]
	old := rec("x", "a", "old", "b", int64(1))
	bystander := rec("y", "a", "old", "b", int64(2))
	stale := s.create(rec("x", "a", "older"))[0]
	s.create(bystander)
	res, err := s.db.Put(s.ctx, old)
	s.must(err, "Put over a record")
	if !exists {
		s.must(s.db.Delete(s.ctx, "x"), "Delete(%q)", "x")
	}
	var opts []dataknobs.WriteOption
	if rev != "any" {
		opts = append(opts, dataknobs.IfRevision(map[string]string{"right": res.Revision, "stale": stale, "garbage": "no such revision", "empty": ""}[rev]))
	}
	want := wantedCode(w.needsPresent, w.needsAbsent, exists, rev)
	got, err := w.call(s, "x", opts...)
	s.wantError(err, want, w.op, "x")
	s.checkWrite(w.op, got, res.Revision, want == 0, exists)
	switch {
	case want == 0 && w.want != nil:
		s.wantContent(bystander, w.want)
	case want == 0 || !exists:
		s.wantContent(bystander)
	default:
		s.wantContent(bystander, old)
		if r := s.get("x"); r.Revision != res.Revision {
			s.Errorf("%s failed, yet the revision went from %q to %q", w.op, res.Revision, r.Revision)
		}
	}
}

func wantedCode(needsPresent, needsAbsent, exists bool, rev string) dataknobs.Code {
	switch {
	case rev == "empty", needsAbsent && rev != "any":
		return dataknobs.InvalidArgument // a condition that could only be ignored
	case !exists && (needsPresent || rev != "any"):
		return dataknobs.NotFound
	case exists && needsAbsent:
		return dataknobs.AlreadyExists
	case exists && (rev == "stale" || rev == "garbage"):
		return dataknobs.Conflict
	}
	return 0
}

// checkWrite checks the Result of a write of record x.
func (s *subject) checkWrite(op string, res dataknobs.Result, before string, ok, existed bool) {
	if !ok || op == "delete" {
		return
	}
	if res.ID != "x" || res.Created == existed || res.Revision == "" || res.Revision == before {
		s.Errorf("%s: got result %+v, wanted ID \"x\", Created %v, and a revision other than %q", op, res, !existed, before)
	}
	if r := s.get("x"); r.Revision != res.Revision {
		s.Errorf("%s returned revision %q, Get returns %q", op, res.Revision, r.Revision)
	}
}

var otherWriteCases = []testCase{
	{"create/without ID", "section 1: a record created without an ID gets one, and the caller's record is not changed", 0, func(s *subject) {
		r := rec("", "a", int64(1))
		seen := map[string]bool{}
		for range 5 {
			res, err := s.db.Create(s.ctx, r)
			s.must(err, "Create without an ID")
			if res.ID == "" || seen[res.ID] || !res.Created {
				s.Errorf("Create without an ID: got result %+v, wanted a new ID", res)
			}
			seen[res.ID] = true
			if s.f().RowIDs == "" {
				s.wantRecord(s.get(res.ID), rec(res.ID, "a", int64(1)), "Get of the new ID")
			}
		}
		if n := len(s.query(&dataknobs.Query{})); n != 5 || r.ID != "" {
			s.Errorf("after 5 creates there are %d records; the caller's record has ID %q, wanted none", n, r.ID)
		}
	}},
	{"put/without ID", "a write other than Create needs an ID: else InvalidArgument, nothing written", needAnyID, func(s *subject) {
		_, err := s.db.Put(s.ctx, rec("", "a", int64(1)))
		s.wantCode(err, dataknobs.InvalidArgument, "Put without an ID")
		_, err = s.db.Update(s.ctx, rec("", "a", int64(1)))
		s.wantCode(err, dataknobs.InvalidArgument, "Update without an ID")
		_, err = s.db.Patch(s.ctx, "", []dataknobs.Change{change("a", "b")})
		s.wantCode(err, dataknobs.InvalidArgument, "Patch without an ID")
		s.wantCode(s.db.Delete(s.ctx, ""), dataknobs.InvalidArgument, "Delete without an ID")
		_, err = s.db.Get(s.ctx, "")
		s.wantCode(err, dataknobs.InvalidArgument, "Get without an ID")
		s.wantContent()
	}},
	{"row IDs", "a store whose IDs are row numbers refuses every change by ID with Unsupported and takes new records without one", needRows, func(s *subject) {
		s.create(rec("", "a", "old"))
		id := s.ids(&dataknobs.Query{})[0]
		for _, w := range singleWrites {
			_, err := w.call(s, id)
			s.wantCode(err, dataknobs.Unsupported, "%s of record %q", w.op, id)
		}
		s.wantContent(rec(id, "a", "old"))
	}},
	{"patch/paths", "section 6: Patch sets and removes the given paths, nested ones too, and keeps the rest", needIDs, func(s *subject) {
		s.create(rec("x", "a", int64(1), "o", map[string]any{"p": int64(1), "q": "keep"}, "z", true))
		_, err := s.db.Patch(s.ctx, "x", []dataknobs.Change{
			{Path: dataknobs.Names("a"), Remove: true},
			{Path: dataknobs.Names("o", "p"), Value: dataknobs.String("set")},
			{Path: dataknobs.Names("new", "deep"), Value: dataknobs.Int(7)},
			{Path: dataknobs.Names("none"), Remove: true},
			{Path: dataknobs.Names("a.b"), Value: dataknobs.Float(1)},
		})
		s.must(err, "Patch")
		s.wantContent(rec("x", "o", map[string]any{"p": "set", "q": "keep"}, "z", true, "new", map[string]any{"deep": int64(7)}, "a.b", 1.0))
	}},
	{"patch/null", "a path set to null is null to every query; the record stays", needIDs, func(s *subject) {
		s.create(rec("x", "a", int64(1), "b", int64(2)))
		_, err := s.db.Patch(s.ctx, "x", []dataknobs.Change{{Path: dataknobs.Names("a")}})
		s.must(err, "Patch to null")
		s.wantContent(rec("x", "a", nil, "b", int64(2)))
		s.wantSet(&dataknobs.Query{Where: cond("a", dataknobs.IsNull)}, "x")
	}},
	{"patch/metadata", "Patch reaches metadata through _meta", needIDs | needMeta, func(s *subject) {
		r := rec("x", "a", int64(1))
		r.Metadata = dataknobs.Fields{dataknobs.F("source", "s"), dataknobs.F("gone", true)}
		s.create(r)
		_, err := s.db.Patch(s.ctx, "x", []dataknobs.Change{
			{Path: dataknobs.Names("_meta", "source"), Value: dataknobs.String("t")},
			{Path: dataknobs.Names("_meta", "gone"), Remove: true},
		})
		s.must(err, "Patch of metadata")
		want := rec("x", "a", int64(1))
		want.Metadata = dataknobs.Fields{dataknobs.F("source", "t")}
		s.wantContent(want)
	}},
	{"patch/refused", "a change of _id, _rev or a bad value is InvalidArgument, and none of the changes is made", needIDs, func(s *subject) {
		s.create(rec("x", "a", int64(1)))
		for _, bad := range []dataknobs.Change{
			{Path: dataknobs.PathID, Value: dataknobs.String("y")},
			{Path: dataknobs.PathRevision, Value: dataknobs.String("y")},
			{Path: dataknobs.Names("_created"), Value: dataknobs.Int(1)},
			{Path: dataknobs.Names("b"), Value: dataknobs.String("\xff")},
			{Path: nil, Value: dataknobs.Int(1)},
		} {
			_, err := s.db.Patch(s.ctx, "x", []dataknobs.Change{change("a", int64(2)), bad})
			s.wantCode(err, dataknobs.InvalidArgument, "Patch of %q with %s", bad.Path, bad.Value)
		}
		s.wantContent(rec("x", "a", int64(1)))
	}},
	{"patch/empty", "a patch of nothing changes nothing, but asks whether the record is there", needIDs, func(s *subject) {
		s.create(rec("x", "a", int64(1)))
		_, err := s.db.Patch(s.ctx, "x", nil)
		s.wantCode(err, 0, "Patch with no changes")
		_, err = s.db.Patch(s.ctx, "none", nil)
		s.wantCode(err, dataknobs.NotFound, "Patch of an absent record with no changes")
		s.wantContent(rec("x", "a", int64(1)))
	}},
	{"read own writes", "section 6: reads see every earlier acknowledged write at once, searches included", needIDs, func(s *subject) {
		for i := range s.rounds(20) {
			s.create(rec(fmt.Sprint("k", i), "n", int64(i)))
			s.wantSet(&dataknobs.Query{Where: eq("n", int64(i))}, fmt.Sprint("k", i))
			_, err := s.db.Patch(s.ctx, fmt.Sprint("k", i), []dataknobs.Change{change("n", int64(-1-i))})
			s.must(err, "Patch")
			s.wantSet(&dataknobs.Query{Where: eq("n", int64(i))})
			s.wantSet(&dataknobs.Query{Where: eq("n", int64(-1-i))}, fmt.Sprint("k", i))
		}
	}},
	{"get/absent", "Get of an ID that is not there is NotFound", 0, func(s *subject) {
		_, err := s.db.Get(s.ctx, "none")
		s.wantError(err, dataknobs.NotFound, "get", "none")
	}},
}
