package sqlgen_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// order draws a sort of up to three keys.
func (c *chance) order(path func() dataknobs.Path) []dataknobs.Order {
	var os []dataknobs.Order
	for range c.IntN(4) {
		os = append(os, dataknobs.Order{Path: path(), Desc: c.IntN(2) == 0, Nulls: []dataknobs.Nulls{dataknobs.NullsLast, dataknobs.NullsFirst}[c.IntN(2)]})
	}
	return os
}

// scan draws a sorted page, perhaps after one of the records.
func (c *chance) scan(table *sqlgen.Table, path func() dataknobs.Path) (*dataknobs.Scan, bool) {
	s := &dataknobs.Scan{OrderBy: c.order(path), NoRevision: true, Paths: []dataknobs.Path{}}
	if i := slices.IndexFunc(s.OrderBy, func(o dataknobs.Order) bool { return o.Path.IsID() }); i >= 0 {
		s.OrderBy = s.OrderBy[:i+1] // as the engine does
	}
	if len(s.OrderBy) == 0 {
		s.OrderBy = []dataknobs.Order{{Path: dataknobs.PathID}}
	}
	if table.Sort(s.OrderBy).Fidelity != dataknobs.Exact {
		return nil, false
	}
	if c.IntN(2) == 0 {
		s.HasLimit, s.Limit = true, c.IntN(len(c.recs)+10)
	}
	if c.IntN(2) == 0 {
		r := c.recs[c.IntN(len(c.recs))]
		s.After = &dataknobs.Seek{Keys: dataknobs.NewOrdering(s.OrderBy).KeysOf(r), ID: r.ID}
	} else if c.IntN(3) == 0 {
		s.Offset = c.IntN(len(c.recs))
	}
	if c.IntN(3) == 0 {
		if cond := c.condOn(path()); table.Filter(cond).Fidelity == dataknobs.Exact {
			if _, err := dataknobs.Compile(cond); err == nil {
				s.Where = cond
			}
		}
	}
	return s, true
}

// wantScan returns the IDs that a scan is to yield.
func wantScan(t testing.TB, recs []*dataknobs.Record, s *dataknobs.Scan) []string {
	m, err := dataknobs.Compile(s.Where)
	if err != nil {
		t.Fatal(err)
	}
	o := dataknobs.NewOrdering(s.OrderBy)
	var left []*dataknobs.Record
	for _, r := range recs {
		if m.Match(r) && (s.After == nil || o.After(o.KeysOf(r), r.ID, s.After)) {
			left = append(left, r)
		}
	}
	slices.SortFunc(left, o.CompareRecords)
	left = left[min(s.Offset, len(left)):]
	if s.HasLimit {
		left = left[:min(s.Limit, len(left))]
	}
	var ids []string
	for _, r := range left {
		ids = append(ids, r.ID)
	}
	return ids
}

// checkScan runs a sorted scan until a record whose place is not sure.
func checkScan(t *testing.T, db store, table *sqlgen.Table, recs []*dataknobs.Record, s *dataknobs.Scan) (whole bool) {
	t.Helper()
	st, err := table.Select(s)
	if err != nil {
		t.Fatal(err)
	}
	odd := slices.IndexFunc(st.Out, func(o sqlgen.Output) bool { return o.Is == sqlgen.OutInexact })
	var got []string
	whole = true
	for _, row := range db.rows(t, st.SQL, st.Args...) {
		if odd >= 0 && row[odd] != int64(0) && row[odd] != false {
			whole = false
			break
		}
		got = append(got, idOf(table, row))
	}
	want := wantScan(t, recs, s)
	if n := len(got); n > len(want) || !slices.Equal(got, want[:n]) || whole && n != len(want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("order %v where %v limit %v %d offset %d after %+v\ngot  %d %q\nwant %d %q\n%s\n%q", s.OrderBy, s.Where, s.HasLimit, s.Limit, s.Offset, s.After,
			len(got), got[at:min(at+3, len(got))], len(want), want[at:min(at+3, len(want))], st.SQL, st.Args)
	}
	return whole
}

// simplify leaves only every tenth value that is an array, object or bytes, so that
// sorts get somewhere.
func simplify(recs []*dataknobs.Record) {
	for i, r := range recs {
		for j, f := range r.Fields {
			if f.Value.Kind() >= dataknobs.KindBytes && (i+j)%10 != 0 {
				r.Fields[j].Value = dataknobs.Int(int64(i % 7))
			}
		}
	}
}

func TestDocumentSort(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	indexes := [][]dataknobs.Path{nil, {dataknobs.Names("x"), dataknobs.Names("a"), dataknobs.Names("$time")}}
	for name, s := range stores(t) {
		for _, indexed := range indexes {
			t.Run(fmt.Sprintf("%s/%d indexes", name, len(indexed)), func(t *testing.T) {
				recs := randomRecords(11, 200)
				simplify(recs)
				for i := range 4 { // texts beyond what an index of PostgreSQL has
					long := string(slices.Repeat([]rune("é"), 255+i))
					recs[i*7].Set("x", dataknobs.String(long))
					recs[i*7+50].Set("x", dataknobs.String(long+"b"))
				}
				table := documentTable(s.dialect(), fmt.Sprintf("s%d", len(indexed)), indexed...)
				create(t, s, table)
				fill(t, s, table, recs)
				c := &chance{rand.New(rand.NewPCG(2, uint64(len(indexed)))), recs}
				path := func() dataknobs.Path {
					if p := c.path(); c.IntN(2) == 0 {
						return p
					}
					return dataknobs.Names([]string{"x", "a", "$time"}[c.IntN(3)])
				}
				whole := 0
				for range rounds {
					scan, ok := c.scan(table, path)
					if ok && checkScan(t, s, table, recs, scan) {
						whole++
					}
					if t.Failed() {
						return
					}
				}
				t.Logf("%d of %d scans were sure to their end", whole, rounds)
			})
		}
	}
}

// A sort by ID that no index can serve says so, and what would.
func TestSortNote(t *testing.T) {
	byID := &dataknobs.Scan{OrderBy: []dataknobs.Order{{Path: dataknobs.PathID}}}
	number, text := sqlgen.Column{Name: "n", Type: sqlgen.Int}, sqlgen.Column{Name: "t", Type: sqlgen.Text}
	for _, c := range []struct {
		name  string
		table sqlgen.Table
		scan  *dataknobs.Scan
		want  string
	}{
		{"number", sqlgen.Table{Columns: []sqlgen.Column{number}, Key: []int{0}}, byID, "ORDER BY n uses it"},
		{"two columns", sqlgen.Table{Columns: []sqlgen.Column{text, number}, Key: []int{0, 1}}, byID, "ORDER BY t, n uses it"},
		{"text", sqlgen.Table{Columns: []sqlgen.Column{text}, Key: []int{0}}, byID, ""},
		{"document", sqlgen.Table{ID: "id"}, byID, ""},
		{"no order", sqlgen.Table{Columns: []sqlgen.Column{number}, Key: []int{0}}, &dataknobs.Scan{}, ""},
		{"groups", sqlgen.Table{Columns: []sqlgen.Column{number}, Key: []int{0}}, nil, ""},
	} {
		if got := c.table.SortNote(c.scan); (got == "") != (c.want == "") || !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: the note is %q, want %q at its end", c.name, got, c.want)
		}
	}
}
