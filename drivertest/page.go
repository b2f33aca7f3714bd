package drivertest

import (
	"fmt"
	"maps"
	"slices"

	"dataknobs.dev/dataknobs"
)

// pages walks through q page by page and returns the IDs of each page. between
// is called after each page but the last.
func (s *subject) pages(q *dataknobs.Query, between func(page int)) [][]string {
	s.Helper()
	var pages [][]string
	next := *q
	for {
		p, err := s.db.Page(s.ctx, &next)
		s.must(err, "page %d of %s", len(pages), q)
		pages = append(pages, idsOf(p.Records))
		if p.Next == "" {
			return pages
		}
		if len(pages) > 10000 {
			s.Fatalf("paging through %s does not end", q)
		}
		if q.Limit == nil || len(p.Records) != *q.Limit {
			s.Fatalf("page %d of %s has %d records and a token for a next one", len(pages)-1, q, len(p.Records))
		}
		between(len(pages))
		next.After, next.Offset = p.Next, 0
	}
}

// wantPages checks that paging through q visits exactly those IDs in order.
func (s *subject) wantPages(q *dataknobs.Query, want []string) {
	s.Helper()
	pages := s.pages(q, func(int) {})
	for i, p := range pages[:len(pages)-1] {
		if len(p) != *q.Limit {
			s.Errorf("paging through %s: page %d has %d records, wanted %d", q, i, len(p), *q.Limit)
		}
	}
	if got := slices.Concat(pages...); !slices.Equal(got, want) {
		s.Errorf("paging through %s:\n got    %q\n wanted %q", q, got, want)
	}
}

const onceEach = "section 5: a page hands out a token that continues after its last record; every ordered result is total, so paging never skips or repeats"

// pageOrders are the orders that paging is tried over.
var pageOrders = [][]string{nil, {"_id"}, {"-_id"}, {"v"}, {"-v"}, {"^v"}, {"-^v"}, {"w"}, {"-w", "v"}, {"^w", "-v"}, {"o.p", "-o.q"}, {"none"}, {"w", "-_id"}}

var pageCases = []testCase{
	{"every order", onceEach, needIDs, func(s *subject) {
		n := 90
		if s.brief() {
			n = 35
		}
		recs := clashing(n)
		s.fill(recs)
		for _, keys := range pageOrders {
			for _, where := range []dataknobs.Expr{nil, cond("v", dataknobs.IsNotNull)} {
				for _, limit := range []int{1, 7, n, 1000} {
					q := &dataknobs.Query{Where: where, OrderBy: orderBy(keys...), Limit: new(limit)}
					want, _ := modelRun(&dataknobs.Query{Where: where, OrderBy: q.OrderBy}, recs, s.idOrder(q))
					s.wantPages(q, idsOf(want))
				}
			}
		}
	}},
	{"selected", onceEach + ", of projections too, though they leave out the sort keys", needIDs, func(s *subject) {
		recs := clashing(50)
		s.fill(recs)
		q := &dataknobs.Query{Select: []dataknobs.Column{{Path: dataknobs.Names("o", "p"), As: "x"}}, OrderBy: orderBy("-v", "w"), Limit: new(8)}
		want, _ := modelRun(&dataknobs.Query{OrderBy: q.OrderBy}, recs, false)
		s.wantPages(q, idsOf(want))
	}},
	{"with an offset", "an offset counts once, before the first page", needIDs, func(s *subject) {
		recs := clashing(40)
		s.fill(recs)
		q := &dataknobs.Query{OrderBy: orderBy("v"), Limit: new(6), Offset: 5}
		want, _ := modelRun(&dataknobs.Query{OrderBy: q.OrderBy, Offset: 5}, recs, false)
		s.wantPages(q, idsOf(want))
	}},
	{"deletes between pages", onceEach + ", also while records that were read are deleted", needIDs, func(s *subject) {
		for _, keys := range pageOrders {
			one := s.another()
			recs := clashing(40)
			one.fill(recs)
			q := &dataknobs.Query{OrderBy: orderBy(keys...), Limit: new(6)}
			want, _ := modelRun(&dataknobs.Query{OrderBy: q.OrderBy}, recs, one.idOrder(q))
			ids := idsOf(want)
			pages := one.pages(q, func(page int) {
				_, err := one.db.DeleteMany(one.ctx, ids[(page-1)*6:min(page*6, len(ids))]) // the token's own record among them
				one.must(err, "DeleteMany")
			})
			if got := slices.Concat(pages...); !slices.Equal(got, ids) {
				one.Errorf("paging through %s while deleting what was read:\n got    %q\n wanted %q", q, got, ids)
			}
			one.db.Close()
		}
	}},
	{"inserts between pages", onceEach + ", of the records that were there all along", needIDs, func(s *subject) {
		for _, keys := range pageOrders {
			one := s.another()
			recs := clashing(40)
			one.fill(recs)
			q := &dataknobs.Query{OrderBy: orderBy(keys...), Limit: new(6)}
			want, _ := modelRun(&dataknobs.Query{OrderBy: q.OrderBy}, recs, one.idOrder(q))
			pages := one.pages(q, func(page int) {
				r := clashing(40 + page)[39+page].Clone()
				r.ID = fmt.Sprintf("%04d+", (page*613)%10000)
				one.create(r)
			})
			got := slices.DeleteFunc(slices.Concat(pages...), func(id string) bool { return id[len(id)-1] == '+' })
			if !slices.Equal(got, idsOf(want)) {
				one.Errorf("paging through %s while inserting:\n got    %q\n wanted %q", q, got, idsOf(want))
			}
			one.db.Close()
		}
	}},
	{"token of another query", "section 5: a token is bound to its query and refuses another", needIDs, func(s *subject) {
		s.fill(clashing(30))
		base := dataknobs.Query{Where: cond("w", dataknobs.Ge, int64(0)), OrderBy: orderBy("v"), Limit: new(5)}
		p, err := s.db.Page(s.ctx, &base)
		s.must(err, "Page")
		others := map[string]func(q *dataknobs.Query){
			"another condition": func(q *dataknobs.Query) { q.Where = cond("w", dataknobs.Ge, int64(1)) },
			"no condition":      func(q *dataknobs.Query) { q.Where = nil },
			"another order":     func(q *dataknobs.Query) { q.OrderBy = orderBy("-v") },
			"no order":          func(q *dataknobs.Query) { q.OrderBy = nil },
			"more order":        func(q *dataknobs.Query) { q.OrderBy = orderBy("v", "w") },
			"cut token":         func(q *dataknobs.Query) { q.After = q.After[:len(q.After)/2] },
			"longer token":      func(q *dataknobs.Query) { q.After += "A" },
		}
		for _, name := range slices.Sorted(maps.Keys(others)) {
			q := base
			q.After = p.Next
			others[name](&q)
			_, err := s.db.Page(s.ctx, &q)
			s.wantCode(err, dataknobs.InvalidArgument, "the token with %s", name)
			_, err = s.db.All(s.ctx, &q)
			s.wantCode(err, dataknobs.InvalidArgument, "the token with %s, All", name)
		}
		q := base
		q.After, q.Limit = p.Next, new(3) // the size of a page may change
		if p, err := s.db.Page(s.ctx, &q); err != nil || len(p.Records) != 3 {
			s.Errorf("the token with another limit: error %v", err)
		}
	}},
	{"token across processes", "a token outlives the DB that made it", needIDs | needReopen, func(s *subject) {
		recs := clashing(30)
		s.fill(recs)
		for _, keys := range pageOrders {
			q := dataknobs.Query{OrderBy: orderBy(keys...), Limit: new(11)}
			want, _ := modelRun(&dataknobs.Query{OrderBy: q.OrderBy}, recs, s.idOrder(&q))
			p, err := s.db.Page(s.ctx, &q)
			s.must(err, "Page")
			got := idsOf(p.Records)
			s.reopen()
			q.After, q.Limit = p.Next, nil
			rest, err := s.db.All(s.ctx, &q)
			s.must(err, "All after a token")
			if got = append(got, idsOf(rest)...); !slices.Equal(got, idsOf(want)) {
				s.Errorf("order %q, reopened after one page:\n got    %q\n wanted %q", keys, got, idsOf(want))
			}
		}
	}},
	{"last page", "a page that is not full is the last and has no token; after one that is exactly full one more may follow, an empty one", needIDs, func(s *subject) {
		p, err := s.db.Page(s.ctx, &dataknobs.Query{Limit: new(5)})
		s.must(err, "Page")
		if len(p.Records) != 0 || p.Next != "" {
			s.Errorf("a page of an empty store: %d records, token %q", len(p.Records), p.Next)
		}
		s.fill(clashing(10))
		for _, q := range []*dataknobs.Query{{Limit: new(11)}, {OrderBy: orderBy("v"), Limit: new(100)}, {OrderBy: orderBy("v")}} {
			if p, err := s.db.Page(s.ctx, q); err != nil || len(p.Records) != 10 || p.Next != "" {
				s.Errorf("%s: error %v, or not 10 records, or a token after the last", q, err)
			}
		}
		for _, os := range [][]dataknobs.Order{nil, orderBy("v")} {
			q := &dataknobs.Query{OrderBy: os, Limit: new(10)}
			if pages := s.pages(q, func(int) {}); len(pages[0]) != 10 || len(pages) > 2 || len(slices.Concat(pages...)) != 10 {
				s.Errorf("%s: got pages %q", q, pages)
			}
		}
	}},
}
