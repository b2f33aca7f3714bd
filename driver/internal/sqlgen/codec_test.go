package sqlgen_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

func TestAppendFieldsForm(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	tests := []struct {
		in   any
		want string
	}{
		{nil, `null`},
		{true, `true`},
		{1, `1`},
		{1.0, `1.0`},
		{math.Copysign(0, -1), `-0.0`},
		{0.1, `0.1`},
		{float64(1 << 60), `1152921504606846976.0`},
		{float64(1 << 63), `9223372036854775808.0`},
		{-float64(1 << 63), `-9223372036854775808.0`},
		{1e22, `10000000000000000000000.0`},
		{5e-324, `5e-324`},
		{1.5e-7, `1.5e-07`},
		{"a\"b\n", `"a\"b\n"`},
		{when, `{"$time":"2026-01-02T03:04:05.000006Z"}`},
		{[]byte("abc"), `{"$bytes":"YWJj"}`},
		{[]any{1, nil, "x"}, `[1,null,"x"]`},
		{dataknobs.Fields{dataknobs.F("$time", "x"), dataknobs.F("a", nil)}, `{"$$time":"x","a":null}`},
		{dataknobs.Fields{}, `{}`},
		{[]any{}, `[]`},
	}
	for _, test := range tests {
		v, err := dataknobs.ValueOf(test.in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sqlgen.AppendValue(nil, v)
		if err != nil || string(got) != test.want {
			t.Errorf("AppendValue(%s) = %s, %v; want %s", v, got, err, test.want)
		}
	}
	if _, err := sqlgen.AppendValue(nil, dataknobs.Float(math.NaN())); err == nil {
		t.Error("a NaN was written")
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		in   string
		want any
	}{
		{` 1 `, 1},
		{`-9223372036854775808`, math.MinInt64},
		{`9223372036854775807`, math.MaxInt64},
		{`9223372036854775808`, "9223372036854775808"},
		{`10000000000000000000000`, 1e22},
		{`123456789012345678901234`, "123456789012345678901234"},
		{`1e2`, 100.0},
		{`0.30000000000000004`, 0.30000000000000004},
		{`1e400`, "1e400"},
		{`"\u00e9\ud83d\ude00\/"`, "é😀/"},
		{`{"$time": "2026-01-02T03:04:05.000006Z"}`, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)},
		{`{"$time":"2026-01-02"}`, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)},
		{`{"$time":"x","b":1}`, dataknobs.Fields{dataknobs.F("$time", "x"), dataknobs.F("b", 1)}},
		{`{"$other":"x"}`, dataknobs.Fields{dataknobs.F("$other", "x")}},
		{`{"$$time":"x"}`, dataknobs.Fields{dataknobs.F("$time", "x")}},
		{`{"$bytes": "YWJj"}`, []byte("abc")},
	}
	for _, test := range tests {
		want, err := dataknobs.ValueOf(test.want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sqlgen.ParseValue([]byte(test.in))
		if err != nil || !got.Identical(want) {
			t.Errorf("ParseValue(%s) = %s, %v; want %s", test.in, got, err, want)
		}
	}
	for _, in := range []string{`{"$time":"x"}`, `{"$bytes":"%"}`, `{`, `[1,]`, `{"a":1,"a":2}`, `01`, `-`, `1.`, `1e`, `"a`, `"\ud800"`, "\"\xff\"", `tru`, `1 2`, "\x00", `[1}`, "\"\n\""} {
		if v, err := sqlgen.ParseValue([]byte(in)); dataknobs.CodeOf(err) != dataknobs.DataLoss {
			t.Errorf("ParseValue(%q) = %s, %v; want DataLoss", in, v, err)
		}
	}
	if v, err := sqlgen.ParsePlain([]byte(`{"$time":"2026-01-02"}`)); err != nil || v.Kind() != dataknobs.KindObject {
		t.Errorf("ParsePlain of a tag = %s, %v; want an object", v, err)
	}
}

func TestDecoderOnly(t *testing.T) {
	d := sqlgen.Decoder{Only: map[string]bool{"b": true, "e": true}}
	for range 2 {
		f, err := d.Fields([]byte(`{"a": {"x": ["}", 1]}, "b": 1, "c": "\"", "d": 1.5, "e": [true]}`))
		if err != nil || len(f) != 2 || f[0].Value.Int() != 1 || f[1].Value.Len() != 1 {
			t.Fatalf("Fields = %v, %v; want b and e", f, err)
		}
	}
}

// One decoder for records of changing names answers as a new one for each.
func TestDecoderNames(t *testing.T) {
	var d sqlgen.Decoder
	for _, in := range []string{`{"a":1,"b":2}`, `{"a":1,"b":2,"c":3}`, `{"b":1}`, `{}`, `{"x":1,"b":"s"}`, `{"a":1,"a":2}`, `{"a":1,"b":2}`, `null`, ``, `{"a":"\n"}`, `{"$$x":1}`, `{"$$x":1}`} {
		got, err := d.Fields([]byte(in))
		want, err2 := sqlgen.ParseFields([]byte(in))
		if (err == nil) != (err2 == nil) || !got.Identical(want) {
			t.Errorf("%s: %v, %v; want %v, %v", in, got, err, want, err2)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := value(3).Draw(t, "v")
		b, err := sqlgen.AppendValue(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sqlgen.ParseValue(b)
		if err != nil || !got.Identical(v) {
			t.Fatalf("%s came back as %s, %v", b, got, err)
		}
	})
}

func TestTimeText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := dataknobs.TimeMicros(rapid.Int64Range(-62135596800_000_000, 253402300799_999_999).Draw(t, "us"))
		text := sqlgen.TimeText(v)
		if want := v.Time().Format("2006-01-02T15:04:05.000000Z"); text != want {
			t.Fatalf("TimeText = %s; want %s", text, want)
		}
		if got, ok := sqlgen.ParseTimeText([]byte(text)); !ok || !got.Equal(v) {
			t.Fatalf("%s came back as %s", text, got)
		}
	})
	for _, s := range []string{"2026-02-29T00:00:00.000000Z", "0000-01-01T00:00:00.000000Z", "2026-13-01T00:00:00.000000Z", "2026-01-01T24:00:00.000000Z", "2026-01-01T00:00:00.00000xZ"} {
		if v, ok := sqlgen.ParseTimeText([]byte(s)); ok {
			t.Errorf("%s was read as %s", s, v)
		}
	}
}

func flight() dataknobs.Fields {
	return dataknobs.Fields{
		dataknobs.F("year", 2013), dataknobs.F("month", 1), dataknobs.F("day", 1), dataknobs.F("dep_time", 517),
		dataknobs.F("sched_dep_time", 515), dataknobs.F("dep_delay", 2), dataknobs.F("arr_time", 830),
		dataknobs.F("sched_arr_time", 819), dataknobs.F("arr_delay", 11), dataknobs.F("carrier", "UA"),
		dataknobs.F("flight", 1545), dataknobs.F("tailnum", "N14228"), dataknobs.F("origin", "EWR"), dataknobs.F("dest", "IAH"),
		dataknobs.F("air_time", 227), dataknobs.F("distance", 1400.5), dataknobs.F("hour", 5), dataknobs.F("minute", 15),
		dataknobs.F("time_hour", time.Date(2013, 1, 1, 10, 0, 0, 0, time.UTC)),
	}
}

func BenchmarkAppendFields(b *testing.B) {
	f := flight()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = sqlgen.AppendFields(buf[:0], f)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecoderFields(b *testing.B) {
	text, _ := sqlgen.AppendFields(nil, flight())
	var d sqlgen.Decoder
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Fields(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecoderOnly(b *testing.B) {
	text, _ := sqlgen.AppendFields(nil, flight())
	d := sqlgen.Decoder{Only: map[string]bool{"carrier": true, "dep_delay": true}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Fields(text); err != nil {
			b.Fatal(err)
		}
	}
}
