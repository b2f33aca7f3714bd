package sqlgen_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// keyColumns are columns that make IDs, with a different value for each i.
func keyColumns(d sqlgen.Dialect) map[string]typed {
	col := func(typ sqlgen.Type, sqlType string, draw func(i int) sample) typed {
		c := typed{Column: sqlgen.Column{Name: "k" + strconv.Itoa(int(typ)), Type: typ, SQLType: sqlType, NotNull: true}, def: sqlType + " not null", draw: draw}
		c.ByteOrder = d == sqlgen.SQLite
		return c
	}
	when := func(i int) dataknobs.Value { return dataknobs.TimeMicros(int64(i*i) * 1_000_010) }
	text := col(sqlgen.Text, "text", func(i int) sample {
		return same(dataknobs.String(fmt.Sprintf("%s%d", []string{"a,b", `\`, "é", "z", ","}[i%5], i)))
	})
	if d == sqlgen.SQLite {
		stamp := col(sqlgen.Timestamp, "", func(i int) sample { return sample{sqlgen.TimeText(when(i)), when(i)} })
		stamp.def, stamp.Checked = "text not null", true
		return map[string]typed{
			"int":  col(sqlgen.Int, "integer", func(i int) sample { return same(dataknobs.Int(int64(i*i*i - 1000))) }),
			"text": text, "stamp": stamp,
			"numeric": col(sqlgen.Numeric, "numeric", func(i int) sample {
				return []sample{same(dataknobs.Int(int64(i))), same(dataknobs.Float(float64(i) + 0.5))}[i%2]
			}),
		}
	}
	return map[string]typed{
		"int": col(sqlgen.Int, "integer", func(i int) sample {
			return sample{strconv.Itoa(i*i*i - 1000), dataknobs.Int(int64(i*i*i - 1000))}
		}),
		"text": text,
		"uuid": col(sqlgen.UUID, "uuid", func(i int) sample {
			s := fmt.Sprintf("%08x-0000-0000-0000-000000000000", uint32(i)*2654435761)
			return sample{s, dataknobs.String(s)}
		}),
		"stamp": col(sqlgen.TimestampTZ, "timestamptz", func(i int) sample {
			return sample{when(i).Time().Format(time.RFC3339Nano), when(i)}
		}),
		"date": col(sqlgen.Date, "date", func(i int) sample {
			v := dataknobs.TimeMicros(int64(i) * 86400e6)
			return sample{v.Time().Format(time.DateOnly), v}
		}),
	}
}

func TestKeys(t *testing.T) {
	for name, s := range stores(t) {
		cols := keyColumns(s.dialect())
		sets := [][]string{{"int", "text"}, {"text", "stamp", "int"}}
		for one := range cols {
			sets = append(sets, []string{one})
		}
		for i, set := range sets {
			t.Run(fmt.Sprint(name, "/", set), func(t *testing.T) {
				var key []typed
				for _, k := range set {
					key = append(key, cols[k])
				}
				n := typed{Column: sqlgen.Column{Name: "n", Type: sqlgen.Int, SQLType: "integer"}, def: "integer", draw: func(i int) sample {
					if s.dialect() == sqlgen.Postgres {
						return sample{strconv.Itoa(i % 3), dataknobs.Int(int64(i % 3))}
					}
					return same(dataknobs.Int(int64(i % 3)))
				}}
				table, recs := typedTable(t, s, fmt.Sprint("k", i), []typed{n}, key, 40)
				checkKeys(t, s, table, recs)
			})
		}
	}
}

// checkKeys gets records by their IDs, compares IDs and sorts by them.
func checkKeys(t *testing.T, s store, table *sqlgen.Table, recs []*dataknobs.Record) {
	ids := []string{"no such ID", "", "007", "1e5"}
	for _, r := range recs[10:20] {
		ids = append(ids, r.ID)
	}
	st, err := table.ByID(ids, sqlgen.ForUpdate)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.rows(t, st.SQL, st.Args...); len(got) != 10 {
		t.Errorf("%d records of 10 were found by ID\n%s\n%q", len(got), st.SQL, st.Args)
	}
	if st, err := table.ByID(ids[:1], sqlgen.NoLock); err != nil || st != nil && len(s.rows(t, st.SQL, st.Args...)) != 0 {
		t.Errorf("an ID that is not there was found: %v, %v", st, err)
	}
	for _, r := range recs {
		vs, ok := table.KeyValues(r.ID)
		if back, err := dataknobs.KeyText(vs); !ok || err != nil || back != r.ID {
			t.Errorf("KeyValues(%q) = %v, %v", r.ID, vs, ok)
		}
	}
	by := map[string]*dataknobs.Record{}
	for _, r := range recs {
		by[fmt.Sprint(keyRow(table, r))] = r
	}
	c := &chance{rand.New(rand.NewPCG(9, 9)), recs}
	for range 200 {
		scan, ok := c.scan(table, func() dataknobs.Path {
			return []dataknobs.Path{dataknobs.PathID, dataknobs.Names("n")}[c.IntN(2)]
		})
		if !ok {
			t.Fatal("the database does not sort by ID")
		}
		st, err := table.Select(scan)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range s.rows(t, st.SQL, st.Args...) {
			if r := by[fmt.Sprint(row[:len(table.Key)])]; r != nil {
				got = append(got, r.ID)
			}
		}
		if want := wantScan(t, recs, scan); !slices.Equal(got, want) {
			t.Fatalf("%+v\ngot  %q\nwant %q\n%s\n%q", scan, got, want, st.SQL, st.Args)
		}
	}
}

// keyRow is what the key columns of a record are in a result.
func keyRow(table *sqlgen.Table, r *dataknobs.Record) []any {
	var row []any
	for _, k := range table.Key {
		v := r.Get(table.Columns[k].Name)
		switch c := table.Columns[k]; {
		case v.Kind() == dataknobs.KindInt:
			row = append(row, v.Int())
		case v.Kind() == dataknobs.KindFloat:
			row = append(row, v.Float())
		case c.Type == sqlgen.Date:
			row = append(row, v.Time().Format(time.DateOnly))
		case c.Type == sqlgen.TimestampTZ:
			row = append(row, v.Time().Format("2006-01-02 15:04:05.999999+00"))
		case v.Kind() == dataknobs.KindTime:
			row = append(row, sqlgen.TimeText(v))
		default:
			row = append(row, v.Str())
		}
	}
	return row
}

// Key orders values as Compare does, and is the same for those that are Equal.
func TestKeyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := value(2).Draw(t, "v"), value(2).Draw(t, "w")
		if got, want := slices.Compare(sqlgen.Key(v), sqlgen.Key(w)), v.Compare(w); got != want {
			t.Fatalf("the keys of %s and %s compare as %d; want %d", v, w, got, want)
		}
	})
	for _, i := range oddInts {
		for _, f := range oddFloats {
			v, w := dataknobs.Int(i), dataknobs.Float(f)
			if got, want := slices.Compare(sqlgen.Key(v), sqlgen.Key(w)), v.Compare(w); got != want {
				t.Errorf("the keys of %s and %s compare as %d; want %d", v, w, got, want)
			}
		}
	}
}
