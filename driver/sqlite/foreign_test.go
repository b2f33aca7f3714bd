package sqlite_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/driver/sqlite"
)

// oddTable is a table with a column of every sort that people declare, and
// values that do not fit what is declared, which SQLite lets pass.
var oddTable = []string{
	`create table odd (
		id integer primary key,
		name varchar(20) not null,
		nick text collate nocase,
		price numeric(10, 2),
		amount decimal,
		ratio real,
		big bigint,
		flag boolean,
		born date,
		seen datetime,
		stamp timestamp with time zone,
		data blob,
		anything,
		doc json,
		half integer generated always as (big / 2) virtual,
		kind text default 'plain'
	)`,
	`insert into odd (id, name, nick, price, amount, ratio, big, flag, born, seen, stamp, data, anything, doc) values
		(1, 'Ada', 'a', 12.50, 3, 1.5, 9223372036854775807, 1, '1815-12-10', '2024-01-02 03:04:05', '2024-01-02 03:04:05+02:00', x'0001', 12, '{"a": [1, 2.5], "t": "x"}'),
		(2, 'Bob', 'A', 12, 3.25, 2, -1, 0, '1999-01-31', '2024-01-02T03:04:05.123456', '2024-01-02T03:04:05Z', x'', 'text', '[1]'),
		(3, 'Cleo', 'ab', '12.5', 'many', 'none', 'big', 'yes', 'once', 'never', 1704164645, 'text', 1.5, 'not json'),
		(4, 'Dan', null, null, null, null, null, null, null, null, null, null, null, null),
		(5, 'Éva', 'É', 1e300, 0.1, 0, 0, 2, '2024-02-29', '2024-02-29', '0001-01-01 00:00:00+00:00', x'ff', x'00ff', 'null'),
		(6, '', '', 7.0, -0.0, -1.5, 1, 1, '2024-02-29 12:00', 20240229, '2024-01-02 01:04:05', x'00', '12', '"text"'),
		(7, '10', '10', 10, 10, 10, 10, 1, '2024-01-02', '2024-01-02 03:04:05.000000', '2024-01-02T00:00:00+14:00', x'3130', 12.0, '10')`,
}

// TestForeignTable compares each query on a table of another program with the
// same query on a copy of its records in memory.
func TestForeignTable(t *testing.T) {
	path := database(t, append(oddTable, "create index by_seen on odd (seen)", "create view odder as select id, name, price, seen, anything from odd")...)
	for _, o := range []sqlite.Options{{Path: path, Table: "odd"}, {Path: path, Table: "odd", Rev: "none"}, {Path: path, Table: "odder"}, {Path: path, Table: "odd", Key: []string{"kind", "id"}}} {
		t.Run(fmt.Sprintf("%s %s %v", o.Table, o.Rev, o.Key), func(t *testing.T) { compareWithMemory(t, open(t, o)) })
	}
}

// compareWithMemory runs many queries on db and on a copy of it.
func compareWithMemory(t *testing.T, db *dataknobs.DB) {
	t.Helper()
	all, err := db.All(t.Context(), &dataknobs.Query{OrderBy: []dataknobs.Order{{Path: dataknobs.PathID}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("there are no records")
	}
	copied := dataknobs.New(memory.New(memory.Options{}), nil)
	defer copied.Close()
	names := map[string]bool{}
	var values []dataknobs.Value
	for _, r := range all {
		if _, err := copied.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Fields {
			names[f.Name] = true
			values = append(values, f.Value)
		}
	}
	values = append(values, dataknobs.Int(0), dataknobs.Int(12), dataknobs.Float(0.5), dataknobs.String(""), dataknobs.Bool(true), timeOf("2024-01-02T03:04:05Z"))
	asked := 0
	ask := func(q *dataknobs.Query) {
		t.Helper()
		asked++
		want, err := copied.All(t.Context(), q)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		got, err := db.All(t.Context(), q)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			return
		}
		if a, b := show(got, q), show(want, q); a != b {
			t.Errorf("%s:\n got    %.1000s\n wanted %.1000s", q, a, b)
		}
	}
	for name := range names {
		p := dataknobs.Names(name)
		for _, v := range values {
			if v.Kind() == dataknobs.KindNull {
				continue
			}
			for _, op := range []dataknobs.Op{dataknobs.Eq, dataknobs.Ne, dataknobs.Lt, dataknobs.Ge, dataknobs.In, dataknobs.NotIn, dataknobs.Contains} {
				ask(&dataknobs.Query{Where: &dataknobs.Cond{Path: p, Op: op, Args: []dataknobs.Value{v}}})
			}
		}
		for _, pattern := range []string{"%a%", "A%", "_", "1_", "2024%", "%"} {
			for _, op := range []dataknobs.Op{dataknobs.Like, dataknobs.NotLike, dataknobs.ILike, dataknobs.StartsWith} {
				ask(&dataknobs.Query{Where: &dataknobs.Cond{Path: p, Op: op, Args: []dataknobs.Value{dataknobs.String(pattern)}}})
			}
		}
		for _, desc := range []bool{false, true} {
			for _, nulls := range []dataknobs.Nulls{dataknobs.NullsLast, dataknobs.NullsFirst} {
				ask(&dataknobs.Query{OrderBy: []dataknobs.Order{{Path: p, Desc: desc, Nulls: nulls}}, Limit: new(5), Offset: 1})
			}
		}
		ask(&dataknobs.Query{Where: &dataknobs.Cond{Path: p, Op: dataknobs.IsNull}})
		ask(&dataknobs.Query{Select: []dataknobs.Column{
			{Agg: dataknobs.CountAll}, {Agg: dataknobs.Count, Path: p}, {Agg: dataknobs.Min, Path: p}, {Agg: dataknobs.Max, Path: p}, {Agg: dataknobs.Avg, Path: p},
		}})
		ask(&dataknobs.Query{GroupBy: []dataknobs.Path{p}, Select: []dataknobs.Column{{Path: p}, {Agg: dataknobs.CountAll}}})
		ask(&dataknobs.Query{Select: []dataknobs.Column{{Path: p}}, OrderBy: []dataknobs.Order{{Path: p}}})
	}
	for _, r := range all {
		got, err := db.Get(t.Context(), r.ID)
		if err != nil || !got.Identical(r) || got.Revision != r.Revision {
			t.Errorf("Get(%q): %v, %v; want %v", r.ID, got, err, r)
		}
	}
	t.Logf("%d queries", asked)
}

// show prints records as far as q tells about them.
func show(recs []*dataknobs.Record, q *dataknobs.Query) string {
	lines := make([]string, len(recs))
	for i, r := range recs {
		f := r.Fields.Clone()
		slices.SortFunc(f, func(a, b dataknobs.Field) int { return strings.Compare(a.Name, b.Name) })
		f = slices.DeleteFunc(f, func(x dataknobs.Field) bool { return x.Value.IsNull() })
		lines[i] = r.ID + dataknobs.Object(f).String()
	}
	if len(q.OrderBy) == 0 {
		slices.Sort(lines)
	}
	return strings.Join(lines, "\n        ")
}

func TestForeignValues(t *testing.T) {
	db := open(t, sqlite.Options{Path: database(t, oddTable...), Table: "odd"})
	r, err := db.Get(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"id": "1", "name": "'Ada'", "price": "12.5", "amount": "3", "ratio": "1.5", "big": "9223372036854775807", "flag": "true",
		"born": "time '1815-12-10T00:00:00Z'", "seen": "time '2024-01-02T03:04:05Z'", "stamp": "time '2024-01-02T01:04:05Z'",
		"data": "bytes 'AAE='", "anything": "12", "doc": "{'a': [1, 2.5], 't': 'x'}", "half": "4611686018427387903", "kind": "'plain'",
	} {
		if got := r.Get(name).String(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestForeignWrites(t *testing.T) {
	db := open(t, sqlite.Options{Path: database(t, oddTable...), Table: "odd"})
	ctx := t.Context()
	for _, c := range []struct {
		name  string
		field dataknobs.Field
		words []string
	}{
		{"unknown", dataknobs.F("nam", "x"), []string{"no column for the field nam", "did you mean name?"}},
		{"wrong kind", dataknobs.F("big", "12"), []string{"field big", "BIGINT"}},
		{"text that would become a number", dataknobs.F("amount", "12"), []string{"field amount", "into a number"}},
		{"generated", dataknobs.F("half", 12), []string{"field half", "computes it"}},
		{"time of day in a date", dataknobs.F("born", timeOf("2024-01-02T03:04:05Z")), []string{"field born", "dates"}},
		{"too deep for JSON", dataknobs.F("doc", []byte{1}), []string{"field doc", "plain JSON"}},
	} {
		_, err := db.Create(ctx, dataknobs.NewRecord("100", dataknobs.F("id", 100), dataknobs.F("name", "n"), c.field))
		t.Run(c.name, func(t *testing.T) { wantError(t, err, dataknobs.InvalidArgument, c.words...) })
	}
	_, err := db.Create(ctx, dataknobs.NewRecord("100", dataknobs.F("id", 100)))
	wantError(t, err, dataknobs.InvalidArgument, "field name must have a value")
	whole := dataknobs.NewRecord("100", dataknobs.F("id", 100), dataknobs.F("name", "Zoë"), dataknobs.F("price", 1.5), dataknobs.F("flag", true),
		dataknobs.F("born", timeOf("2024-01-02T00:00:00Z")), dataknobs.F("seen", timeOf("2024-01-02T03:04:05.25Z")), dataknobs.F("stamp", timeOf("2024-01-02T03:04:05Z")),
		dataknobs.F("data", []byte{0, 1}), dataknobs.F("anything", "12"), dataknobs.F("doc", map[string]any{"a": 1.0}), dataknobs.F("kind", "special"), dataknobs.F("big", 8))
	res, err := db.Create(ctx, whole)
	if err != nil {
		t.Fatal(err)
	}
	got, err := db.Get(ctx, "100")
	if err != nil || got.Revision != res.Revision {
		t.Fatalf("%v, revision %q, want %q", err, got.Revision, res.Revision)
	}
	want := whole.Clone()
	want.Set("half", dataknobs.Int(4))
	if !got.Identical(want) {
		t.Errorf("got %v, want %v", got.Fields, want.Fields)
	}
	// What was read can be written back, and changed.
	if _, err := db.Put(ctx, got, dataknobs.IfRevision(got.Revision)); err != nil {
		t.Errorf("Put of what was read: %v", err)
	}
	res, err = db.Patch(ctx, "100", []dataknobs.Change{{Path: dataknobs.P("big"), Value: dataknobs.Int(10)}}, dataknobs.IfRevision(got.Revision))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ = db.Get(ctx, "100"); got.Get("half").Int() != 5 || got.Revision != res.Revision {
		t.Errorf("after the patch: %v, revision %q, want %q", got.Fields, got.Revision, res.Revision)
	}
	_, err = db.Put(ctx, whole, dataknobs.IfRevision("00"))
	wantError(t, err, dataknobs.Conflict)
	if err := db.Delete(ctx, "100", dataknobs.IfRevision(got.Revision)); err != nil {
		t.Error(err)
	}
	wantError(t, db.Delete(ctx, "100"), dataknobs.NotFound)
	wantError(t, db.Delete(ctx, "no number"), dataknobs.NotFound)
}

func timeOf(s string) dataknobs.Value {
	v, _ := dataknobs.ParseTime(s)
	return v
}

// Tables whose rows are told apart in all the ways that there are.
func TestForeignKeys(t *testing.T) {
	path := database(t,
		"create table pair (a text, b integer, n integer, primary key (a, b)) without rowid", "insert into pair values ('x,y', 1, 10), ('x', 2, 20)",
		"create table bare (name text, n integer)", "insert into bare values ('a', 1), ('a', 1)",
		"create table numbered (_id integer primary key, n integer)", "insert into numbered values (7, 1)",
		"create table strict_one (id text primary key, n int, x any) strict", "insert into strict_one values ('s', 1, 'any')",
		"create table blobs (id blob primary key, n integer)", "insert into blobs values (x'01', 1)",
		"create table nocase (id text primary key collate nocase, n integer)", "insert into nocase values ('Abc', 1)",
		"create view plain as select n from bare",
	)
	ctx := t.Context()
	for _, c := range []struct {
		table string
		ids   []string
		fresh []dataknobs.Field // of one more record; nil: none can be made
		id    string            // what its ID is
	}{
		{"pair", []string{"x,2", `x\,y,1`}, []dataknobs.Field{dataknobs.F("a", "z"), dataknobs.F("b", 3), dataknobs.F("n", 5)}, "z,3"},
		{"bare", []string{"1", "2"}, []dataknobs.Field{dataknobs.F("rowid", 9), dataknobs.F("n", 5)}, "9"},
		{"numbered", []string{"7"}, []dataknobs.Field{dataknobs.F("n", 5)}, "8"},
		{"strict_one", []string{"s"}, []dataknobs.Field{dataknobs.F("id", "t"), dataknobs.F("n", 5), dataknobs.F("x", 1.0)}, "t"},
		{"blobs", []string{"1"}, []dataknobs.Field{dataknobs.F("rowid", 9), dataknobs.F("id", []byte{2}), dataknobs.F("n", 5)}, "9"},
		{"nocase", []string{"Abc"}, []dataknobs.Field{dataknobs.F("id", "b"), dataknobs.F("n", 5)}, "b"},
	} {
		t.Run(c.table, func(t *testing.T) {
			db := open(t, sqlite.Options{Path: path, Table: c.table})
			if got := idsOf(t, db); !slices.Equal(got, c.ids) {
				t.Fatalf("the IDs are %q, want %q", got, c.ids)
			}
			res, err := db.Create(ctx, dataknobs.NewRecord("", c.fresh...))
			if err != nil || res.ID != c.id {
				t.Fatalf("Create: %q, %v; want the ID %q", res.ID, err, c.id)
			}
			for _, id := range append(c.ids, c.id) {
				if _, err := db.Patch(ctx, id, []dataknobs.Change{{Path: dataknobs.P("n"), Value: dataknobs.Int(99)}}); err != nil {
					t.Errorf("Patch(%q): %v", id, err)
				}
				if r, err := db.Get(ctx, id); err != nil || r.ID != id || r.Get("n").Int() != 99 {
					t.Errorf("Get(%q): %v, %v", id, r, err)
				}
				if err := db.Delete(ctx, id); err != nil {
					t.Errorf("Delete(%q): %v", id, err)
				}
			}
			if got := idsOf(t, db); len(got) > 0 {
				t.Errorf("left are %q", got)
			}
		})
	}
	t.Run("numbered by the database", func(t *testing.T) {
		for _, table := range []string{"bare", "numbered"} {
			db := open(t, sqlite.Options{Path: path, Table: table})
			for _, want := range []string{"1", "2"} {
				res, err := db.Create(ctx, dataknobs.NewRecord("", dataknobs.F("n", 1)))
				if err != nil || res.ID != want {
					t.Errorf("%s: Create gives %q, %v; want %q", table, res.ID, err, want)
				}
				if r, err := db.Get(ctx, res.ID); err != nil || r.Revision != res.Revision || r.Get("n").Int() != 1 {
					t.Errorf("%s: Get(%q): %v, %v; want the revision %q", table, res.ID, r, err, res.Revision)
				}
			}
			_, err := db.Create(ctx, dataknobs.NewRecord("x"))
			wantError(t, err, dataknobs.InvalidArgument)
		}
	})
	t.Run("another case", func(t *testing.T) {
		db := open(t, sqlite.Options{Path: path, Table: "nocase"})
		put(t, db, "Abc", dataknobs.F("n", 1))
		if _, err := db.Get(ctx, "abc"); !errors.Is(err, dataknobs.NotFound) {
			t.Errorf("Get: %v", err)
		}
		wantError(t, db.Delete(ctx, "abc"), dataknobs.NotFound)
		_, err := db.Create(ctx, dataknobs.NewRecord("abc"))
		if err == nil {
			t.Errorf("a second record under a key that is the same to the table")
		}
	})
	t.Run("a view without a key", func(t *testing.T) {
		_, err := sqlite.New(ctx, sqlite.Options{Path: path, Table: "plain"})
		wantError(t, err, dataknobs.InvalidArgument, "no primary key", "key=n")
	})
	t.Run("a view is read-only", func(t *testing.T) {
		db := open(t, sqlite.Options{Path: path, Table: "plain", Key: []string{"n"}})
		_, err := db.Put(ctx, dataknobs.NewRecord("5", dataknobs.F("n", 5)))
		wantError(t, err, dataknobs.Unsupported, "plain is a view")
	})
}

func idsOf(t *testing.T, db *dataknobs.DB) []string {
	t.Helper()
	recs, err := db.All(t.Context(), &dataknobs.Query{OrderBy: []dataknobs.Order{{Path: dataknobs.PathID}}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range recs {
		ids = append(ids, r.ID)
	}
	return ids
}
