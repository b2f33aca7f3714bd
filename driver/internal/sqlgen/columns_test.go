package sqlgen_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// A sample is a value of a column: what is bound to write it, and what it is to
// the contract.
type sample struct {
	arg  any
	want dataknobs.Value
}

func same(v dataknobs.Value) sample {
	switch v.Kind() {
	case dataknobs.KindInt:
		return sample{v.Int(), v}
	case dataknobs.KindFloat:
		return sample{v.Float(), v}
	case dataknobs.KindBytes:
		return sample{v.Bytes(), v}
	}
	return sample{v.Str(), v}
}

// A typed is a column and its values.
type typed struct {
	sqlgen.Column
	def  string
	draw func(i int) sample
}

func of(texts ...string) func(i int) sample {
	return func(i int) sample {
		return sample{texts[i%len(texts)], dataknobs.String(texts[i%len(texts)])}
	}
}

// pgTyped are columns of every type of PostgreSQL. Everything is bound as text.
func pgTyped() []typed {
	col := func(name string, typ sqlgen.Type, sqlType string, draw func(i int) sample) typed {
		return typed{Column: sqlgen.Column{Name: name, Type: typ, SQLType: sqlType}, def: sqlType, draw: draw}
	}
	ints := func(most int64) func(i int) sample {
		return func(i int) sample {
			n := oddInts[i%len(oddInts)]
			if n > most || n < -most-1 {
				n = int64(i % 5)
			}
			return sample{strconv.FormatInt(n, 10), dataknobs.Int(n)}
		}
	}
	stamp := func(layout string) func(i int) sample {
		return func(i int) sample {
			if i%17 == 0 {
				return sample{"infinity", dataknobs.String("infinity")}
			}
			v := instant().Example(i % 40)
			return sample{v.Time().Format(layout), v}
		}
	}
	text := func(i int) sample { return same(dataknobs.String(text().Example(i % 70))) }
	byteOrder := col("ctext", sqlgen.Text, "text", text)
	byteOrder.def, byteOrder.ByteOrder = `text COLLATE "C"`, true
	return []typed{
		col("bool", sqlgen.Bool, "boolean", func(i int) sample { return sample{strconv.FormatBool(i%2 == 0), dataknobs.Bool(i%2 == 0)} }),
		col("int2", sqlgen.Int, "smallint", ints(math.MaxInt16)),
		col("int4", sqlgen.Int, "integer", ints(math.MaxInt32)),
		col("int8", sqlgen.Int, "bigint", ints(math.MaxInt64)),
		col("float8", sqlgen.Float, "double precision", func(i int) sample {
			if i%13 == 0 {
				odd := []string{"NaN", "Infinity", "-Infinity"}[i%3]
				return sample{odd, dataknobs.String(odd)}
			}
			f := oddFloats[i%len(oddFloats)]
			return sample{strconv.FormatFloat(f, 'g', -1, 64), dataknobs.Float(f)}
		}),
		col("float4", sqlgen.Float, "real", func(i int) sample {
			f := float32(oddFloats[i%20])
			return sample{strconv.FormatFloat(float64(f), 'g', -1, 32), dataknobs.Float(float64(f))}
		}),
		col("money", sqlgen.Numeric, "numeric(12,2)", func(i int) sample {
			if i%19 == 0 {
				return sample{"NaN", dataknobs.String("NaN")}
			}
			s := []string{"0.00", "1.00", "0.10", "-0.10", "179.50", "1.50", "9999999999.99", "42.00", "-5.00"}[i%9]
			return sample{s, sqlgen.NumberText(s)}
		}),
		col("numeric", sqlgen.Numeric, "numeric", func(i int) sample {
			s := []string{"0", "1", "1.0", "0.1", "0.10", "123456789012345678901234567890", "9223372036854775807", "9223372036854775808", "0.12345678901234567", "0.123456789012345678901",
				"1e300", "5", "-5.5", "NaN", "1e-320", "9007199254740993", "9007199254740993.5", "0.30000000000000004", "1000000000000000000000.0"}[i%19]
			if strings.Contains(s, "e") { // as the database prints it
				f, _ := strconv.ParseFloat(s, 64)
				return sample{s, sqlgen.NumberText(strconv.FormatFloat(f, 'f', -1, 64))}
			}
			return sample{s, sqlgen.NumberText(s)}
		}),
		col("text", sqlgen.Text, "text", text),
		byteOrder,
		col("uuid", sqlgen.UUID, "uuid", of("00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "ffffffff-ffff-ffff-ffff-ffffffffffff", "10000000-0000-0000-0000-000000000000")),
		col("enum", sqlgen.Enum, "mood", of("sad", "Ok", "happy", "a b")),
		col("other", sqlgen.Other, "inet", of("10.0.0.1/32", "10.0.0.0/8", "::1/128")),
		col("date", sqlgen.Date, "date", func(i int) sample {
			if i%17 == 0 {
				return sample{"-infinity", dataknobs.String("-infinity")}
			}
			t := instant().Example(i % 40).Time().Truncate(24 * time.Hour)
			return sample{t.Format(time.DateOnly), dataknobs.Time(t)}
		}),
		col("stamp", sqlgen.Timestamp, "timestamp without time zone", stamp("2006-01-02 15:04:05.000000")),
		col("zoned", sqlgen.TimestampTZ, "timestamp with time zone", stamp("2006-01-02 15:04:05.000000+00")),
		col("bytes", sqlgen.Bytes, "bytea", func(i int) sample {
			v := blob().Example(i % 20)
			return sample{`\x` + hex.EncodeToString(v.Bytes()), v}
		}),
		col("json", sqlgen.JSON, "jsonb", func(i int) sample {
			if i%11 == 0 {
				return sample{"0.1000000000000000055511151231257827", dataknobs.Float(0.1)}
			}
			if i%11 == 1 {
				return sample{"123456789012345678901234567890", dataknobs.String("123456789012345678901234567890")}
			}
			b := value(1).Example(i % 90).AppendJSON(nil)
			v, _ := sqlgen.ParsePlain(b)
			return sample{string(b), v}
		}),
		col("tagged", sqlgen.Tagged, "jsonb", func(i int) sample {
			v := value(1).Example(i % 90)
			b, _ := sqlgen.AppendValue(nil, v)
			return sample{string(b), v}
		}),
		arrayOf("ints", sqlgen.Int, "integer[]", func(i int) sample {
			if i%9 == 0 {
				return sample{"{{1,2},{3,4}}", dataknobs.Array(dataknobs.Array(dataknobs.Int(1), dataknobs.Int(2)), dataknobs.Array(dataknobs.Int(3), dataknobs.Int(4)))}
			}
			if i%9 == 1 {
				return sample{"{}", dataknobs.Array()}
			}
			return sample{fmt.Sprintf("{%d,NULL,%d}", i%3, i%5), dataknobs.Array(dataknobs.Int(int64(i%3)), dataknobs.Null(), dataknobs.Int(int64(i%5)))}
		}),
		arrayOf("texts", sqlgen.Text, "text[]", func(i int) sample {
			a, b := oddTexts[1+i%8], oddTexts[1+i%5]
			return sample{fmt.Sprintf("{%q,%q}", a, b), dataknobs.Array(dataknobs.String(a), dataknobs.String(b))}
		}),
	}
}

func arrayOf(name string, elem sqlgen.Type, sqlType string, draw func(i int) sample) typed {
	return typed{Column: sqlgen.Column{Name: name, Type: sqlgen.Array, Elem: elem, SQLType: sqlType}, def: sqlType, draw: draw}
}

// liteTyped are columns of SQLite that hold whatever it lets them.
func liteTyped() []typed {
	col := func(name string, typ sqlgen.Type, def string, draw func(i int) sample) typed {
		return typed{Column: sqlgen.Column{Name: name, Type: typ, SQLType: def}, def: def, draw: draw}
	}
	num := func(i int) sample { return same(number().Example(i % 80)) }
	str := func(i int) sample {
		s := text().Example(i % 70)
		if _, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			s = "x" + s // a number to a column of numbers
		}
		return same(dataknobs.String(s))
	}
	mixed := func(i int) sample {
		switch i % 4 {
		case 0:
			return str(i)
		case 1:
			return same(blob().Example(i % 20))
		}
		return num(i)
	}
	times := func(i int) sample {
		v := instant().Example(i % 40)
		layout := []string{"2006-01-02 15:04:05.000000", "2006-01-02T15:04:05.000000Z", "2006-01-02 15:04:05.000000+00:00"}[i%3]
		switch {
		case i%11 == 0:
			return same(dataknobs.String("soon"))
		case i%11 == 1:
			return same(dataknobs.Int(int64(i)))
		}
		return sample{v.Time().Format(layout), v}
	}
	nocase := col("nocase", sqlgen.Text, "TEXT COLLATE NOCASE", func(i int) sample { return same(dataknobs.String(text().Example(i % 70))) })
	binary := col("text", sqlgen.Text, "TEXT", nocase.draw)
	binary.ByteOrder = true
	checked := func(name string, typ sqlgen.Type, draw func(i int) sample) typed {
		c := col(name, typ, "", draw)
		c.Checked, c.ByteOrder = true, true
		return c
	}
	return []typed{
		col("int", sqlgen.Int, "INTEGER", func(i int) sample {
			if i%7 == 0 {
				return str(i)
			}
			return same(dataknobs.Int(oddInts[i%len(oddInts)]))
		}),
		col("any", sqlgen.Any, "BLOB", mixed),
		col("numeric", sqlgen.Numeric, "NUMERIC", func(i int) sample {
			s := mixed(i)
			if n, ok := whole(s.want); ok { // the column makes an int of it
				s.want = dataknobs.Int(n)
			}
			return s
		}),
		nocase, binary,
		col("bool", sqlgen.Bool, "BOOLEAN", func(i int) sample {
			if i%5 == 0 {
				return same(dataknobs.Int(int64(i%3 + 2)))
			}
			return sample{int64(i % 2), dataknobs.Bool(i%2 == 1)}
		}),
		col("time", sqlgen.Timestamp, "TIMESTAMP", times),
		col("bytes", sqlgen.Bytes, "BLOB", mixed),
		checked("cint", sqlgen.Int, func(i int) sample { return same(dataknobs.Int(oddInts[i%len(oddInts)])) }),
		checked("cfloat", sqlgen.Float, func(i int) sample { return same(dataknobs.Float(oddFloats[i%len(oddFloats)])) }),
		checked("cbool", sqlgen.Bool, func(i int) sample { return sample{int64(i % 2), dataknobs.Bool(i%2 == 1)} }),
		checked("ctext", sqlgen.Text, nocase.draw),
		checked("ctime", sqlgen.TimestampTZ, func(i int) sample {
			v := instant().Example(i % 40)
			return sample{sqlgen.TimeText(v), v}
		}),
		checked("cdate", sqlgen.Date, func(i int) sample {
			t := instant().Example(i % 40).Time().Truncate(24 * time.Hour)
			return sample{t.Format(time.DateOnly), dataknobs.Time(t)}
		}),
		checked("cbytes", sqlgen.Bytes, func(i int) sample { return same(blob().Example(i % 20)) }),
		checked("ctagged", sqlgen.Tagged, func(i int) sample {
			v := value(1).Example(i % 90)
			b, _ := sqlgen.AppendValue(nil, v)
			return sample{string(b), v}
		}),
		checked("cjson", sqlgen.JSON, func(i int) sample {
			b := value(1).Example(i % 90).AppendJSON(nil)
			v, _ := sqlgen.ParsePlain(b)
			return sample{string(b), v}
		}),
	}
}

// whole returns v as an int if it is integral and SQLite's NUMERIC makes an int of it.
func whole(v dataknobs.Value) (int64, bool) {
	f := v.Float()
	if v.Kind() != dataknobs.KindFloat || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// typedTable makes a table with a key of those columns and fills it.
func typedTable(t *testing.T, s store, name string, cols []typed, key []typed, n int) (*sqlgen.Table, []*dataknobs.Record) {
	t.Helper()
	table := &sqlgen.Table{Dialect: s.dialect(), Name: name}
	all := slices.Concat(key, cols)
	var defs, marks []string
	for i, c := range all {
		if c.def == "" {
			check, err := c.Check()
			if err != nil {
				t.Fatal(err)
			}
			c.def = check
		}
		defs = append(defs, fmt.Sprintf("%q %s", c.Name, c.def))
		mark := "?"
		if s.dialect() == sqlgen.Postgres {
			mark = fmt.Sprintf("$%d::text::%s", i+1, c.SQLType)
		}
		marks = append(marks, mark)
		table.Columns = append(table.Columns, c.Column)
		if i < len(key) {
			table.Key = append(table.Key, i)
		}
	}
	s.exec(t, fmt.Sprintf("CREATE TABLE %q (%s)", name, strings.Join(defs, ", ")))
	var recs []*dataknobs.Record
	for i := range n {
		r := &dataknobs.Record{}
		var args []any
		var keys []dataknobs.Value
		for j, c := range all {
			v := c.draw(i)
			if j >= len(key) {
				if v = c.draw(i*7 + j*3); (i+j)%8 == 0 {
					v = sample{}
				}
			} else {
				keys = append(keys, v.want)
			}
			args = append(args, v.arg)
			r.Set(c.Name, v.want)
		}
		id, err := dataknobs.KeyText(keys)
		if err != nil {
			t.Fatal(err)
		}
		r.ID = id
		s.exec(t, fmt.Sprintf("INSERT INTO %q VALUES (%s)", name, strings.Join(marks, ", ")), args...)
		recs = append(recs, r)
	}
	return table, recs
}

func textKey(d sqlgen.Dialect) typed {
	return typed{Column: sqlgen.Column{Name: "id", Type: sqlgen.Text, SQLType: "text", NotNull: true, ByteOrder: d == sqlgen.SQLite}, def: "text primary key",
		draw: func(i int) sample { return same(dataknobs.String(fmt.Sprintf("%c%03d", "abZé😀_"[i%5], i))) }}
}

func typedColumns(d sqlgen.Dialect) []typed {
	if d == sqlgen.SQLite {
		return liteTyped()
	}
	return pgTyped()
}

func TestColumns(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			if s.dialect() == sqlgen.Postgres {
				s.exec(t, "CREATE TYPE mood AS ENUM ('sad', 'Ok', 'happy', 'a b')")
			}
			cols := typedColumns(s.dialect())
			table, recs := typedTable(t, s, "c", cols, []typed{textKey(s.dialect())}, 300)
			c := &chance{rand.New(rand.NewPCG(5, 1)), recs}
			path := func() dataknobs.Path {
				p := dataknobs.Names(cols[c.IntN(len(cols))].Name)
				switch c.IntN(20) {
				case 0:
					return p.Child("a")
				case 1:
					return p.At(0)
				case 2:
					return dataknobs.PathID
				case 3:
					return dataknobs.Names("absent")
				}
				return p
			}
			t.Run("conditions", func(t *testing.T) {
				seen := map[string]census{}
				for range rounds * 2 {
					p := path()
					cond := c.condOn(p)
					if seen[p.String()] == nil {
						seen[p.String()] = census{}
					}
					seen[p.String()].add(cond, checkCond(t, s, table, recs, cond))
					if t.Failed() {
						return
					}
				}
			})
			t.Run("sort", func(t *testing.T) {
				sure, tried := 0, 0
				for range rounds / 2 {
					scan, ok := c.scan(table, path)
					if !ok {
						continue
					}
					if tried++; checkScan(t, s, table, recs, scan) {
						sure++
					}
					if t.Failed() {
						return
					}
				}
				t.Logf("%d of %d scans were sure to their end", sure, tried)
			})
			t.Run("sort by indexes", func(t *testing.T) {
				indexed := *table
				for _, c := range cols {
					indexed.Indexed = append(indexed.Indexed, dataknobs.Names(c.Name))
				}
				for range rounds / 4 {
					if scan, ok := c.scan(&indexed, path); ok {
						checkScan(t, s, &indexed, recs, scan)
					}
					if t.Failed() {
						return
					}
				}
			})
			t.Run("group", func(t *testing.T) {
				exact, tried := 0, 0
				for range rounds / 2 {
					a := c.aggregation(path)
					if table.CanAggregate(a).Fidelity == dataknobs.Exact {
						tried++
					}
					if checkGroups(t, s, table, recs, a) {
						exact++
					}
					if t.Failed() {
						return
					}
				}
				t.Logf("%d of %d aggregations were exact, of %d that were tried", exact, rounds/2, tried)
			})
			t.Run("count", func(t *testing.T) {
				st, err := table.Count(&dataknobs.Cond{Path: dataknobs.PathID, Op: dataknobs.Gt, Args: []dataknobs.Value{dataknobs.String("b")}})
				if err != nil {
					t.Fatal(err)
				}
				want := int64(0)
				for _, r := range recs {
					if r.ID > "b" {
						want++
					}
				}
				if got := s.rows(t, st.SQL, st.Args...); got[0][0] != want {
					t.Errorf("count = %v; want %d", got, want)
				}
			})
		})
	}
}

// Minus infinity sorts before all times in PostgreSQL, but is read as a string,
// which comes after them: no place is sure then, nor is an end.
func TestMisplaced(t *testing.T) {
	s := openPostgres(t)
	day := typed{Column: sqlgen.Column{Name: "day", Type: sqlgen.Date, SQLType: "date"}, def: "date", draw: func(i int) sample {
		if i == 7+3 { // the second record's
			return sample{"-infinity", dataknobs.String("-infinity")}
		}
		return sample{"2026-01-02", dataknobs.TimeMicros(1767312000_000000)}
	}}
	table, recs := typedTable(t, s, "misplaced", []typed{day}, []typed{textKey(s.dialect())}, 3)
	order := []dataknobs.Order{{Path: dataknobs.Names("day")}}
	last := recs[2]
	scan := &dataknobs.Scan{OrderBy: order, NoRevision: true, After: &dataknobs.Seek{Keys: []dataknobs.Value{last.Get("day")}, ID: "\U0010ffff"}}
	if checkScan(t, s, table, recs, scan) {
		t.Error("the end of the scan is taken for sure")
	}
}
