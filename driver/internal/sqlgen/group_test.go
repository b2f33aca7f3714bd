package sqlgen_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// aggregation draws a grouping.
func (c *chance) aggregation(path func() dataknobs.Path) *dataknobs.Aggregation {
	a := &dataknobs.Aggregation{}
	for range c.IntN(3) {
		a.GroupBy = append(a.GroupBy, path())
	}
	for range 1 + c.IntN(3) {
		agg := dataknobs.Agg(1 + c.IntN(int(dataknobs.Max)))
		col := dataknobs.Column{Agg: agg}
		if agg != dataknobs.CountAll {
			col.Path = path()
		}
		a.Columns = append(a.Columns, col)
	}
	return a
}

// checkGroups compares the groups; false if the database did not know them exactly.
func checkGroups(t *testing.T, db store, table *sqlgen.Table, recs []*dataknobs.Record, a *dataknobs.Aggregation) bool {
	t.Helper()
	if table.CanAggregate(a).Fidelity != dataknobs.Exact {
		return false
	}
	m, err := dataknobs.Compile(a.Where)
	if err != nil {
		t.Fatal(err)
	}
	g, err := dataknobs.NewGrouper(a.GroupBy, a.Columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		if m.Match(r) {
			if err := g.AddRecord(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, wantErr := g.Groups()
	st, err := table.Groups(a)
	if err != nil {
		t.Fatal(err)
	}
	var got []dataknobs.Group
	for _, row := range db.rows(t, st.SQL, st.Args...) {
		x, exact, err := st.Group(row)
		if err != nil {
			t.Fatalf("%v\n%s", err, st.SQL)
		}
		if !exact {
			return false
		}
		got = append(got, x)
	}
	slices.SortFunc(got, func(a, b dataknobs.Group) int { return slices.CompareFunc(a.Keys, b.Keys, dataknobs.Value.Compare) })
	same := func(a, b dataknobs.Group) bool {
		return slices.EqualFunc(a.Keys, b.Keys, dataknobs.Value.Identical) && slices.EqualFunc(a.Values, b.Values, dataknobs.Value.Identical)
	}
	if wantErr != nil || !slices.EqualFunc(got, want, same) {
		t.Errorf("group by %v %v where %v\ngot  %v\nwant %v, %v\n%s", a.GroupBy, a.Columns, a.Where, got, want, wantErr, st.SQL)
	}
	return true
}

func TestDocumentGroups(t *testing.T) {
	rounds := 600
	if testing.Short() {
		rounds = 100
	}
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			table := documentTable(s.dialect(), "g")
			create(t, s, table)
			var recs []*dataknobs.Record
			c := &chance{Rand: rand.New(rand.NewPCG(3, 1))}
			for i := range 150 {
				r := dataknobs.NewRecord(fmt.Sprint(i))
				r.Set("int", dataknobs.Int(oddInts[c.IntN(len(oddInts))]))
				r.Set("small", dataknobs.Int(int64(c.IntN(5))))
				r.Set("num", number().Example(i))
				r.Set("text", dataknobs.String(oddTexts[c.IntN(12)]))
				r.Set("time", instant().Example(i%7))
				r.Set("bool", dataknobs.Bool(i%3 == 0))
				r.Set("bytes", blob().Example(i%9))
				r.Set("any", value(1).Example(i))
				r.Set("float", dataknobs.Float(float64(c.IntN(5))+0.5))
				r.Set("list", dataknobs.Array(dataknobs.Int(int64(i%2))))
				if i%5 == 0 {
					r.Fields[c.IntN(len(r.Fields))].Value = dataknobs.Null()
					r.Fields.Delete(r.Fields[c.IntN(len(r.Fields))].Name)
				}
				recs = append(recs, r)
			}
			fill(t, s, table, recs)
			c.recs = recs
			fields := []string{"int", "small", "num", "text", "time", "bool", "bytes", "any", "float", "list", "absent", "small", "text"}
			path := func() dataknobs.Path {
				if c.IntN(20) == 0 {
					return dataknobs.PathID
				}
				return dataknobs.Names(fields[c.IntN(len(fields))])
			}
			exact := 0
			for range rounds {
				a := c.aggregation(path)
				if cond := c.condOn(path()); c.IntN(3) == 0 && table.Filter(cond).Fidelity == dataknobs.Exact {
					if _, err := dataknobs.Compile(cond); err == nil {
						a.Where = cond
					}
				}
				if checkGroups(t, s, table, recs, a) {
					exact++
				}
				if t.Failed() {
					return
				}
			}
			t.Logf("%d of %d aggregations were exact", exact, rounds)
		})
	}
}
