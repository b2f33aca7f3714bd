package drivertest

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"dataknobs.dev/dataknobs"
)

// wantItems reports it unless err is a BatchError of exactly those codes by
// index; no codes: no error.
func (s *subject) wantItems(err error, codes map[int]dataknobs.Code) {
	s.Helper()
	var be *dataknobs.BatchError
	switch {
	case len(codes) == 0:
		s.wantCode(err, 0, "the batch")
		return
	case !errors.As(err, &be):
		s.Errorf("the batch: got %s, wanted a *BatchError with the items %v", outcome(err), codes)
		return
	}
	got := map[int]dataknobs.Code{}
	for _, item := range be.Errors {
		got[item.Index] = dataknobs.CodeOf(item.Err)
	}
	if !maps.Equal(got, codes) {
		s.Errorf("the batch: failed items by index are %v, wanted %v", got, codes)
	}
}

const byIndex = "section 6: a batch reports by index: an error holding each failed item's index, ID and cause, everything else applied"

var batchCases = []testCase{
	{"create", byIndex, needIDs, func(s *subject) {
		s.create(rec("b", "n", "old"))
		res, err := s.db.CreateMany(s.ctx, []*dataknobs.Record{rec("a", "n", "new"), rec("b", "n", "new"), rec("c", "n", "new")})
		s.wantItems(err, map[int]dataknobs.Code{1: dataknobs.AlreadyExists})
		s.wantResults(res, "a", "", "c")
		s.wantContent(rec("a", "n", "new"), rec("b", "n", "old"), rec("c", "n", "new"))
		s.wantBatchIDs(err, "b")
	}},
	{"create without IDs", "a batch of records without IDs gets a different ID for each, by index", 0, func(s *subject) {
		recs := []*dataknobs.Record{rec("", "n", int64(0)), rec("", "n", int64(1)), rec("", "n", int64(2))}
		res, err := s.db.CreateMany(s.ctx, recs)
		s.must(err, "CreateMany")
		if s.f().RowIDs != "" {
			return
		}
		for i, r := range res {
			s.wantRecord(s.get(r.ID), rec(r.ID, "n", int64(i)), "result %d", i)
		}
		if len(s.content()) != 3 || recs[0].ID != "" {
			s.Errorf("wanted 3 records, and the caller's records unchanged")
		}
	}},
	{"put", byIndex, needIDs, func(s *subject) {
		s.create(rec("b", "n", "old"))
		res, err := s.db.PutMany(s.ctx, []*dataknobs.Record{rec("a", "n", "new"), rec("b", "n", "new")})
		s.wantItems(err, nil)
		s.wantResults(res, "a", "b")
		if len(res) == 2 && (!res[0].Created || res[1].Created) {
			s.Errorf("PutMany: got %+v, wanted only the first created", res)
		}
		s.wantContent(rec("a", "n", "new"), rec("b", "n", "new"))
	}},
	{"update", byIndex, needIDs, func(s *subject) {
		s.create(rec("b", "n", "old"))
		res, err := s.db.UpdateMany(s.ctx, []*dataknobs.Record{rec("a", "n", "new"), rec("b", "n", "new"), rec("c")})
		s.wantItems(err, map[int]dataknobs.Code{0: dataknobs.NotFound, 2: dataknobs.NotFound})
		s.wantResults(res, "", "b", "")
		s.wantContent(rec("b", "n", "new"))
		s.wantBatchIDs(err, "a", "c")
	}},
	{"patch", byIndex, needIDs, func(s *subject) {
		revs := s.create(rec("a", "n", "old"), rec("b", "n", "old"), rec("c", "n", "old"))
		ch := []dataknobs.Change{change("n", "new")}
		res, err := s.db.PatchMany(s.ctx, []dataknobs.Patch{{ID: "a", Changes: ch, Revision: revs[0]}, {ID: "b", Changes: ch, Revision: "stale"}, {ID: "x", Changes: ch}, {ID: "c", Changes: ch}})
		s.wantItems(err, map[int]dataknobs.Code{1: dataknobs.Conflict, 2: dataknobs.NotFound})
		s.wantResults(res, "a", "", "", "c")
		s.wantContent(rec("a", "n", "new"), rec("b", "n", "old"), rec("c", "n", "new"))
	}},
	{"delete", byIndex, needIDs, func(s *subject) {
		s.create(rec("a"), rec("b"), rec("c"))
		_, err := s.db.DeleteMany(s.ctx, []string{"a", "x", "c"})
		s.wantItems(err, map[int]dataknobs.Code{1: dataknobs.NotFound})
		s.wantContent(rec("b"))
		s.wantBatchIDs(err, "x")
	}},
	{"empty", "a batch of nothing is no error", 0, func(s *subject) {
		res, err := s.db.CreateMany(s.ctx, nil)
		s.wantItems(err, nil)
		if len(res) != 0 {
			s.Errorf("CreateMany of nothing: got %d results", len(res))
		}
		_, err = s.db.Apply(s.ctx, nil)
		s.wantItems(err, nil)
	}},
	{"same ID twice", "writes to one ID in one batch apply in their order", needIDs, func(s *subject) {
		res, err := s.db.Apply(s.ctx, []dataknobs.Write{
			{Op: dataknobs.WritePut, ID: "x", Record: rec("x", "n", int64(1)), If: dataknobs.IfAbsent},
			{Op: dataknobs.WritePut, ID: "x", Record: rec("x", "n", int64(2)), If: dataknobs.IfAbsent},
			{Op: dataknobs.WritePatch, ID: "x", Changes: []dataknobs.Change{change("m", int64(3))}},
			{Op: dataknobs.WriteDelete, ID: "x"},
			{Op: dataknobs.WritePatch, ID: "x", Changes: []dataknobs.Change{change("m", int64(4))}},
			{Op: dataknobs.WritePut, ID: "x", Record: rec("x", "n", int64(5)), If: dataknobs.IfPresent},
			{Op: dataknobs.WritePut, ID: "x", Record: rec("x", "n", int64(6))},
			{Op: dataknobs.WritePatch, ID: "x", Changes: []dataknobs.Change{change("m", int64(7))}},
		})
		s.wantItems(err, map[int]dataknobs.Code{1: dataknobs.AlreadyExists, 4: dataknobs.NotFound, 5: dataknobs.NotFound})
		if len(res) == 8 && (!res[0].Created || res[2].Created || !res[6].Created || res[7].Revision == res[6].Revision) {
			s.Errorf("results %+v", res)
		}
		s.wantContent(rec("x", "n", int64(6), "m", int64(7)))
	}},
	{"same ID often", "writes to one ID in one batch apply in their order, however many there are", needIDs, func(s *subject) {
		var recs []*dataknobs.Record
		for i := range 1000 {
			recs = append(recs, rec(fmt.Sprint("k", i%7), "n", int64(i)))
		}
		_, err := s.db.PutMany(s.ctx, recs, dataknobs.Parallel(4), dataknobs.BatchSize(16))
		s.wantItems(err, nil)
		s.wantContent(recs[993:]...)
	}},
	{"large", byIndex + ", whatever its size", needIDs, func(s *subject) {
		var recs, want []*dataknobs.Record
		fails := map[int]dataknobs.Code{}
		for i := range 2500 {
			r := rec(fmt.Sprintf("%05d", i), "n", int64(i))
			recs = append(recs, r)
			if i%500 == 17 {
				s.create(rec(r.ID, "n", "old"))
				fails[i] = dataknobs.AlreadyExists
				want = append(want, rec(r.ID, "n", "old"))
				continue
			}
			want = append(want, r)
		}
		res, err := s.db.CreateMany(s.ctx, recs)
		s.wantItems(err, fails)
		if len(res) != len(recs) {
			s.Fatalf("CreateMany of %d: got %d results", len(recs), len(res))
		}
		for i, r := range res {
			if (r.Err == nil) != (fails[i] == 0) {
				s.Errorf("result %d: %+v", i, r)
			}
		}
		got := s.content()
		for _, r := range want {
			s.wantRecord(got[r.ID], r, "record %s", r.ID)
		}
	}},
	{"atomic", "Atomic() makes a batch all-or-nothing where the store can; elsewhere Unsupported, before anything is written", needIDs, func(s *subject) {
		s.create(rec("b", "n", "old"))
		recs := []*dataknobs.Record{rec("a", "n", "new"), rec("b", "n", "new"), rec("c", "n", "new")}
		res, err := s.db.CreateMany(s.ctx, recs, dataknobs.Atomic())
		if !s.f().Atomic {
			s.wantCode(err, dataknobs.Unsupported, "an atomic batch")
			s.wantContent(rec("b", "n", "old"))
			return
		}
		if err == nil || len(res) != 3 || !errors.Is(res[1].Err, dataknobs.AlreadyExists) || !errors.Is(res[0].Err, dataknobs.ErrNotApplied) || !errors.Is(res[2].Err, dataknobs.ErrNotApplied) {
			s.Errorf("atomic CreateMany: got error %v and results %+v; wanted item 1 AlreadyExists, the others ErrNotApplied", err, res)
		}
		s.wantContent(rec("b", "n", "old"))
		_, err = s.db.PutMany(s.ctx, recs, dataknobs.Atomic())
		s.wantItems(err, nil)
		s.wantContent(recs...)
	}},
	{"atomic with an invalid record", "an invalid record fails an atomic batch as a whole", needIDs | needAtomic, func(s *subject) {
		_, err := s.db.CreateMany(s.ctx, []*dataknobs.Record{rec("a"), rec("b", "_id", 1)}, dataknobs.Atomic())
		if err == nil {
			s.Errorf("wanted an error")
		}
		s.wantContent()
	}},
	{"atomic mixed", "an atomic batch of writes of every kind, in their order", needIDs | needAtomic, func(s *subject) {
		rev := s.create(rec("a", "n", int64(1)), rec("b", "n", int64(2)), rec("c", "n", int64(3)))[0]
		writes := []dataknobs.Write{
			{Op: dataknobs.WriteDelete, ID: "c"},
			{Op: dataknobs.WritePut, ID: "c", Record: rec("c", "n", "again"), If: dataknobs.IfAbsent},
			{Op: dataknobs.WritePatch, ID: "b", Changes: []dataknobs.Change{change("m", true)}},
			{Op: dataknobs.WritePut, ID: "a", Record: rec("a", "n", "new"), Revision: "stale"},
		}
		_, err := s.db.Apply(s.ctx, writes, dataknobs.Atomic())
		if err == nil {
			s.Errorf("an atomic batch with a stale revision: wanted an error")
		}
		s.wantContent(rec("a", "n", int64(1)), rec("b", "n", int64(2)), rec("c", "n", int64(3)))
		writes[3].Revision = rev
		_, err = s.db.Apply(s.ctx, writes, dataknobs.Atomic())
		s.wantItems(err, nil)
		s.wantContent(rec("a", "n", "new"), rec("b", "n", int64(2), "m", true), rec("c", "n", "again"))
	}},
	{"patch where", "PatchWhere patches exactly the records that the condition selects, and counts them", needIDs, func(s *subject) {
		s.fill(clashing(60))
		where := cond("v", dataknobs.Gt, int64(2))
		var want []*dataknobs.Record
		for _, r := range byID(slices.Collect(maps.Values(s.content()))) {
			r = r.Clone()
			if matches(where, r) {
				r.Set("hit", dataknobs.Bool(true))
			}
			want = append(want, r)
		}
		hits := int64(len(s.ids(&dataknobs.Query{Where: where})))
		n, err := s.db.PatchWhere(s.ctx, where, []dataknobs.Change{change("hit", true)})
		s.must(err, "PatchWhere")
		if n != hits || n == 0 {
			s.Errorf("PatchWhere says %d, wanted %d", n, hits)
		}
		s.wantContent(want...)
		n, err = s.db.PatchWhere(s.ctx, eq("v", "no such value"), []dataknobs.Change{change("hit", false)})
		if n != 0 || err != nil {
			s.Errorf("PatchWhere of nothing: %d, %v", n, err)
		}
	}},
	{"patch where it matters", "PatchWhere may change what its own condition reads: each record is patched once", needIDs, func(s *subject) {
		for i := range 30 {
			s.create(rec(fmt.Sprintf("%02d", i), "n", int64(i)))
		}
		n, err := s.db.PatchWhere(s.ctx, cond("n", dataknobs.Ge, int64(10)), []dataknobs.Change{change("n", int64(0))})
		s.must(err, "PatchWhere")
		c, err := s.db.Count(s.ctx, eq("n", int64(0)))
		s.must(err, "Count")
		if n != 20 || c != 21 {
			s.Errorf("PatchWhere says %d, and then %d records have n = 0; wanted 20 and 21", n, c)
		}
	}},
	{"delete where", "DeleteWhere deletes exactly the records that the condition selects, and counts them", needIDs, func(s *subject) {
		s.fill(clashing(60))
		where := dataknobs.Or{cond("v", dataknobs.Lt, "m"), cond("w", dataknobs.IsNull)}
		var want []*dataknobs.Record
		hits := int64(0)
		for _, r := range s.content() {
			if matches(where, r) {
				hits++
			} else {
				want = append(want, r)
			}
		}
		n, err := s.db.DeleteWhere(s.ctx, where)
		s.must(err, "DeleteWhere")
		if n != hits || n == 0 {
			s.Errorf("DeleteWhere says %d, wanted %d", n, hits)
		}
		s.wantContent(want...)
	}},
	{"where of nothing", "trap 51: an empty OR selects nothing, so nothing is deleted or patched", needIDs, func(s *subject) {
		s.create(rec("a"), rec("b"))
		n, err := s.db.DeleteWhere(s.ctx, dataknobs.Or{})
		if n != 0 || err != nil {
			s.Errorf("DeleteWhere of an empty OR: %d, %v", n, err)
		}
		n, err = s.db.DeleteWhere(s.ctx, cond("_id", dataknobs.In))
		if n != 0 || err != nil {
			s.Errorf("DeleteWhere of an empty IN: %d, %v", n, err)
		}
		s.wantContent(rec("a"), rec("b"))
	}},
}

// wantResults checks which results are good, by the ID of each; "": failed.
func (s *subject) wantResults(res []dataknobs.Result, ids ...string) {
	s.Helper()
	if len(res) != len(ids) {
		s.Errorf("got %d results, wanted %d", len(res), len(ids))
		return
	}
	for i, id := range ids {
		r := res[i]
		if ok := r.Err == nil; ok != (id != "") || ok && (r.ID != id || r.Revision == "") {
			s.Errorf("result %d: got %+v, wanted ID %q", i, r, id)
		}
	}
}

// wantBatchIDs checks the IDs that a batch's error names.
func (s *subject) wantBatchIDs(err error, ids ...string) {
	s.Helper()
	var be *dataknobs.BatchError
	if !errors.As(err, &be) {
		return
	}
	var got []string
	for _, item := range be.Errors {
		got = append(got, item.ID)
	}
	if !slices.Equal(got, ids) {
		s.Errorf("the batch's error names the IDs %q, wanted %q", got, ids)
	}
}
