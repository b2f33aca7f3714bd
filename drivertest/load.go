package drivertest

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"dataknobs.dev/dataknobs"
)

// stream yields records and then, if err is not nil, that error.
func stream(recs []*dataknobs.Record, err error) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// numbered returns n records with IDs in order.
func numbered(n int) []*dataknobs.Record {
	recs := make([]*dataknobs.Record, n)
	for i := range recs {
		recs[i] = rec(formatID(i), "n", int64(i), "s", fmt.Sprint("s", i%10))
	}
	return recs
}

func formatID(i int) string { return fmt.Sprintf("%06d", i) }

var loadCases = []testCase{
	{"create", "Load stores a stream of new records and says how many", 0, func(s *subject) {
		n := s.rounds(5000)
		recs := numbered(n)
		given := slices.Clone(recs)
		for i := range given {
			given[i] = s.own(given[i].Clone())
		}
		res, err := s.db.Load(s.ctx, stream(given, nil), nil)
		s.must(err, "Load")
		if res.Written != int64(n) {
			s.Errorf("Load says %d were written, wanted %d", res.Written, n)
		}
		if s.f().RowIDs != "" {
			if got := len(s.query(&dataknobs.Query{})); got != n {
				s.Errorf("there are %d records, wanted %d", got, n)
			}
			return
		}
		s.wantAll(recs)
		if s.h.Reopen != nil {
			s.reopen()
			s.wantAll(recs)
		}
	}},
	{"create over existing", "LoadCreate meets a record that exists: an error, and what was there is not changed", needIDs, func(s *subject) {
		s.create(rec(formatID(7), "n", "old"))
		_, err := s.db.Load(s.ctx, stream(numbered(20), nil), &dataknobs.LoadOptions{Mode: dataknobs.LoadCreate})
		s.wantCode(err, dataknobs.AlreadyExists, "Load")
		s.wantRecord(s.get(formatID(7)), rec(formatID(7), "n", "old"), "the record that was there")
	}},
	{"put", "LoadPut replaces what exists", needIDs, func(s *subject) {
		s.create(rec(formatID(7), "n", "old"), rec("x", "n", "kept"))
		recs := numbered(20)
		res, err := s.db.Load(s.ctx, stream(recs, nil), &dataknobs.LoadOptions{Mode: dataknobs.LoadPut})
		s.must(err, "Load")
		if res.Written != 20 {
			s.Errorf("Load says %d were written, wanted 20", res.Written)
		}
		s.wantContent(append(recs, rec("x", "n", "kept"))...)
	}},
	{"skip", "LoadSkip leaves what exists alone and counts it as skipped", needIDs, func(s *subject) {
		s.create(rec(formatID(7), "n", "old"))
		recs := numbered(20)
		res, err := s.db.Load(s.ctx, stream(recs, nil), &dataknobs.LoadOptions{Mode: dataknobs.LoadSkip})
		s.must(err, "Load")
		if res.Written != 19 || res.Skipped != 1 {
			s.Errorf("Load says %d written and %d skipped, wanted 19 and 1", res.Written, res.Skipped)
		}
		recs[7] = rec(formatID(7), "n", "old")
		s.wantContent(recs...)
	}},
	{"repeated in the stream", "in a stream, a record that comes again meets the one that came before", needIDs, func(s *subject) {
		recs := numbered(10)
		again := append(slices.Clone(recs), rec(formatID(3), "n", "again"))
		res, err := s.db.Load(s.ctx, stream(again, nil), &dataknobs.LoadOptions{Mode: dataknobs.LoadPut})
		s.must(err, "Load")
		recs[3] = rec(formatID(3), "n", "again")
		if res.Written != 11 {
			s.Errorf("Load says %d were written, wanted 11", res.Written)
		}
		s.wantContent(recs...)
		res, err = s.db.Load(s.ctx, stream(again, nil), &dataknobs.LoadOptions{Mode: dataknobs.LoadSkip})
		s.must(err, "Load")
		if res.Skipped != 11 || res.Written != 0 {
			s.Errorf("Load says %d written and %d skipped, wanted 0 and 11", res.Written, res.Skipped)
		}
		fresh := s.another()
		_, err = fresh.db.Load(fresh.ctx, stream(again, nil), nil)
		fresh.wantCode(err, dataknobs.AlreadyExists, "Load of a repeated ID under LoadCreate")
	}},
	{"error in the stream", "an error in the stream ends the load and is returned; what it says was written is there, and nothing else", needIDs, func(s *subject) {
		broken := errors.New("the source broke")
		res, err := s.db.Load(s.ctx, stream(numbered(2500), broken), nil)
		if !errors.Is(err, broken) {
			s.Errorf("Load: got %s, wanted the stream's own error", outcome(err))
		}
		got := s.content()
		if res == nil || res.Written != int64(len(got)) {
			s.Errorf("Load says %+v, and there are %d records", res, len(got))
		}
		for id, r := range got {
			s.wantRecord(r, rec(id, "n", r.Get("n").Int(), "s", fmt.Sprint("s", r.Get("n").Int()%10)), "record %s", id)
		}
		s.create(rec("after", "n", int64(1)))
	}},
	{"invalid record", "an invalid record in the stream is InvalidArgument, and is not written", needIDs, func(s *subject) {
		recs := append(numbered(10), rec("bad", "_id", 1))
		_, err := s.db.Load(s.ctx, stream(recs, nil), nil)
		s.wantCode(err, dataknobs.InvalidArgument, "Load")
		if s.content()["bad"] != nil {
			s.Errorf("the invalid record was written")
		}
	}},
	{"records stay the caller's", "section 6: records passed in are not changed, and after Load they are the caller's again", 0, func(s *subject) {
		given, want := make([]*dataknobs.Record, 100), numbered(100)
		for i, r := range numbered(100) {
			given[i] = s.own(r)
		}
		_, err := s.db.Load(s.ctx, stream(given, nil), nil)
		s.must(err, "Load")
		for i, r := range given {
			if !r.Fields.Identical(want[i].Fields) || r.Revision != "" || r.ID != s.own(want[i].Clone()).ID {
				s.Errorf("Load changed a record passed in:\n got    %s\n wanted %s", show(r), show(want[i]))
			}
			scribble(r)
		}
		seen := map[int64]bool{}
		for _, r := range s.query(&dataknobs.Query{}) {
			seen[r.Get("n").Int()] = true
		}
		if len(seen) != 100 {
			s.Errorf("after changes to the records passed in there are %d different ones, wanted 100", len(seen))
		}
	}},
	{"empty", "a stream of nothing is no error", 0, func(s *subject) {
		res, err := s.db.Load(s.ctx, stream(nil, nil), nil)
		s.must(err, "Load")
		if res.Written != 0 {
			s.Errorf("Load of nothing says %d", res.Written)
		}
		s.wantIDs(&dataknobs.Query{})
	}},
	{"into itself", "a store can be loaded from what is read of it at the same time", needIDs, func(s *subject) {
		s.fill(numbered(300))
		copies := func(yield func(*dataknobs.Record, error) bool) {
			for r, err := range s.db.Run(s.ctx, &dataknobs.Query{Where: cond("n", dataknobs.Lt, int64(100)), OrderBy: orderBy("n")}) {
				if r != nil {
					r.ID = "copy" + r.ID
					r.Set("n", dataknobs.Int(r.Get("n").Int()+1000))
					for _, k := range s.f().Key { // made of the new ID
						r.Fields.Delete(k)
					}
				}
				if !yield(r, err) {
					return
				}
			}
		}
		res, err := s.db.Load(s.ctx, copies, nil)
		s.must(err, "Load")
		if n := len(s.content()); n != 400 || res.Written != 100 {
			s.Errorf("loaded %d, and there are %d records; wanted 100 and 400", res.Written, n)
		}
	}},
}

// wantAll is wantContent by one scan, for many records.
func (s *subject) wantAll(want []*dataknobs.Record) {
	s.Helper()
	got := s.content()
	if len(got) != len(want) {
		s.Errorf("there are %d records, wanted %d", len(got), len(want))
	}
	for _, w := range want {
		if !s.same(got[w.ID], w) {
			s.Fatalf("record %q:\n got    %s\n wanted %s", w.ID, show(got[w.ID]), show(w))
		}
	}
}
