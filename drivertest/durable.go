package drivertest

import (
	"fmt"
	"slices"

	"dataknobs.dev/dataknobs"
)

var closeCases = []testCase{
	{"use after close", "calls after Close fail with InvalidArgument; closing again does no harm", needIDs, func(s *subject) {
		s.fill(numbered(3))
		s.must(s.db.Close(), "Close")
		calls := map[string]func() error{
			"Get":    func() error { return second(s.db.Get(s.ctx, formatID(1))) },
			"Create": func() error { return second(s.db.Create(s.ctx, rec("new"))) },
			"Put":    func() error { return second(s.db.PutMany(s.ctx, []*dataknobs.Record{rec("new")})) },
			"Delete": func() error { return s.db.Delete(s.ctx, formatID(1)) },
			"Count":  func() error { return second(s.db.Count(s.ctx, nil)) },
			"All":    func() error { return second(s.db.All(s.ctx, &dataknobs.Query{})) },
			"Load":   func() error { return second(s.db.Load(s.ctx, stream(numbered(3), nil), nil)) },
		}
		for name, call := range calls {
			s.wantCode(call(), dataknobs.InvalidArgument, "%s after Close", name)
		}
		s.must(s.db.Close(), "Close again")
	}},
	{"stores are apart", "two stores opened side by side share nothing; closing one leaves the other usable (trap 54)", needIDs, func(s *subject) {
		other := s.another()
		s.create(rec("x", "in", "first"))
		other.create(rec("x", "in", "second"))
		s.must(s.db.Close(), "Close")
		other.wantContent(rec("x", "in", "second"))
		other.create(rec("y"))
	}},
	{"close while reading", "Close while others read: they finish or fail, nothing panics or hangs", needIDs, func(s *subject) {
		s.fill(numbered(500))
		together(4, func(i int) {
			if i == 0 {
				s.db.Close()
				return
			}
			for range 5 {
				_, _ = s.db.All(s.ctx, &dataknobs.Query{OrderBy: orderBy("n")})
			}
		})
	}},
}

const lasts = "section 6: an acknowledged write is there when the store is opened again, identical, in the same order"

var durableCases = []testCase{
	{"everything", lasts, needReopen | needIDs, func(s *subject) {
		recs := clashing(100)
		s.fill(recs)
		for i, r := range recs[:30] {
			switch i % 3 {
			case 0:
				s.must(s.db.Delete(s.ctx, r.ID), "Delete")
				recs[i] = nil
			case 1:
				r.Set("w", dataknobs.String("patched"))
				_, err := s.db.Patch(s.ctx, r.ID, []dataknobs.Change{change("w", "patched")})
				s.must(err, "Patch")
			case 2:
				recs[i] = rec(r.ID, "replaced", 1.0)
				_, err := s.db.Update(s.ctx, recs[i])
				s.must(err, "Update")
			}
		}
		recs = slices.DeleteFunc(recs, func(r *dataknobs.Record) bool { return r == nil })
		before := s.query(&dataknobs.Query{Limit: new(1000)})
		for range 3 {
			s.reopen()
			s.wantContent(recs...)
			after := s.query(&dataknobs.Query{Limit: new(1000)})
			if !slices.Equal(idsOf(after), idsOf(before)) {
				s.Errorf("the order changed:\n got    %q\n wanted %q", idsOf(after), idsOf(before))
			}
		}
	}},
	{"write after reopening", lasts + ", and what is written then too", needReopen | needIDs, func(s *subject) {
		var want []*dataknobs.Record
		for i := range 5 {
			r := rec(fmt.Sprint("r", i), "n", int64(i), fmt.Sprint("only", i), true)
			s.create(r)
			want = append(want, r)
			s.wantError(second(s.db.Create(s.ctx, r)), dataknobs.AlreadyExists, "create", r.ID)
			s.reopen()
			s.wantContent(want...)
		}
		s.must(s.db.Delete(s.ctx, "r0"), "Delete")
		s.reopen()
		s.wantContent(want[1:]...)
	}},
	{"revisions", "a revision read before the store was opened again still guards the record", needReopen | needIDs, func(s *subject) {
		s.create(rec("x", "n", int64(1)), rec("y", "n", int64(1)))
		x, y := s.get("x"), s.get("y")
		_, err := s.db.Put(s.ctx, rec("y", "n", int64(2)))
		s.must(err, "Put")
		s.reopen()
		_, err = s.db.Put(s.ctx, rec("y", "n", int64(3)), dataknobs.IfRevision(y.Revision))
		s.wantCode(err, dataknobs.Conflict, "Put with a stale revision, reopened")
		_, err = s.db.Put(s.ctx, rec("x", "n", int64(3)), dataknobs.IfRevision(s.get("x").Revision))
		s.wantCode(err, 0, "Put with the revision just read")
		_, err = s.db.Put(s.ctx, rec("x", "n", int64(4)), dataknobs.IfRevision(x.Revision))
		s.wantCode(err, dataknobs.Conflict, "Put with the revision of the content before")
	}},
	{"reading changes nothing", "trap 64: opening, reading and closing writes nothing: the store is the same again and again", needReopen | needIDs, func(s *subject) {
		recs := clashing(40)
		s.fill(recs)
		s.reopen()
		before := s.content()
		for range 2 {
			s.query(&dataknobs.Query{OrderBy: orderBy("v")})
			s.reopen()
		}
		for id, r := range s.content() {
			if before[id] == nil || !r.Identical(before[id]) || r.Revision != before[id].Revision {
				s.Errorf("record %q: got %s revision %q, wanted %s", id, show(r), r.Revision, show(before[id]))
			}
		}
	}},
	{"emptied", "a store whose records were all deleted is empty when it is opened again, and takes new ones", needReopen | needIDs, func(s *subject) {
		s.create(rec("x", "n", int64(1)), rec("y", "n", int64(2)))
		_, err := s.db.DeleteWhere(s.ctx, nil)
		s.must(err, "DeleteWhere")
		s.reopen()
		s.wantContent()
		s.create(rec("x", "other", "fields"))
		s.reopen()
		s.wantContent(rec("x", "other", "fields"))
	}},
	{"sync", "Sync keeps everything, whatever it folds, and so does opening after it", needReopen | needIDs, func(s *subject) {
		recs := clashing(50)
		for i, r := range recs {
			s.create(r)
			if i%10 == 9 {
				s.must(s.db.Sync(s.ctx), "Sync")
				s.wantContent(recs[:i+1]...)
			}
		}
		s.reopen()
		s.wantContent(recs...)
	}},
}
