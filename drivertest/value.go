package drivertest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

// hostileTexts are texts that a store may take for something else.
var hostileTexts = []string{
	"", " ", "  two  ", "0", "00", "007", "04G", "-0", "1", "1.0", "1e3", "0x10", "1_000", "9223372036854775808", "NaN", "Infinity", "-inf",
	"true", "False", "yes", "null", "NULL", "nil", "None", "NA", "N/A", `\N`, "#N/A", "-", "undefined",
	"2026-01-02", "2026-01-02T03:04:05Z", "12:30", "{}", "[]", "[1,2]", `{"a":1}`, `{"$time":"2026-01-02T03:04:05Z"}`, `"quoted"`,
	"'", `"`, "`", `''`, `""`, `\`, `\\`, `\n`, "a\nb", "a\r\nb", "\r", "\n", "\t", "a\tb", "a,b", "a;b", "a|b", ",", `a"b,c`, "\v\f\x01\x1f\x7f",
	"'; DROP TABLE records; --", `"); DROP TABLE records; --`, "a' OR '1'='1", "x LIMIT 1", "/* c */", "--", "%", "_", "%_%", "*", "?", ".*", "$x", "$1", "${HOME}", "{{x}}", "<b>&amp;</b>", "=1+1", "@x", "+1",
	"é", "e\u0301", "ß", "İ", "ı", "Σς", "日本語", "שלום", "\u202eevil", "👩\u200d👩\u200d👧", "😀", "\U0010ffff", "\ufeffbom", "\u2028\u2029", "\ufffd", "\u00a0",
	strings.Repeat("long ", 2000), strings.Repeat("é", 5000), "trailing\n", "trailing ", "trailing\\",
}

// A namedValue is one entry of the table of values.
type namedValue struct {
	name string
	v    dataknobs.Value
}

// plainValues are values of every kind, with the extremes of each.
func plainValues() []namedValue {
	obj := func(pairs ...any) dataknobs.Value { return dataknobs.Object(rec("", pairs...).Fields) }
	arr := func(xs ...any) dataknobs.Value { return dataknobs.F("", xs).Value }
	at := func(text string) dataknobs.Value {
		v, ok := dataknobs.ParseTime(text)
		if !ok {
			panic("drivertest: " + text)
		}
		return v
	}
	vs := []namedValue{
		{"null", dataknobs.Null()}, {"false", dataknobs.Bool(false)}, {"true", dataknobs.Bool(true)},
		{"empty bytes", dataknobs.Bytes(nil)}, {"NUL byte", dataknobs.Bytes([]byte{0})}, {"all bytes", dataknobs.Bytes(allBytes())},
		{"long bytes", dataknobs.Bytes(slices.Repeat(allBytes(), 40))}, {"text bytes", dataknobs.Bytes([]byte("text"))},
		{"year 1", at("0001-01-01T00:00:00Z")}, {"year 9999", at("9999-12-31T23:59:59.999999Z")}, {"epoch", dataknobs.TimeMicros(0)},
		{"before epoch", dataknobs.TimeMicros(-1)}, {"microseconds", at("2026-01-02T03:04:05.000001Z")}, {"milliseconds", at("2026-01-02T03:04:05.120Z")},
		{"seconds", at("2026-01-02T03:04:05Z")}, {"midnight", at("2026-01-02")}, {"1582", at("1582-10-10T00:00:00Z")}, {"leap day", at("2024-02-29T23:59:59Z")},
		{"empty array", arr()}, {"empty object", obj()}, {"array of null", arr(nil)}, {"array of empty string", arr("")},
		{"ints", arr(int64(1), int64(2), int64(3))}, {"mixed array", arr(int64(1), 1.0, "1", true, nil, time.Unix(1, 0), []byte("b"), []any{}, map[string]any{})},
		{"arrays in arrays", arr([]any{int64(1), []any{int64(2), []any{"deep"}}}, []any{})},
		{"array of objects", arr(map[string]any{"a": int64(1)}, map[string]any{"b": []any{map[string]any{"c": nil}}}, map[string]any{})},
		{"nested object", obj("a", map[string]any{"b": map[string]any{"c": int64(1), "d": "x"}, "e": []any{int64(1), "x"}})},
		{"object with null", obj("a", nil, "b", int64(1))}, {"object of nulls", obj("a", nil)}, {"object of empties", obj("a", map[string]any{}, "b", []any{}, "c", "")},
		{"like a tagged time", obj("$time", "2026-01-02T03:04:05Z")}, {"like tagged bytes", obj("$bytes", "AAAA")}, {"like an escaped tag", obj("$$time", "x")},
		{"like an operator", obj("$gt", int64(1))}, {"like two tags", obj("$time", "x", "$bytes", "y")}, {"tag with another kind", obj("$time", int64(1))},
		{"like a wrapper", obj("type", "vector", "value", []any{1.0, 2.0})}, {"like a wrapped value", obj("value", int64(1), "type", "int")},
		{"like a record", obj("id", "x", "fields", map[string]any{"a": int64(1)}, "metadata", map[string]any{})},
		{"odd names", obj("a.b", int64(1), " ", int64(2), "é", int64(3), "'\"`", int64(4), "a[0]", int64(5), "id", int64(6))},
		{"tagged in array", arr(map[string]any{"$time": "no time"}, map[string]any{"$bytes": nil})},
		{"deep", deep(dataknobs.MaxDepth - 1)},
	}
	for _, i := range []int64{0, 1, -1, 42, 127, 128, -129, 1 << 31, -1 << 31, 1<<31 - 1, 1 << 53, 1<<53 + 1, -1<<53 - 1, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1} {
		vs = append(vs, namedValue{fmt.Sprint("int ", i), dataknobs.Int(i)})
	}
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1.5, 1e21, 1e-7, 1e300, 5e-324, 2.2250738585072014e-308, math.MaxFloat64, -math.MaxFloat64, 1 << 53, 1 << 63, -1 << 63, 0.30000000000000004, 100} {
		vs = append(vs, namedValue{fmt.Sprint("float ", f), dataknobs.Float(f)})
	}
	for _, t := range hostileTexts {
		vs = append(vs, namedValue{fmt.Sprintf("string %.30q", t), dataknobs.String(t)})
	}
	return vs
}

func allBytes() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// deep returns arrays and objects nested n levels deep, by turns.
func deep(n int) dataknobs.Value {
	v := dataknobs.String("bottom")
	for i := range n {
		if i%2 == 0 {
			v = dataknobs.Array(v)
		} else {
			v = dataknobs.Object(dataknobs.Fields{{Name: "d", Value: v}})
		}
	}
	return v
}

const roundTrip = "section 2: what was written is read back equal, kind included, from every store"

var valueCases = []testCase{
	{"one column of all kinds", roundTrip, 0, func(s *subject) {
		var recs []*dataknobs.Record
		for i, nv := range plainValues() {
			recs = append(recs, dataknobs.NewRecord(fmt.Sprintf("%03d", i), dataknobs.Field{Name: "v", Value: nv.v}))
		}
		s.roundTrip(recs)
	}},
	{"a column for each kind", roundTrip, 0, func(s *subject) {
		columns := map[dataknobs.Kind][]dataknobs.Value{}
		for _, nv := range plainValues() {
			columns[nv.v.Kind()] = append(columns[nv.v.Kind()], nv.v)
		}
		var recs []*dataknobs.Record
		for i := range len(hostileTexts) {
			r := dataknobs.NewRecord(fmt.Sprintf("%03d", i))
			for k := dataknobs.KindBool; k <= dataknobs.KindObject; k++ {
				if i < len(columns[k]) {
					r.Set(k.String(), columns[k][i])
				}
			}
			recs = append(recs, r)
		}
		s.roundTrip(recs)
	}},
	{"a column for each value", roundTrip, 0, func(s *subject) {
		r := dataknobs.NewRecord("x")
		for i, nv := range plainValues() {
			r.Set(fmt.Sprintf("f%03d", i), nv.v)
		}
		s.roundTrip([]*dataknobs.Record{r})
	}},
	{"alone", roundTrip + ", though it is all that the store holds", 0, func(s *subject) {
		for _, nv := range plainValues() {
			if s.brief() && nv.v.Kind() == dataknobs.KindString {
				continue // covered by the columns
			}
			one := s.another()
			one.roundTrip([]*dataknobs.Record{dataknobs.NewRecord("x", dataknobs.Field{Name: "v", Value: nv.v})})
			one.db.Close()
			if s.Failed() {
				s.Fatalf("the value is %s", nv.name)
			}
		}
	}},
	{"numbers of both kinds", "an int stays an int and 1.0 stays a float, in one column", 0, func(s *subject) {
		s.roundTrip([]*dataknobs.Record{rec("a", "n", int64(1)), rec("b", "n", 1.0), rec("c", "n", int64(1<<53+1)), rec("d", "n", float64(1<<53)), rec("e", "n", 0.5)})
	}},
	{"finer times are cut", "section 2: times are kept to the microsecond: finer digits are cut on write", 0, func(s *subject) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 123456999, time.FixedZone("", 3600))
		s.create(s.own(rec("x", "t", at)))
		got := s.query(&dataknobs.Query{})[0].Get("t")
		if want := time.Date(2026, 1, 2, 2, 4, 5, 123456000, time.UTC); !got.Time().Equal(want) || got.Time().Location() != time.UTC {
			s.Errorf("wrote %v, read %v; wanted %v", at, got, want)
		}
	}},
	{"empty record", "trap 3: a record without any field is a record: it is read, counted, changed and deleted", needAnyID, func(s *subject) {
		s.create(rec("x"), rec("y", "a", int64(1)))
		s.wantContent(rec("x"), rec("y", "a", int64(1)))
		n, err := s.db.Count(s.ctx, nil)
		s.must(err, "Count")
		if n != 2 {
			s.Errorf("Count is %d, wanted 2", n)
		}
		s.wantSet(&dataknobs.Query{Where: cond("a", dataknobs.IsNull)}, "x")
		_, err = s.db.Put(s.ctx, rec("y"))
		s.must(err, "Put of an empty record")
		s.wantContent(rec("x"), rec("y"))
		s.must(s.db.Delete(s.ctx, "x"), "Delete")
		s.wantContent(rec("y"))
	}},
	{"kind changes", "a later write may change the kind of a field, in every direction", needIDs, func(s *subject) {
		s.create(rec("keep", "v", int64(1)))
		for _, nv := range plainValues() {
			if nv.v.Kind() == dataknobs.KindString && nv.v.Len() > 3 {
				continue
			}
			want := dataknobs.NewRecord("x", dataknobs.Field{Name: "v", Value: nv.v})
			_, err := s.db.Put(s.ctx, want)
			s.must(err, "Put of %s", nv.name)
			s.wantRecord(s.get("x"), want, "Get after Put of %s", nv.name)
		}
		s.wantRecord(s.get("keep"), rec("keep", "v", int64(1)), "another record")
	}},
	{"metadata", "section 1: metadata is a second object, of any values, never among the fields", needMeta | needIDs, func(s *subject) {
		r := rec("x", "a", int64(1), "m", "field")
		for i, nv := range plainValues() {
			r.Metadata = append(r.Metadata, dataknobs.Field{Name: fmt.Sprintf("f%03d", i), Value: nv.v})
		}
		r.Metadata = append(r.Metadata, dataknobs.F("m", "meta"))
		bare := rec("y", "m", "field")
		s.create(r, bare)
		s.wantContent(r, bare)
		s.wantSet(&dataknobs.Query{Where: &dataknobs.Cond{Path: dataknobs.Names("_meta", "m"), Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.String("meta")}}}, "x")
		s.wantSet(&dataknobs.Query{Where: eq("m", "field")}, "x", "y")
		bare.Metadata = dataknobs.Fields{dataknobs.F("late", true)}
		_, err := s.db.Put(s.ctx, bare)
		s.must(err, "Put")
		_, err = s.db.Put(s.ctx, rec("x", "a", int64(1)))
		s.must(err, "Put without metadata")
		s.wantContent(rec("x", "a", int64(1)), bare)
		if s.h.Reopen != nil {
			s.reopen()
			s.wantContent(rec("x", "a", int64(1)), bare)
		}
	}},
	{"no metadata", "a store that keeps no metadata refuses it with Unsupported; it does not drop it", needNoMeta, func(s *subject) {
		r := s.own(rec("x", "a", int64(1)))
		r.Metadata = dataknobs.Fields{dataknobs.F("m", 1)}
		_, err := s.db.Create(s.ctx, r)
		s.wantCode(err, dataknobs.Unsupported, "Create with metadata")
		s.wantContent()
	}},
	{"wide", "a record may have thousands of fields", 0, func(s *subject) {
		r := dataknobs.NewRecord("x")
		for i := range 1500 {
			r.Fields = append(r.Fields, dataknobs.F(fmt.Sprint("f", i), int64(i)))
		}
		s.roundTrip([]*dataknobs.Record{r})
	}},
	{"large", "a record of a megabyte is an ordinary record", 0, func(s *subject) {
		big := strings.Repeat("0123456789abcdé\n", 1<<16)
		s.roundTrip([]*dataknobs.Record{rec("x", "a", big, "b", []byte(big)), rec("y", "a", "small")})
	}},
}

// own takes the ID from a record for a store that gives IDs itself.
func (s *subject) own(r *dataknobs.Record) *dataknobs.Record {
	if s.f().RowIDs != "" {
		r.ID = ""
	}
	return r
}

// roundTrip writes records and checks that all ways to read give them back, now
// and after reopening.
func (s *subject) roundTrip(recs []*dataknobs.Record) {
	s.Helper()
	given := make([]*dataknobs.Record, len(recs))
	for i, r := range recs {
		given[i] = s.own(r.Clone())
	}
	results, err := s.db.CreateMany(s.ctx, given)
	s.must(err, "CreateMany of %d records", len(recs))
	check := func() {
		s.Helper()
		if s.f().RowIDs == "" {
			s.wantContent(recs...)
			return
		}
		for i, got := range s.query(&dataknobs.Query{}) {
			recs[i].ID = got.ID
			s.wantRecord(got, recs[i], "row %d", i)
		}
	}
	if len(results) != len(recs) {
		s.Errorf("CreateMany of %d records returned %d results", len(recs), len(results))
	}
	check()
	if s.h.Reopen != nil && !s.Failed() {
		s.reopen()
		check()
	}
}
